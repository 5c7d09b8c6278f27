"""A painted classroom without anybody in it, built as boxes in perspective. No photographs."""

from collections.abc import Callable, Sequence

import numpy as np

from samples.board import Board
from samples.brush import Colour, Sheet

EYE_HEIGHT, FOCAL = 1.42, 400.0
"""Metres above the classroom's floor; units."""


def _box(
    board: Board,
    see: Callable[[float, float, float], tuple[float, float]],
    low: tuple[float, ...],
    high: tuple[float, ...],
    colour: Colour,
) -> None:
    """A box in the room: its right or left side, its front, its top."""
    (x0, y0, z0), (x1, y1, z1) = low, high
    c = np.array(colour, np.float64)

    def tone(k: float) -> Colour:
        r, g, b = (int(min(v * k, 255)) for v in c)
        return r, g, b

    if x0 > 0:
        board.wash([see(x0, y0, z0), see(x0, y1, z0), see(x0, y1, z1), see(x0, y0, z1)], tone(0.92))
    if x1 < 0:
        board.wash([see(x1, y0, z0), see(x1, y1, z0), see(x1, y1, z1), see(x1, y0, z1)], tone(0.6))
    board.wash([see(x0, y0, z0), see(x1, y0, z0), see(x1, y1, z0), see(x0, y1, z0)], tone(0.74))
    if y1 < EYE_HEIGHT:
        board.wash([see(x0, y1, z0), see(x1, y1, z0), see(x1, y1, z1), see(x0, y1, z1)], tone(1.12))


def classroom(height: int, width: int) -> Sheet:
    """Blackboard, windows with afternoon light on the left, desks and chairs. (height, width, 3) RGB uint8."""
    board = Board(height, width, seed=5)
    w, rng = board.wide, board.rng

    def see(x: float, y: float, z: float) -> tuple[float, float]:
        return w * 0.56 + FOCAL * x / z, 205 - FOCAL * (y - EYE_HEIGHT) / z

    def quad(
        corners: Sequence[tuple[float, float, float]],
        colour: Colour,
        opacity: float = 1.0,
        soft: float = 0.0,
        rough: float = 0.06,
    ) -> None:
        board.wash([see(*corner) for corner in corners], colour, opacity, soft, rough)

    left, right, back, near, top = -3.6, 4.2, 7.0, 0.9, 3.1
    quad([(left, 0, back), (right, 0, back), (right, top, back), (left, top, back)], (232, 220, 198))
    quad([(left, 0, near), (right, 0, near), (right, 0, back), (left, 0, back)], (176, 128, 92), rough=0.12)
    quad([(left, top, near), (right, top, near), (right, top, back), (left, top, back)], (222, 216, 206))
    quad([(right, 0, near), (right, top, near), (right, top, back), (right, 0, back)], (206, 190, 172))
    quad([(left, 0, near), (left, top, near), (left, top, back), (left, 0, back)], (214, 200, 180))
    for i, x in enumerate(np.arange(left, right, 0.26)):
        quad(
            [(x, 0, near), (x + 0.26, 0, near), (x + 0.26, 0, back), (x, 0, back)],
            ((150, 100, 70), (198, 146, 104))[i % 2],
            0.25 + 0.2 * float(rng.random()),
        )
        quad([(x, 0, near), (x + 0.012, 0, near), (x + 0.012, 0, back), (x, 0, back)], (104, 66, 50), 0.8)
    for z in (1.6, 2.6, 3.6, 4.6, 5.6, 6.6):  # lamps
        quad([(-1.4, top, z), (-0.9, top, z), (-0.9, top, z + 0.5), (-1.4, top, z + 0.5)], (252, 250, 240))
        quad([(1.6, top, z), (2.1, top, z), (2.1, top, z + 0.5), (1.6, top, z + 0.5)], (250, 248, 238))
    quad([(left, 0, back), (right, 0, back), (right, 0.85, back), (left, 0.85, back)], (170, 124, 88), rough=0.1)
    for x in np.arange(left, right, 0.3):
        quad([(x, 0, back), (x + 0.02, 0, back), (x + 0.02, 0.85, back), (x, 0.85, back)], (120, 82, 62), 0.8)
    _blackboard(board, quad, back)
    quad([(right, 0, near), (right, 0.85, near), (right, 0.85, back), (right, 0, back)], (140, 100, 76), rough=0.1)
    for z in (2.4, 5.4):  # the doors to the corridor
        quad([(right, 0, z), (right, 2.1, z), (right, 2.1, z + 1.1), (right, 0, z + 1.1)], (184, 142, 104))
        quad(
            [(right, 1.1, z + 0.15), (right, 1.9, z + 0.15), (right, 1.9, z + 0.95), (right, 1.1, z + 0.95)],
            (176, 200, 208),
        )
    _windows(board, quad, left, back, top)
    for z in (6.0, 4.9, 3.8, 2.7, 1.75):
        for x in (-2.7, -1.2, 0.5, 2.0, 3.3):
            _desk(board, see, x + float(rng.normal(0, 0.05)), z)
    for z in (5.6, 4.0, 2.5):  # sun on the floor, beams through the air
        quad(
            [(left, 0, z), (left, 0, z + 0.9), (left + 3.6, 0, z + 0.1), (left + 3.6, 0, z - 0.9)],
            (255, 236, 180),
            0.35,
            3,
        )
        quad(
            [(left, 2.3, z), (left, 2.3, z + 0.9), (left + 3.4, 0, z + 0.1), (left + 3.4, 0, z - 0.9)],
            (255, 244, 206),
            0.13,
            9,
        )
    shade = np.interp(np.linspace(0, 1, board.size[1]), [0, 0.35, 1], [1.04, 1.0, 0.86]).astype(np.float32)
    board.paint *= shade[None, :, None]
    return board.finish(0.75)


