"""The story: a source goes in, stickers come out. The only module that knows all stages."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np

from animecut import compose, drawings, refine
from animecut.clip import Alpha, Clip
from animecut.compose import Box, Placement
from animecut.decode import decode, describe
from animecut.encode import Written, write
from animecut.errors import NoCharacter
from animecut.pick import pick, without_specks
from animecut.segment import Segmenter
from animecut.settings import Format, Settings
from animecut.spool import Spool
from animecut.steady import steady

Item = TypeVar("Item")
Found = Iterator[tuple[Clip, Alpha]]

PRESENT = 0.5  # probability from which a place counts as character when deciding whether there is one
VISIBLE = 0.05  # probability from which a place may show in the sticker
SURROUNDINGS = 0.04  # of the picture's longer side, kept around a character so that the matting knows the background


@dataclass(frozen=True)
class Target:
    """A file to be written, in one of the formats."""

    path: Path
    format: Format


@dataclass
class Report:
    """What was done to one source."""

    outputs: list[Written] = field(default_factory=list)
    frames_in: int = 0
    drawings: int = 0
    shots: int = 0
    seconds: dict[str, float] = field(default_factory=dict)


class Watch:
    """Who is told how far the work is and where the time goes. The base class keeps the seconds and is silent."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._stages: list[str] = []
        self._since = time.perf_counter()

    def progress(self, stage: str, done: int, total: int | None) -> None:
        """So many pictures of a stage are done."""

    def notice(self, message: str) -> None:
        """Something a user should know."""

    def each(self, stage: str, items: Iterable[Item]) -> Iterator[Item]:
        """The same items; the time that they take is this stage's, but for what an inner stage takes."""
        iterator = iter(items)
        while True:
            with self.during(stage):
                item = next(iterator, None)
            if item is None:
                return
            yield item

    @contextmanager
    def during(self, stage: str) -> Iterator[None]:
        """Charge the time inside to a stage, and stop charging the one outside."""
        self._charge()
        self._stages.append(stage)
        try:
            yield
        finally:
            self._charge()
            self._stages.pop()

    def _charge(self) -> None:
        now = time.perf_counter()
        if self._stages:
            self.seconds[self._stages[-1]] = self.seconds.get(self._stages[-1], 0.0) + now - self._since
        self._since = now


def cut(source: Path, targets: Sequence[Target], settings: Settings, segmenter: Segmenter, watch: Watch) -> Report:
    """Cut the characters out of a source and write them to every target.

    Raises AnimecutError: the source cannot be read, holds no character, or a target cannot be written.
    """
    report = Report(seconds=watch.seconds)
    with Spool() as found, Spool() as stickers:
        matting = _get_ready(settings)
        stream = find(source, settings, segmenter, watch, report)
        placement = _set_aside(stream, found, source, settings)
        matting(watch)
        for i, sticker in enumerate(finish(found, placement, settings, watch), start=1):
            stickers.append(sticker.pixels, sticker.times)
            watch.progress("matting", i, len(found))
        for target in targets:
            with watch.during("encode"):
                clips = _Stickers(stickers, target.format, watch)
                report.outputs.append(
                    write(target.path, clips, target.format, loop=settings.loop, quality=settings.quality)
                )
    return report


def find(source: Path, settings: Settings, segmenter: Segmenter, watch: Watch, report: Report) -> Found:
    """Every drawing of the source with its calm, coarse alpha."""
    clips = watch.each("decode", decode(source, settings.start, settings.end))
    clips = _counted(clips, source, settings, watch, report)
    clips = watch.each("drawings", drawings.merge_held(clips))
    if settings.fps:
        clips = drawings.at_most(clips, settings.fps)
    found: Found = ((clip, segmenter(compose.over(clip.pixels, compose.GREY))) for clip in clips)
    found = watch.each("segment", found)
    found = watch.each("pick", pick(found, settings.pick))
    found = watch.each("steady", steady(found, strength=settings.steady))
    found = watch.each("pick", without_specks(found, keep_effects=settings.keep_effects))
    for clip, alpha in found:
        report.drawings += len(clip)
        report.shots = max(report.shots, clip.shot + 1)
        yield clip, alpha


