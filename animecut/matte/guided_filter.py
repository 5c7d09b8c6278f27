"""An alpha that follows the picture's edges: the guided filter (He, Sun and Tang 2010), guided by colour, in OpenCV."""

from itertools import combinations_with_replacement
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from animecut._util.masks import Plane

RADIUS = 3  # pixels: windows are seven wide, as wide as most ink lines and their edges
EPSILON = np.float32(1e-4)  # variance of colours in [0, 1] that counts as flat: a codec's noise
FLOOR = np.float32(0.05)  # weight of an even guess, where a sure one has 1


def guided_filter(rgb: NDArray[np.uint8], guess: Plane) -> Plane:
    """The guess as a linear function of colour in every window, the mean over the windows of each pixel.

    Sure guesses weigh more than even ones: what a window is fitted to is what the evidence knows.

    rgb: (H, W, 3) uint8.  guess: (H, W) float32 in [0, 1]. Returns (H, W) float32, about [0, 1].
    """
    colours = [np.asarray(plane, np.float32) for plane in cv2.split(rgb.astype(np.float32) / np.float32(255))]
    guess = np.asarray(guess, np.float32)
    weight = np.asarray(np.abs(2 * guess - 1) + FLOOR, np.float32)
    total = _box(weight)

    def mean(values: Plane) -> Plane:
        return _box(values * weight) / total

    means, level = [mean(colour) for colour in colours], mean(guess)
    rr, rg, rb, gg, gb, bb = (
        mean(colours[i] * colours[j]) - means[i] * means[j] + (EPSILON if i == j else 0)
        for i, j in combinations_with_replacement(range(3), 2)
    )
    r, g, b = (mean(colour * guess) - middle * level for colour, middle in zip(colours, means, strict=True))
    # The slope of each window solves (covariance of colours + EPSILON) slope = covariance with the guess: by cofactors.
    c00, c01, c02 = gg * bb - gb * gb, gb * rb - rg * bb, rg * gb - gg * rb
    c11, c12, c22 = rr * bb - rb * rb, rb * rg - rr * gb, rr * gg - rg * rg
    inverse = 1 / (rr * c00 + rg * c01 + rb * c02)
    slopes = (
        (c00 * r + c01 * g + c02 * b) * inverse,
        (c01 * r + c11 * g + c12 * b) * inverse,
        (c02 * r + c12 * g + c22 * b) * inverse,
    )
    fitted = _box(level)
    for slope, colour, middle in zip(slopes, colours, means, strict=True):
        fitted += _box(slope) * colour - _box(slope * middle)
    return fitted


def _box(values: NDArray[Any]) -> Plane:
    side = 2 * RADIUS + 1
    return np.asarray(cv2.boxFilter(values, -1, (side, side), borderType=cv2.BORDER_REFLECT), np.float32)
