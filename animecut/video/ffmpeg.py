"""Video -> pictures with their times. Door of PyAV for reading, and the only place where ticks become seconds."""

import math
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from fractions import Fraction
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple, cast

import av
import cv2
import numpy as np
from av import Packet, VideoFrame, VideoStream
from av.container import InputContainer
from av.stream import Disposition
from av.video.codeccontext import VideoCodecContext
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter
from numpy.typing import NDArray

from animecut.video import colour
from animecut.video.clock import from_key_frame, join_times
from animecut.video.crop import Margins, read_margins
from animecut.video.fields import deinterlaced
from animecut.video.refusals import why_unreadable
from animecut.video.source import EDGE_SECONDS, LAST_SECONDS, Picture, TimedPicture, Truncated, check_size, input_error

SEEK_BACK = (0, 2, 8, 32, 128)  # seconds before the range to try where an index is wrong; then from the beginning
SHORT_SECONDS = 1.0  # by which a whole file may end before its header says; one that breaks off is shorter still
HD_LINES = 720  # untagged video is taken for BT.709 from this height up, for BT.601 below, as players do
TAGGED = (1, 4, 5, 6, 7, 9)  # ITU-T H.273 MatrixCoefficients that swscale knows: BT.709, FCC, BT.601 twice, 240M, 2020
UNTAGGED = (0, 2, 3)  # RGB, which says nothing of YUV, unspecified, reserved
# Playlists (hls, dash, concat) are left out: they open other files and the network.
CONTAINERS = "mov,matroska,avi,mpegts,mpeg,mpegvideo,flv,ogg,asf,nut,ivf,h264,hevc,m4v,rm,yuv4mpegpipe,dv,wtv"
BROADCAST = ("mpegts", "mpeg")  # joined and cut at will: time may leap, and a seek may find another part
LEAST_BITS = 100_000  # a second; a broadcast with fewer has leaps in its time, or shows almost nothing
DECODERS = ("h264", "hevc", "vp8", "vp9", "av1", "mpeg4", "libvpx", "libvpx-vp9")  # of what clips come in most
ALPHA_DECODERS = {"vp8": "libvpx", "vp9": "libvpx-vp9"}  # FFmpeg's own decoders skip the alpha plane
# Without the last two swscale repeats chroma in blocks of 2x2 and is a level too dark.
EXACT = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT


Plane = NDArray[Any]
"""(H, W) uint8 or uint16."""


class Video(NamedTuple):
    """A stream of a file, and what decodes it."""

    container: InputContainer
    stream: VideoStream
    decoder: VideoCodecContext
    tick: Fraction  # seconds


def missing_decoders() -> list[str]:
    """Those of DECODERS that this build of PyAV has not."""
    return [name for name in DECODERS if name not in av.codecs_available]


def seconds(video: Video) -> float | None:
    """How long a file says it is; None where it does not say. A broadcast that lasts too long for its size is asked."""
    container = video.container
    if not container.duration:
        return None
    lasts = container.duration / av.time_base
    if container.format.name not in BROADCAST or 8 * container.size > LEAST_BITS * lasts:
        return lasts
    with suppress(av.FFmpegError):
        stamps = [packet.pts for packet in join_times(container.demux(video.stream), video.stream, may_jump=True)]
    known = [stamp for stamp in stamps if stamp is not None]
    return float((max(known) - min(known)) * video.tick) if known else lasts


@contextmanager
def opened(path: Path, max_pixels: int) -> Iterator[Video]:
    """The file's best video stream, ready to decode. Raises InputError where there is none."""
    options = {"format_whitelist": CONTAINERS, "protocol_whitelist": "file"}
    try:
        container = av.open(f"file:{path}", metadata_errors="replace", options=options)
    except (av.FFmpegError, ValueError) as error:
        raise input_error(path, why_unreadable(path)) from error
    with container:
        stream = container.streams.best("video")
        if not isinstance(stream, VideoStream) or stream.disposition & Disposition.attached_pic:
            only_sound = "holds no moving pictures, only sound or text; give a video, GIF or image"
            raise input_error(path, only_sound if len(container.streams) else why_unreadable(path))
        if stream.disposition & Disposition.dependent:
            heic = "is a HEIC photograph of many tiles, which pillow-heif reads; pip install 'animecut[heic]'"
            raise input_error(path, f"{heic}, or export it as JPEG")
        decoder: VideoCodecContext | None = stream.codec_context
        if decoder is None or stream.time_base is None:
            raise input_error(path, "its video codec is not known here; convert it to mp4 (H.264)")
        check_size(path, decoder.width, decoder.height, max_pixels)
        if decoder.name in ALPHA_DECODERS and stream.metadata.get("alpha_mode") == "1":
            decoder = cast(VideoCodecContext, av.CodecContext.create(ALPHA_DECODERS[decoder.name], "r"))
        decoder.thread_type = "AUTO"
        decoder.options = {"max_pixels": str(2 * max_pixels)}  # for what the header hides; twice, as codecs pad
        yield Video(container, stream, decoder, stream.time_base)


