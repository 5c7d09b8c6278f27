"""What a run needs to go on exactly where it stopped: all that changes while it learns, and the step.

Chance needs no state: every step's batch and dropout follow from the seed and the step's number.
"""

import math
import pickle
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.amp.grad_scaler import GradScaler

from animecut.errors import OutputError, SettingsError
from animecut.segmentation.weights import Network

DIGEST = "_sha256"  # ends the names of what is too large to be shown


@dataclass
class Best:
    """The best average that a judge has seen, and how often in a row it has seen nothing better since."""

    score: float = -math.inf
    stale: int = 0
    weights: dict[str, Tensor] = field(default_factory=dict)

    def see(self, score: float, average: nn.Module) -> None:
        """Take notice of a score; the weights are copied where it is the best."""
        self.stale += 1
        if score > self.score:
            weights = {key: value.detach().clone() for key, value in average.state_dict().items()}
            self.score, self.stale, self.weights = score, 0, weights


@dataclass
class Run:
    """All that changes while a run learns."""

    network: Network
    average: Network
    optimiser: torch.optim.Optimizer
    schedule: torch.optim.lr_scheduler.LRScheduler
    scaler: GradScaler
    best: Best


def save_checkpoint(path: Path, step: int, run: Run, begun: Mapping[str, object]) -> None:
    """Write a checkpoint; the one before stays until the new one is whole. Raises OutputError.

    begun: what the run began with, all that another run must have in common with it to go on from here.
    """
    state = {
        "step": step,
        "network": run.network.state_dict(),
        "average": run.average.state_dict(),
        "optimiser": run.optimiser.state_dict(),
        "schedule": run.schedule.state_dict(),
        "scaler": run.scaler.state_dict(),
        "best": vars(run.best),
        "recipe": dict(begun),
    }
    fresh = path.with_suffix(".fresh")
    try:
        torch.save(state, fresh)
        fresh.replace(path)
    except (OSError, RuntimeError) as error:  # torch tells of a full disk with the latter
        fresh.unlink(missing_ok=True)
        raise OutputError(
            f"{path}: step {step} cannot be kept ({str(error).splitlines()[0]}); the checkpoint before it is whole"
        ) from error


def load_checkpoint(path: Path, run: Run, begun: Mapping[str, object]) -> int:
    """Take a checkpoint up and return its step. Raises SettingsError where it is damaged or of another run."""
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        differing = [
            f"other {k.removesuffix(DIGEST)}" if k.endswith(DIGEST) else f"{k} {state['recipe'].get(k)}, not {v}"
            for k, v in begun.items()
            if k not in state["recipe"] or state["recipe"][k] != v
        ]
        if differing:
            raise SettingsError(f"{path}: begun with {'; '.join(differing)}; give the same or another `out`")
        run.network.load_state_dict(state["network"])
        run.average.load_state_dict(state["average"])
        run.optimiser.load_state_dict(state["optimiser"])
        run.schedule.load_state_dict(state["schedule"])
        if state.get("scaler"):  # none where it was begun in bfloat16
            run.scaler.load_state_dict(state["scaler"])
        run.best = Best(**state.get("best", {}))
        return int(state["step"])
    except (OSError, RuntimeError, EOFError, KeyError, ValueError, pickle.UnpicklingError) as error:
        reason = str(error).strip().splitlines()[0]
        raise SettingsError(f"{path}: damaged, or of another network ({reason}); name another `out`") from error
