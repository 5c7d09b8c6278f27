"""labelme's JSON: shapes drawn over a picture, https://github.com/wkentaro/labelme."""

import base64
import binascii
import json
import math
from collections.abc import Hashable, Sequence
from pathlib import Path, PureWindowsPath
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from animecut._util.images import read_bgr
from animecut.errors import InputError, OutputError, reason_of
from animecut_training.data.classes import BACKGROUND, Classes, Mask, instance_number

VERSION = "5.4.1"  # of the format that is written; labelme of any later version reads it
LINE_WIDTH = 10  # pixels, as labelme draws lines and line strips
POINT_RADIUS = 5  # pixels, as labelme draws points
SPECK = 30.0  # square pixels: smaller islands and holes are noise of a prediction, not worth a polygon


def read_labelme(path: Path, labels: dict[str, Any], root: Path, classes: Classes) -> tuple[NDArray[np.uint8], Mask]:
    """The picture (H, W, 3) RGB and its mask; later shapes lie over earlier ones, as labelme has it.

    path: the JSON file.  labels: what it holds.  root: folder that the picture must lie in.
    Raises InputError: no picture, a path that leads out of the folder, a shape or a label that is not known.
    """
    try:
        rgb = _picture(path, labels, root)
        height, width = rgb.shape[:2]
        declared = labels.get("imageWidth") or width, labels.get("imageHeight") or height
        if declared != (width, height):
            raise InputError(f"labelled at {declared[0]}x{declared[1]}, but its picture is {width}x{height}")
        mask = np.zeros((height, width), np.uint8)
        known: dict[Hashable, int] = {}
        for i, shape in enumerate(labels["shapes"]):
            group = shape.get("group_id")  # of shapes that are one character, as labelme has it
            who = ("shape", i) if group is None else ("group", group)
            mask[_drawn(shape, height, width)] = instance_number(classes.of_name(shape["label"]), who, known)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, OSError) as error:
        raise InputError(f"{path}: not a labelme file that can be read ({type(error).__name__}: {error})") from error
    return rgb, mask


def picture_of(path: Path, labels: dict[str, Any], root: Path) -> Path | None:
    """The file that a labelme JSON was drawn over; None where it is not there.

    Raises InputError where its path leads out of the folder `root`.
    """
    named = PureWindowsPath(str(labels.get("imagePath") or "")).as_posix()
    try:
        picture = (path.parent / named).resolve()
        is_there = picture.is_file()
    except (OSError, ValueError, RuntimeError) as error:  # too long a name, a zero in it, links in a circle
        raise InputError(f"{path}: imagePath {named[:80]!r} cannot be a file's; put the picture beside it") from error
    if not picture.is_relative_to(root.resolve()):
        raise InputError(f"{path}: imagePath {named} leads out of the folder {root}; put the picture beside it")
    return picture if is_there else None


def write_labelme(path: Path, picture: Path, mask: NDArray[np.bool_], tolerance: float) -> None:
    """Write a mask as labelme JSON: islands as "character", their holes as "_background_" on top of them.

    picture: file beside `path`.  tolerance: pixels that the polygons may deviate by.
    """
    shapes = [_shape(label, points) for label, points in polygons(mask, tolerance)]
    save_labelme(path, shapes, picture, mask.shape)


def save_labelme(path: Path, shapes: Sequence[dict[str, Any]], picture: Path, shape: tuple[int, ...]) -> None:
    """Write shapes as labelme writes them, the picture beside them and not inside. Raises OutputError."""
    labels: dict[str, object] = {
        "version": VERSION, "flags": {}, "shapes": list(shapes), "imagePath": picture.name, "imageData": None,
        "imageHeight": shape[0], "imageWidth": shape[1],
    }  # fmt: skip
    try:
        path.write_text(json.dumps(labels, indent=1) + "\n")
    except OSError as error:
        path.unlink(missing_ok=True)
        raise OutputError(f"{path}: cannot be written ({reason_of(error)})") from error


