"""Labelled frames."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from animecut._util.images import read_bgr
from animecut.errors import InputError
from animecut.types import Segment, merge_characters
from animecut_training.data.classes import BACKGROUND, fill_void
from animecut_training.data.layouts import Entry, entries


@dataclass(frozen=True, eq=False)
class Labelled:
    """A picture and where its characters are.

    name:  file name without its suffix.
    rgb:   (H, W, 3) uint8 sRGB.
    alpha: (H, W) float32 in [0, 1], 1 = character.
    numbers: (H, W), 0 nobody, else which of the picture's characters; None where each connected region is one.
    """

    name: str
    rgb: NDArray[np.uint8]
    alpha: NDArray[np.float32]
    numbers: NDArray[np.uint8] | None = None


def read_rgba(path: Path) -> NDArray[np.uint8]:
    """Picture file as (H, W, 4) uint8 straight RGBA. Raises InputError where it cannot be read."""
    bgr = read_bgr(path, cv2.IMREAD_UNCHANGED)
    if bgr is None:
        raise InputError(f"{path}: not a picture that can be read")
    if bgr.dtype == np.uint16:
        bgr = (bgr // 257).astype(np.uint8)
    if bgr.dtype != np.uint8:
        raise InputError(f"{path}: has numbers of {bgr.dtype} for colours; save it with 8 or 16 bits")
    if bgr.ndim == 2:
        return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_GRAY2RGBA), np.uint8)
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGRA2RGBA if bgr.shape[2] == 4 else cv2.COLOR_BGR2RGBA), np.uint8)


def labelled_frames(folder: Path, *, held_out: bool = False) -> list[Labelled]:
    """All pictures of a folder with their masks, in the order of their names; layouts and formats: layouts.py.

    held_out: those that are only judged by, such as test_images/, instead; none where the folder has no such part.
    Raises InputError where a picture has no label, a label is none of the classes, or sizes differ.
    """
    return [read(entry) for entry in entries(folder) if entry.held_out == held_out]


def read(entry: Entry) -> Labelled:
    """Read one picture and its label. Raises InputError, with the file's name, where something is wrong with them."""
    if entry.read is None:
        raise InputError(f"{entry.file}: has no label; label it or take it out of the folder")
    rgb, mask = entry.read()
    if rgb.shape[:2] != mask.shape:
        raise InputError(
            f"{entry.file}: {mask.shape[1]}x{mask.shape[0]}, but its picture is {rgb.shape[1]}x{rgb.shape[0]}"
        )
    numbers = fill_void(mask)
    return Labelled(entry.name, rgb, (numbers != BACKGROUND).astype(np.float32), numbers)


def alpha_of(segmenter: Segment, rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The network's alpha at the picture's own size: (H, W) float32 in [0, 1]."""
    height, width = rgb.shape[:2]
    coarse = merge_characters(segmenter(rgb[None]))[0]
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
