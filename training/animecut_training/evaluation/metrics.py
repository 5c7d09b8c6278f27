"""How good a prediction is. Pure numpy; p is the prediction, t the truth, both alpha in [0, 1], 1 = character."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
"""(H, W) bool, True = character."""
Matte = NDArray[np.float32]
"""(H, W) float32 in [0, 1], 1 = character."""

CONTOUR_TOLERANCE = 0.0075  # of the picture's diagonal
GRADIENT_SIGMA = 1.4  # pixels, Rhemann et al. 2009


@dataclass(frozen=True)
class Counts:
    """Pixels by what they are and what they were taken for; counts of several pictures add up."""

    true_background: int
    false_character: int
    false_background: int
    true_character: int

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            self.true_background + other.true_background,
            self.false_character + other.false_character,
            self.false_background + other.false_background,
            self.true_character + other.true_character,
        )

    def iou(self) -> tuple[float, float]:
        """Intersection over union of background and of character; nan for a class that is nowhere."""
        wrong = self.false_character + self.false_background
        return _ratio(self.true_background, self.true_background + wrong), _ratio(
            self.true_character, self.true_character + wrong
        )

    def pixel_accuracy(self) -> float:
        """Correct pixels of all pixels."""
        correct = self.true_background + self.true_character
        return _ratio(correct, correct + self.false_character + self.false_background)

    def mean_pixel_accuracy(self) -> float:
        """Mean over the classes that are there of the correct pixels of each."""
        background = _ratio(self.true_background, self.true_background + self.false_character)
        character = _ratio(self.true_character, self.true_character + self.false_background)
        return float(np.nanmean([background, character]))


def count(p: Mask, t: Mask) -> Counts:
    """Compare two masks pixel by pixel."""
    both = int((p & t).sum())
    return Counts(int((~p & ~t).sum()), int(p.sum()) - both, int(t.sum()) - both, both)


def image_iou(p: Mask, t: Mask) -> tuple[float, float]:
    """Intersection over union of background and of character in one picture; 1 for a class absent from both."""
    background, character = count(p, t).iou()
    return (1.0 if np.isnan(background) else background, 1.0 if np.isnan(character) else character)


def boundary_f(p: Mask, t: Mask) -> float:
    """Harmonic mean of precision and recall of contour pixels within 0.75 % of the diagonal; 1 where both have none."""
    reach = max(1, round(CONTOUR_TOLERANCE * float(np.hypot(*t.shape))))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    contours = [_contour(mask) for mask in (p, t)]
    near = [cv2.dilate(contour, disc) > 0 for contour in contours]
    if not contours[0].any() and not contours[1].any():
        return 1.0
    precision = _ratio(int((near[1] & (contours[0] > 0)).sum()), int(contours[0].sum()))
    recall = _ratio(int((near[0] & (contours[1] > 0)).sum()), int(contours[1].sum()))
    return 0.0 if not precision + recall > 0 else 2 * precision * recall / (precision + recall)


def mad(p: Matte, t: Matte) -> float:
    """Mean absolute difference, in thousandths."""
    return float(np.abs(p - t).mean()) * 1e3


def gradient_error(p: Matte, t: Matte) -> float:
    """Sum of squared differences of the gradients' lengths, in thousands (Rhemann et al. 2009)."""
    return float(((_gradient(p) - _gradient(t)) ** 2).sum()) / 1e3


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")


def _contour(mask: Mask) -> NDArray[np.uint8]:
    inside = mask.astype(np.uint8)
    return inside - np.asarray(cv2.erode(inside, np.ones((3, 3), np.uint8), borderType=cv2.BORDER_REPLICATE), np.uint8)


def _gradient(alpha: Matte) -> Matte:
    smooth = cv2.GaussianBlur(alpha, (0, 0), GRADIENT_SIGMA)
    dx, dy = cv2.Sobel(smooth, cv2.CV_32F, 1, 0, scale=1 / 8), cv2.Sobel(smooth, cv2.CV_32F, 0, 1, scale=1 / 8)
    return np.asarray(cv2.magnitude(dx, dy), np.float32)
