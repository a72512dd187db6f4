"""The pretended Binance's sockets, over loopback; ticks are given by hand, not waited for."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import aiohttp
import pytest

from monitor.simulator.binance import Binance
from monitor.simulator.binance_accounts import BinanceState
from monitor.simulator.binance_auth import Refused
from monitor.simulator.server import Simulation, running
from monitor.simulator.world import World
from tests.simulator.binance_client import listen_key, opened
from tests.simulator.scenes import BINANCE, HEDGED, scene

D = Decimal


@pytest.fixture
async def sim(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Simulation]:
    monkeypatch.setattr(Binance, "cadence_seconds", 3600.0)
    async with running(scene(BINANCE, HEDGED)) as simulation:
        yield simulation


async def steered(sim: Simulation, wish: str, **words: object) -> int:
    url = f"http://{sim.host}:{sim.port}/sim/binance/{wish}"
    async with aiohttp.ClientSession() as session, session.post(url, json=words) as reply:
        return reply.status


async def test_a_mark_stream_says_the_mark_that_rest_says(sim: Simulation) -> None:
    async with opened(sim, "/market/ws") as client:
        ack = await client.send("SUBSCRIBE", "btcusdt@markPrice@1s")
        sim.world.pin("BTC", D("59999.5"))
        await sim.tick()
        frame = await client.receive()
    assert ack == {"result": None, "id": 1}
    assert (frame["e"], frame["s"], frame["p"]) == (
        "markPriceUpdate",
        "BTCUSDT",
        "59999.50000000",
    )
    assert set(frame) == {"e", "E", "s", "p", "ap", "P", "i", "r", "T", "st"}
    assert frame["st"] == 1


async def test_combined_streams_are_wrapped_and_may_be_asked_for_in_the_address(
    sim: Simulation,
) -> None:
    path = "/market/stream?streams=btcusdt@markPrice@1s/ethusdc@markPrice@1s"
    async with opened(sim, path) as client:
        await sim.tick()
        frames = [await client.receive() for _ in range(2)]
    assert [frame["stream"] for frame in frames] == [
        "btcusdt@markPrice@1s",
        "ethusdc@markPrice@1s",
    ]
    assert frames[1]["data"]["s"] == "ETHUSDC"


async def test_without_the_suffix_marks_come_every_third_second(sim: Simulation) -> None:
    async with opened(sim, "/market/ws/btcusdt@markPrice") as client:
        for _ in range(6):
            await sim.tick()
        assert [(await client.receive())["e"] for _ in range(2)] == ["markPriceUpdate"] * 2
        assert await client.silent()


async def test_the_array_mixes_in_coin_margined_symbols_and_splits_off_tradfi(
    sim: Simulation,
) -> None:
    async with opened(sim, "/market/ws/!markPrice@arr@1s") as client:
        await sim.tick()
        crypto, tradfi = await client.receive(), await client.receive()
    kinds = {frame["s"]: frame["st"] for frame in crypto}
    assert kinds["BTCUSDT"] == 1
    assert kinds["BTCUSD_PERP"] == 2
    assert "XAUUSDT" not in kinds
    assert [frame["s"] for frame in tradfi] == ["XAUUSDT"]


async def test_asset_rates(sim: Simulation) -> None:
    async with opened(sim, "/market/ws/!assetIndex@arr/btcusd@assetIndex") as client:
        await sim.tick()
        every, btc = await client.receive(), await client.receive()
    assert (btc["s"], btc["B"], btc["A"]) == ("BTCUSD", "57000.00000000", "63000.00000000")
    assert [row["B"] for row in every if row["s"] == "BTCUSD"] == [btc["B"]]
    assert set(btc) == set("eEsibaBAqgQG")


async def test_an_unrouted_path_acknowledges_and_stays_silent(sim: Simulation) -> None:
    for path in ("/ws", "/stream", "/public/ws"):
        async with opened(sim, path) as client:
            ack = await client.send("SUBSCRIBE", "btcusdt@markPrice@1s")
            assert ack == {"result": None, "id": 1}
            await sim.tick()
            assert await client.silent()


async def test_names_in_upper_case_are_acknowledged_and_never_come(sim: Simulation) -> None:
    async with opened(sim, "/market/ws") as client:
        await client.send("SUBSCRIBE", "BTCUSDT@markPrice@1s")
        await sim.tick()
        assert await client.silent()


async def test_a_stream_ends_with_its_subscription(sim: Simulation) -> None:
    async with opened(sim, "/market/ws") as client:
        await client.send("SUBSCRIBE", "btcusdt@markPrice@1s", "ethusdt@markPrice@1s")
        await client.send("UNSUBSCRIBE", "btcusdt@markPrice@1s")
        listed = await client.send("LIST_SUBSCRIPTIONS")
        assert listed["result"] == ["ethusdt@markPrice@1s"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('{"method":"SHOUT","params":[],"id":1}', 2),
        ('{"method":"SUBSCRIBE","params":"btcusdt@markPrice","id":1}', 2),
        ("[]", 2),
        ("not json", 3),
    ],
)
async def test_a_wrong_request_is_answered_with_an_error(
    sim: Simulation, text: str, code: int
) -> None:
    async with opened(sim, "/market/ws") as client:
        await client.socket.send_str(text)
        assert (await client.receive())["error"]["code"] == code


async def test_more_than_ten_messages_a_second_end_the_connection(sim: Simulation) -> None:
    async with opened(sim, "/market/ws") as client:
        for _ in range(12):
            await client.socket.send_str('{"method":"LIST_SUBSCRIPTIONS","id":1}')
        answers = 0
        while (message := await client.socket.receive(timeout=5)).type is aiohttp.WSMsgType.TEXT:
            answers += 1
        assert message.type is aiohttp.WSMsgType.CLOSE
        assert answers <= 10
        assert client.socket.close_code == 1008


async def test_a_liquidation_is_told_on_the_private_stream(sim: Simulation) -> None:
    key = await listen_key(sim, "sim-hedged-key")
    async with opened(sim, f"/private/ws?listenKey={key}") as client:
        sim.world.pin("BTC", D(18640))
        await sim.tick()
        frames = [await client.receive() for _ in range(6)]
    orders, (account, cleared) = frames[:4], frames[4:]
    assert [frame["e"] for frame in orders] == ["ORDER_TRADE_UPDATE"] * 4
    assert all(frame["o"]["c"].startswith("autoclose-") for frame in orders)
    assert [(o["o"]["S"], o["o"]["ps"], o["o"]["q"], o["o"]["x"], o["o"]["l"]) for o in orders] == [
        ("SELL", "LONG", "0.3", "NEW", "0"),
        ("SELL", "LONG", "0.3", "TRADE", "0.3"),
        ("BUY", "SHORT", "0.1", "NEW", "0"),
        ("BUY", "SHORT", "0.1", "TRADE", "0.1"),
    ]
    assert (account["e"], account["a"]["m"]) == ("ACCOUNT_UPDATE", "ORDER")
    assert [(p["s"], p["ps"], p["pa"]) for p in account["a"]["P"]] == [
        ("BTCUSDT", "LONG", "0"),
        ("BTCUSDT", "SHORT", "0"),
    ]
    assert account["a"]["B"] == [{"a": "USDT", "wb": "0.00000000", "cw": "0.00000000", "bc": "0"}]
    assert (cleared["a"]["m"], cleared["a"]["P"]) == ("INSURANCE_CLEAR", [])
    assert cleared["a"]["B"][0]["bc"] == "65.2"


async def test_a_margin_call_comes_once_when_the_pool_is_at_eighty_percent(
    sim: Simulation,
) -> None:
    key = await listen_key(sim, "sim-hedged-key")
    async with opened(sim, f"/private/ws/{key}") as client:
        sim.world.pin("BTC", D(18680))  # 29.888 of 36: 83 %
        await sim.tick()
        await sim.tick()
        call = await client.receive()
        assert await client.silent()
    assert (call["e"], call["cw"]) == ("MARGIN_CALL", "8000.00000000")
    assert [(p["s"], p["ps"], p["pa"], p["mt"]) for p in call["p"]] == [
        ("BTCUSDT", "LONG", "0.3", "CROSSED"),
        ("BTCUSDT", "SHORT", "-0.1", "CROSSED"),
    ]
    assert call["p"][0]["mm"] == "22.41600000"  # 0.3 x 18,680 x 0.4 %


async def test_one_account_does_not_hear_of_another(sim: Simulation) -> None:
    key = await listen_key(sim, "sim-one-key")
    async with opened(sim, f"/private/ws?listenKey={key}") as client:
        sim.world.pin("BTC", D(58000))  # one: 1,000.5 - 300 is far from the end
        sim.world.fault("binance", "stall", path="/market")
        await sim.tick()
        assert await client.silent()


async def test_a_deleted_listen_key_silences_every_stream_of_the_account(
    sim: Simulation,
) -> None:
    key = await listen_key(sim, "sim-one-key")
    async with (
        opened(sim, f"/private/ws?listenKey={key}") as client,
        opened(sim, f"/private/ws/{key}") as other,
    ):
        await listen_key(sim, "sim-one-key", "DELETE")
        await steered(sim, "funding", account="one", symbol="BTCUSDT", rate="0.001")
        await sim.tick()
        assert await client.silent()  # nobody is told of it
        assert await other.silent()
    assert not await listen_key(sim, "sim-one-key", "PUT")
    assert await listen_key(sim, "sim-one-key") != key


async def test_a_listen_key_that_runs_out_is_told_and_then_silence(sim: Simulation) -> None:
    key = await listen_key(sim, "sim-one-key")
    async with opened(sim, f"/private/ws?listenKey={key}") as client:
        assert await steered(sim, "listen-key", account="one") == 200
        await sim.tick()
        assert (await client.receive())["e"] == "listenKeyExpired"
        await steered(sim, "funding", account="one", symbol="BTCUSDT", rate="0.001")
        await sim.tick()
        assert await client.silent()


async def test_a_listen_key_lives_for_an_hour_from_its_last_renewal() -> None:
    account = BinanceState(World(scene(BINANCE))).accounts[0].streams["usd"]
    noon = datetime(2026, 11, 22, 12, tzinfo=UTC)
    key = account.renew_listen_key(noon)
    assert account.extend_listen_key(noon + timedelta(minutes=59)) == key
    assert account.extend_listen_key(noon + timedelta(minutes=118)) == key
    with pytest.raises(Refused) as refused:
        account.extend_listen_key(noon + timedelta(minutes=178))
    assert refused.value.code == -1125
    assert account.renew_listen_key(noon + timedelta(minutes=178)) != key


async def test_funding_of_a_cross_position_is_told_without_positions(sim: Simulation) -> None:
    key = await listen_key(sim, "sim-one-key")
    async with opened(sim, f"/private/ws?listenKey={key}") as client:
        await steered(sim, "funding", account="one", symbol="BTCUSDT", rate="0.001")
        await steered(sim, "funding", account="one", symbol="SOLUSDT", rate="0.001")
        await sim.tick()
        crossed, isolated = await client.receive(), await client.receive()
    assert crossed["a"] == {
        "m": "FUNDING_FEE",
        "B": [{"a": "USDT", "wb": "1054.50000000", "cw": "994.50000000", "bc": "-6"}],
        "P": [],
        "S": "BTCUSDT",
    }  # 1,000.5 - 6,000 x 0.1 %
    assert isolated["a"]["P"][0]["iw"] == "59.55000000"  # 60 - 450 x 0.1 %
    assert isolated["a"]["B"][0]["cw"] == "994.50000000"


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ("funding", {"account": "nobody", "symbol": "BTCUSDT", "rate": "0.1"}),
        ("funding", {"account": "one", "symbol": "NOUSDT", "rate": "0.1"}),
        ("funding", {"account": "one", "symbol": "BTCUSDT", "rate": "much"}),
        ("brackets", {"symbol": "NOUSDT", "rows": "1 .1 1"}),
        ("brackets", {"symbol": "BTCUSDT", "rows": "1 .1"}),
        ("listen-key", {"account": "nobody"}),
        ("listen-key", {}),
    ],
)
async def test_a_wish_that_can_not_be_fulfilled_is_refused(
    sim: Simulation, wish: str, words: dict[str, str]
) -> None:
    assert await steered(sim, wish, **words) == 400


async def test_a_connection_lives_for_a_day(
    sim: Simulation, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(sim, "/market/ws") as client:
        await sim.tick()
        assert await client.silent()
        monkeypatch.setattr("monitor.simulator.binance_stream._LIFE", timedelta(0))
        await sim.tick()
        assert (await client.socket.receive(timeout=5)).type is aiohttp.WSMsgType.CLOSED


async def test_the_server_pings(sim: Simulation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.simulator.binance_stream._PING_SECONDS", 1)
    url = sim.ws_url("binance") + "/market/ws"
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(url, autoping=False) as socket,
    ):
        await sim.tick()
        assert (await socket.receive(timeout=5)).type is aiohttp.WSMsgType.PING


async def test_an_unknown_listen_key_is_silence(sim: Simulation) -> None:
    async with opened(sim, "/private/ws?listenKey=nonsense") as client:
        await sim.tick()
        assert await client.silent()


async def test_brackets_that_change_are_told_as_contract_news(sim: Simulation) -> None:
    binance = sim.world.exchanges[0]
    assert isinstance(binance, Binance)
    async with opened(sim, "/market/ws/!contractInfo") as client:
        await sim.tick()
        assert await client.silent()
        words = {"symbol": "SOLUSDT", "rows": "1000 .02 20; 5000000 .5 1"}
        assert await steered(sim, "brackets", **words) == 200
        await sim.tick()
        news = await client.receive()
    assert (news["e"], news["s"]) == ("contractInfo", "SOLUSDT")
    assert news["bks"][1] == {
        "bs": 2,
        "bnf": 1000,
        "bnc": 5000000,
        "mmr": 0.5,
        "cf": 480.0,
        "mi": 1,
        "ma": 1,
    }
    isolated = next(p for p in binance.pools("one") if p.pool == "isolated/SOLUSDT")
    assert isolated.maintenance_margin == 450 * D("0.02")


async def test_the_server_s_end_closes_its_sockets() -> None:
    async with aiohttp.ClientSession() as session:
        async with running(scene(BINANCE)) as sim:
            socket = await session.ws_connect(sim.ws_url("binance") + "/market/ws")
        async with asyncio.timeout(5):
            message = await socket.receive()
        assert message.type in {aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED}
        await socket.close()
