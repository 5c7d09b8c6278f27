import threading
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import cv2
import numpy as np
import pytest
from PIL import Image

from animecut._util.masks import Mask, Plane, distance_to
from animecut._util.progress import Progress
from animecut.errors import InputError, NoCharacter, OutputError, SettingsError
from animecut.pipeline import cut
from animecut.platforms.specs import PLATFORMS
from animecut.results import Result, Target
from animecut.settings import Format, Settings
from animecut.types import Alpha, Pixels
from tests import clips_made, world

FORMATS: tuple[Format, ...] = ("webp", "gif", "apng", "webm", "mov", "png")
SUFFIX = {"webp": ".webp", "gif": ".gif", "apng": ".png", "webm": ".webm", "mov": ".mov", "png": ""}


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return world.write_clip(tmp_path_factory.mktemp("clips") / "walk.mp4", [rgb for rgb, _ in world.walking()])


def run(source: Path, folder: Path, *formats: Format, **settings: object) -> Result:
    kinds = formats or ("webp",)
    targets = [Target(folder / f"out{SUFFIX[kind]}", kind) for kind in kinds]
    return cut(source, targets, Settings(formats=kinds, **settings), world.see, Progress())  # type: ignore[arg-type]


def frames_of(path: Path) -> list[np.ndarray]:
    with Image.open(path) as image:
        frames = []
        for i in range(getattr(image, "n_frames", 1)):
            image.seek(i)
            frames.append(np.asarray(image.convert("RGBA")))
        return frames


def test_a_source_that_is_too_long_is_refused_before_it_is_worked_through(tmp_path: Path) -> None:
    def never(pixels: Pixels) -> Alpha:
        raise AssertionError("looked at")

    source = world.write_clip(tmp_path / "long.mp4", [rgb for rgb, _ in world.walking()] * 6)
    for settings in (Settings(max_source_seconds=1.5), Settings(max_source_seconds=0.5, start=0.5, end=2.5)):
        with pytest.raises(InputError, match=r"longer than `max_source_seconds` .*`start` and `end`"):
            cut(source, [Target(tmp_path / "out.webp", "webp")], settings, never, Progress())
    short = Settings(max_source_seconds=0.5, start=2.0, end=2.4, size=64)
    assert cut(source, [Target(tmp_path / "out.webp", "webp")], short, world.see, Progress()).outputs
    still = Settings(max_source_seconds=0.5, frame=0.2, size=64)
    assert cut(source, [Target(tmp_path / "still.webp", "webp")], still, world.see, Progress()).outputs


def test_a_clip_becomes_a_sticker_with_one_picture_per_drawing(clip: Path, tmp_path: Path) -> None:
    report = run(clip, tmp_path, size=128)
    frames = frames_of(tmp_path / "out.webp")
    assert (report.frames_in, report.drawings, report.shots, len(frames)) == (12, 6, 1, 6)
    assert report.outputs[0].written.duration_s == pytest.approx(0.5, abs=0.001)
    assert max(frames[0].shape[:2]) == 128
    assert {"decode", "drawings", "segment", "steady", "refine", "compose", "encode"} <= set(report.seconds)
    assert list(tmp_path.iterdir()) == [tmp_path / "out.webp"]


