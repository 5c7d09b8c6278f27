"""The story: a source goes in, stickers come out. The only module that knows all stages."""

from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, count, islice, pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from animecut._util.concurrency import Item, Threads, parallel_map, run_in_thread
from animecut._util.progress import WAITING, Progress
from animecut._util.spool import FillingSpool, Record, Spool
from animecut.encode.preview import write_preview
from animecut.encode.writer import write_sticker
from animecut.errors import InputError, NoCharacter, OutputError, SettingsError
from animecut.layout import compose, outline, playback
from animecut.layout.arrange import Scene, Track, arrange
from animecut.layout.caption import draw_caption, drawable_text
from animecut.layout.compose import Box, Colour, Picture, Placement
from animecut.layout.ground import Ground, gather_ground
from animecut.matte import flicker
from animecut.matte import matting as edges
from animecut.matte.components import drop_small_components
from animecut.matte.source_alpha import is_cut_out, keep_source_alpha
from animecut.matte.temporal import smooth
from animecut.matte.tracking import select
from animecut.platforms.fit import fit
from animecut.platforms.specs import Platform, check_file, without_limits
from animecut.platforms.timeline import plan_timeline
from animecut.results import LoopResult, Output, Result, Target
from animecut.segmentation.stage import segment
from animecut.settings import AROUND, Settings
from animecut.types import Clip, Drawing, Pixels, Seconds, Segment, add_opaque_alpha
from animecut.video.drawings import limit_rate, merge_held_frames
from animecut.video.limits import check_expected_seconds, enforce_limits
from animecut.video.reader import describe, read_clips

PRESENT = 0.5  # probability from which a place counts as character when deciding whether there is one
VISIBLE = 0.05  # probability from which a place may show in the sticker
SURROUNDINGS = 0.04  # of the picture's longer side, kept around a character so that the matting knows the background
THUMBNAIL = 64  # pixels along the longer side of what is compared to find a loop
GROUND_SECONDS = 60.0  # of a moving background: stickers are shorter
PATIENCE = 2.0  # seconds to wait for the matting solver before saying why


@dataclass(frozen=True)
class _Looks:
    """What is laid under and over every picture of the sticker."""

    border: Colour
    ground: Colour | Ground | None
    text: Picture | None = None


def cut(source: Path, targets: Sequence[Target], settings: Settings, segmenter: Segment, watch: Progress) -> Result:
    """Cut the characters out of a source and write them to every target, whose folders are there.

    Raises AnimecutError: the source cannot be read or holds no character, no target can be written, or NoRoom.
    SettingsError where no source could help: a colour, a picture, a font, a caption that it has no letters for.
    """
    report = Result(seconds=watch.seconds)
    edges.check_installed(settings.matting)
    looks = _looks(settings)
    with Spool() as found, Spool() as stickers:
        matting = run_in_thread(partial(_load_matting, segmenter, settings))
        with closing(find_characters(source, settings, segmenter, watch, report)) as stream:
            track = _set_aside(stream, found, source)
        scene = _composed(track, settings)
        if settings.caption:
            text = draw_caption(settings.caption, scene.canvas, at=settings.caption_at, font=settings.font)
            looks = replace(looks, text=text)
        shown = _loop(found, scene, track, report, watch) if settings.loop_find else range(len(found))
        report.drawings = len(shown)
        times = track.times[shown.start : shown.stop + 1]
        plays = playback.plan_playback(times, speed=settings.speed, reverse=settings.reverse, bounce=settings.bounce)
        opening = None if settings.first is None else playback.sticker_time(settings.first, times, plays)
        targets = _possible(source, targets, plays.times, opening, settings, report)
        _wait_for(matting, watch)
        with closing(finish_pictures(found, scene, track, shown, settings, looks, watch, report)) as pictures:
            finished = FillingSpool(stickers, watch.each(WAITING, pictures))  # encoding runs beside matting
            for target in targets:
                clips = _Sticker(finished, plays, looks, settings.shadow, target, watch)
                with watch.during("encode"):
                    try:
                        report.outputs.append(_written(target, clips, opening, settings, watch))
                    except OutputError as error:  # the others go on
                        report.problems.append(str(error))
    if not report.outputs:
        raise OutputError("; ".join(report.problems))
    if settings.preview:
        with watch.during("preview"):
            report.preview = write_preview([output.written for output in report.outputs])
    return report


