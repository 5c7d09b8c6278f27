"""Alpha that does not flicker inside a shot.

Each drawing's alpha is compared with those of its neighbours, carried over along the motion between the pictures. What
only one drawing claims (a limb that drops out, a piece of background that lights up) is outvoted; where a neighbour
cannot be matched (fast motion, something just uncovered) the drawing's own alpha stays.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import reduce

import cv2
import numpy as np
from numpy.typing import NDArray

from animecut._util.flow import Flow, optical_flow, positions_along, resize_flow
from animecut._util.masks import Plane, Window, bounding_window
from animecut.types import Drawing

REACH = 2  # drawings looked at on either side: five votes outvote two wrong ones; motion over more is seldom found
FLOW_SIDE = 256  # pixels, longest side of the pictures that motion is searched in
FLOW_LEAST = 16  # pixels, shortest side of them: the search takes nothing much smaller
COLOUR_TOLERANCE = 20.0  # of 255: how far colours may differ (mean of RGB, 3×3) and still be the same thing
RETURN_TOLERANCE = 1.0  # pixels of the flow's picture: how far from home the way there and back may end
LEAST_TRUST = np.float32(-80)  # exponent: what is less is no number that a processor is quick with
STILL_BONUS = 1.0  # of 255: motion has to explain the colours better than rest by this much
DOUBT_FLOOR = 0.1  # weight of an alpha of 0.5, where one of 0 or 1 has 1
SPREAD = 0.4  # alpha: a vote this far from the median counts little
TRACE = 0.02  # alpha below which nobody claims that there is anything
MARGIN = 8  # pixels of the grid around what anybody claims: what moves from there is still looked at


@dataclass(eq=False)
class _Member:
    """One drawing on its way through the window."""

    drawing: Drawing
    alpha: Plane
    """(h, w) as the network gave it."""
    colour: NDArray[np.float32]
    """(h, w, 3) RGB 0..255 on the alpha's grid."""
    grey: NDArray[np.uint8]
    """(h', w'), what motion is searched in."""
    flows: dict[int, NDArray[np.float32]] = field(default_factory=dict)
    """By how many drawings on the other one is: (h, w, 2), in pixels of the grid, x before y."""


def smooth(drawings: Iterable[Drawing], *, strength: float) -> Iterator[Drawing]:
    """The same drawings, the alpha of each calmed by the neighbouring drawings of its shot.

    drawings: with their alpha (h, w) float32 in [0, 1].  strength: 0 hands everything through untouched, 1 is full.

    A drawing comes out once REACH drawings after it are known. Raises ValueError: the strength is outside [0, 1].
    """
    if not 0 <= strength <= 1:
        raise ValueError(f"strength must be in [0, 1], got {strength}")
    return iter(drawings) if strength == 0 else _smoothed(drawings, strength)


def _smoothed(drawings: Iterable[Drawing], strength: float) -> Iterator[Drawing]:
    window: deque[_Member] = deque()  # neighbours of one shot: up to REACH done, then those to come
    done = 0
    for drawing in drawings:
        if window and drawing.shot != window[-1].drawing.shot:
            yield from (_voted(window, i, strength) for i in range(done, len(window)))
            window.clear()
            done = 0
        window.append(_member(drawing))
        if len(window) > done + REACH:
            yield _voted(window, done, strength)
            done += 1
        if done > REACH:
            window.popleft()
            done -= 1
    yield from (_voted(window, i, strength) for i in range(done, len(window)))


