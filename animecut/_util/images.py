"""A small copy of a large picture, for stages that need no more of it."""

import cv2
import numpy as np
from numpy.typing import NDArray

FAR = 4  # times as large; halved down to twice, it would be softer, and a small change between drawings missed


def shrink(picture: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """(H, W, C) uint8 as (height, width, C), averaged over areas; size is (width, height), as in OpenCV.

    Halved first while it is far larger, which OpenCV does ten times as fast as a step of odd size.
    """
    while all(side % 2 == 0 and side >= FAR * small for side, small in zip(picture.shape, size[::-1], strict=False)):
        half = picture.shape[1] // 2, picture.shape[0] // 2
        picture = np.asarray(cv2.resize(picture, half, interpolation=cv2.INTER_AREA), np.uint8)
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
