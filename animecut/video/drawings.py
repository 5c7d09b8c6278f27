"""Runs of held frames -> one drawing with its time; where a new shot begins.

Animation is drawn on twos and threes: a drawing is filmed several times, and its copies differ only by what compression
and grain did to each. Both questions are asked of small pictures: is this still the drawing (320 pixels wide, where
noise averages out and a blink does not), and is this still the shot (a thumb of 128 by 72 pixels, where one picture can
be carried into the next along the motion).
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import reduce

import cv2
import numpy as np
from numpy.typing import NDArray

from animecut._util.images import shrink
from animecut.types import Clip, join_clips, one_by_one

Picture = NDArray[np.uint8]
"""(H, W, 3 or 4) RGB(A)."""
Map = NDArray[np.float32]
"""(h, w) float32."""

CHUNK = 16  # drawings in a clip
TICK_ROUNDING = 1e-6  # ticks: a picture that is due now has not come too soon

# Held or not
SMALL_SIDE = 320  # pixels, longest side: a blink is 5 of them and more
CHROMA = 0.7  # weight of colour difference against luma: codecs treat it more coarsely
PATCH = 5  # pixels over which differences are averaged: the noise of copies changes sign within, a drawing does not
CHANGED = 4.5  # of 255: copies stay below at x264's rate factors up to 28, a blink or a step of a slow pan does not
SURELY_CHANGED = 9.0  # of 255: between the two, it is noise where it is scattered and no motion
SCATTERED = 4  # patches: a blink or a mouth changes one to three
COMMON_MOTION = 0.05  # share of the differences that a shift and zoom of the whole picture explains: noise has less
MOTION_PATCH = 7  # pixels over which pictures are averaged before it is looked for
MOTION_STEP = 3  # pixels: every so many are used
AFTERMATH = 0.05  # of the last change: so much may the codec still have to mend there
AFTERMATH_FADE = 0.5  # of it left with every copy
AFTERMATH_REACH = 9  # pixels around the change

# Captions and clocks
STROKE = 5  # pixels: strokes of letters are thinner
STROKE_CONTRAST = 60.0  # of 255 above their surroundings
WHITE = 140.0  # luma of 255, small letters being mixed with what is around
COLOURLESS = 15.0  # of 255, weighted colour difference from grey
LETTERING = 0.09  # share of strokes along a line of letters: eyes and highlights do not fill so much of it
CAPTION_REACH = 17  # pixels around a letter: the codec's block, which is coded anew with it, and the patch

# Cut or not
THUMB_SIZE = 128, 72  # pixels
CODING_NOISE = 4.0  # variance of luma levels that is no structure
NEAR = 9  # pixels over which structure is compared
UNLIKE, UNLIKE_PER_COLOUR = 0.25, 0.6  # the correlation below which it is a cut, and what differing colours add
SURELY_ALIKE = 0.6  # the correlation from which colours do not matter: fades, flashes of light
LEAST_CHANGE = 8.0  # of 255, mean over the picture: a cut changes more, a step of a fade less
BLANK = 8.0  # of 255: a thumb whose colours deviate by less shows nothing to compare
MIXTURE = 0.42  # of the squared way from a mixture to the pictures mixed: how far beside them it may lie
FADE = 0.4  # of the contrast: a picture with less beside another is its fade, not another shot
AROUND = 0.4  # seconds before and after: longer than a flash, and than half of most dissolves


def merge_held_frames(clips: Iterable[Clip], *, chunk: int = CHUNK) -> Iterator[Clip]:
    """One picture for each drawing, shown as long as all its copies were; shots numbered from 0.

    clips: pictures of equal size, in order and without gaps; how they are cut into clips does not matter.
    chunk: drawings in a clip of the result; the last clip of a shot may have fewer.

    Nothing but a caption or a clock at the rim changing makes no new drawing. A flash belongs to its shot.
    """
    return packed(_in_shots(_merged(one_by_one(clips))), chunk)


def limit_rate(clips: Iterable[Clip], fps: float, *, chunk: int = CHUNK) -> Iterator[Clip]:
    """The same clips without the pictures that come sooner than fps allows; the one before stays on screen for them.

    The first picture of every shot is kept, and no picture that is kept appears earlier or later than it did.
    """
    return packed(_thinned(one_by_one(clips), fps), chunk)


def _thinned(pictures: Iterable[Clip], fps: float) -> Iterator[Clip]:
    kept: Clip | None = None
    origin, tick = 0.0, 0
    for picture in pictures:
        if kept is None:
            origin = float(picture.times[0])
        # Ticks since the first picture, not time since the last one kept: 24 a second become 10, not 8.
        now = int((picture.times[0] - origin) * fps + TICK_ROUNDING)
        if kept and picture.shot == kept.shot and now == tick:
            kept = replace(kept, times=np.array([kept.times[0], picture.times[1]]))
            continue
        if kept:
            yield kept
        kept, tick = picture, now
    if kept:
        yield kept


def packed(pictures: Iterable[Clip], chunk: int) -> Iterator[Clip]:
    """Clips of one picture as clips of up to `chunk` that do not cross a cut. With 1 no pixel is copied."""
    waiting: list[Clip] = []
    for picture in pictures:
        if waiting and (len(waiting) == chunk or waiting[0].shot != picture.shot):
            yield join_clips(waiting)
            waiting = []
        waiting.append(picture)
    if waiting:
        yield join_clips(waiting)


def _merged(pictures: Iterable[Clip]) -> Iterator[Clip]:
    """Copies become one, the last, which the codec had most time to mend.

    Compared is with the mean of the copies so far: a slow drift does not chain.
    """
    held: Clip | None = None
    copies = 0
    mean: Map = np.zeros(1, np.float32)
    aftermath: Map = mean
    for picture in pictures:
        small = _small(picture.pixels[0])
        change = _change(mean, small) if held else np.zeros(small.shape[:2], np.float32)
        if held and _same(mean, small, change - AFTERMATH * aftermath):
            held = replace(picture, times=np.array([held.times[0], picture.times[1]]))
            copies += 1
            mean = mean + (small - mean) / np.float32(copies)
            aftermath = aftermath * np.float32(AFTERMATH_FADE)
            continue
        if held:
            yield held
        held, copies, mean = picture, 1, small
        aftermath = np.asarray(cv2.dilate(change, np.ones((AFTERMATH_REACH, AFTERMATH_REACH), np.uint8)), np.float32)
    if held:
        yield held


def _small(picture: Picture) -> Map:
    """(H, W, 3 or 4) -> (h, w, 3) float32: luma and weighted colour differences, 0..255."""
    height, width = picture.shape[:2]
    scale = min(1.0, SMALL_SIDE / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = shrink(picture, size)
    ycc = cv2.cvtColor(np.ascontiguousarray(small[..., :3]), cv2.COLOR_RGB2YCrCb).astype(np.float32)
    ycc[..., 1:] *= CHROMA
    if picture.shape[2] == 4:
        ycc *= small[..., 3:].astype(np.float32) / 255
    return np.asarray(ycc, np.float32)


def _change(before: Map, after: Map) -> Map:
    """How far two small pictures differ around each place, 0..255; not where both have lettering at the rim."""
    change = _strongest(np.abs(cv2.blur(after - before, (PATCH, PATCH))))
    if change.max() >= CHANGED:  # else it is held anyway
        change[_caption(before) & _caption(after)] = 0
    return np.asarray(change, np.float32)


def _strongest(values: Map) -> Map:
    """The largest of each place's channels; ten times as fast as `max` along so short an axis."""
    channels = cv2.split(values)
    return np.asarray(reduce(cv2.max, channels), np.float32)


