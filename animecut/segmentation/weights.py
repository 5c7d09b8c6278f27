"""The file that a network is kept in, and the network that is built of it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from animecut._util.paths import is_file
from animecut.errors import OutputError, WeightsError
from animecut.segmentation.baselines import FCN, MaskRCNN
from animecut.segmentation.metadata import DEFAULT_WEIGHTS, FORMAT, Architecture, damaged, digest, read_metadata
from animecut.segmentation.pspnet import Network, PSPNet

__all__ = [
    "DEFAULT_WEIGHTS", "FORMAT", "Architecture", "Network", "PSPNet",
    "build", "digest", "fuse_batch_norm", "is_whole", "load", "load_backbone", "metadata", "save",
]  # fmt: skip


def build(architecture: Architecture) -> Network:
    """A new network: a Mask R-CNN where characters are told apart, an FCN on VGG16, else a PSPNet or U-Net."""
    if architecture.instances:
        return MaskRCNN(architecture)
    return FCN(architecture) if architecture.backbone == "vgg16" else PSPNet(architecture)


def fuse_batch_norm(network: Network) -> Network:
    """The network for use alone: each batch norm worked into the convolution before it. Changes what is given."""
    for module in network.modules():
        if isinstance(module, nn.Sequential):
            for i, (layer, following) in enumerate(pairwise(list(module))):
                if isinstance(layer, nn.Conv2d) and isinstance(following, nn.BatchNorm2d):
                    module[i], module[i + 1] = fuse_conv_bn_eval(layer, following), nn.Identity()
    return network


def save(network: Network, path: Path, provenance: dict[str, object]) -> None:
    """Write the network as safetensors in half precision, with its architecture and how it was made.

    provenance: what can be written as JSON: data, seed, versions, figures.
    Raises OutputError; a file that was there stays until the new one is whole.
    """
    said = {
        "format": FORMAT,
        "architecture": json.dumps(asdict(network.architecture)),
        "provenance": json.dumps(provenance),
    }
    tensors = {k: v.half() if v.is_floating_point() else v for k, v in network.state_dict().items()}
    fresh = path.with_suffix(".fresh")
    try:
        save_file({k: v.contiguous().cpu() for k, v in tensors.items()}, fresh, said)
        fresh.replace(path)
    except (OSError, SafetensorError) as error:
        fresh.unlink(missing_ok=True)
        raise OutputError(f"{path}: cannot be written ({str(error).splitlines()[0]})") from error


def is_whole(path: Path) -> bool:
    """Whether a file holds a whole network of ours, not a backbone alone. Raises WeightsError as `load` does."""
    return metadata(path).get("format") == FORMAT


def metadata(path: Path) -> dict[str, str]:
    """What a file of weights says about itself. Raises WeightsError as `load` does."""
    with _opened(path) as file:
        said: dict[str, str] = file.metadata() or {}
    return said


def load(path: Path = DEFAULT_WEIGHTS) -> tuple[Network, dict[str, object]]:
    """Build the network that a file describes, in float32 and evaluation mode, and tell how it was made.

    Raises WeightsError for a file that is missing, damaged or not ours. Nothing is unpickled.
    """
    state, said = _read(path)
    architecture, provenance = read_metadata(said, path)
    try:
        network = build(architecture)
        network.load_state_dict(state)
    except (TypeError, ValueError, AttributeError, ArithmeticError, RuntimeError) as error:
        raise damaged(path, error) from error
    return network.eval(), provenance


def load_backbone(network: Network, path: Path) -> None:
    """Fill the backbone from a file that holds only a backbone, under torchvision's names.

    Raises WeightsError where a tensor of the backbone is missing or of another shape.
    """
    state, _ = _read(path)
    wanted = network.backbone.state_dict()
    known = {key: value for key, value in state.items() if key in wanted and value.shape == wanted[key].shape}
    missing = [key for key in wanted if key not in known and not key.endswith("num_batches_tracked")]
    if missing:
        raise WeightsError(
            f"{path}: no {network.architecture.backbone} in it ({missing[0]} and {len(missing) - 1} more missing)"
        )
    network.backbone.load_state_dict(known, strict=False)


def _read(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors, floating ones in float32, and metadata."""
    with _opened(path) as file:
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (no dict)
        said: dict[str, str] = file.metadata() or {}
    return {key: value.float() if value.is_floating_point() else value for key, value in tensors.items()}, said


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """A safetensors file; its tensors are read when they are asked for."""
    if not is_file(path):
        raise WeightsError(f"{path}: no such weights file; leave `weights` out for the ones that come with animecut")
    try:
        with safe_open(path, "pt") as file:
            yield file
    except (SafetensorError, OSError, ValueError) as error:
        raise WeightsError(
            f"{path}: not a safetensors file ({error}); animecut reads weights that animecut-train wrote"
        ) from error
