"""Figures of weights on composites of characters and scenes that no weights of ours were trained on.

Run: python -m tests.quality.composites SPRITES SCENES [--weights FILE] [--seed N]
"""

import argparse
import json
from pathlib import Path

import cv2
import numpy as np
from animecut_training.data.dataset import alpha_of
from animecut_training.evaluation import metrics
from animecut_training.synthesis.assets import load_assets, read_split
from animecut_training.synthesis.augment import degrade
from animecut_training.synthesis.composite import Assets, composite
from numpy.typing import NDArray

from animecut.matte import matting
from animecut.segmentation.segmenter import Segmenter
from animecut.segmentation.weights import DEFAULT_WEIGHTS

SPLIT = Path(__file__).parents[2] / "training" / "animecut_training" / "shipped.json"
COUNT = 60
HEIGHT, WIDTH = 288, 512
STEPS, STEP = 4, 12  # pictures of a camera move, and pixels between them

Picture = NDArray[np.uint8]
Matte = NDArray[np.float32]


def main() -> None:
    """Print a JSON line for plain composites, one for those with props, and one for scenes without a character."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("sprites", type=Path)
    words.add_argument("scenes", type=Path)
    words.add_argument("--weights", type=Path, default=DEFAULT_WEIGHTS)
    words.add_argument("--seed", type=int, default=7)
    chosen = words.parse_args()
    stock = load_assets([chosen.sprites], chosen.scenes, read_split(SPLIT), held_out=True)
    segmenter = Segmenter(chosen.weights, "cpu")
    for clutter in (False, True):
        kind = {"composites": "with props" if clutter else "plain"}
        print(json.dumps(kind | of_composites(stock, segmenter, chosen.seed, clutter=clutter)), flush=True)  # noqa: T201
    print(json.dumps({"scenes": "without a character"} | of_scenes(stock, segmenter)))  # noqa: T201


def of_composites(stock: Assets, segmenter: Segmenter, seed: int, *, clutter: bool) -> dict[str, float]:
    """Means over compressed frames of the Segmenter's alpha, of the matted one, and of changes under a camera move."""
    rng = np.random.default_rng(seed)
    rows = []
    for _ in range(COUNT):
        rgb, alpha, _ = composite(stock, HEIGHT, WIDTH + STEPS * STEP, rng, clutter=clutter)
        seen = [
            (degrade(rgb[:, x : x + WIDTH], rng), alpha[:, x : x + WIDTH]) for x in range(0, STEPS * STEP, STEP)
        ]  # fmt: skip
        p = np.stack([alpha_of(segmenter, picture) for picture, _ in seen])
        t = np.stack([matte for _, matte in seen])
        matted = np.asarray(matting.refine(seen[0][0], p[0], grain=WIDTH / 448)[0][..., 3] / 255, np.float32)
        change = (np.diff(p, axis=0) - np.diff(t, axis=0)).reshape(STEPS - 1, -1)
        rows.append(
            {
                "mad": metrics.mad(p[0], t[0]),
                "gradient": metrics.gradient_error(p[0], t[0]),
                "dtssd": float(np.sqrt((change**2).mean(axis=1)).mean() * 100),
                "mad_matted": metrics.mad(matted, t[0]),
                "gradient_matted": metrics.gradient_error(matted, t[0]),
            }
        )
    means = {key: round(float(np.mean([row[key] for row in rows])), 2) for key in rows[0]}
    return means | {"mad_median": round(float(np.median([row["mad"] for row in rows])), 2)}


def of_scenes(stock: Assets, segmenter: Segmenter) -> dict[str, float]:
    """Per cent of scenes that are taken for a character: mean and largest."""
    kept = []
    for scene in stock.scenes:
        factor = 854 / max(scene.shape[:2])
        size = (round(scene.shape[1] * factor), round(scene.shape[0] * factor))
        picture = np.asarray(cv2.resize(scene, size, interpolation=cv2.INTER_AREA), np.uint8)
        kept.append(100 * float((alpha_of(segmenter, picture) > 0.5).mean()))
    return {"kept_percent": round(float(np.mean(kept)), 3), "most": round(max(kept), 3)}


if __name__ == "__main__":
    main()
