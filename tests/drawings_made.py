"""Drawings whose alpha is known, as the stages after the segmentation are given them."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from animecut._util.images import shrink
from animecut.types import Alpha, Drawing


def make_drawing(picture: NDArray[np.uint8], alpha: Alpha, start: float, end: float, shot: int = 0) -> Drawing:
    """A picture, (H, W, 3 or 4), with its alpha, (h, w) or (n, h, w), and a view on the alpha's grid."""
    height, width = alpha.shape[-2:]
    own = picture[..., 3] if picture.shape[2] == 4 else None
    view = shrink(picture[..., :3], (width, height))
    return Drawing(picture[..., :3], view, start, end, source_alpha=own, shot=shot, alpha=alpha)


def alphas(drawings: Iterable[Drawing]) -> Alpha:
    """(T, h, w) of all the drawings."""
    return np.stack([drawing.known_alpha for drawing in drawings])
