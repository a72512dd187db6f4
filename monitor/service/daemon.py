"""
I/O. The running process: everything is built here, started in order, and stopped in order.

Start: state, channels, courier, control socket and HTTP, then the accounts. Stop: the
accounts first, then the courier gets ten seconds to deliver what is due; what it can't
deliver waits in the outbox for the next start.
"""

from __future__ import annotations

import asyncio
import gc
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from monitor import __version__
from monitor.alerts.ladder import Severity
from monitor.delivery.apprise_channel import AppriseChannel
from monitor.delivery.courier import Courier
from monitor.engine.engine import Engine
from monitor.engine.knowledge import Budgets
from monitor.errors import MonitorError
from monitor.service import memory, names, notices
from monitor.service.account_task import AccountTask, Shell
from monitor.service.capturing import capture_one, open_client
from monitor.service.checks import run_checks
from monitor.service.clock import Clock
from monitor.service.control import WHAT, ControlServer, socket_path
from monitor.service.dead_man import DeadMan
from monitor.service.feeds import open_account_feed, open_mark_feed
from monitor.service.heartbeat import Systemd
from monitor.service.hosts import Hosts
from monitor.service.mailbox import Mailbox
from monitor.service.polls import Polls
from monitor.service.restarts import note_start
from monitor.service.state import notice_state
from monitor.service.tasks import end, offer
from monitor.service.told import is_trouble_told, undelivered
from monitor.status.board import Board
from monitor.status.http import StatusServer
from monitor.status.supposed import status_report, whatif_report
from monitor.storage.store import Store, open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from monitor.alerts.message import Notification
    from monitor.engine.effects import AccountAssessment, IncidentChanged
    from monitor.exchanges.gate import Host
    from monitor.settings import AccountSettings, Settings

log = structlog.get_logger()

SLEEP_CHECK_SECONDS = 1.0
LAST_DELIVERY_SECONDS = 10.0
# An engine that has processed nothing for so long is stuck: it gets a second passed each second.
ALIVE_SECONDS = 10.0


class NobodyHears(MonitorError):  # noqa: N818 - says what is the matter
    """No channel takes messages, and none will before its owner has mended it."""


