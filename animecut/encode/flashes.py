"""How often a picture flashes, after WCAG 2.2: general flash thresholds (https://www.w3.org/TR/WCAG22, 2023)."""

from math import ceil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

GRID = 16  # cells along each side of a picture whose luminance is looked at
CHANGE = 0.1  # of the largest luminance
DARK = 0.8  # of the largest luminance, which the darker of two pictures is below
SECOND = 1 - 1e-6  # seconds, as adding floats may be off
SHORTEST = 0.02  # seconds; no play is shown for less
AREA = 0.25  # of the picture, at least, that flashes at once


def luminance(rgba: "NDArray[np.uint8]") -> "NDArray[np.float64]":
    """(GRID, GRID) relative luminance in [0, 1] of a straight sRGB picture (H, W, 4) on black."""
    import numpy as np
    from PIL import Image

    small = Image.fromarray(rgba).convert("RGBa").resize((GRID, GRID), Image.Resampling.BOX)
    channels = np.asarray(small, np.float64)[..., :3] / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return np.asarray(linear @ np.array([0.2126, 0.7152, 0.0722]))


def count_flashes(levels: "NDArray[np.float64]", seconds: "NDArray[np.float64]") -> int:
    """The most flashes within any second, over AREA of the picture at least, where it is played for ever.

    levels: (T, h, w) luminance of each picture. seconds: (T,) that each is shown. A flash is a pair of opposite
    changes; changes are taken from one picture to the next.
    """
    import numpy as np

    times = 2 if seconds.sum() >= 1 else ceil(1 / max(seconds.sum(), SHORTEST)) + 1
    again = np.tile(levels.reshape(len(levels), -1), (times, 1))
    starts = np.tile(seconds, times).cumsum()[:-1]
    steps = np.diff(again, axis=0)
    large = (np.abs(steps) >= CHANGE) & (np.minimum(again[:-1], again[1:]) < DARK)
    turns = np.zeros(steps.shape, bool)  # whether a cell changes the other way than it did last
    last = np.zeros(steps.shape[1])
    for i, step in enumerate(np.sign(steps) * large):
        turns[i] = step * last < 0
        last = np.where(step != 0, step, last)
    most = 0
    for start in range(len(starts)):
        within = turns[start : int(np.searchsorted(starts, starts[start] + SECOND))].sum(axis=0)
        most = max(most, int(np.quantile((within + 1) // 2, 1 - AREA, method="lower")))
    return most
