from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from animecut_training import compare as comparing
from animecut_training import run as running
from animecut_training.cli import app
from animecut_training.init.convert import InitialNetwork
from typer.testing import CliRunner

from animecut.errors import WeightsError
from animecut.segmentation import weights
from animecut.segmentation.weights import Architecture, PSPNet, build

TINY = Architecture(width=8, decoder=(8,))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for i in range(3):
        mask = np.asarray(cv2.circle(np.zeros((60, 80), np.uint8), (20 + 20 * i, 30), 14, 255, -1))
        for part, picture in (("images", np.dstack([mask, mask // 2, 255 - mask])), ("masks", mask)):
            (tmp_path / "my" / part).mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(tmp_path / "my" / part / f"{i}.png"), picture)
    return tmp_path / "my"


def test_every_network_from_every_beginning_in_one_table(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def begun(init: str, backbone: str = "mobilenet_v2", arch: str = "pspnet", target: str = "mask") -> InitialNetwork:
        if init == "imagenet":
            raise WeightsError("https://example.org/vgg.pth: cannot be downloaded; put that file at /cache/vgg.pth")
        torch.manual_seed(0)
        net = PSPNet(TINY) if arch == "pspnet" else build(Architecture(pyramid=(), width=8, decoder=()))
        return InitialNetwork(net, init, backbone_alone=init == "voc")

    monkeypatch.setattr(comparing, "initial_network", begun)
    monkeypatch.setattr(running, "initial_network", begun)
    out = folder.parent / "out"
    words = ["compare", str(folder), "--out", str(out), "--steps", "5", "--batch-size", "2", "--device", "cpu"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    rows = [line.split("|")[1:-1] for line in (out / "compare.md").read_text().splitlines() if line.startswith("| ")]
    table = {(row[0].strip(), row[1].strip()): row[4].strip() for row in rows[1:]}
    assert len(table) == 12
    untouched = float(table["voc untouched", "pspnet"])
    assert 0 < untouched < 1
    assert table["voc untouched", "unet"] == "-"
    assert float(table["scratch", "unet"]) > 0
    assert float(table["transfer", "maskrcnn"]) > 0
    assert table["transfer", "fcn"] == "-"
    assert "put that file at /cache/vgg.pth" in done.stdout
    _, provenance = weights.load(out / "pspnet-scratch" / "model.safetensors")
    assert provenance["left_out"] == ["0"]
    for beginning, frozen in (("scratch", 0), ("transfer", 1)):
        _, provenance = weights.load(out / f"pspnet-{beginning}" / "model.safetensors")
        recipe = provenance["recipe"]
        assert isinstance(recipe, dict)
        assert recipe["frozen"] == frozen
    again = CliRunner().invoke(app, words)
    assert again.exit_code == 2
    assert "--resume" in again.stderr
    more = CliRunner().invoke(app, [*words, "--arch", "pspnet", "--resume"])
    assert more.exit_code == 0
    assert "goes on with" in more.stderr


def test_what_is_wrong_with_all_of_them_leaves_no_table_of_dashes(folder: Path) -> None:
    words = ["compare", str(folder), "--out", str(folder.parent / "out"), "--arch", "unet", "--device", "cuda:99"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 1
    assert done.stderr.splitlines()[-1].startswith("error: --device cuda:99: PyTorch finds no such device here")


def test_a_network_that_is_none_is_told_before_anything_is_trained(folder: Path) -> None:
    done = CliRunner().invoke(app, ["compare", str(folder), "--arch", "pspnet,segformer", "--steps", "1"])
    assert done.exit_code == 2
    assert "--arch segformer: unknown" in done.stderr
