"""The shipped weights and the whole job on our own samples. Slow: every drawing goes through the network."""

import pytest

from animecut.segmentation.segmenter import Segmenter
from tests.quality.measure import figures

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def segmenter() -> Segmenter:
    return Segmenter(device="cpu")


@pytest.mark.parametrize("name", ["wave", "two"])
def test_a_sample_is_cut_as_well_as_promised(name: str, segmenter: Segmenter) -> None:
    row = figures(name, segmenter)
    assert row["mad"] <= 12
    assert row["boundary_f"] >= 0.90
    assert row["held_flicker"] == 0
    assert row["timing_ms"] <= 1
