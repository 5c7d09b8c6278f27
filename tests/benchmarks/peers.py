"""What ours is compared with, on the same pictures in the same run: random weights, since only the time is asked."""

import tempfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision import models

from animecut.segmentation.weights import Architecture, PSPNet

Pictures = NDArray[np.uint8]
"""(T, H, W, 3) RGB."""

ISNET_SIDE = 1024  # pixels, as `rembg -m isnet-anime` feeds it
AUTHOR_SIDE = 473  # pixels, as the author's PSPNet was trained


def mobilenet(pictures: Pictures) -> Callable[[], object]:
    """torchvision's classifier on pictures of the size that our network sees."""
    net = models.mobilenet_v2().eval().to(memory_format=torch.channels_last)
    inputs = [_tensor(picture).contiguous(memory_format=torch.channels_last) for picture in pictures]

    @torch.inference_mode()
    def run() -> None:
        for one in inputs:
            net(one)

    return run


def author(pictures: Pictures) -> Callable[[], object]:
    """One frame at a time, PSPNet with ResNet-101, and PNG files between every two steps."""
    net = PSPNet(Architecture("resnet101", 8, width=512, decoder=())).eval()

    @torch.inference_mode()
    def run() -> None:
        with tempfile.TemporaryDirectory() as folder:
            for i, picture in enumerate(pictures):
                Image.fromarray(picture).save(Path(folder) / f"{i}.png")
            for i in range(len(pictures)):
                with Image.open(Path(folder) / f"{i}.png") as image:
                    small = np.asarray(image.resize((AUTHOR_SIDE, AUTHOR_SIDE)))
                    mask = net(_tensor(small)).argmax(1)[0].numpy().astype(np.uint8) * 255
                    Image.fromarray(mask).resize(image.size).save(Path(folder) / f"{i}_mask.png")
            for i in range(len(pictures)):
                with Image.open(Path(folder) / f"{i}.png") as image, Image.open(Path(folder) / f"{i}_mask.png") as mask:
                    image.putalpha(mask)
                    image.save(Path(folder) / f"{i}_cut.png")

    return run


def isnet(pictures: Pictures) -> Callable[[], object] | None:
    """The network alone of `rembg -m isnet-anime`, in ONNX Runtime; None where that, or onnx, is not installed."""
    if not (find_spec("onnxruntime") and find_spec("onnx")):
        return None
    import onnxruntime  # type: ignore[import-not-found,import-untyped,unused-ignore]

    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "isnet.onnx")
        torch.onnx.export(IsNet().eval(), (torch.zeros(1, 3, ISNET_SIDE, ISNET_SIDE),), path, dynamo=False)
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    inputs = [F.interpolate(_tensor(picture), (ISNET_SIDE, ISNET_SIDE)).numpy() for picture in pictures]
    return lambda: [session.run(None, {name: one}) for one in inputs]


def _tensor(picture: Pictures) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1)[None].float() / 255


class IsNet(nn.Module):
    """IS-Net (Qin et al. 2022): a U of residual Us."""

    def __init__(self) -> None:
        super().__init__()
        self.entry = nn.Conv2d(3, 64, 3, 2, 1)
        down = [(7, 64, 32, 64), (6, 64, 32, 128), (5, 128, 64, 256), (4, 256, 128, 512)]
        up = [(4, 1024, 128, 256), (5, 512, 64, 128), (6, 256, 32, 64), (7, 128, 16, 64)]
        self.down = nn.ModuleList([*(ResidualU(*sizes) for sizes in down), FlatU(512, 256, 512), FlatU(512, 256, 512)])
        self.up = nn.ModuleList([FlatU(1024, 256, 512), *(ResidualU(*sizes) for sizes in up)])
        self.side = nn.Conv2d(64, 1, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, 3, H, W) -> (B, 1, H, W) in [0, 1]."""
        y = self.entry(x)
        skips: list[Tensor] = []
        for stage in self.down:
            y = stage(y if not skips else F.max_pool2d(y, 2, 2, ceil_mode=True))
            skips.append(y)
        for stage, skip in zip(self.up, reversed(skips[:-1]), strict=True):
            y = stage(torch.cat([F.interpolate(y, skip.shape[-2:], mode="bilinear"), skip], 1))
        return F.interpolate(self.side(y), x.shape[-2:], mode="bilinear").sigmoid()


class ResidualU(nn.Module):
    """A small U-Net of `depth` layers whose output is added to its input."""

    def __init__(self, depth: int, channels_in: int, channels: int, channels_out: int) -> None:
        super().__init__()
        self.entry = _layer(channels_in, channels_out)
        self.down = nn.ModuleList(_layer(channels_out if i == 0 else channels, channels) for i in range(depth - 1))
        self.bottom = _layer(channels, channels, 2)
        self.up = nn.ModuleList(
            _layer(2 * channels, channels if i < depth - 2 else channels_out) for i in range(depth - 1)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Features of the same size."""
        start = self.entry(x)
        y, skips = start, []
        for i, layer in enumerate(self.down):
            y = layer(F.max_pool2d(y, 2, 2, ceil_mode=True) if i else y)
            skips.append(y)
        y = self.bottom(y)
        for layer, skip in zip(self.up, reversed(skips), strict=True):
            y = layer(torch.cat([F.interpolate(y, skip.shape[-2:], mode="bilinear"), skip], 1))
        whole: Tensor = start + y
        return whole


class FlatU(nn.Module):
    """The same without shrinking: dilation instead."""

    def __init__(self, channels_in: int, channels: int, channels_out: int) -> None:
        super().__init__()
        self.entry = _layer(channels_in, channels_out)
        self.down = nn.ModuleList(
            _layer(channels_out if dilation == 1 else channels, channels, dilation) for dilation in (1, 2, 4)
        )
        self.bottom = _layer(channels, channels, 8)
        self.up = nn.ModuleList(
            _layer(2 * channels, channels if dilation > 1 else channels_out, dilation) for dilation in (4, 2, 1)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Features of the same size."""
        start = self.entry(x)
        y, skips = start, []
        for layer in self.down:
            y = layer(y)
            skips.append(y)
        y = self.bottom(y)
        for layer, skip in zip(self.up, reversed(skips), strict=True):
            y = layer(torch.cat([y, skip], 1))
        whole: Tensor = start + y
        return whole


def _layer(channels_in: int, channels_out: int, dilation: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_out, 3, padding=dilation, dilation=dilation),
        nn.BatchNorm2d(channels_out),
        nn.ReLU(inplace=True),
    )
