"""What a file shows, as a player does: by Pillow, or for video PyAV with libvpx. The only reader of our own formats.

Nothing of what wrote the file is used, and pictures come one by one. Both are imported late, so that a command line
may name the platforms without paying for them.
"""

import json
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from os import SEEK_END
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from animecut.errors import InputError

if TYPE_CHECKING:
    import av
    import numpy as np
    from numpy.typing import NDArray

Shown = tuple["NDArray[np.uint8]", float]
"""A picture, (H, W, 4) straight RGBA, and for how many seconds it is shown."""

PILLOW_FORMATS: dict[str, str] = {"WEBP": "webp", "GIF": "gif", "PNG": "apng", "AVIF": "avif"}
SIGNATURES = (b"GIF8", b"\x89PNG")
HEAD = 64  # bytes: in the first of them stands what a file is
LONG = 2**26  # bytes of a WebP, more than any still has, from which on libwebp would hold too much at once
TIMES_NAME = "frames.ffconcat"  # in a folder of frames: what FFmpeg's concat demuxer reads
SHEET_PNG, SHEET_JSON = "sheet.png", "sheet.json"  # in a folder of a sprite sheet


@dataclass(frozen=True)
class Probe:
    """What the reader found in a file."""

    format: str
    codec: str
    streams: tuple[str, ...]
    """Kinds of stream besides the picture's."""
    size: tuple[int, int]
    """Width and height in pixels."""
    seconds: tuple[float, ...]
    plays: int
    """0 for ever, and where the format does not say."""
    distinct: int
    """Pictures that differ from the one before."""
    has_alpha: bool
    transparent: bool
    """Whether anything anywhere is at all transparent."""
    starts_empty: bool
    flashes: int
    """The most within any second, where it is played for ever."""
    bytes: int


def probe(path: Path) -> Probe:
    """All that the rules ask about. Raises InputError where the reader fails."""
    import numpy as np

    from animecut.encode.flashes import count_flashes, luminance

    with _reading(path):
        form, codec, streams, plays, has_alpha = _header(path)
        seconds: list[float] = []
        levels: list[NDArray[np.float64]] = []
        distinct, transparent, starts_empty = 0, False, False
        before: NDArray[np.uint8] | None = None
        size = (0, 0)
        for rgba, shown in decode_pictures(path):
            visible = np.where(rgba[..., 3:] > 0, rgba, 0)
            starts_empty |= before is None and not rgba[..., 3].any()
            distinct += before is None or not np.array_equal(visible, before)
            transparent |= bool((rgba[..., 3] < 255).any())
            size = (rgba.shape[1], rgba.shape[0])
            seconds.append(shown)
            levels.append(luminance(rgba))
            before = visible
    if not seconds:
        raise InputError(f"{path}: holds no picture that can be decoded")
    return Probe(
        form, codec, streams, size, tuple(seconds), plays, distinct,
        has_alpha, transparent, starts_empty, count_flashes(np.stack(levels), np.array(seconds)), path.stat().st_size,
    )  # fmt: skip


