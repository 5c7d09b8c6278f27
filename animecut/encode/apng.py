"""APNG put together from stills, without any loss; Pillow would hold the whole animation in memory.

Only the rectangle that changed is kept of a picture; it overwrites the one before it, so alpha is exact.
"""

import struct
import zlib
from collections.abc import Callable, Iterable, Iterator
from io import BytesIO
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from animecut.encode.changes import changed_rectangles, peek
from animecut.encode.timing import Picture, Timed, pixel_words

PALETTE = 256  # colours that a PNG can have where pixels are indices of them
FLAT = 4097  # colours, clear among them, up to which unfiltered rows are smaller: by 12 to 37 % on real clips
SIGNATURE = b"\x89PNG\r\n\x1a\n"


def write_apng(file: BinaryIO, pictures: Callable[[], Iterable[Timed]], *, loop: int) -> None:
    """Without any loss; ticks of 1 ms. A single picture becomes a plain PNG.

    Where all pictures together have 256 colours or fewer they are stored as indices of them, in half the bytes.

    file: empty and seekable. pictures: called twice. loop: how often to play, 0 for ever.
    Container: https://www.w3.org/TR/png-3/
    """
    seen = _few_colours(pictures())
    palette = seen if seen is not None and len(seen) <= PALETTE else None
    all_pictures, first, only = peek(pictures())
    height, width = first.shape[:2]
    kind = b"\x08\x06" if palette is None else b"\x08\x03"  # 8 bits; RGBA or indices
    file.write(SIGNATURE)
    _chunk(file, b"IHDR", struct.pack(">II", width, height) + kind + b"\0\0\0")
    control = file.tell()
    if not only:
        _chunk(file, b"acTL", struct.pack(">II", 0, loop))
    if palette is not None:
        colours = palette.view(np.uint8).reshape(-1, 4)
        _chunk(file, b"PLTE", colours[:, :3].tobytes())
        some = max(1, int((colours[:, 3] < 255).sum()))  # said even where all is opaque: readers ask for it
        _chunk(file, b"tRNS", colours[:some, 3].tobytes())
    count = sequence = 0
    for (left, top, right, bottom), picture, ticks in changed_rectangles(all_pictures):
        if not only:
            where = struct.pack(">5I", sequence, right - left, bottom - top, left, top)
            keep_it, overwrite = 0, 0
            _chunk(file, b"fcTL", where + struct.pack(">HHBB", ticks, 1000, keep_it, overwrite))
        data = _deflated(picture[top:bottom, left:right], palette, flat=seen is not None)
        if count == 0:
            _chunk(file, b"IDAT", data)
            sequence = 1
        else:
            _chunk(file, b"fdAT", struct.pack(">I", sequence + 1) + data)
            sequence += 2
        count += 1
    _chunk(file, b"IEND", b"")
    if not only:
        file.seek(control)
        _chunk(file, b"acTL", struct.pack(">II", count, loop))


def _chunk(file: BinaryIO, name: bytes, data: bytes) -> None:
    file.write(struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)))


def _few_colours(pictures: Iterable[Timed]) -> NDArray[np.uint32] | None:
    """Every colour as a word whose highest byte is alpha, sorted: opaque ones last. None where they are too many."""
    seen = np.empty(0, np.uint32)
    for picture, _ in pictures:
        seen = np.union1d(seen, pixel_words(picture))
        if len(seen) > FLAT:
            return None
    return seen


def _deflated(picture: Picture, palette: NDArray[np.uint32] | None, *, flat: bool) -> bytes:
    """A PNG's image data. Filters help where colours are many; few repeat, and are found again only as they are."""
    if flat:
        rows = picture if palette is None else np.searchsorted(palette, pixel_words(picture)).astype(np.uint8)
        unfiltered = np.pad(rows.reshape(len(rows), -1), ((0, 0), (1, 0)))
        return zlib.compress(unfiltered.tobytes(), zlib.Z_BEST_COMPRESSION)
    still = BytesIO()
    Image.fromarray(picture).save(still, "PNG")
    return b"".join(_image_data(still.getvalue()))


def _image_data(png: bytes) -> Iterator[bytes]:
    """The data of a PNG's IDAT chunks."""
    at = len(SIGNATURE)
    while at < len(png):
        (length,) = struct.unpack_from(">I", png, at)
        if png[at + 4 : at + 8] == b"IDAT":
            yield png[at + 8 : at + 8 + length]
        at += 12 + length
