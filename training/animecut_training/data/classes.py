"""What labels are called, and which of them mean a character."""

from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from animecut.errors import InputError

Mask = NDArray[np.uint8]
"""(H, W): BACKGROUND, VOID, or which of the picture's characters, counted from CHARACTER."""

BACKGROUND, CHARACTER, VOID = 0, 1, 255
BACKGROUND_NAMES = {"_background_", "background"}
VOID_NAMES = {"__ignore__", "ignore", "void"}
CHARACTER_NAMES = {"character", "characters", "person", "people", "human", "figure", "foreground"}
VOC_PERSON = 15  # its index in Pascal VOC
LISTS = ("labels.txt", "class_names.txt")  # as labelme reads them, and as its labelme2voc writes them


@dataclass(frozen=True)
class Classes:
    """The names that a folder's labels may have.

    names: in the order of their indices, background first; empty where the folder has no list of them.
    """

    names: tuple[str, ...] = ()

    def of_name(self, name: str) -> int:
        """BACKGROUND, CHARACTER or VOID. Raises InputError for a name that is none of the classes."""
        plain = name.strip().lower()
        if plain in BACKGROUND_NAMES:
            return BACKGROUND
        if plain in VOID_NAMES:
            return VOID
        if plain in (self.names or CHARACTER_NAMES):
            return CHARACTER
        raise InputError(
            f"label {name!r} is outside the classes ({', '.join(self.names or sorted(CHARACTER_NAMES))}); "
            f"rename it, or list the names of your characters in a {LISTS[0]} in the folder"
        )

    def of_indices(self, indices: NDArray[np.uint8]) -> Mask:
        """Class indices, 255 where nobody knows, as a mask. Raises InputError for an index without a class."""
        table = np.zeros(256, np.uint8)
        for index in np.unique(indices).tolist():
            table[index] = self._of_index(index)
        return np.asarray(table[indices], np.uint8)

    def _of_index(self, index: int) -> int:
        if index in (BACKGROUND, VOID):
            return index
        if index < len(self.names):
            return self.of_name(self.names[index])
        if not self.names and index in (CHARACTER, VOC_PERSON):
            return CHARACTER
        known = f"0 to {len(self.names) - 1}" if self.names else f"0, 1, {VOC_PERSON} (Pascal VOC's person)"
        raise InputError(f"class {index} is outside the classes ({known}, {VOID} for unknown)")


def instance_number(kind: int, who: Hashable, known: dict[Hashable, int]) -> int:
    """What a mask holds for a label of this kind: a character's own number, which `known` remembers."""
    return min(known.setdefault(who, CHARACTER + len(known)), VOID - 1) if kind == CHARACTER else kind


def separate_instances(mask: Mask) -> Mask:
    """A mask in which every character is CHARACTER, with each connected region as a character of its own."""
    return np.where(mask == CHARACTER, regions(mask == CHARACTER), mask).astype(np.uint8)


def regions(mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Which connected region each place belongs to, 0 where to none."""
    return np.minimum(cv2.connectedComponents(mask.astype(np.uint8))[1], VOID - 1).astype(np.uint8)


def read_classes(folder: Path) -> Classes:
    """The names listed in the folder's labels.txt or class_names.txt, if it has one. Raises InputError."""
    for name in LISTS:
        if (folder / name).is_file():
            try:
                text = (folder / name).read_text(encoding="utf-8-sig")
            except (OSError, ValueError) as error:
                raise InputError(f"{folder / name}: cannot be read ({error}); save it as UTF-8") from error
            lines = (line.strip().lower() for line in text.splitlines())
            listed = [line for line in lines if line and line not in VOID_NAMES]
            first = [] if listed and listed[0] in BACKGROUND_NAMES else ["_background_"]
            return Classes((*first, *listed))
    return Classes()


def fill_void(mask: Mask) -> Mask:
    """The mask with every place that nobody knows labelled as the nearest place that somebody does."""
    unknown = mask == VOID
    if not unknown.any() or unknown.all():
        return np.where(unknown, BACKGROUND, mask).astype(np.uint8)
    nearest = cv2.distanceTransformWithLabels(
        unknown.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )[1]
    value = np.zeros(int(nearest.max()) + 1, np.uint8)
    value[nearest[~unknown]] = mask[~unknown]
    return np.asarray(value[nearest], np.uint8)
