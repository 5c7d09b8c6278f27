import json
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from samples import make_samples
from samples.character import draw_character, random_character
from samples.classroom import classroom
from samples.design import Pose
from samples.make_samples import AKARI, FOLDER, HEIGHT, MARGIN, REELS, WIDTH, Sheet, cels, expose, load_truth
from samples.riverside import riverside, riverside_at_dusk

NAMES = sorted(REELS)
LABELS = sorted((FOLDER / "labelled").glob("*.json"))


def test_a_drawing_is_the_same_each_time_and_a_blink_is_another() -> None:
    open_, again, shut = (draw_character(AKARI, Pose(yaw=9, blink=b, wind=1), 160) for b in (0, 0, 1))
    assert open_.tobytes() == again.tobytes()
    assert (open_[..., 3] == shut[..., 3]).all()
    assert (open_ != shut).any()


@pytest.mark.parametrize("seed", range(6))
def test_chance_characters_are_cut_out_cleanly(seed: int) -> None:
    drawing = draw_character(*random_character(np.random.default_rng(seed)), 120)
    alpha = drawing[..., 3]
    assert 0.15 < (alpha > 127).mean() < 0.6
    assert set(np.unique(alpha)) <= set(np.round(np.arange(17) * 255 / 16).astype(int))
    assert not drawing[alpha == 0].any()
    solid = np.asarray(cv2.connectedComponentsWithStats((alpha > 127).astype(np.uint8))[2])
    assert solid[1:, cv2.CC_STAT_AREA].max() > 0.97 * (alpha > 127).sum()


@pytest.mark.parametrize("scene", [classroom, riverside, riverside_at_dusk])
def test_a_scene_is_the_same_each_time(scene: type) -> None:
    first: Sheet = scene(72, 128)
    assert first.shape == (72, 128, 3)
    assert first.std() > 30
    assert first.tobytes() == scene(72, 128).tobytes()


@pytest.mark.parametrize("name", NAMES)
def test_the_truth_on_disk_is_what_is_drawn(name: str) -> None:
    truth = load_truth(name)
    assert truth.alpha.dtype == np.float32
    assert truth.alpha.shape == (len(truth.drawing), HEIGHT, WIDTH)
    cel = next(cels(name))
    np.testing.assert_array_equal(truth.alpha[0], cel[:, :WIDTH, 3] / np.float32(255))
    for i in np.flatnonzero(np.diff(truth.drawing) == 0):  # the camera moves over still art
        step = int(truth.camera[i + 1] - truth.camera[i])
        np.testing.assert_array_equal(truth.alpha[i + 1][:, : WIDTH - step], truth.alpha[i][:, step:])
    assert (FOLDER / "truth" / f"{name}.npz").stat().st_size <= 300_000


def test_twos_threes_a_pan_and_a_cut() -> None:
    truth = load_truth("wave")
    runs = [np.bincount(truth.drawing[truth.shot == shot]) for shot in (0, 1)]
    assert np.median(runs[0]) == 2
    assert np.median(runs[1][runs[1] > 0]) == 3
    assert truth.camera.max() > 30
    assert not truth.held[np.flatnonzero(np.diff(truth.shot)) + 1].any()
    assert truth.held.mean() > 0.4


def test_a_held_drawing_gives_the_very_same_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(make_samples, "HEIGHT", 120)
    monkeypatch.setattr(make_samples, "WIDTH", 214)
    marked = np.zeros((load_truth("two").drawing[-1] + 1, 120, 214 + MARGIN, 4), np.uint8)
    for k, drawing in enumerate(marked):
        drawing[10:30, 8 * k : 8 * k + 20] = (255, 0, 200, 255)
    pixels, truth = expose("two", marked)
    same = [bool((a == b).all()) for a, b in pairwise(pixels)]
    assert same == truth.held[1:].tolist()
    assert (pixels[truth.alpha == 1] == (255, 0, 200)).all()


@pytest.mark.parametrize("name", NAMES)
def test_clips_play_at_their_rate(name: str) -> None:
    path, truth, rate = FOLDER / f"{name}.mp4", load_truth(name), REELS[name].rate
    assert path.stat().st_size <= 500_000
    with av.open(str(path)) as box:
        stream = box.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        stamps = [(frame.pts or 0) * Fraction(frame.time_base or 0) for frame in box.decode(stream)]
    assert stamps == [k / rate for k in range(len(truth.drawing))]
    np.testing.assert_allclose(truth.times[:-1], [float(stamp) for stamp in stamps], atol=1e-9)


def test_clips_show_what_the_truth_says() -> None:
    truth = load_truth("wave")
    capture = cv2.VideoCapture(str(FOLDER / "wave.mp4"))
    grey = []
    while (read := capture.read())[0]:
        grey.append(np.asarray(cv2.cvtColor(read[1], cv2.COLOR_BGR2GRAY)))
    change = np.array([0, *(cv2.absdiff(a, b).mean() for a, b in pairwise(grey))])
    assert len(change) == len(truth.held)
    assert change[truth.held].max() < change[1:][~truth.held[1:]].min()
    assert change.argmax() == np.flatnonzero(np.diff(truth.shot))[0] + 1


@pytest.mark.parametrize("path", LABELS, ids=lambda path: path.stem)
def test_labels_cover_the_character(path: Path) -> None:
    labelled = json.loads(path.read_text())
    name, frame = path.stem.split("_")
    alpha = load_truth(name).alpha[int(frame)]
    assert (labelled["imageHeight"], labelled["imageWidth"]) == alpha.shape
    picture = cv2.imread(str(path.with_name(labelled["imagePath"])))
    assert picture is not None
    assert picture.shape[:2] == alpha.shape
    mask = np.zeros(alpha.shape, np.uint8)
    for shape in labelled["shapes"]:
        assert (shape["label"], shape["shape_type"]) == ("character", "polygon")
        cv2.fillPoly(mask, [np.round(shape["points"]).astype(np.int32)], 1)
    inside, true = mask > 0, alpha > 0.5
    assert (inside & true).sum() / (inside | true).sum() >= 0.98


def test_eight_frames_are_labelled() -> None:
    assert len(LABELS) == 8
    assert all(path.with_suffix(".jpg").stat().st_size <= 150_000 for path in LABELS)
