"""Flashes of known rates."""

import numpy as np
import pytest

from animecut.encode.flashes import count_flashes, luminance


def blinking(
    rate: float, seconds: float, area: float = 1.0, dark: float = 0.0, light: float = 1.0
) -> tuple[np.ndarray, np.ndarray]:
    """A light that goes on and off `rate` times a second, over so much of the picture."""
    count = round(2 * rate * seconds)
    levels = np.full((count, 16, 16), dark)
    levels[1::2, :, : round(16 * area)] = light
    return levels, np.full(count, 1 / (2 * rate))


@pytest.mark.parametrize(("rate", "flashes"), [(1, 1), (2, 2), (3, 3), (4, 4), (12, 12)])
def test_a_light_flashes_as_often_as_it_goes_on_and_off(rate: float, flashes: int) -> None:
    assert count_flashes(*blinking(rate, 2.0)) == flashes


def test_what_is_no_flash() -> None:
    assert count_flashes(*blinking(5, 1.0, area=0.2)) == 0  # too small a part
    assert count_flashes(*blinking(5, 1.0, light=0.09)) == 0  # too small a change
    assert count_flashes(*blinking(5, 1.0, dark=0.85)) == 0  # between light and light
    rising = np.linspace(0, 1, 6)[:, None, None].repeat(16, 1).repeat(16, 2)
    assert count_flashes(rising, np.full(6, 0.2)) == 1  # it falls once, where it begins again
    assert count_flashes(np.ones((1, 16, 16)), np.array([0.0])) == 0


def test_a_sticker_that_turns_white_and_back_within_a_play_flashes_in_each() -> None:
    levels, _ = blinking(1, 1.0)
    assert count_flashes(levels, np.array([0.1, 0.1])) == 5


def test_luminance_is_of_the_picture_on_black() -> None:
    rgba = np.zeros((32, 64, 4), np.uint8)
    rgba[:, :32] = (255, 255, 255, 255)
    rgba[:, 32:] = (255, 255, 255, 0)
    levels = luminance(rgba)
    assert levels.shape == (16, 16)
    np.testing.assert_allclose(levels[:, :8], 1.0)
    np.testing.assert_allclose(levels[:, 8:], 0.0)
    rgba[...] = (0, 255, 0, 255)
    np.testing.assert_allclose(luminance(rgba), 0.7152)
