"""Bybit's pages: limits, cursors, filters."""

from collections.abc import Sequence
from typing import TypeVar
from urllib.parse import quote, unquote

from aiohttp import web

from monitor.simulator import bybit_auth as auth

Row = dict[str, object]
Item = TypeVar("Item")
_PARTS_OF_A_CURSOR = 3


def only(found: list[Row], key: str, wanted: str | None) -> list[Row]:
    return [row for row in found if wanted in {None, row[key]}]


def page_of(
    request: web.Request,
    found: Sequence[Item],
    default: int,
    most: int,
    *,
    cursor_at_end: bool = True,
) -> tuple[list[Item], str]:
    """
    One page and the cursor behind it.

    With `cursor_at_end` the last page that holds rows has a cursor too: behind it comes an
    empty page without one.
    """
    text = request.query.get("limit", str(default))
    if not text.isdecimal() or not 1 <= int(text) <= most:
        raise auth.parameter_error("params error: limit invalid")
    start = offset(request)
    page = list(found[start : start + int(text)])
    more = bool(page) and (cursor_at_end or start + len(page) < len(found))
    return page, cursor_at(start + len(page)) if more else ""


def cursor_at(offset: int) -> str:
    return quote(f"page,{offset},0", safe="")


def offset(request: web.Request) -> int:
    """Where a page begins; a cursor may come back encoded once more."""
    cursor = request.query.get("cursor", "")
    if not cursor:
        return 0
    parts = unquote(cursor).split(",")
    if len(parts) != _PARTS_OF_A_CURSOR or not parts[1].isdecimal():
        raise auth.parameter_error("params error: cursor invalid")
    return int(parts[1])
