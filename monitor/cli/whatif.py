"""`margin-monitor whatif`: the same figures after a change, of a live account or a capture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote, urlencode

import typer

from monitor.cli.options import ConfigOption, JsonOption

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monitor.status.report import Data

Words = dict[str, list[str]]


def whatif(  # noqa: PLR0913 - each is an option
    what: Annotated[
        str, typer.Argument(metavar="ACCOUNT|FILE", help="A watched account, or a capture file.")
    ],
    add: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ASSET=AMOUNT",
            help="Money added (taken out if negative); ASSET@POOL where several pools take it. "
            "Repeatable.",
        ),
    ] = None,
    close: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SYMBOL=PART",
            help="A position closed at the mark: 50% of it, or 12 contracts; SYMBOL/long or "
            "SYMBOL/short where both are held. Repeatable.",
        ),
    ] = None,
    move: Annotated[
        list[str] | None,
        typer.Option(
            metavar="BTC=PERCENT",
            help="A price moved: of a base coin, with all its symbols and collateral in it, "
            "or of one symbol. Repeatable.",
        ),
    ] = None,
    all_prices: Annotated[
        str | None,
        typer.Option("--all", metavar="PERCENT", help="Every price that no --move names."),
    ] = None,
    *,
    shocks: Annotated[
        bool,
        typer.Option("--shocks", help="With a table of standard shocks, after the change."),
    ] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """
    Show the figures before and after a change: money is added, then positions closed, then
    prices moved.

    With --json the figures after it, in the shape of `status`.

    Example: margin-monitor whatif main --move BTC=-10% --add USDT=500 --close SOLUSDT=50%
    """
    from monitor.engine.supposition import read_changes
    from monitor.exchanges.payload import Row
    from monitor.status.report import to_json
    from monitor.status.supposed import SHOCKS, print_shocks, print_supposed

    words = {
        name: list(said)
        for name, said in (
            ("add", add or ()),
            ("close", close or ()),
            ("move", move or ()),
            ("all", () if all_prices is None else (all_prices,)),
        )
        if said
    }
    read_changes(words)  # wrong words are told before anything is read or asked for
    words |= {SHOCKS: ["1"]} if shocks else {}
    found = (
        _of_file(Path(what), words, config) if _is_file(what) else _of_account(what, words, config)
    )
    before, after = (Row(found[key], key).data() for key in ("before", "after"))
    if as_json:
        typer.echo(to_json(after))
        return
    print_supposed(before, after)
    if shocks:
        print_shocks(after)


def _is_file(what: str) -> bool:
    return what.endswith(".json") or Path(what).is_file()


def _of_file(file: Path, words: Words, config: Path | None) -> Data:
    """Both reports of a capture, without network or keys."""
    from monitor.cli.evaluate import steps_of, yardsticks
    from monitor.status.supposed import whatif_report

    *_, known = steps_of(file, {}, set(), config)
    ladder, target = yardsticks(config)
    return whatif_report(known, words, ladder=ladder, target=target, at=known.at)


def _of_account(account: str, words: Words, config: Path | None) -> Mapping[str, object]:
    """Both reports as the running daemon has them."""
    import asyncio

    from monitor.exchanges.payload import Row
    from monitor.service.control import ask
    from monitor.settings import find_config, load_settings

    settings = load_settings(find_config(config), secrets=False)
    names = [configured.name for configured in settings.accounts]
    if account not in names:
        known = ", ".join(names)
        raise typer.BadParameter(
            f"'{account}' is neither a file nor one of the accounts {known}",
            param_hint="ACCOUNT|FILE",
        )
    path = f"/whatif/{quote(account, safe='')}?{urlencode(words, doseq=True)}"
    answer = asyncio.run(ask(settings.state_directory, "POST", path))
    return Row(answer, "whatif").data()
