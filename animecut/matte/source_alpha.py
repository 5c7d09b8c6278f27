"""Sources that are cut out already: stickers, and exports of editors, keep the alpha that they have."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

import cv2
import numpy as np

from animecut.types import Drawing

SEE_THROUGH = 128  # of 255
CUT_OUT = 0.01  # share of a picture that is see-through; less is a rounded corner


def is_cut_out(drawing: Drawing) -> bool:
    """Whether the source has an alpha of its own that says what is character: it is transparent somewhere."""
    alpha = drawing.source_alpha
    return alpha is not None and float((alpha < SEE_THROUGH).mean()) >= CUT_OUT


def keep_source_alpha(drawings: Iterable[Drawing]) -> Iterator[Drawing]:
    """The same drawings with the source's own alpha, on the view's grid.

    drawings: of a source that is cut out already. One that has no alpha is opaque, all of it character.
    """
    for drawing in drawings:
        height, width = drawing.view.shape[:2]
        own = np.full(drawing.rgb.shape[:2], 255, np.uint8) if drawing.source_alpha is None else drawing.source_alpha
        alpha = cv2.resize(own, (width, height), interpolation=cv2.INTER_AREA)
        yield replace(drawing, alpha=np.asarray(alpha, np.float32) / np.float32(255))
