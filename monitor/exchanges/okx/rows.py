"""
OKX's own rows: the account's mode, its totals, its coins, its positions.

Knows fields, their presence and their signs; must not know a margin rule. REST and the
private streams send the same rows, so both are read here.

An empty string means «not applicable»: it is None here, never 0. A field that OKX always
sends must be there, even if empty.

Source: OKX API guide, «Get balance», «Get positions», «Get account configuration», «Account
channel», «Positions channel», copies of July 2026.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from monitor.risk.model import ZERO, MarginMode, Side

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from decimal import Decimal

    from monitor.exchanges.payload import Row

SWAP = "SWAP"


class Mode(Enum):
    """OKX's account modes, by the name that its customers see."""

    SPOT = "Spot mode"
    FUTURES = "Futures mode"
    MULTI_CURRENCY = "Multi-currency margin"
    PORTFOLIO = "Portfolio margin"


_MODES = {
    "1": Mode.SPOT,
    "2": Mode.FUTURES,
    "3": Mode.MULTI_CURRENCY,
    "4": Mode.PORTFOLIO,
}
_HEDGED = {"net_mode": False, "long_short_mode": True}
_MARGIN_MODES = {"cross": MarginMode.CROSS, "isolated": MarginMode.ISOLATED}
_POSITION_SIDES = {"net": None, "long": Side.LONG, "short": Side.SHORT}
# Debts of a coin; every one of them is 0 or empty where nothing is borrowed.
_DEBTS = ("liab", "crossLiab", "isoLiab", "interest")
# Parts of a coin's equity that back no position and follow rules of their own.
_APART = ("stgyEq", "smtSyncEq", "spotCopyTradingEq", "spotIsoBal", "rewardBal")


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The account's mode. `borrows` is Spot mode with borrowing switched on."""

    mode: Mode
    hedged: bool
    borrows: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """
    The account's totals in USD; None where the mode has none.

    `adjusted_equity` is what counts against the requirement, `margin_ratio` equity over
    requirement (liquidation at 1, falling). `frozen` is what orders hold back.
    """

    adjusted_equity: Decimal | None
    initial: Decimal | None
    maintenance: Decimal | None
    margin_ratio: Decimal | None
    isolated_equity: Decimal
    frozen: Decimal
    updated_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Coin:
    """
    One coin of the account, amounts in the coin.

    `equity` holds everything; `cash` is without isolated margin; `pnl` is the unrealized PnL
    of cross positions (None where not told). `in_usd` and `discounted` are equity in USD,
    before and after the discount. `initial`, `maintenance` and `margin_ratio` are those of
    the coin's own cross pool in futures mode. `debts` and `apart` hold what is not 0, by
    OKX's field name. `updated_ms` is 0 where not told.
    """

    ccy: str
    equity: Decimal
    cash: Decimal
    pnl: Decimal | None
    isolated_equity: Decimal
    isolated_pnl: Decimal
    frozen: Decimal
    in_usd: Decimal | None
    discounted: Decimal | None
    usd_price: Decimal | None
    counts_as_collateral: bool
    initial: Decimal | None
    maintenance: Decimal | None
    margin_ratio: Decimal | None
    debts: Mapping[str, Decimal]
    apart: Mapping[str, Decimal]
    updated_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """
    One position row, contracts signed by direction; `contracts` is 0 once closed.

    `named_side` is the side in long/short mode, None in net mode. Only a perpetual has more
    than its name here. `margin` is None for a cross position. `maintenance`, `initial` and
    `pnl` are in `ccy`, without fees. `protected` tells of a stop-loss attached for the whole.
    `told_at` is when the row came, and so when the mark in it held.
    """

    inst_type: str
    inst_id: str
    pos_id: str
    contracts: Decimal
    margin_mode: MarginMode = MarginMode.CROSS
    named_side: Side | None = None
    ccy: str = ""
    entry_price: Decimal | None = None
    mark_price: Decimal | None = None
    pnl: Decimal | None = None
    leverage: Decimal | None = None
    initial: Decimal | None = None
    maintenance: Decimal | None = None
    margin_ratio: Decimal | None = None
    margin: Decimal | None = None
    liquidation_price: Decimal | None = None
    notional_usd: Decimal | None = None
    usd_price: Decimal | None = None
    adl_rank: int | None = None
    protected: bool = False
    updated_ms: int = 0
    told_at: datetime | None = None
    path: str = ""

    @property
    def is_open(self) -> bool:
        return self.contracts != ZERO

    @property
    def side(self) -> Side:
        return Side.LONG if self.contracts > ZERO else Side.SHORT


def config(row: Row) -> Config:
    """
    The account's mode, from ``{"acctLv": "2", "posMode": "net_mode", "perm": "read_only", …}``.

    Raises:
        Malformed: For a mode that is not known yet.
    """
    return Config(
        mode=row.one_of("acctLv", _MODES),
        hedged=row.one_of("posMode", _HEDGED),
        borrows=row.has("enableSpotBorrow") and row.boolean("enableSpotBorrow"),
    )


def totals(row: Row) -> Totals:
    """The account's totals from a balance row (REST) or an account frame's data."""
    return Totals(
        adjusted_equity=_stated(row, "adjEq"),
        initial=_stated(row, "imr"),
        maintenance=_stated(row, "mmr"),
        margin_ratio=_stated(row, "mgnRatio"),
        isolated_equity=row.optional_decimal("isoEq") or ZERO,
        frozen=(row.optional_decimal("ordFroz") or ZERO)
        + (row.optional_decimal("borrowFroz") or ZERO),
        updated_ms=_updated(row),
    )


