"""Words on the command line -> a training run or its figures. The only module here that prints and exits."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from animecut.errors import AnimecutError, SettingsError
from animecut_training.options import (
    Batch,
    Composites,
    Device,
    Folder,
    Init,
    Keep,
    Resume,
    Scenes,
    Seed,
    SplitFile,
    Sprites,
    Steps,
    Weights,
    in_flags,
)
from animecut_training.recipe import Job, Recipe

if TYPE_CHECKING:
    from animecut.segmentation.segmenter import Segmenter
    from animecut_training.data.dataset import Labelled

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False, no_args_is_help=True)


@app.command()
def labels(
    source: Annotated[Path, typer.Argument(metavar="SRC", help="labelme or COCO JSON, VOC, index, red or RGBA masks.")],
    target: Annotated[Path, typer.Argument(metavar="DIR", help="A new folder for images/ and masks/.")],
    from_boxes: Annotated[
        bool, typer.Option("--from-boxes", help="Find the character in every box, which is easier drawn than outlines.")
    ] = False,
    weights: Weights = None,
    device: Device = Job.device,
) -> None:
    """Turn labels of any format into pictures and masks that every tool reads."""
    with _errors():
        from animecut_training.data.convert import convert
        from animecut_training.progress import Bar

        redrawn = _finder_in_boxes(weights, device) if from_boxes else None
        with Bar("labels") as bar:
            done = convert(source, target, bar, redrawn)
        for problem in done.problems:
            typer.echo(problem, err=True)
        typer.echo(f"{done.written} labels written to {target}, {len(done.problems)} left out")
        if done.problems:
            sys.exit(1)


@app.command()
def check(
    folder: Folder,
    sheet: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="PNG", help="The sheet to look at. Default: DIR-check.png.")
    ] = None,
) -> None:
    """Tell what is wrong with labelled frames, and draw them on a sheet to look at."""
    with _errors():
        from animecut_training.data.check import check as examine
        from animecut_training.data.check import write_sheet
        from animecut_training.progress import Bar

        with Bar("check") as bar:
            finding = examine(folder, bar)
        target = sheet or Path(f"{folder.resolve().name}-check.png")
        for problem in finding.problems:
            typer.echo(f"{'error' if problem.fatal else 'note'}: {problem.message}", err=True)
        write_sheet(target, finding)
        fatal = sum(problem.fatal for problem in finding.problems)
        typer.echo(f"{len(finding.frames)} frames, {fatal} errors, {len(finding.problems) - fatal} notes; see {target}")
        if fatal:
            sys.exit(1)


@app.command()
def fit(
    folder: Folder,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="RUN",
            help="Folder for model.safetensors, the checkpoint and the report. Default: runs/DIR.",
        ),
    ] = None,
    init: Init = Job.init,
    backbone: Annotated[
        str, typer.Option(metavar="B", help="Of voc, imagenet and scratch: mobilenet_v2, resnet50 or resnet101.")
    ] = Job.backbone,
    arch: Annotated[
        str, typer.Option(metavar="A", help="pspnet, unet, fcn or maskrcnn, where no whole network is begun with.")
    ] = Job.arch,
    target: Annotated[
        str, typer.Option(metavar="mask|trimap", help="trimap: a third class, in which the matting decides.")
    ] = Job.target,
    sprites: Sprites = [],  # noqa: B006
    scenes: Scenes = Job.scenes,
    split: SplitFile = Job.split_file,
    fold: Annotated[int | None, typer.Option(metavar="K", min=0, help="Leave fold K out and judge by it.")] = None,
    folds: Annotated[
        int | None, typer.Option(metavar="N", min=2, help="First train N times without a part and judge by that part.")
    ] = None,
    steps: Steps = Recipe.steps,
    composites: Composites = Recipe.composites,
    keep: Keep = Recipe.keep,
    frozen: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=0,
            help="Steps in which the backbone stays as it is. Default: a fifth, if begun with it alone.",
        ),
    ] = Recipe.frozen,
    patience: Annotated[
        int,
        typer.Option(
            metavar="N", min=0, help="Stop when what is left out was judged N times in a row, of about ten, no better."
        ),
    ] = Recipe.patience,
    any_show: Annotated[
        bool,
        typer.Option(
            "--any-show", help="Learn labelled frames in other light and badly encoded too: for shows unlike them."
        ),
    ] = Recipe.any_show,
    batch_size: Batch = Recipe.batch,
    seed: Seed = Recipe.seed,
    device: Device = Job.device,
    tensorboard: Annotated[bool, typer.Option("--tensorboard", help="Write RUN/tensorboard.")] = False,
    resume: Resume = Job.resume,
) -> None:
    """Fine-tune on your own labelled frames; writes RUN/model.safetensors and RUN/report.html."""
    with _errors():
        from animecut_training import progress
        from animecut_training.evaluation.evaluate import fold_summary, table
        from animecut_training.loop import distributed
        from animecut_training.run import cross_validate, run

        recipe = Recipe(
            steps=steps, batch=batch_size, composites=composites, any_show=any_show, keep=keep, seed=seed,
            frozen=frozen, patience=patience,
        )  # fmt: skip
        out = out or Path("runs") / folder.resolve().name
        job = Job(
            folder, out, recipe, init=init, backbone=backbone, arch=arch, target=target, sprites=sprites,
            scenes=scenes, split_file=split, device=device, tensorboard=tensorboard, resume=resume,
        )  # fmt: skip
        with distributed.process_group(), progress.steps() as told:
            per_fold = cross_validate(job, told, folds) if folds else []
            per_image = run(job, told, fold)
            if distributed.rank():
                return
        if per_fold:
            typer.echo(fold_summary(per_fold))
        judged = per_image or [one for figures in per_fold for one in figures]
        if judged:
            typer.echo(os.fsencode(table(judged)))
        typer.echo(f"{out / 'model.safetensors'}; see {out / 'report.html'}")


@app.command()
def evaluate(
    folder: Folder,
    weights: Weights = None,
    device: Device = Job.device,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Figures of weights on labelled frames. Frames that they were trained on flatter them."""
    with _errors():
        from animecut_training.data import dataset
        from animecut_training.evaluation.evaluate import as_json as in_json
        from animecut_training.evaluation.evaluate import evaluate as judge
        from animecut_training.evaluation.evaluate import summary, table

        frames = dataset.labelled_frames(folder, held_out=True) or dataset.labelled_frames(folder)
        per_image = judge(_segmenter(weights, device), frames)
        if as_json:
            typer.echo(in_json(summary(per_image)))
        else:
            typer.echo(os.fsencode(table(per_image)))


