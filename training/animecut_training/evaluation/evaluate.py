"""How well weights cut labelled frames, through the same Segmenter that cuts stickers."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add

import numpy as np
from numpy.typing import NDArray

from animecut.types import Segment
from animecut_training.data.dataset import Labelled, alpha_of
from animecut_training.evaluation import metrics


@dataclass(frozen=True)
class Figures:
    """One picture's figures; definitions in metrics.py.

    iou: background and character.  boundary_f and mad: of its contour and its matte.
    """

    name: str
    counts: metrics.Counts
    iou: tuple[float, float]
    boundary_f: float
    mad: float


def evaluate(segmenter: Segment, frames: Iterable[Labelled]) -> list[Figures]:
    """Figures of every frame."""
    return [figures(frame.name, alpha_of(segmenter, frame.rgb), frame.alpha) for frame in frames]


def figures(name: str, p: NDArray[np.float32], t: NDArray[np.float32]) -> Figures:
    """Figures of one predicted matte against the truth, both (H, W) float32 in [0, 1]."""
    ours, truth = p > 0.5, t > 0.5
    return Figures(
        name,
        metrics.count(ours, truth),
        metrics.image_iou(ours, truth),
        metrics.boundary_f(ours, truth),
        metrics.mad(p, t),
    )


def summary(per_image: Sequence[Figures]) -> dict[str, object]:
    """What `animecut-train evaluate --json` prints."""
    total = reduce(add, (one.counts for one in per_image))
    background, character = np.mean([one.iou for one in per_image], axis=0)
    pooled = total.iou()
    return {
        "images": len(per_image),
        "mean_image_iou": _both(float(background), float(character)),
        "dataset_iou": _both(*pooled),
        "pixel_accuracy": total.pixel_accuracy(),
        "mean_pixel_accuracy": total.mean_pixel_accuracy(),
        "boundary_f": float(np.mean([one.boundary_f for one in per_image])),
        "per_image": [
            {
                "name": one.name,
                "background": one.iou[0],
                "character": one.iou[1],
                "boundary_f": one.boundary_f,
                "mad": one.mad,
            }
            for one in per_image
        ],
    }


def table(per_image: Sequence[Figures]) -> str:
    """Every picture's figures, the worst first, and below them those of all as JSON."""
    lines = [f"{'image':>16}  background  character  boundary F   MAD"]
    for one in sorted(per_image, key=lambda one: sum(one.iou)):
        lines.append(f"{one.name:>16}  {one.iou[0]:10.4f}  {one.iou[1]:9.4f}  {one.boundary_f:10.3f}  {one.mad:4.0f}")
    whole = summary(per_image)
    told = ("images", "mean_image_iou", "dataset_iou", "pixel_accuracy", "mean_pixel_accuracy", "boundary_f")
    return "\n".join([*lines, as_json({key: whole[key] for key in told})])


def as_json(figures: dict[str, object]) -> str:
    """One line; null where there is no figure, such as the IoU of a class that is nowhere."""
    return json.dumps(json.loads(json.dumps(figures), parse_constant=lambda _: None))


def fold_summary(per_fold: Sequence[Sequence[Figures]]) -> str:
    """The folds' mean image IoU, and how much they differ."""
    means = [float(np.mean([one.iou for one in figures])) for figures in per_fold]
    each = ", ".join(f"{mean:.4f}" for mean in means)
    return f"{len(means)} folds, mean image IoU {np.mean(means):.4f} ± {np.std(means):.4f} ({each})"


def _both(background: float, character: float) -> dict[str, float]:
    return {"background": background, "character": character, "mean": float(np.nanmean([background, character]))}
