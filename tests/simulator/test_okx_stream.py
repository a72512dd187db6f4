"""The sockets of the pretended OKX."""

import asyncio
import contextlib
import json
import time
from datetime import timedelta
from decimal import Decimal

import aiohttp
import pytest

from monitor.simulator import okx_auth
from monitor.simulator.server import running
from tests.simulator.scenes import scene
from tests.simulator.unified import MARKET, OKX, OKX_OTHERS, sample, steer, truth

D = Decimal
MOVING = MARKET.replace("start = 95000", 'start = 95000\nnoise_rate = "0.0001"')
MARK = {"channel": "mark-price", "instId": "BTC-USDT-SWAP"}


@pytest.fixture
async def sim():
    async with running(scene(OKX, OKX_OTHERS, market=MOVING)) as simulation:
        yield simulation


@contextlib.asynccontextmanager
async def opened(sim, kind):
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{sim.ws_url('okx')}/ws/v5/{kind}") as socket,
    ):
        yield socket


async def text(socket):
    return await asyncio.wait_for(socket.receive_str(), 5)


async def frame(socket):
    return json.loads(await text(socket))


async def until(socket, **words):
    """The next frame that holds these words."""
    while True:
        got = await frame(socket)
        if all(got.get(key) == value for key, value in words.items()):
            return got


async def pushed(socket, channel):
    """The next data frame of a channel."""
    while True:
        got = await frame(socket)
        if "data" in got and got["arg"]["channel"] == channel:
            return got


async def subscribed(socket, **arg):
    await socket.send_json({"id": "1", "op": "subscribe", "args": [arg]})
    acknowledged = await until(socket, event="subscribe")
    assert acknowledged["id"] == "1"
    assert acknowledged["arg"] == arg
    return acknowledged


def login(account="futures", **changed):
    stamp = str(int(time.time()))
    arg = {
        "apiKey": f"sim-{account}-key",
        "passphrase": f"sim-{account}-passphrase",
        "timestamp": stamp,
        "sign": okx_auth.sign(f"sim-{account}-secret", f"{stamp}GET/users/self/verify"),
    }
    return {"op": "login", "args": [arg | changed]}


@contextlib.asynccontextmanager
async def private(sim, account="futures", kind="private"):
    async with opened(sim, kind) as socket:
        await socket.send_json(login(account))
        answer = await frame(socket)
        assert (answer["event"], answer["code"], answer["msg"]) == ("login", "0", "")
        yield socket


async def test_marks_come_and_one_time_may_come_twice(sim):
    async with opened(sim, "public") as socket:
        await subscribed(socket, **MARK)
        frames = [await frame(socket) for _ in range(14)]
    assert all(set(one) == {"arg", "data"} and one["arg"] == MARK for one in frames)
    rows = [one["data"][0] for one in frames]
    assert all(set(row) == {"instType", "instId", "markPx", "ts"} for row in rows)
    times = [int(row["ts"]) for row in rows]
    assert times == sorted(times)
    twice = [n for n in range(1, len(times)) if times[n] == times[n - 1]]
    assert twice
    # of two with one time the later is the new one, the earlier repeats what was known
    assert rows[twice[0] - 1]["markPx"] == rows[twice[0] - 2]["markPx"]


async def test_the_mark_on_the_wire_is_the_one_in_the_ledger(sim):
    async with opened(sim, "public") as socket:
        await subscribed(socket, **MARK)
        await steer(sim, "price", base="BTC", price="95321.5")
        async with asyncio.timeout(5):
            while (await frame(socket))["data"][0]["markPx"] != "95321.5":
                pass
    pools = await truth(sim, "futures")
    assert pools[0]["positions"][0]["mark"] == "95321.5"


@pytest.mark.parametrize(
    ("inst_id", "kind", "price"),
    [("BTC-USDT-261225", "FUTURES", "95114"), ("BTC-USDT", "MARGIN", "95000")],
)
async def test_marks_of_dated_contracts_and_of_pairs(sim, inst_id, kind, price):
    async with opened(sim, "public") as socket:
        await subscribed(socket, channel="mark-price", instId=inst_id)
        await steer(sim, "price", base="BTC", price="95000")
        async with asyncio.timeout(5):
            while (row := (await frame(socket))["data"][0])["markPx"] != price:
                pass
    assert (row["instType"], row["instId"]) == (kind, inst_id)


