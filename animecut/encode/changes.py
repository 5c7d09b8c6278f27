"""Where a picture differs from the one before it: only that rectangle has to be written."""

from collections.abc import Iterable, Iterator
from itertools import chain, islice

import numpy as np
from numpy.typing import NDArray

from animecut._util.masks import bounding_window
from animecut.encode.timing import Picture, Timed, pixel_words

Rectangle = tuple[int, int, int, int]
"""left, top, right, bottom in pixels, right and bottom exclusive."""

Change = tuple[Rectangle, Picture, int]
"""Where a picture differs from the one before, the whole picture, and its ticks."""


def changed_rectangles(pictures: Iterable[Timed], grid: int = 1) -> Iterator[Change]:
    """Each picture with the rectangle in which it differs from the one before: the first whole, an equal one a corner.

    Left and top are multiples of grid.
    """
    before = None
    for picture, ticks in pictures:
        height, width = picture.shape[:2]
        area = (
            (0, 0, width, height) if before is None else bounding_rectangle(pixel_words(picture) != pixel_words(before))
        )
        yield (area[0] // grid * grid, area[1] // grid * grid, area[2], area[3]), picture, ticks
        before = picture


def bounding_rectangle(mask: NDArray[np.bool_]) -> Rectangle:
    """The smallest rectangle around what is true in an (H, W) mask; the first pixel where nothing is."""
    rows, columns = bounding_window(mask)
    return (columns.start, rows.start, columns.stop, rows.stop) if rows.stop else (0, 0, 1, 1)


def peek(pictures: Iterable[Timed]) -> tuple[Iterator[Timed], Picture, bool]:
    """All pictures again, the first one, and whether it is the only one."""
    rest = iter(pictures)
    start = list(islice(rest, 2))
    return chain(start, rest), start[0][0], len(start) == 1
