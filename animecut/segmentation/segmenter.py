"""Pictures to coarse alpha, on any device.

The colour-affinity refinement (animecut.segmentation.color_crf) comes after the network, but not where characters are
told apart, or where the weights know a class "unknown", which leaves places to the matting.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from animecut._util.concurrency import available_cores
from animecut._util.images import make_view
from animecut.errors import DeviceError
from animecut.segmentation import color_crf
from animecut.segmentation.devices import choose_device
from animecut.segmentation.engine import Scores, open_engine
from animecut.segmentation.metadata import DEFAULT_WEIGHTS, OPACITY
from animecut.types import Alpha, Pixels

SUREST = 7.0  # log odds beyond which a network's sureness counts no more: a quarter of a step of 255


class Segmenter:
    """A network on a device.

    weights: a file that animecut-train wrote.  device: auto, cpu, cuda or mps.  batch_size: pictures at once on a GPU
    at most.  threads: of a CPU; None for as many as this process may use cores.
    Raises DeviceError for a device that is not there or is full, WeightsError for a file that is no network of ours.
    """

    def __init__(
        self, weights: Path = DEFAULT_WEIGHTS, device: str = "auto", batch_size: int = 16, threads: int | None = None
    ) -> None:
        self._engine = open_engine(weights, choose_device(device), batch_size, threads or available_cores())

    @property
    def device_name(self) -> str:
        """Device, runtime and precision in words."""
        return self._engine.name

    @property
    def batch_size(self) -> int:
        """Pictures that it is quickest with at once."""
        return self._engine.batch_size

    @property
    def provenance(self) -> dict[str, object]:
        """How the weights were made."""
        return self._engine.provenance

    def __call__(self, pixels: Pixels) -> Alpha:
        """How likely each place is a character by network and colours, never stretched to fill [0, 1].

        Where the weights know a class "unknown", what is surely of it is 0.5: a place for the matting to decide.

        pixels: (T, H, W, 3 or 4) uint8 RGB(A), the A unused.
        Returns (T, h, w) float32 in [0, 1] on a coarse grid over the whole picture, its longer side 448; of weights
        that tell characters apart (T, n, h, w), each on a plane of its own, planes of zeros where there are fewer.
        Raises DeviceError where what the network says is no number.
        """
        views = np.stack([make_view(picture[..., :3]) for picture in pixels])
        scores, architecture = self._engine(views), self._engine.architecture
        if architecture.instances:
            alpha = scores
        elif architecture.is_binary:
            alpha = _from_two_classes(views, scores, architecture.classes.index("character"))
        else:
            alpha = _from_trimap(scores, [OPACITY[name] for name in architecture.classes])
        if np.isnan(alpha).any():
            cpu = self.device_name.startswith("cpu")
            remedy = "use other weights" if cpu else "use `device` cpu, or other weights"
            raise DeviceError(f"{self.device_name}: the network computes what is no number; {remedy}")
        return alpha


def _from_two_classes(views: NDArray[np.uint8], scores: Scores, character: int) -> Alpha:
    odds = np.clip(scores[:, character] - scores[:, 1 - character], -SUREST, SUREST)
    refined = np.stack([color_crf.refine_by_color(*one) for one in zip(views, odds, strict=True)])
    return np.asarray(1 / (1 + np.exp(-refined)), np.float32)


def _from_trimap(scores: Scores, opacities: list[float]) -> Alpha:
    """The opacity to be expected, by the softmax of the scores."""
    shares = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    alpha: Alpha = np.tensordot(np.array(opacities, np.float32), shares, (0, 1))
    return alpha