Quad = Callable[..., None]


def _blackboard(board: Board, quad: Quad, z: float) -> None:
    """The blackboard with chalk, papers beside it, a clock and a loudspeaker above."""
    rng = board.rng

    def flat(
        x0: float, y0: float, x1: float, y1: float, colour: Colour, opacity: float = 1.0, soft: float = 0.0
    ) -> None:
        quad([(x0, y0, z), (x1, y0, z), (x1, y1, z), (x0, y1, z)], colour, opacity, soft)

    flat(-2.1, 0.86, 2.3, 2.46, (142, 98, 66))
    flat(-2.02, 0.94, 2.22, 2.38, (50, 92, 78))
    for _ in range(50):
        x, y = rng.uniform(-1.9, 1.6), rng.uniform(1.0, 2.2)
        flat(x, y, x + rng.uniform(0.2, 0.6), y + 0.14, (120, 152, 140), 0.10, 2)
    for row in range(5):
        x = -1.8 + 0.2 * row % 0.3
        while x < 0.9 - 0.2 * row:
            long = rng.uniform(0.05, 0.14)
            flat(x, 2.16 - 0.2 * row, x + long, 2.16 - 0.2 * row + rng.uniform(0.015, 0.08), (226, 234, 224), 0.75)
            x += long + rng.uniform(0.02, 0.1)
    flat(-2.0, 0.86, 2.2, 0.93, (176, 128, 88))
    for x in (-1.2, 0.4, 1.5):
        flat(x, 0.93, x + 0.2, 0.99, (222, 220, 226))
    for x, y, wide, tall, colour in (
        (2.6, 1.2, 0.5, 0.7, (244, 240, 226)),
        (3.2, 1.5, 0.6, 0.5, (210, 226, 238)),
        (3.2, 1.0, 0.4, 0.4, (248, 226, 170)),
        (-2.9, 1.3, 0.5, 0.7, (240, 236, 228)),
        (-2.75, 1.1, 0.3, 0.15, (236, 166, 150)),
    ):
        flat(x, y, x + wide, y + tall, colour)
        for i in range(4):
            flat(
                x + 0.06,
                y + tall * (0.2 + 0.18 * i),
                x + wide - 0.08,
                y + tall * (0.22 + 0.18 * i) + 0.02,
                (150, 150, 160),
                0.6,
            )
    flat(-0.55, 2.6, -0.05, 2.9, (196, 164, 128))
    flat(-0.5, 2.64, -0.1, 2.86, (120, 96, 80))
    t = np.linspace(0, 2 * np.pi, 30)
    for r, colour in ((0.19, (90, 84, 92)), (0.16, (250, 248, 240))):
        quad([(0.6 + r * float(np.cos(a)), 2.74 + r * float(np.sin(a)), z) for a in t], colour)
    flat(0.59, 2.74, 0.61, 2.87, (60, 56, 66))
    flat(0.6, 2.73, 0.7, 2.75, (60, 56, 66))


