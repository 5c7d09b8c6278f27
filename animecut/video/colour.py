"""HDR, wide-gamut and YCgCo video -> sRGB.

Transfer functions: PQ (SMPTE ST 2084), HLG (ARIB STD-B67; its OOTF for a display of 1000 cd/m2, ITU-R BT.2100), BT.709
and BT.2020 (camera's curve undone). Reference white is 203 cd/m2 (ITU-R BT.2408). What is brighter is rolled off
above a knee, in the manner of ITU-R BT.2390, by the brightest channel, so that hues stay.
"""

from functools import cache
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

WHITE = 203.0  # cd/m2, what a white page has in HDR (BT.2408)
KNEE = 0.96  # of reference white; below it brightness stays as it is
STEPS = 65536  # of a table: 16 bits
PQ, HLG = 16, 18  # ITU-T H.273 TransferCharacteristics
LINEAR_CURVE, SRGB_CURVE, GAMMA_22, GAMMA_28 = 8, 13, 4, 5
PRIMARIES = {  # to BT.709, (3, 3), by ITU-R BT.2087 and SMPTE EG 432-1
    9: [[1.660491, -0.587641, -0.072850], [-0.124550, 1.132900, -0.008349], [-0.018151, -0.100579, 1.118730]],
    12: [[1.224940, -0.224940, 0.0], [-0.042057, 1.042057, 0.0], [-0.019638, -0.078636, 1.098274]],
}

LUMA = {
    1: (0.2126, 0.0722),
    4: (0.30, 0.11),
    5: (0.299, 0.114),
    6: (0.299, 0.114),
    7: (0.212, 0.087),
    9: (0.2627, 0.0593),
}
"""Weights of red and blue in the luma, by H.273 MatrixCoefficients."""
YCGCO = 8

Codes = NDArray[np.float32]
"""(H, W, 3) float32 RGB as it is coded, not light; black is 0, white 1."""


class Space(NamedTuple):
    """Of what colours a frame's RGB is: ITU-T H.273 TransferCharacteristics and ColourPrimaries."""

    transfer: int
    primaries: int

    @property
    def is_srgb(self) -> bool:
        """Whether it is shown as sRGB is; what says nothing is, and so is BT.601, whose primaries are close."""
        return self.transfer not in (PQ, HLG) and self.primaries not in PRIMARIES


def yuv_to_rgb(yuv: NDArray[np.uint8] | NDArray[np.uint16], *, depth: int, full: bool, matrix: int) -> Codes:
    """RGB of (H, W, 3) Y, Cb, Cr (or Y, Cg, Co) of `depth` bits; matrix: one of LUMA, or YCGCO.

    swscale does it too, but its white is 0.4 % too dark where it writes more than 8 bits; PQ makes four levels of that.
    """
    if matrix == YCGCO:
        mix = np.array([[1, -1, 1], [1, 1, 0], [1, -1, -1]], np.float64)
    else:
        red, blue = LUMA[matrix]
        green = 1 - red - blue
        b, r = 2 - 2 * blue, 2 - 2 * red
        mix = np.array([[1, 0, r], [1, -b * blue / green, -r * red / green], [1, b, 0]])
    unit = 2.0 ** (depth - 8)
    black, white, half = (0.0, 2.0**depth - 1, 2.0**depth - 1) if full else (16 * unit, 219 * unit, 224 * unit)
    scale = mix / [white, half, half]
    offset = scale @ [black, 128 * unit, 128 * unit]
    wide = yuv.astype(np.float32)
    return np.asarray(cv2.transform(wide, np.hstack([scale, -offset[:, None]]).astype(np.float32)), np.float32)


def to_srgb(rgb: Codes, space: Space) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 sRGB of RGB in another space."""
    if space.is_srgb:
        return np.rint(np.clip(rgb, 0, 1) * 255).astype(np.uint8)
    light = _linear(space.transfer)[np.rint(np.clip(rgb, 0, 1) * (STEPS - 1)).astype(np.uint16)]
    if space.transfer == HLG:  # until here it is the scene's light; the OOTF makes it the display's
        luma = light @ np.array([0.2627, 0.6780, 0.0593], np.float32)
        light = light * (np.power(np.maximum(luma, 1e-6), 0.2) * np.float32(1000 / WHITE))[..., None]
    if space.primaries in PRIMARIES:
        light = np.asarray(cv2.transform(light, np.array(PRIMARIES[space.primaries], np.float32)))
    light = np.maximum(light, 0)
    if space.transfer in (PQ, HLG):
        brightest = np.maximum(light.max(axis=2), KNEE)
        bent = KNEE + (1 - KNEE) * (1 - np.exp((KNEE - brightest) / (1 - KNEE)))
        light = light * (bent / brightest)[..., None]
    return np.asarray(_encoded()[np.rint(np.minimum(light, 1) * (STEPS - 1)).astype(np.uint16)])


@cache
def _linear(transfer: int) -> NDArray[np.float32]:
    """(STEPS,) float32: light of every code."""
    code = np.linspace(0, 1, STEPS)
    if transfer == PQ:
        root = np.power(code, 1 / 78.84375)
        light = np.power(np.maximum(root - 0.8359375, 0) / (18.8515625 - 18.6875 * root), 1 / 0.1593017578125)
        light *= 10000 / WHITE
    elif transfer == HLG:
        a, b, c = 0.17883277, 0.28466892, 0.55991073
        light = np.where(code <= 0.5, code**2 / 3, (np.exp((code - c) / a) + b) / 12)
    elif transfer == LINEAR_CURVE:
        light = code
    elif transfer in (GAMMA_22, GAMMA_28):
        light = code ** (2.2 if transfer == GAMMA_22 else 2.8)
    elif transfer == SRGB_CURVE:
        light = np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4)
    else:  # BT.709's, which BT.2020 shares
        light = np.where(code < 0.081, code / 4.5, ((code + 0.099) / 1.099) ** (1 / 0.45))
    return light.astype(np.float32)


@cache
def _encoded() -> NDArray[np.uint8]:
    """(STEPS,) uint8: sRGB of every amount of light."""
    light = np.linspace(0, 1, STEPS)
    code = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.asarray(np.rint(code * 255), np.uint8)
