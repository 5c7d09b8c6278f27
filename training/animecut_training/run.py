"""One training run: data from folders, a network, the loop, a file with its provenance, figures, a report."""

import hashlib
import platform
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torchvision
from numpy.typing import NDArray

from animecut import __version__
from animecut.errors import InputError, OutputError, SettingsError, reason_of
from animecut.segmentation import weights
from animecut.segmentation.devices import choose_device
from animecut.segmentation.segmenter import Segmenter
from animecut.segmentation.weights import Network
from animecut_training.data import check
from animecut_training.data.dataset import Labelled
from animecut_training.evaluation import evaluate
from animecut_training.evaluation.journal import Journal
from animecut_training.evaluation.report import write_report
from animecut_training.init.begin import initial_network
from animecut_training.init.onnx import export
from animecut_training.loop import distributed
from animecut_training.loop.fit import fit
from animecut_training.recipe import Job, Recipe
from animecut_training.synthesis import assets
from animecut_training.synthesis.composite import Assets

SHIPPED = Path(__file__).parent / "shipped.json"
"""What the shipped weights were never trained on."""
MODEL, CHECKPOINT = "model.safetensors", "checkpoint.pt"


@dataclass(frozen=True)
class Reporter:
    """Whom a run tells of its progress: a step's losses, and lines for the user."""

    step: Callable[[int, int, dict[str, float]], None] = lambda step, steps, losses: None
    line: Callable[[str], None] = lambda line: None


def run(job: Job, told: Reporter, fold: int | None = None) -> list[evaluate.Figures]:
    """Train on labelled frames, and on frames composed of sprites and scenes where both are given.

    fold: left out and judged by, of the split's folds.
    Returns the figures on that fold, or on the folder's own test part; none where there is neither.
    Raises AnimecutError: labels with an error in them, weights that do not fit, a loss that is no number.
    """
    require_vacant(job, [job.out])
    learned, judged = _data(job, told, fold)
    return train(job, told, learned, judged)


def cross_validate(job: Job, told: Reporter, folds: int) -> list[list[evaluate.Figures]]:
    """Train once for each fold without it, in RUN/fold-K; the figures of each on the frames that it never saw."""
    require_vacant(job, [job.out, *(job.out / f"fold-{k}" for k in range(folds))])
    frames = _data(job, told, None)[0]
    everyone = _folds(job, frames, folds)
    figures = []
    for k, held in enumerate(everyone):
        told.line(f"fold {k}: without {', '.join(sorted(held))}")
        learned, judged = _split(frames, held)
        figures.append(train(replace(job, out=job.out / f"fold-{k}"), told, learned, judged))
    return figures


def judged_by(job: Job, told: Reporter) -> tuple[list[Labelled], list[Labelled]]:
    """What is learned from and what is judged by: the folder's own test part, else the first of five folds."""
    learned, judged = _data(job, told, None)
    return (learned, judged) if judged else _split(learned, _folds(job, learned, None)[0])


def _data(job: Job, told: Reporter, fold: int | None) -> tuple[list[Labelled], list[Labelled]]:
    """What is learned from, and what is judged by."""
    if job.split_file:
        assets.read_split(job.split_file)  # that it can be read is known before the frames are
    finding = check.require_valid(job.folder)
    for problem in finding.problems:
        told.line(f"note: {problem.message}")
    pairs = list(zip(finding.frames, finding.held_out, strict=True))
    frames, judged = [frame for frame, held in pairs if not held], [frame for frame, held in pairs if held]
    if fold is None:
        return frames, judged
    file = job.split_file or SHIPPED
    split = assets.read_split(file).folds
    held = set(split[fold]) if 0 <= fold < len(split) else set()
    if not held & {frame.name for frame in frames}:
        why = f"{file} has folds 0 to {len(split) - 1}, and none of its frames is in {job.folder}"
        raise SettingsError(why, field="fold", value=fold)
    if file == SHIPPED and job.init == "anime":
        told.line("note: the shipped weights, begun with, have learned from this fold too; its figures will flatter")
    return _split(frames, held)


