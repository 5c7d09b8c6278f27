"""Encodes of one sticker, each made once, of pictures that were set aside; and how good each is."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from math import inf
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from animecut._util.spool import Spool
from animecut.encode.palette import ColourHistogram, build_palette, colour_histogram, quantise
from animecut.encode.probe import decode_pictures
from animecut.encode.writer import Written, write_sticker
from animecut.errors import OutputError, Unreadable
from animecut.layout.compose import Box, Placement, resample
from animecut.platforms.decimate import Choices, Costs, run_representatives, split_runs
from animecut.platforms.ladder import ALL_COLOURS, COLOURS, FINE, LEAST, LEAST_SCALE, QualityLadder, Rung
from animecut.platforms.similarity import Thumbnail, pairwise_distances, ssim
from animecut.platforms.specs import Platform
from animecut.platforms.timeline import EARLY, THREES, Timeline
from animecut.types import Clip

Picture = NDArray[np.uint8]
"""(H, W, 4) straight RGBA, uint8, sRGB."""

Size = tuple[int, int]
"""(height, width) in pixels."""

AIM = 1000 / 1024  # of a byte limit: KB may mean either
COMPARED = 24  # drawings, at most, that are compared with what was set aside: they are much alike
WEIGHED = 400  # drawings, at most, of which the best are chosen; of more than that, so many spread evenly


@dataclass(frozen=True)
class Canvas:
    """A picture of `size` with the character's `content` in its middle, both (height, width)."""

    size: Size
    content: Size

    @staticmethod
    def around(content: Size, row: Platform) -> "Canvas":
        """The smallest canvas around the content that a platform takes."""
        height, width = content
        if row.canvas == "exact":
            return Canvas((row.height, row.width), content)
        if row.canvas == "any":
            return Canvas(content, content)
        if row.canvas in ("square", "advised"):
            side = next((side for side in row.sides if side >= max(content)), max(content))
            return Canvas((side, side), content)
        even = height + height % 2, width + width % 2  # video codecs halve, and so does LINE
        return Canvas((max(even[0], row.least[1]), max(even[1], row.least[0])), content)

    def scaled(self, scale: float, row: Platform) -> "Canvas":
        """With a smaller character; the canvas shrinks too where the platform lets it."""
        height, width = (max(1, round(side * scale)) for side in self.content)
        if row.canvas in ("exact", "one side", "within"):
            return Canvas(self.size, (height, width))
        return Canvas.around((height, width), row)

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
    thumbnails: tuple[Thumbnail, ...]


