"""
The rows of a Binance portfolio margin account: figures of the whole, coins, positions.

Knows field names; must not know margin rules (`portfolio_pool.py`). Empty strings occur where
other accounts have numbers. A Pro account may not be served by these endpoints: its figures
then come from the Pro endpoint, its positions from the two futures wallets.

Source: Binance «Portfolio Margin: Account Information, Account Balance, Query UM Position
Information, Query CM Position Information», «Portfolio Margin Pro Account Info», read
November 2026.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from monitor.errors import ExchangeError, Malformed
from monitor.exchanges.binance import account as usdm
from monitor.exchanges.binance import coin
from monitor.exchanges.binance import portfolio_calls as calls
from monitor.exchanges.binance.account import (
    SIDES,
    PositionRow,
    Told,
    answer,
    by_key,
    is_open,
    optional_answer,
    price_or_none,
    signed_amount,
)
from monitor.exchanges.binance.calls import POSITIONS, PRO_ACCOUNT
from monitor.exchanges.payload import Row, rows_of
from monitor.risk.model import ZERO

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from decimal import Decimal

    from monitor.exchanges.binance.account import PositionKey
    from monitor.exchanges.call import Replies, RestCall
    from monitor.risk.carried import CarriedMargin

    _Margins = Mapping[PositionKey, tuple[Decimal, Decimal | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """
    What Binance says of the account, in USD; `uni_mmr` is high where it is safe.

    `maintenance` is without the 5 % that liquidation comes early by.
    """

    equity: Decimal
    maintenance: Decimal
    initial: Decimal | None
    uni_mmr: Decimal | None
    status: str
    told_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Coin:
    """
    One coin over all wallets, profit left out: `margin` is net of loans and their interest.

    `usdm` and `coinm` are the futures wallets' balances, each with the time since which it
    holds, None where that is not told; `owed` the loans with interest.
    """

    asset: str
    margin: Decimal
    usdm: Decimal
    coinm: Decimal
    owed: Decimal = ZERO
    usdm_at: datetime | None = None
    coinm_at: datetime | None = None

    @property
    def net(self) -> Decimal:
        return self.margin + self.usdm + self.coinm


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """
    What Binance's figures of the whole held beyond our own sums, in USD.

    `margins` is that part of its requirement that moves with prices; `is_by_tiers` says that
    the legs' maintenance margins are among our sums (`portfolio_margin.py`).
    """

    balance: Decimal
    maintenance: Decimal
    margins: tuple[CarriedMargin, ...]
    is_by_tiers: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Portfolio:
    """
    The account's rows. `anchor` is None until an event changes one: Binance's figures hold no
    longer then, and it is what they held beyond our own sums before.

    `has_formula` is False where the requirement is no sum over legs and loans.
    """

    whole: Whole
    coins: Mapping[str, Coin]
    positions: Mapping[PositionKey, PositionRow]
    marked_at: datetime
    is_pro: bool
    has_formula: bool = True
    anchor: Anchor | None = None

    @property
    def is_whole(self) -> bool:
        return self.anchor is None


def serves(replies: Replies, call: RestCall) -> bool:
    """Whether a call was answered, and not by an error."""
    if not replies.has(call):
        return False
    try:
        answer(replies, call)
    except ExchangeError:
        return False
    return True


def read_portfolio(replies: Replies, *, is_pro: bool, has_formula: bool = True) -> Portfolio:
    """
    The account.

    Raises:
        MissingReply, Malformed: If a reply that its figures need is not there, or can't be read.
    """
    if is_pro and not serves(replies, calls.ACCOUNT):
        return replace(_read_pro(replies), has_formula=has_formula)
    usdm_margins = _margins(replies, calls.USDM_ACCOUNT)
    coinm_margins = _margins(replies, calls.COINM_ACCOUNT)
    usdm_rows = rows_of(answer(replies, calls.USDM_POSITIONS), "um.positionRisk")
    coinm_rows = rows_of(answer(replies, calls.COINM_POSITIONS), "cm.positionRisk")
    open_rows = [
        *(_position(row, usdm_margins) for row in usdm_rows if is_open(row)),
        *(_position(row, coinm_margins) for row in coinm_rows if is_open(row)),
    ]
    return Portfolio(
        whole=_whole(replies, calls.ACCOUNT),
        coins=_coins(answer(replies, calls.BALANCE)),
        positions=by_key(open_rows, "positionRisk"),
        marked_at=replies.get(calls.USDM_POSITIONS).priced_at,
        is_pro=is_pro,
        has_formula=has_formula,
    )


def _read_pro(replies: Replies) -> Portfolio:
    (usdm_rows, no_usdm), (coinm_rows, no_coinm) = (
        usdm.read_positions(replies),
        coin.read_positions(replies, {}),
    )
    for unread in (*no_usdm, *no_coinm):
        raise unread.error  # they are all of one pool
    told = optional_answer(replies, calls.PRO_BALANCE)
    return Portfolio(
        whole=_whole(replies, PRO_ACCOUNT),
        coins={} if told is None else _coins(told),
        positions={**usdm_rows, **coinm_rows},
        marked_at=replies.get(POSITIONS).priced_at,
        is_pro=True,
    )


def _whole(replies: Replies, call: RestCall) -> Whole:
    """
    ``{"uniMMR": "5167.92171923", "accountEquity": "73.47428058", "actualEquity":
    "122607.35137903", "accountInitialMargin": "23.72469206", "accountMaintMargin":
    "23.72469206", "accountStatus": "NORMAL", "totalAvailableBalance": "", …}``
    """
    row = Row(answer(replies, call), "portfolio.account")
    return Whole(
        equity=row.decimal("accountEquity"),
        maintenance=row.decimal("accountMaintMargin"),
        initial=row.optional_decimal("accountInitialMargin"),
        uni_mmr=row.optional_decimal("uniMMR"),
        status=row.text("accountStatus"),
        told_at=replies.get(call).at,
    )


def _coins(body: object) -> Mapping[str, Coin]:
    """
    ``[{"asset": "USDT", "totalWalletBalance": "136.03451668", "crossMarginAsset":
    "30.6003261", "crossMarginBorrowed": "0.00011146", "crossMarginInterest": "0.00007902",
    "umWalletBalance": "105.43419058", "cmWalletBalance": "0.0", …, "updateTime": 1617939110373}]``
    """
    found = {}
    for row in rows_of(body, "portfolio.balance"):
        owed = row.decimal("crossMarginBorrowed") + row.decimal("crossMarginInterest")
        asset = row.text("asset")
        held_at = row.optional_time("updateTime")
        found[asset] = Coin(
            asset=asset,
            margin=row.decimal("crossMarginAsset") - owed,
            usdm=row.decimal("umWalletBalance"),
            coinm=row.decimal("cmWalletBalance"),
            owed=owed,
            usdm_at=held_at,
            coinm_at=held_at,
        )
    return found


def _margins(replies: Replies, call: RestCall) -> _Margins:
    """Each leg's own maintenance margin where it was told, and the notional that it holds at."""
    try:
        rows = Row(optional_answer(replies, call), "account").rows("positions")
        return {
            (row.text("symbol"), row.one_of("positionSide", SIDES)): (
                row.decimal("maintMargin"),
                row.optional_decimal("notional"),
            )
            for row in rows
        }
    except Malformed:
        return {}


