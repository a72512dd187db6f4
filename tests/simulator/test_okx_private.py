"""The private sockets of the pretended OKX, as a plain WebSocket client meets them."""

import asyncio
import contextlib
import json
import time
from datetime import timedelta

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from monitor.simulator import okx_auth
from monitor.simulator.server import running
from tests.simulator.scenes import scene
from tests.simulator.unified import MARKET, OKX, OKX_OTHERS, okx, steer

PRIVATE, BUSINESS = "/ws/v5/private", "/ws/v5/business"
BILLS, POSITIONS = "/api/v5/account/bills", "/api/v5/account/positions"
ACCOUNT = {"channel": "account"}
HELD = {"channel": "positions", "instType": "ANY"}
BOTH = {"channel": "balance_and_position"}
SOON = 0.6


@pytest.fixture
async def sim():
    async with running(scene(OKX, OKX_OTHERS, market=MARKET)) as simulation:
        yield simulation


def login_text(account="futures", ahead=0):
    stamp = str(int(time.time()) + ahead)
    arg = {
        "apiKey": f"sim-{account}-key",
        "passphrase": f"sim-{account}-passphrase",
        "timestamp": stamp,
        "sign": okx_auth.sign(f"sim-{account}-secret", f"{stamp}GET/users/self/verify"),
    }
    return json.dumps({"op": "login", "args": [arg]})


async def frame(socket):
    return json.loads(await asyncio.wait_for(socket.recv(), 5))


@contextlib.asynccontextmanager
async def opened(sim, path=PRIVATE):
    async with connect(sim.ws_url("okx") + path) as socket:
        yield socket


@contextlib.asynccontextmanager
async def private(sim, *args, account="futures", path=PRIVATE):
    """A socket that has logged in and subscribed; acknowledgements are read away."""
    async with opened(sim, path) as socket:
        await socket.send(login_text(account))
        assert (await frame(socket))["event"] == "login"
        for arg in args:
            await subscribed(socket, arg)
        yield socket


async def subscribed(socket, arg):
    """Ask for a channel and read up to the count that is told unasked."""
    await socket.send(json.dumps({"op": "subscribe", "args": [arg]}))
    while (told := await frame(socket)).get("event") != "subscribe":
        pass
    assert told["arg"] == arg
    count = await frame(socket)
    assert count["event"].startswith("channel-conn-count")
    return count


async def heard(socket, seconds=SOON):
    """Every data frame that comes within a while."""
    found = []
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while True:
                got = json.loads(await socket.recv())
                if "data" in got:
                    found.append(got)
    return found


async def closed(socket):
    """The code and the words with which the exchange closes."""
    with pytest.raises(ConnectionClosed) as caught:
        async with asyncio.timeout(5):
            while True:
                await socket.recv()
    return None if caught.value.rcvd is None else (caught.value.rcvd.code, caught.value.rcvd.reason)


def events(frames, channel):
    """The first row of every event of a channel."""
    return [
        got["data"][0]
        for got in frames
        if got["arg"]["channel"] == channel
        and (got.get("eventType") == "event_update" or channel == "balance_and_position")
    ]


# --- the way in


@pytest.mark.parametrize("ahead", [-28, 28])
async def test_a_login_holds_for_thirty_seconds(sim, ahead):
    async with opened(sim) as socket:
        await socket.send(login_text(ahead=ahead))
        assert (await frame(socket))["code"] == "0"


@pytest.mark.parametrize("ahead", [-32, 32])
async def test_beyond_them_it_is_refused_and_the_socket_closed(sim, ahead):
    async with opened(sim) as socket:
        await socket.send(login_text(ahead=ahead))
        told = await frame(socket)
        assert (told["event"], told["code"]) == ("error", "60006")
        assert await closed(socket) == (4001, "Login failed.")


@pytest.mark.parametrize("code", ["60005", "60006", "60024", "60032", "63999"])
async def test_a_login_may_be_refused_at_will_and_on_one_path_alone(sim, code):
    await steer(sim, "fault", exchange="okx", kind="login", path=PRIVATE, value=code)
    async with private(sim, path=BUSINESS):
        pass
    async with opened(sim) as socket:
        await socket.send(login_text())
        told = await frame(socket)
        assert (told["event"], told["code"]) == ("error", code)
        assert (await closed(socket))[0] == 4001


