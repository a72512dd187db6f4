"""
Which connections tell what happens to an account: one per wallet, each with its listenKey.

Knows paths and keys; must not know what their frames say (`updates.py`, `news.py`). A key is
asked for with the API key alone, without a signature; it lives for an hour, is one per account
and is never given back. Where a key is refused, the account is polled and that is all.

Source: Binance «User Data Streams: Connect» of USDⓈ-M, COIN-M, Portfolio Margin and Portfolio
Margin Pro, «Start User Data Stream (USER_STREAM)», «Keepalive User Data Stream», read November
2026; ccxt 4.5.90 for COIN-M's host and the implicit methods' names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.errors import ExchangeError
from monitor.exchanges.binance import coin, portfolio_calls
from monitor.exchanges.binance.account import Product
from monitor.exchanges.binance.calls import FUTURES_BUDGET
from monitor.exchanges.binance.marks import COIN_HOST, HOST
from monitor.exchanges.binance.modes import Kind, read_kind
from monitor.exchanges.binance.reading import wanted_products
from monitor.exchanges.call import RestCall
from monitor.exchanges.payload import Row
from monitor.exchanges.port import AccountStream, Ticket

if TYPE_CHECKING:
    from monitor.exchanges.call import Budget, Replies

# A key lives for 60 minutes: one prolonging may fail, and there is time for another.
KEEP_SECONDS = 1500.0
# A Pro account's figures are pushed every 5 seconds, whatever happens.
_PRO_SILENT_SECONDS = 60.0


def read_listen_key(body: object) -> str:
    """``{"listenKey": "pqia91ma19a5s61cv6a81va65sdf19v8a65a1a5s61cv6a81va65sdf19v8a65a1"}``"""
    return Row(body, "listenKey").text("listenKey")


def _ticket(api: str, prefix: str, budget: Budget) -> Ticket:
    path = f"/{prefix}/v1/listenKey"
    return Ticket(
        get=RestCall(implicit=f"{api}PostListenKey", path=path, budget=budget, verb="POST"),
        keep=RestCall(implicit=f"{api}PutListenKey", path=path, budget=budget, verb="PUT"),
        read=read_listen_key,
        keep_seconds=KEEP_SECONDS,
    )


_USDM_TICKET = _ticket("fapiPrivate", "fapi", FUTURES_BUDGET)

USDM = AccountStream(
    host=HOST,
    path="/private/ws?listenKey={ticket}",
    is_told="USDⓈ-M wallet, positions, orders and margin calls",
    ticket=_USDM_TICKET,
)
COINM = AccountStream(
    host=COIN_HOST,
    path="/ws/{ticket}",
    is_told="COIN-M wallet, positions, orders and margin calls",
    ticket=_ticket("dapiPrivate", "dapi", FUTURES_BUDGET),
)
PORTFOLIO = AccountStream(
    host=HOST,
    path="/pm/ws/{ticket}",
    is_told="portfolio margin wallets, positions, orders and risk level",
    ticket=_ticket("papi", "papi", portfolio_calls.BUDGET),
)
PRO = AccountStream(
    host=HOST,
    path="/pm-classic/ws/{ticket}",
    is_told="portfolio margin Pro's risk level",
    ticket=_USDM_TICKET,
    silent_seconds=_PRO_SILENT_SECONDS,
)


def account_streams(
    replies: Replies, products: tuple[str, ...] | None = None
) -> tuple[AccountStream, ...]:
    """
    The connections of the account that was read with these replies; none where that can't be
    told.

    Args:
        products: The futures wallets that are watched, in the configuration's words; None: all.
    """
    try:
        kind = read_kind(replies)
    except ExchangeError:
        return ()
    if kind is Kind.PORTFOLIO:
        return (PORTFOLIO,)
    if kind is Kind.PORTFOLIO_PRO:
        return (USDM, COINM, PRO)
    wanted = wanted_products(products)
    has_coin = Product.COINM in wanted and (products is not None or coin.is_readable(replies))
    return (*((USDM,) if Product.USDM in wanted else ()), *((COINM,) if has_coin else ()))
