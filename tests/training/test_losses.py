import pytest
import torch

from training.losses import matte_loss


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
