"""
Whole messages, word by word.

The pool of most of them is a long of 10 SOL from 100 with 500 USDT at 40 % maintenance: at a
mark of 88 its balance is 500 − 120 = 380 and its maintenance margin 0.4 × 880 = 352, which is
92.6 %; the end lies where 4 × mark = 10 × mark − 500, at 83.3333, 5.3 % below. Half of the
ratio needs 352 ÷ 0.5 − 380 = 324 more, or (352 − 190) ÷ 35.2 = 4.6023 contracts less.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from monitor.alerts.facts import Gone, Opening
from monitor.alerts.incident import Condition, Step, Subject, Transition
from monitor.alerts.ladder import Severity
from monitor.alerts.message import LONGEST, write
from monitor.risk.cash import FreeBalance
from monitor.risk.evaluate import evaluate
from monitor.risk.model import Basis, PoolId
from monitor.risk.result import Reconciliation, Verdict
from tests.alerts.cases import taken
from tests.alerts.telling import ID, KNOWN, LONG, about, critical, facts, pool_facts, resolved
from tests.build import NOON, a_pool, flat, inverse, long, mark, marks, short

DISTANCE = """\
Margin balance 380.00 USDT, maintenance margin 352.00 USDT: 28.00 USDT left until liquidation.
Nearest liquidation price: SOL/USDT:USDT at 83.3333, 5.3 % below its mark of 88.
Liquidation by a common move of all marks: −5.3 %."""

REST = """\
What drives it, worst first:
• SOL/USDT:USDT long 10 contracts: unrealized PnL −120.00 USDT, maintenance margin 352.00 USDT \
(100 %)

What brings it back to 50 % and at least 5 % from liquidation, each alone:
• add 324.00 USDT to futures wallet
• close 4.603 of 10 contracts of SOL/USDT:USDT long (46 %)

