import gc
import io
import os
import struct
import zlib
from collections.abc import Iterable
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import av
import numpy as np
import pytest
from PIL import Image

from animecut.errors import InputError, SettingsError
from animecut.types import Clip
from animecut.video.images import STILL_SECONDS
from animecut.video.reader import SourceInfo, describe, read_clips
from tests.clips_made import Picture, flat_yuv, number_in, numbered, write_video

CLIPS = Path(__file__).parents[3] / "shared" / "data" / "clips"
B_FRAMES = {"x264-params": "bframes=3:b-adapt=0:keyint=12:scenecut=0:open-gop=1"}
BT601, BT709 = (0.299, 0.114), (0.2126, 0.0722)


def shown(clips: Iterable[Clip]) -> tuple[list[int], list[float]]:
    """Numbers of the pictures, and the fence posts of all clips; checks that clips follow on each other."""
    runs = list(clips)
    assert all(a.times[-1] == b.times[0] for a, b in pairwise(runs))
    numbers = [number_in(picture) for clip in runs for picture in clip.pixels]
    return numbers, [float(runs[0].times[0]), *(float(time) for clip in runs for time in clip.times[1:])]


def only(path: Path) -> Picture:
    """The first picture of a file."""
    return cast(Picture, next(read_clips(path)).pixels[0])


def patches(picture: Picture) -> Picture:
    """Colours of the four quarters, each in its middle: upper left, upper right, lower left, lower right."""
    height, width = picture.shape[:2]
    rows, columns = np.array([1, 1, 3, 3]) * height // 4, np.array([1, 3, 1, 3]) * width // 4
    return cast(Picture, picture[rows, columns])


def quarters(width: int = 64, height: int = 48) -> Picture:
    """RGBA: opaque red, half-clear green, wholly clear, opaque blue."""
    picture = np.zeros((height, width, 4), np.uint8)
    h, w = height // 2, width // 2
    picture[:h, :w] = 200, 30, 30, 255
    picture[:h, w:] = 40, 180, 60, 128
    picture[h:, w:] = 30, 60, 200, 255
    return picture


# Time


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv", "ts", "avi", "flv", "nut", "h264"])
def test_every_picture_once_and_in_order_whatever_the_container(tmp_path: Path, suffix: str) -> None:
    path = write_video(tmp_path / f"clip.{suffix}", map(numbered, range(40)), options=B_FRAMES)
    numbers, times = shown(read_clips(path, chunk=7))
    assert numbers == list(range(40))
    assert times == pytest.approx(np.arange(41) / 24, abs=0.0011)  # Matroska and Flash keep milliseconds


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts", "avi", "h264"])
@pytest.mark.parametrize("first", [1, 11, 12, 13, 25, 39])
def test_a_range_is_exact_wherever_the_key_frames_lie(tmp_path: Path, suffix: str, first: int) -> None:
    path = write_video(tmp_path / f"clip.{suffix}", map(numbered, range(40)), options=B_FRAMES)
    start, end = first / 24, min(40, first + 3) / 24
    numbers, times = shown(read_clips(path, start, end))
    assert numbers == list(range(first, min(40, first + 3)))
    assert times[0] == start
    assert times == pytest.approx(np.arange(first, first + len(times)) / 24, abs=0.0011)


def test_the_picture_on_screen_at_start_is_the_first_and_end_is_exclusive(tmp_path: Path) -> None:
    path = write_video(tmp_path / "clip.mp4", map(numbered, range(24)), options=B_FRAMES)
    assert shown(read_clips(path, 0.3, 0.4)) == ([7, 8, 9], [0.3, 8 / 24, 9 / 24, 0.4])
    assert shown(read_clips(path, 8 / 24, 10 / 24)) == ([8, 9], [8 / 24, 9 / 24, 10 / 24])
    assert shown(read_clips(path, 0.3, 0.305)) == ([7], [0.3, 0.305])
    assert shown(read_clips(path, end=0.05)) == ([0, 1], [0, 1 / 24, 0.05])
    assert shown(read_clips(path, 0.95, 99)) == ([22, 23], [0.95, 23 / 24, 1.0])


