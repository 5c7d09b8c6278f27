import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from animecut._util.progress import Progress
from animecut.batch.runner import InProcess
from animecut.cli import main
from animecut.types import Alpha, Pixels
from tests import world


class SeeingSegmenter:
    """In place of the network: knows the figure of tests/world.py by its colour."""

    device_name = "cpu (colour)"
    batch_size = 1

    def __init__(self, weights: Path = Path(), device: str = "cpu", batch_size: int = 1, threads: int = 1) -> None:
        pass

    def __call__(self, pixels: Pixels) -> Alpha:
        return world.see(pixels)


@pytest.fixture
def animecut(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """The command line in this process alone; tests/test_batch.py has worker processes."""
    monkeypatch.setattr("animecut.segmentation.segmenter.Segmenter", SeeingSegmenter)
    monkeypatch.setattr("animecut.batch.workers.ProcessPool", lambda load, *_, **__: InProcess(load(), Progress()))
    return lambda *words: CliRunner().invoke(main.app, [str(word) for word in words])


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return world.write_clip(tmp_path / "walk.mp4", [rgb for rgb, _ in world.walking()])


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*"))


def test_one_line_makes_a_sticker_beside_the_clip(animecut: Callable[..., Result], clip: Path) -> None:
    done = animecut(clip, "--start", "0.1", "--end", "0:00.4")
    assert done.exit_code == 0
    assert files(clip.parent) == ["walk.mp4", "walk_0.1-0.4.webp"]
    assert done.stdout == ""
    last = done.stderr.splitlines()[-1]
    assert "walk_0.1-0.4.webp" in last
    for part in ("x", "drawings", " s,", "kB", "cpu"):
        assert part in last


def test_a_suffix_chooses_the_format_and_a_folder_takes_several(
    animecut: Callable[..., Result], clip: Path, tmp_path: Path
) -> None:
    assert animecut(clip, "-o", tmp_path / "hi.gif", "--size", "64").exit_code == 0
    with Image.open(tmp_path / "hi.gif") as image:
        assert max(image.size) == 64
    assert animecut(clip, "-o", tmp_path / "out", "--format", "webp,apng", "--size", "64").exit_code == 0
    assert files(tmp_path / "out") == ["walk.png", "walk.webp"]
    for name in ("Season 1.5", "Mr. X"):
        assert animecut(clip, "-o", tmp_path / name, "--size", "64").exit_code == 0
        assert files(tmp_path / name) == ["walk.webp"]


def test_a_still_is_one_plain_png_of_the_size_asked_for(animecut: Callable[..., Result], clip: Path) -> None:
    assert animecut(clip, "--frame", "0.2", "--size", "64x80").exit_code == 0
    assert animecut(clip, "--frame", "0.3", "--size", "64x80", "--format", "png").exit_code == 0
    assert files(clip.parent) == ["walk.mp4", "walk_0.2.png", "walk_0.3.png"]
    with Image.open(clip.parent / "walk_0.2.png") as image:
        assert (image.format, image.size, getattr(image, "n_frames", 1)) == ("PNG", (64, 80), 1)


def test_a_loop_is_told_in_words_and_as_json(animecut: Callable[..., Result], tmp_path: Path) -> None:
    swing = [world.drawing(120 + 40 * np.sin(2 * np.pi * i / 8))[0] for i in range(14)]
    source = world.write_clip(tmp_path / "swing.mp4", swing)
    done = animecut(source, "--size", "64", "--loop-find", "--json")
    loop = json.loads(done.stdout)["loop"]
    assert set(loop) == {"start", "end", "score", "seam", "holds"}
    assert loop["end"] - loop["start"] == pytest.approx(8 / 12, abs=0.001)
    assert "seamless" in done.stderr


def test_limits_of_ones_own_go_with_any_format(animecut: Callable[..., Result], clip: Path) -> None:
    words = ["--format", "webp,gif,apng,webm", "--max-bytes", "4k", "--max-seconds", "0.25", "--first", "0.1", "--json"]
    done = animecut(clip, "--size", "160", *words)
    assert done.exit_code == 0
    for output in json.loads(done.stdout)["outputs"]:
        assert Path(output["path"]).stat().st_size == output["bytes"] <= 4000
        assert output["duration_s"] == pytest.approx(0.25, abs=0.01)
        assert output["given_up"][:2] == ["0.25 s cut off the end (at most 0.25 s)", "starts at 0.08 s"]
        assert 0.3 < output["ssim"] <= 1
    assert "to fit the limits" in done.stderr


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("",), 2, "an empty word is no input"),
        (("walk.mp4", "--start", "inf:0"), 2, "'inf:0' is no time"),
        (("walk.mp4", "--size", "9" * 5000), 2, "--size: '99"),
        (
            ("walk.mp4", "--size", "512x40", "--shadow"),
            2,
            "--margin 8: leaves, with --outline and --shadow, too little of 40",
        ),
        (("walk.mp4", "--for", "line", "--max-seconds", "0.5"), 1, "give --max-seconds 1 or more"),
        (("walk.mp4", "--for", "telegram", "-o", "x.webp"), 2, "-o x.webp: telegram takes .webm"),
        (("walk.mp4", "--caption", "x" * 501), 2, "--caption: too long"),
        (("n" * 300, "-o", "x.webp"), 1, "cannot be read"),
        (("walk.mp4", "-o", "n" * 300 + ".webp"), 1, "longer than 255 bytes"),
        ((".", "-o", "x.webp"), 2, "-o x.webp: one file for several stickers"),
    ],
)
def test_words_that_cannot_be_meant_are_one_line(
    animecut: Callable[..., Result], clip: Path, words: tuple[str, ...], code: int, told: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(clip.parent)
    done = animecut(*words)
    assert (done.exit_code, done.stderr.count("Traceback")) == (code, 0), done.stderr
    assert told in done.stderr
    assert files(clip.parent) == ["walk.mp4"]


def test_a_file_may_be_named_where_a_report_is_kept(
    animecut: Callable[..., Result], clip: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out" / "one.webp"
    done = animecut(clip, clip, "-o", out)
    assert done.exit_code == 0, done.stderr
    assert files(out.parent) == ["one.webp", "report.jsonl"]


@pytest.mark.parametrize("kind", ["gif", "webm", "mov", "apng"])
def test_names_with_a_colon_are_written(
    animecut: Callable[..., Result], clip: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(clip.parent)
    clip.rename("Re:Walk 1.mp4")
    done = animecut("Re:Walk 1.mp4", "--format", kind, "--size", "64")
    assert done.exit_code == 0, done.stderr
    assert len(files(clip.parent)) == 2


@pytest.mark.parametrize("words", [("--speed", "2"), ("--reverse",), ("--bounce",), ()])
def test_what_comes_first_is_named_by_the_sources_time(
    animecut: Callable[..., Result], clip: Path, words: tuple[str, ...]
) -> None:
    still, out = clip.with_name("still.webp"), clip.with_name("out.webp")
    assert animecut(clip, "--frame", "0.3", "--no-crop", "--format", "webp", "-o", still).exit_code == 0
    done = animecut(clip, "--first", "0.3", "--no-crop", "--steady", "0", "-o", out, *words)
    assert done.exit_code == 0, done.stderr
    with Image.open(still) as one, Image.open(out) as other:
        assert np.abs(np.asarray(one.convert("RGBA"), int) - np.asarray(other.convert("RGBA"), int)).mean() < 1


def test_previews_of_two_sources_are_no_inputs(animecut: Callable[..., Result], clip: Path) -> None:
    folder = clip.parent
    for _ in range(2):
        assert animecut(folder, "--preview", "--frame", "0.2", "--size", "64").exit_code == 0
    preview = [f"walk_0.2.preview.{kind}" for kind in ("html", "png")]
    assert files(folder) == ["report.jsonl", "walk.mp4", "walk_0.2.png", *preview]


def test_the_impossible_is_said_and_the_rest_done(animecut: Callable[..., Result], clip: Path, tmp_path: Path) -> None:
    alone = animecut(clip, "--end", "0.08", "--for", "line")
    assert alone.exit_code == 1
    assert "line takes at least 5 drawings and there is 1" in alone.stderr
    assert files(tmp_path) == ["walk.mp4"]
    done = animecut(clip, "--end", "0.08", "--for", "line,telegram,telegram", "--json")
    assert done.exit_code == 1
    assert "line takes at least 5 drawings and there is 1" in done.stderr
    assert files(tmp_path) == ["walk.mp4", "walk_0-0.08.telegram.webm"]
    said = json.loads(done.stdout)
    assert [Path(output["path"]).name for output in said["outputs"]] == ["walk_0-0.08.telegram.webm"]
    assert "line takes" in said["error"]
    late = animecut(clip, "--first", "7")
    assert late.exit_code == 1
    assert f"{clip}: --first 7: not in the sticker, which shows 0.00 to 0.50 s" in late.stderr


def test_what_one_platform_cuts_off_may_come_first_on_another(animecut: Callable[..., Result], clip: Path) -> None:
    done = animecut(clip, "--speed", "0.1", "--first", "0.4", "--for", "telegram,discord", "--size", "64")
    assert done.exit_code == 1
    assert f"{clip}: --first: not in the 3.00 s that are left for telegram" in done.stderr
    assert files(clip.parent) == ["walk.discord.png", "walk.mp4"]


def test_an_opaque_sticker_is_a_problem_for_line_alone(animecut: Callable[..., Result], clip: Path) -> None:
    done = animecut(clip, "--background", "white", "--for", "telegram,whatsapp,discord,line,slack", "--json")
    assert done.exit_code == 0
    problems = {output["platform"]: output["problems"] for output in json.loads(done.stdout)["outputs"]}
    assert problems.pop("line") == ["is opaque everywhere; line takes a transparent background"]
    assert list(problems.values()) == [[]] * 4


def test_what_is_too_long_is_shortened_as_asked_and_told(animecut: Callable[..., Result], clip: Path) -> None:
    for how, words in (("cut", "cut off the end"), ("speed", "times as fast"), ("thin", "drawings left out")):
        done = animecut(clip, "--max-seconds", "0.25", "--too-long", how, "--size", "64", "--overwrite", "--json")
        assert done.exit_code == 0, done.stderr
        (output,) = json.loads(done.stdout)["outputs"]
        assert output["duration_s"] == pytest.approx(0.25, abs=0.002)
        assert words in output["given_up"][0]
        assert words in done.stderr


def test_avif_and_a_sprite_sheet_are_formats(animecut: Callable[..., Result], clip: Path) -> None:
    done = animecut(clip, "--format", "avif,sheet", "--size", "64")
    assert done.exit_code == 0, done.stderr
    assert files(clip.parent) == ["sheet.json", "sheet.png", "walk.avif", "walk.mp4", "walk_sheet"]
    assert animecut(clip, "-o", clip.parent / "b.avif", "--size", "64").exit_code == 0
    assert animecut(clip, "--format", "sheet", "--max-bytes", "9k").exit_code == 2


def test_a_preview_lies_beside_and_is_not_replaced_unless_asked(animecut: Callable[..., Result], clip: Path) -> None:
    done = animecut(clip, "--size", "64", "--preview", "--json")
    assert files(clip.parent) == ["walk.mp4", "walk.preview.html", "walk.preview.png", "walk.webp"]
    assert [Path(path).name for path in json.loads(done.stdout)["preview"]] == ["walk.preview.png", "walk.preview.html"]
    (clip.parent / "walk.webp").unlink()
    refused = animecut(clip, "--size", "64", "--preview")
    assert refused.exit_code == 1
    assert "walk.preview.png" in refused.stderr


def test_json_is_one_object_per_input_on_standard_output(
    animecut: Callable[..., Result], clip: Path, tmp_path: Path
) -> None:
    done = animecut(clip, tmp_path / "missing.mp4", "--json", "--size", "64")
    assert done.exit_code == 1
    good, bad = (json.loads(line) for line in done.stdout.splitlines())
    assert (good["frames_in"], good["drawings"], good["shots"], good["error"]) == (12, 6, 1, None)
    assert good["held_flicker"] == 0
    (output,) = good["outputs"]
    assert set(output) >= {
        "path",
        "format",
        "platform",
        "width",
        "height",
        "frames",
        "duration_s",
        "bytes",
        "valid",
        "problems",
    }
    assert output["bytes"] == Path(output["path"]).stat().st_size
    assert set(good["seconds"]) >= {"decode", "segment", "steady", "refine", "compose", "encode", "total"}
    assert bad["outputs"] == []
    assert "missing.mp4" in bad["error"]


def test_a_folder_is_searched_through_and_one_bad_file_stops_nothing(
    animecut: Callable[..., Result], tmp_path: Path
) -> None:
    clips = tmp_path / "clips"
    (clips / "a" / "b").mkdir(parents=True)
    world.write_clip(clips / "one.mp4", [world.drawing(80)[0]])
    world.write_clip(clips / "a" / "b" / "two.mp4", [world.drawing(90)[0]])
    (clips / "a" / "bad.mp4").write_text("no video")
    (clips / "notes.txt").write_text("no clip")
    done = animecut(clips, "-o", tmp_path / "stickers", "--size", "64")
    assert done.exit_code == 1
    assert sorted(p.relative_to(tmp_path / "stickers").as_posix() for p in (tmp_path / "stickers").rglob("*.webp")) == [
        "a/b/two.webp",
        "one.webp",
    ]
    assert "bad.mp4" in done.stderr
    assert "2 of 3 done, 1 failed" in done.stderr


def test_what_is_there_is_not_replaced_unless_asked(
    animecut: Callable[..., Result], clip: Path, tmp_path: Path
) -> None:
    target = tmp_path / "out.webp"
    target.write_bytes(b"mine")
    refused = animecut(clip, "-o", target)
    assert refused.exit_code == 1
    assert "--overwrite" in refused.stderr
    assert target.read_bytes() == b"mine"
    assert animecut(clip, "-o", target, "--overwrite", "--size", "64").exit_code == 0
    assert target.read_bytes() != b"mine"


def test_the_input_is_never_replaced(animecut: Callable[..., Result], tmp_path: Path) -> None:
    picture = tmp_path / "still.webp"
    Image.fromarray(world.drawing(100)[0]).save(picture, lossless=True)
    before = picture.read_bytes()
    assert animecut(picture, "-o", picture, "--overwrite").exit_code == 1
    assert animecut(picture, "--size", "64").exit_code == 0
    assert files(tmp_path) == ["still.webp", "still_cut.webp"]
    assert picture.read_bytes() == before


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (["--start", "2", "--end", "1"], "--end"),
        (["--start", "soon"], "soon"),
        (["-o", "a.xyz"], ".webp"),
        (["-o", "a.webp", "--format", "gif"], "--format"),
        (["-o", "a.webp", "--format", "gif,webp"], "--format"),
        (["--format", "bmp"], "bmp"),
        (["--size", "1"], "--size"),
        (["--steady", "7"], "--steady"),
        (["--matting", "magic"], "magic"),
        (["--pick", "nobody"], "nobody"),
        (["--background", "nocolour"], "nocolour"),
        (["--outline-color", "nocolour"], "nocolour"),
        (["--size", "4x"], "413x531"),
        (["--frame", "1", "--start", "1"], "--frame"),
        (["--caption-at", "left"], "left"),
        (["--caption", "\u3042"], "HIRAGANA LETTER A"),
        (["--font", "none.ttf", "--caption", "a"], "none.ttf"),
        (["--max-bytes", "10"], "--max-bytes"),
        (["--max-bytes", "much"], "500k"),
        (["--nonsense"], "--nonsense"),
    ],
)
def test_wrong_words_end_with_2_and_write_nothing(
    animecut: Callable[..., Result], clip: Path, words: list[str], names: str
) -> None:
    done = animecut(clip, *words)
    assert done.exit_code == 2
    assert names in done.stderr
    assert files(clip.parent) == ["walk.mp4"]
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "case", ["missing", "empty", "text", "cut off", "audio", "past the end", "no character", "target"]
)
def test_a_bad_input_is_one_line_an_exit_code_and_no_file(
    animecut: Callable[..., Result], clip: Path, tmp_path: Path, case: str
) -> None:
    bad, words = tmp_path / "bad.mp4", [] if case != "past the end" else ["--start", "100"]
    if case == "empty":
        bad.touch()
    elif case == "text":
        bad.write_text("I am not a video\n" * 100)
    elif case == "cut off":
        bad.write_bytes(clip.read_bytes()[:900])
    elif case == "audio":
        with av.open(str(bad), "w") as container:
            stream = container.add_stream("aac", rate=44100)
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
            frame.sample_rate = 44100
            container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
    elif case == "no character":
        world.write_clip(bad, [world.drawing(0, empty=True)[0]] * 2)
    elif case in ("past the end", "target"):
        bad = clip
    if case == "target":
        (tmp_path / "file").touch()
        words = ["-o", str(tmp_path / "file" / "out.webp")]
    before = files(tmp_path)
    done = animecut(bad, *words, "--quiet")
    assert done.exit_code == 1
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("error: ")
    assert files(tmp_path) == before


