"""PSPNet (Zhao et al. 2017) with a light decoder, and what it shares with every other network here.

backbone -> pyramid pooling -> bottleneck -> decoder with low-level skips -> logits at the input's size
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from animecut.segmentation.backbones import ConvNormAct, extractor

WIDEST = 4096  # channels of a layer, twice a ResNet's: a file's few bytes must not ask for all the memory there is
OPACITY = {"background": 0.0, "unknown": 0.5, "character": 1.0}  # of a place that is surely of that class


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
    """What each channel of the logits stands for: background, character, and of a trimap unknown between them."""
    mean: tuple[float, float, float] = (0.5, 0.5, 0.5)
    """RGB in [0, 1] that the backbone sees as 0."""
    std: tuple[float, float, float] = (0.5, 0.5, 0.5)
    """RGB in [0, 1] that the backbone sees as one unit."""
    align_corners: bool = False
    """Whether corner pixels lie on corner pixels after upscaling, as some foreign checkpoints were trained."""
    instances: bool = False
    """Whether characters are told apart: a Mask R-CNN."""

    def __post_init__(self) -> None:
        layers = (self.width, *self.decoder, *self.pyramid, len(self.classes))
        if min(layers) < 1 or max(*layers, self.level) > WIDEST:
            raise ValueError(f"layers must have 1 to {WIDEST} channels, got {layers}")
        if len(self.mean) != 3 or len(self.std) != 3:
            raise ValueError(f"mean and std must have 3 numbers, got {self.mean} and {self.std}")
        if "character" not in self.classes or not set(self.classes) <= set(OPACITY):
            raise ValueError(f"classes must be {', '.join(OPACITY)}, got {', '.join(self.classes)}")


def _by_channel(values: tuple[float, float, float]) -> Tensor:
    """(3, 1, 1), or (1, 1, 1) where all are one: a picture with its channels last is taken less that far sooner."""
    return torch.tensor(values[:1] if len(set(values)) == 1 else values).view(-1, 1, 1)


class Network(nn.Module):
    """Pictures to logits. Normalises and pads its own input."""

    backbone: nn.Module
    mean: Tensor
    std: Tensor

    def __init__(self, architecture: Architecture, multiple: int) -> None:
        super().__init__()
        self.architecture, self.multiple = architecture, multiple
        self.register_buffer("mean", _by_channel(architecture.mean), persistent=False)
        self.register_buffer("std", _by_channel(architecture.std), persistent=False)

    def forward(self, rgb: Tensor) -> Tensor:
        """Logits of every class at the input's size.

        rgb: (B, 3, H, W) float in [0, 1], RGB, H and W at least 32. Returns (B, classes, H, W).
        """
        x = self.prepared(rgb)
        return self._over(rgb, x, self.scores(self.backbone(x)))

    def odds(self, rgb: Tensor) -> Tensor:
        """Log odds of each place being character rather than background: (B, H, W) float32.

        Of a network that knows these two classes. What is scaled up is their difference, one plane in place of two.
        """
        x = self.prepared(rgb)
        scores, number = self.scores(self.backbone(x)).float(), self.architecture.classes.index
        margin = scores[:, number("character")] - scores[:, number("background")]
        return self._over(rgb, x, margin[:, None])[:, 0]

    def _over(self, rgb: Tensor, prepared: Tensor, scores: Tensor) -> Tensor:
        """Scores scaled up to the whole input."""
        corners = self.architecture.align_corners
        full = F.interpolate(scores, prepared.shape[-2:], mode="bilinear", align_corners=corners)
        return full[..., : rgb.shape[-2], : rgb.shape[-1]]

    def alpha(self, rgb: Tensor) -> Tensor:
        """How likely each place is a character, the unknown counting half: (B, H, W) float32 in [0, 1].

        A network that tells characters apart gives a plane for each: (B, n, H, W).
        """
        shares = torch.tensor([OPACITY[name] for name in self.architecture.classes], device=rgb.device)
        likely: Tensor = self(rgb).float().softmax(dim=1)
        return (likely * shares.view(-1, 1, 1)).sum(dim=1)

    def prepared(self, rgb: Tensor) -> Tensor:
        """What the backbone sees: normalised, and padded to whole pixels of the deepest features."""
        height, width = rgb.shape[-2:]
        pad = (0, -width % self.multiple, 0, -height % self.multiple)
        return F.pad((rgb - self.mean) / self.std, pad, mode="replicate")

    def scores(self, features: list[Tensor]) -> Tensor:
        """Logits at any smaller size, from the backbone's features, finest first."""
        raise NotImplementedError


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


class PSPNet(Network):
    """Pyramid pooling, then a decoder with the backbone's features; without a pyramid it is a U-Net."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__(architecture, max(architecture.output_stride, 8))
        a = architecture
        self.backbone = extractor(a.backbone, a.output_stride)
        *skips, deep = self.backbone.channels
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
