"""The samples are cut as they were, in all formats and for three platforms, and a short training learns the same."""

import json
from typing import Any

import numpy as np
import pytest

from tests.golden.record import KEPT, record

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def now() -> dict[str, Any]:
    return record(exact=False)


@pytest.fixture(scope="module")
def kept() -> dict[str, Any]:
    known: dict[str, Any] = json.loads(KEPT.read_text())
    return known


def test_every_command_explains_itself_as_before(now: dict[str, Any], kept: dict[str, Any]) -> None:
    assert now["help"] == kept["help"]


@pytest.mark.parametrize("name", ["wave", "two"])
def test_a_sample_is_cut_as_before(name: str, now: dict[str, Any], kept: dict[str, Any]) -> None:
    assert now[name]["keys"] == kept[name]["keys"]
    assert now[name]["numbers"] == kept[name]["numbers"]
    assert len(now[name]["outputs"]) == len(kept[name]["outputs"])
    for new, old in zip(now[name]["outputs"], kept[name]["outputs"], strict=True):
        same = set(old) - {"places", "bytes", "ssim", "sha256"}
        assert {key: new[key] for key in same} == {key: old[key] for key in same}
        assert new["bytes"] == pytest.approx(old["bytes"], rel=0.05)  # another libwebp packs otherwise
        # Two levels of a place's mean: another processor's network rounds otherwise.
        assert np.abs(np.array(new["places"]) - np.array(old["places"])).max() < 2.0


def test_a_short_training_learns_the_same(now: dict[str, Any], kept: dict[str, Any]) -> None:
    assert len(now["fit"]) == len(kept["fit"]) == 2
    for new, old in zip(now["fit"], kept["fit"], strict=True):
        assert new["total"] == pytest.approx(old["total"], rel=0.05)
