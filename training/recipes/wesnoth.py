"""More characters and scenes: the portraits and landscapes of a free game, Battle for Wesnoth 1.16 (GPL-2.0 or later).

Run: python -m recipes.wesnoth DATA DIR
DATA is the folder `data` of the game with its campaigns. What is written: DIR/sprites/wesnoth and DIR/scenes.
"""

import json
import re
import shutil
from pathlib import Path

import cv2
import numpy as np
from animecut_training.data.dataset import read_rgba
from animecut_training.options import two_folder_command
from animecut_training.synthesis.augment import Sprite
from PIL import Image

from animecut.errors import InputError

CHOICE = Path(__file__).parent / "wesnoth.json"
"""left_out: beginnings of PEOPLE/NAME or CAMPAIGN/NAME that are mounted, glow, are no figures, or are there twice.

scenes: paths below DATA of pictures in which nobody is.
"""
PEOPLES = ("dunefolk", "dwarves", "elves", "humans", "merfolk")
THERE = 0.2  # alpha left without the glow from which a pixel counts as figure or spark
GLOW = 0.5  # alpha: what is less is light around a figure, not the figure
SPARK = 0.01  # of a figure's area: what is smaller and apart flies around it


def take(data: Path, folder: Path) -> tuple[int, int]:
    """Write the game's figures and scenes below a folder; how many of each. Raises InputError where there are none."""
    choice = json.loads(CHOICE.read_text(encoding="utf-8"))
    portraits = [file for people in PEOPLES for file in sorted((data / "core/images/portraits" / people).glob("*.png"))]
    portraits += sorted((data / "campaigns").glob("*/images/**/portraits/**/*.png"))
    whences = [_from(file, data) for file in portraits]
    known = [
        (file, whence)
        for file, whence in zip(portraits, whences, strict=True)
        if not f"{whence}/{file.name}".startswith(tuple(choice["left_out"]))
    ]
    scenes = [data / name for name in choice["scenes"] if (data / name).is_file()]
    if not known or not scenes:
        raise InputError(f"{data}: not the game's data; name its folder with `core` and `campaigns` in it")
    sprites = folder / "sprites" / "wesnoth"
    sprites.mkdir(parents=True, exist_ok=True)
    (folder / "scenes").mkdir(exist_ok=True)
    for file, whence in known:
        Image.fromarray(_figure(read_rgba(file))).save(sprites / f"{_named(file.stem, whence)}.png")
    for file in scenes:
        shutil.copy(file, folder / "scenes" / f"wesnoth_{file.name}")
    return len(known), len(scenes)


def _from(file: Path, data: Path) -> str:
    """Of which people of the core, or from which campaign."""
    parts = file.relative_to(data).parts
    return parts[1] if parts[0] == "campaigns" else parts[3]


def _named(stem: str, whence: str) -> str:
    """A name that begins with the figure's own up to an underscore; faces of a campaign's figure differ after it."""
    who = stem if whence in PEOPLES else re.split(r"[-_+]", stem)[0]
    return "_".join(re.sub(r"[-_+]", "", part).lower() for part in (whence + who, stem[len(who) :] or "0"))


def _figure(sprite: Sprite) -> Sprite:
    """The figure without the light around it and without sparks."""
    alpha = np.clip((sprite[..., 3] / 255 - GLOW) / (1 - GLOW), 0, 1)
    there = (alpha > THERE).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(there)
    large = np.asarray(stats)[:, cv2.CC_STAT_AREA] >= SPARK * there.sum()
    large[0] = False
    alpha *= cv2.dilate(large[labels].astype(np.uint8), np.ones((3, 3), np.uint8))
    return np.dstack([sprite[..., :3], np.rint(alpha * 255).astype(np.uint8)])


if __name__ == "__main__":
    two_folder_command(__doc__, lambda data, folder: "{} figures and {} scenes written".format(*take(data, folder)))
