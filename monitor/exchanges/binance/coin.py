"""
The rows of a Binance COIN-M wallet: assets, open positions, ADL ranks.

Knows field names; must not know margin rules (`pools.py`). Amounts are contracts, money and
notional are coins. The position rows hold no maintenance margin: the account reply does.

Source: Binance «COIN Margined Futures, REST API: Account Information, Position Information,
Position ADL Quantile Estimation», read November 2026.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.errors import Malformed, Refused
from monitor.exchanges.binance.account import (
    SIDES,
    Book,
    PositionRow,
    Product,
    Sketch,
    Told,
    answer,
    assets_of,
    is_open,
    open_rows,
    optional_answer,
    price_or_none,
    signed_amount,
)
from monitor.exchanges.binance.coin_calls import ACCOUNT, ADL, POSITIONS
from monitor.exchanges.binance.errors import read_error
from monitor.exchanges.payload import Row, rows_of
from monitor.risk.model import ZERO

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from monitor.exchanges.binance.account import PositionKey
    from monitor.exchanges.binance.unread import Unread
    from monitor.exchanges.call import Replies, RestCall

_NOT_FOUND = 404
_MODES = {"isolated": True, "cross": False, "crossed": False}


def is_readable(replies: Replies) -> bool:
    """
    Whether the wallet was answered for: a key may have no right to, which is then said.

    An answer that can't be read counts: it is an error, not an absence.
    """
    return all(_is_answered(replies, call) for call in (ACCOUNT, POSITIONS))


def is_told_in_part(replies: Replies) -> bool:
    """
    Whether one of the two replies alone is there, and tells of more than an empty wallet.

    The other is then missing: what it would tell must not be taken for nothing.
    """
    answered = [call for call in (ACCOUNT, POSITIONS) if _is_answered(replies, call)]
    if len(answered) != 1:
        return False
    try:
        body = answer(replies, answered[0])
        if answered[0] is POSITIONS:
            rows = rows_of(body, "dapi.positionRisk")
        else:
            rows = Row(body, "dapi.account").rows("positions")
        return any(is_open(row) for row in rows)
    except Malformed:
        return True


def _is_answered(replies: Replies, call: RestCall) -> bool:
    reply = replies.find(call)
    if reply is None or reply.status == _NOT_FOUND:
        return False
    return not isinstance(read_error(reply.status, {}, reply.body), Refused)


def read_book(replies: Replies) -> Book:
    """
    The COIN-M wallet.

    Raises:
        MissingReply, Malformed: If one of its two replies is not there, or can't be read.
    """
    account = Row(answer(replies, ACCOUNT), "dapi.account")
    assets, no_assets = assets_of(account)
    sketches, no_sketches = read_sketches(account)
    positions, no_positions = read_positions(replies, sketches)
    return Book(
        product=Product.COINM,
        assets=assets,
        positions=positions,
        sketches=sketches,
        told_at=replies.get(ACCOUNT).at,
        marked_at=replies.get(POSITIONS).priced_at,
        unread=(*no_assets, *no_sketches, *no_positions),
    )


def read_sketches(
    account: Row,
) -> tuple[Mapping[PositionKey, Sketch], tuple[Unread, ...]]:
    """The open positions that the account reply itself holds, and the unreadable ones."""
    return open_rows(account.rows("positions"), _read_sketch, account.at("positions"))


def _read_sketch(row: Row) -> Sketch:
    return Sketch(
        symbol=row.text("symbol"),
        side=row.one_of("positionSide", SIDES),
        amount=row.decimal("positionAmt"),
        notional=coin_notional(row),
        maintenance=row.optional_decimal("maintMargin"),
    )


def read_positions(
    replies: Replies, sketches: Mapping[PositionKey, Sketch]
) -> tuple[Mapping[PositionKey, PositionRow], tuple[Unread, ...]]:
    """
    The open positions by symbol and side, and the rows that can't be read.

    Binance lists every symbol, most of them at 0. Unreadable is also one whose amount
    contradicts its side.
    """
    rows = rows_of(answer(replies, POSITIONS), "dapi.positionRisk")
    ranks = read_ranks(replies)
    return open_rows(rows, lambda row: _read_position(row, sketches, ranks), "dapi.positionRisk")


def _read_position(
    row: Row, sketches: Mapping[PositionKey, Sketch], ranks: Mapping[PositionKey, int]
) -> PositionRow:
    """
    ``{"symbol": "BTCUSD_PERP", "positionAmt": "-3", "entryPrice": "68911.00000037",
    "markPrice": "68234.20000000", "unRealizedProfit": "0.00004318", "leverage": "20",
    "liquidationPrice": "72491.16879818", "marginType": "cross", "isolatedMargin": "0.00000000",
    "positionSide": "BOTH", "notionalValue": "-0.00439662", "isolatedWallet": "0", …}``
    """
    key = (row.text("symbol"), row.one_of("positionSide", SIDES))
    sketch = sketches.get(key)
    profit = row.decimal("unRealizedProfit")
    isolated = row.one_of("marginType", _MODES)
    return PositionRow(
        symbol=key[0],
        side=key[1],
        amount=signed_amount(row, "positionAmt", key[1]),
        entry_price=row.positive("entryPrice"),
        asset=None,
        isolated_wallet=_wallet(row, profit) if isolated else None,
        mark_price=row.positive("markPrice") if row.has("markPrice") else None,
        adl=ranks.get(key),
        updated_at=row.optional_time("updateTime"),
        told=Told(
            unrealized_pnl=profit,
            maintenance=None if sketch is None else sketch.maintenance,
            notional=None if sketch is None else sketch.notional,
            isolated_margin=row.decimal("isolatedMargin") if isolated else ZERO,
            initial=None,
            liquidation_price=price_or_none(row, "liquidationPrice"),
        ),
        leverage=leverage_of(row),
        notional=coin_notional(row),
    )


def coin_notional(row: Row) -> Decimal | None:
    """What a row's position is worth in coins; None where it does not tell."""
    told = row.optional_decimal("notionalValue")
    return abs(told) if told else None


def leverage_of(row: Row) -> Decimal | None:
    """A row's leverage; None for the «0» that stands where it is not told."""
    told = row.optional_decimal("leverage")
    return told if told is not None and told > ZERO else None


def _wallet(row: Row, profit: Decimal) -> Decimal:
    """The isolated wallet; in older forms of the row only the margin, which has the profit in."""
    if row.has("isolatedWallet"):
        return row.decimal("isolatedWallet")
    return row.decimal("isolatedMargin") - profit


def read_ranks(replies: Replies) -> Mapping[PositionKey, int]:
    """
    ADL ranks by symbol and side; empty where they were not told.

    ``[{"symbol": "BTCUSD_PERP", "adlQuantile": {"LONG": 1, "SHORT": 2, "HEDGE": 0}}]``; HEDGE
    only says that both legs are crossed.
    """
    ranks = {}
    try:
        for row in rows_of(optional_answer(replies, ADL), "adlQuantile"):
            quantiles = row.row("adlQuantile")
            for side in SIDES:
                if quantiles.has(side):
                    ranks[row.text("symbol"), side] = quantiles.integer(side)
    except Malformed:
        return {}
    return ranks
