"""How a run is set up: one input in this process, many in worker processes with a report."""

import os
from collections.abc import Callable, Generator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from animecut import batch, refine
from animecut.batch import Done, Here
from animecut.claim import is_begun
from animecut.ledger import Ledger
from animecut.loading import Loading
from animecut.plan import Job, folder_of, is_many
from animecut.plan import plan as make_plan
from animecut.settings import Run, Settings
from animecut.watch import Watch

if TYPE_CHECKING:
    from animecut.slots import Network

CORES_EACH = 2  # for an input on a CPU: one computes while the other one decodes and encodes
ON_A_GPU = 4  # inputs at once: the most of each one's time is the CPU's
SHARE = 0.8  # of the machine's memory, for all inputs together


def plan(
    inputs: Sequence[Path], output: Path | None, settings: Settings, *, pack: bool = False
) -> tuple[bool, list[Job]]:
    """Whether the inputs are many, and what to read and to write for each.

    Raises SettingsError, InputError for a list that cannot be read, WeightsError where there are none.
    """
    if len(inputs) == 1 and not is_many(inputs[0]):
        return False, make_plan(
            inputs, output, settings, "", pack=pack
        )  # not looked at: torch, which knows them, loads later
    from animecut import network

    weights = network.digest(settings.weights or network.DEFAULT_WEIGHTS)
    ledger = Ledger(_home(inputs, output))

    def is_ours(path: Path) -> bool:
        return ledger.names(path) or ledger.names(path.parent) or is_begun(path)

    return True, make_plan(inputs, output, settings, weights, is_ours, pack=pack)


def start(
    jobs: Sequence[Job],
    inputs: Sequence[Path],
    output: Path | None,
    settings: Settings,
    run: Run,
    watch: Watch,
    *,
    many: bool,
) -> Generator[Done]:
    """Do every job, and tell of each how it went. many: go on where the report beside the stickers ends.

    Raises SettingsError, DeviceError or WeightsError for what is wrong with every input.
    """
    if not many:
        network = Loading(settings.weights, settings.device, settings.batch_size)
        return batch.run(jobs, Here(network, watch), None, overwrite=run.overwrite)
    from animecut import segment, slots
    from animecut.network import DEFAULT_WEIGHTS

    ledger = Ledger(_home(inputs, output))
    count = min(run.jobs or _at_once(segment.choose_device(settings.device).type), len(jobs))
    memory = run.max_memory * 1e9 if run.max_memory else SHARE * psutil.virtual_memory().total / count
    load = partial(segment.Segmenter, settings.weights or DEFAULT_WEIGHTS, settings.device, settings.batch_size)
    workers = slots.Processes(
        partial(_all_loaded, load), count, patience=run.timeout, memory=memory, notice=watch.notice
    )
    return batch.run(jobs, workers, ledger, overwrite=run.overwrite)


def _all_loaded(load: "Callable[[], Network]") -> "Network":
    """The network, once the matting solver is loaded too: a worker's jobs need not wait for it, nor be given up."""
    refine.warm_up()
    return load()


def _home(inputs: Sequence[Path], output: Path | None) -> Path:
    """The folder that every sticker lies in or below, where the report is kept."""
    folders = [folder_of(path) for path in inputs]
    return output or Path(os.path.commonpath([folder.absolute() for folder in folders]))


def _at_once(device: str) -> int:
    cores = os.cpu_count() or 1
    return max(1, cores // CORES_EACH if device == "cpu" else min(ON_A_GPU, cores))
