"""A large figure, and small pieces beside it that flash up or stay."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from animecut.matte.components import drop_small_components
from animecut.types import Drawing
from tests.drawings_made import alphas, make_drawing

HEIGHT, WIDTH = 180, 320
GRID = (90, 160)  # what the network would see


def with_specks(count: int, specks: dict[int, tuple[int, int]], shots: Sequence[int] = ()) -> list[Drawing]:
    """A large figure, and on the drawings named a 4x4 speck at (row, column) of the grid."""
    alpha = np.zeros((count, *GRID), np.float32)
    alpha[:, 20:90, 60:110] = 1
    for i, (row, column) in specks.items():
        alpha[i, row : row + 4, column : column + 4] = 0.9
    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    shots = shots or [0] * count
    return [make_drawing(picture, alpha[i], i, i + 1, shots[i]) for i in range(count)]


def test_specks_that_flash_go_and_those_that_last_stay() -> None:
    given = with_specks(8, {1: (5, 10), 2: (5, 140), 3: (7, 146), 4: (9, 152), 6: (60, 20), 7: (60, 20)})
    found = alphas(drop_small_components(given, keep_effects=False))
    shown = [i for i in range(8) if found[i, :, :40].max() > 0]
    lasting = [i for i in range(8) if found[i, :, 130:].max() > 0]
    assert shown == []
    assert lasting == [2, 3, 4]
    assert np.array_equal(found[:, :, 55:115], alphas(given)[:, :, 55:115])


def test_what_is_tiny_goes_however_long_it_lasts() -> None:
    given = with_specks(6, {})
    for drawing in given:
        drawing.known_alpha[5:8, 140:144] = 0.9
    assert alphas(drop_small_components(given, keep_effects=False))[:, :, 130:].max() == 0
    for drawing in given:
        drawing.known_alpha[5:9, 140:144] = 0.9
    assert alphas(drop_small_components(given, keep_effects=False))[:, :, 130:].max() > 0


def test_a_speck_does_not_last_over_a_cut() -> None:
    given = with_specks(6, {2: (5, 140), 3: (5, 140), 4: (5, 140)}, [0, 0, 0, 1, 1, 1])
    assert alphas(drop_small_components(given, keep_effects=False))[:, :, 130:].max() == 0


def test_effects_are_kept_where_asked() -> None:
    given = with_specks(3, {1: (5, 10)})
    assert np.array_equal(alphas(drop_small_components(given, keep_effects=True)), alphas(given))


def test_a_faint_fog_far_from_everybody_goes() -> None:
    given = with_specks(1, {})
    given[0].known_alpha[:10, :20] = 0.2
    assert alphas(drop_small_components(given, keep_effects=False))[0, :, :40].max() == 0


def test_nothing_at_all_stays_nothing() -> None:
    given = [replace(drawing, alpha=np.zeros(GRID, np.float32)) for drawing in with_specks(4, {})]
    assert alphas(drop_small_components(given, keep_effects=False)).max() == 0
