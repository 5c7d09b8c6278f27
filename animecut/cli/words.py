"""Words of the command line: flags from the options of settings, settings from words, and messages that name flags."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_origin

import typer

from animecut.options import Choice, choices, rename
from animecut.platforms.specs import PLATFORMS, find_platform
from animecut.settings import FORMATS, MATTINGS, Run, Settings, change

FLAGS = {choice.field: f"--{choice.name}" for settings in (Settings, Run) for choice in choices(settings)} | {
    "canvas": "--size", "output": "-o", "pack": "--pack"
}  # fmt: skip
"""How each argument that a message names is written here."""
NAMES = {"formats": FORMATS, "mattings": MATTINGS, "platforms": PLATFORMS}


def in_flags(message: str) -> str:
    """The message with flags for the arguments that it names between backticks."""
    return rename(message, FLAGS)


def with_options(command: Callable[..., None], after: Mapping[str, str]) -> Callable[..., None]:
    """The command with a flag for every option of Settings and Run instead of its `**words`.

    after: fields, and which of the command's own parameters comes after each. Of the others, arguments come first and
    flags last.
    """
    own = {name: one for name, one in inspect.signature(command).parameters.items() if name != "words"}
    order = [one for one in own.values() if one.default is one.empty]
    for choice in (*choices(Settings), *choices(Run)):
        order.append(_parameter(choice))
        if choice.field in after:
            order.append(own[after[choice.field]])
    order += [one for one in own.values() if one not in order]
    keywords = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in order]
    command.__dict__["__signature__"] = inspect.Signature(keywords)
    return command


def _parameter(choice: Choice) -> inspect.Parameter:
    """A flag as typer knows it. What is parsed here is a plain word to typer; a default of none shows nothing."""
    option, kind, default = choice.option, choice.type, choice.default
    if option.parse:
        kind, default = str, str(default) if default else ""
    elif get_origin(kind) is Literal:
        kind = str
    flag = f"--{choice.name}/--no-{choice.name}" if default is True else f"--{choice.name}"
    words = in_flags(option.help.format(**{name: ", ".join(known) for name, known in NAMES.items()}))
    described = typer.Option(flag, metavar=option.metavar, help=words)
    return inspect.Parameter(
        choice.field, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[kind, described]
    )


def settings_of(words: Mapping[str, Any], output: Path | None) -> Settings:
    """The settings that words ask for, by their fields. Raises SettingsError."""
    values = dict(_values(Settings, words))
    values["platforms"] = tuple(find_platform(name).name for name in values.get("platforms", ()))
    return change(Settings(), values, output)


def run_of(words: Mapping[str, Any]) -> Run:
    """How to go through the inputs, by the same words. Raises SettingsError."""
    return Run(**dict(_values(Run, words)))


def _values(settings: type, words: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for choice in choices(settings):
        word = words[choice.field]
        if choice.option.parse is None:
            yield choice.field, word
        elif word:
            yield choice.field, choice.parse(word)
