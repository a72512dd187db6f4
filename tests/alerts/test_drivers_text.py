"""What drives a pool, word by word."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from monitor.alerts.drivers_text import driver_lines, funding_lines
from monitor.alerts.facts import Booked, Changes, LegChange, NextFunding
from monitor.risk.cash import BookingKind
from monitor.risk.model import Side
from tests.alerts.telling import LONG, pool_facts
from tests.build import NOON, a_pool, long, marks

SOL = ("SOL/USDT:USDT", Side.LONG)
ETH = ("ETH/USDT:USDT", Side.LONG)
AN_HOUR_AGO = NOON - timedelta(hours=1)


def changes(**given: object) -> Changes:
    values: dict[str, object] = {
        "since": AN_HOUR_AGO,
        "headroom": Decimal(0),
        "legs": {},
        "booked": (),
        "rest": Decimal(0),
    }
    return Changes(**(values | given))  # type: ignore[arg-type] # given by the tests


def moved(pnl: int, margin: int | None) -> LegChange:
    return LegChange(
        unrealized_pnl=Decimal(pnl),
        maintenance_margin=None if margin is None else Decimal(margin),
    )


def test_without_a_message_before_the_positions_are_listed_as_they_are() -> None:
    assert driver_lines(pool_facts(a_pool(LONG, cash=500)), NOON) == [
        "What drives it, worst first:",
        (
            "• SOL/USDT:USDT long 10 contracts: unrealized PnL −120.00 USDT, maintenance margin "
            "352.00 USDT (100 %)"
        ),
    ]


def test_what_changed_since_the_last_message_stands_beside_it_and_adds_up() -> None:
    # −120 − (−32) + −1.2 − 0.5 − 100 = −189.70, and 0.30 that nothing explains
    pool = pool_facts(
        a_pool(LONG, cash=500),
        changes=changes(
            headroom=Decimal("-190.00"),
            legs={SOL: moved(-120, -32)},
            booked=(
                Booked(kind=BookingKind.FUNDING, asset="USDT", amount=Decimal("-1.2")),
                Booked(kind=BookingKind.FEE, asset="USDT", amount=Decimal("-0.5")),
                Booked(kind=BookingKind.TRANSFER, asset="USDT", amount=Decimal(-100)),
            ),
            rest=Decimal("-0.30"),
        ),
    )
    assert driver_lines(pool, NOON) == [
        "What drives it, worst first; in brackets the change since 11:00:00 UTC:",
        (
            "• SOL/USDT:USDT long 10 contracts: unrealized PnL −120.00 USDT (−120.00 USDT), "
            "maintenance margin 352.00 USDT (100 %, −32.00 USDT)"
        ),
        "• funding: −1.20 USDT",
        "• fees: −0.50 USDT",
        "• transfers: −100.00 USDT",
        (
            "• all else (positions closed, prices of collateral, orders, debts, bookings not "
            "listed yet): −0.30 USDT"
        ),
        "Together −190.00 USDT of headroom.",
    ]


def test_all_that_can_be_booked_has_its_words() -> None:
    booked = tuple(Booked(kind=kind, asset="USDT", amount=Decimal(1)) for kind in BookingKind)
    lines = driver_lines(pool_facts(a_pool(LONG, cash=500), changes=changes(booked=booked)), NOON)
    assert lines[2:-1] == [
        "• funding: +1.00 USDT",
        "• fees: +1.00 USDT",
        "• transfers: +1.00 USDT",
        "• realised profit and loss: +1.00 USDT",
        "• interest: +1.00 USDT",
        "• taken by liquidation: +1.00 USDT",
        "• other bookings: +1.00 USDT",
    ]


def test_where_nothing_changed_nothing_is_said_of_changes() -> None:
    still = pool_facts(a_pool(LONG, cash=500), changes=changes(legs={SOL: moved(0, 0)}))
    assert driver_lines(still, NOON)[0] == "What drives it, worst first:"


def test_what_cost_most_since_then_comes_first_whatever_it_won_before() -> None:
    book = a_pool(LONG, long("ETH", 1, 50), cash=500)
    pool = pool_facts(
        book,
        prices=marks(SOL=88, ETH=90),
        changes=changes(legs={SOL: moved(-5, -4), ETH: moved(-3, 1)}, headroom=Decimal(-5)),
    )
    # SOL −5 + 4 = −1, ETH −3 − 1 = −4
    first, second = driver_lines(pool, NOON)[1:3]
    assert first.startswith("• ETH/USDT:USDT long 1 contracts: unrealized PnL +40.00 USDT (−3.00")
    assert second.startswith("• SOL/USDT:USDT long")


def test_a_position_whose_margin_stands_inside_the_portfolio_s() -> None:
    portfolio = long("SOL", 10, 100, tiers=None)
    pool = pool_facts(
        a_pool(portfolio, cash=500, other_maintenance=Decimal(100)),
        changes=changes(legs={SOL: moved(-5, None)}),
    )
    assert driver_lines(pool, NOON)[1] == (
        "• SOL/USDT:USDT long 10 contracts: unrealized PnL −120.00 USDT (−5.00 USDT), "
        "maintenance margin inside the portfolio's"
    )


def test_a_leg_s_share_counts_as_often_as_its_margin_does() -> None:
    """1.5 × 352 of 528 + 176."""
    pool = pool_facts(
        a_pool(LONG, cash=900, other_maintenance=Decimal(176), maintenance_factor=Decimal("1.5"))
    )
    assert driver_lines(pool, NOON)[1].endswith("maintenance margin 352.00 USDT (75 %)")


def test_a_change_since_another_day_has_its_date() -> None:
    pool = pool_facts(
        a_pool(LONG, cash=500),
        changes=changes(legs={SOL: moved(1, 1)}, since=NOON - timedelta(days=1)),
    )
    assert "since 2026-11-21 12:00:00 UTC:" in driver_lines(pool, NOON)[0]


def test_the_next_funding_and_where_the_pool_stands_after_it() -> None:
    funding = NextFunding(
        at=NOON + timedelta(hours=4),
        amounts=(("USDC", Decimal("1.5")), ("USDT", Decimal("-8.8"))),
        margin_ratio=Decimal("0.9483"),
        adverse_move=Decimal("-0.0364"),
    )
    assert funding_lines(pool_facts(a_pool(LONG, cash=500), funding=funding)) == [
        (
            "Next funding at 16:00:00 UTC: +1.50 USDC, −8.80 USDT; after it, at these marks, "
            "margin ratio 94.8 %, 3.6 % from liquidation."
        )
    ]
    assert funding_lines(pool_facts(a_pool(LONG, cash=500))) == []
