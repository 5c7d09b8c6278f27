"""Picture files by OpenCV, whatever their names: its own `imread` crashes the process at one that is not UTF-8."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray


def read_bgr(path: Path, how: int = cv2.IMREAD_COLOR) -> NDArray[Any] | None:
    """(H, W, 3) uint8 BGR, or what another of OpenCV's IMREAD flags makes of it; None where it is no picture."""
    try:
        return cv2.imdecode(np.fromfile(path, np.uint8), how)
    except (OSError, cv2.error):
        return None
