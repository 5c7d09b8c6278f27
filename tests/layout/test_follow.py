import numpy as np
import pytest

from animecut.layout.compose import Box
from animecut.layout.follow import follow_character

PICTURE = (360, 640)
RATE = 12.0


def boxes(xs: np.ndarray, y: int = 100, width: int = 80, height: int = 160) -> list[Box | None]:
    return [Box(int(x), y, int(x) + width, y + height) for x in xs]


def posts(count: int) -> np.ndarray:
    return np.arange(count + 1) / RATE


def inside(inner: Box, outer: Box) -> bool:
    return (inner | outer) == outer


def test_a_steady_walk_is_followed_from_the_first_drawing_to_the_last() -> None:
    walk = boxes(np.arange(40) * 12)
    crops = follow_character(walk, posts(40), [0] * 40, PICTURE, 0.0)
    assert {(crop.width, crop.height) for crop in crops} == {(81, 161)}
    for crop, box in zip(crops, walk, strict=True):
        assert box is not None
        assert inside(box, crop)
        assert crop.left == pytest.approx(box.left, abs=1)


def test_trembling_is_not_followed_and_nothing_is_cut() -> None:
    rng = np.random.default_rng(3)
    xs = 40 + np.arange(60) * 7 + rng.uniform(-9, 9, 60)
    walk = boxes(xs)
    crops = follow_character(walk, posts(60), [0] * 60, PICTURE, 0.0)
    assert all(box and inside(box, crop) for box, crop in zip(walk, crops, strict=True))
    assert len({(crop.width, crop.height) for crop in crops}) == 1
    steps = np.diff([crop.left for crop in crops])
    assert steps.min() >= 3  # the walk's 7 a drawing, not the 18 it trembles by
    assert steps.max() <= 11
    assert crops[0].width < 120


def test_who_stays_is_not_followed_at_all() -> None:
    crops = follow_character(boxes(200 + 3 * np.sin(np.arange(30))), posts(30), [0] * 30, PICTURE, 0.0)
    assert len(set(crops)) == 1


def test_a_leap_makes_the_crop_wider_instead_of_cutting() -> None:
    leap = boxes(np.where(np.arange(24) < 12, 60, 460))
    crops = follow_character(leap, posts(24), [0] * 24, PICTURE, 0.0)
    assert all(box and inside(box, crop) for box, crop in zip(leap, crops, strict=True))
    assert crops[0].width < 480


def test_the_camera_cuts_where_the_clip_does() -> None:
    both = boxes(np.array([20.0] * 10 + [500.0] * 10))
    crops = follow_character(both, posts(20), [0] * 10 + [1] * 10, PICTURE, 0.0)
    assert {crop.left for crop in crops[:10]} == {crops[0].left}
    assert crops[10].left - crops[9].left == 480
    assert len({(crop.width, crop.height) for crop in crops}) == 1


def test_a_crop_never_leaves_the_picture_and_margins_end_there() -> None:
    walk = boxes(np.linspace(0, 560, 30), y=200)
    crops = follow_character(walk, posts(30), [0] * 30, PICTURE, 0.1)
    assert all(inside(crop, Box(0, 0, 640, 360)) for crop in crops)
    assert crops[0].left == 0
    assert crops[-1].right == 640
    middle, box = crops[15], walk[15]
    assert box is not None
    assert box.left - middle.left == pytest.approx(0.1 * max(middle.width, middle.height), abs=2)
    whole = follow_character(boxes(np.array([0.0]), y=0, width=640, height=360), posts(1), [0], PICTURE, 0.2)
    assert whole == [Box(0, 0, 640, 360)]


def test_drawings_without_a_character_are_bridged() -> None:
    walk = boxes(np.arange(20) * 10)
    walk[8] = walk[9] = None
    crops = follow_character(walk, posts(20), [0] * 20, PICTURE, 0.0)
    assert np.abs(np.diff([crop.left for crop in crops]) - 10).max() <= 1
    with pytest.raises(ValueError, match="nothing"):
        follow_character([None], posts(1), [0], PICTURE, 0.0)
    later = follow_character([None, *boxes(np.array([50.0]))], posts(2), [0, 1], PICTURE, 0.0)
    assert inside(Box(50, 100, 130, 260), later[1])


def test_times_of_drawings_count_not_their_number() -> None:
    """One half second held at the left, then many short drawings on their way: the camera waits with the character."""
    times = np.concatenate([[0, 1.5], 1.5 + np.arange(1, 25) / 24])
    walk = boxes(np.concatenate([[50], 50 + np.arange(24) * 15]))
    crops = follow_character(walk, times, [0] * 25, PICTURE, 0.0)
    assert all(box and inside(box, crop) for box, crop in zip(walk, crops, strict=True))
    steps = np.diff([crop.left for crop in crops])
    assert steps.min() >= -1
