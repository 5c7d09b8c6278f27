import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from animecut.cli import doctor, examine
from animecut.segmentation import weights as weight_files
from animecut.types import Alpha, Pixels
from tests import world

RUNNER = CliRunner()
LOOKED_AT = ["cores", "memory", "disk", "decoders", "encoders", "matting", "weights", "device", "self-test"]


class Fast:
    """In place of a Segmenter."""

    device_name, batch_size = "cpu (colour)", 2

    def __init__(self, weights: Path, device: str, batch_size: int) -> None:
        pass

    def __call__(self, pixels: Pixels) -> Alpha:
        return world.see(pixels)


@pytest.fixture(autouse=True)
def healthy(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with room, and no waiting for a rate."""
    monkeypatch.setattr(examine, "SECONDS", 0.01)
    monkeypatch.setattr(examine, "NEEDED_MEMORY", 0)
    monkeypatch.setattr(examine, "NEEDED_DISK", 0)
    monkeypatch.setattr(examine, "Segmenter", Fast)


def test_all_is_well_here() -> None:
    done = RUNNER.invoke(doctor.app, ["--json"])
    found = {line["name"]: line for line in map(json.loads, done.stdout.splitlines())}
    assert (done.exit_code, list(found)) == (0, LOOKED_AT), done.output
    assert all(line["well"] for line in found.values())
    assert weight_files.digest(weight_files.DEFAULT_WEIGHTS) in found["weights"]["words"]
    assert found["device"]["words"] == "cpu (colour)"
    assert "drawings per second" in found["self-test"]["words"]


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def no_encoder(*_: object, **__: object) -> None:
        raise ValueError("no codec\nlibvpx-vp9")

    monkeypatch.setattr(examine, "NEEDED_MEMORY", 1e15)
    monkeypatch.setattr(examine, "NEEDED_DISK", 1e18)
    monkeypatch.setattr(examine, "write_sticker", no_encoder)
    monkeypatch.setattr("animecut.video.ffmpeg.DECODERS", ("h264", "a codec of tomorrow"))
    monkeypatch.setattr(Fast, "__call__", lambda self, pixels: np.full((2, 9, 16), np.nan, np.float32))
    done = RUNNER.invoke(doctor.app, ["--weights", str(tmp_path / "none.safetensors")])
    assert done.exit_code == 1
    bad = {line.split()[1]: line for line in done.stdout.splitlines() if line.startswith("BAD")}
    assert list(bad) == ["memory", "disk", "decoders", "encoders", "weights", "self-test"]
    assert "--jobs 1" in bad["memory"]
    assert "TMPDIR" in bad["disk"]
    assert "a codec of tomorrow" in bad["decoders"]
    assert "no codec libvpx-vp9" in bad["encoders"]
    assert "none.safetensors" in bad["weights"]
    assert "nonsense" in bad["self-test"]


def test_a_device_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    done = RUNNER.invoke(doctor.app, ["--device", "tpu"])
    assert done.exit_code == 1
    assert done.stdout.splitlines()[-1].startswith("BAD device    --device tpu: unknown")
