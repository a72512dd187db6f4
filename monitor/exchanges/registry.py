"""The exchanges that margin-monitor knows: one line each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.exchanges import binance, bybit, okx

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monitor.exchanges.port import Exchange

EXCHANGES: Mapping[str, Exchange] = {
    exchange.name: exchange for exchange in (binance.EXCHANGE, bybit.EXCHANGE, okx.EXCHANGE)
}


def exchange_for(name: str, products: tuple[str, ...] | None) -> Exchange:
    """The exchange of this name, narrowed to the `products` that a configuration names."""
    exchange = EXCHANGES[name]
    if products is None or exchange.narrowed is None:
        return exchange
    return exchange.narrowed(products)
