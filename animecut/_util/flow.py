"""Optical flow by dense inverse search (Kroeger et al. 2016). The only module that asks OpenCV for it."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.uint8]
Plane = NDArray[np.float32]
Flow = NDArray[np.float32]
"""(H, W, 2) float32 pixels, x before y: how far what is at each place of the first picture has moved in the second."""


def optical_flow(first: Grey, second: Grey, guess: Flow | None = None, *, thorough: bool = False) -> Flow:
    """Where each place of the first picture is in the second one, both (H, W) uint8.

    guess: where the search begins; None is rest.  thorough: slower, for pictures that differ much.
    """
    preset = cv2.DISOPTICAL_FLOW_PRESET_MEDIUM if thorough else cv2.DISOPTICAL_FLOW_PRESET_FAST
    search: Any = cv2.DISOpticalFlow.create(preset)  # typed as if the guess had to be given
    return np.asarray(search.calc(first, second, guess), np.float32)


def positions_along(flow: Flow, top: int = 0, left: int = 0) -> tuple[Plane, Plane]:
    """X and y, (H, W) float32 each, at which the second picture shows what the first one has at each place.

    top, left: where the flow's first place lies in the first picture.
    """
    height, width = flow.shape[:2]
    rows, columns = np.arange(top, top + height, dtype=np.float32), np.arange(left, left + width, dtype=np.float32)
    return flow[..., 0] + columns, flow[..., 1] + rows[:, None]


def resize_flow(flow: Flow, height: int, width: int) -> Flow:
    """The flow on another grid of the same picture, in that grid's pixels."""
    scale = np.array([width / flow.shape[1], height / flow.shape[0]], np.float32)
    return np.asarray(cv2.resize(flow * scale, (width, height)), np.float32)
