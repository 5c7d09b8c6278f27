"""Which character: all of them, or one that is followed through its shot; and away with specks."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from animecut.clip import Alpha, Clip
from animecut.errors import SettingsError

Plane = NDArray[np.float32]
"""(h, w) float32 in [0, 1], 1 = character."""
Mask = NDArray[np.bool_]

WORDS = ("all", "largest", "left", "right", "center")
THERE = 0.5  # alpha from which a place counts as character
SMALL = 0.1  # of the largest piece's area: a smaller one is nobody
SPECK = 0.0015  # of the picture: a detached piece below this is a speck
SPECK_TRACE = 0.02  # alpha up to which a speck's own surroundings belong to it


@dataclass(frozen=True)
class Choice:
    """A word of WORDS, or a point in the source's pixels."""

    word: str
    point: tuple[float, float] | None = None


def parse_choice(text: str) -> Choice:
    """The choice that a user's word means. Raises SettingsError where it means none."""
    if text in WORDS:
        return Choice(text)
    try:
        x, y = (float(part) for part in text.split(","))
    except ValueError:
        raise SettingsError(f"--pick {text}: choose {', '.join(WORDS)}, or X,Y in the source's pixels") from None
    return Choice("point", (x, y))


def pick(stream: Iterable[tuple[Clip, Alpha]], choice: str) -> Iterator[tuple[Clip, Alpha]]:
    """The same clips with the alpha of the chosen character alone.

    stream: clips with alpha (T, h, w) float32 in [0, 1], a grid laid over the whole picture.
    choice: all, largest, left, right, center, or X,Y in the source's pixels in the first picture.

    The character chosen in a shot's first drawing is followed by overlap; a new shot is chosen from anew, after a point
    by the largest. Characters that touch are one piece, and stay together. Raises SettingsError for another choice.
    """
    wanted = parse_choice(choice)
    return stream_of_one(stream, wanted) if wanted.word != "all" else iter(stream)


def stream_of_one(stream: Iterable[tuple[Clip, Alpha]], wanted: Choice) -> Iterator[tuple[Clip, Alpha]]:
    """`pick` for all choices but "all"."""
    followed: Mask | None = None
    shot = 0
    for clip, alpha in stream:
        if clip.shot != shot:
            followed, shot = None, clip.shot
            wanted = Choice("largest") if wanted.point else wanted
        planes = []
        for i in range(len(clip)):
            labels, areas = _pieces(alpha[i])
            chosen = _follow(labels, followed) if followed is not None else _choose(labels, areas, wanted, clip)
            planes.append(_alone(alpha[i], labels, chosen))
            followed = labels == chosen if chosen else followed
        yield clip, np.stack(planes)


def without_specks(stream: Iterable[tuple[Clip, Alpha]], *, keep_effects: bool) -> Iterator[tuple[Clip, Alpha]]:
    """The same clips, their alpha without small detached pieces.

    A piece stays where it overlaps one of the drawing before: what lasts is a sweat drop or a flying strand, what shows
    once is a mistake. keep_effects: every piece stays.
    """
    if keep_effects:
        yield from stream
        return
    before: Mask | None = None
    shot = 0
    for clip, alpha in stream:
        before = before if clip.shot == shot else None
        shot = clip.shot
        planes = []
        for plane in alpha:
            planes.append(_cleared(plane, before))
            before = cv2.dilate((plane > THERE).astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
        yield clip, np.stack(planes)


def _pieces(alpha: Plane) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Labels (h, w) of the connected pieces, 0 = background, and the area of each in cells."""
    there = cv2.morphologyEx((alpha > THERE).astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(there)
    return np.asarray(labels, np.int32), np.asarray(stats[:, cv2.CC_STAT_AREA], np.int32)


def _choose(labels: NDArray[np.int32], areas: NDArray[np.int32], wanted: Choice, clip: Clip) -> int:
    """The label of the chosen piece, 0 where there is none."""
    people = [i for i in range(1, len(areas)) if areas[i] >= SMALL * areas[1:].max()]
    if not people:
        return 0
    if wanted.point:
        height, width = clip.pixels.shape[1:3]
        x, y = wanted.point[0] / width * labels.shape[1], wanted.point[1] / height * labels.shape[0]
        if not (0 <= x < labels.shape[1] and 0 <= y < labels.shape[0]):
            raise SettingsError(f"--pick: the point lies outside the picture, which is {width}x{height}")
        ys, xs = np.nonzero(labels)
        nearest = np.argmin((xs + 0.5 - x) ** 2 + (ys + 0.5 - y) ** 2)
        return int(labels[ys[nearest], xs[nearest]])
    middles = {i: float(np.nonzero(labels == i)[1].mean()) for i in people}
    keys = {
        "largest": lambda i: -float(areas[i]),
        "left": lambda i: middles[i],
        "right": lambda i: -middles[i],
        "center": lambda i: abs(middles[i] - labels.shape[1] / 2),
    }
    return min(people, key=keys[wanted.word])


def _follow(labels: NDArray[np.int32], followed: Mask) -> int:
    """The piece that shares most with the followed one, 0 where none does."""
    shared = np.bincount(labels[followed], minlength=2)[1:]
    return int(shared.argmax()) + 1 if shared.any() else 0


def _alone(alpha: Plane, labels: NDArray[np.int32], chosen: int) -> Plane:
    """The alpha of one piece: each soft place belongs to the piece that is nearest."""
    if not chosen:
        return np.zeros_like(alpha)
    _, nearest = cv2.distanceTransformWithLabels(
        (labels == 0).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    owner = np.zeros(int(nearest.max()) + 1, np.int32)
    owner[nearest[labels > 0]] = labels[labels > 0]
    return np.where(owner[nearest] == chosen, alpha, np.float32(0))


def _cleared(alpha: Plane, before: Mask | None) -> Plane:
    _, labels, stats, _ = cv2.connectedComponentsWithStats((alpha > SPECK_TRACE).astype(np.uint8))
    areas = np.asarray(stats)[:, cv2.CC_STAT_AREA]
    gone = np.zeros(len(areas), np.bool_)
    for i in np.flatnonzero(areas < SPECK * alpha.size):
        piece = labels == i
        lasts = before is not None and bool((before & piece).any()) and float(alpha[piece].max()) > THERE
        gone[i] = i > 0 and not lasts
    return np.where(gone[labels], np.float32(0), alpha) if gone.any() else alpha