def finish(found: Spool, placement: Placement, settings: Settings, watch: Watch) -> Iterator[Clip]:
    """Every drawing set aside as one picture of the sticker: placed, matted, and laid over its background."""
    background = compose.read_background(settings.background)
    for picture, corner, size, alpha, times in found:
        with watch.during("compose"):
            whole = _restored(picture, corner, size)
            placed = compose.resample(whole, placement)
            coarse = compose.resample_alpha(alpha.astype(np.float32), placement, (int(size[0]), int(size[1])))
        with watch.during("refine"):
            rgba = refine.refine(placed[..., :3], coarse, matting=settings.matting)
        if placed.shape[2] == 4:  # what the source itself left transparent stays so
            rgba[..., 3] = np.minimum(rgba[..., 3], placed[..., 3])
        yield Clip((rgba if background is None else compose.over(rgba, background))[None], times)


def _counted(clips: Iterable[Clip], source: Path, settings: Settings, watch: Watch, report: Report) -> Iterator[Clip]:
    about = describe(source)
    total = None
    if about.frame_rate and about.duration_s:
        seconds = min(settings.end or np.inf, about.duration_s) - (settings.start or 0.0)
        total = max(1, round(seconds * about.frame_rate))
    for clip in clips:
        report.frames_in += len(clip)
        watch.progress("finding", report.frames_in, total)
        yield clip


def _set_aside(stream: Found, found: Spool, source: Path, settings: Settings) -> Placement:
    """Put every drawing away, no more of it than its character needs; return where the sticker lies in the picture."""
    everywhere: Box | None = None
    present = False
    height = width = 0
    for clip, alpha in stream:
        height, width = clip.pixels.shape[1:3]
        for i in range(len(clip)):
            box = compose.bounding_box(alpha[i], VISIBLE, (height, width))
            present |= bool((alpha[i] > PRESENT).any())
            everywhere = box if everywhere is None or box is None else everywhere | box
            near = (box or Box(0, 0, 1, 1)).grown(round(SURROUNDINGS * max(height, width)), (height, width))
            picture = clip.pixels[i, near.top : near.bottom, near.left : near.right]
            corner, size = np.array([near.top, near.left]), np.array([height, width])
            found.append(picture, corner, size, alpha[i].astype(np.float16), clip.times[i : i + 2])
    if everywhere is None or not present:
        raise NoCharacter(
            f"{source}: no character found in this range; try another --start and --end, or --weights of your show"
        )
    box = everywhere if settings.crop else Box(0, 0, width, height)
    return compose.place(box, (height, width), settings.size, settings.margin if settings.crop else 0)


def _restored(picture: compose.Picture, corner: np.ndarray, size: np.ndarray) -> compose.Picture:
    """The part that was set aside back in its place in the whole picture, the rest black."""
    whole = np.zeros((*size, picture.shape[2]), np.uint8)
    top, left = corner
    whole[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
    return whole


def _get_ready(settings: Settings) -> Callable[[Watch], None]:
    """Load the matting solver beside the other stages; the first time on a machine it compiles for half a minute."""
    thread = threading.Thread(target=refine.warm_up, daemon=True)
    thread.start()

    def wait(watch: Watch) -> None:
        with watch.during("startup"):
            thread.join(2.0)
            if thread.is_alive():
                watch.notice("preparing the matting solver: about half a minute, the first time on this machine only")
                thread.join()

    return wait


class _Stickers:
    """The finished pictures as clips of one, as often as they are asked for."""

    def __init__(self, stickers: Spool, stage: str, watch: Watch) -> None:
        self._stickers, self._stage, self._watch = stickers, stage, watch

    def __iter__(self) -> Iterator[Clip]:
        for i, (pixels, times) in enumerate(self._stickers, start=1):
            yield Clip(pixels, times)
            self._watch.progress(self._stage, i, len(self._stickers))
