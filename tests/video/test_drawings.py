from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from animecut.types import Clip, Drawing
from animecut.video.drawings import limit_rate, merge_held_frames
from animecut.video.reader import read_clips
from samples.make_samples import load_truth
from tests import world

SAMPLES = Path(__file__).parents[2] / "samples"


@pytest.mark.parametrize("name", ["wave", "two"])
def test_holds_and_cuts_of_the_samples_are_found(name: str) -> None:
    """Every drawing that the samples hold, no more and no fewer, with its exact time; the camera's moves are none."""
    truth = load_truth(name)
    starts = np.flatnonzero(~truth.held)
    found = list(merge_held_frames(read_clips(SAMPLES / f"{name}.mp4")))
    assert [drawing.start for drawing in found] == pytest.approx(truth.times[starts], abs=1e-3)
    assert [drawing.shot for drawing in found] == truth.shot[starts].tolist()
    assert found[-1].end == pytest.approx(truth.times[-1], abs=1e-3)


def test_the_input_may_come_in_pieces_of_any_length() -> None:
    whole, pieces = (list(merge_held_frames(read_clips(SAMPLES / "two.mp4", 0, 1, chunk=chunk))) for chunk in (100, 1))
    assert [(a.start, a.end) for a in whole] == [(b.start, b.end) for b in pieces]
    assert all((a.rgb == b.rgb).all() for a, b in zip(whole, pieces, strict=True))


def test_a_blink_is_another_drawing_and_noise_is_not() -> None:
    rng = np.random.default_rng(0)
    still, _ = world.drawing(120)
    noisy = [np.clip(still + rng.normal(0, 2, still.shape), 0, 255).astype(np.uint8) for _ in range(4)]
    blink = still.copy()
    blink[40:44, 112:122] = (60, 10, 10)
    clip = Clip(np.stack([*noisy[:2], blink, *noisy[2:]]), np.arange(6) / 24)
    found = list(merge_held_frames([clip]))
    assert [drawing.start for drawing in found] == pytest.approx([0, 2 / 24, 3 / 24])
    assert [drawing.end for drawing in found] == pytest.approx([2 / 24, 3 / 24, 5 / 24])
    assert [drawing.frames for drawing in found] == [2, 1, 2]


def test_a_slow_drift_does_not_chain_into_one_hold() -> None:
    steps = np.stack([np.full((60, 80, 3), 100 + 4 * i, np.uint8) for i in range(12)])
    assert len(list(merge_held_frames([Clip(steps, np.arange(13) / 24)]))) > 2


def numbered(count: int, rate: float, shots: Sequence[int] = (), since: float = 0.0) -> list[Drawing]:
    """Drawings of one colour each, their number, shown for 1 / rate seconds."""
    pictures = [np.full((4, 4, 3), i, np.uint8) for i in range(count)]
    return [Drawing(picture, picture, since + i / rate, since + (i + 1) / rate, shot=shots[i] if shots else 0)
            for i, picture in enumerate(pictures)]  # fmt: skip


def test_thinning_keeps_the_first_of_each_slot_and_all_the_time() -> None:
    given = numbered(12, 12, since=5)
    thin = list(limit_rate(given, 6.0))
    assert [int(drawing.rgb[0, 0, 0]) for drawing in thin] == [0, 2, 4, 6, 8, 10]
    assert [drawing.start for drawing in thin] == pytest.approx(np.arange(6) / 6 + 5)
    assert [drawing.end for drawing in thin] == pytest.approx(np.arange(1, 7) / 6 + 5)
    assert [drawing.frames for drawing in thin] == [2] * 6
    assert len(list(limit_rate(given, 100.0))) == 12


def test_thinning_never_joins_two_shots() -> None:
    assert [drawing.shot for drawing in limit_rate(numbered(3, 24, shots=[0, 1, 2]), 1.0)] == [0, 1, 2]


def test_the_view_shows_what_is_transparent_on_grey() -> None:
    picture = np.zeros((60, 80, 4), np.uint8)
    picture[:, 40:] = (200, 10, 10, 255)
    (drawing,) = merge_held_frames([Clip(picture[None], np.array([0.0, 1.0]))])
    assert max(drawing.view.shape) == 448
    assert drawing.view[100, 50].tolist() == [128, 128, 128]
    assert drawing.view[100, 400].tolist() == [200, 10, 10]
    assert drawing.rgb[0, 0].tolist() == [0, 0, 0]
    assert drawing.source_alpha is not None
    assert drawing.source_alpha[0, [0, 79]].tolist() == [0, 255]
