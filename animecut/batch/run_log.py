"""report.jsonl: what was made of what. It lets a run that was stopped go on where it was.

It names what was written from its own folder on, so that both can be moved together.
"""

import errno
import hashlib
import json
import os
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path

from animecut._util.paths import is_file
from animecut.errors import OutputError, reason_of
from animecut.settings import OF_THE_RUN, Settings

NAME = "report.jsonl"
EDGE = 2**20  # bytes of a source's head and of its tail that are looked at; whole clips would take minutes to read

Record = dict[str, object]


class RunLog:
    """The report beside the stickers of a folder: read once, appended to by every run, each line at once.

    Raises OutputError where it cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._path = folder, folder / NAME
        self._read_to = 0
        self._lines: dict[Path, list[Record]] = {}  # by all that each says was written
        self._read_on()

    def finished(self, source: Path, targets: Iterable[Path], recipe: str) -> Record | None:
        """The line that tells of these targets, where each is whole and was made from this source by this recipe."""
        self._read_on()
        paths = list(targets)
        asked = {self._below(path): path for path in paths}
        for record in reversed(self._lines.get(self._below(paths[0]), [])):
            if record["error"] is None and record["made_with"] == recipe and self._tells_of(record, paths):
                known = _renamed(record, lambda name: asked.get(name, self._folder / name))
                return known if record["source"] == source_fingerprint(source) else None
        return None

    def names(self, target: Path) -> bool:
        """Whether some line tells of this target, a sticker or its preview: then it is ours, and may be made again."""
        self._read_on()
        return self._below(target) in self._lines

    def add(self, record: Record) -> None:
        """Append a line. Raises OutputError where that fails."""
        line = json.dumps(_renamed(record, self._below)).encode() + b"\n"
        try:
            with self._path.open("ab+", buffering=0) as file:  # one write, so that two runs' lines do not mix
                if file.tell():
                    file.seek(-1, os.SEEK_END)
                    torn = file.read(1) != b"\n"  # by a full disk, or by a run that was killed
                    line = b"\n" + line if torn else line
                if file.write(line) < len(line):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            raise OutputError(
                f"{self._path}: cannot be written ({reason_of(error)}); make room and run again"
            ) from error

    def _read_on(self) -> None:
        """Take in the whole lines that were added since, by this run or by another one."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._read_to)
                for line in file:
                    if not line.endswith(b"\n"):
                        break
                    self._read_to += len(line)
                    for name in _names(record := _parsed(line)):
                        self._lines.setdefault(name, []).append(record)
        except FileNotFoundError:
            return
        except OSError as error:
            raise OutputError(f"{self._path}: cannot be read ({reason_of(error)})") from error

    def _tells_of(self, record: Record, targets: list[Path]) -> bool:
        outputs = {Path(str(out["path"])): (out["bytes"], out["sha256"]) for out in _outputs(record)}
        try:
            return all(output_digest(target) == outputs.get(self._below(target)) for target in targets)
        except OSError:  # gone, or may not be read, or holds a folder
            return False

    def _below(self, target: Path) -> Path:
        """The target's name from the report's folder on, where it lies below that."""
        whole, folder = target.absolute(), self._folder.absolute()
        return whole.relative_to(folder) if whole.is_relative_to(folder) else whole


def _parsed(line: bytes) -> Record:
    """A line as it was added, or nothing where it is damaged."""
    try:
        record = json.loads(line)
    except ValueError:
        return {}
    whole = isinstance(record, dict) and {"outputs", "error", "made_with", "source"} <= set(record)
    return record if whole else {}


def _outputs(record: Record) -> list[Record]:
    outputs = record.get("outputs")
    known = isinstance(outputs, list) and all(
        isinstance(out, dict) and {"path", "bytes", "sha256"} <= set(out) for out in outputs
    )
    return outputs if isinstance(outputs, list) and known else []


def _previews(record: Record) -> list[object]:
    preview = record.get("preview")
    return preview if isinstance(preview, list) else []


def _names(record: Record) -> list[Path]:
    """All that a line says was written."""
    return [Path(str(name)) for name in [*(out["path"] for out in _outputs(record)), *_previews(record)]]


def _renamed(record: Record, rename: Callable[[Path], Path]) -> Record:
    """The line with other names for all that it says was written."""
    outputs = [out | {"path": str(rename(Path(str(out["path"]))))} for out in _outputs(record)]
    return record | {"outputs": outputs, "preview": [str(rename(Path(str(name)))) for name in _previews(record)]}


def settings_digest(settings: Settings, weights: str) -> str:
    """Digest of all that a sticker depends on beside its source. weights: their digest."""
    chosen = {name: value for name, value in asdict(settings).items() if name not in OF_THE_RUN}
    named = [path for path in (Path(settings.background), settings.font) if path and is_file(path)]
    depends = [chosen, weights, [output_digest(path) for path in named if os.access(path, os.R_OK)]]
    return hashlib.sha256(json.dumps(depends, sort_keys=True, default=str).encode()).hexdigest()


def source_fingerprint(source: Path) -> Record | None:
    """What tells a source from another one, or from what it was: size, time, digest of its head and tail."""
    if not is_file(source):  # a pipe would be waited for
        return None
    try:
        with source.open("rb") as file:
            head = file.read(EDGE)
            about = source.stat()
            file.seek(max(len(head), about.st_size - EDGE))
            sha256 = hashlib.sha256(head + file.read(EDGE)).hexdigest()
    except OSError:
        return None
    return {"bytes": about.st_size, "mtime_ns": about.st_mtime_ns, "sha256": sha256}


def output_digest(path: Path) -> tuple[int, str]:
    """Bytes and SHA-256 of a file, or of all the files in a folder with their names. Raises OSError."""
    if path.is_file():
        with path.open("rb") as opened:
            sha256 = hashlib.file_digest(opened, "sha256").hexdigest()
            return opened.tell(), sha256
    whole, count = hashlib.sha256(), 0
    for file in sorted(path.iterdir()):
        data = file.read_bytes()
        count += len(data)
        whole.update(os.fsencode(file.name) + f" {len(data)}\n".encode() + data)
    return count, whole.hexdigest()
