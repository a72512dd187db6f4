"""
What is asked of an exchange by REST, as data, and what came back.

No network: `rest.py` carries a call out, readers look for the replies that they need.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote, urlencode

from monitor.errors import MissingReply

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

# What the exchanges call the parameter that asks for a further page.
CURSORS = ("cursor", "after")
# How many rows a page may have changes no answer: what a page leaves out, the next one holds.
_PAGE_SIZE = "limit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """
    A published limit: `per_minute` units of weight for all calls that name it.

    `window_seconds` is the span in which the exchange counts: so long a burst may last.
    `by_address`: it counts all that comes from one address, whichever account asks; else each
    account by itself.
    """

    name: str
    per_minute: int
    window_seconds: float = 2.0
    by_address: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """
    What an answer's headers tell of one limit: `used` units of `limit` in its present window.

    It counts everything that shares the limit, other programs too. `resets_at` is when the
    window ends, by the exchange's clock; None where that is the next full minute.
    """

    budget: Budget
    used: int
    limit: int
    resets_at: datetime | None = None


class Depth(Enum):
    """
    How thoroughly an account is read; less than whole where its address has no room to spare.

    Calm: what another call, read each time, shows a change of is left out. Heard: likewise what
    the account's own stream would tell a change of.
    """

    WHOLE = "whole"
    CALM = "calm"
    HEARD = "heard"


@dataclass(frozen=True, slots=True, kw_only=True)
class RestCall:
    """
    One call of an exchange, as data.

    `implicit` is the name of ccxt's implicit method, `path` the exchange's own path, `query`
    the parameters in the order sent. `weight` counts against `budget`, both as published.
    A reply may serve again for `max_age_seconds` (0: read anew at every poll).
    `optional`: the figures don't need it; what it tells is None where it is absent.
    `continues`: a further page of a list; where no such reply exists offline, the list ends.
    `sticky`: optional, but once it was answered its absence is an outage like any other, and
    only a refusal leaves it out again: a wallet that was seen must not vanish for a time-out.
    `calm_seconds`, `heard_seconds`: so long it may serve in a calm, or a heard reading (`Depth`).
    `is_log`: it lists what was booked, and is worth reading again as soon as a balance moves.
    `lists_stops`: it lists stop orders, and is as old as the last change of one that was told.
    `verb` is GET for everything that reads; a stream's ticket is asked for with another.
    `absent_codes` are the exchange's own by which it says that there is nothing of the symbol
    that the call is about (a new listing): the account is then read without, all others go on.
    """

    implicit: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    weight: int = 1
    budget: Budget
    max_age_seconds: float = 0
    calm_seconds: float = 0
    heard_seconds: float = 0
    optional: bool = False
    continues: bool = False
    sticky: bool = False
    is_log: bool = False
    lists_stops: bool = False
    verb: str = "GET"
    absent_codes: frozenset[str] = frozenset()

    def age_seconds(self, depth: Depth) -> float:
        """For how long a reply serves in a reading of this depth."""
        if depth is Depth.WHOLE:
            return self.max_age_seconds
        heard = self.heard_seconds if depth is Depth.HEARD else 0.0
        return max(self.max_age_seconds, self.calm_seconds, heard)

    @property
    def is_public(self) -> bool:
        """Whether it is answered alike whoever asks: ccxt names such calls so."""
        return self.implicit.split("Get", 1)[0].lower().endswith("public")

    @property
    def request(self) -> str:
        """Method, path and query as they stand in a capture file."""
        return f"{self.verb} {self.path}" + (f"?{urlencode(self.query)}" if self.query else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """
    What came back for one request: parsed JSON (numbers as int or Decimal) and when.

    `at` and `asked_at` (None: not known) are by our clock. The exchange's was ahead of it by
    `ahead`, known to within `ahead_within`.
    """

    request: str
    status: int
    body: object
    at: datetime
    asked_at: datetime | None = None
    ahead: timedelta = timedelta(0)
    ahead_within: timedelta = timedelta(0)

    @property
    def priced_at(self) -> datetime:
        """
        Since when its prices are known to hold, where it does not say: since it was asked for.

        By the time at which it came, the price in a slow answer would pass for newer than a
        live mark that came while it was under way. Live marks are of the exchange's time, and
        so early by what that may be wrong.
        """
        return (self.at if self.asked_at is None else self.asked_at) - self.ahead_within

    def by_our_clock(self, theirs: datetime) -> datetime:
        """When prices held that are of this time by the exchange; no later than is known."""
        return min(theirs - self.ahead, self.priced_at)

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
