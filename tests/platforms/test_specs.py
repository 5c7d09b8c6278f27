"""Every rule is broken once, with files made by Pillow and PyAV, and caught."""

import dataclasses
import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from animecut.cli.check import app
from animecut.encode.probe import probe
from animecut.errors import InputError, SettingsError
from animecut.platforms.specs import PLATFORMS, check_file, limits
from tests.stickers_made import image, picture, video

WHATSAPP, DISCORD, LINE, GIF = (512, 512), (320, 320), (320, 270), (128, 128)


def only(problems: list[str], word: str) -> bool:
    """Whether there is one problem, which has the word."""
    return len(problems) == 1 and word in problems[0]


def test_every_row_says_where_it_is_from() -> None:
    assert len(PLATFORMS) == 43
    for name, row in PLATFORMS.items():
        assert row.name == name
        assert row.source
        assert row.date.startswith("20")
        assert all(other in PLATFORMS for other in (*row.icons, *row.each))


def test_good_files_are_fine(tmp_path: Path) -> None:
    assert check_file(image(tmp_path / "a.webp", WHATSAPP, [100] * 3), "whatsapp") == []
    assert check_file(image(tmp_path / "b.png", DISCORD, [100] * 3), "discord") == []
    assert check_file(image(tmp_path / "c.png", (300, 270), [200] * 5, loop=4), "line") == []
    assert check_file(image(tmp_path / "d.png", (96, 96), [100] * 3), "signal") == []
    assert check_file(image(tmp_path / "e.gif", GIF, [100] * 3), "slack") == []
    assert check_file(image(tmp_path / "f.gif", (360, 360), [100] * 3, opaque=True), "kakao") == []
    assert check_file(video(tmp_path / "g.webm", (512, 96), [100] * 3), "telegram") == []
    assert check_file(video(tmp_path / "h.webm", (100, 100), [40] * 3), "telegram-emoji") == []


def test_stills(tmp_path: Path) -> None:
    picture((490, 490), 0).save(tmp_path / "a.png")
    assert check_file(tmp_path / "a.png", "viber") == []
    assert only(check_file(tmp_path / "a.png", "telegram-static"), "490x490")
    picture((512, 200), 0).save(tmp_path / "b.webp")
    assert check_file(tmp_path / "b.webp", "telegram-static") == []
    assert only(check_file(image(tmp_path / "c.png", (490, 490), [100] * 2), "viber"), "has 2 frames")


def test_container_and_codec(tmp_path: Path) -> None:
    assert only(check_file(image(tmp_path / "a.gif", WHATSAPP, [100] * 3), "whatsapp"), "is gif; whatsapp takes webp")
    matroska = check_file(video(tmp_path / "b.mkv", (512, 96), [100] * 3), "telegram")
    assert only(matroska, "is matroska")
    vp8 = check_file(video(tmp_path / "c.webm", (512, 96), [100] * 3, codec="libvpx"), "telegram")
    assert only(vp8, "codec is vp8")
    named = image(tmp_path / "d.apng", (300, 270), [200] * 5, loop=4)
    assert only(check_file(named, "line"), "is named .apng")


def test_sound_is_heard(tmp_path: Path) -> None:
    assert only(check_file(video(tmp_path / "a.webm", (512, 96), [100] * 3, sound=True), "telegram"), "stream of audio")


def test_pixels(tmp_path: Path) -> None:
    assert only(check_file(image(tmp_path / "a.webp", (512, 510), [100] * 3), "whatsapp"), "exactly 512x512")
    assert only(check_file(video(tmp_path / "b.webm", (510, 96), [100] * 3), "telegram"), "one side of 512")
    assert only(check_file(image(tmp_path / "c.png", (321, 270), [200] * 5, loop=1), "line"), "at most 320x270")
    assert only(check_file(image(tmp_path / "d.png", (260, 200), [200] * 5, loop=1), "line"), "one side at least 270")
    assert only(check_file(image(tmp_path / "e.png", (100, 96), [100] * 3), "signal"), "a square")


def test_seconds(tmp_path: Path) -> None:
    assert only(check_file(video(tmp_path / "a.webm", (512, 96), [1000, 1000, 1010]), "telegram"), "lasts 3.010 s")
    assert only(check_file(image(tmp_path / "b.png", DISCORD, [2600, 2600]), "discord"), "at most 5")
    assert only(check_file(image(tmp_path / "c.png", (300, 270), [210] * 5, loop=1), "line"), "1.050 s in all")
    assert only(check_file(image(tmp_path / "d.png", (300, 270), [80] * 5, loop=2), "line"), "0.800 s in all")
    assert only(check_file(image(tmp_path / "e.png", (300, 270), [400] * 5, loop=3), "line"), "at most 4")
    assert check_file(image(tmp_path / "f.png", (300, 270), [100] * 5, loop=2), "line") == []


def test_frames_that_are_too_short(tmp_path: Path) -> None:
    assert only(check_file(video(tmp_path / "a.webm", (512, 96), [20] * 4), "telegram"), "30 frames a second")
    assert only(check_file(image(tmp_path / "b.webp", WHATSAPP, [100, 5, 100]), "whatsapp"), "for 5 ms")
    assert only(check_file(image(tmp_path / "c.gif", GIF, [100, 10, 100]), "slack"), "for 10 ms")


