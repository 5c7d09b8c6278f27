"""Work side by side, order kept: a stage in a thread of its own, one function on several items, something to be loaded.

Threads, not processes: what takes long here (FFmpeg, OpenCV, torch, numba, scipy, libwebp) gives the interpreter's lock
away, and each process would first have to import for seconds. A caller that stops, for whatever reason, stops them too.
"""

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from math import ceil, inf
from pathlib import Path
from queue import SimpleQueue
from types import TracebackType
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

PATIENCE = 1.0  # seconds that a stopped thread has for its last item; what takes longer ends with the process
QUOTA = Path("/sys/fs/cgroup/cpu.max")
IN_HAND = 2  # items for each worker: the one that it works on, and the next

_shares: list[int] = []  # of the cores, as far as anybody said


def available_cores() -> int:
    """How many processor cores this process may use: of those there are, its container's quota, and its share."""
    there = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return int(min(there, _quota(), *_shares))


def limit_cores(count: int) -> None:
    """From now on let this process use no more cores than that, as others want the rest."""
    _shares.append(max(1, count))


def in_main_thread() -> bool:
    """Whether this is the process's main thread, the only one that may say what signals do."""
    return threading.current_thread() is threading.main_thread()


def _quota() -> float:
    try:
        used, period = QUOTA.read_text().split()
        return max(1, ceil(int(used) / int(period)))
    except (OSError, ValueError):  # no Linux, or "max"
        return inf


class Threads:
    """Stages in threads of their own, which end together when the context is left, whatever they are waiting for."""

    def __init__(self) -> None:
        self._stopped = threading.Event()
        self._running: list[tuple[threading.Thread, Callable[[], None]]] = []

    def __enter__(self) -> "Threads":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        for _, wake in self._running:
            wake()
        until = time.monotonic() + PATIENCE
        for thread, _ in self._running:
            thread.join(max(0.0, until - time.monotonic()))

    def ahead(self, items: Generator[Item], depth: int = 2) -> Iterator[Item]:
        """The same items, made in a thread from now on, at most `depth` of them before they are asked for.

        What making them raises is raised where they are asked for, behind the items before it. The thread closes them.
        """
        made: SimpleQueue[tuple[Item] | BaseException | None] = SimpleQueue()
        room = threading.Semaphore(depth - 1)

        def make() -> None:
            end = None
            try:
                with closing(items):
                    for item in items:
                        made.put((item,))
                        room.acquire()
                        if self._stopped.is_set():
                            break
            except BaseException as error:  # noqa: BLE001 raised again where the items are used
                end = error
            made.put(end)

        def wake() -> None:
            room.release()
            made.put(None)

        thread = threading.Thread(target=make, daemon=True)
        self._running.append((thread, wake))
        thread.start()
        return _taken(made, room)


def _taken(made: "SimpleQueue[tuple[Item] | BaseException | None]", room: threading.Semaphore) -> Iterator[Item]:
    while (got := made.get()) is not None:
        if isinstance(got, BaseException):
            raise got
        room.release()
        yield got[0]


def parallel_map(
    function: Callable[[Item], Result], items: Iterable[Item], workers: int | None = None
) -> Generator[Result]:
    """The function of every item, in order, several at once (default: as many as there are cores).

    Items are taken in the caller's thread, a few ahead of the results that are asked for.
    """
    workers = workers or available_cores()
    under_way: deque[Future[Result]] = deque()
    pool = ThreadPoolExecutor(workers)
    try:
        for item in items:
            under_way.append(pool.submit(function, item))
            if len(under_way) == IN_HAND * workers:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def run_in_thread(make: Callable[[], Result]) -> Future[Result]:
    """Something that is made in a thread from now on; its `result` waits, and raises what making it raised.

    The interpreter ends only after it: torch, amid its import, aborts the process where the interpreter ends beside it.
    """
    future: Future[Result] = Future()

    def fill() -> None:
        try:
            future.set_result(make())
        except BaseException as error:  # noqa: BLE001 raised again where the result is used
            future.set_exception(error)

    threading.Thread(target=fill).start()
    return future
