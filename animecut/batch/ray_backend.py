"""Slots on other machines, by Ray: a worker there has a process of its own, as here. The only door to Ray."""

import contextlib
import logging
import os
import signal
import socket
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import psutil
import ray

from animecut._util.concurrency import available_cores
from animecut.batch.jobs import Job
from animecut.batch.run_log import source_fingerprint
from animecut.batch.runner import JobResult
from animecut.batch.workers import CORES_EACH, GOODBYE, ON_A_GPU, SHARE, TICK, TRIES, Network, ProcessPool
from animecut.errors import AnimecutError, DeviceError

LOCAL = "local"  # in place of an address: a cluster of this machine alone, for this run alone
LOSSES = 4  # of a job; a system that kills what needs too much memory looks like a lost machine

Actor: TypeAlias = Any  # of Ray: a _Worker on some machine
Ref: TypeAlias = Any  # of Ray: what one was asked for
Answer: TypeAlias = tuple[list[JobResult], list[str]] | AnimecutError
"""What is done, and what a user should know; or what is wrong for every job."""


class RayPool:
    """Slots on the machines of a Ray cluster, as many as there is room for, also where machines come and go.

    address: of the cluster, or "local".  load: makes the network; sent to every worker.  device: auto takes the
    machines with a GPU, where there are some.  most: workers.  patience, notice: as for Processes.
    memory: bytes that a worker may hold. None: its share of its machine's.
    Raises DeviceError where no cluster answers.
    """

    def __init__(
        self,
        address: str,
        load: Callable[[], Network],
        *,
        device: str,
        most: int,
        patience: float,
        memory: float | None,
        notice: Callable[[str], None],
    ) -> None:
        _connect(address)
        most_cores = max((int(has.get("CPU", 0)) for has in _machines()), default=0)
        self._cores = min(CORES_EACH, most_cores or CORES_EACH)
        wanted = device != "cpu" and (device != "auto" or any(has.get("GPU") for has in _machines()))
        self._gpus = 1 / ON_A_GPU if wanted else 0
        self._most, self._notice = most, notice
        worker: Any = ray.remote(num_cpus=self._cores, num_gpus=self._gpus)  # as Ray is typed in one place only
        self._hire = partial(worker(_Worker).remote, load, Path.cwd(), self._cores, patience, memory)
        self._waiting: deque[Job] = deque()
        self._idle: list[Actor] = []
        self._asked: dict[Ref, tuple[Actor, Job | None]] = {}  # None: only whether it is there yet
        self._losses: dict[Path, int] = {}  # by a job's first target
        self._failed_starts = 0

    def free(self) -> bool:
        """Whether a job can be taken now: there is a worker for it, or it is the next."""
        return len(self._waiting) <= len(self._idle)

    def submit(self, job: Job) -> None:
        """Take a job."""
        self._waiting.append(job)

    def collect(self) -> list[JobResult]:
        """Jobs that are done; waits a moment for one. Raises what is wrong with every job."""
        for _ in range(self._room() - len(self._idle) - len(self._asked)):
            self._ask(self._hire(), None)
        while self._waiting and self._idle:
            actor, job = self._idle.pop(), self._waiting.popleft()
            actor.submit.remote(job)
            self._ask(actor, job)
        ready, _ = ray.wait(list(self._asked), num_returns=1, timeout=TICK)
        return [done for ref in ready for done in self._heard(ref)]

    def close(self) -> None:
        """Stop the workers, who tidy up, and leave the cluster."""
        there = self._idle + [actor for actor, job in self._asked.values() if job]
        if there:
            ray.wait([actor.close.remote() for actor in there], num_returns=len(there), timeout=2 * GOODBYE)
        ray.shutdown()

    def _room(self) -> int:
        """How many workers there may be; one at least, so that a cluster that grows by need knows of it."""
        rooms = (
            min(has.get("CPU", 0) // self._cores, has.get("GPU", 0) // self._gpus if self._gpus else self._most)
            for has in _machines()
        )
        return max(1, min(self._most, int(sum(rooms))))

    def _ask(self, actor: Actor, job: Job | None) -> None:
        self._asked[actor.collect.remote()] = actor, job

    def _heard(self, ref: Ref) -> list[JobResult]:
        actor, job = self._asked.pop(ref)
        try:
            answer: Answer = ray.get(ref)
        except ray.exceptions.RayError as error:
            ray.kill(actor)
            return self._lost(job, str(error).strip().splitlines()[-1])
        if isinstance(answer, AnimecutError):
            raise answer
        finished, noticed = answer
        self._failed_starts = 0
        for words in noticed:
            self._notice(words)
        if job and not finished:
            self._ask(actor, job)
        else:
            self._idle.append(actor)
        return [replace(done, tries=done.tries + self._losses.get(done.job.targets[0].path, 0)) for done in finished]

    def _lost(self, job: Job | None, why: str) -> list[JobResult]:
        """A worker is gone: its job, if it had one, is done by another one."""
        if job is None:
            self._failed_starts += 1
            if self._failed_starts == TRIES * LOSSES:
                raise DeviceError(
                    f"no worker starts there ({why}); is animecut installed on every machine?", field="ray"
                )
            return []
        first = job.targets[0].path
        losses = self._losses[first] = self._losses.get(first, 0) + 1
        if losses < LOSSES:
            self._waiting.appendleft(job)
            return []
        problem = f"{job.source}: was lost with its machine {losses} times ({why}); is it too large? See `max_memory`"
        return [JobResult(job, problem=problem, source=source_fingerprint(job.source), tries=losses)]


class _Worker:
    """Lives on some machine of the cluster: a slot with a process of its own, of which is asked from afar."""

    def __init__(
        self, load: Callable[[], Network], folder: Path, threads: int, patience: float, memory: float | None
    ) -> None:
        with contextlib.suppress(OSError):  # without it, names have to be absolute
            os.chdir(folder)
        self._noticed: list[str] = []
        share = SHARE * psutil.virtual_memory().total * min(1, threads / available_cores())
        self._slots = ProcessPool(
            load, 1, threads=threads, patience=patience, memory=memory or share, notice=self._noticed.append
        )

    def submit(self, job: Job) -> None:
        """Begin a job."""
        self._slots.submit(job)

    def collect(self) -> Answer:
        """The job, where it is done by now."""
        try:
            finished = self._slots.collect()
        except AnimecutError as error:
            return error
        noticed, self._noticed[:] = list(self._noticed), []
        return finished, noticed

    def close(self) -> None:
        """Stop what is being done."""
        self._slots.close()


def _machines() -> list[dict[str, float]]:
    """What each machine has that is there: CPU, GPU, ..."""
    return [node["Resources"] for node in ray.nodes() if node["Alive"]]


def _connect(address: str) -> None:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # or it tells its makers
    own = {"num_cpus": available_cores(), "include_dashboard": False} if address == LOCAL else {}
    heard = signal.getsignal(signal.SIGTERM)
    try:
        _knock(address)
        ray.init(address, log_to_driver=False, logging_level=logging.ERROR, **own)
    except Exception as error:  # Ray raises what it likes, bare ones too
        why = " ".join(str(error).split())
        words = f"no cluster answers ({why}); run `ray start`, or give `ray` local"
        raise DeviceError(words, field="ray", value=address) from error
    finally:
        signal.signal(signal.SIGTERM, heard)  # Ray sets one of its own


def _knock(address: str) -> None:
    """Raise OSError where nobody answers; Ray alone would try for minutes."""
    host, _, port = address.rpartition("/")[2].rpartition(":")
    if host:
        socket.create_connection((host.strip("[]"), int(port)), timeout=GOODBYE).close()
