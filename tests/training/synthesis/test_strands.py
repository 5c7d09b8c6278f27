"""A figure of one colour on nothing: head, neck and shoulders, a face in another colour."""

import cv2
import numpy as np
import pytest
from animecut_training.synthesis.strands import add_strands, hide_face
from numpy.typing import NDArray

HAIR, FACE, CLOTH = (60, 30, 20), (250, 220, 200), (40, 60, 160)


@pytest.fixture
def figure() -> NDArray[np.uint8]:
    layer = np.zeros((200, 240, 4), np.uint8)
    cv2.ellipse(layer, (120, 70), (35, 40), 0, 0, 360, (*HAIR, 255), -1)
    cv2.ellipse(layer, (120, 80), (22, 24), 0, 0, 360, (*FACE, 255), -1)
    cv2.rectangle(layer, (112, 105), (128, 125), (*FACE, 255), -1)
    cv2.rectangle(layer, (70, 120), (170, 199), (*CLOTH, 255), -1)
    return layer


def near(layer: NDArray[np.uint8], colour: tuple[int, int, int]) -> NDArray[np.bool_]:
    return np.asarray((np.abs(layer[..., :3].astype(int) - colour).max(axis=2) < 12) & (layer[..., 3] > 200))


def test_what_grows_begins_at_the_figure_in_its_colours_and_the_figure_stays(figure: NDArray[np.uint8]) -> None:
    before = figure[..., 3] > 128
    more = 0
    for seed in range(20):
        after = add_strands(figure, np.random.default_rng(seed))
        solid = after[..., 3] > 128
        assert (solid | ~before).all()
        assert cv2.connectedComponents(solid.astype(np.uint8))[0] <= 2  # nothing, and one figure
        new = after[solid & ~before][:, :3].astype(float)
        more += len(new)
        if len(new):  # lighter and darker shades of what was there
            own = np.array((HAIR, FACE, CLOTH), float)
            shades = np.clip(new @ own.T / (own**2).sum(axis=1), 0, None)[..., None] * own
            assert np.median(np.abs(shades - new[:, None]).max(axis=2).min(axis=1)) < 12
    assert more > 20 * 300


def test_gaps_are_enclosed_and_show_what_is_behind(figure: NDArray[np.uint8]) -> None:
    holes = 0
    for seed in range(40):
        empty = (add_strands(figure, np.random.default_rng(seed))[..., 3] == 0).astype(np.uint8)
        sizes = cv2.connectedComponentsWithStats(empty)[2][1:, cv2.CC_STAT_AREA]
        holes += int((sizes > 50).sum()) - 1
    assert holes > 20


def test_from_behind_there_is_hair_where_the_face_was_and_the_outline_stays(figure: NDArray[np.uint8]) -> None:
    after = hide_face(figure, np.random.default_rng(0))
    assert near(figure, FACE).sum() > 1500
    assert near(after, FACE).sum() < 0.3 * near(figure, FACE).sum()
    assert (after[..., 3] == figure[..., 3]).all()
    assert (after[140:] == figure[140:]).all()


def test_who_has_no_head_in_sight_stays_as_he_is(figure: NDArray[np.uint8]) -> None:
    cropped = np.ascontiguousarray(figure[60:])
    assert hide_face(cropped, np.random.default_rng(0)) is cropped
    nobody = np.zeros_like(figure)
    assert hide_face(nobody, np.random.default_rng(0)) is nobody
    assert add_strands(nobody, np.random.default_rng(0)) is nobody
