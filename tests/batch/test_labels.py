"""What a list says of a sticker."""

import pytest

from animecut.batch.labels import Label, read_label, shortcodes, split_emoji
from animecut.errors import SettingsError


@pytest.mark.parametrize(
    ("text", "emoji"),
    [
        ("", ()),
        ("😀", ("😀",)),
        ("😀👋 ❤️,☕", ("😀", "👋", "❤️", "☕")),
        ("👋🏽👩‍🚀", ("👋🏽", "👩‍🚀")),
        ("👨‍👩‍👧‍👦🏳️‍🌈", ("👨‍👩‍👧‍👦", "🏳️‍🌈")),
        ("🇯🇵🇫🇷", ("🇯🇵", "🇫🇷")),
        ("1️⃣", ("1️⃣",)),
        ("🏴󠁧󠁢󠁷󠁬󠁳󠁿😀", ("🏴󠁧󠁢󠁷󠁬󠁳󠁿", "😀")),
    ],
)
def test_emoji_are_told_apart(text: str, emoji: tuple[str, ...]) -> None:
    assert split_emoji(text) == emoji


@pytest.mark.parametrize("text", ["smile", ":)", "😀x", "7"])
def test_what_is_no_emoji_is_said(text: str) -> None:
    with pytest.raises(SettingsError, match="is none; write emoji alone"):
        split_emoji(text)


def test_a_label_is_read_from_a_row() -> None:
    row = {"file": "a.mp4", "emoji": "😀", "title": " My  pack ", "text": 7}
    assert read_label(row) == Label(("😀",), "My pack", "", "7")
    with pytest.raises(SettingsError, match=r"author 'aaaa.*longer than 128"):
        read_label({"author": "a" * 129})


def test_shortcodes_are_plain_and_all_different() -> None:
    labels = [Label(text="Héllo, world!"), Label(text="hello world"), Label(), Label(text="こんにちは")]
    assert shortcodes(labels, "My Pack") == ["hello_world", "hello_world_02", "my_pack_03", "my_pack_04"]
    assert shortcodes([Label()], "日本") == ["sticker_01"]
