"""Every number that a user may turn, once, with its unit."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from animecut._util.paths import names_file
from animecut.errors import SettingsError

Format = Literal["webp", "gif", "apng", "webm", "mov", "png"]
Matting = Literal["guided", "closed-form", "knn", "none"]
CaptionAt = Literal["top", "bottom"]

FORMATS: tuple[Format, ...] = get_args(Format)
MATTINGS: tuple[Matting, ...] = get_args(Matting)
CAPTIONS_AT: tuple[CaptionAt, ...] = get_args(CaptionAt)
SUFFIXES: dict[Format, str] = {
    "webp": ".webp", "gif": ".gif", "apng": ".png", "webm": ".webm", "mov": ".mov", "png": ""
}  # fmt: skip
SMALLEST_FILE = 128  # bytes; no format holds a moving picture in less
UNITS = {"k": 1000, "m": 1_000_000}  # of bytes
AROUND = 0.8  # of the shorter side, that margin, outline and shadow stay below
LONGEST_CAPTION = 500  # characters; no sticker shows so many
OF_THE_RUN = {"weights", "device", "batch_size", "max_source_side", "max_source_pixels", "max_source_seconds"}
"""Settings of all inputs alike: where stickers are made and what is refused, not what they look like."""


@dataclass(frozen=True)
class Settings:
    """What to cut and how. Raises SettingsError for values that cannot be meant."""

    start: float | None = None
    """Seconds into the source; the picture on screen then is the first. None: from its beginning."""
    end: float | None = None
    """Seconds into the source, exclusive. None: to its end."""
    formats: tuple[Format, ...] = ()
    """What to write; all from one pass over the source. None named: as `kinds` says."""
    platforms: tuple[str, ...] = ()
    """Platforms whose limits to fit, beside the formats."""
    size: int = 512
    """Pixels of the sticker's longer side."""
    canvas: tuple[int, int] | None = None
    """Width and height of the sticker in pixels, exactly; the character is fitted into it. None: as size says."""
    frame: float | None = None
    """Seconds into the source: only the picture on screen then is cut out, as a still. None: all in the range."""
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
    matting: Matting = "guided"
    """How the edge becomes soft; knn is slow, none keeps the network's own alpha and only cleans the edge's colour."""
    steady: float = 0.5
    """How much neighbouring drawings agree on the alpha: 0 not at all, 1 most."""
    keep_effects: bool = False
    """Keep small detached pieces, such as sweat drops, even where they show for one drawing only."""
    crop: bool = True
    """Crop to where the character ever is; else the whole picture is kept."""
    follow: bool = False
    """The crop moves with the character inside a shot; else it holds all places where the character ever is."""
    margin: int = 8
    """Transparent pixels around the character in the sticker."""
    background: str = "transparent"
    """transparent, a colour, or a picture file that lies behind the character."""
    outline: int = 0
    """Pixels of border around the character, as if cut out with scissors; the margin lies outside of it."""
    outline_color: str = "white"
    """A colour, of the border."""
    shadow: bool = False
    """A soft shadow below the character; not in a transparent GIF, which has no soft alpha."""
    caption: str = ""
    """Text on the sticker, white with a black outline."""
    caption_at: CaptionAt = "bottom"
    """top or bottom."""
    font: Path | None = None
    """A font file for the caption. None: the one that comes along, which has English letters only."""
    speed: float = 1.0
    """So many times as fast."""
    reverse: bool = False
    """Backwards."""
    bounce: bool = False
    """Forwards and then backwards, so that any clip loops."""
    loop_find: bool = False
    """Cut to that part of the range after which its first drawing follows best."""
    preview: bool = False
    """Beside the stickers a picture and a page that show them on four grounds."""
    loop: int = 0
    """How often the sticker plays; 0 is for ever."""
    first: float | None = None
    """Seconds into the source: what shows then comes first, the rest follows in a circle. None: as platforms need."""
    max_bytes: int | None = None
    """Of each file; what has to be given up for it is told."""
    max_seconds: float | None = None
    """Of one play; what is longer is cut off the end."""
    quality: int = 90
    """1..100, of webp and webm; of a gif only how faint a change is still drawn. mov, apng and png have none."""
    max_source_side: int = 16384
    """Pixels of the longer side of a source; a few bytes can ask for more than any memory holds."""
    max_source_pixels: int = 8192 * 8192
    """Pixels of a picture of a source: twice 8K video."""
    max_source_seconds: float = 600.0
    """Seconds of a source's pictures between start and end."""

    def __post_init__(self) -> None:
        start = self.start or 0.0
        _demand(start >= 0, f"--start {self.start}: must not be negative")
        _demand(self.end is None or self.end > start, f"--end {self.end} must come after --start {start:g}")
        for name in self.formats:
            _demand(name in FORMATS, f"--format {name}: unknown; choose from " + ", ".join(FORMATS))
        _demand(self.matting in MATTINGS, f"--matting {self.matting}: unknown; choose from " + ", ".join(MATTINGS))
        _demand(16 <= self.size <= 4096, f"--size {self.size}: must lie between 16 and 4096 pixels")
        _demand(self.fps is None or 0.1 <= self.fps <= 240, f"--fps {self.fps}: must lie between 0.1 and 240")
        _demand(1 <= self.batch_size <= 1024, f"--batch-size {self.batch_size}: must lie between 1 and 1024")
        _demand(0 <= self.steady <= 1, f"--steady {self.steady}: must lie between 0 and 1")
        for side in self.canvas or ():
            _demand(16 <= side <= 4096, f"--size {side}: both sides must lie between 16 and 4096 pixels")
        _demand(0 <= self.outline <= 100, f"--outline {self.outline}: must lie between 0 and 100 pixels")
        _demand(
            self.margin >= 0 and 2 * (self.margin + self.outline) < AROUND * min(self.bounds),
            f"--margin {self.margin}, --outline {self.outline}: leave too little of {min(self.bounds)} pixels",
        )
        _demand(self.crop or not self.follow, "--follow: goes with --crop only")
        _demand(
            self.frame is None or (self.start is None and self.end is None),
            "--frame: is a single moment; leave out --start and --end",
        )
        _demand(0.1 <= self.speed <= 10, f"--speed {self.speed}: must lie between 0.1 and 10")
        _demand(len(self.caption) <= LONGEST_CAPTION, f"--caption: too long; {LONGEST_CAPTION} characters at most")
        _demand(self.caption_at in CAPTIONS_AT, f"--caption-at {self.caption_at}: choose top or bottom")
        _demand(0 <= self.loop <= 65535, f"--loop {self.loop}: must lie between 0 (for ever) and 65535")
        _demand(self.first is None or self.first >= 0, f"--first {self.first}: must not be negative")
        _demand(
            self.max_bytes is None or self.max_bytes >= SMALLEST_FILE,
            f"--max-bytes {self.max_bytes}: no moving picture is that small; allow at least {SMALLEST_FILE}",
        )
        _demand(
            self.max_seconds is None or 0.04 <= self.max_seconds < float("inf"),
            f"--max-seconds {self.max_seconds}: must be 0.04 or more",
        )
        _demand(
            "png" not in self.formats or not self.limited,
            "--max-bytes, --max-seconds, --first: not for png, which is a folder of frames; choose another --format",
        )
        _demand(1 <= self.quality <= 100, f"--quality {self.quality}: must lie between 1 and 100")
        for which, value in vars(self).items():
            if which.startswith("max_source"):
                _demand(value > 0, f"--{which.replace('_', '-')} {value:g}: must be more than 0")

    @property
    def kinds(self) -> tuple[Format, ...]:
        """The formats to write beside what platforms take: those named, else webp, or a PNG of a still."""
        default: Format = "webp" if self.frame is None else "apng"
        return self.formats or (() if self.platforms else (default,))

    @property
    def limited(self) -> bool:
        """Whether files have limits that no platform set, or begin with another picture."""
        return not (self.max_bytes is None and self.max_seconds is None and self.first is None)

    @property
    def bounds(self) -> tuple[int, int]:
        """Height and width in pixels that the sticker may have at most."""
        return (self.canvas[1], self.canvas[0]) if self.canvas else (self.size, self.size)


