"""What flows through animecut: drawings of the source, and finished clips."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
"""(T, H, W, 3) RGB or (T, H, W, 4) straight RGBA, uint8, sRGB."""

Alpha = NDArray[np.float32]
"""(T, H, W) float32 in [0, 1], 1 = character. May be a coarser grid laid over the same pictures.

Until `pick` has chosen among them, (T, n, H, W) where the network tells n characters apart.
"""

Seconds = NDArray[np.float64]
"""(T + 1,) float64 seconds: fence posts, not durations."""

Segment = Callable[[Pixels], Alpha]
"""Pictures, (T, H, W, 3) uint8 RGB, to their coarse alpha. A Segmenter is one."""


@dataclass(frozen=True, eq=False)
class Drawing:
    """One picture of the source for as long as it is held.

    rgb:  (H, W, 3) uint8 sRGB.
    view: (h, w, 3) uint8 sRGB, the small copy that the network, the tracking and the flow look at; what is transparent
          in the source is grey.
    start, end: seconds of the source; end is exclusive.
    source_alpha: (H, W) uint8, the source's own; None where it has none.
    shot: counted from 0; it changes at a cut.
    frames: how many frames of the source it is held for.
    alpha: (h, w) float32 in [0, 1] on the view's grid, 1 = character; (n, h, w) where a network tells n characters
           apart, until one is selected; None before the segmentation.
    """

    rgb: NDArray[np.uint8]
    view: NDArray[np.uint8]
    start: float
    end: float
    source_alpha: NDArray[np.uint8] | None = None
    shot: int = 0
    frames: int = 1
    alpha: Alpha | None = None

    @property
    def known_alpha(self) -> Alpha:
        """The alpha; ValueError before the segmentation."""
        if self.alpha is None:
            raise ValueError(f"{self} has no alpha yet")
        return self.alpha

    def __repr__(self) -> str:
        height, width = self.rgb.shape[:2]
        return f"Drawing({width}x{height}, {self.start:.3f}..{self.end:.3f} s, shot {self.shot})"


@dataclass(frozen=True, eq=False)
class Clip:
    """A run of pictures and when each is shown.

    pixels: (T, H, W, 3) RGB or (T, H, W, 4) straight (not premultiplied) RGBA, uint8, sRGB, T >= 1.
    times:  (T + 1,) float64 seconds, strictly increasing; picture i is on screen from times[i] to times[i + 1].

    Raises ValueError where shapes, types or times disagree.
    """

    pixels: Pixels
    times: Seconds

    def __post_init__(self) -> None:
        pixels, times = self.pixels, self.times
        if pixels.dtype != np.uint8 or pixels.ndim != 4 or pixels.shape[3] not in (3, 4) or not pixels.size:
            raise ValueError(f"pixels must be uint8 (T, H, W, 3 or 4), got {pixels.dtype} {pixels.shape}")
        if times.dtype != np.float64 or times.shape != (len(pixels) + 1,):
            raise ValueError(f"times must be float64 ({len(pixels) + 1},), got {times.dtype} {times.shape}")
        if not (np.diff(times) > 0).all():
            raise ValueError("times must increase")

    def __len__(self) -> int:
        return len(self.pixels)

    def __repr__(self) -> str:
        shape = "x".join(map(str, self.pixels.shape))
        return f"Clip({shape}, {self.times[0]:.3f}..{self.times[-1]:.3f} s)"

    @property
    def duration(self) -> float:
        """Seconds from the first picture's appearance to the last one's end."""
        return float(self.times[-1] - self.times[0])


def merge_characters(alpha: Alpha) -> Alpha:
    """All characters of each picture on one plane: (T, H, W) of (T, H, W) or (T, n, H, W)."""
    return alpha if alpha.ndim == 3 else alpha.max(axis=1)


def add_opaque_alpha(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(H, W, 3) RGB as (H, W, 4) that hides all below it; what is RGBA stays as it is."""
    if picture.shape[2] == 4:
        return picture
    return np.dstack([picture, np.full(picture.shape[:2], 255, np.uint8)])
