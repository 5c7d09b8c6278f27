import numpy as np
import pytest
from animecut_training.synthesis import backgrounds
from animecut_training.synthesis.backgrounds import card


def test_a_card_is_a_picture_of_the_size_asked_for_and_depends_on_chance_alone() -> None:
    for height, width in ((48, 84), (84, 48), (33, 33)):
        one, again, other = (card(height, width, np.random.default_rng(seed)) for seed in (1, 1, 2))
        assert one.shape == (height, width, 3)
        assert one.dtype == np.uint8
        assert (one == again).all()
        assert (one != other).any()


def test_cards_are_of_many_kinds() -> None:
    rng = np.random.default_rng(0)
    drawn = [card(48, 84, rng) for _ in range(200)]
    plain = sum((one == one[0, 0]).all() for one in drawn)
    shaded = sum((one == one[:, :1]).all() for one in drawn) - plain
    pale = sum(float(np.median(one)) > 224 for one in drawn)
    assert plain >= 10
    assert shaded >= 20
    assert pale >= 20
    assert plain + shaded < 120  # the others have something on them


def test_a_pattern_has_a_ground_and_at_most_three_other_colours() -> None:
    rng = np.random.default_rng(3)
    shares = []
    for _ in range(20):
        colours, counts = np.unique(backgrounds._pattern(256, 384, rng).reshape(-1, 3), axis=0, return_counts=True)
        shares.append(np.sort(counts)[::-1][:4].sum() / counts.sum())
        assert len(colours) > 1
    assert np.mean(shares) > 0.9  # others are mixed where two meet; of a wash it is 0.7


@pytest.mark.parametrize("seed", range(5))
def test_a_wash_is_paper_with_spots(seed: int) -> None:
    picture = backgrounds._wash(96, 96, np.random.default_rng(seed)).astype(int)
    assert np.abs(np.diff(picture, axis=0)).max() < 200  # soft, no ink line
    assert (picture.reshape(-1, 3).std(axis=0) > 1).any()
