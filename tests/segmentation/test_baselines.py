from pathlib import Path

import numpy as np
import pytest
import torch

from animecut.segmentation import weights
from animecut.segmentation.baselines import FCN, MaskRCNN
from animecut.segmentation.segmenter import Segmenter
from animecut.segmentation.weights import Architecture

TOLD_APART = Architecture(width=16, instances=True)


@pytest.mark.parametrize(
    "architecture", [Architecture(pyramid=(), width=8, decoder=(8, 8)), Architecture("vgg16", width=8), TOLD_APART]
)
def test_rivals_are_kept_and_rebuilt_in_the_same_way(tmp_path: Path, architecture: Architecture) -> None:
    torch.manual_seed(0)
    net = weights.build(architecture).eval()
    weights.save(net, tmp_path / "w.safetensors", {})
    again, _ = weights.load(tmp_path / "w.safetensors")
    assert type(again) is type(net)
    x = torch.rand(1, 3, 70, 45)
    with torch.inference_mode():
        logits = again(x)
        assert logits.shape == (1, 2, 70, 45)
        assert torch.allclose(logits, net(x), atol=0.05)


def test_an_fcn_hears_every_scale() -> None:
    net = FCN(Architecture("vgg16", width=8)).eval()
    deep = [torch.rand(1, 256, 16, 16), torch.rand(1, 512, 8, 8), torch.rand(1, 512, 4, 4)]
    with torch.inference_mode():
        whole = net.scores(deep)
        assert whole.shape == (1, 2, 16, 16)
        for i in range(3):
            without = [torch.zeros_like(x) if k == i else x for k, x in enumerate(deep)]
            assert not torch.allclose(net.scores(without), whole)


def test_a_mask_rcnn_learns_boxes_and_masks_and_from_empty_pictures_too() -> None:
    torch.manual_seed(0)
    net = MaskRCNN(TOLD_APART).train()
    masks = torch.zeros(1, 64, 96, dtype=torch.uint8)
    masks[0, 10:60, 20:80] = 1
    somebody = {"boxes": torch.tensor([[20.0, 10, 80, 60]]), "labels": torch.ones(1, dtype=torch.int64), "masks": masks}
    nobody = {"boxes": torch.zeros(0, 4), "labels": torch.zeros(0, dtype=torch.int64), "masks": masks[:0]}
    losses = net.losses(torch.rand(2, 3, 64, 96), [somebody, nobody])
    assert len(losses) == 5
    torch.autograd.backward(list(losses.values()))
    silent = [name for name, p in net.named_parameters() if p.grad is None or not p.grad.any()]
    assert not [name for name in silent if not name.startswith("backbone.")]
    empty = net.losses(torch.rand(2, 3, 64, 96), [nobody, nobody])
    assert all(torch.isfinite(loss) for loss in empty.values())


def test_characters_that_are_told_apart_come_out_on_planes_of_their_own(tmp_path: Path) -> None:
    torch.manual_seed(0)
    weights.save(MaskRCNN(TOLD_APART), tmp_path / "w.safetensors", {})
    segmenter = Segmenter(tmp_path / "w.safetensors", "cpu")
    net: MaskRCNN = segmenter._engine._network  # type: ignore[attr-defined]
    net.heads.score_thresh = 2.0  # nobody is found
    pixels = np.random.default_rng(0).integers(0, 255, (2, 64, 96, 3), dtype=np.uint8)
    assert segmenter(pixels).shape == (2, 1, 296, 448)
    assert not segmenter(pixels).any()
    found = {"boxes": torch.tensor([[10.0, 20, 100, 200], [200, 20, 400, 200]]), "masks": torch.ones(2, 1, 56, 56)}
    counts = iter((1, 2))

    def told(*_: object) -> tuple[list[dict[str, torch.Tensor]], dict[str, torch.Tensor]]:
        count = next(counts)
        return [{name: value[:count] for name, value in found.items()}], {}

    net._searched = told  # type: ignore[method-assign, assignment]
    alpha = segmenter(pixels)
    assert alpha.shape == (2, 2, 296, 448)
    assert (alpha[:, 0, 100, 50] == 1).all()
    assert not alpha[0, 1].any()  # there is only one in the first picture
    assert alpha[1, 1, 100, 300] == 1
    assert not alpha[1, 0, 100, 300]
