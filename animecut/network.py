"""PSPNet (Zhao et al. 2017) with a light decoder, its rivals U-Net and FCN, and the file that they are kept in.

backbone -> pyramid pooling -> bottleneck -> decoder with low-level skips -> logits at the input's size
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

from animecut.errors import WeightsError

FORMAT = "animecut-network-1"
WIDEST = 4096  # channels of a layer, twice a ResNet's: a file's few bytes must not ask for all the memory there is
DEFAULT_WEIGHTS = Path(__file__).parent / "weights" / "anime-pspnet-mobilenet_v2.safetensors"


@dataclass(frozen=True)
class Architecture:
    """All that is needed to build the network that a weights file belongs to."""

    backbone: str = "mobilenet_v2"
    """mobilenet_v2, resnet50 or resnet101, with torchvision's names and layers; resnet50c, resnet101c: a deep stem.

    vgg16 makes the network an FCN-8s.
    """
    output_stride: int = 16
    """Input pixels per pixel of the deepest features: 8, 16 or 32."""
    pyramid: tuple[int, ...] = (1, 2, 3, 6)
    """Cells per side of each level of the pyramid; none make the network a U-Net."""
    level: int = 0
    """Channels of each level of the pyramid; 0: the features' channels shared out among the levels."""
    width: int = 160
    """Channels of the bottleneck."""
    decoder: tuple[int, ...] = (64, 48, 24)
    """Channels at 1/8, 1/4 and 1/2 of the input's size, as many of them as the decoder has steps."""
    classes: tuple[str, ...] = ("background", "character")
    """What each channel of the logits stands for."""
    mean: tuple[float, float, float] = (0.5, 0.5, 0.5)
    """RGB in [0, 1] that the backbone sees as 0."""
    std: tuple[float, float, float] = (0.5, 0.5, 0.5)
    """RGB in [0, 1] that the backbone sees as one unit."""
    align_corners: bool = False
    """Whether corner pixels lie on corner pixels after upscaling, as some foreign checkpoints were trained."""

    def __post_init__(self) -> None:
        layers = (self.width, *self.decoder, *self.pyramid, len(self.classes))
        if min(layers) < 1 or max(*layers, self.level) > WIDEST:
            raise ValueError(f"layers must have 1 to {WIDEST} channels, got {layers}")


class ConvNormAct(nn.Sequential):
    """Convolution, batch norm, ReLU or its like."""

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        kernel: int,
        *,
        stride: int = 1,
        dilation: int = 1,
        groups: int = 1,
        activation: type[nn.Module] = nn.ReLU,
    ) -> None:
        padding = kernel // 2 * dilation
        super().__init__(
            nn.Conv2d(channels_in, channels_out, kernel, stride, padding, dilation, groups, bias=False),
            nn.BatchNorm2d(channels_out),
            activation(inplace=True),
        )


class InvertedResidual(nn.Module):
    """Widen, look around in each channel alone, narrow (Sandler et al. 2018)."""

    def __init__(self, channels_in: int, channels_out: int, widening: int, stride: int, dilation: int) -> None:
        super().__init__()
        wide = channels_in * widening
        widen = [ConvNormAct(channels_in, wide, 1, activation=nn.ReLU6)] if widening > 1 else []
        look = ConvNormAct(wide, wide, 3, stride=stride, dilation=dilation, groups=wide, activation=nn.ReLU6)
        narrow = nn.Conv2d(wide, channels_out, 1, bias=False)
        self.conv = nn.Sequential(*widen, look, narrow, nn.BatchNorm2d(channels_out))
        self.residual = stride == 1 and channels_in == channels_out

    def forward(self, x: Tensor) -> Tensor:
        """Features of `channels_out` channels."""
        y: Tensor = self.conv(x)
        return x + y if self.residual else y


class MobileNet(nn.Module):
    """MobileNetV2 (Sandler et al. 2018) without its classifier, dilated to an output stride.

    Layer by layer and name by name torchvision's, whose import takes as long as torch's own.
    """

    channels = (16, 24, 32, 320)  # at 1/2, 1/4, 1/8 and the output stride
    stages = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
    """Each stage's widening, channels, number of blocks, and stride of the first."""

    def __init__(self, output_stride: int) -> None:
        super().__init__()
        blocks: list[nn.Module] = [ConvNormAct(3, 32, 3, stride=2, activation=nn.ReLU6)]
        channels, reached, dilation = 32, 2, 1
        for widening, channels_out, count, stage_stride in self.stages:
            for i in range(count):
                stride, here = stage_stride if i == 0 else 1, dilation
                if stride == 2 and reached == output_stride:
                    stride, dilation = 1, 2 * dilation  # from the next block on: this one still sees undilated features
                reached *= stride
                blocks.append(InvertedResidual(channels, channels_out, widening, stride, here))
                channels = channels_out
        self.features = nn.Sequential(*blocks)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out")

    def forward(self, x: Tensor) -> list[Tensor]:
        """Features at 1/2, 1/4, 1/8 and the output stride, finest first."""
        half = self.features[:2](x)  # 1/2
        quarter = self.features[2:4](half)  # 1/4
        eighth = self.features[4:7](quarter)  # 1/8
        return [half, quarter, eighth, self.features[7:](eighth)]


