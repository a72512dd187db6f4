"""Each kind of fault once, as a client of the pretended Bybit and OKX sees it."""

import asyncio
import contextlib
import json

import aiohttp
import pytest

from monitor.simulator.bybit import Bybit
from monitor.simulator.okx import Okx
from monitor.simulator.server import running
from tests.simulator.scenes import milliseconds, scene
from tests.simulator.unified import (
    BYBIT,
    MARKET,
    OKX,
    bybit_headers,
    got,
    okx_headers,
    steer,
    truth,
)

PATHS = {
    "bybit": "/v5/account/wallet-balance?accountType=UNIFIED",
    "okx": "/api/v5/account/balance",
}
SOCKETS = {"bybit": "/v5/public/linear", "okx": "/ws/v5/public"}
SUBSCRIBE = {
    "bybit": {"op": "subscribe", "args": ["tickers.BTCUSDT", "tickers.ETHUSDT"]},
    "okx": {
        "op": "subscribe",
        "args": [
            {"channel": "mark-price", "instId": "BTC-USDT-SWAP"},
            {"channel": "mark-price", "instId": "ETH-USDT-SWAP"},
        ],
    },
}
MOVING = MARKET.replace("start = 95000", 'start = 95000\nnoise_rate = "0.0001"').replace(
    "start = 3600", 'start = 3600\nnoise_rate = "0.0001"'
)
BOTH = ("bybit", "okx")
BYBIT_OK = {"retCode": 0, "retMsg": "OK", "result": {"list": []}, "retExtInfo": {}}


@pytest.fixture
async def sim():
    accounts = BYBIT.replace("[market.USDT]\nstart = 1.0005\n", "")
    async with running(scene(accounts, OKX, market=MOVING)) as simulation:
        yield simulation


async def fault(sim, exchange, kind, **words):
    await steer(sim, "fault", exchange=exchange, kind=kind, **words)


async def asked(sim, exchange):
    path = PATHS[exchange]
    if exchange == "bybit":
        headers = bybit_headers(path.split("?")[1], "sim-two-key", "sim-two-secret")
    else:
        words = (f"sim-futures-{word}" for word in ("key", "secret", "passphrase"))
        headers = okx_headers(path, *words)
    return await got(f"{sim.url(exchange)}{path}", headers)


@pytest.mark.parametrize("exchange", BOTH)
@pytest.mark.parametrize(
    ("kind", "status", "begins"),
    [
        ("html", 200, "<!DOCTYPE html>"),
        ("403_html", 403, "<!DOCTYPE html>"),
        ("5xx", 503, "<!DOCTYPE html>"),
        ("null", 200, "null"),
        ("empty", 200, ""),
    ],
)
async def test_an_answer_that_looks_alike_everywhere(sim, exchange, kind, status, begins):
    await fault(sim, exchange, kind)
    reply = await asked(sim, exchange)
    assert reply.status == status
    assert reply.text.startswith(begins)
    assert bool(reply.text) == bool(begins)


@pytest.mark.parametrize(
    ("kind", "value", "status", "code"),
    [
        ("429", None, 429, 10006),
        ("bad_key", None, 200, 10003),
        ("bad_key", "33004", 200, 33004),
        ("no_permission", None, 200, 10005),
        ("ip", None, 200, 10010),
    ],
)
async def test_bybit_refuses_in_its_own_words(sim, kind, value, status, code):
    await fault(sim, "bybit", kind, value=value)
    reply = await asked(sim, "bybit")
    assert (reply.status, reply.json["retCode"]) == (status, code)
    assert set(reply.json) == {"retCode", "retMsg", "result", "retExtInfo", "time"}


async def test_bybit_says_when_its_limit_ends(sim):
    await fault(sim, "bybit", "429", value="3")
    reply = await asked(sim, "bybit")
    assert reply.headers["Retry-After"] == "3"
    reset = int(reply.headers["X-Bapi-Limit-Reset-Timestamp"])
    assert abs(reset - milliseconds() - 3000) < 1000


async def test_bybit_bans_an_address_with_403(sim):
    await fault(sim, "bybit", "418")
    reply = await asked(sim, "bybit")
    assert (reply.status, reply.text) == (403, "access too frequent")


@pytest.mark.parametrize(
    ("kind", "value", "status", "code"),
    [
        ("429", None, 429, "50011"),
        ("418", "7", 429, "50011"),
        ("bad_key", None, 401, "50111"),
        ("bad_key", "50119", 401, "50119"),
        ("bad_key", "50101", 401, "50101"),
        ("bad_key", "50001", 503, "50001"),
        ("no_permission", None, 200, "50120"),
        ("ip", None, 401, "50110"),
    ],
)
async def test_okx_refuses_in_its_own_words(sim, kind, value, status, code):
    await fault(sim, "okx", kind, value=value)
    reply = await asked(sim, "okx")
    assert (reply.status, reply.json["code"]) == (status, code)
    assert set(reply.json) == {"code", "data", "msg"}
    if kind == "418":
        assert reply.headers["Retry-After"] == "7"


@pytest.mark.parametrize("exchange", BOTH)
async def test_an_empty_list_in_the_exchange_s_envelope(sim, exchange):
    await fault(sim, exchange, "empty_list")
    reply = (await asked(sim, exchange)).json
    if exchange == "bybit":
        assert {key: reply[key] for key in BYBIT_OK} == BYBIT_OK
    else:
        assert reply == {"code": "0", "data": [], "msg": ""}


