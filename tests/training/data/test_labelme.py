import base64
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from animecut_training.data.classes import Classes
from animecut_training.data.labelme import picture_of, read_labelme, write_labelme

from animecut.errors import InputError

HEIGHT, WIDTH = 60, 80


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    cv2.imwrite(str(tmp_path / "a.png"), np.full((HEIGHT, WIDTH, 3), (1, 2, 250), np.uint8))
    return tmp_path


def shape(kind: str, points: list[list[float]], label: str = "character", **more: object) -> dict[str, Any]:
    return {"label": label, "points": points, "shape_type": kind, "group_id": None, "flags": {}} | more


def labels(*shapes: dict[str, Any], **more: object) -> dict[str, Any]:
    return {"version": "5.4.1", "flags": {}, "shapes": list(shapes), "imagePath": "a.png", "imageData": None} | more


def mask_of(folder: Path, *shapes: dict[str, Any]) -> np.ndarray:
    return read_labelme(folder / "a.json", labels(*shapes), folder, Classes())[1]


def encoded(picture: np.ndarray) -> str:
    return base64.b64encode(cv2.imencode(".png", picture)[1].tobytes()).decode()


def test_each_shape_covers_what_it_should(folder: Path) -> None:
    box = mask_of(folder, shape("rectangle", [[30, 40], [10, 20]]))
    assert box[20:41, 10:31].all()
    assert box.sum() == 21 * 21
    assert (mask_of(folder, shape("polygon", [[10, 20], [30, 20], [30, 40], [10, 40]])) == box).all()
    circle = mask_of(folder, shape("circle", [[40, 30], [40, 50]]))
    assert circle.sum() == pytest.approx(np.pi * 20.5**2, rel=0.03)
    line = mask_of(folder, shape("linestrip", [[10, 10], [60, 10], [60, 50]]))
    assert line[10, 10:60].all()
    assert line[10:50, 60].all()
    assert 0.8 < line.sum() / (90 * 10) < 1.2
    patch = np.eye(5, 8, dtype=np.uint8) * 255
    pasted = mask_of(folder, shape("mask", [[70, 50], [77, 54]], mask=encoded(patch)))
    assert (pasted[50:55, 70:78] == (patch > 0)).all()
    assert pasted.sum() == 5


def test_later_shapes_lie_over_earlier_ones(folder: Path) -> None:
    whole = shape("rectangle", [[10, 10], [50, 50]])
    hole = shape("rectangle", [[20, 20], [30, 30]], "_background_")
    assert mask_of(folder, whole, hole)[25, 25] == 0
    assert mask_of(folder, hole, whole)[25, 25] == 1


def test_a_picture_may_lie_inside_the_file(folder: Path) -> None:
    inside = encoded(np.full((HEIGHT, WIDTH, 3), (9, 8, 7), np.uint8))
    rgb, _ = read_labelme(folder / "a.json", labels(imageData=inside, imagePath="../gone.png"), folder, Classes())
    assert rgb[0, 0].tolist() == [7, 8, 9]


def test_windows_paths_are_understood_and_none_leads_out(folder: Path) -> None:
    (folder / "json").mkdir()
    assert picture_of(folder / "json" / "a.json", labels(imagePath="..\\a.png"), folder) == folder / "a.png"
    for path in ("../a.png", "/etc/passwd", "..\\..\\a.png"):
        with pytest.raises(InputError, match="leads out of the folder"):
            picture_of(folder / "json" / "a.json", labels(imagePath=path), folder / "json")


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (labels(shape("polygon", [[0, 0], [9, 9]])), "a polygon of 2 points"),
        (labels(shape("heart", [[0, 0]])), "a heart of 1 points"),
        (labels(shape("rectangle", [[0, 0], [9, 9]], "cat")), "label 'cat' is outside the classes"),
        (labels(imagePath="b.png"), r"its picture b\.png is not there"),
        (labels(imageData="!"), "imageData is damaged"),
        (labels(imageHeight=61), "labelled at 80x61, but its picture is 80x60"),
        (labels({"label": "character"}), "not a labelme file"),
    ],
)
def test_what_cannot_be_meant_is_told_with_the_files_name(folder: Path, wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=rf"a\.json: .*{words}"):
        read_labelme(folder / "a.json", wrong, folder, Classes())


def test_a_mask_comes_back_from_polygons(folder: Path) -> None:
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.circle(mask, (40, 30), 22, 1, -1)
    cv2.circle(mask, (40, 30), 15, 0, -1)
    cv2.circle(mask, (40, 30), 8, 1, -1)
    write_labelme(folder / "a.json", folder / "a.png", mask > 0, tolerance=1.0)
    again = read_labelme(folder / "a.json", json.loads((folder / "a.json").read_text()), folder, Classes())[1] > 0
    both, either = (mask & again).sum(), (mask | again).sum()
    assert both / either > 0.88
    assert not again[30, 51]
    assert again[30, 40]


def test_labelme_itself_agrees(folder: Path) -> None:
    """Shapes written by labelme's own code and drawn by it and by us."""
    label_file = pytest.importorskip("labelme._label_file", exc_type=ImportError)
    drawing = pytest.importorskip("labelme.utils.shape", exc_type=ImportError)
    shapes = [
        shape("polygon", [[10.4, 9.2], [70.9, 14.5], [40.2, 55.1]]),
        shape("circle", [[20.3, 40.1], [25.2, 48.8]]),
        shape("linestrip", [[5, 5], [40, 50.5], [70, 8]]),
        shape("rectangle", [[60, 40], [75.5, 58.5]]),
        shape("polygon", [[30, 20], [45, 20], [40, 35]], "_background_"),
        shape("mask", [[2, 50], [9, 54]], mask=encoded(np.eye(5, 8, dtype=np.uint8) * 255)),
    ]
    label_file.write_label_file(
        str(folder / "a.json"), shapes=shapes, image_path="a.png", image_height=HEIGHT, image_width=WIDTH,
        image_data=(folder / "a.png").read_bytes(),
    )  # fmt: skip
    theirs = label_file.read_label_file(str(folder / "a.json")).shapes
    truth, _ = drawing.shapes_to_label((HEIGHT, WIDTH), theirs, {"_background_": 0, "character": 1})
    ours = read_labelme(folder / "a.json", json.loads((folder / "a.json").read_text()), folder, Classes())[1]
    assert ((ours > 0) == truth).all()


def test_characters_keep_their_numbers_and_a_group_is_one_character(folder: Path) -> None:
    def box(x: int, **more: Any) -> dict[str, Any]:  # noqa: ANN401
        return shape("rectangle", [[x, 5], [x + 8, 20]], **more)

    mask = mask_of(folder, box(2), box(12, group_id=3), box(40, group_id=3), box(44), box(60, label="_background_"))
    assert mask[10, [4, 14, 46, 42, 62, 75]].tolist() == [1, 2, 3, 2, 0, 0]
