"""The road of giving up: which sticker comes next where one is too large, and about how many bytes each step saves.

Places on it are natural logarithms of the bytes that are saved, so that a search by false position finds a byte limit
in few encodes. The order: that share of quality or colours which is not missed on flat cels, drawings down to threes,
more of quality or colours, pixels.
"""

from dataclasses import dataclass
from math import exp, log

import numpy as np

LEAST_SCALE = 0.25  # of the side; smaller is no sticker
ALL_COLOURS = 4097  # grade of an APNG in which no colour was given up
COLOURS = {"gif": 255, "apng": ALL_COLOURS}  # grades of what has colours instead of quality, at their best
FINE = {
    "webp": 75,
    "webm": 65,
    "avif": 75,
    "gif": 64,
    "apng": 64,
}  # grade; costs 0.03 of SSIM, half of the drawings 0.1 to 0.3
LEAST = {
    "webp": 40,
    "webm": 55,
    "avif": 60,
    "gif": 24,
    "apng": 24,
}  # grade, unless it cannot be read back or pictures become one
BYTES = {  # natural logarithm of a file's bytes by its grade, as real clips have it, each within 0.1
    "webp": {1: -0.8, 40: -0.5, 65: -0.4, 75: -0.35, 90: 0.0, 100: 0.5},
    "webm": {1: -4.0, 55: -2.28, 65: -1.57, 70: -1.16, 75: -0.78, 90: 0.0, 100: 1.2},
    "avif": {1: -1.0, 60: -0.64, 75: -0.35, 90: 0.0, 100: 0.39},
    "gif": {1: -2.0, 24: -0.73, 64: -0.4, 128: -0.17, 255: 0.0},
    "apng": {
        1: -4.0,
        24: -2.04,
        64: -1.64,
        128: -1.4,
        255: -1.2,
        256: -0.82,
        1024: -0.58,
        4096: -0.29,
        ALL_COLOURS: 0.0,
    },
}


@dataclass(frozen=True)
class Rung:
    """What is kept: how many drawings, quality or colours, and share of the side."""

    drawings: int
    grade: int
    scale: float = 1.0


@dataclass(frozen=True)
class QualityLadder:
    """From the better of two stickers to the worse one: first the grade down to `fine`, last of all the pixels."""

    kind: str
    best: Rung
    fine: int
    worst: Rung

    @property
    def length(self) -> float:
        """Place of the worst sticker."""
        return sum(self._stages)

    @property
    def _stages(self) -> tuple[float, float, float, float]:
        """What is saved by colours or quality, by drawings, by more of the first, by pixels."""
        best, worst = self.best, self.worst
        return (
            self._bytes(best.grade) - self._bytes(self.fine),
            log(best.drawings / worst.drawings),
            self._bytes(self.fine) - self._bytes(worst.grade),
            2 * log(best.scale / worst.scale),
        )

    def at(self, place: float) -> Rung:
        """The sticker at a place from 0 to the length of the road."""
        saved = []
        for stage in self._stages:
            saved.append(min(place, stage))
            place -= saved[-1]
        graded, drawn, graded_again, scaled = saved
        return Rung(
            max(self.worst.drawings, round(self.best.drawings * exp(-drawn))),
            self._grade(self._bytes(self.best.grade) - graded - graded_again),
            round(self.best.scale * exp(-scaled / 2), 3),
        )

    def _bytes(self, grade: int) -> float:
        known = BYTES.get(self.kind, {grade: 0.0})
        return float(np.interp(log(grade), np.log(list(known)), list(known.values())))

    def _grade(self, wanted: float) -> int:
        known = BYTES.get(self.kind, {self.best.grade: 0.0})
        return round(exp(np.interp(wanted, list(known.values()), np.log(list(known)))))
