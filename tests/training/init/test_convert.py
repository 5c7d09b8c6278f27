"""Foreign files are made with random weights: by the real code where it is installed, else under its names."""

import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from animecut_training.init import convert
from animecut_training.init.begin import SHAPES
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision import models

from animecut.errors import WeightsError
from animecut.segmentation.baselines import FCN

HEIGHT, WIDTH = 96, 128


def randomised(net: nn.Module) -> nn.Module:
    """Batch norm that does something."""
    torch.manual_seed(1)
    for module in net.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            assert module.running_mean is not None
            assert module.running_var is not None
            nn.init.normal_(module.running_mean, 0, 0.1)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, 0, 0.1)
    return net.eval()


class Bubbliiiing(nn.Module):
    """The layers of bubbliiiing/pspnet-pytorch's PSPNet(21, 16, "mobilenet"), under its names."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = nn.Module()
        features = [nn.Sequential(nn.Conv2d(3, 32, 3, 2, 1, bias=False), nn.BatchNorm2d(32), nn.ReLU6())]
        channels, dilated = 32, False
        for expand, out, count, stride in (
            (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)
        ):  # fmt: skip
            for i in range(count):
                last = out == 160 and i == 0
                step = stride if i == 0 and not last else 1
                block: Any = nn.Module()
                block.conv = self._block(channels, out, step, expand, 2 if dilated else 1)
                block.added = step == 1 and channels == out
                features.append(block)
                channels, dilated = out, dilated or last
        self.backbone.features = nn.Sequential(*features)
        pyramid = nn.Module()
        pyramid.stages = nn.ModuleList(
            nn.Sequential(nn.AdaptiveAvgPool2d(cells), nn.Conv2d(320, 80, 1, bias=False), nn.BatchNorm2d(80), nn.ReLU())
            for cells in (1, 2, 3, 6)
        )
        pyramid.bottleneck = nn.Sequential(
            nn.Conv2d(640, 80, 3, padding=1, bias=False), nn.BatchNorm2d(80), nn.ReLU(), nn.Dropout2d(0.1)
        )
        self.master_branch = nn.Sequential(pyramid, nn.Conv2d(80, 21, 1))
        self.auxiliary_branch = nn.Sequential(nn.Conv2d(96, 40, 3, padding=1, bias=False), nn.BatchNorm2d(40))

    @staticmethod
    def _block(channels: int, out: int, stride: int, expand: int, dilation: int) -> nn.Sequential:
        wide = channels * expand
        widen = [nn.Conv2d(channels, wide, 1, bias=False), nn.BatchNorm2d(wide), nn.ReLU6()] if expand > 1 else []
        return nn.Sequential(
            *widen,
            nn.Conv2d(wide, wide, 3, stride, dilation, dilation, wide, bias=False), nn.BatchNorm2d(wide), nn.ReLU6(),
            nn.Conv2d(wide, out, 1, bias=False), nn.BatchNorm2d(out),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        size = x.shape[-2:]
        layers: Any = self.backbone.features
        first, *blocks = layers
        x = first(x)
        for block in blocks:
            x = x + block.conv(x) if block.added else block.conv(x)
        pyramid: Any = self.master_branch[0]
        context = [F.interpolate(s(x), x.shape[-2:], mode="bilinear", align_corners=True) for s in pyramid.stages]
        y = self.master_branch[1](pyramid.bottleneck(torch.cat([x, *context], 1)))
        return F.interpolate(y, size, mode="bilinear", align_corners=True)


def assert_equal_logits(
    path: Path, theirs: nn.Module, forward: Callable[[Tensor], Tensor], normalised: Tensor, rgb: Tensor
) -> str:
    torch.save({"state_dict": theirs.state_dict(), "meta": {"epoch": 1}}, path)
    ours, words, _ = convert.read(path)
    with torch.inference_mode():
        truth = forward(normalised)[:, [0, 15]]
        assert truth.std() > 0.01
        assert (ours.eval()(rgb) - truth).abs().max() < 1e-4
    return words


def test_the_mobilenet_pspnet_gives_the_same_logits(tmp_path: Path) -> None:
    rgb = torch.rand(1, 3, HEIGHT, WIDTH)
    theirs = randomised(Bubbliiiing())
    words = assert_equal_logits(tmp_path / "a.pth", theirs, theirs, rgb, rgb)
    assert "whole PSPNet (mobilenet_v2)" in words


@pytest.mark.parametrize("auxiliary", [True, False])
def test_bubbliiiings_own_code_gives_the_same_logits(tmp_path: Path, auxiliary: bool) -> None:
    """Where their repository is on the path, as it is no package."""
    nets = pytest.importorskip("nets.pspnet")
    rgb = torch.rand(1, 3, HEIGHT, WIDTH)
    theirs = randomised(nets.PSPNet(21, 16, "mobilenet", pretrained=False, aux_branch=auxiliary))
    assert_equal_logits(tmp_path / "a.pth", theirs, lambda x: theirs(x)[1] if auxiliary else theirs(x), rgb, rgb)


def _anything(name: str) -> type[nn.Module]:
    if name.startswith("__"):
        raise AttributeError(name)
    return type(name, (nn.Module,), {})


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # whatever mmsegmentation warns of is not ours
@pytest.mark.parametrize("depth", [50, 101])
def test_mmsegmentations_pspnet_gives_the_same_logits(tmp_path: Path, depth: int) -> None:
    pytest.importorskip("mmcv")
    pytest.importorskip("mmseg.version")
    if "mmcv.ops" not in sys.modules:  # compiled, and never called by PSPNet
        sys.modules["mmcv.ops"] = stand_in = types.ModuleType("mmcv.ops")
        stand_in.__getattr__ = _anything  # type: ignore[method-assign]
    from mmseg.registry import MODELS
    from mmseg.utils import register_all_modules

    register_all_modules(init_default_scope=True)
    norm = {"type": "BN", "requires_grad": True}
    theirs = MODELS.build({
        "type": "EncoderDecoder",
        "backbone": {
            "type": "ResNetV1c", "depth": depth, "num_stages": 4, "out_indices": (0, 1, 2, 3), "style": "pytorch",
            "dilations": (1, 1, 2, 4), "strides": (1, 2, 1, 1), "contract_dilation": True, "norm_cfg": norm,
        },
        "decode_head": {
            "type": "PSPHead", "in_channels": 2048, "in_index": 3, "channels": 512, "pool_scales": (1, 2, 3, 6),
            "dropout_ratio": 0.1, "num_classes": 21, "norm_cfg": norm, "align_corners": False,
            "loss_decode": {"type": "CrossEntropyLoss"},
        },
        "test_cfg": {"mode": "whole"},
    })  # fmt: skip
    rgb = torch.rand(1, 3, HEIGHT, WIDTH)
    mean = torch.tensor([123.675, 116.28, 103.53]).view(3, 1, 1)
    std = torch.tensor([58.395, 57.12, 57.375]).view(3, 1, 1)

    def logits(x: Tensor) -> Tensor:
        metas = [{"img_shape": x.shape[-2:]}]
        return F.interpolate(theirs.encode_decode(x, metas), x.shape[-2:], mode="bilinear")

    randomised(theirs)
    words = assert_equal_logits(tmp_path / "a.pth", theirs, logits, (rgb * 255 - mean) / std, rgb)
    assert f"whole PSPNet (resnet{depth}c)" in words


@pytest.mark.parametrize("name", ["mobilenet_v2", "resnet50"])
def test_torchvisions_backbone_is_taken_and_said_to_be_one(tmp_path: Path, name: str) -> None:
    theirs = randomised(models.get_model(name, weights=None))
    torch.save(theirs.state_dict(), tmp_path / "b.pth")
    ours, words, _ = convert.read(tmp_path / "b.pth")
    assert f"a backbone alone ({name})" in words
    assert ours.architecture.mean == pytest.approx((0.485, 0.456, 0.406))
    ours.eval()
    x = torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        quarter = ours.backbone(x)[1]
        truth = theirs.features[:4](x) if name == "mobilenet_v2" else theirs.layer1(  # type: ignore[operator, index]
            theirs.maxpool(theirs.relu(theirs.bn1(theirs.conv1(x))))  # type: ignore[operator]
        )  # fmt: skip
    assert torch.allclose(quarter, truth, atol=1e-5)


def test_vgg16_becomes_an_fcn_and_a_backbone_a_unet(tmp_path: Path) -> None:
    theirs = models.vgg16(weights=None)
    torch.save(
        {key: value for key, value in theirs.state_dict().items() if key.startswith("features.")}, tmp_path / "v.pth"
    )
    ours, words, _ = convert.read(tmp_path / "v.pth", SHAPES["fcn"])
    assert isinstance(ours, FCN)
    assert "a backbone alone (vgg16)" in words
    x = torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        assert torch.equal(ours.backbone(x)[-1], theirs.features[:31](x))
    torch.save(models.mobilenet_v2(weights=None).state_dict(), tmp_path / "m.pth")
    assert convert.read(tmp_path / "m.pth", SHAPES["unet"])[0].architecture.pyramid == ()


def test_other_files_are_refused_in_words_and_nothing_in_them_runs(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return print, ("it ran",)

    path = tmp_path / "a.pth"
    with pytest.raises(WeightsError, match="not a file of weights"):
        convert.read(path)
    torch.save({"state_dict": Trap()}, path)
    with pytest.raises(WeightsError, match="not a file of weights"):
        convert.read(path)
    torch.save({"w": torch.zeros(1)}, path)
    with pytest.raises(WeightsError, match="neither a PSPNet"):
        convert.read(path)
    torch.save({"features.0.0.weight": torch.zeros(1)}, path)
    with pytest.raises(WeightsError, match="do not fit"):
        convert.read(path)
