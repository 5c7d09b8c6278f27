"""The same picture as another cut, another hand, another broadcast or another encoder would have shown it.

By OpenCV: torchvision's transforms take 74 ms of CPU for what takes 16 here, and a step has eight pictures.
"""

from dataclasses import dataclass
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

Picture = NDArray[np.uint8]
"""(H, W, 3) RGB."""
Matte = NDArray[np.float32]
"""(H, W) in [0, 1], 1 = character."""
Sprite = NDArray[np.uint8]
"""(H, W, 4) straight RGBA."""

NIGHT = 0.1  # share of pictures and parts of them that are seen by night
THIN = 20  # of 255: a line is so much darker than what is beside it
HUE = 15.0  # degrees: standard deviation of a picture's turn of hue

Plane = TypeVar("Plane", NDArray[np.uint8], NDArray[np.float32])


@dataclass(frozen=True, eq=False)
class Framing:
    """Another cut of a picture: zoomed, turned, mirrored and cropped.

    matrix: (2, 3) from the picture's pixels to the cut's.  size: width and height of the cut.
    scale: of the zoom.  border: what lies outside of the picture, as OpenCV names it.
    """

    matrix: NDArray[np.float64]
    size: tuple[int, int]
    scale: float
    border: int

    def of(self, plane: Plane, *, exact: bool = False) -> Plane:
        """The cut of a picture or of anything that lies over it, (H, W) or (H, W, 3); exact: no value is mixed."""
        matrix = self.matrix.copy()
        if self.scale < 0.7:  # warpAffine does not average, so shrink first
            h, w = plane.shape[:2]
            near = (max(1, round(w * self.scale * 1.4)), max(1, round(h * self.scale * 1.4)))
            plane = cv2.resize(plane, near, interpolation=cv2.INTER_NEAREST if exact else cv2.INTER_AREA)  # type: ignore[assignment]
            matrix[:, :2] = matrix[:, :2] @ np.diag([w / near[0], h / near[1]])
        how = cv2.INTER_NEAREST if exact else cv2.INTER_LINEAR
        return cv2.warpAffine(plane, matrix, self.size, flags=how, borderMode=self.border)  # type: ignore[return-value]


def framing(
    shape: tuple[int, ...], height: int, width: int, rng: np.random.Generator, zoom: tuple[float, float] = (0.7, 1.8)
) -> Framing:
    """A cut of (height, width) of a picture of (h, w).

    zoom: range of the scale relative to the one at which the picture just covers the target.
    """
    h, w = shape
    scale = max(height / h, width / w) * float(np.exp(rng.uniform(*np.log(zoom))))
    angle = rng.uniform(-12, 12) if rng.random() < 0.3 else 0.0
    mirrored = rng.random() < 0.5
    # Where the picture is larger than the target any part of it may be seen, else it lies anywhere inside.
    slack = np.array([width - w * scale, height - h * scale])
    shift = (rng.uniform(0, 1, 2) - 0.5) * slack
    linear = rotation_matrix(scale, angle, mirrored=mirrored)
    offset = np.array([width, height]) / 2 + shift - linear @ np.array([w, h]) / 2
    border = cv2.BORDER_REFLECT_101 if rng.random() < 0.7 else cv2.BORDER_CONSTANT
    return Framing(np.column_stack([linear, offset]), (width, height), scale, border)


def rotation_matrix(scale: float, angle: float, *, mirrored: bool) -> NDArray[np.float64]:
    """(2, 2): scaled and turned by degrees, perhaps mirrored first."""
    cos, sin = scale * np.cos(np.radians(angle)), scale * np.sin(np.radians(angle))
    flip = -1.0 if mirrored else 1.0
    return np.array([[flip * cos, -sin], [flip * sin, cos]])


def grade(rgb: Picture, rng: np.random.Generator, strength: float = 1.0) -> Picture:
    """Another light: hue, saturation, contrast, gamma, tint and night."""
    x = rgb.astype(np.float32) / 255
    if rng.random() < 0.5:
        hsv = cv2.cvtColor(x, cv2.COLOR_RGB2HSV)
        hsv[..., 0] = (hsv[..., 0] + rng.normal(0, 12) * strength) % 360
        hsv[..., 1] = np.clip(hsv[..., 1] * np.exp(rng.normal(0, 0.25) * strength), 0, 1)
        x = np.asarray(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB), np.float32)
    x = x ** np.float32(np.exp(rng.normal(0, 0.22) * strength))
    x = (
        (x - 0.5) * np.float32(np.exp(rng.normal(0, 0.15) * strength))
        + 0.5
        + np.float32(rng.normal(0, 0.05) * strength)
    )
    if rng.random() < 0.3:
        x = x * (1 + rng.normal(0, 0.12, 3) * strength).astype(np.float32)
    if rng.random() < NIGHT:
        x = x * np.float32(rng.uniform(0.25, 0.75))
    if rng.random() < 0.04:
        x = np.repeat((x @ np.array([0.299, 0.587, 0.114], np.float32))[..., None], 3, axis=2)
    return (np.clip(x, 0, 1) * 255 + 0.5).astype(np.uint8)


