"""Networks that others trained, in ours: PSPNets of Pascal VOC, and backbones of ImageNet.

mmsegmentation and bubbliiiing/pspnet-pytorch publish the first, torchvision the second. Our network gets the
architecture that the file has, and all of its tensors but those of the auxiliary head, which only helps in training.
Files are unpickled with weights_only, so that nothing in them runs.
"""

import pickle
import re
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from animecut.errors import WeightsError
from animecut.segmentation.weights import Architecture, Network, PSPNet, build

State = dict[str, Tensor]

IMAGENET = Architecture(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
MMSEG = replace(IMAGENET, output_stride=8, level=512, width=512, decoder=())
BUBBLIIIING = Architecture(width=80, decoder=(), mean=(0, 0, 0), std=(1, 1, 1), align_corners=True)
VOC_ROWS = [0, 15]  # of Pascal VOC's 21 classes: background and person
RESNET = {6: "resnet50", 23: "resnet101"}  # by the blocks in the third layer

MMSEG_NAMES = (  # from the beginning of a name to ours; what fits none is left out
    (r"backbone\.", "backbone."),
    (r"decode_head\.psp_modules\.(\d)\.1\.conv\.", r"pyramid.levels.\1.0."),
    (r"decode_head\.psp_modules\.(\d)\.1\.bn\.", r"pyramid.levels.\1.1."),
    (r"decode_head\.bottleneck\.conv\.", "pyramid.bottleneck.0."),
    (r"decode_head\.bottleneck\.bn\.", "pyramid.bottleneck.1."),
    (r"decode_head\.conv_seg\.", "classifier."),
)
BUBBLIIIING_NAMES = (
    (r"backbone\.features\.1\.conv\.([01])\.", r"backbone.features.1.conv.0.\1."),  # the one block that does not widen
    (r"backbone\.features\.1\.conv\.3\.", "backbone.features.1.conv.1."),
    (r"backbone\.features\.1\.conv\.4\.", "backbone.features.1.conv.2."),
    (r"backbone\.features\.(\d+)\.conv\.([01])\.", r"backbone.features.\1.conv.0.\2."),
    (r"backbone\.features\.(\d+)\.conv\.3\.", r"backbone.features.\1.conv.1.0."),
    (r"backbone\.features\.(\d+)\.conv\.4\.", r"backbone.features.\1.conv.1.1."),
    (r"backbone\.features\.(\d+)\.conv\.6\.", r"backbone.features.\1.conv.2."),
    (r"backbone\.features\.(\d+)\.conv\.7\.", r"backbone.features.\1.conv.3."),
    (r"backbone\.features\.0\.", "backbone.features.0."),
    (r"master_branch\.0\.stages\.(\d)\.1\.", r"pyramid.levels.\1.0."),
    (r"master_branch\.0\.stages\.(\d)\.2\.", r"pyramid.levels.\1.1."),
    (r"master_branch\.0\.bottleneck\.", "pyramid.bottleneck."),
    (r"master_branch\.1\.", "classifier."),
)
TORCHVISION_NAMES = (
    (r"features\.(\d|1[0-7])\.", r"backbone.features.\1."),
    (r"conv1\.", "backbone.stem.0."),
    (r"bn1\.", "backbone.stem.1."),
    (r"layer(\d)\.", r"backbone.layer\1."),
)
VGG_NAMES = ((r"features\.", "backbone.features."),)


class InitialNetwork(NamedTuple):
    """A network, and in words what it begins with; backbone_alone: all the rest of it begins anew."""

    network: Network
    words: str
    backbone_alone: bool = False


def read(path: Path, shape: Architecture = Architecture()) -> InitialNetwork:  # noqa: B008 (frozen)
    """A network from a .pth file of mmsegmentation, bubbliiiing or torchvision; and what was taken.

    shape: what is built around a backbone alone.  Raises WeightsError for any other file.
    """
    try:
        held = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise WeightsError(f"{path}: not a file of weights alone ({str(error).splitlines()[0]})") from error
    held = held.get("state_dict", held) if isinstance(held, dict) else {}
    state: State = {str(key): value for key, value in held.items() if isinstance(value, Tensor)}
    try:
        return _converted(path, state, shape)
    except (KeyError, RuntimeError) as error:
        raise WeightsError(f"{path}: its tensors do not fit ({str(error).splitlines()[-1].strip()})") from error


def _converted(path: Path, state: State, shape: Architecture) -> InitialNetwork:
    if "decode_head.conv_seg.weight" in state:
        resnet = _resnet(state, "backbone.layer3.")
        return _voc(path, replace(MMSEG, backbone=f"{resnet}c"), _renamed(state, MMSEG_NAMES))
    if "master_branch.1.weight" in state:
        return _voc(path, BUBBLIIIING, _renamed(state, BUBBLIIIING_NAMES))
    backbone = (
        "mobilenet_v2" if "features.0.0.weight" in state
        else _resnet(state, "layer3.") if "layer3.0.conv1.weight" in state
        else "vgg16" if "features.28.weight" in state
        else None
    )  # fmt: skip
    if backbone:
        architecture = replace(shape, backbone=backbone, mean=IMAGENET.mean, std=IMAGENET.std)
        return _backbone(path, architecture, _renamed(state, VGG_NAMES if backbone == "vgg16" else TORCHVISION_NAMES))
    raise WeightsError(f"{path}: neither a PSPNet of mmsegmentation or bubbliiiing, nor a backbone of torchvision")


def _voc(path: Path, architecture: Architecture, state: State) -> InitialNetwork:
    """All of a PSPNet of Pascal VOC, of its classes only background and person."""
    for key in ("classifier.weight", "classifier.bias"):
        state[key] = state[key][VOC_ROWS]
    network = PSPNet(architecture)
    network.load_state_dict(state)
    taken = f"{len(state)} tensors, the pyramid and the rows of background and person too"
    return InitialNetwork(network, f"{path.name}: a whole PSPNet ({architecture.backbone}), {taken}")


def _backbone(path: Path, architecture: Architecture, state: State) -> InitialNetwork:
    network = build(architecture)
    network.backbone.load_state_dict({key.removeprefix("backbone."): value for key, value in state.items()})
    return InitialNetwork(
        network, f"{path.name}: a backbone alone ({architecture.backbone}); the rest begins anew", True
    )


def _resnet(state: State, layer: str) -> str:
    return RESNET[len({key.split(".")[layer.count(".")] for key in state if key.startswith(layer)})]


def _renamed(state: State, names: tuple[tuple[str, str], ...]) -> State:
    found: State = {}
    for key, value in state.items():
        for pattern, ours in names:
            if re.match(pattern, key):
                found[re.sub(f"^{pattern}", ours, key)] = value
                break
    return found
