"""Labels whose pictures are cut from a clip."""

import json
from pathlib import Path

import numpy as np
import pytest
from animecut_training.data.dataset import labelled_frames
from recipes.clip_frames import cut

from animecut.errors import InputError
from tests import world


def test_pictures_are_cut_at_their_times_and_holes_stay_open(tmp_path: Path) -> None:
    walk = world.walking()
    world.write_clip(tmp_path / "walk.mp4", [rgb for rgb, _ in walk])
    square, hole = [10, 10, 39, 10, 39, 29, 10, 29], [20, 15, 29, 15, 29, 24, 20, 24]
    outlines = tmp_path / "outlines.json"
    outlines.write_text(json.dumps({"walk.mp4": {"0.00": [square], "0.17": [square, hole]}}))
    assert cut(tmp_path, tmp_path / "out", outlines) == 2
    first, second = sorted(labelled_frames(tmp_path / "out"), key=lambda frame: frame.name)
    assert [first.name, second.name] == ["walk_0.00s", "walk_0.17s"]
    assert np.abs(first.rgb.astype(int) - walk[0][0]).mean() < 12
    assert first.alpha.sum() == 30 * 20
    assert first.alpha[20, 25] == 1
    assert second.alpha[20, 25] == 0
    assert second.alpha[12, 12] == 1


def test_a_time_at_which_nothing_begins_is_told_and_nothing_is_written(tmp_path: Path) -> None:
    world.write_clip(tmp_path / "walk.mp4", [rgb for rgb, _ in world.walking()])
    outlines = tmp_path / "outlines.json"
    line = [[0, 0, 9, 0, 9, 9]]
    outlines.write_text(json.dumps({"walk.mp4": {"0.00": line, "7.00": line}}))
    with pytest.raises(InputError, match=r"walk\.mp4: no drawing begins at 7\.00 s"):
        cut(tmp_path, tmp_path / "out", outlines)
    assert not (tmp_path / "out").exists()