class Candidates:
    """Encodes in a folder of their own, for a file that is to be called `name`; `quality` is what to start from.

    alive: called at every picture that is gone through.
    """

    def __init__(
        self,
        drawings: Drawings,
        plan: Timeline,
        row: Platform,
        name: Path,
        folder: Path,
        quality: int,
        alive: Callable[[], None],
    ) -> None:
        self._drawings, self._plan, self.row, self._name, self._folder = drawings, plan, row, name, folder
        self._alive = alive
        self._done: dict[Rung, Written | Unreadable] = {}
        self._cells: dict[tuple[int, float], ColourHistogram] = {}
        self._all = plan.thinned(max(1 / row.max_fps, row.shortest))
        self._top = COLOURS.get(row.format, quality)

    def roads(self) -> Iterator[QualityLadder]:
        """Ways from the sticker of which nothing is given up; the second without the worst grades, which may fail."""
        kind, top = self.row.format, self._top
        most = int(min(len(self._all.order), self.row.max_frames))
        few = min(most, max(self.row.min_frames, len(self._all.thinned(THREES).order)))
        fine = min(top, FINE.get(kind, top))
        for least in dict.fromkeys((min(fine, LEAST.get(kind, fine)), fine)):
            yield QualityLadder(kind, Rung(most, top), fine, Rung(few, least, LEAST_SCALE))

    def fuller(self, trial: Rung) -> QualityLadder:
        """From the best grade of a trial's drawings to the trial."""
        return QualityLadder(self.row.format, replace(trial, grade=self._top), trial.grade, trial)

    def path(self, trial: Rung) -> Path:
        """Where a trial's file lies until the best one is moved into place."""
        return self._folder / f"{trial.drawings}-{trial.grade}-{trial.scale:.4f}{self._name.suffix}"

    def written(self, trial: Rung) -> Written:
        """The encode of a trial.

        Raises Unreadable where it did not read back well enough to be one, OutputError where none can be written.
        """
        if trial not in self._done:
            coloured = self.row.format in COLOURS
            try:
                with Spool() as spool:
                    self._done[trial] = write_sticker(
                        self.path(trial),
                        _Again(self._clips(trial), spool, self._alive),
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

    def bytes(self, trial: Rung) -> float:
        """Of the file; without end where it cannot be read back, or has too few pictures left."""
        try:
            written = self.written(trial)
        except Unreadable:
            return inf
        return written.bytes if written.frames >= self.row.min_frames else inf

    def fits(self, trial: Rung) -> bool:
        """Whether it is small enough, with as many pictures as are needed."""
        return self.bytes(trial) <= self.row.max_bytes * AIM

    def ssim(self, trial: Rung) -> float:
        """What a reader sees in the file against the drawings set aside, at the middle of each one's time."""
        canvas = self._drawings.canvas
        box = canvas.scaled(trial.scale, self.row).box
        posts = self._plan.posts
        middles, lengths = (posts[:-1] + posts[1:]) / 2, np.diff(posts)
        waiting = deque(np.unique(np.linspace(0, len(middles) - 1, COMPARED).round().astype(int)).tolist())
        total, weight, end = 0.0, 0.0, 0.0
        for picture, seconds in decode_pictures(self.path(trial)):
            self._alive()
            end += seconds or inf
            while waiting and middles[waiting[0]] < end + EARLY:
                i = waiting.popleft()
                (meant,) = self._drawings.spool[int(self._plan.order[i])]
                total += lengths[i] * ssim(resample(picture, Placement(box, canvas.content)), meant)
                weight += lengths[i]
        return float(total / weight) if weight else 0.0

    def given_up(self, trial: Rung) -> list[str]:
        """What a trial has less of than was there."""
        said = []
        if trial.drawings < len(self._plan.order):
            said.append(f"{trial.drawings} drawings instead of {len(self._plan.order)}")
        if trial.grade < self._top:
            coloured = self.row.format in COLOURS
            said.append(f"{trial.grade} colours" if coloured else f"quality {trial.grade} instead of {self._top}")
        full = max(self._drawings.canvas.content)
        side = max(self._drawings.canvas.scaled(trial.scale, self.row).content)
        if side < full:
            said.append(f"{side} pixels instead of {full} along the longer side of what is shown")
        return said

    def _clips(self, trial: Rung) -> Iterator[Clip]:
        plan = self._fewer(trial.drawings)
        canvas = self._drawings.canvas.scaled(trial.scale, self.row)
        box = canvas.box
        blank = np.full((*canvas.size, 4), 255 if self.row.ground == "white" else 0, np.uint8)
        for i, picture in enumerate(self._few_coloured(trial, plan, canvas)):
            padded = blank.copy()
            padded[box.top : box.bottom, box.left : box.right] = picture
            yield Clip(padded[None], plan.posts[i : i + 2])

    def _few_coloured(self, trial: Rung, plan: Timeline, canvas: Canvas) -> Iterator[Picture]:
        pictures = self._pictures(plan, canvas)
        if self.row.format != "apng" or trial.grade == ALL_COLOURS:
            yield from pictures
            return
        kept = (trial.drawings, trial.scale)
        if kept not in self._cells:
            self._cells[kept] = colour_histogram(self._pictures(plan, canvas))
        cells = self._cells[kept]
        palette = build_palette(cells, trial.grade)
        for picture in pictures:
            yield quantise(picture, cells, palette)

    def _fewer(self, count: int) -> Timeline:
        """The drawings that are missed least where there are only so many."""
        if count == len(self._all.order):
            return self._all
        plan, costs, choices = self._stand_ins
        if count >= len(plan.order):
            return self._all.at_most(count)
        starts = split_runs(costs, count)
        shown = [int(choices[start, end]) for start, end in zip(starts, [*starts[1:], len(plan.order)], strict=True)]
        return plan.with_only(shown, starts)

    @cached_property
    def _stand_ins(self) -> tuple[Timeline, Costs, Choices]:
        plan = self._all.at_most(WEIGHED)
        thumbnails = np.stack([self._drawings.thumbnails[int(index)] for index in plan.order])
        return plan, *run_representatives(pairwise_distances(thumbnails), np.diff(plan.posts))

    def _pictures(self, plan: Timeline, canvas: Canvas) -> Iterator[Picture]:
        height, width = self._drawings.canvas.content
        placement = Placement(Box(0, 0, width, height), canvas.content)
        for index in plan.order:
            self._alive()
            (picture,) = self._drawings.spool[int(index)]
            yield picture if canvas.content == (height, width) else resample(picture, placement)


class _Again:
    """Clips that are made once and can be gone through again, without being held in memory."""

    def __init__(self, made: Iterator[Clip], spool: Spool, alive: Callable[[], None]) -> None:
        self._made, self._spool, self._alive = made, spool, alive

    def __iter__(self) -> Iterator[Clip]:
        for pixels, times in self._spool:
            self._alive()
            yield Clip(pixels, times)
        for clip in self._made:
            self._spool.append(clip.pixels, clip.times)
            yield clip
