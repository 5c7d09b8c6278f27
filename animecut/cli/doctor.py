"""`animecut-doctor`: whether this machine has what animecut needs."""

import json
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command(context_settings={"help_option_names": ["-h", "--help"]})
def animecut_doctor(
    weights: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Weights made by animecut-train. Default: the ones that come along."),
    ] = None,
    device: Annotated[str, typer.Option(metavar="D", help="auto, cpu, cuda or mps.")] = "auto",
    batch_size: Annotated[int, typer.Option(min=1, metavar="N", help="Most pictures at once on a GPU.")] = 16,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per finding.")] = False,
) -> None:
    """Look for what animecut needs, and try it out. Exit: 0 all is there, 1 something is missing, 2 wrong words."""
    from animecut.cli.examine import examine
    from animecut.cli.words import in_flags
    from animecut.segmentation.metadata import DEFAULT_WEIGHTS

    well = True
    for finding in examine(weights or DEFAULT_WEIGHTS, device, batch_size):
        well &= finding.well
        words = in_flags(finding.words)
        if as_json:
            typer.echo(json.dumps({"name": finding.name, "words": words, "well": finding.well}))
        else:
            typer.echo(f"{'ok' if finding.well else 'BAD':4}{finding.name:10}{words}")
    raise typer.Exit(0 if well else 1)


def main() -> None:
    """Entry point of the command `animecut-doctor`."""
    app()
