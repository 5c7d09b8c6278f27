import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from animecut_training.data import dataset
from animecut_training.data.layouts import HELD_OUT_PAIRS, PAIRS

from animecut.errors import InputError


def write(path: Path, picture: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), picture)


@pytest.mark.parametrize(("images", "masks"), PAIRS)
def test_pictures_and_masks_are_paired_by_name(tmp_path: Path, images: str, masks: str) -> None:
    for i in (10, 2):
        write(tmp_path / images / f"{i}.png", np.full((4, 6, 3), (i, 0, 255), np.uint8))
        write(tmp_path / masks / f"{i}.png", np.eye(4, 6, dtype=np.uint8))
    frames = dataset.labelled_frames(tmp_path)
    assert [frame.name for frame in frames] == ["2", "10"]
    assert frames[1].rgb[0, 0].tolist() == [255, 0, 10]  # RGB, though OpenCV writes BGR
    assert (frames[1].alpha == np.eye(4, 6)).all()


@pytest.mark.parametrize(("images", "masks"), HELD_OUT_PAIRS)
def test_the_test_part_is_kept_apart(tmp_path: Path, images: str, masks: str) -> None:
    for folders in (("images", "masks"), (images, masks)):
        write(tmp_path / folders[0] / f"{folders[0]}.png", np.zeros((4, 6, 3), np.uint8))
        write(tmp_path / folders[1] / f"{folders[0]}.png", np.eye(4, 6, dtype=np.uint8))
    assert [frame.name for frame in dataset.labelled_frames(tmp_path)] == ["images"]
    assert [frame.name for frame in dataset.labelled_frames(tmp_path, held_out=True)] == [images]


def test_what_does_not_fit_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no labelled frames"):
        dataset.labelled_frames(tmp_path)
    for name in "ab":
        write(tmp_path / "images" / f"{name}.png", np.zeros((4, 6, 3), np.uint8))
    write(tmp_path / "masks" / "b.png", np.zeros((4, 6), np.uint8))
    with pytest.raises(InputError, match=r"a\.png: has no label"):
        dataset.labelled_frames(tmp_path)
    write(tmp_path / "masks" / "a.png", np.zeros((4, 7), np.uint8))
    with pytest.raises(InputError, match=r"masks/a\.png: 7x4, but its picture is 6x4"):
        dataset.labelled_frames(tmp_path)
    (tmp_path / "images" / "a.png").write_text("no picture")
    with pytest.raises(InputError, match="not a picture"):
        dataset.labelled_frames(tmp_path)


def test_pictures_in_subfolders_get_the_mask_at_their_place(tmp_path: Path) -> None:
    for i, episode in enumerate(("ep1", "ep2")):
        write(tmp_path / "images" / episode / "001.png", np.full((4, 6, 3), 100 * i, np.uint8))
        write(tmp_path / "masks" / episode / "001.png", np.full((4, 6), i, np.uint8))
    write(tmp_path / "images" / "x" / "alone.png", np.full((4, 6, 3), 9, np.uint8))
    write(tmp_path / "masks" / "y" / "alone.png", np.eye(4, 6, dtype=np.uint8))  # as AISegment has it
    first, second, third = sorted(dataset.labelled_frames(tmp_path), key=lambda frame: frame.name)
    assert [first.name, second.name, third.name] == ["alone", "ep1_001", "ep2_001"]
    assert (first.alpha == np.eye(4, 6)).all()
    assert (second.rgb[0, 0, 0], second.alpha.max()) == (0, 0)
    assert (third.rgb[0, 0, 0], third.alpha.min()) == (100, 1)


def test_a_name_need_not_be_utf8(tmp_path: Path) -> None:
    for folder in ("images", "masks"):
        write(tmp_path / folder / "a.png", np.eye(4, 6, dtype=np.uint8))
        (tmp_path / folder / "a.png").rename(tmp_path / folder / os.fsdecode(b"caf\xe9.png"))
    (frame,) = dataset.labelled_frames(tmp_path)
    assert (frame.rgb[..., 0] == frame.alpha).all()
    assert (dataset.read_rgba(tmp_path / "images" / f"{frame.name}.png")[..., :3] == frame.rgb).all()


def test_of_two_folders_of_masks_the_one_with_pictures_counts(tmp_path: Path) -> None:
    write(tmp_path / "JPEGImages" / "a.jpg", np.zeros((4, 6, 3), np.uint8))
    write(tmp_path / "SegmentationClass" / "a.png", np.eye(4, 6, dtype=np.uint8))
    (tmp_path / "SegmentationClassPNG").mkdir()
    assert len(dataset.labelled_frames(tmp_path)) == 1
    write(tmp_path / "SegmentationClassPNG" / "a.png", np.eye(4, 6, dtype=np.uint8))
    assert len(dataset.labelled_frames(tmp_path)) == 1


def test_a_list_of_names_in_another_encoding_is_told(tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_bytes("人物".encode("shift-jis"))
    with pytest.raises(InputError, match=r"labels\.txt: .*UTF-8"):
        dataset.labelled_frames(tmp_path)
