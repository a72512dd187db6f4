"""
What every Bybit answer is wrapped in, and lists that come by the page.

Knows `retCode`, `result`, `time` and `nextPageCursor`; not what the lists are about.

A list's answer, shortened (docs «Get Position Info», read 2026-07):
``{"retCode": 0, "retMsg": "OK", "result": {"list": [{…}], "category": "linear",
"nextPageCursor": "ETHUSDT%2C1759432560942%2C0"}, "time": 1759432560942}``.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import unquote

from monitor.errors import ExchangeError, Malformed, MissingReply
from monitor.exchanges.payload import Row

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from monitor.exchanges.call import Replies, Reply, RestCall

_FINE = "0"
_NO_SUCH_SYMBOL = "symbol invalid"
_PARAMETER_ERROR = "10001"
_MAX_PAGES = 200


@contextmanager
def naming(request: str) -> Iterator[None]:
    """Puts the request's name on every error from within."""
    try:
        yield
    except ExchangeError as error:
        error.placed(call=request)
        raise


def says_no_such_symbol(body: object) -> bool:
    """
    Whether the answer is that the symbol asked for is not listed: an answer, not a failure.

    Its wording on a live answer: ``{"retCode": 10001, "retMsg": "params error: symbol
    invalid", "result": {"category": "", "list": []}}``.
    """
    return (
        isinstance(body, dict)
        and str(body.get("retCode")) == _PARAMETER_ERROR
        and _NO_SUCH_SYMBOL in str(body.get("retMsg")).lower()
    )


def result_of(reply: Reply) -> Row:
    """The `result` of an answer that says it is fine. Raises Malformed for any other."""
    body = Row(reply.body, "")
    code = body.text("retCode")
    if code != _FINE:
        raise Malformed("retCode", _FINE, code)
    return body.row("result")


def answers(replies: Replies, call: RestCall) -> bool:
    """
    Whether there is an answer to this call, and no refusal: what is optional may be refused.

    A page of a proxy is no answer either. One that lacks what it should hold is one all the
    same, and named where it is read.
    """
    reply = replies.find(call)
    if reply is None or not isinstance(reply.body, dict):
        return False
    said = str(reply.body.get("retCode", _FINE))
    return said == _FINE or says_no_such_symbol(reply.body)


def answered_at(reply: Reply) -> datetime:
    """When Bybit answered, by its own clock, but never later than the answer came."""
    return min(_told_at(reply) or reply.at, reply.at)


def _told_at(reply: Reply) -> datetime | None:
    return Row(reply.body, "").optional_time("time")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """
    The rows of one list, all its pages together.

    `at` is when the oldest page was answered, by Bybit's clock; `priced_at` is the same by ours.
    `more` is the call for the page that is not there yet, None where the list is whole.
    """

    rows: tuple[Row, ...]
    at: datetime
    priced_at: datetime
    more: RestCall | None


def listing(replies: Replies, call: RestCall) -> Listing:
    """
    What the replies hold of a list.

    A list goes on until a page is empty or names no further cursor: Bybit fills the cursor on
    the last page too. A cursor comes percent-encoded and is asked for as what it stands for.

    Raises:
        MissingReply: If not even the first page is there.
        Malformed: If a page can't be read, or the pages go in circles.
    """
    reply = replies.get(call)
    rows: tuple[Row, ...] = ()
    at, priced_at = answered_at_named(reply), priced_at_named(reply)
    for _ in range(_MAX_PAGES):
        page, cursor = _page(reply)
        rows, at = rows + page, min(at, answered_at_named(reply))
        priced_at = min(priced_at, priced_at_named(reply))
        if not page or cursor is None:
            return Listing(rows=rows, at=at, priced_at=priced_at, more=None)
        asked = _page_call(call, cursor)
        following = replies.find(asked)
        if following is None:
            return Listing(rows=rows, at=at, priced_at=priced_at, more=asked)
        if following is reply:
            break
        reply = following
    raise Malformed(
        "result.nextPageCursor", f"a list of at most {_MAX_PAGES} pages", call=call.request
    )


def rows_of(replies: Replies, call: RestCall, key: str) -> tuple[Row, ...]:
    """
    The rows of the one symbol or coin that a call asks for by its parameter `key`.

    Raises:
        MissingReply: If there is no reply, or only one about others.
        Malformed: If the reply to this very symbol or coin does not list it.
    """
    wanted = dict(call.query)[key]
    with naming(call.request):
        rows = listing(replies, call).rows
        found = tuple(row for row in rows if row.optional_text(key) == wanted)
        if found:
            return found
        if key not in replies.get(call).query:
            raise MissingReply(f"the reply that was given does not list {wanted}")
        raise Malformed("result.list", f"a row of {wanted}", "none")


def lists_none(replies: Replies, call: RestCall, key: str) -> bool:
    """
    Whether Bybit was asked for just this symbol or coin, and lists nothing of it.

    Not so where nobody asked, where the answer is about others, or can't be read.
    """
    reply, wanted = replies.find(call), dict(call.query)[key]
    if reply is None or reply.query.get(key) != wanted:
        return False
    try:
        rows = listing(replies, call).rows
        return all(row.text(key) != wanted for row in rows)
    except ExchangeError:
        return False


def answered_at_named(reply: Reply) -> datetime:
    with naming(reply.request):
        return answered_at(reply)


def priced_at_named(reply: Reply) -> datetime:
    """When Bybit answered by our clock, and so when the prices in it held."""
    with naming(reply.request):
        told = _told_at(reply)
        return reply.priced_at if told is None else reply.by_our_clock(told)


def _page(reply: Reply) -> tuple[tuple[Row, ...], str | None]:
    with naming(reply.request):
        if says_no_such_symbol(reply.body):
            return (), None
        result = result_of(reply)
        return result.rows("list"), result.optional_text("nextPageCursor")


def _page_call(call: RestCall, cursor: str) -> RestCall:
    return replace(call, query=(*call.query, ("cursor", unquote(cursor))), continues=True)
