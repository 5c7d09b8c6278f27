"""The picture of failures in the card: the worst drawings of each sample, source, cut-out and error.

Run: python -m tests.quality.gallery docs/failures.png
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
from animecut_training.evaluation import metrics
from numpy.typing import NDArray

from animecut.layout.compose import composite_over
from animecut.segmentation.segmenter import Segmenter
from animecut.video.reader import read_clips
from samples.make_samples import load_truth
from tests.quality.measure import SAMPLES, per_frame, stickers

WORST = 3  # pictures of each sample
APART = 24  # frames between them at least
WIDTH = 240  # pixels of each
GROUND = (255, 0, 255)


def worst(errors: list[float]) -> list[int]:
    """Numbers of the frames with the largest errors, APART from one another, the worst first."""
    chosen: list[int] = []
    for i in np.argsort(errors)[::-1].tolist():
        if len(chosen) < WORST and all(abs(i - other) >= APART for other in chosen):
            chosen.append(i)
    return chosen


def row(rgb: NDArray[np.uint8], rgba: NDArray[np.uint8], truth: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Source, cut-out on magenta, and where alpha is too high (red) or too low (blue), side by side."""
    wrong = rgba[..., 3] / np.float32(255) - truth
    error = np.full_like(rgb, 255)
    error[..., 1] = 255 - 255 * np.abs(wrong)
    error[..., 0] = 255 - 255 * np.clip(-wrong, 0, 1)
    error[..., 2] = 255 - 255 * np.clip(wrong, 0, 1)
    size = WIDTH, round(WIDTH * rgb.shape[0] / rgb.shape[1])
    parts = [
        cv2.resize(part, size, interpolation=cv2.INTER_AREA) for part in (rgb, composite_over(rgba, GROUND), error)
    ]
    return np.asarray(np.hstack(parts), np.uint8)


def main() -> None:
    """Write the picture."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("picture", type=Path)
    chosen = words.parse_args()
    segmenter, rows = Segmenter(device="cpu"), []
    for name in ("wave", "two"):
        truth = load_truth(name)
        shown = per_frame(*stickers(name, segmenter), truth)
        source = np.concatenate([clip.pixels for clip in read_clips(SAMPLES / f"{name}.mp4")])
        alpha = truth.alpha.astype(np.float32)
        errors = [metrics.mad(p[..., 3] / np.float32(255), t) for p, t in zip(shown, alpha, strict=True)]
        rows += [row(source[i], shown[i], alpha[i]) for i in worst(errors)]
    cv2.imwrite(str(chosen.picture), np.vstack(rows)[..., ::-1])


if __name__ == "__main__":
    main()
