"""Frames that were never broadcast: drawn characters over scenes, with exact alpha."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from animecut._util.masks import bounding_window
from animecut_training.data.dataset import Labelled
from animecut_training.synthesis.augment import Matte, Picture, Sprite, grade, rotation_matrix
from animecut_training.synthesis.backgrounds import card
from animecut_training.synthesis.distractors import draw_distractors, draw_particles, palette_of
from animecut_training.synthesis.sprites import place_sprite
from animecut_training.synthesis.strands import add_strands, hide_face

AWAY = 0.15  # share of the characters that are seen from behind
GROWN = 0.4  # share of the characters that have more locks or limbs than they were drawn with
OPAQUE = 200  # of 255: a character's own colour, not its edge's
OWN_COLOURS = 0.3  # share of the scenes that are painted in a character's colours


@dataclass(frozen=True, eq=False)
class Assets:
    """What frames are made of.

    sprites: characters with exact alpha, and how often each is drawn (weights need not sum to one).
    scenes:  (H, W, 3) RGB pictures without characters.
    """

    sprites: Sequence[Sprite]
    weights: NDArray[np.float64]
    scenes: Sequence[Picture]


def cut_out(frame: Labelled) -> Sprite:
    """The labelled character alone, a little inside its hand-drawn outline so that no background comes along."""
    inside = cv2.erode(frame.alpha, np.ones((3, 3), np.uint8), borderType=cv2.BORDER_REPLICATE)
    soft = cv2.GaussianBlur(inside, (0, 0), 0.8)
    return np.dstack([frame.rgb, (soft * 255).astype(np.uint8)])[bounding_window(inside > 0)]


def inpaint_background(frame: Labelled, longest: int = 480) -> Picture:
    """The labelled frame's own background, the character replaced by what surrounds it (inpainting, Telea 2004)."""
    factor = min(1.0, longest / max(frame.alpha.shape))
    size = (round(frame.alpha.shape[1] * factor), round(frame.alpha.shape[0] * factor))
    rgb = cv2.resize(frame.rgb, size, interpolation=cv2.INTER_AREA)
    mask = (cv2.resize(frame.alpha, size, interpolation=cv2.INTER_AREA) > 0).astype(np.uint8)
    return np.asarray(cv2.inpaint(rgb, cv2.dilate(mask, np.ones((9, 9), np.uint8)), 5, cv2.INPAINT_TELEA), np.uint8)


def composite(
    stock: Assets, height: int, width: int, rng: np.random.Generator, *, clutter: bool = True
) -> tuple[Picture, Matte, NDArray[np.uint8]]:
    """A frame of none to three characters over a scene, with the alpha of all of them together, and who is where.

    Who: (H, W), 0 nobody, else the number of the foremost character, from 1.

    clutter: with drawn things behind and before them, and petals over all.
    """
    canvas = _scene(stock, height, width, rng)
    alpha, who = np.zeros((height, width), np.float32), np.zeros((height, width), np.uint8)
    count = int(rng.choice(4, p=[0.1, 0.55, 0.25, 0.1]))
    chances = stock.weights / stock.weights.sum()
    drawn = [stock.sprites[int(i)] for i in rng.choice(len(chances), count, p=chances)]
    palette = np.concatenate([np.empty((0, 3)), *(palette_of(sprite, rng) for sprite in drawn)])
    if drawn and rng.random() < OWN_COLOURS:
        canvas = _towards(canvas, drawn[0], rng)
    light = canvas.reshape(-1, 3).mean(axis=0)
    if clutter and rng.random() < 0.5:
        draw_distractors(canvas, palette, rng)
        if rng.random() < 0.4:
            canvas = np.asarray(cv2.GaussianBlur(canvas, (0, 0), rng.uniform(0.5, 3)), np.uint8)
    for number, sprite in enumerate(drawn, start=1):
        layer = _varied(_posed(sprite, height, width, rng, crowd=count > 1), rng)
        colour, a = _lit(layer[..., :3], light, rng), np.asarray(layer[..., 3] / 255, np.float32)
        if rng.random() < 0.15:
            _rim(canvas, a, rng)
        canvas = (canvas * (1 - a[..., None]) + colour * a[..., None] + 0.5).astype(np.uint8)
        alpha = np.asarray(alpha + a - alpha * a, np.float32)
        who[a > alpha / 2] = number
    if clutter and rng.random() < 0.12:  # something stands before her
        before = canvas.copy()
        cover = draw_distractors(before, palette, rng, 1)
        canvas, alpha = before, np.asarray(alpha * (1 - cover), np.float32)
    if clutter and rng.random() < 0.12:
        draw_particles(canvas, rng)
    if rng.random() < 0.25:
        canvas = _overlaid(canvas, alpha, rng)
    return canvas, alpha, np.where(alpha > 0.5, who, np.uint8(0))


def _scene(stock: Assets, height: int, width: int, rng: np.random.Generator) -> Picture:
    """A cut of a scene, sometimes out of focus as behind a close-up, or a card."""
    if rng.random() < 0.2:
        return card(height, width, rng)
    scene = stock.scenes[int(rng.integers(len(stock.scenes)))]
    h, w = scene.shape[:2]
    cut = min(1.0, float(np.exp(rng.uniform(np.log(0.35), 0.1))))
    scale = max(height / (h * cut), width / (w * cut))
    ch, cw = min(h, round(height / scale)), min(w, round(width / scale))
    y, x = int(rng.integers(h - ch + 1)), int(rng.integers(w - cw + 1))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    canvas = np.asarray(cv2.resize(scene[y : y + ch, x : x + cw], (width, height), interpolation=how), np.uint8)
    if rng.random() < 0.5:
        canvas = canvas[:, ::-1]
    if rng.random() < 0.35:
        canvas = np.asarray(cv2.GaussianBlur(canvas, (0, 0), rng.uniform(0.8, 5)), np.uint8)
    return np.ascontiguousarray(grade(canvas, rng, 1.3) if rng.random() < 0.5 else canvas)