def _windows(board: Board, quad: Quad, x: float, back: float, top: float) -> None:
    """Sky, trees and frames in the left wall, curtains gathered between them."""

    def flat(
        z0: float, y0: float, z1: float, y1: float, colour: Colour, opacity: float = 1.0, soft: float = 0.0
    ) -> None:
        quad([(x, y0, z0), (x, y0, z1), (x, y1, z1), (x, y1, z0)], colour, opacity, soft)

    flat(0.9, 0.9, back - 0.4, 2.75, (206, 232, 250))
    flat(0.9, 1.9, back - 0.4, 2.75, (150, 202, 244), 0.7, 12)
    for z in np.arange(1.2, back - 0.5, 0.37):
        tall = 0.25 + 0.3 * abs(np.sin(5 * z))
        flat(z, 0.9, z + 0.5, 0.98 + tall, (150, 190, 140), 0.8, 3)
    flat(0.9, 0.9, back - 0.4, 2.75, (255, 250, 232), 0.30)
    for z in np.arange(1.0, back, 0.72):
        flat(z, 0.86, z + 0.06, 2.8, (246, 244, 240))
        flat(z + 0.06, 0.86, z + 0.08, 2.8, (170, 168, 184))
    for y in (0.84, 1.9, 2.74):
        flat(0.9, y, back - 0.36, y + 0.06, (240, 238, 236))
    for z in (1.9, 3.4, 4.9, 6.4):
        for i in range(6):
            flat(
                z + 0.07 * i,
                0.8,
                z + 0.07 * i + 0.08,
                2.86,
                ((252, 246, 230), (232, 220, 204), (214, 204, 200))[i % 3],
                0.95,
            )
    flat(0.9, 0.0, back, 0.82, (200, 184, 164))
    flat(0.9, 0.8, back, 0.86, (170, 130, 98))
    del top, board


def _desk(board: Board, see: Callable[[float, float, float], tuple[float, float]], x: float, z: float) -> None:
    """A desk with its chair, and sometimes a book."""
    steel, wood = (126, 132, 148), (212, 166, 118)
    for dx in (-0.28, 0.26):
        _box(board, see, (x + dx, 0, z + 0.36), (x + dx + 0.025, 0.7, z + 0.38), steel)
    _box(board, see, (x - 0.2, 0.42, z - 0.34), (x + 0.2, 0.46, z + 0.0), wood)
    for dx in (-0.28, 0.26):
        _box(board, see, (x + dx, 0, z), (x + dx + 0.025, 0.7, z + 0.02), steel)
    _box(board, see, (x - 0.3, 0.54, z), (x + 0.3, 0.68, z + 0.4), (150, 152, 166))
    _box(board, see, (x - 0.34, 0.69, z - 0.02), (x + 0.34, 0.73, z + 0.42), wood)
    for dx in (-0.19, 0.17):
        _box(board, see, (x + dx, 0, z - 0.36), (x + dx + 0.022, 0.84, z - 0.34), steel)
    _box(board, see, (x - 0.2, 0.66, z - 0.37), (x + 0.2, 0.84, z - 0.34), wood)
    if board.rng.random() < 0.35:
        colour = ((96, 130, 186), (198, 96, 92), (236, 232, 220))[board.rng.integers(3)]
        _box(board, see, (x - 0.12, 0.73, z + 0.1), (x + 0.1, 0.76, z + 0.26), colour)
