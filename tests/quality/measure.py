"""Figures of the whole job on the samples, whose alpha is known exactly.

Run: python -m tests.quality.measure [wave two ...] [--steady X] [--matting HOW]
"""

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np
from animecut_training.evaluation import metrics
from numpy.typing import NDArray
from PIL import Image

from animecut._util.progress import Progress
from animecut.pipeline import cut
from animecut.results import Target
from animecut.segmentation.segmenter import Segmenter
from animecut.settings import Settings
from animecut.video.reader import read_clips
from samples.make_samples import Truth, load_truth

SAMPLES = Path(__file__).parents[2] / "samples"
GROUNDS = {"white": (255, 255, 255), "black": (0, 0, 0), "magenta": (255, 0, 255)}


def stickers(name: str, segmenter: Segmenter, **settings: object) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """The sample's sticker over the whole picture: (N, H, W, 4) straight RGBA, and its fence posts in seconds."""
    clip = SAMPLES / f"{name}.mp4"
    width = next(read_clips(clip)).pixels.shape[2]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "out.png"
        words = Settings(formats=("apng",), size=width, crop=False, **settings)  # type: ignore[arg-type]
        cut(clip, [Target(path, "apng")], words, segmenter, Progress())
        pictures, times = [], [0.0]
        with Image.open(path) as image:
            for i in range(getattr(image, "n_frames", 1)):
                image.seek(i)
                pictures.append(np.asarray(image.convert("RGBA")))
                times.append(times[-1] + image.info["duration"] / 1000)
    return np.stack(pictures), np.array(times)


def per_frame(rgba: NDArray[np.uint8], times: NDArray[np.float64], truth: Truth) -> NDArray[np.uint8]:
    """The sticker's picture on screen in the middle of each of the source's frames: (T, H, W, 4)."""
    middles = (truth.times[:-1] + truth.times[1:]) / 2
    return rgba[np.clip(np.searchsorted(times, middles, side="right") - 1, 0, len(rgba) - 1)]


def fringe(
    rgba: NDArray[np.uint8], source: NDArray[np.uint8], t: NDArray[np.float32], ground: tuple[int, int, int]
) -> float:
    """Mean colour difference (0..255) in the soft edge between our cut-out and the true one, both on a ground.

    source: the picture without compression would be best; where the truth is soft its colour holds some background, so
    the true foreground is taken from the nearest place where the truth is opaque.
    """
    edge = (t > 0.05) & (t < 0.95)
    alpha = rgba[..., 3:].astype(np.float32) / 255
    ours = rgba[..., :3] * alpha + np.array(ground) * (1 - alpha)
    true = nearest_inside(source, t) * t[..., None] + np.array(ground) * (1 - t[..., None])
    return float(np.abs(ours - true)[edge].mean()) if edge.any() else 0.0


def nearest_inside(rgb: NDArray[np.uint8], t: NDArray[np.float32]) -> NDArray[np.float32]:
    """Each pixel's colour, or where the truth is not opaque that of the nearest opaque pixel."""
    import cv2

    inside = (t >= 0.999).astype(np.uint8)
    _, labels = cv2.distanceTransformWithLabels(1 - inside, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    colour_of = np.zeros((int(labels.max()) + 1, 3), np.float32)
    colour_of[labels[inside > 0]] = rgb[inside > 0]
    return np.asarray(colour_of[labels], np.float32)


def figures(name: str, segmenter: Segmenter, **settings: object) -> dict[str, float]:
    """The table's row of one sample."""
    truth = load_truth(name)
    rgba, times = stickers(name, segmenter, **settings)
    shown = per_frame(rgba, times, truth)
    p = shown[..., 3].astype(np.float32) / 255
    t = truth.alpha.astype(np.float32)
    source = np.concatenate([clip.pixels for clip in read_clips(SAMPLES / f"{name}.mp4")])
    held = np.flatnonzero(
        (np.diff(truth.drawing) == 0) & (np.abs(np.diff(truth.camera, axis=0)).reshape(len(t) - 1, -1).sum(1) == 0)
    )
    change = (np.diff(p, axis=0) - np.diff(t, axis=0)).reshape(len(t) - 1, -1)
    row = {
        "mad": float(np.mean([metrics.mad(a, b) for a, b in zip(p, t, strict=True)])),
        "gradient": float(np.mean([metrics.gradient_error(a, b) for a, b in zip(p, t, strict=True)])),
        "boundary_f": float(np.mean([metrics.boundary_f(a > 0.5, b > 0.5) for a, b in zip(p, t, strict=True)])),
        "dtssd": float(np.sqrt((change**2).mean(axis=1)).mean() * 100),
        "held_flicker": float(np.abs(p[held + 1] - p[held]).mean() * 1e3),
        "timing_ms": abs(float(times[-1] - truth.times[-1])) * 1e3,
        "pictures": float(len(rgba)),
        "drawings": float(len(np.unique(np.stack([truth.drawing, truth.shot]), axis=1).T)),
    }
    for ground, colour in GROUNDS.items():
        row[f"fringe_{ground}"] = float(
            np.mean([fringe(shown[i], source[i], t[i], colour) for i in range(0, len(t), 6)])
        )
    return row


def main() -> None:
    """Print a JSON line per sample."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("names", nargs="*", default=["wave", "two"])
    words.add_argument("--steady", type=float, default=Settings.steady)
    words.add_argument("--matting", default=Settings.matting)
    chosen = words.parse_args()
    segmenter = Segmenter(device="cpu")
    for name in chosen.names:
        row = figures(name, segmenter, steady=chosen.steady, matting=chosen.matting)
        print(json.dumps({"sample": name} | {key: round(value, 3) for key, value in row.items()}))  # noqa: T201


if __name__ == "__main__":
    main()
