"""A small copy of a large picture, for stages that need no more of it."""

import cv2
import numpy as np
from numpy.typing import NDArray

FAR = 4  # times as large; halved down to twice, it would be softer, and a small change between drawings missed


def shrunk(picture: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """(H, W, C) uint8 as (height, width, C), averaged over areas; size is (width, height), as in OpenCV.

    Halved first while it is far larger: ten times as fast as one step of odd size, and hardly softer.
    """
    while picture.shape[1] >= FAR * size[0] and picture.shape[0] >= FAR * size[1]:
        half = picture.shape[1] // 2, picture.shape[0] // 2
        if half[0] * 2 != picture.shape[1] or half[1] * 2 != picture.shape[0]:
            break
        picture = np.asarray(cv2.resize(picture, half, interpolation=cv2.INTER_AREA), np.uint8)
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
