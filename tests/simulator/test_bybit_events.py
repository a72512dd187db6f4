"""
What the pretended Bybit's private stream tells of every change, and its faults.

Heard by a plain `websockets` client that signs its login as the documentation says.
"""

import asyncio
import contextlib
import hashlib
import hmac
import json
from collections import Counter
from decimal import Decimal

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from monitor.simulator.server import running
from tests.simulator.scenes import milliseconds, scene
from tests.simulator.unified import BYBIT, BYBIT_OTHERS, MARKET, bybit, sample, steer

D = Decimal
TOPICS = ["position", "wallet", "order", "execution"]
SOON = 0.4


@pytest.fixture
async def sim():
    async with running(scene(BYBIT, BYBIT_OTHERS, market=MARKET)) as simulation:
        yield simulation


def login(account, secret=None):
    expires = milliseconds() + 10_000
    key = (secret or f"sim-{account}-secret").encode()
    signature = hmac.new(key, f"GET/realtime{expires}".encode(), hashlib.sha256).hexdigest()
    return {"op": "auth", "args": [f"sim-{account}-key", expires, signature]}


async def said(socket, message):
    await socket.send(json.dumps(message))
    return json.loads(await asyncio.wait_for(socket.recv(), 5))


@contextlib.asynccontextmanager
async def private(sim, account="two", topics=TOPICS):
    async with connect(f"{sim.ws_url('bybit')}/v5/private", compression=None) as socket:
        answer = await said(socket, login(account))
        assert (answer["op"], answer["success"]) == ("auth", True)
        answer = await said(socket, {"op": "subscribe", "args": list(topics)})
        assert (answer["op"], answer["success"]) == ("subscribe", True)
        yield socket


async def heard(socket, seconds=SOON):
    """Every frame until none has come for so long."""
    found = []
    with contextlib.suppress(TimeoutError):
        while True:
            found.append(json.loads(await asyncio.wait_for(socket.recv(), seconds)))
    return found


def row_of(frames, topic, number=0):
    return next(frame for frame in frames if frame["topic"] == topic)["data"][number]


def kinds(frames):
    return Counter(frame["topic"] for frame in frames)


async def test_a_trade_is_told_as_order_fill_position_and_wallet(sim):
    async with private(sim) as socket:
        body = {"account": "two", "symbol": "BTCUSDT", "side": "long", "contracts": "0.2"}
        await steer(sim, "bybit/change", **body)
        told = await heard(socket)
    assert [frame["topic"] for frame in told] == ["order", "execution", "position", "wallet"]
    order, fill = row_of(told, "order"), row_of(told, "execution")
    assert (order["orderStatus"], order["createType"]) == ("Filled", "CreateByUser")
    assert (fill["execType"], fill["side"], fill["execQty"]) == ("Trade", "Sell", "0.3")
    assert fill["orderId"] == order["orderId"]
    # 0.3 of a long from 100,000, at 95,000 of this market: 1,500 lost, no fee here
    assert fill["execPnl"] == "-1500"
    position = row_of(told, "position")
    assert (position["size"], position["entryPrice"]) == ("0.2", "100000")
    assert "avgPrice" not in position
    assert set(sample("bybit", "handle_positions")["data"][0]) - {"positionBalance"} <= set(
        position
    )
    assert row_of(told, "wallet")["coin"][0]["walletBalance"] == "10500"
    (line,) = (await bybit(sim, "two", "/v5/account/transaction-log"))["list"]
    assert (line["tradeId"], line["change"]) == (fill["execId"], "-1500")


async def test_a_new_position_is_told_and_listed(sim):
    body = {"account": "two", "symbol": "SOLUSDT", "side": "short", "contracts": "10"}
    async with private(sim) as socket:
        await steer(sim, "bybit/open", **body, leverage="20")
        told = await heard(socket)
    position = row_of(told, "position")
    assert (position["symbol"], position["side"], position["size"]) == ("SOLUSDT", "Sell", "10")
    assert position["leverage"] == "20"
    asked = {"category": "linear", "symbol": "SOLUSDT"}
    (row,) = (await bybit(sim, "two", "/v5/position/list", **asked))["list"]
    assert (row["size"], row["seq"]) == ("10", position["seq"])


async def test_a_sequence_goes_up_with_trades_alone(sim):
    asked = {"category": "linear", "symbol": "BTCUSDT"}

    async def listed():
        (row,) = (await bybit(sim, "two", "/v5/position/list", **asked))["list"]
        return row["seq"]

    before = await listed()
    await asyncio.sleep(0.02)
    assert await listed() == before, "a reading is no trade"
    body = {"account": "two", "symbol": "BTCUSDT", "side": "long"}
    await steer(sim, "bybit/change", **body, contracts="0.4")
    once = await listed()
    await steer(sim, "bybit/change", **body, contracts="0.3")
    assert before < once < await listed()