def pictures(path: Path, since: float, max_pixels: int, tell: Callable[[str], None]) -> Generator[TimedPicture]:
    """Pictures of a video, from the one shown at `since` or an earlier one. tell: hears what is left out."""
    with ExitStack() as files:
        video = files.enter_context(opened(path, max_pixels))
        packets = from_key_frame(_packets(video), None, tell)
        begins = next(packets)
        frames = _frames(video, chain([begins], packets))
        head = next(frames, None)
        if head is None:
            return
        origin, first = _origin(video, begins, head[0]), head[1]
        margins = read_margins(path, video.container.format.name)
        paint = _painter(path, video.stream, first, margins, max_pixels)
        frames = chain([head], frames)
        if since:
            wanted = origin + math.floor((since + EDGE_SECONDS) / video.tick)
            frames = _sought(video, origin, wanted) or _passed(files.enter_context(opened(path, max_pixels)), wanted)
        for stamp, frame in deinterlaced(frames, video.tick):
            time, length = (
                float((stamp - origin) * video.tick),
                float((frame.duration or 0) * (frame.time_base or video.tick)),
            )
            yield TimedPicture(time, length if length > EDGE_SECONDS else None, partial(paint, frame))


def _origin(video: Video, packet: "Packet[VideoStream] | None", first: int) -> int:
    """The tick that is zero: where the earliest stream begins, as in players.

    packet: the first that is decoded.  first: stamp of its picture, which is in AVI late by a constant delay.
    """
    begins = round(Fraction(video.container.start_time or 0, av.time_base) / video.tick)
    shown = packet.dts if packet and video.container.format.name == "avi" else first
    if video.container.start_time is None or shown is None or (shown - begins) * video.tick <= 2 * EDGE_SECONDS:
        return first
    return first - (shown - begins)


def _sought(video: Video, origin: int, wanted: int) -> Iterator[tuple[int, VideoFrame]] | None:
    """Frames from the one shown at `wanted` or an earlier one; None where the file must be read from its beginning."""
    if video.container.format.name in BROADCAST:
        return None
    for back in SEEK_BACK:
        goal = wanted - math.floor(back / video.tick)
        if goal <= origin:
            return None
        try:
            video.container.seek(goal, stream=video.stream)
        except (av.FFmpegError, OverflowError):
            return None
        video.decoder.flush_buffers()
        frames = _frames(video, from_key_frame(_packets(video), None, None), last=None)
        with suppress(Truncated):
            head = next(frames, None)
            if head is not None and head[0] <= wanted:
                return chain([head], frames)
    return None


def _passed(video: Video, wanted: int) -> Iterator[tuple[int, VideoFrame]]:
    """Frames from one shown at `wanted` or before; packets that none of them needs are read and not decoded."""
    known = None if video.container.format.name == "avi" else wanted  # which tells of no packet when it is shown
    return _frames(video, from_key_frame(_packets(video), known, lambda message: None))


def _frames(
    video: Video, packets: "Iterable[Packet[VideoStream] | None]", *, last: int | None = 0
) -> Iterator[tuple[int, VideoFrame]]:
    """Frames in order of presentation, each with its tick, past what cannot be decoded. Raises Truncated.

    last: the tick of the picture before, where it is known.
    """
    for packet in packets:
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


def _packets(video: Video) -> "Iterator[Packet[VideoStream] | None]":
    """Packets of the stream, then None, which drains the decoder; then raises Truncated where the file does that."""
    cut, end = False, 0.0
    broadcast = video.container.format.name in BROADCAST
    try:
        for packet in join_times(video.container.demux(), video.stream, may_jump=broadcast):
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
    says = 0 if broadcast else (video.container.duration or 0) / av.time_base
    if cut or end < says - SHORT_SECONDS:
        raise Truncated


def _stamp(video: Video, frame: VideoFrame) -> int | None:
    """Tick of presentation. AVI keeps only the times of decoding, which run ahead of it by a constant delay."""
    if video.container.format.name in BROADCAST:
        return frame.pts
    return frame.dts if frame.pts is None or video.container.format.name == "avi" else frame.pts


