"""What stands out from a character and encloses what is behind it: locks of hair, ribbons, limbs, in its own colours.

Sprites stand upright with their arms down; people on screen have gaps between arm and body, legs and locks.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from animecut_training.synthesis.augment import Picture, Sprite
from animecut_training.synthesis.distractors import SHIFT, Colour, Points, shade

LEAST = 400  # pixels of a character that is large enough to grow anything
ALONG = np.linspace(0, 1, 24)[:, None]


def add_strands(layer: Sprite, rng: np.random.Generator) -> Sprite:
    """The character with one to seven strips that begin at its outline and end in the air or at the outline again."""
    solid = layer[..., 3] > 128
    outline = np.argwhere(solid & ~cv2.erode(solid.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool))[:, ::-1]
    if len(outline) < 2 or solid.sum() < LEAST:
        return layer
    size = float(np.sqrt(solid.sum()))
    middle = np.argwhere(solid)[:, ::-1].mean(axis=0)
    limbs = rng.random() < 0.4
    beginnings = outline[rng.integers(len(outline))] + rng.normal(0, 0.12, (int(rng.integers(1, 8)), 2)) * size
    for beginning in beginnings:
        start = outline[np.abs(outline - beginning).sum(axis=1).argmin()].astype(float)
        path = _path(start, outline, middle, size, rng, closed=rng.random() < 0.5)
        wide = size * (rng.uniform(0.03, 0.09) if limbs else rng.uniform(0.006, 0.035))
        thinner = 0.2 if limbs else float(rng.choice([0.6, 1.0]))
        strip = _strip(path, wide * (1 - thinner * ALONG[:, 0]))
        layer = _painted(layer, strip, _colour(layer, start, middle, rng), size, rng)
    return layer


def _path(
    start: Points, outline: NDArray[np.int64], middle: Points, size: float, rng: np.random.Generator, *, closed: bool
) -> Points:
    """A bent line (quadratic Bezier) from inside of the outline outward, or outward and back to the outline."""
    out = (start - middle) / (np.linalg.norm(start - middle) + 1e-6)
    reach = size * rng.uniform(0.15, 0.7)
    if closed:
        away = np.abs(np.linalg.norm(outline - start, axis=1) - reach)
        end = outline[int(rng.choice(np.argsort(away)[:20]))].astype(float)
        bend = (start + end) / 2 + out * reach * rng.uniform(0.2, 0.9)
    else:
        end = start + reach * (out + rng.normal(0, 0.6, 2))
        bend = (start + end) / 2 + rng.normal(0, 0.35, 2) * reach
    begin = start - out * 0.04 * size
    return np.asarray((1 - ALONG) ** 2 * begin + 2 * ALONG * (1 - ALONG) * bend + ALONG**2 * end, np.float64)


def _strip(path: Points, wide: NDArray[np.float64]) -> Points:
    """The outline of a strip along a path, `wide` to either side."""
    along = np.gradient(path, axis=0)
    across = np.stack([-along[:, 1], along[:, 0]], axis=1) / (np.linalg.norm(along, axis=1, keepdims=True) + 1e-6)
    side = across * wide[:, None]
    return np.concatenate([path + side, (path - side)[::-1]])


def _colour(layer: Sprite, start: Points, middle: Points, rng: np.random.Generator) -> Colour:
    """The character's own a little inside of its outline, somewhat lighter or darker."""
    x, y = (start + (middle - start) * rng.uniform(0.03, 0.2)).round().astype(int)
    rgba = layer[min(max(y, 0), layer.shape[0] - 1), min(max(x, 0), layer.shape[1] - 1)]
    anywhere = layer[layer[..., 3] > 128, :3]
    own = rgba[:3] if rgba[3] > 200 else anywhere[int(rng.integers(len(anywhere)))]
    return shade(own, rng.uniform(0.85, 1.2))


