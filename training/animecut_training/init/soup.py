"""Several trainings of one network as one: the mean of their weights (model soups, Wortsman et al. 2022)."""

from collections.abc import Sequence
from math import inf
from pathlib import Path

import torch

from animecut.errors import SettingsError
from animecut.segmentation import weights


def blend(files: Sequence[Path], shares: Sequence[float], out: Path) -> None:
    """Write the weighted mean of networks that descend from one beginning; others have no mean that means anything.

    shares: one for each file, positive; scaled to sum to one.
    Raises SettingsError where counts or architectures differ, WeightsError for a file that is no network of ours.
    """
    if len(shares) != len(files) or len(files) < 2 or not all(0 < share < inf for share in shares):
        why = f"{len(shares)} for {len(files)} files; give a positive one for each of several"
        raise SettingsError(why, field="shares")
    loaded = [weights.load(file) for file in files]
    mean, _ = loaded[0]
    for file, (other, _) in zip(files, loaded, strict=True):
        if other.architecture != mean.architecture:
            raise SettingsError(f"{file}: another architecture than {files[0]}")
    parts = [other.state_dict() for other, _ in loaded]
    whole = sum(shares)
    blended = {
        name: sum((share / whole * part[name] for share, part in zip(shares, parts, strict=True)), torch.tensor(0.0))
        if value.is_floating_point()
        else value
        for name, value in parts[0].items()
    }
    mean.load_state_dict(blended)
    made = [made for _, made in loaded]
    weights.save(mean, out, {"blend": [{"share": s / whole} | m for s, m in zip(shares, made, strict=True)]})