@dataclass(frozen=True)
class Run:
    """How many inputs are gone through; no sticker depends on it. Raises SettingsError for what cannot be meant."""

    overwrite: bool = False
    """Replace what is there, and make again what is done."""
    ray: str | None = None
    """Address of the Ray cluster whose machines do the work; local starts one here. None: this machine does it."""
    jobs: int | None = None
    """Inputs at once. None: what suits the machine."""
    timeout: float = 300.0
    """Seconds within which an input must get further, by a picture at least; so a longer one has longer."""
    max_memory: float | None = None
    """10^9 bytes that an input may need. None: its share of four fifths of the machine's."""

    def __post_init__(self) -> None:
        _demand(self.jobs is None or 1 <= self.jobs <= 1024, f"--jobs {self.jobs}: must lie between 1 and 1024")
        _demand(self.timeout > 0, f"--timeout {self.timeout:g}: must be more than 0 seconds")
        most = self.max_memory
        _demand(most is None or most >= 0.5, f"--max-memory {most}: must be at least 0.5 GB; the network needs as much")


def _demand(holds: bool, otherwise: str) -> None:
    if not holds:
        raise SettingsError(otherwise)


def parse_time(text: str) -> float:
    """Seconds, from "12.3", "1:02.5" or "1:00:02.5". Raises SettingsError for anything else."""
    try:
        parts = [float(part) for part in text.strip().split(":")]
    except ValueError:
        parts = []
    whole = all(part.is_integer() for part in parts[:-1]) and all(part < 60 for part in parts[1:])
    if not 1 <= len(parts) <= 3 or not whole or not all(0 <= part < float("inf") for part in parts):
        raise SettingsError(f"{text!r} is no time; write seconds (12.3) or [h:]m:s (1:02.5)")
    return float(sum(part * 60**power for power, part in enumerate(reversed(parts))))


