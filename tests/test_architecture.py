"""The arrows between packages, and the doors of outside libraries, read from the imports."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
APPLICATION = sorted((ROOT / "animecut").rglob("*.py"))
TRAINING = sorted((ROOT / "training").rglob("*.py"))
GROUND = {"_util", "errors", "types"}
MAY = {  # which packages each may import, beside the ground and itself
    "_util": {"errors", "types"},
    "errors": set(),
    "types": set(),
    "options": set(),
    "settings": {"options"},
    "results": {"encode", "platforms", "settings"},
    "video": set(),
    "segmentation": set(),
    "matte": set(),
    "layout": set(),
    "encode": {"layout"},
    "platforms": {"encode", "layout"},
    "pipeline": {"encode", "layout", "matte", "platforms", "results", "segmentation", "settings", "video"},
    "batch": {"encode", "layout", "matte", "options", "pipeline", "platforms", "results", "segmentation", "settings"},
    "cli": {"batch", "encode", "matte", "options", "platforms", "results", "segmentation", "settings", "video"},
    "api": {
        "batch",
        "layout",
        "matte",
        "pipeline",
        "platforms",
        "results",
        "segmentation",
        "settings",
        "video",
    },
    "__main__": {"cli"},
    "__init__": set(),
}
TRAINING_MAY = {  # of animecut_training's packages; any of them may import animecut
    "data": {"synthesis"},
    "synthesis": {"data"},
    "loop": {"data", "evaluation", "init", "synthesis"},
    "init": {"data", "loop"},
    "evaluation": {"data"},
}
DOORS = {  # who may know an outside library
    "pymatting": {"matte.matting"},
    "ray": {"batch.ray_backend"},
    "onnx": {"segmentation.onnx_export"},
    "onnxruntime": {"segmentation.onnx_engine"},
    "platformdirs": {"segmentation.onnx_cache"},
    "torch": {
        "segmentation.backbones",
        "segmentation.baselines",
        "segmentation.devices",
        "segmentation.onnx_export",
        "segmentation.pspnet",
        "segmentation.torch_engine",
        "segmentation.weights",
    },
    "torchvision": {"segmentation.backbones", "segmentation.baselines"},
    "safetensors": {"segmentation.weights"},
    "typer": {"cli"},
    "tqdm": {"cli.progress"},
    "av": {"video.ffmpeg", "video.fields", "encode.writer", "encode.probe"},
}
LONGEST = 400  # lines of a module


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
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def dotted(path: Path) -> str:
    """A module's name below its package's root: video.reader, or errors."""
    roots = (ROOT / "animecut", ROOT / "training" / "animecut_training", ROOT / "training")
    root = next(root for root in roots if path.is_relative_to(root))
    return ".".join(path.relative_to(root).with_suffix("").parts)


def packages_in(path: Path, root: str) -> set[str]:
    """The packages, or modules at the top, of `root` that a file imports."""
    there = {module.relative_to(ROOT / root).parts[0].removesuffix(".py") for module in APPLICATION + TRAINING
             if module.is_relative_to(ROOT / root)}  # fmt: skip
    name = Path(root).name
    return {word.split(".")[1] for word in imports(path) if word.startswith(f"{name}.")} & there


@pytest.mark.parametrize("module", APPLICATION, ids=dotted)
def test_a_package_imports_only_what_it_may(module: Path) -> None:
    own = dotted(module).split(".")[0]
    assert packages_in(module, "animecut") <= GROUND | MAY[own] | {own}


@pytest.mark.parametrize("module", [m for m in TRAINING if dotted(m).split(".")[0] in TRAINING_MAY], ids=dotted)
def test_a_package_of_training_imports_only_what_it_may(module: Path) -> None:
    own = dotted(module).split(".")[0]
    apart = packages_in(module, "training/animecut_training") & set(TRAINING_MAY)
    assert apart <= TRAINING_MAY[own] | {own}


@pytest.mark.parametrize("module", APPLICATION, ids=dotted)
def test_the_application_never_imports_training(module: Path) -> None:
    assert not {name.split(".")[0] for name in imports(module)} & {"animecut_training", "recipes", "tests", "samples"}


@pytest.mark.parametrize("module", APPLICATION, ids=dotted)
def test_each_outside_library_has_one_door(module: Path) -> None:
    outside = {name.split(".")[0] for name in imports(module)}
    own = dotted(module)
    for library, doors in DOORS.items():
        assert library not in outside or own in doors or own.split(".")[0] in doors


@pytest.mark.parametrize("module", [*APPLICATION, *TRAINING], ids=dotted)
def test_modules_stay_readable(module: Path) -> None:
    assert len(module.read_text().splitlines()) <= LONGEST


def test_help_and_version_import_nothing_heavy() -> None:
    for words in ("--help", "--version"):
        code = f"import sys; sys.argv = ['animecut', '{words}']\nfrom animecut.cli.main import main\n"
        code += "try: main()\nexcept SystemExit: pass\n"
        code += "print(sorted({'torch', 'av', 'cv2', 'numpy', 'pymatting', 'PIL'} & set(sys.modules)))"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
        assert done.stdout.splitlines()[-1] == "[]"