async def test_orders_come_and_go_with_their_margin(sim):
    body = {"account": "two", "id": "one", "symbol": "BTCUSDT", "side": "buy", "price": "90000"}
    async with private(sim) as socket:
        await steer(sim, "bybit/order", **body, contracts="0.1")
        placed = await heard(socket)
        await steer(sim, "bybit/order", **body, contracts="0")
        gone = await heard(socket)
    assert kinds(placed) == kinds(gone) == {"order": 1, "position": 1, "wallet": 1}
    assert row_of(placed, "order")["orderStatus"] == "New"
    # 0.1 x 90,000 / 10 and the two fees of 0.055 %: 900 + 4.95 + 4.455
    assert row_of(placed, "wallet")["coin"][0]["totalOrderIM"] == "909.405"
    assert row_of(gone, "order")["orderStatus"] == "Cancelled"
    assert row_of(gone, "wallet")["coin"][0]["totalOrderIM"] == "0"


async def test_funding_is_a_fill_and_a_wallet(sim):
    async with private(sim) as socket:
        await steer(sim, "bybit/funding", seconds=0, rates={"BTC": "0.0001", "ETH": "0"})
        told = await heard(socket)
    fill = next(f["data"][0] for f in told if f["topic"] == "execution")
    # a long of 0.5 at 95,000 pays 47,500 x 0.01 %
    assert (fill["execType"], fill["execFee"], fill["symbol"]) == ("Funding", "4.75", "BTCUSDT")
    assert row_of(told, "wallet")["coin"][0]["walletBalance"] == "11995.25"


async def test_another_mode_comes_in_its_own_shape(sim):
    async with private(sim) as socket:
        await steer(sim, "bybit/mode", account="two", margin_mode="isolated")
        told = await heard(socket)
    assert kinds(told) == {"position": 2, "wallet": 1}
    assert row_of(told, "wallet")["totalMarginBalance"] == ""


@pytest.mark.parametrize(
    ("cause", "exec_type", "create_type", "booking"),
    [
        ("liquidation", "Trade", "CreateByLiq", "LIQUIDATION"),
        ("adl", "AdlTrade", "CreateByAdl_PassThrough", "ADL"),
        ("settlement", "Settle", "CreateBySettle", "DELIVERY"),
        ("takeover", "BustTrade", "CreateByTakeOver_PassThrough", "LIQUIDATION"),
    ],
)
async def test_what_the_exchange_takes_names_its_cause(sim, cause, exec_type, create_type, booking):
    body = {"account": "two", "symbol": "ETHUSDT", "side": "short", "contracts": "4"}
    async with private(sim) as socket:
        await steer(sim, "bybit/take", **body, cause=cause)
        told = await heard(socket)
    fill, order = row_of(told, "execution"), row_of(told, "order")
    assert (fill["execType"], fill["createType"]) == (exec_type, create_type)
    assert (fill["side"], fill["execQty"]) == ("Buy", "4")
    assert (order["createType"], order["orderId"]) == (create_type, fill["orderId"])
    assert row_of(told, "position")["size"] == "6"
    (line,) = (await bybit(sim, "two", "/v5/account/transaction-log"))["list"]
    assert (line["type"], line["orderId"]) == (booking, fill["orderId"])


async def test_a_lowered_risk_limit_and_a_status_stand_in_both(sim):
    body = {"account": "two", "symbol": "BTCUSDT", "side": "long"}
    async with private(sim) as socket:
        await steer(sim, "bybit/standing", **body, reduce_only=True, rises_in_seconds=3600)
        await steer(sim, "bybit/standing", **body, status="Adl", rises_in_seconds=3600)
        told = await heard(socket)
    assert kinds(told) == {"position": 2}
    (row,) = (await bybit(sim, "two", "/v5/position/list", category="linear", symbol="BTCUSDT"))[
        "list"
    ]
    for each in (told[1]["data"][0], row):
        assert (each["positionStatus"], each["isReduceOnly"]) == ("Adl", True)
        assert abs(int(each["mmrSysUpdatedTime"]) - milliseconds() - 3_600_000) < 5000