class ResNet(nn.Module):
    """torchvision's ResNet without its classifier, dilated to an output stride."""

    channels = (64, 256, 512, 2048)  # at 1/2, 1/4, 1/8 and the output stride

    def __init__(self, name: str, output_stride: int) -> None:
        from torchvision import models  # pulls in the compiler; MobileNet, which most use, does without

        super().__init__()
        dilated = [False, output_stride <= 8, output_stride <= 16]
        net = models.get_model(name.removesuffix("c"), weights=None, replace_stride_with_dilation=dilated)
        # ResNet-C (He et al. 2019): three 3x3 convolutions in front instead of one of 7x7.
        self.stem = _deep_stem() if name.endswith("c") else nn.Sequential(net.conv1, net.bn1, net.relu)
        self.maxpool = net.maxpool
        self.layer1, self.layer2, self.layer3, self.layer4 = net.layer1, net.layer2, net.layer3, net.layer4

    def forward(self, x: Tensor) -> list[Tensor]:
        """Features at 1/2, 1/4, 1/8 and the output stride, finest first."""
        half = self.stem(x)  # 1/2
        quarter = self.layer1(self.maxpool(half))  # 1/4
        eighth = self.layer2(quarter)  # 1/8
        return [half, quarter, eighth, self.layer4(self.layer3(eighth))]


def _deep_stem() -> nn.Sequential:
    layers: list[nn.Module] = []
    for channels_in, channels_out, stride in ((3, 32, 2), (32, 32, 1), (32, 64, 1)):
        convolution = nn.Conv2d(channels_in, channels_out, 3, stride, padding=1, bias=False)
        layers += [convolution, nn.BatchNorm2d(channels_out), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)


class Pyramid(nn.Module):
    """The picture's context at several scales beside the features themselves, then one bottleneck."""

    def __init__(self, channels: int, a: Architecture) -> None:
        super().__init__()
        cells, width, level = a.pyramid, a.width, a.level or channels // max(1, len(a.pyramid))
        self.cells, self.align_corners = cells, a.align_corners
        # An exporter that cannot tell its sizes beforehand puts its own here.
        self.pool: Callable[[Tensor, int], Tensor] = F.adaptive_avg_pool2d
        self.levels = nn.ModuleList(ConvNormAct(channels, level, 1) for _ in cells)
        self.bottleneck = ConvNormAct(channels + level * len(cells), width, 3)
        self.dropout = nn.Dropout2d(0.1)

    def forward(self, x: Tensor) -> Tensor:
        """Features of the same size, `width` channels."""
        size = x.shape[-2:]
        context = [
            F.interpolate(level(self.pool(x, cells)), size, mode="bilinear", align_corners=self.align_corners)
            for cells, level in zip(self.cells, self.levels, strict=True)
        ]
        mixed: Tensor = self.dropout(self.bottleneck(torch.cat([x, *context], dim=1)))
        return mixed


class Step(nn.Module):
    """One step of the decoder: twice the size, joined with the backbone's features there."""

    def __init__(self, channels_in: int, channels_skip: int, channels_out: int) -> None:
        super().__init__()
        self.mix = ConvNormAct(channels_in + channels_skip, channels_out, 3)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        """Features of the skip's size."""
        x = F.interpolate(x, skip.shape[-2:], mode="bilinear", align_corners=False)
        mixed: Tensor = self.mix(torch.cat([x, skip], dim=1))
        return mixed


class VGG(nn.Module):
    """torchvision's VGG16 (Simonyan and Zisserman 2015) without its classifier."""

    channels = (256, 512, 512)  # at 1/8, 1/16 and 1/32

    def __init__(self) -> None:
        from torchvision import models

        super().__init__()
        self.features = models.vgg16().features

    def forward(self, x: Tensor) -> list[Tensor]:
        """Features at 1/8, 1/16 and 1/32, finest first."""
        eighth = self.features[:17](x)
        sixteenth = self.features[17:24](eighth)
        return [eighth, sixteenth, self.features[24:](sixteenth)]


