"""
OKX's own rows: the account's mode, its totals, its coins.

Knows fields, their presence and their signs; must not know a margin rule. REST and the
private streams send the same rows, so both are read here; those of positions in `held`.

An empty string means «not applicable»: it is None here, never 0. A field that OKX always
sends must be there, even if empty.

Source: OKX API guide, «Get balance», «Get account configuration», «Account channel», copies
of July 2026.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from monitor.risk.model import ONE, ZERO

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from monitor.exchanges.payload import Row


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
# Parts of a coin's equity that back no position and follow rules of their own; and trial
# funds, which are no part of it.
IN_EQUITY = ("stgyEq", "smtSyncEq", "spotCopyTradingEq", "spotIsoBal")
_APART = (*IN_EQUITY, "rewardBal")
# What two sums of the wire's own figures may differ by, in parts of the larger.
_DIGITS = ONE.scaleb(-9)


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
    requirement (liquidation at 1, falling). `frozen` is what orders hold back,
    `borrow_frozen` the initial margin of what is, or by an order may be, borrowed. `equity` is
    what all coins are worth, before any discount.
    """

    adjusted_equity: Decimal | None
    initial: Decimal | None
    maintenance: Decimal | None
    margin_ratio: Decimal | None
    isolated_equity: Decimal
    frozen: Decimal
    borrow_frozen: Decimal
    updated_ms: int
    equity: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Coin:
    """
    One coin of the account, amounts in the coin.

    `equity` holds everything; `cash` is without isolated margin; `pnl` is the unrealized PnL
    of cross positions (None where not told). `in_usd` and `discounted` are equity in USD,
    before and after the discount. `initial`, `maintenance` and `margin_ratio` are those of
    the coin's own cross pool in futures mode. `owed` is all that is borrowed against the
    whole account, its interest included. `apart` holds what is not 0, by OKX's field name.
    `updated_ms` is 0 where not told.
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
    owed: Decimal
    interest: Decimal
    apart: Mapping[str, Decimal]
    updated_ms: int

    @property
    def cross_equity(self) -> Decimal:
        """All that the coin has but what stands in isolated positions, bots and the like."""
        elsewhere = (amount for name, amount in self.apart.items() if name in IN_EQUITY)
        return self.equity - self.isolated_equity - sum(elsewhere, ZERO)

    @property
    def price(self) -> Decimal | None:
        """USD per coin, as told or by the coin's own equity; None where neither tells it."""
        if self.usd_price is not None:
            return self.usd_price
        if not self.in_usd or not self.equity or self.in_usd / self.equity <= ZERO:
            return None
        return self.in_usd / self.equity

    def backing(self, option_value: Decimal = ZERO) -> Decimal:
        """
        The coins that back the account, before unrealized PnL: cash, less what is owed.

        OKX doesn't publish whether `cashBal` is net of interest, or of a loan taken outright;
        the row's own sum (equity = cash + PnL + isolated equity + bots − interest + options)
        tells. Where it tells nothing, interest alone comes off.
        """
        told = self.cross_equity - (self.pnl or ZERO)
        owed = (self.interest, ZERO, self.owed)
        for cash in (self.cash - less + option_value for less in owed):
            if abs(cash - told) <= _DIGITS * max(abs(cash), abs(told)):
                return cash
        return self.cash - self.interest + option_value

    @property
    def loan(self) -> Decimal:
        """What was borrowed outright: more than the coin itself lacks."""
        lacking = max(-self.cross_equity, -self.backing() - (self.pnl or ZERO), ZERO)
        return self.owed if self.owed > lacking * (ONE + _DIGITS) else ZERO


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
        adjusted_equity=stated(row, "adjEq"),
        initial=stated(row, "imr"),
        maintenance=stated(row, "mmr"),
        margin_ratio=stated(row, "mgnRatio"),
        isolated_equity=row.optional_decimal("isoEq") or ZERO,
        frozen=row.optional_decimal("ordFroz") or ZERO,
        borrow_frozen=row.optional_decimal("borrowFroz") or ZERO,
        updated_ms=updated(row),
        equity=stated(row, "totalEq"),
    )


def coin(row: Row) -> Coin:
    """
    One coin of a balance.

    ``{"ccy": "USDT", "eq": "1550", "cashBal": "1300", "upl": "-1550", "isoUpl": "-450",
    "isoEq": "1350", "stgyEq": "0", "ordFrozen": "0", "mmr": "120", "mgnRatio": "1.48…", …}``
    """
    pnl, isolated = stated(row, "upl"), stated(row, "isoUpl") or ZERO
    return Coin(
        ccy=row.text("ccy"),
        equity=row.decimal("eq"),
        cash=row.decimal("cashBal"),
        pnl=None if pnl is None else pnl - isolated,
        isolated_equity=stated(row, "isoEq") or ZERO,
        isolated_pnl=isolated,
        frozen=stated(row, "ordFrozen") or ZERO,
        in_usd=stated(row, "eqUsd"),
        discounted=stated(row, "disEq"),
        usd_price=row.positive("coinUsdPrice") if row.has("coinUsdPrice") else None,
        counts_as_collateral=_counts(row),
        initial=stated(row, "imr"),
        maintenance=stated(row, "mmr"),
        margin_ratio=stated(row, "mgnRatio"),
        owed=_owed(row),
        interest=abs(row.optional_decimal("interest") or ZERO),
        apart=_apart(row),
        updated_ms=updated(row),
    )


def stated(row: Row, key: str) -> Decimal | None:
    """A number that OKX always sends, None where it is empty. Raises Malformed if absent."""
    row.raw(key)
    return row.optional_decimal(key)


def updated(row: Row) -> int:
    """When OKX last changed the row, in ms since 1970; 0 where it does not tell."""
    return row.integer("uTime") if row.has("uTime") else 0


def _owed(row: Row) -> Decimal:
    """What is borrowed against the whole account, and its interest; isolated loans apart."""
    row.raw("liab")
    cross = row.optional_decimal("crossLiab")
    if cross is None:
        borrowed = abs(row.optional_decimal("liab") or ZERO)
        cross = max(borrowed - abs(row.optional_decimal("isoLiab") or ZERO), ZERO)
    interest = abs(row.optional_decimal("interest") or ZERO)
    return abs(cross) + interest if cross else ZERO


def _apart(row: Row) -> dict[str, Decimal]:
    """Those of the fields that are not 0; every row has the first."""
    row.raw(_APART[0])
    return {key: amount for key in _APART if (amount := row.optional_decimal(key))}


def _counts(row: Row) -> bool:
    return not row.has("collateralEnabled") or row.boolean("collateralEnabled")
