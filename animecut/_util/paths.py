"""What lies under a name that a user gave: nothing, as far as anybody can tell, where it may not be looked at."""

from collections.abc import Callable
from pathlib import Path


def is_file(path: Path) -> bool:
    """Whether a file is there."""
    return _holds(path.is_file)


def is_folder(path: Path) -> bool:
    """Whether a folder is there."""
    return _holds(path.is_dir)


def exists(path: Path) -> bool:
    """Whether anything is there."""
    return _holds(path.exists)


def names_file(path: Path) -> bool:
    """Whether a name to write under means a file: it has a suffix, as neither `Season 1.5` nor `Mr. X` has."""
    suffix = path.suffix[1:]
    return suffix.isalnum() and not suffix.isdigit() and not is_folder(path)


def _holds(asks: Callable[[], bool]) -> bool:
    try:
        return asks()
    except OSError:  # a folder that may not be read, or a name that is too long
        return False
