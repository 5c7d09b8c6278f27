"""The best sticker under a platform's limits, by few encodes of pictures that were cut out once and set aside.

What is given up, in this order: what is too long is cut off the end (never sped up), drawings per second down to
threes, quality or colours, pixels. Anime is flat and held, so this is the order in which it is least seen.
"""

import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from math import inf, log
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from animecut.clip import Clip
from animecut.compose import Box, Placement, over, resample
from animecut.encode import Written, write
from animecut.errors import OutputError
from animecut.fewer_colours import Palette, palette_of, quantised
from animecut.likeness import ssim, still_score
from animecut.platforms import Platform, shown_in
from animecut.schedule import EARLY, THREES, TWOS, Plan, plan
from animecut.spool import Spool

Picture = NDArray[np.uint8]
"""(H, W, 4) straight RGBA, uint8, sRGB."""

Size = tuple[int, int]
"""(height, width) in pixels."""

AIM = 0.98  # of a byte limit: KB may mean 1000 or 1024
ENOUGH = 0.89  # of a byte limit; nearer is not worth another encode
ENCODES = 6  # at most, between two bounds
SMALLEST_FILE = 128  # bytes; no format holds a moving picture in less
LEAST_SCALE = 0.25  # of the side; smaller is no sticker
LEAST = {"webp": 40, "webm": 55, "gif": 24, "apng": 24}  # quality, or colours
COLOURS = {"gif", "apng"}
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


@dataclass(frozen=True)
class _Canvas:
    """A picture of `size` with the character's `content` in its middle, both (height, width)."""

    size: Size
    content: Size

    def scaled(self, scale: float, row: Platform) -> "_Canvas":
        """With a smaller character; the canvas shrinks too where the platform lets it."""
        height, width = (max(1, round(side * scale)) for side in self.content)
        if row.canvas == "any":
            return _Canvas((height, width), (height, width))
        if row.canvas == "square":
            side = max(height, width)
            return _Canvas((side, side), (height, width))
        return _Canvas(self.size, (height, width))

    @property
    def box(self) -> Box:
        """Where the content lies."""
        top, left = (self.size[0] - self.content[0]) // 2, (self.size[1] - self.content[1]) // 2
        return Box(left, top, left + self.content[1], top + self.content[0])


@dataclass(frozen=True)
class _Drawings:
    """What was set aside: pictures of the whole canvas' content, (T + 1,) fence posts, how good a still each is."""

    spool: Spool
    canvas: _Canvas
    posts: NDArray[np.float64]
    scores: tuple[float, ...]


