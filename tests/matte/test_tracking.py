"""Two figures of different colours walk over a drawn scene; who is who is known."""

from collections.abc import Iterator, Sequence

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from animecut.errors import InputError, SettingsError
from animecut.matte.tracking import parse_choice, select
from animecut.types import Drawing
from tests.drawings_made import alphas, make_drawing

HEIGHT, WIDTH = 180, 320
GRID = (90, 160)  # what the network would see
RED, BLUE = (210, 60, 50), (50, 90, 220)
Colour = tuple[int, int, int]
Figure = tuple[float, float, Colour]  # middle in pixels, size, colour
Plane = NDArray[np.float32]
Scene = tuple[NDArray[np.uint8], list[Plane]]

NOISE = np.random.default_rng(3).integers(90, 200, (12, 20, 3), dtype=np.uint8)
SCENE = np.asarray(cv2.resize(NOISE, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC), np.uint8)


def draw(figures: Sequence[Figure]) -> Scene:
    """A picture of the figures, the later before the earlier, and how much of each is seen, on the network's grid."""
    picture = np.array(SCENE)
    seen: list[NDArray[np.uint8]] = []
    for x, size, colour in figures:
        mask = np.zeros((HEIGHT, WIDTH), np.uint8)
        cv2.circle(mask, (round(x), round(150 - 76 * size)), round(22 * size), 255, -1, cv2.LINE_AA)
        cv2.ellipse(mask, (round(x), 150), (round(26 * size), round(62 * size)), 0, 0, 360, 255, -1, cv2.LINE_AA)
        painted = np.full_like(picture, colour)
        painted[120:] = np.array(colour) // 2  # a skirt
        outline = cv2.morphologyEx(mask, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
        painted[outline > 128] = 20
        part = mask[..., None] / 255
        picture = np.rint(picture * (1 - part) + painted * part).astype(np.uint8)
        seen = [np.where(mask > 127, 0, other).astype(np.uint8) for other in seen] + [mask]
    return picture, [shrunk(mask) for mask in seen]


def shrunk(mask: NDArray[np.uint8]) -> Plane:
    small = cv2.resize(mask.astype(np.float32), (GRID[1], GRID[0]), interpolation=cv2.INTER_AREA)
    return np.asarray(small / 255, np.float32)


def stream(drawings: Sequence[Scene], shots: Sequence[int] = ()) -> Iterator[Drawing]:
    """Drawings with the alpha of everybody together."""
    for i, (picture, each) in enumerate(drawings):
        alpha = cv2.GaussianBlur(np.maximum.reduce(each), (0, 0), 1.0).astype(np.float32)
        yield make_drawing(picture, alpha, i / 8, (i + 1) / 8, shots[i] if shots else 0)


def agreement(alpha: NDArray[np.float32], truth: NDArray[np.float32]) -> float:
    """Intersection over union at 0.5."""
    a, b = alpha > 0.5, truth > 0.5
    return float((a & b).sum() / max(1, (a | b).sum()))


def passing(count: int = 17) -> list[Scene]:
    """Red walks to the right, in front of blue, who walks to the left: they touch, cross and part."""
    return [draw([(250 - 11 * i, 0.9, BLUE), (60 + 12 * i, 1.0, RED)]) for i in range(count)]


def test_all_changes_nothing() -> None:
    drawings = passing(3)
    given = alphas(stream(drawings))
    assert np.array_equal(alphas(select(stream(drawings), "all")), given)


@pytest.mark.parametrize(("choice", "who"), [("left", 1), ("right", 0), ("250,140", 0)])
def test_the_chosen_one_is_followed_through_a_crossing(choice: str, who: int) -> None:
    drawings = passing()
    found = alphas(select(stream(drawings), choice))
    for i, (alpha, (_, seen)) in enumerate(zip(found, drawings, strict=True)):
        hidden = seen[who].sum() < 0.7 * passing(1)[0][1][who].sum()
        assert hidden or agreement(alpha, seen[who]) > 0.8, i
    assert agreement(found[0], drawings[0][1][who]) > 0.95
    assert agreement(found[-1], drawings[-1][1][who]) > 0.95


def test_one_who_was_quite_hidden_is_known_again() -> None:
    pole = [(160.0, 1.35, RED)]
    drawings = [draw([(60 + 13.0 * i, 0.7, BLUE), *pole]) for i in range(15)]
    least = min(seen[0].sum() for _, seen in drawings)
    found = alphas(select(stream(drawings), "left"))
    assert least < 0.1 * drawings[0][1][0].sum()
    assert agreement(found[-1], drawings[-1][1][0]) > 0.9
    assert agreement(found[-2], drawings[-2][1][0]) > 0.9


def test_center_is_nearest_the_middle() -> None:
    figures: list[Figure] = [(40.0, 0.8, BLUE), (150.0, 0.6, RED), (280.0, 0.8, BLUE)]
    picture = draw(figures)
    assert agreement(alphas(select(stream([picture]), "center"))[0], picture[1][1]) > 0.9


def test_a_new_shot_chooses_again() -> None:
    first = draw([(60.0, 0.8, BLUE), (250.0, 1.0, RED)])
    second = draw([(60.0, 1.0, RED), (250.0, 0.8, BLUE)])
    found = alphas(select(stream([first, second], shots=[0, 1]), "left"))
    assert agreement(found[1], second[1][0]) > 0.9
    found = alphas(select(stream([first, second], shots=[0, 1]), "60,140"))  # after a point, whose colours are the same
    assert agreement(found[0], first[1][0]) > 0.9
    assert agreement(found[1], second[1][1]) > 0.9


@pytest.mark.parametrize("gap", [0, 1])
def test_one_who_was_alone_is_known_again_among_others(gap: int) -> None:
    alone, both = draw([(250.0, 1.0, RED)]), draw([(60.0, 0.8, RED), (250.0, 1.0, BLUE)])
    nobody: list[Scene] = [(SCENE, [np.zeros(GRID, np.float32)])] * gap
    found = alphas(select(stream([alone, *nobody, both], shots=[0] * (1 + gap) + [1]), "250,140"))
    assert agreement(found[-1], both[1][0]) > 0.9


def test_someone_who_comes_later_is_not_chosen() -> None:
    drawings = [draw([(80.0, 1.0, RED), (420.0 - 15 * i, 0.8, BLUE)]) for i in range(12)]
    found = alphas(select(stream(drawings), "left"))
    assert all(agreement(alpha, seen[0]) > 0.9 for alpha, (_, seen) in zip(found, drawings, strict=True))


def test_the_soft_edge_stays_whole() -> None:
    drawings = [draw([(60.0, 0.8, BLUE), (250.0, 1.0, RED)])]
    whole = alphas(stream(drawings))[0]
    found = alphas(select(stream(drawings), "right"))[0]
    right = np.s_[:, GRID[1] // 2 :]
    np.testing.assert_allclose(found[right], whole[right], atol=0.02)
    assert found[:, : GRID[1] // 2].max() < 0.01


def test_nobody_there_is_nobody_picked() -> None:
    empty: Scene = (SCENE, [np.zeros(GRID, np.float32)])
    drawings = [empty, draw([(100.0, 1.0, RED)]), empty, draw([(100.0, 1.0, RED)])]
    found = alphas(select(stream(drawings), "left"))
    assert found[0].max() == 0
    assert found[2].max() == 0
    assert agreement(found[1], drawings[1][1][0]) > 0.9
    assert agreement(found[3], drawings[3][1][0]) > 0.9


def told_apart(drawings: Sequence[Scene]) -> Iterator[Drawing]:
    """The same as `stream`, from a network that tells characters apart and names them in any order."""
    for i, (picture, planes) in enumerate(drawings):
        yield make_drawing(picture, np.stack(planes[:: 1 if i % 2 else -1]), i / 8, (i + 1) / 8)


@pytest.mark.parametrize(("choice", "who"), [("left", 0), ("right", 1), ("largest", 1)])
def test_of_characters_told_apart_one_is_chosen_though_they_touch(choice: str, who: int) -> None:
    drawings = [draw([(100 + 3 * i, 0.8, RED), (140 - 2 * i, 1, BLUE)]) for i in range(6)]
    alpha = alphas(select(told_apart(drawings), choice))
    for i in range(6):
        assert agreement(alpha[i], drawings[i][1][who]) > 0.9
    everybody = alphas(select(told_apart(drawings), "all"))
    assert (everybody == [np.maximum.reduce(each) for _, each in drawings]).all()


@pytest.mark.parametrize("choice", ["nobody", "1", "1,2,3", "-1,4", "nan,3", "", "a,b", "Left"])
def test_words_that_are_no_choice(choice: str) -> None:
    with pytest.raises(SettingsError, match="`pick`"):
        select(iter(()), choice)


def test_a_point_outside_the_picture() -> None:
    assert parse_choice("12.5,30") == (12.5, 30.0)
    with pytest.raises(InputError, match="320x180"):
        alphas(select(stream(passing(1)), "400,20"))
