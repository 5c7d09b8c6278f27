"""Bytes at equal likeness: our WebP against Pillow's, our GIF against FFmpeg's palettegen and paletteuse.

Run: python -m tests.quality.bytes [wave two ...] [--size PX]

The pictures are the samples with their exact alpha, so no network is asked. Likeness is the mean SSIM (luma on grey,
where anything shows) of what Pillow reads back against those pictures. Ours is the smallest file that is as good.
"""

import argparse
import tempfile
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import cast

import av
import numpy as np
from av.filter import Graph
from numpy.typing import NDArray
from PIL import Image

from animecut.encode.writer import write_sticker
from animecut.layout.compose import Box, Placement, resample
from animecut.platforms.similarity import ssim
from animecut.types import Clip
from animecut.video.reader import read_clips
from samples.make_samples import load_truth

SAMPLES = Path(__file__).parents[2] / "samples"
QUALITIES = range(30, 101, 2)  # of WebP
COLOURS = range(15, 256, 8)  # of GIF

Pictures = NDArray[np.uint8]
"""(T, H, W, 4) straight RGBA, uint8, sRGB."""


def sample(name: str, size: int) -> tuple[Pictures, NDArray[np.float64]]:
    """Every drawing once with its exact alpha, `size` pixels wide, and (T + 1,) fence posts in whole 1/100 s."""
    truth = load_truth(name)
    rgb = np.concatenate([clip.pixels for clip in read_clips(SAMPLES / f"{name}.mp4")])
    new = np.r_[True, (np.diff(truth.drawing) != 0) | (np.diff(truth.shot) != 0)]
    alpha = np.rint(truth.alpha[new] * 255).astype(np.uint8)
    height, width = alpha.shape[1:]
    placement = Placement(Box(0, 0, width, height), (round(height * size / width), size))
    pictures = [resample(np.dstack([p, a]), placement) for p, a in zip(rgb[new], alpha, strict=True)]
    times = np.round(np.append(truth.times[:-1][new], truth.times[-1]) * 100) / 100
    return np.stack(pictures), times


def by_pillow(path: Path, pictures: Pictures, times: NDArray[np.float64]) -> None:
    """An animated WebP as Pillow makes it when nothing is asked."""
    images = [Image.fromarray(picture) for picture in pictures]
    lengths = np.rint(np.diff(times) * 1000).astype(int).tolist()
    images[0].save(path, save_all=True, append_images=images[1:], duration=lengths, loop=0)


def by_ffmpeg(path: Path, pictures: Pictures, times: NDArray[np.float64], *, dither: str = "sierra2_4a") -> None:
    """A GIF by FFmpeg's palettegen and paletteuse, their other options as they come."""
    height, width = pictures.shape[1:3]
    graph = Graph()
    source = graph.add_buffer(width=width, height=height, format=av.VideoFormat("rgba"), time_base=Fraction(1, 100))
    split, make = graph.add("split"), graph.add("palettegen")
    use, sink = graph.add("paletteuse", f"dither={dither}"), graph.add("buffersink")
    source.link_to(split)
    split.link_to(use, 0, 0)
    split.link_to(make, 1, 0)
    make.link_to(use, 0, 1)
    use.link_to(sink)
    graph.configure()
    stamps = np.rint(times * 100).astype(int).tolist()
    for picture, stamp in zip(pictures, stamps, strict=False):
        frame = av.VideoFrame.from_ndarray(picture, "rgba")
        frame.pts, frame.time_base = stamp, Fraction(1, 100)
        graph.push(frame)
    graph.push(None)
    with av.open(str(path), "w", format="gif") as container:
        stream = container.add_stream("gif")
        stream.width, stream.height, stream.pix_fmt = width, height, "pal8"
        stream.codec_context.time_base = Fraction(1, 100)
        for _ in pictures:
            container.mux(stream.encode(cast("av.VideoFrame", graph.pull())))
        container.mux(stream.encode(None))


def likeness(path: Path, pictures: Pictures) -> float:
    """Mean SSIM of a file that has these pictures."""
    with Image.open(path) as image:
        found = []
        for i, picture in enumerate(pictures):
            image.seek(i)
            found.append(ssim(np.asarray(image.convert("RGBA")), picture))
    return float(np.mean(found))


def smallest(path: Path, clip: Clip, wanted: float, kind: str) -> int:
    """The lowest quality, or number of colours, at which our file is as good as wanted; path then holds it."""
    grades = QUALITIES if kind == "webp" else COLOURS

    def good(grade: int) -> bool:
        words = {"quality": grade} if kind == "webp" else {"colours": grade, "quality": 100}
        write_sticker(path, [clip], kind, **words)
        return likeness(path, clip.pixels) >= wanted

    low, high = 0, len(grades) - 1
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if good(grades[middle]) else (middle + 1, high)
    good(grades[high])
    return grades[high]


def main() -> None:
    """Print the rows of the table."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("names", nargs="*", default=["wave", "two"])
    words.add_argument("--size", type=int, default=320)
    chosen = words.parse_args()
    print("| sample | against | its bytes | its SSIM | our bytes | our SSIM | ours / its |")  # noqa: T201
    print("|---|---|---|---|---|---|---|")  # noqa: T201
    with tempfile.TemporaryDirectory() as folder:
        theirs, ours = Path(folder) / "theirs", Path(folder) / "ours"
        for name in chosen.names:
            pictures, times = sample(name, chosen.size)
            clip = Clip(pictures, times)
            rivals: list[tuple[str, str, Callable[[Path], None]]] = [
                ("webp", "Pillow's WebP", partial(by_pillow, pictures=pictures, times=times)),
                ("gif", "palettegen, paletteuse", partial(by_ffmpeg, pictures=pictures, times=times)),
                ("gif", "the same, dither=none", partial(by_ffmpeg, pictures=pictures, times=times, dither="none")),
            ]
            for kind, rival, make in rivals:
                a, b = theirs.with_suffix(f".{kind}"), ours.with_suffix(f".{kind}")
                make(a)
                wanted = likeness(a, pictures)
                grade = smallest(b, clip, wanted, kind)
                sizes = a.stat().st_size, b.stat().st_size
                ours_is = f"{sizes[1]:,} ({'quality' if kind == 'webp' else 'colours'} {grade})"
                print(  # noqa: T201
                    f"| {name} | {rival} | {sizes[0]:,} | {wanted:.4f} | {ours_is} | {likeness(b, pictures):.4f}"
                    f" | {sizes[1] / sizes[0]:.2f} |"
                )


if __name__ == "__main__":
    main()