def _member(drawing: Drawing) -> _Member:
    alpha = drawing.known_alpha
    height, width = alpha.shape
    scale = min(1.0, FLOW_SIDE / max(height, width))
    size = max(FLOW_LEAST, round(width * scale)), max(FLOW_LEAST, round(height * scale))
    grey = cv2.cvtColor(cv2.resize(drawing.view, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
    return _Member(drawing, alpha, drawing.view.astype(np.float32), np.asarray(grey, np.uint8))


def _voted(window: deque[_Member], at: int, strength: float) -> Drawing:
    return replace(window[at].drawing, alpha=_vote(window, at, strength))


def _vote(window: deque[_Member], at: int, strength: float) -> Plane:
    """The alpha of window[at] as its neighbours and itself agree on it: a mean around the weighted median.

    (A bilateral filter along the motion; the median keeps a lone wrong vote from pulling the mean.)
    """
    own = window[at]
    others = {i - at: window[i] for i in range(max(0, at - REACH), min(len(window), at + REACH + 1)) if i != at}
    claimed = reduce(np.maximum, (other.alpha for other in others.values()), own.alpha) > TRACE
    if not others or not claimed.any():
        return own.alpha
    area = bounding_window(claimed, MARGIN)
    votes, weights = [own.alpha[area]], [_confidence(own.alpha[area])]
    for ahead, other in others.items():
        carried, trust = _carried(other, own, ahead, area)
        votes.append(carried)
        weights.append(trust * _confidence(carried))
    ballot, weight = np.stack(votes), np.stack(weights)
    middle = _weighted_median(ballot, weight)
    weight *= cv2.exp((-(((ballot - middle) / SPREAD) ** 2)).reshape(len(ballot), -1)).reshape(ballot.shape)
    agreed = (ballot * weight).sum(0) / weight.sum(0)
    calm = own.alpha.copy()
    calm[area] += strength * (agreed - calm[area])
    return np.asarray(np.clip(calm, 0, 1), np.float32)


def _confidence(alpha: Plane) -> Plane:
    return np.asarray(DOUBT_FLOOR + (1 - DOUBT_FLOOR) * np.abs(2 * alpha - 1), np.float32)


def _weighted_median(values: NDArray[np.float32], weights: NDArray[np.float32]) -> Plane:
    """(N, h, w) values and weights > 0 -> (h, w): the least value that, with all below it, has half of the weight."""
    half = weights.sum(0) / 2
    median = np.full_like(values[0], np.inf)
    for value in values:  # N is five at most; sorting takes four times as long
        below = np.zeros_like(half)
        for other, weight in zip(values, weights, strict=True):
            cv2.add(below, weight, below, cv2.compare(other, value, cv2.CMP_LE))
        np.minimum(median, value, out=median, where=below >= half)
    return np.asarray(median, np.float32)


def _carried(other: _Member, own: _Member, ahead: int, area: Window) -> tuple[Plane, Plane]:
    """Another drawing's alpha moved to where its things are in an area of this one, and how far to trust it, 0..1.

    Trusted where the colours agree and the way there and back ends at home. What did not move is taken as it is,
    so that what stands still is not blurred.
    """
    there, back = _flow(own, other, ahead)[area], _flow(other, own, -ahead)
    height, width = own.alpha.shape
    x, y = positions_along(there, area[0].start, area[1].start)

    def moved(plane: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(cv2.remap(plane, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)

    home = moved(back) + there
    astray = cv2.magnitude(home[..., 0], home[..., 1]) * (max(own.grey.shape) / max(height, width))
    colour = own.colour[area]
    moved_error, still_error = _colour_error(moved(other.colour), colour), _colour_error(other.colour[area], colour)
    inside = (x >= 0) & (y >= 0) & (x <= width - 1) & (y <= height - 1)
    still = still_error <= moved_error + STILL_BONUS
    error = np.where(still, still_error, moved_error) / COLOUR_TOLERANCE
    astray = np.where(still, np.float32(0), astray / RETURN_TOLERANCE)
    trust = cv2.exp(np.maximum(-(error**2) - astray**2, LEAST_TRUST)) * (still | inside)
    return np.where(still, other.alpha[area], moved(other.alpha)), np.asarray(trust, np.float32)


def _colour_error(a: NDArray[np.float32], b: NDArray[np.float32]) -> Plane:
    mean = cv2.transform(cv2.absdiff(a, b), np.full((1, 3), 1 / 3))  # `mean` along so short an axis is slow
    return np.asarray(cv2.blur(mean, (3, 3)), np.float32)


def _flow(start: _Member, end: _Member, ahead: int) -> Flow:
    """Where each place of a drawing is in another one, searched once."""
    if ahead not in start.flows:
        start.flows[ahead] = resize_flow(optical_flow(start.grey, end.grey), *start.alpha.shape)
    return start.flows[ahead]