def _split(frames: Sequence[Labelled], held: set[str]) -> tuple[list[Labelled], list[Labelled]]:
    return [frame for frame in frames if frame.name not in held], [frame for frame in frames if frame.name in held]


def _folds(job: Job, frames: Sequence[Labelled], count: int | None) -> list[set[str]]:
    """The split's folds where it knows any of these frames, else runs of neighbours by name: they may be of one scene.

    count: None for as many as the split has, or up to five. Pictures that are almost the same share a fold.
    """
    names = {frame.name for frame in frames}
    parts = [set(fold) & names for fold in assets.read_split(job.split_file).folds] if job.split_file else []
    if any(parts):
        missing = sorted(names.difference(*parts))
        if missing or not all(parts) or count not in (None, len(parts)):
            why = f"without {', '.join(missing[:3])}" if missing else f"{sum(map(bool, parts))} of them with frames"
            why = f"{len(parts)} folds, {why} of {job.folder}; make the two agree"
            raise SettingsError(why, field="split_file", value=job.split_file)
        return parts
    apart = _apart(frames)
    count = count or min(5, len(apart))
    if not 2 <= count <= len(apart):
        raise SettingsError(
            f"{job.folder}: has {len(apart)} different frames, too few for {max(2, count)} folds; label more of them"
        )
    return [set().union(*(apart[i] for i in part)) for part in np.array_split(np.arange(len(apart)), count)]


def _apart(frames: Sequence[Labelled]) -> list[set[str]]:
    """Names of frames, those together that show almost the same, or almost the same as one between them."""
    groups: list[set[str]] = []
    for frame, alike in zip(frames, check.near_duplicates(frames), strict=True):
        near = {frames[j].name for j in alike}
        joined = [group for group in groups if group & near]
        at = groups.index(joined[0]) if joined else len(groups)
        groups = [group for group in groups if group not in joined]
        groups.insert(at, {frame.name}.union(*joined))
    return groups


def train(job: Job, told: Reporter, learned: list[Labelled], judged: list[Labelled]) -> list[evaluate.Figures]:
    """Learn from some frames; the figures on others, none where there are no others."""
    if not learned:
        raise InputError(f"{job.folder}: no frame to learn from; all are only judged by")
    torch.manual_seed(job.recipe.seed)  # of what begins anew
    net, words, backbone_alone = initial_network(job.init, job.backbone, job.arch, job.target)
    told.line(f"begins with {words}; learns from {len(learned)} frames")
    if job.recipe.patience and not judged:
        told.line("note: no frame is left out to judge by, so `patience` does nothing")
    composed = _composed(job, learned)
    recipe = _recipe(job, composing=composed is not None, backbone_alone=backbone_alone)
    _make_room(job, told)
    model, checkpoint, started = job.out / MODEL, job.out / CHECKPOINT, time.time()
    provenance = _provenance(job, recipe, learned, judged, composed)
    first = distributed.rank() == 0  # of several processes, the one that writes and tells
    with Journal(job.out, tensorboard=job.tensorboard and first) as journal:
        # of a run that is taken up again, what was lost with its end included
        before = journal.steps[-1].get("minutes", 0.0) if checkpoint.exists() and journal.steps else 0.0

        def spent() -> dict[str, float]:
            return {"minutes": round(before + (time.time() - started) / 60, 1)}

        def report(step: int, losses: dict[str, float]) -> None:
            if first:
                journal.step(step, losses | spent())
                told.step(step, recipe.steps, losses)

        def judge(step: int, average: Network) -> float:
            """Through the file and the Segmenter that cuts stickers; a run that is killed leaves the file."""
            _save(average, model, provenance | spent() | {"step": step})
            per_image = evaluate.evaluate(Segmenter(model, job.device), judged)
            journal.judged(step, per_image)
            return float(np.mean([one.iou for one in per_image]))

        trained = fit(
            net, learned, composed, recipe,
            device=torch.device(choose_device(job.device)), checkpoint=checkpoint, report=report,
            begun={key: value for key, value in provenance.items() if key not in ("recipe", "versions")},
            judge=judge if judged else None,
        )  # fmt: skip
        if not first:
            return []
        _save(trained, model, provenance | spent())
        segmenter = Segmenter(model, job.device)
        per_image = evaluate.evaluate(segmenter, judged or learned)
        journal.pictures(judged or learned, segmenter)
        write_report(job.out / "report.html", journal, per_image, judged or learned, segmenter, unseen=bool(judged))
    return per_image if judged else []


