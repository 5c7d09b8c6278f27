"""Which colours lie inside a character and which outside, nearby: evidence where the network doubts."""

from math import prod

import cv2
import numpy as np
from numpy.typing import NDArray

from animecut._util.masks import Plane

CELLS = 6  # cells along the longer side in which colours are counted
SHADES = 20  # steps of each colour channel that are counted apart
SPREADS = (1.0, 1.0, 0.5, 0.5, 0.5)  # standard deviations of the blur along rows, columns, red, green, blue
SURE = 0.05  # alpha within this of 0 or 1 is counted
SEEN = 0.03  # pixels: a colour seen less often than this is unknown
LIMIT = 2.5  # log odds that colour alone can reach


class ColorModel:
    """The colours of one picture, sorted once, and counted as often as somebody says what is inside.

    They are counted in a coarse grid over place and colour, blurred, compared, and looked up between the places: the
    bilateral grid of Chen, Paris and Durand 2007.
    """

    def __init__(self, rgb: NDArray[np.uint8], asked: NDArray[np.bool_]) -> None:
        """rgb: (H, W, 3).  asked: (H, W), where `evidence` is wanted."""
        height, width = asked.shape
        cell = max(height, width) / CELLS
        self._shape = int(height / cell) + 2, int(width / cell) + 2, SHADES, SHADES, SHADES
        self._blurs = [_blur(size, spread) for size, spread in zip(self._shape, SPREADS, strict=True)]
        columns = self._shape[1]
        # Every fourth pixel tells as much as all.
        row, column = (np.rint(np.arange(0, side, 2) / cell).astype(np.intp) for side in (height, width))
        shade = histogram_bin(rgb, SHADES)
        self._counted = (row[:, None] * columns + column) * SHADES**3 + shade[::2, ::2]
        y, x = (np.arange(side) / np.float32(cell) for side in (height, width))
        corner = (y.astype(np.int32)[:, None] * columns + x.astype(np.int32)) * np.int32(SHADES**3)
        self._corner = (corner + shade)[asked].astype(np.intp)
        down, right = (np.asarray(axis % 1, np.float32) for axis in (y, x))
        self._down, self._right = (np.broadcast_to(axis, asked.shape)[asked] for axis in (down[:, None], right))

    def evidence(self, alpha: Plane) -> Plane:
        """Log odds of each asked pixel, in order of rows, being character, by how often its colour is in and outside.

        alpha: (H, W) in [0, 1], 1 = character; what is sure in it is counted.
        """
        odds = np.log(self._seen(alpha > 1 - SURE) / self._seen(alpha < SURE))
        table = np.clip(odds, -LIMIT, LIMIT).ravel()
        below = self._corner + self._shape[1] * SHADES**3
        return self._across(table, self._corner) * (1 - self._down) + self._across(table, below) * self._down

    def _seen(self, sure: NDArray[np.bool_]) -> NDArray[np.float32]:
        index = self._counted[sure[::2, ::2]]
        count = np.bincount(index, minlength=prod(self._shape)).astype(np.float32).reshape(self._shape)
        for axis, blur in enumerate(self._blurs):  # as matrices, so that nothing is moved in memory
            before, size = prod(self._shape[:axis]), self._shape[axis]
            last = axis == len(self._blurs) - 1  # where many small products would be as slow as all the rest
            count = count.reshape(-1, size) @ blur.T if last else blur @ count.reshape(before, size, -1)
        return count.reshape(self._shape) + np.float32(SEEN)

    def _across(self, table: Plane, corner: NDArray[np.intp]) -> Plane:
        return table[corner] * (1 - self._right) + table[corner + SHADES**3] * self._right


def histogram_bin(rgb: NDArray[np.uint8], steps: int) -> NDArray[np.int32]:
    """(H, W, 3) colours -> (H, W) the number of the nearest of steps³ shades."""
    level = np.rint(np.arange(256) * np.float32((steps - 1) / 255)).astype(np.int32)
    parts = [cv2.LUT(np.ascontiguousarray(rgb[..., i]), level * steps ** (2 - i)) for i in range(3)]
    return np.asarray(parts[0] + parts[1] + parts[2], np.int32)


def _blur(size: int, spread: float) -> NDArray[np.float32]:
    """A Gaussian over an axis, cut off at twice its spread, as a matrix."""
    apart = np.subtract.outer(np.arange(size), np.arange(size))
    reach = int(2 * spread + 0.5)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / spread) ** 2)
    weight = np.exp(-0.5 * (apart / spread) ** 2) * (np.abs(apart) <= reach)
    return np.asarray(weight / kernel.sum(), np.float32)
