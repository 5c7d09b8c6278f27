"""Pictures to coarse alpha, on any device. The border between numpy and torch.

The colour-affinity refinement (animecut.segmentation.color_crf) comes after it, but not where characters are told
apart, or where the weights know a class "unknown", which leaves places to the matting.
"""

import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from animecut._util.concurrency import available_cores
from animecut._util.images import make_view
from animecut.errors import DeviceError
from animecut.segmentation import color_crf
from animecut.segmentation import weights as weights_file
from animecut.types import Alpha, Pixels

SUREST = 7.0  # log odds beyond which a network's sureness counts no more: a quarter of a step of 255
ROOM = 64 * 2**20  # bytes of a GPU's memory for each picture: mobilenet_v2 takes 19 MB for a square one, resnet101 42


class Segmenter:
    """A network on a device.

    weights: a file that animecut-train wrote.  device: auto, cpu, cuda or mps.  batch_size: pictures at once on a GPU
    at most; fewer where its free memory is short, halved where they do not fit after all.
    Raises DeviceError for a device that is not there or is full, WeightsError for a file that is no network of ours.
    """

    def __init__(
        self, weights: Path = weights_file.DEFAULT_WEIGHTS, device: str = "auto", batch_size: int = 16
    ) -> None:
        self.device = choose_device(device)
        net, self.provenance = weights_file.load(weights)
        self.dtype = torch.float32 if net.architecture.instances else _fast_dtype(self.device)
        self._hears = not net.architecture.instances and sorted(net.architecture.classes) == ["background", "character"]
        try:
            self.batch_size = _at_once(self.device, batch_size)
            self._network = (
                weights_file.fuse_batch_norm(net).to(self.device, self.dtype).to(memory_format=torch.channels_last)
            )
        except RuntimeError as error:  # CUDA raises it where even its own share does not fit
            reason = str(error).partition("\n")[0]
            raise DeviceError(f"{self.device}: {reason}; free some memory, or use `device` cpu") from error

    @property
    def device_name(self) -> str:
        """Device and precision in words."""
        name = torch.cuda.get_device_name(self.device) if self.device.type == "cuda" else self.device.type
        return f"{name} ({str(self.dtype).removeprefix('torch.')})"

    def __call__(self, pixels: Pixels) -> Alpha:
        """How likely each place is a character by network and colours, never stretched to fill [0, 1].

        Where the weights know a class "unknown", what is surely of it is 0.5: a place for the matting to decide.

        pixels: (T, H, W, 3 or 4) uint8 RGB(A), the A unused.
        Returns (T, h, w) float32 in [0, 1] on a coarse grid over the whole picture, its longer side 448; of weights
        that tell characters apart (T, n, h, w), each on a plane of its own, planes of zeros where there are fewer.
        """
        small = np.stack([make_view(picture[..., :3]) for picture in pixels])
        parts = list(self._probabilities(small))
        if parts[0].ndim == 4:
            most = max(part.shape[1] for part in parts)
            parts = [np.pad(part, ((0, 0), (0, most - part.shape[1]), (0, 0), (0, 0))) for part in parts]
        return np.concatenate(parts)

    @torch.inference_mode()
    def _probabilities(self, small: Pixels) -> Iterator[Alpha]:
        start = 0
        while start < len(small):
            try:
                probability = self._forward(small[start : start + self.batch_size])
            except torch.OutOfMemoryError as error:
                if self.batch_size == 1:
                    raise DeviceError(
                        f"{self.device_name}: out of memory with a single picture; free some, or use `device` cpu"
                    ) from error
                self.batch_size //= 2  # from now on
                continue
            yield probability
            start += self.batch_size

    def _forward(self, small: Pixels) -> Alpha:
        pictures = torch.from_numpy(small)
        if self.device.type == "cuda":
            pictures = pictures.pin_memory()  # or the copy would block after all
        rgb = pictures.to(self.device, non_blocking=True).permute(0, 3, 1, 2) / 255
        seen = rgb.to(self.dtype, memory_format=torch.channels_last)
        if not self._hears:
            return self._network.alpha(seen).cpu().numpy()
        odds = self._network.odds(seen).nan_to_num(0.0).clamp(-SUREST, SUREST)
        return color_crf.refine_by_color(rgb, odds).sigmoid().cpu().numpy()


def use_half_the_cores() -> None:
    """Have networks compute on half of the CPU's cores in threads that begin now: other stages keep the rest busy."""
    torch.set_num_threads(max(1, available_cores() // 2))


def choose_device(name: str) -> torch.device:
    """The device of that name, or the best there is for "auto". Raises DeviceError where it is not there."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a missing or old driver is no news to someone who did not ask for it
        there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        return torch.device(next(kind for kind in ("cuda", "mps", "cpu") if there[kind]))
    try:
        device = torch.device(name)
    except RuntimeError:
        device = None
    if device is None or device.type not in there:
        raise DeviceError("unknown; choose auto, cpu, cuda or mps", field="device", value=name)
    if not there[device.type] or (device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count()):
        raise DeviceError("PyTorch finds no such device here; use auto or cpu", field="device", value=name)
    return device


def _at_once(device: torch.device, most: int) -> int:
    """Pictures that a device is given together."""
    if device.type == "cpu":
        return 1  # as fast as in batches there, and no neighbour can change a picture's mask
    free = torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else most * ROOM
    return min(most, max(1, free // ROOM))


def _fast_dtype(device: torch.device) -> torch.dtype:
    """Half precision where the hardware computes in it."""
    if device.type == "cpu":
        able = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
        return torch.bfloat16 if able.get("avx512_bf16") or able.get("amx_bf16") or able.get("bf16") else torch.float32
    return torch.float16
