"""Each kind of fault once, as a client sees it, switched by `/sim/fault`."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from monitor.simulator.binance import Binance
from monitor.simulator.faults import CLOCK_KIND, KINDS, REST_KINDS, SOCKET_KINDS
from monitor.simulator.server import Simulation, running
from tests.simulator.scenes import BINANCE, binance_query, milliseconds, scene

SOON = 0.3
MARK = '{"method":"SUBSCRIBE","params":["btcusdt@markPrice@1s","ethusdt@markPrice@1s"],"id":1}'


@pytest.fixture
async def sim(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Simulation]:
    monkeypatch.setattr(Binance, "cadence_seconds", 3600.0)
    async with running(scene(BINANCE)) as simulation:
        yield simulation


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as opened:
        yield opened


async def fault(sim: Simulation, session: aiohttp.ClientSession, **words: object) -> None:
    body = {"exchange": "binance", **words}
    url = f"http://{sim.host}:{sim.port}/sim/fault"
    async with session.post(url, json=body) as reply:
        assert reply.status == 200, await reply.text()


async def account(
    sim: Simulation, session: aiohttp.ClientSession
) -> tuple[int, str, dict[str, str]]:
    url = f"{sim.url('binance')}/fapi/v3/account?{binance_query('sim-one-secret')}"
    async with session.get(url, headers={"X-MBX-APIKEY": "sim-one-key"}) as reply:
        return reply.status, await reply.text(), dict(reply.headers)


@pytest.mark.parametrize(
    ("kind", "status", "begins"),
    [
        ("html", 200, "<!DOCTYPE html>"),
        ("403_html", 403, "<!DOCTYPE html>"),
        ("5xx", 503, "<!DOCTYPE html>"),
        ("null", 200, "null"),
        ("empty_list", 200, "[]"),
        ("429", 429, '{"code": -1003, "msg": "Too many requests'),
        ("418", 418, '{"code": -1003, "msg": "Way too many requests; IP(127.0.0.1) banned until'),
        ("bad_key", 401, '{"code": -2014'),
        ("no_permission", 401, '{"code": -2015'),
        ("ip", 401, '{"code": -2015'),
    ],
)
async def test_an_answer_under_a_fault(
    sim: Simulation, session: aiohttp.ClientSession, kind: str, status: int, begins: str
) -> None:
    await fault(sim, session, kind=kind)
    got, text, _ = await account(sim, session)
    assert got == status
    assert text.startswith(begins)


async def test_any_body_that_is_asked_for(sim: Simulation, session: aiohttp.ClientSession) -> None:
    await fault(sim, session, kind="body", value='{"a": 1}')
    assert (await account(sim, session))[:2] == (200, '{"a": 1}')


async def test_an_empty_body(sim: Simulation, session: aiohttp.ClientSession) -> None:
    await fault(sim, session, kind="empty")
    assert (await account(sim, session))[:2] == (200, "")


async def test_a_cut_answer_is_no_json(sim: Simulation, session: aiohttp.ClientSession) -> None:
    whole = (await account(sim, session))[1]
    await fault(sim, session, kind="truncated")
    status, text, _ = await account(sim, session)
    assert status == 200
    assert text == whole[: len(whole) // 2]
    with pytest.raises(json.JSONDecodeError):
        json.loads(text)


@pytest.mark.parametrize(("kind", "value"), [("429", "17"), ("418", "300")])
async def test_the_wait_that_is_asked_for(
    sim: Simulation, session: aiohttp.ClientSession, kind: str, value: str
) -> None:
    await fault(sim, session, kind=kind, value=value)
    _, text, headers = await account(sim, session)
    assert headers["Retry-After"] == value
    if kind == "418":
        until = int(text.split("banned until ")[1].split(".")[0])
        assert abs(until - milliseconds() - 300_000) < 5000


async def test_a_status_of_one_s_choice(sim: Simulation, session: aiohttp.ClientSession) -> None:
    await fault(sim, session, kind="5xx", value="502")
    assert (await account(sim, session))[0] == 502


async def test_no_answer_while_the_fault_lasts(
    sim: Simulation, session: aiohttp.ClientSession
) -> None:
    await fault(sim, session, kind="timeout")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(account(sim, session), SOON)
    waiting = asyncio.create_task(account(sim, session))
    await asyncio.sleep(SOON)
    assert not waiting.done()
    sim.world.clear_faults()
    assert (await asyncio.wait_for(waiting, 5))[0] == 504


async def test_a_slow_answer_tells_what_was_when_it_was_asked(
    sim: Simulation, session: aiohttp.ClientSession
) -> None:
    await fault(sim, session, kind="slow_answer", value="0.3")
    asked = milliseconds()
    async with session.get(f"{sim.url('binance')}/fapi/v1/time") as reply:
        body = await reply.json()
    assert milliseconds() - asked >= 290
    assert body["serverTime"] - asked < 200


async def test_a_connection_reset(sim: Simulation, session: aiohttp.ClientSession) -> None:
    await fault(sim, session, kind="reset")
    reader, writer = await asyncio.open_connection(sim.host, sim.port)
    writer.write(b"GET /binance/fapi/v1/time HTTP/1.1\r\nHost: x\r\n\r\n")
    with pytest.raises(ConnectionResetError):  # an orderly end would read as b""
        await asyncio.wait_for(reader.read(), 5)
    writer.close()


@pytest.mark.parametrize("value", ["30", "-30"])
async def test_a_clock_that_is_off_refuses_timestamps_and_says_its_own_time(
    sim: Simulation, session: aiohttp.ClientSession, value: str
) -> None:
    await fault(sim, session, kind="clock", value=value)
    status, text, _ = await account(sim, session)
    assert (status, json.loads(text)["code"]) == (400, -1021)
    async with session.get(f"{sim.url('binance')}/fapi/v1/time") as reply:
        shown = (await reply.json())["serverTime"]
    assert abs(shown - milliseconds() - int(value) * 1000) < 2000


async def test_wrong_numbers_leave_the_truth_alone(
    sim: Simulation, session: aiohttp.ClientSession
) -> None:
    await fault(sim, session, kind="wrong_numbers", value="3")
    reply = json.loads((await account(sim, session))[1])
    assert reply["totalMaintMargin"] == "78.75000000"  # 3 x 26.25
    assert reply["totalWalletBalance"] == "1060.50000000"
    async with session.get(f"http://{sim.host}:{sim.port}/sim/ledger") as answer:
        pool = (await answer.json())["accounts"][0]["pools"][0]
    assert pool["maintenance_margin"] == "24"  # BTC alone: SOL is isolated


async def test_a_fault_on_one_path_leaves_the_others_alone(
    sim: Simulation, session: aiohttp.ClientSession
) -> None:
    await fault(sim, session, kind="5xx", path="/fapi/v3/positionRisk")
    assert (await account(sim, session))[0] == 200
    await fault(sim, session, kind="5xx", path="/fapi/v3/acc")
    assert (await account(sim, session))[0] == 503


async def test_a_fault_ends_by_itself(sim: Simulation, session: aiohttp.ClientSession) -> None:
    await fault(sim, session, kind="5xx", seconds=SOON)
    assert (await account(sim, session))[0] == 503
    await asyncio.sleep(SOON)
    assert (await account(sim, session))[0] == 200


# --- sockets


@contextlib.asynccontextmanager
async def marks(
    sim: Simulation, session: aiohttp.ClientSession
) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    async with session.ws_connect(sim.ws_url("binance") + "/market/ws", autoping=False) as socket:
        await socket.send_str(MARK)
        await socket.receive(timeout=5)
        yield socket


async def heard(socket: aiohttp.ClientWebSocketResponse) -> list[Any]:
    """Everything that comes within a short while."""
    found = []
    with contextlib.suppress(TimeoutError):
        while True:
            found.append(await socket.receive(timeout=SOON))
    return found


async def test_a_stall_keeps_the_socket_open_and_answers_pings_but_sends_no_data(
    sim: Simulation, session: aiohttp.ClientSession
) -> None:
    async with marks(sim, session) as socket:
        await fault(sim, session, kind="stall")
        await sim.tick()
        await socket.ping(b"there?")
        (only,) = await heard(socket)
        assert (only.type, bytes(only.data)) == (aiohttp.WSMsgType.PONG, b"there?")
        sim.world.clear_faults()
        await sim.tick()
        assert [json.loads(m.data)["s"] for m in await heard(socket)] == ["BTCUSDT", "ETHUSDT"]


async def test_a_drop_ends_the_open_sockets(
    sim: Simulation, session: aiohttp.ClientSession
) -> None:
    async with marks(sim, session) as socket:
        await fault(sim, session, kind="drop")
        await sim.tick()
        assert (await socket.receive(timeout=5)).type is aiohttp.WSMsgType.CLOSED


async def test_new_sockets_are_refused_while_open_ones_go_on(
    sim: Simulation, session: aiohttp.ClientSession
) -> None:
    async with marks(sim, session) as socket:
        await fault(sim, session, kind="refuse")
        with pytest.raises(aiohttp.WSServerHandshakeError, match="503"):
            await session.ws_connect(sim.ws_url("binance") + "/market/ws")
        await sim.tick()
        assert len(await heard(socket)) == 2


async def test_one_symbol_goes_silent(sim: Simulation, session: aiohttp.ClientSession) -> None:
    async with marks(sim, session) as socket:
        await fault(sim, session, kind="silent_symbol", value="BTCUSDT")
        await sim.tick()
        assert [json.loads(m.data)["s"] for m in await heard(socket)] == ["ETHUSDT"]


async def test_garbage_is_no_json(sim: Simulation, session: aiohttp.ClientSession) -> None:
    async with marks(sim, session) as socket:
        await fault(sim, session, kind="garbage")
        await sim.tick()
        for message in await heard(socket):
            with pytest.raises(json.JSONDecodeError):
                json.loads(message.data)


def names(messages: list[Any]) -> list[str]:
    return [json.loads(message.data)["s"] for message in messages]


async def test_every_frame_comes_twice(sim: Simulation, session: aiohttp.ClientSession) -> None:
    async with marks(sim, session) as socket:
        await fault(sim, session, kind="doubled")
        await sim.tick()
        told = await heard(socket)
        assert names(told) == ["BTCUSDT", "BTCUSDT", "ETHUSDT", "ETHUSDT"]
        assert told[0].data == told[1].data


async def test_of_two_frames_the_later_comes_first(
    sim: Simulation, session: aiohttp.ClientSession
) -> None:
    async with marks(sim, session) as socket:
        await fault(sim, session, kind="swapped")
        await sim.tick()
        assert names(await heard(socket)) == ["ETHUSDT", "BTCUSDT"]


async def test_a_frame_that_was_to_be_overtaken_comes_when_the_fault_is_over(
    sim: Simulation, session: aiohttp.ClientSession
) -> None:
    async with marks(sim, session) as socket:
        await fault(sim, session, kind="silent_symbol", value="ETHUSDT")
        await fault(sim, session, kind="swapped")
        await sim.tick()
        assert await heard(socket) == []
        sim.world.clear_faults(kind="swapped")
        await sim.tick()
        first, second = await heard(socket)
        assert json.loads(first.data)["E"] < json.loads(second.data)["E"]


async def test_frames_come_late_and_in_their_order(
    sim: Simulation, session: aiohttp.ClientSession
) -> None:
    async with marks(sim, session) as socket:
        await fault(sim, session, kind="late", value=str(3 * SOON))
        await sim.tick()
        sim.world.clear_faults()
        await sim.tick()  # what comes now waits for what came before
        assert await heard(socket) == []
        await asyncio.sleep(3 * SOON)
        times = [json.loads(message.data)["E"] for message in await heard(socket)]
        assert len(times) == 4
        assert times == sorted(times)


async def test_a_socket_breaks_after_so_many_frames(
    sim: Simulation, session: aiohttp.ClientSession
) -> None:
    await fault(sim, session, kind="cut", value="2")
    async with marks(sim, session) as socket:  # the first frame acknowledges
        await sim.tick()
        assert names([await socket.receive(timeout=5)]) == ["BTCUSDT"]
        assert (await socket.receive(timeout=5)).type is aiohttp.WSMsgType.CLOSED


async def test_events_tell_when_a_fault_began_and_when_it_was_over(
    sim: Simulation, session: aiohttp.ClientSession
) -> None:
    await fault(sim, session, kind="stall", path="/market")
    base = f"http://{sim.host}:{sim.port}/sim"
    async with session.post(f"{base}/fault/clear", json={"kind": "stall"}) as reply:
        assert reply.status == 200
    async with session.get(f"{base}/events") as reply:
        events = await reply.json()
    assert [(e["event"], e["fault"], e["path"]) for e in events] == [
        ("fault", "stall", "/market"),
        ("fault_over", "stall", "/market"),
    ]
    assert all(event["at"].endswith("Z") for event in events)


def test_every_kind_is_a_rest_fault_a_socket_fault_or_the_clock() -> None:
    assert REST_KINDS | SOCKET_KINDS | {CLOCK_KIND} == KINDS
    assert not REST_KINDS & SOCKET_KINDS
