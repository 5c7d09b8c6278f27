import numpy as np

from animecut._util.masks import bounding_window, distance_to, gaussian_blur


def test_bounds_are_tight_and_end_where_the_picture_ends() -> None:
    mask = np.zeros((20, 30), np.bool_)
    mask[3, 5] = mask[18, 9] = True
    assert bounding_window(mask) == (slice(3, 19), slice(5, 10))
    assert bounding_window(mask, 4) == (slice(0, 20), slice(1, 14))


def test_nothing_is_an_empty_window() -> None:
    nothing = np.zeros((4, 5), np.bool_)
    assert nothing[bounding_window(nothing)].size == nothing[bounding_window(nothing, 3)].size == 0


def test_distances_are_to_the_nearest_that_is_true() -> None:
    mask = np.zeros((9, 12), np.bool_)
    mask[4, :3] = True
    away = distance_to(mask)
    assert away[4, :3].max() == 0
    assert away[4, 2:].tolist() == list(range(10))


def test_blurring_spreads_by_its_sigma_and_loses_nothing() -> None:
    point = np.zeros((41, 41), np.bool_)
    point[20, 20] = True
    soft = gaussian_blur(point, 3.0)
    assert abs(soft.sum() - 1) < 1e-4
    assert abs(np.sqrt((soft.sum(axis=0) * (np.arange(41) - 20.0) ** 2).sum()) - 3) < 0.1
