"""
Bybit's linear contracts: instruments-info → Instrument.

A row, shortened (docs «Get Instruments Info», read 2026-07): ``{"symbol": "SOLUSDT",
"contractType": "LinearPerpetual", "baseCoin": "SOL", "quoteCoin": "USDT", "settleCoin":
"USDT", "deliveryTime": "0", "lotSizeFilter": {"qtyStep": "0.1"}}``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.errors import Unmodelled
from monitor.exchanges.bybit import calls
from monitor.exchanges.bybit.envelope import listing, naming, rows_of
from monitor.risk.model import ONE, Instrument, Payoff

if TYPE_CHECKING:
    from monitor.exchanges.payload import Row
    from monitor.exchanges.port import Replies, RestCall

_PERPETUAL, _FUTURES = "LinearPerpetual", "LinearFutures"


def instrument_of(replies: Replies, symbol: str) -> Instrument:
    """
    The contract of this name.

    Raises:
        MissingReply: If its instruments-info is not there.
        Malformed: If it can't be read or does not list the symbol.
        Unmodelled: If it is no linear contract.
    """
    call = calls.instrument(symbol)
    with naming(call.request):
        return _instrument(rows_of(replies, call, "symbol")[0])


def listed(replies: Replies, call: RestCall) -> Instrument | None:
    """The contract that an instruments-info call asks for, None where Bybit lists none."""
    symbol = dict(call.query)["symbol"]
    with naming(call.request):
        rows = listing(replies, call).rows
        found = [row for row in rows if row.optional_text("symbol") == symbol]
        return _instrument(found[0]) if found else None


def _instrument(row: Row) -> Instrument:
    symbol, kind = row.text("symbol"), row.text("contractType")
    base, quote, settle = row.text("baseCoin"), row.text("quoteCoin"), row.text("settleCoin")
    if kind not in (_PERPETUAL, _FUTURES):
        raise Unmodelled(f"{symbol} is a {kind} contract: only linear ones are modelled")
    expiry = f"-{row.time('deliveryTime'):%y%m%d}" if kind == _FUTURES else ""
    return Instrument(
        symbol=f"{base}/{quote}:{settle}{expiry}",
        exchange_symbol=symbol,
        base=base,
        quote=quote,
        settle=settle,
        payoff=Payoff.LINEAR,
        # Sizes of linear contracts are in the base coin itself.
        contract_size=ONE,
        lot=row.row("lotSizeFilter").positive("qtyStep"),
    )
