"""Progress bars for the command line."""

import sys
from types import TracebackType

from tqdm import tqdm

from animecut._util.progress import Progress
from animecut.cli.words import in_flags


class ProgressBars(Progress):
    """One bar at a time on standard error, with its rate; nothing where it is silent or no terminal is there."""

    def __init__(self, *, silent: bool) -> None:
        super().__init__()
        self._silent = silent
        self._bar: tqdm[None] | None = None
        self._stage = self._heard = ""

    def __enter__(self) -> "ProgressBars":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def progress(self, stage: str, done: int, total: int | None, unit: str = "pictures") -> None:
        """Move the stage's bar; a new stage gets a new bar, but not while the one that is shown goes on beside it."""
        beside, self._heard = self._heard == self._stage, stage
        if self._bar is not None and stage != self._stage:
            if beside and self._bar.n < (self._bar.total or 0):
                return
            self._close()
        if self._bar is None:
            # None: tqdm itself stays silent where standard error is no terminal.
            self._bar = tqdm(
                desc=stage, total=total, unit=f" {unit}", disable=True if self._silent else None, leave=False
            )
            self._stage = stage
        self._bar.total = total
        self._bar.update(done - self._bar.n)

    def notice(self, message: str) -> None:
        """Print a line above the bars."""
        if not self._silent:
            tqdm.write(in_flags(message), file=sys.stderr)

    def error(self, message: str) -> None:
        """The same, where it is silent too."""
        tqdm.write(message, file=sys.stderr)

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None
