"""Drawings of real clips, labelled by us: their outlines are in clips.json, their pictures are cut from the clips.

Run: python -m recipes.clip_frames CLIPS DIR
"""

import json
from pathlib import Path

import cv2
import numpy as np
from animecut_training.data.convert import write
from animecut_training.data.dataset import Labelled
from animecut_training.data.suggest import clip_drawings
from animecut_training.options import two_folder_command

from animecut.errors import InputError

OUTLINES = Path(__file__).parent / "clips.json"
"""By clip and by the second at which a drawing begins: outlines, x and y in turn, in pixels; one in another: a hole."""


def cut(clips: Path, folder: Path, outlines: Path = OUTLINES) -> int:
    """Write each labelled drawing as images/CLIP_TIME.png and masks/CLIP_TIME.png beside what is there; how many.

    Raises InputError, before anything is written, where a clip is missing or has no drawing at that time.
    """
    found = []
    for name, by_time in json.loads(outlines.read_text()).items():
        missing = dict(by_time)
        for time, _, rgb in clip_drawings(clips / name):
            lines = missing.pop(f"{time:.2f}", None)
            if lines is not None:
                mask = np.zeros(rgb.shape[:2], np.uint8)
                cv2.fillPoly(mask, [np.array(line).reshape(-1, 2) for line in lines], 1)
                found.append(Labelled(f"{Path(name).stem}_{time:.2f}s", rgb, mask.astype(np.float32)))
            if not missing:
                break
        if missing:
            raise InputError(f"{clips / name}: no drawing begins at {', '.join(missing)} s; is it another version?")
    for frame in found:
        write(frame, folder)
    return len(found)


if __name__ == "__main__":
    two_folder_command(__doc__, lambda clips, folder: f"{cut(clips, folder)} drawings written")
