"""What moves a pretended OKX account beside the market, and what is told of it."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import aiohttp
import pytest

from monitor.simulator.okx import Okx
from monitor.simulator.okx_account import MarginPosition
from monitor.simulator.server import running
from tests.simulator.scenes import scene
from tests.simulator.unified import MARKET, OKX, OKX_OTHERS, got, okx, okx_headers, steer, truth

D = Decimal
BILLS, RATES = "/api/v5/account/bills", "/api/v5/public/funding-rate"
BALANCE, CONFIG = "/api/v5/account/balance", "/api/v5/account/config"
EIGHT_HOURS_MS = 8 * 3600 * 1000

# 1 BTC bought with borrowed USDT, on a margin of 0.2.
BOUGHT = MarginPosition(
    inst_id="BTC-USDT",
    direction=1,
    ccy="BTC",
    held=D("1.2"),
    owed=D(95000),
    avg_px=D(95000),
    lever=D(5),
    pos_id="77",
    margin=D("0.2"),
)


@pytest.fixture
async def sim(monkeypatch):
    monkeypatch.setattr(Okx, "cadence_seconds", 3600.0)  # prices stand still
    async with running(scene(OKX, OKX_OTHERS, market=MARKET)) as simulation:
        yield simulation


def told(rows, *names):
    return [tuple(row[name] for name in names) for row in rows]


async def test_a_transfer_is_billed(sim):
    await steer(sim, "okx/change", account="futures", coin="USDT", amount="-25.5")
    await steer(sim, "okx/change", account="futures", coin="BTC", amount="0.5")
    rows = await okx(sim, "futures", BILLS)
    # newest first
    assert told(rows, "type", "subType", "ccy", "balChg", "bal") == [
        ("1", "11", "BTC", "0.5", "0.542"),
        ("1", "12", "USDT", "-25.5", "1274.5"),
    ]
    assert told(rows, "from", "to") == [("6", "18"), ("18", "6")]
    assert await okx(sim, "futures", BILLS, after=rows[-1]["billId"]) == []
    (one,) = await okx(sim, "futures", BILLS, limit=1)
    assert one == rows[0]
    (one,) = await okx(sim, "futures", BILLS, ccy="USDT")
    assert one == rows[1]
    assert await okx(sim, "futures", BILLS, begin=int(rows[0]["ts"]) + 1) == []
    assert await okx(sim, "multi", BILLS) == [], "each account has its own"


async def test_a_trade_is_billed(sim):
    await steer(
        sim, "okx/change", account="futures", symbol="BTC-USDT-SWAP", side="long", contracts=15
    )
    (row,) = await okx(sim, "futures", BILLS, type="2")
    # a quarter of -800
    assert told([row], "instId", "subType", "balChg", "sz", "px", "mgnMode") == [
        ("BTC-USDT-SWAP", "5", "-200", "5", "95000", "cross")
    ]


async def test_where_both_stand_the_cross_position_is_traded_unless_said():
    both = """
[[accounts]]
name = "both"
exchange = "okx"
mode = "futures"
wallets = { USDT = 500 }
positions = [
  { symbol = "SOL-USDT-SWAP", side = "long", contracts = 9, entry_price = 171, margin_mode = "isolated", isolated_margin = 300 },
  { symbol = "SOL-USDT-SWAP", side = "long", contracts = 5, entry_price = 171 },
]
"""  # noqa: E501 - a row of TOML
    async with running(scene(both, market=MARKET)) as other:
        await steer(other, "okx/change", account="both", symbol="SOL-USDT-SWAP", contracts=2)
        rows = await okx(other, "both", "/api/v5/account/positions")
        assert told(rows, "mgnMode", "pos") == [("isolated", "9"), ("cross", "2")]
        wish = {"account": "both", "symbol": "SOL-USDT-SWAP"}
        await steer(other, "okx/change", **wish, contracts=3, isolated=True)
        rows = await okx(other, "both", "/api/v5/account/positions")
        assert told(rows, "mgnMode", "pos", "margin") == [
            ("isolated", "3", "100"),
            ("cross", "2", ""),
        ]
        await steer(other, "okx/change", **wish, margin="25.5")
        rows = await okx(other, "both", "/api/v5/account/positions")
        assert told(rows, "margin") == [("125.5",), ("",)]


async def test_a_margin_trade_holds_what_is_added_to_its_margin():
    alone = """
