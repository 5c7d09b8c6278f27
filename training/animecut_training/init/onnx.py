"""A network as ONNX, for programs without PyTorch, checked in ONNX Runtime."""

import copy
import tempfile
import warnings
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from animecut.errors import OutputError, SettingsError, reason_of
from animecut.segmentation import weights as weight_files
from animecut.segmentation.weights import Network, PSPNet

EXAMPLE = (2, 3, 96, 160)  # pictures, channels, height and width that the graph is traced with
CHECKED = ((1, 3, 64, 64), (3, 3, 100, 75), (1, 3, 256, 448))  # no size is the example's
TOLERANCE = 1e-3  # of a logit
NEEDED = ("onnx", "onnxruntime", "onnxscript")


def export(weights: Path, target: Path) -> float:
    """Write a network as ONNX: rgb (N, 3, H, W) float32 RGB in [0, 1] -> logits (N, classes, H, W); N, H, W are free.

    It is the network alone: that places of one colour hear one another (color_crf.py) comes after it.

    Returns the largest difference of a logit to PyTorch's.
    Raises SettingsError where ONNX is not installed, WeightsError, and OutputError where ONNX Runtime disagrees.
    """
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise SettingsError(f"export needs {', '.join(missing)}; pip install 'animecut[train]'")
    net, _ = weight_files.load(weights)
    if net.architecture.instances:
        raise SettingsError(f"{weights}: a Mask R-CNN, whose boxes ONNX has no words for here; export a pspnet or unet")
    try:
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}.") as fresh:
            part = Path(fresh) / target.name
            _write(net, part)
            difference = _difference(net, part)
            if not difference <= TOLERANCE:
                raise OutputError(f"{target}: logits differ from PyTorch's by {difference:.2g}; it was not written")
            part.replace(target)
    except OSError as error:
        raise OutputError(f"{target}: cannot be written ({reason_of(error)})") from error
    return difference


def _write(net: Network, path: Path) -> None:
    traced = copy.deepcopy(net)
    if isinstance(traced, PSPNet):
        traced.pyramid.pool = pool
    dims = {i: torch.export.Dim(name, min=low) for i, name, low in ((0, "n", 1), (2, "h", 32), (3, "w", 32))}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's own business
        torch.onnx.export(
            traced, (torch.rand(EXAMPLE),), path, input_names=["rgb"], output_names=["logits"],
            dynamo=True, dynamic_shapes={"rgb": dims}, external_data=False, verbose=False,
        )  # fmt: skip


def pool(x: Tensor, cells: int) -> Tensor:
    """Adaptive average pooling as two matrix products, which unlike the real one need not know the size beforehand."""
    return _shares(x.shape[-2], cells, x) @ x @ _shares(x.shape[-1], cells, x).T


def _shares(length: int, cells: int, like: Tensor) -> Tensor:
    """(cells, length): how much each place counts in each cell; cells overlap as in torch's adaptive pooling."""
    cell, place = torch.arange(cells)[:, None], torch.arange(length)[None]
    inside = (place >= cell * length // cells) & (place < ((cell + 1) * length + cells - 1) // cells)
    weight = inside.to(like.dtype)
    return weight / weight.sum(dim=1, keepdim=True)


def _difference(net: Network, path: Path) -> float:
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    rng = np.random.default_rng(0)
    differences = []
    for shape in CHECKED:
        rgb = rng.random(shape, np.float32)
        with torch.inference_mode():
            truth = net(torch.from_numpy(rgb)).numpy()
        differences.append(np.abs(session.run(None, {"rgb": rgb})[0] - truth).max())
    return float(np.max(differences))
