"""Words on the command line -> Settings -> batch. The only module that prints, draws a bar and exits."""

import json
import signal
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn, cast

import typer

from animecut import __version__
from animecut.errors import AnimecutError, SettingsError
from animecut.platforms.specs import PLATFORMS, find_platform
from animecut.settings import (
    FORMATS,
    MATTINGS,
    CaptionAt,
    Matting,
    Run,
    Settings,
    formats_for,
    parse_bytes,
    parse_size,
    parse_time,
)

if TYPE_CHECKING:
    from animecut.batch.runner import JobResult

INTERRUPTED = 130  # what a shell expects of a program that was stopped with Ctrl-C

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


def _path(word: str) -> Path:
    if not word:  # an unset variable; as a path it would be the folder that one is in
        raise typer.BadParameter("an empty word is no input")
    return Path(word)


@app.command(context_settings={"help_option_names": ["-h", "--help"]})
def animecut(
    inputs: Annotated[
        list[Path],
        typer.Argument(
            metavar="INPUT...", parser=_path, help="Videos, GIFs, pictures, folders of them, or lists (CSV, JSON)."
        ),
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
    pack: Annotated[
        bool, typer.Option("--pack", help="A folder for each platform, numbered in order, with the icons it asks for.")
    ] = False,
    size: Annotated[
        str, typer.Option(metavar="PX", help="Longer side of the sticker; or exactly width and height: 413x531.")
    ] = str(Settings.size),
    frame: Annotated[
        str, typer.Option(metavar="T", help="A still of the picture on screen at T; a PNG where no format is named.")
    ] = "",
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
    follow: Annotated[
        bool, typer.Option("--follow", help="The crop moves smoothly with the character, who can so be larger.")
    ] = False,
    outline: Annotated[
        int, typer.Option(metavar="PX", help="A border around the character, as if cut out with scissors.")
    ] = Settings.outline,
    outline_color: Annotated[str, typer.Option(metavar="C", help="Its colour.")] = Settings.outline_color,
    shadow: Annotated[bool, typer.Option("--shadow", help="A soft shadow; not in a transparent GIF.")] = False,
    caption: Annotated[
        str, typer.Option(metavar="TEXT", help="White text with a black outline, as large as it fits.")
    ] = Settings.caption,
    caption_at: Annotated[str, typer.Option(metavar="WHERE", help="top or bottom.")] = Settings.caption_at,
    font: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Font of the caption. Default: one for plain English.")
    ] = None,
    speed: Annotated[float, typer.Option(metavar="X", help="So many times as fast.")] = Settings.speed,
    reverse: Annotated[bool, typer.Option("--reverse", help="Backwards.")] = False,
    bounce: Annotated[bool, typer.Option("--bounce", help="Forwards, then backwards: any clip loops.")] = False,
    loop_find: Annotated[
        bool, typer.Option("--loop-find", help="Cut to the part of the range that loops best; tells the seam.")
    ] = False,
    background: Annotated[
        str, typer.Option(metavar="B", help="transparent, a colour (white, #ff8800), or a picture file.")
    ] = Settings.background,
    loop: Annotated[int, typer.Option(metavar="N", help="Play N times; 0 is for ever.")] = Settings.loop,
    first: Annotated[
        str, typer.Option(metavar="T", help="Begin with what shows at T, and go round. Default: as platforms need.")
    ] = "",
    max_bytes: Annotated[
        str, typer.Option(metavar="N", help="Of each file: 500000, 500k or 1.5M; tells what was given up.")
    ] = "",
    max_seconds: Annotated[
        float | None, typer.Option(metavar="S", help="Of each file; what is longer is cut off the end.")
    ] = None,
    quality: Annotated[
        int, typer.Option(metavar="1..100", help="Of webp and webm; of a gif, how faint a change is still drawn.")
    ] = Settings.quality,
    weights: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Weights made by animecut-train. Default: the ones that come along."),
    ] = None,
    device: Annotated[str, typer.Option(metavar="D", help="auto, cpu, cuda or mps.")] = Settings.device,
    batch_size: Annotated[int, typer.Option(metavar="N", help="Most pictures at once on a GPU.")] = Settings.batch_size,
    preview: Annotated[
        bool, typer.Option("--preview", help="Beside the stickers a picture and a page that show them on four grounds.")
    ] = False,
    ray: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Hand the inputs to the machines of a Ray cluster; `local` starts one."),
    ] = None,
    jobs: Annotated[
        int | None, typer.Option(metavar="N", help="Of many inputs, so many at once. Default: what suits the machine.")
    ] = None,
    timeout: Annotated[
        float, typer.Option(metavar="S", help="Of many inputs, give one up that gets no picture further for S seconds.")
    ] = Run.timeout,
    max_memory: Annotated[
        float | None,
        typer.Option(metavar="GB", help="Of many inputs, give one up that needs more. Default: its share."),
    ] = None,
    max_source_side: Annotated[
        int, typer.Option(metavar="PX", help="Refuse sources with a longer side.")
    ] = Settings.max_source_side,
    max_source_pixels: Annotated[
        int, typer.Option(metavar="N", help="Refuse sources with more pixels in a picture.")
    ] = Settings.max_source_pixels,
    max_source_seconds: Annotated[
        float, typer.Option(metavar="S", help="Refuse sources that last longer between --start and --end.")
    ] = Settings.max_source_seconds,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace stickers that are there, and redo what is done.")
    ] = False,
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
    try:
        settings = Settings(
            start=parse_time(start) if start else None,
            end=parse_time(end) if end else None,
            formats=formats_for(formats, output, bool(platforms), still=bool(frame)),
            platforms=_platforms(platforms),
            size=parse_size(size)[0], canvas=parse_size(size)[1], frame=parse_time(frame) if frame else None, fps=fps,
            weights=weights, device=device, batch_size=batch_size, pick=pick,
            matting=cast("Matting", matting), steady=steady, keep_effects=keep_effects, crop=crop, follow=follow,
            margin=margin, outline=outline, outline_color=outline_color, shadow=shadow, caption=caption,
            caption_at=cast("CaptionAt", caption_at), font=font, speed=speed, reverse=reverse, bounce=bounce,
            loop_find=loop_find, preview=preview, background=background, loop=loop, quality=quality,
            first=parse_time(first) if first else None, max_bytes=parse_bytes(max_bytes) if max_bytes else None,
            max_seconds=max_seconds, max_source_side=max_source_side, max_source_pixels=max_source_pixels,
            max_source_seconds=max_source_seconds,
        )  # fmt: skip
        run = Run(overwrite=overwrite, ray=ray, jobs=jobs, timeout=timeout, max_memory=max_memory)
        failed = _run(inputs, output, settings, run, pack=pack, as_json=as_json, quiet=quiet)
    except SettingsError as error:
        _stop(str(error), 2)
    except AnimecutError as error:
        _stop(str(error), 1)
    except KeyboardInterrupt:
        _stop("stopped; what was not finished is not there", INTERRUPTED)
    raise typer.Exit(1 if failed else 0)