def test_a_time_typed_in_milliseconds_shows_no_sliver_of_a_neighbour(tmp_path: Path) -> None:
    path = write_video(tmp_path / "clip.mp4", map(numbered, range(24)))
    assert shown(read_clips(path, 0.333, 0.417))[0] == [8, 9]  # 8 / 24 = 0.3333..., 10 / 24 = 0.41666...
    assert shown(read_clips(path, 0.333, 0.417))[1] == [0.333, 9 / 24, 0.417]


def test_film_rate_does_not_drift(tmp_path: Path) -> None:
    tick = Fraction(1001, 24000)
    path = write_video(tmp_path / "clip.mp4", map(numbered, range(300)), tick=tick, options={"g": "250"})
    numbers, times = shown(read_clips(path))
    assert numbers == list(range(300))
    assert times == pytest.approx([float(i * tick) for i in range(301)], abs=1e-9)
    for first in (1, 99, 249, 250, 251, 298):
        start, end = float(first * tick), float((first + 1) * tick)
        assert shown(read_clips(path, start, end)) == ([first], [start, end])
    assert describe(path).frame_rate == 1 / tick


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_variable_rate_with_b_frames_keeps_each_pictures_own_time(tmp_path: Path, suffix: str) -> None:
    stamps = [0, 1, 3, 4, 9, 10, 16, 17, 18, 30, 31]
    path = write_video(tmp_path / f"clip.{suffix}", map(numbered, range(11)), stamps=stamps, options=B_FRAMES)
    numbers, times = shown(read_clips(path))
    assert numbers == list(range(11))
    assert times[:-1] == pytest.approx(np.array(stamps) / 24, abs=0.0006)
    assert times[-1] > times[-2]
    numbers, times = shown(read_clips(path, 5 / 24, 17.5 / 24))
    assert numbers == [3, 4, 5, 6, 7]
    assert times == pytest.approx(np.array([5, 9, 10, 16, 17, 17.5]) / 24, abs=0.0006)


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts", "nut"])
def test_time_zero_is_the_first_picture(tmp_path: Path, suffix: str) -> None:
    path = write_video(tmp_path / f"clip.{suffix}", map(numbered, range(20)), stamps=range(96, 116), options=B_FRAMES)
    numbers, times = shown(read_clips(path))
    assert numbers == list(range(20))
    assert times == pytest.approx(np.arange(21) / 24, abs=0.0011)
    assert shown(read_clips(path, 14 / 24, 15 / 24))[0] == [14]


