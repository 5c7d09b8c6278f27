"""The best sticker under a platform's limits, by few encodes of pictures that were cut out once and set aside.

What is given up, in this order: what is too long is cut off the end (never sped up), the share of quality or colours
that is not missed on flat cels, drawings per second down to threes, more of quality or colours, pixels.
"""

import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from math import inf, log
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from animecut.clip import Clip
from animecut.compose import Box, Placement, over, resample
from animecut.encode import Written
from animecut.errors import OutputError
from animecut.likeness import still_score
from animecut.platforms import Platform
from animecut.schedule import plan
from animecut.spool import Spool
from animecut.trials import AIM, COLOURS, Canvas, Drawings, Picture, Trials, Try

ENOUGH = 0.88  # of a byte limit; nearer is not worth another encode
ENCODES = 6  # at most, between two bounds
SMALLEST_FILE = 128  # bytes; no format holds a moving picture in less
LEAST_SCALE = 0.25  # of the side; smaller is no sticker
FINE = {"webp": 65, "webm": 65, "gif": 64, "apng": 64}  # grade; costs 0.03 of SSIM, half of the drawings 0.1 to 0.3
LEAST = {"webp": 40, "webm": 55, "gif": 24, "apng": 24}  # grade, unless it cannot be read back or pictures become one
WHITE = (255, 255, 255)


@dataclass(frozen=True)
class Fitted:
    """A file within the limits, and what that cost."""

    written: Written
    given_up: tuple[str, ...]
    """In words and in order; empty where nothing was."""
    ssim: float
    """Mean over what shows, against the sticker without limits, in the seconds that are left of it."""
    encodes: int


def fit(
    clips: Iterable[Clip], path: Path, row: Platform, *, loop: int = 0, quality: int = 90, first: float | None = None
) -> Fitted:
    """Write the best sticker under the limits to `path`, whose folder exists.

    Parameters
    ----------
    clips: pictures of one size, as they are without limits; gone through once.
    loop: how often to play, 0 for ever, where the platform leaves it open.
    quality: 1..100, of webp and webm: what to start from.
    first: the moment (seconds of the clips) that comes first. Default: the beginning; where a platform rests on the
        first picture, the best still, if it is clearly better.

    Raises
    ------
    OutputError where nothing fits, with the nearest miss, or where the file cannot be written. InputError where
    nothing is shown at `first`.
    """
    if row.max_bytes < SMALLEST_FILE:
        raise OutputError(f"{path}: no {row.format} is as small as {row.max_bytes:g} bytes; allow more")
    with Spool() as spool:
        drawings = _set_aside(clips, spool, row)
        schedule = plan(drawings.posts, drawings.scores, row, loop=loop, first=first)
        try:
            with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as folder:
                trials = Trials(drawings, schedule, row, path, Path(folder), quality)
                best = _best(trials, path)
                likeness = trials.ssim(best)
                written = replace(trials.written(best), path=path)
                trials.path(best).replace(path)
        except OSError as error:
            raise OutputError(f"cannot write {path}: {error.strerror}; is the folder there, with room left?") from error
    return Fitted(written, (*schedule.given_up, *trials.given_up(best)), likeness, trials.count)


def _set_aside(clips: Iterable[Clip], spool: Spool, row: Platform) -> Drawings:
    """Every drawing once, as large as it can become; equal neighbours are one."""
    starts: list[float] = []
    scores: list[float] = []
    before: NDArray[np.uint8] | None = None
    canvas: Canvas | None = None
    end = 0.0
    for clip in clips:
        end = float(clip.times[-1])
        for i, pixels in enumerate(clip.pixels):
            if before is not None and np.array_equal(pixels, before):
                continue
            before = pixels
            height, width = pixels.shape[:2]
            canvas = canvas or _canvas(row, height, width)
            placed = resample(_rgba(pixels), Placement(Box(0, 0, width, height), canvas.content))
            if row.ground == "white":
                placed = _rgba(over(placed, WHITE))
            spool.append(placed)
            scores.append(still_score(placed))
            starts.append(float(clip.times[i]))
    if canvas is None:
        raise ValueError("no picture to fit")
    return Drawings(spool, canvas, np.array([*starts, end]), tuple(scores))


