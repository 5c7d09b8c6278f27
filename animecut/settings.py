"""Every number that a user may turn, once, with its unit and the words that set it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from animecut._util.paths import names_file
from animecut.errors import SettingsError
from animecut.options import Option, parse_bytes, parse_names, parse_size, parse_time

Format = Literal["webp", "gif", "apng", "webm", "mov", "png", "avif", "sheet"]
Matting = Literal["guided", "closed-form", "knn", "none"]
CaptionAt = Literal["top", "bottom"]
TooLong = Literal["cut", "speed", "thin"]

FORMATS: tuple[Format, ...] = get_args(Format)
MATTINGS: tuple[Matting, ...] = get_args(Matting)
CAPTIONS_AT: tuple[CaptionAt, ...] = get_args(CaptionAt)
TOO_LONGS: tuple[TooLong, ...] = get_args(TooLong)
SUFFIXES: dict[Format, str] = {
    "webp": ".webp", "gif": ".gif", "apng": ".png", "webm": ".webm", "mov": ".mov", "png": "",
    "avif": ".avif", "sheet": ""
}  # fmt: skip
FOLDERS: dict[Format, str] = {"png": "_frames", "sheet": "_sheet"}
"""How the names of those end that are folders."""
SMALLEST_FILE = 128  # bytes; no format holds a moving picture in less
AROUND = 0.8  # of the shorter side, that margin, outline and shadow stay below
LONGEST_CAPTION = 500  # characters; no sticker shows so many
OF_THE_RUN = {"weights", "device", "batch_size", "max_source_side", "max_source_pixels", "max_source_seconds"}
"""Settings of all inputs alike: where stickers are made and what is refused, not what they look like."""


# fmt: off
@dataclass(frozen=True)
class Settings:
    """What to cut and how. Raises SettingsError for values that cannot be meant.

    Times are seconds of the source, from its beginning; lengths are pixels of the sticker.
    """

    start: Annotated[float | None, Option(
        "Begin with the picture on screen at T: seconds, or [h:]m:s.", "T", parse=parse_time)] = None
    end: Annotated[float | None, Option("Stop before T.", "T", parse=parse_time)] = None
    formats: Annotated[tuple[Format, ...], Option(
        "Of {formats}; several at once cost little more. Default: webp.", "F[,F]", "format", parse_names)] = ()
    """All from one pass over the source. None named: as `kinds` says."""
    platforms: Annotated[tuple[str, ...], Option(
        "A file that a platform takes: {platforms}.", "P[,P]", "for", parse_names)] = ()
    """Beside the formats."""
    size: Annotated[int, Option(
        "Longer side of the sticker; or exactly width and height: 413x531.", "PX", parse=parse_size)] = 512
    canvas: tuple[int, int] | None = None
    """Width and height of the sticker, exactly; the character is fitted into it. None: as size says."""
    frame: Annotated[float | None, Option(
        "A still of the picture on screen at T; a PNG where no format is named.", "T", parse=parse_time)] = None
    fps: Annotated[float | None, Option(
        "At most N drawings per second; of numbered pictures (frame%04d.png) how many they are.", "N")] = None
    pick: Annotated[str, Option(
        "Which character: all, largest, left, right, center, or X,Y in the first picture.", "WHO")] = "all"
    """X,Y: in the source's pixels."""
    matting: Annotated[Matting, Option(
        "Soft edges by {mattings} (knn is slow, none only cleans colour).", "HOW")] = "guided"
    steady: Annotated[float, Option("0..1: how much neighbouring drawings agree.", "X")] = 0.5
    recut: Annotated[bool, Option("Cut out again what is transparent already; else its own alpha is kept.")] = False
    keep_effects: Annotated[bool, Option("Keep small detached pieces, such as sweat drops.")] = False
    crop: Annotated[bool, Option("Crop to the character, or keep the whole picture.")] = True
    margin: Annotated[int, Option("Transparent border around the character.", "PX")] = 8
    follow: Annotated[bool, Option(
        "The crop moves smoothly with the character, who can so be larger.")] = False
    outline: Annotated[int, Option(
        "A border around the character, as if cut out with scissors.", "PX")] = 0
    """The margin lies outside of it."""
    outline_color: Annotated[str, Option("Its colour.", "C")] = "white"
    shadow: Annotated[bool, Option("A soft shadow; not in a transparent GIF.")] = False
    caption: Annotated[str, Option("White text with a black outline, as large as it fits.", "TEXT")] = ""
    caption_at: Annotated[CaptionAt, Option("top or bottom.", "WHERE")] = "bottom"
    font: Annotated[Path | None, Option("Font of the caption. Default: one for plain English.", "FILE")] = None
    speed: Annotated[float, Option("So many times as fast.", "X")] = 1.0
    reverse: Annotated[bool, Option("Backwards.")] = False
    bounce: Annotated[bool, Option("Forwards, then backwards: any clip loops.")] = False
    loop_find: Annotated[bool, Option("Cut to the part of the range that loops best; tells the seam.")] = False
    background: Annotated[str, Option(
        "transparent, a colour (white, #ff8800), or a picture, GIF or video, which plays along.", "B")] = "transparent"
    loop: Annotated[int, Option("Play N times; 0 is for ever.", "N")] = 0
    first: Annotated[float | None, Option(
        "Begin with what shows at T, and go round. Default: as platforms need.", "T", parse=parse_time)] = None
    max_bytes: Annotated[int | None, Option(
        "Of each file: 500000, 500k or 1.5M; tells what was given up.", "N", parse=parse_bytes)] = None
    max_seconds: Annotated[float | None, Option("Of each file; what is longer is shortened as told.", "S")] = None
    too_long: Annotated[TooLong, Option(
        "What is too long for a platform: cut its end, speed it up, or thin out its drawings.", "HOW")] = "cut"
    quality: Annotated[int, Option(
        "Of webp, webm and avif; of a gif, how faint a change is still drawn.", "1..100")] = 90
    weights: Annotated[Path | None, Option(
        "Weights made by animecut-train. Default: the ones that come along.", "FILE")] = None
    device: Annotated[str, Option("auto, cpu, cuda or mps.", "D")] = "auto"
    batch_size: Annotated[int, Option("Most pictures at once on a GPU.", "N")] = 16
    preview: Annotated[bool, Option(
        "Beside the stickers a picture and a page of them on four grounds; of packs a page with chats.")] = False
    max_source_side: Annotated[int, Option("Refuse sources with a longer side.", "PX")] = 16384
    """A few bytes can ask for more than any memory holds."""
    max_source_pixels: Annotated[int, Option("Refuse sources with more pixels in a picture.", "N")] = 8192 * 8192
    """Twice 8K video."""
    max_source_seconds: Annotated[float, Option(
        "Refuse sources that last longer between `start` and `end`.", "S")] = 600.0

    # fmt: on
    def __post_init__(self) -> None:
        start = self.start or 0.0
        self._demand(start >= 0, "start", "must not be negative")
        self._demand(self.end is None or self.end > start, "end", f"must come after `start` ({start:g} s)")
        for name in self.formats:
            _demand(name in FORMATS, "formats", name, "unknown; choose from " + ", ".join(FORMATS))
        self._demand(self.matting in MATTINGS, "matting", "unknown; choose from " + ", ".join(MATTINGS))
        self._demand(16 <= self.size <= 4096, "size", "must lie between 16 and 4096 pixels")
        self._demand(self.fps is None or 0.1 <= self.fps <= 240, "fps", "must lie between 0.1 and 240")
        self._demand(1 <= self.batch_size <= 1024, "batch_size", "must lie between 1 and 1024")
        self._demand(0 <= self.steady <= 1, "steady", "must lie between 0 and 1")
        for side in self.canvas or ():
            _demand(16 <= side <= 4096, "canvas", side, "both sides must lie between 16 and 4096 pixels")
        self._demand(0 <= self.outline <= 100, "outline", "must lie between 0 and 100 pixels")
        self._demand(
            self.margin >= 0 and 2 * (self.margin + self.outline) < AROUND * min(self.bounds),
            "margin",
            f"leaves, with `outline` {self.outline}, too little of {min(self.bounds)} pixels",
        )
        self._demand(self.crop or not self.follow, "follow", "goes with `crop` only")
        alone = self.frame is None or (self.start is None and self.end is None)
        self._demand(alone, "frame", "is a single moment; leave out `start` and `end`")
        self._demand(0.1 <= self.speed <= 10, "speed", "must lie between 0.1 and 10")
        short = len(self.caption) <= LONGEST_CAPTION
        _demand(short, "caption", None, f"too long; {LONGEST_CAPTION} characters at most")
        self._demand(self.caption_at in CAPTIONS_AT, "caption_at", "choose top or bottom")
        self._demand(0 <= self.loop <= 65535, "loop", "must lie between 0 (for ever) and 65535")
        self._demand(self.first is None or self.first >= 0, "first", "must not be negative")
        some = self.max_bytes is None or self.max_bytes >= SMALLEST_FILE
        self._demand(some, "max_bytes", f"no moving picture is that small; allow at least {SMALLEST_FILE}")
        some = self.max_seconds is None or 0.04 <= self.max_seconds < float("inf")
        self._demand(some, "max_seconds", "must be 0.04 or more")
        for limit in ("max_bytes", "max_seconds", "first"):
            self._demand(
                not FOLDERS.keys() & set(self.formats) or getattr(self, limit) is None,
                limit,
                "not for png and sheet, which are folders of all frames; choose other `formats`",
            )
        self._demand(self.too_long in TOO_LONGS, "too_long", "unknown; choose from " + ", ".join(TOO_LONGS))
        self._demand(1 <= self.quality <= 100, "quality", "must lie between 1 and 100")
        for limit in ("max_source_side", "max_source_pixels", "max_source_seconds"):
            self._demand(getattr(self, limit) > 0, limit, "must be more than 0")

    def _demand(self, holds: bool, field: str, otherwise: str) -> None:
        _demand(holds, field, getattr(self, field), otherwise)

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

    # fmt: off
    ray: Annotated[str | None, Option(
        "Hand the inputs to the machines of a Ray cluster; `local` starts one.", "ADDRESS")] = None
    """None: this machine does the work."""
    jobs: Annotated[int | None, Option(
        "Of many inputs, so many at once. Default: what suits the machine.", "N")] = None
    timeout: Annotated[float, Option(
        "Of many inputs, give one up that gets no picture further for S seconds.", "S")] = 300.0
    max_memory: Annotated[float | None, Option(
        "Of many inputs, give one up that needs more. Default: its share.", "GB")] = None
    """10^9 bytes. None: its share of four fifths of the machine's."""
    overwrite: Annotated[bool, Option("Replace stickers that are there, and redo what is done.")] = False

    # fmt: on
    def __post_init__(self) -> None:
        _demand(self.jobs is None or 1 <= self.jobs <= 1024, "jobs", self.jobs, "must lie between 1 and 1024")
        _demand(self.timeout > 0, "timeout", self.timeout, "must be more than 0 seconds")
        most = self.max_memory
        _demand(most is None or most >= 0.5, "max_memory", most, "must be at least 0.5 GB; the network needs as much")


