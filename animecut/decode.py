"""Video, GIF or image file -> clips. The only place where ticks become seconds. Door of PyAV for reading.

GIF, PNG, WebP and other canvases go through Pillow, the rest through FFmpeg; a file's content chooses, not its name.
"""

import math
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from itertools import chain, count
from pathlib import Path
from typing import Literal, NamedTuple, cast

import av
import numpy as np
from av import Packet, VideoFrame, VideoStream
from av.container import InputContainer
from av.stream import Disposition
from av.video.codeccontext import VideoCodecContext
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter
from numpy.typing import NDArray
from PIL import Image, ImageOps

from animecut.clip import Clip
from animecut.errors import InputError, SettingsError

MAX_PIXELS = 8192 * 8192  # of a picture: twice 8K video; a decompression bomb has more
STILL_SECONDS = 1.0  # how long a picture that does not move is shown
LAST_SECONDS = 1 / 24  # of a lone last picture whose container names no length: one frame of film
EDGE_SECONDS = 0.0005  # a picture in the range for less is left out: typed times and Matroska's are rounded to 1 ms
HASTY_MS, INSTEAD_MS = 11, 100  # browsers show what asks for less than 11 ms (GIF: 0 or 1 ticks) for 100 ms
CHUNK_BYTES = 512 * 2**20  # of pixels at once: where pictures are huge, a clip has fewer of them
SEEK_BACK = (0, 2, 8, 32, 128)  # seconds before the range to try where an index is wrong; then from the beginning
SHORT_SECONDS = 1.0  # by which a whole file may end before its header says; one that breaks off is shorter still
HD_LINES = 720  # untagged video is taken for BT.709 from this height up, for BT.601 below, as players do
TAGGED = (1, 4, 5, 6, 7, 9)  # ITU-T H.273 MatrixCoefficients that swscale knows: BT.709, FCC, BT.601 twice, 240M, 2020
# Playlists (hls, dash, concat) are left out: they open other files and the network.
CONTAINERS = "mov,matroska,avi,mpegts,mpeg,mpegvideo,flv,ogg,asf,nut,ivf,h264,hevc,m4v,rm,yuv4mpegpipe,dv,wtv"
CANVASES = ("GIF", "PNG", "WEBP", "AVIF", "JPEG", "BMP")
DECODERS = ("h264", "hevc", "vp8", "vp9", "av1", "mpeg4", "libvpx", "libvpx-vp9")  # of what clips come in most
ALPHA_DECODERS = {"vp8": "libvpx", "vp9": "libvpx-vp9"}  # FFmpeg's own decoders skip the alpha plane
# Without the last two swscale repeats chroma in blocks of 2x2 and is a level too dark.
EXACT = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
Picture = NDArray[np.uint8]  # (H, W, 3) RGB or (H, W, 4) straight RGBA, sRGB


@dataclass(frozen=True)
class Source:
    """What a file holds. Size (pixels) and alpha are as decode gives them; the rest is the header's word, or None."""

    width: int
    height: int
    duration_s: float | None
    frame_rate: Fraction | None
    kind: Literal["video", "animation", "still"]
    has_alpha: bool


class _Timed(NamedTuple):
    """A picture, when it appears, and for how long as its container says; seconds since the source's first picture."""

    time: float
    length: float | None
    pixels: Callable[[], Picture]


class _BreaksOff(Exception):
    """Pictures end where the file is cut off or damaged, not where they should."""


class _Video(NamedTuple):
    container: InputContainer
    stream: VideoStream
    decoder: VideoCodecContext
    tick: Fraction  # seconds


def decode(
    path: Path, start: float | None = None, end: float | None = None, *, chunk: int = 16, max_pixels: int = MAX_PIXELS
) -> Generator[Clip]:
    """Pictures on screen in [start, end), in order, as clips of at most `chunk` pictures.

    Seconds count from the source's first picture. The picture shown *at* start is the first, its time clipped to start;
    the last one ends at end, or with the source. Pictures are upright, their pixels square; RGBA where the source has
    alpha, and for every GIF; else RGB. A still is one picture of STILL_SECONDS. Past damage it goes on if it can.

    Raises, when the first clip is asked for, SettingsError where the range is none; InputError where the file cannot be
    read, a picture has more than max_pixels, or nothing is shown in the range; later, where it breaks off in the range.
    """
    since = 0.0 if start is None else start
    until = math.inf if end is None else end
    if not 0 <= since < math.inf:
        raise SettingsError(f"start is {since:g} s; give seconds from 0 up")
    if not until - since >= 2 * EDGE_SECONDS:
        raise SettingsError(f"end ({until:g} s) does not come after start ({since:g} s); give a later end")
    _check_file(path)
    image = _image(path)
    pictures = _canvas_pictures(path, image, max_pixels) if image else _video_pictures(path, since, max_pixels)
    with closing(pictures):
        yield from _clips(_shown(path, pictures, since, until), chunk)


