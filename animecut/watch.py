"""Who is told how far the work is, and where the time goes."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

Item = TypeVar("Item")


class Watch:
    """Keeps the seconds of every stage, and is silent; the command line draws bars with one of its own."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._stages: list[str] = []
        self._since = time.perf_counter()

    def progress(self, stage: str, done: int, total: int | None) -> None:
        """So many pictures of a stage are done, of so many, where that is known."""

    def notice(self, message: str) -> None:
        """Something a user should know."""

    def each(self, stage: str, items: Iterable[Item]) -> Iterator[Item]:
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
        self._stages.append(stage)
        try:
            yield
        finally:
            self._charge()
            self._stages.pop()

    def _charge(self) -> None:
        now = time.perf_counter()
        if self._stages:
            self.seconds[self._stages[-1]] = self.seconds.get(self._stages[-1], 0.0) + now - self._since
        self._since = now
