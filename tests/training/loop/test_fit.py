import copy
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from animecut_training.data.dataset import Labelled
from animecut_training.loop import fit as loop
from animecut_training.loop.checkpoint import Best, Run, save_checkpoint
from animecut_training.loop.fit import fit, steps_in_epoch
from animecut_training.loop.nan_check import first_non_finite
from animecut_training.loop.optim import optimiser_step
from animecut_training.recipe import Recipe
from torch.amp.grad_scaler import GradScaler

from animecut.errors import AnimecutError, OutputError, SettingsError
from animecut.segmentation.weights import Architecture, Network, PSPNet, build

CPU = torch.device("cpu")


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


def weights_of(net: torch.nn.Module) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in net.parameters()])


def stop_after_two(step: int, losses: dict[str, float]) -> None:
    if step == 3:  # after the checkpoint of step 2
        raise KeyboardInterrupt


def test_the_loss_falls(frames: list[Labelled]) -> None:
    totals: list[float] = []
    recipe = Recipe(steps=24, batch=4, warm_up=2, rate=1e-2, backbone_rate=1e-3)
    fit(network(), frames, None, recipe, device=CPU, report=lambda step, losses: totals.append(losses["total"]))
    assert np.mean(totals[-5:]) < 0.8 * np.mean(totals[:5])


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_batches_of_any_size_are_learned_from(frames: list[Labelled], count: int) -> None:
    fit(network(), (frames * 3)[:count], None, Recipe(steps=1, batch=count), device=CPU)


def test_a_run_cut_short_ends_as_the_undisturbed_one(frames: list[Labelled], tmp_path: Path) -> None:
    recipe = Recipe(steps=4, batch=2, warm_up=1)
    whole = fit(network(), frames, None, recipe, device=CPU)
    with pytest.raises(KeyboardInterrupt):
        fit(network(), frames, None, recipe, device=CPU, checkpoint=tmp_path / "c.pt", report=stop_after_two)
    resumed = fit(network(1), frames, None, recipe, device=CPU, checkpoint=tmp_path / "c.pt")
    assert torch.allclose(weights_of(resumed), weights_of(whole), atol=1e-6)


