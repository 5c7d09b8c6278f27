"""The loop: batches in, a network out, a checkpoint after every epoch."""

import copy
import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from warnings import catch_warnings

import torch
from torch import nn
from torch.amp.grad_scaler import GradScaler

from animecut._util.concurrency import Threads
from animecut.errors import AnimecutError
from animecut.segmentation.weights import Network
from animecut_training.data.dataset import Labelled
from animecut_training.loop import distributed
from animecut_training.loop.batches import Part, batches, composite_slots
from animecut_training.loop.checkpoint import Best, Run, load_checkpoint, save_checkpoint
from animecut_training.loop.cpu_fast_path import speed_up
from animecut_training.loop.losses import losses
from animecut_training.loop.nan_check import first_non_finite
from animecut_training.loop.optim import optimiser_step, parameter_groups, precision, rate_factor
from animecut_training.recipe import Recipe
from animecut_training.synthesis.composite import Assets

SHORTEST_EPOCH = 10  # steps between two checkpoints: going once through a handful of frames is done sooner than kept
JUDGED = 10  # times in a run, about, as an epoch is not cut
MOST_PARTS = 1000  # of a batch


def fit(
    network: Network,
    frames: Sequence[Labelled],
    stock: Assets | None,
    recipe: Recipe,
    *,
    device: torch.device,
    checkpoint: Path | None = None,
    begun: Mapping[str, object] = {},
    report: Callable[[int, dict[str, float]], None] = lambda step, losses: None,
    judge: Callable[[int, Network], float] | None = None,
) -> Network:
    """Train, and return the network with its averaged weights.

    checkpoint: written after every epoch and taken up again where it is there.
    begun: what besides the recipe a run must have in common with one whose checkpoint it takes up.
    report: called after each step with its number, its losses and its learning rates.
    judge: called about ten times, at ends of epochs, with the step and the averaged network; how good that is.
    Raises AnimecutError where a loss is no number, OutputError where a checkpoint cannot be written, SettingsError
    where there is one of another run.
    """
    run, dtype = _new_run(network, recipe, device), precision(device)
    average, beginning = run.average, copy.deepcopy(run.network)
    begun = asdict(recipe) | dict(begun)
    done = load_checkpoint(checkpoint, run, begun) if checkpoint and checkpoint.exists() else 0
    epoch = steps_in_epoch(len(frames), recipe, composing=stock is not None)
    judged = epoch * math.ceil(recipe.steps / (JUDGED * epoch))
    made = batches(
        frames, stock, range(done, recipe.steps), batch=recipe.batch, composites=recipe.composites,
        any_show=recipe.any_show, seed=recipe.seed, rank=(distributed.rank(), distributed.world_size()),
    )  # fmt: skip
    with Threads() as threads:  # no processes: each would hold PyTorch and the frames once more
        for step, parts in enumerate(threads.ahead(made), start=done + 1):
            if _exhausted(run.best, recipe):  # also where a finished run is taken up again
                break
            report(step, _step(run, [part.to(device) for part in parts], recipe, dtype, step))
            if judge and (step % judged == 0 or step == recipe.steps):
                run.best.see(distributed.broadcast_first(partial(judge, step, average), device), average)
            if checkpoint and distributed.rank() == 0 and (step % epoch == 0 or step == recipe.steps):
                save_checkpoint(checkpoint, step, run, begun)
    if recipe.patience and run.best.weights:
        average.load_state_dict(run.best.weights)
    _average(average, beginning, 1 - recipe.keep)
    return average.eval()


def _new_run(network: Network, recipe: Recipe, device: torch.device) -> Run:
    """All that changes while the network learns, as it is before the first step."""
    network = network.to(device).to(memory_format=torch.channels_last)
    if device.type == "cpu":
        speed_up(network)
    optimiser = torch.optim.AdamW(
        parameter_groups(network, rate=recipe.rate, backbone_rate=recipe.backbone_rate, first=recipe.first_rate),
        weight_decay=recipe.weight_decay,
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, partial(rate_factor, steps=recipe.steps, warm_up=recipe.warm_up)
    )
    # Small gradients would be zero in float16. PyTorch begins at 65536, where the first steps are always lost.
    scaler = GradScaler(device.type, init_scale=256.0, enabled=precision(device) is torch.float16)
    return Run(network, copy.deepcopy(network), optimiser, schedule, scaler, Best())


def _step(run: Run, parts: list[Part], recipe: Recipe, dtype: torch.dtype, step: int) -> dict[str, float]:
    """Learn from one batch; its losses and the learning rates. Raises AnimecutError where the loss is no number."""
    run.network.backbone.requires_grad_(step > (recipe.frozen or 0))
    terms = _gradients(run.network, run.scaler, dtype, parts, recipe, step)
    if not math.isfinite(terms["total"]):
        where = first_non_finite(run.network.eval(), parts[0].rgb, dtype)
        raise AnimecutError(f"step {step}: the loss is no number; first in {where}; look at that, or `seed`")
    optimiser_step(run.network, run.optimiser, run.scaler)
    first, *_, last, rest = (float(rate) for rate in run.schedule.get_last_lr())
    with catch_warnings(action="ignore"):  # that the optimiser took no step, where float16 could not hold it
        run.schedule.step()
    _average(run.average, run.network, min(recipe.ema, step / (step + 10)))
    return terms | {"first_rate": first, "backbone_rate": last, "rate": rest}


def steps_in_epoch(frames: int, recipe: Recipe, *, composing: bool) -> int:
    """Steps in which every labelled frame is learned from about once; of few frames several times."""
    labelled = composite_slots(recipe.batch, recipe.composites if composing else 0.0).count(False)
    return max(SHORTEST_EPOCH, -(-frames // max(1, labelled)))


def _exhausted(best: Best, recipe: Recipe) -> bool:
    return 0 < recipe.patience <= best.stale


def _gradients(
    network: Network, scaler: GradScaler, dtype: torch.dtype, parts: Sequence[Part], recipe: Recipe, step: int
) -> dict[str, float]:
    """Of a batch, of all processes together; mean losses of this one's parts. None where they are no number."""
    network.train()
    network.zero_grad(set_to_none=True)
    means: defaultdict[str, float] = defaultdict(float)
    here = sum(part.share for part in parts)
    for part in parts:
        # A few dozen frames are too few to estimate the backbone's statistics anew, and one picture too few for any.
        still = network if len(part.rgb) == 1 else None if recipe.statistics else network.backbone
        for module in still.modules() if still else ():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()
        # Of dropout, which so is the same in a resumed run.
        torch.manual_seed((recipe.seed * 1_000_003 + step) * MOST_PARTS + part.number)
        terms = losses(network, part, dtype, recipe.boundary, recipe.narrow)
        for name, value in terms.items():
            means[name] += value.item() * part.share / here
        if not math.isfinite(means["total"]):
            return dict(means)
        scaler.scale(terms["total"] * part.share).backward()  # type: ignore[no-untyped-call]
    distributed.add_up_gradients(network)
    return dict(means)


@torch.no_grad()
def _average(average: Network, network: Network, keep: float) -> None:
    for old, new in zip(average.state_dict().values(), network.state_dict().values(), strict=True):
        if old.is_floating_point():
            old.lerp_(new, 1 - keep)
        else:
            old.copy_(new)
