from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest
import torch

from animecut.errors import DeviceError
from animecut.segmentation import torch_engine
from animecut.segmentation import weights as weight_files
from animecut.segmentation.torch_engine import TorchEngine
from animecut.segmentation.weights import Architecture, PSPNet


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "w.safetensors"
    weight_files.save(PSPNet(Architecture(width=16, decoder=(8, 8))), path, {})
    return path


@pytest.fixture
def views() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 255, (5, 64, 112, 3), dtype=np.uint8)


@pytest.fixture(autouse=True)
def own_threads() -> Iterator[None]:
    """An engine may lower them for the whole process."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def _with_room_for(most: int, engine: TorchEngine, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Pretend that the device has memory for so many pictures at once; gives how many each call of the network had."""
    batches: list[int] = []
    forward = engine._forward

    def limited(small: np.ndarray) -> np.ndarray:
        batches.append(len(small))
        if len(small) > most:
            raise torch.OutOfMemoryError
        return forward(small)

    monkeypatch.setattr(engine, "_forward", limited)
    return batches


@pytest.mark.parametrize(("free", "batch_size"), [(80 * 2**30, 16), (320 * 2**20, 5), (2**20, 1)])
def test_a_gpu_short_of_memory_is_given_fewer_pictures(
    free: int, batch_size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (free, 80 * 2**30))
    assert torch_engine._at_once(torch.device("cuda"), 16) == batch_size


@pytest.mark.parametrize("error", [torch.OutOfMemoryError, RuntimeError])  # CUDA's own, where not even it has room
@pytest.mark.parametrize("where", ["torch.cuda.mem_get_info", "torch.nn.Module.to"])
def test_a_gpu_that_is_full_before_it_begins_says_what_to_do(
    weights: Path, error: type[RuntimeError], where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> NoReturn:
        raise error("CUDA error: out of memory\nCompile with TORCH_USE_CUDA_DSA")

    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (2**30, 2**30))
    monkeypatch.setattr(where, full)
    with pytest.raises(DeviceError, match=r"^cuda: CUDA error: out of memory; .*`device` cpu$"):
        TorchEngine(weights, "cuda", 16, 1)


def test_batches_that_do_not_fit_are_halved_and_stay_so(
    weights: Path, views: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = TorchEngine(weights, "cpu", 16, 1)
    alone = engine(views)
    engine.batch_size = 8  # as on a GPU
    batches = _with_room_for(2, engine, monkeypatch)
    assert np.allclose(engine(views), alone, atol=0.02)
    assert batches == [5, 4, 2, 2, 1]
    engine(views[:2])
    assert batches[5:] == [2]


def test_out_of_memory_with_one_picture_says_what_to_do(
    weights: Path, views: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = TorchEngine(weights, "cpu", 16, 1)
    _with_room_for(0, engine, monkeypatch)
    with pytest.raises(DeviceError, match="`device` cpu"):
        engine(views)


def test_never_more_threads_than_it_may_have(weights: Path) -> None:
    torch.set_num_threads(2)
    TorchEngine(weights, "cpu", 16, threads=8)
    assert torch.get_num_threads() == 2
    TorchEngine(weights, "cpu", 16, threads=1)
    assert torch.get_num_threads() == 1
