"""
Bybit's risk limits and borrow tiers → tier tables; its collateral ratios → haircut steps.

Risk-limit rows, shortened (docs «Get Risk Limit», read 2026-07): ``{"symbol": "BTCUSDT",
"riskLimitValue": "2600000", "maintenanceMargin": "0.0056", "initialMargin": "0.0111",
"maxLeverage": "90.00", "mmDeduction": "1710"}``. Collateral tiers (docs «Get Tiered
Collateral Ratio», read 2026-07): ``{"currency": "BTC", "collateralRatioList": [{"minQty": "0",
"maxQty": "10", "collateralRatio": "0.98"}, {"minQty": "10", "maxQty": "", …}]}``.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from monitor.errors import Malformed
from monitor.exchanges.bybit import calls
from monitor.exchanges.bybit.envelope import listing, lists_none, naming, rows_of
from monitor.risk.model import (
    ONE,
    ZERO,
    Borrow,
    HaircutStep,
    LeverageTier,
    TierMeasure,
    TierTable,
)
from monitor.risk.tiers import maintenance_margin, tier_of

if TYPE_CHECKING:
    from monitor.exchanges.call import Replies
    from monitor.exchanges.payload import Row

# Initial rate × highest leverage is about 1 for fractions and about 100 for percents.
_PERCENT_ABOVE = Decimal(10)
_PERCENT = Decimal(100)
# A published deduction may be rounded; it is a check on the table and nothing else.
_ROUNDING = ONE
_ROUNDING_RATE = Decimal("0.005")
_WORST_SHARE = Decimal("0.63")


def tier_table(replies: Replies, symbol: str, category: str = "linear") -> TierTable:
    """
    The symbol's tiers, by notional at mark in the settle coin.

    A rate applies to the whole notional less its tier's deduction. Deductions are derived:
    Bybit leaves them out on the lowest tier of every table and on whole tables.

    Raises:
        MissingReply: If its risk-limit is not there.
        Malformed: If it can't be read, lists no tier, or contradicts itself.

    Source: Bybit «Maintenance Margin Calculation (USDT Contract)», 2025-09-18.
    """
    call = calls.risk_limit(symbol, category)
    with naming(call.request):
        ordered = sorted(
            rows_of(replies, call, "symbol"), key=lambda row: row.positive("riskLimitValue")
        )
        return TierTable(tiers=_tiers(ordered), measured_in=TierMeasure.NOTIONAL)


def has_no_tiers(replies: Replies, symbol: str, category: str) -> bool:
    """Whether Bybit was asked for the symbol's risk limits and has none: of a new listing, say."""
    return lists_none(replies, calls.risk_limit(symbol, category), "symbol")


def worst_table(leverage: Decimal) -> TierTable:
    """
    What stands in for risk limits that Bybit doesn't tell: the worst rate known at this leverage.

    A position stands in a tier that allows its leverage, or a higher one. Of all the tiers that
    were read none charges more than 63 % of what its highest leverage asks for (BTCUSDT: 4.5 %
    at 14x, 3.5 % at 18x); most charge half of it.

    Source: Bybit «Derivatives margin parameters» of BTCUSDT, undated; announcement of
    2025-07-01 for small contracts.
    """
    rate = min(ONE, _WORST_SHARE / leverage)
    tier = LeverageTier(floor=ZERO, cap=None, maintenance_rate=rate, deduction=ZERO)
    return TierTable(tiers=(tier,), measured_in=TierMeasure.NOTIONAL)


def _tiers(rows: list[Row]) -> tuple[LeverageTier, ...]:
    tiers: list[LeverageTier] = []
    for row in rows:
        cap, rate = row.positive("riskLimitValue"), _rate(row)
        floor = deduction = ZERO
        if tiers:
            last = tiers[-1]
            floor = last.cap or ZERO
            deduction = last.deduction + floor * (rate - last.maintenance_rate)
        if cap == floor:
            raise Malformed(row.at("riskLimitValue"), f"a limit above {floor}", str(cap))
        _check_deduction(row, deduction)
        tiers.append(
            LeverageTier(
                floor=floor,
                cap=cap,
                maintenance_rate=rate,
                deduction=deduction,
                max_leverage=row.positive("maxLeverage"),
            )
        )
    return tuple(tiers)


def _rate(row: Row) -> Decimal:
    rate = row.positive("maintenanceMargin")
    whole = row.positive("initialMargin") * row.positive("maxLeverage")
    return rate / _PERCENT if whole > _PERCENT_ABOVE else rate


def _check_deduction(row: Row, derived: Decimal) -> None:
    published = row.optional_decimal("mmDeduction")
    if published is None:
        return
    if abs(published - derived) > max(_ROUNDING, _ROUNDING_RATE * abs(derived)):
        raise Malformed(row.at("mmDeduction"), f"about {derived}", str(published))


def own_shares(table: TierTable, ordered: Decimal, notional: Decimal) -> tuple[Decimal, Decimal]:
    """
    What a position may be charged of the margin that it and orders of this value need together.

    By the tier that its own value stands in, the orders by what they add; or by the tier of the
    two, with all of its deduction. Bybit does not say which: the position's row does.
    """
    both = tier_of(notional + ordered, table)
    own = maintenance_margin(notional, notional, table)
    return own, notional * both.maintenance_rate - both.deduction


