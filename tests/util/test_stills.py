import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from animecut._util.images import read_bgr

PICTURE = np.full((3, 4, 4), (1, 2, 250, 200), np.uint8)


@pytest.mark.parametrize("name", [b"a.png", b"caf\xe9.png"])
def test_a_picture_is_read_whatever_its_name(name: bytes, tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(name)
    path.write_bytes(cv2.imencode(".png", PICTURE)[1].tobytes())
    whole, colour = read_bgr(path, cv2.IMREAD_UNCHANGED), read_bgr(path)
    assert whole is not None
    assert colour is not None
    assert (whole == PICTURE).all()
    assert (colour == PICTURE[..., :3]).all()


def test_what_is_no_picture_is_none(tmp_path: Path) -> None:
    (tmp_path / "empty.png").touch()
    (tmp_path / "text.png").write_text("no picture")
    for name in ("", "missing.png", "empty.png", "text.png"):
        assert read_bgr(tmp_path / name) is None
