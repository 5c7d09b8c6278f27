import cv2
import numpy as np
import pytest
from animecut_training.synthesis import augment


def framed(height: int = 90, width: int = 160) -> tuple[np.ndarray, np.ndarray]:
    """A red disc on blue and its exact alpha: wherever it goes, red must stay where alpha is."""
    alpha = np.zeros((height, width), np.float32)
    cv2.circle(alpha, (width // 2, height // 2), height // 4, 1.0, -1)
    rgb = np.zeros((height, width, 3), np.uint8)
    rgb[..., 0], rgb[..., 2] = alpha * 255, (1 - alpha) * 255
    return rgb, alpha


def test_picture_and_matte_move_together() -> None:
    rgb, alpha = framed()
    for seed in range(30):
        view = augment.framing(alpha.shape, 64, 80, np.random.default_rng(seed))
        moved, matte, mask = view.of(rgb), view.of(alpha), view.of((alpha > 0.5).astype(np.uint8) * 7, exact=True)
        assert moved.shape == (64, 80, 3)
        assert matte.shape == (64, 80)
        assert np.abs(moved[..., 0] / 255 - matte).max() < 0.12
        assert set(np.unique(mask)) <= {0, 7}
        assert ((mask > 0) != (matte > 0.5)).mean() < 0.03


def test_grading_and_degrading_keep_the_place_of_things() -> None:
    rgb, alpha = framed()
    for seed in range(20):
        rng = np.random.default_rng(seed)
        worn = augment.degrade(augment.grade(rgb, rng), rng)
        assert worn.shape == rgb.shape
        assert worn.dtype == np.uint8
        inside, outside = worn[alpha == 1].astype(float), worn[alpha == 0].astype(float)
        assert np.abs(inside.mean(axis=0) - outside.mean(axis=0)).max() > 20


def test_another_hand_changes_lines_and_shades_but_no_shape() -> None:
    rgb, alpha = framed()
    cv2.line(rgb, (10, 5), (150, 5), (0, 0, 0), 2)  # on blue
    darker, changed = [], []
    for seed in range(60):
        other = augment.redraw(rgb, alpha, np.random.default_rng(seed)).astype(float)
        assert other[alpha == 1][:, 0].mean() - other[alpha == 0][:, 0].mean() > 90
        changed.append(np.abs(other - rgb).mean() > 0.1)
        darker.append(other[2:9, 20:140, 2].mean() - rgb[2:9, 20:140, 2].mean())
    assert np.mean(changed) > 0.7  # two flat colours may be two of the shades, and a shadow fall nowhere
    assert min(darker) < -10  # a thicker line
    assert max(darker) > 10  # a thinner one


def test_another_hand_leaves_the_edge_where_it_is() -> None:
    alpha = np.zeros((60, 80), np.float32)
    cv2.rectangle(alpha, (20, 15), (60, 45), 1.0, -1)
    rgb = np.where(alpha[..., None] > 0, np.uint8(20), np.full(3, 220, np.uint8))
    for seed in range(60):
        if np.random.default_rng(seed).random() < 0.5:  # lines
            assert (augment.redraw(rgb, alpha, np.random.default_rng(seed)) == rgb).all()


def test_the_same_seed_gives_the_same_picture() -> None:
    rgb, alpha = framed()
    one, two = (augment.framing(alpha.shape, 64, 80, np.random.default_rng(5)) for _ in range(2))
    assert (one.of(rgb) == two.of(rgb)).all()


def test_only_hues_turn_and_all_of_them_alike() -> None:
    import colorsys

    rgb, alpha = framed()
    rgb[:10, :10] = 128
    turns = []
    for seed in range(200):
        turned = augment.rotate_hue(rgb, np.random.default_rng(seed))
        assert (np.abs(turned[:10, :10].astype(int) - 128) <= 1).all()
        hues = [colorsys.rgb_to_hsv(*(turned[alpha == value][-1] / 255)) for value in (0, 1)]
        assert all(s > 0.98 and v > 0.98 for _, s, v in hues)
        blue, red = ((hue * 360 - was + 180) % 360 - 180 for (hue, _, _), was in zip(hues, (240, 0), strict=True))
        assert abs(blue - red) < 2
        turns.append(red)
    assert 0.8 * augment.HUE < np.std(turns) < 1.2 * augment.HUE


def test_a_gif_has_few_colours_and_dithers_what_lies_between() -> None:
    rgb = np.repeat(np.linspace(0, 255, 160).astype(np.uint8)[None, :, None], 90, axis=0).repeat(3, axis=2)
    few = augment.dither(rgb, 8)
    assert len(np.unique(few.reshape(-1, 3), axis=0)) <= 8
    assert (few[:, 1:-1].max(axis=0) > few[:, 1:-1].min(axis=0)).mean() > 0.5  # no bands: a column has several colours
    assert np.abs(few.mean(axis=0) - rgb.mean(axis=0)).mean() < 8


def test_a_mirrored_one_turns_the_same_way() -> None:
    plain, mirrored = (augment.rotation_matrix(2, 90, mirrored=mirrored) for mirrored in (False, True))
    assert plain @ [1, 0] == pytest.approx([0, 2])
    assert mirrored @ [-1, 0] == pytest.approx([0, 2])
