"""What several stages ask of a plane: where something is in it, how far that is, and the same blurred."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]
"""(H, W)."""
Mask = NDArray[np.bool_]
"""(H, W)."""
Window = tuple[slice, slice]
"""Rows and columns."""


def bounding_window(mask: Mask, margin: int = 0) -> Window:
    """The smallest window around what is true in an (H, W) mask, and a margin of pixels; empty where nothing is."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return slice(0, 0), slice(0, 0)
    return (
        slice(max(0, int(rows[0]) - margin), min(len(mask), int(rows[-1]) + 1 + margin)),
        slice(max(0, int(columns[0]) - margin), min(mask.shape[1], int(columns[-1]) + 1 + margin)),
    )


def distance_to(mask: Mask) -> Plane:
    """Pixels from each place to the nearest that is true."""
    return np.asarray(cv2.distanceTransform((~mask).view(np.uint8), cv2.DIST_L2, 5), np.float32)


def gaussian_blur(values: NDArray[Any], sigma: float) -> Plane:
    """An (H, W) or (H, W, C) picture of any numbers under a Gaussian of so many pixels."""
    return np.asarray(cv2.GaussianBlur(values.astype(np.float32), (0, 0), sigma), np.float32)
