"""Draws the clips, their exact alpha and the labelled frames: `python samples/make_samples.py` writes them all."""

import json
import sys
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

if __package__ in (None, ""):  # run as a script: the repository's root is where `samples` is found
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from samples.brush import OVERSAMPLE, Cel, Colour, mix
from samples.character import paint
from samples.classroom import classroom
from samples.design import WHITE, Design, Pose
from samples.riverside import DUSK, riverside, riverside_at_dusk

FOLDER = Path(__file__).resolve().parent
HEIGHT, WIDTH = 480, 854
MARGIN = 64
"""Pixels by which scene and cel are wider than the picture, for the camera to move in."""

CRF = "20"
LEVELS = OVERSAMPLE**2
"""Alpha is a whole number of sixteenths."""

POLYGON_TOLERANCE = 0.6
"""Pixels by which a label's polygon may leave the contour."""

SPECK = 12.0
"""Square pixels: smaller islands and holes are not labelled."""

Sheet = NDArray[np.uint8]


class Truth(NamedTuple):
    """What a clip really is, picture by picture."""

    alpha: NDArray[np.float32]
    """(T, H, W) in [0, 1], 1 = character; exact."""
    times: NDArray[np.float64]
    """(T + 1,) seconds."""
    drawing: NDArray[np.int64]
    """(T,) number of the drawing under the camera, counted from 0 through the clip."""
    shot: NDArray[np.int64]
    """(T,) number of the shot."""
    camera: NDArray[np.int64]
    """(T,) pixels that the camera stands to the right. Drawing and camera equal: the very same picture."""

    @property
    def held(self) -> NDArray[np.bool_]:
        """(T,) True where the picture before is shown again."""
        same = (np.diff(self.drawing) == 0) & (np.diff(self.camera) == 0)
        return np.concatenate([[False], same])


class Actor(NamedTuple):
    """One character on a drawing: `scale` pixels to the unit, `at` the pixel of the face's middle."""

    design: Design
    pose: Pose
    scale: float
    at: tuple[float, float]


@dataclass(frozen=True)
class Shot:
    """A run of frames over one scene."""

    scene: Callable[[int, int], Sheet]
    exposure: tuple[int, ...]
    """For how many frames each drawing is held."""
    stage: Callable[[int], list[Actor]]
    """Drawing number in the shot -> who is on it, back to front."""
    pan: tuple[int, int, int, int] = (0, 0, 0, 0)
    """The camera moves from pixel a to b between frames c and d of the shot."""
    light: Colour = WHITE
    """What the light of the place multiplies the paint by."""


@dataclass(frozen=True)
class Reel:
    """A clip: its shots, its rate, and a line of text burnt in."""

    shots: tuple[Shot, ...]
    rate: Fraction
    subtitle: str = ""


AKARI = Design()
SORA = Design(
    hair=(122, 132, 214), eye=(196, 84, 132), style="twin", dress="blazer", fringe=1,
    collar=(76, 86, 108), skirt=(128, 62, 74), ribbon=(200, 54, 66),
)  # fmt: skip
MIO = Design(
    hair=(240, 212, 136), eye=(92, 104, 196), style="bob", fringe=2,
    cloth=(252, 246, 236), collar=(122, 66, 78), skirt=(104, 60, 74), ribbon=(70, 120, 170),
)  # fmt: skip


def _ease(t: float) -> float:
    t = min(max(t, 0.0), 1.0)
    return t * t * (3 - 2 * t)


def _greeting(k: int) -> list[Actor]:
    """Akari raises her hand, waves and speaks; a blink at the fifteenth drawing."""
    up = _ease((k - 2) / 4)
    wave = np.sin(1.25 * (k - 5)) * (k >= 5)
    pose = Pose(
        yaw=4 + 8 * up, roll=-5 * up + 1.5 * float(wave), pitch=1 - up, wind=0.55 * k, sway=5 + 6 * up,
        blink=(0.0, 0.55, 1.0, 1.0, 0.5)[k - 13] if 13 <= k < 18 else 0.0, joy=0.2,
        mouth=(0.1 + 0.75 * abs(np.sin(0.9 * k))) * (k > 3), brow=0.7 * up, gaze=(0.25 * up, 0.0), breath=2 * up,
        left=(9.0, -5.0, 0.0), right=(10 + 62 * up, 18 + 92 * up + 17 * float(wave), 12 * float(wave) - 20 * up),
    )  # fmt: skip
    return [Actor(AKARI, pose, 0.98, (380.0, 200.0))]


