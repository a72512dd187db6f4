"""
Bybit's own rows of a unified account: mode, totals, coins, positions, orders.

Field by field what the wire says, REST and stream alike; no margin rule is applied here.
Sources: docs «Get Account Info», «Get Wallet Balance», «Get Position Info», «Position»,
«Wallet» and «Order» streams, read 2026-07.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from monitor.errors import Malformed
from monitor.risk.model import ZERO, Side

if TYPE_CHECKING:
    from datetime import datetime
    from decimal import Decimal

    from monitor.exchanges.payload import Row

_OPEN = frozenset({"New", "PartiallyFilled", "Untriggered"})
_SIDES = {"Buy": Side.LONG, "Sell": Side.SHORT}


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """
    The account's own figures, in USD.

    `mm_rate` is cut to four decimals, None where Bybit leaves it empty: no figure needs it.
    """

    margin_balance: Decimal
    available: Decimal
    initial_margin: Decimal
    maintenance_margin: Decimal
    mm_rate: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Coin:
    """
    One coin of the wallet, in that coin; `usd_value` is `equity` at the coin's USD index.

    `price` is that index, 0 where Bybit gives the coin no value, or there is none of it.

    `counts` says whether platform and user let it be collateral, None where the row does not.
    """

    coin: str
    wallet_balance: Decimal
    equity: Decimal
    usd_value: Decimal
    price: Decimal
    unrealised_pnl: Decimal
    borrowed: Decimal
    position_im: Decimal
    position_mm: Decimal
    order_im: Decimal
    counts: bool | None

    @property
    def is_empty(self) -> bool:
        return not (self.wallet_balance or self.equity or self.borrowed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """
    One leg that is held, of any category; figures in its settle coin.

    `mark` is None where the row has none. `seq` orders rows of one symbol in time.
    """

    category: str
    symbol: str
    idx: int
    side: Side
    size: Decimal
    entry_price: Decimal
    session_price: Decimal | None
    mark: Decimal | None
    mark_at: datetime
    leverage: Decimal
    initial_margin: Decimal
    maintenance_margin: Decimal
    unrealised_pnl: Decimal
    liquidation_price: Decimal | None
    adl_rank: int | None
    has_own_stop: bool
    seq: int | None

    @property
    def key(self) -> tuple[str, int]:
        return self.symbol, self.idx


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """
    An order, as far as it may protect a position.

    It `closes` the side opposite to its own; `trigger_direction` is 1 for a rise, 2 for a fall.
    """

    order_id: str
    symbol: str
    idx: int
    closes: Side
    stop_kind: str
    trigger_direction: int
    only_reduces: bool
    is_waiting: bool
    is_open: bool


def read_totals(row: Row) -> Totals:
    row.raw("accountMMRate")
    return Totals(
        margin_balance=row.decimal("totalMarginBalance"),
        available=row.decimal("totalAvailableBalance"),
        initial_margin=row.decimal("totalInitialMargin"),
        maintenance_margin=row.decimal("totalMaintenanceMargin"),
        mm_rate=row.optional_decimal("accountMMRate"),
    )


def read_coin(row: Row) -> Coin:
    """
    One row of a wallet's `coin` list.

    The two collateral switches are described the other way round on two pages; as a coin
    counts only where both are on, it does not matter which is whose.
    """
    equity, usd_value = row.decimal("equity"), row.decimal("usdValue")
    switches = [row.boolean(k) for k in ("marginCollateral", "collateralSwitch") if row.has(k)]
    return Coin(
        coin=row.text("coin"),
        wallet_balance=row.decimal("walletBalance"),
        equity=equity,
        usd_value=usd_value,
        price=usd_value / equity if equity else ZERO,
        unrealised_pnl=row.decimal("unrealisedPnl"),
        borrowed=max(row.decimal("borrowAmount"), row.optional_decimal("spotBorrow") or ZERO),
        position_im=row.decimal("totalPositionIM"),
        position_mm=row.decimal("totalPositionMM"),
        order_im=row.decimal("totalOrderIM"),
        counts=all(switches) if len(switches) == 2 else None,  # noqa: PLR2004 - both switches
    )


def is_held(row: Row) -> bool:
    """Whether a position row holds anything: flat rows and empty legs have size 0."""
    size = row.decimal("size")
    if size < ZERO:
        raise Malformed(row.at("size"), "a size of 0 or more", str(size))
    return size > ZERO


def read_key(row: Row) -> tuple[str, int]:
    """Which leg a position row is about: symbol and positionIdx."""
    return row.text("symbol"), row.integer("positionIdx")


def read_held(row: Row, category: str, at: datetime) -> Held:
    """
    A position row that holds something; REST says `avgPrice` where the stream says `entryPrice`.

    `positionValue` is left out on purpose: it is size × entry price.
    """
    symbol, idx = read_key(row)
    entry = "entryPrice" if row.has("entryPrice") and not row.has("avgPrice") else "avgPrice"
    return Held(
        category=category,
        symbol=symbol,
        idx=idx,
        side=row.one_of("side", _SIDES),
        size=row.positive("size"),
        entry_price=row.positive(entry),
        session_price=_above_zero(row, "sessionAvgPrice"),
        mark=row.positive("markPrice") if row.has("markPrice") else None,
        mark_at=at,
        leverage=row.positive("leverage"),
        initial_margin=row.decimal("positionIM"),
        maintenance_margin=row.decimal("positionMM"),
        unrealised_pnl=row.decimal("unrealisedPnl"),
        liquidation_price=_above_zero(row, "liqPrice"),
        adl_rank=_rank(row),
        has_own_stop=any(_above_zero(row, key) for key in ("stopLoss", "trailingStop")),
        seq=read_sequence(row),
    )


def read_sequence(row: Row) -> int | None:
    """Where the row stands among those of its symbol; None where it does not say (0, -1)."""
    number = row.integer("seq") if row.has("seq") else 0
    return number if number > 0 else None


def _above_zero(row: Row, key: str) -> Decimal | None:
    """A price, or None: "", "0" and "0.00" all mean that there is none."""
    number = row.optional_decimal(key)
    return number if number is not None and number > ZERO else None


def _rank(row: Row) -> int | None:
    """Place in the auto-deleveraging queue, 1…5; 0 is that of an empty leg."""
    if not row.has("adlRankIndicator"):
        return None
    return row.integer("adlRankIndicator") or None


def read_order(row: Row) -> Order:
    """A row of order/realtime or of the order stream. A Buy closes a short."""
    side = row.one_of("side", _SIDES)
    return Order(
        order_id=row.text("orderId"),
        symbol=row.text("symbol"),
        idx=row.integer("positionIdx") if row.has("positionIdx") else 0,
        closes=Side.SHORT if side is Side.LONG else Side.LONG,
        stop_kind=row.optional_text("stopOrderType") or "",
        trigger_direction=row.integer("triggerDirection") if row.has("triggerDirection") else 0,
        only_reduces=_is_on(row, "reduceOnly") or _is_on(row, "closeOnTrigger"),
        is_waiting=row.text("orderStatus") == "Untriggered",
        is_open=row.text("orderStatus") in _OPEN,
    )


def _is_on(row: Row, key: str) -> bool:
    return row.has(key) and row.boolean(key)
