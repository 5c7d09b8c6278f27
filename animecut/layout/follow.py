"""Where a crop stands that follows the character: smooth inside a shot, of one size, and never cutting it.

The crop moves in whole pixels of the source: so every drawing is sampled on the same grid, and a line that stays the
same looks the same; what that leaves of unrest is half a source pixel. It moves only from drawing to drawing, so that
a held drawing stands still, and not at all in a shot in which the character stays about where it is.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from animecut.layout.compose import Box, Size
from animecut.types import Seconds

SMOOTH = 0.35  # seconds: standard deviation of the window over which the path is smoothed
STILL = 0.06  # of the character's size: a shot in which the path stays within this needs no camera


def follow_character(
    boxes: Sequence[Box | None], times: Seconds, shots: Sequence[int], picture: Size, margin: float
) -> list[Box]:
    """A crop for every drawing, all of one size, that lies inside the picture and holds the drawing's box.

    boxes:  around the character in each of T drawings; None where there is none.
    times:  (T + 1,) seconds, and the number of the shot of each drawing.
    margin: of the longer side of a crop, left around the character where the picture reaches so far.

    Raises ValueError where no drawing has a box.
    """
    there = [box for box in boxes if box]
    if not there:
        raise ValueError("nothing to follow")
    edges = np.array([[box.left, box.top, box.right, box.bottom] if box else [np.nan] * 4 for box in boxes])
    middles = (edges[:, :2] + edges[:, 2:]) / 2
    reach = float(np.nanmax(edges[:, 2:] - edges[:, :2]))
    paths = np.empty_like(middles)
    for shot in set(shots):
        mine = np.flatnonzero(np.array(shots) == shot)
        paths[mine] = _path(middles[mine], edges[mine], times[mine], times[mine + 1], reach)
    length = np.array([picture[1], picture[0]])
    # Half the size that holds every box around its own point of the path; then the margins; then what there is.
    half = np.nanmax(np.maximum(paths - edges[:, :2], edges[:, 2:] - paths), axis=0)
    around = margin / (1 - 2 * margin) * 2 * float(half.max())
    size = np.minimum(np.ceil(2 * (half + around) - 1e-6) + 1, length).astype(int)
    corners = np.clip(np.rint(paths - size / 2), 0, length - size).astype(int)
    return [Box(int(x), int(y), int(x + size[0]), int(y + size[1])) for x, y in corners]


def _path(
    middles: NDArray[np.float64], edges: NDArray[np.float64], starts: Seconds, ends: Seconds, reach: float
) -> NDArray[np.float64]:
    """(T, 2) x and y of the camera in one shot: a straight line fitted around each moment (Cleveland 1979).

    Lines, because they keep up with a steady walk from its first drawing to its last, where a mean would lag behind.
    A drawing without a character counts for nothing.
    """
    seen = ~np.isnan(middles[:, 0])
    if not seen.any():
        return np.zeros_like(middles)
    moments, lengths = (starts + ends) / 2, (ends - starts) * seen
    known = np.where(seen[:, None], middles, 0)
    path = np.empty_like(middles)
    for i, moment in enumerate(moments):
        away = moments - moment
        weights = lengths * np.exp(-0.5 * (away / SMOOTH) ** 2) + 1e-12 * seen
        weights /= weights.sum()
        centre = (weights * away).sum()
        slope = (weights * (away - centre)) @ known / max(float((weights * (away - centre) ** 2).sum()), 1e-9)
        path[i] = weights @ known - centre * slope
    if np.ptp(path[seen], axis=0).max() <= STILL * reach:
        path[:] = (np.nanmin(edges[:, :2], axis=0) + np.nanmax(edges[:, 2:], axis=0)) / 2
    return path