Without a stop-loss: SOL/USDT:USDT long."""


def test_a_rung_that_is_reached() -> None:
    told = write(taken(None, critical()), facts(pool_facts(a_pool(LONG, cash=500))))
    assert told.title == "CRITICAL 90 %: main (bybit) at 92.6 %"
    assert told.body == (
        "Margin pool main/USDT on bybit stands on rung critical: margin ratio 92.6 %, "
        "reached at 90 %.\n\n"
        f"{DISTANCE}\n\n"
        f"{REST}\n\n"
        "Figures: 0.4 s old, live; all computed by the exchange's published rules.\n\n"
        f"Incident {told.incident_id}, 2026-11-22 12:00:00 UTC"
    )
    assert (told.severity, told.step, told.account) == (Severity.CRITICAL, Step.OPENED, "main")
    assert told.created_at == NOON
    assert told.useful_until == NOON + timedelta(days=1)


def test_a_rung_that_is_reached_on_figures_that_are_not_live_or_not_sure() -> None:
    ours = evaluate(a_pool(LONG, cash=500), marks(SOL=88), NOON).requirement
    doubtful = pool_facts(
        a_pool(LONG, cash=500, basis=Basis.PARTLY),
        is_live=False,
        age_seconds=75,
        ratio_now=Decimal("0.685"),
        doubts=("Unconfirmed: the mark jumped.",),
        reconciliation=Reconciliation(ours=ours, theirs=None, gap=None, verdict=Verdict.DISAGREES),
    )
    told = write(taken(None, critical()), facts(doubtful))
    assert told.body == (
        "Margin pool main/USDT on bybit stands on rung critical: margin ratio 92.6 %, "
        "reached at 90 %.\n"
        "That was a spike of the marks; at the newest ones the ratio is 68.5 %.\n"
        "Unconfirmed: the mark jumped.\n\n"
        f"{DISTANCE}\n\n"
        f"{REST}\n\n"
        "Figures: 1 min 15 s old, not live, kept going by what could still be read; computed by "
        "the exchange's published rules, in part taken over from it; the exchange's own figures "
        "differ, the worse of both is shown.\n\n"
        f"Incident {told.incident_id}, 2026-11-22 12:00:00 UTC"
    )


def test_a_rung_that_still_holds() -> None:
    incident = taken(None, critical()).after
    still = Transition(step=Step.REPEATED, before=incident, after=incident, at=NOON)
    told = write(still, facts(pool_facts(a_pool(LONG, cash=500))))
    assert told.title == "STILL CRITICAL 90 %: main (bybit) at 92.6 %"
    assert told.body.startswith("Margin pool main/USDT on bybit still stands on rung critical:")


def test_an_account_with_several_pools_names_the_pool_in_the_title() -> None:
    other = replace(KNOWN, pool=PoolId(account="main", name="BTC"))
    several = facts(pool_facts(a_pool(LONG, cash=500)), known=(KNOWN, other))
    told = write(taken(None, critical()), several)
    assert told.title == "CRITICAL 90 %: main/USDT (bybit) at 92.6 %"


def test_a_pool_beyond_liquidation() -> None:
    # at 81.2: balance 312, maintenance 324.8
    ruined = pool_facts(a_pool(LONG, cash=500), prices=marks(SOL="81.2"))
    told = write(taken(None, critical("1.041")), facts(ruined))
    assert told.title == "CRITICAL 90 %: main (bybit) at 104.1 %"
    assert told.body.startswith(
        "Margin pool main/USDT on bybit stands on rung critical: margin ratio 104.1 %, "
        "reached at 90 %.\n"
        "At 100 % the exchange liquidates: this may be going on right now.\n\n"
        "Margin balance 312.00 USDT, maintenance margin 324.80 USDT: 12.80 USDT too little.\n"
        "SOL/USDT:USDT stands at 81.2: at or beyond liquidation.\n"
    )


def test_a_pool_without_any_balance_left() -> None:
    broke = pool_facts(a_pool(LONG, cash=100), prices=marks(SOL=88))
    told = write(taken(None, critical("Infinity")), facts(broke))
    assert told.title == "CRITICAL 90 %: main (bybit) at over 100 %"
    assert "Margin balance −20.00 USDT" in told.body


def test_a_hedged_book_with_many_positions_names_the_worst_five() -> None:
    # all longs from 100 at 90 lose 10 each coin; the shorts win what they lost
    coins_held = ("AAA", "BBB", "CCC", "DDD", "EEE", "FFF", "GGG")
    longs = [long(c, contracts=n, entry=100) for n, c in enumerate(coins_held, start=1)]
    book = a_pool(*longs, short("HHH", contracts=28, entry=100), cash=30)
    prices = marks(**dict.fromkeys((*coins_held, "HHH"), 90))
    told = write(taken(None, critical()), facts(pool_facts(book, prices=prices)))
    assert (
        "• GGG/USDT:USDT long 7 contracts: unrealized PnL −70.00 USDT, "
        "maintenance margin 3.15 USDT (12 %)\n" in told.body
    )
    assert "• CCC/USDT:USDT long 3 contracts" in told.body
    assert "BBB/USDT:USDT long 2 contracts:" not in told.body
    assert "• and 3 more positions\n" in told.body
    assert (
        "Not known whether there is a stop-loss: AAA/USDT:USDT long, BBB/USDT:USDT long, "
        "CCC/USDT:USDT long, DDD/USDT:USDT long, EEE/USDT:USDT long and 3 more." in told.body
    )
    # 4.8 are left of a balance of 30, and 2 × 2,520 of notional lose them: 4.8 ÷ 5,040
    assert "Liquidation if every coin moves against its positions: by 0.095 %." in told.body
    assert "No common move" not in told.body
    assert len(told.body) < 3500


def test_the_biggest_book_fits_into_one_message() -> None:
    names = [f"VERYLONGCOINNAME{n}" for n in range(60)]
    book = a_pool(*(long(n, contracts=1, entry=100) for n in names), cash=31)
    prices = marks(**dict.fromkeys(names, 100))
    told = write(taken(None, critical()), facts(pool_facts(book, prices=prices)))
    assert len(told.body) <= LONGEST
    assert told.body.endswith(f"Incident {told.incident_id}, 2026-11-22 12:00:00 UTC")


def test_a_body_that_is_too_long_is_cut_before_its_last_line() -> None:
    doubts = tuple(f"Doubt number {n} of very many." for n in range(200))
    told = write(taken(None, critical()), facts(pool_facts(a_pool(LONG, cash=500), doubts=doubts)))
    assert len(told.body) <= LONGEST
    assert told.body.endswith(f"…\n\nIncident {told.incident_id}, 2026-11-22 12:00:00 UTC")


def test_a_coin_settled_pool_speaks_of_its_coin() -> None:
    leg = long(inverse("BTC"), contracts=100, entry=100000, tiers=flat("0.05"))
    pool = a_pool(leg, unit="BTC", cash="0.0105", wallet="COIN-M wallet")
    prices = {"BTC/USD:BTC": mark(90000)}
    # PnL 10,000 ÷ 100,000 − 10,000 ÷ 90,000 = −0.0111111, maintenance 0.05 × 0.1111111
    told = write(taken(None, critical()), facts(pool_facts(pool, prices=prices)))
    assert "maintenance margin 0.00555556 BTC: 0.00616667 BTC too little." in told.body
    assert "unrealized PnL −0.0111111 BTC, maintenance margin 0.00555556 BTC (100 %)" in told.body


def test_where_nothing_of_one_kind_is_enough_that_is_said() -> None:
    pool = a_pool(LONG, cash=500)
    none = replace(pool_facts(pool).advice, top_up=None)  # type: ignore[type-var] # it is there
    told = write(taken(None, critical()), facts(pool_facts(pool, advice=none)))
    assert "• no amount added is enough\n• close 4.603 of 10" in told.body
    one = replace(pool_facts(pool).advice, reductions=())  # type: ignore[type-var] # it is there
    told = write(taken(None, critical()), facts(pool_facts(pool, advice=one)))
    assert (
        "• add 324.00 USDT to futures wallet\n• closing one position alone is not enough"
        in told.body
    )
    neither = replace(none, reductions=())
    told = write(taken(None, critical()), facts(pool_facts(pool, advice=neither)))
    assert "Nothing alone brings it back to 50 % and at least 5 % from liquidation" in told.body


def standing(rung: str, *alarms: str, accepted: tuple[str, ...] = (), **changes: Any) -> Condition:
    return about(
        Subject.STANDING,
        pool=ID,
        rung=rung,
        alarms=alarms,
        reasons=alarms,
        accepted=accepted,
        **changes,
    )


def test_a_rung_on_distance() -> None:
    # at 87 the balance is 370 and the maintenance margin 348; 83.3333 is 4.2 % below
    near = standing("near", "near", value=Decimal("0.9405"), distance=Decimal("0.0421"))
    told = write(taken(None, near), facts(pool_facts(a_pool(LONG, cash=500), prices=marks(SOL=87))))
    assert told.title == "NEAR 5 %: main (bybit) is 4.2 % from liquidation"
    assert told.body.startswith(
        "Margin pool main/USDT on bybit stands on rung near: 4.2 % from liquidation, reached "
        "within 5 %; margin ratio 94.1 %.\n\n"
    )


def test_one_message_speaks_for_all_rungs() -> None:
    # at 84.5: balance 345, maintenance 338: 98.0 %, and 83.3333 is 1.4 % below
    all_four = standing("critical", "near", "warning", "very near", "critical")
    told = write(
        taken(None, all_four), facts(pool_facts(a_pool(LONG, cash=500), prices=marks(SOL="84.5")))
    )
    assert told.title == "CRITICAL 90 %: main (bybit) at 98.0 %, 1.4 % from liquidation"
    assert told.body.startswith(
        "Margin pool main/USDT on bybit stands on rungs critical and very near: margin ratio "
        "98.0 %, reached at 90 %; 1.4 % from liquidation, reached within 2 %.\n\n"
    )
    graver = standing("very near", "near", "warning", "very near")
    told = write(
        taken(None, graver), facts(pool_facts(a_pool(LONG, cash=500), prices=marks(SOL="84.5")))
    )
    assert told.title == "VERY NEAR 2 %: main (bybit) is 1.4 % from liquidation, at 98.0 %"


def test_an_alarm_names_what_was_taken_on_as_such() -> None:
    mixed = standing("warning", "warning", accepted=("near",), severity=Severity.WARNING)
    told = write(
        taken(None, mixed), facts(pool_facts(a_pool(LONG, cash=500), prices=marks(SOL=87)))
    )
    assert told.title == "WARNING 80 %: main (bybit) at 94.1 %, 4.2 % from liquidation"
    assert told.body.startswith(
        "Margin pool main/USDT on bybit stands on rungs warning and near: margin ratio 94.1 %, "
        "reached at 80 %; 4.2 % from liquidation, since it was opened within 5 %.\n\n"
    )


def test_the_end_of_a_rung_on_distance_tells_the_least_distance() -> None:
    near = standing("near", "near", value=Decimal("0.94"), distance=Decimal("0.0421"))
    calm = pool_facts(a_pool(LONG, cash=900))
    told = write(resolved(near), facts(calm))
    # balance 780, maintenance 352; 900 − 1,000 + 10 × mark = 4 × mark at 16.667, 81.1 % below
    assert told.title == "RESOLVED: main (bybit) at 45.1 %, 81.1 % from liquidation"
    assert (
        "It lasted 12 min 30 s; nearest 4.2 % from liquidation at 2026-11-22 12:00:00 UTC.\n"
        in told.body
    )
    gone = write(resolved(near), facts(gone=_GONE))
    assert gone.title == "POSITIONS GONE: main (bybit); nearest 4.2 %"


def test_the_end_of_a_rung_adds_peak_and_duration() -> None:
    calm = pool_facts(a_pool(long("SOL", 10, 100), cash=500), prices=marks(SOL=120))
    told = write(resolved(critical()), facts(calm))
    # balance 500 + 200 = 700, maintenance 0.005 × 1,200 = 6
    assert told.title == "RESOLVED: main (bybit) at 0.9 %"
    assert told.body == (
        "Margin pool main/USDT on bybit stands at a margin ratio of 0.9 %.\n"
        "It lasted 12 min 30 s; peak 92.6 % at 2026-11-22 12:00:00 UTC.\n\n"
        "Margin balance 700.00 USDT, maintenance margin 6.00 USDT: 694.00 USDT left until "
        "liquidation.\n"
        "Nearest liquidation price: SOL/USDT:USDT at 50.2513, 58.1 % below its mark of 120.\n"
        "Liquidation by a common move of all marks: −58.1 %.\n\n"
        "What drives it, worst first:\n"
        "• SOL/USDT:USDT long 10 contracts: unrealized PnL +200.00 USDT, maintenance margin "
        "6.00 USDT (100 %)\n\n"
        "Not known whether there is a stop-loss: SOL/USDT:USDT long.\n\n"
        "Figures: 0.4 s old, live; all computed by the exchange's published rules.\n\n"
        f"Incident {told.incident_id}, 2026-11-22 12:12:30 UTC"
    )
    assert told.severity is Severity.CRITICAL


def test_who_heard_of_the_worst_hears_of_the_end() -> None:
    eased = replace(taken(None, critical()).after, rung="warning", severity=Severity.WARNING)
    told = write(taken(eased, None, seconds=60), facts(pool_facts(a_pool(LONG, cash=900))))
    assert told.severity is Severity.CRITICAL


def test_the_end_after_a_peak_of_100_percent_does_not_sound_like_safety() -> None:
    calm = pool_facts(a_pool(LONG, cash=900))
    told = write(resolved(critical("1.02")), facts(calm))
    assert told.title == "BACK FROM OVER 100 %: main (bybit) at 45.1 %, CHECK YOUR POSITIONS"
    assert (
        "It stood at 100 % or above, where the exchange liquidates: check at the exchange which "
        "positions are left.\n" in told.body
    )


def test_positions_that_are_gone_after_a_peak_of_100_percent() -> None:
    gone = Gone(unit="USDT", balance_before=Decimal(312), balance_now=Decimal("4.5"))
    told = write(resolved(critical("1.041")), facts(gone=gone))
    assert told.title == "POSITIONS GONE, LIQUIDATED? main (bybit); peak 104.1 %"
    assert told.body == (
        "All positions of pool main/USDT on bybit are gone.\n"
        "Its margin balance was 312.00 USDT when they were last seen, and is 4.50 USDT now.\n"
        "It stood at 100 % or above before: it was most likely liquidated. Check the account at "
        "the exchange.\n"
        "It lasted 12 min 30 s; peak 104.1 % at 2026-11-22 12:00:00 UTC.\n\n"
        f"Incident {told.incident_id}, 2026-11-22 12:12:30 UTC"
    )


def test_positions_that_are_gone_before_that() -> None:
    gone = Gone(unit="USDT", balance_before=None, balance_now=None)
    told = write(resolved(critical()), facts(gone=gone))
    assert told.title == "POSITIONS GONE: main (bybit); peak 92.6 %"
    assert told.body == (
        "All positions of pool main/USDT on bybit are gone.\n"
        "If it was not you who closed them, check the account at the exchange.\n"
        "It lasted 12 min 30 s; peak 92.6 % at 2026-11-22 12:00:00 UTC.\n\n"
        f"Incident {told.incident_id}, 2026-11-22 12:12:30 UTC"
    )


def test_ids_are_stable_and_differ_by_step_and_time() -> None:
    first = taken(None, critical())
    pool = facts(pool_facts(a_pool(LONG, cash=500)))
    assert write(first, pool).id == write(first, pool).id
    others = {write(resolved(critical(), seconds), facts(gone=_GONE)).id for seconds in (1, 2)}
    assert len({write(first, pool).id, *others}) == 3


_GONE = Gone(unit="USDT", balance_before=None, balance_now=None)


def test_a_pool_that_went_with_the_account_s_mode() -> None:
    gone = Gone(
        unit="USDT",
        balance_before=Decimal(380),
        balance_now=None,
        by_mode="from «isolated» to «cross»",
    )
    told = write(resolved(critical()), facts(gone=gone))
    assert told.title == "RESOLVED: main/USDT (bybit) is no more: the account's mode changed"
    assert told.body.startswith(
        "Margin pool main/USDT on bybit is no more: the account's mode changed from «isolated» to "
        "«cross».\n"
        "What it held is watched in the pools of the new mode.\n"
        "It lasted 12 min 30 s; peak 92.6 % at 2026-11-22 12:00:00 UTC.\n\n"
        "• main/USDT: margin ratio 92.6 %"
    )
    ruined = write(resolved(critical("1.02")), facts(gone=gone))
    assert "check at the exchange which positions are left." in ruined.body


def test_an_alarm_that_an_opening_brought_about_says_so() -> None:
    opened = (Opening(position=LONG, before=None),)
    told = write(
        taken(None, critical()), facts(pool_facts(a_pool(LONG, cash=500), openings=opened))
    )
    assert (
        "reached at 90 %.\n"
        "It came there as its owner opened SOL/USDT:USDT long 10 contracts at 100.\n\n" in told.body
    )


def test_where_coins_lie_free_is_named_beside_the_amount_to_add() -> None:
    free = (
        FreeBalance(asset="USDT", amount=Decimal(1200), wallet="Funding Account"),
        FreeBalance(asset="BTC", amount=Decimal(1), wallet="Funding Account"),
        FreeBalance(asset="USDT", amount=Decimal(0), wallet="Spot"),
    )
    told = write(taken(None, critical()), facts(pool_facts(a_pool(LONG, cash=500), free=free)))
    assert (
        "• add 324.00 USDT to futures wallet (free: 1,200.00 USDT in Funding Account)\n"
        in told.body
    )


def test_what_is_taken_over_from_the_exchange_is_named() -> None:
    pool = a_pool(
        LONG, cash=500, basis=Basis.PARTLY, carried=("margin of 3 open orders", "2 options")
    )
    told = write(taken(None, critical()), facts(pool_facts(pool)))
    assert (
        "computed by the exchange's published rules, in part taken over from it (margin of 3 open "
        "orders, 2 options).\n" in told.body
    )
