"""Which drawings stand for all of them where there may only be so many: those that are missed least."""

import numpy as np
from numpy.typing import NDArray

Costs = NDArray[np.float64]
"""(T, T + 1): what it costs to show one drawing from the beginning of drawing i to that of j; inf unless i < j."""

Choices = NDArray[np.intp]
"""(T, T + 1): which drawing that would be."""


def run_representatives(unlike: NDArray[np.float64], seconds: NDArray[np.float64]) -> tuple[Costs, Choices]:
    """The best drawing to be shown instead of each run of neighbours.

    unlike: (T, T), how much is amiss where one is shown instead of another. seconds: (T,) that each lasts. The first
    run shows its first drawing: that is what a sticker rests on.
    """
    count = len(seconds)
    shown = np.zeros((count, count + 1))
    np.cumsum(unlike * seconds, axis=1, out=shown[:, 1:])
    costs, choices = np.full(shown.shape, np.inf), np.zeros(shown.shape, np.intp)
    costs[0, 1:] = shown[0, 1:]
    for start in range(1, count):
        runs = shown[start:, start + 1 :] - shown[start:, start : start + 1]
        runs[np.tril_indices(count - start, -1)] = np.inf  # the run ends before that drawing begins
        choices[start, start + 1 :] = start + runs.argmin(axis=0)
        costs[start, start + 1 :] = runs.min(axis=0)
    return costs, choices


def split_runs(costs: Costs, count: int) -> list[int]:
    """Where each of `count` runs begins, so that together they cost least: 1 <= count <= T.

    Fisher: On grouping for maximum homogeneity, 1958.
    """
    drawings = len(costs)
    total = costs[0]
    before = []
    for _ in range(1, count):
        sums = total[:drawings, None] + costs
        before.append(sums.argmin(axis=0))
        total = sums.min(axis=0)
    starts = [drawings]
    for place in reversed(before):
        starts.append(int(place[starts[-1]]))
    return [0, *starts[:0:-1]]
