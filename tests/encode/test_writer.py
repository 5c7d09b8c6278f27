import json
import os
from collections.abc import Callable, Iterable, Iterator
from os import SEEK_END
from pathlib import Path
from typing import BinaryIO

import av
import cv2
import numpy as np
import pytest
from PIL import Image

from animecut.encode import probe, sheet, webp, writer
from animecut.encode.sheet import place_on_shelves
from animecut.encode.timing import Limits, Timed, hold_unchanged_blocks, to_ticks
from animecut.encode.webp import write_webp
from animecut.encode.writer import write_sticker
from animecut.errors import OutputError, SettingsError
from animecut.types import Clip

KINDS = ("webp", "gif", "apng", "webm", "mov", "png", "avif", "sheet")
NAMES = {"apng": "out.png", "png": "out_frames", "sheet": "out_sheet"}
TICK = {kind: 1 / limits.rate for kind, limits in writer.LIMITS.items()}
ON_TWOS = 2 * 1001 / 24000  # seconds
HEIGHT, WIDTH = 75, 97
SKIN, CLOTH, INK = (240, 200, 170), (40, 60, 160), (30, 10, 20)

Read = tuple[list[np.ndarray], list[float]]
"""RGBA pictures and their seconds."""

Reader = Callable[[Path], Read]
Stickers = dict[str, writer.Written]


