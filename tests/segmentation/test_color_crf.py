"""Kin against the mean field written out, and on pictures whose answer is plain."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from animecut.segmentation import color_crf

WALL, SKIN = (51, 127, 230), (230, 153, 127)

Rgb = NDArray[np.uint8]
Plane = NDArray[np.float32]


def world(skin: tuple[int, int, int] = SKIN) -> tuple[Rgb, Plane, NDArray[np.bool_]]:
    """A figure before a wall, of which the network is rather sure, (H, W, 3) and (H, W), and where it is."""
    there = np.zeros((96, 128), np.bool_)
    there[24:96, 40:88] = True
    rgb = np.where(there[..., None], skin, WALL).astype(np.uint8)
    return rgb, np.where(there, 3.0, -3.0).astype(np.float32), there


def slowly(rgb: Rgb, odds: Plane) -> NDArray[np.float64]:
    """What each listener is told, in order of rows, written out."""

    def places(step: int) -> NDArray[np.float64]:
        rows, columns = np.mgrid[step // 2 : rgb.shape[0] : step, step // 2 : rgb.shape[1] : step]
        colour = (rgb / 255)[rows.ravel(), columns.ravel()] @ color_crf.LUMA_CHROMA.T.astype(np.float64)
        return np.column_stack(
            [colour / color_crf.COLOUR, rows.ravel() / color_crf.NEAR, columns.ravel() / color_crf.NEAR]
        )

    def alike(some: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(np.clip(1 - cdist(some, others) ** 2 / 16, 0, None) ** 8)

    def mean(alike: NDArray[np.float64], belief: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray((alike * belief).sum(1) / (alike.sum(1) + color_crf.ALONE))

    speakers, half = places(color_crf.SPEAKERS), color_crf.SPEAKERS // 2
    own = odds[half :: color_crf.SPEAKERS, half :: color_crf.SPEAKERS].astype(np.float64).ravel()
    among = alike(speakers, speakers) * (1 - np.eye(len(speakers)))
    belief = np.tanh(own / 2)
    for _ in range(color_crf.ROUNDS):
        belief = np.tanh((own + color_crf.WEIGHT * mean(among, belief)) / 2)
    return mean(alike(places(color_crf.LISTENERS), speakers), belief)


@pytest.mark.parametrize("light", [0.5, 0.95])
def test_tells_what_is_written_out(monkeypatch: pytest.MonkeyPatch, light: float) -> None:
    """On colours and odds that change everywhere, so that each part of what is told shows."""
    monkeypatch.setattr(color_crf, "AT_ONCE", 100)  # so that they come in several lots
    y, x = np.mgrid[0:1:96j, 0:1:160j]
    rgb = np.stack([light + 0.03 * np.sin(9 * x), light + 0.03 * np.cos(7 * y), light + 0.04 * x * y], axis=2)
    rgb = np.rint(np.clip(rgb, 0, 1) * 255).astype(np.uint8)
    odds = (np.sin(11 * x + 5 * y) + 0.3).astype(np.float32)
    told = (color_crf.refine_by_color(rgb, odds) - odds) / color_crf.WEIGHT
    exact = slowly(rgb, odds).reshape(96 // color_crf.LISTENERS, -1)
    assert exact.max() - exact.min() > 0.5
    assert np.abs(told - cv2.resize(exact, (160, 96))).max() < 5e-6


def test_a_gap_of_the_walls_colour_goes_and_a_hand_of_the_skins_stays() -> None:
    rgb, odds, there = world()
    gap, hand = np.zeros_like(there), np.zeros_like(there)
    gap[60:76, 56:72], hand[40:52, 100:112] = True, True
    for where, colour, mistake in ((gap, WALL, 1.5), (hand, SKIN, -1.5)):
        rgb[where] = colour
        odds[where] = mistake
    kept = color_crf.refine_by_color(rgb, odds) > 0
    inner = np.ones((2 * color_crf.LISTENERS + 1,) * 2, np.uint8)  # to the pixel is the matting's work
    assert not kept[cv2.erode(gap.view(np.uint8), inner) > 0].any()
    assert kept[cv2.erode(hand.view(np.uint8), inner) > 0].all()
    assert (kept == there)[cv2.dilate((gap | hand).view(np.uint8), inner) == 0].all()


def test_a_colour_that_is_inside_and_outside_says_nothing() -> None:
    rgb, odds, _ = world(skin=WALL)
    odds[:, :64], odds[:, 64:] = 3.0, -3.0
    assert np.abs(color_crf.refine_by_color(rgb, odds) - odds).max() < color_crf.WEIGHT / 4


def test_a_colour_of_its_own_hears_itself_alone() -> None:
    rgb, odds, _ = world()
    rgb[36:48, 96:108] = (25, 230, 25)
    odds[36:48, 96:108] = 1.0  # one speaker in its middle
    told = (color_crf.refine_by_color(rgb, odds) - odds)[41:43, 101:103]
    assert told == pytest.approx(color_crf.WEIGHT * np.tanh(0.5) / (1 + color_crf.ALONE), abs=0.02)


def test_far_ones_count_less() -> None:
    rgb = np.full((96, 448, 3), 127, np.uint8)
    odds = np.full((96, 448), 2.0, np.float32)
    odds[..., 224:] = -2.0
    told = color_crf.refine_by_color(rgb, odds) - odds
    assert told[..., :20].min() > 1
    assert told[..., -20:].max() < -1


def test_one_doubt_is_heard_among_the_sure_and_none_jumps() -> None:
    rgb, odds, there = world()
    odds = np.where(there, 8.0, -8.0).astype(np.float32)
    odds[50, 60] = -0.5
    assert color_crf.refine_by_color(rgb, odds)[50, 60] > 0
    ends = []
    for doubt in (-color_crf.WEIGHT + 0.01, -color_crf.WEIGHT - 0.01):
        odds[48:56, 56:64] = doubt
        ends.append(color_crf.refine_by_color(rgb, odds)[52, 60])
    assert abs(ends[0] - ends[1]) < 0.2


def test_where_all_are_sure_nobody_is_told() -> None:
    rgb, odds, there = world()
    odds[there] = color_crf.WEIGHT
    odds[~there] = -color_crf.WEIGHT - 1
    assert (color_crf.refine_by_color(rgb, odds) == odds).all()


def test_nothing_there_stays_nothing() -> None:
    rgb, odds, _ = world()
    assert (color_crf.refine_by_color(rgb, np.full_like(odds, -2.0)) <= -2.0).all()
