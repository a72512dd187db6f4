"""Whole messages about the data, the figures and the key, word by word."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from monitor.alerts.facts import LastKnown, TierChange, TierChanges
from monitor.alerts.incident import Subject, happened
from monitor.alerts.ladder import Severity
from monitor.alerts.message import write
from monitor.risk.evaluate import evaluate
from monitor.risk.model import PoolId, Reported
from monitor.risk.result import Reconciliation, Verdict
from monitor.risk.solve import outlook
from tests.alerts.cases import taken
from tests.alerts.telling import ID, KNOWN, LONG, about, facts, pool_facts, resolved
from tests.build import NOON, a_pool, marks


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
        "Live mark prices of main (bybit) arrive again. It lasted 42 s after it was told.\n\n"
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


def test_being_blind_in_some_of_many_pools_counts_them() -> None:
    others = tuple(PoolId(account="main", name=name) for name in ("BTC", "ETH"))
    told = write(
        taken(None, about(Subject.BLIND, because="a reason")),
        facts(known=(KNOWN,), concerns=others, since=NOON),
    )
    assert told.title == "BLIND: 2 pools of main (bybit), nothing known"


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
    assert told.title == "BLIND: main/BTC (bybit), nothing known"
    assert told.body.startswith(
        "No figure can be given for main/BTC of main on bybit since 2026-11-22 12:00:00 UTC.\n"
        "Why: no mark of BTC/USD:BTC for 21 s.\n\n"
        "• main/BTC: no figure was ever known\n\n"
    )


def test_being_seen_again() -> None:
    told = write(resolved(about(Subject.BLIND, because="no reply"), 200), facts())
    assert told.title == "RESOLVED: main (bybit) is seen again, at 92.6 %"
    assert told.body.startswith(
        "The figures of main (bybit) can be given again. It lasted 3 min 20 s after it was told."
        "\n\n• main/USDT"
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
        # 18 are left at 88, and each of price takes 10 − 4: the end is at 85
        outlook=outlook(replace(pool, other_balance=Decimal(-10)), marks(SOL=88), NOON),
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
        "The worse of the two drives the rungs, and the liquidation prices and moves shown, until "
        "they agree again.\n"
        "Ours: margin balance 380.00 USDT, maintenance margin 352.00 USDT, ratio 92.6 %.\n"
        "Theirs: margin balance 370.00 USDT, maintenance margin 352.00 USDT, ratio 95.1 %.\n"
        "By the worse of both, liquidation is 3.4 % away.\n\n"
        "What to do: go by the exchange's own figures, and tell us of the difference.\n\n"
        f"Incident {told.incident_id}, 2026-11-22 12:00:00 UTC"
    )
    told = write(resolved(condition, 60), facts(held))
    assert told.title == "RESOLVED: figures of main (bybit) agree again"


def test_a_changed_mode_tells_old_and_new_and_the_figures_after() -> None:
    changed = about(
        Subject.MODE, severity=Severity.WARNING, because="from «single-asset» to «multi-assets»"
    )
    told = write(
        happened(None, changed, NOON), facts(known=(replace(KNOWN, distance=Decimal("0.0525")),))
    )
    assert told.title == "ACCOUNT MODE CHANGED: main (bybit)"
    assert told.body == (
        "The account mode of main on bybit changed from «single-asset» to «multi-assets»: its "
        "pools are computed by the rules of the new one from now on.\n\n"
        "Its pools now:\n"
        "• main/USDT: margin ratio 92.6 %, 5.2 % from liquidation, rung critical, 1 position; "
        "21 s old\n\n"
        "What to do: if it was not you who changed it, check the account at the exchange.\n\n"
        f"Incident {told.incident_id}, 2026-11-22 12:00:00 UTC"
    )
    none = write(happened(None, changed, NOON), facts(known=()))
    assert "\n\nIt has no pools now.\n\n" in none.body


def test_changed_tiers_tell_ratio_and_liquidation_price_before_and_after() -> None:
    changes = TierChanges(
        ratio_before=Decimal("0.926"),
        ratio_after=Decimal("1.042"),
        positions=(
            TierChange(
                position=LONG,
                maintenance_before=Decimal(352),
                maintenance_after=Decimal(396),
                liquidation_before=Decimal(250) / 3,
                liquidation_after=None,
            ),
        ),
    )
    condition = about(Subject.TIERS, pool=ID, severity=Severity.WARNING, because="SOL/USDT:USDT")
    told = write(happened(None, condition, NOON), facts(tiers=changes))
    assert told.title == "LEVERAGE TIERS CHANGED: main (bybit), ratio from 92.6 % to 104.2 %"
    assert told.body == (
        "The exchange changed leverage tiers of what margin pool main/USDT on bybit holds. At the "
        "same marks its margin ratio was 92.6 % under the old ones and is 104.2 % under the new.\n"
        "• SOL/USDT:USDT long: maintenance margin from 352.00 USDT to 396.00 USDT, liquidation "
        "price from 83.3333 to none\n\n"
        f"Incident {told.incident_id}, 2026-11-22 12:00:00 UTC"
    )


def test_predictions_that_are_off_and_that_come_true_again() -> None:
    condition = about(
        Subject.PREDICTION, pool=ID, severity=Severity.WARNING, because="31 basis points"
    )
    told = write(taken(None, condition), facts())
    assert told.title == "PREDICTION OFF: main (bybit) by 31 basis points"
    assert told.body == (
        "Margin pool main/USDT on bybit: between two readings its figures went another way than "
        "the exchange's own, by 31 basis points of the notional, though nothing was traded.\n"
        "Each reading puts them right; until the next one they may be off by as much again.\n\n"
        "What to do: near liquidation go by the exchange's own figures, and tell us of the "
        "difference.\n\n"
        f"Incident {told.incident_id}, 2026-11-22 12:00:00 UTC"
    )
    told = write(resolved(condition, 60), facts())
    assert told.title == "RESOLVED: predictions of main (bybit) come true again"
    assert told.body.startswith(
        "Margin pool main/USDT on bybit.\nWhat is foretold comes true again. It lasted 1 min.\n"
    )
