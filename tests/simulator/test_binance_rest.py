"""How the pretended Binance refuses: signatures, clocks, keys, rights, weights, paths."""

import hashlib
import hmac
from typing import Any

import aiohttp
import pytest
from yarl import URL

from monitor.simulator.server import Simulation, running
from tests.simulator.scenes import (
    BINANCE,
    HEDGED,
    binance_query,
    milliseconds,
    scene,
    with_rights,
)

KEY, SECRET = "sim-one-key", "sim-one-secret"
ACCOUNT = "/fapi/v3/account"


async def call(
    sim: Simulation, path: str, query: str = "", *, key: str | None = KEY, method: str = "GET"
) -> tuple[int, Any, dict[str, str]]:
    url = f"{sim.url('binance')}{path}" + (f"?{query}" if query else "")
    headers = {} if key is None else {"X-MBX-APIKEY": key}
    async with (
        aiohttp.ClientSession() as session,
        # The query goes out as it stands: signatures cover the very bytes.
        session.request(method, URL(url, encoded=True), headers=headers) as reply,
    ):
        return reply.status, await reply.json(), dict(reply.headers)


def signed(text: str, secret: str = SECRET) -> str:
    return (
        f"{text}&signature={hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()}"
    )


async def test_the_documented_signature_is_accepted() -> None:
    async with running(scene(BINANCE)) as sim:
        status, body, _ = await call(sim, ACCOUNT, binance_query(SECRET))
    assert (status, body["totalCrossWalletBalance"]) == (200, "1000.50000000")


def _last_digit_changed(query: str) -> str:
    return query[:-1] + ("1" if query.endswith("0") else "0")


@pytest.mark.parametrize(
    ("query", "key", "status", "code"),
    [
        pytest.param(lambda: binance_query("wrong"), KEY, 400, -1022, id="a wrong secret"),
        pytest.param(
            lambda: binance_query(SECRET) + "&x=1", KEY, 400, -1022, id="a signature not last"
        ),
        pytest.param(
            lambda: _last_digit_changed(binance_query(SECRET)),
            KEY,
            400,
            -1022,
            id="a signature one digit off",
        ),
        pytest.param(lambda: "", KEY, 400, -1102, id="nothing signed"),
        pytest.param(
            lambda: f"timestamp={milliseconds()}", KEY, 400, -1102, id="no signature at all"
        ),
        pytest.param(lambda: signed("recvWindow=5000"), KEY, 400, -1102, id="no timestamp"),
        pytest.param(
            lambda: binance_query(SECRET, timestamp=milliseconds() - 6000),
            KEY,
            400,
            -1021,
            id="a clock behind by more than the window",
        ),
        pytest.param(
            lambda: binance_query(SECRET, timestamp=milliseconds() + 2500),
            KEY,
            400,
            -1021,
            id="a clock ahead by more than a second",
        ),
        pytest.param(
            lambda: binance_query(SECRET, recvWindow=60001), KEY, 400, -1131, id="a window too wide"
        ),
        pytest.param(
            lambda: signed(f"symbol=BTC|USDT&timestamp={milliseconds()}"),
            KEY,
            400,
            -1022,
            id="a parameter that is not percent-encoded",
        ),
        pytest.param(lambda: binance_query(SECRET), None, 401, -2014, id="no key"),
        pytest.param(lambda: binance_query(SECRET), "k" * 65, 401, -2014, id="no key's form"),
        pytest.param(lambda: binance_query(SECRET), "unknown", 401, -2015, id="an unknown key"),
        pytest.param(
            lambda: binance_query(SECRET), "sim-hedged-key", 400, -1022, id="another account's key"
        ),
    ],
)
async def test_a_call_is_refused(query: Any, key: str | None, status: int, code: int) -> None:
    async with running(scene(BINANCE, HEDGED)) as sim:
        got, body, _ = await call(sim, ACCOUNT, query(), key=key)
    assert (got, body["code"]) == (status, code)
    assert isinstance(body["msg"], str)


async def test_an_old_timestamp_passes_within_a_wider_window() -> None:
    async with running(scene(BINANCE)) as sim:
        query = binance_query(SECRET, recvWindow=10000, timestamp=milliseconds() - 6000)
        assert (await call(sim, ACCOUNT, query))[0] == 200


