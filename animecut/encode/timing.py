"""Clips to the pictures that are written: RGBA, each once, with its time in the format's ticks."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import reduce

import cv2
import numpy as np
from numpy.typing import NDArray

from animecut.types import Clip, add_opaque_alpha

Picture = NDArray[np.uint8]
"""(H, W, 4) straight RGBA, uint8, sRGB."""

Timed = tuple[Picture, int]
"""A picture and for how many ticks it is shown."""

HOLD_BLOCK = 8  # pixels; a block of this size is held as a whole, or its pixels would speckle


@dataclass(frozen=True)
class Limits:
    """How a format counts time."""

    rate: int
    """Ticks per second."""
    shortest: int
    """Ticks; what is shown for less is left out, its time goes to its neighbour."""
    longest: int
    """Ticks; what is shown for longer is repeated."""


def to_ticks(clips: Iterable[Clip], limits: Limits, tolerance: int, *, one_bit: bool) -> Iterator[Timed]:
    """All pictures as RGBA and their ticks, rounded where they start, so that no rounding adds up.

    Equal neighbours become one picture. A picture too short for the format gives its time to the next one, the last
    one to the one before it. Where alpha is 0, so is RGB. Raises ValueError where pictures differ in size.
    """
    origin: float | None = None
    ready: Timed | None = None  # the one before, in case that the last one is too short
    current: Picture | None = None
    start = end = 0
    for clip in clips:
        origin = float(clip.times[0]) if origin is None else origin
        for i, pixels in enumerate(clip.pixels):
            at = round((clip.times[i] - origin) * limits.rate)
            end = round((clip.times[i + 1] - origin) * limits.rate)
            picture = _canonical(pixels, one_bit=one_bit)
            if current is None:
                current = picture
                continue
            if picture.shape != current.shape:
                raise ValueError(f"pictures differ in size: {current.shape} and {picture.shape}")
            picture = hold_unchanged_blocks(picture, current, tolerance)
            if at - start >= limits.shortest and not np.array_equal(picture, current):
                yield from _pieces(ready, limits.longest)
                ready, start = (current, at - start), at
            current = picture
    if current is None:
        raise ValueError("no picture to write")
    if ready and end - start < limits.shortest:
        ready = (ready[0], ready[1] + end - start)
    else:
        yield from _pieces(ready, limits.longest)
        ready = (current, max(end - start, limits.shortest))
    yield from _pieces(ready, limits.longest)


def _pieces(picture: Timed | None, longest: int) -> Iterator[Timed]:
    if picture is None:
        return
    pixels, ticks = picture
    while ticks > longest:
        yield pixels, longest
        ticks -= longest
    yield pixels, ticks


def _canonical(pixels: NDArray[np.uint8], *, one_bit: bool) -> Picture:
    if pixels.shape[2] == 3:
        return add_opaque_alpha(pixels)
    rgba = pixels.copy()
    if one_bit:
        rgba[..., 3] = np.where(rgba[..., 3] >= 128, np.uint8(255), np.uint8(0))
    pixel_words(rgba)[rgba[..., 3] == 0] = 0
    return rgba


def pixel_words(picture: Picture) -> NDArray[np.uint32]:
    """(H, W) each pixel as one number, alpha its highest byte, in shared memory: quicker to compare than channels."""
    return picture.view("<u4")[..., 0]


def fill_transparent(picture: Picture) -> Picture:
    """Transparent pixels in the picture's mean colour: a codec mixes neighbours; black would creep into the edge."""
    visible = picture[..., 3:] > 0
    mean = picture[..., :3].mean(axis=(0, 1), where=visible) if visible.any() else 0
    return np.concatenate([np.where(visible, picture[..., :3], np.uint8(mean)), picture[..., 3:]], axis=2)


def hold_unchanged_blocks(picture: Picture, before: Picture, tolerance: int) -> Picture:
    """The picture with every block taken from the one before in which nothing visible changed: noise is not sent.

    A block changed where a premultiplied colour or alpha is off by more than `tolerance` levels anywhere in it, or
    alpha became or was 0 or 255. What is shown stays the reference, so that slow changes do get through.
    """
    if tolerance <= 0:
        return picture
    # Plane by plane: numpy is ten times slower along so short an axis.
    now, past = (np.asarray(cv2.split(pixels), np.uint8) for pixels in (picture, before))
    alpha, alpha_before = now[3].astype(np.float32) / 255, past[3].astype(np.float32) / 255
    colour = reduce(np.maximum, (cv2.absdiff(now[i] * alpha, past[i] * alpha_before) for i in range(3)))
    fade = cv2.absdiff(now[3], past[3])
    extreme = _is_extreme(now[3]) | _is_extreme(past[3])
    changed = (colour > tolerance) | (fade > tolerance) | (fade > 0) & extreme
    height, width = changed.shape
    padded = np.pad(changed, ((0, -height % HOLD_BLOCK), (0, -width % HOLD_BLOCK)))
    blocks = padded.reshape(padded.shape[0] // HOLD_BLOCK, HOLD_BLOCK, -1, HOLD_BLOCK).any(axis=(1, 3))
    whole = blocks.repeat(HOLD_BLOCK, axis=0).repeat(HOLD_BLOCK, axis=1)[:height, :width]
    held = before.copy()
    pixel_words(held)[whole] = pixel_words(picture)[whole]
    return held


def _is_extreme(alpha: NDArray[np.uint8]) -> NDArray[np.bool_]:
    return np.asarray((alpha == 0) | (alpha == 255))
