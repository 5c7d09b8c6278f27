"""What each sticker platform accepts, and whether a file, ours or not, is accepted."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path
from typing import Literal

from animecut._util.paths import is_file
from animecut.encode.probe import Probe, probe
from animecut.errors import InputError, SettingsError

Format = Literal["webp", "gif", "apng", "webm", "mov", "avif"]
"""A PNG is an APNG of one picture."""

Canvas = Literal["exact", "one side", "within", "at most", "square", "advised", "any"]
"""How `width` and `height` are meant: exactly; one side exactly, the other at most; at most, one side at least the
smaller of the two; at most `most`; a square of one of `sides`; as advice; not at all."""

WholeSeconds = Literal["", "in all", "each play"]
"""What lasts a whole number of seconds, at least one: nothing, all plays together, or each of them too."""

TICK = 0.001  # seconds; the coarsest rounding of a time in a file that still counts as exact
GIF_SHORTEST = 0.02  # seconds; browsers show for 0.1 s what should last less
DATE = "2026-11"
TELEGRAM = "core.telegram.org/stickers"
TELEGRAM_BOTS = "core.telegram.org/bots/api"
WHATSAPP = "WhatsApp/stickers, README and validators"
DISCORD = "Discord API documents, sticker and emoji resources"
LINE = "creator.line.me/en/guideline/animationsticker"
LINE_STATIC = "creator.line.me/en/guideline"
LINE_EMOJI = "creator.line.me/en/guideline/emoji and animationemoji"
LINE_POPUP = "creator.line.me/en/guideline/popupsticker and effectsticker"
AGENCY = "agency guide"
KAKAO = "proposal guide"


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
    sides: Sequence[int] = ()
    """Pixels that a square's side may have."""
    least: tuple[int, int] = (1, 1)
    """Width and height in pixels that are accepted at least."""
    most: tuple[int, int] | None = None
    """Width and height in pixels that are accepted at most. None: as they are made."""
    even: bool = False
    """Width and height are even numbers."""
    max_bytes: float = inf
    max_seconds: float = inf
    """Of one play, or of all of them where `whole_seconds`."""
    whole_seconds: WholeSeconds = ""
    min_frames: int = 1
    """That differ from the one before: equal neighbours may be merged on upload."""
    max_frames: float = inf
    max_fps: float = inf
    max_flashes: float = inf
    """In any second, over a quarter of the picture."""
    shortest: float = 0.0
    """Seconds that a frame is shown at least."""
    loops: tuple[int, int] | None = None
    """Fewest and most plays, (0, 0) is for ever; None: the platform decides."""
    rests_on_first: bool = False
    """The first picture is what is seen while nothing moves."""
    ground: Literal["alpha", "transparent", "white", "any"] = "any"
    """Whether the file must have alpha (which may be opaque everywhere), see-through pixels, or none of either."""
    suffix: str = ""
    """How the file must be named, where that matters."""
    pack: Sequence[int] = ()
    """How many stickers a pack may have; none where nothing is known."""
    icons: tuple[str, ...] = ()
    """Rows of the pictures that a pack has beside its stickers."""
    each: tuple[str, ...] = ()
    """Rows of the pictures that every sticker of a pack has beside it."""
    unsure: str = ""
    """What could not be confirmed."""
    date: str = DATE

    @property
    def animated(self) -> bool:
        """Whether more than one picture is accepted."""
        return self.max_frames > 1


# fmt: off
_TELEGRAM = Platform("telegram", "webm", 512, 512, "one side", TELEGRAM, max_bytes=256_000, max_seconds=3, max_fps=30,
                     ground="alpha", pack=range(1, 121), icons=("telegram-icon",))
_WHATSAPP = Platform("whatsapp", "webp", 512, 512, "exact", WHATSAPP, max_bytes=500 * 1024, max_seconds=10,
                     min_frames=2, shortest=0.008, rests_on_first=True, pack=range(3, 31), icons=("whatsapp-tray",),
                     date="2025-11")
