"""A line or two of text on a sticker: white with a black outline, as large as it fits.

The only door to fonts. Drawn once for a whole clip, so it stands still.
"""

import re
import unicodedata
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from animecut.compose import Picture, Size, stack
from animecut.errors import SettingsError

At = Literal["top", "bottom"]

SIDE = 0.04  # of the width, kept free on either side
ENDS = 0.03  # of the height, kept free above a caption at the top and below one at the bottom
LARGEST, SMALLEST = 0.16, 0.045  # of the shorter side: an em of the text
TALLEST = 0.42  # of the height: more text than that covers the character
OUTLINE = 0.11  # of an em: the black around a letter
BOLD = 0.025  # of an em: what the strokes are made thicker by
LEADING = 1.12  # ems from line to line
NOWHERE = "\U0010ffff"  # no font has it: its picture is that of a missing character
# Scripts that may be broken anywhere, but not before what closes a phrase nor after what opens one.
UNSPACED = "\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
CLOSING, OPENING = "、。，．・：；？！゛゜ヽヾゝゞ々ー’”）〕］｝〉》」』】ぁぃぅぇぉっゃゅょァィゥェォッャュョ…!?,.:;)", "‘“（〔［｛〈《「『【("
PIECE = re.compile(f"[{re.escape(OPENING)}]*(?:[{UNSPACED}]|[^{UNSPACED}{re.escape(OPENING)}\\s]+|.)[{re.escape(CLOSING)}]*")


def caption(text: str, size: Size, *, at: At = "bottom", font: Path | None = None) -> Picture:
    """The text alone, as straight RGBA (H, W, 4) of the sticker's size, to be stacked on it.

    Lines break where the text has line breaks, else between words, or between characters where a script has no
    spaces; as large as fits the width in so many lines that they leave the character to be seen.

    Raises SettingsError: there is no text, it is too long for the sticker, the font cannot be read, or it has no
    glyph for a character.
    """
    height, width = size
    paragraphs = [line.split() for line in unicodedata.normalize("NFC", text).splitlines() if line.strip()]
    if not paragraphs:
        raise SettingsError("--caption: says nothing; leave it out, or write something")
    load = _loader(font)
    _demand_glyphs("".join("".join(words) for words in paragraphs), load(32), font)
    across, room = width * (1 - 2 * SIDE), height * TALLEST
    for em in range(max(8, round(min(size) * LARGEST)), max(7, round(min(size) * SMALLEST)) - 1, -1):
        letters = load(em)
        lines = [line for words in paragraphs for line in _wrapped(words, letters, across)]
        if len(lines) * LEADING * em <= room and all(_length(line, letters) <= across for line in lines):
            return _drawn(lines, letters, em, size, at)
    raise SettingsError(f"--caption: too long for a sticker of {width}x{height} pixels; write less, or raise --size")
