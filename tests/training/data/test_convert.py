from pathlib import Path

import cv2
import numpy as np
import pytest
from animecut_training.cli import app
from animecut_training.data.convert import convert
from animecut_training.data.dataset import labelled_frames
from PIL import Image
from typer.testing import CliRunner

from animecut.errors import InputError, OutputError

SAMPLES = Path(__file__).parents[3] / "samples" / "labelled"


def test_labels_become_pictures_and_palette_masks(tmp_path: Path) -> None:
    done = convert(SAMPLES, tmp_path / "out")
    assert (done.written, done.problems) == (8, ())
    for before, after in zip(labelled_frames(SAMPLES), labelled_frames(tmp_path / "out"), strict=True):
        assert before.name == after.name
        assert (before.alpha == after.alpha).all()
        assert (before.rgb == after.rgb).all()
    mask = Image.open(tmp_path / "out" / "masks" / "wave_000.png")
    assert mask.mode == "P"
    assert mask.getpalette("RGB")[:6] == [0, 0, 0, 128, 0, 0]  # type: ignore[index]
    assert set(np.unique(np.asarray(mask))) == {0, 1}


def test_a_bad_label_is_reported_and_the_others_are_written(tmp_path: Path) -> None:
    source = tmp_path / "in"
    for folder in ("images", "masks"):
        (source / folder).mkdir(parents=True)
        for name in "ab":
            cv2.imwrite(str(source / folder / f"{name}.png"), np.eye(9, dtype=np.uint8))
    (source / "masks" / "b.png").write_text("no picture")
    done = CliRunner().invoke(app, ["labels", str(source), str(tmp_path / "out")])
    assert done.exit_code == 1
    assert "b.png: not a picture" in done.stderr
    assert "1 labels written" in done.stdout
    assert [file.name for file in sorted((tmp_path / "out").rglob("*.png"))] == ["a.png", "a.png"]
    assert [file.name for file in tmp_path.iterdir() if file.name.startswith(".")] == []


def test_nothing_is_overwritten_or_left_half_done(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").touch()
    with pytest.raises(OutputError, match="not empty"):
        convert(SAMPLES, tmp_path / "out")
    with pytest.raises(InputError, match="no labelled frames"):
        convert(tmp_path / "out", tmp_path / "new")
    assert not (tmp_path / "new").exists()
