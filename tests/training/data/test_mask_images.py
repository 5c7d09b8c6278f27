from pathlib import Path

import cv2
import numpy as np
import pytest
from animecut_training.data.classes import VOID, Classes, fill_void, read_classes
from animecut_training.data.mask_images import read_mask, voc_palette
from PIL import Image

from animecut.errors import InputError

TRUTH = np.zeros((20, 30), np.uint8)
TRUTH[5:15, 8:22] = 1
PLAIN = Classes()


def palette(indices: np.ndarray, colours: list[int]) -> Image.Image:
    picture = Image.fromarray(indices, "L").convert("P")
    picture.putpalette(colours)
    return picture


def pictures() -> dict[str, Image.Image]:
    red = np.zeros((20, 30, 3), np.uint8)
    red[TRUTH > 0] = 128, 0, 0
    pink = np.zeros((20, 30, 3), np.uint8)
    pink[TRUTH > 0] = 192, 128, 128  # Pascal VOC's person
    cut = np.dstack([np.full((20, 30, 3), 90, np.uint8), np.where(TRUTH > 0, 51, 50).astype(np.uint8)])
    return {
        "index": Image.fromarray(TRUTH),
        "index in every channel": Image.fromarray(np.dstack([TRUTH] * 3)),
        "person's index": Image.fromarray(TRUTH * np.uint8(15)),
        "palette": palette(TRUTH, voc_palette()),
        "palette white on black": palette(1 - TRUTH, [255, 255, 255, 0, 0, 0]),
        "palette red on black": palette(1 - TRUTH, [128, 0, 0, 0, 0, 0]),
        "palette of its own colours": palette(TRUTH, [10, 20, 30, 200, 100, 50]),
        "red": Image.fromarray(red),
        "pink": Image.fromarray(pink),
        "white": Image.fromarray(TRUTH * np.uint8(255)),
        "bits": Image.fromarray(TRUTH * np.uint8(255)).convert("1"),
        "white in every channel, opaque": Image.fromarray(TRUTH * np.uint8(255)).convert("RGBA"),
        "16 bits": Image.fromarray(TRUTH.astype(np.uint16) * 65535),
        "cut-out": Image.fromarray(cut, "RGBA"),
    }


@pytest.mark.filterwarnings("ignore:'mode' parameter is deprecated")
@pytest.mark.parametrize("kind", list(pictures()))
def test_every_kind_of_mask_is_read(tmp_path: Path, kind: str) -> None:
    pictures()[kind].save(tmp_path / "m.png")
    assert (read_mask(tmp_path / "m.png", PLAIN) == TRUTH).all()


def test_a_white_mask_may_be_compressed_and_smooth(tmp_path: Path) -> None:
    smooth = cv2.GaussianBlur(TRUTH * np.uint8(255), (0, 0), 0.7)
    Image.fromarray(smooth).save(tmp_path / "m.jpg", quality=80)
    assert (read_mask(tmp_path / "m.jpg", PLAIN) == TRUTH).mean() > 0.97


def test_what_is_unknown_becomes_what_is_nearest(tmp_path: Path) -> None:
    ring = TRUTH.copy()
    ring[4:16, 7:23], ring[6:14, 9:21] = VOID, 1
    Image.fromarray(ring).save(tmp_path / "m.png")
    mask = read_mask(tmp_path / "m.png", PLAIN)
    assert (mask == VOID).sum() == (ring == VOID).sum()
    filled = fill_void(mask)
    assert set(np.unique(filled)) == {0, 1}
    assert (filled != TRUTH).sum() < 20
    assert not fill_void(np.full((3, 3), VOID, np.uint8)).any()


@pytest.mark.parametrize(
    ("picture", "words"),
    [(TRUTH * np.uint8(7), "class 7 is outside"), (np.dstack([TRUTH * np.uint8(90), TRUTH, TRUTH]), "colour #5a0101")],
)
def test_labels_outside_the_classes_are_named(tmp_path: Path, picture: np.ndarray, words: str) -> None:
    Image.fromarray(picture).save(tmp_path / "m.png")
    with pytest.raises(InputError, match=rf"m\.png: {words}"):
        read_mask(tmp_path / "m.png", PLAIN)


def test_a_list_of_names_says_what_indices_mean(tmp_path: Path) -> None:
    (tmp_path / "class_names.txt").write_text("__ignore__\n_background_\nMiko\nKen\n")
    classes = read_classes(tmp_path)
    assert classes.of_indices(np.array([[0, 1, 2, 255]], np.uint8)).tolist() == [[0, 1, 1, 255]]
    assert classes.of_name("miko") == 1
    with pytest.raises(InputError, match="class 3 is outside"):
        classes.of_indices(np.array([[3]], np.uint8))
    with pytest.raises(InputError, match=r"'cat' is outside the classes \(_background_, miko, ken\)"):
        classes.of_name("cat")


def test_a_damaged_picture_is_named(tmp_path: Path) -> None:
    Image.fromarray(TRUTH).save(tmp_path / "m.png")
    (tmp_path / "m.png").write_bytes((tmp_path / "m.png").read_bytes()[:60])
    with pytest.raises(InputError, match=r"m\.png: not a picture"):
        read_mask(tmp_path / "m.png", PLAIN)
