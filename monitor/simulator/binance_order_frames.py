"""
`ORDER_TRADE_UPDATE` as Binance pushes it: of an owner's order, and of one of Binance's own.

Letters as in the API documentation, "Event: Order Update". The client id tells who placed an
order: `autoclose-` liquidates, `adl_autoclose` deleverages, `settlement_autoclose-` (of COIN-M
`delivery_autoclose-`) settles. What the insurance fund takes over has the status NEW_INSURANCE.
"""

from dataclasses import dataclass

from monitor.simulator.binance_accounts import BinanceState
from monitor.simulator.binance_frames import alias
from monitor.simulator.binance_ledger import ZERO
from monitor.simulator.binance_liquidation import Closed
from monitor.simulator.binance_quotes import Row, milliseconds, wire
from monitor.simulator.truth import plain

LIQUIDATION, ADL, SETTLEMENT, TAKEOVER = "liquidation", "adl", "settlement", "takeover"
FORCES = (LIQUIDATION, ADL, SETTLEMENT, TAKEOVER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An order as its events tell it; `opens` is set where it makes a position larger."""

    id: int
    client_id: str
    type: str
    status: str = "FILLED"
    opens: bool = False


def own_order(kind: str, order_id: int, *, is_coin_margined: bool) -> Order:
    """Give the order by which Binance closes what it must, for this reason."""
    match kind:
        case "liquidation":
            return Order(id=order_id, client_id=f"autoclose-{order_id}", type="LIQUIDATION")
        case "adl":
            return Order(id=order_id, client_id="adl_autoclose", type="MARKET")
        case "settlement":
            word = "delivery" if is_coin_margined else "settlement"
            return Order(id=order_id, client_id=f"{word}_autoclose-{order_id}", type="MARKET")
        case _:
            return Order(
                id=order_id,
                client_id=f"autoclose-{order_id}",
                type="LIQUIDATION",
                status="NEW_INSURANCE",
            )


def placed(state: BinanceState, closed: Closed, order: Order) -> Row:
    """Give the event of an order that is not filled yet."""
    still_open = {
        "ap": "0",
        "x": "NEW",
        "X": "NEW",
        "l": "0",
        "z": "0",
        "L": "0",
        "n": "0",
        "t": 0,
        "rp": "0",
    }
    return _event(state, closed, _fields(state, closed, order) | still_open)


def filled(state: BinanceState, closed: Closed, order: Order) -> Row:
    """Give the event of an order that is filled whole, at once."""
    return _event(state, closed, _fields(state, closed, order))


def _event(state: BinanceState, closed: Closed, fields: Row) -> Row:
    now = milliseconds(state.server_time())
    coin = closed.leg.symbol.is_coin_margined
    return {
        "e": "ORDER_TRADE_UPDATE",
        "E": now,
        "T": now,
        **alias(is_coin_margined=coin),
        "o": fields | ({"ma": closed.leg.margin_asset} if coin else {}),
    }


def _fields(state: BinanceState, closed: Closed, order: Order) -> Row:
    quantity, price = plain(abs(closed.amount)), plain(closed.mark)
    sells = (closed.amount > 0) != order.opens
    return {
        "s": closed.leg.symbol.name,
        "c": order.client_id,
        "S": "SELL" if sells else "BUY",
        "o": order.type,
        "f": "IOC",
        "q": quantity,
        "p": price,
        "ap": price,
        "sp": "0",
        "x": "CALCULATED" if order.status == "NEW_INSURANCE" else "TRADE",
        "X": order.status,
        "i": order.id,
        "l": quantity,
        "z": quantity,
        "L": price,
        "N": closed.leg.margin_asset,
        "n": wire(closed.fee),
        "T": milliseconds(state.server_time()),
        "t": order.id,
        "b": "0",
        "a": "0",
        "m": False,
        "R": False,
        "wt": "CONTRACT_PRICE",
        "ot": order.type,
        "ps": closed.leg.side,
        "cp": False,
        "rp": wire(closed.realized if not order.opens else ZERO),
        "pP": False,
        "V": "NONE",
        "pm": "NONE",
        "gtd": 0,
        "er": "0",
    }
