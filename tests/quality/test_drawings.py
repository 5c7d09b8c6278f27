"""Holds and cuts of clips drawn by chance. Slow: they are drawn, painted and encoded first."""

import numpy as np
import pytest

from tests.quality.drawings import counts, figures, reel

CLIPS = 16

pytestmark = pytest.mark.slow


def test_holds_and_cuts_are_found() -> None:
    rows = []
    for k in range(CLIPS):
        rng = np.random.default_rng([1, k])
        rows.append(counts(reel(rng), crf=("16", "20", "23", "26")[k % 4]))
    got = figures(rows)
    assert got["precision"] >= 0.99
    assert got["recall"] >= 0.97
    assert got["cut_f"] >= 0.98
