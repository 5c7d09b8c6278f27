"""A claim on outputs: one run at a time makes them, and a run that was killed is known to have begun."""

import os
import re
import shutil
import sys
from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path

from animecut.errors import OutputError

if sys.platform != "win32":  # where there is no flock: there, two runs at once are the user's to avoid
    import fcntl

BEGUN = b"begun\n"  # in a lock file: what lies under the output's name, if anything, is ours


class OutputLocks:
    """Locks beside outputs: `.name.lock`. The system drops a lock with its process; the file stays and tells of it."""

    def __init__(self) -> None:
        self._files: dict[Path, tuple[Path, int]] = {}  # of each target: its lock, and the open file
        self._left_over: set[Path] = set()
        self._begun = False

    @classmethod
    def take(cls, targets: Sequence[Path]) -> "OutputLocks | None":
        """Claim outputs whose folders are there; None where another run has one. Raises OutputError."""
        claim = cls()
        for target in targets:
            try:
                taken = sys.platform == "win32" or claim._lock(target)
            except OSError as error:
                claim.release()
                raise OutputError(
                    f"{target}: cannot be locked ({error.strerror}); name another output with -o"
                ) from error
            if not taken:
                claim.release()
                return None
        return claim

    def is_left_over(self, target: Path) -> bool:
        """Whether a run that was killed had begun this output."""
        return target in self._left_over

    def begin(self) -> None:
        """Say that the outputs are being made, and clear away what a killed run left. Raises OutputError."""
        self._begun = True
        for target, (_, file) in self._files.items():
            try:
                _sweep(target)
                os.pwrite(file, BEGUN, 0)
            except OSError as error:
                raise OutputError(f"{target}: cannot be begun ({error.strerror}); is there room?") from error

    def release(self, untold: Collection[Path] = ()) -> None:
        """Give the outputs free. untold: those that are there and that no report tells of: they stay known as ours."""
        for target, (path, file) in self._files.items():
            with suppress(OSError):  # the folder may be gone by now
                if self._begun:
                    _sweep(target)
            with suppress(OSError):
                if target not in untold:
                    path.unlink(missing_ok=True)
            os.close(file)
        self._files.clear()

    def _lock(self, target: Path) -> bool:
        path = _lock_of(target)
        while True:
            file = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(file)
                return False
            if path.exists() and os.fstat(file).st_ino == path.stat().st_ino:
                break
            os.close(file)  # its owner removed it between our opening and our locking
        self._files[target] = path, file
        if os.pread(file, len(BEGUN), 0) == BEGUN:
            self._left_over.add(target)
        return True


def is_begun(target: Path) -> bool:
    """Whether a run makes this output, or was killed when it did."""
    return _lock_of(target).exists()


def _lock_of(target: Path) -> Path:
    return target.with_name(f".{target.name}.lock")


def _sweep(target: Path) -> None:
    """Remove the unfinished files and folders that were to become this output."""
    unfinished = re.compile(rf"\.{re.escape(target.name)}\.[0-9a-z_]{{8}}\.(part|old)")
    for name in os.listdir(target.parent):  # noqa: PTH208 of ten thousand names, no paths: this is done for each input
        if name[0] == "." and unfinished.fullmatch(name):
            path = target.parent / name
            shutil.rmtree(path) if path.is_dir() else path.unlink()
