"""
Builders with sane defaults: a pool, positions and marks in a line each.

Numbers may be given as int or text; they become exact Decimals.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from monitor.risk.model import (
    CloseFee,
    Collateral,
    Follow,
    HaircutStep,
    Instrument,
    LeverageTier,
    MarginMode,
    MarginPool,
    Mark,
    Payoff,
    PoolId,
    Position,
    Side,
    TierMeasure,
    TierTable,
)

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)

Number = int | str | Decimal


def tiers(
    *rows: tuple[Number | None, Number, Number],
    measured_in: TierMeasure = TierMeasure.NOTIONAL,
    group: str | None = None,
) -> TierTable:
    """A table of (cap, maintenance rate, deduction); each tier starts where the last ended."""
    made: list[LeverageTier] = []
    floor = Decimal(0)
    for cap, rate, deduction in rows:
        top = None if cap is None else Decimal(cap)
        made.append(
            LeverageTier(
                floor=floor,
                cap=top,
                maintenance_rate=Decimal(rate),
                deduction=Decimal(deduction),
            )
        )
        floor = floor if top is None else top
    return TierTable(tiers=tuple(made), measured_in=measured_in, group=group)


def flat(rate: Number = "0.005") -> TierTable:
    """One rate for every size."""
    return tiers((None, rate, 0))


def linear(
    base: str, *, settle: str = "USDT", size: Number = 1, lot: Number = "0.001"
) -> Instrument:
    """A perpetual like BTC/USDT:USDT, one coin per contract."""
    return Instrument(
        symbol=f"{base}/{settle}:{settle}",
        exchange_symbol=f"{base}{settle}",
        base=base,
        quote=settle,
        settle=settle,
        payoff=Payoff.LINEAR,
        contract_size=Decimal(size),
        lot=Decimal(lot),
    )


def inverse(base: str, *, size: Number = 100, lot: Number = 1) -> Instrument:
    """A coin-settled perpetual like BTC/USD:BTC, 100 USD per contract."""
    return Instrument(
        symbol=f"{base}/USD:{base}",
        exchange_symbol=f"{base}USD_PERP",
        base=base,
        quote="USD",
        settle=base,
        payoff=Payoff.INVERSE,
        contract_size=Decimal(size),
        lot=Decimal(lot),
    )


def position(
    side: Side,
    instrument: Instrument | str,
    contracts: Number = 1,
    entry: Number = 100,
    **changes: Any,
) -> Position:
    """A leg at 0.5 % maintenance and 10x; a text for the instrument is the base of a linear one."""
    held = Position(
        instrument=linear(instrument) if isinstance(instrument, str) else instrument,
        side=side,
        contracts=Decimal(contracts),
        entry_price=Decimal(entry),
        tiers=flat(),
        initial_rate=Decimal("0.1"),
        leverage=Decimal(10),
    )
    return replace(held, **changes)


def long(
    instrument: Instrument | str, contracts: Number = 1, entry: Number = 100, **changes: Any
) -> Position:
    return position(Side.LONG, instrument, contracts, entry, **changes)


def short(
    instrument: Instrument | str, contracts: Number = 1, entry: Number = 100, **changes: Any
) -> Position:
    return position(Side.SHORT, instrument, contracts, entry, **changes)


def fee(fixed: Number = 0, rate: Number = 0) -> CloseFee:
    return CloseFee(fixed=Decimal(fixed), rate_on_notional=Decimal(rate))


def coins(
    asset: str = "USDT",
    balance: Number = 0,
    price: Number = 1,
    *,
    rates: tuple[Number, Number] = (1, 1),
    haircuts: tuple[tuple[Number | None, Number], ...] = (),
    follows: tuple[str, str, Number] | None = None,
) -> Collateral:
    """One asset; `rates` are (if positive, if negative), `follows` (base, symbol, anchor mark)."""
    return Collateral(
        asset=asset,
        balance=Decimal(balance),
        price=Decimal(price),
        rate_if_positive=Decimal(rates[0]),
        rate_if_negative=Decimal(rates[1]),
        haircuts=tuple(
            HaircutStep(up_to=None if up_to is None else Decimal(up_to), haircut=Decimal(haircut))
            for up_to, haircut in haircuts
        ),
        follows=None
        if follows is None
        else Follow(base=follows[0], symbol=follows[1], anchor_mark=Decimal(follows[2])),
    )


def a_pool(
    *positions: Position, cash: Number = 1000, unit: str = "USDT", **changes: Any
) -> MarginPool:
    """A cross pool with `cash` of its unit; `collateral=` replaces that."""
    pool = MarginPool(
        id=PoolId(account="main", name=unit),
        unit=unit,
        margin_mode=MarginMode.CROSS,
        collateral=(coins(unit, cash),),
        positions=positions,
        top_up_asset=unit,
        wallet="futures wallet",
    )
    return replace(pool, **changes)


def marks(at: datetime = NOON, /, **prices: Number) -> dict[str, Mark]:
    """Marks by base coin of USDT perpetuals: marks(BTC=100) is {"BTC/USDT:USDT": 100}."""
    return {f"{base}/USDT:USDT": mark(price, at) for base, price in prices.items()}


def mark(price: Number, at: datetime = NOON) -> Mark:
    return Mark(price=Decimal(price), at=at)
