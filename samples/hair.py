"""Hair in locks: at the back, tails, side strands, fringe, and the band of light."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from samples.brush import Cel, Path, Stencil, line, mix, moved, oval, ribbon, ring, times
from samples.design import HAIR_SHADE, Design, Head, Pose, hair_ink
from samples.dress import draw_bow


def _swing(pose: Pose, spine: Path, lag: float = 0.0) -> Path:
    """A strand in the wind: the root stays, the tip swings the most and the latest."""
    t = np.linspace(0, 1, len(spine))
    push = pose.sway * t**1.6 * np.sin(pose.wind - 1.4 * t - lag)
    return spine + np.stack([push, -0.15 * np.abs(push)], 1)


def _lock(cel: Cel, design: Design, spine: Path, widths: Sequence[float], tone: float = 0.0, root: float = 0.0) -> None:
    """One lock of hair along its spine: flat paint, a shaded side with a hard border, ink on both edges.

    `tone` 0..1 darkens the whole lock; before the part `root` of its length it melts into the hair under it.
    """
    n = len(spine)
    outline = ribbon(spine, widths)
    edge, other = outline[:n], outline[n:][::-1]
    shade, ink, first = times(design.hair, HAIR_SHADE), hair_ink(design), int(root * n)
    at = cel.fill(outline, colour=mix(design.hair, shade, tone))
    right, left = (edge, other) if edge[n // 2, 0] > other[n // 2, 0] else (other, edge)
    if tone < 1:
        part = np.interp(np.linspace(0, 1, n), [root, root + 0.25, 0.7, 1], [0.0, 0.42, 0.36, 0.1])[:, None]
        core = right + (spine - right) * 2 * part
        cel.fill(np.concatenate([core[first:], right[first:][::-1]]), colour=shade, within=at)
    if root:  # above, only a hint of where the lock comes from
        cel.ink(left[int(0.45 * first) : first + n // 6], [0.2, 1.3, 0.6], shade)
    cel.ink(right[first:], [0.3 if root else 1.4, 2.3, 2.1, 0.8], ink)
    cel.ink(left[first + int(0.12 * n) * (root > 0) :], [0.3 if root else 1.2, 1.7, 1.7, 0.8], ink)
    if max(widths) > 21 and tone < 1 and not root:
        cel.ink((left + (spine - left) * 0.7)[max(first, n // 4) : -n // 4], [0.3, 1.3, 0.3], shade, within=at)


# Locks: the spine's points, then full widths from root to tip. Mirrored ones are drawn on both sides.
Lock = tuple[str, tuple[float, ...]]
BACK: dict[str, list[Lock]] = {
    "pony": [("-48,20 -60,70 -52,112", (30, 34, 22, 0)), ("-20,40 -30,90 -22,124", (40, 36, 20, 0))],
    "twin": [("-48,20 -58,66 -46,104", (30, 30, 18, 0)), ("-20,40 -30,84 -22,116", (40, 36, 20, 0))],
    "long": [
        ("-36,0 -40,120 -34,210 -44,300", (80, 86, 70, 40, 0)),
        ("-62,10 -80,90 -84,170 -70,250", (44, 46, 38, 20, 0)),
        ("-70,30 -94,100 -98,160 -112,214", (26, 28, 20, 0)),
    ],
    "bob": [("-30,30 -36,90 -24,128", (76, 76, 46, 0)), ("-64,10 -78,70 -60,122", (34, 40, 28, 0))],
    "short": [("-40,30 -48,70 -36,104", (40, 38, 24, 0)), ("-64,10 -74,44 -78,82", (24, 22, 14, 0))],
}
SIDE: dict[str, list[Lock]] = {
    "pony": [
        ("-68,-40 -80,10 -74,66 -86,138", (22, 25, 20, 13, 0)),
        ("-60,-50 -71,2 -66,40 -69,84", (16, 17, 13, 8, 0)),
    ],
    "twin": [("-68,-40 -79,12 -72,60 -82,116", (22, 24, 18, 10, 0)), ("-60,-50 -71,2 -67,34 -66,70", (16, 16, 10, 0))],
    "long": [
        ("-66,-44 -80,20 -78,90 -92,180", (24, 28, 24, 15, 0)),
        ("-60,-50 -71,6 -67,60 -74,124", (16, 18, 14, 8, 0)),
    ],
    "bob": [("-66,-48 -84,6 -82,60 -56,108", (28, 38, 36, 20, 0)), ("-60,-50 -72,0 -70,44 -58,84", (18, 20, 16, 0))],
    "short": [("-68,-44 -78,-4 -70,48", (24, 20, 0)), ("-74,-40 -88,-4 -92,38", (20, 17, 0))],
}
TAIL: list[Lock] = [
    ("0,0 16,-20 48,-14 64,40 58,120 86,204", (16, 36, 50, 58, 38, 0)),
    ("2,4 20,26 36,90 30,150 44,196", (24, 40, 34, 18, 0)),
    ("4,-4 30,-24 70,-2 90,70 92,130 120,180", (12, 24, 30, 30, 22, 0)),
]
TAIL_ROOT = {"pony": ((56.0, -86.0, 1.0),), "twin": ((-74.0, -56.0, -1.0), (74.0, -56.0, 1.0))}
"""Where tails are tied: x, y, side."""

CROWN = "-76,-10 -81,-48 -69,-82 -40,-107 2,-117 44,-106 71,-80 82,-46 76,-10"
TUFT = "2,-104 2,-126 -12,-138 -28,-132"
"""A small lock that stands off the skull."""


class Fringe(NamedTuple):
    """Hair over the forehead: where it parts, then per lock x at the forehead, the tip's x and y, and width."""

    part: tuple[float, float]
    blunt: float
    locks: tuple[tuple[float, float, float, float], ...]


