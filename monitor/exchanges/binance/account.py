"""
The rows of a Binance USDⓈ-M wallet: switches, assets, open positions, totals.

Knows field names; must not know margin rules (`pools.py`) or which calls to make
(`calls.py`). COIN-M's rows (`coin.py`) and portfolio margin's (`portfolio.py`) are read into
the same types.

Source: Binance «USDS Margined Futures, REST API: Account Configuration, Account Information
V3, Position Information V3», read November 2026.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, TypeVar

from monitor.errors import ExchangeError, Malformed
from monitor.exchanges.binance.calls import (
    ACCOUNT,
    CONFIG,
    MULTI_ASSETS,
    POSITION_SIDE,
    POSITIONS,
)
from monitor.exchanges.binance.errors import read_error
from monitor.exchanges.binance.unread import Unread, apart, asset_row, position_row
from monitor.exchanges.payload import Row, rows_of
from monitor.risk.model import ZERO

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime
    from decimal import Decimal

    from monitor.exchanges.call import Replies, RestCall

PositionKey = tuple[str, str]
SIDES = {side: side for side in ("BOTH", "LONG", "SHORT")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The account's two modes. `hedge`: Binance's dualSidePosition."""

    hedge: bool
    multi_assets: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetRow:
    """
    One asset of the futures wallet.

    `cross_wallet` leaves isolated wallets out. The figures that Binance computed, None after
    an account event: `cross_pnl`, `maintenance` (whether it counts isolated positions in is
    not published) and `initial`. `order_initial` is the open orders' part of the latter.
    """

    asset: str
    cross_wallet: Decimal
    order_initial: Decimal
    cross_pnl: Decimal | None
    maintenance: Decimal | None
    initial: Decimal | None
    updated_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """
    What Binance computed for one open position, at `mark_price` where the row has one.

    `maintenance` holds at `notional`, in the settle asset; both None where it was not told.
    """

    unrealized_pnl: Decimal
    maintenance: Decimal | None
    notional: Decimal | None
    isolated_margin: Decimal
    initial: Decimal | None
    liquidation_price: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionRow:
    """
    One open position. `amount` is signed; `side` is BOTH, LONG or SHORT.

    `isolated_wallet` is None for a cross position. `told` is None once an account event has
    changed the row. `leverage` and `notional` (in coins, never negative) stand in COIN-M's
    rows, else None.
    """

    symbol: str
    side: str
    amount: Decimal
    entry_price: Decimal
    asset: str | None
    isolated_wallet: Decimal | None
    mark_price: Decimal | None
    adl: int | None
    updated_at: datetime | None
    told: Told | None
    leverage: Decimal | None = None
    notional: Decimal | None = None

    @property
    def worth(self) -> Decimal | None:
        """What one contract is worth in quote money, as far as the row tells."""
        if not self.notional or self.mark_price is None:
            return None
        return self.notional * self.mark_price / abs(self.amount)

    @property
    def key(self) -> PositionKey:
        return (self.symbol, self.side)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sketch:
    """
    One open position as the account reply has it: no entry price, no mark.

    `notional` (never negative here, in the settle asset) is at the mark of that moment.
    """

    symbol: str
    side: str
    amount: Decimal
    notional: Decimal | None
    maintenance: Decimal | None

    @property
    def key(self) -> PositionKey:
        return (self.symbol, self.side)


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """
    What Binance says of a Multi-Assets wallet as a whole, in USD.

    `balance` is after the assets' rates, `order_initial` the open orders' part of `initial`.
    """

    balance: Decimal
    maintenance: Decimal
    initial: Decimal
    order_initial: Decimal


class Product(Enum):
    """One of the two futures wallets, in Binance's own words."""

    USDM = "USDⓈ-M"
    COINM = "COIN-M"


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """
    One futures wallet as Binance told it, kept up by events.

    `told_at` is when the account reply came, `marked_at` since when the marks in the position
    rows hold. `totals` are None once an event has changed anything. `is_aggregated`: of a
    wallet in credits mode, whether the credits hold what the other assets are worth. `unread`
    are rows that could not be read.
    """

    product: Product
    assets: Mapping[str, AssetRow]
    positions: Mapping[PositionKey, PositionRow]
    sketches: Mapping[PositionKey, Sketch]
    told_at: datetime
    marked_at: datetime
    totals: Totals | None = None
    is_aggregated: bool = False
    unread: tuple[Unread, ...] = ()