def _same(before: Map, after: Map, change: Map) -> bool:
    """Whether two small pictures that differ so much can be copies of one drawing."""
    largest = float(change.max())
    if CHANGED <= largest < SURELY_CHANGED:
        patches = cv2.connectedComponents((change > largest / 2).astype(np.uint8))[0] - 1
        return patches >= SCATTERED and _common_motion(before[..., 0], after[..., 0]) < COMMON_MOTION
    return largest < CHANGED


def _common_motion(before: Map, after: Map) -> float:
    """Share of the differences of two lumas that a small shift, zoom and change of light explains, 0..1.

    Least squares on the gradient (Lucas and Kanade 1981), with Cauchy weights against what moves by itself.
    """
    height, width = before.shape
    patch = (MOTION_PATCH, MOTION_PATCH)
    before, after = np.asarray(cv2.blur(before, patch)), np.asarray(cv2.blur(after, patch))
    middle = (before + after) / 2
    across, down = cv2.Sobel(middle, cv2.CV_32F, 1, 0) / 8, cv2.Sobel(middle, cv2.CV_32F, 0, 1) / 8
    x, y = np.meshgrid(np.linspace(-1, 1, width, dtype=np.float32), np.linspace(-1, 1, height, dtype=np.float32))
    causes = np.stack([across, down, across * x + down * y, np.ones_like(middle)], axis=-1)
    a = causes[::MOTION_STEP, ::MOTION_STEP].reshape(-1, 4)
    b = (after - before)[::MOTION_STEP, ::MOTION_STEP].ravel()
    scale = max(1.0, 3 * float(np.median(np.abs(b))))
    rest = b
    for _ in range(3):
        weight = 1 / (1 + (rest / scale) ** 2)
        weighted = a * weight[:, None]
        rest = b - a @ np.linalg.solve(weighted.T @ a + 0.01 * np.eye(4), weighted.T @ b)
    return float(1 - (weight * rest**2).sum() / max((weight * b**2).sum(), 1e-6))


