"""A network in ONNX Runtime, on a CPU. The only door to it."""

from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from animecut._util.paths import is_file
from animecut.errors import DeviceError, WeightsError
from animecut.segmentation.engine import Scores
from animecut.segmentation.metadata import read_metadata


class OnnxEngine:
    """A network of an ONNX file that `onnx_export` wrote, computing in float32.

    model: the file, or what is in one.  sha256: of the weights that it was made of.  As `engine.Engine`.
    Raises WeightsError for a file that is none of ours.
    """

    name = "cpu (ONNX Runtime, float32)"
    batch_size = 1  # as fast as in batches, and no neighbour can change a picture's mask

    def __init__(self, model: Path | bytes, threads: int) -> None:
        path = model if isinstance(model, Path) else Path("converted weights")
        if isinstance(model, Path) and not is_file(model):
            raise WeightsError(f"{model}: no such weights file; leave `weights` out for the ones that come along")
        try:
            self._session = onnxruntime.InferenceSession(model, _options(threads), providers=["CPUExecutionProvider"])
        except Exception as error:
            raise WeightsError(
                f"{path}: not an ONNX file that can be read; use weights that animecut-train wrote"
            ) from error
        said = self._session.get_modelmeta().custom_metadata_map
        self.architecture, self.provenance = read_metadata(said, path)
        self.sha256 = str(said.get("weights_sha256"))

    def __call__(self, views: NDArray[np.uint8]) -> Scores:
        """Logits of each picture; see `engine.Engine`."""
        return np.concatenate([self._scores(view) for view in views])

    def _scores(self, view: NDArray[np.uint8]) -> Scores:
        rgb = np.ascontiguousarray(view.transpose(2, 0, 1)[None], np.float32) / np.float32(255)
        try:
            return np.asarray(self._session.run(None, {"rgb": rgb})[0], np.float32)
        except Exception as error:
            raise DeviceError(f"{self.name}: {' '.join(str(error).split())}; free some memory") from error


def _options(threads: int) -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1  # one operator at a time: ours wait for one another
    options.enable_cpu_mem_arena = False  # 13 MB less, at the same speed
    options.log_severity_level = 3  # errors alone, which are raised as well
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # threads that wait leave others the core
    return options
