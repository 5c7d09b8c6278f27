import os
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, unquote_to_bytes

import numpy as np
import pytest
from PIL import Image

from animecut.encode import preview
from animecut.encode.writer import Written, write_sticker
from animecut.errors import OutputError
from animecut.types import Clip

KINDS = {"webp": "a b&c.webp", "gif": "ロ.gif", "apng": "x.png", "webm": "x.webm", "mov": "x.mov", "png": "x_frames"}


def moving(count: int = 5) -> Clip:
    """A red square that moves right by 12 pixels a drawing over transparency."""
    pixels = np.zeros((count, 96, 144, 4), np.uint8)
    for i in range(count):
        pixels[i, 24:72, 12 + 12 * i : 60 + 12 * i] = (220, 30, 40, 255)
    return Clip(pixels, np.arange(count + 1) / 10)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Written]:
    folder = tmp_path_factory.mktemp("out")
    return [write_sticker(folder / name, [moving()], kind) for kind, name in KINDS.items()]


class Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.grounds: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        words = dict(attrs)
        self.found += [value for key in ("src", "href") if (value := words.get(key))]
        if tag == "div" and words.get("class") in preview.GROUNDS:
            self.grounds.append(str(words["class"]))


def test_both_lie_beside_the_first_file_and_nothing_else(files: list[Written]) -> None:
    folder = files[0].path.parent
    before = set(folder.iterdir())
    sheet, page = preview.write_preview(files)
    assert set(folder.iterdir()) - before == {sheet, page}
    assert (sheet, page) == preview.paths(files[0].path)
    assert sheet.name == "a b&c.preview.png"


def test_folders_with_dots_in_their_names_are_told_apart(tmp_path: Path) -> None:
    names = {preview.paths(tmp_path / f"s_0.1-{end}_frames")[0].name for end in ("0.3", "0.4")}
    assert names == {"s_0.1-0.3_frames.preview.png", "s_0.1-0.4_frames.preview.png"}


def test_a_name_need_not_be_utf8(tmp_path: Path) -> None:
    _, page = preview.write_preview([write_sticker(tmp_path / os.fsdecode(b"caf\xe9.webp"), [moving()], "webp")])
    links = Links()
    links.feed(page.read_text(encoding="utf-8"))
    assert all((page.parent / os.fsdecode(unquote_to_bytes(link))).is_file() for link in links.found)


def test_files_in_several_folders_are_on_one_page(files: list[Written], tmp_path: Path) -> None:
    other = tmp_path / "other" / "b.webm"
    other.parent.mkdir()
    second = write_sticker(other, [moving()], "webm")
    _, page = preview.write_preview([files[0], second])
    links = Links()
    links.feed(page.read_text(encoding="utf-8"))
    assert all((page.parent / unquote(link)).resolve().is_file() for link in links.found)


def test_every_link_of_the_page_leads_to_a_file_beside_it(files: list[Written]) -> None:
    _, page = preview.write_preview(files)
    text = page.read_text(encoding="utf-8")
    links = Links()
    links.feed(text)
    assert len(links.found) == 4 * 5  # all but .mov, which no browser plays
    assert not any(link.startswith("/") for link in links.found)
    assert all((page.parent / unquote(link)).is_file() for link in links.found)
    assert links.grounds == list(preview.GROUNDS) * 5
    assert "a b&amp;c.webp: 144x96, 5 pictures in 0.50 s" in text
    assert "ロ.gif" in text
    assert "//" not in text.replace("<!doctype html>", "")  # nothing is fetched
    for file in files:
        assert f"{file.bytes:,} bytes" in text


def test_the_sheet_shows_the_drawings_of_a_file_on_four_grounds(tmp_path: Path) -> None:
    file = write_sticker(tmp_path / "one.png", [moving()], "apng")
    sheet, _ = preview.write_preview([file])
    seen = np.asarray(Image.open(sheet).convert("RGB"))
    x, y = preview.MARGIN, preview.MARGIN + preview.LINE
    for block, ground in enumerate([(255, 255, 255), (0, 0, 0), None, (220, 248, 198)]):
        for column, shift in enumerate((0, 24, 48)):
            left, top = x + (block % 2 * 3 + column) * (144 + preview.GAP), y + block // 2 * (96 + preview.GAP)
            tile = seen[top : top + 96, left : left + 144]
            assert (tile[30:70, 14 + shift : 58 + shift] == (220, 30, 40)).all()
            if ground:
                assert (tile[:20] == ground).all()
            else:
                assert {tuple(pixel) for pixel in tile[:20].reshape(-1, 3)} == {(255, 255, 255), (204, 204, 204)}


def test_large_and_single_pictures_fit_onto_the_sheet(tmp_path: Path) -> None:
    pixels = np.full((1, 600, 300, 4), (10, 200, 30, 255), np.uint8)
    sheet, page = preview.write_preview(
        [write_sticker(tmp_path / "one.webp", [Clip(pixels, np.array([0.0, 1.0]))], "webp")]
    )
    with Image.open(sheet) as image:
        assert image.height < 2 * (preview.TILE + preview.GAP) + 100
    assert "600 bytes" not in page.read_text()
    assert "300x600, " in page.read_text()


def test_what_cannot_be_written_is_said_and_leaves_nothing(
    files: list[Written], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write_sticker(tmp_path / "one.webp", [moving()], "webp")

    def full(self: Path, *words: object, **more: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OutputError, match="No space"):
        preview.write_preview([file])
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".") or path.suffix == ".html"]
