"""
The daemon's own way of a frame: MarkFeed, Mailbox, AccountTask and Engine, status board and
state file, the one-second tick included. A recording stands in for REST.
"""

from __future__ import annotations

import asyncio
import gc
import tempfile
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.engine.engine import Engine
from monitor.engine.events import MarksMoved
from monitor.exchanges.call import Replies
from monitor.exchanges.registry import EXCHANGES
from monitor.exchanges.stream import MarkFeed
from monitor.service.account_task import AccountTask, Shell
from monitor.service.clock import Clock
from monitor.service.logs import set_up
from monitor.service.mailbox import Mailbox
from monitor.status.board import Board
from monitor.storage.store import open_store

if TYPE_CHECKING:
    from datetime import datetime

    from meter import Meter
    from recording import Recording

    from monitor.engine.effects import AccountAssessment, IncidentChanged
    from monitor.engine.events import Event
    from monitor.exchanges.call import Reply, RestCall
    from monitor.exchanges.port import AccountView, FrameRead
    from monitor.risk.model import AccountSnapshot
    from monitor.storage.store import Store


class RecordedRest:
    """Stands for the REST client: every call is answered from the recording."""

    offset_seconds = 0.0

    def __init__(self, recording: Recording) -> None:
        self._recording = recording

    async def call(self, call: RestCall) -> Reply:
        return Replies(self._recording.replies).get(call)

    async def read_account(self) -> Replies:
        return Replies(self._recording.replies)

    def forget(self) -> None:
        """Nothing is kept."""


class RecordedView:
    """An account's view whose marks are of now: those recorded with it are minutes old."""

    def __init__(self, view: AccountView) -> None:
        self._view = view

    def snapshot(self, at: datetime) -> AccountSnapshot:
        taken = self._view.snapshot(at)
        marks = {symbol: replace(mark, at=at) for symbol, mark in taken.marks.items()}
        return replace(taken, marks=marks)


@dataclass(slots=True)
class Latency:
    """
    Milliseconds from a frame's arrival: until it was decided what follows from it and that was
    carried out, the same where a committed row was part of it, and until the board showed it.
    """

    decided: list[float] = field(default_factory=list)
    committed: list[float] = field(default_factory=list)
    shown: list[float] = field(default_factory=list)
    received: int = 0
    has_committed: bool = False


class TimedMailbox(Mailbox):
    """A mailbox that notes how long it was from each frame to the end of what it led to."""

    def __init__(self, latency: Latency) -> None:
        super().__init__()
        self._latency = latency
        # When each was received, and whether it was decided by then that nothing follows.
        self._put: list[tuple[int, bool]] = []
        self._taken: list[tuple[int, bool]] = []

    def put(self, event: Event) -> None:
        super().put(event)
        if isinstance(event, MarksMoved):
            received, is_calm = self._latency.received, not self._filled.is_set()
            self._put.append((received, is_calm))
            if is_calm:
                self._latency.decided.append((time.perf_counter_ns() - received) / 1e6)

    async def take(self) -> tuple[Event, ...]:
        now, latency = time.perf_counter_ns(), self._latency
        shown = [((now - received) / 1e6, is_calm) for received, is_calm in self._taken]
        decided = [milliseconds for milliseconds, is_calm in shown if not is_calm]
        latency.shown += [milliseconds for milliseconds, _ in shown]
        latency.decided += decided
        if latency.has_committed:
            latency.committed += decided
            latency.has_committed = False
        events = await super().take()
        self._taken, self._put = self._put, []
        return events


def product_task(  # noqa: PLR0913 - what it is joined to
    recording: Recording, *, ws_url: str, clock: Clock, meter: Meter, store: Store, board: Board
) -> tuple[AccountTask, Latency]:
    """One account's loops as the daemon joins them, with a recording in place of REST."""
    latency = Latency()
    plain = EXCHANGES[recording.exchange]
    began: list[float] = []

    def offset() -> float:
        if not began:
            began.append((recording.began_at - clock.now()).total_seconds())
        return began[0]

    def read_frame(text: str | bytes) -> FrameRead:
        latency.received = time.perf_counter_ns()
        meter.frame()
        return plain.read_frame(text)

    def record(change: IncidentChanged) -> None:
        latency.has_committed = True
        store.record(change.incident, change.notification, ["phone"])

    def publish(assessment: AccountAssessment) -> None:
        board.put(assessment)
        store.sample(assessment)

    exchange = replace(
        plain,
        read_frame=read_frame,
        read_account=lambda name, replies: RecordedView(plain.read_account(name, replies)),
    )
    mailbox = TimedMailbox(latency)
    task = AccountTask(
        name=recording.account,
        exchange=exchange,
        engine=Engine(account=recording.account, exchange=exchange.name),
        rest=RecordedRest(recording),
        mailbox=mailbox,
        shell=Shell(
            now=clock.now,
            record=record,
            publish=publish,
            was_watched=lambda: True,
            note_watched=lambda: None,
        ),
        poll_seconds=3600.0,
        allow_trading_key=True,
    )
    feed = MarkFeed(
        exchange,
        account=recording.account,
        now=clock.now,
        offset_seconds=offset,
        deliver=mailbox.put,
        ws_url=ws_url,
    )
    task.listen_with(feed)
    return task, latency


async def product(
    recordings: list[Recording], port: int, cadence: str, meter: Meter
) -> dict[str, object]:
    clock, board = Clock(), Board()
    set_up()
    with tempfile.TemporaryDirectory(prefix="margin-monitor-bench-") as folder:
        store = open_store(Path(folder), clock.now())
        joined = [
            product_task(
                recording,
                ws_url=f"ws://127.0.0.1:{port}/{recording.account}/{cadence}",
                clock=clock,
                meter=meter,
                store=store,
                board=board,
            )
            for recording in recordings
        ]
        running = [asyncio.create_task(task.run()) for task, _ in joined]
        gc.collect()
        gc.freeze()
        done = asyncio.create_task(meter.done.wait())
        ended, _ = await asyncio.wait((done, *running), return_when=asyncio.FIRST_COMPLETED)
        for task in (done, *running):
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        for task in ended - {done}:
            task.result()
        store.close()
    latencies = [latency for _, latency in joined]
    return {
        "states": {each.account: each.state.value for each in board.assessments()},
        "pools": sum(len(each.pools) for each in board.assessments()),
        "decided_milliseconds": sorted(ms for each in latencies for ms in each.decided),
        "committed_milliseconds": sorted(ms for each in latencies for ms in each.committed),
        "shown_milliseconds": sorted(ms for each in latencies for ms in each.shown),
    }
