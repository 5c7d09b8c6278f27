"""What was written, shown as it will be seen: a picture and a page, on white, black, a checkerboard and a chat bubble.

The pictures are read back from the files, so what is seen here is what a reader sees there.
"""

import os
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from string import Template
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from animecut.encode.probe import decode_pictures
from animecut.encode.writer import Written, atomic_path
from animecut.errors import OutputError, reason_of
from animecut.layout.compose import Box, Colour, Picture, composite_over, fill_bounds, resample

WHITE, BLACK, GREY = (255, 255, 255), (0, 0, 0), (204, 204, 204)
BUBBLE = (220, 248, 198)  # the light green of an own message
SQUARE = 12  # pixels of the checkerboard
TILE = 220  # pixels: the longer side of a drawing on the sheet
GAP, LINE, MARGIN = 6, 20, 16  # pixels
SHOWN = 3  # drawings of each file on the sheet: first, middle, last
PAPER, PRINT = (245, 245, 245), (40, 40, 40)
UNSEEN = {"mov"}  # formats that browsers do not play

HEAD = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>$title</title>
<style>
body { font: 15px/1.4 system-ui, sans-serif; background: #f5f5f5; color: #282828; margin: 1.5rem }
h2 { font-size: 1rem; margin: 1.5rem 0 .4rem }
"""
PAGE = Template(
    HEAD
    + """.grounds { display: flex; flex-wrap: wrap; gap: 6px }
.grounds div { padding: 12px; border-radius: 12px }
img, video { display: block; max-width: 260px; max-height: 260px }
.white { background: #fff } .black { background: #000 } .bubble { background: #dcf8c6 }
.checkerboard { background: repeating-conic-gradient(#ccc 0 25%, #fff 0 50%) 0 0 / 24px 24px }
</style>
<h1>$title</h1>
$files
</html>
"""
)
CONTACT_SHEET = Template(
    HEAD
    + """.chat { display: flex; flex-wrap: wrap; gap: 12px; padding: 12px; border-radius: 12px; margin-bottom: 6px }
.light { background: #efeae2; color: #282828 } .dark { background: #0b141a; color: #e9edef }
figure { margin: 0; width: 170px } figcaption { font-size: 12px; overflow-wrap: anywhere }
.refused { color: #d33 }
img, video { display: block; max-width: 160px; max-height: 160px; margin: auto }
</style>
<h1>$title</h1>
$packs
</html>
"""
)
GROUNDS = ("white", "black", "checkerboard", "bubble")


def paths(first: Path) -> tuple[Path, Path]:
    """Where the sheet and the page of stickers lie, the first of which is this one."""
    stem = first.stem if first.suffix[1:].isalpha() else first.name  # a folder's: s_0.1-0.3_frames
    return first.with_name(f"{stem}.preview.png"), first.with_name(f"{stem}.preview.html")


def write_preview(files: Sequence[Written]) -> tuple[Path, Path]:
    """Write the sheet and the page beside the first of at least one file; each is whole or not there.

    Raises OutputError where they cannot be written.
    """
    sheet, page = paths(files[0].path)
    picture = _sheet([(_label(file), _some(list(_thumbnails(file.path)))) for file in files])
    text = _page(files, page)
    try:
        with atomic_path(sheet) as part:
            Image.fromarray(picture).save(part, "PNG")
        with atomic_path(page) as part:
            part.write_text(text, encoding="utf-8", errors="replace")
    except OSError as error:
        raise OutputError(f"cannot write {sheet}: {reason_of(error)}; is there room left?") from error
    return sheet, page


def write_contact_sheet(page: Path, packs: Sequence[tuple[str, Sequence[tuple[Path, Sequence[str]]]]]) -> Path:
    """Write a page on which every sticker moves, in a light and in a dark chat, with what its platform says of it.

    packs: a platform's name, and each file with why the platform would refuse it. Raises OutputError.
    """
    sections = []
    for name, files in packs:
        refused = sum(bool(problems) for _, problems in files)
        verdict = f"{refused} refused" if refused else "all fine"
        figures = "\n".join(_figure(path, problems, page.parent) for path, problems in files)
        chats = "\n".join(f'<div class="chat {chat}">\n{figures}\n</div>' for chat in ("light", "dark"))
        sections.append(f"<h2>{escape(name)}: {len(files)} stickers, {verdict}</h2>\n{chats}")
    text = CONTACT_SHEET.substitute(title=escape(page.parent.absolute().name), packs="\n".join(sections))
    try:
        with atomic_path(page) as part:
            part.write_text(text, encoding="utf-8", errors="replace")
    except OSError as error:
        raise OutputError(f"cannot write {page}: {error.strerror}; is there room left?") from error
    return page


def _figure(path: Path, problems: Sequence[str], folder: Path) -> str:
    verdict = "; ".join(problems)
    words = f'<span class="refused">{escape(verdict)}</span>' if problems else "fine"
    return f"<figure>{_moving(path, folder)}<figcaption>{escape(path.name)}: {words}</figcaption></figure>"


def _moving(path: Path, folder: Path) -> str:
    link = quote(os.fsencode(Path(os.path.relpath(path, folder)).as_posix()))
    if path.suffix == ".webm":
        return f'<video src="{link}" autoplay loop muted playsinline></video>'
    return f'<img src="{link}" alt="{escape(path.name)}">'


def _label(file: Written) -> str:
    length = f", {file.frames} pictures in {file.duration_s:.2f} s" if file.frames > 1 else ""
    return f"{file.path.name}: {file.width}x{file.height}{length}, {file.bytes:,} bytes"


def _thumbnails(path: Path) -> Iterator[Picture]:
    """The pictures of a file, or of a folder of frames, no larger than a tile: so that all of them fit into memory."""
    for picture, _ in decode_pictures(path):
        height, width = picture.shape[:2]
        whole = fill_bounds(Box(0, 0, width, height), (min(TILE, height), min(TILE, width)))
        yield resample(picture, whole)


def _some(pictures: Sequence[Picture]) -> list[Picture]:
    """First, middle and last, or all where they are fewer."""
    indices = np.unique(np.linspace(0, len(pictures) - 1, SHOWN).round().astype(int))
    return [pictures[i] for i in indices]


def _sheet(rows: Sequence[tuple[str, Sequence[Picture]]]) -> NDArray[np.uint8]:
    """(H, W, 3) RGB: below each file's label its drawings on white and black, and on checkerboard and bubble."""
    blocks = [(label, _tiles(pictures)) for label, pictures in rows]
    font = ImageFont.load_default(14)
    labels = [_printable(label) for label, _ in blocks]
    width = max([block.shape[1] for _, block in blocks] + [round(font.getlength(label)) for label in labels])
    height = sum(LINE + block.shape[0] + MARGIN for _, block in blocks)
    paper = Image.new("RGB", (width + 2 * MARGIN, height + MARGIN), PAPER)
    draw, y = ImageDraw.Draw(paper), MARGIN
    for label, (_, block) in zip(labels, blocks, strict=True):
        draw.text((MARGIN, y), label, PRINT, font)
        paper.paste(Image.fromarray(block), (MARGIN, y + LINE))
        y += LINE + block.shape[0] + MARGIN
    return np.asarray(paper)


def _printable(label: str) -> str:
    """The label with ? for what the font on the sheet does not know; the page has the whole name."""
    return label.encode("ascii", "replace").decode()


def _tiles(pictures: Sequence[Picture]) -> NDArray[np.uint8]:
    height, width = pictures[0].shape[:2]
    checks = np.add(*np.indices((height, width)) // SQUARE) % 2 > 0
    board = np.where(checks[..., None], np.array(GREY, np.uint8), np.array(WHITE, np.uint8))
    grounds: tuple[Colour | NDArray[np.uint8], ...] = (WHITE, BLACK, board, BUBBLE)
    lines = [
        _spaced([composite_over(picture, ground) for ground in pair for picture in pictures], axis=1)
        for pair in (grounds[:2], grounds[2:])
    ]
    return _spaced(lines, axis=0)


def _spaced(tiles: Sequence[NDArray[np.uint8]], axis: int) -> NDArray[np.uint8]:
    pad = [(0, 0)] * 3
    pad[axis] = (0, GAP)
    padded = [np.pad(tile, pad, constant_values=PAPER[0]) for tile in tiles[:-1]]
    return np.concatenate([*padded, tiles[-1]], axis=axis)


def _page(files: Sequence[Written], page: Path) -> str:
    shown = "\n".join(f"<h2>{escape(_label(file))}</h2>\n{_grounds(file, page.parent)}" for file in files)
    return PAGE.substitute(title=escape(files[0].path.stem), files=shown)


def _grounds(file: Written, folder: Path) -> str:
    if file.format in UNSEEN:
        return f"<p>Browsers do not play .{file.format}; the sheet beside this page shows it.</p>"
    still = {"png": "00000.png", "sheet": "sheet.png"}
    moving = _moving(file.path / still[file.format] if file.format in still else file.path, folder)
    cells = "\n".join(f'<div class="{ground}">{moving}</div>' for ground in GROUNDS)
    return f'<div class="grounds">\n{cells}\n</div>'
