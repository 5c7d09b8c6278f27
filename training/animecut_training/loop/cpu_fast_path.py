"""A network that learns quickly on a CPU: the same numbers, computed another way."""

from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from animecut.segmentation.backbones import ConvNormAct
from animecut.segmentation.pspnet import Step


class PhaseConv2d(nn.Conv2d):
    """A 3 x 3 depthwise convolution of dilation two as an undilated one of the picture's four phases.

    oneDNN's backward pass of a dilated one takes some twenty times as long. Every second row and column of the picture
    is a picture of its own, in which a dilation of two is none (Yu and Koltun 2016 read the other way).
    """

    def _conv_forward(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """What Conv2d returns for x, (B, C, H, W)."""
        batch, channels, height, width = x.shape
        x = F.pad(x, (0, width % 2, 0, height % 2))
        h, w = x.shape[2] // 2, x.shape[3] // 2
        x = x.view(batch, channels, h, 2, w, 2).permute(3, 5, 0, 1, 2, 4).reshape(4 * batch, channels, h, w)
        y = F.conv2d(x.contiguous(memory_format=torch.channels_last), weight, bias, padding=1, groups=channels)
        y = y.view(2, 2, batch, channels, h, w).permute(2, 3, 4, 0, 5, 1).reshape(batch, channels, 2 * h, 2 * w)
        return y[..., :height, :width].contiguous(memory_format=torch.channels_last)


class Folding(nn.Sequential):
    """Layers of which a batch norm that learns no statistics is part of the convolution before it, while it learns."""

    def forward(self, x: Tensor) -> Tensor:
        """What Sequential returns."""
        if not self.training:  # so that every layer is called, and can be looked at
            y: Tensor = super().forward(x)  # type: ignore[no-untyped-call]
            return y
        layers, folded = list(self), False
        for layer, following in pairwise([*layers, nn.Identity()]):
            if folded:
                folded = False
                continue
            folded = _foldable(layer, following)
            x = _normed(layer, following, x) if folded else layer(x)
        return x


class FoldingConvNormAct(Folding, ConvNormAct):
    """A ConvNormAct that folds."""


class Dense(Step):
    """A step of the decoder whose gradient is laid out as the upscaling's backward pass is quick with.

    Joining hands back a part of a larger picture, which the upscaling would copy plane by plane.
    """

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        """What Step returns."""
        x = F.interpolate(x, skip.shape[-2:], mode="bilinear", align_corners=False)
        if x.requires_grad:
            x.register_hook(_dense)  # type: ignore[no-untyped-call]
        mixed: Tensor = self.mix(torch.cat([x, skip], dim=1))
        return mixed


def _dense(gradient: Tensor) -> Tensor:
    return gradient.contiguous(memory_format=torch.channels_last)


def speed_up(network: nn.Module) -> None:
    """Let a network compute so, in place; its weights and what they are called stay what they are."""
    for module in network.modules():
        if type(module) is ConvNormAct:
            module.__class__ = FoldingConvNormAct
        elif type(module) is nn.Sequential:
            module.__class__ = Folding
        elif type(module) is Step:
            module.__class__ = Dense
        elif (
            type(module) is nn.Conv2d
            and module.groups > 1
            and (module.dilation, module.kernel_size) == ((2, 2), (3, 3))
        ):
            module.__class__ = PhaseConv2d


def _foldable(layer: nn.Module, following: nn.Module) -> bool:
    normed = isinstance(following, nn.BatchNorm2d) and not following.training
    return normed and isinstance(layer, nn.Conv2d) and layer.bias is None


def _normed(convolution: Any, norm: Any, x: Tensor) -> Tensor:  # noqa: ANN401
    # As fuse_conv_bn_weights, but for what that makes new parameters of: nothing flows back through these.
    scale = norm.weight * torch.rsqrt(norm.running_var + norm.eps)
    bias = norm.bias - norm.running_mean * scale
    y: Tensor = convolution._conv_forward(x, convolution.weight * scale.view(-1, 1, 1, 1), bias)
    return y
