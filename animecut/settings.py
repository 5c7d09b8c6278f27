"""Every number that a user may turn, once, with its unit."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from animecut.errors import SettingsError

Format = Literal["webp", "gif", "apng", "webm", "mov", "png"]
Matting = Literal["closed-form", "knn", "none"]

FORMATS: tuple[Format, ...] = get_args(Format)
MATTINGS: tuple[Matting, ...] = get_args(Matting)
SUFFIXES: dict[Format, str] = {
    "webp": ".webp", "gif": ".gif", "apng": ".png", "webm": ".webm", "mov": ".mov", "png": ""
}  # fmt: skip


@dataclass(frozen=True)
class Settings:
    """What to cut and how. Raises SettingsError for values that cannot be meant."""

    start: float | None = None
    """Seconds into the source; the picture on screen then is the first. None: from its beginning."""
    end: float | None = None
    """Seconds into the source, exclusive. None: to its end."""
    formats: tuple[Format, ...] = ("webp",)
    """What to write; all from one pass over the source."""
    platforms: tuple[str, ...] = ()
    """Platforms whose limits to fit, beside the formats."""
    size: int = 512
    """Pixels of the sticker's longer side."""
    fps: float | None = None
    """At most so many drawings per second. None: as many as the source has."""
    weights: Path | None = None
    """Weights that animecut-train wrote. None: the ones that come with animecut."""
    device: str = "auto"
    """auto, cpu, cuda or mps."""
    batch_size: int = 16
    """Pictures that a GPU sees at once."""
    pick: str = "all"
    """Which character: all, largest, left, right, center, or X,Y in the source's pixels at the start."""
    matting: Matting = "closed-form"
    """How the edge becomes soft; knn is slow, none keeps the network's own alpha and only cleans the edge's colour."""
    steady: float = 0.5
    """How much neighbouring drawings agree on the alpha: 0 not at all, 1 most."""
    keep_effects: bool = False
    """Keep small detached pieces, such as sweat drops, even where they show for one drawing only."""
    crop: bool = True
    """Crop to where the character ever is; else the whole picture is kept."""
    margin: int = 8
    """Transparent pixels around the character in the sticker."""
    background: str = "transparent"
    """transparent, a colour, or a picture file that lies behind the character."""
    loop: int = 0
    """How often the sticker plays; 0 is for ever."""
    quality: int = 90
    """1..100, of lossy formats."""

    def __post_init__(self) -> None:
        start = self.start or 0.0
        _demand(start >= 0, f"--start {self.start}: must not be negative")
        _demand(self.end is None or self.end > start, f"--end {self.end} must come after --start {start:g}")
        _demand(bool(self.formats or self.platforms), "--format: name at least one of " + ", ".join(FORMATS))
        for name in self.formats:
            _demand(name in FORMATS, f"--format {name}: unknown; choose from " + ", ".join(FORMATS))
        _demand(self.matting in MATTINGS, f"--matting {self.matting}: unknown; choose from " + ", ".join(MATTINGS))
        _demand(16 <= self.size <= 4096, f"--size {self.size}: must lie between 16 and 4096 pixels")
        _demand(self.fps is None or 0.1 <= self.fps <= 240, f"--fps {self.fps}: must lie between 0.1 and 240")
        _demand(1 <= self.batch_size <= 1024, f"--batch-size {self.batch_size}: must lie between 1 and 1024")
        _demand(0 <= self.steady <= 1, f"--steady {self.steady}: must lie between 0 and 1")
        _demand(0 <= self.margin < self.size / 2, f"--margin {self.margin}: must lie between 0 and half of --size")
        _demand(0 <= self.loop <= 65535, f"--loop {self.loop}: must lie between 0 (for ever) and 65535")
        _demand(1 <= self.quality <= 100, f"--quality {self.quality}: must lie between 1 and 100")


def _demand(holds: bool, otherwise: str) -> None:
    if not holds:
        raise SettingsError(otherwise)


def parse_time(text: str) -> float:
    """Seconds, from "12.3", "1:02.5" or "1:00:02.5". Raises SettingsError for anything else."""
    try:
        parts = [float(part) for part in text.strip().split(":")]
    except ValueError:
        parts = []
    whole = all(part >= 0 and part == int(part) for part in parts[:-1]) and all(part < 60 for part in parts[1:])
    if not 1 <= len(parts) <= 3 or not whole or not 0 <= parts[-1] < float("inf"):
        raise SettingsError(f"{text!r} is no time; write seconds (12.3) or [h:]m:s (1:02.5)")
    return float(sum(part * 60**power for power, part in enumerate(reversed(parts))))