def test_half_precision_learns_and_goes_on_as_the_undisturbed_run(
    frames: list[Labelled], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a GPU that has no bfloat16: the loss is scaled, and how much is kept."""
    monkeypatch.setattr(loop, "precision", lambda device: torch.float16)
    monkeypatch.setattr(loop, "speed_up", lambda net: None)  # only done on a CPU
    scales = []

    def grown(net: Network, optimiser: torch.optim.Optimizer, scaler: GradScaler) -> None:
        scales.append(scaler.get_scale())
        scaler.set_growth_interval(1)  # doubled with every step
        optimiser_step(net, optimiser, scaler)

    monkeypatch.setattr(loop, "optimiser_step", grown)
    recipe = Recipe(steps=4, batch=2, warm_up=1)
    whole = fit(network(), frames, None, recipe, device=CPU)
    assert not torch.allclose(weights_of(whole), weights_of(network()), atol=1e-3)
    with pytest.raises(KeyboardInterrupt):
        fit(network(), frames, None, recipe, device=CPU, checkpoint=tmp_path / "c.pt", report=stop_after_two)
    resumed = fit(network(1), frames, None, recipe, device=CPU, checkpoint=tmp_path / "c.pt")
    assert torch.allclose(weights_of(resumed), weights_of(whole), atol=1e-6)
    assert scales == [256, 512, 1024, 2048, 256, 512, 1024, 1024, 2048]


def test_what_was_begun_in_bfloat16_goes_on_in_float16(
    frames: list[Labelled], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = Recipe(steps=4, batch=2, warm_up=1)
    with pytest.raises(KeyboardInterrupt):
        fit(network(), frames, None, recipe, device=CPU, checkpoint=tmp_path / "c.pt", report=stop_after_two)
    monkeypatch.setattr(loop, "precision", lambda device: torch.float16)
    steps: list[int] = []
    fit(network(), frames, None, recipe, device=CPU, checkpoint=tmp_path / "c.pt", report=lambda i, _: steps.append(i))
    assert steps == [3, 4]


def test_the_recipe_says_how_slow_the_first_layers_are_and_what_edges_weigh(frames: list[Labelled]) -> None:
    told: list[dict[str, float]] = []
    recipe = Recipe(steps=2, batch=2, warm_up=1, first_rate=0.1, boundary=0.5)
    fit(network(), frames, None, recipe, device=CPU, report=lambda _, terms: told.append(terms))
    assert told[0]["first_rate"] == pytest.approx(0.1 * told[0]["backbone_rate"])
    assert 0 < told[0]["boundary"] < 0.5
    fit(network(), frames, None, replace(recipe, boundary=0.0), device=CPU, report=lambda _, terms: told.append(terms))
    assert "boundary" not in told[-1]


def test_a_loss_that_is_no_number_stops_at_once(frames: list[Labelled]) -> None:
    net = network()
    with torch.no_grad():
        net.classifier.weight.fill_(float("nan"))
    with pytest.raises(AnimecutError, match=r"step 1: .* first in the weights classifier\.weight"):
        fit(net, frames, None, Recipe(steps=3, batch=2), device=CPU)


def test_the_place_where_numbers_end_is_named() -> None:
    net, rgb = network(), torch.rand(1, 3, 48, 64)
    assert first_non_finite(net.eval(), rgb) == "the loss itself"
    assert first_non_finite(net, rgb * float("nan")) == "the pictures themselves"
    net.get_buffer("pyramid.bottleneck.1.running_var").fill_(-1)
    assert first_non_finite(net, rgb) == "the output of pyramid.bottleneck.1"


def test_a_frozen_backbone_stays_and_the_rest_learns(frames: list[Labelled]) -> None:
    begun = network()
    after = fit(copy.deepcopy(begun), frames, None, Recipe(steps=2, batch=2, warm_up=1, frozen=2), device=CPU)
    assert torch.equal(weights_of(begun.backbone), weights_of(after.backbone))
    assert not torch.equal(weights_of(begun.get_submodule("pyramid")), weights_of(after.get_submodule("pyramid")))
    after = fit(copy.deepcopy(begun), frames, None, Recipe(steps=3, batch=2, warm_up=1, frozen=2), device=CPU)
    assert not torch.equal(weights_of(begun.backbone), weights_of(after.backbone))


def test_a_run_that_gets_no_better_ends_early_with_its_best(frames: list[Labelled], tmp_path: Path) -> None:
    scores, seen = iter([0.5, 0.9, 0.8, 0.7, 0.99]), []

    def judge(step: int, average: Network) -> float:
        seen.append((step, weights_of(average)))
        return next(scores)

    recipe = Recipe(steps=20, batch=2, warm_up=1, patience=2)
    best = fit(network(), frames, None, recipe, device=CPU, judge=judge, checkpoint=tmp_path / "c.pt")
    assert [step for step, _ in seen] == [2, 4, 6, 8]
    assert torch.equal(weights_of(best), seen[1][1])
    again = fit(network(), frames, None, recipe, device=CPU, judge=judge, checkpoint=tmp_path / "c.pt")
    assert torch.equal(weights_of(again), seen[1][1])
    assert len(seen) == 4


def test_a_checkpoint_of_another_run_is_not_taken_up(frames: list[Labelled], tmp_path: Path) -> None:
    path = tmp_path / "c.pt"
    fit(network(), frames, None, Recipe(steps=2, batch=2), device=CPU, checkpoint=path)
    with pytest.raises(SettingsError, match=r"c\.pt: begun with batch 2, not 3"):
        fit(network(), frames, None, Recipe(steps=2, batch=3), device=CPU, checkpoint=path)
    other = PSPNet(Architecture(width=8, decoder=()))
    with pytest.raises(SettingsError, match="of another network"):
        fit(other, frames, None, Recipe(steps=2, batch=2), device=CPU, checkpoint=path)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(SettingsError, match="damaged"):
        fit(network(), frames, None, Recipe(steps=2, batch=2), device=CPU, checkpoint=path)


def test_a_full_disk_leaves_the_checkpoint_before(
    frames: list[Labelled], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "c.pt"
    fit(network(), frames, None, Recipe(steps=2, batch=2), device=CPU, checkpoint=path)
    before = path.read_bytes()

    def full(state: object, target: Path) -> None:
        target.write_bytes(b"half")
        raise RuntimeError("PytorchStreamWriter failed writing file: No space left on device")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(OutputError, match="No space left"):
        fit(network(), frames, None, Recipe(steps=2, batch=2), device=CPU, checkpoint=path.with_name("d.pt"))
    optimiser = torch.optim.AdamW([torch.zeros(1)])
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: 1.0)
    run = Run(network(), network(), optimiser, schedule, GradScaler("cpu"), Best())
    with pytest.raises(OutputError, match="step 4 cannot be kept"):
        save_checkpoint(path, 4, run, {})
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["c.pt"]


def test_a_kill_loses_at_most_the_running_epoch(
    frames: list[Labelled], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "SHORTEST_EPOCH", 1)
    kept: list[int] = []
    monkeypatch.setattr(loop, "save_checkpoint", lambda path, step, run, recipe: kept.append(step))
    fit(network(), frames * 2, None, Recipe(steps=7, batch=2), device=CPU, checkpoint=tmp_path / "c.pt")
    assert kept == [3, 6, 7]


def test_an_epoch_is_once_through_the_labelled_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "SHORTEST_EPOCH", 10)
    recipe = Recipe(batch=8, composites=0.5)
    assert steps_in_epoch(100, recipe, composing=True) == 25
    assert steps_in_epoch(100, recipe, composing=False) == 13
    assert steps_in_epoch(3, recipe, composing=False) == 10


@pytest.mark.parametrize(
    ("architecture", "rate"),
    [
        (Architecture(width=16, decoder=(8, 8), classes=("background", "unknown", "character")), 1e-2),
        (Architecture(width=32, instances=True), 3e-3),
    ],
    ids=["trimap", "Mask R-CNN"],
)
def test_trimaps_and_characters_apart_are_learned_too(
    frames: list[Labelled], architecture: Architecture, rate: float
) -> None:
    torch.manual_seed(0)
    totals: list[float] = []
    recipe = Recipe(steps=24, batch=3, warm_up=2, rate=rate, backbone_rate=1e-3, first_rate=1.0)
    fit(build(architecture), frames, None, recipe, device=CPU, report=lambda step, terms: totals.append(terms["total"]))
    assert np.mean(totals[-5:]) < 0.8 * np.mean(totals[:5])
