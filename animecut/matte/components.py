"""No specks: small detached pieces of the coarse alpha that flash up and are gone, and tiny ones."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from animecut._util.masks import Mask, distance_to
from animecut.types import Drawing

FAINT = 0.25  # probability from which a place belongs to a piece
SPECK_SHARE = 0.02  # of the largest piece's area: a detached piece that is smaller is a speck
TINY_SHARE = 0.004  # of the same: what is smaller still is never meant
PERSISTENT = 3  # drawings on which a speck must show to be meant
DRIFT = 0.03  # of the grid's longer side: how far a speck may move between two drawings
REACH = 0.03  # of the grid's longer side: how far a soft edge may be from its piece


def drop_small_components(drawings: Iterable[Drawing], *, keep_effects: bool) -> Iterator[Drawing]:
    """The same drawings without the small detached pieces in their alpha, unless they show on several in a row.

    Tiny ones go always, drawing by drawing, but what is within REACH of a piece that stays.

    drawings: with their alpha (h, w).  keep_effects: keep every piece, and hand the drawings through untouched.

    A drawing comes out once PERSISTENT - 1 drawings after it are known.
    """
    return iter(drawings) if keep_effects else _cleaned(drawings)


@dataclass(eq=False)
class _Pieces:
    """One drawing's pieces on their way through the window."""

    drawing: Drawing
    specks: NDArray[np.int32]
    """(h, w) number of the speck that may be meant, counted from 1; 0 elsewhere."""
    large: Mask
    since: NDArray[np.uint8]
    """(h, w) for how many drawings running, this one included, the speck has shown; 0 elsewhere."""


def _cleaned(drawings: Iterable[Drawing]) -> Iterator[Drawing]:
    window: deque[_Pieces] = deque()
    last: _Pieces | None = None
    for drawing in drawings:
        if last is not None and last.drawing.shot != drawing.shot:
            yield from _emptied(window)
            last = None
        last = _pieces(drawing, last)
        window.append(last)
        if len(window) == PERSISTENT:
            yield _without(window)
            window.popleft()
    yield from _emptied(window)


def _emptied(window: deque[_Pieces]) -> Iterator[Drawing]:
    while window:
        yield _without(window)
        window.popleft()


def _pieces(drawing: Drawing, before: _Pieces | None) -> _Pieces:
    alpha = drawing.known_alpha
    solid = cv2.morphologyEx((alpha > FAINT).astype(np.uint8), cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(solid)
    areas = np.asarray(stats)[:, cv2.CC_STAT_AREA].copy()
    areas[0] = 0
    large = areas >= max(1.0, SPECK_SHARE * areas.max())
    small = ~large & (areas >= TINY_SHARE * areas.max())
    specks = np.where(small[labels], labels, 0).astype(np.int32)
    since = _running(specks, None if before is None else before.since)
    return _Pieces(drawing, specks, large[labels], since)


def _running(specks: NDArray[np.int32], beside: NDArray[np.uint8] | None) -> NDArray[np.uint8]:
    """One more than the longest run that the neighbouring drawing has where each speck may have been; 0 elsewhere."""
    if beside is None or beside.shape != specks.shape:
        return (specks > 0).astype(np.uint8)
    side = 2 * max(1, round(DRIFT * max(specks.shape))) + 1
    reached = np.asarray(cv2.dilate(beside, np.ones((side, side), np.uint8)))
    longest = np.zeros(specks.max() + 1, np.uint8)
    there = specks > 0
    np.maximum.at(longest, specks[there], np.minimum(reached[there], PERSISTENT - 1) + np.uint8(1))
    return longest[specks]


def _without(window: deque[_Pieces]) -> Drawing:
    """The first drawing, its alpha zero but near its large pieces and its lasting specks. The rest looks ahead."""
    first = window[0]
    until: NDArray[np.uint8] | None = None
    for later in reversed(window):
        until = _running(later.specks, until)
    assert until is not None  # noqa: S101 - the window is never empty
    keep = first.large | (first.since.astype(int) + until > PERSISTENT)
    alpha = np.zeros(keep.shape, np.float32)
    if keep.any():
        alpha = np.where(distance_to(keep) <= REACH * max(keep.shape), first.drawing.known_alpha, np.float32(0))
    return replace(first.drawing, alpha=alpha)
