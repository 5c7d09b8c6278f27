"""How a run is set up: one input in this process, many in worker processes with a report."""

import os
import platform
from collections.abc import Callable, Generator, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from animecut import __version__
from animecut._util.concurrency import available_cores
from animecut._util.paths import names_file
from animecut._util.progress import Progress
from animecut.batch import runner
from animecut.batch.jobs import Job, folder_of, is_many
from animecut.batch.jobs import plan_jobs as make_plan
from animecut.batch.locks import is_begun
from animecut.batch.run_log import RunLog
from animecut.batch.runner import InProcess, JobResult, WorkerPool
from animecut.errors import SettingsError, WeightsError
from animecut.matte import matting
from animecut.segmentation import devices
from animecut.segmentation import metadata as weight_files
from animecut.segmentation.loading import Loading
from animecut.settings import Matting, Run, Settings

if TYPE_CHECKING:
    from animecut.batch.workers import Network

GB = 1e9  # bytes


def plan_run(
    inputs: Sequence[Path], output: Path | None, settings: Settings, run: Run, *, pack: bool = False
) -> tuple[bool, list[Job]]:
    """Whether the inputs are many, or go to other machines as many do, and what to read and to write for each.

    Raises SettingsError, InputError for a list that cannot be read, WeightsError where there are none.
    """
    if len(inputs) == 1 and not is_many(inputs[0]) and not run.ray:
        return False, make_plan(
            inputs, output, settings, "", pack=pack
        )  # not looked at: the network, which knows them, loads later
    weights = weight_files.digest(settings.weights or weight_files.DEFAULT_WEIGHTS)
    ledger = RunLog(_home(inputs, output))

    def is_ours(path: Path) -> bool:
        return ledger.names(path) or ledger.names(path.parent) or is_begun(path)

    return True, make_plan(inputs, output, settings, weights, is_ours, pack=pack)


def start_run(
    jobs: Sequence[Job],
    inputs: Sequence[Path],
    output: Path | None,
    settings: Settings,
    run: Run,
    watch: Progress,
    *,
    many: bool,
) -> Generator[JobResult]:
    """Do every job, and tell of each how it went. many: go on where the report beside the stickers ends.

    Raises SettingsError, DeviceError or WeightsError for what is wrong with every input.
    """
    passed_over = devices.missing_runtime(settings.device)
    if passed_over:
        watch.notice(passed_over)
    if not many:
        network = Loading(settings.weights, settings.device, settings.batch_size)
        return runner.run_jobs(jobs, InProcess(network, watch), None, overwrite=run.overwrite)
    ledger = RunLog(_home(inputs, output))
    workers = _machines(settings, run, len(jobs), watch) if run.ray else _processes(settings, run, len(jobs), watch)
    return runner.run_jobs(jobs, workers, ledger, overwrite=run.overwrite)


def _processes(settings: Settings, run: Run, jobs: int, watch: Progress) -> WorkerPool:
    from animecut.batch import workers as worker_pool

    kind = devices.choose_device(settings.device).partition(":")[0]
    count = min(run.jobs or worker_pool.suggested_workers(kind), jobs)
    return worker_pool.ProcessPool(
        _load(settings),
        count,
        threads=max(1, available_cores() // count),
        patience=run.timeout,
        memory=run.max_memory * GB if run.max_memory else worker_pool.SHARE * psutil.virtual_memory().total / count,
        notice=watch.notice,
    )


def _machines(settings: Settings, run: Run, jobs: int, watch: Progress) -> WorkerPool:
    if find_spec("ray") is None:
        raise SettingsError("needs it installed; pip install 'animecut[ray]'", field="ray")
    from animecut.batch import ray_backend

    return ray_backend.RayPool(
        run.ray or ray_backend.LOCAL,
        _load(settings),
        device=settings.device,
        most=min(run.jobs or jobs, jobs),
        patience=run.timeout,
        memory=run.max_memory * GB if run.max_memory else None,
        notice=watch.notice,
    )


def _load(settings: Settings) -> "Callable[[], Network]":
    """What makes the network of these settings, in whichever process of whichever machine."""
    from animecut.segmentation import segmenter

    load = partial(segmenter.Segmenter, device=settings.device, batch_size=settings.batch_size)
    if settings.weights:  # the ones that come along are found where they are installed
        load = partial(load, weights=settings.weights)
    return partial(_all_loaded, load, settings.matting, settings.weights, _makers(settings.weights))


def _all_loaded(
    load: "Callable[[], Network]", way: Matting, weights: Path | None, makers: tuple[str, str]
) -> "Network":
    """The network, once the matting solver is loaded too: a worker's jobs need not wait for it, nor be given up.

    Raises WeightsError where it would not make the stickers that the report says.
    """
    if _makers(weights) != makers:
        raise WeightsError(f"{platform.node()}: has another animecut, or other weights, than the run began with")
    matting.warm_up(way)
    return load()


def _makers(weights: Path | None) -> tuple[str, str]:
    """What beside settings makes a sticker: our version, and the digest of the weights."""
    return __version__, weight_files.digest(weights or weight_files.DEFAULT_WEIGHTS)


def _home(inputs: Sequence[Path], output: Path | None) -> Path:
    """The folder that every sticker lies in or below, where the report is kept."""
    folders = [folder_of(path) for path in inputs]
    if output:
        return output.parent if names_file(output) else output
    return Path(os.path.commonpath([folder.absolute() for folder in folders]))
