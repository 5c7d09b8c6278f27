"""Weights that others publish, downloaded once."""

import hashlib
import os
import tempfile
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from animecut.errors import WeightsError

TIMEOUT = 30  # seconds without a byte
BLOCK = 1 << 20  # bytes

MMSEG = "https://download.openmmlab.com/mmsegmentation/v0.5/pspnet"
TORCHVISION = "https://download.pytorch.org/models"
BUBBLIIIING = "https://github.com/bubbliiiing/pspnet-pytorch/releases/download/v1.0"


@dataclass(frozen=True)
class Published:
    """A file to be had. sha256: how its digest begins, empty where its publisher tells none."""

    url: str
    sha256: str = ""


def _mmseg(name: str, digest: str) -> Published:
    stem = f"pspnet_{name}-d8_512x512_40k_voc12aug"
    return Published(f"{MMSEG}/{stem}/{stem}_20200613_161222-{digest}.pth", digest)


PUBLISHED = {
    ("voc", "mobilenet_v2"): Published(f"{BUBBLIIIING}/pspnet_mobilenetv2.pth"),  # 68.59 mIoU on VOC's val
    ("voc", "resnet50"): _mmseg("r50", "ae9c1b8c"),  # 77.29
    ("voc", "resnet101"): _mmseg("r101", "bc933b18"),  # 78.52
    ("imagenet", "mobilenet_v2"): Published(f"{TORCHVISION}/mobilenet_v2-7ebf99e0.pth", "7ebf99e0"),
    ("imagenet", "vgg16"): Published(f"{TORCHVISION}/vgg16-397923af.pth", "397923af"),
    ("imagenet", "resnet50"): Published(f"{TORCHVISION}/resnet50-11ad3fa6.pth", "11ad3fa6"),
    ("imagenet", "resnet101"): Published(f"{TORCHVISION}/resnet101-cd907fc2.pth", "cd907fc2"),
}


def cache_folder() -> Path:
    """Folder that published files are kept in."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "animecut"


def fetch(file: Published, folder: Path) -> Path:
    """The file in the folder, downloaded over TLS where it is not there yet; its digest checked each time.

    Raises WeightsError: it cannot be downloaded, or is another file than the one that was published.
    """
    target = folder / file.url.rsplit("/", 1)[1]
    if target.is_file():
        _demand(target, file)
        return target
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as fresh:
            part = Path(fresh) / target.name
            _download(file.url, part)
            _demand(part, file)
            part.replace(target)
    except OSError as error:
        raise WeightsError(f"{file.url}: cannot be downloaded ({error}); put that file at {target}") from error
    return target


def _download(url: str, part: Path) -> None:
    with urllib.request.urlopen(url, timeout=TIMEOUT) as answer, part.open("wb") as out:  # noqa: S310 (https above)
        while block := answer.read(BLOCK):
            out.write(block)
        told = answer.headers.get("Content-Length")
        if told and out.tell() != int(told):
            raise OSError(f"broken off after {out.tell()} of {told} bytes")


def _demand(path: Path, file: Published) -> None:
    with path.open("rb") as opened:
        digest = hashlib.file_digest(opened, "sha256").hexdigest()
    if not digest.startswith(file.sha256):
        raise WeightsError(f"{path}: sha256 begins with {digest[:8]}, not {file.sha256}; delete it and fetch it again")
