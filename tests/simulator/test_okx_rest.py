"""How the pretended OKX refuses: signatures, clocks, keys, passphrases, limits, parameters."""

from datetime import UTC, datetime, timedelta

import pytest

from monitor.simulator import okx_auth
from monitor.simulator.okx import Okx
from monitor.simulator.server import running
from tests.simulator.scenes import scene, with_rights
from tests.simulator.unified import MARKET, OKX, OKX_OTHERS, got, okx, okx_headers

CONFIG = "/api/v5/account/config"
WORDS = ("sim-futures-key", "sim-futures-secret", "sim-futures-passphrase")
SECRET = "22582BD0CFF14C41EDBF1AB98506286D"


@pytest.fixture(autouse=True)
def still(monkeypatch):
    monkeypatch.setattr(Okx, "cadence_seconds", 3600.0)


@pytest.fixture
async def sim():
    async with running(scene(OKX, OKX_OTHERS, market=MARKET)) as simulation:
        yield simulation


def test_the_documented_signature_of_a_call():
    text = "2020-12-08T09:08:57.715ZGET/api/v5/account/balance?ccy=BTC"
    assert okx_auth.sign(SECRET, text) == "HiZhvSfMtWJA3uUIVXV3a/bSXNPCWvYFXoGCVS8V4zY="


def test_the_documented_signature_of_a_login():
    signature = okx_auth.sign(SECRET, "1704876947GET/users/self/verify")
    assert signature == "5/36BgGV6m/6pmdc20zdqk0mzF5ZalmzzPD2fo3wavU="
    arg = {"timestamp": "1704876947", "passphrase": "p", "sign": signature}
    at_ms = 1704876947000
    assert okx_auth.login_error(arg, SECRET, "p", at_ms) is None
    assert okx_auth.login_error(arg, SECRET, "p", at_ms + 31000) == "60006"
    assert okx_auth.login_error(arg, SECRET, "q", at_ms) == "60024"
    assert okx_auth.login_error(arg, SECRET + "x", "p", at_ms) == "60007"
    assert okx_auth.login_error(arg | {"timestamp": ""}, SECRET, "p", at_ms) == "60004"


async def refused(sim, headers, path=CONFIG):
    reply = await got(f"{sim.url('okx')}{path}", headers)
    assert reply.json["data"] == []
    return reply.status, reply.json["code"]


def stamp(**ago) -> str:
    at = datetime.now(UTC) - timedelta(**ago)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@pytest.mark.parametrize("missing", ["KEY", "PASSPHRASE", "SIGN", "TIMESTAMP"])
async def test_each_header_is_asked_for(sim, missing):
    headers = okx_headers(CONFIG, *WORDS)
    del headers[f"OK-ACCESS-{missing}"]
    codes = {"KEY": "50103", "PASSPHRASE": "50104", "SIGN": "50106", "TIMESTAMP": "50107"}
    assert await refused(sim, headers) == (401, codes[missing])


