from pathlib import Path

import pytest
import torch
from animecut_training.init.soup import blend

from animecut.errors import SettingsError
from animecut.segmentation.weights import Architecture, PSPNet, load, save
from tests.quality.folds import unseen


def made(folder: Path, seed: int, width: int = 16) -> Path:
    torch.manual_seed(seed)
    file = folder / f"{seed}-{width}.safetensors"
    save(PSPNet(Architecture(width=width, decoder=(8,))), file, {"seed": seed})
    return file


def test_weights_are_their_weighted_mean_and_tell_where_from(tmp_path: Path) -> None:
    a, b, out = made(tmp_path, 1), made(tmp_path, 2), tmp_path / "out.safetensors"
    blend([a, b], [3, 1], out)
    first, second, (mean, about) = load(a)[0], load(b)[0], load(out)
    for p, q, m in zip(first.parameters(), second.parameters(), mean.parameters(), strict=True):
        torch.testing.assert_close(m, 0.75 * p + 0.25 * q, atol=1e-3, rtol=1e-3)
    assert about["blend"] == [{"share": 0.75, "seed": 1}, {"share": 0.25, "seed": 2}]


def test_what_has_no_mean_is_refused(tmp_path: Path) -> None:
    a, b = made(tmp_path, 1), made(tmp_path, 1, width=8)
    for files, shares in (([a, b], [1.0, 1.0]), ([a], [1.0]), ([a, a], [1.0]), ([a, a], [1.0, 0.0])):
        with pytest.raises(SettingsError):
            blend(files, shares, tmp_path / "out.safetensors")
    assert not (tmp_path / "out.safetensors").exists()


def test_the_base_that_is_kept_has_seen_no_labelled_frame() -> None:
    _, made_of = load(Path(__file__).parents[3] / "training" / "recipes" / "composed.safetensors")
    assert unseen(made_of, {"1", "2"}) == {"1", "2"}
