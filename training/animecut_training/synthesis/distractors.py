"""What stands beside a character and is none: inked and shaded as she is, often in her own colours."""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from animecut_training.synthesis.augment import Matte, Picture

Points = NDArray[np.float64]
"""(N, 2) x and y in pixels."""
Colour = NDArray[np.float64]
"""(3,) RGB in 0..255."""
Colours = NDArray[np.float64]
"""(N, 3) RGB in 0..255."""

SHIFT = 4  # bits of a pixel that OpenCV's points are given in


class DrawingBoard:
    """A picture to draw on, and where it was drawn on."""

    def __init__(self, picture: Picture, palette: Colours, rng: np.random.Generator) -> None:
        self.picture, self.palette, self.rng = picture, palette, rng
        self.drawn: NDArray[np.uint8] = np.zeros(picture.shape[:2], np.uint8)
        self.unit = max(picture.shape[:2]) / 100
        self.ink = float(rng.choice([0.0, 0.25, 0.4, 0.7])) * self.unit

    def colour(self) -> Colour:
        """One of the character's own colours, or any."""
        if len(self.palette) and self.rng.random() < 0.6:
            own = self.palette[int(self.rng.integers(len(self.palette)))]
            return shade(own + self.rng.normal(0, 12, 3))
        return shade(self.rng.uniform(0, 255, 3))

    def fill(self, points: Points, colour: Colour, *, inked: bool = True) -> None:
        """A closed shape, with its line where this board's things have one."""
        fixed = [np.round(points * 2**SHIFT).astype(np.int32)]
        cv2.fillPoly(self.picture, fixed, colour.tolist(), cv2.LINE_AA, SHIFT)
        cv2.fillPoly(self.drawn, fixed, 255, cv2.LINE_AA, SHIFT)
        if inked and self.ink:
            line = max(1, round(self.ink))
            cv2.polylines(self.picture, fixed, True, (colour * 0.35).tolist(), line, cv2.LINE_AA, SHIFT)
            cv2.polylines(self.drawn, fixed, True, 255, line, cv2.LINE_AA, SHIFT)

    def shaded(self, points: Points, colour: Colour) -> None:
        """A shape in two tones, as cels are painted."""
        self.fill(points, colour)
        if self.rng.random() < 0.6:
            middle = points.mean(axis=0)
            lit = middle + (points - middle) * self.rng.uniform(0.5, 0.85) + self.rng.normal(0, 0.6, 2) * self.unit
            self.fill(lit, shade(colour, self.rng.uniform(0.7, 1.35)), inked=False)


def shade(colour: Colour, light: float = 1.0) -> Colour:
    """The colour, lighter or darker."""
    return np.asarray(np.clip(colour * light, 0, 255), np.float64)


def draw_distractors(picture: Picture, palette: Colours, rng: np.random.Generator, most: int = 5) -> Matte:
    """Draw one to `most` things on the picture, in place; return where, (H, W) in [0, 1]."""
    kinds: tuple[Callable[[DrawingBoard], None], ...] = (_blob, _box, _seat, _trunk, _foliage, _railing, _shelf, _swirl)
    board = DrawingBoard(picture, palette, rng)
    for _ in range(int(rng.integers(1, most + 1))):
        kinds[int(rng.integers(len(kinds)))](board)
    return np.asarray(board.drawn / 255, np.float32)


def draw_particles(picture: Picture, rng: np.random.Generator) -> None:
    """Petals, bubbles, sparks or rain over all of the picture, in place."""
    height, width = picture.shape[:2]
    colour = rng.uniform(120, 255, 3)
    angle, flat = rng.uniform(0, 180), rng.uniform(0.15, 1.0)
    wide = rng.uniform(0.3, 1.6) * max(height, width) / 100
    hollow = rng.random() < 0.25
    layer = picture.copy()
    for _ in range(int(rng.integers(6, 70))):
        size = wide * rng.uniform(0.5, 1.6)
        where = (int(rng.uniform(0, width)), int(rng.uniform(0, height)))
        axes = (max(1, round(size)), max(1, round(size * flat)))
        tone = shade(colour, rng.uniform(0.8, 1.1)).tolist()
        cv2.ellipse(layer, where, axes, angle + rng.normal(0, 25), 0, 360, tone, 1 if hollow else -1, cv2.LINE_AA)
    strength = rng.uniform(0.5, 1.0)
    picture[...] = (picture * (1 - strength) + layer * strength).astype(np.uint8)


