"""`margin-monitor capture`: read an account once and write down what the exchange told."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from urllib.parse import unquote

import typer

from monitor.cli.options import ConfigOption


def capture(
    account: Annotated[
        str | None, typer.Argument(help="The account's name.", show_default=False)
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="The file to write; else stdout.")
    ] = None,
    list_for: Annotated[
        str | None,
        typer.Option("--list", metavar="EXCHANGE", help="Print the requests that are needed."),
    ] = None,
    config: ConfigOption = None,
) -> None:
    """
    Write what an exchange tells of an account into a file, secrets and ids removed.

    Asks the running daemon; where none runs, reads the account itself.

    Example: margin-monitor capture main -o main.json
    """
    if list_for is not None:
        _print_requests(list_for)
        return
    if account is None:
        raise typer.BadParameter("name an account, or --list EXCHANGE", param_hint="ACCOUNT")
    import asyncio

    text = asyncio.run(_capture(account, config))
    if output is None:
        typer.echo(text.decode(), nl=False)
    else:
        output.write_bytes(text)
        typer.echo(f"{account}: written to {output}", err=True)


def _print_requests(exchange_name: str) -> None:
    from monitor.exchanges.registry import EXCHANGES

    if exchange_name not in EXCHANGES:
        raise typer.BadParameter(
            f"'{exchange_name}': expected one of {', '.join(EXCHANGES)}", param_hint="--list"
        )
    for mode, calls in EXCHANGES[exchange_name].catalogue:
        typer.echo(f"# {mode}")
        for call in calls:
            typer.echo(unquote(call.request) + ("  (optional)" if call.optional else ""))


async def _capture(account: str, config: Path | None) -> bytes:
    from monitor.service import logs
    from monitor.service.capturing import capture_account
    from monitor.service.control import NotRunning, ask_bytes
    from monitor.settings import find_config, load_settings

    path = find_config(config)
    without = load_settings(path, secrets=False)
    names = [configured.name for configured in without.accounts]
    if account not in names:
        known = ", ".join(names)
        raise typer.BadParameter(
            f"'{account}' is not in {path}; accounts there: {known}", param_hint="ACCOUNT"
        )
    try:
        return await ask_bytes(without.state_directory, "POST", f"/capture/{account}")
    except NotRunning:
        settings = load_settings(path)
        logs.set_up(settings.secrets(), level=logs.WARNING)
        return await capture_account(next(a for a in settings.accounts if a.name == account))
