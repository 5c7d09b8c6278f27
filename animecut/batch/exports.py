"""Packs that are finished -> files that apps and upload tools import. Nothing is uploaded."""

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zipfile import ZipFile, ZipInfo

from animecut.batch.labels import Label, first_said, shortcodes
from animecut.encode.probe import probe
from animecut.encode.writer import atomic_path
from animecut.errors import OutputError
from animecut.platforms.specs import Platform

MIME = {".webp": "image/webp", ".gif": "image/gif", ".png": "image/png"}
BY = {"author": "animecut", "version": 1}  # in each Contents.json of Xcode's
CATALOGUE = ".xcassets"
MOST_EMOJI = {"signal": 1, "whatsapp": 3, "telegram": 20}  # of a sticker, by the first word of a platform's name


@dataclass(frozen=True)
class Pack:
    """The stickers of one platform in their order, all of which are there, and the first of its icons."""

    row: Platform
    folder: Path
    stickers: tuple[tuple[Path, Label], ...]
    icon: Path | None

    @property
    def files(self) -> list[Path]:
        """The stickers."""
        return [path for path, _ in self.stickers]

    @property
    def labels(self) -> list[Label]:
        """What the list says of each."""
        return [label for _, label in self.stickers]

    @property
    def title(self) -> str:
        """What the list calls it, else the folder that packs are made in."""
        return first_said((label.title for label in self.labels), self.folder.parent.absolute().name)

    @property
    def author(self) -> str:
        """Whom the list names."""
        return first_said((label.author for label in self.labels), "unknown")


def is_export(folder: Path) -> bool:
    """Whether copies of stickers lie in a folder, which no run means as inputs."""
    return folder.suffix == CATALOGUE


def export(pack: Pack) -> Iterator[str]:
    """Write what the platform's apps import, if anything, and say where it lies and what is missing in it.

    Raises OutputError where it cannot be written.
    """
    write = EXPORTS.get(pack.row.name)
    if write is None:
        return
    try:
        written = write(pack)
    except OSError as error:
        raise OutputError(f"cannot write beside {pack.folder}: {error.strerror}; is there room left?") from error
    yield f"{written}: {len(pack.stickers)} stickers of {pack.title!r} by {pack.author}"
    for column in ("title", "author"):
        if not any(getattr(label, column) for label in pack.labels):
            yield f"  {pack.row.name}: no `{column}` in the list"
    yield from _emoji_amiss(pack)
    if pack.row.name.startswith("matrix"):
        yield "  matrix: upload the stickers, and write their mxc: addresses in place of the names under `url`"


def _emoji_amiss(pack: Pack) -> Iterator[str]:
    most = MOST_EMOJI.get(pack.row.name.partition("-")[0])
    if most is None:
        return
    none = [path.name for path, label in pack.stickers if not label.emoji]
    many = [path.name for path, label in pack.stickers if len(label.emoji) > most]
    if none:
        yield f"  {pack.row.name}: no `emoji` in the list for {', '.join(none)}"
    if many:
        yield f"  {pack.row.name}: takes {most} emoji at most, so the first ones were taken for {', '.join(many)}"


def write_wastickers(pack: Pack) -> Path:
    """A ZIP as WhatsApp's sticker apps import it, and contents.json as WhatsApp's own sample app reads it."""
    icon = pack.icon or pack.files[0]
    sticker_pack = {
        "identifier": shortcodes([Label(text=pack.title)], "")[0], "name": pack.title, "publisher": pack.author,
        "tray_image_file": icon.name, "image_data_version": "1", "avoid_cache": False,
        "animated_sticker_pack": pack.row.animated,
        "stickers": [
            {"image_file": path.name, "emojis": label.emoji[: MOST_EMOJI["whatsapp"]], "accessibility_text": label.text}
            for path, label in pack.stickers
        ],
    }  # fmt: skip
    _write_json(pack.folder / "contents.json", {"sticker_packs": [sticker_pack]})
    texts = {"title.txt": pack.title, "author.txt": pack.author}
    return _write_zip(pack.folder.with_name(pack.folder.name + ".wastickers"), [icon, *pack.files], texts)


