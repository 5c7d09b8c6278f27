import numpy as np
import pytest

from animecut.layout import compose
from animecut.layout.compose import Box, Placement


def disc(size: int, radius: float, colour: tuple[int, int, int]) -> np.ndarray:
    """A straight RGBA disc with an edge of a pixel on transparent black."""
    y, x = np.mgrid[:size, :size] + 0.5
    alpha = np.clip(radius - np.hypot(x - size / 2, y - size / 2) + 0.5, 0, 1)
    rgb = np.where(alpha[..., None] > 0, np.array(colour), 0)
    return np.dstack([rgb, np.rint(alpha * 255)]).astype(np.uint8)


def test_the_box_holds_every_pixel_that_a_grid_cell_touches() -> None:
    alpha = np.zeros((2, 4, 10), np.float32)
    alpha[0, 1, 2] = alpha[1, 2, 4] = 0.6
    assert compose.bounding_box(alpha, 0.5, (4, 10)) == Box(2, 1, 5, 3)
    assert compose.bounding_box(alpha[0], 0.5, (6, 25)) == Box(5, 1, 8, 3)
    assert compose.bounding_box(alpha, 0.7, (4, 10)) is None


def test_boxes_join_and_grow_as_far_as_the_picture() -> None:
    assert Box(2, 1, 5, 3) | Box(0, 2, 3, 9) == Box(0, 1, 5, 9)
    assert Box(2, 1, 5, 3).grown(2, (4, 100)) == Box(0, 0, 7, 4)
    with pytest.raises(ValueError, match="at least one pixel"):
        Box(3, 0, 3, 2)


@pytest.mark.parametrize("box", [Box(200, 100, 500, 300), Box(0, 100, 500, 300), Box(900, 500, 920, 540)])
def test_the_longest_side_is_the_size_and_the_margin_is_in_output_pixels(box: Box) -> None:
    placement = compose.place_box(box, (1080, 1920), (512, 512), 20)
    height, width = placement.size
    assert max(height, width) == 512
    scale = width / placement.crop.width
    assert height / placement.crop.height == pytest.approx(scale, rel=0.02)
    assert (placement.crop.bottom - box.bottom) * scale == pytest.approx(20, abs=scale)
    assert (box.left - placement.crop.left) * scale == pytest.approx(20 if box.left else 0, abs=scale)


def test_the_whole_picture_without_margin_is_the_whole_picture() -> None:
    assert compose.place_box(Box(0, 0, 256, 144), (144, 256), (256, 256), 0) == Placement(
        Box(0, 0, 256, 144), (144, 256)
    )
    with pytest.raises(ValueError, match="margins"):
        compose.place_box(Box(0, 0, 9, 9), (9, 9), (16, 16), 8)


def test_bounds_that_are_no_square_are_met_on_one_side() -> None:
    placement = compose.place_box(Box(100, 100, 200, 200), (400, 400), (531, 413), 0)
    assert placement == Placement(Box(100, 100, 200, 200), (413, 413))
    assert compose.fill_bounds(Box(0, 0, 50, 100), (531, 413)).size == (531, 266)


def test_on_a_larger_canvas_it_stands_in_the_middle_or_where_the_frame_cut_it() -> None:
    assert compose.canvas_corner((50, 30), (100, 100), Box(5, 5, 9, 9), (20, 20)) == (25, 35)
    assert compose.canvas_corner((50, 30), (100, 100), Box(5, 5, 9, 20), (20, 20)) == (50, 35)
    assert compose.canvas_corner((50, 30), (100, 100), Box(0, 0, 9, 20), (20, 20)) == (25, 0)
    assert compose.canvas_corner((50, 30), (100, 100), Box(5, 0, 20, 9), (20, 20)) == (0, 70)
    red = np.full((1, 2, 4), (255, 0, 0, 255), np.uint8)
    canvas = compose.paste_on_canvas(red, (3, 4), (1, 2))
    assert canvas[1, 2:].tolist() == red[0].tolist()
    assert canvas.sum() == red.sum()


def test_stacking_is_exact_where_either_is_opaque_or_absent() -> None:
    above = np.array([[[255, 0, 0, 255], [9, 9, 9, 0], [255, 0, 0, 128], [255, 0, 0, 128], [9, 9, 9, 0]]], np.uint8)
    below = np.array([[[0, 0, 9, 255], [0, 0, 200, 70], [0, 0, 255, 255], [0, 0, 0, 0], [9, 9, 9, 0]]], np.uint8)
    expected = [[255, 0, 0, 255], [0, 0, 200, 70], [128, 0, 127, 255], [255, 0, 0, 128], [0, 0, 0, 0]]
    assert compose.alpha_over(above, below)[0].tolist() == expected
    half = np.full((1, 1, 4), (200, 0, 0, 128), np.uint8)
    both = compose.alpha_over(half, np.full((1, 1, 4), (0, 0, 200, 128), np.uint8))[0, 0]
    assert both.tolist() == [134, 0, 66, 192]  # 0.502 + 0.498 * 0.502 = 0.752 of 255, red two thirds of it


