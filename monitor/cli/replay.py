"""A capture played through the daemon's own readers and engine, without network or keys."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from monitor.cli.indices import Indices
from monitor.engine.engine import Engine
from monitor.engine.events import MarksMoved, PollFailed, SnapshotTaken, Source, TimePassed
from monitor.engine.knowledge import Budgets
from monitor.errors import (
    ExchangeError,
    Malformed,
    MissingReply,
    RiskError,
    Unmodelled,
    Unreachable,
)
from monitor.exchanges.call import Replies
from monitor.exchanges.port import Ignored, MarksRead
from monitor.exchanges.registry import EXCHANGES
from monitor.risk.model import Mark

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime
    from decimal import Decimal

    from monitor.alerts.ladder import Ladder
    from monitor.engine.effects import AccountAssessment
    from monitor.exchanges.capture import Capture
    from monitor.exchanges.port import AccountView, Exchange, Frame
    from monitor.risk.model import AccountSnapshot, Instrument
    from monitor.risk.result import Target


# What a capture leaves out did not happen: a mark holds until a later frame, and so does the
# account. By the daemon's budgets a figure would count as old between two frames of the file.
_YEAR = 365 * 86_400.0
_PATIENT = Budgets(
    account_seconds=_YEAR, marks_seconds=_YEAR, near_probe_seconds=_YEAR, near_told_seconds=_YEAR
)


def exchange_of(capture: Capture) -> Exchange:
    """
    The exchange that a capture was made of.

    Raises:
        Malformed: If it is none that we know.
    """
    if capture.exchange not in EXCHANGES:
        raise Malformed("exchange", "one of " + ", ".join(EXCHANGES), repr(capture.exchange)[:40])
    return EXCHANGES[capture.exchange]


def missing_requests(exchange: Exchange, replies: Replies) -> tuple[str, ...]:
    """
    The requests whose replies the figures need and the capture lacks.

    What is optional and not there brought nothing: asked again as such, it holds up no other.
    """
    failed: frozenset[str] = frozenset()
    while True:
        wanted = exchange.needed(Replies(replies, failed))
        absent = frozenset(c.request for c in wanted if c.optional or c.continues) - failed
        if not absent:
            return tuple(c.request for c in wanted if not (c.optional or c.continues))
        failed |= absent


def _unread(snapshot: AccountSnapshot) -> MissingReply:
    """Of a file everything must be readable: what isn't is named, and that is all."""
    return MissingReply("; ".join(f"{p.name}: {why}" for p, why in snapshot.unread.items()))


