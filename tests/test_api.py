import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import animecut
from animecut.types import Alpha, Pixels
from tests import world


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return world.write_clip(tmp_path / "walk.mp4", [rgb for rgb, _ in world.walking()])


def intersection_over_union(alpha: np.ndarray, truth: np.ndarray) -> float:
    one, other = alpha > 127, truth > 0.5
    return float((one & other).sum() / (one | other).sum())


def test_importing_the_package_loads_nothing_heavy_and_every_name_is_there() -> None:
    code = "import sys, animecut\n"
    code += "print(sorted({'numpy', 'torch', 'av', 'cv2', 'PIL', 'typer', 'scipy'} & set(sys.modules)))\n"
    code += "print([name for name in animecut.__all__ if not hasattr(animecut, name)])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["[]", "[]"]
    assert set(animecut.__all__) < set(dir(animecut))
    with pytest.raises(AttributeError, match="no_such_name"):
        animecut.no_such_name  # noqa: B018


def test_cut_writes_the_output_and_of_its_name_what_platforms_take(clip: Path, tmp_path: Path) -> None:
    result = animecut.cut(
        str(clip), tmp_path / "new" / "hi.webp", start=0.1, end=0.4, size=64, platforms=["telegram"],
        segmenter=world.see,
    )  # fmt: skip
    assert [output.written.path.name for output in result.outputs] == ["hi.webp", "hi.telegram.webm"]
    assert [(output.platform, output.problems) for output in result.outputs] == [(None, ()), ("telegram", ())]
    with Image.open(tmp_path / "new" / "hi.webp") as image:
        assert max(image.size) == 64
        assert image.is_animated  # type: ignore[attr-defined]
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["hi.telegram.webm", "hi.webp"]


@pytest.mark.parametrize(
    ("output", "words", "names"),
    [
        (None, {}, ["walk.webp"]),
        (None, {"formats": "gif"}, ["walk.gif"]),
        ("out", {"formats": ["webp", "gif"], "start": 0.1}, ["out/walk_0.1-end.gif", "out/walk_0.1-end.webp"]),
        ("hi.gif", {"formats": ["webp"]}, ["hi.gif", "hi.webp"]),
        ("hi.png", {"platforms": "discord"}, ["hi.png"]),
        ("hi.webp", {"frame": 0.2}, ["hi.webp"]),
        ("hi.webm", {"platforms": ["telegram", "discord"]}, ["hi.discord.png", "hi.telegram.webm", "hi.webm"]),
    ],
)
def test_what_is_written_where(
    clip: Path, output: str | None, words: dict[str, Any], names: list[str]
) -> None:  # fmt: skip
    folder = clip.parent
    result = animecut.cut(clip, output and folder / output, segmenter=world.see, size=64, matting="none", **words)
    assert sorted(str(one.written.path.relative_to(folder)) for one in result.outputs) == names


def test_what_is_there_is_replaced_only_where_asked(clip: Path, tmp_path: Path) -> None:
    target = tmp_path / "hi.webp"
    target.write_bytes(b"mine")
    with pytest.raises(animecut.OutputError, match="is there already; add `overwrite`"):
        animecut.cut(clip, target, segmenter=world.see)
    assert target.read_bytes() == b"mine"
    animecut.cut(clip, target, segmenter=world.see, size=64, overwrite=True)
    assert target.read_bytes() != b"mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["hi.webp", "walk.mp4"]


@pytest.mark.parametrize(
    ("words", "field"),
    [
        ({"start": 2.0, "end": 1.0}, "end"),
        ({"platforms": ["icq"]}, "platforms"),
        ({"formats": ["bmp"]}, "formats"),
        ({"output": "hi.bmp"}, "output"),
        ({"outline_color": "nocolour"}, "outline_color"),
        ({"device": "cpu"}, "device"),
        ({"source": "."}, "source"),
    ],
)
def test_errors_name_the_argument_and_no_flag(clip: Path, words: dict[str, str], field: str) -> None:
    source = words.pop("source", clip)
    with pytest.raises(animecut.SettingsError) as caught:
        animecut.cut(source, segmenter=world.see, **words)  # type: ignore[arg-type]
    assert caught.value.field == field
    assert str(caught.value).startswith(f"`{field}`")
    assert "--" not in str(caught.value)
    assert [path.name for path in clip.parent.iterdir()] == ["walk.mp4"]


def test_errors_are_of_their_own_kind(tmp_path: Path) -> None:
    with pytest.raises(animecut.InputError, match="no such file"):
        animecut.cut(tmp_path / "none.mp4", segmenter=world.see)
    empty = world.write_clip(tmp_path / "empty.mp4", [world.drawing(0, empty=True)[0]])
    with pytest.raises(animecut.NoCharacter, match="try another `start` and `end`"):
        animecut.cut(empty, segmenter=world.see)