async def test_funding_is_pushed(sim):
    async with private(sim) as socket:
        await subscribed(socket, channel="balance_and_position")
        await subscribed(socket, channel="positions", instType="ANY")
        await steer(sim, "okx/funding", account="futures", rate="0.001")
        async with asyncio.timeout(5):
            while True:
                event = (await pushed(socket, "balance_and_position"))["data"][0]
                if event["eventType"] == "funding_fee":
                    break
            rows = {}
            while len(rows) < 3:
                pushed_rows = await pushed(socket, "positions")
                if pushed_rows["eventType"] == "event_update":
                    row = pushed_rows["data"][0]
                    rows[row["instId"]] = row
    # what the two cross positions paid is off the cash
    assert D(event["balData"][0]["cashBal"]) < 1300
    # 0.1 % of 50 SOL at some 171
    assert abs(D(rows["SOL-USDT-SWAP"]["margin"]) - (1800 - D("8.55"))) < D("0.01")


async def test_another_mode_is_pushed(sim):
    async with private(sim) as socket:
        await subscribed(socket, channel="account")
        await until(socket, eventType="snapshot")
        await steer(sim, "okx/mode", account="futures", mode="multi_currency")
        update = await until(socket, eventType="event_update")
    assert D(update["data"][0]["adjEq"]) > 0
    assert {detail["mgnRatio"] for detail in update["data"][0]["details"]} == {""}


async def test_the_index_of_a_coin_in_dollars(sim):
    async with opened(sim, "public") as socket:
        await subscribed(socket, channel="index-tickers", instId="USDT-USD")
        assert (await frame(socket))["data"][0]["idxPx"] == "0.9995"


async def test_a_text_ping_has_a_text_pong(sim):
    async with opened(sim, "public") as socket:
        await socket.send_str("ping")
        assert await text(socket) == "pong"


@pytest.mark.parametrize(
    ("kind", "arg", "code"),
    [
        ("public", {"channel": "mark-price", "instId": "NO-USDT-SWAP"}, "60018"),
        ("public", {"channel": "nothing"}, "60018"),
        ("private", {"channel": "mark-price", "instId": "BTC-USDT-SWAP"}, "60018"),
        ("private", {"channel": "orders-algo", "instType": "ANY"}, "60018"),
        ("private", {"channel": "account"}, "60011"),
        ("business", {"channel": "orders-algo", "instType": "ANY"}, "60011"),
        ("public", {"instId": "BTC-USDT-SWAP"}, "60012"),
    ],
)
async def test_a_subscription_that_is_refused(sim, kind, arg, code):
    async with opened(sim, kind) as socket:
        await socket.send_json({"id": "9", "op": "subscribe", "args": [arg]})
        answer = await frame(socket)
    assert (answer["event"], answer["code"], answer["id"]) == ("error", code, "9")


async def test_what_is_no_request(sim):
    async with opened(sim, "public") as socket:
        for wrong in ("nonsense", '{"op":"dance","args":[]}', "[]"):
            await socket.send_str(wrong)
            assert (await frame(socket))["code"] == "60012"


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"passphrase": "wrong"}, "60024"),
        ({"sign": "wrong"}, "60007"),
        ({"apiKey": "nobody"}, "60005"),
        ({"timestamp": "1704876947"}, "60006"),
        ({"timestamp": ""}, "60004"),
    ],
)
async def test_a_login_that_fails(sim, changed, code):
    async with opened(sim, "private") as socket:
        await socket.send_json(login(**changed))
        answer = await frame(socket)
        assert (answer["event"], answer["code"]) == ("error", code)
        await socket.send_json({"op": "subscribe", "args": [{"channel": "account"}]})
        assert (await frame(socket))["code"] == "60011"


