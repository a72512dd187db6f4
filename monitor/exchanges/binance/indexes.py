"""
What collateral assets are worth in USD, and how much of it counts.

Knows the asset index and portfolio margin's collateral rates; must not know wallets. In
Multi-Assets Mode the haircut is the bid's buffer, a debt stands at the ask; USDT is no 1 either.

Source: Binance «Multi-Assets Mode Asset Index», «Multi-Assets Mode», «Portfolio Margin
Collateral Rate (MARKET_DATA)», read November 2026.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from monitor.errors import ExchangeError, Malformed
from monitor.exchanges.binance.account import answer, optional_answer
from monitor.exchanges.binance.calls import ASSET_INDEX
from monitor.exchanges.binance.errors import read_error
from monitor.exchanges.binance.portfolio_calls import COLLATERAL_RATES
from monitor.exchanges.payload import Row, rows_of
from monitor.risk.model import Mark

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from decimal import Decimal

    from monitor.exchanges.call import Replies, Reply

# The asset in which credits mode settles: one credit is one dollar.
CREDIT_ASSET = "BNFCR"
_DOLLAR = "USD"
_OTHER_MONEY = frozenset({"U", "DAI", CREDIT_ASSET})


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """
    USD per coin: the index, what a holding counts at (bid) and a debt at (ask).

    `at` is of when the index is, by Binance's clock where it says so; `told_at` when it came.
    """

    asset: str
    index: Decimal
    bid: Decimal
    ask: Decimal
    at: datetime
    told_at: datetime

    @property
    def mark(self) -> Mark:
        return Mark(price=self.index, at=self.at)


def floats(asset: str) -> bool:
    """Whether the asset's price goes its own way; a dollar's, by whatever name, does not."""
    return _DOLLAR not in asset and asset not in _OTHER_MONEY


def has_indexes(replies: Replies) -> bool:
    """Whether any index was told."""
    return any(reply.path == ASSET_INDEX.path for reply in replies)


class Rates:
    """
    The rates of all assets, each read when it is asked for.

    One asset's nonsense must not hide the others.
    """

    __slots__ = ("_replies", "_rows")

    def __init__(self, replies: Replies) -> None:
        """Raises MissingReply if no index was told at all, Malformed if no reply can be read."""
        self._rows: dict[str, Row] = {}
        self._replies: dict[str, Reply] = {}
        if not has_indexes(replies):
            answer(replies, ASSET_INDEX)
        for reply in replies:
            if reply.path == ASSET_INDEX.path:
                error = read_error(reply.status, {}, reply.body)
                if error is not None:
                    raise error.placed(call=reply.request)
                for row in _rows(reply.body):
                    self._rows[row.text("symbol")] = row
                    self._replies[row.text("symbol")] = reply

    def of(self, asset: str) -> Rate | None:
        """
        What an asset counts; None where Binance publishes no index for it.

        ``{"symbol": "ADAUSD", "time": 1635740268004, "index": "1.92957370",
        "bidBuffer": "0.10000000", "askBuffer": "0.10000000", "bidRate": "1.73661633",
        "askRate": "2.12253107", …}``

        Raises:
            Malformed: If its row can't be read.
        """
        symbol = f"{asset}{_DOLLAR}"
        row = self._rows.get(symbol)
        if row is None:
            return None
        reply = self._replies[symbol]
        return Rate(
            asset=asset,
            index=row.positive("index"),
            bid=row.positive("bidRate"),
            ask=row.positive("askRate"),
            at=reply.by_our_clock(row.time("time")) if row.has("time") else reply.priced_at,
            told_at=reply.at,
        )


def _rows(body: object) -> tuple[Row, ...]:
    return (Row(body, "assetIndex"),) if isinstance(body, dict) else rows_of(body, "assetIndex")


def optional_rate(replies: Replies, asset: str) -> Rate | None:
    """What an asset counts; None where no index of it can be had."""
    try:
        return Rates(replies).of(asset)
    except ExchangeError:
        return None


def read_collateral_rates(replies: Replies) -> Mapping[str, Decimal]:
    """
    Which fraction of each coin counts in portfolio margin; empty where it was not told.

    ``[{"asset": "USDC", "collateralRate": "1.0000"}, {"asset": "BUSD", …}]``
    """
    try:
        rows = rows_of(optional_answer(replies, COLLATERAL_RATES), "collateralRate")
        return {row.text("asset"): row.positive("collateralRate") for row in rows}
    except Malformed:
        return {}
