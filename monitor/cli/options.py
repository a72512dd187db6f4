"""Options that many commands share, and how a symbol is given."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from monitor.risk.model import Instrument

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        help="The config file. Else $MARGIN_MONITOR_CONFIG, "
        "/etc/margin-monitor/margin-monitor.toml or ./config/margin-monitor.toml.",
        show_default=False,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Figures as JSON on stdout.")]


def parse_marks(pairs: Iterable[str]) -> dict[str, Decimal]:
    """
    Prices by the symbol as typed (``SOLUSDT=140.5``).

    Raises:
        typer.BadParameter: For a pair that is no symbol and price above 0.
    """
    marks: dict[str, Decimal] = {}
    for pair in pairs:
        symbol, equals, text = pair.rpartition("=")
        try:
            price = Decimal(text)
        except InvalidOperation:
            price = Decimal(0)
        if not equals or not symbol or not price.is_finite() or price <= 0:
            raise typer.BadParameter(f"'{pair}': expected SYMBOL=PRICE, such as SOLUSDT=140.5")
        marks[symbol] = price
    return marks


def instrument_named(word: str, instruments: Iterable[Instrument]) -> Instrument:
    """
    The instrument that a person means by ``SOL/USDT:USDT`` or ``SOLUSDT``.

    Raises:
        typer.BadParameter: If none has that name; those that there are are listed.
    """
    known = tuple(instruments)
    for instrument in known:
        if word.casefold() in (
            instrument.symbol.casefold(),
            instrument.exchange_symbol.casefold(),
        ):
            return instrument
    there = ", ".join(i.exchange_symbol for i in known) or "none"
    raise typer.BadParameter(f"'{word}' is not held here; symbols here: {there}")