def _position(row: Row, margins: _Margins) -> PositionRow:
    """
    ``{"entryPrice": "6563.6", "leverage": "10", "markPrice": "6679.5", "positionAmt": "0.010",
    "notional": "66.79", "symbol": "BTCUSDT", "unRealizedProfit": "1.1", "liquidationPrice":
    "6170.2", "positionSide": "BOTH", "updateTime": 1625474304765}``; a CM row has
    `notionalValue`.
    """
    key = (row.text("symbol"), row.one_of("positionSide", SIDES))
    maintenance, notional = margins.get(key, (None, None))
    return PositionRow(
        symbol=key[0],
        side=key[1],
        amount=signed_amount(row, "positionAmt", key[1]),
        entry_price=row.positive("entryPrice"),
        asset=None,
        isolated_wallet=None,
        mark_price=row.positive("markPrice") if row.has("markPrice") else None,
        adl=row.integer("adl") if row.has("adl") else None,
        updated_at=row.optional_time("updateTime"),
        told=Told(
            unrealized_pnl=row.decimal("unRealizedProfit"),
            maintenance=maintenance,
            notional=None if notional is None else abs(notional),
            isolated_margin=ZERO,
            initial=None,
            liquidation_price=price_or_none(row, "liquidationPrice"),
        ),
        leverage=coin.leverage_of(row),
        notional=coin.coin_notional(row),
    )