@pytest.mark.parametrize("seconds", [31, -31])
async def test_a_timestamp_is_good_for_thirty_seconds(sim, seconds):
    headers = okx_headers(CONFIG, *WORDS, stamp=stamp(seconds=seconds))
    assert await refused(sim, headers) == (401, "50102")
    near = okx_headers(CONFIG, *WORDS, stamp=stamp(seconds=seconds - 3 * seconds // 31))
    reply = await got(f"{sim.url('okx')}{CONFIG}", near)
    assert reply.json["code"] == "0"


async def test_a_timestamp_that_is_none(sim):
    headers = okx_headers(CONFIG, *WORDS) | {"OK-ACCESS-TIMESTAMP": "now"}
    assert await refused(sim, headers) == (401, "50112")


async def test_the_signature_covers_the_query(sim):
    headers = okx_headers("/api/v5/account/balance?ccy=BTC", *WORDS)
    answer = await refused(sim, headers, "/api/v5/account/balance?ccy=ETH")
    assert answer == (401, "50113")


async def test_a_wrong_passphrase_an_unknown_key_and_the_other_environment(sim):
    key, secret, _ = WORDS
    assert await refused(sim, okx_headers(CONFIG, key, secret, "wrong")) == (401, "50105")
    assert await refused(sim, okx_headers(CONFIG, "nobody", secret, "x")) == (401, "50119")
    demo = okx_headers(CONFIG, *WORDS) | {"x-simulated-trading": "1"}
    assert await refused(sim, demo) == (401, "50101")


async def test_a_key_s_rights_are_told():
    scenario = with_rights(scene(OKX, market=MARKET), "read", "trade", "withdraw")
    async with running(scenario) as sim:
        (config,) = await okx(sim, "futures", CONFIG)
    assert config["perm"] == "read_only,withdraw,trade"


async def test_five_calls_in_two_seconds_and_no_sixth(sim):
    for _ in range(5):
        await okx(sim, "futures", CONFIG)
    reply = await got(f"{sim.url('okx')}{CONFIG}", okx_headers(CONFIG, *WORDS))
    assert (reply.status, reply.json["code"]) == (429, "50011")
    words = (f"sim-multi-{word}" for word in ("key", "secret", "passphrase"))
    reply = await got(f"{sim.url('okx')}{CONFIG}", okx_headers(CONFIG, *words))
    assert reply.json["code"] == "0", "the limit is the user's"


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/api/v5/public/instruments", "50014"),
        ("/api/v5/public/instruments?instType=SPOTS", "51000"),
        ("/api/v5/public/instruments?instType=OPTION", "50014"),
        ("/api/v5/public/instruments?instType=SWAP&instId=NO-USDT-SWAP", "51001"),
        ("/api/v5/public/position-tiers?instType=SWAP&instFamily=BTC-USDT", "51000"),
        ("/api/v5/public/position-tiers?instType=SWAP&tdMode=cross&instFamily=NO-USDT", "51000"),
        (
            "/api/v5/public/position-tiers?instType=FUTURES&tdMode=cross&uly=SOL-USDT",
            "51000",
        ),
        ("/api/v5/public/position-tiers?instType=MARGIN&tdMode=isolated", "50014"),
        ("/api/v5/public/position-tiers?instType=MARGIN&tdMode=isolated&instId=NO", "51001"),
        ("/api/v5/public/mark-price?instType=SWAP&instId=NO", "51001"),
    ],
)
async def test_a_wrong_parameter_is_named(sim, path, code):
    reply = await got(f"{sim.url('okx')}{path}")
    assert reply.json["code"] == code
    assert reply.json["data"] == []


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/api/v5/trade/orders-algo-pending", "50014"),
        ("/api/v5/trade/orders-algo-pending?ordType=all", "51000"),
        ("/api/v5/account/trade-fee", "50014"),
        ("/api/v5/account/positions?instId=" + ",".join("abcdefghijk"), "51000"),
        ("/api/v5/account/risk-state", "51010"),
    ],
)
async def test_a_wrong_parameter_of_a_signed_call_is_named(sim, path, code):
    reply = await got(f"{sim.url('okx')}{path}", okx_headers(path, *WORDS))
    assert reply.json["code"] == code


async def test_an_unknown_path_is_the_exchange_s_own_404(sim):
    reply = await got(f"{sim.url('okx')}/api/v5/nothing")
    assert (reply.status, reply.json["code"]) == (404, "404")


async def test_lists_can_be_narrowed(sim):
    rows = await okx(sim, "futures", "/api/v5/account/positions", instId="ETH-USDT-SWAP")
    assert [row["instId"] for row in rows] == ["ETH-USDT-SWAP"]
    by_id = await okx(sim, "futures", "/api/v5/account/positions", posId=rows[0]["posId"])
    assert by_id[0]["instId"] == "ETH-USDT-SWAP"
    (balance,) = await okx(sim, "futures", "/api/v5/account/balance", ccy="BTC")
    assert [row["ccy"] for row in balance["details"]] == ["BTC"]
    path = "/api/v5/trade/orders-algo-pending"
    (stop,) = await okx(sim, "futures", path, ordType="conditional")
    assert await okx(sim, "futures", path, ordType="conditional", after=stop["algoId"]) == []


@pytest.mark.parametrize(
    ("account", "path", "query"),
    [
        (None, "/api/v5/public/time", {}),
        (None, "/api/v5/system/status", {}),
        (None, "/api/v5/public/discount-rate-interest-free-quota", {}),
        (None, "/api/v5/market/index-tickers", {"quoteCcy": "USD"}),
        (
            None,
            "/api/v5/public/position-tiers",
            {"instType": "MARGIN", "tdMode": "cross", "ccy": "USDT"},
        ),
        ("futures", "/api/v5/account/account-position-risk", {}),
        ("futures", "/api/v5/trade/orders-pending", {}),
        ("stress", "/api/v5/account/risk-state", {}),
        ("futures", "/api/v5/asset/currencies", {}),
    ],
)
async def test_every_path_answers(sim, account, path, query):
    assert isinstance(await okx(sim, account, path, **query), list)