def _painted(layer: Sprite, strip: Points, colour: Colour, size: float, rng: np.random.Generator) -> Sprite:
    """The layer with an inked strip before or behind what is there."""
    height, width = layer.shape[:2]
    line = max(1, round(size * rng.uniform(0.0, 0.012)))
    low, high = np.floor(strip.min(axis=0)).astype(int) - line - 1, np.ceil(strip.max(axis=0)).astype(int) + line + 2
    (left, top), (right, bottom) = np.maximum(low, 0), np.minimum(high, (width, height))
    if right <= left or bottom <= top:
        return layer
    paint: Picture = np.full((bottom - top, right - left, 3), colour, np.uint8)
    mask = np.zeros(paint.shape[:2], np.uint8)
    points = [np.round((strip - (left, top)) * 2**SHIFT).astype(np.int32)]
    cv2.fillPoly(mask, points, 255, cv2.LINE_AA, SHIFT)
    cv2.polylines(mask, points, True, 255, line, cv2.LINE_AA, SHIFT)
    if rng.random() < 0.8:
        cv2.polylines(paint, points, True, (colour * rng.uniform(0.2, 0.6)).tolist(), line, cv2.LINE_AA, SHIFT)
    part = layer[top:bottom, left:right].astype(np.float32)
    new = np.dstack([paint, mask]).astype(np.float32)
    over, under = (new, part) if rng.random() < 0.5 else (part, new)
    a, b = over[..., 3:] / 255, under[..., 3:] / 255 * (1 - over[..., 3:] / 255)
    both = np.maximum(a + b, 1e-6)
    mixed = np.dstack([(over[..., :3] * a + under[..., :3] * b) / both, both * 255])
    after = layer.copy()
    after[top:bottom, left:right] = np.clip(mixed, 0, 255).round().astype(np.uint8)
    return after


def hide_face(layer: Sprite, rng: np.random.Generator) -> Sprite:
    """The character seen from behind: hair, with its lines, where the face was; only where all of the head is seen."""
    solid = layer[..., 3] > 128
    rows = np.flatnonzero(solid.any(axis=1))
    if len(rows) < 40 or rows[0] == 0:
        return layer
    top, tall = int(rows[0]), len(rows)
    widths = cv2.GaussianBlur(solid.sum(axis=1).astype(np.float32)[:, None], (1, 9), 0)[:, 0]
    low, high = top + tall // 8, top + tall // 2
    neck = low + int(widths[low:high].argmin())
    head = neck - top
    beside = solid[top:neck, [0, -1]].any()
    if head < 12 or beside or not 1 <= widths[neck] <= 0.8 * widths[top:neck].max():
        return layer
    inside = solid[top:neck]
    xs = np.argwhere(inside)[:, 1]
    left, right = np.percentile(xs, (4, 96))
    crown = layer[top : top + max(3, head // 6)]
    hair = np.median(crown[crown[..., 3] > 200][:, :3], axis=0) if (crown[..., 3] > 200).any() else np.zeros(3)
    mask = np.zeros(solid.shape, np.uint8)
    middle = ((left + right) / 2, top + 0.6 * head)
    cv2.ellipse(mask, (middle, ((right - left) * 0.86, head * 0.95), 0), 255, -1, cv2.LINE_AA)
    paint: Picture = np.full((*solid.shape, 3), hair, np.uint8)
    for _ in range(int(rng.integers(2, 9))):
        x = rng.uniform(left, right)
        lock = np.stack([x + (x - middle[0]) * 0.3 * ALONG[:, 0] ** 2, top + head * (0.1 + 1.0 * ALONG[:, 0])], axis=1)
        tone = shade(hair, float(rng.choice([0.6, 0.8, 1.25]))).tolist()
        points = [np.round(lock * 2**SHIFT).astype(np.int32)]
        cv2.polylines(paint, points, False, tone, max(1, round(head * rng.uniform(0.005, 0.04))), cv2.LINE_AA, SHIFT)
    share = (mask / 255 * solid)[..., None]
    after = layer.copy()
    after[..., :3] = (layer[..., :3] * (1 - share) + paint * share).astype(np.uint8)
    return after