def figure(x: float, height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    """A straight RGBA figure with an anti-aliased ink line, its middle at x; (9, 9, 9) where it is not."""
    layers = []
    for radius in (0.33, 0.28):
        fine = np.zeros((height * 8, width * 8), np.uint8)
        cv2.circle(fine, (round(x * 8), height * 4), round(height * 8 * radius), 255, -1)
        layers.append(cv2.resize(fine, (width, height), interpolation=cv2.INTER_AREA)[..., None] / 255)
    flat = np.where(np.arange(height)[:, None, None] < height / 2, SKIN, CLOTH)
    rgb = layers[1] * flat + (1 - layers[1]) * np.array(INK)
    rgb = np.where(layers[0] > 0, rgb, 9)
    return np.concatenate([rgb, layers[0] * 255], axis=2).round().astype(np.uint8)


def walk(count: int = 8, step: float = ON_TWOS) -> Clip:
    pixels = np.stack([figure(30 + 4.5 * i) for i in range(count)])
    return Clip(pixels, 1.5 + np.arange(count + 1, dtype=np.float64) * step)


def singles(clip: Clip, start: int = 0, stop: int | None = None) -> list[Clip]:
    """Some pictures of a clip as clips of one picture each."""
    return [Clip(clip.pixels[i : i + 1], clip.times[i : i + 2]) for i in range(len(clip))[start:stop]]


def target(folder: Path, kind: str) -> Path:
    return folder / NAMES.get(kind, f"out.{kind}")


def read_pillow(path: Path) -> Read:
    pictures, seconds = [], []
    with Image.open(path) as image:
        for i in range(getattr(image, "n_frames", 1)):
            image.seek(i)
            pictures.append(np.asarray(image.convert("RGBA")))
            seconds.append(image.info.get("duration", 0) / 1000)
    return pictures, seconds


def read_av(path: Path) -> Read:
    pictures, seconds = [], []
    decoder = av.CodecContext.create("libvpx-vp9", "r") if path.suffix == ".webm" else None
    with av.open(str(path)) as container:
        assert len(container.streams) == 1
        for packet in container.demux(video=0):
            for frame in decoder.decode(packet if packet.size else None) if decoder else packet.decode():
                assert isinstance(frame, av.VideoFrame)
                pictures.append(rgba_of(frame))
                seconds.append(float(frame.duration * (frame.time_base or 0)))
    return pictures, seconds


def rgba_of(frame: av.VideoFrame) -> np.ndarray:
    if frame.format.name in ("bgra", "rgba", "pal8"):
        return frame.to_ndarray(format="rgba")
    depth, plane = frame.format.components[3].bits, frame.planes[3]
    samples = np.frombuffer(memoryview(plane), np.uint8 if depth == 8 else np.uint16).reshape(plane.height, -1)
    alpha = samples[:, : plane.width] * (255 / (2**depth - 1))
    return np.dstack([frame.to_ndarray(format="rgb24"), alpha.round().astype(np.uint8)])


def read_folder(path: Path) -> Read:
    files = sorted(path.glob("*.png"))
    pictures = [np.asarray(cv2.imread(str(file), cv2.IMREAD_UNCHANGED))[..., [2, 1, 0, 3]] for file in files]
    lines = (path / "frames.ffconcat").read_text().split("\n")
    return pictures, [float(line.split()[1]) for line in lines if line.startswith("duration")]


def read_sheet(path: Path) -> Read:
    """As a game engine does: the PNG by OpenCV, each sprite cut out and put where it was trimmed from."""
    said = json.loads((path / "sheet.json").read_text())
    sheet = np.asarray(cv2.imread(str(path / said["meta"]["image"]), cv2.IMREAD_UNCHANGED))[..., [2, 1, 0, 3]]
    assert sheet.shape[:2] == (said["meta"]["size"]["h"], said["meta"]["size"]["w"])
    pictures = []
    for sprite in said["frames"]:
        x, y, w, h = (sprite["frame"][key] for key in "xywh")
        left, top, *trimmed = (sprite["spriteSourceSize"][key] for key in "xywh")
        assert [w, h] == trimmed
        assert not sprite["rotated"]
        whole = np.zeros((sprite["sourceSize"]["h"], sprite["sourceSize"]["w"], 4), np.uint8)
        whole[top : top + h, left : left + w] = sheet[y : y + h, x : x + w]
        pictures.append(whole)
    return pictures, [sprite["duration"] / 1000 for sprite in said["frames"]]


def read_avif(path: Path) -> Read:
    """By FFmpeg, to which an AVIF is two stills and then two videos, colour and alpha."""
    planes = []
    for index, layout in ((2, "rgb24"), (3, "gray")):
        with av.open(str(path)) as container:
            frames = list(container.decode(container.streams.video[index]))
            planes.append([frame.to_ndarray(format=layout) for frame in frames])
            seconds = [float(frame.duration * (frame.time_base or 0)) for frame in frames]
    return [np.dstack([rgb, alpha]) for rgb, alpha in zip(*planes, strict=True)], seconds


READERS = [
    ("webp", read_pillow),
    ("gif", read_pillow),
    ("gif", read_av),
    ("apng", read_pillow),
    ("apng", read_av),
    ("webm", read_av),
    ("mov", read_av),
    ("png", read_folder),
    ("avif", read_pillow),
    ("avif", read_avif),
    ("sheet", read_sheet),
]


@pytest.fixture(scope="module")
def stickers(tmp_path_factory: pytest.TempPathFactory) -> Stickers:
    folder = tmp_path_factory.mktemp("stickers")
    return {kind: write_sticker(target(folder, kind), singles(walk()), kind) for kind in KINDS}


@pytest.mark.parametrize(("kind", "reader"), READERS)
def test_another_reader_finds_what_was_written(kind: str, reader: Reader, stickers: Stickers) -> None:
    pictures, _ = reader(stickers[kind].path)
    clip = walk()
    assert len(pictures) == len(clip)
    near = np.ones((5, 5), np.uint8)
    for got, truth in zip(pictures, clip.pixels, strict=True):
        assert got.shape == truth.shape
        alpha = truth[..., 3]
        outside, inside = (alpha == 0).astype(np.uint8), (alpha == 255).astype(np.uint8)
        if kind == "webm":  # its alpha is lossy beside the edge
            assert np.abs(got[..., 3].astype(int) - alpha).mean() < 1
            outside, inside = cv2.erode(outside, near), cv2.erode(inside, near)
        slack = 6 if kind == "webm" else 0
        assert got[..., 3][outside > 0].max() <= slack
        assert got[..., 3][inside > 0].min() >= 255 - slack
        if kind == "gif":
            assert (got[..., 3] == np.where(alpha >= 128, 255, 0)).all()
        visible = alpha >= 128
        error = np.abs(got[..., :3].astype(int) - truth[..., :3])[visible]
        assert error.mean() < {"webp": 4, "gif": 1, "webm": 6, "mov": 1, "avif": 4}.get(kind, 0.01)


@pytest.mark.parametrize("kind", KINDS)
def test_a_name_need_not_be_utf8(kind: str, tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9." + kind.encode())
    assert write_sticker(path, [walk(3)], kind).frames == 3
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(("kind", "reader"), READERS)
def test_no_time_is_lost(kind: str, reader: Reader, stickers: Stickers) -> None:
    _, seconds = reader(stickers[kind].path)
    shown = np.cumsum([0, *seconds])
    np.testing.assert_allclose(shown, np.arange(9) * ON_TWOS, atol=TICK[kind] / 2 + 1e-6)
    assert stickers[kind].duration_s == pytest.approx(8 * ON_TWOS, abs=TICK[kind])


@pytest.mark.parametrize("kind", KINDS)
def test_the_report_says_what_lies_there(kind: str, stickers: Stickers) -> None:
    written = stickers[kind]
    files = list(written.path.iterdir()) if written.path.is_dir() else [written.path]
    assert written.bytes == sum(file.stat().st_size for file in files) > 0
    assert (written.format, written.width, written.height, written.frames) == (kind, WIDTH, HEIGHT, 8)


@pytest.mark.parametrize(("loop", "gif", "others"), [(0, 0, 0), (1, None, 1), (4, 3, 4)])
def test_how_often_it_plays_is_stored(loop: int, gif: int | None, others: int, tmp_path: Path) -> None:
    """GIF counts repeats after the first time, and plays once where it says nothing."""
    for kind in ("webp", "apng", "gif"):
        write_sticker(target(tmp_path, kind), [walk(2)], kind, loop=loop)
        with Image.open(target(tmp_path, kind)) as image:
            assert image.info.get("loop") == (gif if kind == "gif" else others)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [(1, 1), (3, 2), (17, 9)])
def test_tiny_and_odd_sizes(kind: str, size: tuple[int, int], tmp_path: Path) -> None:
    pixels = np.zeros((2, *size, 4), np.uint8)
    pixels[0] = (200, 30, 30, 255)
    pixels[1, :1, :1] = (30, 200, 30, 255)
    written = write_sticker(target(tmp_path, kind), [Clip(pixels, np.array([0.0, 0.25, 0.5]))], kind)
    assert (written.height, written.width, written.frames) == (*size, 2)


@pytest.mark.parametrize("kind", KINDS)
def test_a_single_picture(kind: str, tmp_path: Path) -> None:
    written = write_sticker(target(tmp_path, kind), [walk(1)], kind)
    assert written.frames == 1
    readers = {"webm": read_av, "mov": read_av, "png": read_folder, "sheet": read_sheet}
    pictures, _ = readers.get(kind, read_pillow)(target(tmp_path, kind))
    assert len(pictures) == 1
    assert np.abs(pictures[0][..., 3].astype(int) - figure(30)[..., 3]).mean() < 2


@pytest.mark.parametrize("kind", KINDS)
def test_pictures_without_anything_visible(kind: str, tmp_path: Path) -> None:
    clip = walk(3)
    clip.pixels[1, ..., 3] = 0
    assert write_sticker(target(tmp_path, kind), [clip], kind).frames == 3


@pytest.mark.parametrize("kind", KINDS)
def test_equal_neighbours_become_one_with_the_time_of_both(kind: str, tmp_path: Path) -> None:
    clip = walk(4)
    clip.pixels[2] = clip.pixels[1]
    clip.pixels[2, 0, 0] = (1, 2, 3, 0)  # a colour that nobody sees makes no difference
    written = write_sticker(target(tmp_path, kind), [clip], kind)
    assert written.frames == 3
    assert written.duration_s == pytest.approx(4 * ON_TWOS, abs=TICK[kind])


@pytest.mark.parametrize("kind", ["webp", "gif", "apng"])
def test_every_way_that_parts_can_come_and_go(kind: str, tmp_path: Path) -> None:
    """Three patches, each clear, red or blue, in all 27 states: what was drawn has to go when it is clear again."""
    states = [(0, 0, 0, 0), (255, 0, 0, 255), (0, 0, 255, 255)]
    order = np.random.default_rng(3).permutation(27)
    small = np.array([[[states[i // 9], states[i // 3 % 3], states[i % 3]]] for i in order], np.uint8)
    pixels = small.repeat(20, axis=1).repeat(20, axis=2)
    write_sticker(target(tmp_path, kind), [Clip(pixels, np.arange(28) / 10)], kind)
    pictures, _ = read_pillow(target(tmp_path, kind))
    assert (np.stack(pictures)[..., 3] == pixels[..., 3]).all()
    middle = np.stack(pictures)[:, 5:15, 5:15].astype(int)
    error = np.abs(middle - pixels[:, 5:15, 5:15])[pixels[:, 5:15, 5:15, 3] > 0]
    assert error.max() < (20 if kind == "webp" else 1)


def test_a_held_soft_edge_grows_no_denser(tmp_path: Path) -> None:
    """Where only the face changes, the half transparent edge of the rest is what it was, in the file too."""
    clip = walk(6)
    clip.pixels[:] = clip.pixels[:1]
    rng = np.random.default_rng(0)
    noise = rng.integers(-1, 2, clip.pixels[..., :3].shape)
    clip.pixels[..., :3] = np.clip(clip.pixels[..., :3] + noise, 0, 255)
    for i in range(6):
        clip.pixels[i, 20 : 24 + i, 28:34, :3] = (200, 0, 0)
    write_sticker(tmp_path / "out.webp", [clip], "webp")
    pictures, _ = read_pillow(tmp_path / "out.webp")
    assert (np.stack(pictures)[..., 3] == clip.pixels[:1, ..., 3]).all()
    one = write_sticker(tmp_path / "one.webp", singles(clip, 0, 1), "webp").bytes
    assert (tmp_path / "out.webp").stat().st_size < 3 * one


def test_holding_takes_over_noise_but_not_change() -> None:
    before, after = figure(30), figure(30)
    after[..., :3][after[..., 3] > 0] += 2
    assert (hold_unchanged_blocks(after, before, 3) == before).all()
    assert (hold_unchanged_blocks(after, before, 1)[after[..., 3] == 255] == after[after[..., 3] == 255]).all()
    after[40, 30] = (0, 255, 0, 255)
    held = hold_unchanged_blocks(after, before, 3)
    assert held[40, 30].tolist() == [0, 255, 0, 255]
    assert (held[:32] == before[:32]).all()


def ticks_of(times: list[float], limits: Limits) -> list[int]:
    pixels = np.zeros((len(times) - 1, 1, 1, 4), np.uint8)
    pixels[:, 0, 0] = [(i, 0, 0, 255) for i in range(len(pixels))]
    return [ticks for _, ticks in to_ticks([Clip(pixels, np.array(times))], limits, 0, one_bit=False)]


def test_rounding_is_carried_and_short_pictures_give_their_time_away() -> None:
    gif = Limits(100, 2, 2**16 - 1)
    assert ticks_of([k / 24 for k in range(7)], gif) == [4, 4, 4, 5, 4, 4]
    sixty = ticks_of([k / 60 for k in range(61)], gif)
    assert sum(sixty) == 100
    assert min(sixty) == 2
    assert ticks_of([0, 0.004, 0.1, 0.104], gif) == [10]
    assert ticks_of([0, 0.001], gif) == [2]
    assert ticks_of([0, 3.0, 3.5], Limits(100, 2, 120)) == [120, 120, 60, 50]


def test_the_gif_palette_is_spent_on_what_is_visible(tmp_path: Path) -> None:
    """255 greys on a ground of all colours that is transparent: every grey comes back exactly."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (2, 64, 64, 4), dtype=np.uint8)
    pixels[..., 3] = rng.integers(0, 128, (2, 64, 64))
    pixels[:, :5, :51] = np.arange(255, dtype=np.uint8).reshape(1, 5, 51, 1)
    pixels[:, :5, :51, 3] = 255
    pixels[1, :5, :51, :3] = pixels[1, 4::-1, :51, :3]
    write_sticker(tmp_path / "out.gif", [Clip(pixels, np.array([0.0, 0.1, 0.2]))], "gif", quality=100)
    pictures, _ = read_pillow(tmp_path / "out.gif")
    for got, truth in zip(pictures, pixels, strict=True):
        assert (got[:5, :51] == truth[:5, :51]).all()
        assert not got[5:, :, 3].any()


def test_gif_keeps_to_the_number_of_colours(tmp_path: Path) -> None:
    write_sticker(tmp_path / "out.gif", [walk(2)], "gif", colours=3)
    pictures, _ = read_pillow(tmp_path / "out.gif")
    seen = np.concatenate([picture[picture[..., 3] > 0] for picture in pictures])
    assert len(np.unique(seen, axis=0)) <= 3


def test_more_quality_is_less_error(tmp_path: Path) -> None:
    for kind, reader in (("webp", read_pillow), ("webm", read_av)):
        errors = []
        for quality in (30, 90):
            write_sticker(target(tmp_path, kind), [walk(2)], kind, quality=quality)
            pictures, _ = reader(target(tmp_path, kind))
            visible = walk(2).pixels[..., 3] == 255
            errors.append(np.abs(np.stack(pictures).astype(int) - walk(2).pixels)[visible].mean())
        assert errors[1] < errors[0]


def test_rgb_counts_as_opaque(tmp_path: Path) -> None:
    clip = walk(2)
    write_sticker(tmp_path / "out.webp", [Clip(clip.pixels[..., :3].copy(), clip.times)], "webp")
    pictures, _ = read_pillow(tmp_path / "out.webp")
    assert (np.stack(pictures)[..., 3] == 255).all()


class Stopped:
    """Clips that are interrupted on the way."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def __iter__(self) -> Iterator[Clip]:
        yield walk(3)
        raise self.error


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("error", [KeyboardInterrupt(), RuntimeError("no")])
def test_an_interruption_leaves_what_was_there(kind: str, error: BaseException, tmp_path: Path) -> None:
    path = target(tmp_path, kind)
    write_sticker(path, [walk(2)], kind)
    before = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    with pytest.raises(type(error)):
        write_sticker(path, Stopped(error), kind)
    assert {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()} == before


@pytest.mark.parametrize("kind", KINDS)
def test_a_target_that_cannot_be_written_is_an_error_in_one_line(kind: str, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot write") as caught:
        write_sticker(target(tmp_path / "nowhere", kind), [walk(2)], kind)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_full_disk_is_an_error_and_leaves_nothing(kind: str, tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (600, limits[1]))
    try:
        with pytest.raises(OutputError, match="cannot write"):
            write_sticker(target(tmp_path, kind), [walk(2)], kind)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list(tmp_path.iterdir()) == []


def test_what_does_not_read_back_is_not_moved_into_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "decode_pictures", lambda path: list(probe.decode_pictures(path))[:-1])
    with pytest.raises(OutputError, match="read back"):
        write_sticker(tmp_path / "out.webp", [walk(3)], "webp")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("long", [False, True])
def test_a_file_that_is_cut_short_does_not_read_back(
    long: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if long:
        monkeypatch.setattr(probe, "LONG", 1)
    monkeypatch.setattr(writer, "write_webp", cut_short)
    with pytest.raises(OutputError, match="read back"):
        write_sticker(tmp_path / "out.webp", [walk(6)], "webp")


def test_a_webp_that_cannot_be_so_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webp, "LARGEST_RIFF", 2000)
    with pytest.raises(OutputError, match="no more than 4 GB"):
        write_sticker(tmp_path / "out.webp", [walk(20)], "webp")
    assert list(tmp_path.iterdir()) == []


def cut_short(file: BinaryIO, pictures: Iterable[Timed], *, loop: int, quality: int) -> None:
    write_webp(file, pictures, loop=loop, quality=quality)
    file.truncate(file.seek(-9, SEEK_END))


def test_a_folder_of_frames_replaces_only_its_like(tmp_path: Path) -> None:
    path = tmp_path / "frames"
    write_sticker(path, [walk(3)], "png")
    assert write_sticker(path, [walk(2)], "png").frames == 2
    assert sorted(file.name for file in path.iterdir()) == ["00000.png", "00001.png", "frames.ffconcat"]
    (path / "notes.txt").write_text("mine")
    with pytest.raises(OutputError, match="other things"):
        write_sticker(path, [walk(3)], "png")
    (tmp_path / "file").write_text("mine")
    with pytest.raises(OutputError, match="other things"):
        write_sticker(tmp_path / "file", [walk(3)], "png")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["file", "frames"]


def test_an_unknown_format_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="webp, gif, apng, webm, mov, png, avif, sheet"):
        write_sticker(tmp_path / "out.avi", [walk(2)], "avi")


@pytest.mark.parametrize("levels", [6, 200])
@pytest.mark.parametrize("count", [1, 5])
def test_an_apng_of_few_colours_is_indexed_and_exact(levels: int, count: int, tmp_path: Path) -> None:
    pixels = walk(count).pixels.copy()
    step = 255 // levels + 1
    pixels = (pixels // step * step).astype(np.uint8)
    pixels[pixels[..., 3] == 0] = 0
    words = np.unique(pixels.reshape(-1, 4), axis=0)
    path = target(tmp_path, "apng")
    write_sticker(path, [Clip(pixels, np.arange(count + 1, dtype=np.float64))], "apng")
    with Image.open(path) as image:
        assert image.mode == ("P" if len(words) <= 256 else "RGBA")
    for reader in (read_pillow, read_av):
        found, _ = reader(path)
        np.testing.assert_array_equal(np.stack(found), pixels)


def test_a_webm_on_ones_keeps_its_time(tmp_path: Path) -> None:
    """24 drawings a second, after some on twos: Matroska then leaves out durations, and they are not asked for."""
    pixels = walk(8).pixels[np.arange(30) % 8]
    times = np.append(np.arange(18) / 12, 1.5 + np.arange(13) / 24)
    written = write_sticker(target(tmp_path, "webm"), [Clip(pixels, times)], "webm")
    assert written.frames == 30
    assert written.duration_s == pytest.approx(2.0, abs=0.0011)
    with av.open(str(written.path)) as container:
        stamps = [packet.pts for packet in container.demux(video=0) if packet.pts is not None]
    assert stamps == [round(time * 1000) for time in times[:-1]]


def test_an_avif_is_smaller_than_a_webp_of_the_same_error(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    pixels = walk(12).pixels.copy()
    pixels[..., :3] = np.clip(pixels[..., :3] + rng.normal(0, 4, pixels[..., :3].shape), 0, 255)
    clip = Clip(pixels, np.arange(13) / 12)
    avif = write_sticker(tmp_path / "a.avif", [clip], "avif")
    webp = write_sticker(tmp_path / "a.webp", [clip], "webp")
    errors = []
    for path in (avif.path, webp.path):
        found = np.stack(read_pillow(path)[0]).astype(int)
        assert (found[..., 3] == pixels[..., 3]).all()  # alpha is exact in both
        errors.append(np.abs(found - pixels)[pixels[..., 3] == 255].mean())
    assert avif.bytes < 0.9 * webp.bytes
    assert errors[0] < 1.1 * errors[1]


def test_a_sheet_is_about_a_square_and_none_lies_on_another(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    sizes = [(int(w), int(h)) for w, h in rng.integers(30, 60, (40, 2))]
    corners, (width, height) = place_on_shelves(sizes)
    taken = np.zeros((height, width), int)
    for (x, y), (w, h) in zip(corners, sizes, strict=True):
        taken[y : y + h, x : x + w] += 1
        assert x + w <= width
        assert y + h <= height
    assert taken.max() == 1
    assert taken.mean() > 0.5
    assert 0.5 < width / height < 2


def test_a_sheet_that_no_graphics_card_holds_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheet, "LARGEST", 100)
    with pytest.raises(OutputError, match="and 100 are the most; choose a shorter range"):
        write_sticker(tmp_path / "a_sheet", [walk(20)], "sheet")
    assert list(tmp_path.iterdir()) == []


def test_prores_names_its_colours_in_the_container_and_in_every_frame(tmp_path: Path) -> None:
    path = tmp_path / "sticker.mov"
    write_sticker(path, singles(walk(3)), "mov")
    data = path.read_bytes()
    place = data.index(b"colr")  # primaries, transfer and matrix of BT.709 (QuickTime File Format, 'nclc')
    assert data[place + 4 : place + 14] == b"nclc" + bytes([0, 1, 0, 1, 0, 1])
    with av.open(str(path)) as file:
        frames = list(file.decode(video=0))
    assert {(f.color_primaries, f.color_trc, f.colorspace) for f in frames} == {(1, 1, 1)}
