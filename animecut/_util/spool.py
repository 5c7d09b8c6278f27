"""Arrays set aside between two passes: in memory while they are few, else in a temporary file."""

import tempfile
from collections.abc import Iterator
from contextlib import suppress
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from animecut.errors import NoRoom, reason_of

IN_MEMORY = 64 * 2**20  # bytes; more than that goes to disk, so that a long clip needs no more memory than a short one

Record = tuple[NDArray[Any], ...]


class Spool:
    """Records of arrays, appended once and read in order as often as needed. A context manager."""

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 (closed in __exit__)
        self._ends: list[int] = [0]
        self._counts: list[int] = []

    def __enter__(self) -> "Spool":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):  # what a full disk did not take is needed no more
            self._file.close()

    def __len__(self) -> int:
        return len(self._counts)

    def append(self, *record: NDArray[Any]) -> None:
        """Set one record aside. Raises NoRoom where the temporary folder is full."""
        try:
            self._file.seek(self._ends[-1])
            for array in record:
                np.save(self._file, array, allow_pickle=False)
            self._file.flush()
        except OSError as error:
            reason = f"takes no more ({reason_of(error)}); make room there, or name another with TMPDIR"
            raise NoRoom(f"the temporary folder {reason}") from error
        self._ends.append(self._file.tell())
        self._counts.append(len(record))

    def __getitem__(self, index: int) -> Record:
        self._file.seek(self._ends[index])
        return tuple(np.load(self._file, allow_pickle=False) for _ in range(self._counts[index]))

    def __iter__(self) -> Iterator[Record]:
        return (self[i] for i in range(len(self)))


class FillingSpool:
    """Arrays that are made when they are first asked for, in order, and set aside in a spool for the next time."""

    def __init__(self, spool: Spool, arrays: Iterator[NDArray[Any]]) -> None:
        self._spool, self._arrays = spool, arrays

    def __getitem__(self, index: int) -> NDArray[Any]:
        while index >= len(self._spool):
            self._spool.append(next(self._arrays))
        return self._spool[index][0]
