"""Kin against the mean field written out, and on pictures whose answer is plain."""

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from animecut import kin

WALL, SKIN = (0.2, 0.5, 0.9), (0.9, 0.6, 0.5)


def world(skin: tuple[float, float, float] = SKIN) -> tuple[torch.Tensor, torch.Tensor, NDArray[np.bool_]]:
    """A figure before a wall, of which the network is rather sure, (1, 3, H, W) and (1, H, W), and where it is."""
    there = np.zeros((96, 128), np.bool_)
    there[24:96, 40:88] = True
    rgb = np.where(there[..., None], skin, WALL).astype(np.float32)
    odds = np.where(there, 3.0, -3.0).astype(np.float32)
    return torch.from_numpy(rgb).permute(2, 0, 1)[None], torch.from_numpy(odds)[None], there


def slowly(rgb: torch.Tensor, odds: torch.Tensor) -> NDArray[np.float64]:
    """What each listener of the one picture is told, in order of rows, with exponentials and no shortcuts."""

    def places(step: int) -> NDArray[np.float64]:
        rows, columns = np.mgrid[step // 2 : rgb.shape[2] : step, step // 2 : rgb.shape[3] : step]
        colour = rgb[0].numpy()[:, rows.ravel(), columns.ravel()].T @ np.array(kin.EYE).T / kin.COLOUR
        return np.column_stack([colour, rows.ravel() / kin.NEAR, columns.ravel() / kin.NEAR])

    def mean(alike: NDArray[np.float64], belief: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray((alike * belief).sum(1) / (alike.sum(1) + kin.ALONE))

    speakers, listeners = places(kin.SPEAKERS), places(kin.LISTENERS)
    half = kin.SPEAKERS // 2
    own = odds[0, half :: kin.SPEAKERS, half :: kin.SPEAKERS].numpy().astype(np.float64).ravel()
    among = np.exp(-(cdist(speakers, speakers) ** 2) / 2) * (1 - np.eye(len(speakers)))
    belief = np.tanh(own / 2)
    for _ in range(kin.ROUNDS):
        belief = np.tanh((own + kin.WEIGHT * mean(among, belief)) / 2)
    return mean(np.exp(-(cdist(listeners, speakers) ** 2) / 2), belief)


def test_tells_what_the_mean_field_written_out_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kin, "AT_ONCE", 100)  # so that they come in several lots
    rng = np.random.default_rng(0)
    rgb, odds, _ = world()
    rgb = (rgb + torch.from_numpy(rng.normal(0, 0.01, rgb.shape))).float()
    odds = odds + torch.from_numpy(rng.normal(0, 0.5, odds.shape)).float()
    odds = odds.clamp(-3.9, 3.9)  # so that everybody is told
    half = kin.LISTENERS // 2
    told = ((kin.heard(rgb, odds) - odds) / kin.WEIGHT)[0].numpy()
    told = told[half :: kin.LISTENERS, half :: kin.LISTENERS]  # half a pixel beside where they stand
    exact = slowly(rgb, odds).reshape(told.shape)
    assert np.abs(told - exact).mean() < 0.03
    assert np.corrcoef(told.ravel(), exact.ravel())[0, 1] > 0.99


def test_a_gap_of_the_walls_colour_goes_and_a_hand_of_the_skins_stays() -> None:
    rgb, odds, there = world()
    gap, hand = np.zeros_like(there), np.zeros_like(there)
    gap[60:76, 56:72], hand[40:52, 100:112] = True, True
    for where, colour, mistake in ((gap, WALL, 1.5), (hand, SKIN, -1.5)):
        rgb[0][:, where] = torch.tensor(colour)[:, None]
        odds[0][where] = mistake
    kept = kin.heard(rgb, odds)[0].numpy() > 0
    inner = np.ones((2 * kin.LISTENERS + 1,) * 2, np.uint8)  # to the pixel is the matting's work
    assert not kept[cv2.erode(gap.view(np.uint8), inner) > 0].any()
    assert kept[cv2.erode(hand.view(np.uint8), inner) > 0].all()
    assert (kept == there)[cv2.dilate((gap | hand).view(np.uint8), inner) == 0].all()


def test_a_colour_that_is_inside_and_outside_says_nothing() -> None:
    rgb, odds, _ = world(skin=WALL)
    odds[..., :64], odds[..., 64:] = 3.0, -3.0
    assert (kin.heard(rgb, odds) - odds).abs().max() < kin.WEIGHT / 4


def test_a_colour_of_its_own_hears_itself_alone() -> None:
    rgb, odds, _ = world()
    rgb[0, :, 36:48, 96:108] = torch.tensor([0.1, 0.9, 0.1])[:, None, None]
    odds[0, 36:48, 96:108] = 1.0  # one speaker in its middle
    told = (kin.heard(rgb, odds) - odds)[0, 41:43, 101:103]
    assert told.numpy() == pytest.approx(kin.WEIGHT * np.tanh(0.5) / (1 + kin.ALONE), abs=0.02)


def test_who_is_sure_is_not_told() -> None:
    rgb, odds, there = world()
    odds[0][torch.from_numpy(there)] = kin.WEIGHT
    odds[0][torch.from_numpy(~there)] = -kin.WEIGHT - 1
    assert (kin.heard(rgb, odds) == odds).all()


def test_nothing_there_stays_nothing() -> None:
    rgb, odds, _ = world()
    assert (kin.heard(rgb, torch.full_like(odds, -2.0)) <= -2.0).all()


def test_a_picture_hears_the_same_alone_and_among_others() -> None:
    rgb, odds, _ = world()
    others, doubts = torch.cat([rgb.flip(3), rgb]), torch.cat([odds.flip(2), odds * 0.1])
    together = kin.heard(torch.cat([rgb, others]), torch.cat([odds, doubts]))
    assert (together[0] == kin.heard(rgb, odds)[0]).all()
    assert (together[2] == kin.heard(rgb, odds * 0.1)[0]).all()
