"""One account's loops: what a failure of any kind becomes, and that none of them ends silently."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from io import StringIO
from statistics import median
from typing import Any

import pytest

from monitor.engine.effects import AccountAssessment, IncidentChanged, State
from monitor.engine.engine import Engine
from monitor.engine.events import Event, PollFailed, TimePassed
from monitor.engine.knowledge import Budgets
from monitor.errors import BadTierTable, ExchangeError, Refused, Unreachable
from monitor.exchanges.call import Replies
from monitor.exchanges.pace import Standing
from monitor.exchanges.port import Permissions
from monitor.risk.model import AccountSnapshot, MarginPool
from monitor.service import account_task, logs
from monitor.service.account_task import AccountTask, Shell, TooManyDeaths
from monitor.service.mailbox import Mailbox
from tests.build import a_pool, long, mark
from tests.fakes.exchange import FAKE

Answer = MarginPool | Exception


class Rest:
    """Answers every reading with the next of `answers`; the last one serves on."""

    offset_seconds = 0.0

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.asked_at: list[float] = []
        self.takes_seconds = 0.0

    async def read_account(self, **_: object) -> Replies:
        self.asked_at.append(asyncio.get_running_loop().time())
        await asyncio.sleep(self.takes_seconds)
        answer = self.answers[0]
        if isinstance(answer, ExchangeError):
            self.next()
            raise answer
        return Replies()

    def next(self) -> Answer:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def forget(self) -> None:
        """Nothing is kept here."""

    def renew_stops(self) -> None:
        """Nor is it told of any stop."""


class View:
    """What the readers made of the replies: a pool, or the fault that they tripped over."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def snapshot(self, at: datetime) -> AccountSnapshot:
        if isinstance(self._answer, Exception):
            raise self._answer
        marks = {symbol: mark(100, at) for symbol in self._answer.symbols()}
        return AccountSnapshot(
            account="main",
            exchange="fake",
            at=at,
            mode="cross",
            pools=(self._answer,),
            reported={},
            marks=marks,
        )


class Stage:
    """A task with everything around it in memory."""

    def __init__(self, rest: Rest, **engine: Any) -> None:
        self.rest = rest
        self.told: list[str] = []
        self.latest: AccountAssessment | None = None
        self.standing = Standing()
        exchange = replace(
            FAKE,
            read_account=lambda _account, _replies: View(rest.next()),  # type: ignore[arg-type,return-value]  # only `snapshot` is asked of it
            read_permissions=lambda _: Permissions(),
        )
        self.task = AccountTask(
            name="main",
            exchange=exchange,
            engine=Engine(account="main", exchange="fake", **engine),
            rest=rest,  # type: ignore[arg-type]  # the two methods that are used
            mailbox=Mailbox(),
            shell=Shell(
                now=lambda: datetime.now(UTC),
                record=self._record,
                publish=self._publish,
                was_watched=lambda: False,
                note_watched=lambda: None,
            ),
            poll_seconds=0.2,
            standing=self.standing,
            allow_trading_key=False,
        )

    def _record(self, change: IncidentChanged) -> None:
        if change.notification is not None:
            self.told.append(change.notification.title)

    def _publish(self, assessment: AccountAssessment) -> None:
        self.latest = assessment

    async def until(self, look: Callable[[], object], seconds: float = 8.0) -> None:
        async with asyncio.timeout(seconds):
            while not look():  # noqa: ASYNC110 - looks are of many kinds
                await asyncio.sleep(0.01)


@asynccontextmanager
async def running(rest: Rest, **engine: Any) -> AsyncIterator[Stage]:
    stage = Stage(rest, **engine)
    task = asyncio.create_task(stage.task.run())
    try:
        yield stage
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    logs.set_up(stream=StringIO())
    monkeypatch.setattr(account_task, "FIRST_RETRY_SECONDS", 0.05)
    monkeypatch.setattr(account_task, "RESTART_SECONDS", 0.01)


