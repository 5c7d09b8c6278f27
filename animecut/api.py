"""animecut for programs: a clip to stickers, a picture to its character, a clip to matted drawings.

Everything here is also a name of the package itself: `animecut.cut`.
"""

import os
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from animecut._util.concurrency import parallel_map
from animecut._util.paths import names_file
from animecut._util.progress import Progress
from animecut.batch.jobs import Job, is_many, plan_jobs
from animecut.batch.locks import OutputLocks
from animecut.batch.runner import lock_outputs
from animecut.errors import NoCharacter, OutputError, SettingsError
from animecut.layout.compose import Placement, bounding_box, resample_alpha
from animecut.matte.components import drop_small_components
from animecut.matte.matting import refine
from animecut.matte.tracking import select
from animecut.pipeline import PRESENT, SURROUNDINGS, VISIBLE, find_characters
from animecut.pipeline import cut as cut_targets
from animecut.platforms.specs import find_platform
from animecut.results import Result, Target
from animecut.segmentation.loading import Loading
from animecut.segmentation.stage import segment
from animecut.settings import SUFFIXES, Matting, Settings, change
from animecut.types import Clip, Drawing, Segment
from animecut.video.drawings import merge_held_frames

Source = str | os.PathLike[str]
OF_THE_NETWORK = ("weights", "device", "batch_size")  # settings that a segmenter has been made with


@dataclass(frozen=True, eq=False)
class MattedDrawing:
    """A drawing of a clip, cut out.

    rgba: (H, W, 4) uint8 straight sRGB, of the source's size; RGB is 0 where alpha is 0.
    start, end: seconds of the source in which it is shown; end is exclusive.
    shot: counted from 0; it changes at a cut.
    """

    rgba: NDArray[np.uint8]
    start: float
    end: float
    shot: int


def cut(
    source: Source,
    output: Source | None = None,
    *,
    platforms: str | Sequence[str] = (),
    formats: str | Sequence[str] = (),
    segmenter: Segment | None = None,
    progress: Progress | None = None,
    overwrite: bool = False,
    **settings: Any,  # noqa: ANN401 as the fields of Settings are typed
) -> Result:
    """Cut the characters out of a video, a GIF or a picture, and write stickers.

    output: a folder, or a file whose suffix chooses the format; None: beside the source. A file gives the others its
    name: "hi.webp" for telegram is hi.webp and hi.telegram.webm.
    platforms: a file within the limits of each, such as "telegram".  formats: a file in each, such as "gif".
    segmenter: a Segmenter that is kept for several clips; None: one is made of `weights`, `device` and `batch_size`.
    progress: is told how far the work is.  overwrite: whether files that are there may be replaced.
    settings: fields of Settings: start, end, size, ...

    Returns what was written; its `problems` say why a target was not, where others were. Raises SettingsError for
    values that cannot be meant, other errors of animecut where nothing could be written.
    """
    path, out = Path(source), None if output is None else Path(output)
    if segmenter is not None:
        _demand_none_of_the_network(settings)
    chosen = _settings(platforms, formats, out, settings)
    if is_many(path):
        raise SettingsError("stands for several inputs; cut each of them", field="source", value=path)
    if out is not None and names_file(out):
        job = Job(path, tuple(_targets(out, chosen)), chosen, recipe="")
    else:
        (job,) = plan_jobs([path], out, chosen, "")
    locks = lock_outputs(job, None, overwrite)
    if not isinstance(locks, OutputLocks):
        name = job.targets[0].path
        raise OutputError(f"{name}: is being made by another run; wait for it, or name another with `output`")
    try:
        network = segmenter or Loading(chosen.weights, chosen.device, chosen.batch_size)
        return cut_targets(job.source, job.targets, chosen, network, progress or Progress())
    finally:
        locks.release()


def cutout(
    picture: NDArray[np.uint8] | Image.Image,
    *,
    pick: str = Settings.pick,
    matting: Matting = Settings.matting,
    keep_effects: bool = Settings.keep_effects,
    segmenter: Segment | None = None,
) -> NDArray[np.uint8]:
    """Cut the character out of one picture, which keeps its size.

    picture: (H, W, 3) RGB or (H, W, 4) straight RGBA, uint8, sRGB; or a PIL image of any mode.
    pick, matting, keep_effects: as the fields of Settings.  segmenter: None: the shipped weights, loaded each time.

    Returns (H, W, 4) uint8 straight RGBA; RGB is 0 where alpha is 0. Raises NoCharacter, ValueError for an array of
    another shape or type, SettingsError, InputError where `pick` lies outside of the picture.
    """
    clip = Clip(_pixels(picture)[None], np.array([0.0, 1.0]))
    drawings = segment(merge_held_frames([clip]), segmenter or _shipped())
    (drawing,) = drop_small_components(select(drawings, pick), keep_effects=keep_effects)
    if not (drawing.known_alpha > PRESENT).any():
        raise NoCharacter("no character found in the picture; try a `segmenter` with weights of your show")
    return _matted(drawing, matting)


