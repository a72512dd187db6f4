"""`margin-monitor check`: everything that must be right before going live, a line each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from monitor.cli.options import ConfigOption
from monitor.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from monitor.service.findings import Check


def check(
    *,
    send_test: Annotated[
        bool, typer.Option("--send-test", help="Send a test message over every channel.")
    ] = False,
    config: ConfigOption = None,
) -> None:
    """
    Go through everything before going live; exit 1 if anything fails.

    Where this user may not read the secrets, the running daemon is asked to do it.

    Example: margin-monitor check --config margin-monitor.toml --send-test
    """
    import asyncio

    failed = asyncio.run(_print_checks(_lines(config, send_test=send_test)))
    if failed:
        typer.echo(f"{failed} of these must be mended", err=True)
        raise typer.Exit(1)


async def _lines(config: Path | None, *, send_test: bool) -> AsyncIterator[Check]:
    """The checks made here, or by the daemon where only that can read the secrets."""
    from monitor.service import logs
    from monitor.service.checks import run_checks
    from monitor.settings import find_config, load_settings

    path = find_config(config)
    try:
        settings = load_settings(path)
    except ConfigError as error:
        told = await _asked(path, send_test=send_test)
        if told is None:
            raise error from None
        for line in told:
            yield line
        return
    logs.set_up(settings.secrets(), level=logs.WARNING)
    async for line in run_checks(settings, send_test=send_test):
        yield line


async def _asked(path: Path, *, send_test: bool) -> list[Check] | None:
    """What the running daemon finds; None where none answers, or the file itself is wrong."""
    from monitor.exchanges.payload import rows_of
    from monitor.service.control import NotRunning, ask
    from monitor.service.findings import Check
    from monitor.settings import load_settings

    try:
        directory = load_settings(path, secrets=False).state_directory
        query = "?send_test=1" if send_test else ""
        answer = await ask(directory, "POST", f"/check{query}")
    except (ConfigError, NotRunning):
        return None
    return [
        Check(what=row.text("what"), ok=row.boolean("ok"), found=row.text("found"))
        for row in rows_of(answer, "check")
    ]


async def _print_checks(lines: AsyncIterator[Check]) -> int:
    failed = 0
    async for line in lines:
        failed += not line.ok
        typer.echo(f"{'ok  ' if line.ok else 'FAIL'}  {line.what:<32} {line.found}")
    return failed
