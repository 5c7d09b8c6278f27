from pathlib import Path

import cv2
import numpy as np
import pytest

from animecut.errors import InputError
from training import dataset


def write(path: Path, picture: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), picture)


@pytest.mark.parametrize(("images", "masks"), dataset.LAYOUTS)
def test_pictures_and_masks_are_paired_by_name(tmp_path: Path, images: str, masks: str) -> None:
    for i in (10, 2):
        write(tmp_path / images / f"{i}.png", np.full((4, 6, 3), (i, 0, 255), np.uint8))
        write(tmp_path / masks / f"{i}.png", np.eye(4, 6, dtype=np.uint8))
    frames = dataset.labelled_frames(tmp_path)
    assert [frame.name for frame in frames] == ["2", "10"]
    assert frames[1].rgb[0, 0].tolist() == [255, 0, 10]  # RGB, though OpenCV writes BGR
    assert (frames[1].alpha == np.eye(4, 6)).all()


def test_what_does_not_fit_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no labelled frames"):
        dataset.labelled_frames(tmp_path)
    write(tmp_path / "images" / "a.png", np.zeros((4, 6, 3), np.uint8))
    (tmp_path / "masks").mkdir()
    with pytest.raises(InputError, match=r"a\.png: has no mask"):
        dataset.labelled_frames(tmp_path)
    write(tmp_path / "masks" / "a.png", np.zeros((4, 7), np.uint8))
    with pytest.raises(InputError, match="7x4, but its picture is 6x4"):
        dataset.labelled_frames(tmp_path)
    (tmp_path / "images" / "a.png").write_text("no picture")
    with pytest.raises(InputError, match="not a picture"):
        dataset.labelled_frames(tmp_path)
