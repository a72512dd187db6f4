"""A capture played through the daemon's own readers and engine, without network or keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.engine.engine import Engine
from monitor.engine.events import MarksMoved, SnapshotTaken, Source, TimePassed
from monitor.errors import ExchangeError, Malformed, MissingReply
from monitor.exchanges.port import MarksRead, Replies
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
    """The requests whose replies the figures need and the capture lacks."""
    return tuple(
        call.request
        for call in exchange.needed(replies)
        if not call.optional and not call.continues and not replies.has(call)
    )


class Replay:
    """
    One capture, step by step: the snapshot, then every frame.

    `steps` yields what is known after each. `override` gives marks that stand whatever the
    capture says, by exchange symbol.

    Raises:
        Malformed, MissingReply, Unmodelled: Named, with the place in the file.
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
        )

    def steps(self) -> Iterator[AccountAssessment]:
        try:
            yield from self._steps()
        except ExchangeError as error:
            raise error.placed(
                exchange=self._exchange.name, account=self._capture.account
            ) from None

    def _steps(self) -> Iterator[AccountAssessment]:
        view = self._read()
        at = self._capture.at
        snapshot = view.snapshot(at)
        self._take(snapshot, at, Source.REST)
        yield self._engine.assessment()
        for number, frame in enumerate(self._capture.frames):
            at = max(at, frame.at)
            try:
                view = self._apply(view, frame, at)
            except ExchangeError as error:
                raise error.placed(call=f"frames[{number}]") from None
            yield self._engine.assessment()

    def _read(self) -> AccountView:
        replies = Replies(self._capture.replies)
        missing = missing_requests(self._exchange, replies)
        if missing:
            raise MissingReply(
                "the figures need replies that the capture lacks", call="; ".join(missing)
            )
        return self._exchange.read_account(self._capture.account, replies)

    def _apply(self, view: AccountView, frame: Frame, at: datetime) -> AccountView:
        if frame.feed == "marks":
            read = self._exchange.read_frame(frame.text)
            if isinstance(read, MarksRead):
                self._move({s: m.price for s, m in read.marks.items()}, at)
            return view
        updated = view.updated(frame)
        if updated is not view:
            self._take(updated.snapshot(at), at, Source.LIVE)
        return updated

    def _take(self, snapshot: AccountSnapshot, at: datetime, source: Source) -> None:
        self._instruments = snapshot.instruments()
        self._engine.process(SnapshotTaken(snapshot=snapshot, at=at, source=source))
        held = {i.symbol: i.exchange_symbol for i in self._instruments}
        marks = {held[s]: m.price for s, m in snapshot.marks.items() if s in held}
        self._move(marks if source is Source.REST else {}, at)

    def _move(self, prices: Mapping[str, Decimal], at: datetime) -> None:
        """New marks, as live as the capture is; the person's own stand above them."""
        prices = {**prices, **self._override(self._instruments)}
        marks = {symbol: Mark(price=price, at=at) for symbol, price in prices.items()}
        self._engine.process(MarksMoved(marks=marks, at=at))
        self._engine.process(TimePassed(at=at))