def describe(path: Path, *, max_pixels: int = MAX_PIXELS) -> Source:
    """What a file holds; decodes its first picture. duration_s is for progress bars only. Raises InputError."""
    with closing(decode(path, chunk=1, max_pixels=max_pixels)) as clips:
        _, height, width, channels = next(clips).pixels.shape
    if image := _image(path):
        with image:
            if _moves(image):
                return Source(width, height, None, None, "animation", channels == 4)
        return Source(width, height, STILL_SECONDS, None, "still", channels == 4)
    with _video(path, max_pixels) as (container, stream, _, _):
        duration = container.duration / av.time_base if container.duration else None
        return Source(width, height, duration, stream.average_rate or None, "video", channels == 4)


def missing_decoders() -> list[str]:
    """Those of DECODERS that this build of PyAV has not."""
    return [name for name in DECODERS if name not in av.codecs_available]


def _shown(path: Path, pictures: Iterable[_Timed], since: float, until: float) -> Iterator[tuple[_Timed, float, float]]:
    """Each picture on screen in [since, until), from when, until when. Raises InputError where there is none."""
    held: _Timed | None = None
    gap: float | None = None
    shown_to = since
    for picture in _whole(path, pictures):
        if held is not None:
            if picture.time <= held.time:  # gone before it was seen
                continue
            gap = picture.time - held.time
            if picture.time >= until - EDGE_SECONDS:
                yield held, shown_to, until
                return
            if picture.time > since + EDGE_SECONDS:
                yield held, shown_to, picture.time
                shown_to = picture.time
        held = picture
    if held is None:
        raise _problem(path, "no picture in it can be decoded; it is damaged or protected: fetch or export it again")
    source_end = held.time + (held.length or gap or LAST_SECONDS)
    if source_end <= since + EDGE_SECONDS:
        raise _problem(path, f"ends at {source_end:.3f} s, before start ({since:g} s); give an earlier start")
    yield held, shown_to, min(until, source_end)


def _whole(path: Path, pictures: Iterable[_Timed]) -> Iterator[_Timed]:
    """The pictures, then InputError where they break off; what was asked for before that has been given by then."""
    picture: _Timed | None = None
    try:
        for picture in pictures:
            yield picture
    except _BreaksOff as error:
        if picture:
            advice = f"fetch it again, or end before that (--end {math.floor(100 * picture.time) / 100:g})"
            raise _problem(path, f"breaks off at {picture.time:.3f} s; {advice}") from error


