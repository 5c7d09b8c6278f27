from itertools import pairwise
from math import log

import pytest

from animecut.platforms.ladder import ALL_COLOURS, BYTES, QualityLadder, Rung

WEBP = QualityLadder("webp", Rung(60, 90), 75, Rung(30, 40, 0.25))


def test_a_road_leads_from_the_best_to_the_worst() -> None:
    assert WEBP.at(0) == WEBP.best
    assert WEBP.at(WEBP.length) == WEBP.worst
    assert WEBP.at(2 * WEBP.length) == WEBP.worst


def test_the_order_is_grade_drawings_grade_pixels() -> None:
    tries = [WEBP.at(WEBP.length * i / 500) for i in range(501)]
    first = next(t for t in tries if t.drawings < 60)
    assert first.grade == 75
    assert next(t for t in tries if t.grade < 75).drawings == 30
    smaller = next(t for t in tries if t.scale < 1)
    assert (smaller.drawings, smaller.grade) == (30, 40)
    for one, other in pairwise(tries):
        assert (one.drawings, one.grade, one.scale) >= (other.drawings, other.grade, other.scale)


@pytest.mark.parametrize("kind", list(BYTES))
def test_every_grade_lies_on_its_road(kind: str) -> None:
    best = max(BYTES[kind])
    road = QualityLadder(kind, Rung(5, best), 30, Rung(5, 30))
    grades = {road.at(road.length * i / 4000).grade for i in range(4001)}
    assert set(range(30, min(best, 256) + 1)) <= grades


def test_places_are_logarithms_of_bytes() -> None:
    half = QualityLadder("gif", Rung(40, 255), 255, Rung(10, 255)).at(log(2))
    assert half == Rung(20, 255)
    assert QualityLadder("webp", Rung(9, 40), 40, Rung(9, 40, 0.25)).at(log(4)).scale == 0.5
    assert QualityLadder("apng", Rung(9, ALL_COLOURS), 64, Rung(9, 64)).at(0.58).grade == 1024


def test_a_format_without_grades_gives_up_drawings_and_pixels() -> None:
    road = QualityLadder("mov", Rung(8, 90), 90, Rung(4, 90, 0.5))
    assert road.at(log(2)) == Rung(4, 90)
    assert road.at(road.length) == Rung(4, 90, 0.5)
