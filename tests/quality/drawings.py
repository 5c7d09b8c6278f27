"""Figures of holds and cuts on clips drawn by chance: anybody, doing anything, on ones to long holds, under a camera.

Run: python -m tests.quality.drawings [--clips 12] [--seed 0]
"""

import argparse
import json
import tempfile
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from animecut_training.synthesis.distractors import draw_distractors
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from animecut.video.drawings import merge_held_frames
from animecut.video.reader import read_clips
from samples.brush import Cel
from samples.character import paint, random_character
from samples.classroom import classroom
from samples.design import Pose
from samples.make_samples import encode
from samples.riverside import riverside, riverside_at_dusk

HEIGHT, WIDTH = 360, 640
PAN = 90  # pixels by which scenes are wider
RATE = Fraction(24000, 1001)
Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class Reel:
    """A clip and what it is. `change[i]`: picture i shows another drawing than the one before. `cuts`: first and last
    picture at which a new shot may be said to begin; the same for a hard cut, a stretch for a dissolve."""

    pixels: Picture
    change: NDArray[np.bool_]
    cuts: list[tuple[int, int]]


def shot(rng: np.random.Generator, frames: int) -> tuple[Picture, NDArray[np.bool_]]:
    """Somebody acts for so many frames: (frames, HEIGHT, WIDTH, 3), and where the picture changes."""
    scene = place(rng)
    if rng.random() < 0.7:
        draw_distractors(scene, rng.uniform(0, 255, (6, 3)), rng, 6)
    design, pose = random_character(rng)
    pose = replace(pose, blink=0.0, mouth=0.0)
    scale, at = (
        float(rng.uniform(0.5, 1.6)),
        (float(rng.uniform(0.3, 0.7)) * WIDTH, float(rng.uniform(0.3, 0.5)) * HEIGHT),
    )
    usual = int(rng.choice([1, 2, 2, 2, 3, 3, 4]))
    pan = np.zeros(frames)
    if rng.random() < 0.3:
        pan = np.linspace(0, float(rng.uniform(10, PAN)), frames)  # slow to fast, steadily
    out: list[Picture] = []
    change: list[bool] = []
    while len(out) < frames:
        hold = usual if rng.random() < 0.85 else int(rng.integers(4, 14))
        pose = acted(pose, rng)
        cel = Cel(HEIGHT, WIDTH + PAN, scale, at)
        paint(cel, design, pose)
        sheet = cel.flatten()
        part = sheet[..., 3:] / 255
        whole = (scene * (1 - part) + sheet[..., :3] * part + 0.5).astype(np.uint8)
        for _ in range(min(hold, frames - len(out))):
            x = int(pan[len(out)])
            change.append(not out or _ == 0 or x != int(pan[len(out) - 1]))
            out.append(whole[:, x : x + WIDTH])
    return np.stack(out), np.array(change)


def place(rng: np.random.Generator) -> Picture:
    """A part of one of the painted scenes, maybe mirrored: (HEIGHT, WIDTH + PAN, 3)."""
    whole = (classroom, riverside, riverside_at_dusk)[int(rng.integers(3))](HEIGHT, WIDTH + PAN)
    part = float(rng.uniform(0.4, 0.9))
    h, w = round(HEIGHT * part), round((WIDTH + PAN) * part)
    y, x = int(rng.integers(HEIGHT - h + 1)), int(rng.integers(WIDTH + PAN - w + 1))
    seen = np.asarray(cv2.resize(whole[y : y + h, x : x + w], (WIDTH + PAN, HEIGHT), interpolation=cv2.INTER_CUBIC))
    return np.ascontiguousarray(seen[:, ::-1] if rng.random() < 0.5 else seen, np.uint8)


def acted(pose: Pose, rng: np.random.Generator) -> Pose:
    """The next drawing: a blink or a mouth alone, hair in the wind, or all of the body."""
    what = rng.random()
    if what < 0.2:
        return replace(pose, blink=float(rng.choice([b for b in (0.0, 0.5, 1.0) if b != pose.blink])))
    if what < 0.45:
        return replace(pose, mouth=float(rng.choice([m for m in (0.0, 0.35, 0.9) if m != pose.mouth])))
    if what < 0.7:
        return replace(pose, wind=pose.wind + 0.7, sway=max(pose.sway, 5.0))
    arm = pose.left[0] + float(rng.choice([-1, 1]) * rng.uniform(4, 20))
    return replace(
        pose, yaw=float(np.clip(pose.yaw + rng.choice([-1, 1]) * rng.uniform(2, 8), -24, 24)), wind=pose.wind + 0.5,
        roll=pose.roll + float(rng.normal(0, 2)), left=(arm, *pose.left[1:]),
    )  # fmt: skip


