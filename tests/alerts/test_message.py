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

from monitor.alerts.facts import Facts, Gone, LastKnown, PoolFacts
from monitor.alerts.incident import Condition, Step, Subject, Transition
from monitor.alerts.ladder import DEFAULT_LADDER, Ladder, Measure, Rung, Severity
from monitor.alerts.message import LONGEST, write
from monitor.risk.advice import advise
from monitor.risk.evaluate import evaluate
from monitor.risk.model import Basis, MarginPool, PoolId, Reported
from monitor.risk.result import Reconciliation, Target, Verdict
from monitor.risk.solve import outlook
from tests.alerts.cases import taken
from tests.build import NOON, Number, a_pool, flat, inverse, long, mark, marks, short

ID = PoolId(account="main", name="USDT")
LONG = long("SOL", contracts=10, entry=100, tiers=flat("0.4"), has_stop_loss=False)
NEAR = Rung(
    name="very near",
    on=Measure.DISTANCE,
    enter=Decimal("0.06"),
    leave=Decimal("0.07"),
    severity=Severity.CRITICAL,
)
KNOWN = LastKnown(pool=ID, ratio=Decimal("0.926"), rung="critical", age_seconds=21.3, positions=1)


def pool_facts(pool: MarginPool, /, *, prices: Any = None, **changes: Any) -> PoolFacts:
    at = prices if prices is not None else marks(SOL=88)
    risk = evaluate(pool, at, NOON)
    made = PoolFacts(
        risk=risk,
        requirement=risk.requirement,
        outlook=outlook(pool, at, NOON),
        advice=advise(risk, Target()),
        is_live=True,
        age_seconds=0.4,
    )
    return replace(made, **changes)


def facts(pool: PoolFacts | None = None, **changes: Any) -> Facts:
    ladder = Ladder(rungs=(*DEFAULT_LADDER.rungs, NEAR))
    made = Facts(exchange="bybit", ladder=ladder, pool=pool, known=(KNOWN,))
    return replace(made, **changes)


def about(subject: Subject, **changes: Any) -> Condition:
    made = Condition(account="main", pool=None, subject=subject, severity=Severity.CRITICAL)
    return replace(made, **changes)


def critical(value: Number = "0.9263") -> Condition:
    return about(
        Subject.RATIO,
        pool=ID,
        rung="critical",
        order=("warning", "critical"),
        value=Decimal(value),
        reasons=("critical",),
    )


def resolved(condition: Condition, seconds: float = 750) -> Transition:
    return taken(taken(None, condition).after, None, seconds=seconds)


DISTANCE = """\
Margin balance 380.00 USDT, maintenance margin 352.00 USDT: 28.00 USDT left until liquidation.
Nearest liquidation price: SOL/USDT:USDT at 83.3333, 5.3 % below its mark of 88.
Liquidation by a common move of all marks: −5.3 %."""

