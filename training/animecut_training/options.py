"""Words that several commands take, and what --help says of them."""

import argparse
import sys
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Annotated

import typer

from animecut.errors import AnimecutError
from animecut.options import rename
from animecut_training.recipe import Job, Recipe

FLAGS = {
    name: f"--{name.replace('_', '-')}"
    for name in [
        *(field.name for settings in (Job, Recipe) for field in fields(settings)),
        "fold",
        "nproc_per_node",
        "shares",
        "weights",
    ]
} | {"batch": "--batch-size", "split_file": "--split"}
"""How each argument that a message names is written on the command line."""

Folder = Annotated[
    Path,
    typer.Argument(metavar="DIR", help="Labelled frames: pictures and masks, or labelme or COCO JSON."),
]
Init = Annotated[
    str,
    typer.Option(
        metavar="anime|voc|imagenet|scratch|FILE",
        help="Begin from the shipped weights, a PSPNet of Pascal VOC, a backbone of ImageNet, nothing, or a file.",
    ),
]
Sprites = Annotated[
    list[Path],
    typer.Option(metavar="DIR", help="RGBA characters, one folder per source, to compose frames from; may come often."),
]
Scenes = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Pictures without characters, to compose frames from.")
]
Steps = Annotated[int, typer.Option(metavar="N", min=1, help="Batches to learn from.")]
Batch = Annotated[int, typer.Option("--batch-size", metavar="N", min=1, help="Pictures per batch.")]
Composites = Annotated[
    float,
    typer.Option(
        metavar="0..1", help="Share of composed frames, where --sprites and --scenes are given; 1 is no labelled ones."
    ),
]
Keep = Annotated[
    float, typer.Option(metavar="0..1", help="How much of the weights begun with is blended into the end.")
]
Seed = Annotated[int, typer.Option(metavar="N", min=0, max=2**32 - 1, help="The same seed gives the same run.")]
Weights = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Weights, or the folder of a fit. Default: the weights that come along."),
]
Device = Annotated[str, typer.Option(metavar="D", help="auto, cpu, cuda or mps.")]
Resume = Annotated[
    bool,
    typer.Option(
        "--resume", help="Go on with what is in the folder, from the last checkpoint; begin where there is none."
    ),
]
SplitFile = Annotated[
    Path | None,
    typer.Option(
        "--split",
        metavar="FILE",
        help="JSON: the folds, and which characters and scenes are only judged by. Default: what the weights that come "
        "along never saw, and folds of neighbours by name.",
    ),
]


def in_flags(message: str) -> str:
    """The message with flags for the arguments that it names between backticks."""
    return rename(message, FLAGS)


def two_folder_command(about: str | None, work: Callable[[Path, Path], str]) -> None:
    """A command of two folders, FROM and TO: prints what was done, or ends with what is wrong, in one line."""
    words = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("source", type=Path, metavar="FROM")
    words.add_argument("folder", type=Path, metavar="TO")
    chosen = words.parse_args()
    try:
        print(f"{work(chosen.source, chosen.folder)} to {chosen.folder}")  # noqa: T201
    except (AnimecutError, OSError) as error:
        sys.exit(f"error: {error}")
