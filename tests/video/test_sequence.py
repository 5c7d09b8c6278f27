from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from animecut.encode.writer import write_sticker
from animecut.errors import InputError, SettingsError
from animecut.types import Clip
from animecut.video.reader import describe, read_clips
from tests.clips_made import number_in, numbered


def write(folder: Path, name: str, count: int, first: int = 1) -> None:
    for number in range(first, first + count):
        Image.fromarray(numbered(number)).save(folder / (name % number))


@pytest.mark.parametrize("name", ["frame%d.png", "frame%04d.png", "[Sub] 100% frame.%d.bmp"])
def test_numbered_pictures_are_one_clip_in_the_order_of_their_numbers(tmp_path: Path, name: str) -> None:
    write(tmp_path, name.replace("100% ", "100%% "), 12)
    Image.fromarray(numbered(99)).save(tmp_path / "other7.png")
    clips = list(read_clips(tmp_path / name, fps=24))
    assert [number_in(picture) for clip in clips for picture in clip.pixels] == list(range(1, 13))
    assert clips[-1].times[-1] == pytest.approx(0.5)
    (part,) = read_clips(tmp_path / name, 2 / 24, 4 / 24, fps=24)
    assert [number_in(picture) for picture in part.pixels] == [3, 4]
    about = describe(tmp_path / name, fps=24)
    assert (about.width, about.kind, about.frame_rate) == (80, "video", Fraction(24))
    assert about.duration_s == pytest.approx(0.5)


def test_our_own_folder_of_frames_is_a_clip_again(tmp_path: Path) -> None:
    pixels = np.stack([np.dstack([numbered(i), np.full((48, 80), 200, np.uint8)]) for i in range(4)])
    times = np.array([0.0, 0.1, 0.35, 0.4, 0.6])
    write_sticker(tmp_path / "x_frames", [Clip(pixels, times)], "png")
    (clip,) = read_clips(tmp_path / "x_frames" / "frames.ffconcat")
    assert (clip.pixels == pixels).all()
    assert clip.times == pytest.approx(times, abs=0.001)


def test_what_is_wrong_with_numbered_pictures_is_told(tmp_path: Path) -> None:
    write(tmp_path, "a%d.png", 3)
    with pytest.raises(SettingsError, match="do not say how long"):
        next(read_clips(tmp_path / "a%d.png"))
    with pytest.raises(InputError, match="no picture of such a name"):
        next(read_clips(tmp_path / "b%d.png", fps=24))
    (tmp_path / "a2.png").write_bytes((tmp_path / "a2.png").read_bytes()[:60])
    with pytest.raises(InputError, match=r"a2.png: is (cut off|no picture)"):
        list(read_clips(tmp_path / "a%d.png", fps=24))
    Image.fromarray(numbered(2, 96, 48)).save(tmp_path / "a2.png")
    with pytest.raises(InputError, match=r"a2.png: is 96x48 and not 80x48"):
        list(read_clips(tmp_path / "a%d.png", fps=24))
    (tmp_path / "foreign.ffconcat").write_text("ffconcat version 1.0\nfile /etc/passwd\nduration 1\n")
    with pytest.raises(InputError, match="no list of pictures that animecut wrote"):
        next(read_clips(tmp_path / "foreign.ffconcat"))
