"""The sockets of the pretended Bybit."""

import asyncio
import contextlib
import hashlib
import hmac
import json
from datetime import timedelta
from decimal import Decimal

import aiohttp
import pytest

from monitor.simulator.server import running
from tests.simulator.scenes import milliseconds, scene
from tests.simulator.unified import BYBIT, BYBIT_OTHERS, MARKET, bybit, sample, steer, truth

LINEAR, PRIVATE = "/v5/public/linear", "/v5/private"
MOVING = MARKET.replace("start = 95000", 'start = 95000\nnoise_rate = "0.001"')


@pytest.fixture
async def sim():
    async with running(scene(BYBIT, BYBIT_OTHERS, market=MOVING)) as simulation:
        yield simulation


@contextlib.asynccontextmanager
async def opened(sim, path):
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{sim.ws_url('bybit')}{path}") as socket,
    ):
        yield socket


async def frame(socket):
    return json.loads(await asyncio.wait_for(socket.receive_str(), 5))


async def said(socket, **message):
    """The answer to a message, past whatever data comes before it."""
    await socket.send_json(message)
    while True:
        answer = await frame(socket)
        if "topic" not in answer:
            return answer


async def silent(socket, seconds=0.5):
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(socket.receive_str(), seconds)


def auth(account="two", secret=None, expires=None):
    at = milliseconds() + 10000 if expires is None else expires
    text = f"GET/realtime{at}".encode()
    key = (secret or f"sim-{account}-secret").encode()
    return [f"sim-{account}-key", at, hmac.new(key, text, hashlib.sha256).hexdigest()]


async def test_a_ticker_begins_with_a_snapshot_and_goes_on_with_changes(sim):
    theirs = sample("bybit", "handle_ticker", "linear")
    async with opened(sim, LINEAR) as socket:
        answer = await said(socket, req_id="7", op="subscribe", args=["tickers.BTCUSDT"])
        assert answer | {"conn_id": ""} == {
            "success": True,
            "ret_msg": "",
            "conn_id": "",
            "req_id": "7",
            "op": "subscribe",
        }
        first = await frame(socket)
        assert set(first) == set(theirs)
        assert first["type"] == "snapshot"
        assert set(theirs["data"]) <= set(first["data"])
        deltas = [await frame(socket) for _ in range(12)]
    assert {one["type"] for one in deltas} == {"delta"}
    assert all(one["data"]["symbol"] == "BTCUSDT" for one in deltas)
    marked = [one for one in deltas if "markPrice" in one["data"]]
    assert 0 < len(marked) < len(deltas), "many deltas carry no mark"
    assert all(len(one["data"]) < len(first["data"]) for one in deltas)
    assert [one["cs"] for one in deltas] == sorted(one["cs"] for one in deltas)


async def test_the_mark_on_the_wire_is_the_one_in_the_ledger(sim):
    async with opened(sim, LINEAR) as socket:
        await said(socket, op="subscribe", args=["tickers.BTCUSDT"])
        await steer(sim, "price", base="BTC", price="91234.56")
        async with asyncio.timeout(5):
            while (await frame(socket))["data"].get("markPrice") != "91234.56":
                pass
    (pool,) = await truth(sim, "two")
    assert pool["positions"][0]["mark"] == "91234.56"


async def test_spot_tickers_are_snapshots_with_the_dollar_index(sim):
    theirs = sample("bybit", "handle_ticker", "spot")
    async with opened(sim, "/v5/public/spot") as socket:
        await said(socket, op="subscribe", args=["tickers.BTCUSDT"])
        frames = [await frame(socket) for _ in range(3)]
    assert {one["type"] for one in frames} == {"snapshot"}
    assert set(frames[0]["data"]) == set(theirs["data"])


async def test_pongs_differ_by_path(sim):
    async with opened(sim, LINEAR) as socket:
        pong = await said(socket, req_id="1", op="ping")
        assert (pong["success"], pong["ret_msg"], pong["op"]) == (True, "pong", "ping")
    theirs = sample("bybit", "handle_pong", number=2)
    async with opened(sim, PRIVATE) as socket:
        pong = await said(socket, req_id="1", op="ping")
        assert set(pong) == set(theirs)
        assert pong["op"] == "pong"
        assert abs(int(pong["args"][0]) - milliseconds()) < 2000


@pytest.mark.parametrize(
    ("path", "topic"),
    [
        (LINEAR, "tickers.NOUSDT"),
        (LINEAR, "tickers.BTCUSD"),
        (LINEAR, "nothing"),
        ("/v5/public/inverse", "tickers.BTCUSDT"),
    ],
)
async def test_an_unknown_topic_is_refused_and_nothing_of_its_request_holds(sim, path, topic):
    async with opened(sim, path) as socket:
        answer = await said(socket, op="subscribe", args=["adlAlert.USDT", topic])
        assert answer["success"] is False
        assert answer["ret_msg"] == f"error:handler not found,topic:{topic}"
        await silent(socket)


async def test_an_unsubscribed_ticker_stops(sim):
    async with opened(sim, LINEAR) as socket:
        await said(socket, op="subscribe", args=["tickers.BTCUSDT"])
        answer = await said(socket, op="unsubscribe", args=["tickers.BTCUSDT"])
        assert answer["success"] is True
        await silent(socket)


@pytest.mark.parametrize(
    ("args", "because"),
    [
        (lambda: auth(secret="wrong"), "error sign!"),
        (lambda: auth(account="nobody"), "API key is invalid."),
        (lambda: auth(expires=milliseconds() - 1000), "Params Error"),
        (lambda: ["only"], "API key is invalid."),
    ],
)
async def test_a_login_that_fails_leaves_the_socket_without_rights(sim, args, because):
    async with opened(sim, PRIVATE) as socket:
        answer = await said(socket, op="auth", args=args())
        assert (answer["op"], answer["success"], answer["ret_msg"]) == ("auth", False, because)
        answer = await said(socket, op="subscribe", args=["position"])
        assert (answer["success"], answer["ret_msg"]) == (False, "Request not authorized")