async def test_both_legs_of_a_hedge_come_and_a_closed_one_is_empty(sim):
    async with private(sim, "hedged") as socket:
        body = {"account": "hedged", "symbol": "BTCUSDT"}
        await steer(sim, "bybit/open", **body, side="short", contracts="0.1")
        first = row_of(await heard(socket), "position")
        await steer(sim, "bybit/change", **body, side="long", contracts="0")
        told = await heard(socket)
    assert first["positionIdx"] == 1
    legs = next(f for f in told if f["topic"] == "position")["data"]
    assert [(leg["positionIdx"], leg["side"], leg["size"]) for leg in legs] == [
        (2, "Sell", "0.1"),
        (1, "", "0"),
    ]


async def test_what_can_t_be_done_is_refused(sim):
    for route, body in {
        "open": {"account": "two", "symbol": "BTCUSDT", "side": "long", "contracts": "1"},
        "take": {
            "account": "two",
            "symbol": "BTCUSDT",
            "side": "long",
            "contracts": "9",
            "cause": "adl",
        },
        "standing": {"account": "two", "symbol": "SOLUSDT", "side": "long"},
        "order": {"account": "two", "id": "1", "symbol": "NONE", "side": "buy", "contracts": "1"},
    }.items():
        with pytest.raises(AssertionError):
            await steer(sim, f"bybit/{route}", **body)


# --- faults


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        ("login", None, "Params Error"),
        ("login", "33004", "Your api key has expired."),
        ("bad_key", None, "API key is invalid."),
        ("ip", None, "Unmatched IP, please check your API key's bound IP addresses."),
    ],
)
async def test_a_login_is_refused_while_the_fault_holds(sim, kind, value, words):
    sim.world.fault("bybit", kind, path="/v5/private", value=value)
    async with connect(f"{sim.ws_url('bybit')}/v5/private") as socket:
        answer = await said(socket, login("two"))
        assert (answer["success"], answer["ret_msg"]) == (False, words)
        answer = await said(socket, {"op": "subscribe", "args": ["wallet"]})
        assert answer["success"] is False
        sim.world.clear_faults()
        assert (await said(socket, login("two")))["success"] is True


async def deposits(sim, *amounts):
    for amount in amounts:
        await steer(sim, "bybit/change", account="two", coin="USDT", amount=amount)
        await sim.tick()


def balances(frames):
    return [frame["data"][0]["coin"][0]["walletBalance"] for frame in frames]


async def test_a_silent_stream_answers_pings_and_tells_nothing(sim):
    async with private(sim) as socket:
        sim.world.fault("bybit", "stall", path="/v5/private")
        await deposits(sim, "1")
        assert (await said(socket, {"op": "ping"}))["op"] == "pong"
        sim.world.clear_faults()
        await deposits(sim, "1")
        assert balances(await heard(socket)) == ["12002"], "what was missed does not come again"


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("lost", ["12003"]),
        ("doubled", ["12001", "12001", "12002", "12002", "12003"]),
        ("swapped", ["12002", "12001", "12003"]),
    ],
)
async def test_events_are_lost_doubled_and_swapped(sim, kind, expected):
    async with private(sim, topics=["wallet"]) as socket:
        sim.world.fault("bybit", kind, path="/v5/private")
        await deposits(sim, "1", "1")
        sim.world.clear_faults()
        await deposits(sim, "1")
        assert balances(await heard(socket)) == expected


async def test_events_come_late_with_the_time_they_happened(sim):
    async with private(sim, topics=["wallet"]) as socket:
        sim.world.fault("bybit", "late", path="/v5/private", value="0.5")
        happened = milliseconds()
        await deposits(sim, "1")
        (only,) = await heard(socket, 2)
        assert milliseconds() - happened > 500
        assert abs(only["creationTime"] - happened) < 400


@pytest.mark.parametrize("frames", [1, 2, 3])
async def test_a_socket_is_cut_after_any_frame(sim, frames):
    sim.world.fault("bybit", "cut", path="/v5/private", value=str(frames))
    got = 0
    async with connect(f"{sim.ws_url('bybit')}/v5/private") as socket:
        with pytest.raises(ConnectionClosed):
            for message in (login("two"), {"op": "subscribe", "args": ["wallet"]}, {"op": "ping"}):
                await said(socket, message)
                got += 1
            await said(socket, {"op": "ping"})
    assert got == frames


async def test_garbage_is_no_json(sim):
    async with private(sim) as socket:
        sim.world.fault("bybit", "garbage", path="/v5/private")
        await deposits(sim, "1")
        text = await asyncio.wait_for(socket.recv(), 5)
        with pytest.raises(json.JSONDecodeError):
            json.loads(text)
