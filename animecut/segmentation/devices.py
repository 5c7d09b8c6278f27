"""Which device a network runs on, found without loading the runtimes where the answer is plain without them."""

import platform
import shutil
import sys
import warnings
from importlib.util import find_spec
from pathlib import Path

from animecut.errors import DeviceError

KINDS = ("cuda", "mps", "cpu")  # best first
NVIDIA = ("/proc/driver/nvidia", "/dev/nvidiactl", "/dev/nvmap", "/dev/dxg")  # a PC's driver, a Jetson's, and WSL's
AMD = "/dev/kfd"  # PyTorch calls these GPUs cuda too
REMEDY = "pip install 'animecut[gpu]'"


def choose_device(name: str) -> str:
    """The device of that name, or the best there is for "auto": cpu, mps, cuda or cuda:1.

    Raises DeviceError where it is not there, or needs PyTorch and that is not installed.
    """
    if name == "auto":
        if not _may_have_gpu() or not _has_torch():
            return "cpu"
        found = _found()
        return next(kind for kind in KINDS if kind in found)
    kind, colon, index = name.partition(":")
    if kind not in KINDS or (colon and not index.isdecimal()):
        raise DeviceError(f"`device` {name}: unknown; choose auto, cpu, cuda or mps")
    if kind == "cpu":
        return "cpu"
    if not _has_torch():
        raise DeviceError(f"`device` {name}: needs PyTorch; {REMEDY}, or use `device` cpu")
    if int(index or 0) >= _found().get(kind, 0):
        raise DeviceError(f"`device` {name}: PyTorch finds no such device here; use `device` auto or cpu")
    return name


def missing_runtime(name: str) -> str | None:
    """One line where "auto" passes over a GPU of NVIDIA's because PyTorch is not installed; None elsewhere."""
    if name == "auto" and _has_nvidia() and not _has_torch():
        return f"an NVIDIA GPU is here, but no PyTorch to use it: {REMEDY}, or give `device` cpu"
    return None


def _has_torch() -> bool:
    return find_spec("torch") is not None


def _found() -> dict[str, int]:
    """How many devices of each kind PyTorch finds."""
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a missing or old driver is no news to someone who did not ask for it
        found = {"cuda": torch.cuda.device_count() if torch.cuda.is_available() else 0}
    return {
        kind: count for kind, count in (found | {"mps": int(torch.backends.mps.is_available())}).items() if count
    } | {"cpu": 1}


def _has_nvidia() -> bool:
    return any(Path(path).exists() for path in NVIDIA) or shutil.which("nvidia-smi") is not None


def _may_have_gpu() -> bool:
    """Whether it is worth seconds of importing PyTorch to ask it."""
    return (sys.platform == "darwin" and platform.machine() == "arm64") or Path(AMD).exists() or _has_nvidia()
