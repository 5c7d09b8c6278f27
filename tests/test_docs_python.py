"""The recipes of docs/python.md."""

import ast
import re
import shutil
from pathlib import Path

import av
import pytest
from PIL import Image

import animecut
from animecut.settings import Settings

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "docs" / "python.md").read_text()
RECIPES = re.findall(r"^## \d\. ([^\n]+)\n.*?^```python\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
MADE = {
    "A sticker for a platform": ["hi.telegram.webm", "hi.webp"],
    "Many clips, one network": ["stickers/two_0-0.3.gif", "stickers/two_0-0.3.webp"],
    "One picture": ["character.png"],
    "A film of your own": ["pink.webp"],
    "Progress and errors": ["still.png"],
}


def test_there_are_five_recipes() -> None:
    assert [name for name, _ in RECIPES] == list(MADE)


@pytest.mark.parametrize(("name", "code"), RECIPES, ids=MADE)
def test_a_recipe_uses_only_what_there_is(name: str, code: str) -> None:
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "animecut":
            assert node.attr in animecut.__all__
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "animecut.cut":
            known = {*vars(Settings()), "platforms", "formats", "segmenter", "progress", "overwrite"}
            assert {keyword.arg for keyword in node.keywords} <= known


def test_all_public_names_are_told_of() -> None:
    kinds_of_results = {"MattedDrawing", "Output"}
    for name in set(animecut.__all__) - kinds_of_results:
        assert re.search(rf"\b{name}\b", TEXT), name


@pytest.mark.slow
@pytest.mark.parametrize(("name", "code"), RECIPES, ids=MADE)
def test_a_recipe_runs_and_writes_what_it_says(
    name: str, code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(ROOT / "samples" / "wave.mp4", "clip.mp4")
    Path("clips").mkdir()
    shutil.copy(ROOT / "samples" / "two.mp4", "clips")
    with av.open("clip.mp4") as container:
        frame = next(container.decode(video=0)).to_ndarray(format="rgb24")
    Image.fromarray(frame).save("picture.png")
    exec(compile(code, name, "exec"), {"__name__": name})  # noqa: S102 our own
    given = {"clip.mp4", "clips", "clips/two.mp4", "picture.png", "stickers"}
    made = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")} - given
    assert sorted(made) == MADE[name]
    if name == "Progress and errors":
        said = capsys.readouterr().out
        assert "matting 1 of 1" in said
        assert said.endswith("end `end` 1: must come after `start` (2 s)\n")
