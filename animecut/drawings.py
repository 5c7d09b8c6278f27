"""Runs of held frames -> one drawing with its time; where a new shot begins.

Animation is drawn on twos and threes: the same drawing is filmed several times, and differs only by what compression
and grain did to each copy. Both questions are asked on small pictures: is this still the drawing (320 pixels wide,
where the noise of copies averages out and a blink does not), and is this still the shot (128 pixels, where one picture
can be carried into the next along the motion).
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from animecut.clip import Clip, Seconds, join, one_by_one

Picture = NDArray[np.uint8]
"""(H, W, 3 or 4) RGB(A)."""
Small = NDArray[np.float32]
"""(h, w, 3) luma and weighted chroma, 0..255."""

CHUNK = 16  # drawings in a clip

# Held or not
SMALL_SIDE = 320  # pixels, longest side: a blink is 5 pixels and more, a block of the codec 3 to 8
CHROMA = 0.7  # weight of colour difference against luma: chroma is coded more coarsely
PATCH = 5  # pixels: differences are averaged over so much; noise of copies changes sign within, a drawing does not
CHANGED = 4.5  # of 255: more than copies at a rate factor up to 28 differ, less than a blink or a step of a slow pan
AFTERMATH = 0.025  # of the last change: after a change the codec mends what it left over, at the same place
AFTERMATH_REACH = 9  # pixels around the change

# Captions and clocks
STROKE = 5  # pixels: strokes of letters are thinner
STROKE_CONTRAST = 60.0  # of 255, above what is around
LETTERING = 0.15  # share of strokes around a letter; ink lines and highlights do not stand so close

# Cut or not
THUMB_SIDE = 128  # pixels, longest side
WINDOW = 9  # pixels, over which structure is compared
LIKENESS = 0.25, 0.6  # a cut where the correlation is below the first + the second * the colours' distance
LEAST_CHANGE = 8.0  # of 255, mean over the picture: fades step by less, cuts by more
RETURN = 0.4  # seconds in which the shot comes back after a flash; no shot is shorter


def merge_held(clips: Iterable[Clip], *, chunk: int = CHUNK, average: bool = False) -> Iterator[Clip]:
    """One picture for each drawing, shown as long as all its copies were; shots numbered from 0.

    clips:   pictures of equal size, in order, without gaps; how they are cut into clips does not matter.
    chunk:   drawings in a clip of the result; the last one of a shot may be shorter.
    average: a drawing is the mean of its copies (less noise, a little softer) instead of its last copy, which the
             codec has had most time to mend.

    What changes in a caption or a clock at the picture's rim alone makes no new drawing. A flash is part of its shot.
    """
    waiting: list[Clip] = []
    for drawing, shot in _shots(_drawings(one_by_one(clips), average)):
        if waiting and (len(waiting) == chunk or waiting[0].shot != shot):
            yield join(waiting)
            waiting = []
        times = np.array([drawing.start, drawing.end])
        waiting.append(Clip(drawing.picture[None], times, shot))
    if waiting:
        yield join(waiting)


@dataclass(eq=False)
class _Drawing:
    """A drawing and when it is shown, in seconds."""

    picture: Picture
    thumb: Picture
    start: float
    end: float
    copies: int = 1


def _drawings(frames: Iterable[Clip], average: bool) -> Iterator[_Drawing]:
    """Group the copies. Compared is with the mean of the copies so far, so that a slow drift does not chain."""
    drawing: _Drawing | None = None
    total = np.zeros(0)
    mean = last_change = np.zeros(0, np.float32)
    for frame in frames:
        picture, small = frame.pixels[0], _small(frame.pixels[0])
        change = _change(mean, small) if drawing else small[..., 0]
        if drawing and mean.shape == small.shape and (change - AFTERMATH * last_change).max() < CHANGED:
            drawing.copies += 1
            drawing.end = frame.times[-1]
            mean += (small - mean) / drawing.copies
            if average:
                total += picture
            drawing.picture = picture
            continue
        if drawing:
            yield _averaged(drawing, total) if average else drawing
        last_change = cv2.dilate(change, np.ones((AFTERMATH_REACH, AFTERMATH_REACH), np.uint8))
        drawing = _Drawing(picture, _thumb(picture), float(frame.times[0]), float(frame.times[-1]))
        mean, total = small, picture.astype(np.float64) if average else total
    if drawing:
        yield _averaged(drawing, total) if average else drawing
