"""How settings are written in words: flags of the command line, columns of a list."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, get_args, get_type_hints

from animecut.errors import SettingsError

UNITS = {"k": 1000, "m": 1_000_000}  # of bytes


@dataclass(frozen=True)
class Option:
    """What words mean a field of a settings class; stands in the field's annotation.

    help: one line for --help; {formats}, {mattings} and {platforms} become the names that there are.
    metavar: the placeholder of the value in --help.
    name: the long name of the flag and of the column, where it is not the field's.
    parse: text to the field's value, where a word of the field's type is not enough; raises SettingsError.
    """

    help: str
    metavar: str | None = None
    name: str = ""
    parse: Callable[[str], Any] | None = None


@dataclass(frozen=True)
class Choice:
    """A field that words can set. type: of its value.  default: where no word is given."""

    field: str
    type: Any
    default: Any
    option: Option

    @property
    def name(self) -> str:
        """Its long name: `for` of the field `platforms`, `keep-effects` of `keep_effects`."""
        return self.option.name or self.field.replace("_", "-")

    def parse(self, text: str) -> Any:  # noqa: ANN401 of whatever type the field has
        """The value that a text means. Raises SettingsError, which names the field."""
        if self.option.parse is None:
            return text
        try:
            return self.option.parse(text)
        except SettingsError as error:
            raise SettingsError(str(error), field=self.field) from error


@cache
def choices(settings: type) -> tuple[Choice, ...]:
    """The fields of a settings class that have an Option, in their order."""
    return tuple(_choices(settings))


def _choices(settings: type) -> Iterator[Choice]:
    hints = get_type_hints(settings, include_extras=True)
    for field in fields(settings):
        kind, *notes = get_args(hints[field.name]) or (hints[field.name],)
        for note in notes:
            if isinstance(note, Option):
                yield Choice(field.name, kind, field.default, note)


def rename(message: str, names: Mapping[str, str]) -> str:
    """The message with other names for the arguments that it has between backticks; unknown ones stay."""
    return re.sub(r"`(\w+)`", lambda found: names.get(found[1], found[0]), message)


def parse_time(text: str) -> float:
    """Seconds, from "12.3", "1:02.5" or "1:00:02.5". Raises SettingsError for anything else."""
    try:
        parts = [float(part) for part in text.strip().split(":")]
    except ValueError:
        parts = []
    whole = all(part.is_integer() for part in parts[:-1]) and all(part < 60 for part in parts[1:])
    if not 1 <= len(parts) <= 3 or not whole or not all(0 <= part < float("inf") for part in parts):
        raise SettingsError(f"{text!r} is no time; write seconds (12.3) or [h:]m:s (1:02.5)")
    return float(sum(part * 60**power for power, part in enumerate(reversed(parts))))


def parse_bytes(text: str) -> int:
    """Bytes, from "500000", "500k" or "1.5M": thousands and millions. Raises SettingsError for anything else."""
    number, unit = text.strip().lower().removesuffix("b"), 1
    if number[-1:] in UNITS:
        number, unit = number[:-1], UNITS[number[-1]]
    try:
        return int(float(number) * unit)
    except (ValueError, OverflowError):
        raise SettingsError(f"{text!r} is no number of bytes; write 500000, 500k or 1.5M") from None


def parse_size(text: str) -> tuple[int, tuple[int, int] | None]:
    """Longer side, and width and height where both are given: "512" or "413x531". Raises SettingsError."""
    sides = text.lower().split("x")
    if not 1 <= len(sides) <= 2 or not all(side.strip().isdecimal() and len(side) <= 9 for side in sides):
        raise SettingsError(f"{text!r} is no size; write pixels of the longer side (512), or both sides (413x531)")
    numbers = [int(side) for side in sides]
    return max(numbers), (numbers[0], numbers[1]) if len(numbers) == 2 else None


def parse_names(text: str) -> tuple[str, ...]:
    """The names in "webp,gif", each once."""
    return tuple(dict.fromkeys(name.strip() for name in text.split(",")))
