"""Animated WebP put together from stills.

Pillow compresses every picture by itself and we write the container, because Pillow and FFmpeg hold a whole animation
in memory, and because libwebp's own animation encoder (as of 1.6) lays a half transparent pixel over itself where two
pictures hardly differ: a held edge becomes up to 64 levels more opaque. Only the rectangle that changed is kept of a
picture; it overwrites the one before it, so alpha is exact.
"""

import struct
from collections.abc import Iterable
from errno import EFBIG
from functools import partial
from io import BytesIO
from typing import BinaryIO

from PIL import Image

from animecut._util.concurrency import parallel_map
from animecut.encode.changes import Change, changed_rectangles, peek
from animecut.encode.timing import Timed

EFFORT = 3  # libwebp's 0..6; 4 takes an eighth longer for no fewer bytes, 6 eighty times as long for 2 % fewer
LARGEST_RIFF = 2**32 - 2  # bytes


def write_webp(file: BinaryIO, pictures: Iterable[Timed], *, loop: int, quality: int) -> None:
    """Lossy colour and exact alpha; ticks of 1 ms. A single picture becomes a still.

    file: empty and seekable. loop: how often to play, 0 for ever. quality: 1..100.
    Container: https://developers.google.com/speed/webp/docs/riff_container
    """
    pictures, first, only = peek(pictures)
    if only:
        Image.fromarray(first).save(file, "WEBP", quality=quality, method=EFFORT)
        return
    height, width = first.shape[:2]
    file.write(b"RIFF\0\0\0\0WEBP")
    has_alpha, is_animation = 0x10, 0x02
    _riff(file, b"VP8X", struct.pack("<I", has_alpha | is_animation) + _uint24(width - 1, height - 1))
    _riff(file, b"ANIM", struct.pack("<IH", 0, loop))
    for frame in parallel_map(partial(_frame, quality=quality), changed_rectangles(pictures, grid=2)):
        _riff(file, b"ANMF", frame)
        if file.tell() > LARGEST_RIFF:
            raise OSError(EFBIG, "a WebP holds no more than 4 GB")
    size = file.tell()
    file.seek(4)
    file.write(struct.pack("<I", size - 8))


def _frame(change: Change, quality: int) -> bytes:
    (left, top, right, bottom), picture, ticks = change
    still = BytesIO()
    Image.fromarray(picture[top:bottom, left:right]).save(still, "WEBP", quality=quality, method=EFFORT)
    place = _uint24(left // 2, top // 2, right - left - 1, bottom - top - 1, ticks)
    overwrite = b"\x02"
    return place + overwrite + _image_chunks(still.getvalue())


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
