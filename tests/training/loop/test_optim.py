from itertools import pairwise

import pytest
import torch
from animecut_training.init.begin import SHAPES
from animecut_training.loop.optim import optimiser_step, parameter_groups, precision, rate_factor
from torch.amp.grad_scaler import GradScaler

from animecut.segmentation.weights import Architecture, build


@pytest.mark.parametrize(("arch", "blocks"), [("pspnet", 18), ("fcn", 13)])
def test_the_first_blocks_learn_slowest(arch: str, blocks: int) -> None:
    net = build(SHAPES[arch])
    *backbone, rest = parameter_groups(net, rate=1e-3, backbone_rate=3e-4, first=0.1)
    rates = [float(str(group["lr"])) for group in backbone]
    assert len(rates) == blocks
    assert rates[0] == pytest.approx(3e-5)
    assert rates[-1] == pytest.approx(3e-4)
    assert all(b / a == pytest.approx(10 ** (1 / (blocks - 1))) for a, b in pairwise(rates))
    assert rest["lr"] == 1e-3
    held = [id(p) for group in (*backbone, rest) for p in group["params"]]  # type: ignore[attr-defined]
    assert sorted(held) == sorted(id(p) for p in net.parameters())


def test_a_resnet_has_its_stem_and_four_layers() -> None:
    net = build(Architecture(backbone="resnet50", width=8, decoder=()))
    assert len(parameter_groups(net, rate=1, backbone_rate=1, first=0.5)) == 6


def test_rates_rise_and_then_fall() -> None:
    rates = [rate_factor(step, 100, 10) for step in range(100)]
    assert rates[:10] == pytest.approx([(i + 1) / 10 for i in range(10)])
    assert rates[10] == 1
    assert all(b < a for a, b in pairwise(rates[10:]))
    assert rates[-1] < 0.001


def test_gradients_are_clipped_as_they_are_and_what_float16_cannot_hold_is_not_learned() -> None:
    layer = torch.nn.Linear(2, 1, bias=False)
    torch.nn.init.zeros_(layer.weight)
    optimiser = torch.optim.SGD(layer.parameters(), lr=1.0)
    scaler = GradScaler("cpu", init_scale=1024.0)
    for gradient, learned, scale in (([3.0, 4.0], [-3.0, -4.0], 1024), ([30.0, 40.0], [-6.0, -8.0], 1024)):
        layer.weight.grad = torch.tensor([gradient]) * scaler.scale(torch.ones(()))
        optimiser_step(layer, optimiser, scaler)
        assert layer.weight[0].tolist() == pytest.approx(learned)
        assert scaler.get_scale() == scale
    layer.weight.grad = torch.tensor([[torch.inf, 0.0]])
    optimiser_step(layer, optimiser, scaler)
    assert layer.weight[0].tolist() == pytest.approx([-6, -8])
    assert scaler.get_scale() == 512


def test_an_older_gpu_computes_in_float16(monkeypatch: pytest.MonkeyPatch) -> None:
    assert precision(torch.device("cpu")) is torch.bfloat16
    for able, dtype in ((True, torch.bfloat16), (False, torch.float16)):
        monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda able=able, **_: able)
        assert precision(torch.device("cuda")) is dtype
