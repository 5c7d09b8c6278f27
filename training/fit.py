"""The loop: batches in, a network out, a checkpoint now and then."""

import copy
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from animecut.errors import AnimecutError
from animecut.network import PSPNet
from training.augment import degrade, grade, reframe
from training.dataset import Labelled
from training.depthwise import quicken
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
    network: PSPNet,
    frames: Sequence[Labelled],
    stock: Stock | None,
    recipe: Recipe,
    *,
    device: torch.device,
    checkpoint: Path | None = None,
    report: Callable[[int, dict[str, float]], None] = lambda step, losses: None,
) -> PSPNet:
    """Train, and return the network with its averaged weights.

    checkpoint: written now and then and taken up again where it is there.
    report: called after each step with its number and its losses.
    Raises AnimecutError where a loss is no number.
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
    done = 0
    if checkpoint and checkpoint.exists():
        done = _restore(checkpoint, network, average, optimiser, schedule)
    batches = Frames(frames, stock, recipe, done)
    # Spawned, not forked: OpenCV's threads do not survive a fork.
    context = "spawn" if WORKERS else None
    loader = DataLoader(batches, batch_size=None, num_workers=WORKERS, multiprocessing_context=context)
    for step, batch in enumerate(loader, start=done + 1):
        torch.manual_seed(recipe.seed * 1_000_003 + step)  # dropout of a resumed run is the undisturbed one's
        losses = _step(network, optimiser, [x.to(device, non_blocking=True) for x in batch])
        if not math.isfinite(losses["total"]):
            raise AnimecutError(f"step {step}: the loss is {losses['total']} ({losses}); lower the learning rate")
        schedule.step()
        _average(average, network, min(recipe.ema, step / (step + 10)))
        report(step, losses)
        if checkpoint and (step % CHECKPOINT_EVERY == 0 or step == recipe.steps):
            _keep(checkpoint, step, network, average, optimiser, schedule, recipe)
    _average(average, beginning, 1 - recipe.keep)
    return average.eval()


def _step(network: PSPNet, optimiser: torch.optim.Optimizer, batch: Sequence[Tensor]) -> dict[str, float]:
    rgb, alpha, exact = batch
    network.train()
    # A few dozen frames are too few to estimate the backbone's statistics anew, and one picture is too few for any.
    for module in (network.backbone if len(rgb) > 1 else network).modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eval()
    with torch.autocast(rgb.device.type, torch.bfloat16):
        logits = network(rgb.contiguous(memory_format=torch.channels_last))
    losses = matte_loss(logits, alpha, exact)
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
def _average(average: PSPNet, network: PSPNet, keep: float) -> None:
    for old, new in zip(average.state_dict().values(), network.state_dict().values(), strict=True):
        if old.is_floating_point():
            old.lerp_(new, 1 - keep)
        else:
            old.copy_(new)


def _keep(
    path: Path,
    step: int,
    network: PSPNet,
    average: PSPNet,
    optimiser: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LRScheduler,
    recipe: Recipe,
) -> None:
    state = {
        "step": step,
        "network": network.state_dict(),
        "average": average.state_dict(),
        "optimiser": optimiser.state_dict(),
        "schedule": schedule.state_dict(),
        "recipe": asdict(recipe),
    }
    fresh = path.with_suffix(".fresh")
    torch.save(state, fresh)
    fresh.replace(path)


def _restore(
    path: Path,
    network: PSPNet,
    average: PSPNet,
    optimiser: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LRScheduler,
) -> int:
    state = torch.load(path, weights_only=True)
    network.load_state_dict(state["network"])
    average.load_state_dict(state["average"])
    optimiser.load_state_dict(state["optimiser"])
    schedule.load_state_dict(state["schedule"])
    return int(state["step"])


def held_out_composites(stock: Stock, count: int, seed: int = 7) -> list[tuple[NDArray[np.uint8], NDArray[np.float32]]]:
    """Composites to judge by, the same ones for each seed: 288 x 512 RGB and exact alpha, with compression."""
    rng = np.random.default_rng(seed)
    made = [composite(stock, 288, 512, rng) for _ in range(count)]
    return [(degrade(rgb, rng), alpha) for rgb, alpha in made]