def find_characters(
    source: Path, settings: Settings, segmenter: Segment, watch: Progress, report: Result
) -> Generator[Drawing]:
    """Every drawing of the source with its calm, coarse alpha. Stages run side by side, a drawing at a time."""
    since = settings.start if settings.frame is None else settings.frame
    with Threads() as threads:

        def beside(stage: str, items: Iterable[Item]) -> Iterator[Item]:
            return watch.each(WAITING, threads.ahead(watch.each(stage, items)))

        limit = settings.max_source_pixels
        clips: Iterator[Clip] = read_clips(
            source, since, settings.end, chunk=1, max_pixels=limit, fps=settings.fps, tell=watch.notice
        )
        longest, seconds = settings.max_source_side, settings.max_source_seconds
        clips = beside("decode", enforce_limits(clips, source, longest=longest, seconds=seconds))
        if settings.frame is not None:
            clips = islice(clips, 1)
        drawings = merge_held_frames(_counted(clips, source, settings, watch, report))
        if settings.fps:
            drawings = limit_rate(drawings, settings.fps)
        drawings = beside("drawings", drawings)
        first = next(drawings, None)
        drawings = chain([first] if first else [], drawings)
        if first and is_cut_out(first) and not settings.recut and settings.pick == Settings.pick:
            report.own_alpha = True
            watch.notice(f"{source}: is cut out already and keeps its own alpha; `recut` cuts it again")
            drawings = keep_source_alpha(drawings)
        else:
            drawings = beside("segment", segment(drawings, segmenter))
            drawings = watch.each("pick", select(drawings, settings.pick))
            drawings = watch.each("steady", smooth(drawings, strength=settings.steady))
            drawings = beside("pick", drop_small_components(drawings, keep_effects=settings.keep_effects))
        for drawing in drawings:
            report.shots = max(report.shots, drawing.shot + 1)
            yield drawing


def finish_pictures(
    found: Spool, scene: Scene, track: Track, shown: range, settings: Settings, looks: _Looks, watch: Progress,
    report: Result,
) -> Generator[Picture]:  # fmt: skip
    """Those drawings set aside that are shown, as pictures of the sticker: placed, matted, and with their border."""

    def finish(drawing: tuple[Record, Placement]) -> tuple[Picture, Picture, bool]:
        with watch.during("compose"):
            placed, coarse, grain = _placed(*drawing)
        if report.own_alpha:
            rgba, hopeless = add_opaque_alpha(placed), False
        else:
            with watch.during("refine"):
                rgba, hopeless = edges.refine(placed[..., :3], coarse, matting=settings.matting, grain=grain)
        if placed.shape[2] == 4 and not report.own_alpha:  # what the source itself left transparent stays so
            rgba[..., 3] = np.minimum(rgba[..., 3], placed[..., 3])
        with watch.during("compose"):
            rgba = compose.paste_on_canvas(rgba, scene.canvas, scene.corner)
            finished = outline.add_outline(rgba, settings.outline, looks.border) if settings.outline else rgba
        return finished, placed[..., :3], hopeless

    doubtful, changes = 0, list[float]()
    copies = sum(track.frames[index] - 1 for index in shown)
    before: tuple[Picture, Picture] | None = None
    set_aside = ((found[index], scene.placements[index]) for index in shown)
    for done, (picture, source, hopeless) in enumerate(parallel_map(finish, set_aside), start=1):
        doubtful += hopeless
        if before and flicker.is_held(before[0], source):
            changes.append(flicker.alpha_change(before[1], picture))
        before = source, picture
        watch.progress("matting", done, len(shown))
        if doubtful and done == len(shown):
            watch.notice(
                f"{doubtful} of {done} drawings were too doubtful to be matted; their edges are the network's own"
            )
        # Before each picture is given, as nobody asks for one after the last.
        report.held_flicker = flicker.held_flicker(changes, copies + len(changes))
        yield picture


def _written(
    target: Target, clips: Iterable[Clip], opening: float | None, settings: Settings, watch: Progress
) -> Output:
    """The sticker as a file; for a platform within its limits, and looked at as the platform would.

    opening: seconds of the sticker; what shows then comes first in a file with limits. None: what suits the platform.
    """
    row = _limits(target, settings)
    if row is None:
        return Output(write_sticker(target.path, clips, target.format, loop=settings.loop, quality=settings.quality))
    pictures = count(1)
    fitted = fit(
        clips, target.path, row, loop=settings.loop, quality=settings.quality, first=opening,
        too_long=settings.too_long, alive=lambda: watch.progress("fitting", next(pictures), None),
    )  # fmt: skip
    platform = target.platform.name if target.platform else None
    problems = check_file(target.path, platform) if platform else []
    return Output(fitted.written, platform, tuple(problems), fitted.given_up, fitted.ssim)


