"""The picture in the README: drawings of a sample and their cut-outs on white, black and a checkerboard.

Run: python samples/make_sheet.py
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import av
import numpy as np
from PIL import Image

HERE = Path(__file__).parent
CLIP = HERE / "wave.mp4"
MOMENTS = (0.4, 1.2, 2.4)  # seconds into the clip
WIDTH = 320  # pixels of each picture
SQUARE = 16  # pixels of the checkerboard


def checkerboard(height: int, width: int) -> np.ndarray:
    """(H, W, 3) uint8, two greys."""
    y, x = np.mgrid[:height, :width] // SQUARE
    return np.where(((x + y) % 2)[..., None] > 0, 204, 255).astype(np.uint8).repeat(3, axis=2)


def frame_at(seconds: float) -> Image.Image:
    """The sample's picture on screen then."""
    with av.open(str(CLIP)) as container:
        shown = [frame for frame in container.decode(video=0) if (frame.time or 0) <= seconds]
    return Image.fromarray(shown[-1].to_ndarray(format="rgb24"))


def row(seconds: float, folder: Path) -> Image.Image:
    """Source, and the cut-out on each ground."""
    sticker = folder / f"{seconds}.png"
    words = ["--start", str(seconds), "--end", str(seconds + 0.2), "--no-crop", "--size", str(WIDTH), "--quiet"]
    subprocess.run([sys.executable, "-m", "animecut", str(CLIP), "-o", str(sticker), *words], check=True)  # noqa: S603
    with Image.open(sticker) as image:
        rgba = image.convert("RGBA")
    grounds = [np.full((rgba.height, rgba.width, 3), shade, np.uint8) for shade in (255, 0)]
    grounds.append(checkerboard(rgba.height, rgba.width))
    strip = Image.new("RGB", (WIDTH * 4, rgba.height))
    strip.paste(frame_at(seconds).resize(rgba.size, Image.Resampling.LANCZOS))
    for i, ground in enumerate(grounds, start=1):
        laid = Image.fromarray(ground).convert("RGBA")
        laid.alpha_composite(rgba)
        strip.paste(laid.convert("RGB"), (WIDTH * i, 0))
    return strip


def main() -> None:
    """Write docs/sample.png."""
    with tempfile.TemporaryDirectory() as folder:
        rows = [row(seconds, Path(folder)) for seconds in MOMENTS]
    sheet = Image.new("RGB", (rows[0].width, sum(strip.height for strip in rows)))
    top = 0
    for strip in rows:
        sheet.paste(strip, (0, top))
        top += strip.height
    sheet.quantize(256).save(HERE.parent / "docs" / "sample.png", optimize=True)


if __name__ == "__main__":
    main()
