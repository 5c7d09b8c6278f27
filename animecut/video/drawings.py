"""Runs of held frames become one drawing each, with its time.

Animation is drawn on twos and threes: a drawing is filmed several times, and its copies differ only by what compression
and grain did to each. Copies are compared 320 pixels wide, where noise averages out and a blink does not.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import reduce

import cv2
import numpy as np
from numpy.typing import NDArray

from animecut._util.images import make_view, over_grey, shrink
from animecut.types import Clip, Drawing
from animecut.video.shots import Frame, Map, Picture, number_shots

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


def merge_held_frames(clips: Iterable[Clip]) -> Iterator[Drawing]:
    """One drawing for each run of copies, shown as long as all of them were; shots numbered from 0.

    clips: pictures of equal size, in order and without gaps.

    Nothing but a caption or a clock at the rim changing makes no new drawing. A flash belongs to its shot.
    """
    return (_drawing(frame, shot) for frame, shot in number_shots(_merged(_frames(clips))))


def limit_rate(drawings: Iterable[Drawing], fps: float) -> Iterator[Drawing]:
    """The same drawings without those that come sooner than fps allows; the one before stays on screen for them.

    The first one of every shot is kept, and none that is kept appears earlier or later than it did.
    """
    kept: Drawing | None = None
    origin, tick = 0.0, 0
    for drawing in drawings:
        if kept is None:
            origin = drawing.start
        # Ticks since the first drawing, not time since the last one kept: 24 a second become 10, not 8.
        now = int((drawing.start - origin) * fps + TICK_ROUNDING)
        if kept and drawing.shot == kept.shot and now == tick:
            kept = replace(kept, end=drawing.end, frames=kept.frames + drawing.frames)
            continue
        if kept:
            yield kept
        kept, tick = drawing, now
    if kept:
        yield kept


def _frames(clips: Iterable[Clip]) -> Iterator[Frame]:
    for clip in clips:
        for pixels, start, end in zip(clip.pixels, clip.times, clip.times[1:], strict=False):
            yield Frame(pixels, float(start), float(end))


def _merged(frames: Iterable[Frame]) -> Iterator[Frame]:
    """Copies become one, the last, which the codec had most time to mend.

    Compared is with the mean of the copies so far: a slow drift does not chain.
    """
    held: Frame | None = None
    copies = 0
    mean: Map = np.zeros(1, np.float32)
    aftermath: Map = mean
    for frame in frames:
        small = _small(frame.pixels)
        change = _change(mean, small) if held else np.zeros(small.shape[:2], np.float32)
        if held and _same(mean, small, change - AFTERMATH * aftermath):
            held = frame._replace(start=held.start, frames=held.frames + 1)
            copies += 1
            mean = mean + (small - mean) / np.float32(copies)
            aftermath = aftermath * np.float32(AFTERMATH_FADE)
            continue
        if held:
            yield held
        held, copies, mean = frame, 1, small
        aftermath = np.asarray(cv2.dilate(change, np.ones((AFTERMATH_REACH, AFTERMATH_REACH), np.uint8)), np.float32)
    if held:
        yield held


def _drawing(frame: Frame, shot: int) -> Drawing:
    """A frame with its small view; what is transparent is seen on grey."""
    rgb, alpha = np.ascontiguousarray(frame.pixels[..., :3]), None
    seen = rgb
    if frame.pixels.shape[2] == 4:
        alpha = np.ascontiguousarray(frame.pixels[..., 3])
        seen = over_grey(rgb, alpha)
    return Drawing(rgb, make_view(seen), frame.start, frame.end, alpha, shot, frame.frames)


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