def _clips(shown: Iterable[tuple[_Timed, float, float]], chunk: int) -> Iterator[Clip]:
    """Shown pictures gathered into clips."""
    pixels = np.empty((0, 0, 0, 0), np.uint8)
    times: list[float] = []
    for picture, since, until in shown:
        image = picture.pixels()
        if not times:
            room = max(1, min(chunk, CHUNK_BYTES // image.nbytes))
            alone = np.ascontiguousarray(image)[None]
            pixels, times = alone if room == 1 else np.empty((room, *image.shape), np.uint8), [since]
        if len(pixels) > 1:
            pixels[len(times) - 1] = image
        times.append(until)
        if len(times) > len(pixels):
            yield Clip(pixels, np.array(times))
            times = []
    if times:
        yield Clip(pixels[: len(times) - 1], np.array(times))


def _problem(path: Path, text: str) -> InputError:
    return InputError(f"{path}: {text}".replace("\n", " "))


def _check_file(path: Path) -> None:
    """Raise InputError where there is no file with something in it that may be read."""
    try:
        if not path.is_file():
            raise _problem(path, "is a folder; name a file in it" if path.is_dir() else "no such file; check its name")
        with path.open("rb") as file:
            if not file.read(1):
                raise _problem(path, "is empty; fetch or export it again")
    except OSError as error:
        raise _problem(path, f"cannot be read ({error.strerror}); check its name, permissions and disk") from error


def _check_size(path: Path, width: int, height: int, max_pixels: int) -> None:
    if width * height > max_pixels:
        raise _problem(
            path, f"{width}x{height} is more than {max_pixels} pixels; scale it down or raise --max-source-pixels"
        )


def _image(path: Path) -> Image.Image | None:
    """The file as Pillow opens it, or None where it is left to FFmpeg."""
    Image.init()
    with warnings.catch_warnings(action="ignore"):
        try:
            return Image.open(path, formats=[name for name in CANVASES if name in Image.OPEN])
        except Image.DecompressionBombError as error:
            raise _problem(path, "its picture is too large to be opened; scale it down") from error
        except Exception:  # noqa: BLE001 foreign bytes make Pillow raise anything; FFmpeg says whether they are a video
            return None


def _moves(image: Image.Image) -> bool:
    """Whether it is an animation. A photograph in JPEG may hold further pictures (MPO), which are no animation."""
    try:
        return image.format != "MPO" and bool(getattr(image, "is_animated", False))
    except Exception:  # noqa: BLE001 Pillow looks for a second picture, and raises anything where that is damaged
        return True


def _canvas_pictures(path: Path, image: Image.Image, max_pixels: int) -> Generator[_Timed]:
    """The picture of a still, or the pictures of an animation. Closes the image. Raises _BreaksOff."""
    with image:
        _check_size(path, *image.size, max_pixels)
        mode = "RGBA" if image.format == "GIF" or image.has_transparency_data else "RGB"
        moves, size, past_ms = _moves(image), image.size, 0.0
        first = int(getattr(image, "default_image", False))  # of an APNG: for viewers that cannot animate
        for index in count(first) if moves else [0]:
            with warnings.catch_warnings(action="ignore"):
                try:
                    image.seek(index)
                    pixels = _canvas_pixels(image, mode, size)
                except EOFError:
                    return
                except Exception as error:  # Pillow raises anything at damage
                    raise _BreaksOff from error
            asked_ms = image.info.get("duration", 0)
            shown_ms = asked_ms if asked_ms >= HASTY_MS else INSTEAD_MS
            yield _Timed(past_ms / 1000, shown_ms / 1000 if moves else STILL_SECONDS, partial(np.asarray, pixels))
            past_ms += shown_ms


def _canvas_pixels(image: Image.Image, mode: str, size: tuple[int, int]) -> Picture:
    """The current picture, upright. What hangs over the canvas's `size` (width, height), as GIF may, is cropped."""
    if image.mode.startswith("I;16"):  # convert() would clip at 255
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    return np.asarray(ImageOps.exif_transpose(image.convert(mode).crop((0, 0, *size))))


@contextmanager
def _video(path: Path, max_pixels: int) -> Iterator[_Video]:
    """The file's best video stream, ready to decode. Raises InputError where there is none."""
    unreadable = _problem(path, "is no video or image that can be read, or is cut off; fetch it again or convert it")
    options = {"format_whitelist": CONTAINERS, "protocol_whitelist": "file"}
    try:
        container = av.open(f"file:{path}", metadata_errors="replace", options=options)
    except (av.FFmpegError, ValueError) as error:
        raise unreadable from error
    with container:
        stream = container.streams.best("video")
        if not isinstance(stream, VideoStream) or stream.disposition & Disposition.attached_pic:
            sound = _problem(path, "holds no moving pictures, only sound or text; give a video, GIF or image")
            raise sound if len(container.streams) else unreadable
        decoder: VideoCodecContext | None = stream.codec_context
        if decoder is None or stream.time_base is None:
            raise _problem(path, "its video codec is not known here; convert it to mp4 (H.264)")
        _check_size(path, decoder.width, decoder.height, max_pixels)
        if decoder.name in ALPHA_DECODERS and stream.metadata.get("alpha_mode") == "1":
            decoder = cast(VideoCodecContext, av.CodecContext.create(ALPHA_DECODERS[decoder.name], "r"))
        decoder.thread_type = "AUTO"
        decoder.options = {"max_pixels": str(2 * max_pixels)}  # for what the header hides; twice, as codecs pad
        yield _Video(container, stream, decoder, stream.time_base)


def _video_pictures(path: Path, since: float, max_pixels: int) -> Generator[_Timed]:
    """Pictures of a video, from the one shown at `since` or an earlier one."""
    with ExitStack() as files:
        video = files.enter_context(_video(path, max_pixels))
        frames = _frames(video)
        head = next(frames, None)
        if head is None:
            return
        origin, first = head
        paint = _painter(path, video.stream, first, max_pixels)
        frames = chain([head], frames)
        if since:
            frames = _sought(video, origin, since) or _frames(files.enter_context(_video(path, max_pixels)))
        for stamp, frame in frames:
            time, length = float((stamp - origin) * video.tick), float((frame.duration or 0) * video.tick)
            yield _Timed(time, length if length > EDGE_SECONDS else None, partial(paint, frame))


def _sought(video: _Video, origin: int, since: float) -> Iterator[tuple[int, VideoFrame]] | None:
    """Frames from the one shown at `since` or an earlier one; None where the file must be read from its beginning."""
    if video.container.format.name == "mpeg":  # its stamps depend on where reading began
        return None
    wanted = origin + math.floor((since + EDGE_SECONDS) / video.tick)
    for back in SEEK_BACK:
        goal = wanted - math.floor(back / video.tick)
        if goal <= origin:
            return None
        try:
            video.container.seek(goal, stream=video.stream)
        except (av.FFmpegError, OverflowError):
            return None
        video.decoder.flush_buffers()
        frames = _frames(video, sought=True)
        with suppress(_BreaksOff):
            head = next(frames, None)
            if head is not None and head[0] <= wanted:
                return chain([head], frames)
    return None


def _frames(video: _Video, *, sought: bool = False) -> Iterator[tuple[int, VideoFrame]]:
    """Frames in order of presentation, each with its tick, past what cannot be decoded. Raises _BreaksOff."""
    whole, last = not sought, None if sought else 0
    for packet in _packets(video):
        whole = whole or bool(packet and packet.is_keyframe)
        if not whole:  # after a seek: what comes before the first key frame refers to frames that were not read
            continue
        try:
            frames = video.decoder.decode(packet)
        except av.FFmpegError:
            continue
        for frame in frames:
            stamp = _stamp(video, frame)
            if stamp is None and last is not None:
                stamp = last + (frame.duration or round(LAST_SECONDS / video.tick))
            if stamp is not None:
                yield stamp, frame
                last = stamp


def _packets(video: _Video) -> "Iterator[Packet[VideoStream] | None]":
    """Packets of the stream, then None, which drains the decoder; then raises _BreaksOff where the file does that."""
    cut, end = False, 0.0
    try:
        for packet in video.container.demux():
            if not packet.size:  # one for each stream, at the end
                continue
            stamp = packet.dts if packet.pts is None else packet.pts
            if stamp is not None:
                end = max(end, float((stamp + (packet.duration or 0)) * packet.time_base))
            if packet.stream is video.stream:
                cut = packet.is_corrupt
                yield cast("Packet[VideoStream]", packet)
    except av.FFmpegError:
        cut = True
    yield None
    # Matroska does not tell, but for its length; that is all streams' and rounded.
    if cut or (video.container.duration and end < video.container.duration / av.time_base - SHORT_SECONDS):
        raise _BreaksOff


def _stamp(video: _Video, frame: VideoFrame) -> int | None:
    """Tick of presentation. AVI keeps only the times of decoding, which run ahead of it by a constant delay."""
    return frame.dts if frame.pts is None or video.container.format.name == "avi" else frame.pts


def _painter(path: Path, stream: VideoStream, first: VideoFrame, max_pixels: int) -> Callable[[VideoFrame], Picture]:
    """What turns a stream's frames into upright pictures with square pixels, all of the size of the first."""
    width, height = max(1, round(first.width * (stream.sample_aspect_ratio or 1))), first.height
    _check_size(path, width, height, max_pixels)
    # RGB in planes: swscale writes them in half the time that rgb24 takes, bit for bit the same.
    target = width, height, "rgba" if any(component.is_alpha for component in first.format.components) else "gbrp"
    untagged = Colorspace.ITU709 if first.height >= HD_LINES else Colorspace.ITU601
    # Asked of one frame only: in PyAV a frame and its side data hold each other until the garbage collector comes.
    display = cast(Mapping[str, bytes], first.side_data).get("DISPLAYMATRIX")
    turn = np.frombuffer(display, np.int32)[:5].tolist() if display else [1, 0, 0, 0, 1]
    scaler = VideoReformatter()

    def paint(frame: VideoFrame) -> Picture:
        matrix = frame.colorspace if frame.colorspace in TAGGED else untagged
        try:
            square = scaler.reformat(frame, *target, matrix, None, EXACT, frame.color_range, ColorRange.JPEG, threads=1)
        except (av.FFmpegError, ValueError) as error:
            raise _problem(path, f"its {frame.format.name} pixels cannot become RGB; convert it to mp4") from error
        return _upright(cast(Picture, square.to_ndarray()), turn)

    return paint


def _upright(picture: Picture, turn: list[int]) -> Picture:
    """Turned and mirrored as a display matrix asks, to the nearest right angle (ISO/IEC 14496-12, 6.2.2)."""
    a, b, _, c, d = turn  # (x, y) is shown at (a x + c y, b x + d y)
    if abs(b) + abs(c) > abs(a) + abs(d):
        picture, a, d = picture.transpose(1, 0, 2), c, b
    return picture[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1]
