"""What each sticker platform accepts, and whether a file, ours or not, is accepted."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Literal

from animecut._util.paths import is_file
from animecut.encode.probe import Probe, probe
from animecut.errors import InputError, SettingsError

Format = Literal["webp", "gif", "apng", "webm", "mov"]
"""A PNG is an APNG of one picture."""

Canvas = Literal["exact", "one side", "within", "square", "any"]
"""How `width` and `height` are meant: exactly; one side exactly, the other at most; at most, one side at least the
smaller of the two; as advice for a square; not at all."""

TICK = 0.001  # seconds; the coarsest rounding of a time in a file that still counts as exact
GIF_SHORTEST = 0.02  # seconds; browsers show for 0.1 s what should last less
DATE = "2026-11"
TELEGRAM = "core.telegram.org/stickers"
WHATSAPP = "WhatsApp/stickers, README and validators, 2025-11"
LINE = "creator.line.me/en/guideline/animationsticker"


@dataclass(frozen=True)
class Platform:
    """One row of the table. Bytes are the smaller reading where KB may mean 1000 or 1024."""

    name: str
    format: Format
    width: int
    height: int
    canvas: Canvas
    source: str
    also: tuple[Format, ...] = ()
    """Formats that are accepted too."""
    max_bytes: float = inf
    max_seconds: float = inf
    """Of one play, or of all of them where `whole_seconds`."""
    whole_seconds: bool = False
    """All plays together last a whole number of seconds, at least one."""
    min_frames: int = 1
    """That differ from the one before: equal neighbours may be merged on upload."""
    max_frames: float = inf
    max_fps: float = inf
    shortest: float = 0.0
    """Seconds that a frame is shown at least."""
    loops: tuple[int, int] | None = None
    """Fewest and most plays, (0, 0) is for ever; None: the platform decides."""
    rests_on_first: bool = False
    """The first picture is what is seen while nothing moves."""
    ground: Literal["alpha", "white", "any"] = "any"
    """Whether the file must have alpha (which may be opaque everywhere), or must have none."""
    suffix: str = ""
    """How the file must be named, where that matters."""
    pack: Sequence[int] = ()
    """How many stickers a pack may have; none where nothing is known."""
    icons: tuple[str, ...] = ()
    """Rows of the pictures that a pack has beside its stickers."""
    unsure: str = ""
    """What could not be confirmed."""
    date: str = DATE

    @property
    def animated(self) -> bool:
        """Whether more than one picture is accepted."""
        return self.max_frames > 1


# fmt: off
_ROWS = (
    Platform("telegram", "webm", 512, 512, "one side", TELEGRAM, max_bytes=256_000, max_seconds=3, max_fps=30,
             ground="alpha"),
    Platform("telegram-emoji", "webm", 100, 100, "exact", TELEGRAM, max_bytes=256_000, max_seconds=3, max_fps=30,
             ground="alpha"),
    Platform("telegram-static", "webp", 512, 512, "one side", TELEGRAM, also=("apng",), max_bytes=512_000,
             max_frames=1, unsure="bytes"),
    Platform("whatsapp", "webp", 512, 512, "exact", WHATSAPP, max_bytes=500 * 1024, max_seconds=10, min_frames=2,
             shortest=0.008, rests_on_first=True, pack=range(3, 31), icons=("whatsapp-tray",)),
    Platform("whatsapp-static", "webp", 512, 512, "exact", WHATSAPP, max_bytes=100 * 1024, max_frames=1,
             pack=range(3, 31), icons=("whatsapp-tray",)),
    Platform("whatsapp-tray", "apng", 96, 96, "exact", WHATSAPP, also=("webp",), max_bytes=50_000, max_frames=1),
    Platform("discord", "apng", 320, 320, "exact", "discord API types 0.38", also=("gif",), max_bytes=500_000,
             max_seconds=5, max_fps=60),
    Platform("discord-emoji", "gif", 128, 128, "exact", "guides", max_bytes=256_000),
    Platform("signal", "apng", 512, 512, "square", "Signal desktop's sticker creator", max_bytes=300 * 1024,
             max_seconds=3, loops=(0, 0), unsure="seconds"),
    Platform("line", "apng", 320, 270, "within", "LINE creators' guide", max_bytes=300_000, max_seconds=4,
             whole_seconds=True, min_frames=5, max_frames=20, loops=(1, 4), rests_on_first=True, suffix=".png",
             pack=(8, 16, 24), icons=("line-main", "line-tab"), unsure="bytes: 1 MB in a guide of 2026"),
    Platform("line-main", "apng", 240, 240, "exact", LINE, max_bytes=300_000, max_seconds=4, whole_seconds=True,
             min_frames=5, max_frames=20, loops=(1, 4), rests_on_first=True, suffix=".png"),
    Platform("line-tab", "apng", 96, 74, "exact", LINE, max_bytes=300_000, max_frames=1, suffix=".png"),
    Platform("wechat", "gif", 240, 240, "exact", "agency guide", max_bytes=500_000,
             pack=(8, 16, 24), date="2023"),
    Platform("slack", "gif", 128, 128, "exact", "help page", max_bytes=128_000, max_frames=50, unsure="frames"),
    Platform("kakao", "gif", 360, 360, "exact", "proposal guide", max_bytes=2_000_000, max_frames=24, ground="white"),
    Platform("viber", "apng", 490, 490, "exact", "tool preset", max_frames=1),
)
# fmt: on
PLATFORMS = {row.name: row for row in _ROWS}


def find_platform(name: str) -> Platform:
    """The row of that name. Raises SettingsError where there is none."""
    if name not in PLATFORMS:
        raise SettingsError("unknown; choose from " + ", ".join(PLATFORMS), field="platforms", value=name)
    return PLATFORMS[name]


def without_limits(kind: Format) -> Platform:
    """A row without any limits for a file of any format and size, to be given some of one's own."""
    return Platform(f"{kind} limits", kind, 0, 0, "any", "asked for")


