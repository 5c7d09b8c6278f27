"""Stickers -> packs: a folder for each platform, numbered in the order of the list, with the icons that it asks for.

When all are there: the files that apps import, and a page that shows every pack.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

from animecut.batch.exports import Pack, export
from animecut.batch.labels import Label
from animecut.encode.preview import write_contact_sheet
from animecut.errors import OutputError, SettingsError
from animecut.platforms.specs import Platform, check_file, either, find_platform
from animecut.results import Target
from animecut.settings import SUFFIXES, Settings

Sticker = tuple[Path, Settings]
"""An input, and what to make of it."""

CONTACT_SHEET = "packs.html"
DIGITS = 2  # of a number, at least; so names sort as the list does


class Labelled(Protocol):
    """A job, as far as its pack needs to know it."""

    @property
    def targets(self) -> Sequence[Target]:
        """What was to be written."""

    @property
    def label(self) -> Label:
        """What the list says of it."""


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


def finish_packs(jobs: Sequence[Labelled], folder: Path, *, preview: bool) -> Iterator[str]:
    """Write what apps import of every pack of which no sticker is missing, and say so, and what is missing.

    preview: also a page on which all stickers of all packs move.
    """
    packs = [_found(name, jobs, folder) for name in dict.fromkeys(_names(jobs, folder))]
    for pack in packs:
        gone = [path.name for path in pack.files if not path.exists()]
        if gone:
            yield f"{pack.folder}: no complete pack; missing: {', '.join(gone)}"
            continue
        try:
            yield from export(pack)
        except OutputError as error:
            yield f"{pack.folder}: {error}"
    if preview:
        shown = [(pack.row.name, _verdicts(pack)) for pack in packs]
        yield f"preview: {write_contact_sheet(folder / CONTACT_SHEET, shown)}"


def _names(jobs: Sequence[Labelled], folder: Path) -> Iterator[str]:
    """The platforms that have a pack: other rows are its icons and what lies beside each sticker."""
    for target in (target for job in jobs for target in job.targets):
        if target.platform and target.path.parent == folder / target.platform.name:
            yield target.platform.name


def _found(name: str, jobs: Sequence[Labelled], folder: Path) -> Pack:
    row = find_platform(name)
    stickers = [
        (target.path, job.label)
        for job in jobs
        for target in job.targets
        if target.path.parent == folder / name and target.platform == row
    ]
    icons = [folder / name / f"{_last(icon)}{SUFFIXES[find_platform(icon).format]}" for icon in row.icons]
    return Pack(row, folder / name, tuple(stickers), next(iter(icons), None))


def _verdicts(pack: Pack) -> list[tuple[Path, list[str]]]:
    return [(path, check_file(path, pack.row.name)) for path in pack.files if path.exists()]


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
