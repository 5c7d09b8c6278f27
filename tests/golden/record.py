"""What the commands write for our own samples, as figures: so that a change that should change nothing is seen to.

Run: python -m tests.golden.record FILE     digests of every file too, to compare on this machine: FILE must be new
     python -m tests.golden.record          tests/golden/golden.json, which the slow test compares with
"""

import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageSequence

ROOT = Path(__file__).parent.parent.parent
KEPT = Path(__file__).parent / "golden.json"
COMMANDS = ("animecut", "animecut-check", "animecut-doctor", "animecut-train")
TRAIN = ("labels", "check", "fit", "evaluate", "blend", "compare", "suggest", "export")
CLIPS = {"wave": ("0.5", "1.0"), "two": ("0.5", "1.0")}
FORMATS, PLATFORMS = "webp,gif,apng,webm,mov,png", "telegram,whatsapp,discord"
GRID = 8  # places along each side whose mean colour is written down


def record(*, exact: bool) -> dict[str, Any]:
    """Everything, by name. exact: with digests of whole files, which hold on one machine only."""
    found: dict[str, Any] = {"help": {name: _help([name]) for name in COMMANDS}}
    found["help"] |= {f"animecut-train {name}": _help(["animecut-train", name]) for name in TRAIN}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for name, (start, end) in CLIPS.items():
            line = _run(["animecut", str(ROOT / "samples" / f"{name}.mp4"), "--start", start, "--end", end, "--format",
                         FORMATS, "--for", PLATFORMS, "--size", "256", "--json", "--device", "cpu", "--quiet",
                         "-o", str(folder / name)])  # fmt: skip
            said = json.loads(line)
            found[name] = {
                "keys": sorted(said),
                "numbers": {key: said[key] for key in ("frames_in", "drawings", "shots", "error")},
                "outputs": [_output(out, folder, exact=exact) for out in said["outputs"]],
            }
        _run(["animecut-train", "fit", str(ROOT / "samples" / "labelled"), "--out", str(folder / "run"), "--steps", "2",
              "--batch-size", "2", "--device", "cpu"])  # fmt: skip
        lines = [json.loads(line) for line in (folder / "run" / "journal.jsonl").read_text().splitlines()]
        found["fit"] = [{"step": line["step"], "total": line["total"]} for line in lines if "total" in line]
    return found


def _output(said: dict[str, Any], folder: Path, *, exact: bool) -> dict[str, Any]:
    path = Path(said["path"])
    files = sorted(path.glob("*.png")) if path.is_dir() else [path]
    kept = {key: value for key, value in said.items() if key != "path"}
    kept["name"] = path.relative_to(folder).as_posix()
    kept["places"] = _places(files)
    if exact:
        kept["sha256"] = [hashlib.sha256(_content(file)).hexdigest() for file in files]
    return kept


def _content(file: Path) -> bytes:
    """A file's bytes; of WebM, whose writer draws a random number for each track, only how many they are."""
    return str(file.stat().st_size).encode() if file.suffix == ".webm" else file.read_bytes()


def _places(files: list[Path]) -> list[list[float]]:
    """Mean of (R, G, B, A), 0..255, of the places of a coarse grid, of the first and the last picture."""
    places = []
    for picture in (_pictures(files[0])[0], _pictures(files[-1])[-1]):
        rows = np.array_split(picture.astype(np.float64), GRID, axis=0)
        grid = [cell.mean(axis=(0, 1)) for row in rows for cell in np.array_split(row, GRID, axis=1)]
        places.append([round(float(value), 2) for value in np.concatenate(grid)])
    return places


def _pictures(file: Path) -> list[NDArray[np.uint8]]:
    """All pictures of a file, (H, W, 4), as Pillow or PyAV reads them."""
    if file.suffix in (".webm", ".mov"):
        with av.open(str(file)) as container:
            return [np.asarray(frame.to_ndarray(format="rgba"), np.uint8) for frame in container.decode(video=0)]
    with Image.open(file) as image:
        return [np.asarray(frame.convert("RGBA")) for frame in ImageSequence.Iterator(image)]


def _help(words: list[str]) -> list[str]:
    return _run([*words, "--help"]).splitlines()


def _run(words: list[str]) -> str:
    command = Path(sys.executable).parent / words[0]
    done = subprocess.run(
        [str(command), *words[1:]], capture_output=True, text=True, check=False, env=os.environ | {"COLUMNS": "120"}
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(words)}: {done.stderr}")
    return re.sub(r"\x1b\[[0-9;]*m", "", done.stdout)


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else KEPT
    target.write_text(json.dumps(record(exact=len(sys.argv) > 1), indent=1) + "\n")
