"""A line or two of text on a sticker: white with a black outline, as large as it fits.

The only door to fonts. Drawn once for a whole clip, so it stands still.
"""

import re
import unicodedata
from pathlib import Path
from typing import Literal, cast

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from animecut.errors import InputError, SettingsError
from animecut.layout.compose import Picture, Size, alpha_over

At = Literal["top", "bottom"]
Font = ImageFont.FreeTypeFont

SIDE = 0.04  # of the width, kept free on either side
ENDS = 0.03  # of the height, kept free above a caption at the top and below one at the bottom
LARGEST, SMALLEST = 0.16, 0.045  # of the shorter side: an em of the text
TALLEST = 0.42  # of the height: more text than that covers the character
FEWER = 0.65  # of the size is given for a line less: a short phrase is better whole
OUTLINE = 0.11  # of an em: the black around a letter
BOLD = 0.025  # of an em: what the strokes are made thicker by
LEADING = 1.12  # ems from line to line
NOWHERE = "\U0010ffff"  # no font has it: its picture is that of a missing character
# Scripts without spaces break anywhere, but not before what closes a phrase nor after what opens one.
UNSPACED = "\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
CLOSING = "、。，．・：；？！‥…ー々〜～゛゜ヽヾゝゞ’”）〕］｝〉》」』】ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮ!?,.:;)"
OPENING = "‘“（〔［｛〈《「『【("
BREAK = re.compile(
    rf"(?<=[{UNSPACED}{CLOSING[:12]}）」』】])(?![{re.escape(CLOSING)}])"
    rf"|(?<![{re.escape(OPENING)}])(?=[{UNSPACED}])(?![{re.escape(CLOSING)}])"
)


def draw_caption(text: str, size: Size, *, at: At = "bottom", font: Path | None = None) -> Picture:
    """The text alone, as straight RGBA (H, W, 4) of the sticker's size, to be stacked on it.

    Lines break where the text has line breaks, else between words, or between characters where a script has no
    spaces; as large as fits the width in so few lines that the character is still seen.

    Raises SettingsError: there is no text, the font cannot be read, or it has no glyph for a character. InputError:
    the text is too long for a sticker of this size.
    """
    height, width = size
    paragraphs = [_pieces(line) for line in drawable_text(text, font).splitlines() if line.strip()]
    if not paragraphs:
        raise SettingsError("says nothing; leave it out, or write something", field="caption")
    largest, smallest = (max(8, round(min(size) * share)) for share in (LARGEST, SMALLEST))
    best, lines = 0.0, list[str]()
    for em in range(largest, smallest - 1, -1):
        if em <= best:
            break  # even a single line would lose
        letters, room = _font(font, em), width * (1 - 2 * SIDE) - 2 * em * OUTLINE
        trial = [line for pieces in paragraphs for line in _balanced(pieces, letters, room)]
        fits = len(trial) * LEADING * em <= height * TALLEST and all(letters.getlength(line) <= room for line in trial)
        if fits and em * FEWER ** (len(trial) - 1) > best:
            best, chosen, lines = em * FEWER ** (len(trial) - 1), letters, trial
    if lines:
        return _drawn(lines, chosen, size, at)
    raise InputError(f"too long for a sticker of {width}x{height} pixels; write less, or raise `size`", field="caption")


def _font(file: Path | None, em: float) -> Font:
    try:
        font = ImageFont.truetype(str(file), em) if file else ImageFont.load_default(em)
    except OSError as error:
        raise SettingsError(
            "no font that can be read; name a .ttf, .otf or .ttc file", field="font", value=file
        ) from error
    return cast("Font", font)


def drawable_text(text: str, file: Path | None) -> str:
    """The text in composed characters, without joiners and selectors that the font does not know.

    Raises SettingsError where the font has no glyph for another character: its picture is that of a character that no
    font has, or there is none.
    """
    font = _font(file, 40)

    def picture(character: str) -> tuple[tuple[int, int], bytes]:
        mask = font.getmask(character)
        return mask.size, bytes(mask)

    missing = picture(NOWHERE)
    drawable = ""
    for character in unicodedata.normalize("NFC", text):
        known = picture(character) != missing
        if character.isspace():
            drawable += character if known or len(f"{character}.".splitlines()) > 1 else " "
        elif known and any(picture(character)[1]):
            drawable += character
        elif unicodedata.category(character) != "Cf" and not "\ufe00" <= character <= "\ufe0f":
            name = unicodedata.name(character, f"U+{ord(character):04X}")
            has = f"{file} has" if file else "the font that comes along has"
            raise SettingsError(f"{has} no {character} ({name}); name a font that does with `font`", field="caption")
    return drawable


def _pieces(line: str) -> list[str]:
    """What may not be broken, in order, each with the space that follows it."""
    words = [word for word in BREAK.split(line) if word]
    return [piece for word in words for piece in re.findall(r"\S+\s*|\s+", word)]


def _wrapped(pieces: list[str], font: Font, room: float) -> list[str]:
    lines = [""]
    for piece in pieces:
        if lines[-1].strip() and font.getlength((lines[-1] + piece).strip()) > room:
            lines.append("")
        lines[-1] += piece
    return [line.strip() for line in lines]


def _balanced(pieces: list[str], font: Font, room: float) -> list[str]:
    """As few lines as the room allows, and those of about equal length."""
    lines = _wrapped(pieces, font, room)
    narrow, wide = 0.0, room
    while wide - narrow > 1:
        middle = (narrow + wide) / 2
        narrower = _wrapped(pieces, font, middle)
        fits = len(narrower) == len(lines) and all(font.getlength(line) <= middle for line in narrower)
        narrow, wide = (narrow, middle) if fits else (middle, wide)
    return _wrapped(pieces, font, wide)


def _drawn(lines: list[str], font: Font, size: Size, at: At) -> Picture:
    height, width = size
    layers = []
    for thickness, ink in ((BOLD, 255), (BOLD + OUTLINE, 0)):
        mask = Image.new("L", (width, height))
        draw = ImageDraw.Draw(mask)
        for i, line in enumerate(lines):
            stroke = round(font.size * thickness)
            draw.text((width / 2, font.size * (1.1 + i * LEADING)), line, 255, font, "ms", stroke_width=stroke)
        alpha = np.asarray(mask)
        layers.append(np.dstack([np.full((height, width, 3), ink, np.uint8) * (alpha[..., None] > 0), alpha]))
    text = alpha_over(*layers)
    rows = np.flatnonzero(text[..., 3].any(axis=1))
    free = round(height * ENDS)
    return np.roll(text, free - rows[0] if at == "top" else height - free - 1 - rows[-1], axis=0)
