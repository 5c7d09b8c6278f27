"""`animecut-check FILE --for line`: whether a platform would take a file."""

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from animecut.cli.words import in_flags
from animecut.errors import AnimecutError, SettingsError
from animecut.platforms.specs import PLATFORMS, check_file, find_platform, limits

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command(context_settings={"help_option_names": ["-h", "--help"]})
def animecut_check(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Stickers, made by whatever tool.")],
    platforms: Annotated[str, typer.Option("--for", metavar="P[,P]", help=f"Of {', '.join(PLATFORMS)}.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per file and platform.")] = False,
    listed: Annotated[
        bool,
        typer.Option(
            "--list", is_eager=True, callback=lambda on: _list(on), help="Every platform, its limits, and whose."
        ),
    ] = False,
) -> None:
    """Say what a sticker platform would refuse. Exit: 0 nothing, 1 something, 2 wrong words."""
    try:
        names = [find_platform(name.strip()).name for name in platforms.split(",")]
    except SettingsError as error:
        typer.echo(f"error: {in_flags(str(error))}", err=True)
        sys.exit(2)
    failed = False
    for file in files:
        for name in names:
            try:
                problems = check_file(file, name)
            except AnimecutError as error:
                problems = [str(error)]
            failed |= bool(problems)
            if as_json:
                verdict = {"path": str(file), "platform": name, "valid": not problems, "problems": problems}
                typer.echo(json.dumps(verdict))
            else:
                for line in problems or ["fine"]:
                    typer.echo(os.fsencode(f"{file}: {name}: {line}"))  # a name need not be UTF-8
    raise typer.Exit(1 if failed else 0)


def _list(on: bool) -> None:
    if not on:
        return
    for row in PLATFORMS.values():
        unsure = f"; unsure: {row.unsure}" if row.unsure else ""
        typer.echo(f"{row.name}: {'; '.join(limits(row))} ({row.source}, {row.date}{unsure})")
    raise typer.Exit


def main() -> None:
    """Entry point of the command `animecut-check`."""
    app()
