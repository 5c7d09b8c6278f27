from pathlib import Path

import pytest
import torch
from animecut_training.init.begin import initial_network
from safetensors.torch import save_file

from animecut.errors import SettingsError, WeightsError
from animecut.segmentation import weights
from animecut.segmentation.backbones import MobileNet
from animecut.segmentation.baselines import MaskRCNN
from animecut.segmentation.weights import Architecture, PSPNet

HALF = (0.5, 0.5, 0.5)
IMAGENET = (0.485, 0.456, 0.406)


def backbone(path: Path, said: dict[str, str] | None) -> str:
    save_file({key: value.contiguous() for key, value in MobileNet(16).state_dict().items()}, path, said)
    return str(path)


@pytest.mark.parametrize(
    ("said", "mean", "std"),
    [
        ({"input": "RGB/127.5-1"}, HALF, HALF),
        ({"input": "ImageNet mean/std"}, IMAGENET, (0.229, 0.224, 0.225)),
        ({"licence": "Apache-2.0"}, IMAGENET, (0.229, 0.224, 0.225)),
        (None, IMAGENET, (0.229, 0.224, 0.225)),
    ],
    ids=["said to be half", "said to be ImageNet", "said otherwise", "said nothing"],
)
def test_a_backbone_alone_sees_colours_as_it_says(
    tmp_path: Path, said: dict[str, str] | None, mean: tuple[float, ...], std: tuple[float, ...]
) -> None:
    net, words, backbone_alone = initial_network(backbone(tmp_path / "b.safetensors", said))
    assert (net.architecture.mean, net.architecture.std) == (mean, std)
    assert net.mean.expand(3, 1, 1).flatten().tolist() == pytest.approx(mean)
    assert "b.safetensors: a backbone alone (mobilenet_v2, input" in words
    assert backbone_alone


def test_a_backbone_that_sees_otherwise_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="input 'BGR/255'"):
        initial_network(backbone(tmp_path / "b.safetensors", {"input": "BGR/255"}))


def test_a_trimap_begins_with_the_contour_that_the_weights_know_and_goes_back_to_it(tmp_path: Path) -> None:
    torch.manual_seed(0)
    known = PSPNet(Architecture(width=8, decoder=(8,))).eval()
    weights.save(known, tmp_path / "w.safetensors", {})
    net, *_ = initial_network(str(tmp_path / "w.safetensors"), target="trimap")
    assert net.architecture.classes == ("background", "unknown", "character")
    weights.save(net.eval(), tmp_path / "t.safetensors", {})
    again, *_ = initial_network(str(tmp_path / "t.safetensors"), target="mask")
    rgb = torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        before, trimap, after = (one.eval().alpha(rgb) for one in (known, net, again))
    sure = (before - 0.5).abs() > 0.01  # weights are kept in half precision
    assert ((before > 0.5) == (trimap > 0.5))[sure].all()
    assert torch.allclose(before, after, atol=0.01)


def test_a_mask_rcnn_takes_a_backbone_and_makes_no_trimap(tmp_path: Path) -> None:
    file = backbone(tmp_path / "b.safetensors", None)
    net, words, _ = initial_network(file, arch="maskrcnn")
    assert isinstance(net, MaskRCNN)
    assert "a backbone alone" in words
    shipped, words, _ = initial_network("anime", arch="maskrcnn")
    assert words == "the backbone of the shipped weights"
    assert isinstance(shipped, MaskRCNN)
    weights.save(net, tmp_path / "w.safetensors", {})
    for arch in ("pspnet", "maskrcnn"):
        assert initial_network(str(tmp_path / "w.safetensors"), arch=arch)[1] == "w.safetensors: a whole network"
    with pytest.raises(SettingsError, match="`target` trimap: a Mask R-CNN"):
        initial_network(file, arch="maskrcnn", target="trimap")
    with pytest.raises(SettingsError, match="`target` alpha: unknown; choose from mask, trimap"):
        initial_network(file, target="alpha")


def test_a_missing_file_is_answered_with_what_there_is_to_begin_with(tmp_path: Path) -> None:
    with pytest.raises(
        WeightsError, match=r"^`init` .*none\.safetensors: no such file; .* anime, voc, imagenet, scratch"
    ):
        initial_network(str(tmp_path / "none.safetensors"))
