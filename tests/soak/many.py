"""Many small clips: what does a run take beyond its clips' own work, and does its memory stay where it is?

    python -m tests.soak.many --clips 1000

Cuts the same small clip under many names with one worker. A clip's own work is what `pipeline.cut` takes in there (the
report's `total`, less looking at source and sticker, which is measured again); all other time between the first sticker
and the last is overhead, told as a share of it. A network that sees colours stands in for ours, so that the own work is
little. Prints a JSON line of figures; exits with 1 where one of them is not as it must be.
"""

import argparse
import contextlib
import json
import shutil
import sys
import tempfile
import time
from pathlib import Path

import psutil

from animecut.batch.run_log import output_digest, source_fingerprint
from tests import world
from tests.soak.run import begin

DRAWINGS = 6  # of a clip, each held for two frames: half a second
MOST_OVERHEAD = 0.05
MOST_GROWTH = 0.05  # of the memory that was held after a tenth of the clips
LOOK = 0.5  # seconds between two looks at it


def main() -> None:
    """Make the clips, run, measure."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--clips", type=int, default=1000)
    count = parser.parse_args().clips
    with tempfile.TemporaryDirectory() as folder:
        clips, out = Path(folder, "clips"), Path(folder, "out")
        clips.mkdir()
        first = world.write_clip(clips / "0.mp4", [rgb for rgb, _ in world.walking(DRAWINGS)])
        for i in range(1, count):
            shutil.copy(first, clips / f"{i}.mp4")
        held, code = follow(clips, out)
        took, passed = times(out)
    early, late = held[count // 10], held[max(held)]
    figures = {
        "clips": count,
        "exit": code,
        "own_ms_per_clip": round(took / count * 1000, 1),
        "overhead": round(passed / took - 1, 4),
        "MB_of_command_and_worker": {"after a tenth": early, "at the end": late},
    }
    print(json.dumps(figures))
    flat = all(now <= (1 + MOST_GROWTH) * then for now, then in zip(late, early, strict=True))
    sys.exit(code or not (flat and passed / took - 1 <= MOST_OVERHEAD))


def follow(clips: Path, out: Path) -> tuple[dict[int, tuple[int, int]], int]:
    """Run. What the command and its worker held, in MB, when so many clips were done; the exit code."""
    process = begin(clips, out, jobs=1)
    command, report = psutil.Process(process.pid), out / "report.jsonl"
    held: dict[int, tuple[int, int]] = {}
    while process.poll() is None:
        done = report.read_bytes().count(b"\n") if report.exists() else 0
        with contextlib.suppress(psutil.Error, StopIteration):  # the worker is not there yet, or not any more
            worker = next(child for child in command.children() if "spawn_main" in " ".join(child.cmdline()))
            mine, its = (each.memory_info().rss // 10**6 for each in (command, worker))
            held |= dict.fromkeys(range(max(held, default=-1) + 1, done + 1), (mine, its))
        time.sleep(LOOK)
    return held, process.wait()


def times(out: Path) -> tuple[float, float]:
    """Seconds of the clips' own work, and seconds that passed, from the first sticker to the last."""
    lines = [json.loads(line) for line in (out / "report.jsonl").read_text().splitlines()][1:]
    stickers = sorted(path.stat().st_mtime for path in out.glob("*.webp"))
    started = time.perf_counter()
    for line in lines:
        source_fingerprint(Path(line["input"]))
        output_digest(out / line["outputs"][0]["path"])
    looking = time.perf_counter() - started
    return sum(line["seconds"]["total"] for line in lines) - looking, stickers[-1] - stickers[0]


if __name__ == "__main__":
    main()
