"""One account's loops: what each failure becomes, and that no part's end goes unnoticed."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from monitor.engine.effects import LogsWanted, MarksWanted, SnapshotWanted, TablesWanted
from monitor.engine.events import (
    Event,
    KeyRightsRead,
    MarksMoved,
    PollFailed,
    SnapshotTaken,
    Source,
    TaskDied,
    TimePassed,
)
from monitor.errors import ExchangeError, Malformed, MissingReply, Refused, Unmodelled, Unreachable
from monitor.exchanges.call import Depth, Replies, Reply, RestCall
from monitor.exchanges.pace import Standing
from monitor.exchanges.port import Exchange, Permissions
from monitor.risk.model import AccountSnapshot, Mark
from monitor.service.account_task import AccountTask, Shell, TooManyDeaths
from monitor.service.mailbox import Mailbox
from tests.build import NOON
from tests.end_to_end.stage import until
from tests.engine.scene import snapshot, the_pool
from tests.fakes.exchange import ACCOUNT, FAKE

if TYPE_CHECKING:
    from monitor.engine.effects import Effect

KEY = RestCall(implicit="key", path="/key", budget=ACCOUNT.budget)
READ_ONLY = Permissions()
TRADES = Permissions(powers=("trade",))


@dataclass
class FakeRest:
    """Answers with nothing, or raises what is given, in order."""

    failures: list[ExchangeError] = field(default_factory=list)
    key_failures: list[ExchangeError] = field(default_factory=list)
    offset_seconds: float | None = 0.0
    reads: int = 0
    asked: list[str] = field(default_factory=list)
    forgotten: int = 0
    renewed: int = 0
    logs_renewed: int = 0
    doubted: int = 0

    async def read_account(self, *, depth: Depth = Depth.WHOLE) -> Replies:
        self.reads += 1
        if self.failures:
            raise self.failures.pop(0)
        return Replies()

    async def call(self, call: RestCall) -> Reply:
        self.asked.append(call.path)
        if call is KEY and self.key_failures:
            raise self.key_failures.pop(0)
        ahead = timedelta(seconds=self.offset_seconds or 0)
        return Reply(request=call.request, status=200, body={}, at=NOON, ahead=ahead)

    async def call_public(self, call: RestCall) -> Reply:
        return await self.call(call)

    def forget(self) -> None:
        self.forgotten += 1

    def renew_tables(self) -> None:
        self.renewed += 1

    def renew_logs(self) -> None:
        self.logs_renewed += 1

    def renew_stops(self) -> None: ...

    def doubt_offset(self) -> None:
        self.doubted += 1


@dataclass
class FakeEngine:
    """Wishes what it is told to when the next event comes, and keeps the events."""

    wishes: list[Effect] = field(default_factory=list)
    seen: list[Event] = field(default_factory=list)
    faults: int = 0

    def process(self, event: Event) -> tuple[Effect, ...]:
        if self.faults:
            self.faults -= 1
            raise ZeroDivisionError
        self.seen.append(event)
        wishes, self.wishes = tuple(self.wishes), []
        return wishes


class FakeView:
    def __init__(self, error: ExchangeError | None = None) -> None:
        self._error = error

    def snapshot(self, at: datetime) -> AccountSnapshot:
        if self._error is not None:
            raise self._error
        return replace(snapshot(the_pool(), SOL=100), at=at)


@dataclass
class Stage:
    """A task with its doubles. `known` is whether the account was watched before."""

    rest: FakeRest = field(default_factory=FakeRest)
    engine: FakeEngine = field(default_factory=FakeEngine)
    rights: Permissions = READ_ONLY
    view: FakeView = field(default_factory=FakeView)
    known: bool = False
    allowed: bool = False
    poll_seconds: float = 15.0
    pause_seconds: float = 0.0
    torn: list[str | ExchangeError | None] = field(default_factory=list)
    now: datetime = NOON

    def __post_init__(self) -> None:
        self.mailbox = Mailbox()
        self.standing = Standing()
        exchange: Exchange = replace(
            FAKE,
            permission_calls=(KEY,),
            read_permissions=lambda _: self.rights,
            read_account=lambda _name, _replies: self.view,
            mark_calls=lambda _: (replace(KEY, path="/marks"),),
            read_marks=lambda replies, _: {
                "SOLUSDT": Mark(price=Decimal(101), at=next(iter(replies)).by_our_clock(self.now))
            },
            torn=self._torn,
        )
        self.task = AccountTask(
            name="main",
            exchange=exchange,
            engine=self.engine,  # type: ignore[arg-type] # a double
            rest=self.rest,  # type: ignore[arg-type] # a double
            mailbox=self.mailbox,
            shell=Shell(
                now=lambda: self.now,
                record=lambda _: None,
                publish=lambda _: None,
                was_watched=lambda: self.known,
                note_watched=self._note,
            ),
            poll_seconds=self.poll_seconds,
            standing=self.standing,
            pause_seconds=self.pause_seconds,
            allow_trading_key=self.allowed,
        )

    def _note(self) -> None:
        self.known = True

    def _torn(self, _: Replies) -> str | None:
        found = self.torn.pop(0) if self.torn else None
        if isinstance(found, ExchangeError):
            raise found
        return found

    async def read(self) -> list[Event]:
        """What one reading of the account leads to."""
        await self.task._read_once()
        return list(await self.mailbox.take())


async def test_a_reading_tells_of_the_key_and_of_the_account() -> None:
    stage = Stage()
    key, taken = await stage.read()

    assert isinstance(key, KeyRightsRead)
    assert isinstance(taken, SnapshotTaken)
    assert stage.known
    assert [type(event) for event in await stage.read()] == [SnapshotTaken]


async def test_the_key_is_looked_at_again_after_five_minutes() -> None:
    stage = Stage()
    await stage.read()
    stage.now += timedelta(seconds=299)
    assert len(await stage.read()) == 1
    stage.now += timedelta(seconds=1)
    assert len(await stage.read()) == 2


async def test_a_key_that_may_trade_is_refused_for_an_account_never_watched() -> None:
    (failed,) = await Stage(rights=TRADES).read()

    assert isinstance(failed, PollFailed)
    assert isinstance(failed.error, Refused)
    assert "trade" in failed.error.because
    assert (failed.error.exchange, failed.error.account) == ("fake", "main")


@pytest.mark.parametrize(("known", "allowed"), [(True, False), (False, True)])
async def test_a_key_that_may_trade_is_told_where_it_is_allowed_or_the_account_is_watched(
    known: bool, allowed: bool
) -> None:
    key, taken = await Stage(rights=TRADES, known=known, allowed=allowed).read()

    assert isinstance(key, KeyRightsRead)
    assert (key.powers, key.allowed) == (("trade",), allowed)
    assert isinstance(taken, SnapshotTaken)


async def test_rights_that_cannot_be_read_keep_no_watched_account_unwatched() -> None:
    rest = FakeRest(key_failures=[Unreachable("no answer")])
    (taken,) = await Stage(rest=rest, known=True).read()

    assert isinstance(taken, SnapshotTaken)


async def test_rights_that_cannot_be_read_keep_a_new_account_waiting() -> None:
    rest = FakeRest(key_failures=[Unreachable("no answer")])
    (failed,) = await Stage(rest=rest).read()

    assert isinstance(failed, PollFailed)
    assert rest.reads == 0


async def test_what_cannot_be_understood_is_read_anew_from_its_tables_up() -> None:
    stage = Stage(view=FakeView(Malformed("data[0].mmr", "a number")))
    events = await stage.read()

    assert isinstance(events[-1], PollFailed)
    assert stage.rest.forgotten == 1
    assert not stage.known


async def test_tables_that_tell_nothing_of_what_is_held_are_asked_for_again() -> None:
    stage = Stage(torn=[MissingReply("nothing is told of BTC")])
    (_, failed) = await stage.read()
    assert isinstance(failed, PollFailed)
    assert stage.rest.forgotten == 1


@pytest.mark.parametrize(
    ("torn", "reads"), [([], 1), (["a trade"], 2), (["a trade"] * 2, 3), (["a trade"] * 9, 3)]
)
async def test_replies_of_two_moments_are_read_again_but_not_for_ever(
    torn: list[str | ExchangeError | None], reads: int
) -> None:
    stage = Stage(torn=torn)
    await stage.read()

    assert stage.rest.reads == reads


@pytest.mark.parametrize(
    ("error", "failures", "seconds"),
    [
        (Unreachable("no answer"), 1, 1),
        (Unreachable("no answer"), 3, 4),
        (Unreachable("no answer"), 9, 15),  # never slower than the poll itself
        (Unreachable("slow down", retry_after_seconds=120), 1, 120),
        (Unreachable("slow down", retry_after_seconds=0.1), 1, 1),
        (Malformed("x", "y"), 1, 1),
        (Refused("no such key"), 1, 300),
        (Unmodelled("an option"), 1, 1),
        (Unmodelled("portfolio margin", whole_account=True), 1, 300),
    ],
)
def test_how_long_to_wait_follows_from_the_kind_of_failure(
    error: ExchangeError, failures: int, seconds: float
) -> None:
    assert Stage().task._pause(error, failures) == seconds


async def test_wanted_marks_are_asked_for_by_rest_and_put_on_our_clock() -> None:
    stage = Stage()
    stage.rest.offset_seconds = 2.0
    await stage.read()
    stage.engine.wishes = [MarksWanted(symbols=frozenset({"SOLUSDT"}))]
    stage.task.process(TimePassed(at=NOON))
    (moved,) = await asyncio.wait_for(stage.mailbox.take(), 2)

    assert isinstance(moved, MarksMoved)
    assert moved.source is Source.REST
    # The exchange's clock runs two seconds before ours.
    assert moved.marks["SOLUSDT"] == Mark(price=Decimal(101), at=NOON - timedelta(seconds=2))
    # Marks that seem late may be a clock that was set since.
    assert stage.rest.doubted == 1


async def test_after_a_pause_the_account_is_read_and_its_clock_ticks_meanwhile() -> None:
    loop, stage = asyncio.get_running_loop(), Stage(pause_seconds=0.3)
    began = loop.time()
    running = asyncio.create_task(stage.task.run())
    await until(lambda: stage.rest.asked, "the first call")
    assert loop.time() - began >= 0.3
    assert isinstance(stage.engine.seen[0], TimePassed)
    await until(lambda: stage.rest.reads, "the first reading")
    await ended(running)


async def test_a_wanted_snapshot_is_read_without_waiting_for_the_next_poll() -> None:
    stage = Stage(poll_seconds=3600)
    running = asyncio.create_task(stage.task.run())
    await until(lambda: stage.rest.reads >= 1, "reading 1")
    stage.engine.wishes = [SnapshotWanted(because="they are gone")]
    stage.mailbox.put(TimePassed(at=NOON))
    await until(lambda: stage.rest.reads >= 2, "reading 2")
    stage.task.wake_up()
    await until(lambda: stage.rest.reads >= 3, "reading 3")
    await ended(running)


async def test_wanted_tables_are_renewed_and_the_account_is_read_at_once() -> None:
    stage = Stage(poll_seconds=3600)
    running = asyncio.create_task(stage.task.run())
    await until(lambda: stage.rest.reads >= 1, "reading 1")
    stage.engine.wishes = [TablesWanted(because="main/USDT: the pool")]
    stage.mailbox.put(TimePassed(at=NOON))
    await until(lambda: stage.rest.reads >= 2, "reading 2")
    assert stage.rest.renewed == 1
    await ended(running)


async def test_wanted_logs_are_renewed_and_the_account_is_read_at_once() -> None:
    stage = Stage(poll_seconds=3600)
    running = asyncio.create_task(stage.task.run())
    await until(lambda: stage.rest.reads >= 1, "reading 1")
    stage.engine.wishes = [LogsWanted()]
    stage.mailbox.put(TimePassed(at=NOON))
    await until(lambda: stage.rest.reads >= 2, "reading 2")
    assert (stage.rest.logs_renewed, stage.rest.renewed) == (1, 0)
    await ended(running)


async def test_a_part_that_dies_is_told_and_starts_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.service.account_task.RESTART_SECONDS", 0.01)
    stage = Stage(engine=FakeEngine(faults=1))
    running = asyncio.create_task(stage.task.run())

    def deaths() -> list[TaskDied]:
        return [event for event in stage.engine.seen if isinstance(event, TaskDied)]

    (died,) = await until(deaths, "the death being told")
    await ended(running)

    assert died.feed == "engine"
    assert "ZeroDivisionError" in died.because


async def test_parts_that_die_too_often_end_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.service.account_task.RESTART_SECONDS", 0.01)
    stage = Stage(engine=FakeEngine(faults=5))
    with pytest.raises(ExceptionGroup) as group:
        await asyncio.wait_for(stage.task.run(), 5)

    assert group.group_contains(TooManyDeaths)


async def ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
