"""Where labelled pictures lie in a folder: pairs of folders, or JSON files beside pictures."""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from animecut._util.images import read_bgr
from animecut.errors import InputError
from animecut_training.data.classes import Classes, Mask, read_classes, separate_instances
from animecut_training.data.coco import read_coco_mask
from animecut_training.data.labelme import picture_of, read_labelme
from animecut_training.data.mask_images import read_mask

PAIRS = (
    ("train_images", "train_anno"),
    ("images", "masks"),
    ("images_prepped_train", "annotations_prepped_train"),
    ("JPEGImages", "SegmentationClassPNG"),
    ("JPEGImages", "SegmentationClass"),
    ("clip_img", "matting"),  # AISegment
)
HELD_OUT_PAIRS = (("test_images", "test_anno"), ("images_prepped_test", "annotations_prepped_test"))
HELD_OUT_WORD = re.compile(r"(?<![a-z])(test|val|validation)(?![a-z])")  # in the name of a COCO file
PICTURES = {".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff"}

Read = Callable[[], tuple[NDArray[np.uint8], Mask]]
"""Reads a picture (H, W, 3) RGB and its mask. Raises InputError."""


@dataclass(frozen=True)
class Entry:
    """A picture and its label, not read yet.

    name: unique in its folder.  file: what to name when something is wrong with it.
    held_out: belongs to the part that is only judged by.  read: None where there is no label.
    """

    name: str
    file: Path
    held_out: bool
    read: Read | None


def entries(folder: Path) -> list[Entry]:
    """Everything in a folder that is labelled or ought to be, by name; `1`, `2`, `10` in this order.

    Raises InputError where the folder holds nothing of the kind.
    """
    classes = read_classes(folder)
    found = [
        entry
        for pairs, held_out in ((PAIRS, False), (HELD_OUT_PAIRS, True))
        for images, masks in pairs
        if (folder / images).is_dir() and _masks_in(folder, images) == masks
        for entry in _pairs(folder / images, folder / masks, classes, held_out)
    ] or list(_from_json(folder, classes))
    if not any(entry.read for entry in found):
        wanted = ", ".join(f"{images}/ and {masks}/" for images, masks in PAIRS[:5])
        raise InputError(f"{folder}: no labelled frames; it should hold {wanted}, or labelme or COCO JSON")
    return list(_once_each(sorted(found, key=lambda entry: (entry.held_out, len(entry.name), entry.name))))


def _masks_in(folder: Path, images: str) -> str | None:
    """Which folder has the masks of these images: the first that holds pictures; labelme2voc fills another with npy."""
    beside = [masks for known, masks in (*PAIRS, *HELD_OUT_PAIRS) if known == images and (folder / masks).is_dir()]
    return next((masks for masks in beside if _pictures(folder / masks)), beside[0] if beside else None)


def _once_each(found: list[Entry]) -> Iterator[Entry]:
    """The entries; one whose name was there before cannot be read."""
    for i, entry in enumerate(found):
        twin = i > 0 and (entry.held_out, entry.name) == (found[i - 1].held_out, found[i - 1].name)
        yield replace(entry, read=partial(_second, entry)) if twin else entry


def _second(entry: Entry) -> tuple[NDArray[np.uint8], Mask]:
    raise InputError(f"{entry.file}: a second picture called {entry.name}; rename one of them")


def _pairs(images: Path, masks: Path, classes: Classes, held_out: bool) -> Iterator[Entry]:
    """A picture and the mask at its place, or, as in AISegment, in another sub-folder by a name that is unique."""
    pictures, labels = _pictures(images), _pictures(masks)
    by_place = {file.relative_to(masks).with_suffix(""): file for file in labels}
    called, twice = Counter(file.stem for file in pictures), Counter(file.stem for file in labels)
    by_name = {file.stem: file for file in labels if called[file.stem] == twice[file.stem] == 1}
    used: set[Path] = set()
    for file in pictures:
        place = file.relative_to(images).with_suffix("")
        name = file.stem if called[file.stem] == 1 else "_".join(place.parts)
        label = by_place.get(place) or by_name.get(file.stem)
        used |= {label} if label else set()
        yield Entry(name, label or file, held_out, partial(_read_pair, file, label, classes) if label else None)
    for label in labels:
        if label not in used:
            yield Entry(label.stem, label, held_out, partial(_missing, label, f"{images.name}/{label.stem}.*"))


def _read_pair(image: Path, label: Path, classes: Classes) -> tuple[NDArray[np.uint8], Mask]:
    return read_picture(image), separate_instances(read_mask(label, classes))