@pytest.mark.parametrize("exchange", BOTH)
async def test_a_cut_answer_is_no_json(sim, exchange):
    await fault(sim, exchange, "truncated")
    reply = await asked(sim, exchange)
    assert reply.status == 200
    with pytest.raises(json.JSONDecodeError):
        json.loads(reply.text)


@pytest.mark.parametrize("exchange", BOTH)
async def test_no_answer_while_the_fault_lasts(sim, exchange):
    await fault(sim, exchange, "timeout")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asked(sim, exchange), 0.3)
    sim.world.clear_faults()
    assert (await asked(sim, exchange)).status == 200


@pytest.mark.parametrize("exchange", BOTH)
async def test_a_connection_reset(sim, exchange):
    await fault(sim, exchange, "reset")
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientConnectionError):
            # a GET would be repeated once by the client
            await session.post(f"{sim.url(exchange)}{PATHS[exchange]}")


@pytest.mark.parametrize(
    ("exchange", "value", "code"),
    [("bybit", "30", 10002), ("bybit", "-30", 10002), ("okx", "40", "50102")],
)
async def test_a_clock_that_is_off_refuses_timestamps(sim, exchange, value, code):
    await fault(sim, exchange, "clock", value=value)
    reply = (await asked(sim, exchange)).json
    assert reply.get("retCode", reply.get("code")) == code
    if exchange == "bybit":
        shown = (await got(f"{sim.url('bybit')}/v5/market/time")).json["time"]
    else:
        shown = (await got(f"{sim.url('okx')}/api/v5/public/time")).json["data"][0]["ts"]
    assert abs(int(shown) - milliseconds() - int(value) * 1000) < 2000


async def test_wrong_numbers_of_bybit_leave_the_truth_alone(sim, monkeypatch):
    monkeypatch.setattr(Bybit, "cadence_seconds", 3600.0)
    before = (await truth(sim, "two"))[0]["maintenance_margin"]
    await fault(sim, "bybit", "wrong_numbers", value="0.5")
    row = (await asked(sim, "bybit")).json["result"]["list"][0]
    assert abs(float(row["totalMaintenanceMargin"]) - float(before) / 2) < float(before) * 0.001
    assert row["coin"][0]["walletBalance"] == "12000"


async def test_wrong_numbers_of_okx_leave_the_truth_alone(sim, monkeypatch):
    monkeypatch.setattr(Okx, "cadence_seconds", 3600.0)
    before = float((await truth(sim, "futures"))[0]["ratio"])
    await fault(sim, "okx", "wrong_numbers", value="2")
    row = (await asked(sim, "okx")).json["data"][0]["details"][0]
    assert abs(float(row["mgnRatio"]) - 2 / before) < 0.1
    assert row["cashBal"] == "1300"


# --- sockets


@contextlib.asynccontextmanager
async def listening(sim, exchange):
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{sim.ws_url(exchange)}{SOCKETS[exchange]}") as socket,
    ):
        await socket.send_json(SUBSCRIBE[exchange])
        for _ in range(6):  # acknowledgements and the first data of both
            await asyncio.wait_for(socket.receive(), 5)
        yield socket


async def heard(socket, seconds):
    """All that arrives in so many seconds, after what had already been sent."""
    messages = []
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while True:
                messages.append(await socket.receive())
    return messages


@pytest.mark.parametrize("exchange", BOTH)
async def test_a_stall_keeps_the_socket_and_its_pongs(sim, exchange):
    async with listening(sim, exchange) as socket:
        await fault(sim, exchange, "stall")
        await heard(socket, 0.3)
        assert await heard(socket, 0.5) == []
        await (socket.send_str("ping") if exchange == "okx" else socket.send_json({"op": "ping"}))
        assert "pong" in await asyncio.wait_for(socket.receive_str(), 5)
        sim.world.clear_faults()
        assert await heard(socket, 0.6)


@pytest.mark.parametrize("exchange", BOTH)
async def test_a_drop_cuts_the_socket_and_a_refusal_lets_no_new_one_in(sim, exchange):
    async with listening(sim, exchange) as socket:
        await fault(sim, exchange, "drop")
        ends = {aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR}
        assert ends & {message.type for message in await heard_until_end(socket, ends)}
    sim.world.clear_faults()
    await fault(sim, exchange, "refuse")
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await session.ws_connect(f"{sim.ws_url(exchange)}{SOCKETS[exchange]}")


async def heard_until_end(socket, ends):
    messages = []
    async with asyncio.timeout(5):
        while not messages or messages[-1].type not in ends:
            messages.append(await socket.receive())
    return messages


@pytest.mark.parametrize("exchange", BOTH)
async def test_one_symbol_goes_silent(sim, exchange):
    silent = "BTCUSDT" if exchange == "bybit" else "BTC-USDT-SWAP"
    async with listening(sim, exchange) as socket:
        await fault(sim, exchange, "silent_symbol", value=silent)
        await heard(socket, 0.3)
        texts = [message.data for message in await heard(socket, 0.8)]
    assert texts
    assert not any(silent in text for text in texts)


@pytest.mark.parametrize("exchange", BOTH)
async def test_garbage_is_no_json(sim, exchange):
    async with listening(sim, exchange) as socket:
        await fault(sim, exchange, "garbage")
        await heard(socket, 0.3)
        messages = await heard(socket, 0.5)
    assert messages
    for message in messages:
        with pytest.raises(json.JSONDecodeError):
            json.loads(message.data)
