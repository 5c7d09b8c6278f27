import numpy as np
import pytest
import torch
from animecut_training.data.dataset import Labelled
from animecut_training.loop import batches
from animecut_training.loop.batches import composite_slots
from animecut_training.synthesis.composite import Assets

from animecut.errors import SettingsError


@pytest.fixture
def frames() -> list[Labelled]:
    """Two characters that touch, in red and in green, on blue."""
    numbers = np.zeros((60, 80), np.uint8)
    numbers[10:50, 10:40], numbers[10:50, 40:70] = 1, 2
    rgb = np.array([(0, 0, 250), (250, 0, 0), (0, 250, 0)], np.uint8)[numbers]
    return [Labelled("a", rgb, (numbers > 0).astype(np.float32), numbers)]


def made(frames: list[Labelled], count: int, processes: int = 1, number: int = 0) -> list[list[batches.Part]]:
    return list(batches.batches(frames, None, range(3), batch=count, composites=0.5, seed=1, rank=(number, processes)))


def test_processes_together_have_the_pictures_that_one_alone_would_have(frames: list[Labelled]) -> None:
    alone = made(frames, 8)
    one, two = made(frames, 8, 2, 0), made(frames, 8, 2, 1)
    for step in range(3):
        parts = sorted(one[step] + two[step], key=lambda part: part.number)
        assert len(parts) == len(alone[step]) == 2
        for ours, theirs in zip(parts, alone[step], strict=True):
            assert torch.equal(ours.rgb, theirs.rgb)
            assert torch.equal(ours.numbers, theirs.numbers)
        assert sum(part.share for part in parts) == 1
    assert not torch.equal(alone[0][0].rgb, alone[1][0].rgb)
    assert not torch.equal(alone[0][0].rgb[0], alone[0][0].rgb[1])


@pytest.mark.parametrize(("count", "sizes"), [(1, [1]), (4, [4]), (5, [3, 2]), (9, [3, 3, 3])])
def test_a_batch_is_parted_evenly(frames: list[Labelled], count: int, sizes: list[int]) -> None:
    parts = made(frames, count)[0]
    assert [len(part.rgb) for part in parts] == sizes
    assert sum(part.share for part in parts) == pytest.approx(1)


def test_more_processes_than_pictures_are_told(frames: list[Labelled]) -> None:
    with pytest.raises(SettingsError, match="`batch` 2: must be at least 3 for 3 processes"):
        made(frames, 2, 3)


def test_numbers_stay_with_their_characters(frames: list[Labelled], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "rotate_hue", lambda rgb, rng: rgb)
    for part in (part for parts in made(frames, 8) for part in parts):
        for rgb, numbers in zip(part.rgb, part.numbers, strict=True):
            for who, channel in ((1, 0), (2, 1)):
                if (numbers == who).sum() > 100:
                    colour = rgb[:, numbers == who].mean(dim=1)
                    assert colour[channel] > 0.85
            assert set(numbers.unique().tolist()) <= {0, 1, 2}


@pytest.mark.parametrize("any_show", [False, True])
def test_labelled_pictures_look_badly_broadcast_only_where_asked_and_composed_ones_always(
    frames: list[Labelled], monkeypatch: pytest.MonkeyPatch, any_show: bool
) -> None:
    monkeypatch.setattr(batches, "rotate_hue", lambda rgb, rng: np.full_like(rgb, 51))
    monkeypatch.setattr(batches, "grade", lambda rgb, rng: np.full_like(rgb, 102))
    monkeypatch.setattr(batches, "degrade", lambda rgb, rng: rgb + 51)
    stock = Assets([np.full((30, 20, 4), 200, np.uint8)], np.ones(1), [np.zeros((60, 80, 3), np.uint8)])
    for part in next(batches.batches(frames, stock, range(1), batch=8, composites=0.5, seed=1, any_show=any_show)):
        expected = [0.6 if exact or any_show else 0.2 for exact in part.exact]
        assert part.rgb.mean(dim=(1, 2, 3)).tolist() == pytest.approx(expected)


def test_composed_pictures_are_spread_over_the_parts(frames: list[Labelled]) -> None:
    assert [i for i, composed in enumerate(composite_slots(8, 0.375)) if composed] == [1, 3, 6]
    assert composite_slots(4, 0.0) == [False] * 4
    assert composite_slots(4, 1.0) == [True] * 4
    sprite = np.full((30, 20, 4), 200, np.uint8)
    stock = Assets([sprite], np.ones(1), [np.zeros((60, 80, 3), np.uint8)])
    (parts,) = batches.batches(frames, stock, range(1), batch=8, composites=0.375, seed=1)
    assert [part.exact.sum() for part in parts] == [2, 1]