POOL = a_pool(long("SOL", 1, 100), cash=500)
ODD = (
    ValueError("SOL/USDT:USDT: contracts must be above 0"),
    BadTierTable("a tier table needs at least one tier"),
    KeyError("marginAsset"),
    ZeroDivisionError(),
    AttributeError("'NoneType' object has no attribute 'text'"),
)


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: type(odd).__name__)
async def test_a_reading_that_trips_the_readers_is_told_and_ends_nothing(odd: Exception) -> None:
    budgets = Budgets(account_seconds=0.3, grace_seconds=0.1)
    async with running(Rest(*[odd] * 12, POOL), budgets=budgets) as stage:
        await stage.until(lambda: stage.told)
        assert stage.told[0].startswith("BLIND: main")
        assert type(odd).__name__ in (stage.latest.because if stage.latest else "")
        await stage.until(lambda: stage.latest and stage.latest.pools)


async def test_a_fault_over_one_fact_costs_none_that_came_with_it() -> None:
    async with running(Rest(POOL)) as stage:
        await stage.until(lambda: stage.latest and stage.latest.pools)
        processed: list[Event] = []
        process = stage.task.process

        def odd(event: Event) -> None:
            if isinstance(event, TimePassed) and event.at.year == 1999:
                raise RuntimeError("a bug")
            processed.append(event)
            process(event)

        stage.task.process = odd  # type: ignore[method-assign]  # a fault to order
        at = datetime.now(UTC)
        refused = PollFailed(error=Refused("key expired"), at=at)
        bad = TimePassed(at=at.replace(year=1999))
        for event in (bad, refused):
            stage.task._mailbox.put(event)
        await stage.until(lambda: refused in processed)


async def test_five_faults_of_ours_in_ten_minutes_end_the_account() -> None:
    class Broken(Rest):
        async def read_account(self, **_: object) -> Replies:
            raise RuntimeError("a bug")

    stage = Stage(Broken(POOL))
    with pytest.raises(ExceptionGroup) as caught:
        await asyncio.wait_for(stage.task.run(), 5)
    assert caught.group_contains(TooManyDeaths)


async def test_slow_replies_do_not_add_to_the_time_between_readings() -> None:
    rest = Rest(POOL)
    rest.takes_seconds = 0.15
    async with running(rest) as stage:
        await stage.until(lambda: len(rest.asked_at) >= 6)
    gaps = [b - a for a, b in zip(rest.asked_at, rest.asked_at[1:], strict=False)]
    # 0.2 s from one beginning to the next, not 0.15 + 0.2; a busy machine may delay some.
    assert median(gaps) < 0.32


async def test_positions_that_vanish_for_a_moment_are_asked_for_again_and_not_told() -> None:
    bare = replace(POOL, positions=())
    async with running(Rest(POOL, bare, POOL)) as stage:
        await stage.until(lambda: len(stage.rest.asked_at) >= 6)
        assert stage.told == []
        assert stage.latest is not None
        assert stage.latest.pools[0].risk.positions != ()


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (Refused("the key was refused", status=401, code="-2015"), 300),
        (Refused("a firewall", status=403), 60),
        (Unreachable("busy", retry_after_seconds=7), 7),
        (Unreachable("gone"), 0.05),
    ],
)
def test_how_long_an_account_is_left_alone(error: ExchangeError, seconds: float) -> None:
    stage = Stage(Rest(POOL))
    assert stage.task._pause(error, 1) == seconds


async def test_an_account_that_can_t_be_read_at_first_is_read_later() -> None:
    async with running(Rest(Unreachable("gone"), Unreachable("gone"), POOL)) as stage:
        await stage.until(lambda: stage.latest and stage.latest.pools)
        assert stage.latest is not None
        assert stage.latest.state in (State.FRESH, State.STALE)


async def test_an_account_that_is_read_in_vain_is_known_to_be_until_it_is_read() -> None:
    rest = Rest(POOL, ODD[0], ODD[0], ODD[0], POOL)
    async with running(rest) as stage:
        await stage.until(lambda: stage.standing.is_unreadable)
        assert len(rest.asked_at) == 4
        await stage.until(lambda: not stage.standing.is_unreadable)
        assert len(rest.asked_at) == 5


async def test_an_outage_says_nothing_against_the_account() -> None:
    rest = Rest(*(Unreachable("down") for _ in range(4)), POOL)
    seen: set[bool] = set()

    def look() -> bool:
        seen.add(stage.standing.is_unreadable)
        return stage.latest is not None and stage.standing.read_at > 0

    async with running(rest) as stage:
        await stage.until(look)
    assert len(rest.asked_at) >= 5
    assert seen == {False}