KeyedRow = TypeVar("KeyedRow", PositionRow, Sketch)


def answer(replies: Replies, call: RestCall) -> object:
    """
    The JSON that answers a call.

    Raises:
        MissingReply: If there is no reply.
        ExchangeError: What the reply means, where it is an error.
    """
    reply = replies.get(call)
    error = read_error(reply.status, {}, reply.body)
    if error is not None:
        raise error.placed(call=reply.request)
    return reply.body


def optional_answer(replies: Replies, call: RestCall) -> object | None:
    """The JSON that answers a call that the figures can do without; None if it was refused."""
    if not replies.has(call):
        return None
    try:
        return answer(replies, call)
    except ExchangeError:
        return None


def has_config(replies: Replies) -> bool:
    """Whether both modes were told, by one reply or by one for each."""
    return replies.has(CONFIG) or (replies.has(MULTI_ASSETS) and replies.has(POSITION_SIDE))


def read_config(replies: Replies) -> Config:
    """
    Both modes: ``{"dualSidePosition": true, "multiAssetsMargin": false, …}``.

    Raises:
        MissingReply: If one was not told; the request that tells both is named.
        Malformed: If one is neither true nor false.
    """
    if has_config(replies) and not replies.has(CONFIG):
        side = Row(answer(replies, POSITION_SIDE), "positionSide")
        assets = Row(answer(replies, MULTI_ASSETS), "multiAssetsMargin")
    else:
        side = assets = Row(answer(replies, CONFIG), "accountConfig")
    return Config(
        hedge=side.boolean("dualSidePosition"), multi_assets=assets.boolean("multiAssetsMargin")
    )


def read_assets(replies: Replies) -> tuple[Mapping[str, AssetRow], tuple[Unread, ...]]:
    """
    The wallet's assets by name, those without any balance included, and the unreadable ones.

    Raises:
        Malformed: Also for an empty list: Binance always names some asset, so that an empty
            one is no wallet without money but no wallet at all.
    """
    return assets_of(Row(answer(replies, ACCOUNT), "account"))


def assets_of(account: Row) -> tuple[Mapping[str, AssetRow], tuple[Unread, ...]]:
    """The assets of an account reply. Raises Malformed, also for an empty list."""
    rows = account.rows("assets")
    if not rows:
        raise Malformed(account.at("assets"), "at least one asset", "an empty list")
    found, unread = apart(rows, _read_asset, asset_row)
    return {asset.asset: asset for asset in found}, unread


def read_totals(replies: Replies) -> Totals:
    """The account reply's totals: in Multi-Assets Mode they are of all assets, in USD."""
    account = Row(answer(replies, ACCOUNT), "account")
    return Totals(
        balance=account.decimal("totalMarginBalance"),
        maintenance=account.decimal("totalMaintMargin"),
        initial=account.decimal("totalInitialMargin"),
        order_initial=account.decimal("totalOpenOrderInitialMargin"),
    )


def _read_asset(row: Row) -> AssetRow:
    return AssetRow(
        asset=row.text("asset"),
        cross_wallet=row.decimal("crossWalletBalance"),
        order_initial=row.decimal("openOrderInitialMargin"),
        cross_pnl=row.decimal("crossUnPnl"),
        maintenance=row.decimal("maintMargin"),
        initial=row.decimal("initialMargin"),
        updated_at=row.optional_time("updateTime"),
    )


def read_sketches(replies: Replies) -> tuple[Mapping[PositionKey, Sketch], tuple[Unread, ...]]:
    """The open positions that the account reply itself holds, and the unreadable ones."""
    account = Row(answer(replies, ACCOUNT), "account")
    return open_rows(account.rows("positions"), _read_sketch, "account.positions")


