"""RGBA clips to files: written beside their target, read back with another reader, and only then moved into place."""

import re
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import cast

import av
from av.container import OutputContainer
from av.packet import Packet
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc
from av.video.stream import VideoStream
from PIL import Image

from animecut._util.paths import hidden_beside
from animecut.encode.apng import write_apng
from animecut.encode.avif import write_avif
from animecut.encode.gif import write_gif
from animecut.encode.probe import SHEET_JSON, SHEET_PNG, TIMES_NAME, decode_pictures
from animecut.encode.sheet import write_sheet
from animecut.encode.timing import Limits, Timed, fill_transparent, to_ticks
from animecut.encode.webp import write_webp
from animecut.errors import InputError, OutputError, SettingsError, Unreadable, reason_of
from animecut.types import Clip

FRAME_NAME = re.compile(r"\d{5,}\.png")


@dataclass(frozen=True)
class Written:
    """A file that was read back and found as it was meant. A still lasts 0 s."""

    path: Path
    format: str
    width: int
    height: int
    frames: int
    duration_s: float
    bytes: int


# Browsers show what should last 10 ms or less for 100 ms. GIF and APNG have 16 bits for their ticks, WebP 24. The rate
# of mov is a multiple of 24, 25, 30, 60 and of 24000/1001.
LIMITS = {
    "webp": Limits(1000, 11, 2**24 - 1),
    "gif": Limits(100, 2, 2**16 - 1),
    "apng": Limits(1000, 11, 2**16 - 1),
    "webm": Limits(1000, 1, 2**31 - 1),
    "mov": Limits(120_000, 1, 2**31 - 1),
    "png": Limits(1000, 1, 2**31 - 1),
    "avif": Limits(1000, 11, 2**31 - 1),
    "sheet": Limits(1000, 1, 2**31 - 1),
}
FOLDERS = {"png", "sheet"}
LOSSY = {"webp", "gif", "webm", "avif"}
STILLS = {"webp", "gif", "apng", "avif"}  # what is a still, and lasts no time, where it has a single picture
ALPHA_ERROR = {"webm": 2.0, "mov": 0.5}  # 0..255, how far a picture's mean alpha may be off when read back
EXACT = 0.01  # the same where alpha is not lossy
FLOATS = 1e-6  # seconds that adding floats may be off


Seen = tuple[float, int]
"""Mean alpha of a picture that was written (0..255), and its ticks."""


def write_sticker(
    path: Path, clips: Iterable[Clip], kind: str, *, loop: int = 0, quality: int = 90, colours: int = 255
) -> Written:
    """Write clips of one size to `path`, each picture once with its whole time.

    Parameters
    ----------
    path: the file, or for png and sheet the folder (replaced only where it holds nothing but such). Its folder exists.
    clips: at least one; RGB counts as opaque. They are gone through once, or twice (gif, apng, avif, sheet): a list or
        a spool.
    kind: webp (lossy colour, exact alpha), gif (alpha of one bit), apng (exact), webm (VP9, lossy, alpha too),
        mov (ProRes 4444), png (a folder of numbered stills with a frames.ffconcat that has their times), avif (lossy
        colour, exact alpha) or sheet (a folder with a sprite sheet and its JSON).
    loop: how often webp, gif and apng play, 0 for ever; a player decides for the others.
    quality: 1..100, of webp, webm and avif; in these and gif also how faint a change from one picture to the next may
        be to be left out (3 levels at 90, none at 100).
    colours: 1..255, of gif.

    Raises
    ------
    SettingsError where the format is none of ours. OutputError where the target cannot be written, Unreadable where it
    did not read back as it was meant. Whatever is raised, nothing is left behind but what was there before.
    """
    if kind not in LIMITS:
        raise SettingsError(f"{kind}: no format that is written; choose from {', '.join(LIMITS)}")
    if kind in FOLDERS and path.exists() and not _is_ours(path):
        raise OutputError(f"{path}: holds other things than frames of ours; name a new folder")
    seen: list[Seen] = []
    tolerance = round((100 - quality) * 0.3) if kind in LOSSY else 0

    def pictures() -> Iterator[Timed]:
        seen.clear()
        for picture, ticks in to_ticks(clips, LIMITS[kind], tolerance, one_bit=kind == "gif"):
            seen.append((float(picture[..., 3].mean()), ticks))
            yield picture, ticks

    try:
        with atomic_path(path) as part:
            _write_as(kind, part, pictures, loop, quality, colours)
            return _read_back(part, path, kind, seen)
    except (OSError, av.FFmpegError) as error:
        reason = reason_of(error)
        raise OutputError(f"cannot write {path}: {reason}; is the folder there, writable, with room left?") from error


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """A name beside `path`; what is written there takes its place at once, or is removed where something is raised."""
    part = hidden_beside(path, f".{secrets.token_hex(4)}.part")
    try:
        yield part
        _move(part, path)
    finally:
        _remove(part)


def _write_as(
    kind: str, part: Path, pictures: Callable[[], Iterator[Timed]], loop: int, quality: int, colours: int
) -> None:
    if kind == "png":
        _write_folder(part, pictures())
    elif kind == "sheet":
        write_sheet(part, pictures)
    elif kind in ("webm", "mov"):
        _write_video(part, pictures(), kind, quality)
    else:
        with part.open("wb") as file:
            if kind == "webp":
                write_webp(file, pictures(), loop=loop, quality=quality)
            elif kind == "gif":
                write_gif(file, pictures, loop=loop, colours=colours)
            elif kind == "avif":
                write_avif(file, pictures, quality=quality)
            else:
                write_apng(file, pictures, loop=loop)