def _smile(k: int) -> list[Actor]:
    """Sora looks round and smiles with her eyes shut."""
    turn = _ease((k - 1) / 5)
    pose = Pose(
        yaw=16 - 26 * turn, pitch=3 - 2 * turn, roll=4 - 10 * turn, wind=0.8 * k, sway=11.0, joy=1.0,
        blink=_ease((k - 4) / 3), mouth=0.85 * _ease((k - 4) / 3), brow=0.5 * turn, gaze=(0.5 - 0.9 * turn, 0.1),
        breath=2 * turn,
    )  # fmt: skip
    return [Actor(SORA, pose, 1.38, (440.0, 236.0))]


def _together(k: int) -> list[Actor]:
    """Akari and Mio side by side; at the end Akari leans over until they overlap a little."""
    lean = _ease((k - 10) / 7)
    talk = 0.7 * abs(float(np.sin(1.1 * k)))
    mio = Pose(
        yaw=-12.0, roll=3 * float(np.sin(0.4 * k)), wind=0.6 * k + 1, sway=4.0,
        blink=(0.6, 1.0, 0.4)[k - 6] if 6 <= k < 9 else 0.0,
        mouth=talk if k < 9 else 0.0, gaze=(-0.5, 0.0), left=(10.0, -8.0, 0.0), right=(9.0, -4.0, 0.0),
    )  # fmt: skip
    akari = Pose(
        yaw=12.0, roll=2 + 9 * lean, wind=0.5 * k, sway=7.0, joy=1.0,
        blink=_ease((k - 13) / 3), mouth=talk if k >= 9 else 0.05,
        gaze=(0.6, 0.0), brow=0.6 * lean, left=(10.0, 6.0, 0.0), right=(16.0 + 20 * lean, -10.0, 0.0),
    )  # fmt: skip
    return [Actor(MIO, mio, 0.84, (590.0, 214.0)), Actor(AKARI, akari, 0.92, (286.0 + 44 * lean, 196.0))]


REELS = {
    "wave": Reel(
        (
            Shot(classroom, (4, *(2,) * 22), _greeting),
            Shot(riverside, (12, *(3,) * 8), _smile, pan=(0, 40, 0, 12)),
        ),
        Fraction(24),
    ),
    "two": Reel(
        (Shot(riverside_at_dusk, (3,) * 20, _together, light=mix(DUSK, WHITE, 0.45)),),
        Fraction(24000, 1001),
        "We made it before the petals fell.",
    ),
}


def _draw(actors: list[Actor]) -> Sheet:
    """(HEIGHT, WIDTH + MARGIN, 4) straight RGBA of one drawing."""
    cel = Cel(HEIGHT, WIDTH + MARGIN, 1.0, (0.0, 0.0))
    for actor in actors:
        cel.scale, cel.origin = actor.scale, actor.at
        paint(cel, actor.design, actor.pose)
    return cel.flatten()


def _subtitle(text: str) -> Sheet:
    """(HEIGHT, WIDTH, 4) RGBA: a line of white text with a dark rim near the lower edge."""
    plate = Image.new("RGBA", (WIDTH, HEIGHT), (20, 20, 30, 0))
    ImageDraw.Draw(plate).text(
        (WIDTH / 2, HEIGHT - 34),
        text,
        (255, 255, 255),
        ImageFont.load_default(26),
        "mm",
        stroke_width=2,
        stroke_fill=(20, 20, 30),
    )
    return np.asarray(plate)


def _over(below: Sheet, above: Sheet) -> Sheet:
    """Straight RGBA laid over RGB."""
    part = above[..., 3:].astype(np.float32) / 255
    return np.asarray(np.round(below + (above[..., :3] - below.astype(np.float32)) * part).astype(np.uint8))