def main() -> None:
    """The command `animecut`."""
    app()


def _run(
    inputs: list[Path], output: Path | None, settings: Settings, run: Run, *, pack: bool, as_json: bool, quiet: bool
) -> int:
    """Do everything and say how it went; return how many inputs failed."""
    from animecut.batch import run as run_setup
    from animecut.cli.progress import ProgressBars

    many, jobs = run_setup.plan_run(inputs, output, settings, run, pack=pack)
    for stop in (signal.SIGINT, signal.SIGTERM):  # from now on there is something to tidy up
        signal.signal(stop, signal.default_int_handler)
    problems, before = [], 0
    with (
        ProgressBars(silent=quiet) as bars,
        closing(run_setup.start_run(jobs, inputs, output, settings, run, bars, many=many)) as results,
    ):
        for count, done in enumerate(results, start=1):
            before += done.before is not None
            if done.problem:
                problems.append(done.problem)
                bars.error(f"error: {done.problem}")
            for line in _lines(done):
                bars.notice(line)
            if as_json:
                typer.echo(json.dumps(done.as_json()))
            if many:
                bars.progress("all", count, len(jobs), unit="files")
    if many and not quiet:
        _say(f"{len(jobs) - len(problems)} of {len(jobs)} done" + (f", {len(problems)} failed" if problems else "")
             + (f" ({before} were done before)" if before else ""))  # fmt: skip
        for problem in problems:
            _say(f"  {problem}")
    return len(problems)


def _platforms(named: str | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(find_platform(name.strip()).name for name in named.split(","))) if named else ()


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
    _say(f"error: {message}")
    sys.exit(code)


def _version(on: bool) -> None:
    if on:
        typer.echo(f"animecut {__version__}")
        raise typer.Exit