def _limits(target: Target, settings: Settings) -> Platform | None:
    """What a file has to keep to: its platform's limits and the user's, whichever are narrower."""
    row = target.platform
    if row is None and settings.limited and target.format != "png" and target.format != "sheet":
        row = without_limits(target.format)
    if row is None:
        return None
    most, longest = settings.max_bytes or np.inf, settings.max_seconds or np.inf
    least = max(row.min_frames, 2) if target.moves and row.animated else row.min_frames
    longest, most = min(row.max_seconds, longest), min(row.max_bytes, most)
    return replace(row, max_bytes=most, max_seconds=longest, min_frames=least)


def _possible(
    source: Path, targets: Sequence[Target], times: Seconds, opening: float | None, settings: Settings, report: Result
) -> list[Target]:
    """The targets without those that are known to be impossible before the longer part of the work."""
    possible = []
    for target in targets:
        row = _limits(target, settings)
        try:
            if row:
                plan_timeline(
                    times, [0.0] * (len(times) - 1), row, loop=settings.loop, first=opening, too_long=settings.too_long
                )
            possible.append(target)
        except OutputError as error:
            mixed = f" ({target.path}: a pack mixes no stills with moving stickers)" if target.moves else ""
            report.problems.append(f"{source}: {error}{mixed}")
    if not possible:
        raise OutputError("; ".join(report.problems))
    return possible


def _looks(settings: Settings) -> _Looks:
    """What can be read before the work begins. Raises SettingsError where it cannot."""
    border = compose.parse_colour(settings.outline_color)
    if border is None:
        why = "no colour; write white, #ff8800 or rgb(1,2,3)"
        raise SettingsError(why, field="outline_color", value=settings.outline_color)
    drawable_text(settings.caption, settings.font)
    around = settings.margin + outline.outline_room(
        max(settings.bounds), outline=settings.outline, shadow=settings.shadow
    )
    if 2 * around >= AROUND * min(settings.bounds):
        why = f"leaves, with `outline` and `shadow`, too little of {min(settings.bounds)} pixels"
        raise SettingsError(why, field="margin", value=settings.margin)
    return _Looks(border, read_ground(settings))


def read_ground(settings: Settings) -> Colour | Ground | None:
    """None for transparent, a colour, or the pictures of a file. Raises SettingsError where it is none of them."""
    words = settings.background
    if words == "transparent" or (colour := compose.parse_colour(words)):
        return None if words == "transparent" else colour
    try:
        with closing(read_clips(Path(words), end=GROUND_SECONDS, max_pixels=settings.max_source_pixels)) as clips:
            return gather_ground(clips, settings.bounds)
    except InputError as error:
        why = f"neither transparent, nor a colour, nor a picture that can be read ({error})"
        raise SettingsError(why, field="background", value=words) from error


def _set_aside(drawings: Iterable[Drawing], found: Spool, source: Path) -> Track:
    """Put every drawing away, no more of it than its character needs."""
    track = Track((0, 0), [], [], [], np.empty(0))
    times: list[float] = []
    present = False
    end = 0.0
    for drawing in drawings:
        alpha, size, end = drawing.known_alpha, (drawing.rgb.shape[0], drawing.rgb.shape[1]), drawing.end
        track = replace(track, picture=size)
        present |= bool((alpha > PRESENT).any())
        box = compose.bounding_box(alpha, VISIBLE, size)
        near = (box or Box(0, 0, 1, 1)).grown(round(SURROUNDINGS * max(size)), size)
        picture = _with_source_alpha(drawing)[near.top : near.bottom, near.left : near.right]
        found.append(picture, np.array([near.top, near.left]), np.array(size), alpha.astype(np.float16))
        track.boxes.append(box)
        track.shots.append(drawing.shot)
        track.frames.append(drawing.frames)
        times.append(drawing.start)
    if not present:
        raise NoCharacter(f"{source}: no character found; try another `start` and `end`, or `weights` of your show")
    return replace(track, times=np.array([*times, end]))


def _with_source_alpha(drawing: Drawing) -> Picture:
    """(H, W, 3) RGB, or (H, W, 4) RGBA where the source has an alpha of its own."""
    return drawing.rgb if drawing.source_alpha is None else np.dstack([drawing.rgb, drawing.source_alpha])


def _composed(track: Track, settings: Settings) -> Scene:
    return arrange(
        track, settings.bounds, exactly=settings.canvas is not None, crop=settings.crop, follow=settings.follow,
        margin=settings.margin, outline=settings.outline, shadow=settings.shadow,
    )  # fmt: skip


