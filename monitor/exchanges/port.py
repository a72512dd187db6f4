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

from monitor.exchanges.call import of_one_moment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from monitor.errors import ExchangeError
    from monitor.exchanges.call import Budget, Replies, RestCall, Used
    from monitor.risk.model import AccountSnapshot, Instrument, Mark
    from monitor.risk.news import News

SHORTEST_SECRET = 4


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


@dataclass(frozen=True, slots=True, kw_only=True)
class TablesMoved:
    """The exchange announced other tables (leverage tiers) of this symbol; `because` in words."""

    symbol: str
    because: str


FrameRead = MarksRead | TablesMoved | Subscribed | Rejected | Pong | Leave | Ignored


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
class Credentials:
    """What a key signs with. Never shown."""

    api_key: str = field(repr=False)
    api_secret: str = field(repr=False)
    passphrase: str = field(default="", repr=False)

    def texts(self) -> tuple[str, ...]:
        """What must not be shown, the longest first: one may hold another."""
        given = {self.api_key, self.api_secret, self.passphrase}
        kept = {text for text in given if len(text) >= SHORTEST_SECRET}
        return tuple(sorted(kept, key=len, reverse=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """
    A key to a stream that is got and prolonged by REST: Binance's listenKey. A secret.

    `get` asks for it (asked again it prolongs the same one), `keep` prolongs it every
    `keep_seconds`, `read` takes it from the body of the first. It is never given back: that
    would end the stream of every other program of the same account.
    """

    get: RestCall
    keep: RestCall
    read: Callable[[object], str]
    keep_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountStream:
    """
    One connection that tells what happens to the account, or to one of its wallets.

    `host` is scheme and host (`ws_url` takes its place), `path` the rest; ``{ticket}`` in it
    stands for the ticket's key. `login(credentials, at)` is the text to send first, `at` by
    the exchange's clock; None where the path says who asks. `subscribe` are the texts after
    it, `acks` how many acknowledgements make it whole. `silent_seconds`: so long without an
    event means that it is dead; None where an idle account's stream says nothing.
    `is_told` is for people: what of the account it tells. `ends_for_good` are the codes with
    which the exchange closes it for good, and what each means, for people: as `NotAdmitted`.
    """

    host: str
    path: str
    is_told: str
    login: Callable[[Credentials, datetime], str] | None = None
    subscribe: tuple[str, ...] = ()
    acks: int = 0
    keepalive: KeepAlive | None = None
    ticket: Ticket | None = None
    silent_seconds: float | None = None
    ends_for_good: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedIn:
    """The exchange knows who listens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotAdmitted:
    """
    The exchange does not let this key listen; `because` in its own words, for people.

    `for_good`: asking again changes nothing (a wrong key, a missing right, a revoked one).
    """

    because: str
    for_good: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketEnded:
    """The ticket holds no more: a new one, and a new connection, are needed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """
    Something happened to the account.

    `changes`: the frame is one for `AccountView.updated`. `news` are the exchange's own
    warnings and what it took. `ask`: why only a reading by REST can tell the rest (the mode
    changed, say); None where nothing is left to ask. `of_stops`: a stop order came, changed or
    went, so that a list of them from before holds no longer.
    """

    changes: bool = False
    news: tuple[News, ...] = ()
    ask: str | None = None
    of_stops: bool = False


AccountFrameRead = (
    LoggedIn | NotAdmitted | Subscribed | Rejected | TicketEnded | Told | Pong | Leave | Ignored
)


def no_account_streams(_replies: Replies) -> tuple[AccountStream, ...]:
    """The answer of an exchange whose accounts are only polled."""
    return ()


def tells_no_use(_call: RestCall, _headers: Mapping[str, str]) -> Used | None:
    """The answer of an exchange whose headers don't tell what is used of its limits."""
    return None


def _not_asked_for(frame: Frame) -> AccountFrameRead:
    """What an exchange without account streams makes of a frame of one."""
    return Ignored(what=frame.feed)


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
      exchange symbol, of times by the exchange's own clock.
    - `mark_streams(instruments)`: connections that bring their marks live.
    - `unchanged_seconds`: so long such a connection may say nothing of a mark that does not
      move; 0 where it tells of each all the time.
    - `read_frame(text)`: what a frame of such a connection says; raises Malformed.
    - `read_error(status, headers, body)`: what a reply means that is no plain answer, None
      where it is one. `body` is parsed JSON, or the text where it is none. Header names are
      lower case. An answer with HTTP 200 that is not this exchange's JSON is an error.
    - `catalogue`: per account mode (for people) every call, with ``<SYMBOL>`` placeholders.
    - `permission_hint`: which boxes to tick for a read-only key, for people.
    - `narrowed(products)`: the same with only these of its wallets watched, in the words of the
      configuration; None where there is nothing to choose.
    - `account_streams(replies)`: connections that tell what happens to the account read with
      these replies; none where the exchange has none for it.
    - `read_account_frame(frame)`: what a frame of such a connection says (its `path` is the
      connection's, without a ticket); raises Malformed.
    - `read_use(call, headers)`: what the headers of an answer (names in lower case) tell of the
      limit that the call counts against; None where they don't.
    - `address_budget`: a limit against which every call of an address counts once, beside its
      own; None where there is none.
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
    account_streams: Callable[[Replies], tuple[AccountStream, ...]] = no_account_streams
    read_account_frame: Callable[[Frame], AccountFrameRead] = _not_asked_for
    torn: Callable[[Replies], str | None] = of_one_moment
    read_use: Callable[[RestCall, Mapping[str, str]], Used | None] = tells_no_use
    address_budget: Budget | None = None
    unchanged_seconds: float = 0.0
    narrowed: Callable[[tuple[str, ...]], Exchange] | None = None
