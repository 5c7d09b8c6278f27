from pathlib import Path

import numpy as np
import pytest

from animecut.types import Clip, join_clips
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
    times = np.concatenate([clip.times[:-1] for clip in found])
    assert times == pytest.approx(truth.times[starts], abs=1e-3)
    assert [clip.shot for clip in found for _ in range(len(clip))] == truth.shot[starts].tolist()
    assert found[-1].times[-1] == pytest.approx(truth.times[-1], abs=1e-3)


def test_the_input_may_come_in_pieces_of_any_length() -> None:
    whole, pieces = (list(merge_held_frames(read_clips(SAMPLES / "two.mp4", 0, 1, chunk=chunk))) for chunk in (100, 1))
    assert [clip.times.tolist() for clip in whole] == [clip.times.tolist() for clip in pieces]
    assert all((a.pixels == b.pixels).all() for a, b in zip(whole, pieces, strict=True))


def test_a_blink_is_another_drawing_and_noise_is_not() -> None:
    rng = np.random.default_rng(0)
    still, _ = world.drawing(120)
    noisy = [np.clip(still + rng.normal(0, 2, still.shape), 0, 255).astype(np.uint8) for _ in range(4)]
    blink = still.copy()
    blink[40:44, 112:122] = (60, 10, 10)
    clip = Clip(np.stack([*noisy[:2], blink, *noisy[2:]]), np.arange(6) / 24)
    times = join_clips(merge_held_frames([clip])).times
    assert times == pytest.approx(np.array([0, 2, 3, 5]) / 24)


def test_a_slow_drift_does_not_chain_into_one_hold() -> None:
    steps = np.stack([np.full((60, 80, 3), 100 + 4 * i, np.uint8) for i in range(12)])
    assert len(join_clips(merge_held_frames([Clip(steps, np.arange(13) / 24)]))) > 2


def test_thinning_keeps_the_first_of_each_slot_and_all_the_time() -> None:
    clip = Clip(
        np.arange(12, dtype=np.uint8)[:, None, None, None] * np.ones((1, 4, 4, 3), np.uint8), np.arange(13) / 12 + 5
    )
    thin = join_clips(limit_rate([clip], 6.0))
    assert thin.pixels[:, 0, 0, 0].tolist() == [0, 2, 4, 6, 8, 10]
    assert thin.times == pytest.approx(np.arange(7) / 6 + 5)
    assert join_clips(limit_rate([clip], 100.0)).pixels.shape == clip.pixels.shape


def test_thinning_never_joins_two_shots() -> None:
    pixels = np.zeros((1, 4, 4, 3), np.uint8)
    clips = [Clip(pixels, np.array([i / 24, (i + 1) / 24]), shot=i) for i in range(3)]
    assert [clip.shot for clip in limit_rate(clips, 1.0)] == [0, 1, 2]
