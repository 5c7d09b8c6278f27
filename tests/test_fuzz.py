"""Inputs with something wrong in them, each made from a seed: only our own errors may come out, and soon."""

import csv
import json
import random
import resource
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from animecut_training.data.layouts import entries
from PIL import Image
from safetensors.torch import save_file

from animecut.batch import manifest
from animecut.errors import AnimecutError, WeightsError
from animecut.segmentation import weights
from animecut.settings import Settings
from animecut.video.limits import enforce_limits
from animecut.video.reader import describe, read_clips
from tests import world

FEW, MANY = range(5), range(1000, 1500)  # seeds of each kind of input
MUCH = 2 * 2**20  # KiB that the process may need at most
SMALL = (96, 64)  # pixels
NUMBERS = ["0", "-1", "1e999", "NaN", "9999999999999999999999", "3000000000", "200000", "0.0000001", "1e6"]
TOKENS = [*NUMBERS, "null", "true", '""', "[]", "{}", '"x"', '"../../etc/passwd"', '"\\u0000"', "[" * 2000, "\x00", ","]


def picture() -> np.ndarray:
    return np.asarray(cv2.resize(world.drawing(100)[0], SMALL, interpolation=cv2.INTER_AREA), np.uint8)


def write_video(path: Path) -> None:
    world.write_clip(path, [rgb for rgb, _ in world.walking(2)], hold=1)


def write_animation(path: Path) -> None:
    first, second = Image.fromarray(picture()), Image.fromarray(picture()[:, ::-1])
    first.save(path, save_all=True, append_images=[second], duration=100)


def write_labelme(path: Path) -> None:
    Image.fromarray(picture()).save(path.with_suffix(".png"))
    points = [[10.0, 10.0], [60.5, 12.0], [40.0, 50.0]]
    kinds = {"polygon": points, "rectangle": points[:2], "circle": points[:2], "line": points[:2], "point": points[:1]}
    shapes = [{"label": "character", "shape_type": kind, "points": where} for kind, where in kinds.items()]
    about = {"imagePath": f"{path.stem}.png", "imageData": None, "imageHeight": SMALL[1], "imageWidth": SMALL[0]}
    path.write_text(json.dumps({"version": "5.4.1", "flags": {}, "shapes": shapes} | about))


def write_coco(path: Path) -> None:
    Image.fromarray(picture()).save(path.with_suffix(".png"))
    image = {"id": 1, "file_name": f"{path.stem}.png", "width": SMALL[0], "height": SMALL[1]}
    polygon = {"id": 1, "image_id": 1, "category_id": 1, "segmentation": [[10, 10, 60.5, 12, 40, 50]], "iscrowd": 0}
    counts = {"size": [SMALL[1], SMALL[0]], "counts": [100, 50, SMALL[0] * SMALL[1] - 150]}
    crowd = {"id": 2, "image_id": 1, "category_id": 1, "segmentation": counts, "iscrowd": 1}
    categories = [{"id": 1, "name": "character"}]
    path.write_text(json.dumps({"images": [image], "annotations": [polygon, crowd], "categories": categories}))


def write_weights(path: Path) -> None:
    architecture = weights.Architecture(width=8, decoder=())
    weights.save(weights.build(architecture), path, {"seed": 1})


def write_architecture(path: Path) -> None:
    path.write_text(json.dumps(asdict(weights.Architecture(width=8, decoder=(16, 8)))))


def write_list(path: Path) -> None:
    rows = [
        {"file": "a.mp4", "out": "b.gif", "start": "0.5", "end": "1:02", "size": "64x64", "outline": "4"},
        {"file": "c/d.mp4", "out": "", "fps": "12", "for": "telegram,line", "background": "#ff8800"},
    ]
    if path.suffix == ".json":
        path.write_text(json.dumps(rows))
        return
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(dict.fromkeys(name for row in rows for name in row)))
        writer.writeheader()
        writer.writerows(rows)


def read_pictures(path: Path) -> None:
    describe(path, max_pixels=10**6)
    for _ in enforce_limits(read_clips(path, 0.0, 5.0, max_pixels=10**6), path, longest=2000, seconds=10.0):
        pass


def read_labels(path: Path) -> None:
    for entry in entries(path.parent):
        if entry.read:
            entry.read()


