"""Whether this machine has what animecut needs, each thing tried and not only looked up."""

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import psutil

from animecut._util.concurrency import available_cores
from animecut.encode.writer import LIMITS, write_sticker
from animecut.errors import AnimecutError
from animecut.matte import matting
from animecut.segmentation import devices
from animecut.segmentation import metadata as weight_files
from animecut.segmentation.segmenter import Segmenter
from animecut.types import Clip
from animecut.video.ffmpeg import DECODERS, missing_decoders

NEEDED_MEMORY = 1.0e9  # bytes: 0.6 GB are held when small clips are cut on a CPU
NEEDED_DISK = 1e9  # bytes: drawings are set aside in the temporary folder between two passes
SECONDS = 2.0  # of the self-test
SIDE = 64  # pixels of the pictures that are written
PICTURE = (252, 448)  # height and width of the self-test's picture: what the network sees of a 16:9 clip


@dataclass(frozen=True)
class Finding:
    """What was looked at, and how it is, in one line. well: False where something needed is missing."""

    name: str
    words: str
    well: bool = True


def examine(weights: Path, device: str, batch_size: int) -> Iterator[Finding]:
    """Look at everything, one after the other. Raises nothing of ours: it is told."""
    yield Finding("cores", f"{available_cores()} of {os.cpu_count()} may be used")
    yield _room("memory", "free", psutil.virtual_memory().available, NEEDED_MEMORY, "close other programs, or --jobs 1")
    folder = tempfile.gettempdir()
    yield _room("disk", f"free in {folder}", shutil.disk_usage(folder).free, NEEDED_DISK, "make room, or set TMPDIR")
    yield _tried("decoders", _decoders)
    yield _tried("encoders", _encoders)
    yield _tried("matting", _matting)
    yield _tried("weights", partial(_digest, weights))
    try:
        segment = Segmenter(weights, device, batch_size)
    except AnimecutError as error:
        yield Finding("device", str(error), well=False)
        return
    passed_over = devices.missing_runtime(device)
    yield Finding("device", segment.device_name + (f"; {passed_over}" if passed_over else ""))
    yield _tried("self-test", partial(_rate, segment))


def _room(name: str, where: str, there: float, needed: float, remedy: str) -> Finding:
    words, enough = f"{there / 1e9:.1f} GB {where}", there >= needed
    return Finding(name, words if enough else f"{words}, and {needed / 1e9:g} are needed; {remedy}", enough)


def _tried(name: str, trial: Callable[[], str]) -> Finding:
    try:
        return Finding(name, trial())
    except Exception as error:  # noqa: BLE001 whatever it is, it is what was asked for
        return Finding(name, " ".join(str(error).split()) or type(error).__name__, well=False)


def _decoders() -> str:
    missing = missing_decoders()
    if missing:
        raise ImportError(f"PyAV here cannot read {', '.join(missing)}; install its wheel: pip install --force av")
    return f"{', '.join(DECODERS)} can be read"


def _encoders() -> str:
    """Every format written and, by `write_sticker`, read back."""
    y, x = np.mgrid[:SIDE, :SIDE]
    disc = np.where(np.hypot(y - SIDE / 2, x - SIDE / 2) < SIDE / 3, 255, 0).astype(np.uint8)
    pixels = np.stack([np.stack([np.full_like(disc, red), disc, disc, disc], axis=2) for red in (40, 220)])
    pixels[..., :3][disc[None].repeat(2, 0) == 0] = 0
    with tempfile.TemporaryDirectory() as folder:
        for kind in LIMITS:
            write_sticker(Path(folder, f"a.{kind}"), [Clip(pixels, np.array([0.0, 0.2, 0.4]))], kind)
    return f"{', '.join(LIMITS)} written and read back"


def _matting() -> str:
    if find_spec("pymatting") is None:
        return "guided; closed-form and knn need pip install 'animecut[matting]'"
    matting.warm_up("closed-form")
    return "guided; closed-form and knn load"


def _digest(weights: Path) -> str:
    return f"{weights.name}, SHA-256 {weight_files.digest(weights)}"


def _rate(segment: Segmenter) -> str:
    """Pictures through the network for two seconds, after a first batch that may be slower."""
    pixels = np.random.default_rng(0).integers(0, 256, (segment.batch_size, *PICTURE, 3), np.uint8)
    alpha = segment(pixels)
    if not (alpha.min() >= 0 and alpha.max() <= 1):  # nor where it is no number
        raise OSError(f"{segment.device_name} computes nonsense; use --device cpu")
    started, count = time.perf_counter(), 0
    while (seconds := time.perf_counter() - started) < SECONDS:
        segment(pixels)
        count += len(pixels)
    return f"{count / seconds:.1f} drawings per second through the network"