@contextlib.asynccontextmanager
async def private(sim, account, *topics):
    async with opened(sim, PRIVATE) as socket:
        answer = await said(socket, op="auth", args=auth(account))
        assert (answer["success"], answer["ret_msg"], answer["op"]) == (True, "", "auth")
        assert (await said(socket, op="subscribe", args=list(topics)))["success"] is True
        yield socket


async def test_the_wallet_says_nothing_on_subscription_and_nothing_of_marks(sim):
    async with private(sim, "two", "wallet", "position") as socket:
        await silent(socket, 1)


async def test_a_deposit_is_told_on_the_wallet(sim):
    theirs = sample("bybit", "handle_balance", "unified")
    async with private(sim, "two", "wallet") as socket:
        await steer(sim, "bybit/change", account="two", coin="USDT", amount="500")
        told = await frame(socket)
    assert set(told) == set(theirs)
    assert set(theirs["data"][0]) <= set(told["data"][0])
    assert told["data"][0]["coin"][0]["walletBalance"] == "12500"


async def test_a_trade_is_told_on_the_positions_both_legs_in_hedge_mode(sim):
    theirs = sample("bybit", "handle_positions")
    body = {"account": "hedged", "symbol": "BTCUSDT", "side": "long", "contracts": "0.2"}
    async with private(sim, "hedged", "position.linear") as socket:
        await steer(sim, "bybit/change", **body)
        told = await frame(socket)
    assert told["topic"] == "position.linear"
    assert set(theirs["data"][0]) - {"positionBalance"} <= set(told["data"][0])
    assert [(row["positionIdx"], row["size"], row["side"]) for row in told["data"]] == [
        (1, "0.2", "Buy"),
        (2, "0", ""),
    ]
    wallet = await bybit(sim, "hedged", "/v5/account/wallet-balance", accountType="UNIFIED")
    balance = Decimal(wallet["list"][0]["coin"][0]["walletBalance"])
    # 0.3 of 0.5 closed about 5,000 below the entry
    assert abs(balance - (20000 - Decimal("0.3") * 5000)) < 100


async def test_topics_of_both_kinds_can_t_be_in_one_request(sim):
    async with private(sim, "two", "wallet") as socket:
        answer = await said(socket, op="subscribe", args=["position", "position.linear"])
        assert answer["success"] is False


async def test_a_liquidation_is_told_on_every_topic(sim):
    async with private(sim, "two", "position", "wallet", "order", "execution") as socket:
        await steer(sim, "price", base="BTC", price="70000")
        told = [await frame(socket) for _ in range(10)]
    kinds = [one["topic"] for one in told]
    taken = ["order", "execution", "position"]
    assert kinds == ["order", "position", "position", *taken, *taken, "wallet"]
    (order,) = told[0]["data"]
    assert (order["orderStatus"], order["cancelType"]) == ("Cancelled", "CancelAllBeforeLiq")
    under_way = told[1]["data"][0]
    assert (under_way["symbol"], under_way["positionStatus"]) == ("BTCUSDT", "Liq")
    assert under_way["size"] == "0.5"
    execution = told[4]["data"][0]
    assert (execution["execType"], execution["symbol"], execution["execQty"]) == (
        "BustTrade",
        "BTCUSDT",
        "0.5",
    )
    assert execution["createType"] == "CreateByTakeOver_PassThrough"
    closed = told[5]["data"][0]
    assert (closed["side"], closed["size"], closed["positionMM"]) == ("", "0", "")
    assert told[9]["data"][0]["totalMaintenanceMargin"] == "0"
    listed = await bybit(sim, "two", "/v5/execution/list", category="linear", execType="BustTrade")
    assert {row["symbol"] for row in listed["list"]} == {"BTCUSDT", "ETHUSDT"}
    log = (await bybit(sim, "two", "/v5/account/transaction-log"))["list"]
    lost = {row["symbol"]: Decimal(row["change"]) for row in log}
    assert set(lost) == {"BTCUSDT", "ETHUSDT"} | ({""} & set(lost)), "the rest is repaid"
    wallet = told[9]["data"][0]["coin"][0]["walletBalance"]
    assert Decimal(wallet) == 12000 + sum(lost.values())
    positions = await bybit(sim, "two", "/v5/position/list", category="linear", settleCoin="USDT")
    assert positions["list"] == []
    kinds = [e["event"] for e in sim.world.events if e.get("account") == "two"]
    assert "liquidation" in kinds


async def test_a_socket_that_says_nothing_for_ten_minutes_is_cut(sim, monkeypatch):
    monkeypatch.setattr("monitor.simulator.bybit_stream._IDLE", timedelta(0))
    async with opened(sim, LINEAR) as socket:
        message = await asyncio.wait_for(socket.receive(), 5)
    assert message.type in {aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR}


async def test_a_change_that_can_t_be_made_is_refused(sim):
    url = f"http://{sim.host}:{sim.port}/sim/bybit/change"
    wrong = [
        {"account": "nobody", "coin": "USDT", "amount": "1"},
        {"account": "two", "symbol": "SOLUSDT", "contracts": "1"},
        {"account": "two", "coin": "USDT", "amount": "much"},
        {"coin": "USDT"},
    ]
    async with aiohttp.ClientSession() as session:
        for body in wrong:
            async with session.post(url, json=body) as reply:
                assert reply.status == 400, body