def write_misskey(pack: Pack) -> Path:
    """A ZIP that Misskey imports as custom emoji."""
    names = shortcodes(pack.labels, pack.title)
    newest = max(path.stat().st_mtime for path in pack.files)
    meta = {
        "metaVersion": 2, "host": "", "exportedAt": datetime.fromtimestamp(newest, UTC).isoformat(),
        "emojis": [
            {"downloaded": True, "fileName": path.name,
             "emoji": {"name": name, "category": pack.title, "aliases": [label.text] if label.text else []}}
            for name, (path, label) in zip(names, pack.stickers, strict=True)
        ],
    }  # fmt: skip
    target = pack.folder.with_name(pack.folder.name + ".zip")
    return _write_zip(target, pack.files, {"meta.json": json.dumps(meta, ensure_ascii=False, indent=1)})


def write_matrix(pack: Pack) -> Path:
    """An image pack as MSC2545 has it, with file names where addresses will be."""
    usage = ["emoticon"] if pack.row.name == "matrix-emoji" else ["sticker"]
    images = {}
    for name, (path, label) in zip(shortcodes(pack.labels, pack.title), pack.stickers, strict=True):
        width, height = probe(path).size
        info = {"w": width, "h": height, "mimetype": MIME[path.suffix], "size": path.stat().st_size}
        images[name] = {"url": path.name, "body": label.text or name, "info": info, "usage": usage}
    whole = {"images": images, "pack": {"display_name": pack.title, "attribution": pack.author, "usage": usage}}
    return _write_json(pack.folder.with_name(pack.folder.name + ".json"), whole)


def write_xcassets(pack: Pack) -> Path:
    """An asset catalogue with a sticker pack, to be dragged into Xcode."""
    target = pack.folder.with_name(pack.folder.name + CATALOGUE)
    if target.is_dir() and any(file.suffix not in (".json", ".stickerpack") for file in target.iterdir()):
        raise OutputError(f"{target}: holds other things than stickers of ours; move it away")
    with atomic_path(target) as part:
        stickers = part / "Sticker Pack.stickerpack"
        stickers.mkdir(parents=True)
        _write_json(part / "Contents.json", {"info": BY})
        names = [f"{path.stem}.sticker" for path in pack.files]
        listed = {
            "info": BY,
            "properties": {"grid-size": "regular"},
            "stickers": [{"filename": name} for name in names],
        }
        _write_json(stickers / "Contents.json", listed)
        for name, (path, label) in zip(names, pack.stickers, strict=True):
            (stickers / name).mkdir()
            shutil.copyfile(path, stickers / name / path.name)
            said = {"accessibility-label": label.text} if label.text else {}
            _write_json(stickers / name / "Contents.json", {"info": BY, "properties": {"filename": path.name} | said})
    return target


def write_texts(pack: Pack) -> Path:
    """title.txt, author.txt and emoji.txt beside the stickers, as tools that upload to these apps read them."""
    most = MOST_EMOJI[pack.row.name.partition("-")[0]]
    emoji = {path.stem: "".join(label.emoji[:most]) for path, label in pack.stickers}
    for name, text in (("title.txt", pack.title), ("author.txt", pack.author)):
        with atomic_path(pack.folder / name) as part:
            part.write_text(text, encoding="utf-8")
    return _write_json(pack.folder / "emoji.txt", emoji)


EXPORTS: dict[str, Callable[[Pack], Path]] = {
    "whatsapp": write_wastickers,
    "whatsapp-static": write_wastickers,
    "misskey": write_misskey,
    "matrix": write_matrix,
    "matrix-emoji": write_matrix,
    "imessage": write_xcassets,
    "signal": write_texts,
    "telegram": write_texts,
    "telegram-static": write_texts,
    "telegram-emoji": write_texts,
    "telegram-emoji-static": write_texts,
}


def _write_json(path: Path, value: dict[str, Any]) -> Path:
    with atomic_path(path) as part:
        part.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return path


def _write_zip(target: Path, files: Sequence[Path], texts: dict[str, str]) -> Path:
    """The same bytes for the same content: every entry has the first date that a ZIP knows."""
    with atomic_path(target) as part, ZipFile(part, "w") as archive:
        for name, content in [(file.name, file.read_bytes()) for file in files] + [
            (name, text.encode()) for name, text in texts.items()
        ]:
            archive.writestr(ZipInfo(name), content)
    return target
