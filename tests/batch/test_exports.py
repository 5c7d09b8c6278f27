"""What is written of a pack, opened by zipfile, json and Pillow, and held against what apps' own documents ask for."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

import pytest
from PIL import Image

from animecut.batch.exports import EXPORTS
from animecut.batch.labels import Label
from animecut.batch.packs import finish_packs
from animecut.platforms.specs import PLATFORMS
from animecut.results import Target
from tests.stickers_made import image

LABELS = (
    Label(("😀", "👋"), "My pack", "Somebody", "Says hello"),
    Label((), "", "", ""),
    Label(("😀", "👋", "☕", "❤️"), "", "", "Has tea"),
)


@dataclass(frozen=True)
class Job:
    targets: Sequence[Target]
    label: Label


def pack_of(name: str, folder: Path, labels: Sequence[Label] = LABELS) -> list[Job]:
    """Jobs whose stickers are there."""
    row = PLATFORMS[name]
    suffix = {"webp": ".webp", "apng": ".png"}[row.format]
    (folder / name).mkdir(parents=True)
    jobs = []
    for number, label in enumerate(labels, start=1):
        path = image(folder / name / f"{number:02d}{suffix}", (row.width, row.height), [100] * 3)
        jobs.append(Job([Target(path, row.format, row)], label))
    for icon in row.icons:
        image(folder / name / f"{icon.rpartition('-')[2]}.png", (96, 96), [100])
    return jobs


def finish(name: str, folder: Path, labels: Sequence[Label] = LABELS) -> list[str]:
    return list(finish_packs(pack_of(name, folder, labels), folder, preview=False))


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_a_wastickers_archive_has_what_importers_look_for(tmp_path: Path) -> None:
    said = finish("whatsapp", tmp_path)
    with ZipFile(tmp_path / "whatsapp.wastickers") as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["tray.png", "01.webp", "02.webp", "03.webp", "title.txt", "author.txt"]
        assert archive.read("title.txt").decode() == "My pack"
        assert archive.read("author.txt").decode() == "Somebody"
        assert archive.read("02.webp") == (tmp_path / "whatsapp" / "02.webp").read_bytes()
        with archive.open("01.webp") as file, Image.open(file) as picture:
            assert (picture.size, getattr(picture, "n_frames", 1)) == ((512, 512), 3)
    (pack,) = json.loads((tmp_path / "whatsapp" / "contents.json").read_text())["sticker_packs"]
    assert (pack["identifier"], pack["name"], pack["publisher"]) == ("my_pack", "My pack", "Somebody")
    assert pack["animated_sticker_pack"] is True
    assert (tmp_path / "whatsapp" / pack["tray_image_file"]).exists()
    assert [len(sticker["emojis"]) for sticker in pack["stickers"]] == [2, 0, 3]
    assert pack["stickers"][0]["accessibility_text"] == "Says hello"
    assert said == [
        f"{tmp_path}/whatsapp.wastickers: 3 stickers of 'My pack' by Somebody",
        "  whatsapp: no `emoji` in the list for 02.webp",
        "  whatsapp: takes 3 emoji at most, so the first ones were taken for 03.webp",
    ]


def test_the_same_pack_is_the_same_archive(tmp_path: Path) -> None:
    finish("whatsapp", tmp_path)
    before = (tmp_path / "whatsapp.wastickers").read_bytes()
    jobs = [Job([Target(path, "webp", PLATFORMS["whatsapp"])], label)
            for path, label in zip(sorted((tmp_path / "whatsapp").glob("*.webp")), LABELS, strict=True)]  # fmt: skip
    list(finish_packs(jobs, tmp_path, preview=False))
    assert (tmp_path / "whatsapp.wastickers").read_bytes() == before


def test_misskey_imports_a_zip_with_names_of_its_own_alphabet(tmp_path: Path) -> None:
    finish("misskey", tmp_path)
    with ZipFile(tmp_path / "misskey.zip") as archive:
        meta = json.loads(archive.read("meta.json"))
        assert meta["metaVersion"] == 2
        assert [entry["fileName"] for entry in meta["emojis"]] == ["01.webp", "02.webp", "03.webp"]
        assert {entry["fileName"] for entry in meta["emojis"]} <= set(archive.namelist())
        assert all(entry["downloaded"] is True for entry in meta["emojis"])
    emoji = [entry["emoji"] for entry in meta["emojis"]]
    assert [one["name"] for one in emoji] == ["says_hello", "my_pack_02", "has_tea"]
    assert emoji[0] | {} == {"name": "says_hello", "category": "My pack", "aliases": ["Says hello"]}


def test_a_matrix_pack_is_as_msc2545_has_it(tmp_path: Path) -> None:
    said = finish("matrix", tmp_path)
    pack = json.loads((tmp_path / "matrix.json").read_text())
    assert pack["pack"] == {"display_name": "My pack", "attribution": "Somebody", "usage": ["sticker"]}
    assert list(pack["images"]) == ["says_hello", "my_pack_02", "has_tea"]
    first = pack["images"]["says_hello"]
    size = (tmp_path / "matrix" / "01.webp").stat().st_size
    assert first["info"] == {"w": 512, "h": 512, "mimetype": "image/webp", "size": size}
    assert (first["url"], first["body"]) == ("01.webp", "Says hello")
    assert any("mxc:" in line for line in said)


def test_an_asset_catalogue_is_as_xcode_has_it(tmp_path: Path) -> None:
    finish("imessage", tmp_path)
    catalogue = tmp_path / "imessage.xcassets"
    pack = catalogue / "Sticker Pack.stickerpack"
    listed = json.loads((pack / "Contents.json").read_text())
    assert listed["properties"] == {"grid-size": "regular"}
    assert [entry["filename"] for entry in listed["stickers"]] == ["01.sticker", "02.sticker", "03.sticker"]
    said = json.loads((pack / "01.sticker" / "Contents.json").read_text())
    assert said["properties"] == {"filename": "01.png", "accessibility-label": "Says hello"}
    with Image.open(pack / "01.sticker" / said["properties"]["filename"]) as picture:
        assert picture.size == (408, 408)
    assert "accessibility-label" not in (pack / "02.sticker" / "Contents.json").read_text()
    assert json.loads((catalogue / "Contents.json").read_text())["info"]["version"] == 1
    (catalogue / "mine.txt").write_text("mine")
    jobs = [Job([Target(tmp_path / "imessage" / "01.png", "apng", PLATFORMS["imessage"])], LABELS[0])]
    assert any("other things" in line for line in finish_packs(jobs, tmp_path, preview=False))
    assert (catalogue / "mine.txt").exists()


def test_upload_tools_find_titles_and_one_emoji_each_beside_the_stickers(tmp_path: Path) -> None:
    finish("signal", tmp_path)
    texts = {path.name: path.read_text() for path in (tmp_path / "signal").glob("*.txt")}
    assert (texts["title.txt"], texts["author.txt"]) == ("My pack", "Somebody")
    assert json.loads(texts["emoji.txt"]) == {"01": "😀", "02": "", "03": "😀"}


def test_what_nobody_named_is_told(tmp_path: Path) -> None:
    said = finish("matrix", tmp_path / "Season 2", [Label(), Label()])
    assert "2 stickers of 'Season 2' by unknown" in said[0]
    assert said[1:3] == ["  matrix: no `title` in the list", "  matrix: no `author` in the list"]


def test_of_a_pack_with_a_sticker_missing_nothing_is_written(tmp_path: Path) -> None:
    jobs = pack_of("misskey", tmp_path)
    (tmp_path / "misskey" / "02.webp").unlink()
    assert list(finish_packs(jobs, tmp_path, preview=False)) == [
        f"{tmp_path}/misskey: no complete pack; missing: 02.webp"
    ]
    assert not (tmp_path / "misskey.zip").exists()


def test_a_page_shows_every_sticker_in_two_chats_with_its_platforms_verdict(tmp_path: Path) -> None:
    jobs = pack_of("misskey", tmp_path) + pack_of("signal", tmp_path)
    image(tmp_path / "signal" / "02.png", (96, 90), [100] * 3)
    *_, last = finish_packs(jobs, tmp_path, preview=True)
    assert last == f"preview: {tmp_path / 'packs.html'}"
    page = (tmp_path / "packs.html").read_text()
    for number in (1, 2, 3):
        assert page.count(f'src="misskey/0{number}.webp"') == 2
        assert page.count(f'src="signal/0{number}.png"') == 2
    assert page.count('class="chat light"') == page.count('class="chat dark"') == 2
    assert "misskey: 3 stickers, all fine" in page
    assert "signal: 3 stickers, 1 refused" in page
    assert "is 96x90 pixels; signal takes a square" in page


def test_a_disk_that_is_full_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setitem(EXPORTS, "misskey", full)
    (line,) = finish("misskey", tmp_path)
    assert "cannot write" in line
    assert "No space left" in line
