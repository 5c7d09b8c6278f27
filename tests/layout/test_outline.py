import cv2
import numpy as np
import pytest

from animecut.layout import outline
from animecut.layout.compose import Picture

RED = (255, 0, 0)
WHITE = (255, 255, 255)


def disc(size: int, radius: float, x: float = 0.0) -> Picture:
    """A straight red disc with a smooth edge, its middle x pixels right of the picture's."""
    fine = 8
    down, right = (np.mgrid[: size * fine, : size * fine] + 0.5) / fine - size / 2
    alpha = (np.hypot(down, right - x) <= radius).astype(np.float32)
    alpha = cv2.resize(alpha, (size, size), interpolation=cv2.INTER_AREA)
    rgb = np.where(alpha[..., None] > 0, np.array(RED), 0)
    return np.dstack([rgb, np.rint(alpha * 255)]).astype(np.uint8)


def area(rgba: Picture) -> float:
    return float(rgba[..., 3].sum()) / 255


@pytest.mark.parametrize("width", [1, 2, 5, 12])
@pytest.mark.parametrize("x", [0.0, 0.3])
def test_a_disc_s_border_is_a_ring_of_the_width_asked_for(width: int, x: float) -> None:
    got = outline.add_outline(disc(100, 30, x), width, WHITE)
    assert area(got) == pytest.approx(np.pi * (30 + width) ** 2, rel=0.003)
    whole = disc(100, 30 + width, x)
    assert np.abs(got[..., 3].astype(int) - whole[..., 3]).max() <= (
        40 if width > 1 else 75
    )  # of 255, at one pixel of the rim
    assert np.abs(got[..., 3].astype(int) - whole[..., 3]).mean() < 0.35


def test_a_square_s_border_is_straight_to_the_pixel_and_round_at_its_corners() -> None:
    square = np.zeros((60, 60, 4), np.uint8)
    square[20:40, 20:40] = (*RED, 255)
    got = outline.add_outline(square, 8, WHITE)
    assert got[30, :, 3].tolist() == [0] * 12 + [255] * 36 + [0] * 12
    assert got[30, 12].tolist() == [*WHITE, 255]
    assert (got[20:40, 20:40] == square[20:40, 20:40]).all()
    assert got[13, 13, 3] == 0
    assert area(got) == pytest.approx(20 * 20 + 4 * 20 * 8 + np.pi * 8**2, rel=0.01)


def test_the_rim_between_character_and_border_has_only_their_two_colours() -> None:
    got = outline.add_outline(disc(100, 30), 6, WHITE)
    covered = got[..., 3] == 255
    assert (got[covered][:, 0] == 255).all()  # red and white both have all of it; black would show here
    inner = disc(100, 32)[..., 3] == 255
    assert (got[inner, 3] == 255).all()


def test_a_border_runs_along_the_picture_s_end_too() -> None:
    cut = np.zeros((40, 40, 4), np.uint8)
    cut[20:, 10:30] = (*RED, 255)
    assert outline.add_outline(cut, 3, WHITE)[39, :, 3].tolist() == [0] * 7 + [255] * 26 + [0] * 7


def test_equal_drawings_have_equal_borders_and_a_shift_by_whole_pixels_shifts_the_border() -> None:
    picture = disc(80, 20)
    moved = np.roll(picture, 7, axis=1)
    assert (outline.add_outline(moved, 5, WHITE) == np.roll(outline.add_outline(picture, 5, WHITE), 7, axis=1)).all()


def test_noise_and_smears_outside_the_border_are_cut_off() -> None:
    picture = disc(100, 20)
    clean = outline.add_outline(picture, 6, WHITE)
    picture[5:8, 5:8] = (*RED, 255)
    picture[80:95, 80:95] = (0, 0, 0, 90)
    assert (outline.add_outline(picture, 6, WHITE) == clean).all()
    assert not outline.add_outline(np.zeros((30, 30, 4), np.uint8), 6, WHITE).any()


def test_a_shadow_lies_below_is_soft_and_fits_into_its_room() -> None:
    size = 200
    room = outline.outline_room(size, outline=0, shadow=True)
    square = np.zeros((size, size, 4), np.uint8)
    square[room : size - room, room : size - room] = (*RED, 255)
    got = outline.add_shadow(square)
    assert (got[square[..., 3] == 255] == (*RED, 255)).all()
    shade = np.where(square[..., 3] == 0, got[..., 3], 0)
    assert not got[square[..., 3] == 0][:, :3].any()
    above, below = shade[:room].sum(), shade[size - room :].sum()
    assert below > 2 * above
    assert 40 < shade.max() <= 255 * outline.SHADOW_OPACITY
    assert max(shade[0].max(), shade[-1].max(), shade[:, 0].max()) <= 4
    assert np.abs(np.diff(got[:, size // 2, 3].astype(int)))[: room - 1].max() < 40


def test_room_is_counted_for_both() -> None:
    assert outline.outline_room(500, outline=7, shadow=False) == 7
    assert outline.outline_room(500, outline=7, shadow=True) == 7 + 21
