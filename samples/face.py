"""The face: eyes, nose, mouth, blush, and the shadow of the fringe."""

from collections.abc import Callable

import numpy as np

from samples.brush import Cel, Path, Stencil, line, mix, moved, normals, oval, ribbon, ring, rotate, times
from samples.design import HEAD_RADIUS, SKIN_INK, SKIN_SHADE, WHITE, Design, Head, Pose, hair_ink
from samples.hair import fringe_locks

Place = Callable[[Path], Path]


def _eye(cel: Cel, design: Design, pose: Pose, head: Head, side: float) -> None:
    """One eye: white, iris, lights, lashes, lid line. `side` is -1 for the one on the left of the picture."""

    def place(path: Path) -> Path:
        return head(path * (side, 1) + (side * 33, 23))

    low, arch = line("-18,11 -9,16 1,17.5 11,16 19,11 23,6"), line("-18,12 -9,4 1,0 11,2 19,8 23,12")
    shut = low + (arch - low) * pose.joy
    upper = line("-18,4 -13,-10 -1,-19 11,-16.5 19,-7 22,5")
    upper = upper + (shut - upper) * pose.blink
    lower = line("-18,4 -15.5,12 -8,19.5 2,22 13,20 19,14 22,5")
    lash = mix(hair_ink(design), (30, 16, 30), 0.6)
    if pose.blink < 0.85:
        level = np.interp(np.linspace(0, 1, len(lower)), np.linspace(0, 1, len(upper)), shut[:, 1])
        lower = lower + (level[:, None] - lower) * (0, 0.35 * pose.blink)
        white = cel.fill(place(np.concatenate([upper, lower[::-1]])), colour=(252, 250, 250))
        _iris(cel, design, white, place, upper, pose, side)
        cel.ink(place(lower[len(lower) // 3 : -4]), [0.5, 1.5, 1.8, 0.6], mix(lash, SKIN_INK, 0.6))
    heavy = np.interp(np.linspace(0, 1, len(upper)), [0, 0.3, 0.6, 0.85, 1], [1.0, 3.8, 5.0, 5.2, 3.4]) * (
        1 - 0.3 * pose.blink
    )
    out = normals(upper)
    top = upper + out * np.sign(-out[:, 1].sum()) * heavy[:, None]
    end = upper[-1]
    flick = line(end + np.array([(-1, 1.5), (4.5, 0), (9, -5)]))
    cel.fill(
        place(np.concatenate([upper, flick, line([flick[-1], end + np.array([4, -4]), top[-3]]), top[-4::-1]])),
        colour=lash,
    )
    tip = top[int(0.8 * len(upper))]
    cel.fill(place(tip + np.array([(-2.5, -0.5), (3, -2), (7.5, -6), (6, 0), (1, 4)])), colour=lash)
    crease = moved(line("-9,-22 1,-27.5 11,-25.5 19,-17"), 0, 14 * pose.blink)
    cel.ink(place(crease), [0.4, 1.6, 1.2, 0.3], SKIN_INK)


def _iris(cel: Cel, design: Design, white: Stencil, place: Place, upper: Path, pose: Pose, side: float) -> None:
    """The iris, cut to the white: dark above, bright below, a pupil, two lights."""
    x, y = 4 * pose.gaze[0] * side - 0.5, 2.5 + 3 * pose.gaze[1]
    dark, bright = times(design.eye, (80, 76, 108)), mix(design.eye, (255, 255, 225), 0.55)
    cel.fill(place(oval(x, y, 14, 19.5)), colour=mix(dark, (20, 10, 30), 0.45), within=white)
    iris = cel.fade(
        place(oval(x, y, 12.5, 18)), [dark, times(design.eye, (190, 190, 210)), design.eye, bright], within=white
    )
    cel.glow(place(oval(x, y + 12, 8.5, 5)), mix(design.eye, WHITE, 0.75), 0.85, 1.2, iris)
    cel.fill(place(oval(x, y + 0.5, 5.2, 8)), colour=mix(dark, (14, 8, 26), 0.65), within=white)
    cel.ink(place(oval(x, y + 0.5, 8.2, 11.6))[2:18], [0.3, 1.2, 0.3], mix(design.eye, WHITE, 0.4), within=iris)
    band = np.concatenate([upper, moved(upper, 0, 6)[::-1]])
    cel.glow(place(band), (60, 44, 84), 0.4, 0.3, white)
    light = place(np.array([[x, y]]))[0]
    for dx, dy, rx, ry in ((-4.8, -7, 4.8, 6.0), (5.4, 9, 2.5, 3.1)):
        cel.fill(
            rotate(oval(light[0] + dx, light[1] + dy, rx, ry, 15), pose.roll, (light[0], light[1])),
            colour=WHITE,
            within=white,
        )


FACE = "-70,-40 -71,-4 -68,26 -59,51 -39,73 -15,88 0,93 15,88 39,73 59,51 68,26 71,-4 70,-40 40,-80 -40,-80"


def draw_face(cel: Cel, design: Design, pose: Pose, head: Head) -> None:
    """Ears, the face with the fringe's shadow, eyes, nose, mouth, blush."""
    shade = times(design.skin, SKIN_SHADE)
    for side in (-1.0, 1.0):
        ear = head(ring("66,8 74,-2 81,6 80,26 72,40 66,36") * (side, 1), 0)
        cel.outline(ear, 3, SKIN_INK)
        cel.fill(ear, colour=mix(design.skin, shade, 0.6))
    knots = ring(FACE)
    depth = np.interp(knots[:, 1], [-80, 20, 60, 92], [0, 4, 20, 52])
    face = np.concatenate([head(knots[i : i + 1], depth[i]) for i in range(len(knots))])
    cel.outline(face, 3.4, SKIN_INK)
    skin = cel.fill(face, colour=design.skin)
    cel.fill(*(moved(ribbon(*lock), 4, 9) for lock in fringe_locks(design, pose, head)), colour=shade, within=skin)
    cel.fill(head(ring("50,-60 72,-20 66,30 52,60 44,74 80,70 90,0"), 6), colour=shade, within=skin)
    for side in (-1.0, 1.0):
        cheek = (side * 40, 53)
        cel.glow(head(oval(*cheek, 13, 6)), (255, 128, 128), 0.5, 4.5, skin)
        for i in (-1, 0, 1):
            stroke = np.array([[cheek[0] + 5 * i + 2, cheek[1] - 3.2], [cheek[0] + 5 * i - 2, cheek[1] + 3.2]])
            cel.ink(head(line(stroke)), [0.5, 1.4, 0.4], (240, 126, 118), within=skin)
    nose = head(line("1.5,44 -1,50 1,52"), HEAD_RADIUS + 6)
    cel.ink(nose, [0.4, 1.5, 1.6], mix(SKIN_INK, shade, 0.25))
    _mouth(cel, pose, head)
    for side in (-1.0, 1.0):
        _eye(cel, design, pose, head, side)


def _mouth(cel: Cel, pose: Pose, head: Head) -> None:
    """Shut: a small smile. Open: lips, teeth, tongue."""
    y, wide = 66.0, 10 + 4 * pose.mouth
    if pose.mouth < 0.12:
        cel.ink(
            head(line([(-wide, y - 1), (-wide / 2, y + 1.8), (0, y + 2.6), (wide / 2, y + 1.8), (wide, y - 1)])),
            [0.7, 1.9, 1.5, 1.9, 0.7],
            SKIN_INK,
        )
        return
    drop = 5 + 16 * pose.mouth
    shape = ring("-1,0! -0.5,0.1 0,0.15 0.5,0.1 1,0! 0.72,0.7 0,1 -0.72,0.7") * (wide, drop)
    open_ = head(moved(shape, 0, y - 3))
    at = cel.fill(open_, colour=(150, 44, 54))
    cel.fill(head(oval(0, y - 1 + drop, 0.75 * wide, 0.55 * drop)), colour=(240, 128, 122), within=at)
    cel.fill(head(oval(0, y - 6.5, wide, 6.4)), colour=(255, 252, 248), within=at)
    cel.outline(open_, 1.9, SKIN_INK)
