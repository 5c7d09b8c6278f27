from pathlib import Path

import pytest
from safetensors.torch import save_file

from animecut.backbones import MobileNet
from animecut.errors import WeightsError
from training.begin import begin

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
    net, words = begin(backbone(tmp_path / "b.safetensors", said))
    assert (net.architecture.mean, net.architecture.std) == (mean, std)
    assert net.mean.flatten().tolist() == pytest.approx(mean)
    assert "b.safetensors: a backbone alone (mobilenet_v2, input" in words


def test_a_backbone_that_sees_otherwise_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="input 'BGR/255'"):
        begin(backbone(tmp_path / "b.safetensors", {"input": "BGR/255"}))