class Daemon:
    """
    One configuration at work. `run` builds, watches until told to stop, and tidies up.

    `reload` is what a command asks for: it raises ConfigError where that can't be. `known_hosts`
    are those that an earlier daemon of this process met: what it used of their limits counts.
    """

    def __init__(
        self,
        settings: Settings,
        clock: Clock | None = None,
        reload: Callable[[], None] = lambda: None,
        known_hosts: dict[str, Host] | None = None,
    ) -> None:
        self.board = Board(account.name for account in settings.accounts)
        self.has_successor = False  # that watches on as soon as this one ends
        self._settings = settings
        self._reload = reload
        self._known_hosts = known_hosts
        self._clock = clock or Clock()
        self._systemd = Systemd()
        self._store: Store | None = None
        self._courier: Courier | None = None
        self._tasks: dict[str, AccountTask] = {}
        self._began_at = self.now()
        self._refusing: dict[str, str] = {}
        self._nobody_hears = asyncio.Event()

    def now(self) -> datetime:
        return self._clock.now()

    async def run(self, stop: asyncio.Event) -> None:
        """
        Watch until `stop` is set.

        Raises:
            ConfigError: If another process uses the state directory.
            NobodyHears: If every channel refuses messages for good.
            ExceptionGroup: If faults of our own came too often: systemd starts us again.
        """
        settings = self._settings
        store = open_store(settings.state_directory, self.now())
        budgets, known = settings.budgets, self._known_hosts
        self._store = store
        share, is_shared, now = budgets.limits_share, budgets.is_shared, self._clock.now
        self._hosts = Hosts(store, share, is_shared=is_shared, now=now, known=known)
        self._polls = Polls(self._hosts, settings.ladder, budgets.account_seconds)
        log.info("daemon.started", version=__version__, accounts=len(settings.accounts))
        channels = [AppriseChannel(c.name, c.url.get_secret_value()) for c in settings.channels]
        store.pass_on({c.name: c.min_severity for c in settings.channels})
        gone = store.keep_channels([channel.name for channel in channels], self.now())
        if gone:
            log.error("notification.abandoned", channels=gone)
        courier = Courier(
            channels=channels,
            outbox=store,
            now=self.now,
            on_refused=self._channel_refuses,
            on_taken=self._channel_takes_again,
            instance=settings.instance,
            refused=[c.name for c in channels if store.said_at(notices.refusal_of(c.name))],
            standing=lambda message: self.board.standing(message.account),
        )
        self._courier = courier
        for notice in store.notices:
            log.error("state.unsound", because=notice)
            self._tell(notices.state_fails(notice, self.now()))
        self._pause_seconds = note_start(store, self._tell, self.now())
        control = ControlServer(
            socket_path(settings.state_directory),
            status=lambda shocks: status_report(self.board.assessments(), self.now(), shocks),
            capture=self._capture,
            whatif=self._whatif,
            check=self._check,
            reload=self._reload,
        )
        http = StatusServer(
            self.board,
            host=settings.http_host,
            port=settings.http_port,
            is_told=self._trouble_is_told,
            limits=lambda: self._polls.in_use(self.now()),
        )
        # Whatever one of these does when it is closed, the others are closed as well.
        async with AsyncExitStack() as closing:
            closing.callback(log.info, "daemon.stopped")
            closing.callback(store.close)
            for channel in channels:
                closing.callback(channel.close)
            for account in settings.accounts:
                task = self._account(account, courier)
                self._tasks[account.name] = task
                closing.push_async_callback(task.rest.close)
            closing.push_async_callback(control.stop)
            closing.push_async_callback(http.stop)
            await offer(WHAT, control.start())
            await offer("http", http.start(self.now))
            await self._watch(stop, courier, control)
            store.end_in_order()

    async def _watch(self, stop: asyncio.Event, courier: Courier, control: ControlServer) -> None:
        """Everything that runs for as long as the daemon does."""
        store, delivering = self._opened(), asyncio.create_task(courier.run())
        stopping = asyncio.create_task(stop.wait())
        running = [
            *(asyncio.create_task(task.run()) for task in self._tasks.values()),
            asyncio.create_task(self._systemd.watch(self._is_alive)),
            asyncio.create_task(self._notice_sleep()),
            asyncio.create_task(control.keep()),
            asyncio.create_task(notice_state(store, self._tell, self.now)),
            asyncio.create_task(self._notice_silence()),
            asyncio.create_task(self._polls.notice_overload(self._tell, self.now)),
            asyncio.create_task(names.watch(self._hosts, store, self.now)),
            asyncio.create_task(memory.watch(store, self.now, limit=memory.limit_bytes())),
        ]
        dead_man = self._dead_man()
        if dead_man is not None:
            running.append(asyncio.create_task(dead_man.run()))
        # ccxt alone leaves so many objects that a full collection stops the loop for 50 ms.
        gc.collect()
        gc.freeze()
        self._systemd.ready()
        try:
            await self._until_one_ends(stopping, delivering, *running)
        finally:
            await end(*running, stopping)
            with_rest = asyncio.create_task(courier.drain())
            await asyncio.wait((with_rest,), timeout=LAST_DELIVERY_SECONDS)
            await end(with_rest, delivering)
            if dead_man is not None and not self.has_successor:
                await dead_man.stopped()

    async def _until_one_ends(self, *tasks: asyncio.Task[object]) -> None:
        pending = set(tasks)
        if not self._systemd.watchdog_seconds:
            # Without a watchdog that task ends at once, which is no reason to stop.
            await asyncio.sleep(0)
        while pending:
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
            if tasks[0] in done:
                return

    def _account(self, account: AccountSettings, courier: Courier) -> AccountTask:
        """The loops of one account, joined to everything that they need."""
        client = open_client(account, self._clock, self._hosts.host(account))
        mailbox = Mailbox()
        store = self._opened()
        task = AccountTask(
            name=account.name,
            exchange=client.exchange,
            engine=Engine(
                account=account.name,
                exchange=account.exchange,
                ladder=self._settings.ladder,
                budgets=self._budgets(),
                target=self._settings.target,
                incidents=store.kept_incidents(account.name),
                was_watched=store.was_watched(account.name),
            ),
            rest=client,
            mailbox=mailbox,
            shell=Shell(
                now=self.now,
                record=lambda change: self._record(change, courier),
                publish=self._publish,
                was_watched=lambda: store.was_watched(account.name),
                note_watched=lambda: store.note_watched(account.name, self.now()),
            ),
            poll_seconds=account.poll_seconds,
            turns=self._polls.join(account, client, lambda: self._is_heard(account.name)),
            standing=client.gate.standing,
            pause_seconds=self._pause_seconds,
            allow_trading_key=account.allow_trading_key,
        )
        patience = self._settings.budgets.marks_seconds
        task.listen_with(open_mark_feed(account, client, self.now, mailbox.put, patience))
        task.hear_with(open_account_feed(account, client, self.now, task.hear))
        return task

    def _is_heard(self, account: str) -> bool:
        return account in self._tasks and self._tasks[account].hears_all

    def _budgets(self) -> Budgets:
        given = self._settings.budgets
        return Budgets(account_seconds=given.account_seconds, marks_seconds=given.marks_seconds)

    def _opened(self) -> Store:
        if self._store is None:
            raise RuntimeError("the state is opened before anything that needs it")
        return self._store

    def _publish(self, assessment: AccountAssessment) -> None:
        self.board.put(assessment)
        self._opened().sample(assessment)
        if self._polls.note(assessment):
            self._tasks[assessment.account].poll_soon()

    def _record(self, change: IncidentChanged, courier: Courier) -> None:
        """Durable first, then the courier is woken: nothing is sent that is not on disk."""
        notification = change.notification
        channels = [
            channel.name
            for channel in self._settings.channels
            if notification is not None and channel.min_severity.rank <= notification.severity.rank
        ]
        self._opened().record(change.incident, notification, channels)
        log.info(
            "incident.changed",
            step=change.transition.step.value,
            account=change.incident.account,
            incident=change.incident.id,
            subject=change.incident.subject.value,
            rung=change.incident.rung,
            told=notification is not None,
            quiet_because=change.quiet_because,
        )
        if channels:
            courier.wake()

    def _whatif(self, account: str, words: Mapping[str, list[str]]) -> object:
        given = self._settings
        known = self.board.assessment(account)
        return whatif_report(known, words, ladder=given.ladder, target=given.target, at=self.now())

    async def _capture(self, account: str) -> bytes:
        return await capture_one(account, self._settings.accounts, self._clock, self._hosts.host)

    def _tell(
        self, notice: Notification, name: str = "", *, holds: bool = True, but: str = ""
    ) -> None:
        """
        A word about the monitor itself to every channel but one; information to who takes it.

        By its `name` it is remembered over restarts for as long as it `holds`.
        """
        least = notice.severity.rank if notice.severity is Severity.INFO else Severity.CRITICAL.rank
        channels = [
            c.name
            for c in self._settings.channels
            if c.name != but and c.min_severity.rank <= least
        ]
        if name:
            self._opened().tell(notice, channels, name, holds=holds)
        else:
            self._opened().record(None, notice, channels)
        if self._courier is not None:
            self._courier.wake()

    def _channel_refuses(self, channel: str, because: str) -> None:
        self._refusing[channel] = because
        if self._refusing.keys() >= {c.name for c in self._settings.channels}:
            self._nobody_hears.set()
        name = notices.refusal_of(channel)
        if self._opened().said_at(name) is None:  # else an earlier process told it
            self._tell(notices.channel_refuses(channel, because, self.now()), name, but=channel)

    def _channel_takes_again(self, channel: str) -> None:
        self._refusing.pop(channel, None)
        name = notices.refusal_of(channel)
        notice = notices.channel_takes_again(channel, self.now())
        self._tell(notice, name, holds=False, but=channel)

    def tell_stopped(self) -> None:
        """It was told to stop, for nobody knows how long: said before it does."""
        self.has_successor = False
        if self._store is not None:
            self._tell(notices.stopped(self.now()))

    def tell_refused_config(self, mistakes: Sequence[str]) -> None:
        """The configuration that was to be read anew can't be used; this one serves on."""
        if self._store is not None:
            self._tell(notices.config_refused(mistakes, self.now()))

    @property
    def state_trouble(self) -> str | None:
        """Why what is known would not outlive this daemon right now."""
        return None if self._store is None else self._store.trouble

    async def _notice_silence(self) -> None:
        """Watching on would look like safety: the process ends, and systemd says so."""
        await self._nobody_hears.wait()
        said = "; ".join(f"{name}: {because}" for name, because in self._refusing.items())
        raise NobodyHears(f"every channel refuses messages for good ({said}): mend one of them")

    def _trouble_is_told(self, account: str) -> bool:
        """Whether somebody was told that this account's figures are late or can't be given."""
        return is_trouble_told(self._opened(), account, self._settings.channels)

    def _dead_man(self) -> DeadMan | None:
        given = self._settings.heartbeat
        if given is None:
            return None
        secret, trouble = given.url.get_secret_value(), self._hidden_trouble
        return DeadMan(secret, seconds=given.seconds, trouble=trouble, now=self.now)

    def _hidden_trouble(self) -> str | None:
        """What nobody may have heard of: figures late and untold, or messages that don't leave."""
        now, store = self.now(), self._opened()
        for account, because in self.board.troubles(now):
            if not self._trouble_is_told(account):
                return because
        if not self._is_alive():
            return "no evaluation lately"
        return undelivered(store, self._settings.channels, now)

    async def _check(self, send_test: bool) -> object:  # noqa: FBT001 - one flag of a query
        lines = run_checks(self._settings, send_test=send_test)
        return [{"what": line.what, "ok": line.ok, "found": line.found} async for line in lines]

    def _is_alive(self) -> bool:
        """Whether every account's engine has processed something lately."""
        oldest = self.now() - timedelta(seconds=ALIVE_SECONDS)
        times = (task.last_processed_at or self._began_at for task in self._tasks.values())
        return all(at > oldest for at in times)

    async def _notice_sleep(self) -> None:
        """After a suspend every socket is half dead and every figure old: read all anew."""
        while True:
            await asyncio.sleep(SLEEP_CHECK_SECONDS)
            slept = self._clock.slept_seconds()
            if slept:
                log.warning("machine.resumed", slept_seconds=round(slept, 1))
                for task in self._tasks.values():
                    task.wake_up()
                if self._courier is not None:
                    self._courier.wake()