def test_what_an_edit_list_cuts_away_is_not_shown(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    write_video(path, map(numbered, range(20)), stamps=range(-5, 15), muxing={"avoid_negative_ts": "disabled"})
    numbers, times = shown(read_clips(path))
    assert numbers == list(range(5, 20))
    assert times == pytest.approx(np.arange(16) / 24)
    assert shown(read_clips(path, 4 / 24, 6 / 24))[0] == [9, 10]


def test_seeking_far_into_a_clip_with_two_key_frames(tmp_path: Path) -> None:
    options = {"g": "600", "keyint_min": "600", "sc_threshold": "0", "bf": "2"}
    path = write_video(tmp_path / "clip.mp4", map(numbered, range(900)), options=options)
    for first in (597, 600, 899):
        numbers, times = shown(read_clips(path, first / 24 + 0.01, (first + 2) / 24))
        assert numbers == [first, first + 1][: 900 - first]
        assert times[0] == first / 24 + 0.01


def test_a_seek_that_lands_between_key_frames_shows_no_ruins(tmp_path: Path) -> None:
    options = {"bf": "2", "g": "48"}
    path = write_video(tmp_path / "clip.ts", map(numbered, range(400)), codec="mpeg4", options=options)
    for first in (286, 335):
        assert shown(read_clips(path, first / 24, (first + 2) / 24))[0] == [first, first + 1]


@pytest.mark.parametrize("suffix", ["mpg", "m2v"])
def test_a_range_of_mpeg_is_the_same_as_that_part_of_the_whole(tmp_path: Path, suffix: str) -> None:
    options = {"bf": "2", "g": "48"}
    path = write_video(tmp_path / f"clip.{suffix}", map(numbered, range(300)), codec="mpeg2video", options=options)
    numbers, times = shown(read_clips(path))
    assert len(numbers) >= 295  # the pack headers of a program stream misplace a picture now and then
    for first in (100, 250):
        assert shown(read_clips(path, times[first], times[first + 3]))[0] == numbers[first : first + 3]


def test_clips_hold_at_most_chunk_pictures_and_stay_what_they_were(tmp_path: Path) -> None:
    path = write_video(tmp_path / "clip.mp4", map(numbered, range(10)))
    runs = list(read_clips(path, chunk=4))
    assert [len(run) for run in runs] == [4, 4, 2]
    assert shown(runs)[0] == list(range(10))


# Shape and colour


@pytest.mark.parametrize("mirror", [(False, False), (True, False), (False, True)])
@pytest.mark.parametrize("degrees", [0, 90, 180, -90])
def test_display_matrix_is_applied(tmp_path: Path, degrees: int, mirror: tuple[bool, bool]) -> None:
    source = quarters(80, 48)[..., :3]
    path = write_video(tmp_path / "clip.mp4", [source] * 2, pixels="yuv444p", turn=(degrees, *mirror))
    want = np.rot90(source, degrees // 90)
    want = want[:, ::-1] if mirror[0] else want[::-1] if mirror[1] else want  # FFmpeg turns, then mirrors
    assert only(path).shape == want.shape
    assert np.abs(only(path).astype(int) - want).mean() < 3
    assert (describe(path).height, describe(path).width) == want.shape[:2]


def test_a_quarter_turn_written_into_the_track_header_turns_clockwise(tmp_path: Path) -> None:
    path = write_video(tmp_path / "clip.mp4", [quarters()[..., :3]] * 2, pixels="yuv444p")
    upright = struct.pack(">9i", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
    turned = struct.pack(">9i", 0, 1 << 16, 0, -1 << 16, 0, 0, 0, 0, 1 << 30)  # ISO/IEC 14496-12: x' = -y, y' = x
    head, tail = path.read_bytes().split(b"tkhd")
    path.write_bytes(head + b"tkhd" + tail.replace(upright, turned, 1))
    assert np.abs(only(path).astype(int) - np.rot90(quarters()[..., :3], -1)).mean() < 3


@pytest.mark.parametrize(("aspect", "width"), [(Fraction(4, 3), 107), (Fraction(8, 9), 71)])
def test_pixels_become_square(tmp_path: Path, aspect: Fraction, width: int) -> None:
    path = write_video(tmp_path / "clip.mp4", map(numbered, [5, 613]), aspect=aspect)
    assert only(path).shape == (48, width, 3)
    assert shown(read_clips(path))[0] == [5, 613]


@pytest.mark.parametrize(("codec", "pixels"), [("libx264", "yuv444p"), ("libvpx-vp9", "yuv420p"), ("ffv1", "bgr0")])
def test_odd_sizes(tmp_path: Path, codec: str, pixels: str) -> None:
    path = write_video(tmp_path / "clip.mkv", [quarters(61, 47)[..., :3]] * 2, codec=codec, pixels=pixels)
    assert only(path).shape == (47, 61, 3)
    assert np.abs(patches(only(path)).astype(int) - patches(quarters(61, 47))[:, :3]).max() <= 12


@pytest.mark.parametrize("pixels", ["yuv420p", "yuv444p", "yuv420p10le", "yuv422p10le"])
@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize(("red_blue", "tag"), [(BT601, 6), (BT601, 5), (BT709, 1)])
def test_tagged_colours_come_out_as_they_went_in(
    tmp_path: Path, pixels: str, full: bool, red_blue: tuple[float, float], tag: int
) -> None:
    colours = [
        (255, 255, 255),
        (0, 0, 0),
        (128, 128, 128),
        (230, 20, 20),
        (20, 200, 40),
        (30, 40, 220),
        (210, 160, 130),
    ]
    frames = [flat_yuv(colour, red_blue=red_blue, full=full, pixels=pixels) for colour in colours]
    for frame in frames:
        frame.colorspace, frame.color_range = tag, 2 if full else 1
    path = write_video(tmp_path / "clip.mkv", frames, codec="ffv1", pixels=pixels)
    found = np.concatenate([clip.pixels[:, 24, 32] for clip in read_clips(path)])
    assert np.abs(found.astype(int) - colours).max() <= 3


@pytest.mark.parametrize(("height", "red_blue"), [(718, BT601), (720, BT709)])
def test_untagged_colours_are_guessed_by_height(tmp_path: Path, height: int, red_blue: tuple[float, float]) -> None:
    colour = (30, 200, 60)
    frame = flat_yuv(colour, red_blue=red_blue, full=False, size=(64, height))
    path = write_video(tmp_path / "clip.mp4", [frame], options={"qp": "0"})
    assert np.abs(only(path)[height // 2, 32].astype(int) - colour).max() <= 3


def test_stored_rgb_is_not_converted(tmp_path: Path) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    path = write_video(tmp_path / "clip.mkv", [picture], codec="ffv1", pixels="bgr0")
    assert (only(path) == picture).all()


def test_a_change_of_size_half_way_is_scaled_to_the_first(tmp_path: Path) -> None:
    parts = [
        write_video(tmp_path / f"{width}.h264", [numbered(number, width, width // 2)] * 3)
        for number, width in ((3, 80), (700, 160))
    ]
    path = tmp_path / "joined.h264"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    assert shown(read_clips(path))[0] == [3] * 3 + [700] * 3


# Alpha


@pytest.mark.parametrize(
    ("suffix", "codec", "pixels"),
    [
        ("webm", "libvpx-vp9", "yuva420p"),
        ("webm", "libvpx", "yuva420p"),
        ("mov", "prores_ks", "yuva444p10le"),
        ("mov", "qtrle", "argb"),
        ("mov", "png", "rgba"),
        ("mkv", "ffv1", "bgra"),
    ],
)
def test_alpha_of_video(tmp_path: Path, suffix: str, codec: str, pixels: str) -> None:
    options = {"auto-alt-ref": "0"} if codec == "libvpx" else {}
    path = write_video(tmp_path / f"clip.{suffix}", [quarters()] * 30, codec=codec, pixels=pixels, options=options)
    for start in (None, 1.0):
        picture = next(read_clips(path, start)).pixels[0]
        assert np.abs(patches(picture)[:, 3].astype(int) - [255, 128, 0, 255]).max() <= 2
        assert np.abs(patches(picture)[[0, 3], :3].astype(int) - patches(quarters())[[0, 3], :3]).max() <= 6
    source = describe(path)
    assert (source.width, source.height, source.kind, source.has_alpha) == (64, 48, "video", True)
    assert source.frame_rate == 24
    assert source.duration_s == pytest.approx(30 / 24, abs=0.05)


@pytest.mark.parametrize(
    ("name", "options"),
    [("a.png", {}), ("a.webp", {"lossless": True}), ("a.avif", {"quality": 100, "subsampling": "4:4:4"})],
)
def test_alpha_of_canvases(tmp_path: Path, name: str, options: dict[str, Any]) -> None:
    path = tmp_path / name
    frames = [Image.fromarray(np.roll(quarters(), 4 * i, axis=1)) for i in range(3)]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=[120, 40, 200], **options)
    runs = list(read_clips(path, chunk=2))
    assert np.concatenate([run.times for run in runs]) == pytest.approx([0, 0.12, 0.16, 0.16, 0.36])
    for i, picture in enumerate(np.concatenate([run.pixels for run in runs])):
        want = np.roll(quarters(), 4 * i, axis=1)
        assert np.abs(picture[..., 3].astype(int) - want[..., 3]).mean() < 1
        assert np.abs(picture[want[..., 3] == 255].astype(int) - want[want[..., 3] == 255]).mean() < 2
    assert describe(path) == SourceInfo(64, 48, None, None, "animation", True)


def test_opaque_sources_have_no_alpha(tmp_path: Path) -> None:
    frames = [Image.fromarray(numbered(i)) for i in range(2)]
    for name in ("a.png", "a.webp"):
        frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:], duration=50, lossless=True)
        assert shown(read_clips(tmp_path / name))[0] == [0, 1]
        assert not describe(tmp_path / name).has_alpha


# Canvases


def gif(frames: list[tuple[int, int, bytes]], *, clear: bool = True) -> bytes:
    """A 4 x 1 GIF by hand: (disposal, delay in 1/100 s, four colour numbers: 0 clear, 1 red, 2 green, 3 blue)."""
    out = b"GIF89a" + struct.pack("<HHBBB", 4, 1, 0b10010001, 0, 0)
    out += bytes([9, 9, 9, 255, 0, 0, 0, 255, 0, 0, 0, 255])
    for disposal, delay, row in frames:
        out += b"\x21\xf9\x04" + struct.pack("<BHB", disposal << 2 | clear, delay, 0) + b"\0"
        out += b"\x2c" + struct.pack("<HHHHB", 0, 0, 4, 1, 0) + b"\x02"
        codes = [4, *row[:2], 4, *row[2:], 5]  # 3-bit LZW that starts afresh before its codes would grow
        packed = sum(code << 3 * i for i, code in enumerate(codes)).to_bytes(3, "little")
        out += bytes([3]) + packed + b"\0"
    return out + b";"


def test_gif_disposal_and_hasty_frames(tmp_path: Path) -> None:
    path = tmp_path / "a.gif"
    path.write_bytes(
        gif(
            [
                (1, 10, b"\1\1\0\0"),  # keep
                (3, 0, b"\0\2\2\0"),  # restore what was before; a delay of 0 is shown as 100 ms
                (2, 1, b"\0\0\0\3"),  # clear to transparent; a delay of 10 ms is shown as 100 ms
                (1, 5, b"\2\0\0\0"),
            ]
        )
    )
    (clip,) = read_clips(path)
    assert clip.times == pytest.approx([0, 0.1, 0.2, 0.3, 0.35])
    red, green, blue, none = (255, 0, 0, 255), (0, 255, 0, 255), (0, 0, 255, 255), (0, 0, 0, 0)
    visible = np.where(clip.pixels[:, 0, :, 3:] > 0, clip.pixels[:, 0], 0)
    want = [[red, red, none, none], [red, green, green, none], [red, red, none, blue], [green, none, none, none]]
    assert visible.tolist() == np.array(want).tolist()
    assert describe(path).kind == "animation"


def test_range_of_an_animation(tmp_path: Path) -> None:
    frames = [Image.fromarray(numbered(i)) for i in range(8)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:], duration=[50, 100] * 4, loop=0)
    assert shown(read_clips(tmp_path / "a.gif")) == (list(range(8)), [0, 0.05, 0.15, 0.2, 0.3, 0.35, 0.45, 0.5, 0.6])
    assert shown(read_clips(tmp_path / "a.gif", 0.16, 0.3)) == ([2, 3], [0.16, 0.2, 0.3])


def test_the_stand_in_picture_of_an_apng_is_not_part_of_it(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    frames = [Image.fromarray(numbered(i)) for i in (900, 1, 2)]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=80, default_image=True)
    assert shown(read_clips(path)) == ([1, 2], [0, 0.08, 0.16])


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "bmp", "gif", "avif"])
def test_a_still_is_one_picture_of_nominal_length(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(numbered(77)).save(path)
    assert shown(read_clips(path)) == ([77], [0, STILL_SECONDS])
    assert describe(path) == SourceInfo(80, 48, STILL_SECONDS, None, "still", suffix == "gif")


def test_stills_of_other_depths_and_orientation(tmp_path: Path) -> None:
    ramp = np.arange(48 * 80, dtype=np.uint16).reshape(48, 80) * 17
    Image.fromarray(ramp).save(tmp_path / "deep.png")
    assert (only(tmp_path / "deep.png") == (ramp >> 8)[..., None]).all()
    tags = Image.Exif()
    tags[0x0112] = 6  # to be turned clockwise
    Image.fromarray(quarters()[..., :3]).save(tmp_path / "phone.png", exif=tags)
    assert (only(tmp_path / "phone.png") == np.rot90(quarters()[..., :3], -1)).all()
    palette = Image.fromarray(numbered(5)).quantize(4)
    palette.save(tmp_path / "palette.png", transparency=0)
    assert only(tmp_path / "palette.png").shape == (48, 80, 4)


def test_the_content_chooses_the_reader_not_the_name(tmp_path: Path) -> None:
    Image.fromarray(numbered(9)).save(tmp_path / "a.png")
    (tmp_path / "a.png").rename(tmp_path / "a.mp4")
    write_video(tmp_path / "b.mp4", [numbered(8)] * 2)
    (tmp_path / "b.mp4").rename(tmp_path / "b.gif")
    assert number_in(only(tmp_path / "a.mp4")) == 9
    assert number_in(only(tmp_path / "b.gif")) == 8


# What goes wrong


def refused(path: Path, *words: str, start: float | None = None, end: float | None = None) -> None:
    with pytest.raises(InputError) as caught:
        list(read_clips(path, start, end))
    text = str(caught.value)
    assert "\n" not in text
    assert text.startswith(str(path))
    assert all(word in text for word in words), text


def test_files_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refused(tmp_path / "no.mp4", "no such file", "check")
    refused(tmp_path / ("x" * 300), "cannot be read")
    refused(tmp_path, "folder")
    (tmp_path / "empty.mp4").touch()
    refused(tmp_path / "empty.mp4", "empty")
    (tmp_path / "text.mp4").write_text("this is no video\n" * 200)
    refused(tmp_path / "text.mp4", "no video or image", "convert")
    (tmp_path / "cut.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    refused(tmp_path / "cut.png", "no video or image")
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.mp4")
        refused(tmp_path / "pipe.mp4", "no ordinary file")

    def locked(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", locked)
    refused(tmp_path / "text.mp4", "permissions")


def test_metadata_in_no_known_encoding(tmp_path: Path) -> None:
    path = write_video(tmp_path / "clip.mkv", map(numbered, range(3)))
    path.write_bytes(path.read_bytes().replace(b"Lavf", b"\xff\xfe\xfd\xfc"))
    assert shown(read_clips(path))[0] == [0, 1, 2]


def test_sound_without_pictures(tmp_path: Path) -> None:
    path = tmp_path / "sound.mp4"
    with av.open(str(path), "w") as file:
        stream = file.add_stream("aac", rate=44100)
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 44100), np.float32), format="fltp", layout="mono")
        sound.sample_rate = 44100
        file.mux(stream.encode(sound))
        file.mux(stream.encode())
    refused(path, "only sound", "give a video")


def test_ranges_that_are_none(tmp_path: Path) -> None:
    path = write_video(tmp_path / "clip.mp4", map(numbered, range(24)))
    for start, end in ((1.0, 0.5), (0.5, 0.5), (-1.0, None), (float("nan"), None), (0.0, float("nan"))):
        with pytest.raises(SettingsError, match="give"):
            next(read_clips(path, start, end))
    for start in (1.0, 1.5, 1e9, 1e300):
        refused(path, "ends at 1.000 s", "earlier start", start=start)
    Image.fromarray(numbered(1)).save(tmp_path / "a.png")
    refused(tmp_path / "a.png", "ends at 1.000 s", start=4)


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "avi", "flv"])
def test_a_cut_off_video_is_refused_but_for_what_is_there(tmp_path: Path, suffix: str) -> None:
    path = cut_off(tmp_path / f"clip.{suffix}")
    for start, end, instead in ((None, None, r"\(`end` [12]"), (1.0, 3.0, r"\(`end` [12]"), (3.8, 4, "earlier start")):
        with pytest.raises(InputError, match=rf"breaks off at (1\.[89]|2\.0)\d\d s; fetch it again, or .*{instead}"):
            list(read_clips(path, start, end))
    numbers, times = shown(read_clips(path, 0.5, 44 / 24))
    assert numbers == list(range(12, 44))
    assert times == pytest.approx(np.arange(12, 45) / 24, abs=0.0011)
    path.write_bytes(path.read_bytes()[:40])
    refused(path, "cut off")