class Network(nn.Module):
    """Pictures to logits. Normalises and pads its own input."""

    backbone: nn.Module
    mean: Tensor
    std: Tensor

    def __init__(self, architecture: Architecture, multiple: int) -> None:
        super().__init__()
        self.architecture, self.multiple = architecture, multiple
        self.register_buffer("mean", torch.tensor(architecture.mean).view(3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(architecture.std).view(3, 1, 1), persistent=False)

    def forward(self, rgb: Tensor) -> Tensor:
        """Logits of every class at the input's size.

        rgb: (B, 3, H, W) float in [0, 1], RGB, H and W at least 32. Returns (B, classes, H, W).
        """
        height, width = rgb.shape[-2:]
        pad = (0, -width % self.multiple, 0, -height % self.multiple)
        x = F.pad((rgb - self.mean) / self.std, pad, mode="replicate")
        scores = self.scores(self.backbone(x))
        corners = self.architecture.align_corners
        logits = F.interpolate(scores, x.shape[-2:], mode="bilinear", align_corners=corners)
        return logits[..., :height, :width]

    def scores(self, features: list[Tensor]) -> Tensor:
        """Logits at any smaller size, from the backbone's features, finest first."""
        raise NotImplementedError


class PSPNet(Network):
    """Pyramid pooling, then a decoder with the backbone's features; without a pyramid it is a U-Net."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__(architecture, max(architecture.output_stride, 8))
        a = architecture
        backbone = MobileNet(a.output_stride) if a.backbone == "mobilenet_v2" else ResNet(a.backbone, a.output_stride)
        *skips, deep = backbone.channels
        self.backbone = backbone
        self.pyramid = Pyramid(deep, a)
        widths = (a.width, *a.decoder)
        self.decoder = nn.ModuleList(
            Step(below, skip, here) for below, skip, here in zip(widths, reversed(skips), a.decoder, strict=False)
        )
        self.classifier = nn.Conv2d(widths[-1], len(a.classes), 1)

    def scores(self, features: list[Tensor]) -> Tensor:
        """Logits at the size that the decoder ends with."""
        *skips, deep = features
        y = self.pyramid(deep)
        for step, skip in zip(self.decoder, reversed(skips), strict=False):
            y = step(y, skip)
        logits: Tensor = self.classifier(y)
        return logits


class FCN(Network):
    """FCN-8s (Long et al. 2015): scores at 1/32, 1/16 and 1/8 added up. `width` channels instead of fc6's 4096."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__(architecture, 32)
        self.backbone = VGG()
        *skips, deep = self.backbone.channels
        width, classes = architecture.width, len(architecture.classes)
        self.head = nn.Sequential(ConvNormAct(deep, width, 7), nn.Dropout2d(0.1), ConvNormAct(width, width, 1))
        self.classifier = nn.Conv2d(width, classes, 1)
        self.finer = nn.ModuleList(nn.Conv2d(channels, classes, 1) for channels in reversed(skips))

    def scores(self, features: list[Tensor]) -> Tensor:
        """Logits at 1/8."""
        *skips, deep = features
        y: Tensor = self.classifier(self.head(deep))
        for score, skip in zip(self.finer, reversed(skips), strict=True):
            y = F.interpolate(y, skip.shape[-2:], mode="bilinear", align_corners=False) + score(skip)
        return y


def build(architecture: Architecture) -> Network:
    """A new network: an FCN on VGG16, else a PSPNet or U-Net."""
    return FCN(architecture) if architecture.backbone == "vgg16" else PSPNet(architecture)


def fused(network: Network) -> Network:
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
    """
    said = {
        "format": FORMAT,
        "architecture": json.dumps(asdict(network.architecture)),
        "provenance": json.dumps(provenance),
    }
    tensors = {k: v.half() if v.is_floating_point() else v for k, v in network.state_dict().items()}
    save_file({k: v.contiguous().cpu() for k, v in tensors.items()}, path, said)


def is_whole(path: Path) -> bool:
    """Whether a file holds a whole network of ours, not a backbone alone. Raises WeightsError as `load` does."""
    return metadata(path).get("format") == FORMAT


def metadata(path: Path) -> dict[str, str]:
    """What a file of weights says about itself. Raises WeightsError as `load` does."""
    return _read(path)[1]


def load(path: Path = DEFAULT_WEIGHTS) -> tuple[Network, dict[str, object]]:
    """Build the network that a file describes, in float32 and evaluation mode, and tell how it was made.

    Raises WeightsError for a file that is missing, damaged or not ours. Nothing is unpickled.
    """
    state, said = _read(path)
    if said.get("format") != FORMAT:
        raise WeightsError(f"{path}: not a network of animecut; it reads weights that animecut-train wrote")
    try:
        fields = json.loads(said["architecture"])
        known: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in fields.items()}
        network = build(Architecture(**known))
        network.load_state_dict(state)
        provenance: dict[str, object] = json.loads(said["provenance"])
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise WeightsError(f"{path}: damaged, or from another version of animecut ({reason})") from error
    return network.eval(), provenance


def digest(path: Path) -> str:
    """SHA-256 of a weights file. Raises WeightsError where there is none."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise WeightsError(
            f"{path}: no such weights file; leave --weights out for the ones that come with animecut"
        ) from error


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
    if not path.is_file():
        raise WeightsError(f"{path}: no such weights file; leave --weights out for the ones that come with animecut")
    try:
        with safe_open(path, "pt") as file:
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (no dict)
            said: dict[str, str] = file.metadata() or {}
    except (SafetensorError, OSError, ValueError) as error:
        raise WeightsError(
            f"{path}: not a safetensors file ({error}); animecut reads weights that animecut-train wrote"
        ) from error
    return {key: value.float() if value.is_floating_point() else value for key, value in tensors.items()}, said
