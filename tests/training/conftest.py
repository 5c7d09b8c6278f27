import pytest
from animecut_training.loop import batches
from animecut_training.loop import fit as loop


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trainings of small pictures, with checkpoints after every two steps."""
    monkeypatch.setattr(batches, "SHAPES", ((48, 64),))
    monkeypatch.setattr(loop, "SHORTEST_EPOCH", 2)
