"""How much maintenance margin the listed orders may need."""

from __future__ import annotations

from decimal import Decimal

from monitor.exchanges.bybit.account import read_account
from monitor.exchanges.bybit.orders import is_listed, most_maintenance
from tests.exchanges.bybit import examples
from tests.exchanges.bybit.wire import Json, envelope, limit_order, orders, replies, stop_order

D = Decimal
PRICES = {"USDT": D(1)}
TAXED = D("0.00055") * D("1.3")


def most(*rows: Json, without: str = "none") -> Decimal | None:
    bodies = examples.position_and_order()
    lists = orders(*rows).items()
    bodies |= {request: envelope({"list": found}) for request, found in lists}
    kept = {request: body for request, body in bodies.items() if without not in request}
    return most_maintenance(read_account("main", replies(kept)), PRICES)


def test_a_buy_ends_below_its_price_and_a_sell_above() -> None:
    """At the 10x of the position that is held: 10 × 2.5 × (0.75 % + fees of 1.9 and 2.1)."""
    buy = limit_order("XRPUSDT", "Buy", "2.5", "10")
    assert most(buy) == 25 * (D("0.0075") + TAXED * D("1.9"))
    assert most(buy | {"side": "Sell"}) == 25 * (D("0.0075") + TAXED * D("2.1"))
    assert most(buy, buy | {"orderId": "other"}) == 50 * (D("0.0075") + TAXED * D("1.9"))


def test_orders_that_open_nothing_need_nothing() -> None:
    order = limit_order("XRPUSDT", "Buy", "2.5", "10")
    assert most() == 0
    assert most(order | {"reduceOnly": True}) == 0
    assert most(order | {"orderStatus": "Filled"}) == 0
    assert most(stop_order("XRPUSDT", "Sell", "Stop", 2)) == 0
    assert most(order | {"price": "0"}) == 0


def test_nothing_bounds_orders_whose_tables_are_not_there() -> None:
    order = limit_order("XRPUSDT", "Buy", "2.5", "10")
    assert most(order, without="fee-rate") is None
    assert most(order | {"symbol": "ADAUSDT"}) is None
    assert most(order | {"symbol": "BTCPERP"}) is None


def test_orders_are_listed_where_bybit_holds_margin_for_some() -> None:
    bodies = examples.position_and_order()
    read = read_account("main", replies(bodies))
    assert not is_listed(read, read.coins)
    order = limit_order("XRPUSDT", "Buy", "2.5", "10")
    bodies |= {request: envelope({"list": found}) for request, found in orders(order).items()}
    read = read_account("main", replies(bodies))
    assert is_listed(read, read.coins)