def redraw(rgb: Picture, alpha: Matte, rng: np.random.Generator) -> Picture:
    """By another hand: lines thicker or thinner by a pixel or so, shades fewer and harder, or a hard shadow across.

    The character's edge, where alpha changes, stays where it is.
    """
    chance = rng.random()
    if chance < 0.5:
        other = _with_lines(rgb, alpha, thicker=chance < 0.3)
    elif chance < 0.75:
        ycc = cv2.cvtColor(rgb, cv2.COLOR_RGB2YCrCb)
        step = 255 / rng.integers(5, 12)
        ycc[..., 0] = np.clip(np.rint(ycc[..., 0] / step) * step, 0, 255).astype(np.uint8)
        other = np.asarray(cv2.cvtColor(ycc, cv2.COLOR_YCrCb2RGB), np.uint8)
    else:
        rough = rng.random((3, 4)).astype(np.float32)
        shadow = cv2.resize(rough, rgb.shape[1::-1], interpolation=cv2.INTER_CUBIC) > rng.uniform(0.4, 0.8)
        other = np.where(shadow[..., None], (rgb * rng.uniform(0.55, 0.85)).astype(np.uint8), rgb)
    share = rng.uniform(0.4, 1)
    return np.asarray(cv2.addWeighted(other, share, rgb, 1 - share, 0), np.uint8)


def _with_lines(rgb: Picture, alpha: Matte, *, thicker: bool) -> Picture:
    """Dark lines a pixel wider to either side, or gone where they are as thin."""
    disc, around = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3)), np.ones((5, 5), np.uint8)
    inner = cv2.dilate(alpha, around) == cv2.erode(alpha, around)
    if thicker:
        return np.where(inner[..., None], cv2.erode(rgb, disc), rgb).astype(np.uint8)
    ink = cv2.morphologyEx(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), cv2.MORPH_BLACKHAT, around)
    return np.where((inner & (ink > THIN))[..., None], cv2.dilate(rgb, disc), rgb).astype(np.uint8)


def rotate_hue(rgb: Picture, rng: np.random.Generator) -> Picture:
    """Every colour turned by the same few degrees: hair and clothes of another show, nothing lighter or darker."""
    hsv = cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2HSV)
    hsv[..., 0] = (hsv[..., 0] + rng.normal(0, HUE)) % 360
    return (np.clip(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB), 0, 1) * 255 + 0.5).astype(np.uint8)


def dither(rgb: Picture, colours: int) -> Picture:
    """As a GIF of so many colours shows it."""
    picture = Image.fromarray(rgb)
    few = picture.quantize(palette=picture.quantize(colours), dither=Image.Dither.FLOYDSTEINBERG)
    return np.asarray(few.convert("RGB"))


def degrade(rgb: Picture, rng: np.random.Generator) -> Picture:
    """What scaling, broadcasting and encoding do to a picture: a palette, softness, ringing, blocks, noise."""
    height, width = rgb.shape[:2]
    palette = rng.random() < 0.15
    if palette or rng.random() < 0.35:  # shown from a smaller master
        factor = rng.uniform(0.45, 0.95)
        less = max(8, int(width * factor)), max(8, int(height * factor))
        small = np.asarray(cv2.resize(rgb, less, interpolation=cv2.INTER_AREA), np.uint8)
        if palette:
            small = dither(small, int(rng.integers(32, 257)))
        how = int(rng.choice([cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4]))
        rgb = np.asarray(cv2.resize(small, (width, height), interpolation=how), np.uint8)
    chance = rng.random()
    if chance < 0.15:
        rgb = np.asarray(cv2.GaussianBlur(rgb, (0, 0), rng.uniform(0.4, 1.2)), np.uint8)
    elif chance < 0.3:  # sharpened
        soft = cv2.GaussianBlur(rgb, (0, 0), 1.0)
        rgb = np.asarray(cv2.addWeighted(rgb, 1.6, soft, -0.6, 0), np.uint8)
    if rng.random() < 0.2:
        rgb = np.clip(rgb + rng.normal(0, rng.uniform(1, 7), rgb.shape), 0, 255).astype(np.uint8)
    if rng.random() < 0.5:  # JPEG halves the colour's resolution and rings at lines much as H.264 does
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 90))]
        encoded = cv2.imencode(".jpg", rgb[..., ::-1], quality)[1]
        rgb = np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR), np.uint8)[..., ::-1]
    return np.ascontiguousarray(rgb)
