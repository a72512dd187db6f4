"""
Bybit's linear and inverse contracts: instruments-info → Instrument.

A row, shortened (docs «Get Instruments Info», read 2026-07): ``{"symbol": "SOLUSDT",
"contractType": "LinearPerpetual", "baseCoin": "SOL", "quoteCoin": "USDT", "settleCoin":
"USDT", "deliveryTime": "0", "lotSizeFilter": {"qtyStep": "0.1"}}``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from monitor.errors import Malformed, Unmodelled
from monitor.exchanges.bybit import calls
from monitor.exchanges.bybit.envelope import listing, naming, rows_of, says_no_such_symbol
from monitor.exchanges.bybit.rows import INVERSE, settle_of
from monitor.risk.model import ONE, Instrument, Payoff

if TYPE_CHECKING:
    from decimal import Decimal

    from monitor.exchanges.call import Replies, RestCall
    from monitor.exchanges.payload import Row

_PAYOFFS = {
    "LinearPerpetual": Payoff.LINEAR,
    "LinearFutures": Payoff.LINEAR,
    "InversePerpetual": Payoff.INVERSE,
    "InverseFutures": Payoff.INVERSE,
}


def instrument_of(replies: Replies, symbol: str, category: str = "linear") -> Instrument:
    """
    The contract of this name.

    Raises:
        MissingReply: If its instruments-info is not there.
        Malformed: If it can't be read or does not list the symbol.
        Unmodelled: If it is of a kind that is not known.
    """
    call = calls.instrument(symbol, category)
    with naming(call.request):
        row = rows_of(replies, call, "symbol")[0]
        found = _instrument(row)
        if (found.payoff is Payoff.INVERSE) is not (category == "inverse"):
            raise Malformed(
                row.at("contractType"), f"a {category} contract", row.text("contractType")
            )
        return found


def is_unlisted(replies: Replies, symbol: str, category: str) -> bool:
    """
    Whether Bybit says that there is no such perpetual: one that is new, or gone.

    It says so in words; an empty list without them is no answer. A contract that expires tells
    its day nowhere else.
    """
    is_perpetual = "-" not in symbol and not symbol[-2:].isdigit()
    reply = replies.find(calls.instrument(symbol, category))
    if reply is None or reply.query.get("symbol") != symbol:
        return False
    return is_perpetual and says_no_such_symbol(reply.body)


def by_name(symbol: str, category: str, size: Decimal) -> Instrument:
    """
    A perpetual that Bybit does not list, as its name has it; the lot is the size's last digit.

    SOLUSDT is SOL in USDT, BTCPERP is BTC in USDC, an inverse BTCUSD is BTC in BTC.
    """
    settle = settle_of(symbol, category)
    is_inverse = category == INVERSE
    ending = "USD" if is_inverse else "PERP" if symbol.endswith("PERP") else settle
    base, quote = symbol.removesuffix(ending), "USD" if is_inverse else settle
    return Instrument(
        symbol=f"{base}/{quote}:{settle}",
        exchange_symbol=symbol,
        base=base,
        quote=quote,
        settle=settle,
        payoff=Payoff.INVERSE if is_inverse else Payoff.LINEAR,
        contract_size=ONE,
        lot=ONE.scaleb(min(0, int(size.as_tuple().exponent))),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceFilter:
    """Between which prices a contract trades, and in which steps; None where not told."""

    least: Decimal | None
    most: Decimal | None
    tick: Decimal | None


def price_filter(replies: Replies, symbol: str, category: str) -> PriceFilter:
    """The limits outside of which Bybit shows no liquidation price. Raises as `instrument_of`."""
    if is_unlisted(replies, symbol, category):
        return PriceFilter(least=None, most=None, tick=None)
    call = calls.instrument(symbol, category)
    with naming(call.request):
        row = rows_of(replies, call, "symbol")[0]
        if not row.has("priceFilter"):
            return PriceFilter(least=None, most=None, tick=None)
        told = row.row("priceFilter")
        return PriceFilter(
            least=told.optional_decimal("minPrice"),
            most=told.optional_decimal("maxPrice"),
            tick=told.optional_decimal("tickSize"),
        )


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
    if kind not in _PAYOFFS:
        raise Unmodelled(f"{symbol} is a {kind} contract, a kind that is not known here")
    expiry = f"-{row.time('deliveryTime'):%y%m%d}" if kind.endswith("Futures") else ""
    return Instrument(
        symbol=f"{base}/{quote}:{settle}{expiry}",
        exchange_symbol=symbol,
        base=base,
        quote=quote,
        settle=settle,
        payoff=_PAYOFFS[kind],
        # Sizes of linear contracts are in the base coin itself, of inverse ones in USD.
        contract_size=ONE,
        lot=row.row("lotSizeFilter").positive("qtyStep"),
    )
