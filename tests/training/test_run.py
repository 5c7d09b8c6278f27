import json
import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from animecut_training.cli import app
from animecut_training.data.dataset import labelled_frames
from animecut_training.evaluation.journal import Journal
from animecut_training.init.begin import initial_network
from animecut_training.loop import fit
from animecut_training.loop.batches import Part
from animecut_training.recipe import Job, Recipe
from animecut_training.run import SHIPPED, Reporter, cross_validate, run
from animecut_training.synthesis.assets import add_labelled, read_split
from animecut_training.synthesis.composite import Assets
from typer.testing import CliRunner

from animecut.errors import InputError, SettingsError
from animecut.segmentation import weights
from animecut.segmentation.weights import Architecture, PSPNet


@pytest.fixture
def job(tmp_path: Path) -> Job:
    torch.manual_seed(0)
    weights.save(PSPNet(Architecture(width=16, decoder=(8, 8))), tmp_path / "tiny.safetensors", {})
    for i in range(4):
        add(tmp_path / "my", str(i), 15 + 15 * i)
    recipe = Recipe(steps=4, batch=2, warm_up=1)
    return Job(tmp_path / "my", tmp_path / "run", recipe, init=str(tmp_path / "tiny.safetensors"), device="cpu")


def add(folder: Path, name: str, x: int, parts: tuple[str, str] = ("images", "masks")) -> None:
    mask = np.asarray(cv2.circle(np.zeros((60, 80), np.uint8), (x, 30), 14, 255, -1))
    for part, picture in zip(parts, (np.dstack([mask, mask // 2, 255 - mask]), mask), strict=True):
        (folder / part).mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / part / f"{name}.png"), picture)


def write_split(path: Path, folds: list[list[str]]) -> None:
    nothing: dict[str, object] = {"left_out_sprites": [], "held_out_sprites": [], "held_out_scenes": []}
    path.write_text(json.dumps(nothing | {"folds": folds, "source_weights": {}}))


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_run_leaves_weights_a_report_and_a_checkpoint(job: Job) -> None:
    lines: list[str] = []
    assert run(job, Reporter(line=lines.append)) == []
    assert files(job.out) == {"model.safetensors", "model.onnx", "checkpoint.pt", "journal.jsonl", "report.html"}
    assert lines == ["begins with tiny.safetensors: a whole network; learns from 4 frames"]
    page = (job.out / "report.html").read_text()
    assert "that were learned from (they flatter)" in page
    assert page.count("<figure>") == 4
    _, provenance = weights.load(job.out / "model.safetensors")
    assert (provenance["frames"], provenance["init"]) == (4, "tiny.safetensors")
    assert str(job.out.parent) not in str(weights.metadata(job.out / "model.safetensors"))


def test_a_test_part_is_judged_by_at_every_checkpoint(job: Job) -> None:
    add(job.folder, "t", 40, ("test_images", "test_anno"))
    (figures,) = run(job, Reporter())
    assert figures.name == "t"
    journal = Journal(job.out)
    assert [one["step"] for one in journal.steps] == [1, 2, 3, 4]
    assert [one["step"] for one in journal.figures] == [2, 4]
    assert journal.figures[-1]["iou"] == pytest.approx(np.mean(figures.iou))
    page = (job.out / "report.html").read_text()
    assert "Frames that were not learned from" in page
    assert "<polyline" in page


def test_the_same_run_twice_gives_the_same_weights(job: Job) -> None:
    run(job, Reporter())
    first = (job.out / "model.safetensors").read_bytes()
    for name in files(job.out):
        (job.out / name).unlink()
    run(job, Reporter())
    again = (job.out / "model.safetensors").read_bytes()
    assert first[-100_000:] == again[-100_000:]  # before it stands how many minutes it took


def test_a_split_may_know_more_frames_than_the_folder_holds(job: Job, tmp_path: Path) -> None:
    write_split(tmp_path / "split.json", [["3", "0", "elsewhere"], ["2", "1"]])
    folds = cross_validate(replace(job, split_file=tmp_path / "split.json"), Reporter(), 2)
    assert [sorted(one.name for one in figures) for figures in folds] == [["0", "3"], ["1", "2"]]


@pytest.mark.parametrize(("held", "folds"), [([["0", "2"], ["1"]], 2), ([["0", "2"], ["1", "3"]], 3)])
def test_a_split_that_does_not_fit_the_folder_is_not_put_aside(
    job: Job, tmp_path: Path, held: list[list[str]], folds: int
) -> None:
    write_split(tmp_path / "split.json", held)
    with pytest.raises(SettingsError, match=r"`split_file` .*split.json: 2 folds, .*make the two agree"):
        cross_validate(replace(job, split_file=tmp_path / "split.json"), Reporter(), folds)


def test_a_fold_is_left_out_and_judged_by(job: Job, tmp_path: Path) -> None:
    write_split(tmp_path / "split.json", [["0", "2"], ["1", "3"]])
    figures = run(replace(job, split_file=tmp_path / "split.json"), Reporter(), fold=1)
    assert [one.name for one in figures] == ["1", "3"]
    _, provenance = weights.load(job.out / "model.safetensors")
    assert (provenance["frames"], provenance["left_out"]) == (2, ["1", "3"])


def test_every_frame_is_judged_once_by_a_network_that_never_saw_it(job: Job) -> None:
    lines: list[str] = []
    folds = cross_validate(job, Reporter(line=lines.append), 2)
    assert [[one.name for one in figures] for figures in folds] == [["0", "1"], ["2", "3"]]
    _, provenance = weights.load(job.out / "fold-0" / "model.safetensors")
    assert provenance["left_out"] == ["0", "1"]
    with pytest.raises(SettingsError, match="4 different frames, too few for 5 folds"):
        cross_validate(replace(job, resume=True), Reporter(), 5)


def test_pictures_that_are_almost_the_same_share_a_fold_whatever_they_are_called(job: Job) -> None:
    for name in ("2", "3"):
        for part in ("images", "masks"):
            (job.folder / part / f"{name}.png").unlink()
    add(job.folder, "2", 15)  # as 0
    add(job.folder, "3", 60)
    folds = cross_validate(job, Reporter(), 3)
    assert [sorted(one.name for one in figures) for figures in folds] == [["0", "2"], ["1"], ["3"]]


def test_a_picture_between_two_keeps_them_together(job: Job) -> None:
    for name in ("2", "3"):
        for part in ("images", "masks"):
            (job.folder / part / f"{name}.png").unlink()
    for name, grey in (("4", 100), ("5", 102), ("6", 101)):
        cv2.imwrite(str(job.folder / "images" / f"{name}.png"), np.full((60, 80, 3), grey, np.uint8))
        shutil.copy(job.folder / "masks" / "0.png", job.folder / "masks" / f"{name}.png")
    folds = cross_validate(job, Reporter(), 3)
    assert [sorted(one.name for one in figures) for figures in folds] == [["0"], ["1"], ["4", "5", "6"]]


def test_the_folds_of_the_shipped_weights_are_nobody_elses(job: Job) -> None:
    folder = job.folder.with_name("theirs")
    for i, fold in enumerate(read_split(SHIPPED).folds):
        add(folder, fold[0], 12 + 14 * i)
    names = [frame.name for frame in labelled_frames(folder)]
    folds = cross_validate(replace(job, folder=folder), Reporter(), 5)
    assert [[one.name for one in figures] for figures in folds] == [[name] for name in names]
    assert names != [fold[0] for fold in read_split(SHIPPED).folds]


def test_a_checkpoint_of_other_frames_is_not_gone_on_with(job: Job) -> None:
    run(job, Reporter())
    before = (job.out / "model.safetensors").read_bytes()
    add(job.folder, "more", 40)
    with pytest.raises(SettingsError, match=r"a run is there already; `resume`"):
        run(job, Reporter())
    with pytest.raises(SettingsError, match=r"frames 4, not 5.*another `out`"):
        run(replace(job, resume=True), Reporter())
    with pytest.raises(SettingsError, match=r"init .*scratch"):
        run(replace(job, init="scratch", resume=True), Reporter())
    assert (job.out / "model.safetensors").read_bytes() == before


def test_a_checkpoint_of_other_sprites_or_another_beginning_is_not_gone_on_with(job: Job, tmp_path: Path) -> None:
    sprites, scenes = tmp_path / "sprites", tmp_path / "scenes"
    for folder in (sprites, scenes):
        folder.mkdir()
        cv2.imwrite(str(folder / "a.png"), np.pad(np.full((30, 30, 4), 255, np.uint8), ((5, 5), (5, 5), (0, 0))))
    job = replace(job, sprites=[sprites], scenes=scenes, resume=True)
    run(job, Reporter())
    weights.save(PSPNet(Architecture(width=16, decoder=(8, 8))), tmp_path / "tiny.safetensors", {})
    with pytest.raises(SettingsError, match="begun with other init; give the same or another `out`"):
        run(job, Reporter())
    cv2.imwrite(str(sprites / "b.png"), np.pad(np.full((20, 30, 4), 255, np.uint8), ((5, 5), (5, 5), (0, 0))))
    with pytest.raises(SettingsError, match="begun with other init; other stock"):
        run(job, Reporter())


def test_what_flatters_or_does_nothing_is_told(job: Job) -> None:
    first = read_split(SHIPPED).folds[0][0]
    add(job.folder, first, 40)
    lines: list[str] = []
    with pytest.raises(SettingsError, match="`target`"):
        run(replace(job, init="anime", target="none"), Reporter(line=lines.append), fold=0)
    assert lines == ["note: the shipped weights, begun with, have learned from this fold too; its figures will flatter"]
    run(replace(job, recipe=replace(job.recipe, patience=2)), Reporter(line=lines.append))
    assert lines[-1] == "note: no frame is left out to judge by, so `patience` does nothing"


def test_a_run_that_is_taken_up_again_counts_the_minutes_before(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter(range(0, 60 * 10**6, 60))
    monkeypatch.setattr(time, "time", lambda: float(next(now)))

    def stop(step: int, steps: int, losses: dict[str, float]) -> None:
        if step == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(job, Reporter(step=stop))
    assert [one["minutes"] for one in Journal(job.out).steps] == [1, 2, 3]
    run(replace(job, resume=True), Reporter())
    assert [one["minutes"] for one in Journal(job.out).steps] == [1, 2, 4, 5]  # the third was lost, its minute not
    _, provenance = weights.load(job.out / "model.safetensors")
    assert provenance["minutes"] == 6


def test_where_all_is_judged_by_nothing_can_be_learned(job: Job) -> None:
    for part, other in (("images", "test_images"), ("masks", "test_anno")):
        (job.folder / part).rename(job.folder / other)
    with pytest.raises(InputError, match="no frame to learn from"):
        run(job, Reporter())


def test_a_network_from_nothing_learns_statistics_of_its_backbone(job: Job) -> None:
    for init, learns in (("scratch", True), (job.init, False)):
        out = job.out.with_name(str(learns))
        run(replace(job, init=init, out=out), Reporter())
        mean = weights.load(out / "model.safetensors")[0].backbone.state_dict()["features.0.1.running_mean"]
        assert bool(mean.abs().sum() > 0) == learns


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["--split", "missing.json", "--fold", "0"], 2, "--split missing.json: cannot be read"),
        (["--sprites", "here", "--scenes", "missing"], 1, "no characters"),
        (["--sprites", "here"], 2, "composed of both, --sprites and --scenes"),
        (["--keep", "nan"], 2, "--keep nan: a share; give a number between 0 and 1"),
        (["--composites", "1.5"], 2, "--composites 1.5: a share"),
        (["--folds", "0"], 2, "--folds"),
        (["--device", "cpu:x"], 1, "--device cpu:x: unknown"),
        (["--out", "file/run"], 1, "cannot be made a folder"),
        (["--seed", "-1"], 2, "--seed"),
        (["--seed", "20000000000"], 2, "--seed"),
    ],
)
def test_what_a_user_can_get_wrong_is_one_line(
    job: Job, words: list[str], code: int, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(job.folder.parent)
    Path("file").write_text("no folder")
    done = CliRunner().invoke(app, ["fit", str(job.folder), "--init", job.init, "--steps", "1", *words])
    assert done.exit_code == code
    assert told in done.stderr


def test_without_out_a_run_is_called_as_its_frames(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(job.folder.parent)
    done = CliRunner().invoke(app, ["fit", "my", "--init", job.init, "--steps", "1", "--batch-size", "1"])
    assert done.exit_code == 0
    assert Path("runs/my/model.safetensors").is_file()


def test_a_run_that_is_there_is_left_alone_unless_it_is_to_go_on(job: Job) -> None:
    words = ["fit", str(job.folder), "--init", job.init, "--steps", "1", "--batch-size", "1", "--out", str(job.out)]
    assert CliRunner().invoke(app, words).exit_code == 0
    for more in ([], ["--folds", "2"]):  # told before any fold is trained
        done = CliRunner().invoke(app, [*words, *more])
        assert done.exit_code == 2
        assert "run: a run is there already; --resume goes on with it" in done.stderr
        assert not (job.out / "fold-0").exists()
    done = CliRunner().invoke(app, [*words, "--folds", "2", "--resume"])
    assert done.exit_code == 0
    assert "fold-1: no checkpoint there yet, so the run begins" in done.stderr
    assert f"goes on with {job.out}\n" in done.stderr
    (job.out / "checkpoint.pt").unlink()  # its weights alone are worth something too
    assert CliRunner().invoke(app, words).exit_code == 2


def test_frames_without_a_character_lend_none(job: Job) -> None:
    frames = [replace(frame, alpha=0 * frame.alpha) for frame in labelled_frames(job.folder)]
    nothing = Assets([], np.empty(0), [])
    assert add_labelled(nothing, frames) is nothing


def test_half_a_line_of_a_journal_is_no_hindrance(tmp_path: Path) -> None:
    (tmp_path / "journal.jsonl").write_text('{"step": 1, "total": 9.0}\n{"step": 2, "to')
    with Journal(tmp_path) as journal:
        journal.step(2, {"total": 1.0})
    assert [one["total"] for one in Journal(tmp_path).steps] == [9, 1]


def test_a_bad_label_stops_before_the_first_step(job: Job) -> None:
    (job.folder / "masks" / "2.png").unlink()
    with pytest.raises(InputError, match=r"2\.png: has no label"):
        run(job, Reporter())
    assert not job.out.exists()


def test_what_an_interrupted_run_wrote_after_its_checkpoint_is_written_anew(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        for step in (1, 2, 3):
            journal.step(step, {"total": 9.0})
    with Journal(tmp_path) as journal:
        journal.step(3, {"total": 1.0})
    written = [json.loads(line) for line in (tmp_path / "journal.jsonl").read_text().splitlines()]
    assert [(one["step"], one["total"]) for one in written] == [(1, 9), (2, 9), (3, 1)]


def test_tensorboard_shows_losses_and_pictures(job: Job) -> None:
    pytest.importorskip("tensorboard")
    run(Job(job.folder, job.out, job.recipe, init=job.init, device="cpu", tensorboard=True), Reporter())
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(job.out / "tensorboard"))
    events.Reload()
    assert {"fit/total", "fit/rate", "fit/backbone_rate"} <= set(events.Tags()["scalars"])
    assert events.Tags()["images"] == ["input, truth, prediction"]


def test_what_a_run_can_begin_with(tmp_path: Path) -> None:
    assert initial_network("anime")[1:] == ("the shipped weights", False)
    net, words, _ = initial_network("scratch", "resnet50")
    assert net.architecture.backbone == "resnet50"
    assert words == "nothing (pspnet, resnet50)"
    torch.save(net.state_dict(), tmp_path / "a.pth")
    with pytest.raises(SettingsError, match="`backbone` vgg16"):
        initial_network("scratch", "vgg16")
    unet, words, backbone_alone = initial_network("anime", arch="unet")
    assert backbone_alone
    assert words == "the backbone of the shipped weights"
    assert unet.architecture.pyramid == ()
    first = "features.0.0.weight"
    assert torch.equal(unet.backbone.state_dict()[first], initial_network("anime")[0].backbone.state_dict()[first])
    assert initial_network("scratch", arch="fcn")[0].architecture.backbone == "vgg16"
    with pytest.raises(SettingsError, match="no backbone for it"):
        initial_network("anime", arch="fcn")


def test_the_command_tells_folds_and_where_to_look(job: Job) -> None:
    words = ["fit", str(job.folder), "--out", str(job.out), "--init", job.init, "--folds", "2", "--steps", "2"]
    done = CliRunner().invoke(app, [*words, "--batch-size", "2", "--device", "cpu"])
    assert done.exit_code == 0, done.output
    assert "2 folds, mean image IoU" in done.stdout
    assert done.stdout.splitlines()[-1] == f"{job.out}/model.safetensors; see {job.out}/report.html"


def test_the_command_learns_for_any_show_only_where_asked(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def nothing(*_: object, any_show: bool, **__: object) -> Iterator[list[Part]]:
        asked.append(any_show)
        yield from ()

    monkeypatch.setattr(fit, "batches", nothing)
    words = ["fit", str(job.folder), "--init", job.init, "--steps", "2", "--device", "cpu", "--out"]
    for more in ([], ["--any-show"]):
        done = CliRunner().invoke(app, [*words, str(job.out / str(len(more))), *more])
        assert done.exit_code == 0, done.output
    assert asked == [False, True]
