"""What a sticker is cut out with: a border around the character, and the soft shadow that it throws.

Both are functions of one picture's alpha, so they stand as still as the alpha does.
"""

from math import ceil

import cv2
import numpy as np
from numpy.typing import NDArray

from animecut._util.masks import distance_to
from animecut.layout.compose import Colour, Picture, alpha_over

Plane = NDArray[np.float32]

EDGE = 0.5  # alpha from which a pixel is more character than not; the border is measured from there
SPECK = 12  # pixels; a smaller piece gets no border, which would make a dot of it, and is cut off
SHADOW_BLUR = 0.012  # of the sticker's longer side: the standard deviation of the shadow's edge
SHADOW_DROP = 0.012  # of the sticker's longer side: how far the shadow falls
SHADOW_OPACITY = 0.45
SHADOW_REACH = 2.5  # standard deviations after which nothing of it is seen


def outline_room(size: int, *, outline: int, shadow: bool) -> int:
    """Pixels that a sticker of this longer side needs on every side of its character."""
    falls = ceil(size * (SHADOW_BLUR * SHADOW_REACH + SHADOW_DROP)) if shadow else 0
    return outline + falls


def add_outline(rgba: Picture, width: int, colour: Colour) -> Picture:
    """The picture over a border of `width` pixels with round corners, its rim as smooth as a drawn one.

    rgba: (H, W, 4) straight, with `width` transparent pixels around what it shows. The border begins where alpha
    crosses a half and lies under the character's own soft edge too; a gap narrower than twice the width closes. What
    the border does not hold, such as a faint smear beside the character, is cut off.
    """
    from scipy.spatial import cKDTree  # late: it takes longer to load than all the rest of a WebP

    alpha = _without_specks(np.asarray(rgba[..., 3] / 255, np.float32))
    inside = alpha >= EDGE
    coverage = inside.astype(np.float32)
    if inside.any():
        near = ~inside & (distance_to(inside) < width + 2)  # a few more than the border covers
        distance, _ = cKDTree(_contour(alpha)).query(np.argwhere(near))
        coverage[near] = np.clip(width + 0.5 - distance, 0, 1)
    border = np.empty_like(rgba)
    border[..., :3], border[..., 3] = colour, np.rint(coverage * 255)
    cut = rgba.copy()
    cut[..., 3] = np.minimum(rgba[..., 3], border[..., 3])
    return alpha_over(cut, border)


def add_shadow(rgba: Picture) -> Picture:
    """The picture over the soft black shadow that it throws straight down. (H, W, 4) straight in and out."""
    size = max(rgba.shape[:2])
    drop = round(size * SHADOW_DROP)
    blurred = cv2.GaussianBlur(rgba[..., 3], (0, 0), size * SHADOW_BLUR, borderType=cv2.BORDER_CONSTANT)
    shadow = np.zeros_like(rgba)
    shadow[drop:, :, 3] = np.rint(blurred[: len(blurred) - drop] * SHADOW_OPACITY)
    return alpha_over(rgba, shadow)


def _without_specks(alpha: Plane) -> Plane:
    """The same alpha, 0 where a piece that shows is so small that its border would be larger than itself."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats((alpha >= EDGE).view(np.uint8))
    small = np.asarray(stats)[:, cv2.CC_STAT_AREA] < SPECK
    return np.where(small[labels], np.float32(0), alpha)


def _contour(alpha: Plane) -> NDArray[np.float64]:
    """(N, 2) row and column, in fractions of a pixel, where alpha crosses EDGE between neighbouring pixels' centres.

    Outside the picture alpha is 0. The points lie at most a pixel apart, so no distance to them errs by more than
    1 / (8 distance) of a pixel.
    """
    alpha = np.pad(alpha, 1)
    points = []
    for step, first, second in (((1, 0), alpha[:-1], alpha[1:]), ((0, 1), alpha[:, :-1], alpha[:, 1:])):
        at = np.argwhere((first >= EDGE) != (second >= EDGE))
        a, b = first[tuple(at.T)], second[tuple(at.T)]
        points.append(at - 1 + ((EDGE - a) / (b - a))[:, None] * np.array(step))
    return np.concatenate(points)
