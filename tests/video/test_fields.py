"""Moving pictures are woven into fields by hand, so that every whole picture is known."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from animecut.video.drawings import merge_held_frames
from animecut.video.fields import deinterlaced
from animecut.video.reader import read_clips
from tests.clips_made import write_video

Gray = NDArray[np.uint8]
HEIGHT, WIDTH = 144, 256
TICK = Fraction(1001, 30000)


def moment(x: int) -> Gray:
    """(H, W) uint8: a blot with an ink line at x, over a soft ground."""
    picture = np.full((HEIGHT, WIDTH), 90, np.uint8)
    picture += np.linspace(0, 60, WIDTH).astype(np.uint8)
    cv2.circle(picture, (x, 70), 34, 230, -1)
    cv2.circle(picture, (x, 70), 34, 20, 4)
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), 1.2), np.uint8)


def woven(first: Gray, second: Gray, *, top_first: bool = True) -> Gray:
    """A frame whose one field is of the first moment, the other of the second."""
    even, odd = (first, second) if top_first else (second, first)
    frame = even.copy()
    frame[1::2] = odd[1::2]
    return frame


def telecined(moments: list[Gray], *, top_first: bool = True) -> list[Gray]:
    """2:3 pulldown: of four pictures ten fields, five frames."""
    fields = [picture for i, picture in enumerate(moments) for _ in range(2 + i % 2)]
    return [woven(*pair, top_first=top_first) for pair in zip(fields[::2], fields[1::2], strict=False)]


def stream(pictures: list[Gray], pixels: str = "yuv420p") -> Iterator[tuple[int, av.VideoFrame]]:
    """As a decoder gives them, by their ticks; nothing in them says that they are interlaced."""
    for tick, picture in enumerate(pictures):
        frame = av.VideoFrame(WIDTH, HEIGHT, pixels)
        for plane, values in zip(frame.planes, (picture, 128, 128), strict=True):
            deep = "10" in pixels
            whole = np.broadcast_to(np.asarray(values, np.uint16), (plane.height, plane.width))
            line = np.zeros((plane.height, plane.line_size // (2 if deep else 1)), np.uint16)
            line[:, : plane.width] = whole << (2 if deep else 0)
            plane.update(line.astype("<u2" if deep else np.uint8).tobytes())
        yield tick + 100, frame


def luma(frame: av.VideoFrame) -> Gray:
    """(H, W) uint8."""
    deep, plane = frame.format.components[0].bits > 8, frame.planes[0]
    values = np.frombuffer(memoryview(plane), np.uint16 if deep else np.uint8).astype(np.uint16)
    return np.asarray(values.reshape(plane.height, -1)[:, : plane.width] >> (2 if deep else 0), np.uint8)


def combed(picture: Gray) -> int:
    """Pixels that differ from both neighbours, above and below, which are alike."""
    up, here, down = (picture[rows].astype(int) for rows in (slice(0, -2), slice(1, -1), slice(2, None)))
    return int(((abs(up - down) < 12) & (np.minimum(abs(here - up), abs(here - down)) > 20)).sum())


@pytest.mark.parametrize("top_first", [True, False])
def test_pulldown_is_undone_so_that_held_pictures_are_equal_again(top_first: bool) -> None:
    moments = [moment(40 + 9 * i) for i in range(16)]
    frames = telecined(moments, top_first=top_first)
    assert max(map(combed, frames)) > 300
    given = list(deinterlaced(stream(frames), TICK))
    assert [tick for tick, _ in given] == list(range(100, 100 + len(frames)))
    pictures = [luma(frame) for _, frame in given]
    every = np.stack(moments).astype(int)
    nearest = [int(np.abs(every - picture).mean(axis=(1, 2)).argmin()) for picture in pictures]
    assert nearest == sorted(nearest)
    assert set(nearest) == set(range(16))
    # The first combed one tells that there are fields.
    for picture, index in list(zip(pictures, nearest, strict=True))[3:-1]:
        assert np.abs(picture.astype(int) - moments[index]).max() <= 2


@pytest.mark.parametrize("pixels", ["yuv420p", "yuv420p10le"])
def test_what_was_filmed_in_fields_has_no_combs(pixels: str) -> None:
    frames = [woven(moment(40 + 8 * i), moment(44 + 8 * i)) for i in range(16)]
    given = list(deinterlaced(stream(frames, pixels), TICK))
    assert len(given) == len(frames)
    assert min(map(combed, frames)) > 300
    assert max(combed(luma(frame)) for _, frame in given[1:]) < 30
    assert all(np.abs(luma(a).astype(int) - luma(b)).max() > 50 for (_, a), (_, b) in pairwise(given))


def test_what_is_progressive_is_passed_on_untouched() -> None:
    stripes = np.tile(np.array([[40], [200]], np.uint8), (HEIGHT // 2, WIDTH))  # combs that do not move
    for pictures in ([moment(40 + 9 * i) for i in range(8)], [stripes] * 4):
        frames = list(stream(pictures))
        assert [id(frame) for _, frame in deinterlaced(frames, TICK)] == [id(frame) for _, frame in frames]


@pytest.mark.parametrize("suffix", ["mpg", "ts"])
def test_a_telecined_broadcast_is_read_without_combs(tmp_path: Path, suffix: str) -> None:
    moments = [moment(60 + 8 * i) for i in range(16)]
    frames = [frame for _, frame in stream(telecined(moments))]
    options = {"flags": "+ildct+ilme", "b": "8M"}
    path = write_video(tmp_path / f"clip.{suffix}", frames, tick=TICK, codec="mpeg2video", options=options)
    clips = list(read_clips(path, chunk=1))
    assert [float(clip.times[0]) for clip in clips] == pytest.approx([i * float(TICK) for i in range(20)], abs=0.001)
    right = combed(moments[0])
    assert max(combed(clip.pixels[0].mean(axis=2).astype(np.uint8)) for clip in clips) <= right + 20
    assert sum(1 for _ in merge_held_frames(clips)) == 16