def _loop(found: Spool, scene: Scene, track: Track, report: Result, watch: Progress) -> range:
    """The drawings that loop best; all of them where none do."""
    placed = []
    for record, placement in zip(found, scene.placements, strict=True):
        picture, coarse, _ = _placed(record, compose.fill_bounds(placement.crop, (THUMBNAIL, THUMBNAIL)))
        placed.append((picture[..., :3], coarse))
    rgb, alpha = (np.stack(planes) for planes in zip(*placed, strict=True))
    loop = playback.find_loop(rgb, alpha, track.times)
    start, end = float(track.times[loop.start]), float(track.times[loop.stop])
    report.loop = LoopResult(start, end, loop.score, loop.words, loop.holds)
    if loop.holds:
        return range(loop.start, loop.stop)
    watch.notice("no part of the range loops without a clear jump, so all of it is kept; try a longer one, or `bounce`")
    return range(len(found))


def _placed(record: Record, placement: Placement) -> tuple[Pixels, NDArray[np.float32], float]:
    """A drawing set aside at the sticker's size, its coarse alpha there, and sticker pixels per pixel of that."""
    picture, (top, left), (height, width), alpha = record
    crop = placement.crop
    coarse = compose.resample_alpha(alpha.astype(np.float32), placement, (int(height), int(width)))
    grain = placement.size[1] / crop.width * width / alpha.shape[1]
    whole = Placement(Box(0, 0, crop.width, crop.height), placement.size)
    return compose.resample(compose.crop_part(picture, int(top), int(left), crop), whole), coarse, float(grain)


def _counted(
    clips: Iterable[Clip], source: Path, settings: Settings, watch: Progress, report: Result
) -> Iterator[Clip]:
    about = describe(source, max_pixels=settings.max_source_pixels, fps=settings.fps)
    total = None
    if about.frame_rate and about.duration_s:
        seconds = min(settings.end or np.inf, about.duration_s) - (settings.start or 0.0)
        total = max(1, round(seconds * about.frame_rate))
        if settings.frame is None:
            check_expected_seconds(source, seconds, settings.max_source_seconds)
    for clip in clips:
        report.frames_in += len(clip)
        watch.progress("finding", report.frames_in, total)
        yield clip
    watch.progress("finding", report.frames_in, report.frames_in)


def _load_matting(segmenter: Segment, settings: Settings) -> None:
    if settings.matting in edges.SOLVED:
        getattr(segmenter, "batch_size", 1)  # waits: two imports at once would only be in each other's way
        edges.warm_up(settings.matting)


def _wait_for(matting: Future[None], watch: Progress) -> None:
    """Wait until the matting solver is loaded; the first time on a machine it compiles for half a minute."""
    with watch.during("startup"):
        try:
            matting.result(PATIENCE)
        except TimeoutError:
            watch.notice("preparing the matting solver: about half a minute, the first time on this machine only")
            matting.result()


class _Sticker:
    """The finished pictures in the order and the dress in which one target shows them, as often as they are asked for.

    A transparent GIF has no soft alpha: half of a shadow would be hard there and half of it gone, so it has none.
    """

    def __init__(
        self, finished: FillingSpool, plays: playback.Playback, looks: _Looks, shadow: bool, target: Target,
        watch: Progress,
    ) -> None:  # fmt: skip
        self._finished, self._plays, self._looks, self._watch = finished, plays, looks, watch
        self._kind = target.format
        on_white = target.platform is not None and target.platform.ground == "white"
        clear = looks.ground is None or (isinstance(looks.ground, Ground) and not looks.ground.is_opaque)
        self._one_bit = target.format == "gif" and clear and not on_white
        self._shadow = shadow and not self._one_bit

    def __iter__(self) -> Iterator[Clip]:
        ground, times = self._looks.ground, self._plays.times
        for i, index in enumerate(self._plays.order):
            since, until = float(times[i]), float(times[i + 1])
            rgba = self._finished[index]
            changes = ground.changes(since - times[0], until - times[0]) if isinstance(ground, Ground) else []
            for start, end in pairwise([since, *(float(times[0] + change) for change in changes), until]):
                yield Clip(self._dressed(rgba, start - float(times[0]))[None], np.array([start, end]))
            self._watch.progress(self._kind, i + 1, len(self._plays.order))

    def _dressed(self, rgba: Picture, moment: float) -> Picture:
        if self._shadow:
            rgba = outline.add_shadow(rgba)
        ground = self._looks.ground
        if isinstance(ground, Ground):
            below = compose.cover(ground.picture_at(moment), (rgba.shape[0], rgba.shape[1]))
            clear = below.shape[2] == 4
            rgba = compose.alpha_over(rgba, below) if clear else add_opaque_alpha(compose.composite_over(rgba, below))
        elif ground is not None:
            rgba = add_opaque_alpha(compose.composite_over(rgba, ground))
        if self._looks.text is not None:
            rgba = compose.alpha_over(self._looks.text, rgba)
        return edges.to_one_bit_alpha(rgba) if self._one_bit else rgba