@pytest.mark.parametrize(
    ("path", "method"),
    [
        ("/fapi/v1/account", "GET"),  # retired
        ("/fapi/v9/account", "GET"),
        ("/fapi/v3/account", "POST"),
        ("/nothing", "GET"),
    ],
)
async def test_an_unknown_path_is_refused_in_binance_s_words(path: str, method: str) -> None:
    async with running(scene(BINANCE)) as sim:
        status, body, _ = await call(sim, path, method=method)
    assert (status, body["code"]) == (404, -5000)
    assert body["msg"] == f"Path {path}, Method {method} is invalid"


async def test_an_unknown_symbol_is_refused() -> None:
    async with running(scene(BINANCE)) as sim:
        risk = await call(sim, "/fapi/v3/positionRisk", binance_query(SECRET, symbol="NOUSDT"))
        index = await call(sim, "/fapi/v1/premiumIndex", "symbol=NOUSDT", key=None)
    assert (risk[0], risk[1]["code"]) == (400, -1121)
    assert (index[0], index[1]["code"]) == (400, -1121)


async def test_weights_add_up_and_too_many_are_refused_with_the_wait() -> None:
    async with running(scene(BINANCE)) as sim:
        used = [
            int((await call(sim, path, query))[2]["X-MBX-USED-WEIGHT-1M"])
            for path, query in (
                ("/fapi/v1/time", ""),
                (ACCOUNT, binance_query(SECRET)),
                ("/fapi/v1/openAlgoOrders", binance_query(SECRET)),
                ("/fapi/v1/openAlgoOrders", binance_query(SECRET, symbol="BTCUSDT")),
            )
        ]
        assert used == [1, 1 + 5, 1 + 5 + 40, 1 + 5 + 40 + 1]
        for _ in range(100):
            status, body, headers = await call(
                sim, "/fapi/v1/openAlgoOrders", binance_query(SECRET)
            )
            if status != 200:
                break
    assert (status, body["code"]) == (429, -1003)
    assert 1 <= int(headers["Retry-After"]) <= 60


async def test_a_key_that_only_reads_can_not_trade() -> None:
    async with running(scene(BINANCE)) as sim:
        query = binance_query(SECRET, symbol="BTCUSDT", side="SELL")
        status, body, _ = await call(sim, "/fapi/v1/order", query, method="POST")
        rights = (await call(sim, "/sapi/v1/account/apiRestrictions", binance_query(SECRET)))[1]
    assert (status, body["code"]) == (401, -2015)
    assert [name for name, value in rights.items() if value is True] == [
        "ipRestrict",
        "enableReading",
    ]


async def test_a_key_that_may_do_more_says_so() -> None:
    async with running(with_rights(scene(BINANCE), "read", "trade", "withdraw")) as sim:
        rights = (await call(sim, "/sapi/v1/account/apiRestrictions", binance_query(SECRET)))[1]
    assert rights["enableFutures"] is True
    assert rights["enableWithdrawals"] is True


async def test_a_key_without_the_right_to_read_is_refused() -> None:
    async with running(with_rights(scene(BINANCE), "trade")) as sim:
        status, body, _ = await call(sim, ACCOUNT, binance_query(SECRET))
    assert (status, body["code"]) == (401, -2015)


async def test_a_listen_key_needs_the_header_alone_and_stays_the_same() -> None:
    path = "/fapi/v1/listenKey"
    async with running(scene(BINANCE)) as sim:
        assert (await call(sim, path, method="PUT"))[1]["code"] == -1125
        first = (await call(sim, path, method="POST"))[1]["listenKey"]
        again = (await call(sim, path, method="POST"))[1]["listenKey"]
        extended = (await call(sim, path, method="PUT"))[1]["listenKey"]
        assert (await call(sim, path, method="DELETE"))[1] == {}
        assert (await call(sim, path, method="PUT"))[1]["code"] == -1125
        new = (await call(sim, path, method="POST"))[1]["listenKey"]
        assert (await call(sim, path, method="POST", key="unknown"))[1]["code"] == -2015
    assert first == again == extended != new
    assert len(first) == 64


async def test_coin_margined_futures_exist_and_are_empty() -> None:
    async with running(scene(BINANCE)) as sim:
        account = (await call(sim, "/dapi/v1/account", binance_query(SECRET)))[1]
        positions = (await call(sim, "/dapi/v1/positionRisk", binance_query(SECRET)))[1]
    assert {asset["walletBalance"] for asset in account["assets"]} == {"0.00000000"}
    # Every symbol has a row there, also without a position.
    assert {row["symbol"] for row in positions} >= {"BTCUSD_PERP", "BTCUSD_261225"}
    assert {row["positionAmt"] for row in (*account["positions"], *positions)} == {"0"}
