"""Words on the command line -> Settings -> batch. The only module that prints, draws a bar and exits."""

import json
import signal
import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from animecut import __version__
from animecut.errors import AnimecutError, SettingsError
from animecut.platforms import PLATFORMS, find
from animecut.settings import FORMATS, MATTINGS, SUFFIXES, Format, Matting, Settings, parse_time

if TYPE_CHECKING:
    from animecut.batch import Done

INTERRUPTED = 130  # what a shell expects of a program that was stopped with Ctrl-C

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command(context_settings={"help_option_names": ["-h", "--help"]})
def animecut(
    inputs: Annotated[
        list[Path], typer.Argument(metavar="INPUT...", help="Videos, GIFs, pictures, or folders of them.")
    ],
    start: Annotated[
        str, typer.Option(metavar="T", help="Begin with the picture on screen at T: seconds, or [h:]m:s.")
    ] = "",
    end: Annotated[str, typer.Option(metavar="T", help="Stop before T.")] = "",
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", metavar="OUT", help="A file (clip.webp) or a folder. Default: beside the input."
        ),
    ] = None,
    formats: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="F[,F]",
            help=f"Of {', '.join(FORMATS)}; several at once cost little more. Default: webp.",
        ),
    ] = None,
    platforms: Annotated[
        str | None,
        typer.Option("--for", metavar="P[,P]", help=f"A file that a platform takes: {', '.join(PLATFORMS)}."),
    ] = None,
    size: Annotated[int, typer.Option(metavar="PX", help="Longer side of the sticker.")] = Settings.size,
    fps: Annotated[
        float | None, typer.Option(metavar="N", help="At most N drawings per second. Default: all there are.")
    ] = None,
    pick: Annotated[
        str,
        typer.Option(
            metavar="WHO", help="Which character: all, largest, left, right, center, or X,Y in the first picture."
        ),
    ] = Settings.pick,
    matting: Annotated[
        str,
        typer.Option(
            metavar="HOW", help=f"Soft edges by {', '.join(MATTINGS)} (knn is slow, none only cleans colour)."
        ),
    ] = Settings.matting,
    steady: Annotated[
        float, typer.Option(metavar="X", help="0..1: how much neighbouring drawings agree.")
    ] = Settings.steady,
    keep_effects: Annotated[
        bool, typer.Option("--keep-effects", help="Keep small detached pieces, such as sweat drops.")
    ] = False,
    crop: Annotated[
        bool, typer.Option("--crop/--no-crop", help="Crop to the character, or keep the whole picture.")
    ] = True,
    margin: Annotated[
        int, typer.Option(metavar="PX", help="Transparent border around the character.")
    ] = Settings.margin,
    background: Annotated[
        str, typer.Option(metavar="B", help="transparent, a colour (white, #ff8800), or a picture file.")
    ] = Settings.background,
    loop: Annotated[int, typer.Option(metavar="N", help="Play N times; 0 is for ever.")] = Settings.loop,
    quality: Annotated[int, typer.Option(metavar="1..100", help="Of webp, webm and mov.")] = Settings.quality,
    weights: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Weights made by animecut-train. Default: the ones that come along."),
    ] = None,
    device: Annotated[str, typer.Option(metavar="D", help="auto, cpu, cuda or mps.")] = Settings.device,
    batch_size: Annotated[int, typer.Option(metavar="N", help="Pictures at once on a GPU.")] = Settings.batch_size,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace stickers that are there already.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per input on standard output.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Only errors.")] = False,
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=lambda on: _version(on), help="Show it.")
    ] = False,
) -> None:
    """Cut the characters out of anime clips: transparent stickers.

    animecut clip.mp4 --start 12.3 --end 14.1            clip_12.3-14.1.webp beside the clip

    animecut clip.mp4 --start 1:02 --end 1:04 -o hi.gif --size 320

    animecut clips/ -o stickers/ --format webp,gif       every clip in a folder
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # tidied up after like Ctrl-C
    try:
        settings = Settings(
            start=parse_time(start) if start else None,
            end=parse_time(end) if end else None,
            formats=_formats(formats, output, platforms),
            platforms=_platforms(platforms),
            size=size, fps=fps, weights=weights, device=device, batch_size=batch_size, pick=pick,
            matting=_matting(matting), steady=steady, keep_effects=keep_effects, crop=crop, margin=margin,
            background=background, loop=loop, quality=quality,
        )  # fmt: skip
        failed = _run(inputs, output, settings, overwrite=overwrite, as_json=as_json, quiet=quiet)
    except SettingsError as error:
        _stop(str(error), 2)
    except AnimecutError as error:
        _stop(str(error), 1)
    except KeyboardInterrupt:
        _stop("stopped; what was not finished is not there", INTERRUPTED)
    raise typer.Exit(1 if failed else 0)


def main() -> None:
    """Entry point of the command `animecut`."""
    app()


def _run(
    inputs: list[Path], output: Path | None, settings: Settings, *, overwrite: bool, as_json: bool, quiet: bool
) -> int:
    """Do everything and say how it went; return how many inputs failed."""
    from animecut import batch
    from animecut.bars import Bars
    from animecut.network import DEFAULT_WEIGHTS
    from animecut.segment import Segmenter

    jobs = batch.plan(inputs, output, settings)
    started = time.perf_counter()
    segmenter = Segmenter(settings.weights or DEFAULT_WEIGHTS, settings.device, settings.batch_size)
    startup = time.perf_counter() - started
    if not quiet:
        _say(f"device: {segmenter.device_name}")
    failed = 0
    for done in batch.run(jobs, segmenter, partial(Bars, silent=quiet), overwrite=overwrite):
        failed += done.problem is not None
        if done.problem:
            _say(f"error: {done.problem}")
        elif not quiet:
            for line in _lines(done, segmenter.device_name):
                _say(line)
        if as_json:
            done.report.seconds.setdefault("startup", startup)
            typer.echo(json.dumps(done.as_json(segmenter.device_name)))
        startup = 0.0
    if len(jobs) > 1 and not quiet:
        _say(f"{len(jobs) - failed} of {len(jobs)} done" + (f", {failed} failed" if failed else ""))
    return failed


def _platforms(named: str | None) -> tuple[str, ...]:
    return tuple(find(name.strip()).name for name in named.split(",")) if named else ()


def _formats(named: str | None, output: Path | None, platforms: str | None) -> tuple[Format, ...]:
    """The formats asked for by --format, else what --for or the output's suffix says, else webp."""
    wanted = [name.strip() for name in named.split(",")] if named else []
    if platforms and not wanted:
        return ()
    if output is not None and output.suffix and not output.is_dir():
        kinds = [kind for kind, suffix in SUFFIXES.items() if suffix and suffix == output.suffix.lower()]
        if not kinds:
            raise SettingsError(
                f"-o {output}: no suffix that is written; use " + ", ".join(s for s in SUFFIXES.values() if s)
            )
        if wanted not in ([], kinds):
            raise SettingsError(f"-o {output} does not fit --format {named}; leave one of them out")
        wanted = list(kinds)
    return tuple(_format(name) for name in dict.fromkeys(wanted or ["webp"]))