async def test_a_second_login_is_refused_and_the_first_one_holds(sim):
    async with private(sim) as socket:
        await socket.send(login_text("multi"))
        assert (await frame(socket))["code"] == "60031"
        await subscribed(socket, ACCOUNT)
        (told,) = await heard(socket)
    assert told["arg"]["uid"] == "44705892343619584"


async def test_one_connection_too_many_is_told_after_the_acknowledgement(sim, monkeypatch):
    monkeypatch.setattr("monitor.simulator.okx_stream._MOST_CONNECTIONS", 1)
    async with private(sim) as first, private(sim) as second, private(sim, account="multi") as none:
        assert (await subscribed(first, ACCOUNT))["event"] == "channel-conn-count"
        assert (await subscribed(second, ACCOUNT))["event"] == "channel-conn-count-error"
        # That subscription is dead, the others of this connection are not.
        assert (await subscribed(second, BOTH))["event"] == "channel-conn-count"
        assert (await subscribed(none, ACCOUNT))["event"] == "channel-conn-count"
        await steer(sim, "okx/change", account="futures", coin="USDT", amount="1")
        assert {got["arg"]["channel"] for got in await heard(first)} == {"account"}
        assert {got["arg"]["channel"] for got in await heard(second)} == {"balance_and_position"}


# --- what is told of a change


async def test_a_snapshot_comes_in_pages(sim, monkeypatch):
    monkeypatch.setattr("monitor.simulator.okx_stream._PAGE", 2)
    async with private(sim, HELD) as socket:
        pages = await heard(socket)
    assert [(page["curPage"], page["lastPage"], len(page["data"])) for page in pages] == [
        (1, False, 2),
        (2, True, 1),
    ]


async def test_of_a_transfer_only_the_coin_is_told(sim):
    async with private(sim, ACCOUNT, HELD, BOTH) as socket:
        await heard(socket)
        await steer(sim, "okx/change", account="futures", coin="BTC", amount="0.5")
        told = await heard(socket)
    (both,) = events(told, "balance_and_position")
    (row,) = events(told, "account")
    assert (both["eventType"], both["posData"], both["trades"]) == ("transferred", [], [])
    assert [(one["ccy"], one["cashBal"]) for one in both["balData"]] == [("BTC", "0.542")]
    assert [one["ccy"] for one in row["details"]] == ["BTC"]
    assert events(told, "positions") == []


async def test_of_a_fill_its_position_its_coin_and_its_trade_are_told(sim):
    async with private(sim, ACCOUNT, HELD, BOTH) as socket:
        await heard(socket)
        await steer(sim, "okx/change", account="futures", symbol="BTC-USDT-SWAP", contracts=15)
        told = await heard(socket)
    (both,) = events(told, "balance_and_position")
    (row,) = events(told, "positions")
    (account,) = events(told, "account")
    assert both["eventType"] == "filled"
    assert [(one["instId"], one["pos"]) for one in both["posData"]] == [("BTC-USDT-SWAP", "15")]
    # A quarter of 20 × 0.01 × (95,000 − 99,000) = −800 is lost for good.
    assert [(one["ccy"], one["cashBal"]) for one in both["balData"]] == [("USDT", "1100")]
    assert [one["ccy"] for one in account["details"]] == ["USDT"]
    (bill,) = await okx(sim, "futures", BILLS, type="2")
    trade = bill["tradeId"]
    assert both["trades"] == [{"instId": "BTC-USDT-SWAP", "tradeId": trade}]
    assert both["posData"][0]["tradeId"] == row["tradeId"] == trade


async def test_a_row_keeps_the_time_of_its_last_change(sim, monkeypatch):
    monkeypatch.setattr("monitor.simulator.okx_stream._REGULAR", timedelta(seconds=0.2))
    async with private(sim, ACCOUNT, HELD) as socket:
        before = await heard(socket)
        await steer(sim, "okx/change", account="futures", symbol="BTC-USDT-SWAP", contracts=15)
        await heard(socket)
        after = await heard(socket)
    rest = {row["instId"]: row["uTime"] for row in await okx(sim, "futures", POSITIONS)}

    def times(frames):
        rows = [row for got in frames for row in got["data"] if "instId" in row]
        return {(row["instId"], row["uTime"]) for row in rows}

    first, last = dict(times(before)), dict(times(after))
    assert len(times(before)) == len(times(after)) == 3, "each repeats one time"
    assert last == rest
    assert last["ETH-USDT-SWAP"] == first["ETH-USDT-SWAP"]
    assert int(last["BTC-USDT-SWAP"]) > int(first["BTC-USDT-SWAP"])
    regular = [got for got in (*before, *after) if got["arg"]["channel"] == "positions"]
    pushed = [got["data"][0]["pTime"] for got in regular]
    assert len(set(pushed)) == len(pushed) > 1, "but not one time of pushing"


