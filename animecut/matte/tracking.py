"""Which character: all of them, or one that is chosen at the start and followed through the shot.

In the coarse alpha. A drawing's characters are those that the network tells apart, else its connected regions; from
drawing to drawing they are carried over along the motion. Where the chosen one touches another, place (where each was)
and colour (what each looks like) divide the region between them; where it was hidden, it is known again by its colours.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from animecut._util.flow import optical_flow, positions_along, resize_flow
from animecut._util.masks import Mask, Plane, distance_to, gaussian_blur
from animecut.errors import InputError, SettingsError
from animecut.matte.color_model import histogram_bin
from animecut.types import Drawing

Labels = NDArray[np.uint8]
"""(h, w) whose each place is: NOBODY, CHOSEN or OTHER."""
Point = tuple[float, float]
"""x, y as shares of the picture's width and height."""

NOBODY, CHOSEN, OTHER = 0, 1, 2
RULES = ("all", "largest", "left", "right", "center")

SOLID = 0.5  # probability from which a place is part of a character
CHARACTER_SHARE = 0.1  # of the largest region's area: what is smaller is a part of somebody, not somebody
REACH = 0.03  # of the grid's longer side: how far a soft edge or a loose lock of hair may be from its character
SHADES = 8  # steps of each colour channel that are told apart
FADE = 0.9  # how much of what is known of somebody's colours stays from drawing to drawing
RESEMBLANCE = 0.3  # mean log odds of colour from which a region is known again as the chosen one
TOUCH = 0.08  # share of somebody's area that must lie in a region for it to hold him
PLACE_WEIGHT = 1.5  # log odds by which where somebody was counts against what he looks like
BLUR = 0.008  # of the grid's longer side: over which place and colour are weighed together
FLOW_SIDE = 224  # pixels, longest side of the pictures that motion is searched in

_STRANGERS = (np.zeros(SHADES**3, np.float32), np.zeros(SHADES**3, np.float32))
"""The colours of a chosen one and of others of whom nothing is known."""
_ANYBODY = np.full(SHADES**3, 1 / SHADES**3, np.float32)
"""The colours that others are taken to have where one has to be chosen and nothing is known of them."""


def select(drawings: Iterable[Drawing], choice: str) -> Iterator[Drawing]:
    """The same drawings, in their alpha only the character chosen.

    drawings: with their alpha float32 in [0, 1]: (h, w), or (n, h, w) where the network tells n characters apart. What
              comes out is (h, w).
    choice: all, largest, left, right, center, or X,Y in the source's pixels on its first picture.

    In a new shot the rule decides again; after X,Y it is the one whose colours are most alike. Raises SettingsError, at
    once: the choice is no such word or point; InputError with the first drawing: the point lies outside of its picture.
    """
    rule = parse_choice(choice)
    if rule == "all":
        return (replace(drawing, alpha=_everybody(drawing.known_alpha)) for drawing in drawings)
    return _selected(drawings, rule)


def parse_choice(choice: str) -> str | Point:
    """A rule's name, or a point in pixels. Raises SettingsError for anything else."""
    if choice in RULES:
        return choice
    parts = choice.split(",")
    try:
        x, y = (float(part) for part in parts)
    except ValueError:
        x = y = -1.0
    if not (0 <= x < np.inf and 0 <= y < np.inf):
        raise SettingsError(f"unknown; choose {', '.join(RULES)}, or X,Y in pixels", field="pick", value=choice)
    return x, y


@dataclass(frozen=True, eq=False)
class _Memory:
    """What is known from the drawings before."""

    shot: int
    labels: Labels
    grey: NDArray[np.uint8]
    """(h', w') small picture that motion is searched in."""
    colours: tuple[Plane, Plane]
    """How often each shade was seen on the chosen one and on the others; each sums to 1, or to 0 where nobody was."""


def _everybody(alpha: Plane) -> Plane:
    return alpha if alpha.ndim == 2 else alpha.max(axis=0)


