"""Worker processes, each with its own network: a file that crashes its decoder, or never ends, costs only itself."""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from multiprocessing import connection, get_context, parent_process
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import Protocol, cast

import cv2
import psutil

from animecut._util.concurrency import available_cores, in_main_thread, limit_cores
from animecut._util.progress import Progress
from animecut.batch.jobs import Job
from animecut.batch.run_log import source_fingerprint
from animecut.batch.runner import JobResult, run_job
from animecut.errors import AnimecutError, DeviceError
from animecut.types import Alpha, Pixels

TICK = 0.25  # seconds between two looks at the workers' memory
BEAT = 1.0  # seconds between two signs of life
GOODBYE = 5.0  # seconds that a worker has for tidying up
STARTUP = 600.0  # seconds to load the network in; a cold disk and a first CUDA start are slow
TRIES = 2  # of a job, and of a worker's start
CORES_EACH = 2  # for a worker on a CPU: one computes while the other one decodes and encodes
ON_A_GPU = 4  # workers at once: the most of each one's time is the CPU's
SHARE = 0.8  # of a machine's memory, for all its workers together


class Network(Protocol):
    """What finds characters; a Segmenter is one."""

    @property
    def device_name(self) -> str:
        """Device and precision in words."""

    def __call__(self, pixels: Pixels) -> Alpha:
        """Pictures to coarse alpha."""


@dataclass
class _Slot:
    """A worker and what it is doing. ready: its network is loaded."""

    process: SpawnProcess
    pipe: "Connection[object, object]"
    ready: bool = False
    job: Job | None = None
    tries: int = 0
    deadline: float = 0.0
    fault: str = ""


class ProcessPool:
    """Slots in processes of their own.

    load: makes the network; sent to every worker.  count: workers.  threads: that each may use.
    patience: seconds within which a job must get further by a picture, so that a long clip has more time than a short
    one.  memory: bytes that a worker may hold.  notice: is given what a user should know.
    """

    def __init__(
        self,
        load: Callable[[], Network],
        count: int,
        *,
        threads: int,
        patience: float,
        memory: float,
        notice: Callable[[str], None],
    ) -> None:
        self._load, self._patience, self._memory, self._notice = load, patience, memory, notice
        self._threads = threads
        self._failed_starts = 0
        self._slots = [self._start() for _ in range(count)]

    def free(self) -> bool:
        """Whether a job can be taken now."""
        return any(slot.job is None for slot in self._slots)

    def submit(self, job: Job) -> None:
        """Give a job to a worker that has none."""
        self._give(next(slot for slot in self._slots if slot.job is None), job)

    def collect(self) -> list[JobResult]:
        """Jobs that are done; waits a moment for one. Raises what is wrong with every job."""
        connection.wait([slot.pipe for slot in self._slots], TICK)
        return [done for i in range(len(self._slots)) for done in self._look_after(i)]

    def close(self) -> None:
        """Stop the workers; they tidy up."""
        for slot in self._slots:
            slot.process.terminate()
        for slot in self._slots:
            slot.process.join(GOODBYE)
            _kill(slot)
        self._slots = []

    def _start(self) -> _Slot:
        context = get_context("spawn")  # a forked CUDA or thread pool does not work
        here, there = context.Pipe()
        process = context.Process(target=_work, args=(there, self._load, self._threads), daemon=True)
        with _deaf_to_ctrl_c():
            process.start()
        there.close()
        return _Slot(process, here, deadline=time.monotonic() + STARTUP)

    def _give(self, slot: _Slot, job: Job) -> None:
        slot.job, slot.tries = job, slot.tries + 1
        slot.deadline = time.monotonic() + (self._patience if slot.ready else STARTUP)
        with contextlib.suppress(OSError):  # dead already: it is looked after
            slot.pipe.send(job)

    def _look_after(self, index: int) -> list[JobResult]:
        """Hear a worker; put another one in its place where it is dead, stuck or too large."""
        slot = self._slots[index]
        try:
            while slot.pipe.poll():
                if done := self._heard(slot, slot.pipe.recv()):
                    return [done]
        except (EOFError, OSError):
            slot.process.join(GOODBYE)
            slot.fault = f"crashed its worker ({_reason(slot.process.exitcode)})"
        if not slot.fault and slot.job and time.monotonic() > slot.deadline:
            slot.fault = f"got no further for {self._patience:g} s"
        if not slot.fault and slot.ready and _held(slot) > self._memory:
            slot.fault = f"needs more than {self._memory / 1e9:.1f} GB of memory (`max_memory`)"
            slot.tries = TRIES  # it would again
        return self._replace(index) if slot.fault else []

    def _heard(self, slot: _Slot, said: object) -> JobResult | None:
        slot.deadline = time.monotonic() + self._patience
        if isinstance(said, AnimecutError):
            raise said
        if isinstance(said, JobResult):
            said = replace(said, tries=slot.tries)
            slot.job, slot.tries = None, 0
            return said
        if isinstance(said, str):
            self._notice(said)
        slot.ready = True
        self._failed_starts = 0
        return None

    def _replace(self, index: int) -> list[JobResult]:
        old = self._slots[index]
        _kill(old)
        if not old.ready:
            self._failed_starts += 1
            if self._failed_starts == TRIES:
                raise DeviceError(f"a worker process does not start ({old.fault}); try `jobs` 1 or `device` cpu")
            old.tries -= 1  # it was not the job's fault
        self._slots[index] = new = self._start()
        if old.job is None:
            return []
        if old.tries < TRIES:
            new.tries = old.tries
            self._give(new, old.job)
            return []
        problem = f"{old.job.source}: {old.fault}; it is damaged, or too large: convert it, or leave it out"
        return [JobResult(old.job, problem=problem, source=source_fingerprint(old.job.source), tries=old.tries)]


