"""A Segmenter that is loaded while other work goes on: a runtime takes longer to import than a clip to open."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from animecut._util.concurrency import available_cores, run_in_thread
from animecut.segmentation.metadata import DEFAULT_WEIGHTS
from animecut.types import Alpha, Pixels

if TYPE_CHECKING:
    from animecut.segmentation.segmenter import Segmenter


class Loading:
    """A Segmenter, loaded in a thread from now on; whoever asks it something waits for it.

    weights: a file that animecut-train wrote, None for the one that comes along. The rest, and what is raised (when it
    is first asked): as Segmenter.
    """

    def __init__(self, weights: Path | None, device: str, batch_size: int) -> None:
        self._segmenter = run_in_thread(partial(_load, weights, device, batch_size))

    @property
    def device_name(self) -> str:
        """Device and precision in words."""
        return self._segmenter.result().device_name

    @property
    def batch_size(self) -> int:
        """Pictures at once."""
        return self._segmenter.result().batch_size

    def __call__(self, pixels: Pixels) -> Alpha:
        """Coarse alpha, as from Segmenter."""
        return self._segmenter.result()(pixels)


def _load(weights: Path | None, device: str, batch_size: int) -> "Segmenter":
    from animecut.segmentation.segmenter import Segmenter

    half = max(1, available_cores() // 2)  # other stages keep the rest of them busy
    return Segmenter(weights or DEFAULT_WEIGHTS, device, batch_size, half)