def polygons(mask: NDArray[np.bool_], tolerance: float) -> list[tuple[str, NDArray[np.int32]]]:
    """Label and (N, 2) x and y of every outline of a mask, simplified (Douglas and Peucker 1973).

    The largest first: a hole lies over its island, and an island in a hole over that.
    """
    contours, tree = cv2.findContours(mask.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    found = []
    for i, contour in sorted(enumerate(contours), key=lambda one: -cv2.contourArea(one[1])):
        shape = np.asarray(cv2.approxPolyDP(contour, tolerance, True), np.int32)[:, 0]
        if cv2.contourArea(contour) >= SPECK and len(shape) >= 3:
            found.append(("character" if tree[0, i, 3] < 0 else "_background_", shape))
    return found


def _shape(label: str, points: NDArray[np.int32]) -> dict[str, Any]:
    return {"label": label, "points": points.tolist(), "group_id": None, "shape_type": "polygon", "flags": {}}


def _picture(path: Path, labels: dict[str, Any], root: Path) -> NDArray[np.uint8]:
    if labels.get("imageData"):
        try:
            encoded = np.frombuffer(base64.b64decode(labels["imageData"], validate=True), np.uint8)
        except binascii.Error as error:
            raise InputError(f"its imageData is damaged ({error})") from error
        picture = cv2.imdecode(encoded, cv2.IMREAD_COLOR) if len(encoded) else None
    else:
        file = picture_of(path, labels, root)
        if file is None:
            raise InputError(f"its picture {labels.get('imagePath')} is not there")
        picture = read_bgr(file)
    if picture is None:
        raise InputError("its picture cannot be read")
    return np.asarray(picture[..., ::-1], np.uint8)


def _drawn(shape: dict[str, Any], height: int, width: int) -> NDArray[np.bool_]:
    """Where one shape lies, drawn with the same strokes as labelme's own shape_to_mask."""
    kind, points = shape.get("shape_type") or "polygon", [(float(x), float(y)) for x, y in shape["points"]]
    if kind == "mask":
        return _pasted(shape["mask"], points[0], height, width)
    canvas = Image.new("1", (width, height))
    draw = ImageDraw.Draw(canvas)
    if kind in ("polygon", "oriented_rectangle") and len(points) >= 3:
        draw.polygon(points, outline=1, fill=1)
    elif kind == "rectangle" and len(points) in (2, 4):
        xs, ys = zip(*points, strict=True)
        draw.rectangle((min(xs), min(ys), max(xs), max(ys)), outline=1, fill=1)
    elif kind == "circle" and len(points) == 2:
        _disc(draw, points[0], math.dist(*points))
    elif kind in ("linestrip", "line") and len(points) >= 2:
        draw.line(points, fill=1, width=LINE_WIDTH)
    elif kind == "point" and len(points) == 1:
        _disc(draw, points[0], POINT_RADIUS)
    else:
        raise InputError(f"a {kind} of {len(points)} points cannot be drawn")
    return np.asarray(canvas, np.bool_)


def _disc(draw: ImageDraw.ImageDraw, centre: tuple[float, float], radius: float) -> None:
    x, y = centre
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), outline=1, fill=1)


def _pasted(encoded: str, corner: tuple[float, float], height: int, width: int) -> NDArray[np.bool_]:
    """A mask that covers only its own box, `corner` being that one's top left."""
    data = np.frombuffer(base64.b64decode(encoded), np.uint8)
    small = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE) if len(data) else None
    if small is None:
        raise InputError("the picture inside a mask shape is damaged")
    x, y = max(0, int(corner[0])), max(0, int(corner[1]))
    whole = np.full((height, width), BACKGROUND, np.bool_)
    part = small[: max(0, height - y), : max(0, width - x)] > 0
    whole[y : y + part.shape[0], x : x + part.shape[1]] = part
    return whole
