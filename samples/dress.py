"""Arms, hands, and two school uniforms."""

from typing import NamedTuple

import numpy as np

from samples.brush import Cel, Path, capsule, disc, line, mix, moved, ring, rotate, times
from samples.design import CLOTH_SHADE, SKIN_INK, SKIN_SHADE, WHITE, Design, Pose, cloth_ink

SHOULDER = (76.0, 152.0)
UPPER_ARM, FOREARM = 98.0, 88.0
FINGERS = ((-11.0, -27.0, -15.0, 23.0), (-4.0, -31.0, -4.0, 28.0), (4.0, -31.0, 5.0, 27.0), (11.5, -27.0, 15.0, 21.0))
"""Of an open hand: root x and y, lean in degrees, length."""


def _hand(wrist: Path, turn: float, side: float, openness: float) -> list[Path]:
    """The shapes of a hand whose fingers point up at turn 0."""
    parts = [ring("-9,4 -13,-10 -15,-27 -4,-33 6,-33 15,-26 13,-10 9,4")]
    for x, y, lean, length in FINGERS:
        lean, length = lean * openness, length * (0.55 + 0.45 * openness)
        way = np.array([np.sin(np.deg2rad(lean)), -np.cos(np.deg2rad(lean))])
        root = np.array([x, y])
        parts.append(capsule(line(np.stack([root, root + way * length * 0.5, root + way * length])), [9.4, 9.2, 7.0]))
    lean = 48 * openness + 14
    way = np.array([np.sin(np.deg2rad(lean)), -np.cos(np.deg2rad(lean))])
    parts.append(
        capsule(
            line(np.stack([np.array([7.0, -8]), np.array([13.0, -15]), np.array([13.0, -15]) + way * 19])),
            [11, 10.5, 7.0],
        )
    )
    return [rotate(part * (side, 1), turn) + wrist for part in parts]


class Arm(NamedTuple):
    """Where an arm lies: bones from shoulder to wrist, the shapes of the hand, the sleeve's spine and its outline."""

    side: float
    bones: Path
    hand: list[Path]
    spine: Path
    sleeve: Path


SHORT_SLEEVE, LONG_SLEEVE = (46, 56, 60, 63), (46, 48, 44, 43, 41, 40)
"""Widths from shoulder to cuff."""


def reach(design: Design, pose: Pose, side: float) -> Arm:
    """One arm from shoulder to fingers as the pose lifts and bends it. `side` is -1 for the left of the picture."""
    lift, bend, twist = pose.left if side < 0 else pose.right

    def way(degrees: float) -> Path:
        return np.array([side * np.sin(np.deg2rad(degrees)), np.cos(np.deg2rad(degrees))])

    shoulder = np.array([side * SHOULDER[0], SHOULDER[1] - pose.breath])
    elbow = shoulder + UPPER_ARM * way(lift)
    wrist = elbow + FOREARM * way(lift + bend)
    before, after = 0.45 * shoulder + 0.55 * elbow, 0.45 * elbow + 0.55 * wrist
    bones = line([shoulder, before, 0.9 * elbow + 0.05 * (wrist + shoulder), after, wrist])
    hand = _hand(wrist, 180 - side * (lift + bend + twist), side, 1.0 if lift + bend > 70 else 0.45)
    long_ = design.dress == "blazer"
    spine = bones if long_ else bones[: int(0.46 * len(bones))]
    widths, n = LONG_SLEEVE if long_ else SHORT_SLEEVE, len(spine)
    sleeve = capsule(spine, widths)
    return Arm(side, bones, hand, spine, np.delete(sleeve, slice(n, n + 7), 0))  # the cuff is cut straight


