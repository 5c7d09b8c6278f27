"""Animated AVIF by Pillow: lossy colour, exact alpha, two thirds of a WebP's bytes at the same error.

Pillow wants a list of images; it gets one image that reads the next picture when asked, so that memory does not grow.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO

import numpy as np
from PIL import Image

from animecut.encode.timing import Picture, Timed, fill_transparent

SPEED = 7  # libaom's 0..10; 6 takes twice as long for 4 % fewer bytes, 8 needs 3 % more
LIKE_WEBP = (75, 90)  # libavif's quality that has as much error as WebP has at the other one
STEP = 5 / 3  # libavif's quality for each of WebP's


def write_avif(file: BinaryIO, pictures: Callable[[], Iterable[Timed]], *, quality: int) -> None:
    """Ticks of 1 ms. A single picture becomes a still. An animation plays for ever.

    file: empty. pictures: called twice. quality: 1..100, with about the error that WebP has there.
    """
    ticks = [ticks for _, ticks in pictures()]
    source = iter(pictures())
    first, _ = next(source)
    Image.fromarray(fill_transparent(first)).save(
        file, "AVIF", save_all=len(ticks) > 1, append_images=[_Sequence(source, first)], duration=ticks,
        quality=int(np.clip(round(LIKE_WEBP[0] + (quality - LIKE_WEBP[1]) * STEP), 1, 100)),
        subsampling="4:4:4",  # a thin ink line keeps its colour
        speed=SPEED, advanced={"a:lossless": "1"},
    )  # fmt: skip


class _Sequence:
    """What Pillow needs to know of an image of several pictures, which are gone through once."""

    mode = "RGBA"

    def __init__(self, source: Iterator[Timed], first: Picture) -> None:
        self._source = source
        self.size = (first.shape[1], first.shape[0])

    def seek(self, _: int) -> None:
        """Go to the next picture. Raises EOFError where there is none."""
        following = next(self._source, None)
        if following is None:
            raise EOFError
        self._picture = fill_transparent(following[0])

    def tobytes(self, *_: str) -> bytes:
        """Of the picture, RGBA."""
        return self._picture.tobytes()
