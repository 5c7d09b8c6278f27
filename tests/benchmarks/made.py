"""A 1080p clip drawn on twos, as long as is wanted: the first shot of samples/wave.mp4, over and over, enlarged."""

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from samples.make_samples import HEIGHT, MARGIN, REELS, WIDTH, cels

RATE = Fraction(24)
HOLD = 2  # frames for each drawing


def make(path: Path, seconds: float) -> Path:
    """Write H.264, 1920x1080, 24 frames a second, a new drawing every second frame."""
    shot = REELS["wave"].shots[0]
    scene = shot.scene(HEIGHT, WIDTH + MARGIN)
    drawings = [_enlarged(scene, cel) for cel, _ in zip(cels("wave"), shot.exposure, strict=False)]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"crf": "20", "preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = 1920, 1080, "yuv420p"
        for i in range(round(seconds * RATE)):
            picture = drawings[i // HOLD % len(drawings)]
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        container.mux(stream.encode(None))
    return path


def _enlarged(scene: NDArray[np.uint8], cel: NDArray[np.uint8]) -> NDArray[np.uint8]:
    alpha = cel[..., 3:].astype(np.float32) / 255
    picture = (scene + (cel[..., :3] - scene.astype(np.float32)) * alpha).round().astype(np.uint8)
    return np.asarray(cv2.resize(picture[:, :WIDTH], (1920, 1080), interpolation=cv2.INTER_CUBIC), np.uint8)
