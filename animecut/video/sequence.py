"""Numbered pictures -> one clip: `frame%04d.png` as FFmpeg writes the name, or a frames.ffconcat of our own."""

import re
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

import numpy as np

from animecut.errors import SettingsError
from animecut.types import add_opaque_alpha
from animecut.video import images
from animecut.video.source import Picture, TimedPicture, Truncated, input_error

PATTERN = re.compile(r"%(?:0(\d+))?d")
LIST = ".ffconcat"
LINE = re.compile(r"file ([^/\\\s]+)\nduration ([0-9.]+)\n")  # as we write it; other lists may name any file


def is_sequence(path: Path) -> bool:
    """Whether a name stands for numbered pictures: it has a %d and no file is called so, or it is a list of ours."""
    return path.suffix == LIST or (PATTERN.search(path.name) is not None and not path.exists())


def stills(path: Path, fps: float | None) -> list[tuple[Path, float]]:
    """The pictures in the order of their numbers, each with its seconds.

    Raises SettingsError without fps where none tells how long they last, InputError where there are none.
    """
    if path.suffix == LIST:
        found = [(path.with_name(name), float(seconds)) for name, seconds in LINE.findall(_text(path))]
        if not found or not all(seconds > 0 for _, seconds in found):
            raise input_error(path, "is no list of pictures that animecut wrote; name a video, or frame%04d.png")
        return found
    if fps is None:
        raise SettingsError(
            f"{path}: numbered pictures do not say how long they last; give it, such as 24", field="fps"
        )
    digits = PATTERN.search(path.name)
    least = int(digits[1]) if digits and digits[1] else 1
    before, _, after = (re.escape(part) for part in re.split(r"(%(?:0\d+)?d)", path.name, maxsplit=1))
    name = re.compile(rf"{before}(\d{{{least},}}){after}")
    numbered = {int(match[1]): file for file in _files(path) if (match := name.fullmatch(file.name))}
    if not numbered:
        raise input_error(path, "no picture of such a name; check it, and the folder")
    return [(file, 1 / fps) for _, file in sorted(numbered.items())]


def pictures(path: Path, files: Sequence[tuple[Path, float]], max_pixels: int) -> Generator[TimedPicture]:
    """The pictures with their times; each is read when it is looked at. Raises InputError where one cannot be read."""
    first = _picture(files[0][0], max_pixels, None)
    time = 0.0
    for file, seconds in files:
        yield TimedPicture(time, seconds, partial(_picture, file, max_pixels, first.shape))
        time += seconds


def _picture(file: Path, max_pixels: int, shape: tuple[int, ...] | None) -> Picture:
    image = images.opened(file) if file.is_file() else None
    if image is None:
        raise input_error(file, "is no picture that can be read; write it again")
    try:
        with closing(images.pictures(file, image, max_pixels)) as alone:
            picture = next(alone).pixels()
    except (Truncated, StopIteration) as error:
        raise input_error(file, "is cut off; write it again") from error
    if shape is None or picture.shape == shape:
        return picture
    if picture.shape[:2] != shape[:2]:
        sizes = f"{picture.shape[1]}x{picture.shape[0]} and not {shape[1]}x{shape[0]}"
        raise input_error(file, f"is {sizes} as the first; write all of one size")
    return add_opaque_alpha(picture) if shape[2] == 4 else np.ascontiguousarray(picture[..., :3])


def _files(path: Path) -> Iterator[Path]:
    try:
        yield from path.parent.iterdir()
    except OSError as error:
        raise input_error(path, f"its folder cannot be read ({error.strerror})") from error


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise input_error(path, "cannot be read as text; check its name") from error