def test_a_cut_off_broadcast_has_no_length_to_be_short_of(tmp_path: Path) -> None:
    numbers, _ = shown(read_clips(cut_off(tmp_path / "clip.ts")))
    assert numbers[:44] == list(range(44))  # of the last few, some refer to what is missing
    assert len(numbers) <= 49


def cut_off(path: Path) -> Path:
    """A video of four seconds, the second half of which is missing."""
    muxing = {"movflags": "faststart"} if path.suffix == ".mp4" else {}
    codec = "mpeg4" if path.suffix == ".avi" else "libx264"  # AVI says nothing of B frames' times
    options = {"g": "12"} if path.suffix == ".avi" else {**B_FRAMES, "qp": "10"}
    write_video(path, map(numbered, range(96)), codec=codec, options=options, muxing=muxing)
    place = packet_places(path)[48]
    path.write_bytes(path.read_bytes()[: place + 9])  # in the middle of a packet
    return path


def packet_places(path: Path) -> list[int]:
    """Where each packet of a video lies in its file, in bytes."""
    with av.open(str(path)) as file:
        return [packet.pos for packet in file.demux(video=0) if packet.pos is not None]


def test_a_moov_that_never_came(tmp_path: Path) -> None:
    path = write_video(tmp_path / "clip.mp4", map(numbered, range(48)))
    path.write_bytes(path.read_bytes()[:-300])
    refused(path, "cut off", "fetch it again")


