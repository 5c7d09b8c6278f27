"""Which network to take, and whether transfer helps: the same data and steps for each, as one table."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from animecut.errors import OutputError, SettingsError, WeightsError, reason_of
from animecut.segmentation import weights
from animecut.segmentation.segmenter import Segmenter
from animecut_training.evaluation import evaluate
from animecut_training.init.begin import SHAPES, initial_network
from animecut_training.recipe import Job
from animecut_training.run import MODEL, Reporter, judged_by, require_vacant, train

BEGINNINGS = ("voc untouched", "scratch", "transfer")


@dataclass(frozen=True)
class Cell:
    """One network's figures on what was left out. words: why there are none, or what it began with."""

    beginning: str
    arch: str
    words: str
    background: float | None = None
    character: float | None = None
    minutes: float = 0.0
    millions: float = 0.0


def compare(job: Job, told: Reporter, archs: Sequence[str], transfer: str) -> list[Cell]:
    """Train and judge every network from every beginning; a beginning that cannot be had leaves its cell empty.

    job: data, recipe and folder for all the runs.  transfer: what the last row begins with, as for `fit --init`.
    Raises what `run` does, but WeightsError, and SettingsError for a network that is none.
    """
    if unknown := [arch for arch in archs if arch not in SHAPES]:
        raise SettingsError("unknown; choose from " + ", ".join(SHAPES), field="arch", value=",".join(unknown))
    require_vacant(job, [_folder(job, beginning, arch) for beginning in BEGINNINGS for arch in archs])
    cells = []
    for beginning in BEGINNINGS:
        for arch in archs:
            told.line(f"{arch}, {beginning}")
            try:
                cells.append(_cell(job, told, beginning, arch, transfer))
            except WeightsError as error:
                cells.append(Cell(beginning, arch, str(error)))
    return cells


def _cell(job: Job, told: Reporter, beginning: str, arch: str, transfer: str) -> Cell:
    if beginning == "voc untouched" and arch != "pspnet":
        return Cell(beginning, arch, "nobody publishes it")
    init = {"voc untouched": "voc", "scratch": "scratch"}.get(beginning, transfer)
    if arch == "fcn" and beginning == "transfer":
        init = "imagenet"
    here = replace(job, out=_folder(job, beginning, arch), init=init, arch=arch)
    learned, judged = judged_by(here, told)
    if beginning == "voc untouched":
        net, words, _ = initial_network(init, job.backbone)
        here.out.mkdir(parents=True, exist_ok=True)
        weights.save(net, here.out / MODEL, {"init": init})
        figures = evaluate.evaluate(Segmenter(here.out / MODEL, job.device), judged)
    else:
        words = init
        figures = train(here, told, learned, judged)
    net, provenance = weights.load(here.out / MODEL)
    background, character = np.mean([one.iou for one in figures], axis=0).tolist()
    millions = sum(parameter.numel() for parameter in net.parameters()) / 1e6
    minutes = float(str(provenance.get("minutes", 0)))
    return Cell(beginning, arch, words, background, character, minutes, millions)


def _folder(job: Job, beginning: str, arch: str) -> Path:
    return job.out / f"{arch}-{beginning.replace(' ', '-')}"


def markdown(cells: Sequence[Cell], about: str) -> str:
    """The table: mean image IoU by class and of both, time and parameters; below it what is missing and why."""
    head = ["begins with", "network", "background", "character", "mean", "minutes", "parameters"]
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    missing = []
    for cell in cells:
        if cell.background is None or cell.character is None:
            figures = ["-"] * 5
            missing.append(f"{cell.arch}, {cell.beginning}: {cell.words}")
        else:
            ious = (cell.background, cell.character, (cell.background + cell.character) / 2)
            figures = [*(f"{iou:.3f}" for iou in ious), f"{cell.minutes:.1f}", f"{cell.millions:.1f} M"]
        lines.append(f"| {' | '.join([cell.beginning, cell.arch, *figures])} |")
    return "\n".join([about, "", *lines, "", *missing]).strip() + "\n"


def write_table(folder: Path, text: str) -> None:
    """Write compare.md. Raises OutputError."""
    try:
        (folder / "compare.md").write_text(text)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written ({reason_of(error)})") from error
