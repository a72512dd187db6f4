"""
What every exchange tells: the calls that read an account, how to read the replies, its streams.

An `Exchange` is a frozen record of plain functions. All of them are pure: replies and frames
in, the core's values or errors out. The network is `rest.py`'s and `stream.py`'s alone.

The one idea of reading an account: `needed(replies)` says which calls are still wanted, given
the replies so far (a mode decides which lists to read, a held symbol which tier table, a
cursor the next page). Ask until it wants nothing more; then `read_account` can read. The live
poll, `capture` and the offline `evaluate` all go this same way.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol
from urllib.parse import parse_qsl, unquote, urlencode

from monitor.errors import MissingReply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import datetime

    from monitor.errors import ExchangeError
    from monitor.risk.model import AccountSnapshot, Instrument, Mark

# What the exchanges call the parameter that asks for a further page.
CURSORS = ("cursor", "after")
# How many rows a page may have changes no answer: what a page leaves out, the next one holds.
_PAGE_SIZE = "limit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """
    A published limit: `per_minute` units of weight for all calls that name it.

    `window_seconds` is the span in which the exchange counts: so long a burst may last.
    """

    name: str
    per_minute: int
    window_seconds: float = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RestCall:
    """
    One GET of an exchange, as data.

    `implicit` is the name of ccxt's implicit method, `path` the exchange's own path, `query`
    the parameters in the order sent. `weight` counts against `budget`, both as published.
    A reply may serve again for `max_age_seconds` (0: read anew at every poll).
    `optional`: the figures don't need it; what it tells is None where it is absent.
    `continues`: a further page of a list; where no such reply exists offline, the list ends.
    `sticky`: optional, but once it was answered its absence is an outage like any other, and
    only a refusal leaves it out again: a wallet that was seen must not vanish for a time-out.
    `is_log`: it lists what was booked, and is worth reading again as soon as a balance moves.
    """

    implicit: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    weight: int = 1
    budget: Budget
    max_age_seconds: float = 0
    optional: bool = False
    continues: bool = False
    sticky: bool = False
    is_log: bool = False

    @property
    def request(self) -> str:
        """Method, path and query as they stand in a capture file."""
        return f"GET {self.path}" + (f"?{urlencode(self.query)}" if self.query else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came back for one request: parsed JSON (numbers as int or Decimal) and when."""

    request: str
    status: int
    body: object
    at: datetime

    @property
    def path(self) -> str:
        return self.request.split(" ", 1)[-1].split("?", 1)[0]

    @property
    def query(self) -> dict[str, str]:
        # An empty parameter (``cursor=``) asks for nothing.
        _, _, query = self.request.partition("?")
        return dict(parse_qsl(query))


class Replies:
    """
    The replies of one reading of an account, found by what was asked.

    A reply whose query is a subset of the asked one answers it, the size of a page apart; so
    does one that asked for several things at once (``instFamily=BTC-USDT,ETH-USDT``). If
    several do, the one that shares most parameters, of those the newest. A call with a cursor
    is answered only by a reply with that very cursor, however often it was percent-encoded on
    its way into a file.

    `failed` are requests that were made of late and brought nothing: they need not be waited
    for before going on to others.
    """

    __slots__ = ("_by_path", "_failed", "_replies")

    def __init__(self, replies: Iterable[Reply] = (), failed: Iterable[str] = ()) -> None:
        self._replies = tuple(replies)
        self._failed = frozenset(failed)
        # Each with its query taken apart, which `find` looks at again and again.
        self._by_path: dict[str, list[tuple[Reply, dict[str, str], str | None]]] = {}
        for reply in self._replies:
            asked = _apart_from_cursor(reply.query)
            self._by_path.setdefault(reply.path, []).append((reply, *asked))

    def __iter__(self) -> Iterator[Reply]:
        return iter(self._replies)

    def find(self, call: RestCall) -> Reply | None:
        """The reply that answers a call, None where there is none."""
        asked, page = _apart_from_cursor(dict(call.query))
        of_path = self._by_path.get(call.path, [])
        fitting = [
            (len(answered), reply.at, -index)
            for index, (reply, answered, cursor) in enumerate(of_path)
            if cursor == page and _answers(answered, asked)
        ]
        return of_path[-max(fitting)[2]][0] if fitting else None

    def has(self, call: RestCall) -> bool:
        return self.find(call) is not None

    def tried(self, call: RestCall) -> bool:
        """Whether the call was answered, or brought nothing of late."""
        return call.request in self._failed or self.has(call)

    def get(self, call: RestCall) -> Reply:
        """
        The reply that answers a call.

        Raises:
            MissingReply: If there is none; the request is named.
        """
        reply = self.find(call)
        if reply is None:
            raise MissingReply("this reply is needed and was not given", call=call.request)
        return reply


def _answers(answered: Mapping[str, str], asked: Mapping[str, str]) -> bool:
    """Whether whoever sent the one query was told what the other asks for."""
    return all(
        key == _PAGE_SIZE or (key in asked and asked[key] in (value, *value.split(",")))
        for key, value in answered.items()
    )


def of_one_moment(_replies: Replies) -> str | None:
    """The answer of an exchange that tells an account in one reply, or in its own order."""


