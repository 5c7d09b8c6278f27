"""Optical flow by dense inverse search (Kroeger et al. 2016). The only module that asks OpenCV for it."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.uint8]
Flow = NDArray[np.float32]
"""(H, W, 2) float32 pixels, x before y: how far what is at each place of the first picture has moved in the second."""


def optical_flow(first: Grey, second: Grey, guess: Flow | None = None, *, thorough: bool = False) -> Flow:
    """Where each place of the first picture is in the second one, both (H, W) uint8.

    guess: where the search begins; None is rest.  thorough: slower, for pictures that differ much.
    """
    preset = cv2.DISOPTICAL_FLOW_PRESET_MEDIUM if thorough else cv2.DISOPTICAL_FLOW_PRESET_FAST
    search: Any = cv2.DISOpticalFlow.create(preset)  # typed as if the guess had to be given
    return np.asarray(search.calc(first, second, guess), np.float32)


def resize_flow(flow: Flow, height: int, width: int) -> Flow:
    """The flow on another grid of the same picture, in that grid's pixels."""
    scale = np.array([width / flow.shape[1], height / flow.shape[0]], np.float32)
    return np.asarray(cv2.resize(flow * scale, (width, height)), np.float32)
