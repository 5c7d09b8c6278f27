"""What a weights file says of itself. Knows no runtime, as whoever reads the file picks one by it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from animecut.errors import WeightsError

DEFAULT_WEIGHTS = Path(__file__).parent.parent / "weights" / "anime-pspnet-mobilenet_v2.safetensors"
FORMAT = "animecut-network-1"
STRIDES = (8, 16, 32)
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
        if self.output_stride not in STRIDES:
            raise ValueError(f"output_stride must be 8, 16 or 32, got {self.output_stride}")
        if len(self.mean) != 3 or len(self.std) != 3:
            raise ValueError(f"mean and std must have 3 numbers, got {self.mean} and {self.std}")
        if "character" not in self.classes or not set(self.classes) <= set(OPACITY):
            raise ValueError(f"classes must be {', '.join(OPACITY)}, got {', '.join(self.classes)}")

    @property
    def is_binary(self) -> bool:
        """Whether it tells background from character and nothing else."""
        return not self.instances and sorted(self.classes) == ["background", "character"]


def read_metadata(said: Mapping[str, str], path: Path) -> tuple[Architecture, dict[str, object]]:
    """The architecture, and how the weights were made. Raises WeightsError where they are not ours, or damaged."""
    if said.get("format") != FORMAT:
        raise WeightsError(f"{path}: not a network of animecut; it reads weights that animecut-train wrote")
    try:
        fields = json.loads(said["architecture"])
        known: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in fields.items()}
        architecture = Architecture(**known)
        provenance: dict[str, object] = json.loads(said["provenance"])
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise damaged(path, error) from error
    return architecture, provenance


def damaged(path: Path, error: Exception) -> WeightsError:
    """What is raised for a file of ours that cannot be used."""
    reason = next(iter(str(error).splitlines()), type(error).__name__)
    return WeightsError(f"{path}: damaged, or from another version of animecut ({reason})")


def digest(path: Path) -> str:
    """SHA-256 of a weights file. Raises WeightsError where there is none."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise WeightsError(
            f"{path}: no such weights file; leave `weights` out for the ones that come with animecut"
        ) from error
