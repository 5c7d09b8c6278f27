"""WebP and APNG put together from stills.

Pillow compresses every picture by itself and we write the containers, because Pillow and FFmpeg hold a whole animation
in memory, and because libwebp's own animation encoder (as of 1.6) lays a half transparent pixel over itself where two
pictures hardly differ: a held edge becomes up to 64 levels more opaque. Only the rectangle that changed is kept of a
picture; it overwrites the one before it, so alpha is exact.
"""

import struct
import zlib
from collections.abc import Callable, Iterable, Iterator
from errno import EFBIG
from functools import partial
from io import BytesIO
from itertools import chain, islice
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from animecut._util.concurrency import parallel_map
from animecut._util.masks import bounding_window
from animecut.encode.timing import Picture, Timed, pixel_words

Rectangle = tuple[int, int, int, int]
"""left, top, right, bottom in pixels, right and bottom exclusive."""

Change = tuple[Rectangle, Picture, int]
"""Where a picture differs from the one before, the whole picture, and its ticks."""

WEBP_EFFORT = 3  # libwebp's 0..6; 4 takes an eighth longer for no fewer bytes, 6 eighty times as long for 2 % fewer
LARGEST_RIFF = 2**32 - 2  # bytes
PALETTE = 256  # colours that a PNG can have where pixels are indices of them
FLAT = 2048  # colours up to which unfiltered rows are the smaller ones
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def write_webp(file: BinaryIO, pictures: Iterable[Timed], *, loop: int, quality: int) -> None:
    """Lossy colour and exact alpha; ticks of 1 ms. A single picture becomes a still.

    file: empty and seekable. loop: how often to play, 0 for ever. quality: 1..100.
    Container: https://developers.google.com/speed/webp/docs/riff_container
    """
    pictures, first, only = _first(pictures)
    if only:
        Image.fromarray(first).save(file, "WEBP", quality=quality, method=WEBP_EFFORT)
        return
    height, width = first.shape[:2]
    file.write(b"RIFF\0\0\0\0WEBP")
    has_alpha, is_animation = 0x10, 0x02
    _riff(file, b"VP8X", struct.pack("<I", has_alpha | is_animation) + _uint24(width - 1, height - 1))
    _riff(file, b"ANIM", struct.pack("<IH", 0, loop))
    for frame in parallel_map(partial(_webp_frame, quality=quality), changed_rectangles(pictures, grid=2)):
        _riff(file, b"ANMF", frame)
        if file.tell() > LARGEST_RIFF:
            raise OSError(EFBIG, "a WebP holds no more than 4 GB")
    size = file.tell()
    file.seek(4)
    file.write(struct.pack("<I", size - 8))


def _webp_frame(change: Change, quality: int) -> bytes:
    (left, top, right, bottom), picture, ticks = change
    still = BytesIO()
    Image.fromarray(picture[top:bottom, left:right]).save(still, "WEBP", quality=quality, method=WEBP_EFFORT)
    place = _uint24(left // 2, top // 2, right - left - 1, bottom - top - 1, ticks)
    overwrite = b"\x02"
    return place + overwrite + _image_chunks(still.getvalue())


def write_apng(file: BinaryIO, pictures: Callable[[], Iterable[Timed]], *, loop: int) -> None:
    """Without any loss; ticks of 1 ms. A single picture becomes a plain PNG.

    Where all pictures together have 256 colours or fewer they are stored as indices of them, in half the bytes.

    file: empty and seekable. pictures: called twice. loop: how often to play, 0 for ever.
    Container: https://www.w3.org/TR/png-3/
    """
    seen = _few_colours(pictures())
    palette = seen if seen is not None and len(seen) <= PALETTE else None
    all_pictures, first, only = _first(pictures())
    height, width = first.shape[:2]
    kind = b"\x08\x06" if palette is None else b"\x08\x03"  # 8 bits; RGBA or indices
    file.write(PNG_SIGNATURE)
    _png_chunk(file, b"IHDR", struct.pack(">II", width, height) + kind + b"\0\0\0")
    control = file.tell()
    if not only:
        _png_chunk(file, b"acTL", struct.pack(">II", 0, loop))
    if palette is not None:
        colours = palette.view(np.uint8).reshape(-1, 4)
        _png_chunk(file, b"PLTE", colours[:, :3].tobytes())
        some = max(1, int((colours[:, 3] < 255).sum()))  # said even where all is opaque: readers ask for it
        _png_chunk(file, b"tRNS", colours[:some, 3].tobytes())
    count = sequence = 0
    for (left, top, right, bottom), picture, ticks in changed_rectangles(all_pictures):
        if not only:
            where = struct.pack(">5I", sequence, right - left, bottom - top, left, top)
            keep_it, overwrite = 0, 0
            _png_chunk(file, b"fcTL", where + struct.pack(">HHBB", ticks, 1000, keep_it, overwrite))
        data = _deflated(picture[top:bottom, left:right], palette, flat=seen is not None)
        if count == 0:
            _png_chunk(file, b"IDAT", data)
            sequence = 1
        else:
            _png_chunk(file, b"fdAT", struct.pack(">I", sequence + 1) + data)
            sequence += 2
        count += 1
    _png_chunk(file, b"IEND", b"")
    if not only:
        file.seek(control)
        _png_chunk(file, b"acTL", struct.pack(">II", count, loop))


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


def _first(pictures: Iterable[Timed]) -> tuple[Iterator[Timed], Picture, bool]:
    """All pictures again, the first one, and whether it is the only one."""
    rest = iter(pictures)
    start = list(islice(rest, 2))
    return chain(start, rest), start[0][0], len(start) == 1


def _uint24(*values: int) -> bytes:
    return b"".join(struct.pack("<I", value)[:3] for value in values)


def _riff(file: BinaryIO, name: bytes, data: bytes) -> None:
    file.write(name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2))


def _image_chunks(webp: bytes) -> bytes:
    """Of a still WebP's chunks those that hold the picture, as they are."""
    kept, at = b"", 12
    while at < len(webp):
        (length,) = struct.unpack_from("<I", webp, at + 4)
        end = at + 8 + length + length % 2
        if webp[at : at + 4] in (b"ALPH", b"VP8 ", b"VP8L"):
            kept += webp[at:end]
        at = end
    return kept


def _png_chunk(file: BinaryIO, name: bytes, data: bytes) -> None:
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
    at = len(PNG_SIGNATURE)
    while at < len(png):
        (length,) = struct.unpack_from(">I", png, at)
        if png[at + 4 : at + 8] == b"IDAT":
            yield png[at + 8 : at + 8 + length]
        at += 12 + length
