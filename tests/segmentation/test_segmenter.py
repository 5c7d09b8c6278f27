from pathlib import Path
from typing import NoReturn

import cv2
import numpy as np
import pytest
import torch

from animecut._util.images import VIEW_SIDE, make_view
from animecut.errors import DeviceError, WeightsError
from animecut.matte.matting import refine
from animecut.segmentation import color_crf
from animecut.segmentation import segmenter as segmenters
from animecut.segmentation import weights as weight_files
from animecut.segmentation.segmenter import Segmenter, choose_device
from animecut.segmentation.weights import Architecture, PSPNet
from tests.world import drawing


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small network with random weights: enough to see what flows in and out."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "w.safetensors"
    weight_files.save(PSPNet(Architecture(width=16, decoder=(8, 8))), path, {})
    return path


@pytest.fixture
def pixels() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 255, (5, 64, 112, 3), dtype=np.uint8)


def test_alpha_is_a_coarse_grid_over_the_whole_picture(weights: Path, pixels: np.ndarray) -> None:
    alpha = Segmenter(weights, "cpu")(pixels)
    assert alpha.dtype == np.float32
    assert alpha.shape == (5, 256, VIEW_SIDE)
    assert alpha.min() >= 0
    assert alpha.max() <= 1


def test_a_picture_has_the_same_mask_alone_and_among_others(weights: Path, pixels: np.ndarray) -> None:
    together = Segmenter(weights, "cpu", batch_size=16)(pixels)
    alone = np.concatenate([Segmenter(weights, "cpu", batch_size=1)(picture[None]) for picture in pixels])
    assert (together == alone).all()


def test_probabilities_are_never_stretched(weights: Path) -> None:
    """Nothing to see must not become a mask, as it does where each picture is normalised by its own extremes."""
    flat = np.full((1, 64, 64, 3), 128, np.uint8)
    alpha = Segmenter(weights, "cpu")(flat)
    assert np.ptp(alpha) < 0.5