def parse_bytes(text: str) -> int:
    """Bytes, from "500000", "500k" or "1.5M": thousands and millions. Raises SettingsError for anything else."""
    number, unit = text.strip().lower().removesuffix("b"), 1
    if number[-1:] in UNITS:
        number, unit = number[:-1], UNITS[number[-1]]
    try:
        return int(float(number) * unit)
    except (ValueError, OverflowError):
        raise SettingsError(f"--max-bytes {text}: write a number, such as 500000, 500k or 1.5M") from None


def parse_size(text: str) -> tuple[int, tuple[int, int] | None]:
    """Longer side, and width and height where both are given: "512" or "413x531". Raises SettingsError."""
    sides = text.lower().split("x")
    if not 1 <= len(sides) <= 2 or not all(side.strip().isdecimal() and len(side) <= 9 for side in sides):
        raise SettingsError(f"--size {text}: write pixels of the longer side (512), or width and height (413x531)")
    numbers = [int(side) for side in sides]
    return max(numbers), (numbers[0], numbers[1]) if len(numbers) == 2 else None


def formats_for(
    named: str | None, output: Path | None, fits_platforms: bool, *, still: bool = False
) -> tuple[Format, ...]:
    """The formats that --format names, else the one of the output's suffix where no --for says it; else none.

    A still PNG is an APNG of one picture; numbered frames make no sense of it.
    """
    if still and named:
        named = ",".join("apng" if name.strip() == "png" else name for name in named.split(","))
    wanted = [name.strip() for name in named.split(",")] if named else []
    if fits_platforms and not wanted:
        return ()
    if output is not None and names_file(output):
        kinds = [kind for kind, suffix in SUFFIXES.items() if suffix and suffix == output.suffix.lower()]
        if not kinds:
            raise SettingsError(
                f"-o {output}: no suffix that is written; use " + ", ".join(s for s in SUFFIXES.values() if s)
            )
        if wanted not in ([], kinds):
            raise SettingsError(f"-o {output} does not fit --format {named}; leave one of them out")
        wanted = list(kinds)
    return tuple(_format(name) for name in dict.fromkeys(wanted))


def _format(name: str) -> Format:
    for known in FORMATS:
        if name == known:
            return known
    raise SettingsError(f"--format {name}: unknown; choose from {', '.join(FORMATS)}")