def _write_folder(part: Path, pictures: Iterable[Timed]) -> None:
    """Numbered stills, and their times as FFmpeg's concat demuxer reads them."""
    part.mkdir()
    lines = ["ffconcat version 1.0"]
    for i, (picture, ticks) in enumerate(pictures):
        name = f"{i:05d}.png"
        Image.fromarray(picture).save(part / name)
        lines += [f"file {name}", f"duration {ticks / LIMITS['png'].rate:.3f}"]
    (part / TIMES_NAME).write_text("\n".join(lines) + "\n")


def _write_video(part: Path, pictures: Iterator[Timed], kind: str, quality: int) -> None:
    """VP9 with alpha in WebM, or ProRes 4444 in QuickTime; a held picture is one frame with its whole time."""
    rate = LIMITS[kind].rate
    # Players that ignore the tag take small pictures for BT.601, and those that read it are told so; editors want 709.
    codec, layout, matrix, options = (
        ("libvpx-vp9", "yuva420p", Colorspace.SMPTE170M, _vp9(quality))
        if kind == "webm"
        else ("prores_ks", "yuva444p10le", Colorspace.ITU709, {"profile": "4444"})
    )
    first = next(pictures)
    height, width = first[0].shape[:2]
    lengths: dict[int, int] = {}
    at = 0
    with av.open(f"file:{part}", "w", format=kind) as container:
        added = container.add_stream(codec, options=options, width=width, height=height, pix_fmt=layout)
        stream = cast("VideoStream", added)
        stream.bit_rate = 0  # quality alone decides
        context = stream.codec_context
        context.time_base, context.colorspace, context.color_range = Fraction(1, rate), matrix, ColorRange.MPEG
        if kind == "mov":  # ProRes: editors guess what is not named (SMPTE RDD 36, 6.1.1)
            context.color_primaries, context.color_trc = ColorPrimaries.BT709, ColorTrc.BT709
        for picture, ticks in chain([first], pictures):
            frame = av.VideoFrame.from_ndarray(fill_transparent(picture), "rgba")
            # One thread: where swscale cuts a picture into slices, the first pixels of a slice get a wrong alpha.
            frame = frame.reformat(format=layout, dst_colorspace=matrix, dst_color_range=ColorRange.MPEG, threads=1)
            frame.color_primaries, frame.color_trc = context.color_primaries, context.color_trc
            frame.pts, frame.time_base = at, Fraction(1, rate)
            lengths[at] = ticks
            at += ticks
            _mux(container, stream.encode(frame), lengths)
        _mux(container, stream.encode(None), lengths)


def _vp9(quality: int) -> dict[str, str]:
    """Options of libvpx: as much error at 75 and 90 as WebP has there."""
    return {
        "crf": str(min(63, round((100 - quality) * 1.3))),
        "auto-alt-ref": "0",  # hidden frames break alpha
        "cpu-used": "2",
        "row-mt": "1",
    }


def _mux(container: OutputContainer, packets: "Iterable[Packet[VideoStream]]", lengths: dict[int, int]) -> None:
    for packet in packets:
        packet.duration = lengths.pop(packet.pts or 0)  # the encoder assumes a constant rate
        container.mux(packet)


def _read_back(part: Path, path: Path, kind: str, seen: list[Seen]) -> Written:
    """What a reader finds in the file. Raises Unreadable where it is not what was written."""
    try:
        found = [(rgba.shape[:2], float(rgba[..., 3].mean()), seconds) for rgba, seconds in decode_pictures(part)]
    except InputError:
        found = []
    tick = 1 / LIMITS[kind].rate
    sizes = {size for size, _, _ in found}
    duration = sum(seconds for _, _, seconds in found)
    meant = sum(ticks for _, ticks in seen) * tick if len(seen) > 1 or kind not in STILLS else 0.0
    if len(found) != len(seen) or len(sizes) != 1:
        problem = f"{len(found)} pictures of sizes {sizes} instead of {len(seen)}"
    elif abs(duration - meant) > tick + FLOATS:
        problem = f"it lasts {duration:.3f} s instead of {meant:.3f} s"
    elif max(abs(got - alpha) for (_, got, _), (alpha, _) in zip(found, seen, strict=True)) > ALPHA_ERROR.get(
        kind, EXACT
    ):
        problem = "alpha differs"
    else:
        height, width = sizes.pop()
        files = part.iterdir() if part.is_dir() else [part]
        size = sum(file.stat().st_size for file in files)
        return Written(path, kind, width, height, len(found), duration, size)
    raise Unreadable(f"{path}: did not read back as it was written ({problem}); please report this")


def _is_ours(path: Path) -> bool:
    """Whether a path is a folder in which nothing but our frames, or a sheet of them, lies."""
    names = [file.name for file in path.iterdir()] if path.is_dir() else ["a file"]
    return all(FRAME_NAME.fullmatch(name) or name in (TIMES_NAME, SHEET_PNG, SHEET_JSON) for name in names)


def _move(part: Path, path: Path) -> None:
    """Put the whole file, or folder, under its name at once; a folder that was there goes last."""
    if not part.is_dir() or not path.exists():
        part.replace(path)
        return
    old = part.with_suffix(".old")
    path.replace(old)
    try:
        part.replace(path)
    except BaseException:
        old.replace(path)
        raise
    shutil.rmtree(old)


def _remove(part: Path) -> None:
    if part.is_dir():
        shutil.rmtree(part)
    else:
        part.unlink(missing_ok=True)
