"""Stickers under limits: by our checker, and by Pillow and PyAV asked directly."""

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import get_args

import av
import numpy as np
import pytest
from PIL import Image

from animecut.encode import writer
from animecut.encode.palette import build_palette, colour_histogram, quantise
from animecut.encode.writer import Written
from animecut.errors import OutputError, Unreadable
from animecut.platforms import candidates
from animecut.platforms.candidates import AIM
from animecut.platforms.fit import fit
from animecut.platforms.similarity import ssim, still_score
from animecut.platforms.specs import PLATFORMS, Format, Platform, check_file, without_limits
from animecut.platforms.timeline import Timeline, TooLong, plan_timeline
from animecut.types import Clip, Seconds

ANIMATED = [name for name, row in PLATFORMS.items() if row.animated]
SUFFIX = {"avif": ".avif", "webp": ".webp", "gif": ".gif", "apng": ".png", "webm": ".webm", "mov": ".mov"}


def sticker(i: int, size: tuple[int, int] = (48, 24), *, noise: float = 0) -> np.ndarray:
    """A red disc with a soft edge that sinks in a transparent picture of (height, width); noise makes it dear."""
    height, width = size
    y, x = np.mgrid[:height, :width]
    far = np.hypot(x - width / 2, y - width / 2 - i * (height - width) / 24)
    alpha = np.clip(width / 2 - 1 - far, 0, 1)
    rng = np.random.default_rng(i)
    rgb = np.stack([np.full(size, 220), 40 + 3 * x, 60 + y], axis=2) + rng.normal(0, noise, (*size, 3))
    rgba = np.dstack([np.clip(rgb, 0, 255), alpha * 255]).round().astype(np.uint8)
    rgba[alpha == 0] = 0
    return rgba


def clips(
    count: int, seconds: float = 1 / 12, *, size: tuple[int, int] = (48, 24), noise: float = 0, start: float = 5.0
) -> list[Clip]:
    """So many drawings, each for so many seconds, in a source's time."""
    times: Seconds = start + np.arange(count + 1, dtype=np.float64) * seconds
    return [Clip(sticker(i, size, noise=noise)[None], times[i : i + 2]) for i in range(count)]


def limited(kind: Format, most: float) -> Platform:
    """A limit of bytes and no other."""
    return replace(without_limits(kind), max_bytes=most)


