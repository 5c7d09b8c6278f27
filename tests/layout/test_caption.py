from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import ImageFont

from animecut.errors import InputError, SettingsError
from animecut.layout import caption as room
from animecut.layout.caption import draw_caption

SIZE = (320, 400)


@pytest.fixture
def font_file(tmp_path: Path) -> Path:
    """A font as a file: the one that Pillow brings along."""
    font = ImageFont.load_default(20)
    assert isinstance(font, ImageFont.FreeTypeFont)
    assert isinstance(font.path, BytesIO)
    path = tmp_path / "font.ttf"
    path.write_bytes(font.path.getvalue())
    return path


def rows(picture: np.ndarray) -> np.ndarray:
    """First and last row of every run of rows in which white shows: the lines of the text."""
    white = ((picture[..., :3] == 255).all(axis=2) & (picture[..., 3] == 255)).any(axis=1)
    ends = np.flatnonzero(np.diff(np.pad(white.astype(int), 1)))
    return ends.reshape(-1, 2)


def test_white_letters_in_a_black_outline_at_the_bottom_or_the_top() -> None:
    for at in ("bottom", "top"):
        got = draw_caption("HELLO", SIZE, at=at)
        assert got.shape == (*SIZE, 4)
        assert got.dtype == np.uint8
        ((first, last),) = rows(got)
        assert (first > 240) if at == "bottom" else (last < 80)
        seen = np.flatnonzero(got[..., 3].any(axis=0))
        assert seen[0] + seen[-1] == pytest.approx(SIZE[1] - 1, abs=4)  # in the middle
        opaque = got[got[..., 3] == 255][:, :3]
        assert {0, 255} <= set(opaque.ravel().tolist())
        assert (opaque.min(axis=1) == opaque.max(axis=1)).all()  # no colour but greys
        rim = got[(got[..., 3] > 0) & (got[..., 3] < 255)]
        assert rim[:, :3].max() == 0  # outside is the outline, never white


def test_long_text_is_wrapped_smaller_and_inside_the_width() -> None:
    short = rows(draw_caption("HELLO", SIZE))
    long = draw_caption("HELLO TO ALL OF YOU WHO MADE IT UNTIL HERE", SIZE)
    assert len(rows(long)) >= 2
    assert np.diff(rows(long), axis=1).max() < np.diff(short, axis=1).max()
    seen = np.flatnonzero(long[..., 3].any(axis=0))
    assert seen[0] >= 0.02 * SIZE[1]
    assert seen[-1] < 0.98 * SIZE[1]
    assert rows(long)[0][0] > SIZE[0] * (1 - room.TALLEST - 2 * room.ENDS)


def test_line_breaks_are_kept_and_lines_are_of_about_equal_length() -> None:
    assert len(rows(draw_caption("A\nB\n\nC", SIZE))) == 3
    font = ImageFont.load_default(20)
    assert isinstance(font, ImageFont.FreeTypeFont)
    pieces = room._pieces("one two three four five six")
    assert room._wrapped(pieces, font, 170) == ["one two three four", "five six"]
    assert room._balanced(pieces, font, 170) == ["one two three", "four five six"]


def test_scripts_without_spaces_break_anywhere_but_beside_brackets_and_full_stops() -> None:
    assert room._pieces("Hello big world") == ["Hello ", "big ", "world"]
    assert room._pieces("「行こう」。 OK今日") == ["「行", "こ", "う」。", " ", "OK", "今", "日"]
    assert room._pieces("まって…") == ["まっ", "て…"]
    assert room._pieces("ラーメン") == ["ラー", "メ", "ン"]


def test_a_character_that_the_font_lacks_is_named(font_file: Path) -> None:
    with pytest.raises(SettingsError, match=r"no あ \(HIRAGANA LETTER A\).*`font`"):
        draw_caption("Aあ", SIZE)
    with pytest.raises(SettingsError, match=r"font.ttf has no é \(LATIN SMALL LETTER E WITH ACUTE\)"):
        draw_caption("cafe\u0301", SIZE, font=font_file)
    assert (draw_caption("A\u200dB\ufe0f", SIZE) == draw_caption("AB", SIZE)).all()
    assert (draw_caption("A\tB\u2003C", SIZE) == draw_caption("A B C", SIZE)).all()


def test_a_font_file_is_used_or_refused(font_file: Path) -> None:
    assert (draw_caption("Hi", SIZE, font=font_file) == draw_caption("Hi", SIZE)).all()
    (font_file.parent / "text.ttf").write_text("no font")
    for path in (font_file.parent / "text.ttf", font_file.parent / "none.ttf"):
        with pytest.raises(SettingsError, match="`font`"):
            draw_caption("Hi", SIZE, font=path)


def test_nothing_and_too_much_are_refused() -> None:
    with pytest.raises(SettingsError, match="says nothing"):
        draw_caption(" \n ", SIZE)
    with pytest.raises(InputError, match="too long"):
        draw_caption("so much to say " * 60, SIZE)
    with pytest.raises(InputError, match="too long"):
        draw_caption("W" * 200, SIZE)