@app.command()
def blend(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Weights that began from the same ones.")],
    shares: Annotated[str, typer.Option(metavar="X,Y,...", help="How much of each, in the files' order.")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="The mean of them.")],
) -> None:
    """Average weights of several trainings, which is often better than each of them."""
    with _errors():
        from animecut_training.init.soup import blend as mean_of

        try:
            numbers = [float(share) for share in shares.split(",")]
        except ValueError:
            raise SettingsError("write numbers, such as 0.5,0.5", field="shares", value=shares) from None
        mean_of(files, numbers, out)
        typer.echo(str(out))


@app.command()
def compare(
    folder: Folder,
    out: Annotated[
        Path | None,
        typer.Option(metavar="RUN", help="Folder for compare.md and the runs. Default: runs/DIR-compare."),
    ] = None,
    init: Annotated[str, typer.Option(metavar="voc|imagenet|FILE", help="What transfer begins with.")] = "voc",
    archs: Annotated[
        str, typer.Option("--arch", metavar="A[,A]", help="Networks to compare.")
    ] = "pspnet,unet,fcn,maskrcnn",
    steps: Steps = Recipe.steps,
    batch_size: Batch = Recipe.batch,
    seed: Seed = Recipe.seed,
    device: Device = Job.device,
    resume: Resume = Job.resume,
) -> None:
    """Untouched, from scratch, or transfer: the same frames and steps for every network, as one table."""
    with _errors():
        from animecut_training import compare as comparing
        from animecut_training import progress

        out = out or Path("runs") / f"{folder.resolve().name}-compare"
        job = Job(folder, out, Recipe(steps=steps, batch=batch_size, seed=seed), device=device, resume=resume)
        with progress.steps() as told:
            cells = comparing.compare(job, told, archs.split(","), init)
        about = f"{folder.name}: {steps} steps of {batch_size} pictures; mean image IoU on what was left out."
        text = comparing.markdown(cells, about)
        comparing.write_table(out, text)
        typer.echo(text)