def _missing(label: Path, picture: str) -> tuple[NDArray[np.uint8], Mask]:
    raise InputError(f"{label}: its picture {picture} is not there")


def read_picture(path: Path) -> NDArray[np.uint8]:
    """Picture file as (H, W, 3) uint8 RGB. Raises InputError where it cannot be read."""
    bgr = read_bgr(path)
    if bgr is None:
        raise InputError(f"{path}: not a picture that can be read")
    return np.asarray(bgr[..., ::-1], np.uint8)


def _from_json(folder: Path, classes: Classes) -> Iterator[Entry]:
    """Labelme's and COCO's files anywhere in the folder, and the pictures that lie there without a label."""
    pictures = _pictures(folder)
    labelled: set[Path] = set()
    for file in sorted(folder.rglob("*.json")):
        try:
            labels = json.loads(file.read_text(encoding="utf-8"))
        except (ValueError, RecursionError, OSError) as error:
            yield Entry(file.stem, file, False, partial(_unreadable, file, str(error)))
            continue
        if not isinstance(labels, dict):
            continue
        if "shapes" in labels:
            yield Entry(file.stem, file, False, partial(read_labelme, file, labels, folder, classes))
            labelled.add(_picture_or_twin(file, labels, folder))
        elif "images" in labels and "annotations" in labels:
            for entry, picture in _from_coco(file, labels, pictures, classes):
                labelled.add(picture)
                yield entry
    for picture in pictures:
        if picture.resolve() not in labelled:
            yield Entry(picture.stem, picture, False, None)


def _picture_or_twin(file: Path, labels: dict[str, Any], folder: Path) -> Path:
    """The picture that a labelme file is about, also where it holds a copy of its own."""
    try:
        picture = picture_of(file, labels, folder)
    except InputError:  # told when it is read
        picture = None
    twins = [file.with_suffix(suffix) for suffix in PICTURES if file.with_suffix(suffix).is_file()]
    return picture or (twins[0] if twins else file).resolve()


def _unreadable(file: Path, why: str) -> tuple[NDArray[np.uint8], Mask]:
    raise InputError(f"{file}: not JSON ({why})")


def _from_coco(
    file: Path, labels: dict[str, Any], pictures: list[Path], classes: Classes
) -> Iterator[tuple[Entry, Path]]:
    try:
        names = {int(one["id"]): str(one["name"]) for one in labels["categories"]}
        by_image: defaultdict[int, list[dict[str, Any]]] = defaultdict(list)
        for annotation in labels["annotations"]:
            by_image[annotation["image_id"]].append(annotation)
        images = [
            (int(one["id"]), PureWindowsPath(one["file_name"]).as_posix(), (one.get("width"), one.get("height")))
            for one in labels["images"]
        ]
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{file}: not a COCO file that can be read ({error!r})") from error
    held_out = bool(HELD_OUT_WORD.search(file.stem.lower()))
    for number, named, size in images:
        picture = _found(named, pictures)
        if picture is None:
            missing = partial(_missing, file, named)
            yield Entry(PurePosixPath(named).stem, file, held_out, missing), file
        else:
            read = partial(_read_coco, file, picture, size, by_image[number], names, classes)
            yield Entry(picture.stem, picture, held_out, read), picture.resolve()


def _found(named: str, pictures: list[Path]) -> Path | None:
    """The picture in the folder that a COCO file names, by as much of its path as is there; nothing outside."""
    parts = PurePosixPath(named).parts
    for keep in range(len(parts)):
        fits = [picture for picture in pictures if picture.parts[-len(parts[keep:]) :] == parts[keep:]]
        if fits:
            return fits[0] if len(fits) == 1 else None
    return None


def _read_coco(
    file: Path,
    picture: Path,
    size: tuple[Any, Any],
    annotations: list[dict[str, Any]],
    names: dict[int, str],
    classes: Classes,
) -> tuple[NDArray[np.uint8], Mask]:
    rgb = read_picture(picture)
    width, height = size[0] or rgb.shape[1], size[1] or rgb.shape[0]
    try:
        if (height, width) != rgb.shape[:2]:
            raise InputError(f"labelled at {width}x{height}, but it is {rgb.shape[1]}x{rgb.shape[0]}")
        return rgb, read_coco_mask(annotations, names, rgb.shape[0], rgb.shape[1], classes)
    except InputError as error:
        raise InputError(f"{file}: {picture.name}: {error}") from error


def _pictures(folder: Path) -> list[Path]:
    return sorted(file for file in folder.rglob("*") if file.suffix.lower() in PICTURES)
