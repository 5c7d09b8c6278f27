import numpy as np
import pytest

from animecut import spool


@pytest.mark.parametrize("limit", [2**30, 10])
def test_records_come_back_in_order_as_often_as_asked(monkeypatch: pytest.MonkeyPatch, limit: int) -> None:
    monkeypatch.setattr(spool, "IN_MEMORY", limit)
    rng = np.random.default_rng(0)
    records = [(rng.integers(0, 255, (i + 1, 3), dtype=np.uint8), rng.random(i)) for i in range(5)]
    with spool.Spool() as kept:
        for record in records:
            kept.append(*record)
        for _ in range(2):
            again = list(kept)
            assert len(again) == len(kept) == 5
            for (a, b), (c, d) in zip(records, again, strict=True):
                assert (a == c).all()
                assert (b == d).all()
        kept.append(np.ones(1))
        assert kept[5][0].tolist() == [1.0]
        assert (kept[2][0] == records[2][0]).all()
