"""How the pretended Bybit refuses and pages: signatures, clocks, keys, rights, cursors."""

from decimal import Decimal
from urllib.parse import quote

import pytest

from monitor.simulator.bybit import Bybit
from monitor.simulator.changes import Change
from monitor.simulator.server import running
from tests.simulator.scenes import milliseconds, scene, with_rights
from tests.simulator.unified import BYBIT, MARKET, bybit, bybit_headers, got

KEY, SECRET = "sim-two-key", "sim-two-secret"
WALLET = "/v5/account/wallet-balance"
QUERY = "accountType=UNIFIED"


@pytest.fixture(autouse=True)
def still(monkeypatch):
    monkeypatch.setattr(Bybit, "cadence_seconds", 3600.0)


@pytest.fixture
async def sim():
    async with running(scene(BYBIT, market=MARKET)) as simulation:
        yield simulation


async def wallet(sim, headers, query=QUERY):
    return await got(f"{sim.url('bybit')}{WALLET}?{query}", headers)


async def test_a_call_outside_the_window_is_told_both_times(sim):
    late = milliseconds() - 6000
    reply = await wallet(sim, bybit_headers(QUERY, KEY, SECRET, at_ms=late))
    assert reply.json["retCode"] == 10002
    assert f"req_timestamp[{late}],server_timestamp[" in reply.json["retMsg"]
    assert "recv_window[5000]" in reply.json["retMsg"]


@pytest.mark.parametrize(
    ("offset_ms", "window", "code"),
    [
        (-4000, "5000", 0),
        (-4000, "3000", 10002),
        (-19000, "20000", 0),
        (500, "5000", 0),
        (2000, "5000", 10002),
    ],
)
async def test_the_window_is_five_seconds_back_and_one_ahead(sim, offset_ms, window, code):
    at_ms = milliseconds() + offset_ms
    reply = await wallet(sim, bybit_headers(QUERY, KEY, SECRET, at_ms=at_ms, window=window))
    assert reply.json["retCode"] == code


async def test_the_signature_covers_the_query_as_sent(sim):
    reply = await wallet(sim, bybit_headers("accountType=SPOT", KEY, SECRET))
    assert reply.json["retCode"] == 10004
    assert reply.json["retMsg"].startswith("error sign! origin_string[")
    assert KEY in reply.json["retMsg"], "the exchange echoes the key"


async def test_an_unknown_key_and_a_missing_one(sim):
    reply = await wallet(sim, bybit_headers(QUERY, "nobody", SECRET))
    assert (reply.status, reply.json["retCode"]) == (200, 10003)
    reply = await wallet(sim, {})
    assert reply.status == 401


async def test_the_coin_list_needs_a_wallet_right():
    path = "/v5/asset/coin/query-info"
    async with running(scene(BYBIT, market=MARKET)) as sim:
        reply = await got(f"{sim.url('bybit')}{path}", bybit_headers("", KEY, SECRET))
        assert reply.json["retCode"] == 10005
    async with running(with_rights(scene(BYBIT, market=MARKET), "read", "withdraw")) as sim:
        assert (await bybit(sim, "two", path))["rows"]
        key = await bybit(sim, "two", "/v5/user/query-api")
        assert (key["readOnly"], key["permissions"]["Wallet"]) == (0, ["Withdraw"])


async def test_the_envelope_and_the_rate_headers(sim):
    reply = await wallet(sim, bybit_headers(QUERY, KEY, SECRET))
    assert set(reply.json) == {"retCode", "retMsg", "result", "retExtInfo", "time"}
    assert abs(reply.json["time"] - milliseconds()) < 2000
    assert reply.headers["X-Bapi-Limit"] == "50"
    assert reply.headers["X-Bapi-Limit-Status"] == "49"
    assert "X-Bapi-Limit-Reset-Timestamp" in reply.headers


_CASH = (
    ("/v5/account/transaction-log", ""),
    ("/v5/asset/transfer/query-account-coins-balance", "accountType=FUND"),
    ("/v5/spot-margin-trade/state", ""),
    ("/v5/spot-margin-trade/position-tiers", "currency=BTC"),
)


@pytest.mark.parametrize(("path", "query"), _CASH)
async def test_what_tells_of_money_is_signed_and_shows_faults(sim, path, query):
    url = f"{sim.url('bybit')}{path}" + (f"?{query}" if query else "")
    assert (await got(url)).status == 401
    signed = bybit_headers(query, KEY, SECRET)
    assert (await got(url, signed)).json["retCode"] == 0
    sim.world.fault("bybit", "html", path=path)
    reply = await got(url, bybit_headers(query, KEY, SECRET))
    assert (reply.status, reply.text[:9]) == (200, "<!DOCTYPE")
    sim.world.clear_faults()
    sim.world.fault("bybit", "empty_list", path=path)
    assert (await got(url, signed)).json["result"] == {"list": []}


