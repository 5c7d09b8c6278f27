"""The network that a run begins with."""

from pathlib import Path

from animecut import network
from animecut.errors import SettingsError
from animecut.network import Architecture, PSPNet
from training import fetch, foreign

PICKLED = {".pth", ".pt", ".tar"}
BACKBONES = ("mobilenet_v2", "resnet50", "resnet101")


def begin(init: str, backbone: str = "mobilenet_v2") -> tuple[PSPNet, str]:
    """A network, and in words what it begins with.

    init: anime (the shipped weights), voc (a PSPNet of Pascal VOC) or imagenet (a backbone), both published by others
    and fetched once, scratch, or a file: ours, a backbone alone, or a .pth of those others.
    backbone: of voc, imagenet and scratch.
    Raises SettingsError for an unknown backbone, WeightsError for a file that does not fit or is not to be had.
    """
    if backbone not in BACKBONES:
        raise SettingsError(f"--backbone {backbone}: unknown; choose from {', '.join(BACKBONES)}")
    if init == "anime":
        return network.load()[0], "the shipped weights"
    if init == "scratch":
        return PSPNet(Architecture(backbone)), f"nothing ({backbone})"
    if init in ("voc", "imagenet"):
        return foreign.read(fetch.fetched(fetch.PUBLISHED[init, backbone], fetch.cache()))
    path = Path(init)
    if path.suffix.lower() in PICKLED:
        return foreign.read(path)
    if network.is_whole(path):
        return network.load(path)[0], f"{path.name}: a whole network"
    net = PSPNet(Architecture(backbone))
    network.load_backbone(net, path)
    return net, f"{path.name}: a backbone alone ({backbone}); pyramid and decoder begin anew"