def test_a_video_damaged_in_the_middle(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = write_video(tmp_path / "clip.mp4", map(numbered, range(60)), options={"g": "12", "qp": "10"})
    places = packet_places(path)
    data = bytearray(path.read_bytes())
    data[places[13] : places[22]] = bytes(places[22] - places[13])
    path.write_bytes(data)
    numbers, _ = shown(read_clips(path))
    assert numbers[:12] == list(range(12))
    assert numbers[-24:] == list(range(36, 60))
    assert shown(read_clips(path, 40 / 24, 42 / 24))[0] == [40, 41]
    data[places[0] : places[-1]] = bytes(places[-1] - places[0])
    path.write_bytes(data)
    refused(path, "no picture in it can be decoded", "fetch or export it again")
    assert capfd.readouterr() == ("", "")  # FFmpeg's own complaints stay inside


def test_a_damaged_animation_is_refused_but_for_what_is_there(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (10, 48, 80, 3), np.uint8)
    frames = [Image.fromarray(picture) for picture in noise]
    for suffix in ("gif", "png", "webp"):
        path = tmp_path / f"a.{suffix}"
        frames[0].save(path, save_all=True, append_images=frames[1:], duration=40)
        path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])
        if suffix == "webp":  # libwebp takes the whole file or nothing
            refused(path, "fetch")
        else:
            refused(path, "breaks off at 0.", "fetch it again")
            assert len(list(read_clips(path, end=0.12))) == 1
            path.write_bytes(path.read_bytes()[: path.stat().st_size // 4])  # but for the first picture nothing
            with pytest.raises(InputError, match=r"breaks off at 0\.000 s; fetch it again$"):
                list(read_clips(path))
    (tmp_path / "second.gif").write_bytes(gif([(1, 10, b"\1\1\1\1")])[:-1] + b"\x21\xf9\x01\0\0;")
    assert [len(clip) for clip in read_clips(tmp_path / "second.gif")] == [1]
    Image.fromarray(noise[0]).save(tmp_path / "still.png")
    (tmp_path / "still.png").write_bytes((tmp_path / "still.png").read_bytes()[:5000])
    refused(tmp_path / "still.png", "no picture in it can be decoded")


def test_pictures_over_the_limit(tmp_path: Path) -> None:
    video = write_video(tmp_path / "clip.mp4", map(numbered, range(3)))
    Image.fromarray(numbered(1)).save(tmp_path / "a.png")
    for path in (video, tmp_path / "a.png"):
        assert next(read_clips(path, max_pixels=80 * 48)).pixels.shape[1:3] == (48, 80)
        with pytest.raises(InputError, match="80x48 is more than 3839 pixels"):
            next(read_clips(path, max_pixels=80 * 48 - 1))
        with pytest.raises(InputError, match="80x48 is more than"):
            describe(path, max_pixels=100)
    wide = write_video(tmp_path / "wide.mp4", map(numbered, range(3)), aspect=Fraction(40, 1))
    with pytest.raises(InputError, match="3200x48 is more than"):
        next(read_clips(wide, max_pixels=10**5))


@pytest.mark.parametrize(("side", "words"), [(12_000, "12000x12000 is more than"), (40_000, "too large")])
def test_a_decompression_bomb_is_refused_before_it_is_unpacked(tmp_path: Path, side: int, words: str) -> None:
    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    bomb = (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(10**6)))
        + chunk(b"IEND", b"")
    )
    (tmp_path / "bomb.png").write_bytes(bomb)
    refused(tmp_path / "bomb.png", words, "scale it down")


