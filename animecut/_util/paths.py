"""What lies under a name that a user gave: nothing, as far as anybody can tell, where it may not be looked at."""

import hashlib
import os
import re
from collections.abc import Callable
from pathlib import Path

LONGEST_NAME = 255  # bytes, of every common file system; NTFS and APFS count letters, which are fewer
UNFINISHED = ".12345678.part"  # what is added to a name while its file is being written; the digits differ
ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/")


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


def is_address(word: str) -> bool:
    """Whether it is a URL; in a Path two slashes have become one. A file that is there is none, nor is a drive."""
    return ADDRESS.match(word) is not None and not exists(Path(word))


def fits(path: Path) -> bool:
    """Whether a file system takes a name as long as this one's."""
    return len(os.fsencode(path.name)) <= LONGEST_NAME


def hidden_beside(path: Path, tail: str) -> Path:
    """`.name` and the tail, in the path's folder; of a long name only a digest, so that what the name fits fits too."""
    hidden = path.with_name(f".{path.name}{tail}")
    if fits(hidden):
        return hidden
    return path.with_name(f".{hashlib.sha256(os.fsencode(path.name)).hexdigest()[:32]}{tail}")


def _holds(asks: Callable[[], bool]) -> bool:
    try:
        return asks()
    except OSError:  # a folder that may not be read, or a name that is too long
        return False
