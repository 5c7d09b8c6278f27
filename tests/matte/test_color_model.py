"""The grid of colours against scipy's own blur and interpolation, and on a picture whose answer is plain."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from animecut.matte.color_model import CELLS, LIMIT, SEEN, SHADES, SPREADS, SURE, ColorModel


def slowly(rgb: NDArray[np.uint8], alpha: NDArray[np.float32], asked: NDArray[np.bool_]) -> NDArray[np.float64]:
    height, width = alpha.shape
    cell = max(height, width) / CELLS
    rows, columns = np.mgrid[:height, :width] / cell
    place = np.stack([rows, columns, *np.moveaxis(np.rint(rgb * ((SHADES - 1) / 255)), 2, 0)])
    shape = (int(height / cell) + 2, int(width / cell) + 2, SHADES, SHADES, SHADES)

    def seen(sure: NDArray[np.bool_]) -> NDArray[np.float64]:
        count = np.zeros(shape)
        np.add.at(count, tuple(np.rint(place[:, ::2, ::2][:, sure[::2, ::2]]).astype(int)), 1)
        blurred: NDArray[np.float64] = ndimage.gaussian_filter(count, SPREADS, mode="constant", truncate=2)
        return blurred + SEEN

    odds = np.clip(np.log(seen(alpha > 1 - SURE) / seen(alpha < SURE)), -LIMIT, LIMIT)
    return np.asarray(ndimage.map_coordinates(odds, place[:, asked], order=1, mode="nearest"))


def test_tells_what_a_blur_and_an_interpolation_by_scipy_tell() -> None:
    rng = np.random.default_rng(0)
    alpha = np.zeros((70, 90), np.float32)
    alpha[20:60, 30:70] = 1
    alpha[:, 50] = 0.5
    asked = rng.random((70, 90)) < 0.5
    ramp = np.linspace(0, 200, 90)[None, :, None] + np.linspace(0, 50, 70)[:, None, None]
    rgb = np.clip(ramp * [1, 0.7, 0.3] + rng.normal(0, 12, (70, 90, 3)), 0, 255).astype(np.uint8)
    ours, theirs = ColorModel(rgb, asked).evidence(alpha), slowly(rgb, alpha, asked)
    assert ours.shape == (asked.sum(),)
    assert np.abs(ours - theirs).max() < 1e-5
    assert ours.std() > 0.3


def test_a_colour_that_is_only_inside_speaks_for_the_character_and_an_unknown_one_for_nobody() -> None:
    rgb = np.full((64, 64, 3), (20, 160, 40), np.uint8)
    alpha = np.zeros((64, 64), np.float32)
    alpha[16:48, 16:48] = 1
    rgb[16:48, 16:48] = 220, 40, 30
    alpha[30:34] = 0.5
    rgb[30:34, 8] = 10, 10, 250
    asked = alpha == 0.5
    evidence = np.zeros((64, 64))
    evidence[asked] = ColorModel(rgb, asked).evidence(alpha)
    assert (evidence[30:34, 18:46] > LIMIT - 0.2).all()
    assert (evidence[30:34, 50:] < 0.2 - LIMIT).all()
    assert np.abs(evidence[30:34, 8]).max() < 0.01
