"""RGBA pictures in few colours, the same few in all of them, so that lossless formats get smaller and nothing boils."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
"""(H, W, 4) straight RGBA, uint8, sRGB."""

Points = NDArray[np.float32]
"""(N, D) places in a space of colours."""

Keys = NDArray[np.int32]
"""Numbers of cells: 0 is clear, below OPAQUE lie half transparent ones, from OPAQUE on opaque ones."""

SOFT_BITS = 5  # of each premultiplied channel and of alpha that tell half transparent cells apart
OPAQUE_BITS = 6  # of each channel, for opaque ones: 4 levels per cell
OPAQUE = 1 << 4 * SOFT_BITS
SOFT_SHARE = 0.25  # of the colours go to half transparent edges
FAVOUR = 0.5  # power of a colour's area that it weighs with: small eyes keep their colour, broad gradients cost less
ROUNDS = 8  # of k-means; more move no colour that is seen


@dataclass(frozen=True)
class ColourHistogram:
    """Which cells some pictures have colours in, how many pixels, and their mean colour (premultiplied, alpha)."""

    keys: Keys
    areas: NDArray[np.float64]
    means: Points


def colour_histogram(pictures: Iterable[Picture]) -> ColourHistogram:
    """Colours of all the pictures together; clear pixels have none."""
    count = OPAQUE + (1 << 3 * OPAQUE_BITS)
    sums = np.zeros((5, count))
    for picture in pictures:
        keys, values = _keys(picture).reshape(-1), _premultiplied(picture).reshape(-1, 4)
        sums[0] += np.bincount(keys, minlength=count)
        for i in range(4):
            sums[1 + i] += np.bincount(keys, values[:, i], count)
    sums[0, 0] = 0
    there = np.flatnonzero(sums[0])
    return ColourHistogram(
        there.astype(np.int32), sums[0, there], (sums[1:, there] / sums[0, there]).T.astype(np.float32)
    )


def build_palette(cells: ColourHistogram, size: int) -> Picture:
    """For each of K cells one of at most `size` colours: a (1, K, 4) strip."""
    soft = cells.keys < OPAQUE
    share = max(1, round(size * SOFT_SHARE)) if soft.any() else 0
    means = np.empty_like(cells.means)
    for which, count in ((soft, share), (~soft, size - share)):
        points = cells.means[which]
        few = k_means(points, cells.areas[which] ** FAVOUR, count)
        means[which] = few[nearest_index(points, few)]
    means[~soft, 3] = 255
    alpha = np.maximum(means[:, 3:], 1)
    straight = np.concatenate([np.minimum(means[:, :3] * 255 / alpha, 255), alpha], axis=1)
    return np.asarray(np.rint(straight)[None], np.uint8)


def quantise(picture: Picture, cells: ColourHistogram, palette: Picture) -> Picture:
    """One of the cells' pictures in the palette's colours; what is clear stays clear, what is opaque stays opaque."""
    place = np.searchsorted(cells.keys, _keys(picture)).clip(0, max(0, len(cells.keys) - 1))
    return np.where(picture[..., 3:] > 0, palette[0, place], np.uint8(0))


def k_means(points: Points, weights: NDArray[np.float64], size: int) -> Points:
    """At most `size` places among weighted points: k-means (Lloyd 1982), begun with points far from one another.

    The start takes the heaviest point, then again and again the one with the largest weight times squared distance from
    those taken (maximin: Gonzalez 1985, with weights as in k-means++, but without chance).
    """
    if len(points) <= size:
        return points
    found = np.empty((size, points.shape[1]), np.float32)
    lengths, shares = (points**2).sum(axis=1), weights.astype(np.float32)
    far = np.full(len(points), np.inf, np.float32)
    taken = int(weights.argmax())
    for i in range(size):
        found[i] = points[taken]
        np.minimum(far, lengths - 2 * (points @ found[i]) + lengths[taken], out=far)
        taken = int((far * shares).argmax())
    for _ in range(ROUNDS):
        place = nearest_index(points, found)
        mass = np.bincount(place, weights, size)
        sums = np.stack([np.bincount(place, weights * channel, size) for channel in points.T], axis=1)
        found = np.where(mass[:, None] > 0, sums / np.maximum(mass, 1e-9)[:, None], found).astype(np.float32)
    return found


def nearest_index(points: Points, few: Points) -> NDArray[np.intp]:
    """Index of the nearest of `few` for each point."""
    from scipy.spatial import cKDTree  # late: it takes longer to load than all the rest of a WebP

    return np.asarray(cKDTree(few).query(points)[1], np.intp)


def _premultiplied(picture: Picture) -> NDArray[np.float32]:
    """The colour of what can hardly be seen hardly counts."""
    values = picture.astype(np.float32)
    values[..., :3] *= values[..., 3:] / 255
    return values


def _keys(picture: Picture) -> Keys:
    """(H, W) cells."""
    alpha = picture[..., 3].astype(np.int32)
    colour = picture[..., :3].astype(np.int32)
    opaque = np.full_like(alpha, OPAQUE)
    for i in range(3):
        opaque += colour[..., i] >> 8 - OPAQUE_BITS << i * OPAQUE_BITS
    soft = alpha >> 8 - SOFT_BITS << 3 * SOFT_BITS
    for i in range(3):
        soft += colour[..., i] * alpha // 255 >> 8 - SOFT_BITS << i * SOFT_BITS
    return np.where(alpha == 255, opaque, np.where(alpha > 0, np.maximum(soft, 1), 0)).astype(np.int32)
