import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from torchvision import models

from animecut.errors import OutputError, WeightsError
from animecut.segmentation import weights
from animecut.segmentation.backbones import MobileNet
from animecut.segmentation.weights import Architecture, PSPNet


@pytest.mark.parametrize("backbone", ["mobilenet_v2", "resnet50", "resnet101c"])
@pytest.mark.parametrize("output_stride", [8, 16, 32])
def test_logits_have_the_pictures_size(backbone: str, output_stride: int) -> None:
    net = PSPNet(Architecture(backbone, output_stride, width=16, decoder=(8,))).eval()
    with torch.inference_mode():
        assert net(torch.rand(1, 3, 65, 97)).shape == (1, 2, 65, 97)


@pytest.mark.parametrize("output_stride", [8, 16, 32])
def test_the_output_stride_is_the_one_asked_for(output_stride: int) -> None:
    for backbone in ("mobilenet_v2", "resnet50"):
        net = PSPNet(Architecture(backbone, output_stride, width=8, decoder=())).eval()
        with torch.inference_mode():
            half, quarter, eighth, deep = net.backbone(torch.rand(1, 3, 64, 128))
        assert [x.shape[-2:] for x in (half, quarter, eighth)] == [(32, 64), (16, 32), (8, 16)]
        assert deep.shape[-2:] == (64 // output_stride, 128 // output_stride)
        assert (half.shape[1], quarter.shape[1], eighth.shape[1], deep.shape[1]) == net.backbone.channels


@pytest.mark.parametrize("size", [(32, 32), (33, 47), (100, 36)])
def test_any_size_from_32_up_works(size: tuple[int, int]) -> None:
    net = PSPNet(Architecture(width=8, decoder=(8, 8, 8))).eval()
    with torch.inference_mode():
        assert net(torch.rand(2, 3, *size)).shape == (2, 2, *size)


@pytest.mark.parametrize("classes", [("background", "character"), ("character", "background")])
def test_log_odds_are_those_of_the_alpha(classes: tuple[str, str]) -> None:
    torch.manual_seed(0)
    net = PSPNet(Architecture(width=16, decoder=(8, 8), classes=classes)).eval()
    rgb = torch.rand(2, 3, 40, 72)  # no multiple of what it pads to
    with torch.inference_mode():
        odds, alpha = net.odds(rgb), net.alpha(rgb)
    assert odds.shape == alpha.shape == (2, 40, 72)
    assert alpha.max() - alpha.min() > 1e-3
    assert odds.sigmoid().numpy() == pytest.approx(alpha.numpy(), abs=1e-6)


def test_the_mobilenet_is_torchvisions() -> None:
    """Its names, its shapes, and to the last bit its features; dilated where a stride was dropped."""
    theirs = models.mobilenet_v2().features[:18].eval()
    ours = MobileNet(output_stride=32).eval()
    assert list(ours.features.state_dict()) == list(theirs.state_dict())
    ours.features.load_state_dict(theirs.state_dict())
    x = torch.rand(2, 3, 65, 97)
    with torch.inference_mode():
        assert torch.equal(ours(x)[-1], theirs(x))
    for stride, dilations in ((16, [1] * 8 + [2] * 3), (8, [1] + [2] * 7 + [4] * 3)):
        blocks: Any = MobileNet(stride).features[7:]
        assert [block.conv[1][0].dilation[0] for block in blocks] == dilations


@pytest.mark.parametrize(
    "what", [{"width": 200_000}, {"width": 0}, {"decoder": (64, -1)}, {"classes": ()}, {"level": 10**9}]
)
def test_an_architecture_that_no_memory_holds_is_refused(what: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="1 to 4096 channels"):
        Architecture(**what)


@pytest.mark.parametrize("stride", [0, -8, 4, 24, 16384, 2**30])
def test_an_output_stride_that_no_backbone_has_is_refused(tmp_path: Path, stride: int) -> None:
    """A picture is padded to a multiple of it, so 16384 asks for gigabytes."""
    said = {"format": weights.FORMAT, "provenance": "{}", "architecture": json.dumps({"output_stride": stride})}
    save_file({"a": torch.zeros(1)}, tmp_path / "w.safetensors", said)
    with pytest.raises(WeightsError, match=f"output_stride must be 8, 16 or 32, got {stride}"):
        weights.load(tmp_path / "w.safetensors")


@pytest.mark.parametrize("what", [{"mean": (0.5,)}, {"mean": (0.5, 0.4)}, {"std": (0.5, 0.5, 0.5, 0.5)}])
def test_an_input_of_other_than_three_channels_is_refused(what: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="3 numbers"):
        Architecture(**what)


def test_the_network_needs_no_torchvision() -> None:
    """It takes as long to import as torch itself."""
    code = (
        "import sys, animecut.segmentation.weights as n; n.load(); print({'torchvision', 'sympy'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_working_batch_norm_into_convolutions_changes_no_logit() -> None:
    net = PSPNet(Architecture(width=16, decoder=(8, 8)))
    x = torch.rand(4, 3, 64, 64)
    net(x)  # in training: the norms get means and variances that are not 0 and 1
    with torch.inference_mode():
        before = net.eval()(x)
        after = weights.fuse_batch_norm(net)(x)
    assert not [module for module in net.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    assert torch.allclose(after, before, atol=1e-4)


def test_dilation_changes_no_weight() -> None:
    """The same tensors serve every output stride, as torchvision names them."""
    keys = [set(PSPNet(Architecture(output_stride=stride)).state_dict()) for stride in (8, 16, 32)]
    assert keys[0] == keys[1] == keys[2]
    assert "backbone.features.17.conv.1.0.weight" in keys[0]


def test_a_file_rebuilds_its_network(tmp_path: Path) -> None:
    torch.manual_seed(0)
    net = PSPNet(
        Architecture(width=8, decoder=(8, 4), pyramid=(1, 2), classes=("background", "unknown", "character"))
    ).eval()
    weights.save(net, tmp_path / "w.safetensors", {"seed": 3})
    again, provenance = weights.load(tmp_path / "w.safetensors")
    assert again.architecture == net.architecture
    assert provenance == {"seed": 3}
    x = torch.rand(1, 3, 40, 40)
    with torch.inference_mode():
        assert torch.allclose(again(x), net(x), atol=0.02)  # kept in half precision


def test_foreign_and_damaged_files_are_refused_in_words(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    with pytest.raises(WeightsError, match="no such"):
        weights.load(path)
    with pytest.raises(WeightsError, match="no such"):
        weights.load(Path("n" * 300))
    path.write_bytes(b"PK\x03\x04 a pickle in a zip")
    with pytest.raises(WeightsError, match="not a safetensors"):
        weights.load(path)
    save_file({"a": torch.zeros(1)}, path)
    with pytest.raises(WeightsError, match="not a network of animecut"):
        weights.load(path)
    save_file({"a": torch.zeros(1)}, path, {"format": weights.FORMAT, "architecture": "{}", "provenance": "{}"})
    with pytest.raises(WeightsError, match="damaged"):
        weights.load(path)
    save_file(
        {"a": torch.zeros(1)},
        path,
        {"format": weights.FORMAT, "architecture": json.dumps({"x": 1}), "provenance": "{}"},
    )
    with pytest.raises(WeightsError, match="damaged"):
        weights.load(path)
    weights.save(PSPNet(Architecture(width=8, decoder=())), path, {})
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(WeightsError):
        weights.load(path)


def test_a_backbone_alone_is_taken_and_a_lacking_one_refused(tmp_path: Path) -> None:
    source, target = PSPNet(Architecture(width=8)), PSPNet(Architecture(width=8))
    state = {k: v.contiguous() for k, v in source.backbone.state_dict().items()}
    save_file(state, tmp_path / "b.safetensors")
    weights.load_backbone(target, tmp_path / "b.safetensors")
    assert all(torch.equal(v, target.backbone.state_dict()[k]) for k, v in state.items())
    state.pop("features.3.conv.0.0.weight")
    save_file(state, tmp_path / "b.safetensors")
    with pytest.raises(WeightsError, match="no mobilenet_v2"):
        weights.load_backbone(target, tmp_path / "b.safetensors")


def test_a_full_disk_leaves_the_file_that_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "net.safetensors"
    path.write_bytes(b"before")

    def full(tensors: object, target: Path, metadata: object) -> None:
        target.write_bytes(b"half")
        raise SafetensorError("I/O error: No space left on device (os error 28)")

    monkeypatch.setattr(weights, "save_file", full)
    with pytest.raises(OutputError, match="No space left"):
        weights.save(PSPNet(Architecture(width=8, decoder=(8, 8))), path, {})
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [("net.safetensors", b"before")]