def open_rows(
    rows: Iterable[Row], read: Callable[[Row], KeyedRow], path: str
) -> tuple[Mapping[PositionKey, KeyedRow], tuple[Unread, ...]]:
    """
    What `read` makes of the rows of open positions, by symbol and side, and the unreadable ones.

    Raises:
        Malformed: Where two rows claim to be the same position, or one doesn't tell its symbol.
    """
    found, unread = apart(rows, lambda row: read(row) if is_open(row) else None, position_row)
    return by_key((row for row in found if row is not None), path), unread


def by_key(rows: Iterable[KeyedRow], path: str) -> Mapping[PositionKey, KeyedRow]:
    """Raises Malformed where two rows claim to be the same position."""
    found: dict[PositionKey, KeyedRow] = {}
    for row in rows:
        if row.key in found:
            raise Malformed(path, "one row per symbol and side", " ".join(row.key) + " twice")
        found[row.key] = row
    return found


def _read_sketch(row: Row) -> Sketch:
    return Sketch(
        symbol=row.text("symbol"),
        side=row.one_of("positionSide", SIDES),
        amount=row.decimal("positionAmt"),
        notional=abs(row.decimal("notional")) if row.has("notional") else None,
        maintenance=row.optional_decimal("maintMargin"),
    )


def is_open(row: Row) -> bool:
    """Whether a position row stands for a position, not only for open orders."""
    return row.decimal("positionAmt") != ZERO


def read_positions(
    replies: Replies,
) -> tuple[Mapping[PositionKey, PositionRow], tuple[Unread, ...]]:
    """
    The open positions by symbol and side, and the rows that can't be read.

    Unreadable is also one whose amount contradicts its side.
    """
    rows = rows_of(answer(replies, POSITIONS), "positionRisk")
    return open_rows(rows, _read_position, "positionRisk")


def _read_position(row: Row) -> PositionRow:
    """
    ``{"symbol": "ADAUSDT", "positionSide": "BOTH", "positionAmt": "30", "entryPrice": "0.385",
    "markPrice": "0.41047590", "unRealizedProfit": "0.76427700", "liquidationPrice": "0",
    "isolatedMargin": "0", "marginAsset": "USDT", "isolatedWallet": "0", "adl": 2, …}``
    """
    isolated_wallet = row.decimal("isolatedWallet")
    isolated_margin = row.decimal("isolatedMargin")
    # Either alone may be 0: the wallet of a position that lives on profit, the margin at the end.
    isolated = isolated_wallet != ZERO or isolated_margin != ZERO
    amount = signed_amount(row, "positionAmt", row.text("positionSide"))
    mark = row.positive("markPrice") if row.has("markPrice") else None
    return PositionRow(
        symbol=row.text("symbol"),
        side=row.one_of("positionSide", SIDES),
        amount=amount,
        entry_price=row.positive("entryPrice"),
        asset=row.text("marginAsset"),
        isolated_wallet=isolated_wallet if isolated else None,
        mark_price=mark,
        adl=row.integer("adl") if row.has("adl") else None,
        updated_at=row.optional_time("updateTime"),
        told=Told(
            unrealized_pnl=row.decimal("unRealizedProfit"),
            maintenance=row.decimal("maintMargin"),
            notional=None if mark is None else abs(amount) * mark,
            isolated_margin=isolated_margin,
            initial=row.optional_decimal("positionInitialMargin"),
            liquidation_price=price_or_none(row, "liquidationPrice"),
        ),
    )


def signed_amount(row: Row, key: str, side: str) -> Decimal:
    """
    A position's amount, negative for a short.

    Raises:
        Malformed: If a LONG is negative or a SHORT positive.
    """
    amount = row.decimal(key)
    if (side == "LONG" and amount < ZERO) or (side == "SHORT" and amount > ZERO):
        raise Malformed(row.at(key), f"an amount with the sign of a {side}", str(amount))
    return amount


def price_or_none(row: Row, key: str) -> Decimal | None:
    """Binance writes "0" where there is no liquidation price."""
    price = row.optional_decimal(key)
    return price if price is not None and price > ZERO else None
