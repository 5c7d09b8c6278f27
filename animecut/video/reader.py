"""Video, GIF or image file -> clips.

GIF, PNG, WebP and other canvases go through Pillow (`images.py`), the rest through FFmpeg (`ffmpeg.py`); what a file
holds chooses, not its name.
"""

import math
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal

import numpy as np

from animecut.errors import SettingsError, reason_of
from animecut.types import Clip
from animecut.video import ffmpeg, images, sequence
from animecut.video.images import STILL_SECONDS
from animecut.video.source import EDGE_SECONDS, LAST_SECONDS, TimedPicture, Truncated, input_error

MAX_PIXELS = 8192 * 8192  # of a picture: twice 8K video; a decompression bomb has more
CHUNK_BYTES = 512 * 2**20  # of pixels at once: where pictures are huge, a clip has fewer of them


@dataclass(frozen=True)
class SourceInfo:
    """What a file holds. Size (pixels) and alpha are as decode gives them; the rest is the header's word, or None."""

    width: int
    height: int
    duration_s: float | None
    frame_rate: Fraction | None
    kind: Literal["video", "animation", "still"]
    has_alpha: bool


def read_clips(
    path: Path, start: float | None = None, end: float | None = None, *, chunk: int = 16, max_pixels: int = MAX_PIXELS,
    fps: float | None = None, tell: Callable[[str], None] = lambda message: None,
) -> Generator[Clip]:  # fmt: skip
    """Pictures on screen in [start, end), in order, as clips of at most `chunk` pictures.

    Seconds count from where the source's earliest stream begins, sound or pictures, as in players. The picture shown
    *at* start is the first, its time clipped to start; the last one ends at end, or with the source. Pictures are
    upright, their pixels square; RGBA where the source has alpha, and for every GIF; else RGB. A still is one picture
    of STILL_SECONDS. Past damage it goes on if it can.
    fps: of numbered pictures, `frame%04d.png`, which are one clip.  tell: hears which pictures are left out, and why.

    Raises, when the first clip is asked for, SettingsError where the range is none; InputError where the file cannot be
    read, a picture has more than max_pixels, or nothing is shown in the range; later, where it breaks off in the range.
    """
    since = 0.0 if start is None else start
    until = math.inf if end is None else end
    if not 0 <= since < math.inf:
        raise SettingsError("give seconds from 0 up", field="start", value=since)
    if not until - since >= 2 * EDGE_SECONDS:
        raise SettingsError(f"must come after `start` ({since:g} s); give a later one", field="end", value=until)
    if sequence.is_sequence(path):
        pictures = sequence.pictures(path, sequence.stills(path, fps), max_pixels)
    else:
        _check_file(path)
        image = images.opened(path)
        pictures = images.pictures(path, image, max_pixels) if image else ffmpeg.pictures(path, since, max_pixels, tell)
    with closing(pictures):
        yield from _clips(_shown(path, pictures, since, until, tell), chunk)


def describe(path: Path, *, max_pixels: int = MAX_PIXELS, fps: float | None = None) -> SourceInfo:
    """What a file holds; decodes its first picture. duration_s is for progress bars only. Raises InputError."""
    with closing(read_clips(path, chunk=1, max_pixels=max_pixels, fps=fps)) as clips:
        _, height, width, channels = next(clips).pixels.shape
    if sequence.is_sequence(path):
        lengths = [seconds for _, seconds in sequence.stills(path, fps)]
        average = Fraction(len(lengths) / sum(lengths)).limit_denominator(1001)
        return SourceInfo(width, height, sum(lengths), average, "video", channels == 4)
    if image := images.opened(path):
        with image:
            if images.moves(image):
                return SourceInfo(width, height, None, None, "animation", channels == 4)
        return SourceInfo(width, height, STILL_SECONDS, None, "still", channels == 4)
    with ffmpeg.opened(path, max_pixels) as video:
        rate = video.stream.average_rate or None
        return SourceInfo(width, height, ffmpeg.seconds(video), rate, "video", channels == 4)