@pytest.mark.parametrize(
    ("event", "left", "bill"),
    [
        ("liquidation", "5", ("5", "100")),
        ("liquidation", "0", ("5", "104")),
        ("adl", "5", ("9", "125")),
        ("delivered", "0", ("3", "112")),
    ],
)
async def test_what_the_exchange_takes_is_told_with_its_event(sim, event, left, bill):
    async with private(sim, ACCOUNT, HELD, BOTH) as socket:
        await heard(socket)
        body = {"account": "futures", "symbol": "BTC-USDT-SWAP", "contracts": left}
        await steer(sim, "okx/take", event=event, **body)
        told = await heard(socket)
    (both,) = events(told, "balance_and_position")
    (row,) = events(told, "positions")
    assert both["eventType"] == event
    assert (both["posData"][0]["pos"], row["pos"]) == (left, left)
    (entry,) = await okx(sim, "futures", BILLS)
    assert (entry["type"], entry["subType"]) == bill
    assert entry["tradeId"] == both["trades"][0]["tradeId"]
    assert entry["sz"] == str(20 - int(left))


async def test_a_part_of_the_profit_is_clawed_back(sim):
    async with private(sim, BOTH) as socket:
        await heard(socket)
        await steer(
            sim, "okx/take", account="futures", event="claw_back", coin="USDT", amount="12.5"
        )
        (told,) = events(await heard(socket), "balance_and_position")
    assert (told["eventType"], told["posData"]) == ("claw_back", [])
    assert told["balData"][0]["cashBal"] == "1287.5"
    (entry,) = await okx(sim, "futures", BILLS)
    assert (entry["type"], entry["subType"], entry["balChg"]) == ("10", "108", "-12.5")


@pytest.mark.parametrize(
    "body",
    [
        {"event": "theft", "symbol": "BTC-USDT-SWAP", "contracts": 1},
        {"event": "adl", "symbol": "BTC-USDT-SWAP", "contracts": 20},
        {"event": "adl", "symbol": "XRP-USDT-SWAP", "contracts": 1},
        {"event": "adl", "symbol": "BTC-USDT-SWAP", "contracts": "few"},
        {"event": "claw_back", "coin": "USDT", "amount": "much"},
    ],
)
async def test_what_can_t_be_taken_is_refused(sim, body):
    with pytest.raises(AssertionError, match='"ok": false'):
        await steer(sim, "okx/take", account="futures", **body)
    assert await okx(sim, "futures", BILLS) == []


async def test_a_stop_is_told_when_it_comes_and_goes(sim):
    algos = "/api/v5/trade/orders-algo-pending"
    async with private(sim, {"channel": "orders-algo", "instType": "ANY"}, path=BUSINESS) as socket:
        await steer(sim, "okx/stop", account="futures", symbol="ETH-USDT-SWAP", trigger="3700")
        (placed,) = (await heard(socket))[0]["data"]
        assert (placed["state"], placed["side"], placed["slTriggerPx"]) == ("live", "buy", "3700")
        rows = await okx(sim, "futures", algos, ordType="conditional")
        assert placed["algoId"] in {row["algoId"] for row in rows}
        await steer(sim, "okx/stop", account="futures", symbol="ETH-USDT-SWAP")
        (gone,) = (await heard(socket))[0]["data"]
    assert (gone["algoId"], gone["state"]) == (placed["algoId"], "canceled")
    rows = await okx(sim, "futures", algos, ordType="conditional")
    assert placed["algoId"] not in {row["algoId"] for row in rows}


# --- faults of the private sockets


