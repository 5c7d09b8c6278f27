"""GIF: one palette for all pictures, made from what is visible alone; pictures as differences.

Pillow compresses; header, palette and what is drawn over what are ours, because neither Pillow nor FFmpeg leaves
unchanged pixels out of a picture that also has transparent ones.
"""

import struct
from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import GifImagePlugin, Image

from animecut.encode.changes import bounding_rectangle
from animecut.encode.palette import k_means, nearest_index
from animecut.encode.timing import Picture, Timed

Palette = NDArray[np.uint8]
"""(K, 3) RGB, K <= 255."""

CLEAR = 255  # index of the transparent colour
CELL = 2  # low bits that are dropped where colours are counted for the palette: cells of 4 levels
FAVOUR = 0.75  # power of a colour's area that it weighs with: small eyes keep theirs, flat cels stay flat
KEEP, WIPE = 1, 2  # what happens to a picture's rectangle when its time is over


def write_gif(file: BinaryIO, pictures: Callable[[], Iterable[Timed]], *, loop: int, colours: int) -> None:
    """Ticks of 1/100 s; alpha from 128 up is opaque. Nothing is dithered: cels are flat.

    file: empty. pictures: called twice. loop: how often to play, 0 for ever. colours: 1..255 besides transparent.
    """
    counts: NDArray[np.uint32] = np.zeros(1 << 24, np.uint32)
    size = (0, 0)
    for picture, _ in pictures():
        keys, times = np.unique(_keys(picture)[picture[..., 3] >= 128], return_counts=True)
        counts[keys] += times.astype(np.uint32)
        size = picture.shape[:2]
    seen = np.flatnonzero(counts)
    palette = _palette(_colours(seen), counts[seen], colours)
    indices = np.zeros(len(counts), np.uint8)
    indices[seen] = nearest_index(_colours(seen), palette.astype(np.float32))
    file.write(_header(size, palette, loop))
    indexed = ((np.where(p[..., 3] >= 128, indices[_keys(p)], CLEAR).astype(np.uint8), t) for p, t in pictures())
    for block in _blocks(indexed, size):
        file.write(block)
    file.write(b";")


def _header(size: tuple[int, int], palette: Palette, loop: int) -> bytes:
    table = bytes(palette.tobytes()).ljust(768, b"\0")
    has_table_of_256 = 0xF7
    header = b"GIF89a" + struct.pack("<HHBBB", size[1], size[0], has_table_of_256, CLEAR, 0) + table
    if loop == 1:  # without the extension it plays once; with it, once more than it says
        return header
    return header + b"!\xff\x0bNETSCAPE2.0\x03\x01" + struct.pack("<H", max(0, loop - 1)) + b"\0"


def _blocks(pictures: Iterable[tuple[NDArray[np.uint8], int]], size: tuple[int, int]) -> Iterator[bytes]:
    """Each picture's block: what has to be drawn over what is there, wiped if the next one needs to see through it."""
    ahead = iter(pictures)
    there = np.full(size, CLEAR, np.uint8)
    current = next(ahead, None)
    while current:
        (wanted, ticks), following = current, next(ahead, None)
        draw = (wanted != there) & (wanted != CLEAR)
        wipe = (wanted != CLEAR) & (following[0] == CLEAR) if following else np.zeros_like(draw)
        left, top, right, bottom = bounding_rectangle(draw | wipe)
        rectangle = slice(top, bottom), slice(left, right)
        image = Image.fromarray(np.where(draw, wanted, CLEAR)[rectangle])
        image.putpalette(bytes(768))  # none is written with it; Pillow wants one
        after = WIPE if wipe.any() else KEEP
        yield from GifImagePlugin.getdata(
            image, (left, top), duration=ticks * 10, disposal=after, transparency=CLEAR, interlace=0
        )
        there = wanted.copy()
        if after == WIPE:
            there[rectangle] = CLEAR
        current = following


def _keys(picture: Picture) -> NDArray[np.uint32]:
    """(H, W) 0xRRGGBB."""
    red, green, blue = (picture[..., i].astype(np.uint32) for i in range(3))
    return np.asarray(red << 16 | green << 8 | blue)


def _colours(keys: NDArray[np.intp]) -> NDArray[np.float32]:
    return np.stack([keys >> 16, keys >> 8 & 255, keys & 255], axis=1).astype(np.float32)


def _palette(colours: NDArray[np.float32], counts: NDArray[np.uint32], size: int) -> Palette:
    """At most `size` colours for (N, 3) colours of `counts` pixels each, which are taken together in cells."""
    if len(colours) <= size:
        return np.asarray(colours.reshape(-1, 3), dtype=np.uint8)
    whole = colours.astype(np.int64) >> CELL
    _, cell = np.unique(whole[:, 0] << 16 | whole[:, 1] << 8 | whole[:, 2], return_inverse=True)
    area = np.bincount(cell, counts).astype(np.float64)
    means = np.stack([np.bincount(cell, counts * channel) / area for channel in colours.T], axis=1)
    return np.asarray(np.rint(k_means(means.astype(np.float32), area**FAVOUR, size)), dtype=np.uint8)