def test_places_of_one_colour_are_heard(weights: Path, pixels: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    said = []

    def heard(rgb: torch.Tensor, odds: torch.Tensor) -> torch.Tensor:
        said.append((rgb, odds))
        return torch.full_like(odds, 2.0)

    monkeypatch.setattr(color_crf, "refine_by_color", heard)
    segmenter = Segmenter(weights, "cpu")
    assert segmenter(pixels[:1]) == pytest.approx(1 / (1 + np.exp(-2.0)))
    (rgb, odds), *_ = said
    assert (rgb * 255).permute(0, 2, 3, 1).numpy() == pytest.approx(make_view(pixels[0])[None], abs=1e-3)
    alone = segmenter._network.alpha(rgb.to(segmenter.dtype))
    assert odds.sigmoid().numpy() == pytest.approx(alone.detach().numpy(), abs=0.01)


def test_what_a_network_cannot_say_is_as_likely_as_not(
    weights: Path, pixels: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    segmenter = Segmenter(weights, "cpu")
    odds = torch.full((1, 256, VIEW_SIDE), -20.0)
    odds[0, 6, 6], odds[0, 100, 100] = torch.nan, torch.inf  # one stands where somebody speaks
    monkeypatch.setattr(segmenter._network, "odds", lambda rgb: odds)
    alpha = segmenter(pixels[:1])
    assert np.isfinite(alpha).all()
    assert (alpha > 0.4).sum() == 2


def test_transparency_is_not_looked_at(weights: Path, pixels: np.ndarray) -> None:
    segmenter = Segmenter(weights, "cpu")
    rgba = np.concatenate([pixels, np.zeros_like(pixels[..., :1])], axis=3)
    assert (segmenter(rgba) == segmenter(pixels)).all()


@pytest.mark.parametrize("size", [(1, 1), (2, 900), (900, 3)])
def test_odd_shapes_pass(weights: Path, size: tuple[int, int]) -> None:
    alpha = Segmenter(weights, "cpu")(np.zeros((1, *size, 3), np.uint8))
    assert min(alpha.shape[1:]) >= 32


def test_a_device_that_is_not_there_is_an_error_and_never_a_silent_fall_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(DeviceError, match="`device` cuda"):
        choose_device("cuda")
    with pytest.raises(DeviceError, match="unknown"):
        choose_device("tpu")
    assert choose_device("auto").type in ("cpu", "mps")


def test_auto_takes_the_gpu_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert choose_device("auto").type == "cuda"


def _with_room_for(most: int, segmenter: Segmenter, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Pretend that the device has memory for so many pictures at once; gives how many each call of the network had."""
    batches: list[int] = []
    forward = segmenter._forward

    def limited(small: np.ndarray) -> np.ndarray:
        batches.append(len(small))
        if len(small) > most:
            raise torch.OutOfMemoryError
        return forward(small)

    monkeypatch.setattr(segmenter, "_forward", limited)
    return batches


@pytest.mark.parametrize(("free", "batch_size"), [(80 * 2**30, 16), (320 * 2**20, 5), (2**20, 1)])
def test_a_gpu_short_of_memory_is_given_fewer_pictures(
    free: int, batch_size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (free, 80 * 2**30))
    assert segmenters._at_once(torch.device("cuda"), 16) == batch_size


@pytest.mark.parametrize("error", [torch.OutOfMemoryError, RuntimeError])  # CUDA's own, where not even it has room
@pytest.mark.parametrize("where", ["torch.cuda.mem_get_info", "torch.nn.Module.to"])
def test_a_gpu_that_is_full_before_it_begins_says_what_to_do(
    weights: Path, error: type[RuntimeError], where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> NoReturn:
        raise error("CUDA error: out of memory\nCompile with TORCH_USE_CUDA_DSA")

    monkeypatch.setattr(segmenters, "choose_device", torch.device)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (2**30, 2**30))
    monkeypatch.setattr(where, full)
    with pytest.raises(DeviceError, match=r"^cuda: CUDA error: out of memory; .*`device` cpu$"):
        Segmenter(weights, "cuda")


@pytest.mark.parametrize("name", ["cpu:x", "cuda:99", "xpu", "tpu", ""])
def test_a_device_that_is_not_there_is_one_line(name: str) -> None:
    with pytest.raises(DeviceError, match=rf"^`device` ?{name}: (unknown|PyTorch finds no such)"):
        choose_device(name)


def test_batches_that_do_not_fit_are_halved_and_stay_so(
    weights: Path, pixels: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    segmenter = Segmenter(weights, "cpu")
    alone = segmenter(pixels)
    segmenter.batch_size = 8  # as on a GPU
    batches = _with_room_for(2, segmenter, monkeypatch)
    assert np.allclose(segmenter(pixels), alone, atol=0.02)
    assert batches == [5, 4, 2, 2, 1]
    segmenter(pixels[:2])
    assert batches[5:] == [2]


def test_out_of_memory_with_one_picture_says_what_to_do(
    weights: Path, pixels: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    segmenter = Segmenter(weights, "cpu")
    _with_room_for(0, segmenter, monkeypatch)
    with pytest.raises(DeviceError, match="`device` cpu"):
        segmenter(pixels)


@pytest.mark.parametrize(("surest", "alpha"), [(0, 0.0), (1, 0.5), (2, 1.0)])
def test_the_unknown_of_a_trimap_is_left_to_the_matting(
    tmp_path: Path, surest: int, alpha: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(color_crf, "refine_by_color", lambda rgb, odds: pytest.fail("it was heard"))
    net = PSPNet(Architecture(width=8, decoder=(), classes=("background", "unknown", "character")))
    with torch.no_grad():
        net.classifier.weight.zero_()
        assert net.classifier.bias is not None
        net.classifier.bias.copy_(torch.eye(3)[surest] * 30)
    weight_files.save(net, tmp_path / "w.safetensors", {})
    seen = Segmenter(tmp_path / "w.safetensors", "cpu")(np.zeros((1, 64, 64, 3), np.uint8))
    assert seen.shape[1:] == (VIEW_SIDE, VIEW_SIDE)
    assert np.allclose(seen, alpha, atol=1e-3)


def test_a_trimap_is_matted_where_it_is_unknown() -> None:
    """The unknown is 18 pixels wide, six times what is doubted along any edge; its middle is 5 pixels off the truth."""
    rgb, truth = drawing(128)
    wide, narrow = (cv2.dilate(truth, np.ones((24, 24))), cv2.erode(truth, np.ones((6, 6))))
    trimap = np.where(narrow > 0.95, 1.0, np.where(wide < 0.05, 0.0, 0.5)).astype(np.float32)
    matted = refine(rgb, trimap, grain=1.0)[0][..., 3] / 255
    assert np.abs(matted - truth).mean() < 0.2 * np.abs(trimap - truth).mean()


def test_foreign_weights_are_refused(tmp_path: Path) -> None:
    (tmp_path / "w.pth").write_bytes(b"PK")
    with pytest.raises(WeightsError):
        segmenters.Segmenter(tmp_path / "w.pth", "cpu")


def test_the_device_is_named_with_its_precision(weights: Path) -> None:
    assert Segmenter(weights, "cpu").device_name in ("cpu (bfloat16)", "cpu (float32)")
