"""What changed a pool's headroom between two moments, split up so that it adds up."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from monitor.alerts.facts import Booked, Changes
from monitor.engine.drivers import Baseline, bookings_of, changes_since
from monitor.risk.cash import Booking, BookingKind
from monitor.risk.evaluate import evaluate
from monitor.risk.model import MarginMode, MarginPool, Side
from tests.build import NOON, Number, a_pool, coins, long, marks, short
from tests.engine.scene import LONG, renamed, the_pool

SOL = ("SOL/USDT:USDT", Side.LONG)


def booking(
    name: str, kind: BookingKind, amount: str, *, seconds: int = 60, symbol: str | None = None
) -> Booking:
    return Booking(
        id=name,
        at=NOON + timedelta(seconds=seconds),
        kind=kind,
        asset="USDT",
        amount=Decimal(amount),
        symbol=symbol,
    )


def between(
    before: MarginPool, after: MarginPool, *bookings: Booking, was: Number = 100, now: Number = 90
) -> Changes:
    baseline = Baseline(
        at=NOON + timedelta(seconds=5),
        read_at=NOON,
        risk=evaluate(before, marks(SOL=was, ETH=100), NOON),
    )
    return changes_since(baseline, evaluate(after, marks(SOL=now, ETH=100), NOON), bookings)


def adds_up(changes: Changes) -> bool:
    by_legs = sum(c.unrealized_pnl - (c.maintenance_margin or 0) for c in changes.legs.values())
    booked = sum(each.amount for each in changes.booked)
    return changes.headroom == by_legs + booked + changes.rest


def test_a_move_of_prices_is_its_position_s() -> None:
    found = between(the_pool(), the_pool())
    # PnL −100, maintenance 4 × −10 less
    assert found.headroom == -60
    assert (found.legs[SOL].unrealized_pnl, found.legs[SOL].maintenance_margin) == (-100, -40)
    assert (found.rest, found.booked, found.since) == (0, (), NOON + timedelta(seconds=5))


def test_what_was_booked_is_told_by_kind_and_is_not_left_over() -> None:
    found = between(
        the_pool(),
        the_pool(cash="388.30"),
        booking("t", BookingKind.TRANSFER, "-110"),
        booking("f1", BookingKind.FUNDING, "-1"),
        booking("f2", BookingKind.FUNDING, "-0.2"),
        booking("c", BookingKind.FEE, "-0.5"),
        now=100,
    )
    assert found.booked == (
        Booked(kind=BookingKind.FUNDING, asset="USDT", amount=Decimal("-1.2")),
        Booked(kind=BookingKind.FEE, asset="USDT", amount=Decimal("-0.5")),
        Booked(kind=BookingKind.TRANSFER, asset="USDT", amount=Decimal(-110)),
    )
    assert (found.headroom, found.rest) == (Decimal("-111.70"), 0)


def test_what_was_in_the_reading_before_and_what_comes_twice_does_not_count_again() -> None:
    found = between(
        the_pool(),
        the_pool(cash=499),
        booking("old", BookingKind.FUNDING, "-7", seconds=0),
        booking("new", BookingKind.FUNDING, "-1", seconds=1),
        booking("new", BookingKind.FUNDING, "-1", seconds=1),
        now=100,
    )
    assert [each.amount for each in found.booked] == [Decimal(-1)]
    assert found.rest == 0


def test_bookings_that_cancel_out_are_no_line() -> None:
    found = between(
        the_pool(),
        the_pool(),
        booking("in", BookingKind.TRANSFER, "50"),
        booking("out", BookingKind.TRANSFER, "-50"),
        now=100,
    )
    assert found.booked == ()


def test_a_new_position_brings_all_of_its_own_and_a_closed_one_is_left_over() -> None:
    eth = long("ETH", 1, 110)
    opened = between(the_pool(), the_pool(LONG, eth), now=100)
    change = opened.legs["ETH/USDT:USDT", Side.LONG]
    # −10 of PnL, 0.5 % of 100 to hold
    assert (change.unrealized_pnl, change.maintenance_margin) == (-10, Decimal("0.500"))
    assert opened.rest == 0
    closed = between(the_pool(LONG, eth), the_pool(), now=100)
    assert closed.rest == Decimal("10.500")
    assert adds_up(opened)
    assert adds_up(closed)


def test_coins_of_another_kind_are_turned_into_the_unit() -> None:
    held = (coins("USDT", 500, "0.5"),)
    pool = the_pool(collateral=held, unit="USD")
    after = replace(pool, collateral=(replace(held[0], balance=Decimal(490)),))
    found = between(pool, after, booking("t", BookingKind.TRANSFER, "-10"))
    assert (found.legs[SOL].unrealized_pnl, found.legs[SOL].maintenance_margin) == (-50, -20)
    # −50 + 20 − 10 × 0.5
    assert (found.headroom, found.rest) == (-35, 0)


def test_positions_inside_a_portfolio_have_no_margin_of_their_own() -> None:
    pool = the_pool(replace(LONG, tiers=None), other_maintenance=Decimal(100))
    found = between(pool, pool)
    assert (found.legs[SOL].unrealized_pnl, found.legs[SOL].maintenance_margin) == (-100, None)
    assert found.headroom == -100


def test_legs_that_count_more_change_by_so_much_more() -> None:
    """PnL −100, and 1.5 times the 40 that the leg needs less: nothing is left for the rest."""
    pool = the_pool(maintenance_factor=Decimal("1.5"))
    found = between(pool, pool)
    assert found.legs[SOL].maintenance_margin == -60
    assert (found.headroom, found.rest) == (-40, 0)


def test_a_booking_goes_to_the_pool_that_holds_its_contract() -> None:
    cross = a_pool(LONG)
    isolated = replace(
        renamed(a_pool(short("ETH", 1, 100)), "isolated/ETHUSDT"), margin_mode=MarginMode.ISOLATED
    )
    of_sol = booking("1", BookingKind.FUNDING, "1", symbol="SOLUSDT")
    of_eth = booking("2", BookingKind.FUNDING, "1", symbol="ETHUSDT")
    of_old = booking("3", BookingKind.FEE, "1", symbol="OLDUSDT")
    of_none = booking("4", BookingKind.TRANSFER, "1")
    other = replace(of_none, id="5", asset="BTC")
    every = (of_sol, of_eth, of_old, of_none, other)
    assert bookings_of(cross, (cross, isolated), every) == (of_sol, of_old, of_none)
    assert bookings_of(isolated, (cross, isolated), every) == (of_eth,)
