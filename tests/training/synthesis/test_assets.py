"""Characters of flat colours in files, so that it is seen which of them came through."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from animecut_training.data.dataset import Labelled, read_rgba
from animecut_training.synthesis.assets import Split, add_labelled, load_assets
from animecut_training.synthesis.composite import Assets
from numpy.typing import NDArray

from animecut.errors import InputError

SPLIT = Split([], {"often": 3.0}, ["often/unfit"], ["once/held"], ["night"])


def sprite(path: Path, red: int, *, depth: type = np.uint8) -> None:
    """A red square in the middle of nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unit = np.iinfo(depth).max // 255
    picture: NDArray[Any] = np.zeros((40, 30, 4), depth)
    picture[10:30, 5:25] = (0, 0, red * unit, 255 * unit)  # OpenCV's B, G, R, A
    cv2.imwrite(str(path), picture)


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    for name, red in (("often/a_1", 10), ("often/a_2", 20), ("often/unfit", 30), ("once/b", 40), ("once/held_c", 50)):
        sprite(tmp_path / "sprites" / f"{name}.png", red)
    (tmp_path / "scenes").mkdir()
    for name, grey in (("day", 100), ("night", 200)):
        cv2.imwrite(str(tmp_path / "scenes" / f"{name}.jpg"), np.full((20, 40, 3), grey, np.uint8))
    (tmp_path / "scenes" / "README.txt").write_text("no picture")
    return tmp_path / "sprites", tmp_path / "scenes"


def reds(stock: Assets) -> list[int]:
    return [int(one[..., 0].max()) for one in stock.sprites]


def test_what_is_held_out_is_judged_by_and_never_learned(folders: tuple[Path, Path]) -> None:
    learned = load_assets([folders[0]], folders[1], SPLIT, held_out=False)
    judged = load_assets([folders[0]], folders[1], SPLIT, held_out=True)
    assert (reds(learned), reds(judged)) == ([10, 20, 40], [50])
    assert [round(float(scene.mean())) for scene in learned.scenes] == [100]
    assert [round(float(scene.mean())) for scene in judged.scenes] == [200]
    assert learned.weights.tolist() == pytest.approx([3 / 2**0.5, 3 / 2**0.5, 1])  # a has two faces


def test_characters_are_trimmed_and_empty_ones_left_out(folders: tuple[Path, Path]) -> None:
    cv2.imwrite(str(folders[0] / "once" / "empty.png"), np.zeros((40, 30, 4), np.uint8))
    stock = load_assets([folders[0]], folders[1], SPLIT, held_out=False)
    assert [one.shape for one in stock.sprites] == [(20, 20, 4)] * 3


def test_a_picture_without_transparency_is_no_character(folders: tuple[Path, Path]) -> None:
    cv2.imwrite(str(folders[0] / "once" / "photo.png"), np.full((40, 30, 3), 90, np.uint8))
    with pytest.raises(InputError, match=r"photo\.png: has no transparency"):
        load_assets([folders[0]], folders[1], SPLIT, held_out=False)


def test_sixteen_bits_are_read_as_eight(tmp_path: Path) -> None:
    for depth in (np.uint8, np.uint16):
        sprite(tmp_path / f"{depth.__name__}.png", 200, depth=depth)
    assert (read_rgba(tmp_path / "uint8.png") == read_rgba(tmp_path / "uint16.png")).all()
    cv2.imwrite(str(tmp_path / "deep.tiff"), np.ones((4, 4, 3), np.float32))
    with pytest.raises(InputError, match="8 or 16 bits"):
        read_rgba(tmp_path / "deep.tiff")


def test_a_label_too_thin_to_be_cut_out_is_no_character(folders: tuple[Path, Path]) -> None:
    stock = load_assets([folders[0]], folders[1], SPLIT, held_out=False)
    alpha = np.zeros((40, 40), np.float32)
    alpha[20, 5:30] = 1
    thin = Labelled("thin", np.zeros((40, 40, 3), np.uint8), alpha)
    assert add_labelled(stock, [thin]) is stock
    broad = Labelled("broad", thin.rgb, np.pad(np.ones((20, 20), np.float32), 10))
    both = add_labelled(stock, [thin, broad])
    assert len(both.sprites) == len(stock.sprites) + 1
    assert both.weights[-1] / both.weights.sum() == pytest.approx(0.35)