FRINGES = (
    Fringe(
        (6, -104), 0.0,
        ((-66, -76, 46, 26), (66, 75, 44, 26), (-54, -60, 20, 30), (54, 57, 20, 28), (-38, -44, 12, 32),
         (40, 36, 10, 30), (20, 18, 6, 30), (-22, -28, 10, 28), (0, -8, 22, 32)),
    ),
    Fringe(
        (30, -102), 0.0,
        ((66, 76, 46, 26), (-68, -78, 46, 26), (58, 66, 18, 28), (46, 58, 0, 28), (-58, -70, 22, 32),
         (-44, -62, 12, 36), (-24, -44, 14, 38), (2, -18, 10, 40), (18, 6, 6, 26)),
    ),
    Fringe(
        (0, -106), 0.62,
        ((-68, -77, 30, 22), (68, 77, 30, 22), (-56, -60, 4, 26), (56, 60, 4, 26), (-38, -40, 2, 26), (38, 40, 2, 26),
         (-20, -21, 0, 26), (20, 21, 0, 26), (0, 0, 2, 26)),
    ),
)  # fmt: skip


def _mirror(path: Path) -> Path:
    return path * (-1, 1)


def _tails(cel: Cel, design: Design, pose: Pose, head: Head) -> None:
    """The pony tail or the twin tails."""
    for x, y, side in TAIL_ROOT.get(design.style, ()):
        root = head(np.array([[x, y]]), -20)[0]
        for i, (text, widths) in enumerate(TAIL[::-1]):
            spine = _swing(pose, line(text, 20) * 1.15, lag=0.35 * i) * (side, 1) + root
            _lock(cel, design, spine, widths, tone=(0.8, 0.5, 0)[i])


def draw_ties(cel: Cel, design: Design, head: Head) -> None:
    """The bows where tails are tied."""
    for x, y, side in TAIL_ROOT.get(design.style, ()):
        root = head(np.array([[x, y]]), -10)[0]
        draw_bow(cel, design, root, 0.66, 24 * side + head.pose.roll)


def draw_back_hair(cel: Cel, design: Design, pose: Pose, head: Head) -> None:
    """What lies behind neck and shoulders, all in shade."""
    skull = head(oval(0, -24, 79, 90), -10)
    cel.outline(skull, 4, hair_ink(design))
    cel.fill(skull, colour=times(design.hair, HAIR_SHADE))
    _tails(cel, design, pose, head)
    for i, (text, widths) in enumerate(BACK[design.style]):
        for mirror in (_mirror, np.asarray):
            _lock(cel, design, _swing(pose, head(mirror(line(text, 20)), -25), 0.5 * i), widths, tone=1)


