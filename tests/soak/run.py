"""Many clips, some of them rotten, and the run killed again and again: is every sticker there, once, and the same?

    python -m tests.soak.run --clips 200 --broken 20 --kills 10
    python -m tests.soak.run --shipped --clips 12 --broken 0 --kills 3

Runs the command twice over the same folder: undisturbed, then killed (SIGKILL) and started again. A network that
sees colours stands in for ours, so that the time goes into what is looked at here; --shipped has ours see parts of the
samples. Prints a JSON line of figures; exits with 1 where one of them is not as it must be.
"""

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from animecut.video.reader import read_clips
from tests import rotten, world

ROOT = Path(__file__).parent.parent.parent
TOOL = """
from animecut.cli import main
from animecut.segmentation import segmenter
from tests.rotten import Rotten
segmenter.Segmenter = Rotten
main.main()
"""
SHIPPED = "from animecut.cli.main import main\nmain()"
LONGEST_PAUSE = 4.0  # seconds from a run's first work to its death


def main() -> None:
    """Make the clips, run, kill, compare."""
    parser = argparse.ArgumentParser()
    for name, default in (("--clips", 200), ("--broken", 20), ("--kills", 10), ("--jobs", 2), ("--seed", 1)):
        parser.add_argument(name, type=int, default=default)
    parser.add_argument("--shipped", action="store_true")
    words = parser.parse_args()
    tool = SHIPPED if words.shipped else TOOL
    chance = random.Random(words.seed)  # noqa: S311 (no secret)
    with tempfile.TemporaryDirectory() as folder:
        clips, plain, killed = (Path(folder, name) for name in ("clips", "plain", "killed"))
        make(clips, words.clips, words.broken, good=take if words.shipped else draw)
        started = time.monotonic()
        plain_code = begin(clips, plain, words.jobs, tool).wait()
        undisturbed = time.monotonic() - started
        deaths = sum(kill(begin(clips, killed, words.jobs, tool), killed, chance) for _ in range(words.kills))
        code = begin(clips, killed, words.jobs, tool).wait()
        figures = compare(plain, killed) | {"exit": [plain_code, code], "kills": deaths}
    good = words.clips - words.broken
    wanted = {"stickers": good, "same": good, "errors": words.broken, "leftovers": 0, "doubles": 0}
    wanted |= {"exit": [1 if words.broken else 0] * 2}
    figures["seconds"] = round(undisturbed, 1)
    figures["largest_worker_MB"] = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1000
    print(json.dumps({"clips": words.clips, "broken": words.broken, "seed": words.seed} | figures))
    sys.exit(any(figures[name] != value for name, value in wanted.items()))


def make(folder: Path, count: int, broken: int, good: Callable[[Path, int], object]) -> None:
    """`count` inputs in two folders, `broken` of them in ten ways."""
    (folder / "more").mkdir(parents=True)
    whole = world.write_clip(folder / "whole.mp4", [world.drawing(90)[0]]).read_bytes()
    (folder / "whole.mp4").unlink()
    for i in range(broken):
        name, write = list(WAYS.items())[i % len(WAYS)]
        write(folder / f"{i:03}_{name}", whole)
    for i in range(count - broken):
        good(folder / ("more" if i % 3 else "") / f"{i:03}_good.mp4", i)


def draw(path: Path, i: int) -> None:
    """A clip that the stand-in sees a figure in."""
    world.write_clip(path, [world.drawing(50 + (7 * i + 20 * j) % 150)[0] for j in range(2)])


def take(path: Path, i: int) -> None:
    """A part of a sample, in the size of all clips here."""
    source = ROOT / "samples" / ("two.mp4" if i % 2 else "wave.mp4")
    drawings = []
    for clip in read_clips(source, start=0.1 * i, end=0.1 * i + 0.3):
        drawings += [cv2.resize(picture, (world.WIDTH, world.HEIGHT)) for picture in clip.pixels]
    world.write_clip(path, drawings, hold=1)


def coloured(colour: tuple[int, int, int]) -> Callable[[Path, bytes], object]:
    """A clip at which tests.rotten's network does what the colour asks for."""
    return lambda path, _: world.write_clip(path, [rotten.picture(colour)])


def bomb(path: Path, _: bytes) -> None:
    """A small PNG of a very large picture."""
    Image.fromarray(np.zeros((9000, 9000), np.uint8)).convert("1").save(path)


WAYS: dict[str, Callable[[Path, bytes], object]] = {
    "empty.mp4": lambda path, _: path.write_bytes(b""),
    "text.mkv": lambda path, _: path.write_text("no clip\n" * 100),
    "torn.mp4": lambda path, whole: path.write_bytes(whole[: len(whole) // 2]),
    "headless.mp4": lambda path, whole: path.write_bytes(whole[100:]),
    "zeros.webm": lambda path, _: path.write_bytes(bytes(5000)),
    "torn.gif": lambda path, _: path.write_bytes(b"GIF89a\x40\x00"),
    "bomb.png": bomb,
    "nobody.mp4": lambda path, _: world.write_clip(path, [world.drawing(0, empty=True)[0]]),
    "too_large.mp4": coloured(rotten.OUT_OF_MEMORY),
    "crash.mp4": coloured(rotten.CRASH),
}


def begin(clips: Path, out: Path, jobs: int, tool: str = TOOL) -> subprocess.Popen[bytes]:
    """The command over a folder."""
    words = [str(clips), "-o", str(out), "--size", "64", "--jobs", str(jobs), "--quiet"]
    return subprocess.Popen([sys.executable, "-c", tool, *words], cwd=ROOT, stderr=subprocess.DEVNULL)


def kill(process: subprocess.Popen[bytes], out: Path, chance: random.Random) -> bool:
    """Kill a run a moment after it began to work; False where it was done before."""
    before = told(out)
    while process.poll() is None and told(out) == before:
        time.sleep(0.05)
    time.sleep(chance.uniform(0, LONGEST_PAUSE))
    if process.poll() is not None:
        return False
    process.kill()
    process.wait()
    return True


def told(out: Path) -> int:
    """Bytes of the report."""
    report = out / "report.jsonl"
    return report.stat().st_size if report.exists() else 0


def compare(plain: Path, killed: Path) -> dict[str, object]:
    """Figures of the killed run against the undisturbed one."""
    ours, theirs = ({path.relative_to(top) for path in top.rglob("*") if path.is_file()} for top in (killed, plain))
    stickers = {path for path in theirs if path.suffix == ".webp"}
    same = sum(path in ours and (killed / path).read_bytes() == (plain / path).read_bytes() for path in stickers)
    lines = [json.loads(line) for line in (killed / "report.jsonl").read_text().splitlines()]
    made = Counter(line["input"] for line in lines if line["error"] is None)
    return {
        "stickers": len({path for path in ours if path.suffix == ".webp"}),
        "same": same,
        "errors": len({line["input"] for line in lines if line["error"]} - set(made)),
        "leftovers": len(ours - stickers - {Path("report.jsonl")}),
        "doubles": sum(count > 1 for count in made.values()),
    }


if __name__ == "__main__":
    main()