_LINE = Platform("line", "apng", 320, 270, "within", LINE, max_bytes=300_000, max_seconds=4, whole_seconds="in all",
                 min_frames=5, max_frames=20, loops=(1, 4), rests_on_first=True, ground="transparent", suffix=".png",
                 pack=(8, 16, 24), icons=("line-main", "line-tab"))
_LINE_STATIC = Platform("line-static", "apng", 370, 320, "at most", LINE_STATIC, even=True, max_bytes=1_000_000,
                        max_frames=1, ground="transparent", suffix=".png", pack=(8, 16, 24, 32, 40),
                        icons=("line-cover", "line-tab"))
_LINE_POPUP = Platform("line-popup", "apng", 480, 480, "one side", LINE_POPUP, least=(200, 320), max_bytes=300_000,
                       max_seconds=3, whole_seconds="each play", min_frames=5, max_frames=20, loops=(1, 3),
                       ground="transparent", suffix=".png", pack=(8, 16, 24), each=("line-static",),
                       icons=("line-popup-main", "line-cover", "line-tab"), unsure="bytes")
_WECHAT = Platform("wechat", "gif", 240, 240, "exact", AGENCY, max_bytes=500_000, pack=(8, 16, 24),
                   icons=("wechat-cover", "wechat-icon", "wechat-banner"), each=("wechat-thumbnail",), date="2023")
_WECHAT_STILL = Platform("wechat-thumbnail", "apng", 120, 120, "exact", AGENCY, max_frames=1, date="2023")
_MASTODON = Platform("mastodon", "webp", 128, 128, "advised", "custom_emoji.rb, an old one", also=("gif", "apng"),
                     max_bytes=50_000, unsure="pixels")

