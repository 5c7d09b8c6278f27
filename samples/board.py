"""Brush and paper for backgrounds: washes with soft edges, dabs, paper grain, bloom."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from samples.brush import Colour, Sheet

Paint = NDArray[np.float32]
"""(H, W, 3) RGB, float32, 0..255."""

OVERSAMPLE = 2
"""A scene is painted at twice its size."""

HIGH = 480.0
"""Scenes are laid out for pictures 480 units high; the width follows the picture."""


def _noise(rng: np.random.Generator, shape: tuple[int, int], cell: float, octaves: int = 4) -> NDArray[np.float32]:
    """(H, W) float32 in about -1..1: value noise, each octave half as large and half as strong."""
    out, gain = np.zeros(shape, np.float32), 1.0
    for _ in range(octaves):
        grid = (max(2, round(shape[0] / cell) + 2), max(2, round(shape[1] / cell) + 2))
        out += gain * cv2.resize(
            rng.uniform(-1, 1, grid).astype(np.float32), shape[::-1], interpolation=cv2.INTER_CUBIC
        )
        cell, gain = max(cell / 2, 1.0), gain / 2
    return out


def ramp(shape: tuple[int, int], colours: Sequence[Colour], stops: Sequence[float] | None = None) -> Paint:
    """Colours from top to bottom."""
    at = np.linspace(0, 1, len(colours)) if stops is None else stops
    y = np.linspace(0, 1, shape[0])
    rows = np.stack([np.interp(y, at, [c[i] for c in colours]) for i in range(3)], 1).astype(np.float32)
    return np.repeat(rows[:, None], shape[1], 1)


class Board:
    """A sheet under the brush: `wash` lays one colour through a soft shape."""

    def __init__(self, height: int, width: int, seed: int) -> None:
        self.size = (height * OVERSAMPLE, width * OVERSAMPLE)
        self.scale = self.size[0] / HIGH
        self.wide = self.size[1] / self.scale
        self.rng = np.random.default_rng(seed)
        self.paint: Paint = np.zeros((*self.size, 3), np.float32)
        self.grain = 0.5 * _noise(self.rng, self.size, 40 * self.scale, 6)

    def wash(
        self, path: ArrayLike, colour: Colour, opacity: float = 1.0, soft: float = 0.0, rough: float = 0.06
    ) -> None:
        """A closed shape in units; `soft` blurs its edge by so many units, `rough` mottles the paint."""
        corners = np.asarray(path, np.float64) * self.scale
        pad = int(3 * soft * self.scale) + 2
        x0, y0 = np.maximum(np.floor(corners.min(0)).astype(int) - pad, 0)
        x1, y1 = np.minimum(np.ceil(corners.max(0)).astype(int) + pad, self.size[::-1])
        if x0 >= x1 or y0 >= y1:
            return
        box = (slice(y0, y1), slice(x0, x1))
        mask: Sheet = np.zeros((y1 - y0, x1 - x0), np.uint8)
        cv2.fillPoly(mask, [np.round((corners - (x0, y0)) * 8).astype(np.int32)], 255, cv2.LINE_AA, 3)
        part = np.asarray(cv2.GaussianBlur(mask, (0, 0), soft * self.scale), np.uint8) if soft else mask
        share = (part * np.float32(opacity / 255))[..., None]
        tone = np.array(colour, np.float32) * (1 + rough * self.grain[box][..., None])
        self.paint[box] += (tone - self.paint[box]) * share

    def block(
        self, x0: float, y0: float, x1: float, y1: float, colour: Colour, opacity: float = 1.0, soft: float = 0.0
    ) -> None:
        """An upright rectangle, washed."""
        self.wash([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], colour, opacity, soft)

    def dab(self, centres: NDArray[np.float64], radii: NDArray[np.float64], colours: NDArray[np.float64]) -> None:
        """Many small round strokes, in order; (N, 2), (N,), (N, 3)."""
        for (x, y), r, colour, turn in zip(
            centres * self.scale * 8, radii * self.scale * 8, colours, self.rng.uniform(0, 180, len(radii)), strict=True
        ):
            axes = (max(int(r), 4), max(int(0.7 * r), 4))
            cv2.ellipse(self.paint, (int(x), int(y)), axes, turn, 0, 360, [float(c) for c in colour], -1, cv2.LINE_8, 3)

    def stroke(self, points: ArrayLike, width: float, colour: Colour) -> None:
        """A line of even width."""
        corners = np.round(np.asarray(points, np.float64) * self.scale * 8).astype(np.int32)
        cv2.polylines(self.paint, [corners], False, colour, max(1, round(width * self.scale)), cv2.LINE_8, 3)

    def finish(self, blur: float) -> Sheet:
        """The painting at its own size: slightly out of focus, with the tooth of paper."""
        soft = cv2.GaussianBlur(self.paint, (0, 0), max(blur * self.scale, 0.3))
        bloom = cv2.GaussianBlur(np.maximum(soft - 205, 0), (0, 0), 12 * self.scale)
        soft = soft + 0.45 * bloom
        paper = 1 + 0.012 * self.rng.standard_normal(self.size, np.float32)[..., None] + 0.018 * self.grain[..., None]
        small = cv2.resize(soft * paper, None, fx=1 / OVERSAMPLE, fy=1 / OVERSAMPLE, interpolation=cv2.INTER_AREA)
        return np.asarray(small.round().clip(0, 255).astype(np.uint8))
