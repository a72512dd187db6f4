"""
What is said, word by word, where a pool stands on a rung as it was opened.

10 SOL from 100 with 500 USDT at 40 % maintenance, at a mark of 87: balance 370, maintenance
margin 348, 94.1 %. Here the ladder goes by distance alone, and then by the default one: the
end lies at 83.3333, 4.2 % below.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from monitor.alerts.facts import Opening, PoolFacts
from monitor.alerts.incident import Condition, Step, Subject
from monitor.alerts.ladder import DEFAULT_LADDER, Ladder, Measure, Severity
from monitor.alerts.message import write
from tests.alerts.cases import taken
from tests.alerts.telling import ID, LONG, about, facts, pool_facts
from tests.build import a_pool, marks, short

NEW = Opening(position=LONG, before=None)


def calm(rung: str = "near", *accepted: str, at: str = "0.0421") -> Condition:
    return about(
        Subject.STANDING,
        pool=ID,
        severity=Severity.INFO,
        rung=rung,
        accepted=accepted or ("near",),
        accepted_distance=Decimal(at),
        is_taken_on=True,
        value=Decimal("0.94"),
        distance=Decimal(at),
    )


def at_87(*openings: Opening) -> PoolFacts:
    return pool_facts(a_pool(LONG, cash=500), prices=marks(SOL=87), openings=openings)


def test_a_position_that_stands_on_a_rung_as_it_is_opened() -> None:
    told = write(taken(None, calm()), facts(at_87(NEW)))
    assert (
        told.title == "OPENED SOL/USDT:USDT long: main (bybit) stands 4.2 % from liquidation (near)"
    )
    assert told.body.startswith(
        "Opened SOL/USDT:USDT long 10 contracts at 100; margin pool main/USDT on bybit stands "
        "4.2 % from liquidation (near), at a margin ratio of 94.1 %.\n"
        "That is no alarm. You hear again at 2.1 % (half of that) or at 2 % (very near) or at a "
        "margin ratio of 80 %.\n\n"
        "Margin balance 370.00 USDT, maintenance margin 348.00 USDT: 22.00 USDT left until "
        "liquidation.\n"
    )
    assert told.body.endswith(f"\n\nIncident {told.incident_id}, 2026-11-22 12:00:00 UTC")
    assert (told.severity, told.step) == (Severity.INFO, Step.TAKEN_ON)


def test_a_position_that_grew() -> None:
    grown = Opening(position=LONG, before=Decimal(4))
    told = write(taken(None, calm()), facts(at_87(grown)))
    assert told.title == (
        "ADDED TO SOL/USDT:USDT long: main (bybit) stands 4.2 % from liquidation (near)"
    )
    assert told.body.startswith(
        "Added to SOL/USDT:USDT long: 10 contracts, 4 before; margin pool main/USDT on bybit "
        "stands 4.2 % from liquidation (near), at a margin ratio of 94.1 %.\n"
    )


def test_several_positions_at_once() -> None:
    more = Opening(position=short("ETH", 3, 50), before=None)
    told = write(taken(None, calm()), facts(at_87(NEW, more)))
    assert told.title == "OPENED 2 positions: main (bybit) stands 4.2 % from liquidation (near)"
    assert told.body.startswith(
        "Opened SOL/USDT:USDT long 10 contracts at 100, opened ETH/USDT:USDT short 3 contracts at "
        "50; margin pool"
    )


def test_a_pool_that_stands_there_as_the_watch_begins() -> None:
    told = write(taken(None, calm()), facts(at_87()))
    assert told.title == "WATCHED: main (bybit) stands 4.2 % from liquidation (near)"
    assert told.body.startswith(
        "Margin pool main/USDT on bybit, now watched, stands 4.2 % from liquidation (near), at a "
        "margin ratio of 94.1 %.\n"
    )


def test_on_the_nearest_rung_there_is_none_beyond_it() -> None:
    very_near = calm("very near", "near", "very near", at="0.019")
    told = write(taken(None, very_near), facts(at_87(NEW)))
    assert "You hear again at 0.95 % (half of that) or at a margin ratio of 80 %.\n" in told.body


def test_a_ladder_without_rungs_on_ratio() -> None:
    ladder = Ladder(rungs=DEFAULT_LADDER.on(Measure.DISTANCE))
    told = write(taken(None, calm()), replace(facts(at_87(NEW)), ladder=ladder))
    assert "You hear again at 2.1 % (half of that) or at 2 % (very near).\n" in told.body


def test_more_is_opened_while_an_alarm_stands() -> None:
    alarm = replace(
        calm(), alarms=("warning",), reasons=("warning",), severity=Severity.WARNING, rung="warning"
    )
    incident = taken(None, replace(alarm, accepted=())).after
    told = write(taken(incident, alarm, seconds=5), facts(at_87(NEW)))
    assert (told.step, told.severity) == (Step.TAKEN_ON, Severity.WARNING)
    assert told.title == "WARNING 80 %: main (bybit) at 94.1 %, 4.2 % from liquidation"
    assert "It came there as its owner opened SOL/USDT:USDT long 10 contracts at 100." in told.body
