"""Labelled frames, and how they are split."""

import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from animecut.errors import InputError

LAYOUTS = (("train_images", "train_anno"), ("images", "masks"))


@dataclass(frozen=True, eq=False)
class Labelled:
    """A picture and where its characters are.

    name:  file name without its suffix.
    rgb:   (H, W, 3) uint8 sRGB.
    alpha: (H, W) float32 in [0, 1], 1 = character.
    """

    name: str
    rgb: NDArray[np.uint8]
    alpha: NDArray[np.float32]


def read_rgba(path: Path) -> NDArray[np.uint8]:
    """Picture file as (H, W, 4) uint8 straight RGBA. Raises InputError where it cannot be read."""
    bgr = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if bgr is None:
        raise InputError(f"{path}: not a picture that can be read")
    if bgr.ndim == 2:
        return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_GRAY2RGBA), np.uint8)
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGRA2RGBA if bgr.shape[2] == 4 else cv2.COLOR_BGR2RGBA), np.uint8)


def labelled_frames(folder: Path) -> list[Labelled]:
    """All pictures of a folder with their masks, in the order of their names; any label above 0 is character.

    Raises InputError where a picture has no mask, or sizes differ.
    """
    for images, masks in LAYOUTS:
        if (folder / images).is_dir() and (folder / masks).is_dir():
            files = sorted((folder / images).iterdir(), key=lambda file: (len(file.stem), file.stem))
            return [_labelled(file, folder / masks / f"{file.stem}.png") for file in files]
    wanted = " or ".join("/ and ".join(layout) + "/" for layout in LAYOUTS)
    raise InputError(f"{folder}: no labelled frames; expected the folders {wanted} in it")


def _labelled(image: Path, mask: Path) -> Labelled:
    if not mask.is_file():
        raise InputError(f"{image}: has no mask {mask}")
    rgb, label = read_rgba(image)[..., :3], read_rgba(mask)[..., :3].max(axis=2)
    if rgb.shape[:2] != label.shape:
        raise InputError(f"{mask}: {label.shape[1]}x{label.shape[0]}, but its picture is {rgb.shape[1]}x{rgb.shape[0]}")
    return Labelled(image.stem, rgb, (label > 0).astype(np.float32))


def read_folds(path: Path) -> list[list[str]]:
    """Names of the pictures in each fold; pictures of the same character share one, so that nothing leaks."""
    folds: list[list[str]] = json.loads(path.read_text())["folds"]
    return folds