def test_transparent_outside_and_opaque_inside(clip: Path, tmp_path: Path) -> None:
    """Without cropping the sticker lies over the source, so the truth is known pixel by pixel."""
    run(clip, tmp_path, size=world.WIDTH, crop=False)
    for frame, (rgb, truth) in zip(frames_of(tmp_path / "out.webp"), world.walking(), strict=True):
        alpha = frame[..., 3] / 255
        assert np.abs(alpha - truth).mean() * 1e3 < 12
        deep = cv2.erode((truth == 1).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
        assert (alpha[deep] > 0.98).mean() > 0.99
        assert np.abs(frame[..., :3].astype(float) - rgb)[deep].mean() < 8


def test_every_format_comes_from_one_pass(clip: Path, tmp_path: Path) -> None:
    report = run(clip, tmp_path, *FORMATS, size=96)
    assert [out.written.format for out in report.outputs] == list(FORMATS)
    assert report.frames_in == 12
    for out in report.outputs:
        assert out.written.duration_s == pytest.approx(0.5, abs=0.01)
        assert out.written.path.exists()


def test_the_range_is_kept_to_the_picture(clip: Path, tmp_path: Path) -> None:
    report = run(clip, tmp_path, start=0.1, end=0.3)
    assert report.outputs[0].written.duration_s == pytest.approx(0.2, abs=0.002)
    assert report.drawings == 3  # 0.1 lies in the second drawing, 0.3 in the fourth


def test_fps_thins_the_drawings_and_keeps_the_time(clip: Path, tmp_path: Path) -> None:
    report = run(clip, tmp_path, fps=6.0)
    assert report.drawings == 3
    assert report.outputs[0].written.duration_s == pytest.approx(0.5, abs=0.002)


def test_a_picture_without_a_character_in_between_is_empty(tmp_path: Path) -> None:
    drawings = [world.drawing(100)[0], world.drawing(100, empty=True)[0], world.drawing(130)[0]]
    run(world.write_clip(tmp_path / "gap.mp4", drawings, hold=3), tmp_path, steady=0.0)
    frames = frames_of(tmp_path / "out.webp")
    assert [bool((frame[..., 3] > 128).any()) for frame in frames] == [True, False, True]


def test_no_character_anywhere_is_said_and_nothing_is_written(tmp_path: Path) -> None:
    source = world.write_clip(tmp_path / "empty.mp4", [world.drawing(0, empty=True)[0]] * 2)
    with pytest.raises(NoCharacter, match="no character"):
        run(source, tmp_path)
    assert list(tmp_path.iterdir()) == [source]


def test_a_source_that_cannot_be_read_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        run(tmp_path / "missing.mp4", tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("limit", "says"),
    [
        ({"max_source_side": 255}, "256 pixels long"),
        ({"max_source_pixels": 36863}, "36863"),
        ({"max_source_seconds": 0.49}, "longer"),
    ],
)
def test_more_than_is_allowed_is_refused_in_words(
    clip: Path, tmp_path: Path, limit: dict[str, float], says: str
) -> None:
    with pytest.raises(InputError, match=says) as caught:
        run(clip, tmp_path, **limit)
    (name,) = limit
    assert f"`{name}`" in str(caught.value)
    assert not list(tmp_path.iterdir())
    run(clip, tmp_path, size=64, **{name: limit[name] + 1})


def test_a_background_makes_the_sticker_opaque(clip: Path, tmp_path: Path) -> None:
    run(clip, tmp_path, "apng", background="#0000ff", size=64)
    first = frames_of(tmp_path / "out.png")[0]
    assert (first[..., 3] == 255).all()
    assert first[0, 0, :3].tolist() == [0, 0, 255]


def test_what_a_source_left_transparent_stays_so(tmp_path: Path) -> None:
    rgb, truth = world.drawing(128)
    hole = (truth * 255).round().astype(np.uint8)
    hole[:60] = 0
    Image.fromarray(np.dstack([rgb, hole])).save(tmp_path / "still.png")
    run(tmp_path / "still.png", tmp_path, "webp", crop=False, size=world.WIDTH)
    (frame,) = frames_of(tmp_path / "out.webp")
    assert frame[:59, :, 3].max() == 0
    assert frame[110, 128, 3] == 255


class InBatches:
    """A network that sees so many pictures at once."""

    def __init__(self, batch_size: int) -> None:
        self.batch_size = batch_size

    def __call__(self, pixels: Pixels) -> Alpha:
        assert len(pixels) <= self.batch_size
        return world.see(pixels)


def test_neither_batches_nor_workers_change_a_pixel(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = []
    for batch_size, workers in ((1, 1), (4, 2), (16, 5)):
        monkeypatch.setattr("animecut._util.concurrency.available_cores", partial(int, workers))
        target = Target(tmp_path / "out.png", "apng")
        cut(clip, [target], Settings(formats=("apng",), size=96), InBatches(batch_size), Progress())
        files.append((tmp_path / "out.png").read_bytes())
    assert files[0] == files[1] == files[2]


@pytest.mark.parametrize(
    "stage", ["merge_held_frames", "select", "smooth", "edges.refine", "compose.resample", "write_sticker"]
)
def test_what_fails_in_any_thread_is_raised_once_and_ends_all_threads(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    def broken(*_: object, **__: object) -> NoReturn:
        raise OutputError(f"{stage} failed")

    before = threading.active_count()
    monkeypatch.setattr(f"animecut.pipeline.{stage}", broken)
    with pytest.raises(OutputError, match=f"^{stage} failed$"):
        run(clip, tmp_path)
    assert threading.active_count() <= before + 1  # the matting solver may still be loading
    assert not list(tmp_path.iterdir())


def test_a_watch_charges_each_second_to_one_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(100))
    monkeypatch.setattr("time.perf_counter", lambda: float(next(clock)))
    watch = Progress()

    def inner() -> "list[int]":
        return list(watch.each("inner", [1]))

    with watch.during("outer"):
        inner()
    assert set(watch.seconds) == {"outer", "inner"}
    assert sum(watch.seconds.values()) == next(clock) - 1  # every tick since `outer` began, in one stage or the other


def test_drawings_too_doubtful_to_be_matted_are_told_and_measured_once(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    measured: list[Mask] = []

    def measure(mask: Mask) -> Plane:
        measured.append(mask)
        return distance_to(mask)

    def doubt(pixels: Pixels) -> Alpha:
        return np.clip(world.see(pixels), 0.3, 0.7)

    monkeypatch.setattr(Progress, "notice", lambda self, message: said.append(message))
    monkeypatch.setattr("animecut.matte.matting.distance_to", measure)
    cut(clip, [Target(tmp_path / "a.webp", "webp")], Settings(size=64), doubt, Progress())
    assert "6 of 6 drawings were too doubtful to be matted" in said[-1]
    assert len(measured) == 2 * 6  # to what is solid, and from it


def test_it_is_told_that_a_sticker_is_being_fitted(clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[str, int]] = []
    monkeypatch.setattr(Progress, "progress", lambda self, stage, done, total: told.append((stage, done)))
    run(clip, tmp_path, size=128, max_bytes=8000)
    assert told.index(("webp", 6)) < told.index(("fitting", 1)) < told.index(("fitting", 12))


def test_a_border_surrounds_the_character_and_a_gif_has_it_whole(clip: Path, tmp_path: Path) -> None:
    run(clip, tmp_path, "apng", "gif", size=128, outline=5, outline_color="#00ff00", shadow=True, steady=0.0)
    for frame in frames_of(tmp_path / "out.png"):
        assert max(frame.shape[:2]) == 128
        green = (frame == (0, 255, 0, 255)).all(axis=2)
        figure = (frame[..., 3] == 255) & (frame[..., 0] > 128)
        around = cv2.dilate(figure.astype(np.uint8), cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (9, 9))) > 0
        assert green.sum() > 500
        assert not (around & (frame[..., 3] < 250)).any()  # at the canvas' edge, too
        faint = frame[(frame[..., 3] > 20) & (frame[..., 3] < 100)]
        assert (faint[:, :3].max(axis=1) == 0).sum() > 100  # the shadow is black
    for frame in frames_of(tmp_path / "out.gif"):
        assert set(np.unique(frame[..., 3])) == {0, 255}
        assert frame[frame[..., 3] == 255].max(axis=1).min() == 255
        dark = (frame[..., :3].max(axis=2) < 60) & (frame[..., 3] == 255)
        rim = (frame[..., 3] == 255) & (cv2.erode((frame[..., 3] > 0).astype(np.uint8), np.ones((3, 3))) == 0)
        assert not (dark & rim).any()  # no shadow left in it


def test_a_gif_that_is_laid_on_white_keeps_its_soft_edge_and_shadow(clip: Path, tmp_path: Path) -> None:
    target = Target(tmp_path / "out.gif", "gif", PLATFORMS["kakao"])
    settings = Settings(formats=(), platforms=("kakao",), size=360, shadow=True)
    cut(clip, [target], settings, world.see, Progress())
    for frame in frames_of(target.path):
        assert (frame[..., 3] == 255).all()
        grey = np.ptp(frame[..., :3].astype(int), axis=2) < 8
        shades = np.unique(frame[grey][:, 0])
        assert len(shades[(shades > 150) & (shades < 250)]) > 5  # of the shadow on white


def test_a_still_fills_an_exact_canvas_from_its_lower_edge(clip: Path, tmp_path: Path) -> None:
    report = run(clip, tmp_path, "apng", frame=0.2, canvas=(90, 120), background="#0000ff")
    (out,) = report.outputs
    assert (out.written.width, out.written.height, out.written.frames, report.drawings) == (90, 120, 1, 1)
    (frame,) = frames_of(tmp_path / "out.png")
    assert (frame[..., 3] == 255).all()
    assert frame[0, 0, :3].tolist() == [0, 0, 255]
    assert frame[-1, 45, 0] > 150  # the figure is cut by the frame below, so it stands there


def test_the_crop_follows_the_character_who_is_larger_then(clip: Path, tmp_path: Path) -> None:
    run(clip, tmp_path, "apng", size=128, follow=True)
    followed = frames_of(tmp_path / "out.png")
    middles = [np.flatnonzero((f[..., 3] > 128).any(axis=0))[[0, -1]].mean() for f in followed]
    assert np.ptp(middles) < 4
    assert followed[0].shape[0] == 128
    run(clip, tmp_path, "webp", size=128)
    assert frames_of(tmp_path / "out.webp")[0].shape[0] < 128  # the fixed crop is as wide as the walk


def test_time_runs_as_it_is_asked_to(clip: Path, tmp_path: Path) -> None:
    report = run(clip, tmp_path, "apng", size=64, speed=2.0, reverse=True, bounce=True)
    assert report.outputs[0].written.duration_s == pytest.approx(10 / 12 / 2, abs=0.002)  # 6 + 4 drawings of 1/12 s
    frames = frames_of(tmp_path / "out.png")
    assert len(frames) == 10
    assert (frames[1] == frames[9]).all()
    where = [float(np.flatnonzero((f[..., 3] > 128).any(axis=0)).mean()) for f in frames]
    assert where[0] == max(where)
    assert where[5] == min(where)


def test_a_loop_is_found_and_cut_to_and_where_there_is_none_all_is_kept(clip: Path, tmp_path: Path) -> None:
    swing = [world.drawing(120 + 40 * np.sin(2 * np.pi * i / 8))[0] for i in range(14)]
    source = world.write_clip(tmp_path / "swing.mp4", swing)
    report = run(source, tmp_path, size=64, loop_find=True)
    assert report.loop is not None
    assert report.loop.end - report.loop.start == pytest.approx(8 / 12, abs=0.001)
    assert (report.loop.seam, report.loop.holds, report.drawings) == ("seamless", True, 8)
    assert report.outputs[0].written.duration_s == pytest.approx(8 / 12, abs=0.002)
    walk = run(clip, tmp_path, "apng", size=64, loop_find=True)
    assert walk.loop is not None
    assert (walk.loop.seam, walk.loop.holds, walk.outputs[0].written.frames) == ("a clear jump", False, 6)


def test_flicker_is_of_the_part_that_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pairs = []

    def counted(changes: list[float], held_pairs: int) -> float:
        pairs.append(held_pairs)
        return 0.25

    monkeypatch.setattr("animecut.matte.flicker.held_flicker", counted)
    swing = [world.drawing(120 + 40 * np.sin(2 * np.pi * i / 8))[0] for i in range(14)]
    source = world.write_clip(tmp_path / "swing.mp4", swing)  # each on twos
    report = run(source, tmp_path, size=64, loop_find=True)
    assert report.drawings == 8
    assert report.held_flicker == 0.25
    assert pairs[-1] == 8


def test_a_caption_is_white_and_lies_on_everything(clip: Path, tmp_path: Path) -> None:
    run(clip, tmp_path, "apng", "gif", size=128, caption="HEY", background="black")
    (first, *_) = frames_of(tmp_path / "out.png")
    white = (first[..., :3] == 255).all(axis=2)
    assert white.sum() > 40
    assert np.flatnonzero(white.any(axis=1))[0] > 0.6 * first.shape[0]


@pytest.mark.parametrize("wrong", [{"caption": "あ"}, {"outline_color": "nocolour"}, {"outline_color": "rgb(0,300,0)"}])
def test_what_no_source_could_mend_is_said_before_the_work(tmp_path: Path, wrong: dict[str, object]) -> None:
    with pytest.raises(SettingsError):
        run(tmp_path / "missing.mp4", tmp_path, **wrong)


@pytest.mark.parametrize("suffix", ["png", "webp", "mov"])
def test_what_is_cut_out_already_keeps_its_own_alpha_unless_it_is_recut(tmp_path: Path, suffix: str) -> None:
    drawings = [np.dstack([rgb, np.rint(alpha * 255).astype(np.uint8)]) for rgb, alpha in world.walking(3)]
    source = tmp_path / f"cut.{suffix}"
    if suffix == "mov":
        clips_made.write_video(source, drawings, codec="prores_ks", pixels="yuva444p10le", options={"profile": "4444"})
    else:
        first, *others = map(Image.fromarray, drawings)
        lossless: dict[str, Any] = {"lossless": True, "exact": True} if suffix == "webp" else {}
        first.save(source, save_all=True, append_images=others, duration=100, loop=0, **lossless)

    def unasked(pixels: Pixels) -> Alpha:
        raise AssertionError

    target = Target(tmp_path / "out.png", "apng")
    settings = Settings(formats=("apng",), crop=False, size=world.WIDTH, margin=0)
    report = cut(source, [target], settings, unasked, Progress())
    found = frames_of(target.path)
    assert report.own_alpha
    assert len(found) == 3
    for picture, drawing in zip(found, drawings, strict=True):
        assert np.abs(picture[..., 3].astype(int) - drawing[..., 3]).max() <= 1
        opaque = drawing[..., 3] == 255
        assert np.abs(picture[opaque].astype(int) - drawing[opaque]).mean() <= (2 if suffix == "mov" else 0.01)
    report = cut(source, [target], replace(settings, recut=True), world.see, Progress())
    assert not report.own_alpha