def read_architecture(path: Path) -> None:
    about = {"architecture": path.read_text(errors="replace"), "provenance": "{}", "format": weights.FORMAT}
    save_file({"x": torch.zeros(1)}, path.with_suffix(".safetensors"), about)
    weights.load(path.with_suffix(".safetensors"))


def read_list(path: Path) -> None:
    manifest.read_list(path, Settings())


KINDS: dict[str, tuple[Callable[[Path], None], Callable[[Path], object]]] = {
    "mp4": (write_video, read_pictures),
    "mkv": (write_video, read_pictures),
    "gif": (write_animation, read_pictures),
    "webp": (write_animation, read_pictures),
    "png": (write_animation, read_pictures),
    "labelme.json": (write_labelme, read_labels),
    "coco.json": (write_coco, read_labels),
    "safetensors": (write_weights, weights.load),
    "architecture.json": (write_architecture, read_architecture),
    "list.csv": (write_list, read_list),
    "list.json": (write_list, read_list),
}


def mutated(whole: bytes, seed: int, *, text: bool) -> bytes:
    """The same with one to four things wrong in it. text: mostly such as a text's reader may meet."""
    chance = random.Random(seed)  # noqa: S311 (no secret)
    data = bytearray(whole)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(data)) if data else 0
        # A head tells more than the rest.
        at = at if chance.random() < 0.5 else min(at, chance.randrange(400))
        length = chance.choice([1, 1, 2, 4, 16, 200])
        how = chance.randrange(9 if text else 6)
        if how == 0:
            data[at : at + length] = chance.randbytes(len(data[at : at + length]))
        elif how == 1:
            data[at : at + length] = bytes([chance.choice([0, 255])]) * len(data[at : at + length])
        elif how == 2:
            del data[at : at + length]
        elif how == 3:
            data[at:at] = data[at : at + length]
        elif how == 4:
            del data[at:]
        elif how == 5 and data:
            data[at] ^= 1 << chance.randrange(8)
        else:
            data = bytearray(_other_token(bytes(data), chance))
    return bytes(data)


def _other_token(data: bytes, chance: random.Random) -> bytes:
    """One value of a JSON text, or one field of a CSV, replaced."""
    ends = [i for i, byte in enumerate(data) if byte in b'[]{},:\n"']
    if len(ends) < 2:
        return data
    first = chance.randrange(len(ends) - 1)
    return data[: ends[first] + 1] + chance.choice(TOKENS).encode() + data[ends[first + 1] :]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], bytes]:
    """What is mutated, written once."""
    folder, made = tmp_path_factory.mktemp("whole"), dict[str, bytes]()

    def of(kind: str) -> bytes:
        if kind not in made:
            path = folder / f"a.{kind}"
            KINDS[kind][0](path)
            made[kind] = path.read_bytes()
        return made[kind]

    return of


def look(folder: Path, kind: str, whole: bytes, seeds: range) -> int:
    """Read mutated inputs; return how many were refused. Fails where anything else than our own errors comes out."""
    write, read = KINDS[kind]
    path, refused = folder / f"a.{kind}", 0
    write(path)  # with what lies beside it
    for seed in seeds:
        path.write_bytes(mutated(whole, seed, text=kind.endswith(("json", "csv"))))
        try:
            read(path)
        except AnimecutError as error:
            refused += 1
            if len(str(error).splitlines()) != 1:
                raise AssertionError(f"{kind} {seed}: {error}") from error
        except Exception as error:
            raise AssertionError(f"{kind} {seed}: {error!r}") from error
    return refused


def peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


@pytest.mark.parametrize("kind", KINDS)
def test_whole_inputs_are_read(tmp_path: Path, kind: str) -> None:
    write, read = KINDS[kind]
    write(tmp_path / f"a.{kind}")
    if kind == "architecture.json":  # without its tensors
        with pytest.raises(WeightsError, match="damaged"):
            read(tmp_path / f"a.{kind}")
    else:
        read(tmp_path / f"a.{kind}")


@pytest.mark.parametrize("kind", KINDS)
def test_a_few_broken_inputs(tmp_path: Path, whole: Callable[[str], bytes], kind: str) -> None:
    look(tmp_path, kind, whole(kind), FEW)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_thousands_of_broken_inputs(tmp_path: Path, whole: Callable[[str], bytes], kind: str) -> None:
    before = peak()  # of other tests too
    refused = look(tmp_path, kind, whole(kind), MANY)
    assert refused
    assert peak() <= max(MUCH, before)