def test_progress_is_told(clip: Path, tmp_path: Path) -> None:
    class Told(animecut.Progress):
        def __init__(self) -> None:
            super().__init__()
            self.stages: set[str] = set()

        def progress(self, stage: str, done: int, total: int | None) -> None:
            self.stages.add(stage)

    told = Told()
    animecut.cut(clip, tmp_path / "hi.webp", size=64, segmenter=world.see, progress=told)
    assert told.stages >= {"finding", "matting", "webp"}


def test_a_picture_is_cut_out_at_its_own_size() -> None:
    rgb, truth = world.drawing(120)
    rgba = animecut.cutout(rgb, segmenter=world.see)
    assert (rgba.shape, rgba.dtype.name) == ((*rgb.shape[:2], 4), "uint8")
    assert intersection_over_union(rgba[..., 3], truth) > 0.97
    solid = rgba[..., 3] == 255
    assert (rgba[solid][:, :3] == rgb[solid]).all()
    assert not rgba[rgba[..., 3] == 0].any()
    assert (animecut.cutout(Image.fromarray(rgb), segmenter=world.see) == rgba).all()


def test_what_a_picture_itself_leaves_transparent_stays_so() -> None:
    rgb, truth = world.drawing(120)
    alpha = np.full(rgb.shape[:2], 255, np.uint8)
    alpha[:, :120] = 0
    rgba = animecut.cutout(np.dstack([rgb, alpha]), segmenter=world.see)
    assert not rgba[:, :120].any()
    assert intersection_over_union(rgba[:, 120:, 3], truth[:, 120:]) > 0.95
    palette = Image.fromarray(rgb).quantize(16)
    assert intersection_over_union(animecut.cutout(palette, segmenter=world.see)[..., 3], truth) > 0.9


@pytest.mark.parametrize("shape", [(8, 8), (8, 8, 1), (0, 8, 3), (2, 8, 8, 3)])
def test_an_array_that_is_no_picture_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"uint8 \(H, W, 3 or 4\)"):
        animecut.cutout(np.zeros(shape, np.uint8), segmenter=world.see)
    with pytest.raises(ValueError, match="float64"):
        animecut.cutout(np.zeros((8, 8, 3)), segmenter=world.see)  # type: ignore[arg-type]


def test_a_picture_without_a_character_says_so() -> None:
    with pytest.raises(animecut.NoCharacter, match="`segmenter`"):
        animecut.cutout(world.drawing(0, empty=True)[0], segmenter=world.see)


def test_a_clip_opens_as_matted_drawings_with_their_times(clip: Path) -> None:
    drawings = list(animecut.open_clip(clip, segmenter=world.see))
    assert len(drawings) == 6
    assert [drawing.start for drawing in drawings] == pytest.approx([i / 12 for i in range(6)])
    assert [drawing.end for drawing in drawings] == pytest.approx([(i + 1) / 12 for i in range(6)])
    for drawing, (_, truth) in zip(drawings, world.walking(), strict=True):
        assert drawing.shot == 0
        assert intersection_over_union(drawing.rgba[..., 3], truth) > 0.95
    part = list(animecut.open_clip(clip, start=0.1, end=0.3, segmenter=world.see))
    assert [round(drawing.start, 3) for drawing in part] == [0.1, 0.167, 0.25]


def test_a_clip_need_not_be_read_to_its_end(clip: Path) -> None:
    seen = 0

    def see(pixels: Pixels) -> Alpha:
        nonlocal seen
        seen += len(pixels)
        return world.see(pixels)

    drawings = animecut.open_clip(clip, segmenter=see)
    assert seen == 0
    next(drawings)
    drawings.close()
    with pytest.raises(animecut.SettingsError, match="`end`"):
        animecut.open_clip(clip, start=1.0, end=0.5)


@pytest.mark.slow
def test_a_users_program_passes_strict_mypy(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(USERS_PROGRAM)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), str(program)],
        capture_output=True, text=True, cwd=tmp_path, env={"MYPYPATH": str(Path(animecut.__file__).parents[1])},
    )  # fmt: skip
    assert done.returncode == 1, done.stdout  # its last line is wrong
    assert [line for line in done.stdout.splitlines() if "error" in line and "Found" not in line] == [
        line for line in done.stdout.splitlines() if 'program.py:18: error: Argument "start"' in line
    ]


USERS_PROGRAM = """
from pathlib import Path
import numpy as np
from numpy.typing import NDArray
import animecut
from animecut import MattedDrawing, Result, Segmenter

def stickers(clips: list[Path], segmenter: Segmenter) -> list[Result]:
    return [animecut.cut(clip, platforms="telegram", segmenter=segmenter, size=320) for clip in clips]

def alpha(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return animecut.cutout(rgb, matting="none")[..., 3]

def longest(clip: str) -> MattedDrawing:
    return max(animecut.open_clip(clip, start=1.0), key=lambda drawing: drawing.end - drawing.start)

def wrong() -> None:
    animecut.open_clip("clip.mp4", start="soon")
"""
