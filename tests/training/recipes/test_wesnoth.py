"""A game's folders as we make them: figures with glow and sparks around them, and mounted ones."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from animecut_training.data.dataset import read_rgba
from recipes.wesnoth import take

from animecut.errors import InputError


@pytest.fixture
def data(tmp_path: Path) -> Path:
    figure = np.zeros((100, 80, 4), np.uint8)
    figure[20:80, 20:60] = (0, 0, 200, 255)  # OpenCV's B, G, R, A
    figure[15:20, 20:60] = (255, 255, 255, 90)  # glow
    figure[2:4, 2:4] = (0, 255, 255, 255)  # a spark
    for name in (
        "core/images/portraits/humans/mage+female", "core/images/portraits/humans/lancer-2",
        "campaigns/Heir_To_The_Throne/images/portraits/konrad-elvish-mad", "campaigns/tutorial/images/portraits/konrad",
        "campaigns/The_South_Guard/images/story/portraits/hylas",
    ):  # fmt: skip
        path = tmp_path / "data" / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), figure)
    for name in ("landscape-plain", "landscape-battlefield"):
        path = tmp_path / "data" / "core/images/story" / f"{name}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), np.full((20, 40, 3), 90, np.uint8))
    return tmp_path / "data"


def test_figures_and_empty_scenes_are_taken(data: Path, tmp_path: Path) -> None:
    assert take(data, tmp_path / "out") == (3, 1)
    names = {path.name for path in (tmp_path / "out/sprites/wesnoth").iterdir()}
    assert names == {"humansmagefemale_0.png", "heirtothethronekonrad_elvishmad.png", "thesouthguardhylas_0.png"}
    assert [path.name for path in (tmp_path / "out/scenes").iterdir()] == ["wesnoth_landscape-plain.jpg"]


def test_a_figure_comes_without_its_glow_and_its_sparks(data: Path, tmp_path: Path) -> None:
    take(data, tmp_path / "out")
    figure = read_rgba(tmp_path / "out/sprites/wesnoth/humansmagefemale_0.png")
    assert (figure[20:80, 20:60] == (200, 0, 0, 255)).all()
    assert figure[..., 3].sum() == 60 * 40 * 255


def test_another_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not the game's data"):
        take(tmp_path, tmp_path / "out")
    assert not (tmp_path / "out").exists()
