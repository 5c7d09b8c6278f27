import numpy as np
import pytest

from animecut.types import Clip, Drawing, add_opaque_alpha


def clip(count: int, start: float = 0.0) -> Clip:
    pixels = np.arange(count, dtype=np.uint8)[:, None, None, None] * np.ones((1, 4, 6, 3), np.uint8)
    return Clip(pixels, start + np.arange(count + 1) / 8)


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


def test_repr_tells_the_shape_and_never_the_pixels() -> None:
    assert repr(clip(2)) == "Clip(2x4x6x3, 0.000..0.250 s)"


def test_a_drawing_without_alpha_says_so() -> None:
    picture = np.zeros((4, 6, 3), np.uint8)
    drawing = Drawing(picture, picture, 0.0, 0.25, shot=2)
    assert repr(drawing) == "Drawing(6x4, 0.000..0.250 s, shot 2)"
    with pytest.raises(ValueError, match="no alpha yet"):
        _ = drawing.known_alpha
