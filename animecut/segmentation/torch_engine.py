"""A network in PyTorch: on GPUs, and on a CPU for networks that ONNX has no words for."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from animecut.errors import DeviceError
from animecut.segmentation import weights as weights_file
from animecut.segmentation.engine import Scores

ROOM = 64 * 2**20  # bytes of a GPU's memory for each picture: mobilenet_v2 takes 19 MB for a square one, resnet101 42


class TorchEngine:
    """A network of a .safetensors file. batch_size: pictures at once on a GPU at most. As `engine.Engine`.

    batch_size is fewer where a GPU's free memory is short, and halved where they do not fit after all.
    Raises DeviceError for a device that is full, WeightsError for a file that is no network of ours.
    """

    def __init__(self, weights: Path, device: str, batch_size: int, threads: int) -> None:
        self.device = torch.device(device)
        net, self.provenance = weights_file.load(weights)
        self.architecture = net.architecture
        if self.device.type == "cpu" and threads < torch.get_num_threads():
            torch.set_num_threads(threads)  # of the whole process
        self.dtype = torch.float16 if self.device.type != "cpu" and not net.architecture.instances else torch.float32
        try:
            self.batch_size = _at_once(self.device, batch_size)
            net = weights_file.fuse_batch_norm(net).to(self.device, self.dtype)
            self._network = net.to(memory_format=torch.channels_last)
        except RuntimeError as error:  # CUDA raises it where even its own share does not fit
            reason = str(error).partition("\n")[0]
            raise DeviceError(f"{self.device}: {reason}; free some memory, or use `device` cpu") from error
        device = torch.cuda.get_device_name(self.device) if self.device.type == "cuda" else self.device.type
        self.name = f"{device} (PyTorch, {str(self.dtype).removeprefix('torch.')})"

    @torch.inference_mode()
    def __call__(self, views: NDArray[np.uint8]) -> Scores:
        """Logits of each picture, or alpha of each character; see `engine.Engine`."""
        parts = list(self._scores(views))
        most = max(part.shape[1] for part in parts)
        return np.concatenate([np.pad(part, ((0, 0), (0, most - part.shape[1]), (0, 0), (0, 0))) for part in parts])

    def _scores(self, views: NDArray[np.uint8]) -> Iterator[Scores]:
        start = 0
        while start < len(views):
            try:
                scores = self._forward(views[start : start + self.batch_size])
            except torch.OutOfMemoryError as error:
                if self.batch_size == 1:
                    raise DeviceError(
                        f"{self.name}: out of memory with a single picture; free some, or use `device` cpu"
                    ) from error
                self.batch_size //= 2  # from now on
                continue
            yield scores
            start += self.batch_size

    def _forward(self, views: NDArray[np.uint8]) -> Scores:
        pictures = torch.from_numpy(views)
        if self.device.type == "cuda":
            pictures = pictures.pin_memory()  # or the copy would block after all
        rgb = pictures.to(self.device, non_blocking=True).permute(0, 3, 1, 2) / 255
        seen = rgb.to(self.dtype, memory_format=torch.channels_last)
        said = self._network.alpha(seen) if self.architecture.instances else self._network(seen)
        return np.asarray(said.float().cpu().numpy(), np.float32)


def _at_once(device: torch.device, most: int) -> int:
    """Pictures that a device is given together."""
    if device.type == "cpu":
        return 1  # as fast as in batches there, and no neighbour can change a picture's mask
    free = torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else most * ROOM
    return min(most, max(1, free // ROOM))
