"""How weights move: how fast in which layer and when, and in which precision."""

import math

import numpy as np
import torch
from torch import nn
from torch.amp.grad_scaler import GradScaler

from animecut.segmentation.weights import Network
from animecut_training.loop import distributed

LONGEST = 5.0  # norm of all gradients together


def parameter_groups(network: Network, *, rate: float, backbone_rate: float, first: float) -> list[dict[str, object]]:
    """Parameters and their learning rates, as optimisers take them: the backbone's block by block, the rest last.

    What the first blocks know holds for any picture, what the last ones know for photographs: so the last block learns
    at backbone_rate, the first at that share of it, those between in equal ratios (Howard and Ruder 2018).
    """
    blocks = getattr(network.backbone, "features", network.backbone).children()
    learned = [params for block in blocks if (params := list(block.parameters()))]
    shares = np.geomspace(first, 1, len(learned)).tolist()
    rest = [p for name, p in network.named_parameters() if not name.startswith("backbone.")]
    return [
        *({"params": params, "lr": backbone_rate * share} for params, share in zip(learned, shares, strict=True)),
        {"params": rest, "lr": rate},
    ]


def rate_factor(step: int, steps: int, warm_up: int) -> float:
    """Share of the rates at a step: rising from zero, then falling with a cosine (Loshchilov and Hutter 2017)."""
    if step < warm_up:
        return (step + 1) / warm_up
    return 0.5 + 0.5 * math.cos(math.pi * (step - warm_up) / max(1, steps - warm_up))


def precision(device: torch.device) -> torch.dtype:
    """What the network computes in while it learns: bfloat16, or float16 where a GPU of those that do is older."""
    able = device.type != "cuda" or torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.bfloat16 if distributed.all_processes(able, device) else torch.float16


def optimiser_step(network: nn.Module, optimiser: torch.optim.Optimizer, scaler: GradScaler) -> None:
    """Take a step along the gradients, clipped to LONGEST; none where float16 could not hold them."""
    scaler.unscale_(optimiser)
    nn.utils.clip_grad_norm_(network.parameters(), LONGEST)
    scaler.step(optimiser)
    scaler.update()
