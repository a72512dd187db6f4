"""
Which positions are protected by a stop order that is still pending.

Knows algo orders; must not know margins. An order that is attached to another one that has
not filled yet is no protection and does not stand in these lists.

Source: OKX API guide, «Get algo order list», «Algo orders channel», copies of July 2026.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from monitor.errors import ExchangeError
from monitor.exchanges.okx.calls import STOP_KINDS, STOPS_PER_PAGE, stops
from monitor.exchanges.okx.envelope import rows
from monitor.exchanges.okx.products import SWAP
from monitor.risk.model import ZERO, MarginMode, Side

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from decimal import Decimal

    from monitor.exchanges.call import Replies, RestCall
    from monitor.exchanges.okx.held import Held
    from monitor.exchanges.payload import Row

_CLOSES = {"sell": Side.LONG, "buy": Side.SHORT}
_MARGIN_MODES = {"cross": MarginMode.CROSS, "isolated": MarginMode.ISOLATED}
_POSITION_SIDES = {"long": Side.LONG, "short": Side.SHORT}
# States in which an order still waits for its trigger.
_PENDING = ("live", "pause", "partially_effective")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """
    A pending order that closes a position: of which instrument, which side, in which mode.

    `trigger` is a trigger order's price, None for orders that are stop-losses by their kind.
    """

    inst_id: str
    side: Side
    margin_mode: MarginMode | None
    trigger: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stops:
    """
    The stop orders known, by id.

    `complete`: every list was read, so that none means none; `of` names the one kind of
    instrument that they tell of, None where they tell of all.
    """

    by_id: Mapping[str, Stop]
    complete: bool
    of: str | None = None

    def protect(self, row: Held) -> bool | None:
        """Whether one of them protects this position; None where that is not known."""
        if any(_fits(stop, row) for stop in self.by_id.values()):
            return True
        return False if self.complete and self.of in (None, row.inst_type) else None

    def after(self, row: Row) -> Stops:
        """These after one row of the orders-algo channel: a stop came, changed or went."""
        algo_id, stop = row.text("algoId"), read_stop(row)
        kept = {key: value for key, value in self.by_id.items() if key != algo_id}
        return replace(self, by_id=kept if stop is None else {**kept, algo_id: stop})


def stop_calls(replies: Replies) -> Iterator[RestCall]:
    """The lists of pending orders that are still to be read, page by page."""
    for kind in STOP_KINDS:
        yield from (call for call in _pages(replies, kind) if not replies.has(call))


def read_stops(replies: Replies) -> Stops:
    """
    The pending stop orders, as far as the replies hold their lists.

    No figure depends on them: a list that can't be read is as good as none.
    """
    found: dict[str, Stop] = {}
    complete, of = True, None
    for kind in STOP_KINDS:
        for call in _pages(replies, kind):
            of = SWAP if ("instType", SWAP) in call.query else of
            reply = replies.find(call)
            if reply is None:
                complete = complete and call.continues
                continue
            try:
                found |= _stops_in(rows(reply))
            except ExchangeError:
                complete = False
    return Stops(by_id=found, complete=complete, of=of)


def _stops_in(found: tuple[Row, ...]) -> dict[str, Stop]:
    stops = {row.text("algoId"): read_stop(row) for row in found}
    return {algo_id: stop for algo_id, stop in stops.items() if stop is not None}


def _pages(replies: Replies, kind: str) -> Iterator[RestCall]:
    """The first page, and one more for as long as the one before is there and full."""
    call: RestCall | None = stops(kind)
    product = None
    if not replies.has(stops(kind)) and replies.has(stops(kind, product=SWAP)):
        # Elsewhere than here they may have been asked for perpetuals alone.
        product, call = SWAP, stops(kind, product=SWAP)
    while call is not None:
        yield call
        reply = replies.find(call)
        if reply is None:
            return
        try:
            found = rows(reply)
            more = len(found) == STOPS_PER_PAGE
            last = found[-1].text("algoId") if more else None
            call = stops(kind, after=last, product=product) if more else None
        except ExchangeError:
            return


def read_stop(row: Row) -> Stop | None:
    """
    The protection that one algo order is, None where it is none (any more).

    ``{"algoId": "5818…", "ordType": "conditional", "state": "live", "instId":
    "BTC-USDT-SWAP", "side": "sell", "posSide": "net", "tdMode": "cross", "reduceOnly":
    "true", "slTriggerPx": "95800", …}``

    A conditional or one-cancels-other order protects with its stop-loss leg, a trailing stop
    always, a trigger order only if it can do nothing but reduce (in long/short mode: if it
    closes the side that it names).
    """
    closes = row.one_of("side", _CLOSES)
    named = _POSITION_SIDES.get(row.optional_text("posSide") or "net", closes)
    pending = not row.has("state") or row.text("state") in _PENDING
    if not pending or named is not closes or not _is_stop(row):
        return None
    return Stop(
        inst_id=row.text("instId"),
        side=closes,
        margin_mode=_MARGIN_MODES.get(row.optional_text("tdMode") or ""),
        trigger=row.positive("triggerPx") if row.text("ordType") == "trigger" else None,
    )


def _is_stop(row: Row) -> bool:
    match row.text("ordType"):
        case "conditional" | "oco":
            return row.has("slTriggerPx")
        case "move_order_stop":
            return True
        case "trigger":
            reduces = row.has("reduceOnly") and row.boolean("reduceOnly")
            return reduces or row.optional_text("posSide") in _POSITION_SIDES
        case _:
            return False


def _fits(stop: Stop, row: Held) -> bool:
    return (
        stop.inst_id == row.inst_id
        and stop.side is row.side
        and stop.margin_mode in (None, row.margin_mode)
        and not _takes_profit(stop, row)
    )


def _takes_profit(stop: Stop, row: Held) -> bool:
    """Whether a trigger lies on the winning side of the mark (of the entry, without a mark)."""
    price = row.mark_price or row.entry_price
    if stop.trigger is None or price is None:
        return False
    return (stop.trigger - price) * stop.side.sign > ZERO
