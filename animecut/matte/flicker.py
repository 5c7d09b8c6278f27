"""How much the cut-out moves while the source does not: a figure that needs no truth, and should be 0."""

import cv2
import numpy as np
from numpy.typing import NDArray

BLOCK = 8  # pixels: the side of the blocks that copies are compared by
NOISE = 4.0  # of 255: what compression changes a block's mean by at most; a blink or a step of the camera more


def is_held(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> bool:
    """Whether two pictures, (H, W, 3) RGB uint8, are copies of one drawing as far as blocks of them tell."""
    if before.shape != after.shape:
        return False
    difference = cv2.subtract(after, before, dtype=cv2.CV_32F)
    blocks = cv2.resize(difference, None, fx=1 / BLOCK, fy=1 / BLOCK, interpolation=cv2.INTER_AREA)
    return bool(np.abs(blocks).max() < NOISE)


def alpha_change(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> float:
    """Mean difference of alpha, in [0, 1], of two (H, W, 4) RGBA pictures."""
    return float(cv2.absdiff(after[..., 3], before[..., 3]).mean() / 255)


def held_flicker(changes: list[float], held_pairs: int) -> float:
    """Mean |alpha_i - alpha_(i-1)| * 1000 over the pairs of frames in which the source holds a drawing.

    changes: mean difference of alpha in [0, 1], one for each held pair that was not shown as the very same picture.
    held_pairs: how many there are in all, drawings that --fps left out among them; 0 gives 0.
    """
    return 1000 * sum(changes) / held_pairs if held_pairs else 0.0
