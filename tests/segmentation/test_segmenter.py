import subprocess
import sys
from pathlib import Path

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
from animecut.segmentation.engine import Scores
from animecut.segmentation.segmenter import Segmenter
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


class Says:
    """In place of an engine: the same scores for every picture."""

    name, batch_size = "cpu (made up)", 1

    def __init__(self, scores: Scores, architecture: Architecture | None = None) -> None:
        self.scores, self.architecture = scores, architecture or Architecture()
        self.provenance: dict[str, object] = {}

    def __call__(self, views: np.ndarray) -> Scores:
        return np.repeat(self.scores[None], len(views), 0)


def saying(monkeypatch: pytest.MonkeyPatch, scores: Scores, architecture: Architecture | None = None) -> Segmenter:
    monkeypatch.setattr(segmenters, "open_engine", lambda *_: Says(scores, architecture))
    return Segmenter(device="cpu")


@pytest.mark.parametrize("classes", [("background", "character"), ("character", "background")])
def test_places_of_one_colour_are_heard(
    pixels: np.ndarray, monkeypatch: pytest.MonkeyPatch, classes: tuple[str, str]
) -> None:
    said = []

    def heard(rgb: np.ndarray, odds: np.ndarray) -> np.ndarray:
        said.append((rgb, odds))
        return np.full_like(odds, 2.0)

    monkeypatch.setattr(color_crf, "refine_by_color", heard)
    scores = np.zeros((2, 256, VIEW_SIDE), np.float32)
    scores[classes.index("character")] = 1.5
    scores[classes.index("background")] = -1.0
    segmenter = saying(monkeypatch, scores, Architecture(classes=classes))
    assert segmenter(pixels[:1]) == pytest.approx(1 / (1 + np.exp(-2.0)))
    (rgb, odds), *_ = said
    assert (rgb == make_view(pixels[0])).all()
    assert (odds == 2.5).all()


def test_a_network_is_never_surer_than_sure(pixels: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    scores = np.zeros((2, 256, VIEW_SIDE), np.float32)
    scores[1] = -np.inf
    scores[1, 100, 100] = np.inf
    alpha = saying(monkeypatch, scores)(pixels[:1])
    assert alpha[0, 100, 100] == pytest.approx(1 / (1 + np.exp(-segmenters.SUREST)))
    assert np.median(alpha) == pytest.approx(1 / (1 + np.exp(segmenters.SUREST)))


@pytest.mark.parametrize(
    "architecture", [Architecture(), Architecture(classes=("background", "unknown", "character")),
                     Architecture(instances=True)]
)  # fmt: skip
def test_what_is_no_number_is_an_error_and_no_doubt(
    pixels: np.ndarray, monkeypatch: pytest.MonkeyPatch, architecture: Architecture
) -> None:
    """A broken device, or weights with a NaN in them."""
    scores = np.full((len(architecture.classes), 256, VIEW_SIDE), 0.5, np.float32)
    scores[:, 6, 6] = np.nan  # where somebody speaks
    with pytest.raises(DeviceError, match="no number"):
        saying(monkeypatch, scores, architecture)(pixels[:1])


def test_transparency_is_not_looked_at(weights: Path, pixels: np.ndarray) -> None:
    segmenter = Segmenter(weights, "cpu")
    rgba = np.concatenate([pixels, np.zeros_like(pixels[..., :1])], axis=3)
    assert (segmenter(rgba) == segmenter(pixels)).all()


@pytest.mark.parametrize("size", [(1, 1), (2, 900), (900, 3)])
def test_odd_shapes_pass(weights: Path, size: tuple[int, int]) -> None:
    alpha = Segmenter(weights, "cpu")(np.zeros((1, *size, 3), np.uint8))
    assert min(alpha.shape[1:]) >= 32


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
    assert Segmenter(weights, "cpu").device_name == "cpu (ONNX Runtime, float32)"


def test_no_runtime_is_imported_before_there_is_an_engine() -> None:
    code = "import sys, animecut.segmentation.segmenter; print({'torch', 'onnx', 'onnxruntime'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_the_shipped_network_cuts_without_torch_numba_and_onnx() -> None:
    code = (
        "import sys, numpy as np\n"
        "for name in ('torch', 'torchvision', 'safetensors', 'numba', 'pymatting', 'onnx'): sys.modules[name] = None\n"
        "from animecut.segmentation.segmenter import Segmenter\n"
        "segmenter = Segmenter(device='cpu')\n"
        "print(segmenter(np.zeros((1, 64, 64, 3), np.uint8)).shape, segmenter.device_name)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "(1, 448, 448) cpu (ONNX Runtime, float32)"