def test_how_many_frames(tmp_path: Path) -> None:
    assert only(
        check_file(image(tmp_path / "a.png", (300, 270), [250] * 4, loop=1), "line"), "4 frames; line takes at l"
    )
    assert only(check_file(image(tmp_path / "b.gif", (360, 360), [40] * 25, opaque=True), "kakao"), "at most 24")
    picture(WHATSAPP, 0).save(tmp_path / "c.webp")
    assert only(check_file(tmp_path / "c.webp", "whatsapp"), "1 frames")


def test_frames_that_a_merge_would_swallow(tmp_path: Path) -> None:
    """Frames that differ by what cannot be seen alone; Pillow would merge what is truly equal."""
    pictures = []
    for i in range(5):
        rgba = np.array(picture((300, 270), i // 2))
        rgba[200:, :, :3] = 40 * i  # where alpha is 0
        pictures.append(Image.fromarray(rgba))
    pictures[0].save(tmp_path / "a.png", save_all=True, append_images=pictures[1:], duration=200, loop=1)
    assert len(probe(tmp_path / "a.png").seconds) == 5
    assert only(check_file(tmp_path / "a.png", "line"), "3 frames that differ")


def test_plays(tmp_path: Path) -> None:
    assert only(check_file(image(tmp_path / "a.png", (300, 270), [200] * 5, loop=0), "line"), "plays for ever")
    assert only(check_file(image(tmp_path / "b.png", (96, 96), [100] * 3, loop=2), "signal"), "plays 2 times")


def test_bytes(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (512, 512, 4), np.uint8)
    Image.fromarray(noise).save(tmp_path / "a.webp", lossless=True)
    assert only(check_file(tmp_path / "a.webp", "whatsapp-static"), "at most 102,400")


def test_alpha(tmp_path: Path) -> None:
    assert check_file(image(tmp_path / "a.webp", WHATSAPP, [100] * 3, opaque=True), "whatsapp") == []
    assert only(check_file(video(tmp_path / "b.webm", (512, 96), [100] * 3, alpha=False), "telegram"), "has no alpha")
    assert only(check_file(image(tmp_path / "c.gif", (360, 360), [100] * 3), "kakao"), "white background")


def test_first_frame(tmp_path: Path) -> None:
    pictures = [picture(WHATSAPP, 0, empty=True), picture(WHATSAPP, 1)]
    pictures[0].save(tmp_path / "a.webp", save_all=True, append_images=pictures[1:], duration=100, lossless=True)
    assert only(check_file(tmp_path / "a.webp", "whatsapp"), "first frame is empty")


def test_broken_files_are_a_problem_not_a_crash(tmp_path: Path) -> None:
    good = [
        image(tmp_path / "a.webp", WHATSAPP, [100] * 3),
        image(tmp_path / "b.png", DISCORD, [100] * 3),
        image(tmp_path / "c.gif", GIF, [100] * 3),
        video(tmp_path / "d.webm", (512, 96), [100] * 3),
    ]
    for path in good:
        for length in (0, 4, 30, path.stat().st_size // 2):
            path.write_bytes(path.read_bytes()[:length] if length else b"")
            assert check_file(path, "telegram")
    (tmp_path / "e.txt").write_text("no picture")
    assert only(check_file(tmp_path / "e.txt", "line"), "cannot be read")
    with pytest.raises(InputError):
        check_file(tmp_path / "none.webp", "whatsapp")
    with pytest.raises(SettingsError, match="telegram"):
        check_file(good[0], "icq")


def test_command_line(tmp_path: Path) -> None:
    good = image(tmp_path / "a.webp", WHATSAPP, [100] * 3)
    run = CliRunner().invoke
    assert run(app, [str(good), "--for", "whatsapp"]).exit_code == 0
    both = run(app, [str(good), "--for", "whatsapp,line", "--json"])
    assert both.exit_code == 1
    verdicts = [json.loads(line) for line in both.stdout.splitlines()]
    assert [verdict["valid"] for verdict in verdicts] == [True, False]
    assert verdicts[1]["problems"]
    assert run(app, [str(good), "--for", "icq"]).exit_code == 2
    other = good.rename(tmp_path / os.fsdecode(b"caf\xe9.webp"))
    assert run(app, [str(other), "--for", "whatsapp"]).stdout_bytes.endswith(b"caf\xe9.webp: whatsapp: fine\n")
    assert run(app, [str(tmp_path / "none.gif"), "--for", "line"]).exit_code == 1
    assert run(app, []).exit_code == 2


def test_the_list_has_every_platform_with_its_source_and_date() -> None:
    done = CliRunner().invoke(app, ["--list"])
    assert done.exit_code == 0
    lines = dict(line.split(": ", 1) for line in done.stdout.splitlines())
    assert list(lines) == list(PLATFORMS)
    for name, row in PLATFORMS.items():
        assert lines[name].startswith(row.format)
        assert row.source in lines[name]
        assert f", {row.date}" in lines[name]
    assert "at most 370x320; even sides; at most 1,000,000 bytes; a still; transparent" in lines["line-static"]
    assert "1 to 4 times" in lines["line"]


def test_the_documents_have_the_table_as_it_is() -> None:
    text = (Path(__file__).parents[2] / "docs" / "platforms.md").read_text()
    for row in PLATFORMS.values():
        said = f"| {row.name} | {'; '.join(limits(row))} | {row.source}, {row.date} | {row.unsure} |"
        assert said in text, f"write into docs/platforms.md:\n{said}"


def test_rows_are_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        PLATFORMS["line"].max_bytes = 1  # type: ignore[misc]
