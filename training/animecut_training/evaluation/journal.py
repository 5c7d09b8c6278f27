"""What a run writes down while it learns: RUN/journal.jsonl, and TensorBoard's files where they are asked for."""

import json
from collections.abc import Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any

import cv2
import numpy as np

from animecut.errors import OutputError, SettingsError, reason_of
from animecut.types import Segment
from animecut_training.data.dataset import Labelled, alpha_of
from animecut_training.evaluation.evaluate import Figures

GRID = 320, 180  # pixels, width and height, of a picture in TensorBoard
MOST_PICTURES = 8


class Journal:
    """Losses of every step and figures of every judgement.

    A run that goes on writes on: what an interrupted one wrote after its last checkpoint is written anew.
    """

    def __init__(self, folder: Path, *, tensorboard: bool = False) -> None:
        self._path = folder / "journal.jsonl"
        self.steps: list[dict[str, float]] = []
        self.figures: list[dict[str, float]] = []
        for line in self._path.read_text().splitlines() if self._path.is_file() else []:
            with suppress(ValueError):  # half a line, where the disk was full
                self._sort(json.loads(line))
        self._begun = False
        self._file: Any = None
        self._board = _board(folder) if tensorboard else None

    def __enter__(self) -> "Journal":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file:
            with suppress(OSError):  # what could not be written was told when it was written
                self._file.close()
        if self._board:
            self._board.close()

    def step(self, step: int, losses: dict[str, float]) -> None:
        """Write a step's losses and whatever else has a figure."""
        self._write({"step": step} | losses)
        if self._board:
            for name, value in losses.items():
                self._board.add_scalar(f"fit/{name}", value, step)

    def judged(self, step: int, per_image: Sequence[Figures]) -> None:
        """Write what frames that were left out say of the averaged network."""
        background, character = np.mean([one.iou for one in per_image], axis=0).tolist()
        figures = {"background": background, "character": character, "iou": (background + character) / 2}
        self._write({"step": step, "judged": 1} | figures)
        if self._board:
            for name, value in figures.items():
                self._board.add_scalar(f"judged/{name}", value, step)

    def pictures(self, frames: Sequence[Labelled], segment: Segment) -> None:
        """Show input, truth and prediction of a few frames in TensorBoard."""
        if self._board:
            rows = []
            for frame in frames[:MOST_PICTURES]:
                three = (frame.rgb, frame.alpha, alpha_of(segment, frame.rgb))
                rows.append(np.hstack([_small(picture) for picture in three]))
            step = int(self.steps[-1]["step"]) if self.steps else 0
            self._board.add_image("input, truth, prediction", np.vstack(rows), step, dataformats="HWC")

    def _write(self, entry: dict[str, float]) -> None:
        try:
            if not self._begun:
                self.steps = [one for one in self.steps if one["step"] < entry["step"]]
                self.figures = [one for one in self.figures if one["step"] < entry["step"]]
                before = sorted(self.steps + self.figures, key=lambda one: one["step"])
                fresh = self._path.with_suffix(".fresh")
                fresh.write_text("".join(json.dumps(one) + "\n" for one in before))
                fresh.replace(self._path)
                self._file = self._path.open("a", buffering=1)
                self._begun = True
            self._file.write(json.dumps(entry) + "\n")
        except OSError as error:
            raise OutputError(f"{self._path}: cannot be written ({reason_of(error)})") from error
        self._sort(entry)

    def _sort(self, entry: dict[str, float]) -> None:
        (self.figures if "judged" in entry else self.steps).append(entry)


def _board(folder: Path) -> Any:  # noqa: ANN401 (TensorBoard is untyped)
    if find_spec("tensorboard") is None:
        raise SettingsError("needs it installed; pip install 'animecut[train]'", field="tensorboard")
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter(folder / "tensorboard")


def _small(picture: Any) -> Any:  # noqa: ANN401 (RGB or alpha)
    if picture.ndim == 2:
        picture = np.repeat((picture * 255).astype(np.uint8)[..., None], 3, axis=2)
    return cv2.resize(picture, GRID, interpolation=cv2.INTER_AREA)
