"""What the network is trained to lower."""

import torch
from torch import Tensor
from torch.nn import functional as F
from torchvision.ops import masks_to_boxes

from animecut.segmentation.baselines import MaskRCNN
from animecut.segmentation.weights import Network
from animecut_training.loop.batches import Part

REACH = 5  # pixels to either side of a character's edge in which a trimap leaves open what is there
SURE = 0.05  # alpha within this of 0 or 1 is background or character
NEAR = 2  # pixels that an edge may lie beside the true one
GAP = 18  # pixels: a gap of at most twice that is narrow; at the size of batches.SHAPES
STRAND = 6  # pixels: and so is what is at most twice that wide of a character
LEAST = 64  # pixels of a character that is worth a box


def losses(
    network: Network, part: Part, dtype: torch.dtype = torch.bfloat16, boundary: float = 0.0, narrow: float = 0.0
) -> dict[str, Tensor]:
    """Each term and their "total", scalars: of alpha, of a trimap, or of characters apart, as the network has it.

    dtype: that the network computes in.  boundary, narrow: as in matte_loss.
    """
    rgb = part.rgb.contiguous(memory_format=torch.channels_last)
    with torch.autocast(rgb.device.type, dtype):
        if isinstance(network, MaskRCNN):
            terms = network.losses(rgb, [_boxed(numbers) for numbers in part.numbers])
            return terms | {"total": torch.stack(list(terms.values())).sum()}
        logits = network(rgb)
    if "unknown" in network.architecture.classes:
        return trimap_loss(logits, part.alpha)
    return matte_loss(logits, part.alpha, part.exact, boundary, narrow)


def _boxed(numbers: Tensor) -> dict[str, Tensor]:
    """The characters of one picture, (H, W), as torchvision's detectors learn them."""
    masks = numbers == torch.arange(1, int(numbers.max()) + 1, device=numbers.device)[:, None, None]
    masks = masks[masks.flatten(1).sum(dim=1) >= LEAST]
    boxes = masks_to_boxes(masks)
    boxes[:, 2:] += 1  # from the last pixel's corner to its end
    labels = torch.ones(len(masks), dtype=torch.int64, device=masks.device)
    return {"boxes": boxes, "labels": labels, "masks": masks.byte()}


def trimap_loss(logits: Tensor, alpha: Tensor) -> dict[str, Tensor]:
    """Cross-entropy and Dice of background, unknown and character, as SHM's T-Net learns them (Chen et al. 2018).

    logits: (B, 3, H, W).  alpha: (B, H, W) in [0, 1].  Unknown is what lies within REACH of both of the others.
    """
    logits = logits.float()
    widest, narrowest = _wider(alpha, REACH), -_wider(-alpha, REACH)
    truth = (widest > SURE).long() + (narrowest > 1 - SURE).long()  # 0, 1, 2
    p, t = logits.softmax(dim=1), F.one_hot(truth, 3).permute(0, 3, 1, 2)
    overlap = (2 * (p * t).sum((2, 3)) + 1) / (p.sum((2, 3)) + t.sum((2, 3)) + 1)
    terms = {"cross_entropy": F.cross_entropy(logits, truth), "dice": 1 - overlap.mean()}
    return terms | {"total": torch.stack(list(terms.values())).sum()}


def matte_loss(
    logits: Tensor, alpha: Tensor, exact: Tensor, boundary: float = 0.0, narrow: float = 0.0
) -> dict[str, Tensor]:
    """Cross-entropy and Dice on every picture; an alpha loss where alpha is exact, a boundary loss where it is not.

    logits: (B, 2, H, W), background and character.  alpha: (B, H, W) in [0, 1], 1 = character.
    exact:  (B,) 1 where alpha is known to a fraction of a pixel (composites), 0 where it was labelled by hand.
    boundary: weight of that loss.  narrow: by how much more a pixel of a gap or a strand weighs in the cross-entropy.
    Returns each term and their "total", scalars.
    """
    logits = logits.float()
    margin = logits[:, 1] - logits[:, 0]
    p = margin.sigmoid()
    cross_entropy = F.binary_cross_entropy_with_logits(margin, alpha, 1 + narrow * narrowness(alpha))
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
    if boundary:
        labelled = 1 - exact
        terms["boundary"] = boundary * (boundary_loss(p, alpha) * labelled).sum() / labelled.sum().clamp(min=1)
    return terms | {"total": torch.stack(list(terms.values())).sum()}


def narrowness(alpha: Tensor) -> Tensor:
    """How surely a pixel lies in a gap between two parts of characters, or in a strand of one; (B, H, W) in [0, 1].

    A gap is also what lies between a character and the picture's border. There are few such pixels, and a sticker shows
    each: a network lets them go last (weighed as U-Net's borders, Ronneberger et al. 2015).

    alpha: (B, H, W) in [0, 1].
    """
    closed, opened = -_wider(-_wider(alpha, GAP), GAP), _wider(-_wider(-alpha, STRAND), STRAND)
    return closed - opened


def boundary_loss(p: Tensor, alpha: Tensor) -> Tensor:
    """1 - F of where the edges of p and alpha lie within NEAR pixels of one another (Bokhovkin and Burnaev 2019), (B,).

    p, alpha: (B, H, W) in [0, 1].
    """
    found, truth = _edge(p), _edge((alpha > 0.5).float())
    precision = ((found * _wider(truth, NEAR)).sum((1, 2)) + 1) / (found.sum((1, 2)) + 1)
    recall = ((truth * _wider(found, NEAR)).sum((1, 2)) + 1) / (truth.sum((1, 2)) + 1)
    return 1 - 2 * precision * recall / (precision + recall)


def _edge(x: Tensor) -> Tensor:
    """How much larger a pixel is than its smallest neighbour: one inside of what is 1."""
    return x + _wider(-x, 1)


def _wider(x: Tensor, by: int) -> Tensor:
    rows = F.max_pool2d(x[:, None], (1, 2 * by + 1), 1, (0, by))
    return F.max_pool2d(rows, (2 * by + 1, 1), 1, (by, 0))[:, 0]


def _gradient_difference(p: Tensor, t: Tensor) -> Tensor:
    """Mean absolute difference of neighbouring pixels' steps, (B,)."""
    d = p - t
    return d.diff(dim=1).abs().mean((1, 2)) + d.diff(dim=2).abs().mean((1, 2))
