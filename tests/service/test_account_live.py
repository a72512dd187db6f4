"""One account's task with a private stream on loopback: what is in the figures, and when."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from websockets.asyncio.server import ServerConnection, serve

from monitor.engine.effects import AccountAssessment, IncidentChanged
from monitor.engine.engine import Engine
from monitor.engine.knowledge import Budgets
from monitor.errors import ExchangeError, Unreachable
from monitor.exchanges.account_feed import AccountFeed
from monitor.exchanges.call import Depth, Replies, Reply, RestCall
from monitor.service import account_listener
from monitor.service.account_task import AccountTask, Shell
from monitor.service.mailbox import Mailbox
from tests.end_to_end.stage import until
from tests.exchanges.attending import admitting
from tests.fakes.private import CREDENTIALS, LOGGED_IN, BookView, book, private, said

POLL_SECONDS = 2.0
PATIENT = Budgets(marks_seconds=3600, grace_seconds=0.5)


class Bank:
    """The exchange: what it holds, over REST and to whoever listens."""

    def __init__(self) -> None:
        self.contracts = Decimal(5)
        self.changed_at = datetime.now(UTC)
        self.is_mute = False
        self.admits = True
        self.reads = 0
        self.failures: list[ExchangeError] = []
        self.sockets: list[ServerConnection] = []
        self.offset_seconds: float | None = 0.0

    async def talk(self, socket: ServerConnection) -> None:
        if not self.admits:
            await socket.recv()
            await socket.send(said("out", because="no right to read", for_good=True))
            await socket.wait_closed()
            return
        self.sockets.append(socket)
        try:
            await admitting(socket)
        finally:
            self.sockets.remove(socket)

    async def trade(self, contracts: int) -> None:
        self.contracts, self.changed_at = Decimal(contracts), datetime.now(UTC)
        if not self.is_mute:
            await self.say(book(str(contracts), self.changed_at))

    async def say(self, text: str) -> None:
        for socket in self.sockets:
            await socket.send(text)

    # -- its REST ---------------------------------------------------------------------------

    async def read_account(self, *, depth: Depth = Depth.WHOLE) -> Replies:
        assert depth is Depth.WHOLE
        self.reads += 1
        if self.failures:
            raise self.failures.pop(0)
        return Replies()

    async def call(self, call: RestCall) -> Reply:
        raise AssertionError(call.request)

    async def measure_offset(self) -> float:
        return 0.0

    def hidden(self, text: str) -> str:
        return text

    def forget(self) -> None: ...

    def renew_logs(self) -> None: ...

    def renew_stops(self) -> None: ...


class Watched:
    def __init__(self, bank: Bank) -> None:
        self.bank = bank
        self.latest: AccountAssessment | None = None
        self.changes: list[IncidentChanged] = []

    @property
    def contracts(self) -> Decimal | None:
        if self.latest is None or not self.latest.pools:
            return None
        (pool,) = self.latest.pools
        return sum((p.position.contracts for p in pool.risk.positions), Decimal(0))

    def feed_state(self) -> tuple[str, str] | None:
        feeds = () if self.latest is None else self.latest.feeds
        return next(((f.state.value, f.because) for f in feeds if f.name == "private stream"), None)

    async def within(self, seconds: float, look: Callable[[], object], what: str) -> None:
        began = time.monotonic()
        await until(look, what, seconds=seconds)
        assert time.monotonic() - began <= seconds

    def publish(self, assessment: AccountAssessment) -> None:
        self.latest = assessment


@asynccontextmanager
async def watched(bank: Bank, poll_seconds: float = POLL_SECONDS) -> AsyncIterator[Watched]:
    seen = Watched(bank)
    mailbox = Mailbox()
    exchange = replace(
        private(LOGGED_IN),
        read_account=lambda _, __: BookView(contracts=bank.contracts, at=bank.changed_at),
    )

    def now() -> datetime:
        return datetime.now(UTC)

    task = AccountTask(
        name="main",
        exchange=exchange,
        engine=Engine(account="main", exchange="fake", budgets=PATIENT),
        rest=bank,  # type: ignore[arg-type] # a double
        mailbox=mailbox,
        shell=Shell(
            now=now,
            record=seen.changes.append,
            publish=seen.publish,
            was_watched=lambda: True,
            note_watched=lambda: None,
        ),
        poll_seconds=poll_seconds,
        allow_trading_key=False,
    )
    async with serve(bank.talk, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        task.hear_with(
            AccountFeed(
                exchange,
                account="main",
                credentials=CREDENTIALS,
                rest=bank,
                now=now,
                their_now=now,
                deliver=task.hear,
                ws_url=f"ws://127.0.0.1:{port}",
            )
        )
        running = asyncio.create_task(task.run())
        try:
            await until(lambda: seen.contracts == bank.contracts, "the first reading")
            yield seen
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


@pytest.fixture
async def bank() -> Bank:
    return Bank()


async def test_a_trade_that_is_told_is_in_the_figures_within_a_second(bank: Bank) -> None:
    async with watched(bank, poll_seconds=3600) as seen:
        await until(lambda: seen.feed_state() == ("fresh", ""), "the private stream")
        await until(lambda: bank.reads == 2, "the gap being filled")
        await bank.trade(7)
        await seen.within(1, lambda: seen.contracts == 7, "7 SOL")
        assert bank.reads == 2


async def test_a_trade_that_nobody_told_is_in_the_figures_within_the_poll_and_a_second(
    bank: Bank,
) -> None:
    async with watched(bank) as seen:
        await until(lambda: seen.feed_state() == ("fresh", ""), "the private stream")
        bank.is_mute = True
        await bank.trade(7)
        await seen.within(POLL_SECONDS + 1, lambda: seen.contracts == 7, "7 SOL")


async def test_a_key_that_is_not_given_the_stream_is_polled_and_says_so(bank: Bank) -> None:
    bank.admits = False
    async with watched(bank) as seen:
        expected = ("stale", "not given: no right to read")
        await until(lambda: seen.feed_state() == expected, "the stream not given")
        await bank.trade(7)
        await seen.within(POLL_SECONDS + 1, lambda: seen.contracts == 7, "7 SOL")
        assert seen.latest is not None
        # It is shown, and no alarm: the pools' figures are as fresh as polling keeps them.
        assert seen.changes == []


async def test_a_trade_while_disconnected_is_in_the_figures_as_soon_as_it_listens_again(
    bank: Bank,
) -> None:
    async with watched(bank, poll_seconds=3600) as seen:
        await until(lambda: seen.feed_state() == ("fresh", ""), "the private stream")
        await until(lambda: bank.reads == 2, "the reading that fills the gap of the opening")
        (socket,) = bank.sockets
        bank.is_mute = True
        await bank.trade(7)
        socket.transport.abort()
        await until(lambda: seen.contracts == 7, "7 SOL")
        assert bank.reads == 3  # the first, and one after each opening


async def test_a_silent_stream_beside_a_changed_account_is_opened_anew(
    bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(account_listener, "EVENT_MAY_COME_SECONDS", 0.3)
    async with watched(bank, poll_seconds=0.5) as seen:
        await until(lambda: seen.feed_state() == ("fresh", ""), "the private stream")
        (socket,) = bank.sockets
        await until(lambda: bank.reads >= 4, "some readings with a whole stream")
        bank.is_mute = True
        await bank.trade(7)
        await until(lambda: bank.sockets and socket not in bank.sockets, "another socket")
        bank.is_mute = False
        await bank.trade(8)
        await until(lambda: seen.contracts == 8, "8 SOL")


async def test_a_changed_mode_is_read_at_once_and_blind_if_that_does_not_come_soon(
    bank: Bank,
) -> None:
    async with watched(bank, poll_seconds=3600) as seen:
        await until(lambda: seen.feed_state() == ("fresh", ""), "the private stream")
        await asyncio.sleep(account_listener.ASK_AGAIN_SECONDS)
        before = bank.reads
        await bank.say(said("mode"))
        await seen.within(1, lambda: bank.reads == before + 1, "a reading")
        assert seen.changes == []

        # Tried again after a second, as after every failure; the grace of this test is half of it.
        await asyncio.sleep(account_listener.ASK_AGAIN_SECONDS)
        bank.failures = [Unreachable("no answer in time")]
        await bank.say(said("mode"))
        await until(lambda: len(seen.changes) == 2, "being blind, and the end of it")
        # 0.4 × 5 × 120 of 500 + 5 × 20
        titles = [change.notification.title for change in seen.changes if change.notification]
        assert titles == [
            "BLIND: main (fake), last known 40.0 %",
            "RESOLVED: main (fake) is seen again, at 40.0 %",
        ]
        assert seen.changes[0].incident.because == (
            "the mode was changed, and the account was not read since: no answer in time"
        )
