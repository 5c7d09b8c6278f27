"""The part of a coded picture that is shown, where the container says so: Matroska's PixelCrop, MP4's clean aperture.

FFmpeg's demuxers know it, but PyAV does not hand it on.
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

MOST = 2**20  # bytes of Matroska that are looked at: tracks come before the pictures
LARGEST = 2**26  # bytes of an MP4's `moov`
SEGMENT, TRACKS, ENTRY, VIDEO = 0x18538067, 0x1654AE6B, 0xAE, 0xE0  # RFC 9559, 5.1
BOTTOM, TOP, LEFT, RIGHT = 0x54AA, 0x54BB, 0x54CC, 0x54DD
BOXES = (b"trak", b"mdia", b"minf", b"stbl", b"stsd")  # ISO/IEC 14496-12
ENTRY_BYTES = 78  # of a VisualSampleEntry before its boxes (12.1.3)


class Margins(NamedTuple):
    """Pixels, as coded, to leave out at each side."""

    top: int = 0
    bottom: int = 0
    left: int = 0
    right: int = 0


def read_margins(path: Path, container: str) -> Margins:
    """What the first video track leaves out; nothing where the file does not say. container: FFmpeg's name of it."""
    try:
        with path.open("rb") as file:
            if container.startswith("matroska"):
                return _matroska_margins(file.read(MOST))
            if container.startswith("mov"):
                return _mp4_margins(_movie(file))
    except (OSError, struct.error, IndexError, ZeroDivisionError):
        pass
    return Margins()


def _matroska_margins(data: bytes) -> Margins:
    inside = [data]
    for wanted in (SEGMENT, TRACKS, ENTRY, VIDEO):
        inside = [content for outer in inside for name, content in _elements(outer) if name == wanted]
    for video in inside[:1]:
        found = {name: int.from_bytes(content, "big") for name, content in _elements(video)}
        return Margins(*(found.get(name, 0) for name in (TOP, BOTTOM, LEFT, RIGHT)))
    return Margins()


def _elements(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Names and contents of EBML elements (RFC 8794); one of unknown length goes to the end."""
    place = 0
    while place + 2 <= len(data):
        width = 9 - data[place].bit_length()
        name = int.from_bytes(data[place : place + width], "big")
        place += width
        width = 9 - data[place].bit_length()
        length = int.from_bytes(data[place : place + width], "big") & ((1 << 7 * width) - 1)
        place += width
        if length == (1 << 7 * width) - 1:
            length = len(data) - place
        yield name, data[place : place + length]
        place += length


def _movie(file: BinaryIO) -> bytes:
    """The content of an MP4's `moov` box, wherever in the file it lies."""
    while len(head := file.read(8)) == 8:
        length, name = struct.unpack(">I4s", head)
        rest = length - 8
        if length == 1:
            rest = struct.unpack(">Q", file.read(8))[0] - 16
        if name == b"moov":
            return file.read(min(rest, LARGEST)) if length else file.read(LARGEST)
        if length == 0 or rest < 0:
            break
        file.seek(rest, 1)
    return b""


def _mp4_margins(movie: bytes) -> Margins:
    inside = [movie]
    for wanted in BOXES:
        inside = [content for outer in inside for name, content in _boxes(outer) if name == wanted]
    for description in inside:
        for _, entry in _boxes(description[8:]):
            apertures = [content for name, content in _boxes(entry[ENTRY_BYTES:]) if name == b"clap"]
            if apertures:
                width, height = struct.unpack(">HH", entry[24:28])
                return _aperture(width, height, apertures[0])
    return Margins()


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    place = 0
    while place + 8 <= len(data):
        length, name = struct.unpack(">I4s", data[place : place + 8])
        if length < 8:
            return
        yield name, data[place + 8 : place + length]
        place += length


def _aperture(width: int, height: int, clap: bytes) -> Margins:
    """Margins of a clean aperture: its size, and how far its middle lies from the picture's (12.1.4)."""
    values = struct.unpack(">IIIIiIiI", clap[:32])
    wide, high, right, down = (values[i] / values[i + 1] for i in range(0, 8, 2))
    left, top = round((width - wide) / 2 + right), round((height - high) / 2 + down)
    return Margins(top, height - round(high) - top, left, width - round(wide) - left)
