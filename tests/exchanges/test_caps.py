"""Replies and frames that are too large, too deep or too precise: an error, never memory (F-97)."""

from __future__ import annotations

import gzip
import resource
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from monitor.errors import Malformed
from monitor.exchanges.payload import MAX_DEPTH, Row, parse_json, rows_of
from monitor.exchanges.registry import EXCHANGES
from tests.exchanges.serving import plain, served
from tests.fakes.exchange import ACCOUNT

if TYPE_CHECKING:
    from collections.abc import Callable

MIB = 1024 * 1024


def streaming(parts: int, **headers: str) -> tuple[list[int], Callable[..., object]]:
    """An answer of so many MiB, and how many of them were sent."""
    sent: list[int] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers=headers)
        await response.prepare(request)
        for number in range(parts):
            try:
                await response.write(b" " * MIB)
            except ConnectionError:
                return response
            sent.append(number)
        return response

    return sent, answer


async def test_a_body_is_not_read_beyond_its_bound() -> None:
    sent, answer = streaming(400)
    async with served() as (server, client):
        server.answers[ACCOUNT.path] = answer  # type: ignore[assignment] - it streams
        with pytest.raises(Malformed, match="at most 16777216 bytes"):
            await client.call(ACCOUNT)
        assert len(sent) < 40


async def test_nor_is_one_that_is_small_until_it_is_unpacked() -> None:
    bomb = gzip.compress(b" " * (300 * MIB), compresslevel=1)
    assert len(bomb) < 2 * MIB
    async with served() as (server, client):
        server.answers[ACCOUNT.path] = lambda _: web.Response(
            body=bomb, headers={"Content-Encoding": "gzip"}
        )
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        with pytest.raises(Malformed, match="at most 16777216 bytes"):
            await client.call(ACCOUNT)
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
        assert grown < 200


async def test_a_body_within_it_is_read_whole() -> None:
    text = "[" + "1," * (4 * MIB) + "1]"
    async with served() as (server, client):
        server.answers[ACCOUNT.path] = plain(text)
        reply = await client.call(ACCOUNT)
        assert reply.body == [1] * (4 * MIB + 1)


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 1_000, 100_000])
@pytest.mark.parametrize(("left", "right"), [("[", "]"), ('{"a":', "}")])
def test_what_is_nested_too_deep_is_refused(depth: int, left: str, right: str) -> None:
    with pytest.raises(Malformed):
        parse_json(left * depth + "1" + right * depth)


def test_what_is_nested_as_deep_as_may_be_is_read() -> None:
    assert parse_json("[" * MAX_DEPTH + "]" * MAX_DEPTH) is not None


@pytest.mark.parametrize(
    "number", ["1e401", "-1e401", "1e-402", "1e999999999", "NaN", "1" * 401, "0." + "1" * 401]
)
def test_a_number_beyond_all_measure_is_refused(number: str) -> None:
    with pytest.raises(Malformed):
        Row({"x": number}, "row").decimal("x")


@pytest.mark.parametrize("text", ['{"x": 1e999999999}', '{"x": ' + "9" * 1_000_000 + "}"])
def test_so_is_one_that_stands_bare(text: str) -> None:
    with pytest.raises(Malformed):
        row = Row(parse_json(text), "row")
        row.decimal("x")


def test_the_largest_number_that_is_read_keeps_its_digits() -> None:
    assert Row({"x": "1e400"}, "row").decimal("x") == Decimal("1e400")


def test_more_rows_than_anybody_has_are_refused() -> None:
    assert len(rows_of([{}] * 5_000, "rows")) == 5_000
    with pytest.raises(Malformed, match="at most 5000 rows"):
        rows_of([{}] * 5_001, "rows")


@pytest.mark.parametrize("name", EXCHANGES)
@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "[" * 1_000 + "]" * 1_000,
        '{"data": ' * 1_000 + "1" + "}" * 1_000,
        '{"stream":"x@markPrice","data":{"e":"markPriceUpdate","s":"X","p":"1e999999999","E":1}}',
        '{"topic":"tickers.X","type":"snapshot","ts":1,"data":{"symbol":"X","markPrice":"1e9999"}}',
        '{"arg":{"channel":"mark-price"},"data":[{"instId":"X","markPx":"1e9999","ts":"1"}]}',
    ],
)
def test_no_frame_that_is_beyond_all_measure_is_taken_for_a_mark(name: str, text: str) -> None:
    try:
        frame = EXCHANGES[name].read_frame(text.encode())
    except Malformed:
        return
    assert not getattr(frame, "marks", {})