def coin(row: Row) -> Coin:
    """
    One coin of a balance.

    ``{"ccy": "USDT", "eq": "1550", "cashBal": "1300", "upl": "-1550", "isoUpl": "-450",
    "isoEq": "1350", "stgyEq": "0", "ordFrozen": "0", "mmr": "120", "mgnRatio": "1.48…", …}``
    """
    pnl, isolated = _stated(row, "upl"), _stated(row, "isoUpl") or ZERO
    return Coin(
        ccy=row.text("ccy"),
        equity=row.decimal("eq"),
        cash=row.decimal("cashBal"),
        pnl=None if pnl is None else pnl - isolated,
        isolated_equity=_stated(row, "isoEq") or ZERO,
        isolated_pnl=isolated,
        frozen=_stated(row, "ordFrozen") or ZERO,
        in_usd=_stated(row, "eqUsd"),
        discounted=_stated(row, "disEq"),
        usd_price=row.positive("coinUsdPrice") if row.has("coinUsdPrice") else None,
        counts_as_collateral=_counts(row),
        initial=_stated(row, "imr"),
        maintenance=_stated(row, "mmr"),
        margin_ratio=_stated(row, "mgnRatio"),
        debts=_amounts(row, _DEBTS, "liab"),
        apart=_amounts(row, _APART, "stgyEq"),
        updated_ms=_updated(row),
    )


def held(row: Row) -> Held:
    """
    One position row of REST or of the positions channel.

    ``{"instType": "SWAP", "instId": "BTC-USDT-SWAP", "mgnMode": "cross", "posSide": "net",
    "posId": "1", "ccy": "USDT", "pos": "20", "avgPx": "100000", "markPx": "96000",
    "upl": "-800", "lever": "50", "imr": "384", "margin": "", "mmr": "76.8", …}``

    `pos` is signed in net mode and positive in long/short mode.
    """
    contracts, inst_type = row.decimal("pos"), row.text("instType")
    name = Held(
        inst_type=inst_type,
        inst_id=row.text("instId"),
        pos_id=row.text("posId"),
        contracts=contracts,
        updated_ms=_updated(row),
        path=row.path,
    )
    if inst_type != SWAP or contracts == ZERO:
        return name
    side = row.one_of("posSide", _POSITION_SIDES)
    mode = row.one_of("mgnMode", _MARGIN_MODES)
    return Held(
        inst_type=inst_type,
        inst_id=name.inst_id,
        pos_id=name.pos_id,
        contracts=contracts if side is None else side.sign * abs(contracts),
        margin_mode=mode,
        named_side=side,
        ccy=row.text("ccy"),
        entry_price=row.positive("avgPx"),
        mark_price=row.positive("markPx") if row.has("markPx") else None,
        pnl=_stated(row, "upl"),
        leverage=_above_zero(row, "lever"),
        initial=row.optional_decimal("imr"),
        maintenance=_stated(row, "mmr"),
        margin_ratio=_stated(row, "mgnRatio"),
        margin=row.decimal("margin") if mode is MarginMode.ISOLATED else None,
        liquidation_price=_above_zero(row, "liqPx"),
        notional_usd=row.optional_decimal("notionalUsd"),
        usd_price=_above_zero(row, "usdPx"),
        adl_rank=row.integer("adl") if row.has("adl") else None,
        protected=_protected(row),
        updated_ms=name.updated_ms,
        path=row.path,
    )


def traded(row: Row) -> Held:
    """
    One position of the balance_and_position channel: what changed, without a figure of risk.

    ``{"posId": "1", "instId": "BTC-USDT-SWAP", "instType": "SWAP", "mgnMode": "cross",
    "posSide": "net", "pos": "12", "ccy": "USDT", "avgPx": "99000", "uTime": "1790000000500"}``
    """
    contracts, inst_type = row.decimal("pos"), row.text("instType")
    known = inst_type == SWAP and contracts != ZERO
    side = row.one_of("posSide", _POSITION_SIDES) if known else None
    return Held(
        inst_type=inst_type,
        inst_id=row.text("instId"),
        pos_id=row.text("posId"),
        contracts=contracts if side is None else side.sign * abs(contracts),
        margin_mode=row.one_of("mgnMode", _MARGIN_MODES) if known else MarginMode.CROSS,
        named_side=side,
        ccy=row.text("ccy") if known else "",
        entry_price=row.positive("avgPx") if known else None,
        updated_ms=_updated(row),
        path=row.path,
    )


def _stated(row: Row, key: str) -> Decimal | None:
    """A number that OKX always sends, None where it is empty. Raises Malformed if absent."""
    row.raw(key)
    return row.optional_decimal(key)


def _updated(row: Row) -> int:
    """When OKX last changed the row, in ms since 1970; 0 where it does not tell."""
    return row.integer("uTime") if row.has("uTime") else 0


def _above_zero(row: Row, key: str) -> Decimal | None:
    """A number above 0; None where it is absent or empty, or where 0 or less says «none»."""
    number = row.optional_decimal(key)
    return number if number is not None and number > ZERO else None


def _amounts(row: Row, keys: tuple[str, ...], always: str) -> dict[str, Decimal]:
    """Those of the fields that are not 0; `always` is one that every row has."""
    row.raw(always)
    return {key: amount for key in keys if (amount := row.optional_decimal(key))}


def _counts(row: Row) -> bool:
    return not row.has("collateralEnabled") or row.boolean("collateralEnabled")


def _protected(row: Row) -> bool:
    if not row.has("closeOrderAlgo"):
        return False
    return any(algo.has("slTriggerPx") for algo in row.rows("closeOrderAlgo"))
