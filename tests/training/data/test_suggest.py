import json
import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from animecut_training import cli
from animecut_training.data.dataset import labelled_frames
from animecut_training.data.suggest import Candidate, choose, suggest
from animecut_training.evaluation.evaluate import evaluate
from animecut_training.evaluation.journal import Journal
from animecut_training.evaluation.report import write_report
from typer.testing import CliRunner

from animecut.errors import InputError, OutputError
from animecut.types import Alpha, Pixels
from tests import world


def candidate(number: int, shot: int, x: int, doubt: float = 1.0) -> Candidate:
    thumb = np.zeros((18, 32, 3), np.float32)
    thumb[:, x : x + 4] = 1
    return Candidate(number, shot, thumb, doubt)


def numbers(chosen: list[Candidate]) -> list[int]:
    return sorted(one.number for one in chosen)


def test_every_shot_is_shown_before_any_is_shown_twice() -> None:
    all_ = [candidate(0, 0, 0), candidate(1, 0, 10), candidate(2, 0, 20), candidate(3, 1, 1), candidate(4, 2, 2)]
    assert numbers(choose(all_, 3)) == [0, 3, 4]


def test_the_most_different_come_next_and_the_same_never_twice() -> None:
    all_ = [candidate(0, 0, 0), candidate(1, 0, 1), candidate(2, 0, 0), candidate(3, 0, 10)]
    assert numbers(choose(all_, 2)) == [0, 3]
    assert numbers(choose(all_, 9)) == [0, 1, 3]


def test_doubt_decides_between_equals_and_blank_pictures_do_not_count() -> None:
    all_ = [candidate(0, 0, 0, 0.1), candidate(1, 0, 8, 0.9), candidate(2, 0, 16, 0.5), candidate(3, 0, 24, 0.2)]
    assert numbers(choose(all_, 2)) == [1, 2]
    blank = Candidate(0, 0, np.full((18, 32, 3), 0.5, np.float32), 1.0)
    assert choose([blank], 3) == []


def test_drawings_come_labelled(tmp_path: Path) -> None:
    walk = world.walking()
    clip = world.write_clip(tmp_path / "walk.mp4", [rgb for rgb, _ in walk])
    written = suggest(clip, tmp_path / "out", world.see, count=3, by_doubt=False)
    assert [one.path.name for one in written] == ["walk_0.00s.png", "walk_0.17s.png", "walk_0.42s.png"]
    frames = labelled_frames(tmp_path / "out")
    assert len(frames) == 3
    truth = walk[0][1] > 0.5
    ours = next(frame for frame in frames if frame.name == "walk_0.00s").alpha > 0.5
    assert (truth & ours).sum() / (truth | ours).sum() > 0.93
    labels = json.loads((tmp_path / "out" / "walk_0.00s.json").read_text())
    assert labels["imageData"] is None
    assert 8 < len(labels["shapes"][0]["points"]) < 80  # few enough to be corrected by hand


def test_clips_share_a_folder_and_no_correction_is_overwritten(tmp_path: Path) -> None:
    pictures = [rgb for rgb, _ in world.walking()]
    one, other = (world.write_clip(tmp_path / f"{name}.mp4", pictures) for name in ("my_two [x]", "two [x]"))
    for clip in (one, other):
        suggest(clip, tmp_path / "out", world.see, count=2, by_doubt=False)
    assert len(labelled_frames(tmp_path / "out")) == 4
    for by_doubt in (False, True):
        with pytest.raises(OutputError, match="already holds drawings of two"):
            suggest(other, tmp_path / "out", world.see, count=2, by_doubt=by_doubt)


def test_by_doubt_the_most_doubtful_is_named_first(tmp_path: Path) -> None:
    clip = world.write_clip(tmp_path / "walk.mp4", [rgb for rgb, _ in world.walking()])

    def unsure_of_the_right(pixels: Pixels) -> Alpha:
        seen = world.see(pixels)
        where = np.argmax(seen[0].sum(axis=0)) / seen.shape[2]
        return np.asarray(seen * (1 - where / 2), np.float32)

    written = suggest(clip, tmp_path / "out", unsure_of_the_right, count=2, by_doubt=True)
    assert [one.path.name for one in written] == ["01_walk_0.42s.png", "02_walk_0.08s.png"]
    assert written[0].doubt > written[1].doubt


def test_a_blank_clip_has_nothing_to_label(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "grey.png"), np.full((90, 160, 3), 77, np.uint8))
    with pytest.raises(InputError, match="nothing but blank"):
        suggest(tmp_path / "grey.png", tmp_path / "out", world.see, count=3, by_doubt=False)
    assert not (tmp_path / "out").exists()


def test_names_that_are_not_utf8_go_all_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "_segmenter", lambda weights, device: world.see)
    monkeypatch.chdir(tmp_path)
    name = os.fsdecode(b"caf\xe9")
    world.write_clip(tmp_path / "walk.mp4", [rgb for rgb, _ in world.walking()]).rename(f"{name}.mp4")
    for words in (["suggest", f"{name}.mp4", "--count", "2"], ["evaluate", f"{name}-labels"]):
        done = CliRunner().invoke(cli.app, words)
        assert done.exit_code == 0, done.output
        assert b"caf\xe9" in done.stdout_bytes
    frames = labelled_frames(tmp_path / f"{name}-labels")
    page = tmp_path / "report.html"
    write_report(page, Journal(tmp_path), evaluate(world.see, frames), frames, world.see, unseen=True)
    assert "caf?_0.00s" in page.read_text()


def test_what_has_no_room_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "out" / "c_0.00s.png").mkdir(parents=True)
    clip = world.write_clip(tmp_path / "c.mp4", [rgb for rgb, _ in world.walking()])
    with pytest.raises(OutputError, match=r"c_0\.00s\.png: cannot be written"):
        suggest(clip, tmp_path / "out", world.see, count=1, by_doubt=False)
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["c_0.00s.png"]


def test_the_command_says_how_to_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "_segmenter", lambda weights, device: world.see)
    monkeypatch.chdir(tmp_path)
    world.write_clip(tmp_path / "walk.mp4", [rgb for rgb, _ in world.walking()])
    done = CliRunner().invoke(cli.app, ["suggest", "walk.mp4", "--count", "2"])
    assert done.stdout.splitlines()[-1] == "2 drawings to correct: labelme walk-labels"
    assert len(list((tmp_path / "walk-labels").glob("*.json"))) == 2
