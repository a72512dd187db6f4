"""Marks that are asked for: one question at a time, and an answer that may not be readable."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from monitor.engine.events import MarksMoved, Source
from monitor.errors import Malformed, Unreachable
from monitor.exchanges.call import Replies, Reply, RestCall
from monitor.exchanges.registry import EXCHANGES
from monitor.risk.model import Instrument, Mark
from monitor.service.mark_probe import MarkProbe
from tests.build import NOON
from tests.end_to_end.stage import until
from tests.fakes.exchange import ACCOUNT, FAKE, instrument

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

SOL, BTC = instrument("SOLUSDT"), instrument("BTCUSDT")


ANSWERS: dict[str, Callable[[str], tuple[str, object]]] = {
    "binance": lambda ms: (
        "SOLUSDT",
        {"symbol": "SOLUSDT", "markPrice": "132.4", "time": int(ms)},
    ),
    "bybit": lambda ms: (
        "SOLUSDT",
        {
            "retCode": 0,
            "result": {"list": [{"symbol": "SOLUSDT", "markPrice": "132.4"}]},
            "time": int(ms),
        },
    ),
    "okx": lambda ms: (
        "SOL-USDT-SWAP",
        {"code": "0", "data": [{"instId": "SOL-USDT-SWAP", "markPx": "132.4", "ts": ms}]},
    ),
}


@dataclass
class Rest:
    offset_seconds: float | None = 2.0
    doubted: int = 0
    asked: list[str] = field(default_factory=list)
    answering: asyncio.Event = field(default_factory=asyncio.Event)
    failing: frozenset[str] = frozenset()
    body: object = field(default_factory=dict)
    because: str = "no answer"

    def doubt_offset(self) -> None:
        self.doubted += 1

    def hidden(self, text: str) -> str:
        return text.replace("s3cret", "***")

    async def call_public(self, call: RestCall) -> Reply:
        self.asked.append(call.path)
        await self.answering.wait()
        if call.path in self.failing:
            raise Unreachable(self.because)
        ahead = timedelta(seconds=self.offset_seconds or 0)
        return Reply(request=call.request, status=200, body=self.body, at=NOON, ahead=ahead)


def calls(instruments: tuple[Instrument, ...]) -> tuple[RestCall, ...]:
    return tuple(replace(ACCOUNT, path=f"/{i.exchange_symbol}") for i in instruments)


def marks(replies: Replies, instruments: tuple[Instrument, ...]) -> Mapping[str, Mark]:
    answered = {c.path[1:]: replies.get(c) for c in calls(instruments) if replies.has(c)}
    return {
        name: Mark(price=Decimal(100), at=reply.by_our_clock(NOON))
        for name, reply in answered.items()
    }


def probe(rest: Rest, moved: list[MarksMoved], read: object = marks) -> MarkProbe:
    exchange = replace(FAKE, mark_calls=calls, read_marks=read, unchanged_seconds=12.0)  # type: ignore[arg-type] - a double
    return MarkProbe(
        "main",
        exchange=exchange,
        rest=rest,  # type: ignore[arg-type] - a double
        now=lambda: NOON,
        deliver=moved.append,
    )


async def test_one_question_at_a_time_and_none_about_nothing() -> None:
    rest, moved = Rest(), list[MarksMoved]()
    asking = probe(rest, moved)
    asking.ask(())
    for _ in range(3):
        asking.ask((SOL,))
        await asyncio.sleep(0)
    assert rest.asked == ["/SOLUSDT"]
    rest.answering.set()
    await until(lambda: moved, "the answer")
    await asyncio.sleep(0)
    asking.ask((BTC,))
    await until(lambda: len(moved) == 2, "the next answer")
    assert rest.doubted == 5


async def test_what_came_is_delivered_on_our_clock_whatever_else_did_not_come() -> None:
    rest, moved = Rest(failing=frozenset({"/BTCUSDT"})), list[MarksMoved]()
    rest.answering.set()
    probe(rest, moved).ask((SOL, BTC))
    await until(lambda: moved, "the answer")
    at = NOON - timedelta(seconds=2)
    assert moved == [
        MarksMoved(
            marks={"SOLUSDT": Mark(price=Decimal(100), at=at)},
            at=NOON,
            source=Source.REST,
            unchanged_seconds=12.0,
        )
    ]


@pytest.mark.parametrize("name", ["binance", "bybit", "okx"])
@pytest.mark.parametrize("offset", [-3600.0, -0.5, 0.0, 0.5, 3600.0])
async def test_a_mark_is_as_old_as_it_is_wherever_our_clock_stands(
    name: str, offset: float
) -> None:
    """The exchange tells its own time, by which the mark is 0.2 s old; the answer came by ours."""
    told = NOON + timedelta(seconds=offset - 0.2)
    symbol, body = ANSWERS[name](str(round(told.timestamp() * 1000)))
    rest, moved = Rest(offset_seconds=offset, body=body), list[MarksMoved]()
    rest.answering.set()
    MarkProbe(
        "main",
        exchange=EXCHANGES[name],
        rest=rest,  # type: ignore[arg-type] - a double
        now=lambda: NOON,
        deliver=moved.append,
    ).ask((instrument(symbol),))
    await until(lambda: moved, "the answer")
    assert moved[0].marks == {
        symbol: Mark(price=Decimal("132.4"), at=NOON - timedelta(seconds=0.2))
    }


async def test_what_can_not_be_read_is_no_mark_and_no_fault() -> None:
    def unreadable(_replies: Replies, _instruments: object) -> Mapping[str, Mark]:
        raise Malformed("markPrice", "a number above 0", "0")

    rest, moved = Rest(), list[MarksMoved]()
    rest.answering.set()
    asking = probe(rest, moved, unreadable)
    asking.ask((SOL,))
    task = asking._asking
    assert task is not None
    await task
    assert moved == []
    asking.ask((SOL,))
    asking.stop()


async def test_why_asking_does_not_help_is_said_once_for_each_reason_without_secrets() -> None:
    now = [NOON]
    rest, moved = Rest(failing=frozenset({"/SOLUSDT"})), list[MarksMoved]()
    rest.answering.set()
    exchange = replace(FAKE, mark_calls=calls, read_marks=marks)
    asking = MarkProbe(
        "main",
        exchange=exchange,
        rest=rest,  # type: ignore[arg-type] - a double
        now=lambda: now[0],
        deliver=moved.append,
    )

    async def said(because: str, *, after_seconds: float = 2) -> list[tuple[str, str | None]]:
        rest.because = because
        now[0] += timedelta(seconds=after_seconds)
        with capture_logs() as logs:
            asking.ask((SOL, BTC))
            assert asking._asking is not None
            await asking._asking
        assert {each["log_level"] for each in logs} <= {"info"}
        return [(each["event"], each.get("because")) for each in logs]

    waiting = "waiting 30 s more, as the exchange asked"
    assert await said(waiting) == [("marks.unanswered", waiting)]
    assert await said(waiting.replace("30", "28")) == []
    assert await said("sign=s3cret") == [("marks.unanswered", "sign=***")]
    assert await said("sign=s3cret", after_seconds=601) == [("marks.unanswered", "sign=***")]
    rest.failing = frozenset()
    assert await said("") == [("marks.answered", None)]
    assert await said("") == []
    assert [each.marks.keys() for each in moved] == [{"BTCUSDT"}] * 4 + [{"SOLUSDT", "BTCUSDT"}] * 2


async def test_a_symbol_that_is_gone_costs_no_other_its_mark_f34() -> None:
    sol = {"list": [{"symbol": "SOLUSDT", "markPrice": "132.4"}]}
    rest, moved = Rest(offset_seconds=0.0), list[MarksMoved]()
    rest.body = {"retCode": 0, "result": sol, "time": round(NOON.timestamp() * 1000)}
    rest.answering.set()
    asking = MarkProbe(
        "main",
        exchange=EXCHANGES["bybit"],
        rest=rest,  # type: ignore[arg-type] - a double
        now=lambda: NOON,
        deliver=moved.append,
    )
    with capture_logs() as logs:
        asking.ask((BTC, SOL))
        await until(lambda: moved, "the other's mark")
    assert moved[0].marks == {"SOLUSDT": Mark(price=Decimal("132.4"), at=NOON)}
    ticker = "GET /v5/market/tickers?category=linear&symbol=BTCUSDT"
    assert [e["because"] for e in logs] == [f"{ticker}: no mark was given for this symbol"]


async def test_a_fault_of_ours_in_asking_is_said_by_its_name_alone() -> None:
    class Faulty(Rest):
        async def call_public(self, call: RestCall) -> Reply:
            raise RuntimeError(f"sign=s3cret {call.path}")

    asking = probe(Faulty(), [])
    with capture_logs() as logs:
        asking.ask((SOL,))
        assert asking._asking is not None
        await asking._asking
    assert [each["because"] for each in logs] == ["a fault in the monitor itself (RuntimeError)"]
