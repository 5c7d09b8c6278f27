"""Encodes of one sticker, each made once, of pictures that were set aside; and how good each is."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import inf
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from animecut.clip import Clip
from animecut.compose import Box, Placement, resample
from animecut.encode import Written, write
from animecut.errors import OutputError, Unreadable
from animecut.fewer_colours import Cells, cells_of, palette_of, quantised
from animecut.likeness import ssim
from animecut.platforms import Platform, shown_in
from animecut.schedule import EARLY, THREES, TWOS, Plan
from animecut.spool import Spool

Picture = NDArray[np.uint8]
"""(H, W, 4) straight RGBA, uint8, sRGB."""

Size = tuple[int, int]
"""(height, width) in pixels."""

AIM = 0.98  # of a byte limit: KB may mean 1000 or 1024
COLOURS = {"gif": 255, "apng": 1025}  # grades of what has colours instead of quality; of APNG the last means all
COMPARED = 24  # drawings, at most, that are compared with what was set aside: they are much alike


@dataclass(frozen=True)
class Canvas:
    """A picture of `size` with the character's `content` in its middle, both (height, width)."""

    size: Size
    content: Size

    def scaled(self, scale: float, row: Platform) -> "Canvas":
        """With a smaller character; the canvas shrinks too where the platform lets it."""
        height, width = (max(1, round(side * scale)) for side in self.content)
        if row.canvas == "any":
            return Canvas((height, width), (height, width))
        if row.canvas == "square":
            side = max(height, width)
            return Canvas((side, side), (height, width))
        return Canvas(self.size, (height, width))

    @property
    def box(self) -> Box:
        """Where the content lies."""
        top, left = (self.size[0] - self.content[0]) // 2, (self.size[1] - self.content[1]) // 2
        return Box(left, top, left + self.content[1], top + self.content[0])


@dataclass(frozen=True)
class Drawings:
    """What was set aside: pictures of the whole canvas' content, (T + 1,) fence posts, how good a still each is."""

    spool: Spool
    canvas: Canvas
    posts: NDArray[np.float64]
    scores: tuple[float, ...]


@dataclass(frozen=True)
class Try:
    """What is kept: how many seconds per drawing, quality or colours, and share of the side."""

    shortest: float
    grade: int
    scale: float = 1.0


class Trials:
    """Encodes in a folder of their own, for a file that is to be called `name`; `quality` is what to start from."""

    def __init__(self, drawings: Drawings, plan: Plan, row: Platform, name: Path, folder: Path, quality: int) -> None:
        self._drawings, self._plan, self.row, self._name, self._folder = drawings, plan, row, name, folder
        self._done: dict[Try, Written | Unreadable] = {}
        self._cells: dict[tuple[float, float], Cells] = {}
        self._few = plan.at_most(row.max_frames)
        self.top = COLOURS.get(row.format, quality)
        """The grade of a file of which nothing was given up."""
        base = max(1 / row.max_fps, row.shortest)
        paces = [base, *(pace for pace in (TWOS, THREES) if pace > base)]
        counts = [len(self._few.thinned(pace).order) for pace in paces]
        self.paces = [pace for i, pace in enumerate(paces) if i == 0 or (row.min_frames <= counts[i] < counts[i - 1])]
        """Seconds per drawing that are worth a trial, from all drawings to few."""

    @property
    def count(self) -> int:
        """How many encodes there were."""
        return len(self._done)

    def path(self, trial: Try) -> Path:
        """Where a trial's file lies until the best one is moved into place."""
        return self._folder / f"{trial.shortest:.4f}-{trial.grade}-{trial.scale:.4f}{self._name.suffix}"

    def written(self, trial: Try) -> Written:
        """The encode of a trial.

        Raises Unreadable where it did not read back well enough to be one, OutputError where none can be written.
        """
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
            except Unreadable as error:
                self._done[trial] = error
            except OutputError as error:  # names a file that nobody asked for
                raise OutputError(str(error).replace(str(self.path(trial)), str(self._name))) from error
        done = self._done[trial]
        if isinstance(done, Unreadable):
            raise done
        return done

    def bytes(self, trial: Try) -> float:
        """Of the file; without end where it cannot be read back, or has too few pictures left."""
        try:
            written = self.written(trial)
        except Unreadable:
            return inf
        return written.bytes if written.frames >= self.row.min_frames else inf

    def fits(self, trial: Try) -> bool:
        """Whether it is small enough, with as many pictures as are needed."""
        return self.bytes(trial) <= self.row.max_bytes * AIM

    def ssim(self, trial: Try) -> float:
        """What a reader sees in the file against the drawings set aside, at the middle of each one's time."""
        canvas = self._drawings.canvas
        box = canvas.scaled(trial.scale, self.row).box
        posts = self._plan.posts
        middles, lengths = (posts[:-1] + posts[1:]) / 2, np.diff(posts)
        step = -(-len(middles) // COMPARED)
        total, weight, i, end = 0.0, 0.0, 0, 0.0
        for picture, seconds in shown_in(self.path(trial)):
            end += seconds or inf
            while i < len(middles) and middles[i] < end + EARLY:
                (meant,) = self._drawings.spool[int(self._plan.order[i])]
                total += lengths[i] * ssim(resample(picture, Placement(box, canvas.content)), meant)
                weight += lengths[i]
                i += step
        return float(total / weight) if weight else 0.0

    def given_up(self, trial: Try) -> list[str]:
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

    def _clips(self, trial: Try) -> Iterator[Clip]:
        plan = self._few.thinned(trial.shortest)
        canvas = self._drawings.canvas.scaled(trial.scale, self.row)
        box = canvas.box
        blank = np.full((*canvas.size, 4), 255 if self.row.ground == "white" else 0, np.uint8)
        for i, picture in enumerate(self._few_coloured(trial, plan, canvas)):
            padded = blank.copy()
            padded[box.top : box.bottom, box.left : box.right] = picture
            yield Clip(padded[None], plan.posts[i : i + 2])

    def _few_coloured(self, trial: Try, plan: Plan, canvas: Canvas) -> Iterator[Picture]:
        pictures = self._pictures(plan, canvas)
        if self.row.format != "apng" or trial.grade == self.top:
            yield from pictures
            return
        kept = (trial.shortest, trial.scale)
        if kept not in self._cells:
            self._cells[kept] = cells_of(self._pictures(plan, canvas))
        cells = self._cells[kept]
        palette = palette_of(cells, trial.grade)
        for picture in pictures:
            yield quantised(picture, cells, palette)

    def _pictures(self, plan: Plan, canvas: Canvas) -> Iterator[Picture]:
        height, width = self._drawings.canvas.content
        placement = Placement(Box(0, 0, width, height), canvas.content)
        for index in plan.order:
            (picture,) = self._drawings.spool[int(index)]
            yield picture if canvas.content == (height, width) else resample(picture, placement)


class _Again:
    """What can be gone through more than once without being held in memory."""

    def __init__(self, make: Callable[[], Iterator[Clip]]) -> None:
        self._make = make

    def __iter__(self) -> Iterator[Clip]:
        return self._make()
