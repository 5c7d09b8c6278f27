"""At which size the network should see a picture, by how much of it is character; by files that never saw it.

"closer" looks a second time, at the character and a little around it alone.

Run: python -m tests.quality.sizes FRAMES FOLD.safetensors ...
"""

import argparse
from itertools import pairwise
from pathlib import Path

import numpy as np
from animecut_training.data.dataset import Labelled, alpha_of, labelled_frames
from animecut_training.evaluation import evaluate
from numpy.typing import NDArray

from animecut._util import images
from animecut._util.images import VIEW_SIDE
from animecut.layout.compose import bounding_box
from animecut.segmentation.segmenter import Segmenter
from tests.quality.folds import unseen

SIDES = (256, 320, 384, VIEW_SIDE, 512, 576, 640)  # pixels, longest side
AREAS = (0.0, 0.15, 0.3, 0.5, 1.0)  # of the picture that is character
AROUND = 0.15  # of the character's longer side, looked at around it


def closer(segmenter: Segmenter, frame: Labelled, first: NDArray[np.float32]) -> NDArray[np.float32]:
    """The alpha of a second look at where the first one saw somebody."""
    box = bounding_box(first, 0.5, frame.alpha.shape)
    if box is None:
        return first
    near = box.grown(round(AROUND * max(box.width, box.height)), frame.alpha.shape)
    window = slice(near.top, near.bottom), slice(near.left, near.right)
    alpha = np.zeros_like(first)
    alpha[window] = alpha_of(segmenter, np.ascontiguousarray(frame.rgb[window]))
    return alpha


def ious(segmenter: Segmenter, frame: Labelled) -> list[float]:
    """Mean IoU at every size, and of a closer look."""
    found = {}
    for side in SIDES:
        images.VIEW_SIDE = side
        found[side] = alpha_of(segmenter, frame.rgb)
    images.VIEW_SIDE = VIEW_SIDE
    alphas = [*found.values(), closer(segmenter, frame, found[VIEW_SIDE])]
    return [sum(evaluate.figures(frame.name, alpha, frame.alpha).iou) / 2 for alpha in alphas]


def main() -> None:
    """Print a row for every range of areas, and one for all."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("frames", type=Path)
    words.add_argument("weights", type=Path, nargs="+")
    chosen = words.parse_args()
    frames = {frame.name: frame for frame in labelled_frames(chosen.frames)}
    areas, rows = [], []
    for file in chosen.weights:
        segmenter = Segmenter(file, "cpu")
        for name in sorted(unseen(segmenter.provenance, set(frames))):
            areas.append(float((frames[name].alpha > 0.5).mean()))
            rows.append(ious(segmenter, frames[name]))
    print("area        frames", *(f"{side:6}" for side in SIDES), "closer")  # noqa: T201
    for low, high in [*pairwise(AREAS), (0.0, 1.0)]:
        here = [row for area, row in zip(areas, rows, strict=True) if low <= area <= high]
        if here:
            means = np.mean(here, axis=0).tolist()
            print(f"{low:.2f}-{high:.2f} {len(here):9}", *(f"{mean:6.3f}" for mean in means))  # noqa: T201


if __name__ == "__main__":
    main()
