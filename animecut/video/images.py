"""GIF, PNG, WebP and other canvases -> pictures with their times, by Pillow."""

import warnings
from collections.abc import Generator
from contextlib import suppress
from functools import cache, partial
from importlib import import_module
from io import BytesIO
from itertools import count
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, ImageOps

from animecut.video.source import Picture, TimedPicture, Truncated, check_size, input_error

STILL_SECONDS = 1.0  # how long a picture that does not move is shown
HASTY_MS, INSTEAD_MS = 11, 100  # browsers show what asks for less than 11 ms (GIF: 0 or 1 ticks) for 100 ms
CANVASES = ("GIF", "PNG", "WEBP", "AVIF", "JPEG", "BMP", "JPEG2000", "TIFF", "HEIF")
PAGES = ("MPO", "TIFF", "HEIF")  # may hold several pictures, which are no animation
HEIC = (b"ftypheic", b"ftypheix", b"ftypmif1")  # brands of photographs (ISO/IEC 23008-12)


def opened(path: Path) -> Image.Image | None:
    """The file as Pillow opens it, or None where it is left to FFmpeg. Raises InputError where it is too large."""
    Image.init()
    if "HEIF" not in Image.OPEN and _head(path)[4:] in HEIC:
        with suppress(ImportError):
            import_module("pillow_heif").register_heif_opener()
    with warnings.catch_warnings(action="ignore"):
        try:
            return Image.open(path, formats=[name for name in CANVASES if name in Image.OPEN])
        except Image.DecompressionBombError as error:
            raise input_error(path, "its picture is too large to be opened; scale it down") from error
        except Exception:  # noqa: BLE001 foreign bytes make Pillow raise anything; FFmpeg says whether they are a video
            return None


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(12)


def moves(image: Image.Image) -> bool:
    """Whether it is an animation. A photograph may hold further pictures, which are none."""
    try:
        return image.format not in PAGES and bool(getattr(image, "is_animated", False))
    except Exception:  # noqa: BLE001 Pillow looks for a second picture, and raises anything where that is damaged
        return True


def pictures(path: Path, image: Image.Image, max_pixels: int) -> Generator[TimedPicture]:
    """The picture of a still, or the pictures of an animation. Closes the image. Raises BreaksOff."""
    with image:
        check_size(path, *image.size, max_pixels)
        mode = "RGBA" if image.format == "GIF" or image.has_transparency_data else "RGB"
        moving, size, past_ms = moves(image), image.size, 0.0
        first = int(getattr(image, "default_image", False))  # of an APNG: for viewers that cannot animate
        for index in count(first) if moving else [0]:
            with warnings.catch_warnings(action="ignore"):
                try:
                    image.seek(index)
                    pixels = _pixels(image, mode, size)
                except EOFError:
                    return
                except Exception as error:  # Pillow raises anything at damage
                    raise Truncated from error
            asked_ms = image.info.get("duration", 0)
            shown_ms = asked_ms if asked_ms >= HASTY_MS else INSTEAD_MS
            yield TimedPicture(
                past_ms / 1000, shown_ms / 1000 if moving else STILL_SECONDS, partial(np.asarray, pixels)
            )
            past_ms += shown_ms


def _pixels(image: Image.Image, mode: str, size: tuple[int, int]) -> Picture:
    """The current picture, upright. What hangs over the canvas's `size` (width, height), as GIF may, is cropped."""
    profile = image.info.get("icc_profile")
    if image.mode.startswith("I;16"):  # convert() would clip at 255
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    turned = ImageOps.exif_transpose(image)
    whole = (0, 0, *(size if turned.size == image.size else size[::-1]))
    picture = turned.convert(mode).crop(whole)
    seen = None if profile is None else _in_srgb(turned if turned.mode in ("L", "CMYK") else picture, profile)
    if seen is not None:
        seen = seen.crop(whole)
        if mode == "RGBA":
            seen.putalpha(picture.getchannel("A"))
        picture = seen
    return np.asarray(picture)


def _in_srgb(image: Image.Image, profile: bytes) -> Image.Image | None:
    """RGB of a picture with an ICC profile, relative colorimetric; None where the profile is none that fits it."""
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        space = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}[source.profile.xcolor_space.strip()]
        plain = image if image.mode == space else image.convert(space)
        intent = ImageCms.Intent.RELATIVE_COLORIMETRIC
        return ImageCms.profileToProfile(plain, source, _srgb(), renderingIntent=intent, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, KeyError, ValueError):
        return None


@cache
def _srgb() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
