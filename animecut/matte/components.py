"""No specks: small detached pieces of the coarse alpha that flash up and are gone, and tiny ones."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from animecut._util.masks import Mask, Plane, distance_to
from animecut.types import Alpha, Clip

FAINT = 0.25  # probability from which a place belongs to a piece
SPECK_SHARE = 0.02  # of the largest piece's area: a detached piece that is smaller is a speck
TINY_SHARE = 0.004  # of the same: what is smaller still is never meant
PERSISTENT = 3  # drawings on which a speck must show to be meant
DRIFT = 0.03  # of the grid's longer side: how far a speck may move between two drawings
REACH = 0.03  # of the grid's longer side: how far a soft edge may be from its piece


def drop_small_components(stream: Iterable[tuple[Clip, Alpha]], *, keep_effects: bool) -> Iterator[tuple[Clip, Alpha]]:
    """The same clips without the small detached pieces in their alpha, unless they show on several drawings running.

    Tiny ones go always, drawing by drawing, but what is within REACH of a piece that stays.

    stream: as for `pick`.  keep_effects: keep every piece, and hand the stream through untouched.

    How the stream is cut into clips does not change the alpha; a clip comes out once PERSISTENT - 1 drawings after it
    are known.
    """
    if keep_effects:
        yield from stream
        return
    waiting: deque[Clip] = deque()

    def drawings() -> Iterator[tuple[int, Plane]]:
        for clip, alpha in stream:
            waiting.append(clip)
            for plane in alpha:
                yield clip.shot, plane

    clean: list[Plane] = []
    for plane in _cleaned(drawings()):
        clean.append(plane)
        if len(clean) == len(waiting[0]):
            yield waiting.popleft(), np.stack(clean)
            clean = []


@dataclass(eq=False)
class _Pieces:
    """One drawing's pieces on their way through the window."""

    shot: int
    alpha: Plane
    specks: NDArray[np.int32]
    """(h, w) number of the speck that may be meant, counted from 1; 0 elsewhere."""
    large: Mask
    since: NDArray[np.uint8]
    """(h, w) for how many drawings running, this one included, the speck has shown; 0 elsewhere."""


def _cleaned(drawings: Iterable[tuple[int, Plane]]) -> Iterator[Plane]:
    window: deque[_Pieces] = deque()
    last: _Pieces | None = None
    for shot, alpha in drawings:
        if last is not None and last.shot != shot:
            yield from _emptied(window)
        last = _pieces(shot, alpha, last if last is not None and last.shot == shot else None)
        window.append(last)
        if len(window) == PERSISTENT:
            yield _without(window)
            window.popleft()
    yield from _emptied(window)


def _emptied(window: deque[_Pieces]) -> Iterator[Plane]:
    while window:
        yield _without(window)
        window.popleft()


def _pieces(shot: int, alpha: Plane, before: _Pieces | None) -> _Pieces:
    solid = cv2.morphologyEx((alpha > FAINT).astype(np.uint8), cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(solid)
    areas = np.asarray(stats)[:, cv2.CC_STAT_AREA].copy()
    areas[0] = 0
    large = areas >= max(1.0, SPECK_SHARE * areas.max())
    small = ~large & (areas >= TINY_SHARE * areas.max())
    specks = np.where(small[labels], labels, 0).astype(np.int32)
    since = _running(specks, None if before is None else before.since)
    return _Pieces(shot, alpha, specks, large[labels], since)


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


def _without(window: deque[_Pieces]) -> Plane:
    """The first drawing's alpha near its large pieces and its lasting specks; zero elsewhere. The rest looks ahead."""
    first = window[0]
    until: NDArray[np.uint8] | None = None
    for later in reversed(window):
        until = _running(later.specks, until)
    assert until is not None  # noqa: S101 - the window is never empty
    keep = first.large | (first.since.astype(int) + until > PERSISTENT)
    if not keep.any():
        return np.zeros_like(first.alpha)
    return np.where(distance_to(keep) <= REACH * max(keep.shape), first.alpha, np.float32(0))
