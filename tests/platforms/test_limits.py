"""Every limit of every row: a file at it is taken, and one just outside is not. Files are made by Pillow and PyAV."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import inf, isfinite
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from animecut.platforms.specs import PLATFORMS, Platform, check_file
from tests.stickers_made import video

SUFFIX = {"gif": ".gif", "webp": ".webp", "apng": ".png", "webm": ".webm", "avif": ".avif"}


@dataclass(frozen=True)
class File:
    """A file's properties; `case` names it, and `says` is what the checker has to say of it, "" where it is fine."""

    case: str
    says: str
    kind: str
    size: tuple[int, int]
    ms: tuple[int, ...]
    loop: int
    ground: str = "transparent"
    first_empty: bool = False
    flashes: float = 0.0
    suffix: str = ""
    bytes: int = 0

    def write(self, folder: Path) -> Path:
        path = folder / f"a{self.suffix or SUFFIX[self.kind]}"
        if self.kind == "webm":
            video(path, self.size, list(self.ms), alpha=self.ground != "none")
        else:
            first, *rest = [self.picture(i) for i in range(len(self.ms))]
            options: dict[str, Any] = {"lossless": True} if self.kind == "webp" else {}
            if rest:
                options |= {"save_all": True, "append_images": rest, "duration": list(self.ms), "disposal": 0}
                options |= {"loop": self.loop} if self.kind != "gif" or self.loop != 1 else {}
            first.save(path, {"apng": "PNG"}.get(self.kind, self.kind.upper()), **options)
        if self.bytes:
            padding = self.bytes - path.stat().st_size
            assert padding >= 0
            with path.open("ab") as file:
                void = b"\xec\x01" + (padding - 9).to_bytes(7, "big") if self.kind == "webm" else b""
                file.write(void.ljust(padding, b"\0"))
        return path

    def picture(self, i: int) -> Image.Image:
        """A block whose shade differs from one picture to the next; or all of it, black and white."""
        width, height = self.size
        rgba = np.full((height, width, 4), 0 if self.ground == "transparent" else 255, np.uint8)
        if self.flashes:
            rgba[..., :3] = 255 * (i % 2)
            rgba[:-1, :, 3] = 255  # the last row stays clear, where a platform wants that
        elif not (self.first_empty and i == 0):
            rgba[: max(1, height // 2), : max(1, width // 2)] = (200, 40 + 8 * (i % 2), 60, 255)
        return Image.fromarray(rgba)


def plain(row: Platform) -> File:
    """A file that is fine in every way."""
    count = 1 if not row.animated else max(row.min_frames, 2)
    ms = _in_all(1000, count) if row.whole_seconds else (100,) * count
    ground = "white" if row.ground == "white" else "transparent"
    return File("plain", "", row.format, (row.width, row.height), ms, row.loops[0] if row.loops else 0, ground)


def _in_all(total: int, count: int) -> tuple[int, ...]:
    posts = np.linspace(0, total, count + 1).round().astype(int)
    return tuple(np.diff(posts).tolist())


def sizes(row: Platform) -> Iterator[tuple[str, tuple[int, int]]]:
    """Sizes at the limits (nothing is said) and just outside."""
    width, height = row.width, row.height
    wide, high = row.most or (width, height)
    if row.canvas == "exact":
        yield from (("pixels", size) for size in ((width + 1, height), (width - 1, height), (width, height + 1)))
    elif row.canvas == "square":
        yield from (("", (side, side)) for side in (row.sides[0], row.sides[-1]))
        yield from (("pixels", (side, side)) for side in (row.sides[0] - 1, row.sides[-1] + 1))
        yield "pixels", (row.sides[-1], row.sides[-1] - 1)
    elif row.canvas == "within":
        short = min(width, height)
        yield from (("", size) for size in ((width, height), (short, 2), (2, short)))
        yield from (("pixels", size) for size in ((width + 1, height), (width, height + 1), (short - 1, short - 1)))
    elif row.canvas == "one side":
        yield from (("", size) for size in ((width, row.least[1]), (row.least[0], height)) if row.format != "webm")
        yield from (("pixels", size) for size in ((width - 1, height - 1), (width + 1, height), (width, height + 1)))
        if row.least != (1, 1):
            yield from (("pixels", size) for size in ((width, row.least[1] - 1), (row.least[0] - 1, height)))
    elif row.canvas == "at most":
        yield "", (wide, high)
        yield from (("pixels", size) for size in ((wide + 1, high), (wide, high + 1)))
        if row.even:
            yield from (("even", size) for size in ((wide - 1, high), (wide, high - 1)))


def times(row: Platform, fine: File) -> Iterator[File]:
    count = len(fine.ms)
    if isfinite(row.max_seconds):
        most = round(row.max_seconds * 1000)
        over = most + (1000 if row.whole_seconds else 10)
        yield replace(fine, case="all the seconds", ms=_in_all(most, count))
        yield replace(fine, case="seconds", says="lasts", ms=_in_all(over, count))
    if row.whole_seconds:
        yield replace(fine, case="no whole second", says="s in all", ms=_in_all(1500, count))
        halves = replace(fine, case="whole in all", ms=_in_all(500, count), loop=2)
        yield halves if row.whole_seconds == "in all" else replace(halves, says="each play")
    if isfinite(row.max_fps):
        at, over = round(1000 / row.max_fps), round(1000 / (row.max_fps + 3))
        yield replace(fine, case="the most frames a second", ms=(at + 1, at) * 2)
        yield replace(fine, case="frames a second", says="frames a second", ms=(over,) * 4)
    if row.shortest:
        least = round(row.shortest * 1000)
        yield replace(fine, case="the shortest", ms=(least,) * count)
        yield replace(fine, case="shorter", says=f"for {least - 1} ms", ms=(least - 1,) * count)
    if row.loops:
        outside = [1] if row.loops == (0, 0) else [0, row.loops[1] + 1]
        yield replace(fine, case="the most plays", loop=row.loops[1])
        yield from (replace(fine, case=f"{loop} plays", says="plays", loop=loop) for loop in outside)


def pictures(row: Platform, fine: File) -> Iterator[File]:
    total = sum(fine.ms) if row.whole_seconds else 0
    if row.min_frames > 1:
        few = row.min_frames - 1
        yield replace(fine, case="too few frames", says="at least", ms=_in_all(1000, few))
    if isfinite(row.max_frames):
        most, small = int(row.max_frames), fine.size if row.canvas != "at most" or row.max_frames < 100 else (8, 8)
        yield replace(fine, case="all the frames", size=small, ms=_in_all(total or most * 100, most))
        over = replace(fine, size=small, ms=_in_all(total or most * 100 + 100, most + 1))
        yield replace(over, case="too many frames", says="at most")
    if isfinite(row.max_flashes):
        most = int(row.max_flashes)
        for says, flashes in (("", most), ("flashes", most + 1)):
            count = 2 * flashes
            yield replace(fine, case=f"{flashes} flashes", says=says, flashes=flashes, ms=_tens(1000, count))
    if row.rests_on_first:
        yield replace(fine, case="empty first", says="first frame is empty", first_empty=True)


def _tens(total: int, count: int) -> tuple[int, ...]:
    """The same in hundredths of a second, as a GIF has them."""
    return tuple(10 * ms for ms in _in_all(total // 10, count))


def files(row: Platform) -> Iterator[File]:
    fine = plain(row)
    one = replace(fine, ms=fine.ms[: row.min_frames]) if row.min_frames == 1 else fine
    yield fine
    for says, size in sizes(row):
        yield replace(one, case=f"{size[0]}x{size[1]}", says=says, size=size)
    if row.max_bytes < inf:
        yield replace(fine, case="all the bytes", bytes=int(row.max_bytes))
        yield replace(fine, case="bytes", says="bytes", bytes=int(row.max_bytes) + 1)
    yield from times(row, fine)
    yield from pictures(row, fine)
    if row.ground == "alpha":
        yield replace(fine, case="no alpha", says="no alpha", ground="none")
    if row.ground == "transparent":
        yield replace(fine, case="opaque", says="opaque everywhere", ground="white")
    if row.ground == "white":
        yield replace(fine, case="clear", says="white background", ground="transparent")
    if row.suffix:
        yield replace(fine, case="name", says="is named", suffix=".apng")
    other = next(kind for kind in SUFFIX if kind not in (row.format, *row.also))
    yield replace(fine, case="format", says=f"is {other}", kind=other, suffix=row.suffix)
    for kind in row.also:
        yield replace(fine, case=f"also {kind}", kind=kind)


CASES = [
    pytest.param(name, file, id=f"{name}: {file.case}", marks=pytest.mark.slow if max(file.size) > 4000 else ())
    for name, row in PLATFORMS.items()
    for file in files(row)
]


@pytest.mark.parametrize(("name", "file"), CASES)
def test_a_file_at_a_limit_is_taken_and_one_outside_is_not(name: str, file: File, tmp_path: Path) -> None:
    problems = check_file(file.write(tmp_path), name)
    if file.says:
        assert any(file.says in problem for problem in problems)
        assert len(problems) <= 2  # one more where a limit cannot be left alone
    else:
        assert problems == []


@pytest.mark.parametrize("name", PLATFORMS)
def test_every_limit_of_a_row_is_tried(name: str) -> None:
    row, cases = PLATFORMS[name], {file.says for file in files(PLATFORMS[name])}
    assert ("bytes" in cases) == isfinite(row.max_bytes)
    assert ("lasts" in cases) == isfinite(row.max_seconds)
    assert ("at most" in cases) == isfinite(row.max_frames)
    assert ("flashes" in cases) == isfinite(row.max_flashes)
    assert ("pixels" in cases) == (row.canvas not in ("advised", "any"))
