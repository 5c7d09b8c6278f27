import cv2
import numpy as np

from animecut._util.flow import optical_flow, positions_along, resize_flow


def textured(height: int = 64, width: int = 96) -> np.ndarray:
    noise = np.random.default_rng(1).integers(0, 255, (height // 4, width // 4)).astype(np.uint8)
    return np.asarray(cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


def test_a_shift_is_found_and_carries_the_second_picture_back() -> None:
    first = textured()
    second = np.roll(first, (2, 3), axis=(0, 1))
    inside = np.s_[12:-12, 12:-12]
    for thorough in (False, True):
        flow = optical_flow(first, second, thorough=thorough)
        assert np.allclose(np.median(flow[inside], axis=(0, 1)), (3, 2), atol=0.2)
        carried = cv2.remap(second, *positions_along(flow), cv2.INTER_LINEAR)
        assert np.abs(carried[inside].astype(float) - first[inside]).mean() < 3


def test_positions_of_a_part_begin_where_it_lies() -> None:
    x, y = positions_along(np.zeros((2, 3, 2), np.float32), top=5, left=7)
    assert x.tolist() == [[7, 8, 9]] * 2
    assert y.tolist() == [[5] * 3, [6] * 3]


def test_a_flow_on_a_finer_grid_is_as_many_times_longer() -> None:
    flow = np.tile(np.array([1.0, -2.0], np.float32), (4, 6, 1))
    finer = resize_flow(flow, 8, 18)
    assert finer.shape == (8, 18, 2)
    assert finer[3, 5].tolist() == [3.0, -4.0]
