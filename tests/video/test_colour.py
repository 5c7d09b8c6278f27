"""Against the standards' own formulas, written in the other direction: what was encoded must come back."""

from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from animecut.video.colour import YCGCO, Space, to_srgb, yuv_to_rgb
from animecut.video.reader import read_clips

Real = NDArray[np.float64]
TO_BT2020 = np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]])  # BT.2087
TO_P3 = np.array([[0.8225, 0.1775, 0.0], [0.0332, 0.9668, 0.0], [0.0171, 0.0724, 0.9105]])  # SMPTE EG 432-1


def colours() -> NDArray[np.uint8]:
    """(1, n, 3) uint8 sRGB: greys, primaries, skin, and a few hundred others."""
    grey = np.repeat(np.arange(0, 256, 5)[:, None], 3, axis=1)
    named = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 224, 196], [20, 20, 60], [255, 255, 255]])
    other = np.random.default_rng(3).integers(0, 256, (300, 3))
    return np.concatenate([grey, named, other])[None].astype(np.uint8)


def light(code: NDArray[np.uint8]) -> Real:
    """Linear light of sRGB, 1 is white (IEC 61966-2-1)."""
    value = code / 255
    return np.asarray(np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4))


def pq(value: Real) -> Real:
    """SMPTE ST 2084, inverse EOTF; 1 is 203 cd/m2."""
    power = (value * 203 / 10000) ** 0.1593017578125
    return np.asarray(((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375)


def hlg(value: Real) -> Real:
    """ARIB STD-B67 on a display of 1000 cd/m2 (BT.2100); 1 is 203 cd/m2."""
    shown = value * 0.203
    luma = shown @ [0.2627, 0.6780, 0.0593]
    scene = shown * np.maximum(luma, 1e-9)[..., None] ** (-1 / 6)
    bright = 0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-9)) + 0.55991073
    return np.asarray(np.where(scene <= 1 / 12, np.sqrt(3 * scene), bright))


def bt709(value: Real) -> Real:
    """BT.709's camera curve, which BT.2020 shares."""
    return np.asarray(np.where(value < 0.018, 4.5 * value, 1.099 * value**0.45 - 0.099))


@pytest.mark.parametrize(
    ("encode", "matrix", "space"),
    [
        (pq, TO_BT2020, Space(16, 9)),
        (hlg, TO_BT2020, Space(18, 9)),
        (bt709, TO_BT2020, Space(1, 9)),
        (bt709, TO_BT2020, Space(14, 9)),
        (lambda value: value ** (1 / 2.2), TO_P3, Space(4, 12)),
    ],
    ids=["pq", "hlg", "bt2020", "bt2020-10", "p3"],
)
def test_what_was_encoded_comes_back(encode: Callable[[Real], Real], matrix: Real, space: Space) -> None:
    codes = encode(np.clip(light(colours()) @ matrix.T, 0, 1)).astype(np.float32)
    off = np.abs(to_srgb(codes, space).astype(int) - colours())
    assert off.max() <= 5  # at white, which the knee lowers; ten bits' worth of room is left to codecs
    assert off[colours().max(axis=2) < 245].max() <= 1


def test_what_is_brighter_than_white_keeps_its_order_and_its_hue() -> None:
    values = np.array([0.5, 0.9, 1.0, 1.04])
    grey = to_srgb(pq(np.repeat(values[None, :, None], 3, axis=2)).astype(np.float32), Space(16, 9))[0]
    assert (np.diff(grey[:, 0].astype(int)) > 0).all()
    red, green, _ = to_srgb(pq(np.array([[[4.0, 2.0, 1.0]]])).astype(np.float32), Space(16, 1))[0, 0].tolist()
    assert light(np.array(green, np.uint8)) / light(np.array(red, np.uint8)) == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("depth", [8, 10, 12])
@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize(("matrix", "red", "blue"), [(1, 0.2126, 0.0722), (6, 0.299, 0.114), (9, 0.2627, 0.0593)])
def test_luma_and_chroma_become_rgb(matrix: int, red: float, blue: float, full: bool, depth: int) -> None:
    rgb = colours() / 255
    luma = rgb @ [red, 1 - red - blue, blue]
    planes = luma, (rgb[..., 2] - luma) / (2 - 2 * blue), (rgb[..., 0] - luma) / (2 - 2 * red)
    back = yuv_to_rgb(coded(planes, full, depth), depth=depth, full=full, matrix=matrix)
    assert np.abs(back - rgb).max() * 255 <= (2.1 if depth == 8 else 0.6)


@pytest.mark.parametrize("full", [False, True])
def test_ycgco(full: bool) -> None:
    rgb = colours() / 255
    red, green, blue = np.moveaxis(rgb, 2, 0)
    planes = (red + 2 * green + blue) / 4, (2 * green - red - blue) / 4, (red - blue) / 2  # H.273, 8.3
    back = yuv_to_rgb(coded(planes, full, 8), depth=8, full=full, matrix=YCGCO)
    assert np.abs(back - rgb).max() * 255 <= 2.1


def test_srgb_stays_as_it_is() -> None:
    for space in (Space(2, 2), Space(1, 1), Space(6, 6), Space(13, 1)):
        assert space.is_srgb
        assert (to_srgb((colours() / 255).astype(np.float32), space) == colours()).all()


def coded(planes: tuple[Real, Real, Real], full: bool, depth: int) -> NDArray[np.uint16]:
    """(H, W, 3) uint16 of `depth` bits: luma 0..1 and chroma -0.5..0.5 by H.273, 8.3."""
    unit, top = 2 ** (depth - 8), 2**depth - 1
    luma, *chroma = planes
    if full:
        values = [luma * top, *(plane * top + 128 * unit for plane in chroma)]
    else:
        values = [(219 * luma + 16) * unit, *((224 * plane + 128) * unit for plane in chroma)]
    return np.asarray(np.clip(np.rint(np.stack(values, axis=2)), 0, top), np.uint16)


def test_hdr_video_is_read_as_srgb(tmp_path: Path) -> None:
    code = np.repeat(np.repeat(colours()[:, :64].reshape(8, 8, 3), 16, axis=0), 16, axis=1)
    red, green, blue = np.moveaxis(pq(light(code) @ TO_BT2020.T), 2, 0)
    luma = 0.2627 * red + 0.6780 * green + 0.0593 * blue
    planes = luma * 876 + 64, (blue - luma) / 1.8814 * 896 + 512, (red - luma) / 1.4746 * 896 + 512
    frame = av.VideoFrame(128, 128, "yuv444p10le")
    for plane, values in zip(frame.planes, planes, strict=True):
        rows = np.zeros((128, plane.line_size // 2), np.uint16)
        rows[:, :128] = np.rint(values)
        plane.update(rows.tobytes())
    path = tmp_path / "clip.mkv"
    with av.open(str(path), "w") as file:
        stream = file.add_stream("ffv1", rate=24)
        stream.width, stream.height, stream.pix_fmt = 128, 128, "yuv444p10le"
        context = stream.codec_context
        context.color_range, context.colorspace, context.color_trc, context.color_primaries = 1, 9, 16, 9
        frame.color_range, frame.colorspace, frame.color_trc, frame.color_primaries = 1, 9, 16, 9
        file.mux(stream.encode(frame))
        file.mux(stream.encode())
    (clip,) = read_clips(path)
    off = np.abs(clip.pixels[0].astype(int) - code)
    assert np.percentile(off, 99) <= 2
    assert off[code.min(axis=2) > 0].max() <= 6  # beside none of a colour, ten bits have no finer steps
