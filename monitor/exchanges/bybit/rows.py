"""
Bybit's own rows of a unified account: mode, totals, coins, positions, orders.

Field by field what the wire says, REST and stream alike; no margin rule is applied here.
Sources: docs «Get Account Info», «Get Wallet Balance», «Get Position Info», «Position»,
«Wallet» and «Order» streams, read 2026-07.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from monitor.errors import Malformed
from monitor.exchanges.bybit.standing import NORMAL, Standing, read_standing
from monitor.risk.model import ZERO, Side

if TYPE_CHECKING:
    from datetime import datetime

    from monitor.exchanges.payload import Row

_OPEN = frozenset({"New", "PartiallyFilled", "Untriggered"})
_SIDES = {"Buy": Side.LONG, "Sell": Side.SHORT}
# What eight decimals of several figures leave open, in coins.
_DIGITS = Decimal("0.000001")

LINEAR, INVERSE, OPTION, SPOT = "linear", "inverse", "option", "spot"


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
    `borrowed` are all liabilities (spot and derivatives), `lent` those borrowed outright, which
    stand in the wallet; `locked` is what open spot orders hold. Margins are None where Bybit
    leaves them empty (portfolio margin). `counts` says whether platform and user let the coin
    be collateral, None where the row does not.
    """

    coin: str
    wallet_balance: Decimal
    equity: Decimal
    usd_value: Decimal
    price: Decimal
    unrealised_pnl: Decimal
    borrowed: Decimal
    lent: Decimal
    locked: Decimal
    position_im: Decimal | None
    position_mm: Decimal | None
    order_im: Decimal | None
    counts: bool | None

    @property
    def is_empty(self) -> bool:
        return not (self.wallet_balance or self.equity or self.borrowed or self.lent)

    @property
    def own(self) -> Decimal:
        """The wallet's coins less those borrowed outright: without profit, without options."""
        return self.wallet_balance - self.lent

    @property
    def option_value(self) -> Decimal:
        """What options are worth; 0 within the wire's digits."""
        value = self.equity - self.own - self.unrealised_pnl
        return value if abs(value) > _DIGITS else ZERO

    @property
    def owed(self) -> Decimal:
        """The coins that Bybit charges as borrowed, by hand or through a negative equity."""
        return max(self.borrowed, self.lent)


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """
    One linear or inverse leg that is held; figures in its settle coin.

    `mark` is None where the row has none; leverage and margins are None where Bybit leaves them
    empty (portfolio margin). `adds_margin`: Bybit draws on the wallet before it liquidates the
    isolated leg. `seq` orders rows of one symbol in time.
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
    leverage: Decimal | None
    initial_margin: Decimal | None
    maintenance_margin: Decimal | None
    unrealised_pnl: Decimal
    liquidation_price: Decimal | None
    adl_rank: int | None
    adds_margin: bool
    has_own_stop: bool
    seq: int | None
    standing: Standing = NORMAL

    @property
    def key(self) -> tuple[str, int]:
        return self.symbol, self.idx

    @property
    def is_inverse(self) -> bool:
        return self.category == INVERSE

    @property
    def settle(self) -> str:
        return settle_of(self.symbol, self.category)

    def value_at(self, price: Decimal) -> Decimal:
        """What it is worth at this price, in its settle coin. Inverse sizes are in USD."""
        return self.size / price if self.is_inverse else self.size * price


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """An option that is held. Bybit's own figures carry it: here it is only named."""

    symbol: str
    idx: int
    side: Side
    size: Decimal
    seq: int | None

    @property
    def key(self) -> tuple[str, int]:
        return self.symbol, self.idx

    @property
    def settle(self) -> str:
        return settle_of(self.symbol, OPTION)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """
    An order, as far as it may protect a position or need margin.

    It `closes` the side opposite to its own; `trigger_direction` is 1 for a rise, 2 for a fall.
    `price` is None for an order at the market; `left` is what is not filled; `at` is when the
    row was last changed, None where it does not say.
    """

    order_id: str
    category: str
    symbol: str
    idx: int
    side: Side
    closes: Side
    price: Decimal | None
    left: Decimal | None
    stop_kind: str
    trigger_direction: int
    only_reduces: bool
    is_waiting: bool
    is_open: bool
    at: datetime | None = None

    @property
    def needs_margin(self) -> bool:
        """Whether it would open something: one that only reduces or still waits needs none."""
        return self.is_open and not (self.only_reduces or self.is_waiting) and bool(self.price)

    @property
    def value(self) -> Decimal:
        """Its price by what is left of it, in the settle coin; 0 where it has no price."""
        if not self.price or self.left is None:
            return ZERO
        return self.left / self.price if self.category == INVERSE else self.left * self.price

    @property
    def settle(self) -> str:
        return settle_of(self.symbol, self.category)


