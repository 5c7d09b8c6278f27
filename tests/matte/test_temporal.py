from collections.abc import Iterator

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from animecut.matte.temporal import smooth
from animecut.types import Alpha, Clip, Drawing
from tests.drawings_made import alphas, make_drawing

HEIGHT, WIDTH = 90, 160
RNG = np.random.default_rng


def blob(centre: tuple[float, float], radius: float) -> NDArray[np.float32]:
    """(HEIGHT, WIDTH) a disc with a soft edge; centre is (x, y)."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    return np.asarray(np.clip(radius + 0.5 - np.hypot(x - centre[0], y - centre[1]), 0, 1), np.float32)


def walk(count: int, step: float = 2.0, seed: int = 0) -> tuple[Clip, Alpha]:
    """A textured character (body and an arm) walking over a textured background, and its exact alpha."""
    rng = RNG(seed)
    wall = cv2.GaussianBlur(rng.uniform(0, 255, (HEIGHT, WIDTH, 3)).astype(np.float32), (0, 0), 3)
    cloth = cv2.GaussianBlur(rng.uniform(0, 255, (HEIGHT, 3 * WIDTH, 3)).astype(np.float32), (0, 0), 2)
    wall = 60 + (wall - wall.mean()) * 3
    cloth = 190 + (cloth - cloth.mean()) * 2
    pictures, alphas = [], []
    for i in range(count):
        x = 45 + step * i
        alpha = np.maximum(blob((x, 50), 22), blob((x + 26, 40), 7))
        offset = round(WIDTH - step * i)  # the cloth's pattern walks along
        dressed = cloth[:, offset : offset + WIDTH]
        picture = wall * (1 - alpha[..., None]) + dressed * alpha[..., None]
        pictures.append(np.clip(picture, 0, 255).astype(np.uint8))
        alphas.append(alpha)
    return Clip(np.stack(pictures), np.arange(count + 1) / 12), np.stack(alphas).astype(np.float32)


def seen_by_network(truth: Alpha, seed: int = 1) -> Alpha:
    """The truth as a network sees it: softer, and wrong in other places on every drawing."""
    rng = RNG(seed)
    found = []
    for alpha in truth:
        soft = np.clip(cv2.GaussianBlur(alpha, (0, 0), 1.2), 0.01, 0.99)
        noise = cv2.resize(
            rng.normal(0, 1.5, (9, 16)).astype(np.float32), (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC
        )
        found.append(1 / (1 + np.exp(-(np.log(soft / (1 - soft)) + noise))))
    return np.stack(found).astype(np.float32)


def drawings(clip: Clip, alpha: Alpha, shot: int = 0) -> Iterator[Drawing]:
    for i, plane in enumerate(alpha):
        yield make_drawing(clip.pixels[i], plane, float(clip.times[i]), float(clip.times[i + 1]), shot)


def calm(clip: Clip, alpha: Alpha, strength: float = 1.0) -> Alpha:
    return alphas(smooth(drawings(clip, alpha), strength=strength))


def dtssd(found: Alpha, truth: Alpha) -> float:
    wrong = np.diff(found, axis=0) - np.diff(truth, axis=0)
    return float(np.sqrt((wrong**2).mean((1, 2))).mean() * 100)


def mad(found: Alpha, truth: Alpha) -> float:
    return float(np.abs(found - truth).mean() * 1000)


def test_what_nobody_claims_is_left_alone() -> None:
    clip, truth = walk(8)
    faint = RNG(3).uniform(0, 0.015, truth.shape).astype(np.float32)
    raw = np.maximum(seen_by_network(truth) * (truth > 0), faint)
    result = calm(clip, raw)
    far = np.s_[:, :8, 130:]
    assert np.array_equal(result[far], raw[far])
    near = np.s_[:, 30:60, 30:90]
    assert not np.array_equal(result[near], raw[near])
    assert np.array_equal(calm(clip, faint), faint)


def test_flicker_falls_and_error_does_not_rise_up_to_both_ends() -> None:
    clip, truth = walk(10)
    raw = seen_by_network(truth)
    result = calm(clip, raw)
    assert dtssd(result, truth) < 0.7 * dtssd(raw, truth)
    assert mad(result, truth) < 0.9 * mad(raw, truth)
    for end in (slice(0, 1), slice(9, 10)):
        assert mad(result[end], truth[end]) < mad(raw[end], truth[end])


def test_an_arm_missing_and_an_island_there_for_one_drawing_are_outvoted() -> None:
    clip, truth = walk(9)
    raw = truth.copy()
    arm, island = blob((45 + 2 * 4 + 26, 40), 9) > 0, blob((140, 75), 6)
    raw[4][arm] = 0.02
    raw[5] = np.maximum(raw[5], island)
    result = calm(clip, raw)
    shown = truth[4] > 0.9
    assert result[4][arm & shown].mean() > 0.9
    assert result[5][island > 0].max() < 0.1


def test_what_really_appears_stays() -> None:
    """Something comes into the picture at drawing 4, and in the other clip for drawing 4 alone."""
    for lasts in (9, 5):
        clip, truth = walk(9, step=0)
        pixels, alpha = clip.pixels.copy(), truth.copy()
        thing = blob((130, 30), 12)
        for i in range(4, lasts):
            pixels[i] = pixels[i] * (1 - thing[..., None]) + thing[..., None] * np.array([230, 40, 40])
            alpha[i] = np.maximum(alpha[i], thing)
        result = calm(Clip(pixels, clip.times), alpha)
        assert result[4][thing == 1].mean() > 0.95
        assert result[3][thing > 0].max() < 0.05


def test_fast_motion_leaves_no_ghost() -> None:
    clip, truth = walk(4, step=30)
    result = calm(clip, truth)
    assert result[(truth == 0)].mean() < 0.01
    assert np.abs(result - truth).mean() < 0.01


def test_nothing_comes_over_a_cut() -> None:
    """The character of one shot lies over the empty wall of the next, in the same colours."""
    clip, truth = walk(4, step=0)
    empty = Clip(clip.pixels, clip.times + clip.duration)
    both = [*drawings(clip, truth), *drawings(empty, np.zeros_like(truth), shot=1)]
    found = list(smooth(both, strength=1.0))
    assert [drawing.shot for drawing in found] == [0] * 4 + [1] * 4
    assert not alphas(found[4:]).any()
    np.testing.assert_allclose(alphas(found[:4]), truth, atol=1e-6)


def test_strength_0_is_off_and_half_is_half_way() -> None:
    clip, truth = walk(5)
    raw = seen_by_network(truth)
    given = list(drawings(clip, raw))
    assert [a is b for a, b in zip(smooth(given, strength=0.0), given, strict=True)] == [True] * 5
    np.testing.assert_allclose(calm(clip, raw, 0.5), (raw + calm(clip, raw)) / 2, atol=1e-6)


def test_drawings_pass_through_unchanged_but_for_their_alpha() -> None:
    clip, truth = walk(7)
    given = list(drawings(clip, truth))
    for before, after in zip(given, smooth(given, strength=1.0), strict=True):
        assert after.rgb is before.rgb
        assert after.view is before.view
        assert (after.start, after.end, after.shot) == (before.start, before.end, before.shot)
        alpha = after.known_alpha
        assert alpha.dtype == np.float32
        assert alpha.shape == before.known_alpha.shape
        assert 0 <= alpha.min() <= alpha.max() <= 1


def test_reads_no_further_ahead_than_it_must() -> None:
    clip, truth = walk(12)
    taken = 0

    def source() -> Iterator[Drawing]:
        nonlocal taken
        for drawing in drawings(clip, truth):
            taken += 1
            yield drawing

    next(smooth(source(), strength=1.0))
    assert taken == 3  # the drawing itself and two neighbours


@pytest.mark.parametrize("size", [(8, 8), (3, 40), (40, 1), (1, 1)])
def test_tiny_grids_and_rgba_pictures_work(size: tuple[int, int]) -> None:
    rng = RNG(3)
    clip = Clip(rng.integers(0, 255, (3, 30, 50, 4)).astype(np.uint8), np.arange(4.0))
    alpha = rng.uniform(0, 1, (3, *size)).astype(np.float32)
    result = calm(clip, alpha)
    assert result.shape == alpha.shape
    assert np.isfinite(result).all()


@pytest.mark.parametrize("strength", [-0.1, 1.1, float("nan")])
def test_strength_outside_0_to_1_is_refused(strength: float) -> None:
    with pytest.raises(ValueError, match="strength"):
        smooth([], strength=strength)