def _painter(
    path: Path, stream: VideoStream, first: VideoFrame, margins: Margins, max_pixels: int
) -> Callable[[VideoFrame], Picture]:
    """What turns a stream's frames into upright pictures with square pixels, all of the size of the first."""
    width, height = max(1, round(first.width * (stream.sample_aspect_ratio or 1))), first.height
    check_size(path, width, height, max_pixels)
    has_alpha = any(component.is_alpha for component in first.format.components)
    # Asked of one frame only: in PyAV a frame and its side data hold each other until the garbage collector comes.
    display = cast(Mapping[str, bytes], first.side_data).get("DISPLAYMATRIX")
    turn = np.frombuffer(display, np.int32)[:5].tolist() if display else [1, 0, 0, 0, 1]
    scaler = VideoReformatter()
    shown = _shown_part(margins, (height, width), (first.height, first.width))

    def scaled(frame: VideoFrame, layout: str) -> list[Plane]:
        yuv, given = layout.startswith("yuv"), frame.color_range
        matrix = _matrix(frame, first.height)
        to, full = (matrix, given) if yuv else (None, ColorRange.JPEG)
        try:
            square = scaler.reformat(frame, width, height, layout, matrix, to, EXACT, given, full, threads=1)
        except (av.FFmpegError, ValueError) as error:
            raise input_error(path, f"its {frame.format.name} pixels cannot become RGB; convert it to mp4") from error
        return _planes(square)

    def paint(frame: VideoFrame) -> Picture:
        if _is_plain(frame):
            # In planes: swscale writes them in half the time that rgb24 takes, bit for bit the same.
            green, blue, red, *alpha = scaled(frame, "gbrap" if has_alpha else "gbrp")
            picture = cast(Picture, cv2.merge([red, green, blue, *alpha]))
        else:
            picture = _converted(path, frame, scaled, has_alpha)
        return _upright(picture[shown], turn)

    return paint


def _shown_part(margins: Margins, size: tuple[int, int], coded: tuple[int, int]) -> tuple[slice, slice]:
    """Rows and columns within the margins, given for the coded (height, width); everything where nothing is left."""
    parts = []
    for before, after, side, full in zip(margins[::2], margins[1::2], size, coded, strict=True):
        first, last = round(before * side / full), side - round(after * side / full)
        parts.append(slice(first, last) if 0 <= first < last <= side else slice(None))
    return parts[0], parts[1]


def _is_plain(frame: VideoFrame) -> bool:
    """Whether swscale makes sRGB of it by itself, as of almost every video."""
    space = colour.Space(frame.color_trc, frame.color_primaries)
    return space.is_srgb and (frame.format.is_rgb or frame.colorspace in TAGGED + UNTAGGED)


def _converted(
    path: Path, frame: VideoFrame, scaled: Callable[[VideoFrame, str], list[Plane]], has_alpha: bool
) -> Picture:
    """sRGB, (H, W, 3 or 4), of a frame in colours of its own, scaled by `scaled`."""
    space = colour.Space(frame.color_trc, frame.color_primaries)
    if frame.format.is_rgb:
        green, blue, red, *alpha = scaled(frame, "gbrap16le" if has_alpha else "gbrp16le")
        codes, depth = np.asarray(cv2.merge([red, green, blue]), np.float32) / np.float32(65535), 16
    else:
        matrix = _matrix(frame, frame.height) if frame.colorspace in UNTAGGED else int(frame.colorspace)
        if matrix not in (*colour.LUMA, colour.YCGCO):
            how = f"matrix {matrix} of ITU-T H.273"
            raise input_error(path, f"its colours are coded in a way not known here ({how}); convert it to BT.709")
        depth = 8 if max(component.bits for component in frame.format.components) == 8 else 16
        name = ("yuva444p" if has_alpha else "yuv444p") + ("" if depth == 8 else "16le")
        planes = scaled(frame, name)
        yuv, alpha = planes[:3], planes[3:]
        full = frame.color_range == ColorRange.JPEG
        codes = colour.yuv_to_rgb(cast(Plane, cv2.merge(yuv)), depth=depth, full=full, matrix=matrix)
    picture = colour.to_srgb(codes, space)
    return np.dstack([picture, *((plane >> (depth - 8)).astype(np.uint8) for plane in alpha)])


def _matrix(frame: VideoFrame, height: int) -> int:
    """The matrix that a frame names, or the one that players take for a video of that height."""
    if frame.colorspace in TAGGED:
        return frame.colorspace
    return Colorspace.ITU709 if height >= HD_LINES else Colorspace.ITU601


def _planes(frame: VideoFrame) -> list[Plane]:
    """(H, W) uint8 or uint16 of each of a frame's planes; PyAV puts them together ten times as slowly."""
    kind = np.uint16 if frame.format.components[0].bits > 8 else np.uint8
    return [np.frombuffer(memoryview(p), kind).reshape(p.height, -1)[:, : p.width] for p in frame.planes]


def _upright(picture: Picture, turn: list[int]) -> Picture:
    """Turned and mirrored as a display matrix asks, to the nearest right angle (ISO/IEC 14496-12, 6.2.2)."""
    a, b, _, c, d = turn  # (x, y) is shown at (a x + c y, b x + d y)
    if abs(b) + abs(c) > abs(a) + abs(d):
        picture, a, d = picture.transpose(1, 0, 2), c, b
    return picture[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1]
