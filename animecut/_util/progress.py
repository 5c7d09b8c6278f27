"""Who is told how far the work is, and where the time goes."""

import threading
import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

Item = TypeVar("Item")

WAITING = ""  # no stage: the time that a thread waits for another one is charged to nobody


class Progress:
    """Keeps the seconds of every stage, and is silent; the command line draws bars with one of its own.

    Stages that run side by side are charged each in its own thread: together they may have more seconds than passed.
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._adding = threading.Lock()
        self._thread = threading.local()

    def progress(self, stage: str, done: int, total: int | None) -> None:
        """So many pictures of a stage are done, of so many, where that is known."""

    def notice(self, message: str) -> None:
        """Something a user should know."""

    def each(self, stage: str, items: Iterable[Item]) -> Generator[Item]:
        """The same items; the time that they take is this stage's, but for what an inner stage takes."""
        iterator = iter(items)
        while True:
            with self.during(stage):
                item = next(iterator, None)
            if item is None:
                return
            yield item

    @contextmanager
    def during(self, stage: str) -> Iterator[None]:
        """Charge the time inside to a stage, and stop charging the one outside."""
        self._charge()
        stages: list[str] = self._thread.stages
        stages.append(stage)
        try:
            yield
        finally:
            self._charge()
            stages.pop()

    def _charge(self) -> None:
        now = time.perf_counter()
        if not hasattr(self._thread, "stages"):
            self._thread.stages = []
        stage = self._thread.stages[-1] if self._thread.stages else WAITING
        if stage != WAITING:
            with self._adding:
                self.seconds[stage] = self.seconds.get(stage, 0.0) + now - self._thread.since
        self._thread.since = now