class Replay:
    """
    One capture, step by step: the snapshot, then every frame.

    `steps` yields what is known after each; after the last one a pool that has no figures
    yet is an error. `override` gives marks that stand whatever the capture says, by exchange
    symbol.

    Raises:
        Malformed, MissingReply, Unmodelled: Named, with the place in the file.
        RiskError: If a pool can't be evaluated for another reason than a missing reply.
    """

    def __init__(
        self,
        capture: Capture,
        *,
        ladder: Ladder,
        target: Target,
        override: Callable[[tuple[Instrument, ...]], Mapping[str, Decimal]],
    ) -> None:
        self._capture = capture
        self._exchange = exchange_of(capture)
        self._override = override
        self._engine = Engine(
            account=capture.account,
            exchange=capture.exchange,
            ladder=ladder,
            target=target,
            budgets=_PATIENT,
        )
        self._marked: set[str] = set()
        self._open: ExchangeError | None = None
        self._snapshot: AccountSnapshot
        self._indices: Indices

    def steps(self) -> Iterator[AccountAssessment]:
        try:
            yield from self._steps()
        except Unreachable as error:
            # Of a file nothing can be asked again: a reply that tells of an outage tells nothing.
            raise MissingReply(
                error.because,
                exchange=error.exchange or self._exchange.name,
                account=self._capture.account,
                call=error.call,
            ) from None
        except ExchangeError as error:
            raise error.placed(
                exchange=self._exchange.name, account=self._capture.account
            ) from None

    def _steps(self) -> Iterator[AccountAssessment]:
        view = self._read()
        at = self._capture.at
        snapshot = view.snapshot(at)
        if snapshot.unread:
            raise _unread(snapshot)
        self._indices = Indices(snapshot)
        self._take(snapshot, at, Source.REST)
        yield self._engine.assessment()
        for number, frame in enumerate(self._capture.frames):
            at = max(at, frame.at)
            try:
                view = self._apply(view, frame, number, at)
            except ExchangeError as error:
                raise error.placed(call=f"frames[{number}]") from None
            yield self._engine.assessment()
        self._check_whole()

    def _check_whole(self) -> None:
        """Raises MissingReply or RiskError where a pool has no figures at the end."""
        if self._open is not None:
            raise self._open
        pools = self._snapshot.pools
        unmarked = {s for pool in pools for s in pool.symbols()} - self._marked
        if unmarked:
            bare = tuple(i for i in self._snapshot.instruments() if i.symbol in unmarked)
            raise MissingReply(
                f"neither a frame nor a reply tells the mark of {', '.join(sorted(unmarked))}",
                call="; ".join(call.request for call in self._exchange.mark_calls(bare)),
            )
        found = self._engine.assessment()
        if {pool.id for pool in pools} - {known.risk.pool.id for known in found.pools}:
            raise RiskError(found.because)

    def _read(self) -> AccountView:
        replies = Replies(self._capture.replies)
        missing = missing_requests(self._exchange, replies)
        if missing:
            raise MissingReply(
                "the figures need replies that the capture lacks", call="; ".join(missing)
            )
        return self._exchange.read_account(self._capture.account, replies)

    def _apply(self, view: AccountView, frame: Frame, number: int, at: datetime) -> AccountView:
        if frame.feed == "marks":
            read = self._exchange.read_frame(frame.text)
            if isinstance(read, MarksRead):
                self._indices.hear(read.marks)
                self._move({s: m.price for s, m in read.marks.items()}, at)
            elif isinstance(read, Ignored):
                self._check_placed(view, frame)
            return view
        updated = view.updated(frame)
        if updated is view:
            return view
        try:
            snapshot = updated.snapshot(at)
        except MissingReply as error:
            # The next frame may tell what this one leaves open; until then nothing is known.
            self._open = error.placed(call=f"after frames[{number}]")
            unknown = Unmodelled(error.because)
            self._engine.process(PollFailed(error=unknown, at=at))
            return updated
        unread = _unread(snapshot) if snapshot.unread else None
        self._open = unread and unread.placed(call=f"after frames[{number}]")
        self._take(snapshot, at, Source.LIVE)
        return updated

    def _check_placed(self, view: AccountView, frame: Frame) -> None:
        """Raises Malformed if the feed of marks holds a frame that changes the account."""
        try:
            after = view.updated(replace(frame, path=None))
        except ExchangeError:
            return  # no frame of the account's: some other public stream's
        if after is not view:
            raise Malformed("feed", "'account' for a private frame", "'marks'")

    def _take(self, snapshot: AccountSnapshot, at: datetime, source: Source) -> None:
        """A new state of the account, and the marks in it that are news: a frame may bring some."""
        before = {} if source is Source.REST else self._snapshot.marks
        self._snapshot = snapshot
        self._engine.process(SnapshotTaken(snapshot=snapshot, at=at, source=source))
        self._move(
            {
                instrument.exchange_symbol: mark.price
                for instrument in snapshot.instruments()
                if (mark := snapshot.marks.get(instrument.symbol)) is not None
                and mark != before.get(instrument.symbol)
            },
            at,
        )

    def _move(self, prices: Mapping[str, Decimal], at: datetime) -> None:
        """New marks, as live as the capture is; the person's own stand above them."""
        instruments = self._snapshot.instruments()
        prices = self._indices.beside(self._snapshot, prices, self._override(instruments))
        marks = {symbol: Mark(price=price, at=at) for symbol, price in prices.items()}
        own = set(self._snapshot.marks) - {i.symbol for i in instruments}
        self._marked |= own | {i.symbol for i in instruments if i.exchange_symbol in prices}
        self._engine.process(MarksMoved(marks=marks, at=at))
        self._engine.process(TimePassed(at=at))
