"""
Made-up pools for Hypothesis: every payoff, tier rule, haircut and currency the core knows.

Numbers have few digits, so that failures read well; tables are of the three kinds that
exchanges use: deducted by notional, whole by contracts, and (worst case) whole by notional.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from functools import cache

from hypothesis import settings
from hypothesis import strategies as st

from monitor.risk import (
    Collateral,
    Instrument,
    LeverageTier,
    MarginPool,
    Mark,
    Position,
    Side,
    TierMeasure,
    TierTable,
)
from tests.build import a_pool, coins, fee, inverse, linear, mark, position

# The same examples in every run: a failure is a change's own, and none waits in a database.
settings.register_profile("risk", max_examples=100, deadline=None, derandomize=True, database=None)
settings.load_profile("risk")

COINS = ("BTC", "ETH", "SOL")


@cache
def decimals(low: str, high: str, places: int = 2) -> st.SearchStrategy[Decimal]:
    """Decimals by way of whole numbers: many times faster to draw than st.decimals."""
    least, most = (int(Decimal(end).scaleb(places)) for end in (low, high))
    return st.integers(least, most).map(lambda whole: Decimal(whole).scaleb(-places))


# Made once: to build a strategy anew for each draw costs more than all that is tested.
_STEPS = st.lists(decimals("50", "5000", 0), min_size=0, max_size=3)
_RATES = st.lists(decimals("0.004", "0.5", 3), min_size=4, max_size=4).map(sorted)
_MEASURES = st.sampled_from(TierMeasure)
_SIDES = st.sampled_from(Side)
_HAIRCUT_PAIRS = st.tuples(decimals("0", "0.5"), decimals("0", "0.5")).map(sorted)
_HAIRCUT_KINDS = st.sampled_from(["none", "flat", "steps"])
_LINEAR = st.sampled_from([linear(coin, size=size) for coin in COINS for size in ("0.01", 1)])
_WHOLE_LINEAR = st.sampled_from([linear(coin) for coin in COINS])
_ANY = st.one_of(
    _LINEAR, st.sampled_from([inverse(coin, size=size) for coin in COINS for size in (10, 100)])
)


@cache
def tables(*, deducted: bool | None = None, smooth: bool = False) -> st.SearchStrategy[TierTable]:
    """A table of 1 to 4 tiers; `smooth` leaves out those whose maintenance jumps with the mark."""
    return _tables(deducted, smooth)


@st.composite
def _tables(draw: st.DrawFn, deducted: bool | None, smooth: bool) -> TierTable:
    deducts = draw(st.booleans()) if deducted is None else deducted
    measure = TierMeasure.CONTRACTS if smooth else draw(_MEASURES)
    measure = TierMeasure.NOTIONAL if deducts else measure
    steps, rates = draw(_STEPS), draw(_RATES)
    floor = deduction = Decimal(0)
    made: list[LeverageTier] = []
    for n, rate in enumerate(rates[: len(steps) + 1]):
        if deducts and made:
            deduction += floor * (rate - made[-1].maintenance_rate)
        cap = floor + steps[n] if n < len(steps) else None
        made.append(LeverageTier(floor=floor, cap=cap, maintenance_rate=rate, deduction=deduction))
        floor = floor if cap is None else cap
    return TierTable(tiers=tuple(made), measured_in=measure)


@st.composite
def _positions(
    draw: st.DrawFn,
    smooth: bool,
    instruments: st.SearchStrategy[Instrument],
) -> Position:
    return position(
        draw(_SIDES),
        draw(instruments),
        draw(decimals("0.1", "200", 1)),
        draw(decimals("20", "300")),
        tiers=draw(tables(smooth=smooth)),
        close_fee=fee(draw(decimals("0", "1")), draw(decimals("0", "0.001", 4))),
        taker_fee_rate=draw(decimals("0", "0.001", 4)),
    )


@cache
def legs(*, smooth: bool, plain: bool) -> st.SearchStrategy[list[Position]]:
    """1 to 4 positions, linear whole coins only where `plain`."""
    drawn = _positions(smooth, _WHOLE_LINEAR if plain else _ANY)
    return st.lists(drawn, min_size=1, max_size=4)


def grouped(held: list[Position]) -> list[Position]:
    """The same legs, those of one symbol tiered together by the table of the first."""
    shared: dict[str, TierTable] = {}
    for leg in held:
        symbol = leg.instrument.symbol
        shared.setdefault(symbol, replace(leg.tiers, group=symbol))
    return [replace(leg, tiers=shared[leg.instrument.symbol]) for leg in held]


def floating(draw: st.DrawFn, coin: str, known: dict[str, Mark]) -> Collateral:
    """A coin as collateral: its price near its mark, haircut in steps, debts dearer."""
    at = known[f"{coin}/USD:{coin}"].price
    first, second = draw(_HAIRCUT_PAIRS)
    steps = {"none": (), "flat": ((None, first),), "steps": ((10, first), (None, second))}
    return coins(
        coin,
        draw(decimals("-20", "50")),
        at * draw(decimals("0.99", "1.01", 3)),
        rates=(draw(decimals("0.9", "1")), draw(decimals("1", "1.1"))),
        haircuts=steps[draw(_HAIRCUT_KINDS)],
        follows=(coin, f"{coin}/USD:{coin}", at),
    )


def known_marks(draw: st.DrawFn) -> dict[str, Mark]:
    """Marks of every instrument: one price per coin, its two symbols a little apart."""
    found: dict[str, Mark] = {}
    for coin in COINS:
        price = draw(decimals("20", "300"))
        found[f"{coin}/USDT:USDT"] = mark(price)
        found[f"{coin}/USD:{coin}"] = mark(price * draw(decimals("0.99", "1.01", 3)))
    return found


@cache
def pools(*, smooth: bool = False) -> st.SearchStrategy[tuple[MarginPool, dict[str, Mark]]]:
    """A unified pool in USD with 1 to 4 legs, and marks; it may stand anywhere."""
    return _pools(smooth)


@st.composite
def _pools(draw: st.DrawFn, smooth: bool) -> tuple[MarginPool, dict[str, Mark]]:
    known = known_marks(draw)
    held = draw(legs(smooth=smooth, plain=False))
    held = grouped(held) if smooth and draw(st.booleans()) else held
    pool = a_pool(
        *held,
        unit="USD",
        top_up_asset="USDT",
        collateral=(
            coins("USDT", draw(decimals("-100", "5000")), draw(decimals("0.99", "1.01", 3))),
            *(floating(draw, coin, known) for coin in COINS),
        ),
        other_balance=draw(decimals("-10", "10")),
        other_maintenance=draw(decimals("0", "10")),
    )
    return pool, known


@st.composite
def plain_pools(draw: st.DrawFn) -> tuple[MarginPool, dict[str, Mark]]:
    """A pool in USDT, linear legs only, cash without haircut, no jump with the mark."""
    known = known_marks(draw)
    held = draw(legs(smooth=True, plain=True))
    return a_pool(*held, cash=draw(decimals("0", "9000"))), known
