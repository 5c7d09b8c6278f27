"""A figure of flat colours with an ink line and thin strands, over a textured scene; the truth is known."""

import os
import subprocess
import sys
from typing import NamedTuple, get_args

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from animecut.errors import SettingsError
from animecut.matte import matting as room
from animecut.matte.matting import Matting, to_one_bit_alpha, warm_up

HEIGHT, WIDTH, FINE = 144, 112, 8  # pixels, and how much finer the figure is drawn
GRAIN = 2.0  # pixels of the picture to one of the network
INK, CLOTH, HAIR = (35, 20, 30), (225, 90, 110), (240, 205, 120)
Plane = NDArray[np.float32]
MATTINGS: tuple[Matting, ...] = get_args(Matting)


class World(NamedTuple):
    rgb: NDArray[np.uint8]
    alpha: Plane
    """The truth."""
    own: Plane
    """(H, W, 3) the figure's own colours, 0..255, where it is seen at all."""
    coarse: Plane
    """What a network would say."""


def shapes(line: float) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Body and hair, drawn finely, widened by half the ink line."""
    body, hair = (np.zeros((HEIGHT * FINE, WIDTH * FINE), np.uint8) for _ in range(2))

    def at(*point: float) -> tuple[int, ...]:
        return tuple(round(value * FINE) for value in point)

    cv2.ellipse(body, at(56, 130), at(30 + line, 50 + line), 0, 0, 360, 255, -1)
    cv2.circle(hair, at(56, 58), round((26 + line) * FINE), 255, -1)
    for x in (12, 23, 89, 100):  # strands, and gaps between them
        cv2.line(hair, at(56 + (x - 56) * 0.5, 50), at(x, 100), 255, round((3 + 2 * line) * FINE))
    return body, hair


def small(plane: NDArray[np.uint8]) -> Plane:
    return np.asarray(cv2.resize(plane.astype(np.float32), (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA), np.float32)


def refine(
    rgb: NDArray[np.uint8], alpha: Plane, matting: Matting = "closed-form", grain: float = 2.0
) -> NDArray[np.uint8]:
    """The RGBA alone."""
    return room.refine(rgb, alpha, matting=matting, grain=grain)[0]


def make_world() -> World:
    rng = np.random.default_rng(5)
    patches = rng.integers(60, 190, (18, 14, 3)).astype(np.float32)
    scene = np.asarray(cv2.resize(patches, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC), np.float32)
    scene = scene * np.array((0.7, 1.0, 1.1), np.float32) + rng.normal(0, 4, scene.shape).astype(np.float32)
    whole = np.maximum(*shapes(1.2))
    painted = np.full((*whole.shape, 3), INK, np.float32)
    body, hair = shapes(0)
    painted[body > 0], painted[hair > 0] = CLOTH, HAIR
    painted[(np.maximum(*shapes(1.2)) > 0) & (shapes(1.2)[1] > 0) & (hair == 0)] = INK
    alpha = np.asarray(small(whole) / 255, np.float32)
    premultiplied = cv2.resize(painted * (whole[..., None] > 0), (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    own = premultiplied / np.maximum(alpha, 1e-3)[..., None]
    rgb = np.clip(np.rint(premultiplied + scene * (1 - alpha[..., None])), 0, 255).astype(np.uint8)
    return World(rgb, alpha, own.astype(np.float32), seen_coarsely(alpha))


def seen_coarsely(alpha: Plane) -> Plane:
    size = round(WIDTH / GRAIN), round(HEIGHT / GRAIN)
    grid = cv2.GaussianBlur(cv2.resize(alpha, size, interpolation=cv2.INTER_AREA), (0, 0), 1.3)
    grid = 1 / (1 + np.exp(-9 * (grid - 0.5)))
    grid = (grid - grid.min()) / (grid.max() - grid.min())
    return np.asarray(np.clip(cv2.resize(grid, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC), 0, 1), np.float32)


@pytest.fixture(scope="module")
def world() -> World:
    warm_up("closed-form")
    return make_world()


def mad(rgba: NDArray[np.uint8], truth: Plane) -> float:
    return float(np.abs(rgba[..., 3] / 255 - truth).mean() * 1000)


def fringe(rgba: NDArray[np.uint8], world: World, ground: tuple[int, int, int]) -> float:
    """Mean colour difference to the true figure over the same ground, at its edge."""
    share, truth = rgba[..., 3:] / 255, world.alpha[..., None]
    edge = (world.alpha > 0.05) & (world.alpha < 0.95)
    ours = rgba[..., :3] * share + np.array(ground) * (1 - share)
    theirs = world.own * truth + np.array(ground) * (1 - truth)
    return float(np.abs(ours - theirs)[edge].mean())


def as_it_is(world: World, alpha: Plane) -> NDArray[np.uint8]:
    """The cut-out without any refinement."""
    return np.dstack([world.rgb, np.rint(alpha * 255).astype(np.uint8)])


def test_alpha_is_nearer_to_the_truth(world: World) -> None:
    before = as_it_is(world, world.coarse)
    after = refine(world.rgb, world.coarse, grain=GRAIN)
    assert mad(after, world.alpha) < 0.4 * mad(before, world.alpha)
    for ground in ((255, 255, 255), (0, 0, 0), (255, 0, 255)):
        assert fringe(after, world, ground) < 0.8 * fringe(before, world, ground)


def test_strands_and_the_gaps_between_them_are_kept(world: World) -> None:
    after = refine(world.rgb, world.coarse, grain=GRAIN)
    row = np.s_[95, :42]
    crossings = [int((np.diff(alpha > 0.5) != 0).sum()) for alpha in (world.alpha[row], after[..., 3][row] / 255)]
    assert crossings == [5, 5]


def test_the_ink_line_belongs_to_the_character(world: World) -> None:
    line = (world.alpha > 0.99) & (np.abs(world.rgb.astype(int) - INK).max(axis=2) < 6)
    assert line.sum() > 100
    assert refine(world.rgb, world.coarse, grain=GRAIN)[..., 3][line].mean() > 0.93 * 255


def test_colours_inside_are_the_sources_own(world: World) -> None:
    after = refine(world.rgb, world.coarse, grain=GRAIN)
    opaque = after[..., 3] == 255
    assert opaque.mean() > 0.25
    assert np.array_equal(after[opaque][:, :3], world.rgb[opaque])
    assert not after[after[..., 3] == 0].any()


def test_no_background_stays_in_the_edge(world: World) -> None:
    truth = world.alpha
    for ground in ((255, 255, 255), (0, 0, 0), (255, 0, 255)):
        assert fringe(refine(world.rgb, truth, matting="none"), world, ground) < 6
        assert fringe(as_it_is(world, truth), world, ground) > 12


def test_none_keeps_the_networks_alpha(world: World) -> None:
    after = refine(world.rgb, world.coarse, matting="none")
    assert np.array_equal(after[..., 3], np.rint(world.coarse * 255).astype(np.uint8))


def test_knn_is_there_too(world: World) -> None:
    after = refine(world.rgb, world.coarse, matting="knn", grain=GRAIN)
    assert mad(after, world.alpha) < 0.6 * mad(as_it_is(world, world.coarse), world.alpha)


@pytest.mark.parametrize("matting", MATTINGS)
def test_nobody_and_nothing_else(world: World, matting: Matting) -> None:
    nothing = np.zeros_like(world.coarse)
    assert not refine(world.rgb, nothing, matting=matting).any()
    everything = refine(world.rgb, nothing + 1, matting=matting)
    assert np.array_equal(everything[..., :3], world.rgb)
    assert (everything[..., 3] == 255).all()


def test_too_much_doubt_leaves_the_alpha_alone(world: World) -> None:
    doubt = np.clip(world.coarse, 0.3, 0.7)
    rgba, hopeless = room.refine(world.rgb, doubt)
    assert hopeless
    assert np.array_equal(rgba[..., 3], np.rint(doubt * 255).astype(np.uint8))
    assert not room.refine(world.rgb, world.coarse, grain=GRAIN)[1]
    assert not room.refine(world.rgb, doubt, matting="none")[1]


def test_a_solver_that_does_not_converge_is_no_disaster(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    import pymatting

    def stuck(*_: object, **__: object) -> None:
        raise ValueError("did not converge")

    monkeypatch.setattr(pymatting, "cg", stuck)
    after = refine(world.rgb, world.coarse, grain=GRAIN)
    assert mad(after, world.alpha) < mad(as_it_is(world, world.coarse), world.alpha)


@pytest.mark.parametrize("rows", [5, 16, HEIGHT])
def test_strips_change_no_pixel(world: World, monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    whole = refine(world.rgb, world.coarse, grain=GRAIN)
    monkeypatch.setattr("animecut.matte.matting.STRIP", rows)
    assert np.array_equal(refine(world.rgb, world.coarse, grain=GRAIN), whole)


@pytest.mark.parametrize("shape", [(8, 8), (1, 9), (3, 2), (40, 1)])
def test_tiny_pictures(shape: tuple[int, int]) -> None:
    alpha = np.linspace(0, 1, shape[0] * shape[1], dtype=np.float32).reshape(shape)
    rgb = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    for matting in MATTINGS:
        rgba = refine(rgb, alpha, matting=matting, grain=0.3)
        assert rgba.shape == (*shape, 4)
        assert rgba.dtype == np.uint8
        assert to_one_bit_alpha(rgba).shape == (*shape, 4)


def test_the_same_picture_gives_the_same_sticker(world: World) -> None:
    once = refine(world.rgb, world.coarse, grain=GRAIN)
    given = world.coarse.copy()
    assert np.array_equal(refine(world.rgb, given, grain=GRAIN), once)
    assert np.array_equal(given, world.coarse)


# One-bit alpha.


BESIDE = """
from animecut._util.concurrency import parallel_map
from tests.matte.test_matting import make_world, refine
world = make_world()
alone = refine(world.rgb, world.coarse)
beside = parallel_map(lambda _: refine(world.rgb, world.coarse), range(12), workers=4)
assert all((one == alone).all() for one in beside)
import numba
print(numba.threading_layer())
"""


@pytest.mark.parametrize("layer", ["default", "workqueue"])
def test_threads_do_not_disturb_each_other(layer: str) -> None:
    """Also where all that numba has is workqueue, which ends the process when two loops run at once."""
    environment = {**os.environ, "NUMBA_THREADING_LAYER": layer}
    done = subprocess.run([sys.executable, "-c", BESIDE], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert layer in ("default", done.stdout.strip())


def test_one_bit_is_on_or_off_and_near_the_truth(world: World) -> None:
    solid = to_one_bit_alpha(refine(world.rgb, world.coarse, grain=GRAIN))
    assert set(np.unique(solid[..., 3])) == {0, 255}
    assert not solid[solid[..., 3] == 0].any()
    assert ((solid[..., 3] > 0) == (world.alpha > 0.5)).mean() > 0.97


def test_one_bit_shows_no_rim(world: World) -> None:
    """Every pixel that it shows has a colour of the figure, not one of the scene or of the dark outside."""
    clean = refine(world.rgb, world.alpha, matting="none")
    solid = to_one_bit_alpha(clean)
    rim = (solid[..., 3] > 0) & (world.alpha < 0.95) & (world.alpha > 0.05)
    difference = np.abs(solid[..., :3].astype(float) - world.own).mean(axis=2)[rim]
    naive = np.abs(world.rgb.astype(float) - world.own).mean(axis=2)[rim]
    assert difference.mean() < 0.5 * naive.mean()
    assert np.percentile(difference, 95) < 40


def test_one_bit_smooths_the_stair() -> None:
    """A slanting edge with noise in its alpha: the contour must not turn back on itself."""
    rows, columns = np.mgrid[:60, :60]
    noise = np.random.default_rng(2).normal(0, 0.35, (60, 60))
    alpha = np.clip((columns - rows * 0.3 - 20) * 0.5 + 0.5 + noise, 0, 1)
    rgba = np.dstack([np.full((60, 60, 3), 128.0), alpha * 255]).astype(np.uint8)
    inside = to_one_bit_alpha(rgba)[..., 3] > 0
    first = inside[3:-3].argmax(axis=1)
    naive = (alpha[3:-3] > 0.5).argmax(axis=1)
    assert np.abs(np.diff(first)).sum() <= 1.5 * 0.3 * 54
    assert np.abs(np.diff(naive)).sum() > 2 * np.abs(np.diff(first)).sum()


def test_one_bit_keeps_strands_and_gaps_of_one_pixel() -> None:
    alpha = np.zeros((40, 40), np.uint8)
    alpha[20:] = 255
    alpha[2:20, 10] = 255  # a strand
    alpha[25:40, 30] = 0  # a gap
    rgba = np.dstack([np.full((40, 40, 3), 200, np.uint8), alpha])
    solid = to_one_bit_alpha(rgba)
    assert (solid[3:20, 10, 3] == 255).all()
    assert (solid[27:38, 30, 3] == 0).all()
    assert (solid[..., 3] == alpha).mean() > 0.98
    assert np.array_equal(to_one_bit_alpha(np.stack([rgba, rgba]))[1], solid)


def test_what_is_not_installed_is_named_before_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "find_spec", lambda name: None)
    room.check_installed("guided")
    for way in ("closed-form", "knn"):
        with pytest.raises(SettingsError, match=r"pip install 'animecut\[matting\]'"):
            room.check_installed(way)