def palette_of(sprite: NDArray[np.uint8], rng: np.random.Generator, count: int = 24) -> Colours:
    """Some of the colours of a (H, W, 4) sprite."""
    ys, xs = np.nonzero(sprite[..., 3] > 200)
    if not len(ys):
        return np.empty((0, 3))
    which = rng.integers(0, len(ys), count)
    return sprite[ys[which], xs[which], :3].astype(np.float64)


def _place(board: DrawingBoard) -> tuple[float, float]:
    height, width = board.drawn.shape
    return board.rng.uniform(0, width), board.rng.uniform(0, height)


def _ring(
    board: DrawingBoard, centre: Points | tuple[float, float], radius: float, rough: float = 0.25, points: int = 48
) -> Points:
    angle = np.linspace(0, 2 * np.pi, points, endpoint=False)
    wobble = np.zeros(points)
    for k in range(1, 6):
        wobble += board.rng.normal(0, rough / k) * np.cos(k * angle + board.rng.uniform(0, 6.3))
    aspect = np.exp(board.rng.normal(0, 0.4))
    r = radius * np.maximum(0.2, 1 + wobble)
    return np.asarray(centre + np.stack([r * np.cos(angle) * aspect, r * np.sin(angle) / aspect], axis=1), np.float64)


def _quad(x: float, y: float, w: float, h: float, lean: float = 0.0) -> Points:
    return np.array([[x, y], [x + w, y + lean * w], [x + w, y + h + lean * w], [x, y + h]])


def _blob(board: DrawingBoard) -> None:
    board.shaded(_ring(board, _place(board), board.rng.uniform(4, 22) * board.unit), board.colour())


def _box(board: DrawingBoard) -> None:
    u, rng = board.unit, board.rng
    (x, y), colour = _place(board), board.colour()
    w, h, lean = rng.uniform(5, 40) * u, rng.uniform(4, 40) * u, rng.normal(0, 0.2)
    x -= w / 2
    deep = rng.uniform(2, 10) * u * rng.choice([-1, 1])
    front = _quad(x, y, w, h, lean)
    board.fill(
        np.array([front[0], front[1], front[1] + (deep, -abs(deep) / 2), front[0] + (deep, -abs(deep) / 2)]),
        shade(colour, 1.2),
    )
    board.shaded(front, colour)
    for _ in range(int(rng.integers(0, 4))):
        t = rng.uniform(0.1, 0.8)
        board.fill(_quad(x + 0.08 * w, y + t * h, 0.84 * w, 0.08 * h, lean), shade(colour, 0.75))


def _seat(board: DrawingBoard) -> None:
    """A chair's or a desk's back and legs, seen from behind or from the front."""
    u, rng = board.unit, board.rng
    (x, y), colour = _place(board), board.colour()
    w, h = rng.uniform(8, 30) * u, rng.uniform(4, 14) * u
    legs = rng.uniform(8, 40) * u
    metal = board.colour() if rng.random() < 0.6 else shade(colour, 0.6)
    thick = rng.uniform(0.6, 2.0) * u
    for side in (0.05, 0.95):
        board.fill(_quad(x + side * w - thick / 2, y, thick, legs), metal)
    board.shaded(
        _ring(board, np.array([x + w / 2, y]), h * 0.9, 0.05) if rng.random() < 0.3 else _quad(x, y - h / 2, w, h),
        colour,
    )
    if rng.random() < 0.5:
        board.shaded(_quad(x - 0.1 * w, y + legs * 0.4, 1.2 * w, h * 0.4, rng.normal(0, 0.1)), colour)


