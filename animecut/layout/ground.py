"""What lies behind the character, still or moving: which picture of it shows when."""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from animecut._util.images import shrink
from animecut.types import Clip

Picture = NDArray[np.uint8]
"""(H, W, 3 or 4) sRGB, straight alpha."""


@dataclass(frozen=True, eq=False)
class Ground:
    """Pictures of one size, and their fence-post times in seconds from 0, one more than pictures; it plays for ever."""

    pictures: tuple[Picture, ...]
    times: tuple[float, ...]

    @property
    def is_opaque(self) -> bool:
        """Whether nothing shows through it."""
        return all(picture.shape[2] == 3 or bool((picture[..., 3] == 255).all()) for picture in self.pictures)

    def picture_at(self, moment: float) -> Picture:
        """The picture that shows at a moment, in seconds from the beginning, after any number of rounds."""
        place = bisect_right(self.times, moment % self.times[-1]) - 1
        return self.pictures[min(place, len(self.pictures) - 1)]

    def changes(self, since: float, until: float) -> list[float]:
        """The moments between the two, both excluded, at which another picture begins to show."""
        if len(self.pictures) == 1:
            return []
        length = self.times[-1]
        rounds = range(int(since // length), int(until // length) + 1)
        moments = [n * length + time for n in rounds for time in self.times[:-1]]
        return [moment for moment in moments if since < moment < until]


def gather_ground(clips: Iterable[Clip], bounds: tuple[int, int]) -> Ground:
    """The pictures of clips as a ground. Moving ones are kept no larger than what covers (height, width) `bounds`."""
    pictures: list[Picture] = []
    times: list[float] = []
    end = 0.0
    for clip in clips:
        for picture, time in zip(clip.pixels, clip.times[:-1], strict=True):
            pictures.append(_covering_at_most(picture, bounds) if pictures or len(clip) > 1 else np.array(picture))
            times.append(float(time))
        end = float(clip.times[-1])
    if len(pictures) > 1:
        pictures[0] = _covering_at_most(pictures[0], bounds)
    return Ground(tuple(pictures), (*(time - times[0] for time in times), end - times[0]))


def _covering_at_most(picture: Picture, bounds: tuple[int, int]) -> Picture:
    height, width = picture.shape[:2]
    scale = min(1.0, max(bounds[0] / height, bounds[1] / width))
    return np.array(shrink(picture, (max(1, round(width * scale)), max(1, round(height * scale)))))
