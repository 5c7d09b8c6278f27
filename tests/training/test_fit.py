from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from animecut.errors import AnimecutError
from animecut.network import Architecture, PSPNet
from training import fit as loop
from training.dataset import Labelled
from training.fit import Recipe, fit

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "SHAPES", ((48, 64),))
    monkeypatch.setattr(loop, "CHECKPOINT_EVERY", 2)
    monkeypatch.setattr(loop, "WORKERS", 0)


@pytest.fixture
def frames() -> list[Labelled]:
    made = []
    for i in range(3):
        alpha = np.zeros((60, 80), np.float32)
        cv2.circle(alpha, (25 + 15 * i, 30), 18, 1.0, -1)
        rgb = np.where(alpha[..., None] > 0, (230, 60, 60), (40, 120, 200)).astype(np.uint8)
        made.append(Labelled(str(i), rgb, alpha))
    return made


def network(seed: int = 0) -> PSPNet:
    torch.manual_seed(seed)
    return PSPNet(Architecture(width=16, decoder=(8, 8)))


def weights_of(net: PSPNet) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in net.parameters()])


def test_the_loss_falls(frames: list[Labelled]) -> None:
    totals: list[float] = []
    recipe = Recipe(steps=24, batch=4, warm_up=2, rate=1e-2, backbone_rate=1e-3)
    fit(network(), frames, None, recipe, device=CPU, report=lambda step, losses: totals.append(losses["total"]))
    assert np.mean(totals[-5:]) < 0.8 * np.mean(totals[:5])


@pytest.mark.parametrize("count", [1, 2, 3])
def test_batches_of_any_size_are_learned_from(frames: list[Labelled], count: int) -> None:
    fit(network(), frames[:count], None, Recipe(steps=1, batch=count), device=CPU)


def test_a_run_cut_short_ends_as_the_undisturbed_one(frames: list[Labelled], tmp_path: Path) -> None:
    recipe = Recipe(steps=4, batch=2, warm_up=1)
    whole = fit(network(), frames, None, recipe, device=CPU)

    def stop(step: int, losses: dict[str, float]) -> None:
        if step == 3:  # after the checkpoint of step 2
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(network(), frames, None, recipe, device=CPU, checkpoint=tmp_path / "c.pt", report=stop)
    resumed = fit(network(1), frames, None, recipe, device=CPU, checkpoint=tmp_path / "c.pt")
    assert torch.allclose(weights_of(resumed), weights_of(whole), atol=1e-6)


def test_a_loss_that_is_no_number_stops_at_once(frames: list[Labelled]) -> None:
    net = network()
    with torch.no_grad():
        net.classifier.weight.fill_(float("nan"))
    with pytest.raises(AnimecutError, match="step 1"):
        fit(net, frames, None, Recipe(steps=3, batch=2), device=CPU)
