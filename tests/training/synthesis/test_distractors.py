import numpy as np
from animecut_training.synthesis.distractors import draw_distractors, draw_particles, palette_of


def test_things_lie_where_they_are_said_to_lie() -> None:
    for seed in range(40):
        rng = np.random.default_rng(seed)
        picture = np.full((90, 160, 3), 77, np.uint8)
        drawn = draw_distractors(picture, np.empty((0, 3)), rng)
        assert drawn.shape == (90, 160)
        assert (picture[drawn == 0] == 77).all()
        assert (drawn > 0.5).any() == (picture[drawn > 0.5] != 77).any()


def test_colours_are_the_characters_own() -> None:
    sprite = np.zeros((30, 20, 4), np.uint8)
    sprite[5:20] = (10, 200, 30, 255)
    palette = palette_of(sprite, np.random.default_rng(0))
    assert (palette == (10, 200, 30)).all()
    assert len(palette_of(np.zeros((4, 4, 4), np.uint8), np.random.default_rng(0))) == 0
    greens = 0
    for seed in range(30):
        picture = np.full((90, 160, 3), 255, np.uint8)
        drawn = draw_distractors(picture, palette, np.random.default_rng(seed))
        inside = picture[drawn == 1].astype(float)
        greens += int(len(inside) > 0 and (inside[:, 1] > inside[:, 0] + 60).mean() > 0.2)
    assert greens > 12


def test_petals_change_a_part_of_the_picture() -> None:
    picture = np.zeros((90, 160, 3), np.uint8)
    draw_particles(picture, np.random.default_rng(3))
    assert 0 < (picture.max(axis=2) > 0).mean() < 0.9