def _timing(reel: Reel) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """times, drawing, shot, camera, as in `Truth`."""
    drawing: list[int] = []
    shot: list[int] = []
    camera: list[int] = []
    for number, part in enumerate(reel.shots):
        first = drawing[-1] + 1 if drawing else 0
        drawing += np.repeat(np.arange(first, first + len(part.exposure)), part.exposure).tolist()
        shot += [number] * sum(part.exposure)
        start, stop, begin, end = part.pan
        camera += [
            round(start + (stop - start) * _ease((i - begin) / max(end - begin, 1))) for i in range(sum(part.exposure))
        ]
    times = np.arange(len(drawing) + 1) / float(reel.rate)
    return times, np.array(drawing), np.array(shot), np.array(camera)


def cels(name: str) -> Iterator[Sheet]:
    """The drawings of a clip in order, each (HEIGHT, WIDTH + MARGIN, 4) straight RGBA, without scene or camera."""
    for part in REELS[name].shots:
        for k in range(len(part.exposure)):
            cel = _draw(part.stage(k))
            cel[..., :3] = np.round(cel[..., :3] * (np.array(part.light) / 255))
            yield cel


def _under_camera(levels: Sheet, drawing: NDArray[np.int64], camera: NDArray[np.int64]) -> NDArray[np.float32]:
    """Alpha of each picture from that of each drawing (uint8 0..255)."""
    pictures = np.stack([levels[d, :, c : c + WIDTH] for d, c in zip(drawing, camera, strict=True)])
    return np.divide(pictures, 255, dtype=np.float32)


def render(name: str) -> tuple[Sheet, Truth]:
    """A clip before compression: (T, H, W, 3) RGB uint8, and its truth."""
    return expose(name, cels(name))


def expose(name: str, drawings: Iterable[Sheet]) -> tuple[Sheet, Truth]:
    """As `render`, of drawings that `cels` has made."""
    reel = REELS[name]
    times, drawing, shot, camera = _timing(reel)
    plate = _subtitle(reel.subtitle) if reel.subtitle else None
    scenes = [part.scene(HEIGHT, WIDTH + MARGIN) for part in reel.shots]
    pixels = np.empty((len(drawing), HEIGHT, WIDTH, 3), np.uint8)
    alpha = []
    for d, cel in enumerate(drawings):
        frames = np.flatnonzero(drawing == d)
        whole = _over(scenes[shot[frames[0]]], cel)
        for i in frames:
            if i > frames[0] and camera[i] == camera[i - 1]:
                pixels[i] = pixels[i - 1]
                continue
            pixels[i] = whole[:, camera[i] : camera[i] + WIDTH]
            if plate is not None:
                pixels[i] = _over(pixels[i], plate)
        alpha.append(cel[..., 3])
    return pixels, Truth(_under_camera(np.stack(alpha), drawing, camera), times, drawing, shot, camera)


def save_truth(name: str, alpha: Sheet) -> None:
    """The drawings' alpha, (D, H, W) uint8, as sixteenths, each as the change from the one before, in a zip of .npy."""
    _, drawing, shot, camera = _timing(REELS[name])
    levels = np.round(alpha.astype(np.float32) * (LEVELS / 255)).astype(np.uint8)
    levels[1:] -= levels[:-1].copy()  # wraps round, and `cumsum` in uint8 wraps back
    with zipfile.ZipFile(FOLDER / "truth" / f"{name}.npz", "w") as archive:
        for key, array in (("levels", levels), ("drawing", drawing), ("shot", shot), ("camera", camera)):
            entry = zipfile.ZipInfo(f"{key}.npy")  # dated 1980, so that the same drawings give the same bytes
            entry.compress_type = zipfile.ZIP_LZMA
            with archive.open(entry, "w") as file:
                np.lib.format.write_array(file, np.ascontiguousarray(array), allow_pickle=False)


