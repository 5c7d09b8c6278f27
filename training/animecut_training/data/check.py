"""What is wrong with labelled frames, told with their names before a training starts, and a sheet to look at."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from animecut.errors import InputError, OutputError, reason_of
from animecut_training.data.dataset import Labelled, read
from animecut_training.data.layouts import Entry, entries

THUMB = 32, 18  # pixels, width and height, that pictures are compared by
ALIKE = 2.0  # of 255, mean over the thumb: the same picture in another format or size
TILE = 300, 190  # pixels, width and height, of a picture on the sheet
COLUMNS = 4
CAPTION = 22  # pixels below a picture
MOST_TILES = 200  # on a sheet; those with a problem come first
TINT = np.array([255, 0, 90])  # RGB that characters are tinted with


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, or looks wrong.

    name: of the frame.  message: one line with the file's name.  fatal: nothing good can be learned from it.
    """

    name: str
    message: str
    fatal: bool


@dataclass(frozen=True)
class Finding:
    """All frames that can be read, whether each is only judged by, and all problems."""

    frames: list[Labelled]
    held_out: list[bool]
    problems: list[Problem]


def check(folder: Path, progress: Callable[[int, int], None] = lambda done, total: None) -> Finding:
    """Read every label of a folder and tell what is wrong.

    Raises InputError where there is nothing to check.
    """
    found, problems, frames, files = entries(folder), [], [], []
    for done, entry in enumerate(found, start=1):
        try:
            frame = read(entry)
        except InputError as error:
            problems.append(Problem(entry.name, str(error), fatal=True))
        else:
            frames.append(frame)
            files.append(entry)
            problems += _one_sided(entry.file, frame)
        progress(done, len(found))
    problems += _alike(files, frames)
    return Finding(frames, [entry.held_out for entry in files], problems)


def require_valid(folder: Path) -> Finding:
    """Check, and raise InputError with all that is fatal; the rest is in the result's problems."""
    finding = check(folder)
    fatal = [problem.message for problem in finding.problems if problem.fatal]
    if fatal:
        more = f" (and {len(fatal) - 1} more: animecut-train check {folder})" if len(fatal) > 1 else ""
        raise InputError(fatal[0] + more)
    return finding


def _one_sided(file: Path, frame: Labelled) -> list[Problem]:
    share = float(frame.alpha.mean())
    if share == 0:
        return [Problem(frame.name, f"{file}: all background; is the character not labelled yet?", fatal=False)]
    if share == 1:
        return [Problem(frame.name, f"{file}: all character; is the mask turned round?", fatal=True)]
    return []


def _alike(files: Sequence[Entry], frames: Sequence[Labelled]) -> list[Problem]:
    """Pictures that show the same; fatal across the split, where they would be judged by what was learned."""
    problems = []
    digests = [hashlib.sha256(frame.rgb.tobytes()).digest() for frame in frames]
    for i, alike in enumerate(near_duplicates(frames)):
        if not alike:
            continue
        j = next((j for j in alike if files[i].held_out != files[j].held_out), alike[0])
        how = "the same picture as" if digests[i] == digests[j] else "almost the same picture as"
        across = files[i].held_out != files[j].held_out
        why = "; one of them is learned from and the other judged by" if across else ""
        message = f"{files[i].file}: {how} {files[j].file.name}{why}"
        problems.append(Problem(frames[i].name, message, fatal=across))
    return problems


def near_duplicates(frames: Sequence[Labelled]) -> list[list[int]]:
    """For each frame which of those before it show almost the same, the nearest first."""
    thumbs: list[NDArray[np.float32]] = [_thumb(frame.rgb) for frame in frames]
    alike = []
    for i, thumb in enumerate(thumbs):
        apart = [float(np.abs(other - thumb).mean()) for other in thumbs[:i]]
        alike.append([j for j in sorted(range(i), key=apart.__getitem__) if apart[j] < ALIKE])
    return alike


def _thumb(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.asarray(cv2.resize(rgb, THUMB, interpolation=cv2.INTER_AREA), np.float32)


def write_sheet(path: Path, finding: Finding) -> None:
    """A PNG of all frames with their characters tinted; red names have a problem. Raises OutputError."""
    wrong = {problem.name for problem in finding.problems}
    frames = sorted(finding.frames, key=lambda frame: frame.name not in wrong)[:MOST_TILES]
    sheet(path, [(frame.name, overlay(frame.rgb, frame.alpha), frame.name in wrong) for frame in frames])


def sheet(path: Path, tiles: Sequence[tuple[str, NDArray[np.uint8], bool]]) -> None:
    """A PNG of pictures (H, W, 3) RGB with their captions, red where it matters. Raises OutputError."""
    (width, height), rows = TILE, -(-len(tiles) // COLUMNS)
    canvas = np.full((max(1, rows) * (height + CAPTION), COLUMNS * width, 3), 255, np.uint8)
    for i, (caption, picture, matters) in enumerate(tiles):
        x, y = i % COLUMNS * width, i // COLUMNS * (height + CAPTION)
        scale = min((width - 6) / picture.shape[1], (height - 6) / picture.shape[0])
        size = max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale))
        small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        left, top = x + (width - size[0]) // 2, y + (height - size[1]) // 2
        canvas[top : top + size[1], left : left + size[0]] = small
        colour = (200, 0, 0) if matters else (60, 60, 60)
        where = (x + 6, y + height + CAPTION - 8)
        cv2.putText(canvas, caption[:40], where, cv2.FONT_HERSHEY_SIMPLEX, 0.45, colour, 1, cv2.LINE_AA)
    try:
        path.write_bytes(cv2.imencode(".png", canvas[..., ::-1])[1].tobytes())
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({reason_of(error)})") from error


def overlay(rgb: NDArray[np.uint8], alpha: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The picture with its character tinted and outlined, the outline as thick as shows on a tile."""
    inside = alpha > 0.5
    tinted = np.where(inside[..., None], rgb * 0.6 + TINT * 0.4, rgb * 0.85).astype(np.uint8)
    contours = cv2.findContours(inside.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)[0]
    thick = max(1, round(max(alpha.shape) / TILE[0]))
    return np.asarray(cv2.drawContours(tinted, contours, -1, (255, 255, 0), thick), np.uint8)
