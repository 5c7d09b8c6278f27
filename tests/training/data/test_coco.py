import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from animecut_training.data.classes import Classes
from animecut_training.data.coco import read_coco_mask, segmentation_mask
from animecut_training.data.dataset import labelled_frames

from animecut.errors import InputError

HEIGHT, WIDTH = 40, 60
NAMES = {1: "character", 2: "background", 3: "cat"}


def blob() -> np.ndarray:
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.ellipse(mask, (30, 20), (20, 12), 20, 0, 360, 1, -1)
    cv2.circle(mask, (32, 18), 5, 0, -1)
    return mask


def runs(mask: np.ndarray) -> list[int]:
    """Lengths down the columns, background first."""
    flat = np.concatenate([[0], mask.T.ravel(), [0]])
    ends = np.flatnonzero(np.diff(flat))
    lengths: list[int] = np.diff(np.concatenate([[0], ends, [mask.size]])).tolist()
    return lengths


def test_plain_runs_and_polygons_are_read() -> None:
    assert (segmentation_mask({"size": [HEIGHT, WIDTH], "counts": runs(blob())}, HEIGHT, WIDTH) == blob()).all()
    box = segmentation_mask([[10, 5, 30, 5, 30, 25, 10, 25]], HEIGHT, WIDTH)
    assert box[5:25, 10:30].all()
    assert 20 * 20 <= box.sum() <= 22 * 22


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # pycocotools with numpy 2
def test_the_reference_implementation_agrees() -> None:
    coco = pytest.importorskip("pycocotools.mask")
    for mask in (blob(), np.zeros_like(blob()), np.ones_like(blob())):
        packed = coco.encode(np.asfortranarray(mask))
        text = {"size": packed["size"], "counts": packed["counts"].decode()}
        assert (segmentation_mask(text, HEIGHT, WIDTH) == mask).all()
    polygon = [[8.3, 5.1, 50.9, 9.4, 41.2, 35.8, 12.5, 30.0]]
    theirs = coco.decode(coco.merge(coco.frPyObjects(polygon, HEIGHT, WIDTH)))
    ours = segmentation_mask(polygon, HEIGHT, WIDTH)
    assert (theirs & ours).sum() / (theirs | ours).sum() > 0.95


def test_annotations_of_a_picture_lie_over_each_other() -> None:
    full = {"size": [HEIGHT, WIDTH], "counts": [0, HEIGHT * WIDTH]}
    mask = read_coco_mask(
        [
            {"id": 1, "category_id": 1, "segmentation": full},
            {"id": 2, "category_id": 2, "segmentation": {"size": [HEIGHT, WIDTH], "counts": runs(blob())}},
        ],
        NAMES, HEIGHT, WIDTH, Classes(),
    )  # fmt: skip
    assert (mask == 1 - blob()).all()


@pytest.mark.parametrize(
    ("annotation", "words"),
    [
        ({"id": 7, "category_id": 9, "segmentation": []}, "annotation 7"),
        ({"id": 7, "category_id": 3, "segmentation": [], "bbox": [0, 0, 1, 1]}, "label 'cat' is outside"),
        ({"id": 7, "category_id": 1, "segmentation": {"size": [9, 9], "counts": [81]}}, "runs for 9x9"),
        ({"id": 7, "category_id": 1, "segmentation": {"size": [40, 60], "counts": [81]}}, "runs of 81 pixels"),
        ({"id": 7, "category_id": 1, "segmentation": [[1, 2, 3]]}, "annotation 7"),
    ],
)
def test_what_cannot_be_meant_is_told(annotation: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        read_coco_mask([annotation], NAMES, HEIGHT, WIDTH, Classes())


@pytest.mark.parametrize(
    ("file", "picture", "named"),
    [
        ("annotations/instances_default.json", "images/default/a.png", "a.png"),  # CVAT
        ("result.json", "images/3f-a.png", "images\\3f-a.png"),  # Label Studio on Windows
    ],
)
def test_exports_are_found_where_the_tools_put_them(tmp_path: Path, file: str, picture: str, named: str) -> None:
    for path in (file, picture):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(tmp_path / picture), np.full((HEIGHT, WIDTH, 3), (1, 2, 3), np.uint8))
    labels = {
        "images": [{"id": 4, "file_name": named, "width": WIDTH, "height": HEIGHT}],
        "categories": [{"id": 1, "name": "character"}],
        "annotations": [
            {"id": 1, "image_id": 4, "category_id": 1, "segmentation": {"size": [40, 60], "counts": runs(blob())}}
        ],
    }
    (tmp_path / file).write_text(json.dumps(labels))
    frames = labelled_frames(tmp_path)
    assert [frame.name for frame in frames] == [Path(picture).stem]
    assert (frames[0].alpha == blob()).all()
    assert frames[0].rgb[0, 0].tolist() == [3, 2, 1]


def test_a_box_alone_is_a_rectangle() -> None:
    box = {"id": 1, "category_id": 1, "segmentation": [], "bbox": [10, 5, 20, 15]}
    mask = read_coco_mask([box], NAMES, HEIGHT, WIDTH, Classes())
    assert (mask[5:20, 10:30] == 1).all()
    assert mask.sum() == 20 * 15


@pytest.mark.parametrize(
    ("file", "held_out"), [("latest.json", False), ("carnival.json", False), ("instances_val2017.json", True)]
)
def test_a_file_for_judging_is_told_by_a_word_of_its_name(tmp_path: Path, file: str, held_out: bool) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((HEIGHT, WIDTH, 3), np.uint8))
    labels = {
        "images": [{"id": 4, "file_name": "a.png", "width": WIDTH, "height": HEIGHT}],
        "categories": [{"id": 1, "name": "character"}],
        "annotations": [{"id": 1, "image_id": 4, "category_id": 1, "bbox": [0, 0, 9, 9]}],
    }
    (tmp_path / file).write_text(json.dumps(labels))
    assert len(labelled_frames(tmp_path, held_out=held_out)) == 1
    labels["images"][0]["width"] = 2 * WIDTH
    (tmp_path / file).write_text(json.dumps(labels))
    with pytest.raises(InputError, match=rf"a\.png: labelled at {2 * WIDTH}x{HEIGHT}, but it is {WIDTH}x{HEIGHT}"):
        labelled_frames(tmp_path, held_out=held_out)
