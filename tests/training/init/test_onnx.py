from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from animecut_training.cli import app
from animecut_training.init import onnx
from typer.testing import CliRunner

from animecut.segmentation import weights
from animecut.segmentation.weights import Architecture


@pytest.mark.parametrize(
    "architecture",
    [
        Architecture(width=8),
        Architecture(width=8, decoder=(), align_corners=True),
        Architecture(output_stride=8, pyramid=(), width=8, decoder=(8, 8)),
        Architecture("resnet50c", width=8, classes=("background", "unknown", "character")),
        Architecture("vgg16", width=8),
    ],
)
def test_onnx_runtime_agrees_at_other_sizes_than_the_traced_one(tmp_path: Path, architecture: Architecture) -> None:
    torch.manual_seed(0)
    weights.save(weights.build(architecture), tmp_path / "w.safetensors", {})
    assert onnx.export(tmp_path / "w.safetensors", tmp_path / "w.onnx") < 1e-3
    net, _ = weights.load(tmp_path / "w.safetensors")
    session = onnxruntime.InferenceSession(tmp_path / "w.onnx")
    for shape in ((1, 3, 32, 32), (4, 3, 130, 47)):
        rgb = np.random.default_rng(1).random(shape, np.float32)
        with torch.inference_mode():
            truth = net(torch.from_numpy(rgb)).numpy()
        np.testing.assert_allclose(session.run(None, {"rgb": rgb})[0], truth, atol=1e-3)


def test_what_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx, "find_spec", lambda name: None)
    done = CliRunner().invoke(app, ["export", str(weights.DEFAULT_WEIGHTS), str(tmp_path / "w.onnx")])
    assert done.exit_code == 2
    assert "pip install 'animecut[train]'" in done.stderr


def test_a_file_that_differs_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx, "find_spec", lambda name: "there")
    monkeypatch.setattr(onnx, "_difference", lambda net, model: float("nan"))
    done = CliRunner().invoke(app, ["export", str(weights.DEFAULT_WEIGHTS), str(tmp_path / "w.onnx")])
    assert done.exit_code == 1
    assert "was not written" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_mask_rcnn_is_refused_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx, "find_spec", lambda name: "there")
    weights.save(weights.build(Architecture(width=8, instances=True)), tmp_path / "w.safetensors", {})
    done = CliRunner().invoke(app, ["export", str(tmp_path / "w.safetensors"), str(tmp_path / "w.onnx")])
    assert done.exit_code == 2
    assert "w.safetensors: a Mask R-CNN" in done.stderr
