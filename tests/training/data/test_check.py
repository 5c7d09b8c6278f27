import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from animecut_training.cli import app
from animecut_training.data.check import Finding, check, require_valid, write_sheet
from typer.testing import CliRunner

from animecut.errors import InputError


def add(folder: Path, name: str, mask: np.ndarray | None, *, part: tuple[str, str] = ("images", "masks")) -> None:
    for sub in part:
        (folder / sub).mkdir(exist_ok=True)
    seed = sum(map(ord, name))
    coarse = np.random.default_rng(seed).integers(0, 255, (6, 8, 3)).astype(np.uint8)
    cv2.imwrite(str(folder / part[0] / f"{name}.png"), cv2.resize(coarse, (80, 60)))
    if mask is not None:
        cv2.imwrite(str(folder / part[1] / f"{name}.png"), mask)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("good", "fine"):
        add(tmp_path, name, disc())
    return tmp_path


def disc() -> np.ndarray:
    return np.asarray(cv2.circle(np.zeros((60, 80), np.uint8), (40, 30), 20, 255, -1))


def messages(finding: Finding, *, fatal: bool) -> list[str]:
    return [problem.message for problem in finding.problems if problem.fatal == fatal]


def test_good_labels_have_no_problem(folder: Path) -> None:
    finding = require_valid(folder)
    assert finding.problems == []
    assert [frame.name for frame in finding.frames] == ["fine", "good"]


@pytest.mark.parametrize(
    ("mask", "words", "fatal"),
    [
        (disc()[:50], r"masks/bad\.png: 80x50, but its picture is 80x60", True),
        (disc() // 255 * 9, r"masks/bad\.png: class 9 is outside", True),
        (None, r"images/bad\.png: has no label", True),
        (np.full((60, 80), 255, np.uint8), r"masks/bad\.png: all character", True),
        (np.zeros((60, 80), np.uint8), r"masks/bad\.png: all background", False),
    ],
)
def test_every_bad_label_is_named(folder: Path, mask: np.ndarray | None, words: str, fatal: bool) -> None:
    add(folder, "bad", mask)
    finding = check(folder)
    assert len(finding.problems) == 1
    assert len(messages(finding, fatal=fatal)) == 1
    if fatal:
        with pytest.raises(InputError, match=words):
            require_valid(folder)
    else:
        require_valid(folder)


def test_copies_are_found_in_any_format_and_forbidden_across_the_split(folder: Path) -> None:
    picture = cv2.imread(str(folder / "images" / "good.png"))
    assert picture is not None
    cv2.imwrite(str(folder / "images" / "again.jpg"), cv2.resize(picture, (160, 120)))
    cv2.imwrite(str(folder / "masks" / "again.png"), cv2.resize(disc(), (160, 120)))
    (note,) = messages(check(folder), fatal=False)
    assert "almost the same picture as" in note
    add(folder, "good", disc(), part=("test_images", "test_anno"))
    (error,) = messages(check(folder), fatal=True)
    assert "test_anno/good.png: the same picture as good.png" in error
    assert "judged by" in error


def test_a_mask_without_a_picture_and_two_of_a_name_are_told(folder: Path) -> None:
    cv2.imwrite(str(folder / "masks" / "lone.png"), disc())
    shutil.copy(folder / "images" / "good.png", folder / "images" / "good.bmp")
    told = "\n".join(messages(check(folder), fatal=True))
    assert "lone.png: its picture images/lone.* is not there" in told
    assert "a second picture called good" in told


def test_the_sheet_shows_characters_and_marks_problems(folder: Path) -> None:
    finding = check(folder)
    write_sheet(folder / "sheet.png", finding)
    sheet = cv2.imread(str(folder / "sheet.png"))
    assert sheet is not None
    tile = sheet[:190, :300]
    centre, corner = tile[95, 150].astype(int), tile[10, 40].astype(int)
    rgb = finding.frames[0].rgb
    assert np.abs(centre[::-1] - (rgb[30, 40] * 0.6 + np.array([255, 0, 90]) * 0.4)).max() < 12
    assert np.abs(corner[::-1] - rgb[2, 4] * 0.85).max() < 25


def test_the_command_tells_all_and_fails_where_nothing_can_be_learned(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    add(folder, "empty", np.zeros((60, 80), np.uint8))
    done = CliRunner().invoke(app, ["check", str(folder)])
    assert (done.exit_code, done.stdout) == (0, f"3 frames, 0 errors, 1 notes; see {folder.name}-check.png\n")
    add(folder, "bad", None)
    done = CliRunner().invoke(app, ["check", str(folder), "-o", "s"])
    assert done.exit_code == 1
    assert "error:" in done.stderr
    assert "note:" in done.stderr
    assert (folder / "s").stat().st_size > 1000