@pytest.mark.parametrize(
    "text", ["ffconcat version 1.0\nfile clip.mp4\n", "#EXTM3U\n#EXTINF:1,\nclip.mp4\n#EXT-X-ENDLIST\n"]
)
def test_playlists_are_not_followed(tmp_path: Path, text: str) -> None:
    write_video(tmp_path / "clip.mp4", map(numbered, range(3)))
    (tmp_path / "list.mp4").write_text(text)
    refused(tmp_path / "list.mp4", "not a video")


def test_names_that_look_like_something_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = write_video(tmp_path / "clip.mp4", map(numbered, range(3))).read_bytes()
    monkeypatch.chdir(tmp_path)
    for name in ("http:x.mp4", "a%03d.mp4", "-i.mp4", "ä é 日本.mp4", "pipe:0"):
        Path(name).write_bytes(source)
        assert shown(read_clips(Path(name)))[0] == [0, 1, 2]
    refused(Path("no\nsuch.mp4".replace("\n", "_")), "no such file")


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs /proc to list open files")
@pytest.mark.parametrize("suffix", ["mp4", "gif"])
def test_an_abandoned_generator_closes_the_file(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    if suffix == "gif":
        frames = [Image.fromarray(numbered(i)) for i in range(9)]
        frames[0].save(path, save_all=True, append_images=frames[1:], duration=50)
    else:
        write_video(path, map(numbered, range(60)))

    def opened() -> int:
        return sum(link.is_symlink() and link.readlink() == path for link in Path("/proc/self/fd").iterdir())

    clips = read_clips(path, 0.1, chunk=1)
    next(clips)
    assert opened()
    clips.close()
    assert not opened()
    describe(path)
    assert not opened()


def test_memory_does_not_grow_with_the_clip(tmp_path: Path) -> None:
    path = write_video(tmp_path / "clip.mp4", map(numbered, range(200)))
    gc.collect()
    gc.disable()  # PyAV's frames are easily tied into cycles, which hold gigabytes before the collector comes
    try:
        clips = read_clips(path, chunk=1)
        for _ in range(150):
            next(clips)
        assert sum(type(item) is av.VideoFrame for item in gc.get_objects()) < 80
        clips.close()
    finally:
        gc.enable()


def test_mutated_files_raise_nothing_but_our_own_errors(tmp_path: Path) -> None:
    rng = np.random.default_rng(7)
    stills = [Image.fromarray(numbered(i, 40, 24)) for i in range(4)]
    seeds = [
        write_video(tmp_path / f"s.{suffix}", [numbered(i, 40, 24) for i in range(6)]) for suffix in ("mp4", "mkv")
    ]
    for suffix in ("gif", "png", "webp"):
        seeds.append(tmp_path / f"s.{suffix}")
        stills[0].save(seeds[-1], save_all=True, append_images=stills[1:], duration=60)
    path = tmp_path / "mutant"
    for seed in seeds:
        for _ in range(6):
            data = np.frombuffer(seed.read_bytes(), np.uint8).copy()
            data[rng.integers(0, len(data), rng.integers(1, 30))] = rng.integers(0, 256)
            path.write_bytes(data.tobytes())
            for ask in (lambda: list(read_clips(path, 0.1, 0.3)), lambda: [describe(path)]):
                try:
                    ask()
                except InputError as error:
                    assert "\n" not in str(error)  # noqa: PT017 most mutants are read


# Real clips


@pytest.mark.slow
@pytest.mark.skipif(not CLIPS.is_dir(), reason="needs ../shared")
@pytest.mark.parametrize("path", sorted(CLIPS.glob("*.[mg][pi][4f]")), ids=lambda path: path.name)
def test_real_clips_whole_and_in_ranges(path: Path) -> None:
    if path.suffix == ".gif":
        count = getattr(Image.open(io.BytesIO(path.read_bytes())), "n_frames", 1)
    else:
        with av.open(str(path)) as file:
            count = sum(packet.size > 0 for packet in file.demux(video=0))
    small, posts = [], [0.0]
    for clip in read_clips(path):
        small.append(clip.pixels[:, ::16, ::16].copy())
        posts.extend(clip.times[1:].tolist())
    whole, times = np.concatenate(small), np.array(posts)
    assert len(whole) == count
    rng = np.random.default_rng(0)
    for _ in range(4):
        start = rng.uniform(0, times[-1] - 0.2)
        end = start + rng.uniform(0.05, 0.2)
        cut = list(read_clips(path, start, end, chunk=5))
        first, past = np.searchsorted(times, start + 0.0005, "right") - 1, np.searchsorted(times, end - 0.0005)
        assert (np.concatenate([clip.pixels[:, ::16, ::16] for clip in cut]) == whole[first:past]).all()
        assert (cut[0].times[0], cut[-1].times[-1]) == (start, end)
