"""Pictures that are masks: VOC palette, class index, black and dark red, black and white, or RGBA cut-outs."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from animecut.errors import InputError
from animecut_training.data.classes import CHARACTER, VOID, Classes, Mask

OPAQUE = 50  # of 255: alpha above it is character, as AISegment's makers advise
MOST_CLASSES = 21  # indices below it may be classes; Pascal VOC has so many
WHITE = 200  # of 255: a mask that reaches it is black and white, not class indices


def read_mask(path: Path, classes: Classes) -> Mask:
    """A mask from any of these pictures.

    Raises InputError: not a picture, or it holds something that is no class.
    """
    try:
        with Image.open(path) as picture:
            picture.load()
            if picture.mode == "P" and not _is_drawn(picture):
                return classes.of_indices(np.asarray(picture))
            return _read(picture, classes)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    except (OSError, ValueError, SyntaxError) as error:
        raise InputError(f"{path}: not a picture that can be read ({error})") from error


def voc_palette() -> list[int]:
    """Pascal VOC's colours, R, G, B after R, G, B, by class index: its devkit's VOClabelcolormap (2012)."""
    return [
        int(sum(((index >> (3 * bit + channel)) & 1) << (7 - bit) for bit in range(8)))
        for index in range(256)
        for channel in range(3)
    ]


def _read(picture: Image.Image, classes: Classes) -> Mask:
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        rgba = np.asarray(picture.convert("RGBA"))
        if rgba[..., 3].min() < VOID:
            return (rgba[..., 3] > OPAQUE).astype(np.uint8)
    if picture.mode.startswith("I"):  # 16 bits
        deep = np.asarray(picture)
        return _of_grey((deep if deep.max() <= VOID else deep // 257).astype(np.uint8), classes)
    rgb = np.asarray(picture.convert("RGB"))
    if (rgb == rgb[..., :1]).all():
        return _of_grey(rgb[..., 0], classes)
    return classes.of_indices(_of_colours(rgb))


def _of_grey(grey: NDArray[np.uint8], classes: Classes) -> Mask:
    values = np.unique(grey)
    # 255 beside 1 is "unknown" in an index picture, 255 alone is white.
    indices = (values < MOST_CLASSES) | (values == VOID)
    if values.max() >= WHITE and not (indices.all() and len(values[(values > 0) & (values < VOID)])):
        return np.asarray(np.where(grey >= 128, CHARACTER, 0), np.uint8)
    return classes.of_indices(grey)


def _of_colours(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Class index by VOC's colours."""
    known = _classes_by_colour()
    packed = rgb.astype(np.uint32) @ np.array([65536, 256, 1], np.uint32)
    colours, where = np.unique(packed, return_inverse=True)
    indices = []
    for colour in colours.tolist():
        index = known.get((colour >> 16, colour >> 8 & 255, colour & 255))
        if index is None:
            raise InputError(f"colour #{colour:06x} is no class; a mask is black and (128, 0, 0), or black and white")
        indices.append(index)
    return np.array(indices, np.uint8)[where.reshape(packed.shape)]


def _classes_by_colour() -> dict[tuple[int, ...], int]:
    """Indices by VOC's colours, and by white as VOC draws what is unknown."""
    palette = voc_palette()
    return {tuple(palette[3 * i : 3 * i + 3]): i for i in range(MOST_CLASSES)} | {(224, 224, 192): VOID}


def _is_drawn(picture: Image.Image) -> bool:
    """Whether a palette picture means its colours, black and white or VOC's, whatever their indices are."""
    shown = {colour for _, colour in picture.convert("RGB").getcolors(256) or []}
    black = (0, 0, 0)
    return shown != {black} and (shown <= {black, (255, 255, 255)} or shown <= _classes_by_colour().keys())
