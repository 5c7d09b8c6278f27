"""What a list says of a sticker beside its options: emoji that stand for it, words, and whose pack it belongs to."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from animecut.errors import SettingsError

LABELS = ("emoji", "title", "author", "text")
LONGEST = 128  # characters of a title, an author or a text; no app shows more

_ONE = "[\u00a9\u00ae\u203c-\u3299\U0001f000-\U0001faff]"
_TOUCHED = f"{_ONE}(?:\ufe0f|[\U0001f3fb-\U0001f3ff])?[\U000e0020-\U000e007f]*"  # in colour, a skin tone, a region
EMOJI = re.compile(f"[\U0001f1e6-\U0001f1ff]{{2}}|[0-9#*]\ufe0f?\u20e3|{_TOUCHED}(?:\u200d{_TOUCHED})*")
"""One emoji: a flag, a keycap, or one or several joined (Unicode Technical Standard 51)."""


@dataclass(frozen=True)
class Label:
    """Of one sticker. title and author: of its pack. text: what a screen reader says, and what is searched for."""

    emoji: tuple[str, ...] = ()
    title: str = ""
    author: str = ""
    text: str = ""


NO_LABEL = Label()


def read_label(row: Mapping[str, Any]) -> Label:
    """The label in a row of a list. Raises SettingsError where it cannot be meant."""
    words = {name: " ".join(str(row.get(name, "")).split()) for name in LABELS}
    for name, value in words.items():
        if len(value) > LONGEST:
            raise SettingsError(f"{name} {value[:20]!r}...: is longer than {LONGEST} characters")
    return Label(split_emoji(words["emoji"]), words["title"], words["author"], words["text"])


def split_emoji(text: str) -> tuple[str, ...]:
    """The emoji of a text, which may stand side by side. Raises SettingsError where anything else is in it."""
    found = tuple(EMOJI.findall(text))
    rest = re.sub(r"[\s,]", "", EMOJI.sub("", text))
    if rest:
        raise SettingsError(f"emoji {text!r}: {rest!r} is none; write emoji alone, such as 😀 or 😀👋")
    return found


def shortcodes(labels: Sequence[Label], title: str) -> list[str]:
    """A name of a-z, 0-9 and _ for each sticker, from its text, else from the pack's title; no two are the same."""
    names = list[str]()
    for number, label in enumerate(labels, start=1):
        name = _plain(label.text) or f"{_plain(title) or 'sticker'}_{number:02d}"
        names.append(name if name not in names else f"{name}_{number:02d}")
    return names


def first_said(words: Iterable[str], otherwise: str) -> str:
    """The first of the words that is not empty."""
    return next(filter(None, words), otherwise)


def _plain(text: str) -> str:
    letters = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "_", letters).strip("_")
