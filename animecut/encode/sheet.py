"""A sprite sheet: all pictures on one PNG, and a JSON file that says where each lies and how long it shows.

The JSON is an array as Aseprite writes it; TexturePacker's has no durations. Game engines read both.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from math import isqrt
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from animecut.encode.changes import Rectangle, bounding_rectangle
from animecut.encode.probe import SHEET_JSON, SHEET_PNG
from animecut.encode.timing import Timed
from animecut.errors import OutputError

LARGEST = 8192  # pixels of a side; graphics cards hold no larger texture
GAP = 1  # pixels between pictures, so that none bleeds into another where it is scaled


def write_sheet(folder: Path, pictures: Callable[[], Iterable[Timed]]) -> None:
    """Ticks of 1 ms. Each picture is trimmed to what shows. How often it plays is not said.

    folder: is not there yet. pictures: called twice. Raises OutputError where they do not fit on one sheet.
    """
    boxes, durations, size = list[Rectangle](), list[int](), (0, 0)
    for picture, ticks in pictures():
        boxes.append(bounding_rectangle(picture[..., 3] > 0))
        durations.append(ticks)
        size = picture.shape[1], picture.shape[0]
    corners, (width, height) = place_on_shelves([(box[2] - box[0], box[3] - box[1]) for box in boxes])
    if max(width, height) > LARGEST:
        raise OutputError(
            f"a sheet of {len(boxes)} pictures would be {width}x{height} pixels, and {LARGEST} are the most; "
            "choose a shorter range, or a smaller --size"
        )
    sheet: NDArray[np.uint8] = np.zeros((height, width, 4), np.uint8)
    for (picture, _), (left, top, right, bottom), (x, y) in zip(pictures(), boxes, corners, strict=True):
        sheet[y : y + bottom - top, x : x + right - left] = picture[top:bottom, left:right]
    frames = [
        _frame(i, box, corner, size, duration)
        for i, (box, corner, duration) in enumerate(zip(boxes, corners, durations, strict=True))
    ]
    meta = {"app": "animecut", "version": "1.0", "image": SHEET_PNG, "format": "RGBA8888",
            "size": {"w": width, "h": height}, "scale": "1"}  # fmt: skip
    folder.mkdir()
    Image.fromarray(sheet).save(folder / SHEET_PNG)
    (folder / SHEET_JSON).write_text(json.dumps({"frames": frames, "meta": meta}, indent=1) + "\n", encoding="utf-8")


def place_on_shelves(sizes: Sequence[tuple[int, int]]) -> tuple[list[tuple[int, int]], tuple[int, int]]:
    """Where each picture lies, row by row, and the size of the whole, which is about a square.

    sizes: (width, height) of each. Returns the (left, top) of each, and (width, height) of the sheet.
    """
    area = sum((width + GAP) * (height + GAP) for width, height in sizes)
    most = max(isqrt(area) + 1, max(width for width, _ in sizes))
    corners, x, y, row, widest = list[tuple[int, int]](), 0, 0, 0, 0
    for width, height in sizes:
        if x + width > most:
            x, y, row = 0, y + row + GAP, 0
        corners.append((x, y))
        x, row, widest = x + width + GAP, max(row, height), max(widest, x + width)
    return corners, (widest, y + row)


def _frame(
    number: int, box: Rectangle, corner: tuple[int, int], size: tuple[int, int], duration: int
) -> dict[str, Any]:
    left, top, right, bottom = box
    trimmed = {"w": right - left, "h": bottom - top}
    return {
        "filename": f"{number:05d}.png",
        "frame": {"x": corner[0], "y": corner[1]} | trimmed,
        "rotated": False,
        "trimmed": (right - left, bottom - top) != size,
        "spriteSourceSize": {"x": left, "y": top} | trimmed,
        "sourceSize": {"w": size[0], "h": size[1]},
        "duration": duration,
    }
