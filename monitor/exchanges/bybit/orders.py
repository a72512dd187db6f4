"""
What open orders may need of maintenance margin, by the rule, and so the most to take over.

Rule, with value = price × what is left: order maintenance margin = value × tier rate + value ×
taker rate + value × (1 ∓ 1 ÷ leverage) × taker rate, minus for a Buy. It does not follow the
mark. An order's row does not tell the leverage; without a position of its symbol the two ends
are taken. The rate of tax on fees is not told either.

Source: recomputed to eight decimals on a testnet wallet of 2025-01, when a position and an
order stood side by side; not published.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from monitor.errors import ExchangeError
from monitor.exchanges.bybit.fees import MOST_TAXED, published_rate
from monitor.exchanges.bybit.tiers import tier_table
from monitor.risk.model import ONE, ZERO, Side
from monitor.risk.tiers import tier_of

if TYPE_CHECKING:
    from monitor.exchanges.bybit.account import Account
    from monitor.exchanges.bybit.rows import Coin, Held, Order

# The largest value at the bankruptcy price, of a leverage of 1, in parts of the value.
_MOST_SHARE = Decimal(2)


def is_listed(account: Account, coins: tuple[Coin, ...]) -> bool:
    """Whether the orders of every coin in which Bybit holds margin for some are listed."""
    listed = {order.settle for order in account.orders.with_margin()}
    return all(coin.coin in listed for coin in coins if coin.order_im)


def most_maintenance(account: Account, prices: dict[str, Decimal]) -> Decimal | None:
    """
    The most maintenance margin that the listed orders may need, in USD.

    None where a table that it takes is not there: then nothing bounds it but initial margin.
    """
    total = ZERO
    for order in account.orders.with_margin():
        margin = _most_of(account, order)
        if margin is None or order.settle not in prices:
            return None
        total += margin * prices[order.settle]
    return total


def _most_of(account: Account, order: Order) -> Decimal | None:
    try:
        table = tier_table(account.replies, order.symbol, order.category)
    except ExchangeError:
        return None
    rate = published_rate(account.replies, order.symbol, order.category)
    if rate is None:
        return None
    beside = sum(
        (o.value for o in account.orders.with_margin() if _same_side(o, order)),
        sum((h.value_at(h.mark or h.entry_price) for h in account.held if _of(h, order)), ZERO),
    )
    tier = tier_of(beside, table)
    fees = rate * MOST_TAXED * (ONE + _share(account, order))
    return order.value * (tier.maintenance_rate + fees)


def _same_side(other: Order, order: Order) -> bool:
    return (other.symbol, other.side, other.idx) == (order.symbol, order.side, order.idx)


def _of(held: Held, order: Order) -> bool:
    return (held.symbol, held.side, held.idx) == (order.symbol, order.side, order.idx)


def _share(account: Account, order: Order) -> Decimal:
    """Value at the bankruptcy price ÷ value, at most."""
    loses_value = (order.side is Side.LONG) is (order.category == "linear")
    for held in account.held:
        if held.symbol == order.symbol and held.leverage is not None:
            part = ONE / held.leverage
            return ONE - part if loses_value else ONE + part
    return ONE if loses_value else _MOST_SHARE
