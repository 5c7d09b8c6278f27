import io
import sys
from pathlib import Path

import pytest

from animecut.cli.progress import ProgressBars
from animecut.pipeline import cut
from animecut.results import Target
from animecut.settings import Settings
from tests import world


class Terminal(io.StringIO):
    """In place of standard error, which pytest puts back between a fixture and its test: each test sets it itself."""

    def isatty(self) -> bool:
        return True

    @property
    def begun(self) -> list[str]:
        """The stages whose bars began, in order: each is first drawn with nothing done."""
        return [text.split(":")[0] for text in self.getvalue().split("\r") if "?" in text]


def test_a_bar_stays_until_its_stage_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    with ProgressBars(silent=False) as bars:
        for done in range(1, 6):
            bars.progress("matting", done, 5)
            bars.progress("webp", done, 5)
        bars.progress("fitting", 1, None)
        bars.progress("gif", 1, 5)
    assert terminal.begun == ["matting", "webp", "fitting", "gif"]


def test_a_stage_that_broke_off_hides_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    with ProgressBars(silent=False) as bars:
        bars.progress("webm", 1, 5)
        for done in range(1, 6):
            bars.progress("gif", done, 5)
    assert terminal.begun == ["webm", "gif"]


@pytest.mark.parametrize("frame", [None, 0.1])  # of a still, there are fewer pictures than its clip has
def test_every_stage_of_a_sticker_has_one_bar(
    frame: float | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    source = world.write_clip(tmp_path / "walk.mp4", [rgb for rgb, _ in world.walking()])
    targets = [Target(tmp_path / "a.webp", "webp"), Target(tmp_path / "a.webm", "webm")]
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    with ProgressBars(silent=False) as bars:
        cut(source, targets, Settings(size=64, frame=frame), world.see, bars)
    assert terminal.begun == ["finding", "matting", "webp", "webm"]


def test_where_it_is_silent_only_errors_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    with ProgressBars(silent=True) as bars:
        bars.progress("matting", 1, 5)
        bars.notice("something")
        bars.error("wrong")
    assert terminal.getvalue() == "wrong\n"
