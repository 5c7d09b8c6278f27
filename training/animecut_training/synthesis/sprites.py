"""Characters with alpha, scaled and laid anywhere without a fringe of the colour that nobody sees."""

import cv2
import numpy as np
from numpy.typing import NDArray

from animecut_training.synthesis.augment import Sprite


def place_sprite(
    sprite: Sprite, linear: NDArray[np.float64], offset: NDArray[np.float64], size: tuple[int, int]
) -> Sprite:
    """The sprite on an empty frame, (height, width, 4) straight RGBA.

    linear: (2, 2), a turn with one scale, and offset: (2,), from the sprite's pixels to the frame's.
    size: width and height of the frame.
    """
    scale = abs(float(np.linalg.det(linear))) ** 0.5
    if scale < 0.7:  # warpAffine does not average, so shrink first
        h, w = sprite.shape[:2]
        near = (max(1, round(w * scale * 1.3)), max(1, round(h * scale * 1.3)))
        linear = linear @ np.diag([w / near[0], h / near[1]])
        sprite = shrink_sprite(sprite, near)
    layer = cv2.warpAffine(_premultiplied(sprite), np.column_stack([linear, offset]), size, flags=cv2.INTER_LINEAR)
    return _straight(np.asarray(layer, np.float32))


def shrink_sprite(sprite: Sprite, size: tuple[int, int]) -> Sprite:
    """The sprite at a smaller size: width and height, at least 1."""
    return _straight(np.asarray(cv2.resize(_premultiplied(sprite), size, interpolation=cv2.INTER_AREA), np.float32))


def _premultiplied(sprite: Sprite) -> NDArray[np.float32]:
    x = sprite.astype(np.float32)
    x[..., :3] *= x[..., 3:] / 255
    return x


def _straight(premultiplied: NDArray[np.float32]) -> Sprite:
    alpha = np.maximum(premultiplied[..., 3:], 1e-3)
    colour = np.clip(premultiplied[..., :3] * 255 / alpha, 0, 255)
    return np.dstack([colour, premultiplied[..., 3]]).round().astype(np.uint8)
