"""What the network is trained to lower."""

import torch
from torch import Tensor
from torch.nn import functional as F


def matte_loss(logits: Tensor, alpha: Tensor, exact: Tensor) -> dict[str, Tensor]:
    """Cross-entropy and Dice on every picture, and an alpha loss on those whose alpha is exact.

    logits: (B, 2, H, W), background and character.  alpha: (B, H, W) in [0, 1], 1 = character.
    exact:  (B,) 1 where alpha is known to a fraction of a pixel (composites), 0 where it was labelled by hand.
    Returns each term and their "total", scalars.
    """
    logits = logits.float()
    margin = logits[:, 1] - logits[:, 0]
    p = margin.sigmoid()
    cross_entropy = F.binary_cross_entropy_with_logits(margin, alpha)
    overlap = (p * alpha).sum((1, 2))
    # Both classes, so that a picture without a character still says what to do; 1 keeps the empty class finite.
    character = (2 * overlap + 1) / (p.sum((1, 2)) + alpha.sum((1, 2)) + 1)
    missed = ((1 - p) * (1 - alpha)).sum((1, 2))
    background = (2 * missed + 1) / ((1 - p).sum((1, 2)) + (1 - alpha).sum((1, 2)) + 1)
    dice = 1 - (character + background).mean() / 2
    weight = exact / exact.sum().clamp(min=1)
    l1 = ((p - alpha).abs().mean((1, 2)) * weight).sum()
    gradient = (_gradient_difference(p, alpha) * weight).sum()
    terms = {"cross_entropy": cross_entropy, "dice": dice, "l1": l1, "gradient": gradient}
    return terms | {"total": torch.stack(list(terms.values())).sum()}


def _gradient_difference(p: Tensor, t: Tensor) -> Tensor:
    """Mean absolute difference of neighbouring pixels' steps, (B,)."""
    d = p - t
    return d.diff(dim=1).abs().mean((1, 2)) + d.diff(dim=2).abs().mean((1, 2))
