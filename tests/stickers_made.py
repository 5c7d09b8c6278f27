"""Stickers whose every property is chosen, by Pillow and PyAV alone."""

from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av
import numpy as np
from av.video.stream import VideoStream
from PIL import Image


def picture(size: tuple[int, int], i: int, *, empty: bool = False, opaque: bool = False) -> Image.Image:
    """A coloured block that moves by 3 pixels from one picture to the next; size is width, height."""
    rgba = np.zeros((size[1], size[0], 4), np.uint8)
    if opaque:
        rgba[...] = 255
    if not empty:
        rgba[20:60, 10 + 3 * i : 50 + 3 * i] = (200, 40 + 8 * i, 60, 255)
    return Image.fromarray(rgba)


def image(path: Path, size: tuple[int, int], ms: list[int], *, loop: int | None = 0, opaque: bool = False) -> Path:
    """A moving picture by Pillow; lossless."""
    pictures = [picture(size, i, opaque=opaque) for i in range(len(ms))]
    options: dict[str, Any] = {"lossless": True} if path.suffix == ".webp" else {}
    if loop is not None:
        options["loop"] = loop
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=ms, disposal=2, **options)
    return path


def video(
    path: Path, size: tuple[int, int], ms: list[int], *, codec: str = "libvpx-vp9", alpha: bool = True,
    sound: bool = False,
) -> Path:  # fmt: skip
    """A moving picture by PyAV, with a second of silence if asked for."""
    with av.open(str(path), "w") as container:
        layout = "yuva420p" if alpha else "yuv420p"
        options = {"auto-alt-ref": "0", "cpu-used": "8", "deadline": "realtime"}
        stream = cast("VideoStream", container.add_stream(codec, options=options))
        stream.width, stream.height, stream.pix_fmt = size[0], size[1], layout
        stream.codec_context.time_base = Fraction(1, 1000)
        audio = container.add_stream("libopus", rate=48000) if sound else None
        for i, at in enumerate(np.cumsum([0, *ms])[:-1]):
            frame = av.VideoFrame.from_ndarray(np.asarray(picture(size, i % 4)), "rgba").reformat(format=layout)
            frame.pts, frame.time_base = int(at), Fraction(1, 1000)
            for packet in stream.encode(frame):
                packet.duration = ms[i]
                container.mux(packet)
        for packet in stream.encode(None):
            packet.duration = ms[-1]
            container.mux(packet)
        if audio:
            silence = av.AudioFrame.from_ndarray(np.zeros((1, 960), np.int16), "s16", "mono")
            silence.rate = 48000
            container.mux([*audio.encode(silence), *audio.encode(None)])
    return path