[[accounts]]
name = "alone"
exchange = "okx"
mode = "futures"
wallets = { USDT = 500 }
"""
    async with running(scene(alone, market=MARKET)) as other:
        ledger = other.world.exchanges[0].accounts[0].ledger
        ledger.loans.append(BOUGHT)
        await steer(other, "okx/change", account="alone", symbol="BTC-USDT", margin="0.5")
        assert ledger.loans == [replace(BOUGHT, held=D("1.7"), margin=D("0.7"))]


async def test_funding_is_charged_when_it_is_said_to_be(sim):
    await steer(sim, "okx/funding", rate="0.001", account="futures")
    rows = await okx(sim, "futures", BILLS, type="8")
    # long 19,000 pays, short 10,800 gets; the isolated one pays 8,550 x 0.1 % off its margin
    assert told(reversed(rows), "instId", "subType", "balChg", "bal", "mgnMode") == [
        ("BTC-USDT-SWAP", "173", "-19", "1281", "cross"),
        ("ETH-USDT-SWAP", "174", "10.8", "1291.8", "cross"),
        ("SOL-USDT-SWAP", "173", "-8.55", "1291.8", "isolated"),
    ]
    (ours,) = await okx(sim, "futures", BALANCE, ccy="USDT")
    assert ours["details"][0]["cashBal"] == "1291.8"
    sol = (await okx(sim, "futures", "/api/v5/account/positions"))[2]
    assert sol["margin"] == "1791.45"


async def test_a_dated_contract_pays_no_funding():
    dated = """
