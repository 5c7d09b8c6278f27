"""What a step learns from: pictures as other cuts, broadcasts or encoders would have shown them, and composed ones."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from animecut.errors import SettingsError
from animecut_training.data.classes import regions
from animecut_training.data.dataset import Labelled
from animecut_training.synthesis.augment import degrade, framing, grade, redraw, rotate_hue
from animecut_training.synthesis.composite import Assets, composite

SHAPES = ((256, 448), (256, 448), (320, 320), (320, 320), (448, 256))  # height, width: as clips and stills are shaped
REDRAWN = 0.3  # share of the pictures of other shows that are drawn with other lines and shades
AT_ONCE = 4  # pictures whose gradient is computed at once; a batch of eight at once needs 600 MB more


@dataclass(frozen=True)
class Part:
    """Pictures of a batch that go through the network together.

    rgb: (B, 3, H, W) in [0, 1].  alpha: (B, H, W) in [0, 1], 1 = character.  exact: (B,) 1 where alpha is known to a
    fraction of a pixel.  numbers: (B, H, W) uint8, 0 nobody, else which of its characters.
    share: of the batch.  number: among the batch's parts.
    """

    rgb: Tensor
    alpha: Tensor
    exact: Tensor
    numbers: Tensor
    share: float
    number: int

    def to(self, device: torch.device) -> "Part":
        """The same on a device."""
        rgb, alpha, exact, numbers = (x.to(device) for x in (self.rgb, self.alpha, self.exact, self.numbers))
        return Part(rgb, alpha, exact, numbers, self.share, self.number)


def composite_slots(batch: int, composites: float) -> list[bool]:
    """Which pictures of a batch are composed: that share of them, evenly spread over its parts."""
    return [round((i + 1) * composites) > round(i * composites) for i in range(batch)]


def batches(
    frames: Sequence[Labelled],
    stock: Assets | None,
    steps: range,
    *,
    batch: int,
    composites: float,
    seed: int,
    any_show: bool = False,
    rank: tuple[int, int] = (0, 1),
) -> Generator[list[Part]]:
    """For each step this process's parts of its batch.

    any_show: labelled pictures too are graded and degraded, as composed ones always are.
    rank: number of this process, and how many there are; together they have the pictures that one alone would have.
    Raises SettingsError where there are more processes than pictures in a batch.
    """
    number, processes = rank
    count = -(-batch // AT_ONCE)
    count += -count % processes
    if count > batch:
        raise SettingsError(f"must be at least {count} for {processes} processes", field="batch", value=batch)
    composed = composite_slots(batch, composites if stock else 0.0)
    for step in steps:
        # A picture depends on its numbers alone, so a resumed run sees what the undisturbed one would have.
        shape = SHAPES[int(np.random.default_rng([seed, step]).integers(len(SHAPES)))]
        parts = []
        for k, part in list(enumerate(np.array_split(np.arange(batch), count)))[number::processes]:
            pictures = [
                _picture(
                    frames, stock if composed[i] else None, shape, any_show, np.random.default_rng([seed, step, i + 1])
                )
                for i in part.tolist()
            ]
            rgb, alpha, numbers = (torch.from_numpy(np.stack(planes)) for planes in zip(*pictures, strict=True))
            exact = torch.tensor([float(composed[i]) for i in part])
            parts.append(Part(rgb.permute(0, 3, 1, 2).float() / 255, alpha, exact, numbers, len(part) / batch, k))
        yield parts


def _picture(
    frames: Sequence[Labelled], stock: Assets | None, shape: tuple[int, int], any_show: bool, rng: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.uint8]]:
    """Picture, matte and who is where; a labelled one where there is no stock to compose it of."""
    if stock:
        rgb, alpha, numbers = composite(stock, *shape, rng)
        return _elsewhere(rgb, alpha, rng), alpha, numbers
    frame = frames[int(rng.integers(len(frames)))]
    view = framing(frame.alpha.shape, *shape, rng)
    rgb, alpha = view.of(frame.rgb), view.of(frame.alpha)
    numbers = regions(alpha > 0.5) if frame.numbers is None else view.of(frame.numbers, exact=True)
    # More than another hue costs accuracy on frames like them, and keeps it on frames that are not.
    return _elsewhere(rgb, alpha, rng) if any_show else rotate_hue(rgb, rng), alpha, numbers


def _elsewhere(rgb: NDArray[np.uint8], alpha: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.uint8]:
    """As another show would have drawn and lit it, and another station sent it."""
    return degrade(grade(redraw(rgb, alpha, rng) if rng.random() < REDRAWN else rgb, rng), rng)