def test_foreign_weights_and_absent_devices_are_one_line(clip: Path, tmp_path: Path) -> None:
    (tmp_path / "w.pth").write_bytes(b"PK\x03\x04")
    for words in (["--weights", str(tmp_path / "w.pth")], ["--device", "tpu"]):
        done = CliRunner().invoke(main.app, [str(clip), *words])
        assert done.exit_code == 1
        assert len(done.stderr.splitlines()) == 1


def test_ctrl_c_while_it_loads_prints_one_line(tmp_path: Path) -> None:
    (tmp_path / "typer.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n")  # in place of typer
    place = {"PYTHONPATH": os.pathsep.join((str(tmp_path), str(Path(__file__).parents[2])))}
    words = [sys.executable, "-m", "animecut", "--version"]
    done = subprocess.run(words, capture_output=True, text=True, env=os.environ | place, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr == "error: stopped before anything was begun\n"


def test_a_failure_waits_for_no_thread_that_still_loads(monkeypatch: pytest.MonkeyPatch) -> None:
    left: list[int] = []
    loaded = threading.Event()
    monkeypatch.setattr(os, "_exit", left.append)
    monkeypatch.setattr(sys, "argv", ["animecut", "--nonsense"])
    loading = threading.Thread(target=loaded.wait)
    loading.start()
    with pytest.raises(SystemExit):
        main.main()
    assert left == [2]
    monkeypatch.setattr(sys, "argv", ["animecut", "--version"])
    with pytest.raises(SystemExit):
        main.main()
    assert left == [2]
    loaded.set()
    loading.join()


def test_a_command_may_run_in_any_thread(animecut: Callable[..., Result], clip: Path) -> None:
    done: list[Result] = []
    thread = threading.Thread(target=lambda: done.append(animecut(clip, "--size", "64")))
    thread.start()
    thread.join()
    assert done[0].exit_code == 0, done[0].exception


def test_flags_stand_in_messages_and_json(animecut: Callable[..., Result], clip: Path) -> None:
    done = animecut(clip, "--loop-find", "--end", "0.2", "--json")
    assert "try a longer one, or --bounce" in done.stderr
    failed = animecut(clip, "--first", "7", "--json")
    assert json.loads(failed.stdout)["error"].startswith(f"{clip}: --first 7: not in the sticker")


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_in_the_middle_leaves_nothing(tmp_path: Path, how: signal.Signals) -> None:
    source = world.write_clip(tmp_path / "long.mp4", [world.drawing(40 + i % 160)[0] for i in range(400)])
    words = [sys.executable, "-m", "animecut", str(source), "--format", "webp,gif,apng,webm,mov,png"]
    for wait in (3.0, 8.0, 14.0):
        process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2])
        time.sleep(wait)
        os.kill(process.pid, how)
        _, said = process.communicate(timeout=60)
        assert process.returncode != 0
        assert "Traceback" not in said
        assert not [name for name in files(tmp_path) if name.startswith(".")]
        for path in tmp_path.glob("long*.*"):
            if path != source:
                path.unlink()  # finished before the stop, so whole


