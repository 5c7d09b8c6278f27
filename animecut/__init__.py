"""Cut anime characters out of clips.

    import animecut
    result = animecut.cut("clip.mp4", "hi.webp", start=12.3, end=14.1, platforms=["telegram"])

The names in `__all__` are loaded when they are first used; the import itself loads neither numpy nor torch.
"""

import os
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from animecut._util.progress import Progress
    from animecut.api import MattedDrawing, cut, cutout, open_clip
    from animecut.errors import (
        AnimecutError,
        DeviceError,
        InputError,
        NoCharacter,
        NoRoom,
        OutputError,
        SettingsError,
        Unreadable,
        WeightsError,
    )
    from animecut.results import Output, Result
    from animecut.segmentation.segmenter import Segmenter
    from animecut.settings import Settings

__all__ = [
    "AnimecutError",
    "DeviceError",
    "InputError",
    "MattedDrawing",
    "NoCharacter",
    "NoRoom",
    "Output",
    "OutputError",
    "Progress",
    "Result",
    "Segmenter",
    "Settings",
    "SettingsError",
    "Unreadable",
    "WeightsError",
    "cut",
    "cutout",
    "open_clip",
]
__version__ = "0.2.0"

# Before anything loads OpenMP: threads that wait by spinning make a picture thirty times slower on a busy machine.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# Before numpy: drawings are matted side by side, and a pool inside each costs a quarter more of the processor's time.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

_HOMES = dict.fromkeys(__all__, "animecut.errors") | {
    "MattedDrawing": "animecut.api",
    "Output": "animecut.results",
    "Progress": "animecut._util.progress",
    "Result": "animecut.results",
    "Segmenter": "animecut.segmentation.segmenter",
    "Settings": "animecut.settings",
    "cut": "animecut.api",
    "cutout": "animecut.api",
    "open_clip": "animecut.api",
}


def __getattr__(name: str) -> object:
    """A public name, from the module that it lives in (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(_HOMES[name]), name)
    return found


def __dir__() -> list[str]:
    """What the package offers, loaded or not."""
    return sorted({*globals(), *__all__})
