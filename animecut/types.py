"""What flows through animecut: pictures and when each is shown."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

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


@dataclass(frozen=True, eq=False)
class Clip:
    """A run of pictures and when each is shown.

    pixels: (T, H, W, 3) RGB or (T, H, W, 4) straight (not premultiplied) RGBA, uint8, sRGB, T >= 1.
    times:  (T + 1,) float64 seconds, strictly increasing; picture i is on screen from times[i] to times[i + 1].
    shot:   number of the shot that all the pictures belong to, counted from 0; a clip never crosses a cut.

    Raises ValueError where shapes, types or times disagree.
    """

    pixels: Pixels
    times: Seconds
    shot: int = 0

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
        return f"Clip({shape}, {self.times[0]:.3f}..{self.times[-1]:.3f} s, shot {self.shot})"

    def __getitem__(self, index: slice) -> "Clip":
        """The pictures of a non-empty slice with step 1, as views."""
        start, stop, step = index.indices(len(self))
        if step != 1:
            raise ValueError("a clip is cut in runs: step must be 1")
        return replace(self, pixels=self.pixels[start:stop], times=self.times[start : stop + 1])

    @property
    def duration(self) -> float:
        """Seconds from the first picture's appearance to the last one's end."""
        return float(self.times[-1] - self.times[0])


def merge_characters(alpha: Alpha) -> Alpha:
    """All characters on one plane, (T, H, W)."""
    return alpha if alpha.ndim == 3 else alpha.max(axis=1)


def add_opaque_alpha(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(H, W, 3) RGB as (H, W, 4) that hides all below it; what is RGBA stays as it is."""
    if picture.shape[2] == 4:
        return picture
    return np.dstack([picture, np.full(picture.shape[:2], 255, np.uint8)])


def join_clips(clips: Iterable[Clip]) -> Clip:
    """One clip of neighbours of equal size; the shot is the first one's. Raises ValueError where there is none."""
    runs = list(clips)
    if not runs:
        raise ValueError("nothing to join")
    pixels = runs[0].pixels if len(runs) == 1 else np.concatenate([run.pixels for run in runs])
    times = np.concatenate([runs[0].times[:1], *(run.times[1:] for run in runs)])
    return Clip(pixels, times, runs[0].shot)


def one_by_one(clips: Iterable[Clip]) -> Iterator[Clip]:
    """The same pictures as clips of one picture each, as views."""
    for clip in clips:
        for i in range(len(clip)):
            yield clip[i : i + 1]