def _selected(drawings: Iterable[Drawing], rule: str | Point) -> Iterator[Drawing]:
    memory: _Memory | None = None
    for drawing in drawings:
        height, width = drawing.rgb.shape[:2]
        if memory is None and not isinstance(rule, str) and not (rule[0] < width and rule[1] < height):
            point = f"{rule[0]:g},{rule[1]:g}"
            raise InputError(f"the picture has only {width}x{height} pixels", field="pick", value=point)
        alpha, memory = _select_one(drawing, rule, memory)
        yield replace(drawing, alpha=alpha)


def _select_one(drawing: Drawing, rule: str | Point, memory: _Memory | None) -> tuple[Plane, _Memory]:
    """The chosen one's alpha (h, w), and what is known after this drawing."""
    alpha, shot, rgb = drawing.known_alpha, drawing.shot, drawing.view
    regions = _regions(alpha) if alpha.ndim == 2 else _bodies(alpha)
    alpha = _everybody(alpha)
    height, width = alpha.shape
    scale = min(1.0, FLOW_SIDE / max(height, width))
    size = max(8, round(width * scale)), max(8, round(height * scale))
    grey = np.asarray(cv2.cvtColor(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY), np.uint8)
    shades = histogram_bin(rgb, SHADES)
    if memory is not None and memory.shot != shot:
        memory = _Memory(
            shot, np.zeros_like(memory.labels), grey, _STRANGERS if isinstance(rule, str) else memory.colours
        )
    chosen, others = _STRANGERS if memory is None else memory.colours
    if memory is None or not memory.labels.any():
        at = None if isinstance(rule, str) else (rule[0] / drawing.rgb.shape[1], rule[1] / drawing.rgb.shape[0])
        odds = _odds(chosen, others if others.any() else _ANYBODY, shades)
        labels = _chosen_by_rule(regions, alpha.shape, str(rule), at, odds)
    else:
        labels = _followed(regions, _carried(memory, grey, (height, width)), _odds(chosen, others, shades))
    colours = _learnt(chosen, shades, labels == CHOSEN), _learnt(others, shades, labels == OTHER)
    return alpha * _territory(labels), _Memory(shot, labels, grey, colours)