REST = """\
What drives it, worst first:
• SOL/USDT:USDT long 10 contracts: unrealized PnL −120.00 USDT, maintenance margin 352.00 USDT \
(100 %)

What brings it back to 50 % and 5 % from liquidation, each alone:
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
    assert "Nothing alone brings it back to 50 % and 5 % from liquidation" in told.body


def test_a_rung_on_distance() -> None:
    near = about(
        Subject.LIQUIDATION_NEAR,
        pool=ID,
        rung="very near",
        order=("very near",),
        value=Decimal("0.053"),
    )
    told = write(taken(None, near), facts(pool_facts(a_pool(LONG, cash=500))))
    assert told.title == "VERY NEAR 6 %: main (bybit) is 5.3 % from liquidation"
    assert told.body.startswith(
        "Margin pool main/USDT on bybit stands on rung very near: margin ratio 92.6 %, "
        "reached within 6 % of liquidation.\n\n"
    )


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


def test_silent_marks() -> None:
    silent = about(
        Subject.STALE, because="no live mark of SOL/USDT:USDT for 21 s", reasons=("main/USDT",)
    )
    told = write(taken(None, silent), facts())
    assert told.title == "STALE: live marks of main (bybit) are silent"
    assert told.body == (
        "Live mark prices of main on bybit are late or silent.\n"
        "Why: no live mark of SOL/USDT:USDT for 21 s.\n"
        "Marks asked for by REST keep the figures going, and rungs are still told; between two "
        "of them a fast move is not seen.\n\n"
        "• main/USDT: margin ratio 92.6 %, rung critical, 1 position; 21 s old\n\n"
        "What to do: nothing while it is short. If it lasts, look at the account at the "
        "exchange.\n\n"
        f"Incident {told.incident_id}, 2026-11-22 12:00:00 UTC"
    )
    told = write(resolved(silent, 42), facts())
    assert told.title == "RESOLVED: live marks of main (bybit) are back"
    assert told.body == (
        "Live mark prices of main (bybit) arrive again. It lasted 42 s.\n\n"
        "• main/USDT: margin ratio 92.6 %, rung critical, 1 position; 21 s old\n\n"
        f"Incident {told.incident_id}, 2026-11-22 12:00:42 UTC"
    )


def test_being_blind_says_since_when_what_was_known_why_and_what_to_do() -> None:
    refused = about(Subject.BLIND, because="key expired\n<b>@everyone</b>", reasons=("main/USDT",))
    told = write(
        taken(None, refused),
        facts(since=NOON - timedelta(seconds=65), to_do="make a new read-only key."),
    )
    assert told.title == "BLIND: main (bybit), last known 92.6 %"
    assert told.body == (
        "No figure can be given for main on bybit since 2026-11-22 11:58:55 UTC.\n"
        "Why: key expired 'b'(at)everyone'/b'.\n\n"
        "• main/USDT: margin ratio 92.6 %, rung critical, 1 position; 21 s old\n\n"
        "What to do: make a new read-only key.\n\n"
        f"Incident {told.incident_id}, 2026-11-22 12:00:00 UTC"
    )


def test_being_blind_from_the_start() -> None:
    told = write(
        taken(None, about(Subject.BLIND, because="the account was never read yet")),
        facts(known=()),
    )
    assert told.title == "BLIND: main (bybit), nothing known"
    assert told.body == (
        "No figure can be given for main on bybit since the start.\n"
        "Why: the account was never read yet.\n\n"
        "Nothing was ever read of this account.\n\n"
        "What to do: look at the account at the exchange itself until this is over; it is tried "
        "again.\n\n"
        f"Incident {told.incident_id}, 2026-11-22 12:00:00 UTC"
    )


def test_being_blind_in_one_pool_of_several_names_that_one() -> None:
    other = LastKnown(
        pool=PoolId(account="main", name="BTC"),
        ratio=None,
        rung=None,
        age_seconds=3,
        positions=2,
    )
    told = write(
        taken(None, about(Subject.BLIND, because="no mark of BTC/USD:BTC for 21 s")),
        facts(known=(KNOWN, other), concerns=(other.pool,), since=NOON),
    )
    assert told.title == "BLIND: main (bybit), nothing known"
    assert told.body.startswith(
        "No figure can be given for main/BTC of main on bybit since 2026-11-22 12:00:00 UTC.\n"
        "Why: no mark of BTC/USD:BTC for 21 s.\n\n"
        "• main/BTC: no figure was ever known\n\n"
    )


def test_being_seen_again() -> None:
    told = write(resolved(about(Subject.BLIND, because="no reply"), 200), facts())
    assert told.title == "RESOLVED: main (bybit) is seen again, at 92.6 %"
    assert told.body.startswith(
        "The figures of main (bybit) can be given again. It lasted 3 min 20 s.\n\n• main/USDT"
    )


def test_figures_that_disagree() -> None:
    pool = a_pool(LONG, cash=500)
    ours = evaluate(pool, marks(SOL=88), NOON).requirement
    theirs = Reported(
        at=NOON,
        margin_balance=Decimal(370),
        maintenance_margin=Decimal(352),
        ratio=Decimal("0.9514"),
    )
    held = pool_facts(
        pool,
        requirement=replace(ours, margin_balance=Decimal(370)),
        reconciliation=Reconciliation(
            ours=ours, theirs=theirs, gap=Decimal("-0.0114"), verdict=Verdict.DISAGREES
        ),
    )
    condition = about(Subject.DISAGREES, pool=ID, because="there is less left")
    told = write(taken(None, condition), facts(held))
    assert told.title == "FIGURES DISAGREE: main (bybit), worse of both at 95.1 %"
    assert told.body == (
        "For margin pool main/USDT on bybit our figures and the exchange's own differ at the "
        "same marks: there is less left.\n"
        "The worse of the two drives the rungs until they agree again.\n"
        "Ours: margin balance 380.00 USDT, maintenance margin 352.00 USDT, ratio 92.6 %.\n"
        "Theirs: margin balance 370.00 USDT, maintenance margin 352.00 USDT, ratio 95.1 %.\n\n"
        "What to do: go by the exchange's own figures, and tell us of the difference.\n\n"
        f"Incident {told.incident_id}, 2026-11-22 12:00:00 UTC"
    )
    told = write(resolved(condition, 60), facts(held))
    assert told.title == "RESOLVED: figures of main (bybit) agree again"


def test_a_key_that_may_do_too_much() -> None:
    condition = about(
        Subject.KEY_TOO_POWERFUL, severity=Severity.WARNING, because="trade, withdraw"
    )
    told = write(taken(None, condition), facts())
    assert told.title == "KEY TOO POWERFUL: main (bybit)"
    assert told.body == (
        "The API key of main on bybit may do more than read: trade, withdraw.\n"
        "The monitor needs none of that, and watches on.\n\n"
        "What to do: make a read-only key and delete this one, or say allow_trading_key = true "
        "in the configuration.\n\n"
        f"Incident {told.incident_id}, 2026-11-22 12:00:00 UTC"
    )
    told = write(resolved(condition, 86400), facts())
    assert (told.title, told.severity) == (
        "RESOLVED: the key of main (bybit) reads only",
        Severity.WARNING,
    )


def test_ids_are_stable_and_differ_by_step_and_time() -> None:
    first = taken(None, critical())
    pool = facts(pool_facts(a_pool(LONG, cash=500)))
    assert write(first, pool).id == write(first, pool).id
    others = {write(resolved(critical(), seconds), facts(gone=_GONE)).id for seconds in (1, 2)}
    assert len({write(first, pool).id, *others}) == 3


_GONE = Gone(unit="USDT", balance_before=None, balance_now=None)