@dataclass(frozen=True)
class _Try:
    """What is kept: how many seconds per drawing, quality or colours, and share of the side."""

    shortest: float
    grade: int
    scale: float = 1.0


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
    OutputError where nothing fits, with the nearest miss, or where the file cannot be written. SettingsError where
    nothing is shown at `first`.
    """
    if row.max_bytes < SMALLEST_FILE:
        raise OutputError(f"{path}: no {row.format} is as small as {row.max_bytes:g} bytes; allow more")
    top = 255 if row.format in COLOURS else quality
    with Spool() as spool:
        drawings = _set_aside(clips, spool, row)
        schedule = plan(drawings.posts, drawings.scores, row, loop=loop, first=first)
        try:
            with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as folder:
                trials = _Trials(drawings, schedule, row, Path(folder) / path.name, top)
                best = _best(trials, path)
                likeness = trials.ssim(best)
                written = replace(trials.written(best), path=path)
                trials.path(best).replace(path)
        except OSError as error:
            raise OutputError(f"cannot write {path}: {error.strerror}; is the folder there, with room left?") from error
    return Fitted(written, (*schedule.given_up, *trials.given_up(best)), likeness, trials.count)


def _set_aside(clips: Iterable[Clip], spool: Spool, row: Platform) -> _Drawings:
    """Every drawing once, as large as it can become; equal neighbours are one."""
    starts: list[float] = []
    scores: list[float] = []
    before: NDArray[np.uint8] | None = None
    canvas: _Canvas | None = None
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
    return _Drawings(spool, canvas, np.array([*starts, end]), tuple(scores))


def _canvas(row: Platform, height: int, width: int) -> _Canvas:
    if row.canvas == "any":
        return _Canvas((height, width), (height, width))
    scale = min(row.height / height, row.width / width)
    content = (max(1, round(height * scale)), max(1, round(width * scale)))
    if row.canvas in ("exact", "square"):
        return _Canvas((row.height, row.width), content)
    even = (content[0] + content[0] % 2, content[1] + content[1] % 2)  # video codecs halve, and so does LINE
    return _Canvas(even, content)


def _rgba(pixels: NDArray[np.uint8]) -> Picture:
    if pixels.shape[2] == 4:
        return pixels
    return np.dstack([pixels, np.full(pixels.shape[:2], 255, np.uint8)])


class _Again:
    """What can be gone through more than once without being held in memory."""

    def __init__(self, make: Callable[[], Iterator[Clip]]) -> None:
        self._make = make

    def __iter__(self) -> Iterator[Clip]:
        return self._make()


class _Trials:
    """Encodes, each made once."""

    def __init__(self, drawings: _Drawings, plan: Plan, row: Platform, path: Path, top: int) -> None:
        self._drawings, self._plan, self.row, self._path, self.top = drawings, plan, row, path, top
        self._done: dict[_Try, Written | OutputError] = {}
        self._palettes: dict[int, Palette] = {}
        self._few = plan.at_most(row.max_frames)
        base = max(1 / row.max_fps, row.shortest)
        paces = [base, *(pace for pace in (TWOS, THREES) if pace > base)]
        counts = [len(self._few.thinned(pace).order) for pace in paces]
        self.paces = [pace for i, pace in enumerate(paces) if i == 0 or (row.min_frames <= counts[i] < counts[i - 1])]
        """Seconds per drawing that are worth a trial, from all drawings to few."""

    @property
    def count(self) -> int:
        """How many encodes there were."""
        return len(self._done)

    def path(self, trial: _Try) -> Path:
        """Where a trial's file lies until the best one is moved into place."""
        name = f"{trial.shortest:.4f}-{trial.grade}-{trial.scale:.4f}"
        return self._path.with_name(f"{name}{self._path.suffix}")

    def written(self, trial: _Try) -> Written:
        """The encode of a trial. Raises OutputError where it did not read back well enough to be one."""
        if trial not in self._done:
            coloured = self.row.format in COLOURS
            try:
                self._done[trial] = write(
                    self.path(trial),
                    _Again(lambda: self._clips(trial)),
                    self.row.format,
                    loop=self._plan.plays,
                    quality=90 if coloured else trial.grade,
                    colours=trial.grade if self.row.format == "gif" else 255,
                )
            except OutputError as error:
                self._done[trial] = error
        done = self._done[trial]
        if isinstance(done, OutputError):
            raise done
        return done

    def bytes(self, trial: _Try) -> float:
        """Of the file; without end where it is none, or has too few pictures left."""
        try:
            written = self.written(trial)
        except OutputError:
            return inf
        return written.bytes if written.frames >= self.row.min_frames else inf

    def fits(self, trial: _Try) -> bool:
        """Whether it is small enough, with as many pictures as are needed."""
        return self.bytes(trial) <= self.row.max_bytes * AIM

    def ssim(self, trial: _Try) -> float:
        """What a reader sees in the file against the drawings set aside, at the middle of each one's time."""
        canvas = self._drawings.canvas
        box = canvas.scaled(trial.scale, self.row).box
        posts = self._plan.posts
        middles, lengths = (posts[:-1] + posts[1:]) / 2, np.diff(posts)
        total, i, end = 0.0, 0, 0.0
        for picture, seconds in shown_in(self.path(trial)):
            end += seconds or inf
            seen = resample(picture, Placement(box, canvas.content))
            while i < len(middles) and middles[i] < end + EARLY:
                (meant,) = self._drawings.spool[int(self._plan.order[i])]
                total += lengths[i] * ssim(seen, meant)
                i += 1
        return float(total / lengths[:i].sum()) if i else 0.0

    def given_up(self, trial: _Try) -> list[str]:
        """What a trial has less of than was there."""
        said = []
        there, left = len(self._plan.order), len(self._few.thinned(trial.shortest).order)
        if left < there:
            said.append(f"{left} drawings instead of {there}")
        if trial.grade < self.top:
            coloured = self.row.format in COLOURS
            said.append(f"{trial.grade} colours" if coloured else f"quality {trial.grade} instead of {self.top}")
        if trial.scale < 1:
            full = max(self._drawings.canvas.content)
            side = max(self._drawings.canvas.scaled(trial.scale, self.row).content)
            said.append(f"{side} pixels instead of {full} along the longer side of what is shown")
        return said

    def _clips(self, trial: _Try) -> Iterator[Clip]:
        plan = self._few.thinned(trial.shortest)
        canvas = self._drawings.canvas.scaled(trial.scale, self.row)
        whole = Box(0, 0, self._drawings.canvas.content[1], self._drawings.canvas.content[0])
        box = canvas.box
        blank = np.zeros((*canvas.size, 4), np.uint8)
        if self.row.ground == "white":
            blank[:] = 255
        for i, index in enumerate(plan.order):
            (picture,) = self._drawings.spool[int(index)]
            if trial.scale < 1:
                picture = resample(picture, Placement(whole, canvas.content))
            if self.row.format == "apng" and trial.grade < self.top:
                picture = quantised(picture, self._palette(trial.grade))
            padded = blank.copy()
            padded[box.top : box.bottom, box.left : box.right] = picture
            yield Clip(padded[None], plan.posts[i : i + 2])

    def _palette(self, colours: int) -> Palette:
        if colours not in self._palettes:
            self._palettes[colours] = palette_of((picture for (picture,) in self._drawings.spool), colours)
        return self._palettes[colours]


