"""Pictures with a colour profile, of further kinds, and what is no picture: each made here, and refused in words."""

import gzip
import json
import struct
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from animecut.errors import InputError
from animecut.video.reader import read_clips
from tests.video.test_colour import colours, light

Picture = NDArray[np.uint8]
# Red, green and blue of Display P3 and Adobe RGB (1998) in XYZ of D50, as their profiles have them
P3 = (0.5151, 0.2412, -0.0011), (0.2920, 0.6922, 0.0419), (0.1571, 0.0666, 0.7841)
ADOBE = (0.6097, 0.3111, 0.0195), (0.2053, 0.6257, 0.0609), (0.1492, 0.0632, 0.7446)
SRGB = (0.4361, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7141)
GAMMA = 563 / 256


def profile(columns: tuple[tuple[float, ...], ...], space: bytes = b"RGB ") -> bytes:
    """An ICC profile of version 2 with a gamma of 563/256; of greys where there are no columns."""

    def fixed(values: tuple[float, ...]) -> bytes:
        return b"".join(struct.pack(">i", round(value * 65536)) for value in values)

    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, 563) + bytes(2)
    tags = {b"wtpt": b"XYZ " + bytes(4) + fixed((0.9642, 1, 0.8249))}
    tags |= {
        name + b"XYZ": b"XYZ " + bytes(4) + fixed(column)
        for name, column in zip((b"r", b"g", b"b"), columns, strict=False)
    }
    names = (b"rTRC", b"gTRC", b"bTRC") if columns else (b"kTRC",)
    tags |= dict.fromkeys(names, curve)
    place, table, body = 132 + 12 * len(tags), b"", b""
    for name, value in tags.items():
        table += name + struct.pack(">II", place + len(body), len(value))
        body += value
    head = bytearray(128)
    head[8:10], head[12:16], head[16:20], head[20:24], head[36:40] = b"\2\x40", b"mntr", space, b"XYZ ", b"acsp"
    head[68:80] = fixed((0.9642, 1, 0.8249))
    head[:4] = struct.pack(">I", place + len(body))
    return bytes(head) + struct.pack(">I", len(tags)) + table + body


def in_space(code: Picture, columns: tuple[tuple[float, ...], ...]) -> Picture:
    """The same colours, where the space has them, as codes of a space with that gamma."""
    inside = light(code) @ np.array(SRGB) @ np.linalg.inv(np.array(columns))
    return np.asarray(np.rint(255 * np.clip(inside, 0, 1) ** (1 / GAMMA)), np.uint8)


def only(path: Path) -> Picture:
    """The picture of a still."""
    (clip,) = read_clips(path)
    assert len(clip) == 1
    return np.asarray(clip.pixels[0])


@pytest.mark.parametrize("columns", [P3, ADOBE], ids=["p3", "adobe"])
@pytest.mark.parametrize("suffix", ["png", "webp", "tif"])
def test_a_colour_profile_is_turned_into_srgb(
    tmp_path: Path, suffix: str, columns: tuple[tuple[float, ...], ...]
) -> None:
    path, coded = tmp_path / f"still.{suffix}", in_space(colours(), columns)
    Image.fromarray(coded).save(path, icc_profile=profile(columns), lossless=True)
    inside = np.clip((coded / 255) ** GAMMA @ np.array(columns) @ np.linalg.inv(np.array(SRGB)), 0, 1)
    right = 255 * np.where(inside <= 0.0031308, 12.92 * inside, 1.055 * inside ** (1 / 2.4) - 0.055)
    assert np.abs(only(path) - right).max() <= 1


def test_alpha_is_kept_beside_a_colour_profile(tmp_path: Path) -> None:
    code = np.dstack([in_space(colours(), P3), np.arange(colours().shape[1], dtype=np.uint16)[None].astype(np.uint8)])
    Image.fromarray(code).save(tmp_path / "still.png", icc_profile=profile(P3))
    assert (only(tmp_path / "still.png")[..., 3] == code[..., 3]).all()


def test_a_grey_profile_and_a_profile_that_is_none(tmp_path: Path) -> None:
    grey = np.full((8, 8), 128, np.uint8)
    Image.fromarray(grey).save(tmp_path / "grey.png", icc_profile=profile((), b"GRAY"))
    assert np.abs(only(tmp_path / "grey.png").astype(int) - 128).max() <= 1  # gamma 2.2 is near sRGB's curve there
    Image.fromarray(grey).save(tmp_path / "none.png", icc_profile=b"no profile")
    assert (only(tmp_path / "none.png") == 128).all()


@pytest.mark.parametrize("suffix", ["tif", "jp2", "heic"])
def test_further_kinds_of_stills(tmp_path: Path, suffix: str) -> None:
    path, y = tmp_path / f"still.{suffix}", np.mgrid[:64, :96][0]
    picture = np.dstack([y * 3, 255 - y * 3, np.full_like(y, 90)]).astype(np.uint8)
    if suffix == "heic":
        heif = pytest.importorskip("pillow_heif")
        heif.from_pillow(Image.fromarray(picture)).save(path, quality=-1, chroma=444, matrix_coefficients=0)
    else:
        Image.fromarray(picture).save(path)
    assert np.abs(only(path).astype(int) - picture).max() <= 2


def not_pixels(folder: Path) -> dict[str, tuple[Path, str]]:
    """Files that hold no pixels, and a word that the refusal must have."""
    lottie = json.dumps({"v": "5.5", "fr": 60, "ip": 0, "op": 180, "w": 512, "h": 512, "layers": []}).encode()
    made = {
        "jxl": (b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(40), "JPEG XL"),
        "bare.jxl": (b"\xff\x0a" + bytes(40), "JPEG XL"),
        "tgs": (gzip.compress(lottie), "Telegram"),
        "json": (lottie, "Lottie"),
        "gz": (gzip.compress(b"clip"), "gzip"),
        "html": (b"\xef\xbb\xbf\n<!DOCTYPE html><html>", "web page"),
        "svg": (b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>', "SVG"),
        "pdf": (b"%PDF-1.7\n" + bytes(40), "PDF"),
        "psd": (b"8BPS\0\1" + bytes(40), "Photoshop"),
    }
    found = {}
    for name, (content, word) in made.items():
        (folder / f"it.{name}").write_bytes(content)
        found[name] = folder / f"it.{name}", word
    with zipfile.ZipFile(folder / "it.lottie", "w") as archive:
        archive.writestr("manifest.json", "{}")
    with tarfile.open(folder / "it.tar", "w") as tar:
        tar.add(folder / "it.pdf")
    return found | {"lottie": (folder / "it.lottie", "archive"), "tar": (folder / "it.tar", "tar")}


def test_what_holds_no_pixels_is_refused_with_the_right_reason(tmp_path: Path) -> None:
    for path, word in not_pixels(tmp_path).values():
        with pytest.raises(InputError) as caught:
            next(read_clips(path))
        assert word in str(caught.value), path
        assert "cut off" not in str(caught.value), path