def open_clip(
    source: Source,
    *,
    start: float | None = Settings.start,
    end: float | None = Settings.end,
    fps: float | None = Settings.fps,
    pick: str = Settings.pick,
    matting: Matting = Settings.matting,
    steady: float = Settings.steady,
    keep_effects: bool = Settings.keep_effects,
    segmenter: Segment | None = None,
    progress: Progress | None = None,
) -> Generator[MattedDrawing]:
    """Every drawing of a clip, cut out at the source's size, for who composes stickers or films of their own.

    A drawing is shown until the next one: film on twos gives half as many drawings as frames. Memory does not grow with
    the clip. Close the generator where it is not read to its end.

    start, end, ..., keep_effects: as the fields of Settings.  segmenter: None: one of the shipped weights is made.
    Raises SettingsError at once, InputError when the first drawing is asked for.
    """
    settings = Settings(
        start=start, end=end, fps=fps, pick=pick, matting=matting, steady=steady, keep_effects=keep_effects
    )
    return _drawings(Path(source), settings, segmenter, progress or Progress())


def _drawings(
    source: Path, settings: Settings, segmenter: Segment | None, progress: Progress
) -> Generator[MattedDrawing]:
    network = segmenter or _shipped()
    with closing(find_characters(source, settings, network, progress, Result())) as drawings:
        yield from parallel_map(partial(_finished, matting=settings.matting), drawings)


def _finished(drawing: Drawing, matting: Matting) -> MattedDrawing:
    return MattedDrawing(_matted(drawing, matting), drawing.start, drawing.end, drawing.shot)


def _matted(drawing: Drawing, matting: Matting) -> NDArray[np.uint8]:
    """The drawing as (H, W, 4) straight RGBA; what the source itself left transparent stays so."""
    size = (drawing.rgb.shape[0], drawing.rgb.shape[1])
    rgba = np.zeros((*size, 4), np.uint8)
    box = bounding_box(drawing.known_alpha, VISIBLE, size)
    if box is None:
        return rgba
    near = box.grown(round(SURROUNDINGS * max(size)), size)
    there = np.s_[near.top : near.bottom, near.left : near.right]
    coarse = resample_alpha(drawing.known_alpha, Placement(near, (near.height, near.width)), size)
    grain = size[1] / drawing.known_alpha.shape[1]
    rgba[there], _ = refine(np.ascontiguousarray(drawing.rgb[there]), coarse, matting=matting, grain=grain)
    if drawing.source_alpha is not None:
        rgba[..., 3] = np.minimum(rgba[..., 3], drawing.source_alpha)
        rgba[rgba[..., 3] == 0] = 0
    return rgba


def _settings(
    platforms: str | Sequence[str], formats: str | Sequence[str], output: Path | None, words: dict[str, Any]
) -> Settings:
    """Settings of arguments. A name may stand for a sequence of one, a string for a path, a platform for no format."""
    values = dict(words)
    for field in ("weights", "font"):
        if isinstance(values.get(field), str):
            values[field] = Path(values[field])
    if "background" in values:
        values["background"] = os.fspath(values["background"])
    values["platforms"] = tuple(find_platform(name).name for name in _names(platforms))
    named = _names(formats)
    if named:
        values["formats"] = named
    # A file beside which others are written need not be of their format.
    return change(Settings(), values, None if named else output)


def _names(names: str | Sequence[str]) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else tuple(dict.fromkeys(names))


def _targets(output: Path, settings: Settings) -> Generator[Target]:
    """The output and, of its name, a file for everything else that was asked for. Raises SettingsError."""
    rows = [find_platform(name) for name in settings.platforms]
    suffix = output.suffix.lower()
    if len(rows) == 1 and not settings.formats and suffix == SUFFIXES[rows[0].format]:
        yield Target(output, rows[0].format, rows[0])
        return
    own = change(Settings(frame=settings.frame), {}, output).formats
    for kind in dict.fromkeys((*own, *settings.formats)):
        yield Target(output if kind in own else output.with_name(output.stem + (SUFFIXES[kind] or "_frames")), kind)
    for row in rows:
        yield Target(output.with_name(f"{output.stem}.{row.name}{SUFFIXES[row.format]}"), row.format, row)


def _demand_none_of_the_network(settings: dict[str, Any]) -> None:
    for field in OF_THE_NETWORK:
        if field in settings:
            raise SettingsError("goes into the `segmenter`, and one is given", field=field, value=settings[field])


def _pixels(picture: NDArray[np.uint8] | Image.Image) -> NDArray[np.uint8]:
    if isinstance(picture, Image.Image):
        picture = np.asarray(picture.convert("RGBA" if picture.has_transparency_data else "RGB"))
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] not in (3, 4) or not picture.size:
        raise ValueError(f"picture: must be uint8 (H, W, 3 or 4), got {picture.dtype} {picture.shape}")
    return picture


def _shipped() -> Segment:
    from animecut.segmentation.segmenter import Segmenter

    return Segmenter()
