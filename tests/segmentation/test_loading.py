import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from animecut.errors import WeightsError
from animecut.segmentation.loading import Loading


class Slow:
    """In place of a Segmenter: loaded when it is told to."""

    device_name = "somewhere"
    batch_size = 3
    threads = 0
    go = threading.Event()

    def __init__(self, weights: Path, device: str, batch_size: int, threads: int) -> None:
        Slow.threads = threads
        assert self.go.wait(10)

    def __call__(self, pixels: np.ndarray) -> np.ndarray:
        return pixels[..., 0] / np.float32(255)


def test_nobody_waits_before_asking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("animecut.segmentation.segmenter.Segmenter", Slow)
    segmenter = Loading(None, "cpu", 4)  # does not wait, or it would for ever
    Slow.go.set()
    assert (segmenter.device_name, segmenter.batch_size) == ("somewhere", 3)
    assert segmenter(np.full((1, 2, 2, 3), 255, np.uint8)).max() == 1


def test_half_of_the_cores_are_left_to_other_stages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("animecut.segmentation.segmenter.Segmenter", Slow)
    Slow.go.set()
    for there, used in ((1, 1), (2, 1), (16, 8)):
        monkeypatch.setattr("animecut.segmentation.loading.available_cores", lambda there=there: there)
        _ = Loading(None, "cpu", 4).batch_size
        assert Slow.threads == used


def test_what_loading_raises_is_raised_by_whoever_asks(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="no such"):
        _ = Loading(tmp_path / "none.safetensors", "cpu", 4).batch_size


def test_the_module_itself_imports_no_runtime() -> None:
    code = "import sys, animecut.segmentation.loading, animecut.pipeline\n"
    code += "print(bool({'torch', 'onnxruntime'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