def _shown(
    path: Path, pictures: Iterable[TimedPicture], since: float, until: float, tell: Callable[[str], None]
) -> Iterator[tuple[TimedPicture, float, float]]:
    """Each picture on screen in [since, until), from when, until when. Raises InputError where there is none."""
    held: TimedPicture | None = None
    gap: float | None = None
    shown_to, late = since, 0
    for picture in _whole(path, pictures, since):
        if held is None:
            shown_to = _first_shown(path, picture, since, until)
        else:
            if picture.time <= held.time:  # gone before it was seen
                late += 1
                continue
            gap = picture.time - held.time
            if picture.time >= until - EDGE_SECONDS:
                break
            if picture.time > shown_to + EDGE_SECONDS:
                yield held, shown_to, picture.time
                shown_to = picture.time
        held = picture
    else:
        picture = None
    if late:
        tell(f"left out {late} pictures whose time was over before they came")
    if held is not None and picture is not None:
        yield held, shown_to, until
        return
    if held is None:
        raise input_error(path, "no picture in it can be decoded; it is damaged or protected: fetch or export it again")
    source_end = held.time + (held.length or gap or LAST_SECONDS)
    if source_end <= since + EDGE_SECONDS:
        raise input_error(path, f"ends at {source_end:.3f} s, before start ({since:g} s); give an earlier start")
    yield held, shown_to, min(until, source_end)


def _first_shown(path: Path, first: TimedPicture, since: float, until: float) -> float:
    """From when the first picture is shown. Raises InputError where that is after the range."""
    if first.time >= until - EDGE_SECONDS:
        raise input_error(path, f"its first picture comes at {first.time:.3f} s, after end ({until:g} s); end later")
    return max(since, first.time)


def _whole(path: Path, pictures: Iterable[TimedPicture], since: float) -> Iterator[TimedPicture]:
    """The pictures, then InputError where they break off; what was asked for before that has been given by then."""
    picture: TimedPicture | None = None
    try:
        for picture in pictures:
            yield picture
    except Truncated as error:
        if picture:
            last = math.floor(100 * picture.time) / 100
            advice = ["fetch it again"]
            if last > since:
                advice.append(f"end before that (`end` {last:g})")
            elif since > 0:
                advice.append("give an earlier start")
            raise input_error(path, f"breaks off at {picture.time:.3f} s; {', or '.join(advice)}") from error


def _clips(shown: Iterable[tuple[TimedPicture, float, float]], chunk: int) -> Iterator[Clip]:
    """Shown pictures gathered into clips."""
    pixels = np.empty((0, 0, 0, 0), np.uint8)
    times: list[float] = []
    for picture, since, until in shown:
        image = picture.pixels()
        if not times:
            room = max(1, min(chunk, CHUNK_BYTES // image.nbytes))
            alone = np.ascontiguousarray(image)[None]
            pixels, times = alone if room == 1 else np.empty((room, *image.shape), np.uint8), [since]
        if len(pixels) > 1:
            pixels[len(times) - 1] = image
        times.append(until)
        if len(times) > len(pixels):
            yield Clip(pixels, np.array(times))
            times = []
    if times:
        yield Clip(pixels[: len(times) - 1], np.array(times))


def _check_file(path: Path) -> None:
    """Raise InputError where there is no file with something in it that may be read."""
    try:
        if path.is_dir():
            raise input_error(path, "is a folder; name a file in it")
        if not path.is_file():
            raise input_error(path, "is no ordinary file" if path.exists() else "no such file; check its name")
        with path.open("rb") as file:
            if not file.read(1):
                raise input_error(path, "is empty; fetch or export it again")
    except OSError as error:
        raise input_error(path, f"cannot be read ({reason_of(error)}); check its name, permissions and disk") from error