@pytest.fixture
def encodes(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that are tried from now on."""
    tried: list[Path] = []

    def counted(path: Path, source: Iterable[Clip], kind: str, **how: int) -> Written:
        tried.append(path)
        return writer.write_sticker(path, source, kind, **how)

    monkeypatch.setattr(candidates, "write_sticker", counted)
    return tried


def second_look(path: Path) -> tuple[tuple[int, int], int, float, int | None]:
    """Width and height, frames, seconds and the loop word, straight from Pillow or PyAV."""
    if path.suffix == ".webm":
        with av.open(str(path)) as container:
            assert [stream.type for stream in container.streams] == ["video"]
            assert container.streams.video[0].metadata["alpha_mode"] == "1"
            size = (container.streams.video[0].width, container.streams.video[0].height)
            packets = [packet for packet in container.demux(video=0) if packet.size]
            return size, len(packets), (container.duration or 0) / 1e6, None
    with Image.open(path) as image:
        count = getattr(image, "n_frames", 1)
        total = 0.0
        for i in range(count):
            image.seek(i)
            image.load()
            total += image.info.get("duration", 0) / 1000
        return image.size, count, total, image.info.get("loop")


@pytest.mark.parametrize("name", ANIMATED)
def test_every_animated_platform_takes_it(tmp_path: Path, name: str, encodes: list[Path]) -> None:
    row = PLATFORMS[name]
    path = tmp_path / f"a{SUFFIX[row.format]}"
    fitted = fit(clips(5, 1 / 5, size=(48, 10)), path, row)
    assert check_file(path, name) == []
    size, count, seconds, loop = second_look(path)
    assert size[0] <= row.width
    assert size[1] <= row.height
    assert max(size) == max(row.width if row.canvas != "within" else 270, row.height)
    assert row.min_frames <= count == fitted.written.frames == 5
    assert seconds == pytest.approx(1.0, abs=0.011)
    assert path.stat().st_size == fitted.written.bytes <= row.max_bytes * AIM
    if name == "signal":
        assert loop == 0
    if row.loops and row.loops[0] == 1:
        assert loop == row.loops[1]
    assert fitted.written.path == path
    assert len(encodes) == 1
    assert fitted.ssim > (0.85 if row.format == "gif" else 0.95)  # alpha of one bit
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


@pytest.mark.slow
@pytest.mark.parametrize("name", ANIMATED)
@pytest.mark.parametrize("kind", ["long", "short", "held", "tiny", "huge", "one", "dear", "wide", "fast"])
def test_every_animated_platform_takes_every_clip(tmp_path: Path, name: str, kind: str) -> None:
    row = PLATFORMS[name]
    source = {
        "long": lambda: clips(130, 1 / 12, noise=4),
        "short": lambda: clips(5, 1 / 24),
        "held": lambda: clips(6, 0.7),
        "tiny": lambda: clips(12, size=(12, 9)),
        "huge": lambda: clips(6, size=(1500, 900), noise=10),
        "one": lambda: clips(1, 1.0),
        "dear": lambda: clips(24, size=(400, 300), noise=15),
        "wide": lambda: clips(12, size=(40, 300), noise=10),
        "fast": lambda: clips(120, 1 / 60, noise=4),
    }[kind]()
    path = tmp_path / f"a{SUFFIX[row.format]}"
    if len(source) < row.min_frames:
        with pytest.raises(OutputError, match="drawings and there is 1;"):
            fit(source, path, row)
        return
    fitted = fit(source, path, row)
    assert check_file(path, name) == []
    size, count, seconds, _ = second_look(path)
    assert size[0] <= row.width
    assert size[1] <= row.height
    assert row.min_frames <= count == fitted.written.frames <= row.max_frames
    assert seconds <= row.max_seconds + 0.001
    assert path.stat().st_size <= row.max_bytes * AIM
    if any("quality" in word or "colours" in word for word in fitted.given_up):
        assert path.stat().st_size >= 0.85 * row.max_bytes or fitted.ssim > 0.98  # then nothing is left to be seen


@pytest.mark.parametrize("name", [name for name, row in PLATFORMS.items() if not row.animated])
def test_still_platforms_get_the_best_still(tmp_path: Path, name: str) -> None:
    row = PLATFORMS[name]
    path = tmp_path / f"a{SUFFIX[row.format]}"
    fitted = fit(clips(3), path, row)
    assert check_file(path, name) == []
    assert fitted.given_up == ("one still of 3 drawings",)


@pytest.mark.parametrize(
    ("kind", "share"),
    [("webp", 0.8), pytest.param("gif", 0.97, marks=pytest.mark.slow), ("apng", 0.97), ("webm", 0.6), ("avif", 0.8)],
)
def test_a_byte_limit_is_used_and_kept(tmp_path: Path, kind: Format, share: float, encodes: list[Path]) -> None:
    source, path = clips(4, 1 / 6, noise=30), tmp_path / f"a{SUFFIX[kind]}"
    full = fit(source, path, without_limits(kind))
    assert full.given_up == ()
    limit = share * full.written.bytes
    fitted = fit(source, path, limited(kind, limit))
    assert 0.85 * limit <= path.stat().st_size == fitted.written.bytes <= AIM * limit
    assert any("quality" in word or "colours" in word for word in fitted.given_up)
    assert len(encodes) <= 1 + 9  # one of them for the sticker without a limit
    assert 0.3 < fitted.ssim < full.ssim


@pytest.mark.parametrize("kind", ["webp", "gif", "apng"])
def test_every_picture_of_every_encode_is_a_sign_of_life(tmp_path: Path, kind: Format, encodes: list[Path]) -> None:
    source, path, signs = clips(6, 1 / 6, noise=30), tmp_path / f"a{SUFFIX[kind]}", list[int]()
    full = fit(source, path, without_limits(kind)).written.bytes
    encodes.clear()
    fitted = fit(source, path, limited(kind, 0.6 * full), alive=lambda: signs.append(1))
    assert len(encodes) > 1
    passes = len(encodes) * (1 if kind == "webp" else 2) + 1  # the last one compares
    assert len(signs) >= passes * fitted.written.frames


def test_the_order_of_giving_up(tmp_path: Path) -> None:
    source = clips(12, 1 / 24, noise=20)
    sizes = [fit(source, tmp_path / "a.webp", without_limits("webp")).written.bytes]
    for share, words in ((0.85, 1), (0.6, 2), (0.23, 2), (0.18, 3)):
        fitted = fit(source, tmp_path / "a.webp", limited("webp", sizes[0] * share))
        assert len(fitted.given_up) == words
        assert ("drawings instead of 12" in fitted.given_up[0]) == (words > 1)
        sizes.append(fitted.written.bytes)
    assert "quality" in fitted.given_up[1]
    assert "pixels instead of 48" in fitted.given_up[2]
    assert max(fitted.written.width, fitted.written.height) < 48
    assert sizes == sorted(sizes, reverse=True)


def test_the_same_clips_give_the_same_file(tmp_path: Path) -> None:
    digests = set()
    for name in ("a.png", "b.png"):
        fit(clips(4, noise=20), tmp_path / name, limited("apng", 14_000))
        digests.add(hashlib.sha256((tmp_path / name).read_bytes()).hexdigest())
    assert len(digests) == 1


def test_what_cannot_be_is_said_in_words(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    with pytest.raises(OutputError, match="into 10 bytes; the nearest miss"):
        fit(clips(3), path, limited("apng", 10))
    with pytest.raises(OutputError, match="at least 5 drawings and there is 1;"):
        fit(clips(1), path, PLATFORMS["line"])
    with pytest.raises(OutputError, match="nearest miss"):
        fit(clips(3), path, limited("apng", 200))
    with pytest.raises(OutputError, match=r"`first`: not in the 0\.\d+ s that are left for apng limits"):
        fit(clips(3), path, without_limits("apng"), first=99)
    with pytest.raises(OutputError, match="cannot write"):
        fit(clips(3), tmp_path / "none" / "a.png", without_limits("apng"))
    assert list(tmp_path.iterdir()) == []


def test_only_what_does_not_read_back_counts_as_not_fitting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def full(path: Path, source: Iterable[Clip], kind: str, *, loop: int, quality: int, colours: int) -> Written:
        raise OutputError(f"cannot write {path}: No space left on device")

    def unreadable(path: Path, source: Iterable[Clip], kind: str, *, loop: int, quality: int, colours: int) -> Written:
        asked.append(quality)
        if quality < 60:
            raise Unreadable(f"{path}: alpha differs")
        return writer.write_sticker(path, source, kind, loop=loop, quality=quality, colours=colours)

    monkeypatch.setattr(candidates, "write_sticker", full)
    with pytest.raises(OutputError, match=rf"cannot write {tmp_path}/a.webm: No space"):
        fit(clips(3), tmp_path / "a.webm", without_limits("webm"))
    monkeypatch.setattr(candidates, "write_sticker", unreadable)
    size = fit(clips(3, noise=30, size=(96, 64)), tmp_path / "a.webm", without_limits("webm")).written.bytes
    fitted = fit(clips(3, noise=30, size=(96, 64)), tmp_path / "a.webm", limited("webm", 0.15 * size))
    assert min(asked) == 55
    assert "quality 65" in fitted.given_up[1]
    assert "pixels" in fitted.given_up[2]


def test_a_failure_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "a.webp"
    path.write_text("mine")
    with pytest.raises(OutputError):
        fit(clips(3, noise=20), path, limited("webp", 200))
    assert path.read_text() == "mine"


def test_signal_loops_for_ever_whatever_was_asked(tmp_path: Path) -> None:
    fitted = fit(clips(2, size=(48, 8)), tmp_path / "a.png", PLATFORMS["signal"], loop=2)
    assert fitted.given_up == ("plays for ever",)
    assert check_file(tmp_path / "a.png", "signal") == []


def test_equal_neighbours_are_one_drawing(tmp_path: Path) -> None:
    held = [Clip(np.repeat(sticker(0)[None], 6, axis=0), np.arange(7) / 6)]
    with pytest.raises(OutputError, match="there is 1"):
        fit(held, tmp_path / "a.png", PLATFORMS["line"])


# The schedule


def made(
    count: int, seconds: float, name: str, *, first: float | None = None, best: int = 0, loop: int = 0
) -> Timeline:
    scores = [1.0] * count
    scores[best] = 1.0 if best == 0 else 2.0
    return plan_timeline(
        5 + np.arange(count + 1, dtype=np.float64) * seconds, scores, PLATFORMS[name], loop=loop, first=first
    )


def test_too_long_is_cut_off_the_end_and_said() -> None:
    cut = made(60, 1 / 12, "telegram")
    assert cut.posts[-1] == 3.0
    assert len(cut.order) == 36
    np.testing.assert_allclose(np.diff(cut.posts), 1 / 12)
    assert cut.given_up == ("2.00 s cut off the end (at most 3 s)",)


@pytest.mark.parametrize(
    ("count", "seconds", "times", "plays", "once"),
    [
        (12, 1 / 12, 1, 4, 1.0),
        (6, 0.08, 2, 4, 1.0),
        (5, 1 / 24, 4, 4, 1.0),
        (3, 0.25, 4, 1, 3.0),  # so few drawings that they must come twice
        (17, 0.1, 1, 2, 2.0),
        (19, 0.1, 1, 2, 2.0),
        (29, 0.1, 1, 1, 3.0),
        (70, 0.1, 1, 1, 4.0),
        (5, 0.249, 3, 1, 4.0),
    ],
)
@pytest.mark.parametrize("name", ["line", "line-emoji"])
def test_line_lasts_whole_seconds_each_play_without_a_change_of_speed(
    count: int, seconds: float, times: int, plays: int, once: float, name: str
) -> None:
    made_so = made(count, seconds, name)
    assert (made_so.plays, made_so.posts[-1]) == (plays, pytest.approx(once))
    assert len(made_so.order) >= 5
    assert (made_so.order == 0).sum() == times
    as_they_were = made_so.order != made_so.order.max()  # the last one of each time through is held or cut
    np.testing.assert_allclose(np.diff(made_so.posts)[as_they_were], seconds)


def test_what_is_too_long_is_shortened_as_asked() -> None:
    posts = 5 + np.arange(49, dtype=np.float64) / 12  # 4 s on twos
    how: dict[TooLong, Timeline] = {
        name: plan_timeline(posts, [1.0] * 48, PLATFORMS["telegram"], loop=0, first=7.0, too_long=name)
        for name in get_args(TooLong)
    }
    for timeline in how.values():
        assert timeline.posts[-1] == pytest.approx(3.0)
    assert how["cut"].given_up == ("1.00 s cut off the end (at most 3 s)", "starts at 2.00 s")
    assert len(how["cut"].order) == 36
    assert how["speed"].given_up == ("played 1.33 times as fast to last 3 s", "starts at 1.50 s")
    np.testing.assert_allclose(np.diff(how["speed"].posts), 1 / 16)
    assert sorted(how["speed"].order) == list(range(48))
    assert how["thin"].given_up[0] == "12 of 48 drawings left out to last 3.00 s"
    np.testing.assert_allclose(np.diff(how["thin"].posts), 1 / 12)
    assert np.diff(sorted(how["thin"].order)).max() == 2
    for timeline in how.values():  # what shows 2 s after the beginning
        assert timeline.order[0] in (23, 24)
    short = plan_timeline(posts[:13], [1.0] * 12, PLATFORMS["telegram"], loop=0, first=None, too_long="speed")
    assert short.given_up == ()


def test_the_plays_asked_for_are_kept_where_they_may_be() -> None:
    assert made(12, 1 / 12, "line", loop=2).plays == 2
    assert made(12, 1 / 12, "line", loop=3).plays == 3
    assert made(12, 1 / 12, "line", loop=9).plays == 4


def test_the_loop_is_turned_to_its_best_still() -> None:
    turned = made(12, 1 / 12, "whatsapp", best=4)
    assert turned.order.tolist() == [4, 5, 6, 7, 8, 9, 10, 11, 0, 1, 2, 3]
    assert turned.posts[-1] == pytest.approx(1.0)
    assert made(12, 1 / 12, "telegram", best=4).order[0] == 0
    assert made(12, 1 / 12, "telegram", best=4, first=5.6).order[0] == 7
    assert made(12, 1 / 12, "whatsapp", best=4, first=5.0).order[0] == 0


def test_a_rate_a_little_too_fast_is_thinned_too() -> None:
    gif_of_33_a_second = Timeline(np.arange(50), np.arange(51, dtype=np.float64) * 0.03, 0)
    assert np.diff(gif_of_33_a_second.thinned(1 / 30).posts).min() > 1 / 30 - 0.001
    thirty = Timeline(np.arange(60), np.round(np.arange(61) / 30, 3), 0)
    assert len(thirty.thinned(1 / 30).order) == 60


def test_few_drawings_are_spread_evenly() -> None:
    every = Timeline(np.arange(24), np.arange(25) / 12, 0)
    assert len(every.at_most(20).order) == 20
    assert every.at_most(20).posts[-1] == 2.0
    assert np.diff(every.at_most(20).order).max() == 2
    assert every.at_most(24) is every
    threes = Timeline(np.arange(24), np.arange(25) / 24, 0).thinned(1 / 8)
    assert threes.order.tolist() == list(range(0, 24, 3))
    np.testing.assert_allclose(np.diff(threes.posts), 1 / 8)


def test_uneven_times_are_thinned_by_time_not_by_count() -> None:
    posts = np.array([0, 0.5, 0.54, 0.58, 0.62, 1.2])
    assert Timeline(np.arange(5), posts, 0).thinned(1 / 12).order.tolist() == [0, 1, 4]


# Likeness and colours


def test_ssim_is_one_for_equals_and_falls_with_harm() -> None:
    reference = sticker(3, (64, 64))
    noisy = sticker(3, (64, 64), noise=10)
    worse = sticker(3, (64, 64), noise=40)
    assert ssim(reference, reference) == pytest.approx(1.0)
    assert 1 > ssim(noisy, reference) > ssim(worse, reference) > 0
    clear = np.zeros((64, 64, 4), np.uint8)
    assert ssim(clear, clear) == 1.0
    assert ssim(clear, reference) < 0.9
    wide = np.pad(reference, ((0, 0), (0, 400), (0, 0)))  # what shows nothing does not count
    assert ssim(np.pad(worse, ((0, 0), (0, 400), (0, 0))), wide) == pytest.approx(ssim(worse, reference), abs=0.02)


def test_the_sharper_and_the_larger_is_the_better_still() -> None:
    sharp = sticker(0, (64, 64), noise=20)
    blurred = sharp.copy()
    blurred[..., :3] = np.asarray(Image.fromarray(sharp[..., :3]).reduce(4).resize((64, 64)))
    small = np.zeros_like(sharp)
    small[:32, :32] = sharp[::2, ::2]
    assert still_score(sharp) > still_score(blurred)
    assert still_score(sharp) > still_score(small)
    assert still_score(np.zeros_like(sharp)) == 0


@pytest.mark.parametrize("size", [24, 128])
def test_few_colours_are_few_and_near(size: int) -> None:
    pictures = [sticker(i, (64, 48), noise=10) for i in range(3)]
    cells = colour_histogram(pictures)
    palette = build_palette(cells, size)
    seen = set()
    for picture in pictures:
        few = quantise(picture, cells, palette)
        seen |= {tuple(colour) for colour in few[few[..., 3] > 0].tolist()}
        assert ((few[..., 3] == 0) == (picture[..., 3] == 0)).all()
        assert ((few[..., 3] == 255) == (picture[..., 3] == 255)).all()
        opaque = picture[..., 3] == 255
        assert np.abs(few[opaque].astype(int) - picture[opaque]).mean() < 20
    assert len(seen) <= size
