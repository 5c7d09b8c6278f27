"""Several processes that train one network together, each on its part of every batch, as torchrun starts them."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, distributed, nn

from animecut.errors import SettingsError


@contextmanager
def process_group() -> Iterator[None]:
    """Work with the other processes that torchrun has started, if it has; each with a GPU of its own where there are.

    All of them see the same data and the same RUN folder; only the first writes and tells.
    Raises SettingsError where there are GPUs, but too few.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) < 2:
        yield
        return
    if torch.cuda.is_available():
        here, gpus = int(os.environ["LOCAL_RANK"]), torch.cuda.device_count()
        if here >= gpus:
            raise SettingsError(f"more processes than the {gpus} GPUs of this machine", field="nproc_per_node")
        torch.cuda.set_device(here)
    distributed.init_process_group("cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo")
    try:
        yield
    finally:
        distributed.destroy_process_group()


def world_size() -> int:
    """How many processes there are."""
    return distributed.get_world_size() if distributed.is_initialized() else 1


def rank() -> int:
    """Which of them this is, from 0."""
    return distributed.get_rank() if distributed.is_initialized() else 0


def add_up_gradients(network: nn.Module) -> None:
    """Let every process have the sum of all processes' gradients."""
    if world_size() == 1:
        return
    learning = [p for p in network.parameters() if p.requires_grad]
    parts = [torch.zeros_like(p) if p.grad is None else p.grad for p in learning]
    whole = torch.cat([part.flatten() for part in parts])
    distributed.all_reduce(whole)
    for p, part, total in zip(learning, parts, torch.split(whole, [part.numel() for part in parts]), strict=True):
        p.grad = total.view_as(part)


def all_processes(here: bool, device: torch.device) -> bool:
    """Whether something is so for every process."""
    if world_size() == 1:
        return here
    known = torch.tensor(float(here), device=device)
    distributed.all_reduce(known, distributed.ReduceOp.MIN)
    return bool(known)


def broadcast_first(figure: Callable[[], float], device: torch.device) -> float:
    """What the figure is to the first process; the others do not compute it."""
    value = figure() if rank() == 0 else 0.0
    if world_size() == 1:
        return value
    known: Tensor = torch.tensor(value, dtype=torch.float64, device=device)
    distributed.broadcast(known, 0)
    return float(known)
