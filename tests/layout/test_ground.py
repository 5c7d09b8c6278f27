"""Backgrounds: colours, pictures and moving ones, read from made files, and what shows of them when."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from animecut.errors import SettingsError
from animecut.layout.ground import Ground, gather_ground
from animecut.pipeline import read_ground
from animecut.settings import Settings
from animecut.video.reader import read_clips


def flat(*levels: int) -> np.ndarray:
    """(8, 8, n) uint8 of one colour."""
    return np.tile(np.array(levels, np.uint8), (8, 8, 1))


def test_it_plays_along_for_ever() -> None:
    ground = Ground((flat(1, 1, 1), flat(2, 2, 2)), (0.0, 0.2, 0.5))
    assert [int(ground.picture_at(t)[0, 0, 0]) for t in (0, 0.19, 0.2, 0.49, 0.5, 0.75, 1.1)] == [1, 1, 2, 2, 1, 2, 1]
    assert ground.changes(0.1, 1.1) == pytest.approx([0.2, 0.5, 0.7, 1.0])
    assert ground.changes(0.2, 0.5) == []
    assert Ground((flat(1, 1, 1),), (0.0, 1.0)).changes(0, 9) == []


def test_only_what_has_no_hole_is_opaque() -> None:
    assert Ground((flat(1, 1, 1),), (0.0, 1.0)).is_opaque
    assert Ground((flat(1, 1, 1, 255),), (0.0, 1.0)).is_opaque
    assert not Ground((flat(1, 1, 1), flat(1, 1, 1, 9)), (0.0, 1.0, 2.0)).is_opaque


def test_a_moving_one_is_kept_no_larger_than_it_is_shown(tmp_path: Path) -> None:
    pictures = [Image.new("RGB", (200, 100), (9 * i, 0, 0)) for i in range(4)]
    pictures[0].save(tmp_path / "g.webp", save_all=True, append_images=pictures[1:], duration=100, lossless=True)
    ground = gather_ground(read_clips(tmp_path / "g.webp"), (50, 50))
    assert {picture.shape for picture in ground.pictures} == {(50, 100, 3)}
    assert ground.times == pytest.approx((0, 0.1, 0.2, 0.3, 0.4))


def test_backgrounds_are_read_or_refused_in_words(tmp_path: Path) -> None:
    assert read_ground(Settings()) is None
    assert read_ground(Settings(background="#ff8000")) == (255, 128, 0)
    Image.fromarray(flat(3, 2, 1, 0)).save(tmp_path / "bg.png")
    ground = read_ground(Settings(background=str(tmp_path / "bg.png")))
    assert isinstance(ground, Ground)
    assert ground.pictures[0][0, 0].tolist() == [3, 2, 1, 0]
    (tmp_path / "text.png").write_text("no picture")
    no_colours, no_pictures = ("transparant", "rgb(300,0,0)", "hsl(0,100%,200%)"), ("", "text.png", "none.png")
    for words in (*no_colours, *(str(tmp_path / name) for name in no_pictures)):
        with pytest.raises(SettingsError, match="background"):
            read_ground(Settings(background=words))
