"""Which drawings a sticker shows when: cut off its end, turned to its best still, played in whole seconds.

Nothing here is ever sped up or slowed down.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from animecut.errors import OutputError
from animecut.platforms.specs import PLATFORMS, Platform
from animecut.types import Seconds

EARLY = 0.003  # seconds that a drawing's time may be short: sources round their times
TWOS, THREES = 1 / 12 - EARLY, 1 / 8 - EARLY  # seconds per drawing at 24 frames a second, as animators shoot them
EXACT = 0.0005  # seconds; what is left of it is rounding to a container's ticks
SEEN = 0.02  # seconds; browsers slow what is shown for less
PLAYS = (4, 2, 1)  # of a sticker that lasts whole seconds in all; thirds of a second do not come out in milliseconds
BETTER = 1.15  # times as good a still as the first picture is worth turning the loop for


@dataclass(frozen=True)
class Timeline:
    """Which drawings are shown when, before any is left out; posts are seconds from 0."""

    order: NDArray[np.intp]
    posts: NDArray[np.float64]
    plays: int
    given_up: tuple[str, ...] = ()

    def thinned(self, shortest: float) -> "Timeline":
        """Every drawing stays for `shortest` seconds at least; those in whose time it stays are left out."""
        kept = [0]
        for i in range(1, len(self.order)):
            if self.posts[i] - self.posts[kept[-1]] >= shortest - EXACT:
                kept.append(i)
        if len(kept) > 1 and self.posts[-1] - self.posts[kept[-1]] < min(shortest, TWOS) - EXACT:
            kept.pop()
        return self._kept(kept)

    def at_most(self, count: float) -> "Timeline":
        """So many drawings or fewer, spread evenly: of all that begin in one of so many slots of time, the first."""
        if len(self.order) <= count:
            return self
        slots = np.floor(self.posts[:-1] * count / self.posts[-1] + 1e-6)
        return self._kept(np.unique(slots, return_index=True)[1].tolist())

    def with_only(self, shown: list[int], starts: list[int]) -> "Timeline":
        """The drawings `shown` alone, each from where the one of `starts` began."""
        return replace(self, order=self.order[shown], posts=self.posts[[*starts, -1]])

    def _kept(self, kept: list[int]) -> "Timeline":
        return self.with_only(kept, kept)


def plan_timeline(
    posts: Seconds, scores: Sequence[float], row: Platform, *, loop: int, first: float | None
) -> Timeline:
    """What the platform shows of drawings that are shown between `posts`, in whatever order it likes best.

    posts: (T + 1,). scores: T, how good a still each is. loop: how often to play where the platform leaves it open.
    first: the moment that comes first; None leaves the choice. Raises OutputError where drawings are too few, or none
    is shown at `first`.
    """
    if not row.animated:
        return _still(posts, scores, row, first)
    duration, said = float(posts[-1] - posts[0]), []
    end, plays = min(duration, row.max_seconds), loop
    if row.whole_seconds:
        end, plays = _whole(posts, row, loop)
        said.append(f"plays {plays} times, {plays * end:g} s in all")
    elif row.loops and not row.loops[0] <= loop <= row.loops[1]:
        plays = row.loops[0]
        said.append(f"plays {f'{plays} times' if plays else 'for ever'}")
    if duration - end > EARLY:
        limit = "whole seconds, " if row.whole_seconds else ""
        said.append(f"{duration - end:.2f} s cut off the end ({limit}at most {row.max_seconds:g} s)")
    elif end - duration > EARLY:
        said.append(f"the last drawing is held {end - duration:.2f} s longer")
    count = _count(posts, end)
    if count < row.min_frames:
        there = f"there {'is' if count == 1 else 'are'} {count}"
        still = f", or the platform {row.name}-static" if f"{row.name}-static" in PLATFORMS else ""
        wanted = f"at least {row.min_frames} drawings"
        raise OutputError(f"{row.name} takes {wanted} and {there}; choose a longer or livelier range{still}")
    start = _first(posts, scores[:count], row, first, automatic=row.rests_on_first and plays != 1)
    if start:
        said.append(f"starts at {posts[start] - posts[0]:.2f} s" + (", its best still" if first is None else ""))
    lengths = np.roll(np.diff(np.append(posts[:count] - posts[0], end)), -start)
    return Timeline(np.roll(np.arange(count), -start), np.append(0.0, lengths.cumsum()), plays, tuple(said))


def _still(posts: Seconds, scores: Sequence[float], row: Platform, first: float | None) -> Timeline:
    chosen = _first(posts, scores, row, first, automatic=True)
    said = (f"one still of {len(scores)} drawings",) if len(scores) > 1 else ()
    return Timeline(np.array([chosen]), np.array([0.0, 1.0]), 0, said)


def _count(posts: Seconds, end: float) -> int:
    """How many drawings begin within so many seconds, soon enough to be seen."""
    return max(1, int((posts[:-1] - posts[0] < end - SEEN).sum()))


def _whole(posts: Seconds, row: Platform, loop: int) -> tuple[float, int]:
    """Seconds of one play, and how many plays, that together are whole seconds: as near to the duration as can be.

    The plays that were asked for are kept where the platform takes them, else there are as many as can be.
    """
    most, longest = (row.loops[1] if row.loops else 1), int(row.max_seconds)
    if longest < 1:
        raise OutputError(f"{row.name} takes whole seconds; give `max_seconds` 1 or more")
    plays = (loop,) if loop in PLAYS and loop <= most else tuple(n for n in PLAYS if n <= most)
    choices = [(total / n, n) for n in plays for total in range(1, longest + 1)]

    def loss(choice: tuple[float, int]) -> tuple[bool, float, int]:
        seconds, times = choice
        return _count(posts, seconds) < row.min_frames, abs(seconds - float(posts[-1] - posts[0])), -times

    return min(choices, key=loss)


def _first(posts: Seconds, scores: Sequence[float], row: Platform, first: float | None, *, automatic: bool) -> int:
    """Which of the drawings that have a score is shown first."""
    if first is not None:
        found = int(np.searchsorted(posts, first, side="right")) - 1
        if not 0 <= found < len(scores):
            shown = min(float(posts[len(scores)] - posts[0]), row.max_seconds)
            raise OutputError(
                f"not in the {shown:.2f} s that are left for {row.name}; choose another moment", field="first"
            )
        return found
    best = int(np.argmax(scores))
    return best if automatic and scores[best] > BETTER * scores[0] else 0
