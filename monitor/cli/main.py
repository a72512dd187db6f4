"""The parser, and what every command's failure means to a shell."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from monitor import __version__
from monitor.cli.capture import capture
from monitor.cli.check import check
from monitor.cli.demo import demo
from monitor.cli.evaluate import evaluate
from monitor.cli.last_words import last_words
from monitor.cli.reload import reload
from monitor.cli.run import run
from monitor.cli.simulate import simulate
from monitor.cli.status import status
from monitor.cli.whatif import whatif
from monitor.errors import (
    ConfigError,
    ExchangeError,
    MonitorError,
    RiskError,
    Unreachable,
    WrongUsage,
)

FAILED = 1
USAGE = 2
NO_FIGURES = 3

app = typer.Typer(
    name="margin-monitor",
    help="Watches the margin pools of futures accounts and warns before liquidation.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
for command in (run, reload, demo, simulate, check, status, capture, evaluate, whatif):
    app.command()(command)
app.command(name="last-words", hidden=True)(last_words)


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - typer's own way to call it
    if wanted:
        typer.echo(f"margin-monitor {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    del version


def exit_code(error: MonitorError) -> int:
    """2 for configuration and wrong usage, 3 where the figures can't be computed, else 1."""
    if isinstance(error, ConfigError | WrongUsage):
        return USAGE
    if isinstance(error, RiskError):
        return NO_FIGURES
    if isinstance(error, ExchangeError) and not isinstance(error, Unreachable):
        return NO_FIGURES
    return FAILED


def main() -> None:
    """Run a command; results to stdout, everything else to stderr."""
    try:
        # Wrong usage ends in there: typer prints it and exits with 2.
        app(prog_name="margin-monitor")
    except MonitorError as error:
        for line in error.mistakes if isinstance(error, ConfigError) else (str(error),):
            typer.echo(f"margin-monitor: {line}", err=True)
        sys.exit(exit_code(error))