def _demand(holds: bool, field: str, value: object, otherwise: str) -> None:
    if not holds:
        raise SettingsError(otherwise, field=field, value=value)


def change(base: Settings, values: Mapping[str, Any], output: Path | None) -> Settings:
    """The settings with other values by their fields; a `size` may be (longer side, canvas), as parse_size returns it.

    output: the file or folder to write. A file's suffix chooses the format where none is named. Raises SettingsError.
    """
    changes = dict(values)
    if isinstance(changes.get("size"), tuple):
        changes["size"], changes["canvas"] = changes["size"]
    inherited = () if output and names_file(output) else base.formats
    named = changes.pop("formats", inherited)
    changed = replace(base, **changes, formats=())
    still = changed.frame is not None
    return replace(changed, formats=formats_for(named, output, bool(changed.platforms), still=still))


def formats_for(
    named: Sequence[str], output: Path | None, fits_platforms: bool, *, still: bool = False
) -> tuple[Format, ...]:
    """The formats that are named, else the one of the output's suffix where no platform says it; else none.

    A still PNG is an APNG of one picture; numbered frames make no sense of it. Raises SettingsError.
    """
    wanted = ["apng" if still and name == "png" else name for name in named]
    if fits_platforms and not wanted:
        return ()
    if output is not None and names_file(output):
        kinds = [kind for kind, suffix in SUFFIXES.items() if suffix and suffix == output.suffix.lower()]
        if not kinds:
            written = ", ".join(suffix for suffix in SUFFIXES.values() if suffix)
            raise SettingsError(f"no suffix that is written; use {written}", field="output", value=output)
        if wanted not in ([], kinds):
            why = f"does not fit `formats` {','.join(named)}; leave one of them out"
            raise SettingsError(why, field="output", value=output)
        wanted = list(kinds)
    return tuple(_format(name) for name in dict.fromkeys(wanted))


def _format(name: str) -> Format:
    for known in FORMATS:
        if name == known:
            return known
    raise SettingsError("unknown; choose from " + ", ".join(FORMATS), field="formats", value=name)
