from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from animecut.errors import InputError, NoCharacter
from animecut.pipeline import Report, Target, cut
from animecut.settings import Format, Settings
from animecut.watch import Watch
from tests import world

FORMATS: tuple[Format, ...] = ("webp", "gif", "apng", "webm", "mov", "png")
SUFFIX = {"webp": ".webp", "gif": ".gif", "apng": ".png", "webm": ".webm", "mov": ".mov", "png": ""}


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return world.write_clip(tmp_path_factory.mktemp("clips") / "walk.mp4", [rgb for rgb, _ in world.walking()])


def run(source: Path, folder: Path, *formats: Format, **settings: object) -> Report:
    kinds = formats or ("webp",)
    targets = [Target(folder / f"out{SUFFIX[kind]}", kind) for kind in kinds]
    return cut(source, targets, Settings(formats=kinds, **settings), world.see, Watch())  # type: ignore[arg-type]


def frames_of(path: Path) -> list[np.ndarray]:
    with Image.open(path) as image:
        frames = []
        for i in range(getattr(image, "n_frames", 1)):
            image.seek(i)
            frames.append(np.asarray(image.convert("RGBA")))
        return frames


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


def test_a_watch_charges_each_second_to_one_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(100))
    monkeypatch.setattr("time.perf_counter", lambda: float(next(clock)))
    watch = Watch()

    def inner() -> "list[int]":
        return list(watch.each("inner", [1]))

    with watch.during("outer"):
        inner()
    assert set(watch.seconds) == {"outer", "inner"}
    assert sum(watch.seconds.values()) == next(clock) - 2  # every tick since `outer` began, in one stage or the other
