"""What each account mode of the pretended OKX shows on the wire, and the tables behind it."""

from decimal import Decimal

import pytest

from monitor.simulator.okx import Okx
from monitor.simulator.server import running
from tests.simulator.scenes import scene
from tests.simulator.unified import MARKET, okx, recorded, sample, truth

D = Decimal
BALANCE, POSITIONS = "/api/v5/account/balance", "/api/v5/account/positions"
TIERS, FEES = "/api/v5/public/position-tiers", "/api/v5/account/trade-fee"
INSTRUMENTS, MARKS = "/api/v5/public/instruments", "/api/v5/public/mark-price"

ACCOUNTS = """
[market.USDT]
start = 0.9995
[[accounts]]
name = "borrower"
exchange = "okx"
mode = "spot"
wallets = { BTC = 1, USDT = -10000 }
extra = { spot_borrow = true, interest = { USDT = "2.5" } }

[[accounts]]
name = "dated"
exchange = "okx"
mode = "futures"
wallets = { USDT = 5000, BTC = 0.1, USDC = 2000 }
positions = [
  { symbol = "BTC-USDT-261225", side = "short", contracts = 10, entry_price = 95200 },
  { symbol = "BTC-USD-270326", side = "long", contracts = 50, entry_price = 96000 },
  { symbol = "BTC-USD_UM-261225", side = "long", contracts = 5, entry_price = 95200 },
]
extra = { futures_taker_rate = "0.001", funding = { USDT = "250.5" } }

[[accounts]]
name = "lent"
exchange = "okx"
mode = "futures"
wallets = { USDT = 100 }
[[accounts.extra.loans]]
symbol = "BTC-USDT"
side = "long"
held = "0.01"
owed = "900"
interest = "0.5"
entry_price = "94000"
isolated_margin = "0.0005"
[[accounts.extra.loans]]
symbol = "BTC-USDT"
side = "short"
held = "2000"
owed = "0.02"
entry_price = "94000"
ccy = "USDT"

[[accounts]]
name = "stress"
exchange = "okx"
mode = "portfolio"
wallets = { USDT = 10000 }
positions = [
  { symbol = "BTC-USDT-SWAP", side = "long", contracts = 10, entry_price = 95000 },
  { symbol = "BTC-USDT-261225", side = "short", contracts = 5, entry_price = 95000 },
  { symbol = "ETH-USDT-SWAP", side = "long", contracts = 5, entry_price = 3600 },
]
extra = { stress = "0.1" }
"""


@pytest.fixture
async def sim(monkeypatch):
    monkeypatch.setattr(Okx, "cadence_seconds", 3600.0)  # prices stand still
    async with running(scene(ACCOUNTS, market=MARKET)) as simulation:
        yield simulation


def near(text: str, expected: Decimal | str) -> bool:
    return abs(D(text) - D(expected)) <= abs(D(expected)) * D("1e-15")


async def test_spot_mode_with_borrowing_shows_its_pool_at_the_top(sim):
    (ours,) = await okx(sim, "borrower", BALANCE)
    owed = D("10002.5") * D("0.9995")
    # BTC's index stands a little beside its mark
    usd = D(ours["details"][0]["eqUsd"])
    assert near(ours["adjEq"], usd * D("0.98") - owed)
    assert near(ours["mmr"], owed * D("0.02"))
    assert near(ours["imr"], owed * D("0.1"))
    needed = owed * (D("0.02") + D("1.02") * D("0.001"))
    assert near(ours["mgnRatio"], D(ours["adjEq"]) / needed)
    assert near(ours["notionalUsdForBorrow"], owed)
    blank = {ours[key] for key in ("availEq", "borrowFroz", "isoEq", "ordFroz", "upl")}
    assert blank == {""}, "these are of margin modes"
    usdt = ours["details"][1]
    assert (usdt["liab"], usdt["crossLiab"], usdt["interest"]) == ("10000", "10000", "2.5")
    assert (usdt["cashBal"], usdt["eq"]) == ("-10000", "-10002.5")
    assert await okx(sim, "borrower", POSITIONS) == []
    (config,) = await okx(sim, "borrower", "/api/v5/account/config")
    assert (config["acctLv"], config["enableSpotBorrow"]) == ("1", True)


async def test_a_dated_contract_has_the_fields_of_a_recorded_one(sim):
    theirs = sample("okx", "fetch_positions")["data"][0]
    rows = await okx(sim, "dated", POSITIONS)
    # the sample is of the socket, which adds the time of the push
    assert set(theirs) - {"pTime"} <= set(rows[0])
    assert [(row["instType"], row["ccy"]) for row in rows] == [
        ("FUTURES", "USDT"),
        ("FUTURES", "BTC"),
        ("FUTURES", "USDC"),
    ]
    # 0.12 % and 0.85 % above 95,000
    assert [row["markPx"] for row in rows] == ["95114", "95807.5", "95114"]
    assert (rows[0]["pos"], rows[0]["upl"]) == ("-10", "8.6")
    assert near(rows[1]["mmr"], D(5000) / D("95807.5") * D("0.0045"))


@pytest.mark.parametrize(
    ("inst_id", "told"),
    [
        ("BTC-USDT-261225", ("BTC-USDT", "BTC-USDT", "linear", "USDT", "0.01", "1")),
        ("BTC-USD-270326", ("BTC-USD", "BTC-USD", "inverse", "BTC", "100", "1")),
        ("BTC-USD_UM-261225", ("BTC-USD_UM", "BTC-USD", "linear", "USD", "0.01", "1")),
        ("XRP-USDT-261225", ("XRP-USDT", "XRP-USDT", "linear", "USDT", "10", "10")),
    ],
)
async def test_a_dated_contract_is_listed(sim, inst_id, told):
    (row,) = await okx(sim, None, INSTRUMENTS, instType="FUTURES", instId=inst_id)
    names = "instFamily uly ctType settleCcy ctVal ctMult"
    assert tuple(row[name] for name in names.split()) == told
    assert row["expTime"] in {"1798185600000", "1806048000000"}
    (mark,) = await okx(sim, None, MARKS, instType="FUTURES", instId=inst_id)
    assert (mark["instType"], mark["instId"]) == ("FUTURES", inst_id)


