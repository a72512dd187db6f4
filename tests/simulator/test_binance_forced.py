"""What Binance does by itself and what an owner does, told on the private streams at once."""

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import aiohttp
import pytest

from monitor.simulator.binance import Binance
from monitor.simulator.server import Simulation, running
from tests.simulator.binance_client import Client, asked, listen_key, opened
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


async def private(sim: Simulation, account: str = "one") -> str:
    return f"/private/ws/{await listen_key(sim, f'sim-{account}-key')}"


async def events(client: Client, count: int) -> list[Any]:
    return [await client.receive() for _ in range(count)]


def pool(sim: Simulation, account: str, name: str) -> Any:
    return next(p for p in sim.world.exchanges[0].pools(account) if p.pool == name)


@pytest.mark.parametrize(
    ("kind", "begins", "status"),
    [
        ("liquidation", "autoclose-", "FILLED"),
        ("adl", "adl_autoclose", "FILLED"),
        ("settlement", "settlement_autoclose-", "FILLED"),
        ("takeover", "autoclose-", "NEW_INSURANCE"),
    ],
)
async def test_an_order_of_binances_own_says_what_it_is(
    sim: Simulation, kind: str, begins: str, status: str
) -> None:
    words = {"account": "one", "symbol": "BTCUSDT", "side": "long", "contracts": "0.04"}
    async with opened(sim, await private(sim)) as client:
        assert await steered(sim, "force", **words, kind=kind) == 200
        placed, filled, account = await events(client, 3)  # no tick was waited for
    assert [placed["o"][key] for key in "xXl"] == ["NEW", "NEW", "0"]
    assert filled["o"]["c"].startswith(begins)
    assert (filled["o"]["X"], filled["o"]["l"], filled["o"]["S"]) == (status, "0.04", "SELL")
    # 0.04 x (60,000 - 61,000): of a long from 61,000.
    assert filled["o"]["rp"] == "-40.00000000"
    assert account["a"]["P"][0]["pa"] == "0.06"
    rows = await asked(sim, "one", "/fapi/v1/forceOrders")
    assert [row["clientOrderId"] for row in rows] == [filled["o"]["c"]]


async def test_a_liquidation_takes_its_fee_and_deleveraging_none(sim: Simulation) -> None:
    words = {"account": "one", "symbol": "BTCUSDT", "side": "long", "contracts": "0.04"}
    async with opened(sim, await private(sim)) as client:
        await steered(sim, "force", **words, kind="adl")
        await steered(sim, "force", **words, kind="liquidation")
        first, second = (await events(client, 6))[1::3]
    assert (first["o"]["n"], second["o"]["n"]) == ("0.00000000", "30.00000000")  # 2,400 x 1.25 %
    # 1,000.5 in the wallet, -100 of profit, of which 80 is realized: only the fee is gone.
    assert pool(sim, "one", "USDT").margin_balance == D("900.5") - 30


async def test_a_position_that_is_opened_is_told_with_its_order(sim: Simulation) -> None:
    async with opened(sim, await private(sim)) as client:
        words = {"account": "one", "symbol": "ETHUSDT", "side": "short", "contracts": "2"}
        assert await steered(sim, "open", **words) == 200
        order, account = await events(client, 2)
    assert (order["o"]["S"], order["o"]["q"], order["o"]["rp"]) == ("SELL", "2", "0.00000000")
    assert not order["o"]["c"].startswith("autoclose")
    leg = account["a"]["P"][0]
    assert (leg["s"], leg["pa"], leg["mt"], leg["up"]) == ("ETHUSDT", "-2", "cross", "0.00000000")
    rows = await asked(sim, "one", "/fapi/v3/positionRisk")
    assert ("ETHUSDT", "-2.000") in {(row["symbol"], row["positionAmt"]) for row in rows}


async def test_an_isolated_position_takes_its_margin_along_and_may_be_given_more(
    sim: Simulation,
) -> None:
    async with opened(sim, await private(sim)) as client:
        words = {"account": "one", "symbol": "ETHUSDT", "side": "long", "contracts": "1"}
        assert await steered(sim, "open", **words, isolated_margin="200") == 200
        _, opened_at = await events(client, 2)
        words = {"account": "one", "symbol": "ETHUSDT", "side": "long", "amount": "50"}
        assert await steered(sim, "margin", **words) == 200
        (moved,) = await events(client, 1)
    assert opened_at["a"]["B"][0]["cw"] == "800.50000000"
    assert (opened_at["a"]["P"][0]["mt"], opened_at["a"]["P"][0]["iw"]) == (
        "isolated",
        "200.00000000",
    )
    assert (moved["a"]["m"], moved["a"]["B"][0]["cw"]) == ("MARGIN_TRANSFER", "750.50000000")
    assert moved["a"]["P"][0]["iw"] == "250.00000000"


async def test_another_leverage_is_told(sim: Simulation) -> None:
    async with opened(sim, await private(sim)) as client:
        assert await steered(sim, "leverage", account="one", symbol="BTCUSDT", leverage="7") == 200
        (frame,) = await events(client, 1)
    assert (frame["e"], frame["ac"]) == ("ACCOUNT_CONFIG_UPDATE", {"s": "BTCUSDT", "l": 7})


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ("force", {"symbol": "BTCUSDT", "side": "long", "contracts": "1", "kind": "anger"}),
        ("force", {"symbol": "BTCUSDT", "side": "short", "contracts": "1", "kind": "adl"}),
        ("force", {"symbol": "BTCUSDT", "side": "long", "contracts": "0", "kind": "adl"}),
        ("open", {"symbol": "BTCUSDT", "side": "long", "contracts": "1"}),
        ("open", {"symbol": "NOUSDT", "side": "long", "contracts": "1"}),
        ("leverage", {"symbol": "NOUSDT", "leverage": "3"}),
        ("margin", {"symbol": "BTCUSDT", "side": "long", "amount": "1"}),
    ],
)
async def test_what_can_not_be_is_refused(
    sim: Simulation, wish: str, words: dict[str, str]
) -> None:
    assert await steered(sim, wish, account="one", **words) == 400


async def test_a_key_without_the_right_gets_no_listen_key(sim: Simulation) -> None:
    sim.world.fault("binance", "no_permission", path="/fapi/v1/listenKey")
    url = sim.url("binance") + "/fapi/v1/listenKey"
    async with (
        aiohttp.ClientSession() as session,
        session.post(url, headers={"X-MBX-APIKEY": "sim-one-key"}) as reply,
    ):
        assert (reply.status, (await reply.json())["code"]) == (401, -2015)
    assert await asked(sim, "one", "/fapi/v3/account")  # it may read all the same