def settle_of(symbol: str, category: str) -> str:
    """
    What a contract settles in, by its name.

    SOLUSDT and BTCUSDT-26DEC25 settle in USDT, BTCPERP and BTC-26DEC25 in USDC, an inverse
    BTCUSD or BTCUSDZ26 in the coin itself; an option in USDT where its name says so.
    """
    if category == INVERSE:
        return symbol.partition("USD")[0]
    return "USDT" if "USDT" in symbol else "USDC"


def read_totals(row: Row) -> Totals | None:
    """The account-wide figures, None where Bybit leaves them empty (isolated margin)."""
    row.raw("accountMMRate")
    row.raw("totalMarginBalance")
    if not row.has("totalMarginBalance"):
        return None
    return Totals(
        margin_balance=row.decimal("totalMarginBalance"),
        available=row.decimal("totalAvailableBalance"),
        initial_margin=_not_below_zero(row, "totalInitialMargin"),
        maintenance_margin=_not_below_zero(row, "totalMaintenanceMargin"),
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
        borrowed=_not_below_zero(row, "borrowAmount"),
        lent=_not_below_zero(row, "spotBorrow") if row.has("spotBorrow") else ZERO,
        locked=_not_below_zero(row, "locked") if row.has("locked") else ZERO,
        position_im=_or_empty(row, "totalPositionIM"),
        position_mm=_or_empty(row, "totalPositionMM"),
        order_im=_or_empty(row, "totalOrderIM"),
        counts=all(switches) if len(switches) == 2 else None,  # noqa: PLR2004 - both switches
    )


def _or_empty(row: Row, key: str) -> Decimal | None:
    """A margin that must be there, but may be empty: some margin modes have none."""
    row.raw(key)
    return _not_below_zero(row, key) if row.has(key) else None


def _not_below_zero(row: Row, key: str) -> Decimal:
    """A margin or a debt: nobody has less than none. Raises Malformed for one below 0."""
    number = row.decimal(key)
    if number < ZERO:
        raise Malformed(row.at(key), "a number of 0 or more", str(number))
    return number


def is_held(row: Row) -> bool:
    """Whether a position row holds anything: flat rows and empty legs have size 0."""
    return _not_below_zero(row, "size") > ZERO


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
        leverage=_leverage(row),
        initial_margin=_or_empty(row, "positionIM"),
        maintenance_margin=_or_empty(row, "positionMM"),
        unrealised_pnl=row.decimal("unrealisedPnl"),
        liquidation_price=_above_zero(row, "liqPrice"),
        adl_rank=_rank(row),
        adds_margin=row.has("autoAddMargin") and row.integer("autoAddMargin") == 1,
        has_own_stop=any(_above_zero(row, key) for key in ("stopLoss", "trailingStop")),
        seq=read_sequence(row),
        standing=read_standing(row),
    )


def _leverage(row: Row) -> Decimal | None:
    row.raw("leverage")
    return row.positive("leverage") if row.has("leverage") else None


def read_option(row: Row) -> Option:
    """A row of the options held."""
    symbol, idx = read_key(row)
    return Option(
        symbol=symbol,
        idx=idx,
        side=row.one_of("side", _SIDES),
        size=row.positive("size"),
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


def read_order(row: Row, category: str) -> Order:
    """A row of order/realtime or of the order stream. A Buy closes a short."""
    side = row.one_of("side", _SIDES)
    return Order(
        order_id=row.text("orderId"),
        category=category,
        symbol=row.text("symbol"),
        idx=row.integer("positionIdx") if row.has("positionIdx") else 0,
        side=side,
        closes=Side.SHORT if side is Side.LONG else Side.LONG,
        price=_above_zero(row, "price"),
        left=row.optional_decimal("leavesQty"),
        stop_kind=row.optional_text("stopOrderType") or "",
        trigger_direction=row.integer("triggerDirection") if row.has("triggerDirection") else 0,
        only_reduces=_is_on(row, "reduceOnly") or _is_on(row, "closeOnTrigger"),
        is_waiting=row.text("orderStatus") == "Untriggered",
        is_open=row.text("orderStatus") in _OPEN,
        at=row.optional_time("updatedTime"),
    )


def _is_on(row: Row, key: str) -> bool:
    return row.has(key) and row.boolean(key)