@pytest.mark.parametrize("size", [20, 37, 200])
def test_a_white_disc_on_transparent_black_stays_white(size: int) -> None:
    scaled = compose.resample(disc(64, 25, (255, 255, 255)), Placement(Box(0, 0, 64, 64), (size, size)))
    visible = scaled[..., 3] > 0
    assert (scaled[visible][:, :3] >= 254).all()
    assert not scaled[~visible].any()
    assert scaled[size // 2, size // 2].tolist() == [255] * 4
    assert scaled[0, 0, 3] == 0
    assert scaled[..., 3].mean() / 255 == pytest.approx(np.pi * 25**2 / 64**2, rel=0.02)


def test_scaling_up_does_not_ring_beside_a_line() -> None:
    picture = np.full((40, 40, 3), 200, np.uint8)
    picture[:, 18:21] = 20
    scaled = compose.resample(picture, Placement(Box(0, 0, 40, 40), (200, 200)))
    assert scaled.max() <= 200
    assert scaled.min() >= 20
    assert (scaled[:, :80] == 200).all()


def test_a_crop_at_its_own_size_is_untouched() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (30, 40, 4), dtype=np.uint8)
    picture[..., 3] |= 128
    scaled = compose.resample(picture, Placement(Box(5, 6, 25, 16), (10, 20)))
    assert np.abs(scaled.astype(int) - picture[6:16, 5:25]).max() <= 1


@pytest.mark.parametrize(("grid", "size"), [((45, 80), (300, 400)), ((45, 80), (60, 80)), ((360, 640), (30, 40))])
def test_a_coarse_ramp_lands_on_the_pixels_it_belongs_to(grid: tuple[int, int], size: tuple[int, int]) -> None:
    height, width = 360, 640
    down, across = ((np.arange(n) + 0.5) / n for n in grid)
    coarse = (0.1 + 0.5 * across[None] + 0.3 * down[:, None]).astype(np.float32)
    crop = Box(120, 90, 520, 290)
    got = compose.resample_alpha(coarse, Placement(crop, size), (height, width))
    x = (crop.left + (np.arange(size[1]) + 0.5) * crop.width / size[1]) / width
    y = (crop.top + (np.arange(size[0]) + 0.5) * crop.height / size[0]) / height
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, 0.1 + 0.5 * x[None] + 0.3 * y[:, None], atol=2e-4)


def test_coarse_alpha_holds_its_value_at_the_picture_s_border() -> None:
    placement = Placement(Box(0, 0, 64, 64), (128, 128))
    got = compose.resample_alpha(np.ones((4, 4), np.float32), placement, (64, 64))
    np.testing.assert_allclose(got, 1, atol=1e-6)


def test_over_is_what_browsers_do() -> None:
    rgba = np.array([[[10, 20, 30, 255], [10, 20, 30, 0], [255, 0, 0, 128]]], np.uint8)
    assert compose.composite_over(rgba, (0, 0, 255)).tolist() == [[[10, 20, 30], [0, 0, 255], [128, 0, 127]]]
    ground = np.full((1, 3, 3), 7, np.uint8)
    assert compose.composite_over(rgba[None], ground)[0, 0, 1].tolist() == [7, 7, 7]
    assert compose.composite_over(rgba[..., :3], (0, 0, 0)) is not None
    assert (compose.composite_over(rgba[..., :3], (0, 0, 0)) == rgba[..., :3]).all()


def test_a_picture_behind_covers_the_whole_ground() -> None:
    ground = np.zeros((10, 40, 3), np.uint8)
    ground[:, 15:25] = 255  # its middle square
    assert (compose.composite_over(np.zeros((20, 20, 4), np.uint8), ground) == 255).all()


@pytest.mark.parametrize(
    "crop", [Box(0, 0, 30, 20), Box(8, 6, 12, 9), Box(0, 0, 9, 7), Box(20, 15, 30, 20), Box(0, 15, 4, 20)]
)
def test_a_kept_part_is_cropped_as_if_its_edge_went_on(crop: Box) -> None:
    part = np.random.default_rng(0).integers(1, 255, (8, 10, 3), dtype=np.uint8)
    whole = np.pad(part, ((5, 7), (7, 13), (0, 0)), mode="edge")
    assert (compose.crop_part(part, 5, 7, crop) == whole[crop.top : crop.bottom, crop.left : crop.right]).all()
