"""`margin-monitor status`: what the running daemon knows now."""

from __future__ import annotations

from typing import Annotated

import typer

from monitor.cli.options import ConfigOption, JsonOption


def status(
    *,
    shocks: Annotated[
        bool, typer.Option("--shocks", help="With what standard moves of prices would leave.")
    ] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """
    Show what the running daemon knows now.

    Example: margin-monitor status --json
    """
    import asyncio

    from monitor.exchanges.payload import Row
    from monitor.service.control import ask
    from monitor.settings import find_config, load_settings
    from monitor.status.report import to_json
    from monitor.status.supposed import SHOCKS, print_shocks
    from monitor.status.table import print_table

    settings = load_settings(find_config(config), secrets=False)
    path = f"/status?{SHOCKS}=1" if shocks else "/status"
    answer = asyncio.run(ask(settings.state_directory, "GET", path))
    found = Row(answer, "status").data()
    if as_json:
        typer.echo(to_json(found))
    else:
        print_table(found)
        if shocks:
            print_shocks(found)
