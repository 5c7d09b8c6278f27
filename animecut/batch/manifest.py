"""Lists of inputs with options of their own: a CSV file with a header, or a JSON array of objects.

A CSV may be what a spreadsheet writes: with semicolons or tabs, decimal commas, empty rows, headings in capitals.

`file` and `out` name files below the list's folder and below the output folder; `emoji`, `title`, `author` and `text`
are for packs (labels.py); every other column is an option by its long name (start, end, format, for, size,
keep-effects, ...), empty where the command line's own holds.
"""

import csv
import io
import json
import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from animecut.batch.labels import LABELS, Label, read_label
from animecut.errors import AnimecutError, InputError, SettingsError
from animecut.layout.compose import parse_colour
from animecut.options import Choice, choices, rename
from animecut.settings import OF_THE_RUN, Settings, change

SUFFIXES = (".csv", ".tsv", ".json")
MAX_BYTES = 64 * 2**20  # a list of a million clips has less
COLUMNS = {"canvas": "column size", "output": "column out"}  # that set what is called otherwise
SEPARATORS = ",;\t"
YES, NO = ("true", "yes", "1"), ("false", "no", "0")


@dataclass(frozen=True)
class ListEntry:
    """One input of a list. out: below the output folder, where it is named."""

    source: Path
    out: Path | None
    settings: Settings
    label: Label


def read_list(path: Path, settings: Settings) -> list[ListEntry]:
    """Every input of a list. Raises SettingsError, which names the line, or InputError where it cannot be read."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"{path}: is larger than {MAX_BYTES >> 20} MiB; is it a list of clips?")
        data = path.read_bytes()
        text = data.decode("utf-16" if data.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) else "utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read as text ({error}); give a list in UTF-8") from error
    rows = _json(path, text) if path.suffix.lower() == ".json" else _csv(path, text)
    if not rows:
        raise SettingsError(f"{path}: names no input; write one line for each")
    lines = []
    for number, row in enumerate(rows, start=1):
        try:
            lines.append(_line(path.parent, row, settings))
        except AnimecutError as error:
            raise SettingsError(f"{path}, input {number}: {in_columns(str(error))}") from error
    return lines


def path_inside(folder: Path, name: str) -> Path:
    """The path of that name in a folder. Raises SettingsError for one that leads out of it, also by a link."""
    try:
        path = folder / name
        if name and "\0" not in name and path.resolve().is_relative_to(folder.resolve()):
            return path
    except (OSError, RuntimeError, ValueError):  # too long, links in a circle, or half a character
        pass
    raise SettingsError(f"{name!r} does not lie inside {folder}; move it there, or the list to where it does")


def _csv(path: Path, text: str) -> list[dict[str, Any]]:
    separator, text = _separator(text)
    try:
        lines = [
            [value.strip() for value in line]
            for line in csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
        ]
    except csv.Error as error:
        raise SettingsError(f"{path}: is no CSV ({error})") from error
    names, *rows = [line for line in lines if any(line)] or [[]]
    names = ["-".join(name.lower().replace("_", " ").split()) for name in names]
    if any(value for row in rows for value in row[len(names) :]):
        raise SettingsError(f"{path}: a line has more values than the first line has names; put quotes around commas")
    return [{name: value for name, value in zip(names, row, strict=False) if value} for row in rows]


def _separator(text: str) -> tuple[str, str]:
    """What stands between values, and the text without Excel's line `sep=;` that may say so."""
    first, _, rest = text.lstrip("\r\n").partition("\n")
    if said := re.fullmatch(r'"?sep=(.)"?\s*', first, re.IGNORECASE | re.DOTALL):
        return said[1], rest
    return max(SEPARATORS, key=first.count), text


def _json(path: Path, text: str) -> list[dict[str, Any]]:
    try:
        rows = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"{path}: is no JSON ({error})") from error
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise SettingsError(f'{path}: is no array of objects, such as [{{"file": "clip.mp4", "start": "1:02"}}]')
    return [{key: value for key, value in row.items() if value is not None} for row in rows]


def _line(folder: Path, row: Mapping[str, Any], settings: Settings) -> ListEntry:
    if not isinstance(row.get("file"), str):
        raise SettingsError("has no `file`; the first line of a CSV names the columns: file,start,end,out")
    out = row.get("out")
    if out is not None and not isinstance(out, str):
        raise SettingsError(f"out {out!r}: must be a name")
    options = {name: value for name, value in row.items() if name not in ("file", "out", *LABELS)}
    changed = _changed(settings, folder, options, out)
    return ListEntry(path_inside(folder, row["file"]), Path(out) if out else None, changed, read_label(row))


def _changed(settings: Settings, folder: Path, options: Mapping[str, Any], out: str | None) -> Settings:
    """Settings with options by their long names, as text or as JSON has them."""
    known = {choice.name: choice for choice in choices(Settings) if choice.field not in OF_THE_RUN}
    values: dict[str, Any] = {}
    for name, value in options.items():
        if name not in known:
            raise SettingsError(f"{name!r} is no option that an input may have; choose from {', '.join(sorted(known))}")
        values[known[name].field] = _value(known[name], value)
    if values.get("font"):
        values["font"] = path_inside(folder, str(values["font"]))
    if "background" in values and values["background"] != "transparent" and not parse_colour(values["background"]):
        values["background"] = str(path_inside(folder, values["background"]))
    return change(settings, values, Path(out) if out else None)


def in_columns(message: str) -> str:
    """The message with a list's columns for the arguments that it names between backticks."""
    return rename(message, {choice.field: f"column {choice.name}" for choice in choices(Settings)} | COLUMNS)


def _value(choice: Choice, value: Any) -> Any:  # noqa: ANN401 of whatever type the setting has
    text = str(value).strip() if isinstance(value, str | int | float) else ""
    convert: Callable[[str], Any] = choice.parse
    if choice.type is bool:
        convert = _yes_or_no
    elif choice.option.parse is None and choice.type in (int, float, float | None):
        convert = int if choice.type is int else float
    try:
        if not text:
            raise ValueError
        decimal = choice.type in (float, float | None)
        return convert(text.replace(",", ".") if decimal else text)
    except (ValueError, OverflowError) as error:
        raise SettingsError("cannot be meant; see animecut --help", field=choice.field, value=repr(value)) from error


def _yes_or_no(text: str) -> bool:
    if text.lower() not in YES + NO:
        raise ValueError
    return text.lower() in YES
