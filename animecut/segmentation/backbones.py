"""The part of a network that turns pictures into features at several scales; trained by others on larger data."""

from torch import Tensor, nn


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


def extractor(name: str, output_stride: int) -> MobileNet | ResNet:
    """A MobileNet or ResNet by its name."""
    return MobileNet(output_stride) if name == "mobilenet_v2" else ResNet(name, output_stride)


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