[[accounts]]
name = "dated"
exchange = "okx"
mode = "futures"
wallets = { USDT = 500 }
positions = [
  { symbol = "BTC-USDT-261225", side = "long", contracts = 1, entry_price = 95000 },
]
"""
    async with running(scene(dated, market=MARKET)) as other:
        await steer(other, "okx/funding", rate="0.001")
        assert await okx(other, "dated", BILLS) == []


async def test_the_next_funding_is_told_and_comes(sim):
    (before,) = await okx(sim, None, RATES, instId="BTC-USDT-SWAP")
    now_ms = int(datetime.now(UTC).timestamp() * 1000)
    due = int(before["fundingTime"])
    assert due % EIGHT_HOURS_MS == 0
    assert 0 < due - now_ms <= EIGHT_HOURS_MS
    assert int(before["nextFundingTime"]) - due == EIGHT_HOURS_MS
    assert before["fundingRate"] == "0.0001"
    await steer(sim, "okx/funding", base="BTC", rate="-0.0002", seconds=0)
    (after,) = await okx(sim, None, RATES, instId="BTC-USDT-SWAP")
    assert after["fundingRate"] == "-0.0002"
    assert int(after["fundingTime"]) < due
    every = {row["instId"]: row["fundingRate"] for row in await okx(sim, None, RATES, instId="ANY")}
    assert every["ETH-USDT-SWAP"] == "0.0001"
    assert "BTC-USDT-261225" not in every, "a dated contract has none"
    assert await okx(sim, "futures", BILLS) == []
    await sim.tick()
    rows = await okx(sim, "futures", BILLS, instId="BTC-USDT-SWAP")
    assert told(rows, "balChg") == [("3.8",)]
    await sim.tick()
    assert len(await okx(sim, "futures", BILLS, instId="BTC-USDT-SWAP")) == 1


@pytest.mark.parametrize("query", ["", "?instId=NO-USDT-SWAP", "?instId=BTC-USDT-261225"])
async def test_a_funding_rate_of_nothing_is_refused(sim, query):
    reply = await got(f"{sim.url('okx')}{RATES}{query}")
    assert reply.json["code"] == ("51001" if query else "50014")


async def test_borrowing_in_spot_mode_can_be_switched(sim):
    assert await truth(sim, "spot") == []
    await steer(sim, "okx/mode", account="spot", spot_borrow=True)
    (pool,) = await truth(sim, "spot")
    assert (pool["pool"], pool["unit"]) == ("unified", "USD")
    (config,) = await okx(sim, "spot", CONFIG)
    assert config["enableSpotBorrow"] is True


async def test_the_mode_can_change_while_running(sim):
    (usdt, sol) = await truth(sim, "futures")
    assert (usdt["pool"], usdt["unit"]) == ("USDT", "USDT")
    await steer(sim, "okx/mode", account="futures", mode="multi_currency", position_mode="hedge")
    (config,) = await okx(sim, "futures", CONFIG)
    assert (config["acctLv"], config["posMode"]) == ("3", "long_short_mode")
    unified, alone = await truth(sim, "futures")
    assert (unified["pool"], unified["unit"]) == ("unified", "USD")
    assert alone["pool"] == "isolated/SOL-USDT-SWAP/long"
    assert alone["margin_balance"] == sol["margin_balance"]
    (ours,) = await okx(sim, "futures", BALANCE)
    assert ours["adjEq"] != ""
    assert {row["mgnRatio"] for row in ours["details"]} == {""}
    rows = await okx(sim, "futures", "/api/v5/account/positions")
    assert told(rows, "posSide", "pos") == [("long", "20"), ("short", "30"), ("long", "50")]
    await steer(sim, "okx/mode", account="futures", position_mode="one_way")
    rows = await okx(sim, "futures", "/api/v5/account/positions")
    assert told(rows, "posSide", "pos") == [("net", "20"), ("net", "-30"), ("net", "50")]


@pytest.mark.parametrize(
    ("path", "body", "word"),
    [
        ("mode", {"account": "futures", "mode": "spot"}, "close them first"),
        ("mode", {"account": "futures", "mode": "cross"}, "multi_currency"),
        ("mode", {"account": "futures", "position_mode": "both"}, "one_way or hedge"),
        ("mode", {"account": "nobody"}, "nobody"),
        ("mode", {"account": "spot", "spot_borrow": "yes"}, "yes"),
        ("funding", {"rate": "high"}, "high"),
        ("funding", {"account": "nobody"}, "nobody"),
    ],
)
async def test_a_wish_that_can_t_be_met_is_refused(sim, path, body, word):
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"http://{sim.host}:{sim.port}/sim/okx/{path}", json=body) as reply,
    ):
        assert reply.status == 400
        assert word in json.loads(await reply.text())["error"]
    (config,) = await okx(sim, "futures", CONFIG)
    assert config["acctLv"] == "2"


@pytest.mark.parametrize("path", [BILLS, RATES + "?instId=ANY", "/api/v5/asset/balances"])
@pytest.mark.parametrize("kind", ["html", "empty", "null", "truncated", "429"])
async def test_the_new_answers_break_as_all_others_do(sim, path, kind):
    words = (f"sim-futures-{word}" for word in ("key", "secret", "passphrase"))
    whole = await got(f"{sim.url('okx')}{path}", okx_headers(path, *words))
    assert whole.json["code"] == "0"
    await steer(sim, "fault", exchange="okx", kind=kind)
    words = (f"sim-futures-{word}" for word in ("key", "secret", "passphrase"))
    broken = await got(f"{sim.url('okx')}{path}", okx_headers(path, *words))
    assert broken.text != whole.text
    assert broken.status == (429 if kind == "429" else 200)


async def test_bills_are_signed_for(sim):
    reply = await got(f"{sim.url('okx')}{BILLS}")
    assert (reply.status, reply.json["code"]) == (401, "50103")


async def test_a_margin_position_is_made_smaller_by_its_base_coin():
    loan = """
[[accounts]]
name = "lent"
exchange = "okx"
mode = "futures"
wallets = { USDT = 200 }
[[accounts.extra.loans]]
symbol = "BTC-USDT"
side = "short"
held = "2000"
owed = "0.02"
interest = "0.002"
entry_price = "94000"
ccy = "USDT"
"""
    async with running(scene(loan, market=MARKET)) as other:
        await steer(
            other, "okx/change", account="lent", symbol="BTC-USDT", side="short", contracts="0.005"
        )
        (row,) = await okx(other, "lent", "/api/v5/account/positions")
        assert (row["pos"], row["liab"], row["interest"]) == ("500", "-0.005", "0.0005")
        (ours,) = await okx(other, "lent", BALANCE)
        # 200, and three quarters of 2,000 - 0.022 x 95,000
        assert ours["details"][0]["cashBal"] == "132.5"