@app.command()
def suggest(
    clip: Annotated[Path, typer.Argument(metavar="CLIP", help="A clip of your show.")],
    count: Annotated[int, typer.Option(metavar="N", min=1, help="Drawings to label.")] = 30,
    out: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="DIR", help="A folder, one for several clips. Default: CLIP-labels."),
    ] = None,
    weights: Annotated[
        Path | None,
        typer.Option(metavar="RUN", help="A fit's folder or weights: what they doubt comes first."),
    ] = None,
    device: Device = Job.device,
) -> None:
    """Write the most different drawings of a clip, labelled by the network, for labelme to correct."""
    with _errors():
        from animecut_training.data.suggest import suggest as choose
        from animecut_training.progress import Bar

        folder = out or Path(f"{clip.stem}-labels")
        with Bar("suggest") as bar:
            written = choose(
                clip, folder, _segmenter(weights, device), count=count, by_doubt=weights is not None,
                progress=lambda _, done: bar(done, None),
            )  # fmt: skip
        for one in written:
            typer.echo(os.fsencode(f"{one.path}" + (f"  doubt {one.doubt:.3f}" if weights else "")))  # may not be UTF-8
        typer.echo(os.fsencode(f"{len(written)} drawings to correct: labelme {folder}"))


@app.command()
def export(
    weights: Annotated[Path, typer.Argument(metavar="FILE", help="Weights, or the folder of a fit.")],
    target: Annotated[Path, typer.Argument(metavar="OUT.onnx", help="The file to write.")],
) -> None:
    """Write weights as ONNX with free batch, height and width, and check them in ONNX Runtime.

    It is the network alone; animecut also lets places of one colour hear one another, and mattes.
    """
    with _errors():
        from animecut_training.init.onnx import export as write

        difference = write(_weights_in(weights), target)
        typer.echo(f"{target}: logits within {difference:.1e} of PyTorch's")


def main() -> None:
    """Entry point of the command `animecut-train`."""
    app()


def _segmenter(weights: Path | None, device: str) -> "Segmenter":
    """Weights from a file, or from the folder of a fit; the shipped ones where none are named."""
    from animecut.segmentation.metadata import DEFAULT_WEIGHTS
    from animecut.segmentation.segmenter import Segmenter

    return Segmenter(_weights_in(weights) if weights else DEFAULT_WEIGHTS, device)


def _weights_in(path: Path) -> Path:
    return path / "model.safetensors" if path.is_dir() else path


def _finder_in_boxes(weights: Path | None, device: str) -> "Callable[[Labelled], Labelled]":
    from animecut_training.data.grabcut import masks_from_boxes

    segmenter = _segmenter(weights, device)
    return lambda frame: masks_from_boxes(frame, segmenter)


class _errors:  # noqa: N801 (reads as a statement)
    """What a user can cause ends in one line and an exit code."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, SettingsError):
            _stop(str(error), 2)
        if isinstance(error, AnimecutError):
            _stop(str(error), 1)
        if isinstance(error, KeyboardInterrupt):
            _stop("stopped; --resume goes on with a fit or a comparison from its last checkpoint", 130)


def _stop(message: str, code: int) -> NoReturn:
    typer.echo(f"error: {in_flags(message)}", err=True)
    sys.exit(code)
