"""Who is drawn and what she does: the words that the other rooms draw by, and how a head turns.

Units: the eyes lie about 20 below the origin, the chin at 90, the crown at -115, the shoulders at 140, the hem at 470.
"""

from dataclasses import dataclass

import numpy as np

from samples.brush import Colour, Path, mix, moved, rotate, times

HAIR_SHADE, CLOTH_SHADE, SKIN_SHADE = (196, 172, 208), (190, 186, 218), (243, 196, 190)
"""What a shadow multiplies each paint by: cool on cloth, warm on skin."""

SKIN_INK: Colour = (120, 62, 58)
WHITE: Colour = (255, 255, 255)

HEAD_RADIUS = 84.0
"""The skull as a ball, in units: what a turned head moves its features over."""

NECK = (0.0, 95.0)
"""The head tilts about this point."""


@dataclass(frozen=True)
class Design:
    """Who is drawn: colours and the names of hair and dress."""

    skin: Colour = (255, 233, 218)
    hair: Colour = (206, 122, 96)
    eye: Colour = (40, 150, 140)
    cloth: Colour = (250, 249, 252)
    collar: Colour = (58, 74, 124)
    ribbon: Colour = (214, 60, 76)
    skirt: Colour = (62, 76, 122)
    style: str = "pony"
    """pony, twin, long, bob or short."""
    dress: str = "sailor"
    """sailor or blazer."""
    fringe: int = 0
    """Which of the fringes."""


@dataclass(frozen=True)
class Pose:
    """What the character does on one drawing. Angles in degrees; on the picture, clockwise."""

    yaw: float = 0.0
    """The head turned to the right of the picture, -25..25."""
    pitch: float = 0.0
    """The head bent down, -15..15."""
    roll: float = 0.0
    """The head tilted clockwise, -20..20."""
    blink: float = 0.0
    """0 open .. 1 shut."""
    joy: float = 0.0
    """Shut eyes curve down at 0, up at 1."""
    gaze: tuple[float, float] = (0.0, 0.0)
    """Where the pupils look, -1..1 to the right and down."""
    mouth: float = 0.0
    """0 shut .. 1 wide open."""
    brow: float = 0.0
    """Raised brows, -1..1."""
    wind: float = 0.0
    """Phase of the swaying hair, radians."""
    sway: float = 6.0
    """How far the hair's tips swing, units."""
    breath: float = 0.0
    """The upper body lifted, units."""
    left: tuple[float, float, float] = (8.0, -6.0, 0.0)
    """The arm on the left of the picture: upper arm from hanging, elbow, wrist; positive lifts outward."""
    right: tuple[float, float, float] = (8.0, -6.0, 0.0)
    """The arm on the right of the picture, likewise."""


def hair_ink(design: Design) -> Colour:
    """The line round hair: its own colour, much darker."""
    return mix(times(design.hair, (88, 70, 82)), (34, 16, 34), 0.45)


def cloth_ink(colour: Colour) -> Colour:
    """The line round cloth: its own colour, much darker and cooler."""
    return mix(times(colour, (84, 76, 108)), (36, 28, 52), 0.5)


class Head:
    """Moves points of the head as the pose turns, bends and tilts it."""

    def __init__(self, pose: Pose) -> None:
        self.pose = pose

    def __call__(self, path: Path, depth: float | None = None) -> Path:
        """The points where they are seen; `depth` towards the viewer in units, or None: on the ball of the face."""
        x, y = path[:, 0], path[:, 1]
        ball = np.sqrt(np.maximum(HEAD_RADIUS**2 - x**2 - (0.55 * y) ** 2, 0))
        z = ball if depth is None else np.full(len(path), depth)
        yaw, pitch = np.deg2rad(self.pose.yaw), np.deg2rad(self.pose.pitch)
        turned = np.stack([x * np.cos(0.6 * yaw) + z * np.sin(yaw), y * np.cos(pitch) + 0.8 * z * np.sin(pitch)], 1)
        return moved(rotate(turned, self.pose.roll, NECK), 0, -self.pose.breath)
