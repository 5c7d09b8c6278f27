"""Inputs -> jobs -> stickers, one input after the other; what fails is told and stops nothing else."""

import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path

from animecut import preview
from animecut.errors import AnimecutError, DeviceError, OutputError, SettingsError, WeightsError
from animecut.pipeline import Report, Segment, Target, cut
from animecut.platforms import find
from animecut.settings import SUFFIXES, Format, Settings
from animecut.watch import Watch

VIDEOS = (".mp4", ".mkv", ".mov", ".webm", ".avi", ".m4v", ".ts", ".flv", ".wmv", ".mpg", ".mpeg")
PICTURES = (".gif", ".webp", ".png", ".apng", ".jpg", ".jpeg", ".bmp")


@dataclass(frozen=True)
class Job:
    """One input, what to write for it, and how."""

    source: Path
    targets: tuple[Target, ...]
    settings: Settings


@dataclass(frozen=True)
class Done:
    """How a job went. problem: one line where it failed."""

    job: Job
    report: Report
    seconds: float
    problem: str | None

    def as_json(self, device: str) -> dict[str, object]:
        """What can be written as JSON: one object of --json."""
        outputs = [
            asdict(output.written)
            | {"path": str(output.written.path), "platform": output.platform}
            | {"valid": not output.problems, "problems": output.problems, "given_up": output.given_up}
            | {"ssim": output.ssim}
            for output in self.report.outputs
        ]
        seconds = self.report.seconds | {"total": self.seconds}
        return {
            "input": str(self.job.source),
            "outputs": outputs,
            "frames_in": self.report.frames_in,
            "drawings": self.report.drawings,
            "shots": self.report.shots,
            "held_flicker": round(self.report.held_flicker, 4),
            "preview": [str(path) for path in self.report.preview or ()],
            "loop": asdict(self.report.loop) if self.report.loop else None,
            "device": device,
            "seconds": {stage: round(value, 4) for stage, value in seconds.items()},
            "error": self.problem,
        }


def plan(inputs: Iterable[Path], output: Path | None, settings: Settings) -> list[Job]:
    """What to read, and what to write for each; folders are searched through and mirrored.

    Raises SettingsError where a folder holds nothing to read, or one file is named for several stickers.
    """
    sources: list[tuple[Path, Path]] = []  # file, and the folder that it lies in below OUT
    for path in inputs:
        if path.is_dir():
            files = sorted(
                file for file in path.rglob("*") if file.suffix.lower() in VIDEOS + PICTURES and file.is_file()
            )
            if not files:
                raise SettingsError(f"{path}: no videos or pictures in this folder")
            sources += [(file, file.parent.relative_to(path)) for file in files]
        else:
            sources.append((path, Path()))
    as_file = output is not None and output.suffix != "" and not output.is_dir()
    if as_file and len(sources) * (len(settings.formats) + len(settings.platforms)) > 1:
        raise SettingsError(f"-o {output}: one file for several stickers; name a folder")
    jobs = []
    for file, below in sources:
        targets = _targets(file, file.parent if output is None else output / below, settings)
        if as_file and output:
            targets = [Target(output, targets[0].format, targets[0].platform)]
        jobs.append(Job(file, tuple(targets), settings))
    return jobs


def run(
    jobs: Iterable[Job], segment: Segment, watch: Callable[[], AbstractContextManager[Watch]], *, overwrite: bool
) -> Iterator[Done]:
    """Do every job, and tell of each how it went. watch: makes what is told how far a job is.

    Raises SettingsError for what is wrong with every input.
    """
    for job in jobs:
        with watch() as watching:
            done = one(job, segment, watching, overwrite=overwrite)
        yield done


def one(job: Job, segment: Segment, watch: Watch, *, overwrite: bool) -> Done:
    """Do one job. Raises SettingsError, WeightsError and DeviceError for what is wrong with every input."""
    started = time.perf_counter()
    report, problem = Report(), None
    try:
        _make_room(job, overwrite)
        report = cut(job.source, job.targets, job.settings, segment, watch)
    except (SettingsError, WeightsError, DeviceError):
        raise
    except AnimecutError as error:
        problem = str(error)
    return Done(job, report, time.perf_counter() - started, problem)


def _targets(source: Path, folder: Path, settings: Settings) -> list[Target]:
    rows = [find(name) for name in settings.platforms]
    targets = [Target(folder / _name(source, kind, settings), kind) for kind in settings.formats]
    return targets + [Target(folder / _name(source, row.format, settings, row.name), row.format, row) for row in rows]


def _name(source: Path, kind: Format, settings: Settings, platform: str = "") -> str:
    stem = source.stem
    if settings.frame is not None:
        stem += f"_{settings.frame:g}"
    elif settings.start is not None or settings.end is not None:
        end = f"{settings.end:g}" if settings.end is not None else "end"
        stem += f"_{settings.start or 0:g}-{end}"
    name = stem + (f".{platform}" if platform else "") + (SUFFIXES[kind] or "_frames")
    return f"{stem}_cut{SUFFIXES[kind]}" if name == source.name else name


def _make_room(job: Job, overwrite: bool) -> None:
    wanted = [target.path for target in job.targets]
    for path in [*wanted, *(preview.paths(wanted[0]) if job.settings.preview else ())]:
        _make_folder(path.parent)
        if path.exists() and job.source.exists() and path.samefile(job.source):
            raise OutputError(f"{path}: is the input itself; name another output with -o")
        if path.exists() and not overwrite:
            raise OutputError(f"{path}: is there already; add --overwrite to replace it, or name another with -o")


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: no folder can be made there ({error.strerror}); name another with -o") from error
    if not os.access(folder, os.W_OK):
        raise OutputError(f"{folder}: may not be written to; name another with -o")
