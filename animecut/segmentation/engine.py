"""What a Segmenter computes with: one network on one device, by whichever runtime is best there."""

from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from animecut._util.paths import is_file
from animecut.errors import WeightsError
from animecut.segmentation.metadata import Architecture, digest

Scores = NDArray[np.float32]
"""(B, classes, h, w) float32 logits; of a network that tells characters apart (B, n, h, w) alpha in [0, 1]."""


class Engine(Protocol):
    """A network, loaded and ready.

    name: device, runtime and precision in words.  batch_size: pictures that it is quickest with at once.
    """

    name: str
    batch_size: int
    architecture: Architecture
    provenance: dict[str, object]

    def __call__(self, views: NDArray[np.uint8]) -> Scores:
        """What the network says of pictures, (B, h, w, 3) uint8 RGB, h and w at least 32, however many they are."""


def open_engine(weights: Path, device: str, batch_size: int, threads: int) -> Engine:
    """ONNX Runtime on a CPU, PyTorch on a GPU, and for what ONNX has no words for.

    weights: .safetensors, or on a CPU the .onnx that was made of one. device: as `devices.choose_device` gives it.
    threads: of a CPU. Raises WeightsError for a file that is no network of ours or cannot be used here, DeviceError
    for a device that is full.
    """
    if device != "cpu":
        return _torch(weights, device, batch_size, threads)
    from animecut.segmentation import onnx_cache
    from animecut.segmentation.onnx_engine import OnnxEngine

    if weights.suffix == ".onnx":
        return OnnxEngine(weights, threads)
    sha256, beside = digest(weights), weights.with_suffix(".onnx")
    for path in (beside, onnx_cache.kept(sha256)):
        if is_file(path):
            engine = OnnxEngine(path, threads)
            if engine.sha256 == sha256:
                return engine
    if find_spec("torch") is None:
        raise WeightsError(
            f"{weights}: has no {beside.name} of its own beside it, and to make one needs PyTorch; "
            "pip install 'animecut[train]'"
        )
    model = onnx_cache.convert(weights, sha256)
    return OnnxEngine(model, threads) if model else _torch(weights, device, batch_size, threads)


def _torch(weights: Path, device: str, batch_size: int, threads: int) -> Engine:
    from animecut.segmentation.torch_engine import TorchEngine

    return TorchEngine(weights.with_suffix(".safetensors"), device, batch_size, threads)
