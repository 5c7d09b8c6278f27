"""Bars on standard error for whoever waits."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tqdm import tqdm

if TYPE_CHECKING:
    from animecut_training.run import Reporter


@contextmanager
def steps() -> "Iterator[Reporter]":
    """A bar of steps and losses on standard error; nothing from any but the first of several processes."""
    from animecut_training.loop import distributed  # with PyTorch, for which labels need not wait
    from animecut_training.options import in_flags
    from animecut_training.run import Reporter

    if distributed.rank():
        yield Reporter()
        return
    with tqdm(unit=" steps", desc="fit") as bar:

        def move(step: int, steps: int, losses: dict[str, float]) -> None:
            bar.total = steps
            shown = {name: f"{value:.3f}" for name, value in losses.items() if not name.endswith("rate")}
            bar.set_postfix(shown, refresh=False)
            bar.update(step - bar.n)

        yield Reporter(move, lambda line: tqdm.write(in_flags(line), file=sys.stderr))


class Bar:
    """A bar on standard error, none where no terminal is there."""

    def __init__(self, what: str) -> None:
        self._bar = tqdm(desc=what, disable=None, leave=False)

    def __enter__(self) -> Callable[[int, int | None], None]:
        return self._move

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def _move(self, done: int, total: int | None) -> None:
        self._bar.total = total
        self._bar.update(done - self._bar.n)