async def test_a_private_channel_counts_its_connections(sim):
    async with private(sim) as first, private(sim) as second:
        await subscribed(first, channel="account")
        assert (await until(first, event="channel-conn-count"))["connCount"] == "1"
        await subscribed(second, channel="account")
        count = await until(second, event="channel-conn-count")
        assert (count["channel"], count["connCount"]) == ("account", "2")


async def test_the_account_comes_in_pages(sim):
    theirs = sample("okx", "handle_balance", number=0)
    async with private(sim, "multi") as socket:
        await subscribed(socket, channel="account")
        pages = [await until(socket, eventType="snapshot") for _ in range(2)]
    assert [(page["curPage"], page["lastPage"]) for page in pages] == [(1, False), (2, True)]
    assert set(pages[0]) == set(theirs)
    assert set(theirs["data"][0]) <= set(pages[0]["data"][0])
    detail = pages[0]["data"][0]["details"][0]
    assert set(theirs["data"][0]["details"][0]) == set(detail)
    names = [one["ccy"] for page in pages for one in page["data"][0]["details"]]
    assert names == ["USDT", "BTC", "ETH", "SOL", "XRP", "DOGE"]


async def test_the_positions_come_as_a_snapshot(sim):
    theirs = sample("okx", "handle_positions")
    async with private(sim) as socket:
        await subscribed(socket, channel="positions", instType="ANY")
        page = await until(socket, eventType="snapshot")
    assert (page["curPage"], page["lastPage"]) == (1, True)
    assert page["arg"]["uid"] == "44705892343619584"
    assert [row["instId"] for row in page["data"]] == [
        "BTC-USDT-SWAP",
        "ETH-USDT-SWAP",
        "SOL-USDT-SWAP",
    ]
    assert set(theirs["data"][0]) <= set(page["data"][0])


async def test_the_account_repeats_itself_unless_told_not_to(sim, monkeypatch):
    monkeypatch.setattr("monitor.simulator.okx_stream._REGULAR", timedelta(seconds=0.2))
    async with private(sim) as loud, private(sim) as quiet:
        await subscribed(loud, channel="account")
        for _ in range(3):
            await until(loud, eventType="snapshot")
        await subscribed(quiet, channel="account", extraParams='{"updateInterval":"0"}')
        await until(quiet, eventType="snapshot")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(quiet.receive_str(), 1)


async def test_a_transfer_is_told_at_once(sim):
    async with private(sim) as socket:
        await subscribed(socket, channel="balance_and_position")
        first = await pushed(socket, "balance_and_position")
        assert first["data"][0]["eventType"] == "snapshot"
        await steer(sim, "okx/change", account="futures", coin="USDT", amount="-100")
        told = await pushed(socket, "balance_and_position")
    row = told["data"][0]
    assert row["eventType"] == "transferred"
    assert row["balData"][0]["cashBal"] == "1200"
    assert [one["ccy"] for one in row["balData"]] == ["USDT"]
    assert row["posData"] == row["trades"] == [], "no position was touched"
    assert {one["pos"] for one in first["data"][0]["posData"]} == {"20", "-30", "50"}


async def test_a_closed_position_comes_once_more_with_size_zero(sim):
    async with private(sim) as socket:
        await subscribed(socket, channel="positions", instType="SWAP")
        await until(socket, eventType="snapshot")
        body = {"account": "futures", "symbol": "SOL-USDT-SWAP", "contracts": "0"}
        await steer(sim, "okx/change", **body)
        told = await until(socket, eventType="event_update")
    assert "lastPage" not in told
    (row,) = told["data"]
    assert (row["instId"], row["pos"], row["mgnRatio"]) == ("SOL-USDT-SWAP", "0", "")
    cash = sim.world.exchanges[0].accounts[0].ledger.cash["USDT"]
    assert cash == 1300 + 1350  # its margin and its loss come back