def _regions(alpha: Plane) -> list[Mask]:
    """The characters of a drawing, each a connected region; what is much smaller than the largest is none."""
    solid = cv2.morphologyEx((alpha > SOLID).astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(solid)
    areas = np.asarray(stats)[1:, cv2.CC_STAT_AREA]
    return [labels == i + 1 for i in range(count - 1) if areas[i] >= CHARACTER_SHARE * areas.max()]


def _bodies(planes: Plane) -> list[Mask]:
    """As `_regions`, of (n, h, w) alphas of characters told apart: each where its alpha is the highest."""
    first = planes.argmax(axis=0)
    bodies = [(plane > SOLID) & (first == i) for i, plane in enumerate(planes)]
    least = CHARACTER_SHARE * max(body.sum() for body in bodies)
    return [body for body in bodies if body.sum() >= max(1, least)]


def _chosen_by_rule(regions: list[Mask], shape: tuple[int, ...], rule: str, at: Point | None, odds: Plane) -> Labels:
    """Labels of a drawing before which nobody was seen. at: the point, if that is the rule. odds: as in `_followed`."""
    height, width = shape

    def rank(region: Mask) -> float:
        rows, columns = np.nonzero(region)
        if odds.any():
            return float(odds[region].mean())
        if at is not None:
            return -float(np.hypot(columns + 0.5 - at[0] * width, rows + 0.5 - at[1] * height).min())
        middle = float(columns.mean())
        return {"left": -middle, "right": middle, "center": -abs(middle - width / 2)}.get(rule, float(rows.size))

    labels = np.zeros((height, width), np.uint8)
    for i, region in enumerate(sorted(regions, key=rank, reverse=True)):
        labels[region] = OTHER if i else CHOSEN
    return labels


def _followed(regions: list[Mask], before: Labels, odds: Plane) -> Labels:
    """Labels of a drawing by those of the one before it.

    before: the last labels, where they have moved to.  odds: of each place being the chosen one's and not another's.
    """
    labels = np.zeros(before.shape, np.uint8)
    holds = [[_holds(region, before == who) for who in (CHOSEN, OTHER)] for region in regions]
    lost = not any(chosen for chosen, _ in holds)
    for region, (chosen, other) in zip(regions, holds, strict=True):
        if chosen and other:
            labels[region] = _divided(region, before, odds)[region]
        elif chosen or (lost and odds[region].mean() > RESEMBLANCE):
            labels[region] = CHOSEN
        else:
            labels[region] = _emerging(region, odds)[region] if lost else OTHER
    return labels


def _holds(region: Mask, somebody: Mask) -> bool:
    return bool((region & somebody).sum() > TOUCH * max(1, min(region.sum(), somebody.sum())))


def _divided(region: Mask, before: Labels, odds: Plane) -> Labels:
    """A region that holds the chosen one and another, shared out between them by place and colour."""
    place = PLACE_WEIGHT * ((before == CHOSEN).astype(np.float32) - (before == OTHER).astype(np.float32))
    belief = gaussian_blur(np.where(region, place + odds, 0), BLUR * max(region.shape))
    return np.where(belief > 0, CHOSEN, OTHER).astype(np.uint8)


def _emerging(region: Mask, odds: Plane) -> Labels:
    """A region of others, the chosen one marked in it where he comes out from behind them."""
    belief = gaussian_blur(np.where(region, odds - RESEMBLANCE, 0), 2 * BLUR * max(region.shape))
    seen = region & (belief > 0.5 * RESEMBLANCE)
    return np.where(seen & (seen.sum() > CHARACTER_SHARE * region.sum()), CHOSEN, OTHER).astype(np.uint8)


def _territory(labels: Labels) -> Plane:
    """(h, w) in [0, 1]: the places nearer to the chosen one than to any other, as far as his edge can reach."""
    chosen, other = labels == CHOSEN, labels == OTHER
    if not chosen.any():
        return np.zeros(labels.shape, np.float32)
    near = distance_to(chosen) <= REACH * max(labels.shape)
    if other.any():
        near &= distance_to(chosen) <= distance_to(other)
    return gaussian_blur(near, 0.7)


def _carried(memory: _Memory, grey: NDArray[np.uint8], size: tuple[int, int]) -> Labels:
    """The last drawing's labels, moved along the motion to where they are now."""
    height, width = size
    if memory.labels.shape != size:
        return np.zeros(size, np.uint8)
    flow = resize_flow(optical_flow(grey, memory.grey), height, width)
    return np.asarray(cv2.remap(memory.labels, *positions_along(flow), cv2.INTER_NEAREST), np.uint8)


def _learnt(known: Plane, shades: NDArray[np.int32], where: Mask) -> Plane:
    """What is known of somebody's colours, and what one more drawing shows of them."""
    if not where.any():
        return known
    count = np.bincount(shades[where], minlength=SHADES**3).reshape(SHADES, SHADES, SHADES).astype(np.float32)
    padded = np.pad(count, 1)  # neighbouring shades are alike
    count = count + 0.3 * sum(
        padded[1 + r : SHADES + 1 + r, 1 + g : SHADES + 1 + g, 1 + b : SHADES + 1 + b]
        for r, g, b in ((1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1))
    )
    new = count.ravel() / count.sum()
    return np.asarray(FADE * known + (1 - FADE) * new if known.any() else new, np.float32)


def _odds(chosen: Plane, others: Plane, shades: NDArray[np.int32]) -> Plane:
    """(h, w) log odds of each pixel being the chosen one's by its colour, within ±2; 0 where either was never seen."""
    if not (chosen.any() and others.any()):
        return np.zeros(shades.shape, np.float32)
    return np.asarray(np.clip(np.log((chosen + 1e-4) / (others + 1e-4)), -2, 2)[shades], np.float32)
