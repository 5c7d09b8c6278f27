"""A network as ONNX: what animecut cuts with on a CPU, and what programs without PyTorch read."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch

from animecut.errors import OutputError, SettingsError, reason_of
from animecut.segmentation import weights as weight_files
from animecut.segmentation.weights import Network

CHECKED = ((1, 64, 64), (3, 100, 75), (1, 256, 448))  # pictures, height and width
TOLERANCE = 1e-3  # of a logit
NEEDED = ("onnx", "onnxruntime")


def export(weights: Path, target: Path) -> float:
    """Write a network as ONNX: rgb (N, 3, H, W) float32 RGB in [0, 1] -> logits (N, classes, H, W); N, H, W are free.

    It is the network alone: that places of one colour hear one another (color_crf.py) comes after it.

    Returns the largest difference of a logit to PyTorch's.
    Raises SettingsError where ONNX is not installed, WeightsError, and OutputError where ONNX Runtime disagrees.
    """
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise SettingsError(f"export needs {', '.join(missing)}; pip install 'animecut[train]'")
    net, provenance = weight_files.load(weights)
    if net.architecture.instances:
        raise SettingsError(f"{weights}: a Mask R-CNN, whose boxes ONNX has no words for here; export a pspnet or unet")
    from animecut.segmentation.onnx_cache import write_whole
    from animecut.segmentation.onnx_export import to_onnx

    model = to_onnx(net, provenance, weight_files.digest(weights))
    difference = _difference(net, model)
    if not difference <= TOLERANCE:
        raise OutputError(f"{target}: logits differ from PyTorch's by {difference:.2g}; it was not written")
    try:
        write_whole(target, model)
    except OSError as error:
        raise OutputError(f"{target}: cannot be written ({reason_of(error)})") from error
    return difference


def _difference(net: Network, model: bytes) -> float:
    from animecut.segmentation.onnx_engine import OnnxEngine

    engine = OnnxEngine(model, threads=1)
    rng = np.random.default_rng(0)
    differences = []
    for count, height, width in CHECKED:
        views = rng.integers(0, 256, (count, height, width, 3), np.uint8)
        with torch.inference_mode():
            truth = net(torch.from_numpy(views).permute(0, 3, 1, 2) / 255).numpy()
        differences.append(np.abs(engine(views) - truth).max())
    return float(np.max(differences))
