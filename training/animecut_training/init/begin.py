"""The network that a run begins with."""

from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from animecut.errors import SettingsError, WeightsError
from animecut.segmentation import weights
from animecut.segmentation.weights import Architecture, Network, build
from animecut_training.init import convert, download
from animecut_training.init.convert import InitialNetwork

PICKLED = {".pth", ".pt", ".tar"}
WORDS = ("anime", "voc", "imagenet", "scratch")
BACKBONES = ("mobilenet_v2", "resnet50", "resnet101")
SHAPES = {
    "pspnet": Architecture(),
    "unet": Architecture(pyramid=(), width=192, decoder=(96, 64, 32)),
    "fcn": Architecture("vgg16", width=512),
    "maskrcnn": Architecture(width=128, instances=True),
}
TARGETS = {"mask": ("background", "character"), "trimap": ("background", "unknown", "character")}

IMAGENET_INPUT = "ImageNet mean/std"
INPUTS = {  # what a file of a backbone may say that it sees: RGB as 0, and as one unit
    IMAGENET_INPUT: (convert.IMAGENET.mean, convert.IMAGENET.std),
    "RGB/127.5-1": ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
}


def initial_network(
    init: str, backbone: str = "mobilenet_v2", arch: str = "pspnet", target: str = "mask"
) -> InitialNetwork:
    """A network, and what it begins with.

    init: anime (the shipped weights), voc (a PSPNet of Pascal VOC) or imagenet (a backbone), both published by others
    and fetched once, scratch, or a file: ours, a backbone alone, or a .pth of those others.
    backbone: of voc, imagenet and scratch; an fcn has vgg16.  arch: one of SHAPES, but for whole networks.
    target: mask, or trimap for a third class between background and character.
    Raises SettingsError for unknown words, WeightsError for a file that does not fit or is not to be had.
    """
    for field, word, known in (("backbone", backbone, BACKBONES), ("arch", arch, SHAPES), ("target", target, TARGETS)):
        if word not in known:
            raise SettingsError("unknown; choose from " + ", ".join(known), field=field, value=word)
    if init not in WORDS and not Path(init).exists():
        why = f"no such file; give a file of weights or choose from {', '.join(WORDS)}"
        raise WeightsError(why, field="init", value=init)
    begun = _begin(init, backbone, arch)
    if begun.network.architecture.instances and target != "mask":
        why = "a Mask R-CNN finds characters, no trimap; leave one of the two out"
        raise SettingsError(why, field="target", value=target)
    return begun._replace(network=_with_classes(begun.network, TARGETS[target]))


def _begin(init: str, backbone: str, arch: str) -> InitialNetwork:
    shape = SHAPES[arch] if arch == "fcn" else replace(SHAPES[arch], backbone=backbone)
    if init == "scratch":
        return InitialNetwork(build(shape), f"nothing ({arch}, {shape.backbone})")
    if init == "imagenet":
        return convert.read(download.fetch(download.PUBLISHED[init, shape.backbone], download.cache_folder()), shape)
    if init not in ("anime", "voc") and Path(init).suffix.lower() not in PICKLED and not weights.is_whole(Path(init)):
        return _around_backbone(Path(init), shape)
    return _as(arch, _whole(init, backbone, shape))


def _around_backbone(path: Path, shape: Architecture) -> InitialNetwork:
    """A network on a backbone alone, which sees colours as the file says under `input`, else as torchvision's do."""
    said = weights.metadata(path).get("input", IMAGENET_INPUT)
    if said not in INPUTS:
        raise WeightsError(f"{path}: says input {said!r} in its metadata; write {' or '.join(INPUTS)}")
    mean, std = INPUTS[said]
    net = build(replace(shape, mean=mean, std=std))
    weights.load_backbone(net, path)
    words = f"{path.name}: a backbone alone ({shape.backbone}, input {said}); the rest begins anew"
    return InitialNetwork(net, words, backbone_alone=True)


def _whole(init: str, backbone: str, shape: Architecture) -> InitialNetwork:
    if init == "anime":
        return InitialNetwork(weights.load()[0], "the shipped weights")
    if init == "voc":
        return convert.read(download.fetch(download.PUBLISHED[init, backbone], download.cache_folder()), shape)
    if Path(init).suffix.lower() in PICKLED:
        return convert.read(Path(init), shape)
    return InitialNetwork(weights.load(Path(init))[0], f"{Path(init).name}: a whole network")


def _as(arch: str, begun: InitialNetwork) -> InitialNetwork:
    """The network itself, or another on its backbone."""
    given = begun.network.architecture
    own = (
        "maskrcnn" if given.instances
        else "fcn" if given.backbone == "vgg16"
        else "pspnet" if given.pyramid
        else "unet"
    )  # fmt: skip
    if arch in ("pspnet", own):
        return begun
    if "fcn" in (arch, own):
        why = f"{begun.words} has no backbone for it; use `init` imagenet or scratch"
        raise SettingsError(why, field="arch", value=arch)
    other = build(replace(SHAPES[arch], backbone=given.backbone, mean=given.mean, std=given.std))
    other.backbone.load_state_dict(begun.network.backbone.state_dict())
    return InitialNetwork(other, f"the backbone of {begun.words}", backbone_alone=True)


def _with_classes(net: Network, classes: tuple[str, ...]) -> Network:
    """The network with these classes: unknown begins between background and character, where it is new."""
    given = net.architecture.classes
    if given == classes:
        return net
    other = build(replace(net.architecture, classes=classes))
    shapes = {key: value.shape for key, value in other.state_dict().items()}

    def row(value: Tensor, name: str) -> Tensor:
        if name in given:
            return value[given.index(name)]
        return (value[given.index("background")] + value[given.index("character")]) / 2

    other.load_state_dict(
        {
            key: value if value.shape == shapes[key] else torch.stack([row(value, name) for name in classes])
            for key, value in net.state_dict().items()
        }
    )
    return other
