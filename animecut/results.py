"""What is to be written of one source, and what was done."""

from dataclasses import dataclass, field
from pathlib import Path

from animecut.encode.writer import Written
from animecut.platforms.specs import Platform
from animecut.settings import Format


@dataclass(frozen=True)
class Target:
    """A file to be written in one of the formats, as it is or within a platform's limits."""

    path: Path
    format: Format
    platform: Platform | None = None
    moves: bool = False
    """It belongs to a pack of moving stickers, among which no still may be."""


@dataclass(frozen=True)
class Output:
    """A file that was written, what a platform would still refuse, and what was given up to fit its limits."""

    written: Written
    platform: str | None = None
    problems: tuple[str, ...] = ()
    given_up: tuple[str, ...] = ()
    ssim: float | None = None
    """Likeness to the sticker without limits; None where there were none."""


@dataclass(frozen=True)
class LoopResult:
    """What --loop-find proposes, in seconds of the source, and how the seam looks."""

    start: float
    end: float
    score: float
    seam: str
    holds: bool


@dataclass
class Result:
    """What was done to one source."""

    outputs: list[Output] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    """Why a target was not written, where others were."""
    frames_in: int = 0
    drawings: int = 0
    shots: int = 0
    own_alpha: bool = False
    """Whether the source was cut out already, and its own alpha was kept."""
    held_flicker: float = 0.0
    """Mean change of alpha, in thousandths, over pairs of frames in which the source holds a drawing."""
    loop: LoopResult | None = None
    preview: tuple[Path, Path] | None = None
    seconds: dict[str, float] = field(default_factory=dict)
