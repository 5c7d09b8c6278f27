"""Inputs -> jobs: files, folders, patterns and lists, and what each becomes."""

import glob
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from animecut._util.paths import exists, is_address, is_file, is_folder, names_file
from animecut.batch import manifest, packs
from animecut.batch.exports import is_export
from animecut.batch.labels import NO_LABEL, Label
from animecut.batch.run_log import settings_digest
from animecut.errors import SettingsError
from animecut.platforms.specs import find_platform
from animecut.results import Target
from animecut.settings import FOLDERS, SUFFIXES, Format, Settings

VIDEOS = (
    ".mp4", ".m4v", ".mov", ".qt", ".3gp", ".3g2", ".f4v", ".mkv", ".mk3d", ".webm", ".avi", ".divx", ".flv",
    ".wmv", ".asf", ".ts", ".mts", ".m2ts", ".m2t", ".trp", ".mpg", ".mpeg", ".mpe", ".m1v", ".m2v", ".vob",
    ".mod", ".tod", ".ogv", ".ogm", ".rm", ".rmvb", ".dv", ".wtv", ".nut", ".ivf", ".y4m", ".h264",
    ".264", ".h265", ".265", ".hevc",
)  # fmt: skip
PICTURES = (
    ".gif", ".webp", ".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".dib", ".avif", ".avifs",
    ".heic", ".heif", ".hif", ".jp2", ".j2k", ".tif", ".tiff",
)  # fmt: skip
NOT_MEANT = {"__MACOSX", "@eaDir", "#recycle", "$RECYCLE.BIN", "System Volume Information", "lost+found"}
"""Folders that systems keep for themselves; so they do those whose names begin with a dot."""
NUMBER = re.compile(r"[ ._-]*%(0\d+)?d")  # of numbered pictures


@dataclass(frozen=True)
class Job:
    """One input, what to write for it, and how. recipe: the digest of the how. listed: it has settings of its own."""

    source: Path
    targets: tuple[Target, ...]
    settings: Settings
    recipe: str
    listed: bool = False
    label: Label = NO_LABEL


@dataclass(frozen=True)
class _Wish:
    """An input, and the folder or file that its stickers go to."""

    source: Path
    out: Path
    settings: Settings
    as_file: bool = False
    listed: bool = False
    label: Label = NO_LABEL


def plan_jobs(
    inputs: Iterable[Path],
    output: Path | None,
    settings: Settings,
    weights: str,
    is_ours: Callable[[Path], bool] = lambda path: False,
    *,
    pack: bool = False,
) -> list[Job]:
    """What to read, and what to write for each; folders are searched through and mirrored.

    weights: their digest.  is_ours: tells a sticker, which no folder means as an input.
    pack: number them, in a folder for each platform.
    Raises SettingsError where a folder holds nothing to read, one file is named for several stickers, or they make no
    pack.
    """
    inputs = list(inputs)
    if pack:  # one page shows them all
        settings = replace(settings, preview=False)
    wishes = list(dict.fromkeys(wish for path in inputs for wish in _wishes(path, output, settings, is_ours)))
    if output and names_file(output) and (len(wishes) > 1 or any(map(is_many, inputs))):
        raise SettingsError("one file for several stickers; name a folder", field="output", value=output)
    recipes = {settings: settings_digest(settings, weights) for settings in {wish.settings for wish in wishes}}
    jobs = [
        Job(wish.source, tuple(targets), wish.settings, recipes[wish.settings], wish.listed, wish.label)
        for wish, targets in zip(wishes, _packed(wishes, output) if pack else _beside(wishes), strict=True)
    ]
    sources = _sources(wishes)
    for job in jobs:
        for path in (target.path for target in job.targets):
            if path.absolute() in sources and path.absolute() != job.source.absolute():
                raise SettingsError(
                    f"{path}: is an input, and {job.source} would become it; name a folder with `output`"
                )
    return jobs


def _sources(wishes: Iterable[_Wish]) -> set[Path]:
    return {wish.source.absolute() for wish in wishes}


def _packed(wishes: list[_Wish], output: Path | None) -> list[list[Target]]:
    if output is None or names_file(output):
        raise SettingsError("name a folder with `output`; each platform gets a folder in it", field="pack")
    if any(wish.listed and wish.out != output for wish in wishes):
        raise SettingsError("numbers the stickers in their order; leave `out` out of the list", field="pack")
    return packs.number_stickers([(wish.source, wish.settings) for wish in wishes], output)