def _apart_from_cursor(query: dict[str, str]) -> tuple[dict[str, str], str | None]:
    """A query without its cursor (one of `CURSORS`), and what the cursor stands for."""
    cursor = next((query.pop(name) for name in CURSORS if name in query), None)
    while cursor is not None and cursor != (decoded := unquote(cursor)):
        cursor = decoded
    return query, cursor


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One WebSocket message as it came. `path` is the socket's path, None where not recorded."""

    feed: str
    text: str
    at: datetime
    path: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Permissions:
    """
    What a key may do.

    `powers` names every right beyond reading, in the exchange's words (empty: read-only).
    `missing` names rights that watching needs and the key lacks. `ip_bound` and `expires_at`
    are None where the exchange does not tell, or the key does not expire.
    """

    powers: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    ip_bound: bool | None = None
    expires_at: datetime | None = None

    @property
    def read_only(self) -> bool:
        return not self.powers


class AccountView(Protocol):
    """
    An account as the exchange told it, in its own rows; frozen.

    `snapshot` applies the exchange's margin rules; it raises Malformed, MissingReply or
    Unmodelled. `updated` gives the view after one private frame (`feed` account): itself
    where the frame says nothing of balances or positions; raises Malformed for one that it
    can't place.
    """

    def snapshot(self, at: datetime) -> AccountSnapshot: ...

    def updated(self, frame: Frame) -> AccountView: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class MarksRead:
    """
    New marks, by the exchange's own symbol, each with the exchange's event time.

    `confirmed` are symbols whose last known mark still holds at that time (a delta that
    leaves the mark out says so).
    """

    marks: Mapping[str, Mark]
    confirmed: Mapping[str, datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscribed:
    """The exchange acknowledged `count` subscriptions."""

    count: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """The exchange rejected a subscription (or the connection); `because` for people."""

    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pong:
    """An answer to our keep-alive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leave:
    """The exchange asks to reconnect: it is about to close this connection."""

    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignored:
    """Nothing that concerns marks; `what` it was, for a counter."""

    what: str


FrameRead = MarksRead | Subscribed | Rejected | Pong | Leave | Ignored


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepAlive:
    """Send `text` every `seconds`; without any frame for twice as long the socket is dead."""

    text: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkStream:
    """
    One connection that brings marks.

    `host` is scheme and host (``wss://…``; `ws_url` takes its place), `path` the rest.
    `subscribe` are the texts to send once open, in order; `acks` how many acknowledgements
    (the sum of `Subscribed.count`) make the subscription whole. `symbols` are the exchange
    symbols that must then be heard of. `keepalive` is None where the protocol's own pings do.
    """

    host: str
    path: str
    subscribe: tuple[str, ...]
    acks: int
    symbols: frozenset[str]
    keepalive: KeepAlive | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """
    One exchange, as functions.

    - `name`: binance, bybit, okx. `client`: the name of ccxt's class that signs for it.
    - `needed(replies)`: calls still wanted to read the account (optional ones included).
    - `read_account(account, replies)`: the account's view; raises Malformed, MissingReply,
      Unmodelled.
    - `permission_calls`, `read_permissions(replies)`: what the key may do.
    - `time_call`, `read_time(body)`: the exchange's clock.
    - `mark_calls(instruments)`, `read_marks(replies, instruments)`: marks by REST, by
      exchange symbol.
    - `mark_streams(instruments)`: connections that bring their marks live.
    - `read_frame(text)`: what a frame of such a connection says; raises Malformed.
    - `read_error(status, headers, body)`: what a reply means that is no plain answer, None
      where it is one. `body` is parsed JSON, or the text where it is none. Header names are
      lower case. An answer with HTTP 200 that is not this exchange's JSON is an error.
    - `catalogue`: per account mode (for people) every call, with ``<SYMBOL>`` placeholders.
    - `permission_hint`: which boxes to tick for a read-only key, for people.
    - `narrowed(products)`: the same with only these of its wallets watched, in the words of the
      configuration; None where there is nothing to choose.
    - `torn(replies)`: why replies can't be of one moment, for people; None where they may be.
      Read anew, at most twice, then go on with what is there: reconciling shows the rest.
    """

    name: str
    client: str
    needed: Callable[[Replies], tuple[RestCall, ...]]
    read_account: Callable[[str, Replies], AccountView]
    permission_calls: tuple[RestCall, ...]
    read_permissions: Callable[[Replies], Permissions]
    time_call: RestCall
    read_time: Callable[[object], datetime]
    mark_calls: Callable[[tuple[Instrument, ...]], tuple[RestCall, ...]]
    read_marks: Callable[[Replies, tuple[Instrument, ...]], Mapping[str, Mark]]
    mark_streams: Callable[[tuple[Instrument, ...]], tuple[MarkStream, ...]]
    read_frame: Callable[[str | bytes], FrameRead]
    read_error: Callable[[int, Mapping[str, str], object], ExchangeError | None]
    catalogue: tuple[tuple[str, tuple[RestCall, ...]], ...]
    permission_hint: str
    torn: Callable[[Replies], str | None] = of_one_moment
    narrowed: Callable[[tuple[str, ...]], Exchange] | None = None
