"""Draws characters by chance for training on: `python -m samples.make_sprites DIR [COUNT]` writes RGBA PNGs."""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

from samples.character import draw_character, random_character

HEIGHT = 640
"""Pixels from crown to hem."""

FIRST_SEED = 1000
"""Nobody of the samples is drawn by chance, so none of these is one of them."""


def main(folder: Path, count: int) -> None:
    """Writes `drawn/000.png` and so on below the folder; the same ones each time."""
    (folder / "drawn").mkdir(parents=True, exist_ok=True)
    for k in range(count):
        sprite = draw_character(*random_character(np.random.default_rng(FIRST_SEED + k)), HEIGHT)
        Image.fromarray(sprite).save(folder / "drawn" / f"{k:03d}.png")


if __name__ == "__main__":
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("folder", type=Path, metavar="DIR")
    words.add_argument("count", type=int, nargs="?", default=160, metavar="COUNT")
    chosen = words.parse_args()
    main(chosen.folder, chosen.count)
