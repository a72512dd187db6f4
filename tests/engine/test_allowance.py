"""At most sixteen messages of a pool within an hour, whatever happens, and never silently blind."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from monitor.alerts.incident import Condition, Step, Subject
from monitor.alerts.ladder import DEFAULT_LADDER, Severity
from monitor.alerts.message import write
from monitor.alerts.policy import Policy
from monitor.engine import casebook as casebook_module
from monitor.engine.allowance import HOUR, MOST_AN_HOUR, Allowance
from monitor.engine.casebook import Casebook
from monitor.risk.model import PoolId
from tests.alerting import a_notification
from tests.alerts.cases import on_rung, taken
from tests.alerts.telling import LONG, facts, pool_facts
from tests.build import NOON, a_pool

if TYPE_CHECKING:
    from monitor.alerts.facts import Facts
    from monitor.alerts.incident import Incident, Transition
    from monitor.alerts.message import Notification
    from monitor.engine.effects import IncidentChanged

POOLS = tuple(PoolId(account="main", name=name) for name in ("one", "two"))
LASTING = (Subject.DISAGREES, Subject.PREDICTION)
OF_ACCOUNT = (Subject.STALE, Subject.BLIND, Subject.KEY_LACKS)
NEWS = (Subject.TAKEN, Subject.WARNED)
EVENTS = (Subject.MODE, Subject.TIERS, Subject.DRIFT)
ORDER = [rung.name for rung in DEFAULT_LADDER.ordered()]


def written(transition: Transition, _: Facts, until: datetime | None = None) -> Notification:
    said = "" if until is None else f"until {until:%H:%M:%S}"
    return a_notification(str(transition.at), transition.after.id, body=said)


@pytest.fixture(autouse=True)
def words_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(casebook_module, "write", written)


@dataclass(slots=True)
class Night:
    """One account, in which everything happens that can."""

    dice: random.Random
    book: Casebook = field(default_factory=lambda: Casebook(Policy()))
    at: datetime = NOON
    changes: list[IncidentChanged] = field(default_factory=list)
    holding: dict[tuple[PoolId | None, Subject], Condition | None] = field(default_factory=dict)

    def step(self) -> None:
        self.at += timedelta(seconds=self.dice.choice((1, 5, 30, 120, 600)))
        kind = self.dice.random()
        if kind < 0.1:
            self._happen()
        elif kind < 0.7:
            self._change()
        for key, condition in self.holding.items():
            self._consider(key, condition)

    def _happen(self) -> None:
        subject = self.dice.choice(EVENTS)
        pool = None if subject is Subject.MODE else self.dice.choice(POOLS)
        self.changes.append(self.book.happened(self._about(pool, subject), self.at, facts=facts))

    def _change(self) -> None:
        subject = self.dice.choice((Subject.STANDING,) * 3 + LASTING + OF_ACCOUNT + NEWS)
        pool = None if subject in OF_ACCOUNT else self.dice.choice((*POOLS, None))
        if pool is None and subject not in (*OF_ACCOUNT, *NEWS):
            pool = POOLS[0]
        holds = self.dice.random() < 0.6
        self.holding[pool, subject] = self._about(pool, subject) if holds else None

    def _about(self, pool: PoolId | None, subject: Subject) -> Condition:
        if subject is Subject.STANDING:
            alarms = tuple(name for name in ORDER if self.dice.random() < 0.5) or ("near",)
            worst = self.dice.choice(("0.85", "0.95", "1.1"))
            severity = DEFAULT_LADDER.rung(alarms[-1]).severity  # type: ignore[union-attr]
            return replace(
                on_rung("warning", worst),
                pool=pool,
                alarms=alarms,
                reasons=alarms,
                rung=alarms[-1],
                severity=severity,
            )
        return Condition(
            account="main",
            pool=pool,
            subject=subject,
            severity=self.dice.choice((Severity.WARNING, Severity.CRITICAL)),
            because="a reason",
            reasons=(f"reason {self.dice.randrange(40)}",),
        )

    def _consider(self, key: tuple[PoolId | None, Subject], condition: Condition | None) -> None:
        if key[1] is Subject.TAKEN and condition and not self._is_heard(*key, condition):
            return
        change = self.book.consider(
            key,
            condition,
            self.at,
            may_ease=self.dice.random() < 0.9,
            facts=facts,
            is_final=condition is None and self.dice.random() < 0.3,
        )
        if change is not None:
            self.changes.append(change)

    def _is_heard(self, pool: PoolId | None, subject: Subject, condition: Condition) -> bool:
        """Of what is taken nothing is lost: it waits until it can be told, as in `happenings`."""
        before = self.book.open(pool, subject)
        new = before is None or not set(condition.reasons) <= set(before.told)
        return not new or before is None or self.book.has_room(pool, self.at)


@pytest.mark.parametrize("seed", range(60))
def test_a_wild_night_makes_sixteen_messages_an_hour_at_most(seed: int) -> None:
    night = Night(random.Random(f"night/{seed}"))  # noqa: S311 - repeatable on purpose
    for _ in range(400):
        night.step()
        check_nothing_is_silently_blind(night)
    check_sixteen(night.changes)
    check_higher_rungs(night.changes)


def check_sixteen(changes: list[IncidentChanged]) -> None:
    for pool in (*POOLS, None):
        of_it = [c for c in changes if c.notification and c.incident.pool in (pool, None)]
        times = [c.transition.at for c in of_it]
        assert max(sum(a <= b < a + HOUR for b in times) for a in times) <= MOST_AN_HOUR


def check_higher_rungs(changes: list[IncidentChanged]) -> None:
    """A rung higher than all that were told within the hour is told."""
    told: list[tuple[datetime, Incident]] = []
    for change in changes:
        incident, at = change.incident, change.transition.at
        if incident.subject is not Subject.STANDING:
            continue
        lately = [i for when, i in told if at - when < HOUR and i.pool == incident.pool]
        highest = max((_height(each) for each in lately), default=-1)
        is_up = change.transition.step in (Step.OPENED, Step.ESCALATED)
        if is_up and _height(incident) > highest:
            assert change.notification is not None
        if change.notification is not None:
            told.append((at, incident))


def _height(incident: Incident) -> int:
    return max((ORDER.index(name) for name in incident.alarms), default=-1)


def check_nothing_is_silently_blind(night: Night) -> None:
    for subject in (Subject.STALE, Subject.BLIND):
        if night.holding.get((None, subject)) is None:
            continue
        incident = night.book.open(None, subject)
        assert incident is not None
        assert incident.spoken_at is not None


def test_the_last_message_says_that_less_is_told_from_here_on_and_until_when() -> None:
    book, told = Casebook(Policy()), []
    condition = on_rung("warning", "0.85")
    for minute in range(50):
        silent = Condition(
            account="main",
            pool=None,
            subject=Subject.STALE,
            severity=Severity.CRITICAL,
            reasons=("main/unified",),
        )
        for each in (silent, None):
            change = book.consider(
                (None, Subject.STALE),
                each,
                NOON + timedelta(minutes=minute, seconds=0 if each else 30),
                may_ease=True,
                facts=facts,
            )
            if change is not None and change.notification is not None:
                told.append((change.transition.step, change.notification.body))
    assert [step for step, _ in told] == [Step.OPENED, Step.RESOLVED] * 3 + [
        Step.OPENED,
        Step.REPEATED,
    ][:1]
    # The third end was the last that the hour has room for; the first counts until 13:00:30.
    assert [body for _, body in told][-2:] == ["until 13:00:30"] * 2
    assert [body for _, body in told][:-2] == [""] * 5
    assert condition.rung == "warning"


def test_the_words_of_it() -> None:
    until = NOON + timedelta(minutes=30, seconds=5)
    pool = pool_facts(a_pool(LONG, cash=500))
    message = write(taken(None, on_rung("warning", "0.81")), facts(pool), until)
    assert "until 12:30:05 UTC only what is graver is" in message.body
    assert message.body.splitlines()[-1].startswith("Incident ")


def test_what_an_earlier_run_told_counts() -> None:
    ended = [
        replace(
            taken(None, on_rung("warning", "0.85"), seconds=minute * 60).after,
            id=f"i{minute}",
            worst=Decimal("0.85"),
            spoken_at=NOON + timedelta(minutes=minute),
            resolved_at=NOON + timedelta(minutes=minute + 1),
            told=("warning",),
        )
        for minute in (0, 10, 20)
    ]
    allowance = Allowance(DEFAULT_LADDER, ended)
    pool = ended[0].pool
    assert not allowance.has_room(pool, NOON + timedelta(minutes=30))
    assert allowance.has_room(pool, NOON + timedelta(minutes=61))
    assert allowance.used_up_until(pool, NOON + timedelta(minutes=30)) == NOON + timedelta(
        minutes=61
    )


@pytest.mark.parametrize("seed", range(12))
def test_a_new_start_grants_no_more_than_the_run_before(seed: int) -> None:
    before = Night(random.Random(seed))  # noqa: S311 - repeatable on purpose
    for _ in range(400):
        before.step()
    earlier = {change.incident.id: change.incident for change in before.changes}
    again = Casebook(Policy(), earlier.values())
    words = [change for change in before.changes if change.notification is not None]
    late = [change for change in words if before.at - change.transition.at < HOUR]
    assert len(late) > 5
    for pool in (*POOLS, None):
        for seconds in range(0, 3700, 60):
            at = before.at + timedelta(seconds=seconds)
            assert again.has_room(pool, at) == before.book.has_room(pool, at), (pool, seconds)
