"""
The life of the monitor in a run: the real daemon, started, stopped in order, killed, started again.

Everything of it is the product's own but for three things: its clock, its channels' far end, and
a disk that can fail. What it records and shows is noted on the way.
"""

import asyncio
import contextvars
import functools
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any
from unittest import mock

import aiohttp.connector

from monitor.alerts.incident import Incident
from monitor.alerts.message import Notification
from monitor.engine import assessment as assessment_module
from monitor.engine.effects import AccountAssessment, IncidentChanged
from monitor.errors import MonitorError, StorageError
from monitor.exchanges.port import Frame, MarksRead
from monitor.exchanges.rest import RestClient
from monitor.exchanges.stream import MarkFeed
from monitor.risk.advice import advise
from monitor.risk.result import Advice, PoolRisk, Target
from monitor.service import daemon as daemon_module
from monitor.service import dead_man as dead_man_module
from monitor.service import logs
from monitor.service.clock import Clock
from monitor.service.daemon import Daemon
from monitor.service.live_account import After, LiveAccount
from monitor.settings import Settings, load_settings
from monitor.storage.database import Database
from monitor.storage.store import Store, open_store
from tests.hunt import network
from tests.hunt.receivers import FakeChannel, Receiver
from tests.hunt.record import Notice, Record, Recorded
from tests.hunt.virtual_loop import PROCESS, VirtualLoop
from tests.hunt.world import EPOCH

RESTART_SECONDS = 2.0
_LOCKED_SECONDS = 5.0
_ADVICE_SECONDS = 600.0


class Host:
    """The machine: how long it slept, how far its wall clock was set off, how its disk fares."""

    def __init__(self, loop: VirtualLoop) -> None:
        self.loop = loop
        self.slept = 0.0
        self.wall_off = 0.0
        self.disk: str | None = None

    def now(self) -> float:
        """Seconds of the world's clock."""
        return self.loop.time() + self.slept

    def clock(self) -> Clock:
        """What a process that starts now reads."""
        return Clock(
            wall=lambda: EPOCH.timestamp() + self.now() + self.wall_off,
            boottime=self.now,
            monotonic=self.loop.time,
        )