def reel(rng: np.random.Generator) -> Reel:
    """A few shots, some dissolved into each other, with flashes, a caption that changes and a clock that runs."""
    pixels, change = shot(rng, int(rng.integers(20, 60)))
    cuts: list[tuple[int, int]] = []
    for _ in range(int(rng.integers(1, 4))):
        further, moves = shot(rng, int(rng.integers(20, 60)))
        at = len(pixels)
        if rng.random() < 0.25:
            blend = int(rng.integers(5, 13))
            share = (np.arange(1, blend + 1) / (blend + 1))[:, None, None, None]
            pixels[-blend:] = np.round(pixels[-blend:] * (1 - share) + further[:blend] * share).astype(np.uint8)
            change[-blend:] = True
            cuts.append((at - blend, at))
            further, moves = further[blend:], moves[blend:]
            moves[0] = True
        else:
            cuts.append((at, at))
        pixels, change = np.concatenate([pixels, further]), np.concatenate([change, moves])
    if rng.random() < 0.5:
        at = int(rng.integers(5, len(pixels) - 5))
        long = int(rng.integers(1, 4))
        white = float(rng.uniform(0.6, 1.0))
        pixels[at : at + long] = np.round(pixels[at : at + long] * (1 - white) + 255 * white).astype(np.uint8)
        change[[at, at + long]] = True
    return Reel(captioned(pixels, rng), change, cuts)


def captioned(pixels: Picture, rng: np.random.Generator) -> Picture:
    """The same with a line below that changes when it likes, or a clock at the corner that runs."""
    what = rng.random()
    if what < 0.3:
        return pixels
    out = []
    line = "..."
    for i, picture in enumerate(pixels):
        page = Image.fromarray(picture)
        pen = ImageDraw.Draw(page)
        if what < 0.7:
            if i % 31 == 0:
                line = " ".join("".join(rng.choice(list("aeiounstrlmdk"), int(rng.integers(2, 8)))) for _ in range(6))
            pen.text((WIDTH / 2, HEIGHT - 26), line.capitalize(), (255, 255, 255), ImageFont.load_default(20), "mm",
                     stroke_width=2, stroke_fill=(20, 20, 30))  # fmt: skip
        else:
            pen.text((12, 8), f"07:{i // 12:02d}", (255, 255, 255), ImageFont.load_default(24), stroke_width=2,
                     stroke_fill=(0, 0, 0))  # fmt: skip
        out.append(np.asarray(page))
    return np.stack(out)


def counts(made: Reel, crf: str) -> dict[str, int]:
    """What `merge_held_frames` says of the encoded clip against what it is."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.mp4"
        encode(path, made.pixels, RATE, crf)
        starts: list[float] = []
        shots: list[int] = []
        for drawing in merge_held_frames(read_clips(path)):
            starts.append(drawing.start)
            shots.append(drawing.shot)
    first = np.round(np.array(starts) * float(RATE)).astype(int)
    said = np.zeros(len(made.pixels), bool)
    said[first] = True
    cuts = first[1:][np.diff(shots) > 0].tolist()
    hit = 0
    for begin, end in made.cuts:
        near = [cut for cut in cuts if begin <= cut <= end]
        if near:
            hit += 1
            cuts = [cut for cut in cuts if cut not in near[:1]]
    return {
        "frames": len(said), "held": int((~made.change).sum()), "merged": int((~said).sum()),
        "rightly": int((~said & ~made.change).sum()), "cuts": len(made.cuts), "found": hit, "false": len(cuts),
    }  # fmt: skip


def main() -> None:
    """Print a JSON line per clip, and their sum as figures."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--clips", type=int, default=12)
    words.add_argument("--seed", type=int, default=0)
    chosen = words.parse_args()
    rows = []
    for k in range(chosen.clips):
        rng = np.random.default_rng([chosen.seed, k])
        crf = str(rng.choice(["16", "20", "23", "26"]))
        rows.append(counts(reel(rng), crf))
        print(json.dumps({"clip": k, "crf": crf} | rows[-1]), flush=True)  # noqa: T201
    print(json.dumps(figures(rows)))  # noqa: T201


def figures(rows: list[dict[str, int]]) -> dict[str, float]:
    """Precision and recall of holds, and F of cuts, over all clips."""
    total = {key: sum(row[key] for row in rows) for key in rows[0]}
    return {
        "frames": total["frames"],
        "precision": round(total["rightly"] / max(1, total["merged"]), 4),
        "recall": round(total["rightly"] / max(1, total["held"]), 4),
        "cuts": total["cuts"],
        "cut_f": round(2 * total["found"] / max(1, total["found"] + total["false"] + total["cuts"]), 4),
    }


if __name__ == "__main__":
    main()
