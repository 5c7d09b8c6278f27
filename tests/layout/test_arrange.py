import numpy as np
import pytest

from animecut.layout.arrange import Scene, Track, arrange
from animecut.layout.compose import Box, Placement, Size
from animecut.layout.outline import outline_room

PICTURE = (360, 640)


def seen(*boxes: Box | None) -> Track:
    return Track(PICTURE, list(boxes), [0] * len(boxes), [1] * len(boxes), np.arange(len(boxes) + 1) / 12)


def compose(
    what: Track, bounds: Size, *, exactly: bool = False, crop: bool = True, follow: bool = False, outline: int = 0
) -> Scene:
    return arrange(what, bounds, exactly=exactly, crop=crop, follow=follow, margin=0, outline=outline, shadow=False)


WALK = seen(Box(100, 100, 200, 200), None, Box(300, 100, 400, 200))


def test_a_fixed_crop_holds_every_place_of_the_character() -> None:
    assert compose(WALK, (150, 150)) == Scene([Placement(Box(100, 100, 400, 200), (50, 150))] * 3, (50, 150), (0, 0))


def test_no_crop_is_the_whole_picture() -> None:
    scene = compose(WALK, (320, 320), crop=False)
    assert scene == Scene([Placement(Box(0, 0, 640, 360), (180, 320))] * 3, (180, 320), (0, 0))


def test_following_shows_the_character_larger_at_one_size() -> None:
    scene = compose(WALK, (150, 150), follow=True)
    assert {placement.size for placement in scene.placements} == {scene.canvas}
    assert scene.canvas[0] > 50


@pytest.mark.parametrize("exactly", [False, True])
def test_a_border_has_its_room_inside_the_bounds(exactly: bool) -> None:
    scene = compose(WALK, (170, 170), exactly=exactly, outline=10)
    assert scene.placements[0].size == (50, 150)
    assert scene.canvas == ((170, 170) if exactly else (70, 170))
    assert scene.corner == ((60, 10) if exactly else (10, 10))


def test_an_exact_canvas_holds_who_was_cut_by_the_frame_at_its_edge() -> None:
    scene = compose(seen(Box(100, 260, 200, 360)), (200, 100), exactly=True)
    assert (scene.canvas, scene.corner, scene.placements[0].size) == ((200, 100), (100, 0), (100, 100))


def test_a_shadow_has_room_too() -> None:
    scene = arrange(WALK, (512, 512), exactly=False, crop=True, follow=False, margin=0, outline=8, shadow=True)
    assert scene.corner[0] == outline_room(512, outline=8, shadow=True)
    assert max(scene.canvas) == 512
