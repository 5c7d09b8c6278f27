import json
from pathlib import Path

import numpy as np
import pytest
from animecut_training.data.dataset import labelled_frames
from PIL import Image
from recipes import hard_frames

from animecut.errors import InputError


def test_outlines_become_masks_with_holes_beside_their_pictures(tmp_path: Path) -> None:
    images = tmp_path / "images"
    images.mkdir()
    Image.new("RGB", (60, 40), (90, 120, 30)).save(images / "a.jpg")
    outlines = tmp_path / "hard.json"
    outlines.write_text(json.dumps({"a": [[10, 5, 50, 5, 50, 35, 10, 35], [20, 15, 30, 15, 30, 25, 20, 25]]}))
    assert hard_frames.take(images, tmp_path / "out", outlines) == 1
    (frame,) = labelled_frames(tmp_path / "out")
    assert frame.name == "a"
    assert frame.alpha[10, 15] == 1
    assert frame.alpha[20, 25] == 0
    assert frame.alpha[2, 2] == 0
    assert frame.alpha.mean() == pytest.approx((41 * 31 - 9 * 9) / 2400, abs=0.01)


def test_a_missing_picture_is_named_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"\.jpg, and \d+ more are missing"):
        hard_frames.take(tmp_path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_outlines_that_come_along_hold_somebody() -> None:
    known = json.loads(hard_frames.OUTLINES.read_text())
    assert len(known) >= 200
    for lines in known.values():
        assert all(len(line) >= 6 and len(line) % 2 == 0 for line in lines)
        assert hard_frames.mask_of(
            lines, *np.max([np.reshape(line, (-1, 2)).max(0) for line in lines], axis=0)[::-1] + 1
        ).any()
