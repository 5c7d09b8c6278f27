"""The loop: batches in, a network out, a checkpoint now and then."""

import copy
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from animecut.errors import AnimecutError
from animecut.network import Network
from training.augment import degrade, grade, reframe
from training.checkpoint import Best, Run, keep, restore
from training.dataset import Labelled
from training.depthwise import quicken
from training.fault import first_fault
from training.losses import matte_loss
from training.synthesis import Stock, composite

SHAPES = ((256, 448), (256, 448), (256, 448), (336, 336), (448, 256))  # height, width; most clips are wide
CHECKPOINT_EVERY = 100  # steps
WORKERS = 1  # processes that compose batches while the network learns; one keeps up with two cores


@dataclass(frozen=True)
class Recipe:
    """Every number of a training run."""

    steps: int = 600
    batch: int = 8
    composites: float = 0.5
    """Share of each batch that is composed rather than labelled."""
    rate: float = 1e-3
    """AdamW's learning rate for all but the backbone."""
    backbone_rate: float = 3e-4
    weight_decay: float = 1e-4
    warm_up: int = 30
    """Steps in which the rates rise from zero; then they fall with a cosine."""
    ema: float = 0.99
    """How much of the averaged weights stays at each step."""
    keep: float = 0.0
    """How much of the weights that the run began with is blended into its end (WiSE-FT, Wortsman et al. 2022)."""
    seed: int = 0
    frozen: int = 0
    """Steps in which the backbone stays as it is, so that a new head does not spoil it."""
    patience: int = 0
    """Checkpoints in a row at which the judge sees nothing better before the run ends with its best; 0: never."""


class Frames(IterableDataset[tuple[Tensor, Tensor, Tensor]]):
    """Endless batches: rgb (B, 3, H, W) in [0, 1], alpha (B, H, W), exact (B,)."""

    def __init__(self, frames: Sequence[Labelled], stock: Stock | None, recipe: Recipe, first_step: int) -> None:
        self.frames, self.stock, self.recipe, self.first_step = frames, stock, recipe, first_step

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        cv2.setNumThreads(1)
        info = get_worker_info()
        worker, workers = (info.id, info.num_workers) if info else (0, 1)
        # A step's batch depends on its number alone, so a resumed run sees what the undisturbed one would have.
        for step in range(self.first_step + worker, self.recipe.steps, workers):
            yield self._batch(np.random.default_rng([self.recipe.seed, step]))

    def _batch(self, rng: np.random.Generator) -> tuple[Tensor, Tensor, Tensor]:
        height, width = SHAPES[int(rng.integers(len(SHAPES)))]
        composed = round(self.recipe.batch * self.recipe.composites) if self.stock else 0
        pictures, mattes = [], []
        for i in range(self.recipe.batch):
            if self.stock and i < composed:
                rgb, alpha = composite(self.stock, height, width, rng)
            else:
                frame = self.frames[int(rng.integers(len(self.frames)))]
                rgb, alpha = reframe(frame.rgb, frame.alpha, height, width, rng)
            pictures.append(degrade(grade(rgb, rng), rng))
            mattes.append(alpha)
        rgb_batch = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float() / 255
        exact = torch.tensor([1.0] * composed + [0.0] * (self.recipe.batch - composed))
        return rgb_batch, torch.from_numpy(np.stack(mattes)), exact


def fit(
    network: Network,
    frames: Sequence[Labelled],
    stock: Stock | None,
    recipe: Recipe,
    *,
    device: torch.device,
    checkpoint: Path | None = None,
    report: Callable[[int, dict[str, float]], None] = lambda step, losses: None,
    judge: Callable[[int, Network], float] | None = None,
) -> Network:
    """Train, and return the network with its averaged weights.

    checkpoint: written now and then and taken up again where it is there.
    report: called after each step with its number and its losses.
    judge: called at each checkpoint with the step and the averaged network; how good that is.
    Raises AnimecutError where a loss is no number, OutputError where a checkpoint cannot be written, SettingsError
    where there is one of another run.
    """
    network = network.to(device).to(memory_format=torch.channels_last)
    if device.type == "cpu":
        quicken(network)
    optimiser = torch.optim.AdamW(
        [
            {"params": list(network.backbone.parameters()), "lr": recipe.backbone_rate},
            {"params": [p for n, p in network.named_parameters() if not n.startswith("backbone.")], "lr": recipe.rate},
        ],
        weight_decay=recipe.weight_decay,
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _rate_at(step, recipe))
    average, beginning = copy.deepcopy(network), copy.deepcopy(network)
    run = Run(network, average, optimiser, schedule, Best())
    done = restore(checkpoint, run, recipe) if checkpoint and checkpoint.exists() else 0
    batches = Frames(frames, stock, recipe, done)
    # Spawned, not forked: OpenCV's threads do not survive a fork.
    context = "spawn" if WORKERS else None
    loader = DataLoader(batches, batch_size=None, num_workers=WORKERS, multiprocessing_context=context)
    for step, batch in enumerate(loader, start=done + 1):
        if _exhausted(run.best, recipe):  # also where a finished run is taken up again
            break
        torch.manual_seed(recipe.seed * 1_000_003 + step)  # dropout of a resumed run is the undisturbed one's
        network.backbone.requires_grad_(step > recipe.frozen)
        losses = _step(network, optimiser, [x.to(device, non_blocking=True) for x in batch], step)
        schedule.step()
        _average(average, network, min(recipe.ema, step / (step + 10)))
        report(step, losses)
        if step % CHECKPOINT_EVERY == 0 or step == recipe.steps:
            if judge:
                run.best.see(judge(step, average), average)
            if checkpoint:
                keep(checkpoint, step, run, recipe)
    if recipe.patience and run.best.weights:
        average.load_state_dict(run.best.weights)
    _average(average, beginning, 1 - recipe.keep)
    return average.eval()


def _exhausted(best: Best, recipe: Recipe) -> bool:
    return 0 < recipe.patience <= best.stale


def _step(network: Network, optimiser: torch.optim.Optimizer, batch: Sequence[Tensor], step: int) -> dict[str, float]:
    rgb, alpha, exact = batch
    network.train()
    # A few dozen frames are too few to estimate the backbone's statistics anew, and one picture is too few for any.
    for module in (network.backbone if len(rgb) > 1 else network).modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eval()
    with torch.autocast(rgb.device.type, torch.bfloat16):
        logits = network(rgb.contiguous(memory_format=torch.channels_last))
    losses = matte_loss(logits, alpha, exact)
    if not math.isfinite(losses["total"].item()):
        where = first_fault(network, rgb)
        raise AnimecutError(f"step {step}: the loss is no number; first in {where}; lower the learning rate")
    optimiser.zero_grad(set_to_none=True)
    losses["total"].backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(network.parameters(), 5.0)
    optimiser.step()
    return {name: value.item() for name, value in losses.items()}


def _rate_at(step: int, recipe: Recipe) -> float:
    if step < recipe.warm_up:
        return (step + 1) / recipe.warm_up
    return 0.5 + 0.5 * math.cos(math.pi * (step - recipe.warm_up) / max(1, recipe.steps - recipe.warm_up))


@torch.no_grad()
def _average(average: Network, network: Network, keep: float) -> None:
    for old, new in zip(average.state_dict().values(), network.state_dict().values(), strict=True):
        if old.is_floating_point():
            old.lerp_(new, 1 - keep)
        else:
            old.copy_(new)
