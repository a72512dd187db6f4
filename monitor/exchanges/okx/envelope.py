"""
The envelope of every OKX answer: ``{"code": "0", "msg": "", "data": [...]}``.

Knows how to get at the rows of a reply, and that errors must name the request that they
belong to; must not know what the rows mean.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from monitor.errors import ExchangeError, Malformed
from monitor.exchanges.okx.errors import NAME, read_error
from monitor.exchanges.payload import MAX_ROWS, Row, rows_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitor.exchanges.call import Replies, Reply, RestCall


@contextmanager
def reading(call: RestCall) -> Iterator[None]:
    """Errors raised inside carry the exchange and the request that was being read."""
    try:
        yield
    except ExchangeError as error:
        raise error.placed(exchange=NAME, call=call.request) from None


def rows(reply: Reply) -> tuple[Row, ...]:
    """
    The rows of a reply's data, maybe none.

    Raises:
        Unreachable, Refused, Malformed: If it is no plain answer, see `read_error`.
    """
    return body_rows(reply.body, reply.status)


def body_rows(body: object, status: int = 200) -> tuple[Row, ...]:
    """The rows of an answer's data. Raises as `rows` does."""
    error = read_error(status, {}, body)
    if error is not None:
        raise error
    return Row(body, "").rows("data")


def only_row(found: tuple[Row, ...]) -> Row:
    """
    The one row of an answer that always has exactly one.

    Raises:
        Malformed: If there are none or several: an empty answer is never «nothing held».
    """
    if len(found) != 1:
        raise Malformed("data", "one row", f"{len(found)}")
    return found[0]


def row_with(replies: Replies, call: RestCall, key: str, value: str) -> Row | None:
    """
    The row of a reply whose `key` says `value`; None where there is no such reply or row.

    The reply may tell of more than was asked for: of hundreds of instruments, say, so only
    the one row is read.
    """
    reply = replies.find(call)
    if reply is None:
        return None
    error = read_error(reply.status, {}, reply.body)
    if error is not None:
        raise error
    data = Row(reply.body, "").raw("data")
    if not isinstance(data, list) or len(data) > MAX_ROWS:
        return next(iter(rows_of(data, "data")))
    for index, item in enumerate(data):
        if not isinstance(item, dict) or item.get(key) == value:
            return Row(item, f"data[{index}]")
    return None
