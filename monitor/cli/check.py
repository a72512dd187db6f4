"""`margin-monitor check`: everything that must be right before going live, a line each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from monitor.cli.options import ConfigOption

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from monitor.service.checks import Check


def check(
    *,
    send_test: Annotated[
        bool, typer.Option("--send-test", help="Send a test message over every channel.")
    ] = False,
    config: ConfigOption = None,
) -> None:
    """
    Go through everything before going live; exit 1 if anything fails.

    Example: margin-monitor check --config margin-monitor.toml --send-test
    """
    import asyncio

    from monitor.service.checks import run_checks
    from monitor.settings import find_config, load_settings

    settings = load_settings(find_config(config))
    failed = asyncio.run(_print_checks(run_checks(settings, send_test=send_test)))
    if failed:
        typer.echo(f"{failed} of these must be mended", err=True)
        raise typer.Exit(1)


async def _print_checks(lines: AsyncIterator[Check]) -> int:
    failed = 0
    async for line in lines:
        failed += not line.ok
        typer.echo(f"{'ok  ' if line.ok else 'FAIL'}  {line.what:<32} {line.found}")
    return failed