async def test_an_event_is_lost_and_the_regular_push_tells_it(sim, monkeypatch):
    monkeypatch.setattr("monitor.simulator.okx_stream._REGULAR", timedelta(seconds=SOON))
    async with private(sim, HELD, BOTH) as socket:
        await heard(socket, 0.3)
        await steer(sim, "fault", exchange="okx", kind="lost", path=PRIVATE)
        await steer(sim, "okx/change", account="futures", symbol="BTC-USDT-SWAP", contracts=15)
        told = await heard(socket, 2 * SOON)
    assert {got.get("eventType") for got in told} == {"snapshot"}
    assert told[-1]["data"][0]["pos"] == "15"


async def test_events_come_twice(sim):
    async with private(sim, BOTH) as socket:
        await heard(socket)
        await steer(sim, "fault", exchange="okx", kind="doubled", path=PRIVATE)
        await steer(sim, "okx/change", account="futures", coin="USDT", amount="1")
        first, second = await heard(socket)
    assert first == second


async def test_events_come_out_of_order(sim):
    async with private(sim, HELD, BOTH) as socket:
        await heard(socket)
        await steer(sim, "fault", exchange="okx", kind="swapped", path=PRIVATE)
        await steer(sim, "okx/change", account="futures", symbol="BTC-USDT-SWAP", contracts=15)
        told = await heard(socket)
    assert [got["arg"]["channel"] for got in told] == ["positions", "balance_and_position"]


async def test_events_come_late(sim):
    async with private(sim, BOTH) as socket:
        await heard(socket)
        await steer(sim, "fault", exchange="okx", kind="late", path=PRIVATE, value="1.2")
        began = time.monotonic()
        await steer(sim, "okx/change", account="futures", coin="USDT", amount="1")
        await frame(socket)
    assert time.monotonic() - began >= 1.2


@pytest.mark.parametrize("after", range(7))
async def test_a_connection_breaks_at_any_moment(sim, after):
    """Before the login's answer, between two acknowledgements, before or after a snapshot."""
    await steer(sim, "fault", exchange="okx", kind="cut", path=PRIVATE, value=str(after))
    came = 0
    async with opened(sim) as socket:
        await socket.send(login_text())
        await socket.send(json.dumps({"op": "subscribe", "args": [ACCOUNT, BOTH]}))
        with contextlib.suppress(ConnectionClosed):
            async with asyncio.timeout(5):
                while True:
                    await socket.recv()
                    came += 1
    # A login, and of each channel an acknowledgement, a count and a snapshot.
    assert came == after < 1 + 2 * 3


async def test_a_silent_socket_goes_on_answering_pings_until_it_is_closed(sim, monkeypatch):
    monkeypatch.setattr("monitor.simulator.okx_stream._SILENCE", timedelta(seconds=1))
    async with private(sim, ACCOUNT) as socket:
        await heard(socket, 0.3)
        await steer(sim, "fault", exchange="okx", kind="stall", path=PRIVATE)
        await socket.send("ping")
        assert await asyncio.wait_for(socket.recv(), 5) == "pong"
        assert await closed(socket) == (4004, "No data received in 30s.")


async def test_garbage_comes_on_this_path_alone(sim):
    async with private(sim, BOTH) as socket, opened(sim, "/ws/v5/public") as public:
        await heard(socket)
        await steer(sim, "fault", exchange="okx", kind="garbage", path=PRIVATE)
        await steer(sim, "okx/change", account="futures", coin="USDT", amount="1")
        with pytest.raises(json.JSONDecodeError):
            await frame(socket)
        arg = {"channel": "mark-price", "instId": "BTC-USDT-SWAP"}
        await public.send(json.dumps({"op": "subscribe", "args": [arg]}))
        assert (await frame(public))["event"] == "subscribe"
        assert (await frame(public))["arg"] == arg


@pytest.mark.parametrize("path", [PRIVATE, BUSINESS])
async def test_a_deleted_key_closes_both_sockets(sim, path):
    async with private(sim, path=path) as socket:
        await steer(sim, "okx/close", account="futures")
        assert (await closed(socket))[0] == 4007


async def test_an_upgrade_is_announced_and_the_successor_may_come_first(sim):
    async with private(sim, ACCOUNT) as old:
        await heard(old, 0.3)
        await steer(sim, "okx/notice", seconds=1)
        while (told := await frame(old)).get("event") != "notice":
            pass
        assert told["code"] == "64008"
        async with private(sim, ACCOUNT) as new:
            assert await heard(new, 0.3)
            assert await closed(old) == (1000, "")
            await steer(sim, "okx/change", account="futures", coin="USDT", amount="1")
            assert events(await heard(new), "account")
