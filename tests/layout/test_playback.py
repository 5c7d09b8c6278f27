import numpy as np
import pytest

from animecut.errors import InputError
from animecut.layout import playback
from animecut.layout.playback import Loop, find_loop, plan_playback

TIMES = np.array([2.0, 2.1, 2.4, 2.5])  # three drawings of 0.1, 0.3 and 0.1 s


def test_as_it_is_and_faster_from_where_it_began() -> None:
    assert plan_playback(TIMES).order == (0, 1, 2)
    np.testing.assert_allclose(plan_playback(TIMES).times, TIMES)
    np.testing.assert_allclose(plan_playback(TIMES, speed=2).times, [2.0, 2.05, 2.2, 2.25])
    np.testing.assert_allclose(plan_playback(TIMES, speed=0.5).times, [2.0, 2.2, 2.8, 3.0])


def test_backwards_every_drawing_keeps_its_own_length() -> None:
    got = plan_playback(np.array([0.0, 0.1, 0.4, 0.6]), reverse=True)
    assert got.order == (2, 1, 0)
    np.testing.assert_allclose(got.times, [0, 0.2, 0.5, 0.6])


def test_to_and_fro_without_doubling_the_ends() -> None:
    got = plan_playback(TIMES, bounce=True)
    assert got.order == (0, 1, 2, 1)
    np.testing.assert_allclose(np.diff(got.times), [0.1, 0.3, 0.1, 0.3])
    assert plan_playback(TIMES, reverse=True, bounce=True).order == (2, 1, 0, 1)
    assert plan_playback(TIMES[:3], bounce=True).order == (0, 1)
    assert plan_playback(TIMES[:2], bounce=True).order == (0,)
    assert plan_playback(np.arange(6.0), bounce=True).order == (0, 1, 2, 3, 4, 3, 2, 1)


def balls(xs: np.ndarray, shade: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Soft discs at these places of a 40 x 60 picture, as RGB that gets brighter by `shade` a drawing, and alpha."""
    y, x = np.mgrid[:40, :60] + 0.5
    alpha = np.stack([np.clip(10.5 - np.hypot(y - 20, x - at), 0, 1) for at in xs]).astype(np.float32)
    rgb = np.zeros((len(xs), 40, 60, 3), np.uint8)
    rgb[:] = (100 + shade * np.arange(len(xs)))[:, None, None, None]
    return rgb, alpha


def posts(count: int, rate: float = 12.0) -> np.ndarray:
    return np.arange(count + 1) / rate


@pytest.mark.parametrize("phase", [0.0, 1.1])
def test_a_swing_loops_after_whole_periods(phase: float) -> None:
    swing = 30 + 14 * np.sin(2 * np.pi * np.arange(29) / 8 + phase)  # three and a half periods of 8 drawings
    loop = find_loop(*balls(swing), posts(29))
    assert loop.stop - loop.start == 24
    assert loop.score > 0.999
    assert loop.words == "seamless"
    assert loop.holds


def test_a_swing_is_not_cut_where_it_only_passes_the_same_place() -> None:
    """At drawings 0 and 7 of a period of 14 the disc is in the middle, on its way there and on its way back."""
    swing = 30 + 14 * np.sin(2 * np.pi * np.arange(20) / 14)
    loop = find_loop(*balls(swing), posts(20))
    assert loop.stop - loop.start == 14


def test_a_clip_that_is_one_whole_loop_stays_whole() -> None:
    circle = 30 + 14 * np.sin(2 * np.pi * np.arange(12) / 12)
    loop = find_loop(*balls(circle), posts(12))
    assert (loop.start, loop.stop) == (0, 12)
    assert loop.holds


def test_what_only_moves_on_is_no_loop() -> None:
    loop = find_loop(*balls(np.linspace(12, 48, 16)), posts(16))
    assert not loop.holds
    assert loop.words == "a clear jump"
    assert loop.stop - loop.start >= 6  # half a second


def test_colour_tells_drawings_apart_where_the_shape_does_not() -> None:
    rgb, alpha = balls(np.full(25, 30.0))
    for i in range(25):
        rgb[i] = 60 + 10 * (i % 10)  # it glows every ten drawings
    rgb[:3] = 250
    loop = find_loop(rgb, alpha, posts(25))
    assert (loop.start, loop.stop) == (3, 23)
    assert loop.score > 0.99


def test_held_drawings_and_their_times_decide_what_is_longest() -> None:
    times = np.concatenate([[0], np.cumsum([0.5, 0.1, 0.1, 0.5, 0.1, 0.1, 0.1])])
    loop = find_loop(*balls(np.array([20.0, 30, 40, 20, 30, 40, 55])), times)
    assert (loop.start, loop.stop) == (0, 3)
    assert loop.score == pytest.approx(1)


def test_a_drawing_that_is_held_for_long_is_no_loop() -> None:
    times = np.concatenate([[0, 1.0], 1.0 + np.arange(1, 12) / 12])
    loop = find_loop(*balls(np.array([10.0, 10.5, 11.5, *range(14, 50, 4)])), times)
    assert loop.stop - loop.start >= 3


def test_steps_too_large_to_compare_are_no_sign_of_a_loop() -> None:
    assert playback._jump_of_all(1 - np.eye(6)) == 1


def test_little_is_left_as_it_is() -> None:
    one = find_loop(*balls(np.array([20.0])), posts(1))
    short = find_loop(*balls(np.array([20.0, 40.0])), posts(2))
    assert (one.start, one.stop, short.start, short.stop) == (0, 1, 0, 2)
    empty = find_loop(np.zeros((9, 4, 4, 3), np.uint8), np.zeros((9, 4, 4), np.float32), posts(9))
    assert empty.score == pytest.approx(1, abs=0.01)


def test_words_follow_the_jump() -> None:
    said = [Loop(0, 9, 0.9, jump).words for jump in (0.1, 0.8, 1.5, 7.0)]
    assert said == ["seamless", "hardly seen", "a small jump", "a clear jump"]


def test_a_range_that_is_too_long_for_a_loop_is_told() -> None:
    count = playback.MOST + 1
    rgb, alpha = np.zeros((count, 1, 1, 3), np.uint8), np.zeros((count, 1, 1), np.float32)
    with pytest.raises(InputError, match=r"`loop_find`: 1501 drawings are too many"):
        find_loop(rgb, alpha, np.arange(count + 1.0))
