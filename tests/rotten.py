"""A network for tests that sees what tests/world.py draws, and turns rotten at pictures of certain colours."""

import os
import signal
import time
from pathlib import Path

import numpy as np

from animecut.errors import DeviceError, WeightsError
from animecut.types import Alpha, Pixels
from tests import world

CRASH, HANG, OUT_OF_MEMORY, BUG = (250, 0, 250), (0, 250, 250), (250, 250, 0), (0, 0, 250)


def refuse() -> "Rotten":
    """A network that cannot be loaded."""
    raise WeightsError("no network of ours")


def picture(colour: tuple[int, int, int]) -> np.ndarray:
    """(H, W, 3) uint8 RGB of one colour."""
    return np.broadcast_to(np.array(colour, np.uint8), (world.HEIGHT, world.WIDTH, 3)).copy()


class Rotten:
    """In place of a Segmenter. What a native decoder may do to its process is done where a colour asks for it."""

    device_name = "cpu (colour)"

    def __init__(self, weights: Path = Path(), device: str = "cpu", batch_size: int = 1, threads: int = 1) -> None:
        pass

    def __call__(self, pixels: Pixels) -> Alpha:
        mean = pixels[0, ..., :3].mean(axis=(0, 1))
        asked = [colour for colour in (CRASH, HANG, OUT_OF_MEMORY, BUG) if np.abs(mean - colour).max() < 12]
        if CRASH in asked:
            os.kill(os.getpid(), signal.SIGSEGV)
        if HANG in asked:
            time.sleep(3600)
        if OUT_OF_MEMORY in asked:
            raise DeviceError("cuda: out of memory with 16 pictures; try --batch-size 8")
        if BUG in asked:
            raise ZeroDivisionError("by a picture")
        return world.see(pixels)
