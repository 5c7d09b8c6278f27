"""The stage that gives drawings their coarse alpha."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice

import numpy as np

from animecut._util.images import shrink
from animecut.types import Drawing, Segment


def segment(drawings: Iterable[Drawing], segmenter: Segment) -> Iterator[Drawing]:
    """The same drawings with their alpha.

    drawings: of one source, so that all views have one size.
    segmenter: is given as many views at once as it is quick with: its `batch_size`, if it has one, else one.

    Where the alpha comes on another grid than the view, the view is scaled to it, so that both stay on one.
    Raises what the segmenter raises, when the drawing is asked for.
    """
    waiting = iter(drawings)
    first = next(waiting, None)  # before the segmenter is asked for anything: it may still be loading
    size = getattr(segmenter, "batch_size", 1)
    while first is not None:
        batch = [first, *islice(waiting, size - 1)]
        for drawing, alpha in zip(batch, segmenter(np.stack([drawing.view for drawing in batch])), strict=True):
            height, width = alpha.shape[-2:]
            on_grid = drawing.view.shape[:2] == (height, width)
            yield replace(drawing, alpha=alpha, view=drawing.view if on_grid else shrink(drawing.view, (width, height)))
        first = next(waiting, None)
