"""Where a new shot begins.

The question is asked of thumbnails of 128 by 72 pixels: can one picture be carried into the next along the motion?
"""

from collections import deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from animecut._util.flow import optical_flow, positions_along
from animecut._util.images import shrink

Picture = NDArray[np.uint8]
"""(H, W, 3 or 4) RGB(A)."""
Map = NDArray[np.float32]
"""(h, w) float32."""

THUMBNAIL_SIZE = 128, 72  # pixels
CODING_NOISE = 4.0  # variance of luma levels that is no structure
NEAR = 9  # pixels over which structure is compared
UNLIKE, UNLIKE_PER_COLOUR = 0.25, 0.6  # the correlation below which it is a cut, and what differing colours add
SURELY_ALIKE = 0.6  # the correlation from which colours do not matter: fades, flashes of light
LEAST_CHANGE = 8.0  # of 255, mean over the picture: a cut changes more, a step of a fade less
BLANK = 8.0  # of 255: a thumbnail whose colours deviate by less shows nothing to compare
MIXTURE = 0.42  # of the squared way from a mixture to the pictures mixed: how far beside them it may lie
FADE = 0.4  # of the contrast: a picture with less beside another is its fade, not another shot
AROUND = 0.4  # seconds before and after: longer than a flash, and than half of most dissolves


class Frame(NamedTuple):
    """A picture of the source, (H, W, 3 or 4), on screen from start to end, in seconds, for so many frames."""

    pixels: Picture
    start: float
    end: float
    frames: int = 1


def number_shots(frames: Iterable[Frame]) -> Iterator[tuple[Frame, int]]:
    """The same frames, each with the number of its shot, seen from as far before as behind.

    A picture that cannot be the last one's next is a cut, unless the shot comes back (a flash, somebody passing). Blank
    pictures belong to the shot before them, and what follows is compared with that.
    """
    behind: deque[tuple[float, Picture]] = deque()  # seconds and thumbnails of this shot, without its flashes
    shot = 0
    dissolved = -np.inf  # seconds at which the last dissolve was half way: its rest is no further cut
    for frame, thumbnail, later in _with_those_to_come(frames):
        if thumbnail.std() >= BLANK:
            now = frame.start
            flash, settled = False, now - dissolved > AROUND
            if behind and not any(_alike(other, thumbnail) for _, other in reversed(behind)):
                flash = any(_alike(behind[i][1], other) for i in (-1, 0) for other in later)
                new = settled and not flash
            else:
                new = settled and bool(behind and later) and _dissolved(behind[0][1], thumbnail, later[-1])
                dissolved = now if new else dissolved
            if new:
                shot += 1
                behind.clear()
            if not flash:
                behind.append((now, thumbnail))
            while len(behind) > 1 and now - behind[0][0] > AROUND:
                behind.popleft()
        yield frame, shot


def _with_those_to_come(frames: Iterable[Frame]) -> Iterator[tuple[Frame, Picture, list[Picture]]]:
    """Each frame, its thumbnail, and the thumbnails that are not blank of what appears within AROUND after it."""
    window: deque[tuple[Frame, Picture]] = deque()
    for frame in frames:
        while window and frame.start - window[0][0].start > AROUND:
            now, thumbnail = window.popleft()
            yield now, thumbnail, [later for _, later in window if later.std() >= BLANK]
        window.append((frame, _thumbnail(frame.pixels)))
    while window:
        now, thumbnail = window.popleft()
        yield now, thumbnail, [later for _, later in window if later.std() >= BLANK]


def _dissolved(first: Picture, middle: Picture, last: Picture) -> bool:
    """Whether the middle thumbnail is a mixture of two shots, and more of the second."""
    a, b, c = (cv2.GaussianBlur(thumbnail, (0, 0), 1).mean(2).ravel() for thumbnail in (first, middle, last))
    share = float((b - a) @ (c - a)) / max(float((c - a) @ (c - a)), 1.0)
    if not 0.5 <= share <= 0.9 or min(a.std(), c.std()) < FADE * max(a.std(), c.std()):
        return False
    beside = ((b - a - share * (c - a)) ** 2).mean()
    mixed = beside < MIXTURE * min(((b - a) ** 2).mean(), ((c - b) ** 2).mean())
    return bool(mixed and np.corrcoef(a, c)[0, 1] < SURELY_ALIKE)


def _thumbnail(picture: Picture) -> Picture:
    return shrink(picture, THUMBNAIL_SIZE)[..., :3]


def _alike(before: Picture, after: Picture) -> bool:
    """Whether one thumbnail can be carried into the other along some motion.

    Motion is searched by dense inverse search (Kroeger et al. 2016), from rest and from the pictures' common shift
    (phase correlation). Then the structures are correlated, and the colours compared wherever they are.
    """
    if np.abs(before.astype(np.float32) - after).mean() < LEAST_CHANGE:
        return True
    first, second = (np.asarray(cv2.cvtColor(thumbnail, cv2.COLOR_RGB2GRAY), np.uint8) for thumbnail in (before, after))
    correlation = max(_correlation(first, second, shift) for shift in ((0.0, 0.0), _shift(first, second)))
    return correlation >= min(SURELY_ALIKE, UNLIKE + UNLIKE_PER_COLOUR * _colour_distance(before, after))


def _shift(first: Picture, second: Picture) -> tuple[float, float]:
    """Pixels by which the edges of the first thumbnail moved, right and down."""
    edges = [np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)) for grey in (first, second)]
    window = cv2.createHanningWindow(THUMBNAIL_SIZE, cv2.CV_32F)
    (right, down), _ = cv2.phaseCorrelate(edges[0] - edges[0].mean(), edges[1] - edges[1].mean(), window)
    return right, down


def _correlation(first: Picture, second: Picture, shift: tuple[float, float]) -> float:
    """Local correlation of the first thumbnail, carried along the motion, with the second: 1 the same, 0 none."""
    guess = np.empty((*first.shape, 2), np.float32)
    guess[...] = -shift[0], -shift[1]
    flow = optical_flow(second, first, guess, thorough=True)
    x, y = positions_along(flow)
    inside = (x >= 0) & (y >= 0) & (x <= first.shape[1] - 1) & (y <= first.shape[0] - 1)
    carried = cv2.remap(first, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    a, b = carried.astype(np.float32), second.astype(np.float32)
    mean_a, mean_b = _near(a), _near(b)
    variance_a = np.maximum(_near(a * a) - mean_a**2, 0) + CODING_NOISE
    variance_b = np.maximum(_near(b * b) - mean_b**2, 0) + CODING_NOISE
    local = (_near(a * b) - mean_a * mean_b) / np.sqrt(variance_a * variance_b)
    weight = np.sqrt(np.maximum(variance_a, variance_b)) * inside
    return float((local * weight).sum() / max(weight.sum(), 1.0))


def _near(values: Map) -> Map:
    return np.asarray(cv2.blur(values, (NEAR, NEAR)))


def _colour_distance(before: Picture, after: Picture) -> float:
    """Share of the pixels whose colour (8 levels a channel) the other thumbnail does not have: 0 none, 1 all."""
    counts = [cv2.calcHist([thumbnail], [0, 1, 2], None, [8, 8, 8], [0, 256] * 3) for thumbnail in (before, after)]
    return float(np.abs(counts[0] - counts[1]).sum() / 2 / (THUMBNAIL_SIZE[0] * THUMBNAIL_SIZE[1]))
