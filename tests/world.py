"""A clip whose truth is known, and a network that sees it: a red figure with an ink line walks over green noise."""

from pathlib import Path

import av
import cv2
import numpy as np

from animecut.types import Alpha, Pixels

HEIGHT, WIDTH = 144, 256
INK, SKIN = (60, 10, 10), (230, 40, 60)


def drawing(x: float, *, empty: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """One picture, (H, W, 3) uint8 RGB, and its exact alpha, (H, W) float32: a head on a body, its middle at x."""
    background = np.random.default_rng(1).normal(0, 14, (HEIGHT // 4, WIDTH // 4))
    background = np.asarray(cv2.resize(background, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC), np.float64)
    rgb = np.clip(np.stack([90 + background, 170 + background, 110 + background], axis=2), 0, 255)
    alpha = np.zeros((HEIGHT, WIDTH), np.float32)
    inside = np.zeros((HEIGHT, WIDTH), np.float32)
    if not empty:
        for canvas, line in ((alpha, 2.0), (inside, 0.0)):
            fine = np.zeros((HEIGHT * 4, WIDTH * 4), np.uint8)
            cv2.circle(fine, (round(x * 4), 48 * 4), round((20 + line) * 4), 255, -1)
            cv2.ellipse(
                fine, (round(x * 4), 110 * 4), (round((26 + line) * 4), round((44 + line) * 4)), 0, 0, 360, 255, -1
            )
            canvas[:] = cv2.resize(fine, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    figure = inside[..., None] * SKIN + (1 - inside[..., None]) * np.array(INK)
    rgb = rgb * (1 - alpha[..., None]) + figure * alpha[..., None]
    return rgb.round().astype(np.uint8), alpha


def write_clip(path: Path, drawings: list[np.ndarray], *, hold: int = 2, rate: int = 24) -> Path:
    """H.264 with every drawing shown for `hold` frames."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rate, options={"crf": "16"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for rgb in drawings:
            for _ in range(hold):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(rgb, "rgb24")))
        container.mux(stream.encode(None))
    return path


def walking(count: int = 6) -> list[tuple[np.ndarray, np.ndarray]]:
    """Drawings of the figure walking to the right."""
    return [drawing(60 + 12.0 * i) for i in range(count)]


def see(pixels: Pixels) -> Alpha:
    """What a good network would say: coarse, soft, and sure only of what is red or dark."""
    masks = []
    for picture in pixels:
        small = cv2.resize(picture[..., :3], (WIDTH // 2, HEIGHT // 2), interpolation=cv2.INTER_AREA).astype(np.float32)
        likeness = (small[..., 0] - small[..., 1] + 40) / 80
        dark = (110 - small.max(axis=2)) / 60
        masks.append(cv2.GaussianBlur(np.clip(np.maximum(likeness, dark), 0, 1), (0, 0), 0.7))
    return np.stack(masks).astype(np.float32)