def _towards(scene: Picture, sprite: Sprite, rng: np.random.Generator) -> Picture:
    """The scene some way in the character's own colours (colour transfer, Reinhard et al. 2001)."""
    opaque = sprite[sprite[..., 3] > OPAQUE, :3][::7]
    if not len(opaque):
        return scene
    own = cv2.cvtColor(opaque[None].astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[0]
    lab = cv2.cvtColor(scene.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    spread = own.std(axis=0) / (lab.std(axis=(0, 1)) + 3)  # 3: a plain card stays one
    moved = (lab - lab.mean(axis=(0, 1))) * spread + own.mean(axis=0)
    rgb = cv2.cvtColor((lab + (moved - lab) * rng.uniform(0.3, 1.0)).astype(np.float32), cv2.COLOR_LAB2RGB)
    return np.asarray(np.clip(rgb, 0, 1) * 255 + 0.5, np.uint8)


def _posed(sprite: Sprite, height: int, width: int, rng: np.random.Generator, *, crowd: bool) -> Sprite:
    """The character somewhere in a frame of (height, width): a long shot, a bust or a face, upright or leaning."""
    h, w = sprite.shape[:2]
    bust = (sprite[-1, :, 3] > 128).mean() > 0.2
    # Long shots show the whole figure, close-ups only its upper part; the subject is mostly near.
    closest = (2.6 if crowd else 4.2) if h > 1.5 * w else 2.4
    size = rng.uniform(0.35, 1.1) if rng.random() < (0.4 if crowd else 0.15) else rng.uniform(1.0, closest)
    scale = height * size / h
    angle = rng.normal(0, 35 if not bust and rng.random() < 0.25 else 6)
    linear = rotation_matrix(scale, angle, mirrored=rng.random() < 0.5)
    centre_x = float(np.clip(rng.normal(0.5, 0.24), 0.05, 0.95)) * width
    # The head stays in sight: its top lies in the frame's upper quarter, unless the figure is small.
    head_y = rng.uniform(-0.15, 0.25) * height if size > 0.8 else rng.uniform(0, max(0.05, 1.0 - size)) * height
    if bust:  # the cut belongs below the frame
        head_y = max(head_y, height - h * scale)
    offset = np.array([centre_x, head_y]) - linear @ np.array([w / 2, 0.0])
    return place_sprite(sprite, linear, offset, (width, height))


def _varied(layer: Sprite, rng: np.random.Generator) -> Sprite:
    """Sometimes as sprites seldom are: seen from behind, with locks and limbs that enclose what is behind them."""
    if rng.random() < AWAY:
        layer = hide_face(layer, rng)
    return add_strands(layer, rng) if rng.random() < GROWN else layer


def _lit(rgb: Picture, light: NDArray[np.float64], rng: np.random.Generator) -> Picture:
    """The character graded on its own, then pulled some way towards the scene's light."""
    if rng.random() < 0.7:
        rgb = grade(rgb, rng, 0.8)
    pull = rng.uniform(0, 0.5) if rng.random() < 0.6 else 0.0
    tint = (light + 40) / max(1.0, float(light.max()) + 40)
    return np.clip(rgb * (1 - pull + pull * tint), 0, 255).astype(np.uint8)


def _rim(canvas: Picture, alpha: Matte, rng: np.random.Generator) -> None:
    """A glow of light behind the character, in place."""
    glow = cv2.GaussianBlur(alpha, (0, 0), rng.uniform(2, 10))[..., None] * rng.uniform(0.2, 0.7)
    canvas[...] = (canvas * (1 - glow) + rng.uniform(150, 255, 3) * glow).astype(np.uint8)


def _overlaid(canvas: Picture, alpha: Matte, rng: np.random.Generator) -> Picture:
    """Subtitles, a logo or letter boxes: background wherever they are. Changes alpha in place."""
    height, width = alpha.shape
    ink, mask = canvas.copy(), np.zeros((height, width), np.uint8)
    what = rng.random()
    if what < 0.2:
        bar = int(height * rng.uniform(0.04, 0.12))
        mask[:bar], mask[-bar:] = 255, 255
        ink[:] = 0
    else:
        text = "".join(chr(int(c)) for c in rng.integers(33, 126, int(rng.integers(3, 34))))
        size = height / 480 * rng.uniform(0.6, 1.6)
        at_bottom = what < 0.75
        where = (
            int(rng.uniform(0.02, 0.4) * width),
            int(height * (rng.uniform(0.86, 0.97) if at_bottom else rng.uniform(0.05, 0.12))),
        )
        edge, fill = int(rng.choice([0, 30])), tuple(int(v) for v in rng.uniform(180, 255, 3))
        font = ImageFont.load_default(22 * size)
        stroke = max(1, round(2 * size))
        letters = Image.fromarray(mask)
        ImageDraw.Draw(letters).text(where, text, 255, font, "ls", stroke_width=stroke)
        mask = np.array(letters)
        ink[mask > 0] = edge
        painted = Image.fromarray(ink)
        ImageDraw.Draw(painted).text(where, text, fill, font, "ls")
        ink = np.array(painted)
    cover = (mask.astype(np.float32) / 255)[..., None]
    if what < 0.2:
        alpha *= 1 - cover[..., 0]
    # Thin letters over a body stay part of it: a sticker with holes shaped like a subtitle is worse than one with text.
    return (canvas * (1 - cover) + ink * cover).astype(np.uint8)
