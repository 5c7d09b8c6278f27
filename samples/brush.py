"""Pen and paint: smooth curves, and a transparent cel that they are drawn on at four times its size."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

Colour = tuple[int, int, int]
"""RGB, 0..255, sRGB."""

Path = NDArray[np.float64]
"""(N, 2) x and y in the units of the drawing, x to the right, y down."""

Sheet = NDArray[np.uint8]

OVERSAMPLE = 4
"""Sub-pixels along each side of a pixel: 16 samples, so alpha has 17 levels."""

THINNEST = 0.75
"""Pixels: a line is never thinner, so small drawings keep their ink."""

SHIFT = 3
"""Fractional bits of the corners that OpenCV fills."""


@lru_cache(maxsize=1024)
def _knots(text: str) -> tuple[Path, tuple[int, ...]]:
    words = text.split()
    corners = tuple(i for i, word in enumerate(words) if word.endswith("!"))
    return np.array([[float(n) for n in word.rstrip("!").split(",")] for word in words]), corners


def _through(knots: Path, density: int) -> Path:
    """Cubic Hermite curve through (N, 2) knots, tangents by finite differences over chord length."""
    if len(knots) < 3:
        return knots
    chord = np.maximum(np.linalg.norm(np.diff(knots, axis=0), axis=1), 1e-6)
    tangent = np.gradient(knots, np.concatenate([[0], np.cumsum(chord)]), axis=0)
    t = np.linspace(0, 1, density, endpoint=False)[None, :, None]
    p0, p1 = knots[:-1, None], knots[1:, None]
    m0, m1 = tangent[:-1, None] * chord[:, None, None], tangent[1:, None] * chord[:, None, None]
    dense = p0 + t * m0 + t**2 * (3 * (p1 - p0) - 2 * m0 - m1) + t**3 * (2 * (p0 - p1) + m0 + m1)
    return np.concatenate([dense.reshape(-1, 2), knots[-1:]])


def line(shape: str | ArrayLike, density: int = 10) -> Path:
    """A smooth open line through points given as "x,y x,y! x,y" (! marks a corner) or as (N, 2)."""
    knots, corners = _knots(shape) if isinstance(shape, str) else (np.asarray(shape, np.float64), ())
    stops = [0, *(i for i in corners if 0 < i < len(knots) - 1), len(knots) - 1]
    runs = [_through(knots[a : b + 1], density) for a, b in pairwise(stops)]
    return np.concatenate([*(run[:-1] for run in runs), knots[-1:]])


def ring(shape: str | ArrayLike, density: int = 10) -> Path:
    """A smooth closed outline through points given as for `line`."""
    knots, corners = _knots(shape) if isinstance(shape, str) else (np.asarray(shape, np.float64), ())
    if not corners:  # wrap three knots at both ends, so that the seam is smooth too, and cut the overlap away
        dense = _through(np.concatenate([knots[-3:], knots, knots[:3]]), density)
        return dense[3 * density : (3 + len(knots)) * density]
    order = [*range(corners[0], len(knots)), *range(corners[0] + 1)]
    stops = [i for i, knot in enumerate(order) if knot in corners]
    return np.concatenate([_through(knots[order[a : b + 1]], density)[:-1] for a, b in pairwise(stops)])


def oval(x: float, y: float, rx: float, ry: float, turn: float = 0.0) -> Path:
    """An ellipse with centre, radii, and a turn in degrees clockwise."""
    t = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    return rotate(np.stack([x + rx * np.cos(t), y + ry * np.sin(t)], 1), turn, (x, y))


def disc(centre: Path, radius: float) -> Path:
    """A circle about an (x, y)."""
    return oval(centre[0], centre[1], radius, radius)


def moved(path: Path, x: float, y: float) -> Path:
    """The path shifted to the right and down."""
    return np.asarray(path + np.array([x, y]))


def rotate(path: Path, degrees: float, about: tuple[float, float] = (0.0, 0.0)) -> Path:
    """The path turned clockwise on the picture."""
    c, s = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    return np.asarray((path - about) @ np.array([[c, s], [-s, c]]) + about)


def normals(path: Path) -> Path:
    """(N, 2) unit vectors to the left of the way along the path, as seen on the picture."""
    way = np.gradient(path, axis=0)
    way /= np.maximum(np.linalg.norm(way, axis=1, keepdims=True), 1e-6)
    return np.stack([way[:, 1], -way[:, 0]], 1)


def _profile(widths: ArrayLike, count: int) -> NDArray[np.float64]:
    """(count,) widths along a stroke, smoothly through the given ones, which lie at even distances."""
    knots = np.atleast_1d(np.asarray(widths, np.float64))
    curve = line(np.stack([np.linspace(0, 1, len(knots)), knots / 1e4], 1))  # so flat that it runs evenly in x
    return np.asarray(np.interp(np.linspace(0, 1, count), curve[:, 0], curve[:, 1] * 1e4).clip(0))


def _edges(path: Path, widths: NDArray[np.float64]) -> Path:
    side = normals(path) * widths[:, None] / 2
    return np.concatenate([path + side, (path - side)[::-1]])


def ribbon(path: Path, widths: ArrayLike) -> Path:
    """The outline of a stroke along an open path: there on one edge, back on the other. `widths` are full widths."""
    return _edges(path, _profile(widths, len(path)))


def capsule(path: Path, widths: Sequence[float]) -> Path:
    """A ribbon with round ends: a limb or a finger."""
    t = np.linspace(-np.pi / 2, np.pi / 2, 9)[1:-1]
    caps = []
    for end, way, wide in ((-1, path[-1] - path[-2], widths[-1]), (0, path[0] - path[1], widths[0])):
        way = way / max(float(np.hypot(*way)), 1e-6)
        side = np.array([way[1], -way[0]])
        caps.append(path[end] + wide / 2 * (np.cos(t)[:, None] * way - np.sin(t)[:, None] * side))
    body = ribbon(path, widths)
    half = len(body) // 2
    return np.concatenate([body[:half], caps[0], body[half:], caps[1]])


def mix(a: Colour, b: Colour, part: float) -> Colour:
    """Colour `a` with `part` (0..1) of `b`."""
    r, g, b_ = (round(x + (y - x) * part) for x, y in zip(a, b, strict=True))
    return r, g, b_


def times(a: Colour, b: Colour) -> Colour:
    """Two colours multiplied, as a shadow is laid over paint."""
    r, g, b_ = (round(x * y / 255) for x, y in zip(a, b, strict=True))
    return r, g, b_


@dataclass
class Stencil:
    """Where a shape lies on the cel: a mask (0 or 255) and the sub-pixel of its upper left corner."""

    x: int
    y: int
    mask: Sheet

    def window(self, x: int, y: int, height: int, width: int) -> Sheet:
        """The mask inside another box of sub-pixels; 0 where this stencil does not reach."""
        out = np.zeros((height, width), np.uint8)
        x0, y0 = max(x, self.x), max(y, self.y)
        x1, y1 = min(x + width, self.x + self.mask.shape[1]), min(y + height, self.y + self.mask.shape[0])
        if x0 < x1 and y0 < y1:
            out[y0 - y : y1 - y, x0 - x : x1 - x] = self.mask[y0 - self.y : y1 - self.y, x0 - self.x : x1 - self.x]
        return out


@dataclass
class Cel:
    """A transparent sheet, `height` x `width` pixels; `scale` pixels make one unit, `origin` is the pixel of (0, 0)."""

    height: int
    width: int
    scale: float
    origin: tuple[float, float]
    colour: Sheet = field(init=False)
    cover: Sheet = field(init=False)

    def __post_init__(self) -> None:
        size = (self.height * OVERSAMPLE, self.width * OVERSAMPLE)
        self.colour = np.zeros((*size, 3), np.uint8)
        self.cover = np.zeros(size, np.uint8)

    def _sub(self, path: Path) -> Path:
        """Units to sub-pixels, OpenCV's way: the centre of the first is (0, 0)."""
        return (path * self.scale + self.origin) * OVERSAMPLE - 0.5

    def stencil(self, *paths: Path, within: Stencil | None = None) -> Stencil:
        """The union of closed shapes, cut to the cel and to another stencil."""
        shapes = [self._sub(path) for path in paths]
        every = np.concatenate(shapes)
        x0, y0 = np.maximum(np.floor(every.min(0)).astype(int) - 1, 0)
        x1, y1 = np.minimum(np.ceil(every.max(0)).astype(int) + 2, (self.cover.shape[1], self.cover.shape[0]))
        mask = np.zeros((max(y1 - y0, 0), max(x1 - x0, 0)), np.uint8)
        for shape in shapes if mask.size else ():
            corners = np.round((shape - (x0, y0)) * 2**SHIFT).astype(np.int32)
            cv2.fillPoly(mask, [corners], 255, cv2.LINE_8, SHIFT)
        if within is not None:
            mask &= within.window(int(x0), int(y0), *mask.shape)
        return Stencil(int(x0), int(y0), mask)

    def _views(self, at: Stencil) -> tuple[Sheet, Sheet]:
        height, width = at.mask.shape
        box = (slice(at.y, at.y + height), slice(at.x, at.x + width))
        return self.colour[box], self.cover[box]

    def fill(self, *paths: Path, colour: Colour, within: Stencil | None = None) -> Stencil:
        """Flat paint over the union of closed shapes; with `within`, only there. Returns where it went."""
        at = self.stencil(*paths, within=within)
        if at.mask.size:
            paint, cover = self._views(at)
            cv2.copyTo(np.full_like(paint, colour), at.mask, paint)
            cover |= at.mask
        return at

    def fade(self, path: Path, colours: Sequence[Colour], within: Stencil | None = None) -> Stencil:
        """Paint that runs through the colours from the shape's top to its bottom."""
        at = self.stencil(path, within=within)
        if at.mask.size:
            paint, cover = self._views(at)
            top, bottom = self._sub(path)[:, 1].min(), self._sub(path)[:, 1].max()
            down = (np.arange(len(paint)) + at.y - top) / max(bottom - top, 1)
            stops = np.linspace(0, 1, len(colours))
            rows = np.stack([np.interp(down, stops, [c[i] for c in colours]) for i in range(3)], 1)
            cv2.copyTo(
                np.ascontiguousarray(np.broadcast_to(rows.round().astype(np.uint8)[:, None], paint.shape)),
                at.mask,
                paint,
            )
            cover |= at.mask
        return at

    def glow(self, path: Path, colour: Colour, opacity: float, soft: float, within: Stencil) -> None:
        """A wash of colour with a blurred edge (`soft` units), on paint that is already there."""
        ring_ = self.stencil(path)
        pad = int(3 * soft * self.scale * OVERSAMPLE) + 1
        x, y = max(ring_.x - pad, 0), max(ring_.y - pad, 0)
        height = min(ring_.y + ring_.mask.shape[0] + pad, self.cover.shape[0]) - y
        width = min(ring_.x + ring_.mask.shape[1] + pad, self.cover.shape[1]) - x
        if height <= 0 or width <= 0:
            return
        at = Stencil(x, y, within.window(x, y, height, width))
        blurred = cv2.GaussianBlur(ring_.window(x, y, height, width), (0, 0), soft * self.scale * OVERSAMPLE)
        part = (np.minimum(blurred, at.mask) * np.float32(opacity / 255))[..., None]
        paint, _ = self._views(at)
        paint[:] = np.round(paint + (np.array(colour, np.float32) - paint) * part).astype(np.uint8)

    def ink(self, path: Path, widths: ArrayLike, colour: Colour, within: Stencil | None = None) -> None:
        """A pen stroke along an open line; its width runs through `widths`, in units. Sharp corners are rounded off."""
        wide = _profile(widths, len(path))
        wide = wide * max(1.0, THINNEST / (self.scale * max(float(wide.max()), 1e-6)))
        way = np.diff(path, axis=0)
        turn = (way[1:] * way[:-1]).sum(1) < 0.8 * np.linalg.norm(way[1:], axis=1) * np.linalg.norm(way[:-1], axis=1)
        corners = np.flatnonzero(turn) + 1
        stops = [0, *corners, len(path) - 1]
        strokes = [_edges(path[a : b + 1], wide[a : b + 1]) for a, b in pairwise(stops) if b > a]
        joints = [disc(path[i], wide[i] / 2) for i in corners]
        self.fill(*strokes, *joints, colour=colour, within=within)

    def outline(self, path: Path, width: float, colour: Colour) -> None:
        """A pen round a closed shape, heavier on its lower right, as away from the light."""
        closed = np.concatenate([path, path[:1]])
        away = normals(closed) @ np.array([0.5, 0.6])
        x, y = path.T
        if (x * np.roll(y, -1) - y * np.roll(x, -1)).sum() < 0:
            away = -away
        wide = width * (1 + 0.45 * away)
        self.ink(closed, wide, colour)
        self.fill(disc(path[0], wide[0] / 2), colour=colour)

    def flatten(self) -> Sheet:
        """(height, width, 4) straight RGBA, uint8. Colour is 0 where alpha is 0."""
        size = (self.width, self.height)
        colour = cv2.bitwise_and(self.colour, self.colour, mask=self.cover).astype(np.float32)
        part = cv2.resize((self.cover & 1).astype(np.float32), size, interpolation=cv2.INTER_AREA)
        mean = cv2.resize(colour, size, interpolation=cv2.INTER_AREA)
        levels = np.round(part * OVERSAMPLE**2)
        straight = np.round(mean * (OVERSAMPLE**2 / np.maximum(levels, 1))[..., None]).clip(0, 255)
        return np.dstack([straight, np.round(levels * (255 / OVERSAMPLE**2))]).astype(np.uint8)
