"""Labels in any format -> pictures and palette PNG masks that every tool reads."""

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from animecut._util.paths import exists, is_folder
from animecut.errors import InputError, OutputError, reason_of
from animecut_training.data.dataset import Labelled, read
from animecut_training.data.layouts import entries
from animecut_training.data.mask_images import voc_palette

FOLDERS = {False: ("images", "masks"), True: ("test_images", "test_anno")}
"""Of what is learned from, and of what is held out."""


@dataclass(frozen=True)
class Converted:
    """How many labels were written, and why the others were not."""

    written: int
    problems: tuple[str, ...]


def convert(
    source: Path,
    target: Path,
    progress: Callable[[int, int], None] = lambda done, total: None,
    redrawn: Callable[[Labelled], Labelled] | None = None,
) -> Converted:
    """Write every label of a folder as images/NAME.png and masks/NAME.png (0 background, 1 character).

    target: a new or empty folder; it appears when all is written.  progress: told how many of how many are done.
    redrawn: what to make of a label, such as a mask of a box.
    Raises InputError where there is nothing to read, OutputError where the target is in use or cannot be written.
    """
    found = entries(source)
    if exists(target) and (not is_folder(target) or any(target.iterdir())):
        raise OutputError(f"{target}: already there and not empty; name a new folder")
    problems: list[str] = []
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}.") as fresh:
            for done, entry in enumerate(found, start=1):
                try:
                    frame = read(entry)
                    write(redrawn(frame) if redrawn else frame, Path(fresh), held_out=entry.held_out)
                except InputError as error:
                    problems.append(str(error))
                progress(done, len(found))
            if len(problems) < len(found):
                target.mkdir(exist_ok=True)
                for part in Path(fresh).iterdir():
                    shutil.move(part, target / part.name)
    except OSError as error:
        raise OutputError(f"{target}: cannot be written ({reason_of(error)})") from error
    return Converted(len(found) - len(problems), tuple(problems))


def write(frame: Labelled, folder: Path, *, held_out: bool = False) -> None:
    """Write one label as images/NAME.png and masks/NAME.png, or as test_images/ and test_anno/, in a folder."""
    images, masks = (folder / name for name in FOLDERS[held_out])
    for part in (images, masks):
        part.mkdir(parents=True, exist_ok=True)
    encoded = cv2.imencode(".png", frame.rgb[..., ::-1])[1]
    (images / f"{frame.name}.png").write_bytes(encoded.tobytes())
    mask = Image.fromarray((frame.alpha > 0.5).astype(np.uint8)).convert("P")
    mask.putpalette(voc_palette())
    mask.save(masks / f"{frame.name}.png")
