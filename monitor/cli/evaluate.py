"""`margin-monitor evaluate`: recompute captures offline."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from monitor.cli.options import ConfigOption, JsonOption, instrument_named, parse_marks
from monitor.errors import ConfigError, Malformed, MonitorError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from monitor.alerts.ladder import Ladder
    from monitor.engine.effects import AccountAssessment
    from monitor.risk.model import Instrument
    from monitor.risk.result import Target


def evaluate(
    files: Annotated[list[Path], typer.Argument(help="Capture files.", show_default=False)],
    mark: Annotated[
        list[str] | None,
        typer.Option(help="SYMBOL=PRICE; this mark in place of the captured one. Repeatable."),
    ] = None,
    *,
    each: Annotated[
        bool, typer.Option("--each", help="One JSON line after the snapshot and every frame.")
    ] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """
    Recompute a capture offline: no network, no keys.

    Example: margin-monitor evaluate main.json --mark SOLUSDT=131.9 --json
    """
    from monitor.status.report import report, to_json
    from monitor.status.table import print_table

    overrides = parse_marks(mark or [])
    last: list[AccountAssessment] = []
    used: set[str] = set()
    for file in files:
        step: AccountAssessment | None = None
        for step in steps_of(file, overrides, used, config):
            if each:
                typer.echo(to_json(report([step], step.at)))
        if step is not None:
            last.append(step)
    unused = sorted(set(overrides) - used)
    if unused:
        raise typer.BadParameter(f"no capture here holds {', '.join(unused)}", param_hint="--mark")
    if each:
        return
    found = report(last, max(step.at for step in last))
    if as_json:
        typer.echo(to_json(found))
    else:
        print_table(found)


def steps_of(
    file: Path, overrides: dict[str, Decimal], used: set[str], config: Path | None
) -> Iterator[AccountAssessment]:
    """Every step of one file; an error names the file."""
    from monitor.cli.replay import Replay
    from monitor.exchanges.capture import read_capture

    ladder, target = yardsticks(config)

    def override(instruments: tuple[Instrument, ...]) -> dict[str, Decimal]:
        marks: dict[str, Decimal] = {}
        for word, price in overrides.items():
            try:
                instrument = instrument_named(word, instruments)
            except typer.BadParameter:
                continue
            used.add(word)
            marks[instrument.exchange_symbol] = price
        return marks

    try:
        capture = read_capture(file.read_bytes())
        yield from Replay(capture, ladder=ladder, target=target, override=override).steps()
    except OSError as error:
        raise MonitorError(f"{file}: {error.strerror}") from error
    except Malformed as error:
        error.because = f"{file}: {error.because}"
        raise


def yardsticks(config: Path | None) -> tuple[Ladder, Target]:
    """The ladder and the target of the config file, whose secrets stay shut; else the defaults."""
    from monitor.alerts.ladder import DEFAULT_LADDER
    from monitor.risk.result import Target
    from monitor.settings import find_config, load_settings

    try:
        path = find_config(config)
    except ConfigError:
        return DEFAULT_LADDER, Target()  # there is no config file, and none is needed
    settings = load_settings(path, secrets=False)
    return settings.ladder, settings.target
