"""The best sticker under a platform's limits, by few encodes of pictures that were cut out once and set aside.

What is too long is cut off the end, and sped up only where that is asked for; the rest is given up as ladder.py says.
Where drawings go, those stay that are missed least; places on the road are tried until the file uses enough of the
limit.
"""

import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from math import isfinite, log, nan
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from animecut._util.paths import UNFINISHED, hidden_beside
from animecut._util.spool import Spool
from animecut.encode.writer import Written
from animecut.errors import OutputError, reason_of
from animecut.layout.compose import Box, Placement, composite_over, resample
from animecut.platforms.candidates import AIM, Candidates, Canvas, Drawings
from animecut.platforms.ladder import QualityLadder, Rung
from animecut.platforms.similarity import Thumbnail, still_score, thumbnail
from animecut.platforms.specs import Platform
from animecut.platforms.timeline import TooLong, plan_timeline
from animecut.types import Clip, add_opaque_alpha

ENOUGH = 0.85  # of a byte limit; nearer is not worth another encode
ENCODES = 6  # at most, on a road
DOUBT = 8  # times as far as expected, and again, where the first two expectations went wrong
WHITE = (255, 255, 255)


@dataclass(frozen=True)
class Fitted:
    """A file within the limits, and what that cost."""

    written: Written
    given_up: tuple[str, ...]
    """In words and in order; empty where nothing was."""
    ssim: float
    """Mean over what shows, against the sticker without limits, in the seconds that are left of it."""


def fit(
    clips: Iterable[Clip],
    path: Path,
    row: Platform,
    *,
    loop: int = 0,
    quality: int = 90,
    first: float | None = None,
    too_long: TooLong = "cut",
    alive: Callable[[], None] = lambda: None,
) -> Fitted:
    """Write the best sticker under the limits to `path`, whose folder exists.

    Parameters
    ----------
    clips: pictures of one size, as they are without limits; gone through once.
    loop: how often to play, 0 for ever, where the platform leaves it open.
    quality: 1..100, of webp and webm: what to start from.
    first: the moment (seconds of the clips) that comes first. Default: the beginning; where a platform rests on the
        first picture, the best still, if it is clearly better.
    too_long: what becomes of what is longer than the platform takes.
    alive: called at every picture that is written or compared: a sign of life, as nobody knows how many there will be.

    Raises
    ------
    OutputError where nothing fits, with the nearest miss, where nothing is shown at `first`, or where the file cannot
    be written.
    """
    with Spool() as spool:
        drawings = _set_aside(clips, spool, row)
        prefix = hidden_beside(path, UNFINISHED).name.removesuffix(UNFINISHED) + "."
        schedule = plan_timeline(drawings.posts, drawings.scores, row, loop=loop, first=first, too_long=too_long)
        try:
            with tempfile.TemporaryDirectory(prefix=prefix, suffix=".part", dir=path.parent) as folder:
                trials = Candidates(drawings, schedule, row, path, Path(folder), quality, alive)
                best = _best(trials, path)
                likeness = trials.ssim(best)
                written = replace(trials.written(best), path=path)
                trials.path(best).replace(path)
        except OSError as error:
            raise OutputError(
                f"cannot write {path}: {reason_of(error)}; is the folder there, with room left?"
            ) from error
    return Fitted(written, (*schedule.given_up, *trials.given_up(best)), likeness)


def _set_aside(clips: Iterable[Clip], spool: Spool, row: Platform) -> Drawings:
    """Every drawing once, as large as it can become; equal neighbours are one."""
    starts: list[float] = []
    scores: list[float] = []
    thumbnails: list[Thumbnail] = []
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
            placed = resample(add_opaque_alpha(pixels), Placement(Box(0, 0, width, height), canvas.content))
            if row.ground == "white":
                placed = add_opaque_alpha(composite_over(placed, WHITE))
            spool.append(placed)
            scores.append(still_score(placed))
            thumbnails.append(thumbnail(placed))
            starts.append(float(clip.times[i]))
    if canvas is None:
        raise ValueError("no picture to fit")
    return Drawings(spool, canvas, np.array([*starts, end]), tuple(scores), tuple(thumbnails))


def _canvas(row: Platform, height: int, width: int) -> Canvas:
    if row.canvas == "any":
        return Canvas.around((height, width), row)
    scale = min(row.height / height, row.width / width)
    return Canvas.around((max(1, round(height * scale)), max(1, round(width * scale))), row)


def _best(trials: Candidates, path: Path) -> Rung:
    """The first on the road that fits, in its best grade. Raises OutputError with the nearest miss where none does."""
    for road in trials.roads():
        if found := _nearest(trials, road, 0.0):
            fuller = trials.fuller(found)
            return (found.scale == 1 and _nearest(trials, fuller, fuller.length)) or found
    miss = trials.written(road.worst)
    if miss.bytes <= trials.row.max_bytes * AIM:
        wanted = f"{trials.row.min_frames} drawings that differ for {trials.row.name}"
        raise OutputError(f"{path}: only {miss.frames} of the {wanted} are left; choose a livelier range")
    raise OutputError(
        f"{path}: does not fit into {trials.row.max_bytes:,.0f} bytes; the nearest miss has {miss.bytes:,}"
        f" ({miss.width}x{miss.height}, {miss.frames} drawings); choose a shorter range or allow more"
    )


def _nearest(trials: Candidates, road: QualityLadder, place: float) -> Rung | None:
    """The first on the road that fits, sought from a place on: false position on the logarithm of the bytes.

    Stops where enough of the limit is used, or nothing lies between any more. None where not even the last one fits.
    """
    aim = log(trials.row.max_bytes * (AIM + ENOUGH) / 2)
    near, too_much = 0.0, nan  # the last place where it was too large, and how far over the aim the logarithm was
    far, room = road.length, nan  # the first place where it fitted, and how far below
    found: Rung | None = None
    for tries in range(ENCODES):
        trial = road.at(place)
        over = log(trials.bytes(trial)) - aim
        if trials.fits(trial):
            found, far, room = trial, place, over
            if place == 0 or trials.bytes(trial) >= trials.row.max_bytes * ENOUGH:
                break
        elif place == road.length:
            return None
        else:
            near, too_much = place, over
        doubt = 1 if found else max(1, DOUBT ** (tries - 1))
        place = _between(near, far, too_much * doubt, room)
        if found and road.at(place) in (road.at(near), found):
            place = (near + far) / 2
            if road.at(place) in (road.at(near), found):
                break
    return found or (road.worst if trials.fits(road.worst) else None)


def _between(near: float, far: float, too_much: float, room: float) -> float:
    """A place from `near` to `far`, as one or both of how much there is too much and too little let expect."""
    if isfinite(too_much) and isfinite(room):
        return near + (far - near) * min(max(too_much / (too_much - room), 0.1), 0.9)
    guess = near + too_much if isfinite(too_much) else far + room
    return min(max(guess, 0.0), far) if isfinite(guess) else (near + far) / 2
