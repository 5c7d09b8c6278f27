"""Where the time goes: every stage alone, the whole job, start-up by part, memory, and peers on the same pictures.

Run: python -m tests.benchmarks.run [CLIP] [--start T] [--end T] [--repeat 5] [--make SECONDS] [--peers]
     python -m tests.benchmarks.run --memory      peak memory for clips of one minute and of ten; takes half an hour

Without CLIP a 1080p clip drawn on twos is made, 3 seconds long, or as long as --make says. Figures are medians: seconds
of wall time (only worth something on an idle machine) and of CPU (user and system, all threads), and drawings a second.
Efficiency: drawings a second of the whole job by those of its slowest stage alone, or of all CPU work shared out over
the cores, whichever is less. 1 is the best there can be.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np

from animecut import pipeline
from animecut._util.concurrency import available_cores
from animecut._util.images import make_view
from animecut._util.progress import Progress
from animecut._util.spool import Spool
from animecut.encode.writer import write_sticker
from animecut.matte import matting
from animecut.matte.components import drop_small_components
from animecut.matte.temporal import smooth
from animecut.matte.tracking import select
from animecut.results import Target
from animecut.segmentation.segmenter import Segmenter
from animecut.segmentation.stage import segment
from animecut.settings import Settings
from animecut.types import Clip
from animecut.video import drawings
from animecut.video.reader import read_clips
from tests.benchmarks import peers
from tests.benchmarks.made import make

PEER_PICTURES = 4  # pictures that a slow peer is given
STARTS = {
    "python": "pass",
    "--help": "import sys; sys.argv = ['animecut', '--help']; from animecut.cli.main import main; main()",
    "to the first picture": "from pathlib import Path; from animecut.video.reader import read_clips\n"
    "next(read_clips(Path(sys.argv[1])))",
    "ONNX Runtime": "import onnxruntime",
    "network with weights": "from animecut.segmentation.segmenter import Segmenter; Segmenter(device='cpu')",
    "torch": "import torch",
    "pymatting": "import pymatting",
}
"""Each in a process of its own; the last two from the second time on a machine."""


@dataclass(frozen=True)
class Cost:
    """Medians of seconds."""

    wall: float
    cpu: float


def measured(works: dict[str, Callable[[], object]], repeat: int) -> dict[str, Cost]:
    """What each work takes, by turns, as a machine may be slow for a while; the first turn is not counted."""
    walls: dict[str, list[float]] = {name: [] for name in works}
    cpus: dict[str, list[float]] = {name: [] for name in works}
    for turn in range(repeat + 1):
        for name, work in works.items():
            wall, cpu = time.perf_counter(), time.process_time()
            work()
            if turn:
                walls[name].append(time.perf_counter() - wall)
                cpus[name].append(time.process_time() - cpu)
    return {name: Cost(median(walls[name]), median(cpus[name])) for name in works}


def start_up(clip: Path, repeat: int) -> dict[str, Cost]:
    """Each part of STARTS, whole processes."""
    costs = {}
    for name, code in STARTS.items():
        walls, cpus = [], []
        for _ in range(repeat + 1):
            wall, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run(
                [sys.executable, "-c", f"import sys; {code}", str(clip)], stdout=subprocess.DEVNULL, check=True
            )
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            walls.append(time.perf_counter() - wall)
            cpus.append(after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)
        costs[name] = Cost(median(walls[1:]), median(cpus[1:]))
    return costs


def works(
    clip: Path, settings: Settings, segmenter: Segmenter, folder: Path
) -> tuple[dict[str, Callable[[], object]], int]:
    """Each stage by itself, its input being there already, and the whole job; and how many drawings there are."""
    frames = list(read_clips(clip, settings.start, settings.end, chunk=1))
    drawn = list(drawings.merge_held_frames(frames))
    found = list(segment(drawn, segmenter))
    picked = list(drop_small_components(select(found, settings.pick), keep_effects=settings.keep_effects))
    with Spool() as spool:
        seen = pipeline._set_aside(smooth(picked, strength=settings.steady), spool, clip)
        records = list(zip(spool, pipeline._composed(seen, settings).placements, strict=True))
    placed = [pipeline._placed(*record) for record in records]

    def matted() -> list[np.ndarray]:
        return [
            matting.refine(rgb[..., :3], alpha, matting=settings.matting, grain=grain)[0]
            for rgb, alpha, grain in placed
        ]

    stickers = [Clip(rgba[None], seen.times[i : i + 2]) for i, rgba in enumerate(matted())]
    target = Target(folder / "whole.webp", "webp")
    return {
        "decode": lambda: sum(len(c) for c in read_clips(clip, settings.start, settings.end, chunk=1)),
        "drawings": lambda: list(drawings.merge_held_frames(frames)),
        "segment": lambda: list(segment(drawn, segmenter)),
        "pick": lambda: list(drop_small_components(select(found, settings.pick), keep_effects=settings.keep_effects)),
        "steady": lambda: list(smooth(picked, strength=settings.steady)),
        "compose": lambda: [pipeline._placed(*record) for record in records],
        "refine": matted,
        "encode": lambda: write_sticker(folder / "alone.webp", stickers, "webp"),
        "whole": lambda: pipeline.cut(clip, [target], settings, segmenter, Progress()),
    }, len(records)


def in_a_process(clip: Path, settings: Settings, folder: Path) -> tuple[dict[str, object], float]:
    """What --json says of the command, from its start; and its peak memory in MB."""
    words = [sys.executable, "-m", "animecut", str(clip), "-o", str(folder / f"{clip.stem}.webp"), "--json", "--quiet"]
    for name, value in (("--start", settings.start), ("--end", settings.end)):
        words += [] if value is None else [name, str(value)]
    code = "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True); "
    code += "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)"
    said = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=True).stdout
    report, peak = said.splitlines()
    return json.loads(report), float(peak)


def long_clips() -> None:
    """Peak memory of the command for one minute and for ten."""
    peaks = []
    with tempfile.TemporaryDirectory() as folder:
        for minutes in (1, 10):
            clip = make(Path(folder) / f"{minutes}.mp4", 60 * minutes)
            peaks.append(in_a_process(clip, Settings(), Path(folder))[1])
            print(f"{minutes:3} min: peak memory {peaks[-1]:.0f} MB")
    print(f"ten minutes by one: {peaks[1] / peaks[0]:.2f}")


def beside_peers(
    clip: Path, settings: Settings, segmenter: Segmenter, whole: Callable[[], object], repeat: int
) -> None:
    """Frames a second of others on the same pictures, and ours against them, by turns."""
    pictures = next(read_clips(clip, settings.start, settings.end, chunk=PEER_PICTURES)).pixels[..., :3]
    small = np.stack([make_view(picture) for picture in pictures])
    frames = sum(len(c) for c in read_clips(clip, settings.start, settings.end, chunk=1))
    rows = {
        "torchvision's mobilenet_v2, same size": (peers.mobilenet(small), "our network"),
        "ISNet at 1024 in ONNX Runtime, network alone": (peers.isnet(pictures), "our whole job"),
        "the author's way": (peers.author(pictures), "our whole job"),
    }
    turns = {name: work for name, (work, _) in rows.items() if work is not None}
    costs = measured(turns | {"our network": lambda: segmenter(pictures), "our whole job": whole}, repeat)
    ours = {
        "our network": len(pictures) / costs["our network"].wall,
        "our whole job": frames / costs["our whole job"].wall,
    }
    for name, (work, what) in rows.items():
        if work is None:
            print(f"{name:46} not installed")
            continue
        theirs = len(pictures) / costs[name].wall
        print(f"{name:46} {theirs:8.2f} frames/s; {what} {ours[what] / theirs:.1f} times as many")


def table(costs: dict[str, Cost], count: int | None = None) -> None:
    """One line each."""
    for name, cost in costs.items():
        rates = f" {count / cost.wall:10.1f} drawings/s" if count else ""
        print(f"{name:22} {cost.wall:8.3f} s wall {cost.cpu:8.3f} s CPU{rates}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clip", nargs="?", type=Path)
    parser.add_argument("--start", type=float)
    parser.add_argument("--end", type=float)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--make", type=float, default=3.0, metavar="SECONDS")
    parser.add_argument("--peers", action="store_true")
    parser.add_argument("--memory", action="store_true")
    words = parser.parse_args()
    if words.memory:
        long_clips()
        return
    settings = Settings(start=words.start, end=words.end)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clip = words.clip or make(folder / "made.mp4", words.make)
        print("start-up, each in a process of its own")
        table(start_up(clip, words.repeat))
        segmenter = Segmenter(threads=max(1, available_cores() // 2))  # as the command does
        turns, count = works(clip, settings, segmenter, folder)
        costs = measured(turns, words.repeat)
        print(f"\nstages alone, {count} drawings, {segmenter.device_name}, {available_cores()} cores")
        table(costs, count)
        total = costs.pop("whole")
        bound = max(
            max(cost.wall for cost in costs.values()), sum(cost.cpu for cost in costs.values()) / available_cores()
        )
        print(f"efficiency             {bound / total.wall:8.2f}")
        said, peak = in_a_process(clip, settings, folder)
        print(f"\nthe command: peak memory {peak:.0f} MB, seconds {said['seconds']}")
        if words.peers:
            print("\npeers")
            beside_peers(clip, settings, segmenter, turns["whole"], words.repeat)


if __name__ == "__main__":
    main()