def check_file(path: Path, platform: str) -> list[str]:
    """Why a platform would refuse the file: one line each, none where it is fine.

    Raises SettingsError where the platform is unknown, InputError where there is no such file.
    """
    row = find_platform(platform)
    if not is_file(path):
        raise InputError(f"{path}: no such file")
    try:
        seen = probe(path)
    except InputError as error:
        return [str(error)]
    return [*_container(seen, row, path), *_size(seen, row), *_time(seen, row), *_pictures(seen, row)]


def _container(seen: Probe, row: Platform, path: Path) -> Iterator[str]:
    accepted = (row.format, *row.also)
    if seen.format not in accepted:
        yield f"is {seen.format}; {row.name} takes {' or '.join(accepted)}"
    elif seen.format == "webm" and seen.codec != "vp9":
        yield f"its codec is {seen.codec}; {row.name} takes vp9"
    if row.suffix and path.suffix != row.suffix:
        yield f"is named {path.suffix or 'without a suffix'}; {row.name} takes {row.suffix}"
    for stream in seen.streams:
        yield f"has a stream of {stream}; {row.name} takes the picture alone"
    if seen.bytes > row.max_bytes:
        yield f"has {seen.bytes:,} bytes; {row.name} takes at most {row.max_bytes:,.0f}"


def _size(seen: Probe, row: Platform) -> Iterator[str]:
    width, height = seen.size
    fits = width <= row.width and height <= row.height
    wrong = {
        "exact": (width, height) != (row.width, row.height) and f"exactly {row.width}x{row.height}",
        "one side": not (fits and max(width, height) == row.width) and f"one side of {row.width}, the other at most",
        "within": not (fits and max(width, height) >= min(row.width, row.height))
        and f"at most {row.width}x{row.height}, one side at least {min(row.width, row.height)}",
        "square": width != height and "a square",
        "any": False,
    }[row.canvas]
    if wrong:
        yield f"is {width}x{height} pixels; {row.name} takes {wrong}"


def _time(seen: Probe, row: Platform) -> Iterator[str]:
    if len(seen.seconds) == 1:
        return
    once = sum(seen.seconds)
    total = once * (seen.plays or 1) if row.whole_seconds else once
    if total > row.max_seconds + TICK:
        yield f"lasts {total:.3f} s; {row.name} takes at most {row.max_seconds:g}"
    elif row.whole_seconds and (round(total) < 1 or abs(total - round(total)) > TICK):
        yield f"lasts {total:.3f} s in all; {row.name} takes 1 to {row.max_seconds:g} whole seconds"
    shortest = min(seen.seconds)
    if shortest < row.shortest:
        yield f"shows a frame for {shortest * 1000:.0f} ms; {row.name} takes at least {row.shortest * 1000:.0f}"
    elif seen.format == "gif" and shortest < GIF_SHORTEST - TICK:
        yield f"shows a frame for {shortest * 1000:.0f} ms; browsers slow what is below {GIF_SHORTEST * 1000:.0f}"
    elif shortest < 1 / row.max_fps - TICK:
        yield f"shows a frame for {shortest * 1000:.0f} ms; {row.name} takes at most {row.max_fps:g} frames a second"


def _pictures(seen: Probe, row: Platform) -> Iterator[str]:
    count = len(seen.seconds)
    if count > row.max_frames:
        yield f"has {count} frames; {row.name} takes at most {row.max_frames:g}"
    elif count < row.min_frames:
        yield f"has {count} frames; {row.name} takes at least {row.min_frames}"
    elif seen.distinct < row.min_frames:
        yield f"has {seen.distinct} frames that differ from the one before; {row.name} takes at least {row.min_frames}"
    if row.loops and count > 1 and not row.loops[0] <= seen.plays <= row.loops[1]:
        said = f"{seen.plays} times" if seen.plays else "for ever"
        wanted = "for ever" if row.loops == (0, 0) else f"{row.loops[0]} to {row.loops[1]} times"
        yield f"plays {said}; {row.name} takes {wanted}"
    if row.ground == "alpha" and not seen.has_alpha:
        yield f"has no alpha; {row.name} takes stickers that are cut out"
    if row.ground == "white" and seen.transparent:
        yield f"is transparent; {row.name} takes a white background"
    if row.rests_on_first and seen.starts_empty:
        yield f"its first frame is empty, and that is what {row.name} shows at rest"
