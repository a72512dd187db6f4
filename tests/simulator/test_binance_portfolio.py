"""Portfolio margin in the pretended Binance: uniMMR, what is refused, the wire, the sockets."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from monitor.simulator.binance import Binance
from monitor.simulator.binance_declared import LOAN_RATES, Extras, MarginAsset
from monitor.simulator.binance_liquidation import settle_portfolio
from monitor.simulator.binance_portfolio import Portfolio
from monitor.simulator.server import Simulation, running
from tests.simulator.binance_books import D, book, leg, prices, symbol
from tests.simulator.binance_client import (
    asked,
    listen_key,
    opened,
    recorded,
    same_shape,
    sample,
)
from tests.simulator.scenes import BINANCE, PM, PRO, account_of, binance_query, scene

E7_PRICES = prices(
    {"BTCUSDT": "40000", "ETHUSDT": "3000", "BTCUSD": "40000"},
    USDT=("1", "1"),
    BTC=("38000", "40000"),
    ETH=("2700", "3000"),
)


def e7() -> Portfolio:
    """
    The inputs of the PM Pro FAQ's example; index ETH 3,000 and collateral rates are of our own.

    Net USDT 1,000 + 5,000 + 600 - 414, BTC 0.1 - 0.04 + 0.1 - 0.05, ETH 20 - 15; maintenance of
    10 and 8.4 USDT and of 0.00125 BTC, loans at 3x: 10 %.
    """
    won = leg(symbol("BTCUSDT", "100000 .004 1"), "0.0625", "30400")
    lost = leg(symbol("ETHUSDT", "100000 .0028 1"), "1", "3414")
    coin = leg(symbol("BTCUSD", "100 .005 1", size="100"), "100", "50000")
    margin = {
        "USDT": MarginAsset(free=D(900), locked=D(100)),
        "BTC": MarginAsset(free=D("0.1"), borrowed=D("0.04")),
        "ETH": MarginAsset(free=D(20), borrowed=D(15)),
    }
    return Portfolio(
        usd=book({"USDT": "5000"}, won, lost, mode="pm_pro"),
        coin=book({"BTC": "0.1"}, coin, mode="pm_pro", coin=True),
        extras=Extras(margin=margin, loan_rate=LOAN_RATES[3]),
    )


def test_the_example_of_uni_mmr() -> None:
    portfolio = e7()
    assert portfolio.net("USDT", E7_PRICES) == 1000 + 5000 + 600 - 414
    assert portfolio.net("BTC", E7_PRICES) == D("0.11")
    assert portfolio.net("ETH", E7_PRICES) == 5
    equity = 6186 + D("0.11") * 40000 * D("0.95") + 5 * 3000 * D("0.9")
    assert portfolio.account_equity(E7_PRICES) == equity == 23866
    assert portfolio.futures_maint_margin(E7_PRICES) == D("68.4")
    assert portfolio.loan_maint_margin(E7_PRICES) == D("0.004") * 40000 + D("1.5") * 3000
    assert round(portfolio.uni_mmr(E7_PRICES), 4) == D("5.0474")
    truth = portfolio.pool().truth(E7_PRICES)
    assert (truth.pool, truth.unit) == ("unified", "USD")
    assert truth.maintenance_margin == D("1.05") * D("4728.4")
    assert round(truth.ratio * 100, 2) == D("20.80")


def test_a_debt_counts_at_the_full_index() -> None:
    portfolio = e7()
    portfolio.extras.margin["BTC"].borrowed = D("1.04")
    # Net -0.89 BTC: no collateral rate for it.
    equity = 6186 - D("0.89") * 40000 + 5 * 3000 * D("0.9")
    assert portfolio.account_equity(E7_PRICES) == equity


def test_the_loss_of_open_orders_is_taken_off_and_interest_is_owed() -> None:
    portfolio = e7()
    portfolio.extras.open_loss = D(66)
    portfolio.extras.margin["USDT"].interest = D(100)
    assert portfolio.account_equity(E7_PRICES) == 23866 - 66 - 100
    assert portfolio.loan_maint_margin(E7_PRICES) == 4660 + 10


def test_a_coin_s_price_moves_with_the_symbol_and_the_other_symbols_stay() -> None:
    """
    BTCUSDT alone falls to p: its leg, and the 0.11 BTC beside with their index.

    Loan and COIN-M maintenance are in BTC too: 0.004 and 0.00125 at the index.
    """
    portfolio = e7()
    portfolio.extras.margin["USDT"].free -= 18000
    (row, *_) = [p.row() for p in portfolio.pool().truth(E7_PRICES).positions]
    # 6,186 - 18,000 - 2,500 + 0.0625 p + 0.1045 p + 13,500
    #   = 1.05 x (0.00025 p + 8.4 + 0.00525 p + 4,500)
    slope = D("0.167") - D("1.05") * D("0.0055")
    expected = (D("1.05") * D("4508.4") + 814) / slope
    assert round(D(str(row["liquidation_price"])), 10) == round(expected, 10)


def test_a_coin_that_turns_into_a_debt_on_the_way_counts_in_full_from_there() -> None:
    held = leg(symbol("BTCUSD", "100 .004 1", size="100"), "100", "25000")
    portfolio = Portfolio(
        usd=book({}, mode="pm_pro"),
        coin=book({"BTC": "0.01"}, held, mode="pm_pro", coin=True),
        extras=Extras(margin={"USDT": MarginAsset(free=D(1000))}),
    )
    at = prices({"BTCUSD": "25000"}, USDT=("1", "1"), BTC=("23750", "25000"))
    # Below 24,390 the net of 0.41 - 10,000 / p BTC is owed: at the index, without the 95 %.
    # 1,000 + 0.41 p - 10,000 = 1.05 x 40
    (price, other) = portfolio.pool().ends(held.symbol, at)
    assert round(D(str(price)), 10) == round(9042 / D("0.41"), 10)
    assert other is None


@pytest.mark.parametrize(
    ("taken", "word"),
    [
        (0, "NORMAL"),
        (17000, "MARGIN_CALL"),  # 6,866 / 4,728.4 = 1.452
        (18500, "REDUCE_ONLY"),  # 1.135
        (18950, "FORCE_LIQUIDATION"),  # 1.0397
        (20000, "BANKRUPTED"),  # 0.8176
    ],
)
def test_the_bands_of_the_pro_program(taken: int, word: str) -> None:
    portfolio = e7()
    portfolio.extras.margin["USDT"].free -= taken
    assert portfolio.status(E7_PRICES) == word


def test_what_is_owed_after_a_liquidation_is_paid_out_of_the_other_coins() -> None:
    portfolio = e7()
    portfolio.usd.legs.clear()
    portfolio.coin.legs.clear()
    portfolio.extras.margin["BTC"].borrowed = D("0.3")
    # BTC 0.1 - 0.3 + 0.1 = -0.1, 4,000 dollars: paid in ETH, of which most is there.
    settle_portfolio(portfolio, E7_PRICES)
    left = {name: round(margin.total, 20) for name, margin in portfolio.extras.margin.items()}
    assert left == {"USDT": 6000, "BTC": 0, "ETH": round(5 - D(4000) / 3000, 20)}
    assert {*portfolio.usd.cross_wallets.values(), *portfolio.coin.cross_wallets.values()} == {0}


# --- wire


@pytest.fixture
async def sim(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Simulation]:
    monkeypatch.setattr(Binance, "cadence_seconds", 3600.0)
    async with running(scene(PM, PRO, BINANCE)) as simulation:
        yield simulation


async def test_the_account_is_told_in_uni_mmr(sim: Simulation) -> None:
    ours = await asked(sim, "pm", "/papi/v1/account")
    # ETH: 2 + 1 - 1,000 x (1/2,600 - 1/2,498) = 3.01571... at 0.9 of 2,500.
    profit = 1000 / D(2498) - 1000 / D(2600)
    equity = D(1000) - 100 + 500 - 250 + (3 + profit) * D("0.9") * 2500
    margin = D(30000) * D("0.004") + 1000 / D(2498) * D("0.005") * 2500 + 100 * D("0.08")
    assert D(ours["accountEquity"]) == pytest.approx(equity, abs=D("1e-7"))
    assert D(ours["accountMaintMargin"]) == pytest.approx(margin, abs=D("1e-7"))
    assert D(ours["uniMMR"]) == pytest.approx(equity / margin, abs=D("1e-7"))
    assert (ours["accountStatus"], ours["totalAvailableBalance"]) == ("NORMAL", "")
    assert ours["totalMarginOpenLoss"] == ""


async def test_balances_have_the_form_of_the_recorded_ones(sim: Simulation) -> None:
    theirs = recorded("binance_fetchBalance_2")
    rows = {row["asset"]: row for row in await asked(sim, "pm", "/papi/v1/balance")}
    assert set(rows["USDT"]) == set(theirs[0])
    assert rows["USDT"]["crossMarginBorrowed"] == "100.0"
    assert rows["USDT"]["totalWalletBalance"] == "1500.0"  # without what is owed, as recorded
    assert rows["USDT"]["umUnrealizedPNL"] == "-250.0"
    assert (rows["ETH"]["crossMarginAsset"], rows["ETH"]["cmWalletBalance"]) == ("2.0", "1.0")
    one = await asked(sim, "pm", "/papi/v1/balance", asset="ETH")
    assert one["asset"] == "ETH"


async def test_positions_have_the_fields_of_the_samples(sim: Simulation) -> None:
    (um,) = await asked(sim, "pm", "/papi/v1/um/positionRisk")
    (cm,) = await asked(sim, "pm", "/papi/v1/cm/positionRisk")
    assert set(um) == set(sample("fetch_positions_risk", "linear portfolio margin:")[0])
    assert set(cm) == set(sample("fetch_positions_risk", "inverse portfolio margin:")[0])
    assert (um["entryPrice"], um["markPrice"], um["notional"]) == ("60500.0", "60000.0", "30000.0")
    assert (cm["symbol"], cm["positionAmt"], cm["leverage"]) == ("ETHUSD_PERP", "-100", "5")
    account = await asked(sim, "pm", "/papi/v2/um/account")
    assert account["positions"][0]["maintMargin"] == "120.00000000"
    older = await asked(sim, "pm", "/papi/v1/um/account")
    same_shape(older["positions"][0], sample("parse_account_position", "linear portfolio"))
    coins = await asked(sim, "pm", "/papi/v1/cm/account")
    theirs = sample("parse_account_position", "inverse portfolio")
    assert set(coins["positions"][0]) == set(theirs)


async def test_brackets_spell_the_floor_in_their_own_way(sim: Simulation) -> None:
    (row,) = await asked(sim, "pm", "/papi/v1/cm/leverageBracket", symbol="BTCUSD_PERP")
    assert "qtyFloor" in row["brackets"][0]
    (um,) = await asked(sim, "pm", "/papi/v1/um/leverageBracket", symbol="BTCUSDT")
    assert um["brackets"][0]["notionalCap"] == 300000


async def test_the_pro_program_says_which_it_is(sim: Simulation) -> None:
    pro = await asked(sim, "pro", "/sapi/v1/portfolio/account")
    plain = await asked(sim, "pm", "/sapi/v1/portfolio/account")
    assert (pro["accountType"], plain["accountType"]) == ("PM_1", "PM_2")
    assert pro["uniMMR"] == (await asked(sim, "pro", "/papi/v1/account"))["uniMMR"]
    told = [
        (await asked(sim, name, "/sapi/v1/account/info"))["isPortfolioMarginRetailEnabled"]
        for name in ("pm", "pro", "one")
    ]
    assert told == [True, False, False]
    rates = await asked(sim, "pm", "/sapi/v1/portfolio/collateralRate")
    assert {row["asset"]: row["collateralRate"] for row in rates}["BTC"] == "0.9500"


async def refused(sim: Simulation, account: str, path: str) -> tuple[int, int]:
    spec = account_of(sim.world.scenario, account)
    url = f"{sim.url('binance')}{path}?{binance_query(spec.secret)}"
    headers = {"X-MBX-APIKEY": spec.key}
    async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as reply:
        body = await reply.json()
        return reply.status, 0 if isinstance(body, list) else body.get("code", 0)


async def test_each_kind_of_account_has_its_own_calls(sim: Simulation) -> None:
    assert await refused(sim, "pm", "/fapi/v3/account") == (401, -2015)
    assert await refused(sim, "pm", "/dapi/v1/account") == (401, -2015)
    assert await refused(sim, "one", "/papi/v1/account") == (401, -2015)
    assert await refused(sim, "one", "/sapi/v1/portfolio/account") == (400, -21001)
    # The pro program trades through the futures calls.
    assert await refused(sim, "pro", "/fapi/v3/positionRisk") == (200, 0)


async def test_its_calls_count_against_a_limit_of_their_own(sim: Simulation) -> None:
    spec = account_of(sim.world.scenario, "pm")
    headers = {"X-MBX-APIKEY": spec.key}
    used = []
    async with aiohttp.ClientSession(headers=headers) as session:
        for path in ("/papi/v1/account", "/fapi/v1/time", "/papi/v1/balance"):
            url = f"{sim.url('binance')}{path}?{binance_query(spec.secret)}"
            async with session.get(url) as reply:
                used.append(int(reply.headers["X-MBX-USED-WEIGHT-1M"]))
    assert used == [20, 1, 40]


async def test_both_engines_are_told_on_one_stream(sim: Simulation) -> None:
    key = await listen_key(sim, "sim-pm-key", path="/papi/v1/listenKey")
    binance: Any = sim.world.exchanges[0]
    async with opened(sim, f"/pm/ws/{key}") as client:
        binance._steering.charge_funding("pm", "BTCUSDT", D("0.001"))
        binance._steering.charge_funding("pm", "ETHUSD_PERP", D("0.001"))
        await sim.tick()
        frames = [await client.receive() for _ in range(2)]
    assert [(f["fs"], f["a"]["B"][0]["a"]) for f in frames] == [("UM", "USDT"), ("CM", "ETH")]
    assert frames[0]["a"]["B"][0]["cw"] == "470.00000000"  # 30,000 x 0.1 %


async def test_a_level_of_risk_is_told_and_then_all_is_liquidated(sim: Simulation) -> None:
    key = await listen_key(sim, "sim-pm-key", path="/papi/v1/listenKey")
    async with opened(sim, f"/pm/ws/{key}") as client:
        # 1,400 - 0.5 x 16,120 + 3.0157 x 2,250 = 125.3; 88.76 + 5 + 8 = 101.8 are required.
        sim.world.pin("BTC", D(44380))
        await sim.tick()
        told = await client.receive()
        assert told["e"] == "riskLevelChange"
        assert (told["s"], told["u"][:4]) == ("MARGIN_CALL", "1.23")
        sim.world.pin("BTC", D(40000))
        await sim.tick()
    (event,) = [e for e in sim.world.events if e["event"] == "liquidation" and e["account"] == "pm"]
    assert "BTCUSDT" in str(event["closed"])
    assert "ETHUSD_PERP" in str(event["closed"])
    assert await asked(sim, "pm", "/papi/v1/um/positionRisk") == []


@pytest.mark.parametrize("path", ["/papi/v1/account", "/dapi/v1/account", "/sapi/v1/account/info"])
async def test_its_calls_show_faults_as_all_do(sim: Simulation, path: str) -> None:
    sim.world.fault("binance", "html", path=path)
    url = f"{sim.url('binance')}{path}"
    async with aiohttp.ClientSession() as session, session.get(url) as reply:
        assert (reply.status, reply.content_type) == (200, "text/html")


async def test_reported_totals_may_be_falsified(sim: Simulation) -> None:
    before = await asked(sim, "pm", "/papi/v1/account")
    sim.world.fault("binance", "wrong_numbers", path="/papi", value="2")
    after = await asked(sim, "pm", "/papi/v1/account")
    assert D(after["accountMaintMargin"]) == 2 * D(before["accountMaintMargin"])
    assert after["accountEquity"] == before["accountEquity"]