def _beside(wishes: list[_Wish]) -> Iterator[list[Target]]:
    """Targets named after their inputs. Raises SettingsError where two would have the same name."""
    taken: dict[Path, Path] = {}
    sources = _sources(wishes)
    for wish in wishes:
        targets = _targets(wish)
        names = [target.path for target in targets]
        # a.gif beside a.mp4, which both become a.webp; or a.webp beside it, which is another input
        if any(taken.get(name, wish.source) != wish.source or name.absolute() in sources for name in names):
            targets = _targets(wish, f"{wish.source.stem}_{wish.source.suffix[1:]}")
        for target in targets:
            if target.path in taken:
                both = f"{taken[target.path]} and {wish.source}"
                raise SettingsError(f"{both} would both become {target.path}; name another output")
            taken[target.path] = wish.source
        yield targets


def is_many(path: Path) -> bool:
    """Whether an input may stand for several: a folder, a pattern or a list."""
    return is_folder(path) or _is_list(path) or _is_pattern(path)


def folder_of(path: Path) -> Path:
    """The folder in or below which lies whatever an input stands for."""
    return path if is_folder(path) else Path(*_plain(path))


def _wishes(path: Path, output: Path | None, settings: Settings, is_ours: Callable[[Path], bool]) -> Iterator[_Wish]:
    if _is_list(path):
        folder = output or path.parent
        for line in manifest.read_list(path, settings):
            out = manifest.path_inside(folder, str(line.out)) if line.out else folder
            as_file = line.out is not None and names_file(out)
            yield _Wish(line.source, out, line.settings, as_file, listed=True, label=line.label)
    elif is_folder(path) or _is_pattern(path):
        base = folder_of(path)
        found = path.rglob("*") if is_folder(path) else _matching(path, base)
        meant = (file for file in found if file.suffix.lower() in VIDEOS + PICTURES and _is_meant(file, base))
        files = [file for file in sorted(meant) if is_file(file) and not is_ours(file)]
        files = [file for file in files if not any(map(is_export, file.parents))]
        if not files:
            raise SettingsError(f"{path}: no videos or pictures in this folder, or none of this name")
        for file in files:
            yield _Wish(file, file.parent if output is None else output / file.parent.relative_to(base), settings)
    else:
        if is_address(str(path)):
            what = "give the path alone" if str(path).startswith("file:") else "download it first, and name the file"
            raise SettingsError(f"{path}: is an address, and nothing is fetched from there; {what}")
        yield _Wish(path, output or path.parent, settings, as_file=output is not None and names_file(output))


def _is_meant(file: Path, base: Path) -> bool:
    """Whether a file in a folder is one that somebody put there: none is that is hidden, or thrown away."""
    return not any(part[0] == "." or part in NOT_MEANT for part in file.relative_to(base).parts)


def _is_list(path: Path) -> bool:
    return path.suffix.lower() in manifest.SUFFIXES and not is_folder(path)


def _is_pattern(path: Path) -> bool:
    return glob.has_magic(str(path)) and not exists(path)


def _matching(pattern: Path, base: Path) -> Iterator[Path]:
    below = pattern.relative_to(base)
    if any("**" in part and part != "**" for part in below.parts):  # some Pythons refuse it, some take it for *
        raise SettingsError(f"{pattern}: ** stands alone between slashes, for folders; write **/*.mp4")
    return base.glob(str(below))


def _plain(pattern: Path) -> list[str]:
    """The leading parts of a pattern that are none: without its signs, or there just as they are written."""
    parts = list(pattern.parts)
    last = len(parts) - 1
    return parts[: next((i for i in range(last) if _is_pattern(Path(*parts[: i + 1]))), last)]


def _targets(wish: _Wish, stem: str = "") -> list[Target]:
    settings = wish.settings
    rows = [find_platform(name) for name in settings.platforms]
    if wish.as_file:
        if len(rows) + len(settings.kinds) > 1:
            raise SettingsError("one file for several stickers; name a folder", field="output", value=wish.out)
        row = rows[0] if rows else None
        kind = row.format if row else settings.kinds[0]
        if row and wish.out.suffix.lower() != SUFFIXES[kind]:
            why = f"{row.name} takes {SUFFIXES[kind]}; name it so, or name a folder"
            raise SettingsError(why, field="output", value=wish.out)
        return [Target(wish.out, kind, row)]
    stem = stem or NUMBER.sub("", wish.source.stem) or "frames"
    targets = [Target(wish.out / _name(wish.source, stem, kind, settings), kind) for kind in settings.kinds]
    return targets + [
        Target(wish.out / _name(wish.source, stem, row.format, settings, row.name), row.format, row) for row in rows
    ]


def _name(source: Path, stem: str, kind: Format, settings: Settings, platform: str = "") -> str:
    if settings.frame is not None:
        stem += f"_{settings.frame:g}"
    elif settings.start is not None or settings.end is not None:
        end = f"{settings.end:g}" if settings.end is not None else "end"
        stem += f"_{settings.start or 0:g}-{end}"
    name = stem + (f".{platform}" if platform else "") + (SUFFIXES[kind] or FOLDERS[kind])
    return f"{stem}_cut{SUFFIXES[kind]}" if name == source.name else name
