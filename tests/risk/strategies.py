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
    Borrow,
    CarriedMargin,
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


_LEAST_PRICES = st.sampled_from([Decimal(1), Decimal("0.9"), Decimal("1.05")])
_FEES = st.sampled_from([Decimal(0), Decimal("0.0005"), Decimal("0.01")])
_LOANS = st.sampled_from([Decimal(0), Decimal(0), Decimal(30), Decimal(400)])


@st.composite
def _borrows(draw: st.DrawFn, per_coin: Decimal) -> Borrow:
    """A debt's charge: one rate on all of it, or deducted; edges where the pools' debts lie."""
    table = draw(tables(deducted=draw(st.booleans())))
    made = tuple(
        replace(
            tier,
            floor=tier.floor / per_coin,
            cap=None if tier.cap is None else tier.cap / per_coin,
            deduction=tier.deduction / per_coin,
        )
        for tier in table.tiers
    )
    return Borrow(
        tiers=TierTable(tiers=made, measured_in=TierMeasure.CONTRACTS),
        fee_rate=draw(_FEES),
        loan=draw(_LOANS) / per_coin,
    )


@cache
def indebted() -> st.SearchStrategy[tuple[MarginPool, dict[str, Mark]]]:
    """Pools of `pools` whose debts are charged, with legs without tiers and tiered together."""
    return _indebted()


@st.composite
def _indebted(draw: st.DrawFn) -> tuple[MarginPool, dict[str, Mark]]:
    pool, known = draw(_pools(smooth=False))
    held = list(pool.positions)
    if draw(st.booleans()):
        held = grouped(held)
    if draw(st.integers(0, 3)) == 0:
        held[0] = replace(held[0], tiers=None)
    owed = tuple(
        replace(
            c,
            rate_if_negative=c.rate_if_negative * draw(_LEAST_PRICES),
            borrow=draw(_borrows(max(c.price, Decimal(1)))) if draw(st.booleans()) else None,
        )
        for c in pool.collateral
    )
    return replace(pool, collateral=owed, positions=tuple(held)), known


@cache
def carrying() -> st.SearchStrategy[tuple[MarginPool, dict[str, Mark]]]:
    """Pools of `indebted` with margin that is taken over and moves, and legs that count more."""
    return _carrying()


_WAYS = st.sampled_from(["grows", "falls and grows", "moves"])


@st.composite
def _carrying(draw: st.DrawFn) -> tuple[MarginPool, dict[str, Mark]]:
    pool, known = draw(_indebted())
    places = [
        *((c.asset, None, c.price) for c in pool.collateral),
        *((None, s, known[s].price) for s in {p.instrument.symbol: 0 for p in pool.positions}),
    ]
    carried = []
    for asset, symbol, price in draw(st.lists(st.sampled_from(places), max_size=3)):
        needs, way = draw(decimals("1", "60")), draw(_WAYS)
        falls = way == "falls and grows"
        each = needs / price
        carried.append(
            CarriedMargin(
                asset=asset,
                symbol=symbol,
                per_price=-each if falls else each,
                fixed=2 * needs if falls else Decimal(0),
                least=Decimal(0) if way == "moves" else needs,
            )
        )
    factor = draw(st.sampled_from([Decimal(1), Decimal("1.05")]))
    return replace(pool, carried_margins=tuple(carried), maintenance_factor=factor), known


@cache
def dented() -> st.SearchStrategy[tuple[MarginPool, dict[str, Mark]]]:
    """
    Pools of BTC, hedged so that slack hardly slopes, with edges that dent it on the way.

    A short in USDT against coins owned: a rise makes a debt, whose margin jumps while the
    whole gains; legs tiered by notional on all of it, alone or together.
    """
    return _dented()


_DENTS = st.lists(decimals("100", "800", 0), min_size=1, max_size=3)


@st.composite
def _jagged(draw: st.DrawFn, measure: TierMeasure, group: str | None = None) -> TierTable:
    """Rates on the whole size, which may also fall again."""
    made: list[LeverageTier] = []
    floor = Decimal(0)
    for step in (*draw(_DENTS), None):
        cap = None if step is None else floor + step
        rate = draw(decimals("0.005", "0.3", 3))
        made.append(LeverageTier(floor=floor, cap=cap, maintenance_rate=rate, deduction=Decimal(0)))
        floor = cap or floor
    return TierTable(tiers=tuple(made), measured_in=measure, group=group)


@st.composite
def _dented(draw: st.DrawFn) -> tuple[MarginPool, dict[str, Mark]]:
    known = {"BTC/USDT:USDT": mark(100), "BTC/USD:BTC": mark(100)}
    owned = draw(decimals("1", "20"))
    group = "BTC" if draw(st.booleans()) else None
    table = draw(_jagged(TierMeasure.NOTIONAL, group))
    legs_held = [
        position(
            draw(_SIDES),
            linear("BTC"),
            owned * draw(decimals("0.3", "1.3")),
            100,
            tiers=table,
        ),
        position(draw(_SIDES), linear("BTC"), owned * draw(decimals("0.1", "1")), 100, tiers=table),
    ]
    if draw(st.booleans()):
        size = (owned * 100 * draw(decimals("0.1", "1"))).to_integral_value()
        instrument = inverse("BTC", size=1)
        legs_held.append(position(draw(_SIDES), instrument, max(size, 1), 100))
    usdt = coins("USDT", draw(decimals("-300", "600")), rates=(1, draw(decimals("0.95", "1.05"))))
    btc = coins(
        "BTC",
        owned,
        100,
        rates=(draw(decimals("0.9", "1")), 1),
        haircuts=draw(
            st.sampled_from([(), ((5, "0.3"), (None, "0.1")), ((8, 0), (10, "0.8"), (None, 0))])
        ),
        follows=("BTC", "BTC/USDT:USDT", 100),
    )
    owed = draw(_jagged(TierMeasure.CONTRACTS))
    usdt = replace(usdt, borrow=Borrow(tiers=owed, fee_rate=draw(_FEES), loan=draw(_LOANS)))
    pool = a_pool(*legs_held, unit="USD", collateral=(usdt, btc), top_up_asset="USDT")
    return pool, known
