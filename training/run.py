"""One training run: data from folders, a network, the loop, a file with its provenance, figures."""

import hashlib
import platform
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import torch
import torchvision
from tqdm import tqdm

from animecut import __version__, network
from animecut.errors import SettingsError
from animecut.network import Architecture, PSPNet
from animecut.segment import Segmenter, choose_device
from training import check, dataset, evaluate, stock
from training.fit import Recipe, fit


def run(
    folder: Path,
    out: Path,
    *,
    init: str,
    sprites: Sequence[Path],
    scenes: Path | None,
    split_file: Path,
    fold: int | None,
    steps: int,
    composites: float,
    keep: float,
    batch_size: int,
    seed: int,
    device: str,
) -> list[evaluate.Figures]:
    """Train on labelled frames, and on frames composed of sprites and scenes where both are given.

    Returns the figures on the fold that was left out; none where no fold was.
    Raises AnimecutError: folders without data, weights that do not fit, a loss that is no number.
    """
    finding = check.demand(folder)
    frames = [frame for frame, judged in zip(finding.frames, finding.held_out, strict=True) if not judged]
    split = stock.read_split(split_file)
    held = set(split.folds[fold]) if fold is not None and 0 <= fold < len(split.folds) else set()
    if fold is not None and not held & {frame.name for frame in frames}:
        raise SettingsError(
            f"--fold {fold}: {split_file} has folds 0 to {len(split.folds) - 1}, and none of its frames is in {folder}"
        )
    learned = [frame for frame in frames if frame.name not in held]
    composed = None
    if sprites and scenes:
        composed = stock.load_stock(sprites, scenes, split, held_out=False)
        if composites < 1:
            composed = stock.with_labelled(composed, learned)
    share = composites if composed else 0.0
    recipe = Recipe(steps=steps, batch=batch_size, composites=share, keep=keep, seed=seed)
    out.mkdir(parents=True, exist_ok=True)
    started = time.time()
    with tqdm(total=steps, unit=" steps", desc="fit") as bar:

        def report(step: int, losses: dict[str, float]) -> None:
            bar.set_postfix({name: f"{value:.3f}" for name, value in losses.items()}, refresh=False)
            bar.update(step - bar.n)

        trained = fit(
            begin(init), learned, composed, recipe,
            device=choose_device(device), checkpoint=out / "checkpoint.pt", report=report,
        )  # fmt: skip
    provenance: dict[str, object] = {
        "recipe": asdict(recipe),
        "init": init,
        "frames": len(learned) if share < 1 else 0,
        "left_out": sorted(held),
        "data_sha256": _digest(learned),
        "composed": composed is not None,
        "minutes": round((time.time() - started) / 60, 1),
        "versions": {
            "animecut": __version__,
            "torch": torch.__version__,
            "torchvision": torchvision.__version__,
            "python": platform.python_version(),
        },
    }
    network.save(trained, out / "model.safetensors", provenance)
    segmenter = Segmenter(out / "model.safetensors", device)
    return evaluate.evaluate(segmenter, [frame for frame in frames if frame.name in held])


def begin(init: str) -> PSPNet:
    """The network that a run begins with: the shipped one, a new one, or one from a file."""
    if init == "anime":
        return network.load()[0]
    net = PSPNet(Architecture())
    if init == "scratch":
        return net
    if network.is_whole(Path(init)):
        return network.load(Path(init))[0]
    network.load_backbone(net, Path(init))
    return net


def _digest(frames: list[dataset.Labelled]) -> str:
    digest = hashlib.sha256()
    for frame in frames:
        digest.update(frame.rgb.tobytes())
        digest.update(frame.alpha.tobytes())
    return digest.hexdigest()