_ROWS = (
    _TELEGRAM,
    replace(_TELEGRAM, name="telegram-emoji", width=100, height=100, canvas="exact", pack=range(1, 201), icons=()),
    replace(_TELEGRAM, name="telegram-icon", width=100, height=100, canvas="exact", max_bytes=32_000, pack=(),
            icons=()),
    Platform("telegram-static", "webp", 512, 512, "one side", TELEGRAM, also=("apng",), max_bytes=512_000,
             max_frames=1, pack=range(1, 121), icons=("telegram-static-icon",), unsure="bytes"),
    Platform("telegram-emoji-static", "webp", 100, 100, "exact", TELEGRAM, also=("apng",), max_bytes=512_000,
             max_frames=1, pack=range(1, 201), unsure="bytes"),
    Platform("telegram-static-icon", "webp", 100, 100, "exact", TELEGRAM_BOTS, also=("apng",), max_bytes=128_000,
             max_frames=1),
    _WHATSAPP,
    replace(_WHATSAPP, name="whatsapp-static", max_bytes=100 * 1024, max_seconds=inf, min_frames=1, max_frames=1,
            shortest=0.0, rests_on_first=False),
    Platform("whatsapp-tray", "apng", 96, 96, "exact", WHATSAPP, also=("webp",), max_bytes=50_000, max_frames=1,
             date="2025-11"),
    Platform("discord", "apng", 320, 320, "exact", DISCORD, also=("gif",), max_bytes=512 * 1024, max_seconds=5),
    Platform("discord-emoji", "webp", 128, 128, "exact", DISCORD, also=("gif", "apng", "avif"), max_bytes=256 * 1024),
    Platform("discord-emoji-gif", "gif", 128, 128, "exact", DISCORD, max_bytes=256 * 1024),
    Platform("discord-avatar", "gif", 256, 256, "square", "guides", sides=range(128, 4097), max_bytes=8_000_000,
             unsure="bytes (8 or 10 MB), sides"),
    Platform("signal", "apng", 512, 512, "square", "Signal desktop's sticker creator", sides=range(10, 513),
             max_bytes=300 * 1024, max_seconds=3, loops=(0, 0), unsure="seconds: none stand in its code"),
    _LINE,
    replace(_LINE, name="line-main", width=240, height=240, canvas="exact", pack=(), icons=()),
    _LINE_STATIC,
    replace(_LINE_STATIC, name="line-cover", width=240, height=240, canvas="exact", pack=(), icons=()),
    replace(_LINE_STATIC, name="line-tab", width=96, height=74, canvas="exact", pack=(), icons=()),
    replace(_LINE, name="line-emoji", width=180, height=180, canvas="exact", source=LINE_EMOJI,
            whole_seconds="each play", pack=range(8, 41), icons=("line-tab",)),
    replace(_LINE_STATIC, name="line-emoji-static", width=180, height=180, canvas="exact", source=LINE_EMOJI,
            pack=range(8, 41), icons=("line-tab",)),
    _LINE_POPUP,
    replace(_LINE_POPUP, name="line-effect"),
    replace(_LINE_POPUP, name="line-popup-main", canvas="exact", pack=(), icons=(), each=()),
    _WECHAT,
    _WECHAT_STILL,
    replace(_WECHAT_STILL, name="wechat-cover", width=240, height=240),
    replace(_WECHAT_STILL, name="wechat-icon", width=50, height=50),
    replace(_WECHAT_STILL, name="wechat-banner", width=750, height=400),
    Platform("slack", "gif", 128, 128, "exact", "help page", max_bytes=128_000, max_frames=50, unsure="frames"),
    Platform("kakao", "gif", 360, 360, "exact", KAKAO, max_bytes=2_000_000, max_frames=24, ground="white", pack=(3,),
             date="2020"),
    Platform("kakao-static", "apng", 360, 360, "exact", KAKAO, max_frames=1, pack=(21,), unsure="bytes", date="2020"),
    Platform("viber", "apng", 490, 490, "exact", "tool preset", max_frames=1),
    Platform("twitch", "gif", 112, 112, "square", "guides for emotes", sides=range(112, 4097), max_bytes=1_000_000,
             max_frames=60, max_flashes=3, rests_on_first=True),
    Platform("7tv", "webp", 128, 128, "at most", "its help", also=("gif", "apng"), most=(1000, 1000),
             max_bytes=7_000_000, max_frames=1000),
    Platform("bttv", "gif", 112, 112, "exact", "guides", max_bytes=1_000_000),
    Platform("kick", "gif", 128, 128, "at most", "guides", most=(500, 500), max_bytes=1_000_000),
    Platform("chzzk", "apng", 112, 112, "exact", "guides", also=("gif",), max_bytes=1_000_000, unsure="bytes"),
    Platform("imessage", "apng", 408, 408, "square", "Apple's documents, MSSticker", also=("gif",),
             sides=(300, 408, 618), max_bytes=500_000),
    Platform("matrix", "webp", 512, 512, "at most", "MSC2545", also=("gif", "apng"), unsure="formats"),
    Platform("matrix-emoji", "webp", 128, 128, "at most", "MSC2545", also=("gif", "apng"), unsure="formats, pixels"),
    _MASTODON,
    replace(_MASTODON, name="misskey", unsure="pixels, bytes"),
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


def limits(row: Platform) -> list[str]:
    """All that a row asks for, in words."""
    moving = row.animated
    said = {
        " or ".join((row.format, *row.also)): True,
        f"{row.width}x{row.height} advised" if row.canvas == "advised" else _wanted(row): row.canvas != "any",
        "even sides": row.even,
        f"at most {row.max_bytes:,.0f} bytes": row.max_bytes < inf,
        "a still": not moving,
        f"whole seconds {row.whole_seconds}": bool(row.whole_seconds),
        f"at most {row.max_seconds:g} s": moving and row.max_seconds < inf,
        f"at least {row.min_frames} frames": row.min_frames > 1,
        f"at most {row.max_frames:g} frames": moving and row.max_frames < inf,
        f"at most {row.max_fps:g} frames a second": row.max_fps < inf,
        f"frames of {row.shortest * 1000:g} ms or more": row.shortest > 0,
        f"at most {row.max_flashes:g} flashes a second": row.max_flashes < inf,
        f"plays {_plays(row)}": row.loops is not None,
        "rests on its first frame": row.rests_on_first,
        {"alpha": "with alpha", "transparent": "transparent background", "white": "white background"}.get(
            row.ground, ""
        ): row.ground != "any",
        f"named {row.suffix}": bool(row.suffix),
        f"packs of {either(row.pack)}": bool(row.pack),
    }
    return [words for words, holds in said.items() if holds]


def _plays(row: Platform) -> str:
    fewest, most = row.loops or (0, 0)
    return f"{fewest} to {most} times" if most else "for ever"


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
    if not _fits(seen.size, row):
        yield f"is {width}x{height} pixels; {row.name} takes {_wanted(row)}"
    elif row.even and (width % 2 or height % 2):
        yield f"is {width}x{height} pixels; {row.name} takes even sides"


def _fits(size: tuple[int, int], row: Platform) -> bool:
    width, height = size
    most, least = row.most or (row.width, row.height), row.least
    within = least[0] <= width <= most[0] and least[1] <= height <= most[1]
    if row.canvas == "exact":
        return size == (row.width, row.height)
    if row.canvas == "one side":
        return within and max(size) == max(row.width, row.height)
    if row.canvas == "within":
        return within and max(size) >= min(row.width, row.height)
    if row.canvas == "square":
        return width == height and width in row.sides
    return row.canvas != "at most" or within


def _wanted(row: Platform) -> str:
    """What pixels a platform takes, in words."""
    if row.canvas == "exact":
        return f"exactly {row.width}x{row.height}"
    if row.canvas == "square":
        return f"a square of {either(row.sides)}"
    most, least = row.most or (row.width, row.height), row.least
    words = f"at most {most[0]}x{most[1]}"
    if row.canvas == "one side":
        words = f"one side of {row.width}, the other at most"
    elif row.canvas == "within":
        words += f", one side at least {min(row.width, row.height)}"
    return words + (f", at least {least[0]} wide and {least[1]} high" if least != (1, 1) else "")


def either(numbers: Sequence[int]) -> str:
    """In words: 10 to 512; 8, 16 or 24; 3; none."""
    if not numbers:
        return "none"
    *few, most = map(str, numbers)
    if isinstance(numbers, range) and few:
        return f"{few[0]} to {most}"
    return f"{', '.join(few)} or {most}" if few else most


def _time(seen: Probe, row: Platform) -> Iterator[str]:
    if len(seen.seconds) == 1:
        return
    once = sum(seen.seconds)
    total = once * (seen.plays or 1) if row.whole_seconds else once
    if total > row.max_seconds + TICK:
        yield f"lasts {total:.3f} s; {row.name} takes at most {row.max_seconds:g}"
    elif row.whole_seconds and not _is_whole(total):
        yield f"lasts {total:.3f} s in all; {row.name} takes 1 to {row.max_seconds:g} whole seconds"
    elif row.whole_seconds == "each play" and not _is_whole(once):
        yield f"lasts {once:.3f} s each play; {row.name} takes 1 to {row.max_seconds:g} whole seconds"
    shortest = min(seen.seconds)
    if shortest < row.shortest:
        yield f"shows a frame for {shortest * 1000:.0f} ms; {row.name} takes at least {row.shortest * 1000:.0f}"
    elif seen.format == "gif" and shortest < GIF_SHORTEST - TICK:
        yield f"shows a frame for {shortest * 1000:.0f} ms; browsers slow what is below {GIF_SHORTEST * 1000:.0f}"
    elif shortest < 1 / row.max_fps - TICK:
        yield f"shows a frame for {shortest * 1000:.0f} ms; {row.name} takes at most {row.max_fps:g} frames a second"


def _is_whole(seconds: float) -> bool:
    return round(seconds) >= 1 and abs(seconds - round(seconds)) <= TICK


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
        yield f"plays {said}; {row.name} takes {_plays(row)}"
    if row.ground == "alpha" and not seen.has_alpha:
        yield f"has no alpha; {row.name} takes stickers that are cut out"
    if row.ground == "transparent" and not seen.transparent:
        yield f"is opaque everywhere; {row.name} takes a transparent background"
    if row.ground == "white" and seen.transparent:
        yield f"is transparent; {row.name} takes a white background"
    if seen.flashes > row.max_flashes:
        yield f"flashes {seen.flashes} times within a second; {row.name} takes at most {row.max_flashes:g}"
    if row.rests_on_first and seen.starts_empty:
        yield f"its first frame is empty, and that is what {row.name} shows at rest"
