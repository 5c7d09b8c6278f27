"""Words on the command line -> Settings -> batch. The only module that prints, draws a bar and exits."""

import json
import os
import signal
import sys
import threading
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from animecut import __version__
from animecut._util.paths import is_address
from animecut.cli.pipes import PIPE, without_pipes
from animecut.cli.words import in_flags, run_of, settings_of, with_options
from animecut.errors import AnimecutError, SettingsError
from animecut.settings import Run, Settings

if TYPE_CHECKING:
    from animecut.batch.runner import JobResult

INTERRUPTED = 130  # what a shell expects of a program that was stopped with Ctrl-C

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


def _path(word: str) -> Path:
    if not word:  # an unset variable; as a path it would be the folder that one is in
        raise typer.BadParameter("an empty word is no input")
    if is_address(word):  # said here, before anything is loaded
        raise typer.BadParameter(f"{word} is an address, and nothing is fetched; download it first, and name the file")
    return Path(word)


def animecut(
    inputs: Annotated[
        list[Path],
        typer.Argument(
            metavar="INPUT...",
            parser=_path,
            help="Videos, GIFs, pictures, folders, lists (CSV, JSON), - for a pipe.",
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", metavar="OUT", help="A file (clip.webp), a folder, or - for a pipe. Default: beside."
        ),
    ] = None,
    pack: Annotated[
        bool,
        typer.Option(
            "--pack", help="A folder for each platform, numbered in order, with its icons and what its apps import."
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per input on standard output.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Only errors.")] = False,
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=lambda on: _version(on), help="Show it.")
    ] = False,
    **words: Any,  # noqa: ANN401 the options of Settings and Run, by their fields
) -> None:
    """Cut the characters out of anime clips: transparent stickers.

    animecut clip.mp4 --start 12.3 --end 14.1            clip_12.3-14.1.webp beside the clip

    animecut clip.mp4 --start 1:02 --end 1:04 -o hi.gif --size 320

    animecut clips/ -o stickers/ --format webp,gif       every clip in a folder
    """
    try:
        settings, run = settings_of(words, output), run_of(words)
        if output == PIPE and (as_json or pack):
            raise SettingsError("goes with neither --json nor --pack", field="output", value="-")
        with without_pipes(inputs, output, settings) as (files, place):
            failed = _run(files, place, settings, run, pack=pack, as_json=as_json, quiet=quiet)
    except SettingsError as error:
        _stop(str(error), 2)
    except AnimecutError as error:
        _stop(str(error), 1)
    except KeyboardInterrupt:
        _stop("stopped; what was not finished is not there", INTERRUPTED)
    raise typer.Exit(1 if failed else 0)


app.command(context_settings={"help_option_names": ["-h", "--help"]})(
    with_options(animecut, after={"end": "output", "platforms": "pack"})
)


def main() -> None:
    """The command `animecut`. Where it fails, it waits for no thread that still loads torch or compiles the matting."""
    try:
        app()
    except SystemExit as done:
        if done.code and threading.active_count() > 1:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(done.code if isinstance(done.code, int) else 1)
        raise


def _run(
    inputs: list[Path], output: Path | None, settings: Settings, run: Run, *, pack: bool, as_json: bool, quiet: bool
) -> int:
    """Do everything and say how it went; return how many inputs failed."""
    from animecut._util.concurrency import in_main_thread
    from animecut.batch import run as run_setup
    from animecut.batch.packs import finish_packs
    from animecut.cli.progress import ProgressBars

    many, jobs = run_setup.plan_run(inputs, output, settings, run, pack=pack)
    if in_main_thread():  # from now on there is something to tidy up
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    problems, before = [], 0
    with (
        ProgressBars(silent=quiet) as bars,
        closing(run_setup.start_run(jobs, inputs, output, settings, run, bars, many=many)) as results,
    ):
        for count, done in enumerate(results, start=1):
            before += done.before is not None
            if done.problem:
                problems.append(in_flags(done.problem))
                bars.error(f"error: {problems[-1]}")
            for line in _lines(done):
                bars.notice(line)
            if as_json:
                typer.echo(json.dumps(_in_json(done)))
            if many:
                bars.progress("all", count, len(jobs), unit="files")
        if pack and output:
            for line in finish_packs(jobs, output, preview=settings.preview):
                bars.notice(line)
    if many and not quiet:
        _say_how_many(len(jobs), problems, before)
    return len(problems)


def _say_how_many(jobs: int, problems: list[str], before: int) -> None:
    _say(f"{jobs - len(problems)} of {jobs} done" + (f", {len(problems)} failed" if problems else "")
         + (f" ({before} were done before)" if before else ""))  # fmt: skip
    for problem in problems:
        _say(f"  {problem}")


def _in_json(done: "JobResult") -> dict[str, object]:
    record = done.as_json()
    return record | {"error": in_flags(str(record["error"])) if record["error"] else None}


def _lines(done: "JobResult") -> list[str]:
    lines = []
    for output in done.report.outputs:
        out = output.written
        lines.append(
            f"{out.path}: {out.width}x{out.height}, {done.report.drawings} drawings in {out.duration_s:.2f} s, "
            f"{_size(out.bytes)}, made in {done.seconds:.1f} s on {done.device}"
        )
        if output.given_up:
            like = "" if output.ssim is None else f"; SSIM {output.ssim:.3f} of the sticker without limits"
            lines.append(f"  to fit {output.platform or 'the limits'}: {'; '.join(output.given_up)}{like}")
        lines += [f"  {output.platform} would refuse it: {problem}" for problem in output.problems]
    loop = done.report.loop
    if loop and loop.holds:
        lines.append(
            f"  loops from {loop.start:.2f} to {loop.end:.2f} s of the source; its seam: {loop.seam} ({loop.score:.2f})"
        )
    lines += [f"  preview: {path}" for path in done.report.preview or ()]
    return lines


def _size(count: int) -> str:
    return f"{count / 1000:.0f} kB" if count < 1e6 else f"{count / 1e6:.1f} MB"


def _say(message: str) -> None:
    typer.echo(message, err=True)


def _stop(message: str, code: int) -> NoReturn:
    _say(f"error: {in_flags(message)}")
    sys.exit(code)


def _version(on: bool) -> None:
    if on:
        typer.echo(f"animecut {__version__}")
        raise typer.Exit
