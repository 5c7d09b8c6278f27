"""The story: a source goes in, stickers come out. The only module that knows all stages."""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from animecut import compose, drawings, refine
from animecut.clip import Alpha, Clip, Pixels
from animecut.compose import Box, Placement
from animecut.decode import decode, describe
from animecut.encode import Written, write
from animecut.errors import NoCharacter
from animecut.fit import fit
from animecut.pick import pick, without_specks
from animecut.platforms import Platform, check
from animecut.settings import Format, Settings
from animecut.spool import Record, Spool
from animecut.steady import steady
from animecut.watch import Watch

Found = Iterator[tuple[Clip, Alpha]]
Segment = Callable[[Pixels], Alpha]
"""Pictures to coarse alpha; a Segmenter is one."""

PRESENT = 0.5  # probability from which a place counts as character when deciding whether there is one
VISIBLE = 0.05  # probability from which a place may show in the sticker
SURROUNDINGS = 0.04  # of the picture's longer side, kept around a character so that the matting knows the background
PATIENCE = 2.0  # seconds to wait for the matting solver before saying why


@dataclass(frozen=True)
class Target:
    """A file to be written in one of the formats, as it is or within a platform's limits."""

    path: Path
    format: Format
    platform: Platform | None = None


@dataclass(frozen=True)
class Output:
    """A file that was written, what a platform would still refuse, and what was given up to fit its limits."""

    written: Written
    platform: str | None = None
    problems: tuple[str, ...] = ()
    given_up: tuple[str, ...] = ()


@dataclass
class Report:
    """What was done to one source."""

    outputs: list[Output] = field(default_factory=list)
    frames_in: int = 0
    drawings: int = 0
    shots: int = 0
    seconds: dict[str, float] = field(default_factory=dict)


def cut(source: Path, targets: Sequence[Target], settings: Settings, segment: Segment, watch: Watch) -> Report:
    """Cut the characters out of a source and write them to every target, whose folders are there.

    Raises AnimecutError: the source cannot be read, holds no character, or a target cannot be written.
    """
    report = Report(seconds=watch.seconds)
    with Spool() as found, Spool() as stickers:
        wait_for_matting = _load_matting()
        placement = _set_aside(find(source, settings, segment, watch, report), found, source, settings)
        wait_for_matting(watch)
        for sticker in finish(found, placement, settings, watch):
            stickers.append(sticker.pixels, sticker.times)
        for target in targets:
            with watch.during("encode"):
                report.outputs.append(_written(target, _Stickers(stickers, target.format, watch), settings))
    return report


def find(source: Path, settings: Settings, segment: Segment, watch: Watch, report: Report) -> Found:
    """Every drawing of the source with its calm, coarse alpha."""
    clips = watch.each("decode", decode(source, settings.start, settings.end))
    clips = watch.each("drawings", drawings.merge_held(_counted(clips, source, settings, watch, report)))
    if settings.fps:
        clips = drawings.at_most(clips, settings.fps)
    found: Found = ((clip, segment(compose.over(clip.pixels, compose.GREY))) for clip in clips)
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
    doubtful = 0
    for done, record in enumerate(found, start=1):
        with watch.during("compose"):
            placed, coarse, grain = _placed(record, placement)
        with watch.during("refine"):
            doubtful += settings.matting != "none" and refine.hopeless(coarse, grain=grain)
            rgba = refine.refine(placed[..., :3], coarse, matting=settings.matting, grain=grain)
        if placed.shape[2] == 4:  # what the source itself left transparent stays so
            rgba[..., 3] = np.minimum(rgba[..., 3], placed[..., 3])
        if background is not None:
            rgba[..., :3], rgba[..., 3] = compose.over(rgba, background), 255
        yield Clip(rgba[None], record[-1])
        watch.progress("matting", done, len(found))
    if doubtful:
        watch.notice(
            f"{doubtful} of {len(found)} drawings were too doubtful to be matted; their edges are the network's own"
        )


def _written(target: Target, clips: Iterable[Clip], settings: Settings) -> Output:
    """The sticker as a file; for a platform within its limits, and looked at as the platform would."""
    if target.platform is None:
        return Output(write(target.path, clips, target.format, loop=settings.loop, quality=settings.quality))
    fitted = fit(clips, target.path, target.platform, loop=settings.loop, quality=settings.quality)
    problems = check(target.path, target.platform.name)
    return Output(fitted.written, target.platform.name, tuple(problems), fitted.given_up)


def _set_aside(stream: Found, found: Spool, source: Path, settings: Settings) -> Placement:
    """Put every drawing away, no more of it than its character needs; return where the sticker lies in the picture."""
    everywhere: Box | None = None
    present = False
    size = (0, 0)
    for clip, alpha in stream:
        size = (clip.pixels.shape[1], clip.pixels.shape[2])
        for i in range(len(clip)):
            present |= bool((alpha[i] > PRESENT).any())
            box = compose.bounding_box(alpha[i], VISIBLE, size)
            everywhere = everywhere | box if everywhere and box else everywhere or box
            near = (box or Box(0, 0, 1, 1)).grown(round(SURROUNDINGS * max(size)), size)
            picture = clip.pixels[i, near.top : near.bottom, near.left : near.right]
            corner = np.array([near.top, near.left])
            found.append(picture, corner, np.array(size), alpha[i].astype(np.float16), clip.times[i : i + 2])
    if everywhere is None or not present:
        raise NoCharacter(f"{source}: no character found; try another --start and --end, or --weights of your show")
    box = everywhere if settings.crop else Box(0, 0, size[1], size[0])
    return compose.place(box, size, settings.size, settings.margin if settings.crop else 0)


def _placed(record: Record, placement: Placement) -> tuple[Pixels, NDArray[np.float32], float]:
    """A drawing set aside at the sticker's size, its coarse alpha there, and sticker pixels per pixel of that."""
    picture, (top, left), (height, width), alpha, _ = record
    whole = np.zeros((height, width, picture.shape[2]), np.uint8)
    whole[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
    coarse = compose.resample_alpha(alpha.astype(np.float32), placement, (int(height), int(width)))
    grain = placement.size[1] / placement.crop.width * width / alpha.shape[1]
    return compose.resample(whole, placement), coarse, float(grain)


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


def _load_matting() -> Callable[[Watch], None]:
    """Load the matting solver beside the other stages; the first time on a machine it compiles for half a minute."""
    thread = threading.Thread(target=refine.warm_up, daemon=True)
    thread.start()

    def wait(watch: Watch) -> None:
        with watch.during("startup"):
            thread.join(PATIENCE)
            if thread.is_alive():
                watch.notice("preparing the matting solver: about half a minute, the first time on this machine only")
                thread.join()

    return wait


class _Stickers:
    """The finished pictures as clips of one, as often as they are asked for; for a GIF with its alpha of one bit."""

    def __init__(self, stickers: Spool, kind: Format, watch: Watch) -> None:
        self._stickers, self._kind, self._watch = stickers, kind, watch

    def __iter__(self) -> Iterator[Clip]:
        for done, (pixels, times) in enumerate(self._stickers, start=1):
            yield Clip(refine.one_bit(pixels) if self._kind == "gif" else pixels, times)
            self._watch.progress(self._kind, done, len(self._stickers))
