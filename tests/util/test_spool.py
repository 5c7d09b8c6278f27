import numpy as np
import pytest

from animecut._util import spool
from animecut.errors import NoRoom


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


def test_a_full_temporary_folder_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    resource = pytest.importorskip("resource")
    monkeypatch.setattr(spool, "IN_MEMORY", 10)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (600, limits[1]))
    try:
        with pytest.raises(NoRoom, match=r"takes no more \(File too large\)"), spool.Spool() as kept:
            kept.append(np.zeros(200))  # so few bytes would wait for the next ones, or for the end, to be written
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
