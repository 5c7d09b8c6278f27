"""Weights as ONNX: made of a .safetensors file where they do not come along, once on a machine."""

import contextlib
import os
import tempfile
from importlib.util import find_spec
from pathlib import Path

from platformdirs import user_cache_path


def kept(sha256: str) -> Path:
    """Where the ONNX made of the weights file with that digest is kept, if it was made."""
    return user_cache_path("animecut", appauthor=False) / "onnx" / f"{sha256}.onnx"


def convert(weights: Path, sha256: str) -> Path | bytes | None:
    """The weights as an ONNX file, kept from now on; what would be in it where there is no room for it.

    None where that cannot be: ONNX is not installed, or has no words for the network. Needs PyTorch.
    sha256: the file's. Raises WeightsError for a file that is no network of ours.
    """
    from animecut.segmentation import weights as weights_file
    from animecut.segmentation.metadata import read_metadata

    architecture, _ = read_metadata(weights_file.metadata(weights), weights)
    if architecture.instances or find_spec("onnx") is None:
        return None
    from animecut.segmentation.onnx_export import to_onnx

    network, provenance = weights_file.load(weights)
    model = to_onnx(network, provenance, sha256)
    try:
        write_whole(kept(sha256), model)
    except OSError:
        return model
    return kept(sha256)


def write_whole(path: Path, data: bytes) -> None:
    """Write a file that is there whole or not at all, its folder too. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise
