"""PSPNet (Zhao et al. 2017) with a light decoder, and what it shares with every other network here.

backbone -> pyramid pooling -> bottleneck -> decoder with low-level skips -> logits at the input's size
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from animecut.segmentation.backbones import ConvNormAct, extractor
from animecut.segmentation.metadata import OPACITY, Architecture


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
        self.levels = nn.ModuleList(ConvNormAct(channels, level, 1) for _ in cells)
        self.bottleneck = ConvNormAct(channels + level * len(cells), width, 3)
        self.dropout = nn.Dropout2d(0.1)

    def forward(self, x: Tensor) -> Tensor:
        """Features of the same size, `width` channels."""
        size = x.shape[-2:]
        context = [
            F.interpolate(
                level(F.adaptive_avg_pool2d(x, cells)), size, mode="bilinear", align_corners=self.align_corners
            )
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
