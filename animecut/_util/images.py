"""Pictures by OpenCV: read from files of any name, and made small for stages that need no more of them."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

FAR = 4  # times as large; halved down to twice, it would be softer, and a small change between drawings missed
GREY = 128  # of all grounds the one that is farthest from none
VIEW_SIDE = 448  # pixels of the longer side that the network sees; for a character of any size (tests.quality.sizes)
VIEW_MULTIPLE = 8  # sides are rounded to it, so that almost nothing is padded
VIEW_LEAST = 32  # pixels; the network takes nothing smaller


def read_bgr(path: Path, how: int = cv2.IMREAD_COLOR) -> NDArray[Any] | None:
    """(H, W, 3) uint8 BGR, or what another of OpenCV's IMREAD flags makes of it; None where it is no picture.

    OpenCV's own `imread` crashes the process at a name that is not UTF-8.
    """
    try:
        return cv2.imdecode(np.fromfile(path, np.uint8), how)
    except (OSError, cv2.error):
        return None


def shrink(picture: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """(H, W, C) uint8 as (height, width, C), averaged over areas; size is (width, height), as in OpenCV.

    Halved first while it is far larger, which OpenCV does ten times as fast as a step of odd size.
    """
    while all(side % 2 == 0 and side >= FAR * small for side, small in zip(picture.shape, size[::-1], strict=False)):
        half = picture.shape[1] // 2, picture.shape[0] // 2
        picture = np.asarray(cv2.resize(picture, half, interpolation=cv2.INTER_AREA), np.uint8)
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def over_grey(rgb: NDArray[np.uint8], alpha: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(H, W, 3) uint8: straight RGB of that (H, W) uint8 alpha over grey, to the nearest level."""
    weight = alpha[..., None].astype(np.uint16)
    return np.asarray((rgb * weight + GREY * (255 - weight) + 127) // 255, np.uint8)


def make_view(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 at the network's size: longer side VIEW_SIDE, the aspect kept to within a few pixels."""
    height, width = rgb.shape[:2]
    scale = VIEW_SIDE / max(height, width)
    size = [max(VIEW_LEAST, round(side * scale / VIEW_MULTIPLE) * VIEW_MULTIPLE) for side in (width, height)]
    if scale < 1:
        return shrink(rgb, (size[0], size[1]))
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_CUBIC), np.uint8)
