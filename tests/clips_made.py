"""Test videos whose every picture says which one it is, written without the code under test."""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
BITS = 10


def numbered(number: int, width: int = 80, height: int = 48) -> Picture:
    """(height, width, 3) RGB with `number` as ten upright stripes, dark 0 and light 1, lowest bit left."""
    row = np.where(number >> np.arange(width) * BITS // width & 1, 220, 30)
    return np.broadcast_to(row[None, :, None], (height, width, 3)).astype(np.uint8)


def number_in(picture: Picture) -> int:
    """The number that `numbered` painted, read in the middle of each stripe."""
    middles = picture[picture.shape[0] // 2, (2 * np.arange(BITS) + 1) * picture.shape[1] // (2 * BITS), 0]
    return sum(int(value > 125) << bit for bit, value in enumerate(middles))


def write_video(
    path: Path,
    pictures: Iterable[Picture | av.VideoFrame],
    *,
    stamps: Sequence[int] | None = None,
    tick: Fraction = Fraction(1, 24),
    codec: str = "libx264",
    pixels: str = "yuv420p",
    options: dict[str, str] | None = None,
    muxing: dict[str, str] | None = None,
    turn: tuple[float, bool, bool] | None = None,
    aspect: Fraction | None = None,
) -> Path:
    """Write pictures ((H, W, 3 or 4) RGB(A) uint8, or finished frames) and return the path.

    stamps: presentation time of each picture, in ticks of `tick` seconds; 0, 1, 2 ... where absent.
    turn: display matrix as degrees counterclockwise, mirrored left to right, mirrored top to bottom.
    aspect: width of a pixel over its height.
    """
    with av.open(str(path), "w", options=muxing or {}) as file:
        stream: av.VideoStream | None = None
        for place, picture in enumerate(pictures):
            frame = picture if isinstance(picture, av.VideoFrame) else _frame(picture, pixels)
            if stream is None:
                stream = cast(av.VideoStream, file.add_stream(codec, rate=1 / tick, options=options or {}))
                stream.width, stream.height, stream.pix_fmt = frame.width, frame.height, pixels
                stream.codec_context.time_base = stream.time_base = tick
                stream.codec_context.color_range = frame.color_range
                stream.codec_context.colorspace = frame.colorspace
                if aspect:
                    stream.codec_context.sample_aspect_ratio = aspect
                if turn:
                    stream.set_display_rotation(turn[0], hflip=turn[1], vflip=turn[2])
            frame.pts, frame.time_base = stamps[place] if stamps else place, tick
            file.mux(stream.encode(frame))
        if stream is not None:
            file.mux(stream.encode())
    return path


def _frame(picture: Picture, pixels: str) -> av.VideoFrame:
    layout = "rgba" if picture.shape[2] == 4 else "rgb24"
    return av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), layout).reformat(format=pixels)


def flat_yuv(
    colour: tuple[int, int, int],
    *,
    red_blue: tuple[float, float],
    full: bool,
    pixels: str = "yuv420p",
    size: tuple[int, int] = (64, 48),
) -> av.VideoFrame:
    """A frame of one RGB colour by the standard's own formula (ITU-R BT.601, BT.709), 8 or 10 bits, untagged.

    red_blue: the standard's luma weights of red and blue. full: 0..255, else 16..235 and 16..240.
    """
    depth = 10 if "10" in pixels else 8
    top, unit = 2**depth - 1, 2 ** (depth - 8)
    red, green, blue = (channel / 255 for channel in colour)
    weight_red, weight_blue = red_blue
    luma = weight_red * red + (1 - weight_red - weight_blue) * green + weight_blue * blue
    chroma = ((blue - luma) / (2 - 2 * weight_blue), (red - luma) / (2 - 2 * weight_red))
    if full:
        values = [luma * top, *(value * top + 128 * unit for value in chroma)]
    else:
        values = [(219 * luma + 16) * unit, *((224 * value + 128) * unit for value in chroma)]
    frame = av.VideoFrame(*size, pixels)
    for plane, value in zip(frame.planes, values, strict=True):
        kind = np.uint8 if depth == 8 else np.uint16
        plane.update(np.full(plane.buffer_size // np.dtype(kind).itemsize, min(top, round(value)), kind).tobytes())
    return frame