def _best(trials: _Trials, path: Path) -> _Try:
    """The first in the order of giving up that fits. Raises OutputError with the nearest miss where none does."""
    paces, top, kind = trials.paces, trials.top, trials.row.format
    slow = paces[-1]
    if trials.fits(_Try(paces[0], top)):
        return _Try(paces[0], top)
    if trials.fits(_Try(slow, top)):
        return next(trial for trial in (_Try(pace, top) for pace in paces[1:]) if trials.fits(trial))
    least = min(top, LEAST.get(kind, top))
    if least < top and trials.fits(_Try(slow, least)):
        ratio = top / least
        found = _between(trials, lambda x: _Try(slow, round(least * ratio**x)))
        if trials.bytes(found) >= trials.row.max_bytes * ENOUGH:
            return found
        faster = (replace(found, shortest=pace) for pace in paces[:-1])  # one step of quality was worth a lot
        return next((trial for trial in faster if trials.fits(trial)), found)
    smallest = _Try(slow, least, LEAST_SCALE)
    if trials.fits(smallest):
        return _between(trials, lambda x: _Try(slow, least, round(LEAST_SCALE ** (1 - x), 3)))
    miss = trials.written(smallest)
    if miss.bytes <= trials.row.max_bytes * AIM:
        wanted = f"{trials.row.min_frames} drawings that differ for {trials.row.name}"
        raise OutputError(f"{path}: only {miss.frames} of the {wanted} are left; choose a livelier range")
    raise OutputError(
        f"{path}: does not fit into {trials.row.max_bytes:,.0f} bytes; the nearest miss has {miss.bytes:,}"
        f" ({miss.width}x{miss.height}, {miss.frames} drawings); choose a shorter range or allow more"
    )


def _between(trials: _Trials, at: Callable[[float], _Try]) -> _Try:
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
