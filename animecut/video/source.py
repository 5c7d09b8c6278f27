"""What the readers of video and of pictures share: a picture with its time, and what can be wrong with a file."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from animecut.errors import InputError

LAST_SECONDS = 1 / 24  # of a lone last picture whose container names no length: one frame of film
EDGE_SECONDS = 0.0005  # a picture in the range for less is left out: typed times and Matroska's are rounded to 1 ms
Picture = NDArray[np.uint8]
"""(H, W, 3) RGB or (H, W, 4) straight RGBA, sRGB."""


class TimedPicture(NamedTuple):
    """A picture, when it appears, and for how long as its container says; seconds since the source's first picture."""

    time: float
    length: float | None
    pixels: Callable[[], Picture]


class Truncated(Exception):
    """Pictures end where the file is cut off or damaged, not where they should."""


def input_error(path: Path, text: str) -> InputError:
    """An error in one line, beginning with the file's name."""
    return InputError(f"{path}: {text}".replace("\n", " "))


def check_size(path: Path, width: int, height: int, max_pixels: int) -> None:
    """Raise InputError where a picture has more than max_pixels."""
    if width * height > max_pixels:
        raise input_error(
            path, f"{width}x{height} is more than {max_pixels} pixels; scale it down or raise `max_source_pixels`"
        )
