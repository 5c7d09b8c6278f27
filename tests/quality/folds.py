"""Figures of weights on the labelled frames that each file says it never saw, and how far its probabilities are true.

"network" is what the Segmenter says (network, and places of one colour), "matted" what a sticker gets, "gif" the former
on the same frames as small GIFs.

Run: python -m tests.quality.folds FRAMES FOLD.safetensors ... [--plot docs/reliability.png]
"""

import argparse
import json
from itertools import chain
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from animecut_training.data.dataset import Labelled, alpha_of, labelled_frames
from animecut_training.evaluation import evaluate
from animecut_training.synthesis.augment import dither
from numpy.typing import NDArray

from animecut._util.images import VIEW_SIDE
from animecut.matte.matting import refine
from animecut.segmentation.segmenter import Segmenter

MATTED_SIDE = 854  # pixels, longest side at which frames are matted
GIF_SIDE = 256  # pixels, longest side of a GIF
GIF_COLOURS = 64
EVERY = 16  # pixels along rows and columns that are looked at for calibration
STEPS = 10  # of probability
PLOT = 360  # pixels
INK, PAPER, IDEAL = (40, 40, 40), (255, 255, 255), (190, 190, 190)


def unseen(made: dict[str, Any], everyone: set[str]) -> set[str]:
    """Names of the frames that weights were not trained on, nor any that they are blended of."""
    if "blend" in made:
        return set.intersection(*(unseen(part, everyone) for part in made["blend"]))
    if made["init"] == "anime":  # these have learned from all of them
        return set()
    return everyone if made["frames"] == 0 else everyone & set(made["left_out"])


def matted(frame: Labelled, alpha: NDArray[np.float32]) -> evaluate.Figures:
    """Figures of what a sticker gets of one frame, at MATTED_SIDE."""
    rgb, coarse, truth = (within(x, MATTED_SIDE) for x in (frame.rgb, alpha, frame.alpha))
    rgba, _ = refine(np.asarray(rgb, np.uint8), np.asarray(coarse, np.float32), grain=max(truth.shape) / VIEW_SIDE)
    return evaluate.figures(frame.name, np.asarray(rgba[..., 3] / 255, np.float32), np.asarray(truth, np.float32))


def as_gif(frame: Labelled, segmenter: Segmenter) -> evaluate.Figures:
    """Figures of the network on one frame as a GIF of GIF_SIDE and GIF_COLOURS shows it."""
    rgb, truth = (within(x, GIF_SIDE) for x in (frame.rgb, frame.alpha))
    alpha = alpha_of(segmenter, dither(np.asarray(rgb, np.uint8), GIF_COLOURS))
    return evaluate.figures(frame.name, alpha, np.asarray(truth, np.float32))


def within(plane: NDArray[Any], side: int) -> NDArray[Any]:
    """A picture or what lies over it, no longer than side."""
    height, width = plane.shape[:2]
    scale = min(1.0, side / max(height, width))
    return np.asarray(cv2.resize(plane, (round(width * scale), round(height * scale)), interpolation=cv2.INTER_AREA))


def reliability(p: NDArray[np.float32], t: NDArray[np.float32]) -> tuple[list[tuple[float, float, int]], float]:
    """For each step of probability its mean, the share of character there and the pixels; and the expected error.

    p: (N,) probabilities.  t: (N,) 1 = character. Expected calibration error: Naeini et al. 2015.
    """
    step = np.minimum((p * STEPS).astype(int), STEPS - 1)
    rows = [
        (float(p[step == k].mean()), float(t[step == k].mean()), int((step == k).sum()))
        for k in range(STEPS)
        if (step == k).any()
    ]
    return rows, sum(count * abs(said - true) for said, true, count in rows) / len(p)


def plotted(rows: list[tuple[float, float, int]]) -> NDArray[np.uint8]:
    """(PLOT, PLOT, 3) RGB: said probability to the right, share of character upward, the diagonal as it should be."""
    plot = np.full((PLOT, PLOT, 3), PAPER, np.uint8)
    edge, side = 40, PLOT - 60

    def place(x: float, y: float) -> tuple[int, int]:
        return round(edge + x * side), round(PLOT - edge - y * side)

    cv2.rectangle(plot, place(0, 0), place(1, 1), INK, 1)
    cv2.line(plot, place(0, 0), place(1, 1), IDEAL, 1, cv2.LINE_AA)
    points = [place(said, true) for said, true, _ in rows]
    cv2.polylines(plot, [np.array(points)], False, INK, 1, cv2.LINE_AA)
    most = max(count for *_, count in rows)
    for point, (*_, count) in zip(points, rows, strict=True):
        cv2.circle(plot, point, round(3 + 6 * (count / most) ** 0.5), INK, -1, cv2.LINE_AA)
    for words, at in (
        ("said", (PLOT // 2 - 15, PLOT - 12)),
        ("is", (8, PLOT // 2)),
        ("0", (22, PLOT - 36)),
        ("1", (22, 30)),
    ):
        cv2.putText(plot, words, at, cv2.FONT_HERSHEY_SIMPLEX, 0.45, INK, 1, cv2.LINE_AA)
    return plot


def main() -> None:
    """Print a JSON line per file, one for all, and write the plot."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("frames", type=Path)
    words.add_argument("weights", type=Path, nargs="+")
    words.add_argument("--plot", type=Path)
    chosen = words.parse_args()
    frames = {frame.name: frame for frame in labelled_frames(chosen.frames)}
    figures: dict[str, list[list[evaluate.Figures]]] = {"network": [], "matted": [], "gif": []}
    said, true = [], []
    for file in chosen.weights:
        segmenter = Segmenter(file, "cpu")
        held = [frames[name] for name in sorted(unseen(segmenter.provenance, set(frames)))]
        alphas = [alpha_of(segmenter, frame.rgb) for frame in held]
        figures["network"].append([evaluate.figures(f.name, p, f.alpha) for f, p in zip(held, alphas, strict=True)])
        figures["matted"].append([matted(f, p) for f, p in zip(held, alphas, strict=True)])
        figures["gif"].append([as_gif(f, segmenter) for f in held])
        said += [p[::EVERY, ::EVERY].ravel() for p in alphas]
        true += [f.alpha[::EVERY, ::EVERY].ravel() for f in held]
        _say({"weights": file.name}, {way: of_files[-1] for way, of_files in figures.items()})
    rows, error = reliability(np.concatenate(said), np.concatenate(true))
    calibration = [(round(step, 2), round(share, 2)) for step, share, _ in rows]
    words_of_all = {"weights": "all", "calibration_error": round(error, 4), "said_and_true": calibration}
    _say(words_of_all, {way: list(chain(*of_files)) for way, of_files in figures.items()})
    if chosen.plot:
        cv2.imwrite(str(chosen.plot), plotted(rows)[..., ::-1])


def _say(first: dict[str, object], ways: dict[str, list[evaluate.Figures]]) -> None:
    row: dict[str, object] = {}
    for name, figures in ways.items():
        background, character = np.mean([one.iou for one in figures], axis=0).tolist()
        row |= {
            f"{name}_iou": round((background + character) / 2, 4),
            f"{name}_background": round(background, 4),
            f"{name}_character": round(character, 4),
            f"{name}_worst": round(min(sum(one.iou) / 2 for one in figures), 4),
            f"{name}_boundary_f": round(float(np.mean([one.boundary_f for one in figures])), 4),
        }
    print(json.dumps(first | row | {"images": len(ways["network"])}), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