class Life:
    """The monitor's processes, one after the other; `number` is that of the present one."""

    def __init__(
        self,
        host: Host,
        record: Record,
        config: Path,
        receivers: dict[str, Receiver],
        log: Any,
    ) -> None:
        self.host = host
        self.record = record
        self.config = config
        self.receivers = receivers
        self.number = 0
        self.daemon: Daemon | None = None
        self.store: Store | None = None
        self.stores: list[Store] = []
        self.settings: Settings = load_settings(config)
        self.before_send: list[Callable[[str, Notification], None]] = []
        self.is_down = True
        self.advises_each_time = True
        self._advice: dict[object, tuple[float, Advice]] = {}
        self._log = log
        self._stop, self._over = asyncio.Event(), asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    # --- from outside

    def start(self) -> None:
        self.number += 1
        self.is_down = False
        self.record.starts.append(self.host.now())
        self.record.note(self.host.now(), "start", self.number)
        context = contextvars.copy_context()
        context.run(PROCESS.set, self.number)
        self._stop, self._over = asyncio.Event(), asyncio.Event()
        self._task = context.run(asyncio.create_task, self._live(self._stop))

    async def stop(self) -> None:
        """SIGTERM: the daemon ends in order, unless it is killed while it does."""
        number = self.number
        self._stop.set()
        if self._task is not None and not self.is_down:
            over = asyncio.create_task(self._over.wait())
            await asyncio.wait((self._task, over), return_when=asyncio.FIRST_COMPLETED)
            over.cancel()
        if self.number == number:
            self._ended("stopped")

    def kill(self) -> None:
        """SIGKILL: nothing of the process runs any more, and the system closes what it held."""
        if self.is_down:
            return
        number = self.number
        self.host.loop.network.end_of_process(lambda c: c.get(PROCESS, 0) == number)
        self.host.loop.kill(number)
        if self.store is not None:
            detach(self.store)
        self._ended("killed")

    def _ended(self, how: str) -> None:
        if self.is_down:
            return
        self.is_down = True
        self._over.set()
        self.daemon = self.store = None
        self.record.board.clear()
        self.record.ends.append((self.host.now(), how))
        self.record.note(self.host.now(), how, self.number)

    def pending(self) -> int:
        return self.host.loop.pending(self.number)

    # --- inside of the process

    async def _live(self, stop: asyncio.Event) -> None:
        logs.set_up(self.settings.secrets(), level=self._log.level, stream=self._log)
        daemon = Daemon(self.settings, self.host.clock())
        self.daemon = daemon
        record, publish = daemon._record, daemon._publish

        def recorded(change: IncidentChanged, courier: Any) -> None:
            self._change = change
            record(change, courier)

        def published(assessment: AccountAssessment) -> None:
            self.record.board[assessment.account] = (self.host.now(), assessment)
            publish(assessment)

        daemon._record = recorded  # type: ignore[method-assign]
        daemon._publish = published  # type: ignore[method-assign]
        how = "ended"
        try:
            await daemon.run(stop)
        except MonitorError as error:
            how = f"ended: {type(error).__name__}"
        except Exception as error:  # noqa: BLE001 - the process ends with it, as it would
            how = f"died: {_innermost(error)}"
        if not stop.is_set():
            self._ended(how)
            self.record.counts[how] += 1
            # By now this is nobody's process: systemd starts the next one.
            context = contextvars.copy_context()
            context.run(PROCESS.set, 0)
            self.host.loop.call_later(RESTART_SECONDS, self._again, context=context)

    def _again(self) -> None:
        if self.is_down:
            self.start()

    def opened(self, directory: Path, at: Any) -> Store:
        store = open_store(directory, at)
        self.store = store
        self.stores.append(store)
        record = store.record

        def noting(
            incident: Incident | None,
            notification: Notification | None,
            channels: Sequence[str] = (),
        ) -> bool:
            durable = record(incident, notification, channels)
            self._note(incident, notification, durable=durable)
            return durable

        store.record = noting  # type: ignore[method-assign]
        return store

    def _note(
        self, incident: Incident | None, notification: Notification | None, *, durable: bool
    ) -> None:
        now, number = self.host.now(), self.number
        if incident is None:
            if notification is not None:
                self.record.notices.append(
                    Notice(at=now, process=number, notification=notification)
                )
                self.record.note(now, "notice", notification.title)
            return
        change = self._change
        self.record.steps.append(
            Recorded(
                at=now,
                process=number,
                incident=incident,
                step=change.transition.step,
                notification=notification,
                quiet_because=change.quiet_because,
                is_durable=durable,
            )
        )
        told = notification.title if notification is not None else f"({change.quiet_because})"
        pool = "" if incident.pool is None else incident.pool
        self.record.note(
            now, change.transition.step.value, incident.account, pool,
            incident.subject.value, incident.rung or "-", told,
        )  # fmt: skip

    def channel(self, name: str, _url: str) -> FakeChannel:
        def before(channel: str, notification: Notification) -> None:
            for look in self.before_send:
                look(channel, notification)

        return FakeChannel(self.receivers[name], PROCESS.get(), before)

    def advise(self, risk: PoolRisk, target: Target) -> Advice:
        """
        The product's own advice; where not each time is asked for, one of some minutes serves.

        It is most of the work near an end, and no promise looks at it.
        """
        known = self._advice.get(risk.pool.id)
        if known is None or self.advises_each_time or self.host.now() - known[0] > _ADVICE_SECONDS:
            known = self.host.now(), advise(risk, target)
            self._advice[risk.pool.id] = known
        return known[1]

    # --- what is put in place of the system

    @contextmanager
    def instead(self) -> Iterator[None]:
        """The clock, channels and disk of the run, for as long as the block lasts."""
        loop, life = self.host.loop, self
        transaction, take, read = Database.transaction, MarkFeed.take, RestClient.read_account
        event = LiveAccount.heard

        @contextmanager
        def writing(database: Database) -> Iterator[sqlite3.Connection]:
            life.fail_as_the_disk_does()
            with transaction(database) as connection:
                yield connection

        @functools.wraps(take)
        def heard(feed: MarkFeed, frame: MarksRead) -> Any:
            late = take(feed, frame)
            now = life.host.now()
            for symbol, seconds in late.items():
                key = feed._account, symbol
                life.record.heard[key] = max(life.record.heard.get(key, 0.0), now - seconds)
            return late

        @functools.wraps(read)
        async def reading(client: RestClient, **how: Any) -> Any:
            began = life.host.now()
            replies = await read(client, **how)
            account, read_at = client.account, life.record.read_at
            read_at[account] = max(read_at.get(account, 0.0), began)
            return replies

        @functools.wraps(event)
        def told(live: LiveAccount, number: int, frame: Frame) -> After:
            after = event(live, number, frame)
            if after.snapshot is not None:
                # What the account's own stream tells is as new as a reading.
                read_at = life.record.read_at
                account = after.snapshot.account
                read_at[account] = max(read_at.get(account, 0.0), life.host.now())
            return after

        with ExitStack() as stack:
            for target, name, value in (
                (daemon_module, "AppriseChannel", life.channel),
                (daemon_module, "open_store", life.opened),
                (daemon_module, "gc", mock.Mock()),
                # It would ask the resolver of the system; no address here is link-local.
                (dead_man_module, "leads_to_link_local", lambda _: False),
                (assessment_module, "advise", life.advise),
                (Database, "transaction", writing),
                (MarkFeed, "take", heard),
                (RestClient, "read_account", reading),
                (LiveAccount, "heard", told),
                (aiohttp.connector, "monotonic", loop.time),
                (aiohttp.connector.aiohappyeyeballs, "start_connection", network.start_connection),
            ):
                stack.enter_context(mock.patch.object(target, name, value))
            stack.enter_context(mock.patch.dict("os.environ", _without_proxies(), clear=True))
            yield

    def fail_as_the_disk_does(self) -> None:
        if self.host.disk == "disk_full":
            raise StorageError("the state can't be written: database or disk is full")
        if self.host.disk == "disk_locked":
            if self.store is not None and self.store.trouble is None:
                self.host.loop.block(_LOCKED_SECONDS)
                self.record.wakes.append(self.host.now())
            raise StorageError("the state can't be written: database is locked")

    _change: IncidentChanged


def detach(store: Store) -> None:
    """What the system does with the files of a process that was killed."""
    writer = store._writer
    database, lock = writer._database, writer._lock
    writer._database = writer._lock = None
    if database is not None:
        with suppress(sqlite3.Error):
            database._connection.close()
    if lock is not None:
        lock.release()


def _innermost(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return type(error).__name__


def _without_proxies() -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
    return {k: v for k, v in kept.items() if k not in {"NOTIFY_SOCKET", "STATE_DIRECTORY"}}
