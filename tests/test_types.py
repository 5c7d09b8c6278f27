import numpy as np
import pytest

from animecut.types import Clip, add_opaque_alpha, join_clips, one_by_one


def clip(count: int, start: float = 0.0, shot: int = 0) -> Clip:
    pixels = np.arange(count, dtype=np.uint8)[:, None, None, None] * np.ones((1, 4, 6, 3), np.uint8)
    return Clip(pixels, start + np.arange(count + 1) / 8, shot)


def test_slicing_keeps_pictures_and_fence_posts_together() -> None:
    part = clip(5)[1:3]
    assert part.pixels[:, 0, 0, 0].tolist() == [1, 2]
    assert part.times.tolist() == [1 / 8, 2 / 8, 3 / 8]
    assert part.duration == 2 / 8


def test_join_is_the_inverse_of_taking_apart() -> None:
    whole = clip(5, shot=3)
    again = join_clips(one_by_one([whole]))
    assert (again.pixels == whole.pixels).all()
    assert again.times.tolist() == whole.times.tolist()
    assert again.shot == 3


@pytest.mark.parametrize(
    ("pixels", "times"),
    [
        (np.zeros((2, 4, 4, 3), np.float32), np.arange(3.0)),
        (np.zeros((2, 4, 4), np.uint8), np.arange(3.0)),
        (np.zeros((2, 4, 4, 2), np.uint8), np.arange(3.0)),
        (np.zeros((0, 4, 4, 3), np.uint8), np.arange(1.0)),
        (np.zeros((2, 4, 4, 3), np.uint8), np.arange(2.0)),
        (np.zeros((2, 4, 4, 3), np.uint8), np.arange(3, dtype=np.float32)),
        (np.zeros((2, 4, 4, 3), np.uint8), np.array([0.0, 1.0, 1.0])),
    ],
)
def test_what_is_no_clip_is_refused(pixels: np.ndarray, times: np.ndarray) -> None:
    with pytest.raises(ValueError, match="must"):
        Clip(pixels, times)


def test_rgb_with_alpha_hides_all_below_and_rgba_stays() -> None:
    rgb = np.full((2, 3, 3), 7, np.uint8)
    rgba = add_opaque_alpha(rgb)
    assert (rgba == (7, 7, 7, 255)).all()
    assert rgba.shape == (2, 3, 4)
    assert add_opaque_alpha(rgba) is rgba


def test_nothing_cannot_be_joined_and_steps_cannot_be_taken() -> None:
    with pytest.raises(ValueError, match="nothing"):
        join_clips([])
    with pytest.raises(ValueError, match="step"):
        clip(4)[::2]


def test_repr_tells_the_shape_and_never_the_pixels() -> None:
    assert repr(clip(2)) == "Clip(2x4x6x3, 0.000..0.250 s, shot 0)"
