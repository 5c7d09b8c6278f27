"""What a source may ask for: a few bytes can stand for more pictures than any machine has time for."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from animecut.errors import InputError
from animecut.types import Clip

SLACK = 1.0  # seconds that a source may say to last longer than its pictures do


def enforce_limits(clips: Iterable[Clip], source: Path, *, longest: int, seconds: float) -> Iterator[Clip]:
    """The same clips, while no side has more than `longest` pixels and they last `seconds` at most.

    Raises InputError beyond.
    """
    lasted = 0.0
    for clip in clips:
        side = max(clip.pixels.shape[1:3])
        if side > longest:
            raise InputError(f"{source}: {side} pixels long; scale it down, or raise `max_source_side` ({longest})")
        lasted += clip.duration
        if lasted > seconds:
            raise _too_long(source, seconds)
        yield clip


def check_expected_seconds(source: Path, lasts: float, seconds: float) -> None:
    """Raise what `enforce_limits` would in the end, where a source says that it lasts longer."""
    if lasts > seconds + SLACK:
        raise _too_long(source, seconds)


def _too_long(source: Path, seconds: float) -> InputError:
    limit = f"`max_source_seconds` ({seconds:g})"
    return InputError(f"{source}: is longer than {limit}; name a part with `start` and `end`, or raise it")