async def test_the_log_comes_in_pages_the_newest_first(sim):
    (exchange,) = sim.world.exchanges
    for amount in range(1, 26):
        exchange.change("two", Change(coin="USDT", amount=Decimal(amount)))
    first = await bybit(sim, "two", "/v5/account/transaction-log")
    assert [row["change"] for row in first["list"]] == [str(n) for n in range(25, 5, -1)]
    asked = {"cursor": first["nextPageCursor"]}
    second = await bybit(sim, "two", "/v5/account/transaction-log", **asked)
    assert [row["change"] for row in second["list"]] == ["5", "4", "3", "2", "1"]
    none = await bybit(sim, "two", "/v5/account/transaction-log", type="SETTLEMENT")
    assert none["list"] == []


async def test_the_fees_may_be_asked_for_five_times_a_second(sim):
    url, query = f"{sim.url('bybit')}/v5/account/fee-rate", "category=linear&symbol=BTCUSDT"
    codes = []
    for _ in range(6):
        reply = await got(f"{url}?{query}", bybit_headers(query, KEY, SECRET))
        codes.append(reply.json["retCode"])
    assert codes == [0, 0, 0, 0, 0, 10006]
    assert reply.headers["X-Bapi-Limit-Status"] == "0"


async def test_an_unknown_path_is_the_exchange_s_own_404(sim):
    reply = await got(f"{sim.url('bybit')}/v5/nothing")
    assert (reply.status, reply.json["retCode"]) == (404, 10017)


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/v5/position/list", "category=linear"),
        ("/v5/position/list", "category=spot&settleCoin=USDT"),
        ("/v5/position/list", "category=linear&settleCoin=USDT&limit=201"),
        ("/v5/position/list", "category=linear&symbol=NOUSDT"),
        ("/v5/order/realtime", "category=linear"),
        ("/v5/order/realtime", "category=linear&settleCoin=USDT&limit=51"),
        ("/v5/account/wallet-balance", "accountType=CONTRACT"),
        ("/v5/position/list", "category=linear&settleCoin=USDT&cursor=x"),
    ],
)
async def test_a_wrong_parameter_is_named_by_10001(sim, path, query):
    reply = await got(f"{sim.url('bybit')}{path}?{query}", bybit_headers(query, KEY, SECRET))
    assert reply.json["retCode"] == 10001


async def test_the_last_full_page_has_a_cursor_and_behind_it_nothing(sim):
    asked = {"category": "linear", "settleCoin": "USDT", "limit": 1}
    path, seen, cursor = "/v5/position/list", [], {}
    for _ in range(3):
        page = await bybit(sim, "two", path, **asked, **cursor)
        seen.append(([row["symbol"] for row in page["list"]], bool(page["nextPageCursor"])))
        cursor = {"cursor": page["nextPageCursor"]}
    assert seen == [(["BTCUSDT"], True), (["ETHUSDT"], True), ([], False)]


async def test_a_cursor_comes_encoded_and_may_go_back_so(sim):
    path = f"{sim.url('bybit')}/v5/position/list"
    query = "category=linear&settleCoin=USDT&limit=1"
    first = await got(f"{path}?{query}", bybit_headers(query, KEY, SECRET))
    cursor = first.json["result"]["nextPageCursor"]
    assert "%2C" in cursor
    for sent in (cursor, quote(cursor, safe="")):
        text = f"{query}&cursor={sent}"
        reply = await got(f"{path}?{text}", bybit_headers(text, KEY, SECRET))
        assert [row["symbol"] for row in reply.json["result"]["list"]] == ["ETHUSDT"]


async def test_risk_limits_come_fifteen_symbols_a_page(sim):
    first = await bybit(sim, None, "/v5/market/risk-limit", category="linear")
    symbols = {row["symbol"] for row in first["list"]}
    assert len(symbols) == 15
    rest = await bybit(
        sim, None, "/v5/market/risk-limit", category="linear", cursor=first["nextPageCursor"]
    )
    assert not symbols & {row["symbol"] for row in rest["list"]}
    assert rest["nextPageCursor"] == ""
    listed = await bybit(sim, None, "/v5/market/instruments-info", category="linear")
    everything = symbols | {row["symbol"] for row in rest["list"]}
    assert everything == {row["symbol"] for row in listed["list"]}


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/v5/market/time", {}),
        ("/v5/market/instruments-info", {"category": "inverse"}),
        ("/v5/market/instruments-info", {"category": "spot"}),
        ("/v5/market/tickers", {"category": "inverse"}),
        ("/v5/market/tickers", {"category": "spot"}),
        ("/v5/market/risk-limit", {"category": "inverse"}),
        ("/v5/market/adlAlert", {"symbol": "BTCUSDT"}),
        ("/v5/spot-margin-trade/collateral", {}),
        ("/v5/system/status", {}),
    ],
)
async def test_a_public_path_answers_without_a_key(sim, path, query):
    assert await bybit(sim, None, path, **query)


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/v5/account/info", {}),
        ("/v5/account/collateral-info", {"currency": "BTC"}),
        ("/v5/account/fee-rate", {"category": "linear", "symbol": "BTCUSDT"}),
        ("/v5/execution/list", {"category": "linear", "execType": "BustTrade"}),
        ("/v5/asset/portfolio-margin", {}),
        ("/v5/order/realtime", {"category": "inverse"}),
    ],
)
async def test_a_private_path_needs_one(sim, path, query):
    assert await bybit(sim, "two", path, **query) is not None
    reply = await got(f"{sim.url('bybit')}{path}")
    assert reply.status == 401