async def test_the_exchange_warns_once_at_three_hundred_percent(sim):
    async with private(sim) as socket:
        await subscribed(socket, channel="liquidation-warning", instType="ANY")
        await steer(sim, "okx/change", account="futures", coin="USDT", amount="1000")
        await steer(sim, "price", base="BTC", price="95000")
        await asyncio.sleep(0.5)
        await steer(sim, "okx/change", account="futures", coin="USDT", amount="-900")
        told = await pushed(socket, "liquidation-warning")
    (row,) = told["data"]
    names = "instId instType mgnMode posSide pos posCcy posId lever markPx mgnRatio ccy cTime "
    assert set(row) == set((names + "uTime pTime").split())
    assert row["instId"] == "BTC-USDT-SWAP"
    assert 1 < Decimal(row["mgnRatio"]) < 3


async def test_a_liquidation_is_told_on_every_channel(sim):
    async with private(sim) as socket, private(sim, kind="business") as business:
        for arg in (
            {"channel": "account"},
            {"channel": "positions", "instType": "ANY"},
            {"channel": "balance_and_position"},
        ):
            await subscribed(socket, **arg)
        await subscribed(business, channel="orders-algo", instType="ANY")
        await steer(sim, "price", base="BTC", price="94000")
        told = {}
        async with asyncio.timeout(5):
            while len(told) < 3:
                got = await frame(socket)
                update = got.get("eventType") == "event_update"
                if got.get("arg") and (update or got["data"][0].get("eventType") == "liquidation"):
                    told.setdefault(got["arg"]["channel"], got)
            order = await pushed(business, "orders-algo")
    both = told["balance_and_position"]["data"][0]
    assert [(row["instId"], row["pos"]) for row in both["posData"]] == [
        ("BTC-USDT-SWAP", "0"),
        ("ETH-USDT-SWAP", "0"),
    ]
    usdt = next(row for row in both["balData"] if row["ccy"] == "USDT")
    assert usdt["cashBal"] == "0"
    assert told["positions"]["data"][0]["pos"] == "0"
    detail = told["account"]["data"][0]["details"][0]
    assert (detail["mgnRatio"], detail["isoEq"]) == ("", "1350"), "the isolated one lives on"
    assert order["data"][0]["state"] == "canceled"
    events = [e for e in sim.world.events if e.get("account") == "futures"]
    assert [e["event"] for e in events if e["event"] == "liquidation"] == ["liquidation"]
    pools = await truth(sim, "futures")
    assert [pool["pool"] for pool in pools] == ["isolated/SOL-USDT-SWAP"]


async def test_silence_closes_the_socket_with_4004(sim, monkeypatch):
    monkeypatch.setattr("monitor.simulator.okx_stream._SILENCE", timedelta(seconds=0.5))
    async with opened(sim, "public") as socket:
        for _ in range(4):
            await asyncio.sleep(0.3)
            await socket.send_str("ping")
            assert await text(socket) == "pong"
        message = await asyncio.wait_for(socket.receive(), 5)
    assert message.type is aiohttp.WSMsgType.CLOSE
    assert (message.data, message.extra) == (4004, "No data received in 30s.")


async def test_a_stalled_socket_counts_as_silent(sim, monkeypatch):
    monkeypatch.setattr("monitor.simulator.okx_stream._SILENCE", timedelta(seconds=0.7))
    async with opened(sim, "public") as socket:
        await subscribed(socket, **MARK)
        for _ in range(5):  # a second of data keeps it open
            await frame(socket)
        await steer(sim, "fault", exchange="okx", kind="stall")
        async with asyncio.timeout(5):
            while (message := await socket.receive()).type is aiohttp.WSMsgType.TEXT:
                pass
    assert message.data == 4004


async def test_an_upgrade_is_announced_before_the_socket_goes(sim):
    async with opened(sim, "public") as socket:
        await steer(sim, "okx/notice", seconds=1)
        notice = await frame(socket)
        assert (notice["event"], notice["code"]) == ("notice", "64008")
        message = await asyncio.wait_for(socket.receive(), 5)
    assert message.type is aiohttp.WSMsgType.CLOSE


async def test_a_deleted_key_closes_its_sockets_with_4007(sim):
    async with opened(sim, "public") as public, private(sim) as socket:
        await steer(sim, "okx/close", account="futures")
        message = await asyncio.wait_for(socket.receive(), 5)
        assert message.data == 4007
        await public.send_str("ping")
        assert await text(public) == "pong"