def fringe_locks(design: Design, pose: Pose, head: Head) -> list[tuple[Path, list[float]]]:
    """The locks over the forehead, from the temples to the middle: spines and widths."""
    part, blunt, locks = FRINGES[design.fringe]
    out = []
    for x, tip, low, wide in locks:
        push = 0.3 * pose.sway * float(np.sin(pose.wind - 0.6 + x / 80))
        spine = line(
            [
                (part[0] + 0.3 * (x - part[0]), -103),
                (x * 0.74 + part[0] * 0.26, -78),
                (x, -40),
                (0.4 * x + 0.6 * tip + 0.3 * push, low - 24),
                (tip + push, low),
            ]
        )
        widths = [wide * k for k in (0.5, 0.85, 1.0, 0.82, 0.42 + 0.45 * blunt, blunt)]
        out.append((head(spine), widths))
    return out


def draw_front_hair(cel: Cel, design: Design, pose: Pose, head: Head) -> None:
    """Side strands, crown, fringe, and the band of light."""
    ink, shade = hair_ink(design), times(design.hair, HAIR_SHADE)
    for i, (text, widths) in enumerate(SIDE[design.style]):
        for mirror in (_mirror, np.asarray):
            _lock(cel, design, _swing(pose, head(mirror(line(text, 20)), 8), 0.6 * i), widths)
    _lock(cel, design, head(line(TUFT, 20), 0), (13, 9, 5, 0))
    crown = head(line(CROWN), 0)
    cel.ink(crown, [2.6, 3.8, 3.2, 4.4, 3.6], ink)
    cap = cel.fill(np.concatenate([crown, head(line("70,-24 40,-44 0,-48 -40,-44 -70,-24"), 30)]), colour=design.hair)
    cel.fill(head(ring("44,-114 66,-84 72,-50 66,-10 92,10 100,-90"), 4), colour=shade, within=cap)
    fringe = fringe_locks(design, pose, head)
    for i, (spine, profile) in enumerate(fringe):
        _lock(cel, design, spine, profile, root=0.46 + 0.05 * (3 * i % 5))
    _shine(cel, design, head, cel.stencil(*(ribbon(*lock) for lock in fringe)))
    part = np.array(FRINGES[design.fringe].part)
    for dx, dy in ((-34, 26), (-14, 30), (16, 28), (38, 24)):  # the hair's run from the parting
        to = moved(part, dx, dy)
        cel.ink(
            head(line([moved(part, 0.12 * dx, -4), moved((part + to) / 2, 0.16 * dx, -5), to])),
            [0.3, 1.5, 0.3],
            mix(ink, shade, 0.35),
            within=cap,
        )


def _shine(cel: Cel, design: Design, head: Head, at: Stencil) -> None:
    """The band of light round the skull: pointed strokes side by side, longer and shorter by turns."""
    bright = mix(design.hair, (255, 248, 236), 0.6)
    for i, x in enumerate(np.linspace(-58, 52, 23)):
        if i in (8, 15):
            continue
        y = -66 + 0.005 * (x - 2) ** 2
        tall = (7 + 6 * abs(np.sin(1.7 * i)) + 3 * (i % 2)) * np.sqrt(max(1 - (x / 68) ** 2, 0.1))
        lean = 0.10 * x
        cel.fill(
            head(
                ribbon(line([(x - lean, y - 0.7 * tall), (x, y), (x + lean, y + tall)]), [0, 6.4, 5.4, 0]),
                44 - abs(x) * 0.3,
            ),
            colour=bright,
            within=at,
        )


def draw_brows(cel: Cel, design: Design, pose: Pose, head: Head) -> None:
    """Thin brows, drawn over the fringe as the custom is."""
    for side in (-1.0, 1.0):
        brow = line("-14,-1 -2,-5 10,-4 18,1") * (side, 1) + (side * 34, -15 - 5 * pose.brow)
        cel.ink(head(brow), [1.0, 2.4, 2.0, 0.5], mix(hair_ink(design), design.hair, 0.15))
