"""Which engine cuts, and that all say the same."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from PIL import Image

from animecut._util.concurrency import available_cores
from animecut.errors import WeightsError
from animecut.segmentation import engine as engines
from animecut.segmentation import onnx_cache
from animecut.segmentation import weights as weight_files
from animecut.segmentation.engine import open_engine
from animecut.segmentation.metadata import DEFAULT_WEIGHTS, digest
from animecut.segmentation.onnx_engine import OnnxEngine
from animecut.segmentation.onnx_export import to_onnx
from animecut.segmentation.segmenter import Segmenter
from animecut.segmentation.torch_engine import TorchEngine
from animecut.segmentation.weights import Architecture, PSPNet
from tests import world


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's cache folder, empty."""
    monkeypatch.setattr(onnx_cache, "user_cache_path", lambda name, appauthor: tmp_path / "cache" / name)
    return tmp_path / "cache" / "animecut" / "onnx"


@pytest.fixture(autouse=True)
def own_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    path = tmp_path / "w.safetensors"
    weight_files.save(PSPNet(Architecture(width=16, decoder=(8, 8))), path, {"seed": 0})
    return path


def no_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "find_spec", lambda name: None)


def converted(weights: Path) -> bytes:
    network, provenance = weight_files.load(weights)
    return to_onnx(network, provenance, digest(weights))


def test_the_shipped_files_are_a_pair(monkeypatch: pytest.MonkeyPatch) -> None:
    """And the ONNX is what the one command makes of the safetensors today."""
    no_torch(monkeypatch)
    engine = open_engine(DEFAULT_WEIGHTS, "cpu", 16, 1)
    assert isinstance(engine, OnnxEngine)
    network, provenance = weight_files.load(DEFAULT_WEIGHTS)
    assert (engine.architecture, engine.provenance) == (network.architecture, provenance)
    shipped = DEFAULT_WEIGHTS.with_suffix(".onnx")
    assert shipped.stat().st_size < 8e6
    views = np.stack([world.drawing(x)[0] for x in (60.0, 90.0)])
    assert np.array_equal(OnnxEngine(converted(DEFAULT_WEIGHTS), 1)(views), engine(views))


def test_engines_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    """A probability within 1 of 255 on average; here a thousandth of that."""
    labelled = Path(__file__).parents[2] / "samples" / "labelled"
    pixels = np.stack([np.asarray(Image.open(labelled / f"wave_{number}.jpg")) for number in ("014", "044")])
    by_onnx = Segmenter(device="cpu")(pixels)
    monkeypatch.setattr("animecut.segmentation.segmenter.open_engine", lambda *words: TorchEngine(*words))
    by_torch = Segmenter(device="cpu")(pixels)
    assert np.ptp(by_torch) > 0.5
    assert np.abs(by_onnx - by_torch).mean() < 1e-3 / 255


def test_weights_with_their_own_onnx_need_no_torch(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights.with_suffix(".onnx").write_bytes(converted(weights))
    no_torch(monkeypatch)
    assert open_engine(weights, "cpu", 16, 1).provenance == {"seed": 0}
    weights_alone = weights.rename(weights.with_name("elsewhere.safetensors"))
    assert isinstance(open_engine(weights_alone.with_name("w.onnx"), "cpu", 16, 1), OnnxEngine)


def test_weights_alone_are_converted_once(weights: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights.with_suffix(".onnx").write_bytes(converted(DEFAULT_WEIGHTS))  # of other weights
    assert isinstance(open_engine(weights, "cpu", 16, 1), OnnxEngine)
    assert [path.stem for path in cache.iterdir()] == [digest(weights)]
    monkeypatch.setattr(weight_files, "load", lambda path: pytest.fail("converted again"))
    again = open_engine(weights, "cpu", 16, 1)
    assert again.architecture.width == 16


def test_weights_converted_before_need_no_torch(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    open_engine(weights, "cpu", 16, 1)
    no_torch(monkeypatch)
    assert isinstance(open_engine(weights, "cpu", 16, 1), OnnxEngine)


def test_a_cache_that_cannot_be_written_is_done_without(weights: Path, cache: Path) -> None:
    cache.parent.mkdir(parents=True)
    cache.write_bytes(b"in the way")
    assert isinstance(open_engine(weights, "cpu", 16, 1), OnnxEngine)


def test_weights_alone_without_torch_say_what_to_install(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    no_torch(monkeypatch)
    with pytest.raises(WeightsError, match=r"w.safetensors: has no w.onnx of its own.*pip install 'animecut\[train\]'"):
        open_engine(weights, "cpu", 16, 1)


def test_what_onnx_has_no_words_for_is_cut_by_torch(tmp_path: Path, cache: Path) -> None:
    weight_files.save(weight_files.build(Architecture(width=8, instances=True)), tmp_path / "w.safetensors", {})
    assert isinstance(open_engine(tmp_path / "w.safetensors", "cpu", 16, 1), TorchEngine)
    assert not cache.exists()


def test_torch_cuts_where_nothing_can_convert(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx_cache, "find_spec", lambda name: None)
    assert isinstance(open_engine(weights, "cpu", 16, 1), TorchEngine)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", None])
def test_a_foreign_onnx_is_refused_in_words(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "w.onnx"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(WeightsError, match=r"w.onnx: (no such|not an ONNX)"):
        open_engine(path, "cpu", 16, 1)


def test_an_onnx_of_another_program_is_refused(tmp_path: Path, weights: Path) -> None:
    path = tmp_path / "w.onnx"
    path.write_bytes(converted(weights).replace(b"animecut-network-1", b"elsewhere-network1"))
    with pytest.raises(WeightsError, match="not a network of animecut"):
        open_engine(path, "cpu", 16, 1)


def test_a_worker_computes_on_its_share_of_the_cores(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    real = onnxruntime.InferenceSession

    def session(model: Any, options: Any, providers: Any) -> Any:  # noqa: ANN401
        asked.append(options.intra_op_num_threads)
        return real(model, options, providers=providers)

    monkeypatch.setattr("onnxruntime.InferenceSession", session)
    monkeypatch.setattr("animecut.segmentation.segmenter.available_cores", lambda: 3)  # as limit_cores leaves it
    Segmenter(weights, "cpu")
    assert set(asked) == {3}
    assert available_cores() >= 1
