"""Characters and scenes from folders, and which of them are kept for judging only."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from animecut._util.masks import bounding_window
from animecut.errors import InputError, SettingsError
from animecut_training.data.dataset import Labelled, read_rgba
from animecut_training.data.layouts import PICTURES
from animecut_training.synthesis.augment import Picture, Sprite
from animecut_training.synthesis.composite import Assets, cut_out, inpaint_background
from animecut_training.synthesis.sprites import shrink_sprite

OPAQUE, FAINT = 255, 8  # alpha of 255: a whole picture of the one, or nothing above the other, is no character
LONGEST = 900  # pixels; characters and scenes larger than that cost memory and show nothing more


@dataclass(frozen=True)
class Split:
    """What the shipped weights learn from, and what they never see.

    folds: names of labelled frames; frames of one show lie in one fold, so that nothing leaks.
    source_weights: how often a source's characters are drawn.
    left_out_sprites, held_out_sprites, held_out_scenes: beginnings of paths inside their folders.
    """

    folds: list[list[str]]
    source_weights: dict[str, float]
    left_out_sprites: list[str]
    held_out_sprites: list[str]
    held_out_scenes: list[str]


def read_split(path: Path) -> Split:
    """A split such as the committed one. Raises SettingsError where the file is none."""
    try:
        return Split(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, TypeError, ValueError) as error:
        raise SettingsError(
            f"cannot be read ({error}); training/animecut_training/shipped.json shows how",
            field="split_file",
            value=path,
        ) from error


def load_assets(sprites: Sequence[Path], scenes: Path, split: Split, *, held_out: bool) -> Assets:
    """Characters and scenes to train on, or those held out to judge by.

    sprites: folders of RGBA pictures in one folder per source.  scenes: folder of pictures without characters.
    Raises InputError where one of the two is missing, or a character is an opaque picture.
    """
    drawn, weights = [], []
    for file, name in _pictures(sprites):
        if _begins(name, split.left_out_sprites) or _begins(name, split.held_out_sprites) != held_out:
            continue
        sprite = read_rgba(file)
        if (sprite[..., 3] == OPAQUE).all():
            raise InputError(f"{file}: has no transparency, so all of it would count as character; take it out")
        if not (sprite[..., 3] > FAINT).any():
            continue
        drawn.append(_shrunk(_trimmed(sprite)))
        source = file.parent.name
        # Many files of one character differ only in the face: each counts less, all of them still more than one.
        faces = sum(other.stem.split("_")[0] == file.stem.split("_")[0] for other in file.parent.glob("*.png"))
        weights.append(split.source_weights.get(source, 1.0) / faces**0.5)
    places = [
        _shrunk(read_rgba(file)[..., :3])
        for file in sorted(scenes.glob("*"))
        if file.suffix.lower() in PICTURES and _begins(file.name, split.held_out_scenes) == held_out
    ]
    if not drawn or not places:
        raise InputError(
            f"{', '.join(map(str, [*sprites, scenes]))}: no characters (RGBA PNG) or no scenes in these folders"
        )
    return Assets(drawn, np.array(weights), places)


def add_labelled(stock: Assets, frames: Sequence[Labelled], share: float = 0.35) -> Assets:
    """The stock and the labelled frames' own characters and backgrounds; `share` of the characters are theirs."""
    frames = [frame for frame in frames if frame.alpha.any()]
    cut = [_shrunk(sprite) for sprite in map(cut_out, frames) if sprite.size]
    if not cut:
        return stock
    each = stock.weights.sum() * share / (1 - share) / len(cut)
    painted = [inpaint_background(frame) for frame in frames]
    weights = np.concatenate([stock.weights, np.full(len(cut), each)])
    return Assets([*stock.sprites, *cut], weights, [*stock.scenes, *painted])


def _pictures(folders: Sequence[Path]) -> list[tuple[Path, str]]:
    """Every picture of the folders, with its name inside its folder."""
    return [(file, file.relative_to(folder).as_posix()) for folder in folders for file in sorted(folder.rglob("*.png"))]


def _begins(name: str, beginnings: Sequence[str]) -> bool:
    return any(name.startswith(beginning) for beginning in beginnings)


def _trimmed(sprite: Sprite) -> Sprite:
    return sprite[bounding_window(sprite[..., 3] > FAINT)]


def _shrunk(picture: Picture) -> Picture:
    factor = LONGEST / max(picture.shape[:2])
    if factor >= 1:
        return np.ascontiguousarray(picture)
    size = (round(picture.shape[1] * factor), round(picture.shape[0] * factor))
    if picture.shape[2] == 3:
        return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
    return shrink_sprite(picture, size)
