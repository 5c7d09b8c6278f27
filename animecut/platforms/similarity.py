"""How alike two pictures look, and how good a still one is."""

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
"""(H, W, 4) straight RGBA, uint8, sRGB."""

Thumbnail = NDArray[np.float32]
"""(D,) the luma of a small picture on grey, 0..255, row after row."""

SMALL = 64  # pixels along the longer side of a thumbnail
GREY = 128.0  # ground on which pictures are compared: neither black nor white edges vanish
SIGMA = 1.5  # pixels; window, and the two constants that keep the quotient stable: Wang et al. 2004
C1, C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2


def ssim(picture: Picture, reference: Picture) -> float:
    """Structural similarity of the luma on grey, the mean over where either shows something; 1 where neither does.

    Wang, Bovik, Sheikh, Simoncelli: Image quality assessment, 2004.
    """
    shown = (picture[..., 3] > 0) | (reference[..., 3] > 0)
    if not shown.any():
        return 1.0
    x, y = _luma(picture), _luma(reference)
    mean_x, mean_y = _blur(x), _blur(y)
    var_x, var_y = _blur(x * x) - mean_x**2, _blur(y * y) - mean_y**2
    both = _blur(x * y) - mean_x * mean_y
    quotient = (2 * mean_x * mean_y + C1) * (2 * both + C2) / ((mean_x**2 + mean_y**2 + C1) * (var_x + var_y + C2))
    return float(quotient[shown].mean())


def still_score(picture: Picture) -> float:
    """Larger for a larger, sharper character: its area times the spread of its Laplacian; 0 where nothing shows.

    The spread of the Laplacian as a measure of focus: Pech-Pacheco et al. 2000.
    """
    opaque = picture[..., 3] >= 128
    if not opaque.any():
        return 0.0
    edges = np.asarray(cv2.Laplacian(_luma(picture), cv2.CV_32F))
    return float(np.sqrt(opaque.mean()) * edges[opaque].std())


def thumbnail(picture: Picture) -> Thumbnail:
    """What tells drawings of one size apart at a glance."""
    height, width = picture.shape[:2]
    scale = SMALL / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(_luma(picture), size, interpolation=cv2.INTER_AREA), np.float32).reshape(-1)


def pairwise_distances(thumbnails: NDArray[np.float32]) -> NDArray[np.float64]:
    """(T, T) root of the squared difference of every two of (T, D) thumbnails."""
    values = thumbnails.astype(np.float64)
    products = values @ values.T
    squares = np.diag(products)
    return np.asarray(np.sqrt(np.maximum(squares[:, None] + squares - 2 * products, 0)))


def _luma(picture: Picture) -> NDArray[np.float32]:
    """(H, W) float32 0..255, BT.601, on grey."""
    alpha = picture[..., 3].astype(np.float32) / 255
    luma = picture[..., :3].astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
    return np.asarray(luma * alpha + GREY * (1 - alpha), dtype=np.float32)


def _blur(values: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(cv2.GaussianBlur(values, (11, 11), SIGMA), dtype=np.float32)