def _ribbon(board: DrawingBoard, start: Points, step: Points, wide: float, bend: float, count: int = 14) -> Points:
    """The outline of a bent strip that narrows towards its end."""
    angle, at, left, right = np.arctan2(step[1], step[0]), start, [], []
    length, turn = np.hypot(*step), 0.0
    for i in range(count):
        across = np.array([-np.sin(angle), np.cos(angle)]) * wide * (1 - 0.6 * i / count)
        left.append(at + across)
        right.append(at - across)
        turn = 0.7 * turn + board.rng.normal(0, bend)
        angle += turn
        at = at + length * np.array([np.cos(angle), np.sin(angle)])
    return np.array([*left, *right[::-1]])


def _trunk(board: DrawingBoard) -> None:
    u, rng, colour = board.unit, board.rng, board.colour()
    height, width = board.drawn.shape
    foot = np.array([rng.uniform(0, width), height * rng.uniform(0.6, 1.1)])
    wide = rng.uniform(0.8, 5) * u
    for _ in range(int(rng.integers(1, 5))):
        up = np.array([rng.normal(0, 1.5), -rng.uniform(2, 7)]) * u
        board.shaded(_ribbon(board, foot, up, wide, 0.05), colour)
        foot, wide = foot + up * rng.uniform(3, 8), wide * 0.6


def _swirl(board: DrawingBoard) -> None:
    """Ribbons and curtains: curved strips much like locks of hair."""
    u, rng, colour = board.unit, board.rng, board.colour()
    at = np.array(_place(board))
    for _ in range(int(rng.integers(1, 7))):
        step = rng.normal(0, 3, 2) * u
        board.shaded(_ribbon(board, at + rng.normal(0, 3, 2) * u, step, rng.uniform(0.3, 2.5) * u, 0.15), colour)


def _foliage(board: DrawingBoard) -> None:
    u, rng = board.unit, board.rng
    middle, spread = np.array(_place(board)), rng.uniform(4, 20) * u
    colour, size = board.colour(), rng.uniform(0.4, 2.5) * u
    ink, board.ink = board.ink, board.ink * float(rng.random() < 0.3)
    for _ in range(int(rng.integers(20, 140))):
        leaf = _ring(board, middle + rng.normal(0, 0.5, 2) * spread, size * rng.uniform(0.5, 1.5), 0.15, 10)
        board.fill(leaf, shade(colour, rng.uniform(0.6, 1.3)))
    board.ink = ink


def _railing(board: DrawingBoard) -> None:
    u, rng, colour = board.unit, board.rng, board.colour()
    (x, y), lean = _place(board), rng.normal(0, 0.05)
    long, bar, gap, tall = (
        rng.uniform(20, 110) * u,
        rng.uniform(0.3, 1.4) * u,
        rng.uniform(2, 9) * u,
        rng.uniform(6, 40) * u,
    )
    x -= long / 2
    for i in range(int(long / gap)):
        board.fill(_quad(x + i * gap, y + lean * i * gap, bar, tall), colour)
    for at in (0.0, tall * rng.uniform(0.5, 1.0)):
        board.fill(_quad(x, y + at, long, bar * 1.3, lean), colour)


def _shelf(board: DrawingBoard) -> None:
    """Rows of small things: books, bottles, windows of a house, tiles."""
    u, rng = board.unit, board.rng
    (x, y), back = _place(board), board.colour()
    columns, rows = int(rng.integers(2, 9)), int(rng.integers(1, 6))
    w, h = rng.uniform(1.5, 7) * u, rng.uniform(2, 9) * u
    x, y = x - columns * w / 2, y - rows * h / 2
    board.fill(_quad(x - 0.2 * w, y - 0.2 * h, (columns + 0.4) * w, (rows + 0.4) * h), back)
    one = board.colour() if rng.random() < 0.5 else None
    for row in range(rows):
        for column in range(columns):
            part = rng.uniform(0.6, 0.95)
            colour = board.colour() if one is None else one
            board.fill(_quad(x + column * w, y + row * h + (0.9 - part) * h, 0.85 * w, part * h), colour)