def _format(name: str) -> Format:
    for known in FORMATS:
        if name == known:
            return known
    raise SettingsError(f"--format {name}: unknown; choose from {', '.join(FORMATS)}")


def _matting(name: str) -> Matting:
    for known in MATTINGS:
        if name == known:
            return known
    raise SettingsError(f"--matting {name}: unknown; choose from {', '.join(MATTINGS)}")


def _lines(done: "Done", device: str) -> list[str]:
    lines = []
    for output in done.report.outputs:
        out = output.written
        lines.append(
            f"{out.path}: {out.width}x{out.height}, {done.report.drawings} drawings in {out.duration_s:.2f} s, "
            f"{_size(out.bytes)}, made in {done.seconds:.1f} s on {device}"
        )
        if output.given_up:
            lines.append(f"  to fit {output.platform}: {'; '.join(output.given_up)}")
        lines += [f"  {output.platform} would refuse it: {problem}" for problem in output.problems]
    return lines


def _size(count: int) -> str:
    return f"{count / 1000:.0f} kB" if count < 1e6 else f"{count / 1e6:.1f} MB"


def _say(message: str) -> None:
    typer.echo(message, err=True)


def _stop(message: str, code: int) -> NoReturn:
    _say(f"error: {message}")
    sys.exit(code)


def _version(on: bool) -> None:
    if on:
        typer.echo(f"animecut {__version__}")
        raise typer.Exit
