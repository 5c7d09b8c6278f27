"""Every number of a training run, once, with its default: the commands take theirs from here."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from animecut.errors import SettingsError


@dataclass(frozen=True)
class Recipe:
    """Every number of a training run."""

    steps: int = 400
    batch: int = 8
    composites: float = 0.375
    """Share of each batch that is composed rather than labelled."""
    any_show: bool = False
    """Whether labelled frames are learned from in other light and badly encoded too, as composed ones are."""
    rate: float = 1e-3
    """AdamW's learning rate for all but the backbone."""
    backbone_rate: float = 3e-4
    first_rate: float = 0.2
    """Share of the backbone's rate at which its first block learns; those between lie between."""
    boundary: float = 0.5
    """Weight of the boundary term, which only labelled frames have: composed ones have exact alpha instead."""
    narrow: float = 4.0
    """By how much more pixels of gaps beside arms and of strands weigh in the cross-entropy."""
    weight_decay: float = 1e-4
    warm_up: int = 30
    """Steps in which the rates rise from zero; then they fall with a cosine."""
    ema: float = 0.99
    """How much of the averaged weights stays at each step."""
    keep: float = 0.0
    """How much of the weights that the run began with is blended into its end (WiSE-FT, Wortsman et al. 2022)."""
    seed: int = 0
    frozen: int | None = None
    """Steps in which the backbone stays as it is, so that a new head does not spoil it.

    None: a fifth of all where the run begins with a backbone alone, else none.
    """
    patience: int = 0
    """Judgements in a row, of about ten in a run, that see nothing better before the run ends with its best.

    0: never, as what was chosen by frames that are left out is flattered by the figures on them.
    """
    statistics: bool = False
    """Whether the backbone's batch norm learns its statistics, as one must that begins with nothing."""

    def __post_init__(self) -> None:
        for field, share in (("composites", self.composites), ("keep", self.keep)):
            if not 0 <= share <= 1:
                raise SettingsError("a share; give a number between 0 and 1", field=field, value=share)


@dataclass(frozen=True)
class Job:
    """What to learn from, what to begin with, and where to leave it."""

    folder: Path
    out: Path
    recipe: Recipe
    init: str = "anime"
    backbone: str = "mobilenet_v2"
    arch: str = "pspnet"
    target: str = "mask"
    sprites: Sequence[Path] = ()
    scenes: Path | None = None
    split_file: Path | None = None
    """JSON with folds and what characters and scenes are only judged by; None: SHIPPED, but folds of neighbours."""
    device: str = "auto"
    tensorboard: bool = False
    resume: bool = False
    """Whether runs that are there already are gone on with; where there are none, they begin."""
