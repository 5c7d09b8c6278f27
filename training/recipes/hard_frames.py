"""Frames that networks find hard, labelled by us: their outlines are in hard.json, their pictures are not ours to keep.

Run: python training/recipes/hard_frames.py IMAGES DIR
"""

import json
from pathlib import Path

import cv2
import numpy as np
from animecut_training.data.convert import write
from animecut_training.data.dataset import Labelled
from animecut_training.data.layouts import read_picture
from animecut_training.options import two_folder_command
from numpy.typing import NDArray

from animecut.errors import InputError

OUTLINES = Path(__file__).parent / "hard.json"
"""By frame: outlines, x and y in turn, in pixels; one inside another is a hole."""


def mask_of(outlines: list[list[int]], height: int, width: int) -> NDArray[np.uint8]:
    """(height, width) uint8, 1 = character, of outlines as OUTLINES holds them."""
    mask = np.zeros((height, width), np.uint8)
    cv2.fillPoly(mask, [np.array(line, np.int32).reshape(-1, 2) for line in outlines], 1)
    return mask


def take(images: Path, folder: Path, outlines: Path = OUTLINES) -> int:
    """Write each labelled frame as images/ID.png and masks/ID.png beside what is there; how many.

    images: a folder of ID.jpg. Raises InputError, before anything is written, where one is missing.
    """
    known = json.loads(outlines.read_text())
    missing = [name for name in known if not (images / f"{name}.jpg").is_file()]
    if missing:
        raise InputError(f"{images}: no {missing[0]}.jpg, and {len(missing) - 1} more are missing")
    for name, lines in known.items():
        rgb = read_picture(images / f"{name}.jpg")
        write(Labelled(name, rgb, mask_of(lines, *rgb.shape[:2]).astype(np.float32)), folder)
    return len(known)


if __name__ == "__main__":
    two_folder_command(__doc__, lambda images, folder: f"{take(images, folder)} frames written")
