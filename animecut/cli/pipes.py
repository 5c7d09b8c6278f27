"""`-` for a file: standard input is set aside as one, and a sticker is written to standard output."""

import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from animecut.errors import InputError, OutputError, SettingsError, reason_of
from animecut.settings import SUFFIXES, Settings

PIPE = Path("-")
FLOWING = ("webp", "gif", "apng", "webm")  # formats that are one file, which readers take from a pipe


@contextmanager
def without_pipes(
    inputs: Sequence[Path], output: Path | None, settings: Settings
) -> Iterator[tuple[list[Path], Path | None]]:
    """Files in place of `-`. What becomes of the output is copied to standard output in the end, where it is there.

    Raises SettingsError where more than one file would flow, InputError or OutputError where a pipe breaks.
    """
    if PIPE not in (*inputs, output):
        yield list(inputs), output
        return
    with tempfile.TemporaryDirectory(prefix="animecut-") as folder:
        files = [_set_aside(Path(folder) / "stdin") if path == PIPE else path for path in dict.fromkeys(inputs)]
        if output != PIPE:
            yield files, output or Path()
            return
        if len(files) > 1 or len(settings.kinds) + len(settings.platforms) != 1 or settings.preview:
            raise SettingsError("takes one sticker of one input; name a folder", field="output", value="-")
        kind = next(iter(settings.kinds), None)
        if kind is not None and kind not in FLOWING:
            raise SettingsError(f"takes no {kind}; choose from {', '.join(FLOWING)}", field="output", value="-")
        made = Path(folder) / "made"
        made.mkdir()
        yield files, made / f"sticker{SUFFIXES[kind]}" if kind else made
        _give(made)


def _set_aside(path: Path) -> Path:
    try:
        with path.open("wb") as file:
            shutil.copyfileobj(sys.stdin.buffer, file)
    except OSError as error:
        raise InputError(f"-: standard input cannot be set aside ({reason_of(error)}); name a file") from error
    return path


def _give(folder: Path) -> None:
    try:
        for path in folder.glob("[!.]*"):
            sys.stdout.buffer.write(path.read_bytes())
        sys.stdout.buffer.flush()
    except OSError as error:
        raise OutputError(f"-: standard output takes no more ({reason_of(error)}); name a file") from error
