"""A painted riverside in cherry time without anybody in it, at noon and at dusk. No photographs."""

from collections.abc import Sequence

import numpy as np

from samples.board import Board, ramp
from samples.brush import Colour, Sheet, mix, ring


def _cloud(board: Board, x: float, y: float, size: float, tones: Sequence[Colour], count: int = 60) -> None:
    """A heap of soft balls: blue below, white above, flat at its foot."""
    rng = board.rng
    spread = rng.normal(0, 1, count)
    rise = np.abs(rng.normal(0, 0.5, count)) * np.exp(-(spread**2) / 1.5)
    radius = size * (0.14 + 0.16 * rng.random(count)) * np.exp(-(spread**2) / 6)
    order = np.argsort(rise)[::-1]
    layers = ((0.0, 0.10, 0.8, 1.12), (-0.02, 0.02, 0.75, 1.0), (-0.06, -0.06, 0.8, 0.74))
    for colour, (dx, dy, opacity, grow) in zip(tones, layers, strict=True):
        for i in order:
            t = np.linspace(0, 2 * np.pi, 24)
            wob = 1 + 0.12 * np.sin(5 * t + 7 * spread[i])
            cx, cy, r = x + size * (0.75 * spread[i] + dx), y - size * (0.55 * rise[i] - dy), radius[i] * grow
            shape = np.stack([cx + r * wob * np.cos(t), np.minimum(cy + r * wob * np.sin(t), y + size * 0.2)], 1)
            board.wash(shape, colour, opacity, 0.8 + size / 90, 0.02)


NOON_CLOUD: Sequence[Colour] = ((158, 186, 224), (206, 222, 242), (255, 252, 246))
EVENING_CLOUD: Sequence[Colour] = ((150, 112, 168), (230, 150, 158), (255, 214, 180))


def _blossom(board: Board, x: float, y: float, rx: float, ry: float, count: int, tones: Sequence[Colour]) -> None:
    """A cloud of petals or leaves: dark below, light above."""
    rng = board.rng
    clumps = rng.normal(0, 0.42, (18, 2))
    at = clumps[rng.integers(0, 18, count)] + rng.normal(0, 0.16, (count, 2))
    level = np.clip(0.5 - 0.55 * at[:, 1] + 0.25 * rng.normal(0, 1, count) - 0.2 * at[:, 0], 0, 0.999)
    order = np.argsort(level + 0.2 * rng.random(count))
    colours = np.array(tones, np.float64)[(level * len(tones)).astype(int)] * rng.uniform(0.96, 1.03, (count, 1))
    radii = rng.uniform(1.0, 3.6, count) * (rx + ry) / 150
    board.dab((at * (rx, ry) + (x, y))[order], radii[order], np.clip(colours, 0, 255)[order])


def _limb(
    board: Board, x: float, y: float, angle: float, length: float, thick: float, depth: int, colour: Colour
) -> list[tuple[float, float]]:
    """A branch, and its branches. Returns where the twigs end."""
    x1, y1 = x + length * np.sin(angle), y - length * np.cos(angle)
    side = np.array([np.cos(angle), np.sin(angle)])
    a, b = np.array([x, y]), np.array([x1, y1])
    board.wash(
        [a - side * thick, b - side * thick * 0.65, b + side * thick * 0.65, a + side * thick], colour, rough=0.15
    )
    board.wash(
        [a + side * thick * 0.2, b + side * thick * 0.15, b + side * thick * 0.65, a + side * thick],
        (52, 36, 48),
        0.6,
        rough=0.2,
    )
    if not depth:
        return [(x1, y1)]
    ends = [(x1, y1)] if depth == 1 else []
    for turn in (-0.55, 0.1, 0.6)[: 2 + depth % 2]:
        lean = angle + turn + float(board.rng.normal(0, 0.12))
        ends += _limb(board, x1, y1, lean, length * 0.7, thick * 0.62, depth - 1, colour)
    return ends


PINKS: Sequence[Colour] = ((196, 128, 166), (226, 158, 188), (246, 190, 208), (255, 216, 226), (255, 240, 242))
GREENS: Sequence[Colour] = ((46, 92, 78), (70, 124, 82), (112, 162, 92), (166, 200, 112), (214, 230, 150))


def _sky(board: Board, dusk: bool) -> None:
    """A sky with heaped clouds, and hills in the haze."""
    w = board.wide
    noon: Sequence[Colour] = ((72, 140, 222), (126, 184, 240), (196, 224, 248), (250, 240, 230))
    evening: Sequence[Colour] = ((92, 96, 176), (186, 132, 186), (250, 168, 136), (255, 222, 160))
    board.paint = ramp(board.size, evening if dusk else noon, (0, 0.3, 0.52, 0.62))
    for x, y, size in ((0.16, 190, 90), (0.52, 130, 120), (0.8, 208, 80), (0.36, 228, 60), (0.96, 110, 90)):
        _cloud(board, x * w, y, size, EVENING_CLOUD if dusk else NOON_CLOUD)
    xs = np.linspace(-10, w + 10, 60)
    far, near = ((170, 124, 168), (142, 110, 150)) if dusk else ((156, 184, 214), (122, 164, 176))
    for base, tall, colour in ((262, 40, far), (272, 24, near)):
        ridge = base - tall * (0.5 + 0.5 * np.sin(xs / 97 + base)) - 6 * np.sin(xs / 23)
        board.wash(np.concatenate([np.stack([xs, ridge], 1), [[w + 10, 330], [-10, 330]]]), colour, soft=1.0)


