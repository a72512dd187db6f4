"""HTTP on loopback: it shows, to this machine only, and never a calm answer in trouble."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from decimal import Decimal as D  # noqa: N817 - short in tables
from typing import TYPE_CHECKING

import aiohttp
import pytest

from monitor.engine.effects import State
from monitor.status.board import Board
from monitor.status.http import StatusServer
from tests.alerting import NOON
from tests.assessing import a_pool, an_account

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from monitor.engine.effects import AccountAssessment


@asynccontextmanager
async def asking(
    *assessments: AccountAssessment, told: bool = False
) -> AsyncIterator[tuple[aiohttp.ClientSession, StatusServer]]:
    board = Board(["main"])
    for assessment in assessments:
        board.put(assessment)
    server = StatusServer(board, host="127.0.0.1", port=0, is_told=lambda _: told)
    await server.start(lambda: NOON)
    async with aiohttp.ClientSession(f"http://127.0.0.1:{server.port}") as session:
        yield session, server
    await server.stop()


async def answer(path: str, *assessments: AccountAssessment, told: bool = False) -> tuple[int, str]:
    async with asking(*assessments, told=told) as (session, _), session.get(path) as got:
        return got.status, await got.text()


async def test_health_is_good_while_every_account_is_fresh() -> None:
    assert await answer("/healthz", an_account()) == (200, "fresh or told\n")


@pytest.mark.parametrize("state", [State.STALE, State.BLIND])
async def test_health_is_bad_with_the_reason_until_the_trouble_was_told(state: State) -> None:
    trouble = an_account(state=state, because="marks are silent")

    assert await answer("/healthz", trouble) == (503, f"main is {state.value}: marks are silent\n")
    assert (await answer("/healthz", trouble, told=True))[0] == 200


async def test_health_is_bad_before_an_account_was_ever_read() -> None:
    assert await answer("/healthz") == (503, "main was never read\n")


async def test_the_status_is_the_documented_json() -> None:
    status, text = await answer("/api/v1/status", an_account())

    assert status == 200
    assert json.loads(text)["accounts"][0]["pools"][0]["margin_balance"] == "258.3"


async def test_metrics_carry_the_figures() -> None:
    _, text = await answer("/metrics", an_account())

    place = 'account="main",exchange="bybit",pool="unified"'
    ratio = 235.79 / 258.30
    assert f"margin_monitor_margin_ratio{{{place}}} {ratio:.6f}" in "".join(
        line[: line.rfind(".") + 7] + "\n" for line in text.splitlines()
    )
    assert f'margin_monitor_margin_balance{{{place},unit="USD"}} 258.3' in text
    assert 'margin_monitor_account_state{account="main",exchange="bybit",state="fresh"} 1.0' in text
    assert 'margin_monitor_feed_age_seconds{account="main",feed="marks"} 0.4' in text


async def test_metrics_show_no_figure_of_a_blind_pool_as_one_of_now() -> None:
    blind = an_account(state=State.BLIND, pools=(a_pool(state=State.BLIND, age_seconds=99.0),))
    _, text = await answer("/metrics", blind)

    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert any("figure_age_seconds" in line and line.endswith(" 99.0") for line in lines)
    for figure in ("margin_ratio", "margin_balance", "maintenance_margin", "adverse_move"):
        assert not any(f"margin_monitor_{figure}{{" in line for line in lines)


async def test_the_page_shows_the_pools_and_lets_no_name_be_markup() -> None:
    _, text = await answer("/", an_account(account="<script>"), an_account())

    assert "main/unified" in text
    assert "91.3 %" in text
    assert "<script" not in text


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8321", "127.0.0.1.evil.example"])
async def test_a_name_that_was_rebound_to_this_machine_is_turned_away(host: str) -> None:
    async with (
        asking(an_account()) as (session, _),
        session.get("/api/v1/status", headers={"Host": host}) as got,
    ):
        assert got.status == 421
        assert "258.3" not in await got.text()


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8321", "127.0.0.1:1", "[::1]:80", "[::1]"]
)
async def test_this_machines_own_names_are_answered(host: str) -> None:
    async with (
        asking(an_account()) as (session, _),
        session.get("/healthz", headers={"Host": host}) as got,
    ):
        assert got.status == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize("path", ["/", "/healthz", "/metrics", "/api/v1/status"])
async def test_nothing_can_be_changed(method: str, path: str) -> None:
    async with asking(an_account()) as (session, _), session.request(method, path) as got:
        assert got.status == 405


async def test_no_other_page_may_read_or_keep_an_answer() -> None:
    async with (
        asking(an_account()) as (session, _),
        session.get("/api/v1/status", headers={"Origin": "http://evil.example"}) as got,
    ):
        assert "Access-Control-Allow-Origin" not in got.headers
        assert got.headers["Cache-Control"] == "no-store"
        assert got.headers["Content-Security-Policy"].startswith("default-src 'none'")


async def test_how_true_the_predictions_came_is_measured() -> None:
    pool = a_pool(prediction_error=D("-0.00012"), largest_prediction_error=D("0.002"))
    _, text = await answer("/metrics", an_account(pools=(pool,)))
    labels = '{account="main",exchange="bybit",pool="unified"}'
    assert f"margin_monitor_prediction_error{labels} -0.00012" in text
    assert f"margin_monitor_largest_prediction_error{labels} 0.002" in text
    _, bare = await answer("/metrics", an_account())
    assert f"prediction_error{labels}" not in bare


async def test_metrics_count_the_tasks_of_the_loop_and_what_the_process_uses() -> None:
    async with asking() as (session, _):

        async def tasks() -> int:
            async with session.get("/metrics") as got:
                found = dict(line.rsplit(" ", 1) for line in (await got.text()).splitlines())
            assert float(found["process_resident_memory_bytes"]) > 1e6
            assert float(found["process_open_fds"]) > 0
            return int(float(found["margin_monitor_tasks"]))

        before = await tasks()
        one_more = asyncio.create_task(asyncio.sleep(60))
        assert await tasks() == before + 1
        one_more.cancel()
