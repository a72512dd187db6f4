"""Whole messages of what the exchange did or warned of, word by word."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from monitor.alerts.facts import Drift, TakenPart
from monitor.alerts.incident import Subject, happened
from monitor.alerts.ladder import Severity
from monitor.alerts.message import write
from monitor.risk.news import Cause
from tests.alerts.cases import taken as step_of
from tests.alerts.telling import ID, LONG, about, facts, pool_facts
from tests.build import NOON, a_pool, marks

PART = TakenPart(
    name="SOL/USDT:USDT long",
    cause=Cause.LIQUIDATION,
    contracts=Decimal(4),
    price=Decimal("83.5"),
    amounts=(("USDT", Decimal(-66)),),
    pieces=2,
    last_at=NOON,
    left=Decimal(6),
)
UNKNOWN = TakenPart(
    name="the account",
    cause=None,
    contracts=None,
    price=None,
    amounts=(),
    pieces=1,
    last_at=NOON,
    left=None,
)
TAKEN = about(Subject.TAKEN, pool=ID, because="liquidation", reasons=("order-1",))


def test_a_liquidation() -> None:
    told = write(step_of(None, TAKEN), facts(taken=(PART,)))
    assert told.severity is Severity.CRITICAL
    assert told.title == "LIQUIDATION: main (bybit), SOL/USDT:USDT long 4 contracts"
    assert told.body == (
        "The exchange itself took from margin pool main/USDT on bybit:\n"
        "• SOL/USDT:USDT long: 4 contracts by liquidation at 83.5 in 2 pieces; −66.00 USDT in the "
        "wallet; 6 contracts of it are left as far as is known; at 12:00:00 UTC\n\n"
        "• main/USDT: margin ratio 92.6 %, rung critical, 1 position; 21 s old\n\n"
        "What to do: look at the account at the exchange now; what is left may be taken next. "
        "What follows is told in further messages.\n\n"
        f"Incident {told.incident_id}, 2026-11-22 12:00:00 UTC"
    )


def test_more_of_it_and_of_several_kinds() -> None:
    opened = step_of(None, TAKEN).after
    again = replace(TAKEN, reasons=("order-2", "order-3"))
    adl = replace(PART, name="ETH/USDT:USDT short", cause=Cause.ADL, left=Decimal(0), pieces=1)
    told = write(step_of(opened, again, seconds=10), facts(taken=(adl, UNKNOWN)))
    assert told.title == ("MORE LIQUIDATION OR AUTO-DELEVERAGING: main (bybit), 2 positions")
    assert told.body.startswith(
        "The exchange itself took from margin pool main/USDT on bybit since the last message:\n"
        "• ETH/USDT:USDT short: 4 contracts by auto-deleveraging at 83.5; −66.00 USDT in the "
        "wallet; nothing of it is left as far as is known; at 12:00:00 UTC\n"
        "• the account: a part by liquidation or auto-deleveraging; at 12:00:00 UTC\n\n"
    )


def test_a_settlement_is_no_force() -> None:
    settled = replace(TAKEN, severity=Severity.WARNING, because="settlement")
    part = replace(PART, cause=Cause.SETTLEMENT, left=Decimal(0))
    told = write(step_of(None, settled), facts(taken=(part,)))
    assert told.title == "SETTLED: main (bybit), SOL/USDT:USDT long 4 contracts"
    assert "\n\nWhat to do: nothing, if you knew that the contract ended.\n\n" in told.body


WARNED = about(Subject.WARNED, pool=ID, because="MARGIN_CALL of SOLUSDT <b>", reasons=("SOLUSDT",))


def test_a_warning_beside_our_figures() -> None:
    # 10 SOL from 100 at 88: 352 of 380
    told = write(step_of(None, WARNED), facts(pool_facts(a_pool(LONG, cash=500))))
    assert told.title == "WARNED BY THE EXCHANGE: main (bybit), at 92.6 % by our figures"
    assert told.body.startswith(
        "The exchange itself warns of margin pool main/USDT on bybit: MARGIN_CALL of SOLUSDT 'b'."
        "\n\nMargin balance 380.00 USDT, maintenance margin 352.00 USDT: 28.00 USDT left until "
        "liquidation.\n"
    )


def test_a_warning_that_our_figures_do_not_bear_out_says_so() -> None:
    pool = pool_facts(a_pool(LONG, cash=500), prices=marks(SOL=120))
    told = write(step_of(None, WARNED), facts(pool))
    assert told.title == "WARNED BY THE EXCHANGE: main (bybit), at 68.6 % by our figures"
    assert told.body.startswith(
        "The exchange itself warns of margin pool main/USDT on bybit: MARGIN_CALL of SOLUSDT 'b'."
        "\nOur own figures show no danger (margin ratio 68.6 %): go by the exchange's word until "
        "you have looked at the account there.\n\nMargin balance 700.00 USDT"
    )


def test_a_warning_of_the_whole_account() -> None:
    told = write(step_of(None, replace(WARNED, pool=None)), facts())
    assert told.title == "WARNED BY THE EXCHANGE: main (bybit)"
    assert told.body == (
        "The exchange itself warns of account main on bybit: MARGIN_CALL of SOLUSDT 'b'.\n\n"
        "• main/USDT: margin ratio 92.6 %, rung critical, 1 position; 21 s old\n\n"
        f"Incident {told.incident_id}, 2026-11-22 12:00:00 UTC"
    )


def test_a_drift() -> None:
    condition = about(
        Subject.DRIFT, pool=ID, because="from 68.6 % to 77.8 %", severity=Severity.WARNING
    )
    found = Drift(
        pool=ID,
        parts=("SOL/USDT:USDT long: from 10 to 12 contracts",),
        ratio_before=Decimal("0.686"),
        ratio_after=Decimal("0.778"),
    )
    step = happened(None, condition, NOON + timedelta(seconds=5))
    told = write(step, facts(drift=found))
    assert told.title == "DRIFT: main (bybit), ratio from 68.6 % to 77.8 % at one reading"
    assert told.body == (
        "A reading of margin pool main/USDT on bybit showed what its private stream had not "
        "told:\n"
        "• SOL/USDT:USDT long: from 10 to 12 contracts\n"
        "At the same marks the margin ratio was 68.6 % without it and is 77.8 % with it; the "
        "figures were off by that since the reading before.\n\n"
        "What to do: nothing, the reading is what counts. If it happens often, tell us; until "
        "then a smaller poll_seconds makes such gaps shorter.\n\n"
        f"Incident {told.incident_id}, 2026-11-22 12:00:05 UTC"
    )


def test_a_position_that_is_smaller_for_no_known_cause() -> None:
    part = "SOL/USDT:USDT long: from 10 to 7 contracts"
    condition = about(Subject.SHRUNK, pool=ID, because=part, severity=Severity.CRITICAL)
    found = Drift(
        pool=ID,
        parts=(part, "balance from 500.00 USDT to 490.00 USDT"),
        ratio_before=Decimal("0.686"),
        ratio_after=Decimal("0.67"),
        shrunk=(part,),
    )
    step = happened(None, condition, NOON + timedelta(seconds=5))
    told = write(step, facts(drift=found))
    assert told.title == (
        "SMALLER FOR NO KNOWN CAUSE: main (bybit), SOL/USDT:USDT long: from 10 to 7 contracts"
    )
    assert told.body == (
        "A reading of margin pool main/USDT on bybit showed what its private stream had not "
        "told:\n"
        "• SOL/USDT:USDT long: from 10 to 7 contracts\n"
        "• balance from 500.00 USDT to 490.00 USDT\n"
        "At the same marks the margin ratio was 68.6 % without it and is 67.0 % with it; the "
        "figures were off by that since the reading before.\n\n"
        "What to do: look at once in the exchange's own history what made it smaller. If it was "
        "no order of yours, a liquidation or auto-deleveraging may be under way: add margin or "
        "reduce what is left. If it was, its event was lost, and the reading is what counts.\n\n"
        f"Incident {told.incident_id}, 2026-11-22 12:00:05 UTC"
    )