def beside_orders(
    table: TierTable,
    ordered: Decimal,
    notional: Decimal,
    *,
    in_one_pool: bool,
    own: Decimal | None = None,
) -> TierTable:
    """
    The table of a position beside which orders of this value are open, by its own notional.

    Positions and orders of a side pick their tier together. In cross margin both are charged to
    one pool: as the position's value changes, what the two need together is what changes. The
    orders' part is carried as it stands now, so all of the change is put into the deductions
    here. An isolated position's pool bears no order, so its table is only moved.

    Args:
        own: What the position is charged of it at `notional`, which is its value now; by the
            tier of its own value where none is given.

    Source: Bybit «Introduction to Risk Limit», 2025-09-18: value at mark, positions and orders
    together.
    """
    if not ordered:
        return table
    together = maintenance_margin(notional + ordered, notional + ordered, table)
    carried = together - (own_shares(table, ordered, notional)[0] if own is None else own)
    reached = [t for t in table.tiers if t.cap is None or t.cap > ordered]
    if not reached:
        last = table.tiers[-1]
        return replace(table, tiers=(replace(last, floor=ZERO, cap=None),))

    def moved(tier: LeverageTier) -> LeverageTier:
        change = ordered * tier.maintenance_rate - carried if in_one_pool else ZERO
        return replace(
            tier,
            floor=max(ZERO, tier.floor - ordered),
            cap=None if tier.cap is None else tier.cap - ordered,
            deduction=tier.deduction - change,
        )

    return replace(table, tiers=tuple(moved(tier) for tier in reached))


def borrow_of(replies: Replies, coin: str, loan: Decimal, owed: Decimal) -> Borrow | None:
    """
    What a debt in this coin is charged; None where Bybit lists no such table.

    The rate of the tier in which the debt falls applies to all of it: no deduction is
    published. The initial rate is that of the tier that holds `owed`.

    Raises:
        MissingReply: If the coin's tiers are not there.
        Malformed: If they can't be read.

    Source: docs «Get Position Tiers» of spot margin trading, read 2026-07: ``{"currency":
    "BTC", "positionTiersRatioList": [{"tier": "1", "borrowLimit": "390", "positionMMR":
    "0.04", "positionIMR": "0.2"}]}``.
    """
    call = calls.borrow_tiers(coin)
    with naming(call.request):
        rows = [r for r in listing(replies, call).rows if r.optional_text("currency") == coin]
        if not rows:
            return None
        listed = rows[0].rows("positionTiersRatioList")
        ordered = sorted(listed, key=lambda row: row.positive("borrowLimit"))
        if not ordered:
            return None
        holds = (row for row in ordered if owed <= row.positive("borrowLimit"))
        return Borrow(
            tiers=TierTable(tiers=_borrow_tiers(ordered), measured_in=TierMeasure.CONTRACTS),
            loan=loan,
            initial_rate=next(holds, ordered[-1]).positive("positionIMR"),
        )


def _borrow_tiers(rows: list[Row]) -> tuple[LeverageTier, ...]:
    tiers: list[LeverageTier] = []
    for row in rows:
        cap, floor = row.positive("borrowLimit"), tiers[-1].cap if tiers else ZERO
        if cap == floor:
            raise Malformed(row.at("borrowLimit"), f"a limit above {floor}", str(cap))
        tiers.append(
            LeverageTier(
                floor=floor or ZERO,
                cap=cap,
                maintenance_rate=row.positive("positionMMR"),
                deduction=ZERO,
                max_leverage=row.optional_decimal("maxLeverage"),
            )
        )
    return tuple(tiers)


def haircuts(replies: Replies, coin: str) -> tuple[HaircutStep, ...]:
    """
    What of each part of an amount of this coin does not count, by the coins held.

    Raises:
        MissingReply: If its collateral ratios are not there.
        Malformed: If they can't be read, leave a gap, or don't list the coin.

    Source: Bybit «Collateral Value Ratio Tiers», 2025-09-18.
    """
    call = calls.collateral_ratio(coin)
    with naming(call.request):
        row = rows_of(replies, call, "currency")[0]
        steps = row.rows("collateralRatioList")
        if not steps:
            raise Malformed(row.at("collateralRatioList"), "at least one tier", "none")
        return _steps(sorted(steps, key=lambda step: step.decimal("minQty")))


def _steps(rows: list[Row]) -> tuple[HaircutStep, ...]:
    steps: list[HaircutStep] = []
    end: Decimal | None = ZERO
    for row in rows:
        if row.decimal("minQty") != end:
            raise Malformed(row.at("minQty"), f"the end of the tier before ({end})")
        end, ratio = row.optional_decimal("maxQty"), row.decimal("collateralRatio")
        row.raw("maxQty")
        if not ZERO <= ratio <= ONE:
            raise Malformed(row.at("collateralRatio"), "a fraction from 0 to 1", str(ratio))
        steps.append(HaircutStep(up_to=end, haircut=ONE - ratio))
    return tuple(steps)