def decode_pictures(path: Path) -> Iterator[Shown]:
    """Every picture of a file, or of a folder of ours, as a player shows it, and for how long. Raises InputError.

    A still lasts 0 s.
    """
    with _reading(path):
        if path.is_dir():
            yield from _sprites(path) if (path / SHEET_JSON).exists() else _frames(path)
        elif not _is_image(path):
            yield from _shown_by_libvpx(path)
        elif _head(path).startswith(b"RIFF") and path.stat().st_size >= LONG:
            yield from _webp_by_pictures(path)
        else:
            yield from _shown_by_pillow(path)


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Turns what the readers raise at broken files into InputError."""
    import av
    from PIL import Image

    broken = (
        OSError,
        SyntaxError,
        ValueError,
        KeyError,
        EOFError,
        struct.error,
        av.FFmpegError,
        Image.DecompressionBombError,
    )
    try:
        yield
    except broken as error:
        raise InputError(f"{path}: cannot be read as a picture or video ({error})") from error


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEAD)


def _is_image(path: Path) -> bool:
    head = _head(path)
    webp, avif = head.startswith(b"RIFF") and head[8:12] == b"WEBP", head[4:12] in (b"ftypavif", b"ftypavis")
    return head.startswith(SIGNATURES) or webp or avif


def _stream(container: "av.container.InputContainer") -> "av.VideoStream | None":
    """The pictures, where FFmpeg knows their codec."""
    return next((stream for stream in container.streams.video if stream.codec_context), None)


def _header(path: Path) -> tuple[str, str, tuple[str, ...], int, bool]:
    """Format, codec, other streams, plays, and whether there is alpha."""
    if _is_image(path):
        from PIL import Image

        with Image.open(path) as image:
            name, said, has_alpha = image.format or "", image.info.get("loop"), image.has_transparency_data
        form = PILLOW_FORMATS.get(name, name)
        if form == "gif":  # counts repeats; without the word it plays once
            return form, form, (), 1 if said is None else said + (said > 0), has_alpha
        return form, form, (), said or 0, has_alpha
    import av

    with av.open(f"file:{path}") as container:
        names = container.format.name
        form = names.split(",")[0]
        if "webm" in names and b"webm" in _head(path):  # else it is Matroska's own
            form = "webm"
        codec, has_alpha = "none", False
        if video := _stream(container):
            codec, layout = video.codec_context.name, video.codec_context.format
            has_alpha = video.metadata.get("alpha_mode") == "1" or (layout is not None and len(layout.components) == 4)
        streams = [stream.type for stream in container.streams]
    if "video" in streams:
        streams.remove("video")
    return form, codec.removeprefix("lib").removeprefix("vpx-"), tuple(streams), 0, has_alpha


def _shown_by_pillow(path: Path) -> Iterator[Shown]:
    import numpy as np
    from PIL import Image

    with Image.open(path) as image:
        count = getattr(image, "n_frames", 1)
        hidden = image.info.get("default_image", False)  # a PNG that players of APNG do not show
        for i in range(int(hidden), count):
            image.seek(i)
            image.load()
            yield np.asarray(image.convert("RGBA")), image.info.get("duration", 0) / 1000 if count > 1 else 0.0


def _frames(folder: Path) -> Iterator[Shown]:
    """Numbered stills and, from the list beside them, how long each is shown."""
    lines = (folder / TIMES_NAME).read_text(encoding="utf-8").splitlines()[1:]
    for file, duration in zip(lines[::2], lines[1::2], strict=True):
        ((picture, _),) = _shown_by_pillow(folder / file.removeprefix("file "))
        yield picture, float(duration.removeprefix("duration "))


def _sprites(folder: Path) -> Iterator[Shown]:
    """The pictures of a sprite sheet, as its JSON says."""
    import numpy as np
    from PIL import Image

    said = json.loads((folder / SHEET_JSON).read_text(encoding="utf-8"))
    with Image.open(folder / said["meta"]["image"]) as image:
        sheet = image.convert("RGBA")
    for sprite in said["frames"]:
        frame, place, size = sprite["frame"], sprite["spriteSourceSize"], sprite["sourceSize"]
        part = sheet.crop((frame["x"], frame["y"], frame["x"] + frame["w"], frame["y"] + frame["h"]))
        whole = Image.new("RGBA", (size["w"], size["h"]))
        whole.paste(part, (place["x"], place["y"]))
        yield np.asarray(whole), sprite["duration"] / 1000


def _webp_by_pictures(path: Path) -> Iterator[Shown]:
    """A long animation of ours, each picture read by itself and laid over the one before."""
    import numpy as np
    from PIL import Image

    shown: NDArray[np.uint8] | None = None
    with path.open("rb") as file:
        for (left, top, right, bottom), alone in _split_webp(file):
            with Image.open(alone) as image:
                picture, seconds = np.asarray(image.convert("RGBA")), image.info.get("duration", 0) / 1000
            shown = picture.copy() if shown is None else shown.copy()
            shown[top:bottom, left:right] = picture[top:bottom, left:right]
            yield shown, seconds


def _split_webp(file: BinaryIO) -> Iterator[tuple[tuple[int, int, int, int], BytesIO]]:
    """Each picture of an animation as an animation by itself, and the left, top, right, bottom that it overwrites.

    file: seekable. Raises ValueError where a chunk is not whole, the file has another size than it says, or a picture
    does more than to overwrite: then it is none of ours.
    """
    size = file.seek(0, SEEK_END)
    file.seek(0)
    head = file.read(12 + 18 + 14)  # RIFF, VP8X, ANIM
    if head[30:34] != b"ANIM" or struct.unpack_from("<I", head, 4)[0] + 8 != size:
        raise ValueError("is no whole animation of ours, and too large for any other")
    while header := file.read(8):
        name, length = struct.unpack("<4sI", header)
        frame = file.read(length + length % 2)
        overwrite = 2
        if name != b"ANMF" or len(frame) < length or frame[15] != overwrite:
            raise ValueError("holds what is no whole picture of ours")
        left, top, width, height = (int.from_bytes(frame[at : at + 3], "little") for at in (0, 3, 6, 9))
        data = head[8:] + header + frame
        area = (left * 2, top * 2, left * 2 + width + 1, top * 2 + height + 1)
        yield area, BytesIO(head[:4] + struct.pack("<I", len(data)) + data)


def _shown_by_libvpx(path: Path) -> Iterator[Shown]:
    """A picture lasts until the next one; the last one as its packet says, else to the end of the file."""
    import av
    import numpy as np

    with av.open(f"file:{path}") as container:
        stream = _stream(container)
        if stream is None:
            return
        name = stream.codec_context.name
        # FFmpeg's own decoders of VP8 and VP9 do not know alpha.
        decoder: Any = av.CodecContext.create({"vp9": "libvpx-vp9", "vp8": "libvpx"}.get(name, name), "r")
        decoder.extradata = stream.codec_context.extradata
        base, end = stream.time_base, (container.duration or 0) / av.time_base
        waiting: tuple[NDArray[np.uint8], float] | None = None
        last_duration = 0.0
        for packet in container.demux(stream):
            for frame in decoder.decode(packet if packet.size else None):
                at = float((frame.pts or 0) * (base or 0))
                if waiting:
                    yield waiting[0], at - waiting[1]
                waiting, last_duration = (_rgba(frame), at), float((frame.duration or 0) * (base or 0))
        if waiting:
            yield waiting[0], last_duration or max(0.0, end - waiting[1])


def _rgba(frame: "av.VideoFrame") -> "NDArray[np.uint8]":
    """(H, W, 4). Alpha from its plane: FFmpeg's conversion makes the last columns opaque where the width is not 8 n."""
    import numpy as np

    rgb = frame.to_ndarray(format="rgb24")
    alpha = np.full(rgb.shape[:2], 255, np.uint8)
    if len(frame.format.components) == 4:
        plane, bits = frame.planes[3], frame.format.components[3].bits
        kind = np.dtype(np.uint8 if bits == 8 else np.uint16)
        rows = np.frombuffer(memoryview(plane), kind).reshape(plane.height, -1)[:, : plane.width]
        alpha = (rows >> (bits - 8)).astype(np.uint8)
    return np.dstack([rgb, alpha])