WALLS: Sequence[Colour] = ((226, 214, 206), (206, 212, 222), (232, 222, 196))


def _town(board: Board) -> None:
    """Houses and bushes on the other bank."""
    rng = board.rng
    for x in np.arange(-10.0, board.wide, 23.0):
        high, deep = float(rng.uniform(8, 38)), float(rng.uniform(14, 26))
        wall = mix((190, 180, 180), WALLS[int(rng.integers(3))], float(rng.uniform(0.5, 1)))
        board.block(x, 284 - high, x + deep, 292, wall)
        board.wash([(x - 2, 284 - high), (x + deep / 2, 276 - high), (x + deep + 2, 284 - high)], (150, 112, 112))
        for y in np.arange(288 - high, 286, 8):
            for left in np.arange(x + 3, x + deep - 4, 6):
                board.block(left, y, left + 3, y + 4, (120, 146, 172), 0.8)
    for x in np.arange(-10.0, board.wide + 20, 30.0):
        tones = GREENS[:4] if rng.random() < 0.6 else PINKS
        _blossom(board, x + rng.uniform(-8, 8), 290 + rng.uniform(-3, 3), 22, 10, 130, tones)


def _water(board: Board) -> None:
    """The river with its glints."""
    board.block(-10, 298, board.wide + 10, 352, (128, 178, 214))
    glints: Sequence[Colour] = ((206, 230, 244), (96, 150, 196), (236, 206, 220))
    for x, y, k in zip(*board.rng.uniform((-10, 300, 8), (board.wide, 350, 40), (220, 3)).T, strict=True):
        wide = k * (y - 280) / 60
        board.wash([[x, y], [x + wide, y - 0.7], [x + wide, y + 0.8]], glints[int(board.rng.integers(3))], 0.7, 0.3)


def _meadow(board: Board) -> None:
    """Grass on both sides of a path, and the rail along the water."""
    w, rng = board.wide, board.rng
    board.wash([(-10, 344), (w + 10, 340), (w + 10, 490), (-10, 490)], (110, 162, 84), rough=0.25)
    path = [[w * 0.30, 490], [w * 0.56, 358], [w * 0.62, 358], [w * 1.02, 490]]
    board.wash(path, (226, 206, 180), soft=1.5, rough=0.12)
    for x, t in zip(rng.uniform(0, w, 2600), rng.random(2600) ** 1.4, strict=True):
        y = 344 + 140 * t
        if abs(x - w * (0.59 + 0.07 * (y - 358) / 132)) > w * (0.04 + 0.32 * (y - 358) / 132):
            tip = [x + rng.normal(0, 2), y - 2 - 7 * (y - 340) / 140]
            board.stroke([[x, y], tip], 0.7, GREENS[int(rng.integers(5))])
    for x in np.linspace(-0.05, 1.05, 16) * w:
        board.block(x - 2.5, 322, x + 2.5, 366, (236, 238, 240))
        board.block(x + 0.5, 322, x + 2.5, 366, (160, 170, 196))
    for y in (325, 342):
        board.block(-10, y, w + 10, y + 4.5, (240, 242, 244))
        board.block(-10, y + 2.6, w + 10, y + 4.5, (166, 176, 200))


def _cherries(board: Board, places: Sequence[tuple[float, float, float]]) -> None:
    """Cherry trees (x as part of the width, lean, size), fallen petals and flying ones."""
    w, rng = board.wide, board.rng
    for x, lean, size in places:
        foot = x * w
        board.wash(ring([(foot - 70, 400), (foot, 386), (foot + 110, 398), (foot + 10, 416)]), (58, 96, 76), 0.5, 3)
        twigs = _limb(board, foot, 400, lean, 96 * size, 13 * size, 4, (98, 70, 72))
        for tip_x, tip_y in sorted(twigs, key=lambda twig: twig[1]):
            _blossom(board, tip_x, tip_y - 6, 40 * size, 30 * size, 260, PINKS)
    tones = np.array(PINKS, np.float64)
    for count, top, bottom, small, large in ((420, 370, 480, 0.7, 2.0), (70, 40, 380, 1.4, 3.2)):
        at = rng.uniform((0, top), (w, bottom), (count, 2))
        board.dab(at, rng.uniform(small, large, count), tones[rng.integers(2, 5, count)])


def riverside(height: int, width: int) -> Sheet:
    """A path by the river at noon in cherry time. (height, width, 3) RGB uint8."""
    board = Board(height, width, seed=11)
    _sky(board, dusk=False)
    _town(board)
    _water(board)
    _meadow(board)
    _cherries(board, ((0.02, 0.16, 1.0), (0.93, -0.12, 1.15)))
    return board.finish(0.55)


DUSK: Colour = (255, 206, 196)
"""What the evening light multiplies everything on the ground by."""


def riverside_at_dusk(height: int, width: int) -> Sheet:
    """The river in the evening, one tree in the middle. (height, width, 3) RGB uint8."""
    board = Board(height, width, seed=23)
    _sky(board, dusk=True)
    sky = board.paint.copy()
    _town(board)
    _water(board)
    _meadow(board)
    _cherries(board, ((0.47, 0.06, 1.2), (1.03, -0.2, 0.9)))
    painted = (board.paint != sky).any(2, keepdims=True)
    light = np.array(DUSK, np.float32) / 255 * np.float32(0.84)
    board.paint = np.where(painted, board.paint * light, sky)
    board.block(0, 200, board.wide, 320, (255, 190, 120), 0.30, 40)
    return board.finish(0.6)