def suggested_workers(device: str) -> int:
    """How many workers suit this machine. device: cpu, cuda or mps."""
    return max(1, available_cores() // CORES_EACH if device == "cpu" else min(ON_A_GPU, available_cores()))


class _Messages:
    """What a worker tells its parent; its stages tell from several threads, and one message must not break another."""

    def __init__(self, pipe: "Connection[object, object]") -> None:
        self._pipe, self._sending = pipe, threading.Lock()

    def send(self, message: object) -> None:
        """Send one message whole. Raises BrokenPipeError where nobody listens any more."""
        with self._sending:
            self._pipe.send(message)


class _Telling(Progress):
    """Tells the parent that a job gets on."""

    def __init__(self, messages: _Messages) -> None:
        super().__init__()
        self._messages, self._told = messages, 0.0

    def progress(self, stage: str, done: int, total: int | None) -> None:
        """A sign of life, not too often."""
        if time.monotonic() - self._told > BEAT:
            self._told = time.monotonic()
            self._messages.send(None)

    def notice(self, message: str) -> None:
        """Hand it on."""
        self._messages.send(message)


@contextlib.contextmanager
def _deaf_to_ctrl_c() -> Iterator[None]:
    """Processes started here do not hear Ctrl-C, which a terminal sends to all: their parent stops them.

    Not so where another thread than the main one starts them, as only that may say what signals do.
    """
    if not in_main_thread():
        yield
        return
    heard = signal.signal(signal.SIGINT, signal.SIG_IGN)  # inherited, unlike a handler
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, heard)


def _work(pipe: "Connection[object, object]", load: Callable[[], Network], threads: int) -> None:
    """A worker's life: load the network once, then one job after the other."""
    threading.Thread(target=_die_with_parent, daemon=True).start()
    limit_cores(threads)
    cv2.setNumThreads(threads)
    messages = _Messages(pipe)
    try:
        network = load()
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # from now on there is something to tidy up
        messages.send(None)
        while True:
            messages.send(_one(cast(Job, pipe.recv()), network, _Telling(messages)))
    except AnimecutError as error:  # wrong for every job
        messages.send(error)
    except (KeyboardInterrupt, EOFError, BrokenPipeError):
        return


def _one(job: Job, network: Network, watch: Progress) -> JobResult:
    try:
        return run_job(job, network, watch)
    except AnimecutError:
        raise
    except Exception as error:  # noqa: BLE001 a mistake of ours must not cost the other files
        problem = f"{job.source}: failed in an unforeseen way ({type(error).__name__}: {error}); please report this"
        return JobResult(job, problem=" ".join(problem.split()), source=source_fingerprint(job.source))


def _die_with_parent() -> None:
    """Without its parent, whose locks are free then, a worker must not go on writing."""
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def _kill(slot: _Slot) -> None:
    slot.process.kill()
    slot.process.join()
    slot.pipe.close()


def _held(slot: _Slot) -> int:
    try:
        return int(psutil.Process(slot.process.pid).memory_info().rss)
    except psutil.Error:
        return 0


def _reason(code: int | None) -> str:
    try:
        return signal.Signals(-code).name if code is not None and code < 0 else f"exit code {code}"
    except ValueError:
        return f"signal {-(code or 0)}"
