"""Margins that a container says are not shown, written into made files by hand."""

import struct
from pathlib import Path

import numpy as np
import pytest

from animecut.video.crop import Margins, read_margins
from animecut.video.reader import describe, read_clips
from tests.clips_made import Picture, write_video

WIDTH, HEIGHT = 96, 64
TOP, BOTTOM, LEFT, RIGHT = 8, 16, 4, 12


def barred() -> Picture:
    """Red inside of black bars."""
    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    picture[TOP : HEIGHT - BOTTOM, LEFT : WIDTH - RIGHT] = 200, 40, 40
    return picture


def cropped_mp4(path: Path) -> Path:
    """A clip whose sample entry has a clean aperture; parents grow, and nothing after `moov` has a place to keep."""
    data = bytearray(write_video(path, [barred()] * 3).read_bytes())
    wide, high = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
    clap = struct.pack(">I4sIIIIiIiI", 40, b"clap", wide, 1, high, 1, LEFT - RIGHT, 2, TOP - BOTTOM, 2)
    place = 0
    for name in (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", b"avc1"):
        place = data.index(name, place) - 4
        length = struct.unpack_from(">I", data, place)[0]
        struct.pack_into(">I", data, place, length + len(clap))
        end, place = place + length, place + 8
    data[end:end] = clap
    path.write_bytes(data)
    return path


def cropped_mkv(path: Path) -> Path:
    """A clip whose video track has PixelCrop elements; it is never sought in, as places behind them move."""
    data = bytearray(write_video(path, [barred()] * 3, muxing={"write_crc32": "0"}).read_bytes())
    margins = {0x54BB: TOP, 0x54AA: BOTTOM, 0x54CC: LEFT, 0x54DD: RIGHT}
    crop = b"".join(struct.pack(">HBB", name, 0x81, value) for name, value in margins.items())
    place = 0
    tracks = data.rindex(b"\x16\x54\xae\x6b")  # not where the index names it
    for name, begin in ((b"\x18\x53\x80\x67", 0), (b"\x16\x54\xae\x6b", tracks), (b"\xae", 0), (b"\xe0", 0)):
        place = data.index(name, max(place, begin)) + len(name)
        width = 9 - data[place].bit_length()
        length = int.from_bytes(data[place : place + width], "big") + len(crop)
        data[place : place + width] = length.to_bytes(width, "big")
        place += width
    data[place:place] = crop
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv"])
def test_only_what_lies_within_the_margins_is_shown(tmp_path: Path, suffix: str) -> None:
    path = (cropped_mkv if suffix == "mkv" else cropped_mp4)(tmp_path / f"clip.{suffix}")
    about = describe(path)
    assert (about.width, about.height) == (WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM)
    pixels = np.concatenate([clip.pixels for clip in read_clips(path)])
    assert pixels.shape[:3] == (3, about.height, about.width)
    assert pixels[..., 0].min() > 100  # no bar is left, but for the blur of its chroma


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "webm", "ts"])
def test_a_file_that_says_nothing_has_no_margins(tmp_path: Path, suffix: str) -> None:
    codec = "libvpx-vp9" if suffix == "webm" else "libx264"
    path = write_video(tmp_path / f"clip.{suffix}", [barred()] * 2, codec=codec)
    kind = {"mp4": "mov,mp4", "ts": "mpegts"}.get(suffix, "matroska,webm")
    assert read_margins(path, kind) == Margins()


def test_damaged_headers_have_no_margins(tmp_path: Path) -> None:
    whole = cropped_mp4(tmp_path / "clip.mp4").read_bytes(), cropped_mkv(tmp_path / "clip.mkv").read_bytes()
    rng = np.random.default_rng(1)
    for content, kind in zip(whole, ("mov", "matroska"), strict=True):
        for _ in range(200):
            damaged = np.frombuffer(content, np.uint8).copy()
            damaged[rng.integers(0, len(damaged), 40)] = rng.integers(0, 256, 40)
            (tmp_path / "damaged").write_bytes(damaged[: rng.integers(1, len(damaged))].tobytes())
            read_margins(tmp_path / "damaged", kind)  # raises nothing
