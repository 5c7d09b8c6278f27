import numpy as np
import pytest

from animecut.matte.flicker import alpha_change, held_flicker, is_held
from tests import world


def test_copies_are_held_and_a_blink_is_not() -> None:
    picture, _ = world.drawing(120)
    noise = np.random.default_rng(0).normal(0, 2, picture.shape)
    assert is_held(picture, np.clip(picture + noise, 0, 255).astype(np.uint8))
    blink = picture.copy()
    blink[40:44, 112:122] = (60, 10, 10)
    assert not is_held(picture, blink)
    assert not is_held(picture, picture[:-1])


def test_flicker_counts_every_held_pair() -> None:
    still, moved = np.zeros((10, 10, 4), np.uint8), np.zeros((10, 10, 4), np.uint8)
    moved[:5, :, 3] = 255
    assert alpha_change(still, moved) == pytest.approx(0.5)
    assert held_flicker([0.5], 4) == pytest.approx(125)
    assert held_flicker([], 4) == 0
    assert held_flicker([], 0) == 0
