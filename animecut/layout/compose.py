"""Crop to the character, scale, and lay over a ground.

Every picture is straight (not premultiplied) sRGB outside; weights are premultiplied inside, so that no colour of the
transparent side leaks into an edge. Arithmetic is gamma-naive, as browsers composite.
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from math import ceil, floor

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import ImageColor

from animecut._util import masks

Size = tuple[int, int]
"""(height, width) in pixels, as arrays have it."""

Picture = NDArray[np.uint8]
"""(H, W, 3) RGB or (H, W, 4) straight RGBA, uint8, sRGB."""

Colour = tuple[int, int, int]
"""Red, green, blue, 0..255, sRGB."""


@dataclass(frozen=True)
class Box:
    """Pixels left..right - 1 and top..bottom - 1. Raises ValueError where that is none."""

    left: int
    top: int
    right: int
    bottom: int

    def __post_init__(self) -> None:
        if not (self.left < self.right and self.top < self.bottom):
            raise ValueError(f"a box holds at least one pixel, got {self}")

    @property
    def width(self) -> int:
        """Pixels from left to right."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """Pixels from top to bottom."""
        return self.bottom - self.top

    def __or__(self, other: "Box") -> "Box":
        """The smallest box around both."""
        return Box(
            min(self.left, other.left),
            min(self.top, other.top),
            max(self.right, other.right),
            max(self.bottom, other.bottom),
        )

    def grown(self, pixels: int, picture: Size) -> "Box":
        """So many pixels more on every side, as far as the picture reaches."""
        height, width = picture
        return Box(
            max(0, self.left - pixels),
            max(0, self.top - pixels),
            min(width, self.right + pixels),
            min(height, self.bottom + pixels),
        )


@dataclass(frozen=True)
class Placement:
    """Which pixels of the source (`crop`) fill the output (`size`)."""

    crop: Box
    size: Size


def bounding_box(alpha: NDArray[np.float32], threshold: float, picture: Size) -> Box | None:
    """The smallest box of the picture around all places with alpha >= threshold; None where there is none.

    alpha: (h, w) or (T, h, w) float32 in [0, 1], a grid of any fineness laid over the whole picture; every pixel that
    a grid cell touches belongs to it.
    """
    there = np.asarray(alpha >= threshold).reshape(-1, *alpha.shape[-2:]).max(axis=0)
    if not there.any():
        return None
    rows, columns = masks.bounding_window(there)
    y, x = picture[0] / there.shape[0], picture[1] / there.shape[1]
    return Box(floor(columns.start * x), floor(rows.start * y), ceil(columns.stop * x), ceil(rows.stop * y))


def place_box(box: Box, picture: Size, bounds: Size, margin: int) -> Placement:
    """Where the character's box goes: as large as fits the bounds, `margin` output pixels of source left around it.

    The margin ends where the picture ends: a character cut by the frame stands on the sticker's edge, with no gap.
    A small character is scaled up: the bounds are what was asked for. Sizes may be odd; that is the codec's matter.
    Raises ValueError where the margins leave no pixel for the character.
    """
    if min(bounds) <= 2 * margin:
        raise ValueError(f"margins of {margin} pixels leave nothing of {min(bounds)}")
    scale = min(
        _scale(box.width, box.left, picture[1] - box.right, bounds[1], margin),
        _scale(box.height, box.top, picture[0] - box.bottom, bounds[0], margin),
    )
    return fill_bounds(box.grown(round(margin / scale), picture), bounds)


def fill_bounds(crop: Box, bounds: Size) -> Placement:
    """The crop at the largest size that fits the bounds."""
    scale = min(bounds[0] / crop.height, bounds[1] / crop.width)
    return Placement(crop, (max(1, round(crop.height * scale)), max(1, round(crop.width * scale))))


def canvas_corner(size: Size, canvas: Size, box: Box, picture: Size) -> tuple[int, int]:
    """Row and column at which a placed crop of `size` stands on a larger canvas: in its middle.

    But where one side of the character's box ends with the picture, that side stands on the canvas' own edge, so that
    nobody who was cut by the frame hangs in the air.
    """
    ends = ((box.top, picture[0] - box.bottom), (box.left, picture[1] - box.right))
    free = (canvas[0] - size[0], canvas[1] - size[1])
    row, column = (
        space // 2 if (before > 0) == (after > 0) else space * (after == 0)
        for space, (before, after) in zip(free, ends, strict=True)
    )
    return row, column


def paste_on_canvas(rgba: Picture, canvas: Size, at: tuple[int, int]) -> Picture:
    """A picture of 4 channels on a transparent canvas, its first pixel at this row and column."""
    if rgba.shape[:2] == canvas:
        return rgba
    blank = np.zeros((*canvas, 4), np.uint8)
    blank[at[0] : at[0] + rgba.shape[0], at[1] : at[1] + rgba.shape[1]] = rgba
    return blank


def _scale(length: int, before: int, after: int, size: int, margin: int) -> float:
    """The s at which length * s + min(margin, before * s) + min(margin, after * s) == size.

    The left side is the least of four lines, one for each choice of the minima; so s is the greatest of their roots.
    """
    choices = product(((margin, 0), (0, before)), ((margin, 0), (0, after)))
    return max((size - m0 - m1) / (length + room0 + room1) for (m0, room0), (m1, room1) in choices)


def crop_part(part: Picture, top: int, left: int, crop: Box) -> Picture:
    """The crop of a picture of which only a part is kept, its first pixel at (top, left).

    What was not kept looks as the part's edge, which is background: black would be a colour that is nowhere.
    """
    above, below = max(0, top - crop.top), max(0, crop.bottom - top - part.shape[0])
    before, after = max(0, left - crop.left), max(0, crop.right - left - part.shape[1])
    wide = np.asarray(cv2.copyMakeBorder(part, above, below, before, after, cv2.BORDER_REPLICATE), np.uint8)
    y, x = max(0, crop.top - top), max(0, crop.left - left)
    return wide[y : y + crop.height, x : x + crop.width]


def resample(pixels: Picture, placement: Placement) -> Picture:
    """The crop at the output's size: area means down, cubic up, clipped to its neighbours so that no line rings.

    pixels: (H, W, 3) RGB or (H, W, 4) straight RGBA. Returns (height, width, same channels); RGB is 0 where alpha is 0.
    """
    box = placement.crop
    crop = pixels[box.top : box.bottom, box.left : box.right]
    if crop.shape[2] == 3:
        return _to_bytes(_resize(crop.astype(np.float32), placement.size))
    premultiplied = crop.astype(np.float32)
    premultiplied[..., :3] *= premultiplied[..., 3:] / 255
    scaled = _resize(premultiplied, placement.size)
    alpha = np.rint(scaled[..., 3:])
    # Where the exact alpha would round to 0 there is no colour to keep.
    colour = np.divide(scaled[..., :3] * 255, scaled[..., 3:], out=np.zeros_like(scaled[..., :3]), where=alpha > 0)
    return _to_bytes(np.concatenate([colour, alpha], axis=2))


def resample_alpha(coarse: NDArray[np.float32], placement: Placement, picture: Size) -> NDArray[np.float32]:
    """What a coarse grid laid over the whole picture says at each output pixel's centre.

    coarse: (h, w) float32 in [0, 1]. Returns (height, width) float32 in [0, 1]: linear between the grid's centres, the
    border's value beyond them, and a mean (a triangle as wide as the step) where the output is the coarser of the two.
    """
    box, (height, width) = placement.crop, placement.size
    rows = _interpolation(coarse.shape[0], picture[0], box.top, box.height, height)
    columns = _interpolation(coarse.shape[1], picture[1], box.left, box.width, width)
    own = np.logical_and.outer(rows.any(axis=0), columns.any(axis=0))  # the crop's part of the grid
    down, across = masks.bounding_window(own)
    return np.asarray(np.clip(rows[:, down] @ coarse[down, across] @ columns[:, across].T, 0, 1))


def composite_over(pixels: NDArray[np.uint8], background: Colour | Picture) -> NDArray[np.uint8]:
    """Straight RGBA (..., H, W, 4) over a colour or an RGB picture, to the nearest level: (..., H, W, 3).

    A picture of another size is scaled to cover the whole ground, its middle kept. What is RGB already stays as it is.
    """
    if pixels.shape[-1] == 3:
        return pixels
    ground = np.asarray(background, dtype=np.uint8)
    if ground.ndim == 3 and ground.shape[:2] != pixels.shape[-3:-1]:
        ground = cover(ground, (pixels.shape[-3], pixels.shape[-2]))
    # 255 * 255 + 127 still fits 16 bits.
    alpha = pixels[..., 3:].astype(np.uint16)
    return np.asarray((pixels[..., :3] * alpha + ground * (255 - alpha) + 127) // 255, dtype=np.uint8)


def alpha_over(above: Picture, below: Picture) -> Picture:
    """One straight RGBA picture (H, W, 4) over another of its size; RGB is 0 where alpha is 0."""
    a = above[..., 3:].astype(np.float32) / 255
    rest = below[..., 3:].astype(np.float32) / 255 * (1 - a)
    alpha = np.rint((a + rest) * 255)
    weighted = above[..., :3] * a + below[..., :3] * rest
    colour = np.divide(weighted, a + rest, out=np.zeros_like(weighted), where=alpha > 0)
    return _to_bytes(np.concatenate([colour, alpha], axis=2))


def parse_colour(words: str) -> Colour | None:
    """The colour that words mean (white, #ff8800, rgb(1,2,3)); None where they mean none."""
    try:
        colour = ImageColor.getrgb(words)[:3]
    except ValueError:
        return None
    return colour if all(0 <= level <= 255 for level in colour) else None


def cover(picture: Picture, size: Size) -> Picture:
    """The largest middle part of a picture that has the shape of `size`, at that size."""
    height, width = picture.shape[:2]
    scale = max(size[0] / height, size[1] / width)
    h, w = min(height, max(1, round(size[0] / scale))), min(width, max(1, round(size[1] / scale)))
    top, left = (height - h) // 2, (width - w) // 2
    return resample(picture, Placement(Box(left, top, left + w, top + h), size))


def _resize(pixels: NDArray[np.float32], size: Size) -> NDArray[np.float32]:
    (height, width), shape = size, (size[1], size[0])
    if size == pixels.shape[:2]:
        return pixels
    if height <= pixels.shape[0] and width <= pixels.shape[1]:
        return np.asarray(cv2.resize(pixels, shape, interpolation=cv2.INTER_AREA))
    square = np.ones((3, 3), np.uint8)
    low = cv2.resize(cv2.erode(pixels, square), shape, interpolation=cv2.INTER_LINEAR)
    high = cv2.resize(cv2.dilate(pixels, square), shape, interpolation=cv2.INTER_LINEAR)
    return np.asarray(np.clip(cv2.resize(pixels, shape, interpolation=cv2.INTER_CUBIC), low, high))


@lru_cache(8)  # the same for every drawing of a shot
def _interpolation(cells: int, length: int, start: int, extent: int, count: int) -> NDArray[np.float32]:
    """From `cells` over `length` pixels to `count` over `extent` of them: (count, cells) float32, rows summing to 1."""
    step = extent / count * cells / length
    centres = (start + (np.arange(count) + 0.5) * extent / count) * cells / length - 0.5
    centres = np.clip(centres, 0, cells - 1)
    weights = np.maximum(0, 1 - np.abs(centres[:, None] - np.arange(cells)) / max(1.0, step))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), dtype=np.float32)


def _to_bytes(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.asarray(np.clip(np.rint(values), 0, 255), dtype=np.uint8)
