import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import pytest
from PIL import Image

from animecut._util.progress import Progress
from animecut.batch.jobs import plan_jobs
from animecut.batch.locks import OutputLocks
from animecut.batch.run_log import RunLog, output_digest
from animecut.batch.runner import InProcess, JobResult, run_jobs
from animecut.batch.workers import ProcessPool
from animecut.errors import OutputError, SettingsError, WeightsError
from animecut.settings import Settings
from animecut.types import Alpha, Pixels, Segment
from tests import rotten, world

WEIGHTS = "a digest of weights"
TOOL = """
from animecut.cli import main
from animecut.segmentation import segmenter
from tests.rotten import Rotten
segmenter.Segmenter = Rotten
main.main()
"""


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    folder = tmp_path / "clips"
    (folder / "a").mkdir(parents=True)
    world.write_clip(folder / "one.mp4", [world.drawing(80)[0]])
    world.write_clip(folder / "a" / "two.mp4", [world.drawing(120)[0]])
    return folder


def do(
    clips: Path,
    out: Path,
    *,
    weights: str = WEIGHTS,
    overwrite: bool = False,
    see: Segment = world.see,
    margin: int = 8,
) -> list[JobResult]:
    """Go through a folder as a run of many inputs does, but in this process."""
    jobs = plan_jobs([clips], out, Settings(size=64, margin=margin), weights)
    return list(run_jobs(jobs, InProcess(see, Progress()), RunLog(out), overwrite=overwrite))


def lines(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / "report.jsonl").read_text().splitlines()]


def said(done: list[JobResult]) -> list[dict[str, object]]:
    """As --json says it, but for the seconds, which a watch that jobs share adds up."""
    return [json.loads(json.dumps(each.as_json())) | {"seconds": None} for each in done]


def paths(told: list[dict[str, object]]) -> list[str]:
    """Those that the lines say were written."""
    return [str(output["path"]) for line in told for output in cast("list[dict[str, object]]", line["outputs"])]


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("limits", [{}, {"max_bytes": 100_000}], ids=["plain", "fitted"])
def test_a_name_as_long_as_the_file_system_takes_is_taken(clips: Path, tmp_path: Path, limits: dict[str, int]) -> None:
    name = "\N{HIRAGANA LETTER A}" * 83 + "x"
    shutil.rmtree(clips / "a")
    (clips / "one.mp4").rename(clips / f"{name}.mp4")
    jobs = plan_jobs([clips], tmp_path / "out", Settings(size=64, **limits), WEIGHTS)  # type: ignore[arg-type]
    for times in (1, 2):  # the second finds what the first has made
        (done,) = run_jobs(jobs, InProcess(world.see, Progress()), RunLog(tmp_path / "out"), overwrite=False)
        assert done.problem is None
        assert (done.before is not None) == (times == 2)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {f"{name}.webp", "report.jsonl"}
    assert len(os.fsencode(f"{name}.webp")) == 255


def test_a_name_longer_than_that_is_told_before_the_work(clips: Path, tmp_path: Path) -> None:
    def unasked(pixels: Pixels) -> Alpha:
        raise AssertionError

    shutil.rmtree(clips / "a")
    (clips / "one.mp4").rename(clips / ("\N{HIRAGANA LETTER A}" * 83 + "xx.mp4"))
    (done,) = do(clips, tmp_path / "out", see=unasked)
    assert "longer than 255 bytes; name a shorter one" in str(done.problem)


def times(folder: Path) -> dict[str, int]:
    return {path.stem: path.stat().st_mtime_ns for path in folder.rglob("*.webp")}