def _save(network: Network, model: Path, provenance: dict[str, object]) -> None:
    """Both files of a network: safetensors, and the ONNX that a CPU cuts with, where it can be one."""
    weights.save(network, model, provenance)
    if not network.architecture.instances:
        export(model, model.with_suffix(".onnx"))


def _recipe(job: Job, *, composing: bool, backbone_alone: bool) -> Recipe:
    """The job's, with what follows from what there is to learn from and to begin with."""
    recipe = job.recipe if composing else replace(job.recipe, composites=0.0)
    if recipe.frozen is None:
        recipe = replace(recipe, frozen=recipe.steps // 5 if backbone_alone else 0)
    return replace(recipe, statistics=True, first_rate=1.0) if job.init == "scratch" else recipe


def require_vacant(job: Job, folders: Iterable[Path]) -> None:
    """Raise SettingsError where a run lies in one of the folders that nobody wants to go on with."""
    for folder in folders:
        if not job.resume and any((folder / name).exists() for name in (CHECKPOINT, MODEL)):
            raise SettingsError(f"{folder}: a run is there already; `resume` goes on with it, else name another `out`")


def _make_room(job: Job, told: Reporter) -> None:
    """Make the run's folder, and tell whether there is something to go on with."""
    try:
        job.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{job.out}: cannot be made a folder ({reason_of(error)}); name another `out`") from error
    if job.resume:
        there = (job.out / CHECKPOINT).exists()
        told.line(f"goes on with {job.out}" if there else f"{job.out}: no checkpoint there yet, so the run begins")


def _provenance(
    job: Job, recipe: Recipe, learned: list[Labelled], judged: list[Labelled], composed: Assets | None
) -> dict[str, object]:
    init = weights.DEFAULT_WEIGHTS if job.init == "anime" else Path(job.init)
    return {
        "recipe": asdict(recipe),
        "init": Path(job.init).name,  # weights are handed on, and where they lay here is nobody's business
        "init_sha256": weights.digest(init) if init.is_file() else "",
        "frames": len(learned) if recipe.composites < 1 else 0,
        "left_out": sorted(frame.name for frame in judged),
        "data_sha256": _digest(plane for one in learned for plane in (one.rgb, one.alpha, one.numbers)),
        "composed": composed is not None,
        "stock_sha256": _digest([*composed.sprites, composed.weights, *composed.scenes]) if composed else "",
        "versions": {
            "animecut": __version__,
            "torch": torch.__version__,
            "torchvision": torchvision.__version__,
            "python": platform.python_version(),
        },
    }


def _composed(job: Job, learned: list[Labelled]) -> Assets | None:
    if not job.sprites and not job.scenes:
        return None
    if not job.sprites or not job.scenes:
        raise SettingsError("frames are composed of both, `sprites` and `scenes`; give the other one too")
    split = assets.read_split(job.split_file or SHIPPED)
    composed = assets.load_assets(job.sprites, job.scenes, split, held_out=False)
    return assets.add_labelled(composed, learned) if job.recipe.composites < 1 else composed


def _digest(arrays: Iterable[NDArray[Any] | None]) -> str:
    digest = hashlib.sha256()
    for array in arrays:
        if array is not None:
            digest.update(array.tobytes())
    return digest.hexdigest()
