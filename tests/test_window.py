import numpy as np

from animecut.window import bounds


def test_bounds_are_tight_and_end_where_the_picture_ends() -> None:
    mask = np.zeros((20, 30), np.bool_)
    mask[3, 5] = mask[18, 9] = True
    assert bounds(mask) == (slice(3, 19), slice(5, 10))
    assert bounds(mask, 4) == (slice(0, 20), slice(1, 14))


def test_nothing_is_an_empty_window() -> None:
    nothing = np.zeros((4, 5), np.bool_)
    assert nothing[bounds(nothing)].size == nothing[bounds(nothing, 3)].size == 0
