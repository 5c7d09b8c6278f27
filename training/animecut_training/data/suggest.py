"""Which drawings of a clip to label, labelled beforehand by the network, so that labelling is correcting."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from animecut._util.images import over_grey
from animecut._util.paths import is_file
from animecut.encode.writer import atomic_path
from animecut.errors import InputError, OutputError, reason_of
from animecut.types import Segment, merge_characters
from animecut.video.drawings import merge_held_frames
from animecut.video.reader import read_clips
from animecut_training.data.dataset import alpha_of
from animecut_training.data.labelme import write_labelme

THUMB = 32, 18  # pixels, width and height, that drawings are compared by
ANOTHER_SHOT = 1.0  # added to the distance of drawings, which is below 1: every shot is shown before any shows twice
BLANK = 6.0  # of 255: a picture whose colours deviate by less shows nothing to label
LEAST_DOUBT = 1e-3
TOLERANCE = 1.0  # pixels that polygons may deviate by

Picture = NDArray[np.uint8]
"""(H, W, 3) RGB."""


@dataclass(frozen=True, eq=False)
class Candidate:
    """A drawing as it is chosen by.

    number: counted from 0 through the clip.
    thumb: (h, w, 3) float32 in [0, 1].  doubt: 0..1, mean of 4 p (1 - p); 1 where nobody asked.
    """

    number: int
    shot: int
    thumb: NDArray[np.float32]
    doubt: float


@dataclass(frozen=True)
class Suggestion:
    """A picture that was written, its labels beside it as labelme JSON."""

    path: Path
    doubt: float


def suggest(
    source: Path,
    folder: Path,
    segmenter: Segment,
    *,
    count: int,
    by_doubt: bool,
    progress: Callable[[str, int], None] = lambda stage, done: None,
) -> list[Suggestion]:
    """Write the `count` most different drawings of a clip as PNG with labelme JSON, pre-labelled by the network.

    folder: new, or with drawings of other clips.  by_doubt: prefer what the network is unsure of, that first.
    Raises InputError: the clip cannot be read or shows nothing.  OutputError: labels of it are already there.
    """
    if is_file(folder):
        raise OutputError(f"{folder}: a file; name a folder")
    ours = re.compile(rf"(\d+_)?{re.escape(source.stem)}_\d+\.\d\ds\.json")
    if any(ours.fullmatch(file.name) for file in folder.glob("*.json")):
        raise OutputError(f"{folder}: already holds drawings of {source.stem}, perhaps corrected; name a new folder")
    candidates = []
    for number, (_, shot, rgb) in enumerate(clip_drawings(source)):
        doubt = _doubt(merge_characters(segmenter(rgb[None]))[0]) if by_doubt else 1.0
        candidates.append(Candidate(number, shot, _thumb(rgb), doubt))
        progress("looking", number + 1)
    ranked = sorted(choose(candidates, count), key=lambda one: (-one.doubt, one.number))
    chosen = {one.number: rank for rank, one in enumerate(ranked)}
    if not chosen:
        raise InputError(f"{source}: shows nothing but blank pictures")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be made a folder ({reason_of(error)}); name another") from error
    written: dict[int, Suggestion] = {}
    for number, (time, _, rgb) in enumerate(clip_drawings(source)):
        if number in chosen:
            rank = chosen[number]
            name = f"{rank + 1:02d}_{source.stem}_{time:.2f}s" if by_doubt else f"{source.stem}_{time:.2f}s"
            path = _write(folder / f"{name}.png", rgb, segmenter)
            written[rank] = Suggestion(path, candidates[number].doubt)
            progress("labelling", len(written))
    return [written[rank] for rank in sorted(written)]


def choose(candidates: list[Candidate], count: int) -> list[Candidate]:
    """The most different ones, one of each shot first: greedy k-centre (Gonzalez 1985), distances times doubt."""
    rest = [one for one in candidates if one.thumb.std(axis=(0, 1)).max() > BLANK / 255]
    if not rest:
        return []
    thumbs = np.stack([one.thumb for one in rest])
    shots = np.array([one.shot for one in rest])
    doubts = np.maximum([one.doubt for one in rest], LEAST_DOUBT)
    apart = np.full(len(rest), np.inf)
    picked: list[int] = []
    following = int(doubts.argmax())  # the first of the clip where all are as doubtful
    while len(picked) < count and apart[following] > 0:
        picked.append(following)
        distance = np.abs(thumbs - thumbs[following]).mean(axis=(1, 2, 3)) + ANOTHER_SHOT * (shots != shots[following])
        apart = np.minimum(apart, distance)
        following = int((apart * doubts).argmax())
    return [rest[i] for i in picked]


def clip_drawings(source: Path) -> Iterator[tuple[float, int, Picture]]:
    """Time, shot and picture of every drawing, held copies counted once."""
    for drawing in merge_held_frames(read_clips(source, chunk=1)):
        rgb = drawing.rgb
        if drawing.source_alpha is not None:
            rgb = over_grey(rgb, drawing.source_alpha)
        yield drawing.start, drawing.shot, rgb


def _thumb(rgb: Picture) -> NDArray[np.float32]:
    return np.asarray(cv2.resize(rgb, THUMB, interpolation=cv2.INTER_AREA), np.float32) / np.float32(255)


def _doubt(p: NDArray[np.float32]) -> float:
    return float((4 * p * (1 - p)).mean())


def _write(path: Path, rgb: Picture, segmenter: Segment) -> Path:
    try:  # OpenCV's own imwrite crashes the process at a name that is not UTF-8
        with atomic_path(path) as part:
            part.write_bytes(cv2.imencode(".png", rgb[..., ::-1])[1].tobytes())
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({reason_of(error)})") from error
    write_labelme(path.with_suffix(".json"), path, alpha_of(segmenter, rgb) > 0.5, TOLERANCE)
    return path
