"""What has one colour in one place is one thing: where a network doubts, a place hears those of its colour around it.

A network sees shapes, and what it keeps or loses by mistake often has the colour of what it let go or kept nearby: sky
between two locks, wall under an arm, a hand. Anime's colours are flat, so places of one colour belong together. This is
after the mean field of a dense conditional random field (Krähenbühl and Koltun 2011), but only places on a coarse grid
speak, and what they say is averaged.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]

SPEAKERS = 12  # pixels of the network's grid from one place that speaks to the next
LISTENERS = 4  # pixels from one place that is spoken to to the next
AT_ONCE = 1024  # listeners whose kin is looked for at once, as a processor's cache holds
COLOUR = 0.015  # standard deviation of what counts as one colour; of RGB in [0, 1], weighed by LUMA_CHROMA
LUMA_CHROMA = np.array([[0.299, 0.587, 0.114], [-0.169, -0.331, 0.5], [0.5, -0.419, -0.081]], np.float32)
"""Brightness and two colours of RGB (ITU-R BT.601)."""
NEAR = 120.0  # pixels: standard deviation of what counts as near
WEIGHT = 4.0  # log odds that all of one mind have: nobody who is surer than that can change sides
FADE = 1.0  # log odds below that from which places are told less and less, so that none jumps
ALONE = 0.5  # speakers: who has fewer of its kind is told less
ROUNDS = 2  # times that those who speak hear one another first
POWER = 3  # doublings: exp(x) is nearly (1 + x / 8)^8, quicker to compute and nothing at all where it is faint
FAR = 2 ** ((POWER + 1) / 2)  # deviations from where on it is nothing


def refine_by_color(rgb: NDArray[np.uint8], odds: Plane) -> Plane:
    """The log odds of each place of one picture being character, after hearing its kin.

    rgb: (H, W, 3) uint8, H and W divisible by LISTENERS.  odds: (H, W) float32, the network's.  Returns the same.
    """
    height, width = odds.shape
    least = cv2.erode(np.abs(odds), np.ones((LISTENERS, LISTENERS)), anchor=(0, 0))[::LISTENERS, ::LISTENERS]
    unsure = least < WEIGHT
    if not unsure.any():
        return odds
    speakers = _places(rgb, SPEAKERS).reshape(-1, 5)
    own = _sampled(odds, SPEAKERS).ravel()
    among = _alike(speakers, speakers)
    np.fill_diagonal(among, 0)
    belief = np.tanh(own / 2)
    for _ in range(ROUNDS):
        belief = np.tanh((own + WEIGHT * _mean(among, belief)) / 2)
    listeners = _places(rgb, LISTENERS)[unsure]
    told = np.zeros_like(least)
    told[unsure] = np.concatenate(
        [_mean(_alike(listeners[i : i + AT_ONCE], speakers), belief) for i in range(0, len(listeners), AT_ONCE)]
    )
    told *= np.clip((WEIGHT - least) / FADE, 0, 1)
    heard: Plane = odds + WEIGHT * cv2.resize(told, (width, height), interpolation=cv2.INTER_LINEAR)
    return heard


def _places(rgb: NDArray[np.uint8], step: int) -> Plane:
    """(h, w, 5) of each place on a grid: its colour and where it is, in FAR times their deviations."""
    sampled = _sampled(rgb, step)
    places = np.empty((*sampled.shape[:2], 5), np.float32)
    places[..., :3] = (sampled - np.float32(127.5)) @ (LUMA_CHROMA.T / np.float32(255 * FAR * COLOUR))
    places[..., 3] = (np.arange(step // 2, rgb.shape[0], step) / (FAR * NEAR))[:, None]
    places[..., 4] = np.arange(step // 2, rgb.shape[1], step) / (FAR * NEAR)
    return places


def _sampled(plane: NDArray[Any], step: int) -> NDArray[Any]:
    return plane[step // 2 :: step, step // 2 :: step]


def _alike(some: Plane, others: Plane) -> Plane:
    """(N, M) in [0, 1]: nearly exp(-d² / 2), d how many deviations one is from another.

    some: (N, 5), others: (M, 5), as `_places` gives them. Multiplied out it is sooner done, and from their middle as
    exactly.
    """
    middle = others.mean(axis=0)
    some, others = some - middle, others - middle
    # 1 - |some - others|² as one matrix product, each place with two more columns
    left = np.column_stack([2 * some, 1 - np.square(some).sum(axis=1), np.ones(len(some), np.float32)])
    right = np.column_stack([others, np.ones(len(others), np.float32), -np.square(others).sum(axis=1)])
    alike: Plane = left @ right.T
    np.clip(alike, 0, 1, out=alike)
    for _ in range(POWER):
        np.square(alike, out=alike)
    return alike


def _mean(alike: Plane, belief: Plane) -> Plane:
    """(N,): what others believe, (M,), weighed by how alike they are, (N, M)."""
    both = alike @ np.column_stack([belief, np.ones_like(belief)])
    mean: Plane = both[:, 0] / (both[:, 1] + np.float32(ALONE))
    return mean
