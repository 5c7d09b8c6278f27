"""Backgrounds that nobody painted: flat and shaded cards, patterns, tiled floors and walls, washes of watercolour."""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from animecut_training.synthesis.augment import Picture
from animecut_training.synthesis.distractors import Colour, shade


def card(height: int, width: int, rng: np.random.Generator) -> Picture:
    """One colour, a shade of two, a pattern or a wash, or one that fades into another, (height, width, 3) RGB."""
    picture = _one(height, width, rng)
    if rng.random() < 0.4:
        share = np.clip(0.5 + _cloud(height, width, rng) * rng.uniform(0.3, 3), 0, 1)[..., None]
        picture = (picture * share + _one(height, width, rng) * (1 - share)).astype(np.uint8)
    return picture


def _one(height: int, width: int, rng: np.random.Generator) -> Picture:
    kinds: tuple[Callable[[int, int, np.random.Generator], Picture], ...] = (_shade, _pattern, _wash)
    return kinds[int(rng.choice(3, p=[0.4, 0.4, 0.2]))](height, width, rng)


def _colour(rng: np.random.Generator) -> Colour:
    """Any; often nearly white: paper, a flash, a washed-out dream."""
    return 255 - rng.uniform(0, 30, 3) if rng.random() < 0.3 else rng.uniform(0, 255, 3)


def _near(colour: Colour, rng: np.random.Generator) -> Colour:
    """Another colour for the same card, mostly not far from the first."""
    if rng.random() < 0.25:
        return _colour(rng)
    return shade(colour + rng.normal(0, 18, 3), rng.uniform(0.75, 1.15))


def _shade(height: int, width: int, rng: np.random.Generator) -> Picture:
    top = _colour(rng)
    bottom = top if rng.random() < 0.4 else rng.uniform(0, 255, 3)
    ramp = np.linspace(0, 1, height)[:, None, None]
    return np.ascontiguousarray(np.broadcast_to(top * (1 - ramp) + bottom * ramp, (height, width, 3)), np.uint8)


def _pattern(height: int, width: int, rng: np.random.Generator) -> Picture:
    """Stripes, checks, dots, bricks or tiles, straight on, turned or lying as a floor does."""
    x, y = np.meshgrid(np.linspace(-1, 1, 2 * width), np.linspace(-1, 1, 2 * height) * height / width)
    turn, many = rng.uniform(0, np.pi), np.exp(rng.uniform(np.log(1.5), np.log(12)))
    far = 1 + (rng.normal(0, 0.6, 2) @ [x.ravel(), y.ravel()]).reshape(x.shape) if rng.random() < 0.4 else 1.0
    far = np.maximum(far, 0.15)
    u = (np.cos(turn) * x + np.sin(turn) * y) * many / far
    v = (np.cos(turn) * y - np.sin(turn) * x) * many / far
    ground = _colour(rng)
    marks = [_near(ground, rng) for _ in range(int(rng.integers(1, 4)))]
    if rng.random() < 0.3:  # bricks
        u = u + 0.5 * (np.floor(v) % 2)
    share, kind = rng.uniform(0.05, 0.45), int(rng.integers(4))
    a, b = np.abs(u % 1 - 0.5), np.abs(v % 1 - 0.5)
    checks, tiles = (u % 1 < 0.5) ^ (v % 1 < 0.5), np.maximum(a, b) < 0.4 + share / 5
    inside = (a < share, checks, a**2 + b**2 < share**2, tiles)[kind]
    # Every cell has its own of the marks, always the same one.
    which = (np.floor(u).astype(int) * 7 + np.floor(v).astype(int) * 13) % len(marks)
    painted = np.where(inside[..., None], np.array(marks)[which], ground)
    return np.asarray(cv2.resize(painted.astype(np.uint8), (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _wash(height: int, width: int, rng: np.random.Generator) -> Picture:
    """Watercolour: soft spots with darker rims on paper."""
    picture = np.full((height, width, 3), _colour(rng))
    colour = _colour(rng)
    for _ in range(int(rng.integers(1, 5))):
        spots = _cloud(height, width, rng)
        edge = np.clip((spots - rng.normal(0, 0.5)) * rng.uniform(2, 12), 0, 1)
        rim = 4 * edge * (1 - edge) * rng.uniform(0, 0.4)
        depth = (edge * rng.uniform(0.2, 0.9))[..., None]
        colour = _near(colour, rng)
        picture = picture * (1 - depth) + colour * depth * (1 - rim[..., None])
    return picture.astype(np.uint8)


def _cloud(height: int, width: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """(height, width) of smooth noise of three sizes, about 0 on average and 1 in spread."""
    cells = int(rng.integers(2, 7))
    total = np.zeros((height, width))
    for octave in range(3):
        coarse = rng.normal(0, 1, (cells * 2**octave, 2 * cells * 2**octave)) / 2**octave
        total += cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    return total
