"""Which drawings a sticker shows when: shortened, turned to its best still, played in whole seconds.

Nothing here is sped up unless that was asked for.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from animecut.errors import OutputError
from animecut.platforms.specs import PLATFORMS, Platform
from animecut.types import Seconds

EARLY = 0.003  # seconds that a drawing's time may be short: sources round their times
TWOS, THREES = 1 / 12 - EARLY, 1 / 8 - EARLY  # seconds per drawing at 24 frames a second, as animators shoot them
EXACT = 0.0005  # seconds; what is left of it is rounding to a container's ticks
SEEN = 0.02  # seconds; browsers slow what is shown for less
BETTER = 1.15  # times as good a still as the first picture is worth turning the loop for

TooLong = Literal["cut", "speed", "thin"]
"""What becomes of what is too long: its end is cut off, it is played faster, or drawings are left out all along."""


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
    posts: Seconds,
    scores: Sequence[float],
    row: Platform,
    *,
    loop: int,
    first: float | None,
    too_long: TooLong = "cut",
) -> Timeline:
    """What the platform shows of drawings that are shown between `posts`, in whatever order it likes best.

    posts: (T + 1,). scores: T, how good a still each is. loop: how often to play where the platform leaves it open.
    first: the moment that comes first; None leaves the choice. Raises OutputError where drawings are too few, or none
    is shown at `first`.
    """
    if not row.animated:
        return _still(posts, scores, row, first)
    kept, said = np.arange(len(scores)), list[str]()
    if posts[-1] - posts[0] > row.max_seconds + EARLY and too_long != "cut":
        kept, shorter, words = _shortened(posts, row.max_seconds, too_long)
        first = None if first is None else _moment(first, posts, kept, shorter)
        posts, scores = shorter, [scores[int(i)] for i in kept]
        said.append(words)
    duration = float(posts[-1] - posts[0])
    end, times, plays = min(duration, row.max_seconds), 1, loop
    if row.whole_seconds:
        end, times, plays = _whole(posts, row, loop)
        within = f", each {times} times through" if times > 1 else ""
        said.append(f"plays {plays} times{within}, {plays * times * end:g} s in all")
    elif row.loops and not row.loops[0] <= loop <= row.loops[1]:
        plays = row.loops[0]
        said.append(f"plays {f'{plays} times' if plays else 'for ever'}")
    if duration - end > EARLY:
        limit = "whole seconds, " if row.whole_seconds else ""
        said.append(f"{duration - end:.2f} s cut off the end ({limit}at most {row.max_seconds:g} s)")
    elif end - duration > EARLY:
        said.append(f"the last drawing is held {end - duration:.2f} s longer")
    count = _count(posts, end)
    _demand_enough(count * times, row)
    start = _first(posts, scores[:count], row, first, automatic=row.rests_on_first and plays * times != 1)
    if start:
        said.append(f"starts at {posts[start] - posts[0]:.2f} s" + (", its best still" if first is None else ""))
    lengths = np.roll(np.diff(np.append(posts[:count] - posts[0], end)), -start)
    order = np.tile(kept[np.roll(np.arange(count), -start)], times)
    return Timeline(order, np.append(0.0, np.tile(lengths, times).cumsum()), plays, tuple(said))


def _shortened(posts: Seconds, seconds: float, how: TooLong) -> tuple[NDArray[np.intp], Seconds, str]:
    """The drawings that are kept, the fence posts between them, which last so many seconds, and that in words."""
    lengths, every = np.diff(posts), np.arange(len(posts) - 1)
    if how == "speed":
        faster = float(posts[-1] - posts[0]) / seconds
        return every, posts[0] + (posts - posts[0]) / faster, f"played {faster:.2f} times as fast to last {seconds:g} s"
    kept = every
    for count in range(len(every) - 1, 0, -1):
        kept = np.unique(np.linspace(0, every[-1], count).round().astype(np.intp))
        if lengths[kept].sum() <= seconds + EARLY:
            break
    shorter = np.append(posts[0], posts[0] + lengths[kept].cumsum())
    return (
        kept,
        shorter,
        f"{len(every) - len(kept)} of {len(every)} drawings left out to last {shorter[-1] - posts[0]:.2f} s",
    )


def _moment(moment: float, posts: Seconds, kept: NDArray[np.intp], shorter: Seconds) -> float:
    """When what is shown at a moment, or the last one kept before it, is shown in what was shortened."""
    index = int(np.searchsorted(posts, moment, side="right")) - 1
    if not 0 <= index < len(posts) - 1:
        return moment
    return float(shorter[int(np.searchsorted(kept, index, side="right")) - 1])


def _demand_enough(count: int, row: Platform) -> None:
    """Raises OutputError where a platform wants more drawings than there are."""
    if count < row.min_frames:
        there = f"there {'is' if count == 1 else 'are'} {count}"
        still = f", or the platform {row.name}-static" if f"{row.name}-static" in PLATFORMS else ""
        wanted = f"at least {row.min_frames} drawings"
        raise OutputError(f"{row.name} takes {wanted} and {there}; choose a longer or livelier range{still}")


def _still(posts: Seconds, scores: Sequence[float], row: Platform, first: float | None) -> Timeline:
    chosen = _first(posts, scores, row, first, automatic=True)
    said = (f"one still of {len(scores)} drawings",) if len(scores) > 1 else ()
    return Timeline(np.array([chosen]), np.array([0.0, 1.0]), 0, said)


def _count(posts: Seconds, end: float) -> int:
    """How many drawings begin within so many seconds, soon enough to be seen."""
    return max(1, int((posts[:-1] - posts[0] < end - SEEN).sum()))


def _whole(posts: Seconds, row: Platform, loop: int) -> tuple[float, int, int]:
    """Seconds of the drawings once, how many times each play shows them, and how many plays.

    A play lasts whole seconds, which is what those platforms mean that say least. What lasts less is shown several
    times in it, where pictures are allowed for that. As near to the duration as can be; as often as was asked for
    where the platform takes it, else as often as it does.
    """
    most, longest = (row.loops[1] if row.loops else 1), int(row.max_seconds)
    if longest < 1:
        raise OutputError(f"{row.name} takes whole seconds; give `max_seconds` 1 or more")
    plays = loop if 1 <= loop <= min(most, longest) else 0
    choices = [
        (play / times, times, plays or min(most, longest // play))
        for play in range(1, longest // (plays or 1) + 1)
        for times in range(1, int(min(row.max_frames, len(posts) * longest)) + 1)
        if times == 1 or 1 < _count(posts, play / times) <= row.max_frames / times
    ]

    def loss(choice: tuple[float, int, int]) -> tuple[bool, float, int]:
        seconds, times, _ = choice
        too_few = _count(posts, seconds) * times < row.min_frames
        return too_few, abs(seconds - float(posts[-1] - posts[0])), times

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
