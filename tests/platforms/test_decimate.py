"""The best choice against every choice there is."""

from itertools import combinations, pairwise

import numpy as np
import pytest

from animecut.platforms.decimate import run_representatives, split_runs


@pytest.mark.parametrize("count", range(1, 8))
def test_no_other_choice_costs_less(count: int) -> None:
    rng = np.random.default_rng(count)
    places = rng.normal(size=(7, 3))
    unlike = np.linalg.norm(places[:, None] - places, axis=2)
    seconds = rng.uniform(0.1, 2, 7)

    def cost(run: tuple[int, int]) -> float:
        instead = range(*run) if run[0] else [0]
        return min(float((unlike[i] * seconds)[slice(*run)].sum()) for i in instead)

    costs, choices = run_representatives(unlike, seconds)
    starts = split_runs(costs, count)
    runs = list(pairwise([*starts, 7]))
    every = [list(pairwise([0, *inner, 7])) for inner in combinations(range(1, 7), count - 1)]
    assert len(starts) == count
    assert sum(map(cost, runs)) == pytest.approx(min(sum(map(cost, division)) for division in every))
    for start, end in runs:
        shown = choices[start, end]
        assert start <= shown < end
        assert float((unlike[shown] * seconds)[start:end].sum()) == pytest.approx(cost((start, end)))


def test_the_first_drawing_stays_the_first() -> None:
    unlike = np.abs(np.subtract.outer([9.0, 0, 0, 0], [9.0, 0, 0, 0]))
    costs, choices = run_representatives(unlike, np.ones(4))
    assert split_runs(costs, 1) == [0]
    assert choices[0, 4] == 0
    assert split_runs(costs, 2) == [0, 1]


def test_what_is_held_long_is_kept() -> None:
    """Two of three equally different drawings: the one that would be missed for the shortest time goes."""
    costs, choices = run_representatives(1 - np.eye(3), np.array([1.0, 0.2, 3.0]))
    assert split_runs(costs, 2) in ([0, 2], [0, 1])
    starts = split_runs(costs, 2)
    assert [int(choices[a, b]) for a, b in pairwise([*starts, 3])] == [0, 2]