async def test_tables_are_told_by_kind(sim):
    def shown(rows):
        return [(row["maxSz"], row["mmr"]) for row in rows[:2]]

    asked = {"tdMode": "cross", "instFamily": "BTC-USDT"}
    swaps = await okx(sim, None, TIERS, instType="SWAP", **asked)
    dated = await okx(sim, None, TIERS, instType="FUTURES", **asked)
    assert shown(swaps) == [("1000", "0.004"), ("2000", "0.005")]
    assert shown(dated) == [("800", "0.0045"), ("1600", "0.006")]
    loans = await okx(sim, None, TIERS, instType="MARGIN", tdMode="cross", ccy="BTC")
    assert shown(loans) == [("25", "0.03"), ("50", "0.04")]
    theirs = sample("okx", "fetch_market_leverage_tiers")["data"][0]
    assert set(theirs) <= set(loans[0])
    pairs = await okx(sim, None, TIERS, instType="MARGIN", tdMode="isolated", instId="BTC-USDT")
    told = [(row["baseMaxLoan"], row["quoteMaxLoan"], row["mmr"]) for row in pairs[:2]]
    assert told == [("5", "500000", "0.02"), ("10", "1000000", "0.03")]


async def test_fees_are_told_by_kind(sim):
    rates = {}
    for kind in ("SWAP", "FUTURES", "MARGIN"):
        (row,) = await okx(sim, "dated", FEES, instType=kind)
        rates[kind] = {group["taker"] for group in row["feeGroup"]}
    assert rates == {"SWAP": {"-0.0005"}, "FUTURES": {"-0.001"}, "MARGIN": {"-0.001"}}


async def test_a_margin_row_has_the_fields_and_the_blanks_of_the_official_one(sim):
    isolated, cross = await okx(sim, "lent", POSITIONS)
    assert set(recorded("okx_fetchPosition_0")["data"][0]) <= set(isolated)
    names = "instType mgnMode posSide ccy posCcy liabCcy pos liab interest margin imr"
    assert [isolated[name] for name in names.split()] == [
        *("MARGIN", "isolated", "net", "BTC", "BTC", "USDT"),
        *("0.01", "-900", "0.5", "0.0005", ""),
    ]
    assert near(isolated["upl"], D("0.01") - D("900.5") / 95000 - D("0.0005"))
    assert near(isolated["liqPx"], D("900.5") * D("1.02") * D("1.001") / D("0.01"))
    assert [cross[name] for name in names.split()] == [
        *("MARGIN", "cross", "net", "USDT", "USDT", "BTC"),
        *("2000", "-0.02", "0", "", "380"),
    ]
    assert near(cross["upl"], 2000 - D("0.02") * 95000)
    (ours,) = await okx(sim, "lent", BALANCE)
    coins = {detail["ccy"]: detail for detail in ours["details"]}
    # 100 + 2,000 - 1,900, over 1,900 x (2 % + 1.02 x 0.1 %)
    assert near(coins["USDT"]["mgnRatio"], D(200) / (1900 * D("0.02102")))
    assert near(coins["BTC"]["isoEq"], D("0.01") - D("900.5") / 95000)
    (pair,) = await okx(sim, None, INSTRUMENTS, instType="MARGIN", instId="BTC-USDT")
    assert (pair["baseCcy"], pair["quoteCcy"]) == ("BTC", "USDT")
    (mark,) = await okx(sim, None, MARKS, instType="MARGIN", instId="BTC-USDT")
    assert mark["markPx"] == "95000"


async def test_rows_of_one_risk_unit_tell_the_unit_s_requirement(sim):
    rows = await okx(sim, "stress", POSITIONS)
    # 0.1 BTC long and 0.05 short at 95,114; half an ETH
    btc = (9500 - D("0.05") * 95114) * D("0.1") * D("0.9995")
    eth = 1800 * D("0.1") * D("0.9995")
    for row, expected in zip(rows, (btc, btc, eth), strict=True):
        assert near(row["mmr"], expected)
        assert row["liqPx"] == ""
    (ours,) = await okx(sim, "stress", BALANCE)
    assert near(ours["mmr"], btc + eth)
    (pool,) = await truth(sim, "stress")
    assert near(ours["mgnRatio"], 1 / D(pool["ratio"]))
    assert {position["maintenance_margin"] for position in pool["positions"]} == {None}
    assert (ours["notionalUsdForFutures"], ours["notionalUsdForOption"]) == (
        str((D("0.05") * 95114 * D("0.9995")).normalize()),
        "0",
    )


async def test_the_funding_account_stands_apart(sim):
    (coin,) = await okx(sim, "dated", "/api/v5/asset/balances")
    assert coin == {"availBal": "250.5", "bal": "250.5", "ccy": "USDT", "frozenBal": "0"}
    assert await okx(sim, "dated", "/api/v5/asset/balances", ccy="BTC") == []


async def test_beyond_the_last_listed_discount_the_least_rate_holds(sim):
    path = "/api/v5/public/discount-rate-interest-free-quota"
    (sol,) = await okx(sim, None, path, ccy="SOL")
    assert [(row["maxAmt"], row["discountRate"]) for row in sol["details"]] == [
        ("5000", "0.95"),
        ("20000", "0.9"),
    ]
    assert sol["minDiscountRate"] == "0.8"
