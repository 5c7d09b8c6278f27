"""Locks on outputs: one run at a time makes them, and a run that was killed is known to have begun."""

import os
import re
import shutil
from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

from animecut._util.paths import UNFINISHED, hidden_beside
from animecut.errors import OutputError, reason_of


class OutputLocks:
    """Locks beside outputs, `.name.lock`, and a mark, `.name.begun`, while something is made.

    The system drops a lock with its process. The mark stays: what lies under the output's name, if anything, is ours.
    """

    def __init__(self) -> None:
        self._locks: dict[Path, FileLock] = {}
        self._left_over: set[Path] = set()
        self._begun = False

    @classmethod
    def take(cls, targets: Sequence[Path]) -> "OutputLocks | None":
        """Lock outputs whose folders are there; None where another run has one. Raises OutputError."""
        locks = cls()
        for target in targets:
            try:
                locks._lock(target)
            except Timeout:
                locks.release()
                return None
            except OSError as error:
                locks.release()
                raise OutputError(
                    f"{target}: cannot be locked ({reason_of(error)}); name another with `output`"
                ) from error
        return locks

    def is_left_over(self, target: Path) -> bool:
        """Whether a run that was killed had begun this output."""
        return target in self._left_over

    def begin(self) -> None:
        """Mark that the outputs are being made, and clear away what a killed run left. Raises OutputError."""
        self._begun = True
        for target in self._locks:
            try:
                _sweep(target)
                _mark_of(target).touch()
            except OSError as error:
                raise OutputError(f"{target}: cannot be begun ({reason_of(error)}); is there room?") from error

    def release(self, untold: Collection[Path] = ()) -> None:
        """Give the outputs free. untold: those that are there and that no report tells of: they stay known as ours."""
        for target, lock in self._locks.items():
            with suppress(OSError):  # the folder may be gone by now
                if self._begun:
                    _sweep(target)
            with suppress(OSError):
                if target not in untold:
                    _mark_of(target).unlink(missing_ok=True)
            with suppress(OSError):
                _lock_of(target).unlink(missing_ok=True)  # by its owner only; who waits for it then makes another
            lock.release()
        self._locks.clear()

    def _lock(self, target: Path) -> None:
        lock = FileLock(_lock_of(target), timeout=0, thread_local=False)
        lock.acquire()
        self._locks[target] = lock
        if _mark_of(target).exists():
            self._left_over.add(target)


def is_begun(target: Path) -> bool:
    """Whether a run makes this output, or was killed when it did."""
    return _mark_of(target).exists() or _lock_of(target).exists()


def _lock_of(target: Path) -> Path:
    return hidden_beside(target, ".lock")


def _mark_of(target: Path) -> Path:
    return hidden_beside(target, ".begun")


def _sweep(target: Path) -> None:
    """Remove the unfinished files and folders that were to become this output."""
    begins = hidden_beside(target, UNFINISHED).name.removesuffix(UNFINISHED)
    unfinished = re.compile(rf"{re.escape(begins)}\.[0-9a-z_]{{8}}\.(part|old)")
    for name in os.listdir(target.parent):  # noqa: PTH208 of ten thousand names, no paths: this is done for each input
        if name[0] == "." and unfinished.fullmatch(name):
            path = target.parent / name
            shutil.rmtree(path) if path.is_dir() else path.unlink()