def draw_arm(cel: Cel, design: Design, arm: Arm) -> None:
    """Skin and hand, then the sleeve with its cuff; the side away from the light in shade."""
    skin_shade = times(design.skin, SKIN_SHADE)
    limb = capsule(arm.bones, [36, 33, 29, 27, 19])
    for part in (limb, *arm.hand):
        cel.outline(part, 3.2, SKIN_INK)
    skin = cel.fill(limb, *arm.hand, colour=design.skin)
    cel.fill(capsule(moved(arm.bones, 7, 6), [24, 20, 16, 14, 11]), colour=skin_shade, within=cel.stencil(limb))
    for finger in arm.hand[1:5]:
        cel.ink(finger[: len(finger) // 2 - 4][:14], [0.3, 1.2, 0.9], mix(SKIN_INK, skin_shade, 0.3), within=skin)
    cel.fill(arm.hand[0] + (7 * arm.side, 14), colour=skin_shade, within=cel.stencil(arm.hand[0]))
    _sleeve(cel, design, arm)


def _sleeve(cel: Cel, design: Design, arm: Arm) -> None:
    """The sleeve's paint; its outline lies under the torso already, but for the edge along the body."""
    long_ = design.dress == "blazer"
    cloth = design.collar if long_ else design.cloth
    ink, n = cloth_ink(cloth), len(arm.spine)
    edge, other = arm.sleeve[:n], arm.sleeve[n : 2 * n][::-1]
    inner, outer = (edge, other) if arm.side > 0 else (other, edge)
    if (inner - outer)[n // 2] @ (-arm.side, 0.6) < 0:
        inner, outer = outer, inner
    cel.ink(inner[n // 5 :], [0.4, 3.4, 3.6], ink)
    cel.ink(outer[n // 3 :], [0.4, 3.2, 3.2], ink)
    at = cel.fill(arm.sleeve, colour=cloth)
    low, high = (edge, other) if (edge - other).mean(0) @ (1, 0.7) > 0 else (other, edge)
    part = np.linspace(0.16, 0.40, n)[:, None] + 0.05 * np.sin(np.linspace(0, 9, n))[:, None]
    cel.fill(np.concatenate([low, (low + (high - low) * part)[::-1]]), colour=times(cloth, CLOTH_SHADE), within=at)
    if long_:
        for i in (int(0.46 * n), int(0.53 * n)):
            cel.ink(
                line([low[i], 0.6 * low[i + 2] + 0.4 * high[i + 2], 0.45 * low[i + 3] + 0.55 * high[i + 3]]),
                [2.0, 1.4, 0.3],
                ink,
                within=at,
            )
    else:
        cel.fill(np.array([edge[-1], other[-1], other[-5], edge[-5]]), colour=design.collar, within=at)
        cel.ink(np.array([edge[-5], other[-5]]), 1.6, ink, within=at)
    cel.ink(np.array([edge[-1], other[-1]]), 2.8, ink)


TORSO = (
    "-20,104 -52,122 -84,132! -86,160 -77,192 -73,226 -62,276 -57,318 -66,362 0,370"
    " 66,362 57,318 62,276 73,226 77,192 86,160 84,132! 52,122 20,104"
)
SKIRT = "-60,322! -78,384 -112,476! -60,490 0,482 60,490 112,476! 78,384 60,322! 0,330"
NECK_AND_V = "-19,66! -19,96 -30,113! -20,150 0,198! 20,150 30,113! 19,96 19,66!"


def draw_skirt(cel: Cel, design: Design) -> None:
    """A pleated skirt."""
    ink, dark = cloth_ink(design.skirt), times(design.skirt, CLOTH_SHADE)
    skirt = ring(SKIRT)
    cel.outline(skirt, 3.4, ink)
    at = cel.fill(skirt, colour=design.skirt)
    for x in (-84, -52, -18, 16, 50, 84):
        cel.fill(line(f"{x * 0.55},326 {x},494 {x + 17},494 {x * 0.55 + 4},326"), colour=dark, within=at)
        cel.ink(line(f"{x * 0.55},326 {x * 0.8},400 {x},494"), [1.0, 2.0, 2.2], ink, within=at)


def draw_torso(cel: Cel, design: Design, up: Path) -> None:
    """Shirt or blazer, without its collar; folds and shade."""
    main = design.collar if design.dress == "blazer" else design.cloth
    ink, shade = cloth_ink(main), times(main, CLOTH_SHADE)
    torso = ring(TORSO) + up
    cel.outline(torso, 3.4, ink)
    at = cel.fill(torso, colour=main)
    for fold in (
        "80,186 44,200 60,226 64,262 58,318 90,320 96,200!",
        "70,290 24,336 -20,348 -44,372 70,374",
        "-90,180 -62,196 -76,210 -68,250 -90,240",
    ):
        cel.fill(ring(fold) + up, colour=shade, within=at)
    for fold in ("-64,208 -46,216 -30,213", "-60,300 -40,313 -20,317", "54,322 38,333 18,336"):
        cel.ink(line(fold) + up, [0.4, 1.8, 0.3], ink, within=at)


def draw_throat(cel: Cel, design: Design, pose: Pose, up: Path) -> None:
    """The neck, down into the opening of the collar, with the chin's shadow."""
    neck = ring(NECK_AND_V) + up
    cel.outline(neck, 3.0, SKIN_INK)
    skin = cel.fill(neck, colour=design.skin)
    cel.fill(
        moved(ring("-30,60! -24,114 4,134 26,112 34,60!"), 0.3 * pose.yaw, up[1]),
        colour=times(design.skin, SKIN_SHADE),
        within=skin,
    )
    for side in (-1, 1):
        cel.ink(line("16,150 6,154") * (side, 1) + up, [0.3, 1.5, 0.3], SKIN_INK, within=skin)


def draw_bow(cel: Cel, design: Design, at: Path, size: float, turn: float = 0.0) -> None:
    """A ribbon: two tails, two loops, a knot."""
    ink, shade = cloth_ink(design.ribbon), times(design.ribbon, (200, 150, 190))

    def place(path: Path, side: float = 1.0) -> Path:
        return rotate(path * (side * size, size), turn) + at

    for side in (-1.0, 1.0):
        for shape, fold in (
            ("0,4! 20,28 28,60! 16,58 8,62! 2,30", "10,30 12,50"),
            ("0,-2! 16,-18 38,-20 44,0 36,16 14,8!", "8,0 26,-4"),
        ):
            part = place(ring(shape), side)
            cel.outline(part, 3.0, ink)
            filled = cel.fill(part, colour=design.ribbon)
            cel.fill(moved(part, 5 * size, 9 * size), colour=shade, within=filled)
            cel.ink(place(line(fold), side), [1.8, 0.3], ink, within=filled)
    knot = place(ring("-8,-8 8,-8 9,8 -9,8"))
    cel.outline(knot, 2.8, ink)
    cel.fill(knot, colour=design.ribbon)


def draw_sailor(cel: Cel, design: Design, up: Path) -> None:
    """The sailor collar with its stripe, and the scarf."""
    ink, shade = cloth_ink(design.collar), times(design.collar, CLOTH_SHADE)
    for side in (-1.0, 1.0):
        flap = ring("20,100! 34,108 62,124 90,143! 86,176 66,193! 34,206 0,214! 16,176 29,136!") * (side, 1) + up
        cel.outline(flap, 3.2, ink)
        at = cel.fill(flap, colour=design.collar)
        cel.fill(
            ring("20,98! 40,120 46,150 30,194 0,216! 16,176 29,136!") * (side, 1) + (4 + 4 * side, 0) + up,
            colour=shade,
            within=at,
        )
        cel.ink(line("84,140! 79,172 62,185 34,197 6,204") * (side, 1) + up, 2.8, (246, 246, 252), within=at)
    draw_bow(cel, design, np.array([0.0, 214.0]) + up, 1.0)


def draw_lapels(cel: Cel, design: Design, up: Path) -> None:
    """A shirt in the opening, its collar, the blazer's lapels and buttons."""
    ink, shade = cloth_ink(design.collar), times(design.collar, CLOTH_SHADE)
    opening = ring("-30,116! -26,150! 0,152! 26,150! 30,116! 34,180 0,266! -34,180") + up
    shirt = cel.fill(opening, colour=design.cloth)
    cel.fill(ring("6,150! 60,110! 40,200 2,270! 16,200") + up, colour=times(design.cloth, CLOTH_SHADE), within=shirt)
    for side in (-1.0, 1.0):
        lapel = ring("26,110! 50,122 62,150! 52,176! 60,184 38,228 0,272! 24,196 33,150!") * (side, 1) + up
        cel.outline(lapel, 3.0, ink)
        at = cel.fill(lapel, colour=mix(design.collar, WHITE, 0.10))
        cel.fill(moved(lapel, 12 if side > 0 else -14, 10), colour=shade, within=at)
        wing = ring("18,98! 32,108 38,128 27,160! 12,148 1,150! 16,128") * (side, 1) + up
        cel.outline(wing, 2.6, cloth_ink(design.cloth))
        at = cel.fill(wing, colour=design.cloth)
        cel.fill(moved(wing, -7, 13), colour=times(design.cloth, CLOTH_SHADE), within=at)
    cel.ink(line("0,270 2,312 0,366") + up, [1.8, 2.2, 1.6], ink)
    for y in (292, 330):
        cel.fill(disc(np.array([9, y]) + up, 5.4), colour=ink)
        cel.fill(disc(np.array([8.6, y - 0.4]) + up, 4), colour=(232, 196, 110))
    draw_bow(cel, design, np.array([0.0, 162.0]) + up, 0.72)