def _caption(small: Map) -> NDArray[np.bool_]:
    """Where thin white strokes stand close together along the rim: a caption, a clock, a station's logo."""
    luma = small[..., 0]
    height, width = luma.shape
    above = cv2.morphologyEx(luma, cv2.MORPH_TOPHAT, np.ones((STROKE, STROKE), np.uint8))
    white = (luma > WHITE) & (_strongest(np.abs(small[..., 1:] - CHROMA * 128)) < COLOURLESS)
    strokes = (white & (above > STROKE_CONTRAST)).astype(np.float32)
    rim = np.zeros((height, width), bool)
    rim[round(0.75 * height) :] = True
    rim[: round(0.15 * height), : round(0.3 * width)] = True
    rim[: round(0.15 * height), round(0.7 * width) :] = True
    dense = cv2.blur(strokes, (width // 8 | 1, height // 16 | 1)) > LETTERING
    letters = (strokes * (dense & rim)).astype(np.uint8)
    return np.asarray(cv2.dilate(letters, np.ones((CAPTION_REACH, CAPTION_REACH), np.uint8)) > 0)


def _in_shots(drawings: Iterable[Clip]) -> Iterator[Clip]:
    """The same drawings with the number of their shot, seen from as far before as behind.

    A picture that cannot be the last one's next is a cut, unless the shot comes back (a flash, somebody passing). Blank
    pictures belong to the shot before them, and what follows is compared with that.
    """
    behind: deque[tuple[float, Picture]] = deque()  # seconds and thumbs of this shot, without its flashes
    shot = 0
    dissolved = -np.inf  # seconds at which the last dissolve was half way: its rest is no further cut
    for drawing, thumb, later in _with_those_to_come(drawings):
        if thumb.std() >= BLANK:
            now = float(drawing.times[0])
            flash, settled = False, now - dissolved > AROUND
            if behind and not any(_alike(other, thumb) for _, other in reversed(behind)):
                flash = any(_alike(behind[i][1], other) for i in (-1, 0) for other in later)
                new = settled and not flash
            else:
                new = settled and bool(behind and later) and _dissolved(behind[0][1], thumb, later[-1])
                dissolved = now if new else dissolved
            if new:
                shot += 1
                behind.clear()
            if not flash:
                behind.append((now, thumb))
            while len(behind) > 1 and now - behind[0][0] > AROUND:
                behind.popleft()
        yield replace(drawing, shot=shot)


def _with_those_to_come(drawings: Iterable[Clip]) -> Iterator[tuple[Clip, Picture, list[Picture]]]:
    """Each drawing, its thumb, and the thumbs that are not blank of what appears within AROUND after it."""
    window: deque[tuple[Clip, Picture]] = deque()
    for drawing in drawings:
        while window and drawing.times[0] - window[0][0].times[0] > AROUND:
            now, thumb = window.popleft()
            yield now, thumb, [later for _, later in window if later.std() >= BLANK]
        window.append((drawing, _thumb(drawing.pixels[0])))
    while window:
        now, thumb = window.popleft()
        yield now, thumb, [later for _, later in window if later.std() >= BLANK]


def _dissolved(first: Picture, middle: Picture, last: Picture) -> bool:
    """Whether the middle thumb is a mixture of two shots, and more of the second."""
    a, b, c = (cv2.GaussianBlur(thumb, (0, 0), 1).mean(2).ravel() for thumb in (first, middle, last))
    share = float((b - a) @ (c - a)) / max(float((c - a) @ (c - a)), 1.0)
    if not 0.5 <= share <= 0.9 or min(a.std(), c.std()) < FADE * max(a.std(), c.std()):
        return False
    beside = ((b - a - share * (c - a)) ** 2).mean()
    mixed = beside < MIXTURE * min(((b - a) ** 2).mean(), ((c - b) ** 2).mean())
    return bool(mixed and np.corrcoef(a, c)[0, 1] < SURELY_ALIKE)


def _thumb(picture: Picture) -> Picture:
    return shrink(picture, THUMB_SIZE)[..., :3]


def _alike(before: Picture, after: Picture) -> bool:
    """Whether one thumb can be carried into the other along some motion.

    Motion is searched by dense inverse search (Kroeger et al. 2016), from rest and from the pictures' common shift
    (phase correlation). Then the structures are correlated, and the colours compared wherever they are.
    """
    if np.abs(before.astype(np.float32) - after).mean() < LEAST_CHANGE:
        return True
    first, second = (np.asarray(cv2.cvtColor(thumb, cv2.COLOR_RGB2GRAY), np.uint8) for thumb in (before, after))
    correlation = max(_correlation(first, second, shift) for shift in ((0.0, 0.0), _shift(first, second)))
    return correlation >= min(SURELY_ALIKE, UNLIKE + UNLIKE_PER_COLOUR * _colour_distance(before, after))


def _shift(first: Picture, second: Picture) -> tuple[float, float]:
    """Pixels by which the edges of the first thumb moved, right and down."""
    edges = [np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)) for grey in (first, second)]
    window = cv2.createHanningWindow(THUMB_SIZE, cv2.CV_32F)
    (right, down), _ = cv2.phaseCorrelate(edges[0] - edges[0].mean(), edges[1] - edges[1].mean(), window)
    return right, down


def _correlation(first: Picture, second: Picture, shift: tuple[float, float]) -> float:
    """Local correlation of the first thumb, carried along the motion, with the second: 1 the same structure, 0 none."""
    guess = np.empty((*first.shape, 2), np.float32)
    guess[...] = -shift[0], -shift[1]
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    flow = np.asarray(search.calc(second, first, guess))
    y, x = np.mgrid[0 : first.shape[0], 0 : first.shape[1]].astype(np.float32)
    x, y = x + flow[..., 0], y + flow[..., 1]
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
    """Share of the pixels whose colour (8 levels a channel) the other thumb does not have: 0 none, 1 all."""
    counts = [cv2.calcHist([thumb], [0, 1, 2], None, [8, 8, 8], [0, 256] * 3) for thumb in (before, after)]
    return float(np.abs(counts[0] - counts[1]).sum() / 2 / (THUMB_SIZE[0] * THUMB_SIZE[1]))
