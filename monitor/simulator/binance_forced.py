"""
What Binance does to positions by orders of its own: liquidation, deleveraging, settlement.

Each order is told when it is placed and when it is filled, listed among the forced orders, and
booked as income.
"""

from decimal import Decimal

from monitor.simulator import binance_frames as frames
from monitor.simulator import binance_order_frames as orders
from monitor.simulator.binance_accounts import BinanceAccount, BinanceState
from monitor.simulator.binance_changes import realize
from monitor.simulator.binance_ledger import ZERO, Ledger, Leg
from monitor.simulator.binance_liquidation import Closed
from monitor.simulator.binance_quotes import Row, milliseconds, wire
from monitor.simulator.truth import plain

_WITH_FEE = (orders.LIQUIDATION, orders.TAKEOVER)


def force(
    state: BinanceState, account: BinanceAccount, leg: Leg, contracts: Decimal, kind: str
) -> None:
    """
    Close so many contracts of a position at the mark; all of it where there are fewer.

    Raises:
        ValueError: If there is no such kind of force, or nothing to close.

    """
    if kind not in orders.FORCES or contracts <= 0:
        raise ValueError(f"kind: one of {', '.join(orders.FORCES)}; contracts: above 0")
    book, asset = account.ledger_of(leg), leg.margin_asset
    mark = state.quotes.mark(leg.symbol.name)
    share = min(contracts / abs(leg.amount), Decimal(1))
    amount = leg.amount * share
    fee = abs(leg.notional(mark)) * share * leg.symbol.liquidation_fee
    fee = fee if kind in _WITH_FEE else ZERO
    gained = realize(book, leg, share, mark)
    book.cross_wallets[asset] -= fee
    leg.amount -= amount
    leg.updated_at = book.touched_at[asset] = milliseconds(state.server_time())
    if not leg.amount:
        book.legs.remove(leg)
    closed = Closed(leg=leg, amount=amount, mark=mark, realized=gained, fee=fee)
    tell_orders(state, account, book, (closed,), kind)
    account.tell(frames.account_update(state, book, "ORDER", {asset: ZERO}, (leg,)), book)


def tell_orders(
    state: BinanceState,
    account: BinanceAccount,
    book: Ledger,
    closed: tuple[Closed, ...],
    kind: str = orders.LIQUIDATION,
) -> None:
    """Queue the events of these orders, list them, and book what they brought."""
    at = milliseconds(state.server_time())
    for item in closed:
        number = state.next_order_id()
        order = orders.own_order(kind, number, is_coin_margined=book.is_coin_margined)
        account.tell(orders.placed(state, item, order), book)
        account.tell(orders.filled(state, item, order), book)
        account.force_orders.append(_force_order(item, order, at))
        named = (item.leg.margin_asset, item.leg.symbol.name)
        for what, amount in (("REALIZED_PNL", item.realized), ("COMMISSION", -item.fee)):
            row = frames.income(what, amount, named, at, number)
            account.income_of(book).append(row)


def _force_order(item: Closed, order: orders.Order, at: int) -> Row:
    """One element of GET /fapi/v1/forceOrders."""
    quantity = plain(abs(item.amount))
    return {
        "orderId": order.id,
        "symbol": item.leg.symbol.name,
        "status": "FILLED",
        "clientOrderId": order.client_id,
        "price": plain(item.mark),
        "avgPrice": plain(item.mark),
        "origQty": quantity,
        "executedQty": quantity,
        "cumQuote": wire(_worth(item)),
        "timeInForce": "IOC",
        "type": "LIMIT",
        "reduceOnly": False,
        "closePosition": False,
        "side": "SELL" if item.amount > 0 else "BUY",
        "positionSide": item.leg.side,
        "stopPrice": "0",
        "workingType": "CONTRACT_PRICE",
        "origType": "LIMIT",
        "time": at,
        "updateTime": at,
    }


def _worth(item: Closed) -> Decimal:
    size = item.leg.symbol.contract_size
    return abs(item.amount) * (item.mark if size is None else size / item.mark)
