"""An exchange with a protocol of its own, small enough to see whole, for the network's tests."""

from datetime import UTC, datetime
from decimal import Decimal

from monitor.errors import ExchangeError, Malformed, Refused, Unreachable
from monitor.exchanges.call import Budget, Replies, RestCall
from monitor.exchanges.payload import Row, parse_json
from monitor.exchanges.port import (
    Exchange,
    FrameRead,
    Ignored,
    KeepAlive,
    Leave,
    MarksRead,
    MarkStream,
    Permissions,
    Pong,
    Rejected,
    Subscribed,
)
from monitor.risk.model import Instrument, Mark, Payoff

BUDGET = Budget(name="weight", per_minute=2400)
TIME = RestCall(implicit="fapiPublicGetTime", path="/fapi/v1/time", budget=BUDGET)
ACCOUNT = RestCall(implicit="fapiPrivateV3GetAccount", path="/fapi/v3/account", budget=BUDGET)
TIERS = RestCall(
    implicit="fapiPrivateGetLeverageBracket",
    path="/fapi/v1/leverageBracket",
    query=(("symbol", "BTCUSDT"),),
    budget=BUDGET,
    max_age_seconds=3600,
)
STOPS = RestCall(
    implicit="fapiPrivateGetOpenOrders",
    path="/fapi/v1/openOrders",
    budget=BUDGET,
    max_age_seconds=300,
    optional=True,
)


def instrument(symbol: str) -> Instrument:
    base = symbol.removesuffix("USDT")
    return Instrument(
        symbol=f"{base}/USDT:USDT",
        exchange_symbol=symbol,
        base=base,
        quote="USDT",
        settle="USDT",
        payoff=Payoff.LINEAR,
        contract_size=Decimal(1),
        lot=Decimal("0.001"),
    )


def needed(replies: Replies) -> tuple[RestCall, ...]:
    first = tuple(call for call in (ACCOUNT, STOPS) if not replies.has(call))
    if not replies.has(ACCOUNT):
        return first
    return first + tuple(call for call in (TIERS,) if not replies.has(call))


def read_error(status: int, headers: object, body: object) -> ExchangeError | None:
    del headers
    if not isinstance(body, dict | list):
        return Malformed("body", "JSON", repr(body)[:20])
    if status == 429:
        return Unreachable("too many requests", status=429, retry_after_seconds=30.0)
    code = body.get("code") if isinstance(body, dict) else None
    if code == -1021:
        return Unreachable("the timestamp was refused", clock_skew=True, code="-1021")
    if status >= 500:
        return Unreachable("the exchange has a problem", status=status)
    if status == 401 or code == -1121:
        return Refused("the key was refused", status=status, code=str(code))
    return None


def read_time(body: object) -> datetime:
    return Row(body, "time").time("serverTime")


def mark_streams(instruments: tuple[Instrument, ...]) -> tuple[MarkStream, ...]:
    symbols = frozenset(i.exchange_symbol for i in instruments)
    return (
        MarkStream(
            host="ws://nowhere.invalid",
            path="/marks",
            subscribe=tuple(f"subscribe {symbol}" for symbol in sorted(symbols)),
            acks=len(symbols),
            symbols=symbols,
            keepalive=KeepAlive(text="ping", seconds=0.2),
        ),
    )


def read_frame(text: str | bytes) -> FrameRead:  # noqa: PLR0911 - one a kind of frame
    frame = parse_json(text, "frame")
    row = Row(frame, "frame")
    match row.text("kind"):
        case "ack":
            return Subscribed()
        case "rejected":
            return Rejected(because=row.text("because"))
        case "pong":
            return Pong()
        case "leave":
            return Leave(because="upgrade")
        case "mark":
            mark = Mark(price=row.positive("price"), at=row.time("at"))
            return MarksRead(marks={row.text("symbol"): mark})
        case "same":
            return MarksRead(marks={}, confirmed={row.text("symbol"): row.time("at")})
        case other:
            return Ignored(what=other)


def _unused(*_: object) -> object:
    raise AssertionError("this test does not read accounts")


FAKE = Exchange(
    name="fake",
    client="binanceusdm",
    needed=needed,
    read_account=_unused,  # type: ignore[arg-type]  # not part of what is tested here
    permission_calls=(),
    read_permissions=lambda _: Permissions(),
    time_call=TIME,
    read_time=read_time,
    mark_calls=lambda _: (),
    read_marks=lambda _, __: {},
    mark_streams=mark_streams,
    read_frame=read_frame,
    read_error=read_error,
    catalogue=(),
    permission_hint="",
)


def milliseconds(at: datetime) -> int:
    return round((at - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1000)
