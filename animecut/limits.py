"""What a source may ask for: a few bytes can stand for more pictures than any machine has time for."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from animecut.clip import Clip
from animecut.errors import InputError


def within_limits(clips: Iterable[Clip], source: Path, *, longest: int, seconds: float) -> Iterator[Clip]:
    """The same clips, while no side has more than `longest` pixels and they last `seconds` at most.

    Raises InputError beyond.
    """
    lasted = 0.0
    for clip in clips:
        side = max(clip.pixels.shape[1:3])
        if side > longest:
            raise InputError(f"{source}: {side} pixels long; scale it down, or raise --max-source-side {longest}")
        lasted += clip.duration
        if lasted > seconds:
            limit = f"--max-source-seconds {seconds:g}"
            raise InputError(f"{source}: is longer than {limit}; name a part with --start and --end, or raise it")
        yield clip
