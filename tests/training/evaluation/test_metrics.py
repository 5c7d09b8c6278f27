import numpy as np
import pytest
from animecut_training.evaluation import metrics


def square(left: int, right: int) -> np.ndarray:
    mask = np.zeros((10, 10), bool)
    mask[2:8, left:right] = True
    return mask


def test_counts_and_ratios_of_a_case_worked_out_by_hand() -> None:
    counts = metrics.count(square(2, 6), square(4, 8))  # 24 pixels each, 12 of them shared
    assert (counts.true_background, counts.false_character, counts.false_background, counts.true_character) == (
        64,
        12,
        12,
        12,
    )
    assert counts.iou() == (64 / 88, 12 / 36)
    assert counts.pixel_accuracy() == 0.76
    assert counts.mean_pixel_accuracy() == pytest.approx((64 / 76 + 12 / 24) / 2)
    assert (counts + counts).iou() == counts.iou()


def test_a_class_that_is_nowhere_counts_one_per_picture_and_nothing_pooled() -> None:
    nothing = np.zeros((4, 4), bool)
    assert metrics.image_iou(nothing, nothing) == (1.0, 1.0)
    assert np.isnan(metrics.count(nothing, nothing).iou()[1])
    assert metrics.image_iou(~nothing, nothing) == (0.0, 0.0)


def test_boundary_f_forgives_what_lies_within_its_reach_only() -> None:
    def disc(radius: float) -> np.ndarray:
        y, x = np.mgrid[:300, :400]
        return np.asarray(np.hypot(y - 150, x - 200) < radius)

    reach = round(0.0075 * 500)
    assert metrics.boundary_f(disc(80), disc(80)) == 1.0
    assert metrics.boundary_f(disc(80 + reach - 1), disc(80)) > 0.99
    assert metrics.boundary_f(disc(80 + reach + 3), disc(80)) < 0.05
    assert metrics.boundary_f(disc(-1), disc(80)) == 0.0
    assert metrics.boundary_f(disc(-1), disc(-1)) == 1.0


def test_matte_errors_are_zero_for_the_truth_and_known_for_an_offset() -> None:
    truth = np.linspace(0, 1, 64, dtype=np.float32)[None].repeat(32, axis=0)
    assert metrics.mad(truth, truth) == metrics.gradient_error(truth, truth) == 0
    assert metrics.mad(truth * 0, truth) == pytest.approx(500, abs=1)
    assert metrics.gradient_error(truth + 0.1, truth) == pytest.approx(0, abs=1e-6)
    assert metrics.gradient_error(truth * 0, truth) > 0