def load_truth(name: str) -> Truth:
    """The truth of a clip from its file beside the clip, without drawing it again."""
    with np.load(FOLDER / "truth" / f"{name}.npz", allow_pickle=False) as file:
        levels = np.cumsum(file["levels"], axis=0, dtype=np.uint8)
        drawing, shot, camera = file["drawing"], file["shot"], file["camera"]
    alpha = np.round(np.arange(LEVELS + 1) * (255 / LEVELS)).astype(np.uint8)[levels]
    times = np.arange(len(drawing) + 1) / float(REELS[name].rate)
    return Truth(_under_camera(alpha, drawing, camera), times, drawing, shot, camera)


def encode(path: Path, pixels: Sheet, rate: Fraction, crf: str = CRF) -> None:
    """H.264, 4:2:0. The frames are the same each time; the encoder's bytes may differ by a few."""
    with av.open(str(path), "w", options={"movflags": "faststart", "fflags": "bitexact"}) as box:
        stream = box.add_stream(
            "libx264", rate=rate, options={"crf": crf, "preset": "slow", "threads": "1", "tune": "animation"}
        )
        stream.height, stream.width, stream.pix_fmt = pixels.shape[1], pixels.shape[2], "yuv420p"
        for i, picture in enumerate(pixels):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = i, 1 / rate
            box.mux(stream.encode(frame))
        box.mux(stream.encode())


def _with_hole(outer: NDArray[np.int32], hole: NDArray[np.int32]) -> NDArray[np.int32]:
    """One polygon of two, (N, 2) each: out to the hole by the shortest way, round it, and back the same way."""
    apart = ((outer[:, None] - hole[None]) ** 2).sum(2)
    i, j = np.unravel_index(apart.argmin(), apart.shape)
    return np.concatenate([outer[: i + 1], hole[j:], hole[: j + 1], outer[i:]])


def polygons(mask: NDArray[np.bool_]) -> list[NDArray[np.int32]]:
    """(N, 2) x and y round each island of the mask (H, W); holes are cut in, as labelme has no word for them."""
    contours, tree = cv2.findContours(mask.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    found: dict[int, NDArray[np.int32]] = {}
    for i in sorted(range(len(contours)), key=lambda i: tree[0, i, 3] >= 0):  # islands first, then their holes
        if cv2.contourArea(contours[i]) < SPECK:
            continue
        shape = np.asarray(cv2.approxPolyDP(contours[i], POLYGON_TOLERANCE, True), np.int32)[:, 0]
        island = int(tree[0, i, 3])
        if island < 0:
            found[i] = shape
        elif island in found:
            found[island] = _with_hole(found[island], shape)
    return list(found.values())


def label(path: Path, picture: Sheet, alpha: NDArray[np.float32]) -> None:
    """One frame as JPEG, and the polygons of alpha >= 0.5 as labelme JSON."""
    Image.fromarray(picture).save(path.with_suffix(".jpg"), quality=92)
    shapes = [
        {"label": "character", "points": points.tolist(), "group_id": None, "shape_type": "polygon", "flags": {}}
        for points in polygons(alpha >= 0.5)
    ]
    labelled = {
        "version": "5.4.1", "flags": {}, "shapes": shapes, "imagePath": path.with_suffix(".jpg").name,
        "imageData": None, "imageHeight": picture.shape[0], "imageWidth": picture.shape[1],
    }  # fmt: skip
    path.with_suffix(".json").write_text(json.dumps(labelled) + "\n")


LABELLED = {"wave": (0, 14, 30, 44, 50, 82), "two": (12, 58)}
"""Frames that are labelled."""


def main() -> None:
    """Writes clips, truth and labelled frames."""
    for folder in ("truth", "labelled"):
        (FOLDER / folder).mkdir(exist_ok=True)
    for name, reel in REELS.items():
        drawings = list(cels(name))
        pixels, truth = expose(name, drawings)
        encode(FOLDER / f"{name}.mp4", pixels, reel.rate)
        save_truth(name, np.stack([cel[..., 3] for cel in drawings]))
        for i in LABELLED[name]:
            label(FOLDER / "labelled" / f"{name}_{i:03d}", pixels[i], truth.alpha[i])
        print(f"{name}: {len(pixels)} frames, {truth.drawing[-1] + 1} drawings, {truth.shot[-1] + 1} shots")


if __name__ == "__main__":
    main()
