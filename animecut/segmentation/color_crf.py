"""What has one colour in one place is one thing: where a network doubts, a place hears those of its colour around it.

A network sees shapes, and what it keeps or loses by mistake often has the colour of what it let go or kept nearby: sky
between two locks, wall under an arm, a hand. Anime's colours are flat, so places of one colour belong together. This is
after the mean field of a dense conditional random field (Krähenbühl and Koltun 2011), but only places on a coarse grid
speak, and what they say is averaged.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

SPEAKERS = 12  # pixels of the network's grid from one place that speaks to the next
LISTENERS = 4  # pixels from one place that is spoken to to the next
AT_ONCE = 1024  # listeners whose kin is looked for at once, as a processor's cache holds
COLOUR = 0.015  # standard deviation of what counts as one colour; of RGB in [0, 1], weighed by EYE
EYE = ((0.299, 0.587, 0.114), (-0.169, -0.331, 0.5), (0.5, -0.419, -0.081))  # brightness and two colours (ITU-R BT.601)
NEAR = 120.0  # pixels: standard deviation of what counts as near
WEIGHT = 4.0  # log odds that all of one mind have: nobody who is surer than that can change sides
FADE = 1.0  # log odds below that from which places are told less and less, so that none jumps
ALONE = 0.5  # speakers: who has fewer of its kind is told less
ROUNDS = 2  # times that those who speak hear one another first
POWER = 3  # doublings: exp(x) is nearly (1 + x / 8)^8, quicker to compute and nothing at all where it is faint
FAR = 2 ** ((POWER + 1) / 2)  # deviations from where on it is nothing


def refine_by_color(rgb: Tensor, odds: Tensor) -> Tensor:
    """The log odds of each place being character, after hearing its kin.

    rgb: (B, 3, H, W) float in [0, 1], H and W divisible by LISTENERS.  odds: (B, H, W) float32, the network's.
    Returns the same.
    """
    return odds + WEIGHT * torch.stack([_told(*one) for one in zip(rgb, odds, strict=True)])


def _told(rgb: Tensor, odds: Tensor) -> Tensor:
    """What the places of one picture hear, (H, W) in [-1, 1]: 1 where all say character, 0 where all are sure."""
    least = -F.max_pool2d(-odds.abs()[None], LISTENERS)[0]
    unsure = least < WEIGHT
    if not unsure.any():
        return torch.zeros_like(odds)
    speakers = _places(rgb, SPEAKERS).flatten(0, 1)
    own = _sampled(odds, SPEAKERS).flatten()
    among = _alike(speakers, speakers).fill_diagonal_(0)
    belief = torch.tanh(own / 2)
    for _ in range(ROUNDS):
        belief = torch.tanh((own + WEIGHT * _mean(among, belief)) / 2)
    listeners = _places(rgb, LISTENERS)[unsure].split(AT_ONCE)  # type: ignore[no-untyped-call]
    told = torch.zeros_like(least)
    told[unsure] = torch.cat([_mean(_alike(some, speakers), belief) for some in listeners])
    told *= ((WEIGHT - least) / FADE).clamp(0, 1)
    return F.interpolate(told[None, None], odds.shape, mode="bilinear")[0, 0]


def _places(rgb: Tensor, step: int) -> Tensor:
    """(h, w, 5) float32 of each place on a grid: its colour and where it is, in FAR times their deviations."""
    colour = _sampled(rgb.float(), step).movedim(0, 2) @ torch.tensor(EYE, device=rgb.device).T / (FAR * COLOUR)
    rows, columns = (torch.arange(step // 2, side, step, device=rgb.device) / (FAR * NEAR) for side in rgb.shape[-2:])
    return torch.cat([colour, torch.stack(torch.meshgrid(rows, columns, indexing="ij"), dim=2)], dim=2)


def _sampled(planes: Tensor, step: int) -> Tensor:
    return planes[..., step // 2 :: step, step // 2 :: step]


def _alike(some: Tensor, others: Tensor) -> Tensor:
    """(N, M) in [0, 1]: nearly exp(-d² / 2), d how many deviations one is from another.

    some: (N, 5), others: (M, 5), as `_places` gives them.
    """
    if some.device.type == "cpu":  # multiplied out it is sooner done, and from their middle as exactly
        middle = others.mean(0)
        some, others = some - middle, others - middle
        near = torch.addmm(1 - some.square().sum(1, keepdim=True), some, others.T, alpha=2)
        alike = near.sub_(others.square().sum(1))
    else:  # a GPU may be told to make do with less than float32, which would leave too little of a difference
        alike = 1 - torch.cdist(some, others, compute_mode="donot_use_mm_for_euclid_dist").square_()
    alike.clamp_(0, 1)
    for _ in range(POWER):
        alike.square_()
    return alike


def _mean(alike: Tensor, belief: Tensor) -> Tensor:
    """(N,): what others believe, (M,), weighed by how alike they are, (N, M)."""
    return alike @ belief / (alike.sum(1) + ALONE)
