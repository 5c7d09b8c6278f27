"""Where every drawing stands on the sticker: which part of the source is shown, how large, with how much around it."""

from dataclasses import dataclass
from functools import reduce

from animecut.layout import compose
from animecut.layout import follow as camera
from animecut.layout.compose import Box, Placement, Size
from animecut.layout.outline import outline_room
from animecut.types import Seconds


@dataclass(frozen=True)
class Track:
    """What the source showed: for every drawing where its character is, in which shot and for how many frames.

    times: (T + 1,) seconds.
    """

    picture: Size
    boxes: list[Box | None]
    shots: list[int]
    frames: list[int]
    times: Seconds


@dataclass(frozen=True)
class Scene:
    """Where every drawing's crop goes on the sticker's canvas, and the row and column where it stands there."""

    placements: list[Placement]
    canvas: Size
    corner: tuple[int, int]


def arrange(
    seen: Track, bounds: Size, *, exactly: bool, crop: bool, follow: bool, margin: int, outline: int, shadow: bool
) -> Scene:
    """Crops as large as the sticker allows, with room for what is drawn around the character.

    Parameters
    ----------
    seen: of at least one drawing with a box.
    bounds: (height, width) that the sticker may have at most, or has exactly.
    crop, follow: to where the character ever is, or along with the character; with neither the whole picture is shown.
    margin, outline, shadow: what is left and drawn around the character, in pixels of the sticker.
    """
    around = outline_room(max(bounds), outline=outline, shadow=shadow)
    inner = (bounds[0] - 2 * around, bounds[1] - 2 * around)
    box = reduce(Box.__or__, (box for box in seen.boxes if box))
    if follow:
        crops = camera.follow_character(seen.boxes, seen.times, seen.shots, seen.picture, margin / max(inner))
        placements = [compose.fill_bounds(crop, inner) for crop in crops]
    elif crop:
        placements = [compose.place_box(box, seen.picture, inner, margin)] * len(seen.boxes)
    else:
        box = Box(0, 0, seen.picture[1], seen.picture[0])
        placements = [compose.fill_bounds(box, inner)] * len(seen.boxes)
    size = placements[0].size
    if not exactly:
        return Scene(placements, (size[0] + 2 * around, size[1] + 2 * around), (around, around))
    row, column = compose.canvas_corner(size, inner, box, seen.picture)
    return Scene(placements, bounds, (row + around, column + around))
