import pytest
import torch
from animecut_training.loop.batches import Part
from animecut_training.loop.losses import (
    GAP,
    NEAR,
    REACH,
    STRAND,
    boundary_loss,
    losses,
    matte_loss,
    narrowness,
    trimap_loss,
)

from animecut.segmentation.weights import Architecture, build


def logits(p: torch.Tensor) -> torch.Tensor:
    margin = torch.logit(p.clamp(1e-6, 1 - 1e-6))
    return torch.stack([-margin / 2, margin / 2], dim=1)


def test_the_truth_costs_least_and_the_total_is_the_sum() -> None:
    truth = torch.zeros(2, 16, 16)
    truth[:, 4:12, 4:12] = 1
    exact = torch.tensor([1.0, 0.0])
    best, worst = matte_loss(logits(truth), truth, exact), matte_loss(logits(1 - truth), truth, exact)
    assert best["total"] < 0.01 < 3 < worst["total"]
    assert worst["total"] == pytest.approx(sum(value for name, value in worst.items() if name != "total"))


def test_hand_made_labels_have_no_say_in_the_alpha_terms() -> None:
    truth, wrong = torch.zeros(2, 8, 8), torch.zeros(2, 8, 8)
    wrong[1] = 1
    losses = matte_loss(logits(wrong), truth, torch.tensor([1.0, 0.0]))
    assert losses["l1"] == pytest.approx(0, abs=1e-4)
    assert losses["cross_entropy"] > 1


def test_a_picture_without_a_character_still_teaches() -> None:
    empty = torch.zeros(1, 8, 8)
    guess = logits(torch.full((1, 8, 8), 0.5)).requires_grad_()
    matte_loss(guess, empty, torch.ones(1))["dice"].backward()  # type: ignore[no-untyped-call]
    assert guess.grad is not None
    assert (guess.grad[:, 1] > 0).all()


def test_gaps_and_strands_weigh_more() -> None:
    truth = torch.ones(1, 96, 160)
    truth[:, :48, 40:60] = 0  # a gap beside an arm
    truth[:, 48:, :60] = 0
    truth[:, 70:76, :60] = 1  # a strand
    found = narrowness(truth)
    assert (found[:, :30, 40:60] == 1).all()
    assert (found[:, 70:76, :30] == 1).all()
    assert (found[:, :40, :40] == 0).all()
    assert (found[:, :, 80:] == 0).all()
    assert narrowness(torch.zeros(1, 96, 96)).sum() == 0

    def cost(*wrong: slice) -> float:
        guess = truth.clone()
        guess[:, *wrong] = 0.5
        return float(matte_loss(logits(guess), truth, torch.ones(1), narrow=4)["cross_entropy"])

    assert cost(slice(0, 8), slice(44, 52)) == pytest.approx(5 * cost(slice(0, 8), slice(84, 92)), rel=1e-3)


def test_what_is_wide_is_no_gap_and_no_strand() -> None:
    for width, inside, narrow in ((2 * GAP, 0, 1), (2 * GAP + 1, 0, 0), (2 * STRAND, 1, 1), (2 * STRAND + 1, 1, 0)):
        truth = torch.full((1, 8, 200), 1.0 - inside)
        truth[:, :, 80 : 80 + width] = inside
        assert narrowness(truth)[:, :, 80 : 80 + width].mean() == narrow
    truth = torch.zeros(1, 8, 200)
    truth[:, :, GAP:100] = 1
    assert (narrowness(truth)[:, :, :GAP] == 1).all()  # between the character and the border


def test_a_trimap_is_unknown_on_both_sides_of_the_edge() -> None:
    alpha = torch.zeros(1, 64, 64)
    alpha[:, :, 32:] = 1
    truth = torch.zeros(64, dtype=torch.int64)
    truth[32 - REACH :] = 1
    truth[32 + REACH :] = 2

    def cost(classes: torch.Tensor) -> float:
        sure = torch.nn.functional.one_hot(classes, 3).T[None, :, None].expand(1, 3, 64, 64) * 20.0
        return float(trimap_loss(sure, alpha)["total"])

    assert cost(truth) < 0.01
    for shift in (-1, 1):
        assert cost(truth.roll(shift)) > 0.1


def test_an_edge_may_lie_a_little_beside_the_true_one_and_no_more() -> None:
    truth = torch.zeros(1, 32, 32)
    truth[:, 8:24, 8:24] = 1
    near, far, soft = (boundary_loss(p, truth) for p in (truth.roll(NEAR, 2), truth.roll(2 * NEAR + 2, 2), truth * 0.6))
    assert boundary_loss(truth, truth) < 1e-6
    assert near < 0.05
    assert far > 0.3
    assert 0 < soft < far
    assert boundary_loss(truth, torch.zeros_like(truth)) > 0.9
    assert boundary_loss(torch.zeros_like(truth), torch.zeros_like(truth)) < 1e-6


def test_only_hand_made_labels_have_a_boundary_term() -> None:
    truth, wrong = torch.zeros(2, 32, 32), torch.zeros(2, 32, 32)
    truth[:, 8:24, 8:24] = 1
    wrong[1] = truth[1]
    assert matte_loss(logits(wrong), truth, torch.tensor([1.0, 0.0]), 0.5)["boundary"] < 1e-4
    assert matte_loss(logits(wrong), truth, torch.tensor([0.0, 1.0]), 0.5)["boundary"] > 0.3


def test_the_network_says_what_is_to_be_lowered() -> None:
    alpha = torch.zeros(2, 48, 64)
    alpha[0, 8:40, 8:30] = alpha[0, 8:40, 34:60] = 1
    numbers = alpha.byte()
    numbers[0, :, 32:] *= 2
    part = Part(torch.rand(2, 3, 48, 64), alpha, torch.ones(2), numbers, 1.0, 0)
    trimap = Architecture(width=8, decoder=(), classes=("background", "unknown", "character"))
    said = [
        set(losses(build(architecture).train(), part))
        for architecture in (Architecture(width=8, decoder=()), trimap, Architecture(width=8, instances=True))
    ]
    assert said[0] == {"cross_entropy", "dice", "l1", "gradient", "total"}
    assert said[1] == {"cross_entropy", "dice", "total"}
    assert {"loss_mask", "loss_box_reg", "total"} < said[2]