@pytest.mark.parametrize(
    ("words", "head"), [([], b"RIFF"), (["--format", "gif"], b"GIF8"), (["--for", "slack"], b"GIF8")]
)
def test_a_clip_flows_in_and_its_sticker_out(
    animecut: Callable[..., Result], clip: Path, words: list[str], head: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(clip.parent)
    done = CliRunner().invoke(main.app, ["-", "-o", "-", "--size", "64", *words], input=clip.read_bytes())
    assert done.exit_code == 0
    with Image.open(io.BytesIO(done.stdout_bytes)) as image:
        assert getattr(image, "n_frames", 1) > 1
    assert done.stdout_bytes.startswith(head)
    assert files(clip.parent) == ["walk.mp4"]
    assert CliRunner().invoke(main.app, ["-", "--size", "64"], input=clip.read_bytes()).exit_code == 0
    assert files(clip.parent) == ["stdin.webp", "walk.mp4"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["walk.mp4", "-o", "-", "--format", "gif,webp"], "one sticker of one input"),
        (["walk.mp4", "-o", "-", "--format", "png"], "takes no png"),
        (["walk.mp4", "-o", "-", "--json"], "neither --json nor --pack"),
        (["https://example.org/walk.mp4"], "download it first"),
    ],
)
def test_what_cannot_flow_is_told(
    animecut: Callable[..., Result], clip: Path, words: list[str], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(clip.parent)
    done = animecut(*words)
    assert done.exit_code == 2
    assert says in " ".join(done.stderr.split())
    assert files(clip.parent) == ["walk.mp4"]
