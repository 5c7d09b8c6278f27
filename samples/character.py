"""An anime character from tables of curves: one by design and pose, or one by chance."""

import numpy as np

from samples.brush import Cel, Colour, Sheet, mix
from samples.design import Design, Head, Pose, cloth_ink
from samples.dress import draw_arm, draw_lapels, draw_sailor, draw_skirt, draw_throat, draw_torso, reach
from samples.face import draw_face
from samples.hair import BACK, FRINGES, draw_back_hair, draw_brows, draw_front_hair, draw_ties

UNITS_ABOVE, UNITS_BELOW, UNITS_ASIDE = 150.0, 470.0, 240.0
"""What `draw_character` shows, in units from the origin."""

HAIRS: tuple[Colour, ...] = (
    (206, 122, 96), (122, 132, 214), (240, 212, 136), (72, 66, 92), (100, 80, 82), (226, 226, 238),
    (238, 158, 178), (110, 186, 188), (170, 60, 66), (150, 120, 190), (120, 160, 110), (232, 140, 80),
)  # fmt: skip
SKINS: tuple[Colour, ...] = ((255, 233, 218), (255, 224, 204), (246, 208, 180), (214, 164, 132), (168, 118, 94))
CLOTHS: tuple[Colour, ...] = (
    (58, 74, 124), (76, 86, 108), (122, 66, 78), (62, 108, 96), (60, 58, 72), (190, 150, 100),
    (150, 52, 64), (90, 130, 180), (226, 214, 190),
)  # fmt: skip


def paint(cel: Cel, design: Design, pose: Pose) -> None:
    """Draws the character on the cel, back to front."""
    head = Head(pose)
    up = np.array([0.0, -pose.breath])
    arms = [reach(design, pose, side) for side in (-1.0, 1.0)]
    sailor = design.dress == "sailor"
    draw_back_hair(cel, design, pose, head)
    draw_skirt(cel, design)
    for arm in arms:
        cel.outline(arm.sleeve, 3.2, cloth_ink(design.cloth if sailor else design.collar))
    draw_torso(cel, design, up)
    for arm in arms:
        draw_arm(cel, design, arm)
    draw_throat(cel, design, pose, up)
    (draw_sailor if sailor else draw_lapels)(cel, design, up)
    draw_face(cel, design, pose, head)
    draw_front_hair(cel, design, pose, head)
    draw_ties(cel, design, head)
    draw_brows(cel, design, pose, head)


def draw_character(design: Design, pose: Pose, height_px: int) -> Sheet:
    """The character from crown to hem on a transparent ground.

    Returns (height_px, W, 4) straight RGBA, uint8; alpha is exact to 1/16.
    """
    scale = height_px / (UNITS_ABOVE + UNITS_BELOW)
    cel = Cel(height_px, round(2 * UNITS_ASIDE * scale), scale, (UNITS_ASIDE * scale, UNITS_ABOVE * scale))
    paint(cel, design, pose)
    return cel.flatten()


def random_character(rng: np.random.Generator) -> tuple[Design, Pose]:
    """Somebody by chance, doing something."""

    def pick(colours: tuple[Colour, ...]) -> Colour:
        r, g, b = rng.integers(0, 256, 3).tolist()
        return mix(colours[rng.integers(len(colours))], (r, g, b), float(rng.uniform(0, 0.2)))

    def bright() -> Colour:
        r, g, b = rng.permutation([rng.integers(170, 250), rng.integers(40, 130), rng.integers(40, 180)]).tolist()
        return r, g, b

    def limb() -> tuple[float, float, float]:
        if rng.random() < 0.5:
            return float(rng.uniform(4, 20)), float(rng.uniform(-30, 10)), 0.0
        return float(rng.uniform(10, 100)), float(rng.uniform(-80, 120)), float(rng.uniform(-20, 20))

    styles = sorted(BACK)
    design = Design(
        skin=SKINS[rng.integers(len(SKINS))], hair=pick(HAIRS), eye=bright(), ribbon=bright(),
        collar=pick(CLOTHS), skirt=pick(CLOTHS),
        cloth=mix((252, 250, 252), pick(CLOTHS), float(rng.choice([0, 0, 0.1, 0.5]))),
        style=styles[rng.integers(len(styles))],
        dress=("sailor", "blazer")[rng.integers(2)], fringe=int(rng.integers(len(FRINGES))),
    )  # fmt: skip
    shut = float(rng.choice([0.0, 0.0, 0.0, 0.4, 1.0]))
    pose = Pose(
        yaw=float(rng.uniform(-20, 20)), pitch=float(rng.uniform(-6, 8)), roll=float(rng.uniform(-14, 14)), blink=shut,
        joy=float(rng.random()), gaze=(float(rng.uniform(-0.8, 0.8)), float(rng.uniform(-0.4, 0.4))),
        mouth=float(rng.choice([0.0, 0.3, 0.9])), brow=float(rng.uniform(-1, 1)), wind=float(rng.uniform(0, 6.3)),
        sway=float(rng.uniform(0, 24)), left=limb(), right=limb(),
    )  # fmt: skip
    return design, pose
