import cv2
import numpy as np
import pytest
from animecut_training.data.dataset import Labelled
from animecut_training.data.grabcut import masks_from_boxes
from animecut_training.evaluation.metrics import image_iou

from animecut.types import Alpha, Pixels
from tests import world


def boxed() -> tuple[Labelled, np.ndarray]:
    rgb, alpha = world.drawing(100)
    x, y, width, height = cv2.boundingRect((alpha > 0).astype(np.uint8))
    box = np.zeros_like(alpha)
    box[y : y + height, x : x + width] = 1
    return Labelled("a", rgb, box), alpha


def nobody(pixels: Pixels) -> Alpha:
    return np.zeros((len(pixels), 32, 32), np.float32)


def half(pixels: Pixels) -> Alpha:
    seen = np.zeros((len(pixels), 32, 32), np.float32)
    seen[..., :16] = 1
    return seen


def doubtful(pixels: Pixels) -> Alpha:
    return np.clip(world.see(pixels), 0.3, 0.7)


@pytest.mark.parametrize("network", [world.see, doubtful, nobody])
def test_the_character_in_a_box_is_found(network: object) -> None:
    frame, truth = boxed()
    found = masks_from_boxes(frame, network)  # type: ignore[arg-type]
    assert image_iou(frame.alpha > 0.5, truth > 0.5)[1] < 0.8
    assert image_iou(found.alpha > 0.5, truth > 0.5)[1] > 0.93
    assert not found.alpha[frame.alpha == 0].any()
    assert (masks_from_boxes(frame, network).alpha == found.alpha).all()  # type: ignore[arg-type]


def test_outlines_beside_boxes_stay() -> None:
    frame, _ = boxed()
    cv2.circle(frame.alpha, (210, 70), 25, 1.0, -1)
    found = masks_from_boxes(frame, nobody)
    assert (found.alpha[:, 170:] == frame.alpha[:, 170:]).all()
    assert (found.alpha != frame.alpha).any()


def test_a_box_in_which_nothing_can_be_told_stays_a_box() -> None:
    box = np.zeros((60, 80), np.float32)
    box[10:50, 20:60] = 1
    flat = Labelled("flat", np.full((60, 80, 3), 120, np.uint8), box)
    assert (masks_from_boxes(flat, nobody).alpha == box).all()


def test_of_boxes_that_overlap_each_is_looked_into() -> None:
    rgb, alpha = world.drawing(100)
    x, y, width, height = cv2.boundingRect((alpha > 0).astype(np.uint8))
    numbers = np.zeros(alpha.shape, np.uint8)
    numbers[y : y + height, x : x + width] = 1
    numbers[y + height // 2 :, x + width - 4 :] = 2  # drawn later, so it lies over the first one's corner
    frame = Labelled("a", rgb, (numbers > 0).astype(np.float32), numbers)
    found = masks_from_boxes(frame, world.see)
    first = numbers == 1
    assert image_iou(found.alpha[first][None] > 0.5, alpha[first][None] > 0.5)[1] > 0.9


def test_an_outline_before_another_is_no_box() -> None:
    rgb, alpha = world.drawing(100)
    numbers = np.ones(alpha.shape, np.uint8)
    cv2.circle(numbers, (80, 70), 25, 2, -1)
    numbers[0, 0] = numbers[-1, -1] = 0
    numbers[:20, :60] = 0  # so that the one behind is no box either
    frame = Labelled("a", rgb, (numbers > 0).astype(np.float32), numbers)
    assert (masks_from_boxes(frame, half).alpha == frame.alpha).all()
