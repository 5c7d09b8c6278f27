"""Boxes drawn round characters -> masks: GrabCut (Rother et al. 2004), seeded by the network."""

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from animecut._util.masks import bounding_window
from animecut.types import Segment
from animecut_training.data.classes import regions
from animecut_training.data.dataset import Labelled, alpha_of

FILLED = 0.99  # share of its bounding box that a label fills if it is a box, with later ones that lie over it
AROUND = 0.15  # of the box's longer side, shown to the network and to GrabCut around it
SURE = 0.95, 0.02  # probability above which a place is surely the character, and below which surely not
ROUNDS = 4  # of GrabCut; it hardly moves after
LEAST = 0.05  # of the box: a smaller character than that was lost


def masks_from_boxes(frame: Labelled, segmenter: Segment) -> Labelled:
    """The frame with every label that is a box replaced by the character in it; other labels stay."""
    numbers = regions(frame.alpha > 0) if frame.numbers is None else frame.numbers
    alpha = frame.alpha.copy()
    for number in range(1, int(numbers.max()) + 1):
        box = bounding_window(numbers == number)
        if numbers[box].size and (numbers[box] >= number).mean() >= FILLED:  # later ones may lie over a part of it
            around = round(AROUND * max(numbers[box].shape))
            part = bounding_window(numbers == number, around)
            inside = numbers[part] == number
            found = _character(frame.rgb[part], inside, segmenter)
            alpha[part] = np.where(inside, found, alpha[part])
    return replace(frame, alpha=alpha, numbers=None)


def _character(rgb: NDArray[np.uint8], box: NDArray[np.bool_], segmenter: Segment) -> NDArray[np.float32]:
    """The character in a box, (H, W) 0 or 1; the box itself where none can be told from what is around it."""
    p = alpha_of(segmenter, rgb)
    seeds = np.where(p > 0.5, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    seeds[p > SURE[0]], seeds[p < SURE[1]] = cv2.GC_FGD, cv2.GC_BGD
    if (p[box] > 0.5).mean() < LEAST:  # the network sees nobody: ask GrabCut alone
        seeds[:] = cv2.GC_PR_FGD
    seeds[~box] = cv2.GC_BGD
    if (seeds == cv2.GC_BGD).any() and np.isin(seeds, (cv2.GC_FGD, cv2.GC_PR_FGD)).any():
        cv2.setRNGSeed(0)  # its clusters start by chance
        bgr, background, character = np.ascontiguousarray(rgb[..., ::-1]), np.zeros((1, 65)), np.zeros((1, 65))
        cv2.grabCut(bgr, seeds, (0, 0, 0, 0), background, character, ROUNDS, cv2.GC_INIT_WITH_MASK)
    found = np.isin(seeds, (cv2.GC_FGD, cv2.GC_PR_FGD)) & box
    return (found if found.sum() >= LEAST * box.sum() else box).astype(np.float32)
