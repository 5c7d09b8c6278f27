"""The arrows of the house, read from the imports."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = sorted((ROOT / "animecut").glob("*.py"))
TRAINING = sorted((ROOT / "training").glob("*.py"))
GROUND = {"clip", "errors", "overlap", "paths", "planes", "shrink", "stills"}
MAY = {
    "segment": {"kin", "network"},
    "network": {"pspnet", "rivals"},
    "pspnet": {"backbones"},
    "rivals": {"backbones", "pspnet"},
    "decode": {"canvas", "source", "video"},
    "canvas": {"source"},
    "video": {"source"},
    "loading": {"network", "segment"},
    "refine": {"colours"},
    "pick": {"colours"},
    "settings": set(),
    "pipeline": {room.stem for room in ROOMS}
    - {"cli", "bars", "batch", "claim", "doctor", "ledger", "loading", "machines", "manifest", "packs", "plan", "runs"}
    - {"slots"},
    "ledger": {"settings"},
    "manifest": {"compose", "settings"},
    "packs": {"platforms", "report", "settings"},
    "plan": {"ledger", "manifest", "packs", "platforms", "report", "settings"},
    "batch": {"claim", "ledger", "pipeline", "plan", "preview", "report", "watch"},
    "report": {"encode", "platforms", "settings"},
    "slots": {"batch", "ledger", "plan", "watch"},
    "machines": {"batch", "ledger", "plan", "slots"},
    "runs": {
        "batch",
        "claim",
        "ledger",
        "loading",
        "machines",
        "network",
        "plan",
        "refine",
        "segment",
        "settings",
        "slots",
        "watch",
    },
    "bars": {"watch"},
    "encode": {"animation", "gif", "pictures"},
    "gif": {"animation", "fewer_colours", "pictures"},
    "animation": {"pictures"},
    "cli": {room.stem for room in ROOMS},
    "__main__": {"cli"},
    "fit": {"compose", "encode", "giving_up", "platforms", "schedule", "likeness", "spool", "trials"},
    "trials": {
        "compose",
        "encode",
        "fewer_colours",
        "fewer_drawings",
        "giving_up",
        "likeness",
        "platforms",
        "schedule",
        "shown",
        "spool",
    },
    "schedule": {"platforms"},
    "outline": {"compose"},
    "camera": {"compose"},
    "scene": {"camera", "compose", "outline"},
    "caption": {"compose"},
    "preview": {"compose", "encode", "shown"},
    "check_cli": {"platforms"},
    "platforms": {"shown"},
    "doctor": {"video", "encode", "network", "refine", "segment"},
    "doctor_cli": {"doctor", "network"},
}
DOORS = {  # who may know an outside library
    "pymatting": {"refine"},
    "ray": {"machines"},
    "torch": {"backbones", "kin", "network", "pspnet", "rivals", "segment"},
    "torchvision": {"backbones", "rivals"},
    "safetensors": {"network"},
    "typer": {"cli", "check_cli", "doctor_cli"},
    "tqdm": {"bars"},
    "av": {"video", "encode", "shown"},
}


def imports(path: Path) -> set[str]:
    """Every module that a file imports, at its top or inside a function, but not for types alone."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            node.body = []
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= (
                {f"{node.module}.{alias.name}" for alias in node.names} if node.module == "animecut" else {node.module}
            )
    return found


def rooms_of(path: Path) -> set[str]:
    return {name.split(".")[1] for name in imports(path) if name.startswith("animecut.")} & {
        room.stem for room in ROOMS
    }


@pytest.mark.parametrize("room", ROOMS, ids=lambda path: path.stem)
def test_a_room_imports_only_what_it_may(room: Path) -> None:
    assert rooms_of(room) <= GROUND | MAY.get(room.stem, set())


@pytest.mark.parametrize("room", ROOMS, ids=lambda path: path.stem)
def test_the_application_never_imports_training(room: Path) -> None:
    assert not any(name.split(".")[0] in ("training", "tests", "samples") for name in imports(room))


@pytest.mark.parametrize("room", ROOMS, ids=lambda path: path.stem)
def test_each_outside_library_has_one_door(room: Path) -> None:
    outside = {name.split(".")[0] for name in imports(room)}
    assert not {library for library, doors in DOORS.items() if library in outside and room.stem not in doors}


@pytest.mark.parametrize("room", [*ROOMS, *TRAINING], ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_rooms_stay_small(room: Path) -> None:
    assert len(room.read_text().splitlines()) <= 350


def test_help_and_version_import_nothing_heavy() -> None:
    for words in ("--help", "--version"):
        code = f"import sys; sys.argv = ['animecut', '{words}']\nfrom animecut.cli import main\n"
        code += "try: main()\nexcept SystemExit: pass\n"
        code += "print(sorted({'torch', 'av', 'cv2', 'numpy', 'pymatting', 'PIL'} & set(sys.modules)))"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
        assert done.stdout.splitlines()[-1] == "[]"