def _canvas(row: Platform, height: int, width: int) -> Canvas:
    if row.canvas == "any":
        return Canvas((height, width), (height, width))
    scale = min(row.height / height, row.width / width)
    content = (max(1, round(height * scale)), max(1, round(width * scale)))
    if row.canvas in ("exact", "square"):
        return Canvas((row.height, row.width), content)
    even = (content[0] + content[0] % 2, content[1] + content[1] % 2)  # video codecs halve, and so does LINE
    return Canvas(even, content)


def _rgba(pixels: NDArray[np.uint8]) -> Picture:
    if pixels.shape[2] == 4:
        return pixels
    return np.dstack([pixels, np.full(pixels.shape[:2], 255, np.uint8)])


def _best(trials: Trials, path: Path) -> Try:
    """The first in the order of giving up that fits. Raises OutputError with the nearest miss where none does."""
    paces, top, kind = trials.paces, trials.top, trials.row.format
    fine = min(top, FINE.get(kind, top))
    if trials.fits(Try(paces[0], top)):
        return Try(paces[0], top)
    if trials.fits(Try(paces[0], fine)):
        return _graded(trials, paces[0], fine, top)
    slow = paces[-1]
    if trials.fits(Try(slow, fine)):
        pace = next(pace for pace in paces[1:] if trials.fits(Try(pace, fine)))
        return _graded(trials, pace, fine, top)
    least = min(fine, LEAST.get(kind, fine))
    if trials.bytes(Try(slow, least)) == inf:
        least = fine
    if trials.fits(Try(slow, least)):
        return _graded(trials, slow, least, fine)
    smallest = Try(slow, least, LEAST_SCALE)
    if trials.fits(smallest):
        return _between(trials, lambda x: Try(slow, least, round(LEAST_SCALE ** (1 - x), 3)))
    miss = trials.written(smallest)
    if miss.bytes <= trials.row.max_bytes * AIM:
        wanted = f"{trials.row.min_frames} drawings that differ for {trials.row.name}"
        raise OutputError(f"{path}: only {miss.frames} of the {wanted} are left; choose a livelier range")
    raise OutputError(
        f"{path}: does not fit into {trials.row.max_bytes:,.0f} bytes; the nearest miss has {miss.bytes:,}"
        f" ({miss.width}x{miss.height}, {miss.frames} drawings); choose a shorter range or allow more"
    )


def _graded(trials: Trials, pace: float, low: int, high: int) -> Try:
    """The best grade that fits, from `low`, which does, to `high`."""
    if trials.fits(Try(pace, high)):
        return Try(pace, high)
    if high == trials.top == COLOURS["apng"]:  # all colours are far from the most that are counted
        high -= 1
        if trials.fits(Try(pace, high)):
            return Try(pace, high)
    return _between(trials, lambda x: Try(pace, round(low * (high / low) ** x)))


def _between(trials: Trials, at: Callable[[float], Try]) -> Try:
    """The largest of at(0), which fits, to at(1), which does not: false position on the logarithm of the bytes.

    Stops where enough of the limit is used, or nothing lies between any more.
    """
    limit = trials.row.max_bytes
    low, high = 0.0, 1.0
    aim = log(limit * (AIM + ENOUGH) / 2)
    for _ in range(ENCODES):
        small, large = trials.bytes(at(low)), trials.bytes(at(high))
        if small >= limit * ENOUGH:
            break
        share = (aim - log(small)) / max(log(large) - log(small), 1e-6)
        middle = low + (high - low) * min(max(share, 0.1), 0.9)
        if at(middle) in (at(low), at(high)):
            middle = (low + high) / 2
        if at(middle) in (at(low), at(high)):
            break
        low, high = (middle, high) if trials.fits(at(middle)) else (low, middle)
    return at(low)
