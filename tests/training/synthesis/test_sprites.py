"""A red square in nothing that is green, which nobody may see."""

import numpy as np
import pytest
from animecut_training.synthesis.augment import rotation_matrix
from animecut_training.synthesis.sprites import place_sprite, shrink_sprite
from numpy.typing import NDArray

GREEN, RED = (0, 255, 0), (255, 0, 0)


@pytest.fixture
def square() -> NDArray[np.uint8]:
    sprite = np.zeros((40, 60, 4), np.uint8)
    sprite[..., :3] = GREEN
    sprite[10:30, 20:40] = (*RED, 255)
    return sprite


@pytest.mark.parametrize("scale", [0.33, 0.9, 2.3])
def test_it_lies_where_it_was_laid_and_nothing_unseen_comes_along(square: NDArray[np.uint8], scale: float) -> None:
    middle = np.array([29.5, 19.5])
    linear = rotation_matrix(scale, 30, mirrored=True)
    layer = place_sprite(square, linear, np.array([80.0, 50.0]) - linear @ middle, (160, 100))
    alpha = layer[..., 3] / 255
    rows, columns = np.nonzero(alpha > 0.5)
    assert layer.shape == (100, 160, 4)
    assert alpha.sum() == pytest.approx((20 * scale) ** 2, rel=0.03)
    assert (rows.mean(), columns.mean()) == pytest.approx((50, 80), abs=0.5)
    assert np.abs(layer[alpha > 0.05, :3].astype(int) - RED).max() < 3


def test_shrinking_averages_what_is_seen(square: NDArray[np.uint8]) -> None:
    small = shrink_sprite(square, (8, 5))
    alpha = small[..., 3]
    assert small.shape == (5, 8, 4)
    assert ((alpha > 0) & (alpha < 255)).sum() > 4, "the square's edges cut through cells"
    assert np.abs(small[alpha > 0, :3].astype(int) - RED).max() < 3
    assert alpha.sum() == pytest.approx(square[..., 3].sum() / 60, rel=0.01)


def test_what_is_finer_than_the_frames_pixels_is_averaged() -> None:
    sprite = np.full((80, 80, 4), 255, np.uint8)
    sprite[np.random.default_rng(0).random((80, 80)) < 0.5, 3] = 0
    layer = place_sprite(sprite, rotation_matrix(0.2, 0, mirrored=False), np.zeros(2), (16, 16))[2:14, 2:14, 3]
    assert layer.mean() == pytest.approx(127, abs=10)
    assert layer.std() < 35
