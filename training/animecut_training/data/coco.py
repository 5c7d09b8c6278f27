"""COCO's JSON, as CVAT and Label Studio export it, https://cocodataset.org/#format-data."""

from collections.abc import Hashable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from animecut.errors import InputError
from animecut_training.data.classes import Classes, Mask, instance_number

FINE = 4  # drawn pixels per side of a pixel


def read_coco_mask(
    annotations: Iterable[dict[str, Any]], names: dict[int, str], height: int, width: int, classes: Classes
) -> Mask:
    """The mask of one picture from its annotations: polygons, runs (RLE), compressed or not, or a box alone.

    names: of COCO's categories by id.  Raises InputError for a category or a segmentation that is not known.
    """
    mask = np.zeros((height, width), np.uint8)
    known: dict[Hashable, int] = {}
    for i, annotation in enumerate(annotations):
        try:
            where = segmentation_mask(annotation.get("segmentation") or _corners(*annotation["bbox"]), height, width)
            mask[where] = instance_number(classes.of_name(names[annotation["category_id"]]), i, known)
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise InputError(f"annotation {annotation.get('id')}: cannot be read ({error!r})") from error
    return mask


def segmentation_mask(
    segmentation: dict[str, Any] | Sequence[Sequence[float]], height: int, width: int
) -> NDArray[np.bool_]:
    """Where a segmentation lies: (H, W)."""
    if isinstance(segmentation, dict):
        if list(segmentation["size"]) != [height, width]:
            raise InputError(f"runs for {segmentation['size'][1]}x{segmentation['size'][0]}, not {width}x{height}")
        counts = segmentation["counts"]
        return _unrolled(_expanded(counts) if isinstance(counts, str) else counts, height, width)
    # COCO's polygons run between pixels and Pillow's over them, so they are drawn finely: half covered is inside.
    canvas = Image.new("L", (width * FINE, height * FINE))
    draw = ImageDraw.Draw(canvas)
    for polygon in segmentation:
        points = [(x * FINE - 0.5, y * FINE - 0.5) for x, y in zip(polygon[::2], polygon[1::2], strict=True)]
        draw.polygon(points, fill=255)
    return np.asarray(canvas.reduce(FINE), np.uint8) >= 128


def _corners(x: float, y: float, width: float, height: float) -> list[list[float]]:
    return [[x, y, x + width, y, x + width, y + height, x, y + height]]


def _expanded(text: str) -> list[int]:
    """Lengths of runs from COCO's text: 5 bits in a character, lowest first, differences to the run but one before."""
    counts: list[int] = []
    value = shift = 0
    for character in text.encode("ascii"):
        bits = character - 48
        value |= (bits & 31) << shift
        shift += 5
        if bits & 32:  # more to come
            continue
        if bits & 16:  # negative
            value -= 1 << shift
        counts.append(value + counts[-2] if len(counts) > 2 else value)
        value = shift = 0
    return counts


def _unrolled(counts: Sequence[int], height: int, width: int) -> NDArray[np.bool_]:
    """Runs of background and object by turns, down the columns."""
    if sum(counts) != height * width or min(counts, default=0) < 0:
        raise InputError(f"runs of {sum(counts)} pixels altogether, not {height * width}")
    flat = np.repeat(np.arange(len(counts)) % 2 == 1, counts)
    return np.asarray(flat.reshape(width, height).T, np.bool_)
