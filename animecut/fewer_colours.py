"""RGBA pictures in few colours, the same few in all of them, so that lossless formats get smaller and nothing boils."""

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
"""(H, W, 4) straight RGBA, uint8, sRGB."""

PER_PICTURE = 4096  # pixels looked at in each
SAMPLES = 20_000  # points that k-means sees
SOFT_SHARE = 0.25  # of the colours go to half transparent edges
FAVOUR = 0.75  # power of a colour's area that it weighs with: below 1 so that small eyes keep their colour


@dataclass(frozen=True)
class Palette:
    """Colours of opaque pixels, and of half transparent ones: (N, 4) straight RGBA, uint8."""

    opaque: Picture
    soft: Picture


def palette_of(pictures: Iterable[Picture], size: int) -> Palette:
    """At most `size` colours for all pictures together: k-means (Lloyd 1982) on some of their pixels."""
    seen = []
    for picture in pictures:
        pixels = picture.reshape(-1, 4)
        pixels = pixels[pixels[:, 3] > 0]
        seen.append(pixels[:: max(1, len(pixels) // PER_PICTURE)])
    pixels = np.concatenate(seen)
    soft = pixels[:, 3] < 255
    share = max(1, round(size * SOFT_SHARE)) if soft.any() else 0
    return Palette(_centres(pixels[~soft], size - share), _centres(pixels[soft], share))


def quantised(picture: Picture, palette: Palette) -> Picture:
    """The picture with every pixel's nearest colour; what is clear stays clear, what is opaque stays opaque."""
    keys, back = np.unique(np.ascontiguousarray(picture).view(np.uint32), return_inverse=True)
    colours = keys.view(np.uint8).reshape(-1, 4)
    result = np.zeros_like(colours)
    for which, centres in (
        (colours[:, 3] == 255, palette.opaque),
        ((colours[:, 3] > 0) & (colours[:, 3] < 255), palette.soft),
    ):
        if which.any() and len(centres):
            result[which] = centres[_nearest(_space(colours[which]), _space(centres))]
        elif which.any():  # too rare to have been sampled
            result[which] = colours[which]
    return np.asarray(result[back.reshape(-1)].reshape(picture.shape))


def _centres(pixels: Picture, size: int) -> Picture:
    colours, counts = np.unique(pixels.reshape(-1, 4), axis=0, return_counts=True)
    if len(colours) <= size:
        return np.asarray(colours)
    weights = counts**FAVOUR
    repeats = np.maximum(1, np.rint(weights / weights.sum() * SAMPLES)).astype(np.intp)
    points = np.repeat(_space(colours), repeats, axis=0)
    cv2.setRNGSeed(0)  # the same pictures give the same palette
    stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 10, 0.3)
    centres = np.asarray(cv2.kmeans(points, size, np.empty(0), stop, 1, cv2.KMEANS_PP_CENTERS)[2])
    alpha = np.maximum(centres[:, 3:], 1)
    return np.asarray(np.rint(np.concatenate([np.minimum(centres[:, :3] * 255 / alpha, 255), alpha], 1)), np.uint8)


def _space(colours: Picture) -> NDArray[np.float32]:
    """(N, 4) premultiplied: the colour of what can hardly be seen hardly counts."""
    values = colours.astype(np.float32)
    values[:, :3] *= values[:, 3:] / 255
    return values


def _nearest(points: NDArray[np.float32], centres: NDArray[np.float32]) -> NDArray[np.intp]:
    lengths = (centres**2).sum(axis=1)
    runs = (points[i : i + 8192] for i in range(0, len(points), 8192))
    return np.concatenate([(lengths - 2 * run @ centres.T).argmin(axis=1) for run in runs])
