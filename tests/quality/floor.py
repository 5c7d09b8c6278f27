"""How near the truth matting could come on the samples if the network made no mistake at all.

Run: python -m tests.quality.floor [wave two ...]

Rows: the true alpha itself, so that only colours are estimated; closed-form matting told exactly which pixels are soft;
told so but for a pixel or two; what `refine` makes of the truth seen through the network's grid. Figures: mean error of
alpha and fringe (tests.quality.measure) in the soft edge.
"""

import argparse
import json

import cv2
import numpy as np
import pymatting
from numpy.typing import NDArray

from animecut._util.images import VIEW_SIDE
from animecut.matte.matting import EPSILON, refine
from animecut.video.reader import read_clips
from samples.make_samples import load_truth
from tests.quality.measure import GROUNDS, SAMPLES, fringe

EVERY = 12  # frames
Plane = NDArray[np.float32]


def cut_outs(rgb: NDArray[np.uint8], truth: Plane) -> dict[str, NDArray[np.uint8]]:
    """Straight RGBA of one frame by what is known beforehand."""
    height, width = truth.shape
    grid = VIEW_SIDE, round(VIEW_SIDE * height / width)
    seen = cv2.resize(cv2.resize(truth, grid, interpolation=cv2.INTER_AREA), (width, height))
    made = {
        "the true alpha": refine(rgb, truth, matting="none")[0],
        "refine, a perfect network": refine(rgb, np.asarray(seen, np.float32), grain=width / VIEW_SIDE)[0],
    }
    for pixels in (0, 1, 2):
        around = np.ones((2 * pixels + 1, 2 * pixels + 1), np.uint8)
        inside = cv2.erode((truth > 0.999).astype(np.uint8), around)
        outside = cv2.erode((truth < 0.001).astype(np.uint8), around)
        trimap = np.where(inside, 1.0, np.where(outside, 0.0, 0.5))
        alpha = pymatting.estimate_alpha_cf(rgb / 255, trimap, laplacian_kwargs={"epsilon": EPSILON})
        rgba, _ = refine(rgb, alpha.astype(np.float32), matting="none")
        made[f"closed-form, unknown {pixels} pixels too wide"] = rgba
    return made


def figures(name: str) -> dict[str, dict[str, float]]:
    """By row the means over a sample's frames."""
    truth = load_truth(name).alpha.astype(np.float32)
    frames = np.concatenate([clip.pixels for clip in read_clips(SAMPLES / f"{name}.mp4")])
    rows: dict[str, list[dict[str, float]]] = {}
    for rgb, t in zip(frames[::EVERY], truth[::EVERY], strict=True):
        edge = (t > 0.05) & (t < 0.95)
        for row, rgba in cut_outs(rgb, t).items():
            one = {f"fringe_{ground}": fringe(rgba, rgb, t, colour) for ground, colour in GROUNDS.items()}
            one["edge_error"] = float(np.abs(rgba[..., 3] / 255 - t)[edge].mean())
            rows.setdefault(row, []).append(one)
    return {row: {key: float(np.mean([one[key] for one in ones])) for key in ones[0]} for row, ones in rows.items()}


def main() -> None:
    """Print a JSON line per sample and row."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("names", nargs="*", default=["wave", "two"])
    for name in words.parse_args().names:
        for row, means in figures(name).items():
            print(json.dumps({"sample": name, "known": row} | {key: round(value, 3) for key, value in means.items()}))  # noqa: T201


if __name__ == "__main__":
    main()