def test_the_report_has_the_lines_of_json_and_nothing_else_is_left(clips: Path, tmp_path: Path) -> None:
    done = do(clips, tmp_path / "out")
    assert files(tmp_path / "out") == ["a/two.webp", "one.webp", "report.jsonl"]
    from_there_on = json.loads(json.dumps(said(done)).replace(f"{tmp_path}/out/", ""))
    assert [line | {"seconds": None} for line in lines(tmp_path / "out")] == from_there_on
    assert paths(from_there_on) == ["a/two.webp", "one.webp"]
    data = (tmp_path / "out" / "one.webp").read_bytes()
    (output,) = cast("list[dict[str, object]]", lines(tmp_path / "out")[1]["outputs"])
    assert (output["bytes"], output["sha256"]) == (len(data), hashlib.sha256(data).hexdigest())


def test_what_is_done_is_not_done_again(clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = do(clips, tmp_path / "out")
    before = times(tmp_path / "out")
    again = do(clips, tmp_path / "out")
    assert said(again) == said(first)
    assert all(each.before for each in again)
    monkeypatch.chdir(tmp_path)
    smaller = plan_jobs([Path("clips")], Path("out"), Settings(size=64), WEIGHTS)
    otherwise = list(run_jobs(smaller, InProcess(world.see, Progress()),
                         RunLog(tmp_path / "out"), overwrite=False))  # fmt: skip
    assert all(each.before for each in otherwise)
    assert paths(said(otherwise)) == ["out/a/two.webp", "out/one.webp"]  # as they were asked for
    assert times(tmp_path / "out") == before
    assert len(lines(tmp_path / "out")) == 2
    do(clips, tmp_path / "out", overwrite=True)
    assert all(now > before[name] for name, now in times(tmp_path / "out").items())


@pytest.mark.parametrize("change", ["input", "touched", "output", "gone", "settings", "weights"])
def test_what_has_changed_is_done_again(clips: Path, tmp_path: Path, change: str) -> None:
    out = tmp_path / "out"
    do(clips, out)
    before = times(out)
    if change == "input":
        world.write_clip(clips / "one.mp4", [world.drawing(100)[0]])
    elif change == "touched":
        os.utime(clips / "one.mp4", (1, 1))
    elif change == "output":
        data = (out / "one.webp").read_bytes()
        (out / "one.webp").write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    elif change == "gone":
        (out / "one.webp").unlink()
    do(clips, out, weights="others" if change == "weights" else WEIGHTS, margin=4 if change == "settings" else 8)
    assert times(out)["one"] > before["one"]
    assert (times(out)["two"] > before["two"]) == (change in ("settings", "weights"))


def test_a_report_goes_with_its_folder(clips: Path, tmp_path: Path) -> None:
    do(clips, tmp_path / "out")
    (tmp_path / "out").rename(tmp_path / "moved")
    done = do(clips, tmp_path / "moved")
    assert all(each.before for each in done)
    assert paths(said(done)) == [str(tmp_path / "moved" / name) for name in ("a/two.webp", "one.webp")]


def test_a_strangers_file_of_the_name_of_one_in_another_folder_is_not_ours(clips: Path, tmp_path: Path) -> None:
    do(clips, tmp_path / "out")
    world.write_clip(clips / "two.mp4", [world.drawing(100)[0]])
    (tmp_path / "out" / "two.webp").write_bytes(b"a stranger's")
    *_, two = do(clips, tmp_path / "out")
    assert "two.webp: is there already" in str(two.problem)
    assert (tmp_path / "out" / "two.webp").read_bytes() == b"a stranger's"
    assert not RunLog(tmp_path / "out").names(tmp_path / "out" / "two.webp")


def test_a_strangers_file_is_not_replaced_but_an_unfinished_one_of_ours_is(clips: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    (out / "a").mkdir(parents=True)
    (out / "one.webp").write_bytes(b"a stranger's")
    (out / "a" / "two.webp").write_bytes(b"ours, of a run that was killed before it told")
    (out / "a" / ".two.webp.begun").touch()
    (out / "a" / ".two.webp.0a1b2c3d.part").write_bytes(b"half")
    (out / "a" / ".two.webp.x1_y2zz3.part").mkdir()  # where sizes are tried
    for name in (".two.webp.swp", ".two.webp.Ab12Cd"):  # an editor's, and rsync's
        (out / "a" / name).write_bytes(b"a stranger's")
    (out / ".one.webp.lock").touch()  # killed before it had looked
    two, one = do(clips, out)
    assert two.problem is None
    assert "one.webp: is there already" in str(one.problem)
    assert (out / "one.webp").read_bytes() == b"a stranger's"
    assert (out / "a" / "two.webp").read_bytes().startswith(b"RIFF")
    assert files(out) == ["a/.two.webp.Ab12Cd", "a/.two.webp.swp", "a/two.webp", "one.webp", "report.jsonl"]
    assert not (out / "a" / ".two.webp.x1_y2zz3.part").exists()


def test_two_runs_do_not_make_the_same_at_once(clips: Path, tmp_path: Path) -> None:
    (tmp_path / "out" / "a").mkdir(parents=True)
    others = OutputLocks.take([tmp_path / "out" / "a" / "two.webp"])
    assert others

    def see(pixels: Pixels) -> Alpha:
        others.release()  # a second claim of ours is in its way until now
        return world.see(pixels)

    one, two = do(clips, tmp_path / "out", see=see)
    assert (one.job.source.name, two.job.source.name) == ("one.mp4", "two.mp4")
    assert files(tmp_path / "out") == ["a/two.webp", "one.webp", "report.jsonl"]


def test_settings_that_are_wrong_for_every_input_stop_the_run(clips: Path, tmp_path: Path) -> None:
    jobs = plan_jobs([clips], tmp_path / "out", Settings(pick="nobody"), WEIGHTS)
    with pytest.raises(SettingsError, match="nobody"):
        list(run_jobs(jobs, InProcess(world.see, Progress()), RunLog(tmp_path / "out"), overwrite=False))
    assert not files(tmp_path / "out")


@pytest.mark.parametrize(
    ("words", "says"), [({"pick": "80,20"}, "has only 40x144"), ({"caption": "W" * 30, "crop": False}, "too long")]
)
def test_what_goes_with_other_inputs_only_costs_one_alone_and_names_it(
    clips: Path, tmp_path: Path, words: dict[str, object], says: str
) -> None:
    Image.fromarray(world.drawing(80)[0][:, 60:100]).save(clips / "a" / "narrow.png")
    jobs = plan_jobs([clips], tmp_path / "out", Settings(**words), WEIGHTS)  # type: ignore[arg-type]
    bad, *good = run_jobs(jobs, InProcess(world.see, Progress()), RunLog(tmp_path / "out"), overwrite=False)
    assert [done.problem for done in good] == [None, None]
    assert str(bad.problem).startswith(f"{clips}/a/narrow.png: `{next(iter(words))}`")
    assert says in str(bad.problem)


def test_a_stranger_among_frames_costs_them_alone(clips: Path, tmp_path: Path) -> None:
    for problem in (None, "one_frames: holds other things than frames of ours"):
        jobs = plan_jobs([clips], tmp_path, Settings(size=64, formats=("png",)), WEIGHTS)
        two, one = run_jobs(jobs, InProcess(world.see, Progress()), RunLog(tmp_path), overwrite=False)
        assert two.problem is None
        assert str(problem) in str(one.problem)
        (tmp_path / "one_frames" / "a folder").mkdir(exist_ok=True)


def test_an_output_folder_that_is_gone_is_no_disaster(clips: Path, tmp_path: Path) -> None:
    def see(pixels: Pixels) -> Alpha:
        shutil.rmtree(tmp_path / "out")
        return world.see(pixels)

    for done in do(clips, tmp_path / "out", see=see):
        assert "is the folder there" in str(done.problem)


@pytest.mark.parametrize(
    ("error", "words"),
    [(OSError(5, "Input/output error"), "Input/output error"), (OSError("torn"), "torn"), (MemoryError(), "of memory")],
)
def test_a_sticker_that_cannot_be_read_again_is_told_of(
    clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, words: str
) -> None:
    def broken(path: Path) -> tuple[int, str]:
        raise error

    monkeypatch.setattr("animecut.batch.runner.output_digest", broken)
    for line in said(do(clips, tmp_path / "out")):
        assert f"{words}); make room" in str(line["error"])
        (output,) = cast("list[dict[str, object]]", line["outputs"])
        assert output["sha256"] is None


def test_frames_may_lie_beside_a_file_of_any_name(tmp_path: Path) -> None:
    before = output_digest(tmp_path)
    (tmp_path / os.fsdecode(b"caf\xe9")).write_bytes(b"x")
    assert output_digest(tmp_path) != before


def test_a_large_file_is_not_held_in_memory(tmp_path: Path) -> None:
    data = bytes(2**24)
    (tmp_path / "large.mov").write_bytes(data)
    expected = len(data), hashlib.sha256(data).hexdigest()
    tracemalloc.start()
    found = output_digest(tmp_path / "large.mov")
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found == expected
    assert most < 2**21


def test_words_of_a_list_that_are_wrong_name_their_input(clips: Path, tmp_path: Path) -> None:
    (clips / "list.csv").write_text("file,pick\none.mp4,nobody\na/two.mp4,all\n")
    jobs = plan_jobs([clips / "list.csv"], tmp_path / "out", Settings(size=64), WEIGHTS)
    bad, good = run_jobs(jobs, InProcess(world.see, Progress()), RunLog(tmp_path / "out"), overwrite=False)
    assert str(bad.problem).startswith(f"{clips}/one.mp4: column pick nobody")
    assert good.problem is None


def test_a_report_that_was_torn_is_read_and_written_on(tmp_path: Path) -> None:
    output: dict[str, object] = {"path": str(tmp_path / "x.webp"), "bytes": 1, "sha256": ""}
    line: dict[str, object] = {"outputs": [output], "error": None, "made_with": "", "source": None, "preview": []}
    (tmp_path / "report.jsonl").write_bytes(b'garbage\n[1]\n{"outputs": 3}\n{"half": ')
    ledger = RunLog(tmp_path)
    assert not ledger.names(tmp_path / "x.webp")
    ledger.add(line)
    assert ledger.names(tmp_path / "x.webp")
    last = json.loads((tmp_path / "report.jsonl").read_text().splitlines()[-1])
    assert last == line | {"outputs": [output | {"path": "x.webp"}]}


def test_a_report_that_cannot_be_read_is_told(clips: Path, tmp_path: Path) -> None:
    (tmp_path / "out" / "report.jsonl").mkdir(parents=True)
    with pytest.raises(OutputError, match=r"report\.jsonl"):
        do(clips, tmp_path / "out")


def test_a_report_that_cannot_be_written_is_told_of_each_file(
    clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: RunLog, record: object) -> None:
        raise OutputError("no room")

    with monkeypatch.context() as patch:
        patch.setattr(RunLog, "add", full)
        assert [done.problem for done in do(clips, tmp_path / "out")] == ["no room", "no room"]
    again = do(clips, tmp_path / "out")  # what was made and could not be told is ours
    assert [done.problem for done in again] == [None, None]
    assert files(tmp_path / "out") == ["a/two.webp", "one.webp", "report.jsonl"]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """A small disk of its own at out/: mounted with options, and again with others."""
    folder = tmp_path / "out"
    folder.mkdir()

    def mount(options: str) -> Path:
        again = ["-o", "remount"] if folder.is_mount() else ["-t", "tmpfs"]
        done = subprocess.run(["mount", *again, "-o", options, "tmpfs", folder], capture_output=True, check=False)
        if done.returncode:
            pytest.skip("only root may mount a disk")
        return folder

    if shutil.which("mount") is None:
        pytest.skip("no disk can be mounted here")
    yield mount
    if folder.is_mount():
        subprocess.run(["umount", folder], check=True)


def test_a_sticker_that_the_disk_has_no_room_for_costs_itself_alone(
    clips: Path, tmp_path: Path, disk: Callable[[str], Path]
) -> None:
    out = disk("size=64k")
    large = world.write_clip(tmp_path / "large.mp4", [rgb for rgb, _ in world.walking()])
    jobs = plan_jobs([large], out, Settings(formats=("apng",), crop=False), WEIGHTS)
    jobs += plan_jobs([clips], out, Settings(size=64), WEIGHTS)
    bad, *good = run_jobs(jobs, InProcess(world.see, Progress()), RunLog(out), overwrite=False)
    assert "large.png: No space left on device" in str(bad.problem)
    assert [done.problem for done in good] == [None, None]
    assert files(out) == ["a/two.webp", "one.webp", "report.jsonl"]
    disk("size=8m")
    bad, *good = run_jobs(jobs, InProcess(world.see, Progress()), RunLog(out), overwrite=False)
    assert bad.problem is None
    assert all(done.before for done in good)
    assert files(out) == ["a/two.webp", "large.png", "one.webp", "report.jsonl"]


def test_a_disk_without_any_room_is_told_of_each_file(clips: Path, disk: Callable[[str], Path]) -> None:
    out = disk("size=64k")
    done = do(clips, out)
    room = os.statvfs(out)
    (out / "ballast").write_bytes(bytes(room.f_bavail * room.f_frsize))
    for each in do(clips, out, weights="others"):  # it would be made again
        assert "No space left on device" in str(each.problem)
        assert str(each.job.targets[0].path) in str(each.problem)
    (out / "ballast").unlink()
    assert files(out) == ["a/two.webp", "one.webp", "report.jsonl"]
    assert said(do(clips, out)) == said(done)


def test_a_full_temporary_folder_costs_the_file_that_needs_it(
    clips: Path, tmp_path: Path, disk: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(disk("size=256k")))
    monkeypatch.setattr("animecut._util.spool.IN_MEMORY", 400_000)
    world.write_clip(clips / "a" / "long.mp4", [world.drawing(60 + 8 * i)[0] for i in range(12)])
    bad, two, one = do(clips, tmp_path / "stickers")
    told = "the temporary folder takes no more (No space left on device); make room there, or name another with TMPDIR"
    assert bad.problem == f"{clips}/a/long.mp4: {told}"
    assert one.problem is two.problem is None
    assert files(tmp_path / "stickers") == ["a/two.webp", "one.webp", "report.jsonl"]
    large = Settings(size=512, formats=("webp", "gif"))  # its drawings fit, but not its finished pictures
    jobs = plan_jobs([clips / "one.mp4"], tmp_path / "large", large, WEIGHTS)
    (bad,) = run_jobs(jobs, InProcess(world.see, Progress()), None, overwrite=False)
    assert bad.problem == f"{clips}/one.mp4: {told}"
    assert files(tmp_path / "large") == []


def test_what_may_not_be_written_to_is_told_of_each_file(clips: Path, disk: Callable[[str], Path]) -> None:
    out = disk("ro,size=64k")
    for each in do(clips, out):
        assert "name another with `output`" in str(each.problem)
    disk("rw")
    do(clips, out)
    before = files(out)
    disk("ro")
    for each in do(clips, out, weights="others"):
        assert str(each.problem).endswith("may not be written to; name another with `output`")
    assert files(out) == before


def test_an_input_that_is_gone_when_its_turn_comes_costs_itself_alone(clips: Path, tmp_path: Path) -> None:
    def see(pixels: Pixels) -> Alpha:
        (clips / "one.mp4").unlink(missing_ok=True)
        return world.see(pixels)

    two, one = do(clips, tmp_path / "out", see=see)
    assert two.problem is None
    assert str(one.problem).startswith(f"{clips}/one.mp4: ")
    assert files(tmp_path / "out") == ["a/two.webp", "report.jsonl"]


ROTTEN = {
    "CRASH": "crashed its worker (SIGSEGV)",
    "OUT_OF_MEMORY": "--batch-size 8",
    "BUG": "ZeroDivisionError",
    "HANG": "got no further for 20 s",
}


@pytest.mark.parametrize(
    "names", [("CRASH", "OUT_OF_MEMORY", "BUG"), pytest.param(("HANG",), marks=pytest.mark.slow)], ids=" ".join
)
def test_one_rotten_file_costs_itself_alone(clips: Path, tmp_path: Path, names: tuple[str, ...]) -> None:
    for name in names:
        world.write_clip(clips / f"a_{name}.mp4", [rotten.picture(getattr(rotten, name))])
    load = rotten.Rotten
    slots = ProcessPool(load, 1, threads=1, patience=20 if "HANG" in names else 300, memory=8e9, notice=lambda _: None)
    jobs = plan_jobs([clips], tmp_path / "out", Settings(size=64), WEIGHTS)
    done = {each.job.source.stem: each for each in run_jobs(jobs, slots, RunLog(tmp_path / "out"), overwrite=False)}
    assert done["one"].problem is done["two"].problem is None
    assert files(tmp_path / "out") == ["a/two.webp", "one.webp", "report.jsonl"]
    for name in names:
        bad = done[f"a_{name}"]
        assert bad.job.source.name in str(bad.problem) or name == "OUT_OF_MEMORY"
        assert ROTTEN[name] in str(bad.problem)
        assert bad.tries == (2 if name in ("CRASH", "HANG") else 1)


def test_a_worker_that_holds_too_much_is_stopped(clips: Path, tmp_path: Path) -> None:
    slots = ProcessPool(rotten.Rotten, 1, threads=1, patience=300, memory=1e6, notice=lambda _: None)
    jobs = plan_jobs([clips / "one.mp4"], tmp_path / "out", Settings(), WEIGHTS)
    (done,) = run_jobs(jobs, slots, None, overwrite=False)
    assert "memory (`max_memory`)" in str(done.problem)
    assert not files(tmp_path / "out")


def test_a_network_that_cannot_be_loaded_stops_the_run(clips: Path, tmp_path: Path) -> None:
    slots = ProcessPool(rotten.refuse, 1, threads=1, patience=300, memory=8e9, notice=lambda _: None)
    jobs = plan_jobs([clips], tmp_path / "out", Settings(), WEIGHTS)
    with pytest.raises(WeightsError, match="no network"):
        list(run_jobs(jobs, slots, RunLog(tmp_path / "out"), overwrite=False))
    assert not files(tmp_path / "out")


@pytest.mark.slow
def test_two_runs_at_once_share_the_work(clips: Path, tmp_path: Path) -> None:
    for i in range(6):
        world.write_clip(clips / f"{i}.mp4", [world.drawing(60 + 20 * i)[0]] * 3)
    words = [sys.executable, "-c", TOOL, str(clips), "-o", str(tmp_path / "out"), "--size", "64", "--jobs", "1"]
    both = [subprocess.Popen(words, cwd=Path(__file__).parents[2], stderr=subprocess.PIPE) for _ in range(2)]
    for process in both:
        _, said = process.communicate(timeout=300)
        assert process.returncode == 0, said
    told = [str(line["input"]) for line in lines(tmp_path / "out")]
    assert sorted(told) == sorted(set(told))
    assert len(told) == 8
    assert len(files(tmp_path / "out")) == 9


@pytest.mark.slow
def test_workers_die_with_a_killed_run(clips: Path, tmp_path: Path) -> None:
    world.write_clip(clips / "a_hang.mp4", [rotten.picture(rotten.HANG)])
    words = [sys.executable, "-c", TOOL, str(clips), "-o", str(tmp_path / "out"), "--size", "64", "--jobs", "1"]
    process = subprocess.Popen(words, cwd=Path(__file__).parents[2], start_new_session=True)
    while not (tmp_path / "out" / ".a_hang.webp.lock").exists() and not (tmp_path / "out" / "a" / "two.webp").exists():
        assert process.poll() is None
        time.sleep(0.1)
    time.sleep(2)
    process.kill()
    process.wait()
    for _ in range(100):
        try:
            os.killpg(process.pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGKILL)
    pytest.fail("a worker lived on")
