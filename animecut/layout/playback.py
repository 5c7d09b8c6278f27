"""When each drawing is shown: faster or slower, backwards, to and fro; and where a clip loops by itself.

Nothing here touches a picture: drawings are numbers 0..T-1, time is (T + 1,) seconds.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from animecut.errors import InputError
from animecut.types import Seconds

MOST = 1500  # drawings that are compared each with each: two minutes on twos
SHORTEST = 0.5  # seconds; what loops faster than this is a twitch
FEWEST = 3  # drawings; fewer are no motion, however long they are held
BLIND = 0.9  # of 1: drawings so far apart share nothing, and how far they went cannot be told
STEPS = (0.005, 0.1)  # of 1: what drawings differ by at least where hardly anything moves, and what is much anywhere
EQUAL = 0.25  # steps; between loops whose seams are equal to the eye the longer one wins
SEAMS = ((0.5, "seamless"), (1.0, "hardly seen"), (2.0, "a small jump"))  # up to so many steps
LOOPS = 2.0  # steps; with a larger jump a clip is no loop


@dataclass(frozen=True)
class Playback:
    """Which drawing is shown when: drawing order[i] from times[i] to times[i + 1]."""

    order: tuple[int, ...]
    times: Seconds


@dataclass(frozen=True)
class Loop:
    """Drawings start..stop - 1, after which the first one comes again."""

    start: int
    stop: int
    score: float
    """0..1: how much what comes next looks like what would have come."""
    jump: float
    """How far the two are apart, in steps from a drawing of this clip to its next one."""

    @property
    def words(self) -> str:
        """How the seam looks."""
        return next((words for most, words in SEAMS if self.jump <= most), "a clear jump")

    @property
    def holds(self) -> bool:
        """Whether it may be called a loop."""
        return self.jump <= LOOPS


def plan_playback(times: Seconds, *, speed: float = 1.0, reverse: bool = False, bounce: bool = False) -> Playback:
    """The drawings of `times` in their order, `speed` times as fast; backwards, or forwards and then backwards.

    Time begins where it began. At the turns of a bounce no drawing comes twice: of 0 1 2 it makes 0 1 2 1.
    """
    order = list(range(len(times) - 1))
    if reverse:
        order.reverse()
    if bounce:
        order += order[-2:0:-1]
    lengths = np.diff(times)[order] / speed
    return Playback(tuple(order), times[0] + np.concatenate([[0.0], np.cumsum(lengths)]))


def sticker_time(moment: float, times: Seconds, plays: Playback) -> float:
    """When a sticker first shows what its source shows at a moment, both in seconds. Raises InputError: it does not."""
    drawing = int(np.searchsorted(times, moment, side="right")) - 1
    if not 0 <= drawing < len(times) - 1:
        raise InputError(
            f"not in the sticker, which shows {times[0]:.2f} to {times[-1]:.2f} s", field="first", value=moment
        )
    return float(plays.times[plays.order.index(drawing)])


def find_loop(rgb: NDArray[np.uint8], alpha: NDArray[np.float32], times: Seconds) -> Loop:
    """The stretch of a clip after which its first drawing follows best; the longest of those that are equally good.

    rgb:   (T, H, W, 3) uint8, small, and alpha: (T, H, W) float32 in [0, 1], of the drawings shown from times[i] on.

    After drawings start..stop - 1, drawing `stop` would have come, and `start` comes instead: what counts is how alike
    the two are, and how alike their neighbours are, which tells a swing's way from its way back (video textures, Schödl
    et al. 2000). Where the whole clip is taken nothing is left that would have come; there the steps across the seam
    have to be as large as those beside it. A clip of at most SHORTEST seconds or FEWEST drawings stays whole.
    Raises InputError for more than MOST drawings.
    """
    count = len(alpha)
    if count > MOST:
        raise InputError(
            f"{count} drawings are too many to compare; take a shorter range, by `start` and `end`", field="loop_find"
        )
    apart = _distances(rgb, alpha)
    step = float(np.clip(np.median(np.diagonal(apart, 1)), *STEPS)) if count > 1 else STEPS[0]
    jumps = {
        (start, stop): _jump(apart, start, stop)
        for start in range(count)
        for stop in range(start + FEWEST, count + 1)
        if times[stop] - times[start] >= SHORTEST - 1e-9
    } or {(0, count): _jump(apart, 0, count)}
    enough = min(jumps.values()) + EQUAL * step
    start, stop = max(
        (loop for loop, jump in jumps.items() if jump <= enough),
        key=lambda loop: (round(float(times[loop[1]] - times[loop[0]]), 6), -jumps[loop]),
    )
    return Loop(start, stop, 1 - jumps[start, stop], jumps[start, stop] / step)


def _jump(apart: NDArray[np.float64], start: int, stop: int) -> float:
    """How far the drawings around the seam are from those that would have been there; infinite where none can tell."""
    count = len(apart)
    if stop - start == count:
        return _jump_of_all(apart)
    # Two neighbouring pairs, because one alone cannot tell a way from its way back.
    pairs = [apart[start + i, stop + i] for i in (-2, -1, 0, 1) if start + i >= 0 and stop + i < count]
    return float(min(((a + b) / 2 for a, b in pairwise(pairs)), default=np.inf))


def _jump_of_all(apart: NDArray[np.float64]) -> float:
    """The same for a whole clip: how much the steps across its seam differ from those beside it."""
    if len(apart) < 4:
        return float(apart[-1, 0])
    once, twice = (apart[-2, -1] + apart[0, 1]) / 2, (apart[-3, -1] + apart[0, 2]) / 2
    if twice > BLIND:
        return float(apart[-1, 0])
    return float(np.mean(np.abs([apart[-1, 0] - once, apart[-2, 0] - twice, apart[-1, 1] - twice])))


def _distances(rgb: NDArray[np.uint8], alpha: NDArray[np.float32]) -> NDArray[np.float64]:
    """(T, T) in [0, 1]: 1 - intersection over union of two alphas, times how alike the colours are where both show."""
    colours = rgb.astype(np.float32) / 255
    apart = np.zeros((len(alpha), len(alpha)))
    for i in range(len(alpha)):
        both = np.minimum(alpha[i], alpha[i:])
        shared, either = both.sum(axis=(1, 2)), np.maximum(alpha[i], alpha[i:]).sum(axis=(1, 2))
        differing = (np.abs(colours[i] - colours[i:]).mean(axis=3) * both).sum(axis=(1, 2))
        # Two empty drawings are alike; an empty one and another are not.
        alike = np.where(either > 0, (shared - differing) / np.maximum(either, 1e-6), 1)
        apart[i, i:] = apart[i:, i] = 1 - alike
    return apart
