import cv2
import numpy as np
import pytest
from animecut_training.data.dataset import Labelled
from animecut_training.synthesis.composite import Assets, _towards, composite, cut_out, inpaint_background


@pytest.fixture
def stock() -> Assets:
    sprite = np.zeros((120, 60, 4), np.uint8)
    sprite[10:110, 10:50] = (0, 255, 0, 255)
    return Assets([sprite], np.ones(1), [np.full((90, 160, 3), (200, 0, 200), np.uint8)])


def test_alpha_says_where_the_character_is(stock: Assets) -> None:
    """A green character on purple: where alpha is one it is greener than purple, whatever light falls on it."""
    seen = 0
    for seed in range(30):
        rgb, alpha, _ = composite(stock, 72, 128, np.random.default_rng(seed))
        assert rgb.shape == (72, 128, 3)
        assert alpha.min() >= 0
        assert alpha.max() <= 1
        if (alpha > 0.99).sum() > 50:
            seen += 1
            greenness = rgb[..., 1].astype(float) - rgb[..., 0]
            assert np.median(greenness[alpha > 0.99]) > 0
    assert seen > 15


def test_characters_are_told_apart_where_they_touch(stock: Assets) -> None:
    most = 0
    for seed in range(30):
        _, alpha, who = composite(stock, 72, 128, np.random.default_rng(seed))
        assert ((who > 0) == (alpha > 0.5)).all()
        touching = cv2.connectedComponents((who > 0).view(np.uint8))[0] - 1
        most = max(most, len(np.unique(who[who > 0])) - touching)
    assert most > 0


def test_some_frames_hold_no_character(stock: Assets) -> None:
    empty = [composite(stock, 36, 64, np.random.default_rng(seed))[1].max() == 0 for seed in range(80)]
    assert 1 <= sum(empty) <= 40


def test_a_labelled_character_is_cut_out_and_its_scene_painted_in() -> None:
    alpha = np.zeros((60, 80), np.float32)
    alpha[10:40, 20:50] = 1
    rgb = np.where(alpha[..., None] > 0, (255, 0, 0), (0, 0, 255)).astype(np.uint8)
    frame = Labelled("a", rgb, alpha)
    sprite = cut_out(frame)
    assert (sprite[sprite[..., 3] == 255][:, :3] == (255, 0, 0)).all()
    assert sprite.shape[:2] == (28, 28)
    assert inpaint_background(frame)[..., 0].max() < 30


def test_a_scene_takes_on_a_characters_colours(stock: Assets) -> None:
    rng = np.random.default_rng(0)
    scene = np.clip(rng.normal((150, 60, 160), 20, (90, 160, 3)), 0, 255).astype(np.uint8)
    before, own = scene.mean(axis=(0, 1)), np.array((0, 255, 0))
    for _ in range(8):
        after = _towards(scene, stock.sprites[0], rng).mean(axis=(0, 1))
        assert np.abs(after - own).sum() < 0.85 * np.abs(before - own).sum()
    faint = np.full((8, 8, 4), 90, np.uint8)
    assert _towards(scene, faint, rng) is scene
