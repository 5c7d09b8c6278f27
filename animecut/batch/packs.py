"""Stickers -> packs: a folder for each platform, numbered in the order of the list, with the icons that it asks for."""

from collections.abc import Sequence
from pathlib import Path

from animecut.errors import SettingsError
from animecut.platforms.specs import Platform, either, find_platform
from animecut.results import Target
from animecut.settings import SUFFIXES, Settings

Sticker = tuple[Path, Settings]
"""An input, and what to make of it."""

DIGITS = 2  # of a number, at least; so names sort as the list does


def number_stickers(stickers: Sequence[Sticker], folder: Path) -> list[list[Target]]:
    """What to write for each sticker: folder/telegram/01.webm, ...; the first one of a pack is also its icons.

    Raises SettingsError where a platform takes no pack of so many, where stills and moving stickers would be mixed, or
    where the folder holds a numbered sticker of another list.
    """
    targets: list[list[Target]] = [[] for _ in stickers]
    for source, settings in stickers:
        if settings.formats or not settings.platforms:
            raise SettingsError(f"{source}: packs are made for platforms; name them with `platforms`, and no `formats`")
    for name in dict.fromkeys(name for _, settings in stickers for name in settings.platforms):
        row = find_platform(name)
        pack = [i for i, (_, settings) in enumerate(stickers) if name in settings.platforms]
        _demand_a_size(row, len(pack))
        moves = row.animated and not _are_stills([stickers[i] for i in pack], row)
        digits = max(DIGITS, len(str(len(pack))))
        for number, i in enumerate(pack, start=1):
            targets[i].append(_target(folder / name / f"{number:0{digits}d}", row, moves))
            targets[i] += [
                _target(folder / name / _last(other) / f"{number:0{digits}d}", find_platform(other), moves)
                for other in row.each
            ]
        targets[pack[0]] += [_target(folder / name / _last(icon), find_platform(icon), moves) for icon in row.icons]
    _demand_no_others({target.path for each in targets for target in each})
    return targets


def _target(stem: Path, row: Platform, moves: bool) -> Target:
    return Target(stem.with_name(stem.name + SUFFIXES[row.format]), row.format, row, moves and row.animated)


def _last(name: str) -> str:
    """Of a row's name the word that it is called by within a pack: line-popup-main is main."""
    return name.rpartition("-")[2]


def _demand_a_size(row: Platform, count: int) -> None:
    if row.pack and count not in row.pack:
        wrong = f"{row.name} takes packs of {either(row.pack)} stickers, and the list has {count}"
        raise SettingsError(wrong, field="pack")


def _are_stills(pack: Sequence[Sticker], row: Platform) -> bool:
    """Whether all are single moments. Raises SettingsError, which names the odd ones, where only some are."""
    stills = [source.name for source, settings in pack if settings.frame is not None]
    moving = [source.name for source, settings in pack if settings.frame is None]
    if stills and moving:
        few, are = (stills, "stills (frame)") if len(stills) <= len(moving) else (moving, "no stills (no frame)")
        why = f"{row.name} mixes no stills with moving stickers; {are}: {', '.join(few)}"
        raise SettingsError(why, field="pack")
    return not moving


def _demand_no_others(paths: set[Path]) -> None:
    """No sticker of a longer list may be left over: it would be uploaded with the others."""
    for folder in sorted({path.parent for path in paths}):
        for path in sorted(folder.glob("*")):
            if path.stem.isdecimal() and path not in paths:
                raise SettingsError(f"{path}: is no sticker of this list; move it out of the pack")
