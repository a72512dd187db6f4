"""One pool of all assets in the pretended Binance: floating collateral, credits, both ways."""

import pytest

from monitor.simulator.binance_declared import read_extras
from monitor.simulator.binance_ledger import Leg
from monitor.simulator.scenario import ScenarioError
from monitor.simulator.server import running
from tests.simulator.binance_books import D, book, leg, pool, prices, spec
from tests.simulator.binance_client import asked
from tests.simulator.scenes import BINANCE, scene

CREDITS = """
[[accounts]]
name = "eu"
exchange = "binance"
mode = "credits"
wallets = { BNFCR = -50, BTC = 0.01 }
positions = [
  { symbol = "BTCUSDT", side = "long", contracts = 0.1, entry_price = 61000, leverage = 20 },
]
"""
FLOATING = {"BTC": ("57000", "63000"), "USDT": ("1", "1")}


def both(held: Leg, wallets: dict[str, str]) -> tuple[object, object]:
    book_ = book(wallets, held, mode="multi_assets")
    at = prices({"BTCUSDT": "60000"}, **FLOATING)
    row = pool(book_, "unified").truth(at).positions[0].row()
    return row["liquidation_price"], row["other_liquidation_price"]


def test_collateral_in_the_symbol_s_own_coin_falls_with_it() -> None:
    price, other = both(leg("BTCUSDT", "0.5", "60000"), {"BTC": "0.1"})
    # 0.5 p - 30,000 + 0.1 x 0.95 p = 0.5 p x 0.4 %
    assert round(D(str(price)), 12) == round(30000 / (D("0.595") - D("0.002")), 12)
    assert other is None


def test_the_exchange_s_own_price_leaves_the_rates_as_they_are() -> None:
    held = leg("BTCUSDT", "0.5", "60000")
    unified = pool(book({"BTC": "0.1"}, held, mode="multi_assets"), "unified")
    price = unified.told_price(held, prices({"BTCUSDT": "60000"}, **FLOATING))
    # 0.5 p - 30,000 + 5,700 = 0.5 p x 0.4 %
    assert price == 24300 / (D("0.5") - D("0.002"))


def test_a_short_covered_by_its_coin_ends_far_above_where_maintenance_grows() -> None:
    price, other = both(leg("BTCUSDT", "-0.1", "60000"), {"BTC": "0.1"})
    # 6,000 - 0.1 p + 0.095 p = 0.1 p x 0.4 %; nothing is lost below.
    assert round(D(str(price)), 9) == round(6000 / D("0.0054"), 9)
    assert other is None


def test_a_book_may_end_both_ways_and_the_nearer_comes_first() -> None:
    """A covered short: its profit counts at the bid of USDT, its loss at the ask."""
    held = leg("BTCUSDT", "-0.1", "60000")
    unified = pool(book({"BTC": "0.1", "USDC": "-5600"}, held, mode="multi_assets"), "unified")
    rates = {"BTC": ("57000", "63000"), "USDT": ("0.9", "1.1"), "USDC": ("1", "1")}
    row = unified.truth(prices({"BTCUSDT": "60000"}, **rates)).positions[0].row()
    # Above: 100 - 0.11 (p - 60,000) + 0.095 (p - 60,000) = 0.1 p x 0.4 % x 1.1
    assert round(D(str(row["liquidation_price"])), 9) == round(1000 / D("0.01544"), 9)
    # Below: 100 - 0.09 (p - 60,000) + 0.095 (p - 60,000), against the same.
    assert round(D(str(row["other_liquidation_price"])), 9) == round(200 / D("0.00456"), 9)


def test_at_its_end_the_price_is_the_mark_itself() -> None:
    assert both(leg("BTCUSDT", "0.5", "60000"), {"USDT": "10"}) == ("60000", None)


def test_only_its_own_coin_moves_with_a_symbol() -> None:
    held = leg("ETHUSDT", "10", "2500")
    unified = pool(book({"BTC": "0.1"}, held, mode="multi_assets"), "unified")
    at = prices({"ETHUSDT": "2500"}, **FLOATING)
    # 5,700 stays: 10 p - 25,000 + 5,700 = 10 p x 0.4 %
    assert unified.ends(held.symbol, at)[0] == 19300 / (10 - D("0.04"))


def test_several_legs_of_other_margin_assets_count_at_their_rates() -> None:
    short = leg("ETHBTC", "-10", "0.04")
    unified = pool(book({"BTC": "0.1"}, short, mode="multi_assets"), "unified")
    truth = unified.truth(prices({"ETHBTC": "0.05"}, **FLOATING))
    # Loses 0.1 BTC: nothing left. Of 0.5 BTC 0.5 % at the ask.
    assert truth.margin_balance == 0
    assert truth.maintenance_margin == D("0.0025") * 63000


# --- credits


async def test_credits_are_an_asset_of_that_mode_alone() -> None:
    async with running(scene(CREDITS, BINANCE)) as sim:
        credit = await asked(sim, "eu", "/fapi/v3/account")
        usual = await asked(sim, "one", "/fapi/v3/account")
        config = await asked(sim, "eu", "/fapi/v1/accountConfig")
        (position,) = await asked(sim, "eu", "/fapi/v3/positionRisk")
        (truth,) = sim.world.exchanges[0].pools("eu")
    assert config["multiAssetsMargin"] is True
    assets = {row["asset"]: row for row in credit["assets"]}
    assert "BNFCR" not in {row["asset"] for row in usual["assets"]}
    assert position["marginAsset"] == "BNFCR"
    assert (assets["BNFCR"]["crossWalletBalance"], assets["BNFCR"]["crossUnPnl"]) == (
        "-50.00000000",
        "-100.00000000",
    )
    assert assets["USDT"]["crossUnPnl"] == "0.00000000"
    # A credit is a dollar: -150 + 0.01 x 57,000, and 6,000 x 0.4 %.
    assert (truth.margin_balance, truth.maintenance_margin) == (420, 24)
    assert credit["totalMarginBalance"] == "420.00000000"


async def test_credits_may_leave_profit_in_each_contract_s_own_asset() -> None:
    words = CREDITS + 'extra = { settlement = "contract" }\n'
    async with running(scene(words)) as sim:
        (position,) = await asked(sim, "eu", "/fapi/v3/positionRisk")
        (truth,) = sim.world.exchanges[0].pools("eu")
    assert position["marginAsset"] == "USDT"
    # The loss of 100 USDT counts at its ask of 1.0001.
    assert truth.margin_balance == -50 - D("100.01") + 570


@pytest.mark.parametrize(
    ("extra", "because"),
    [
        ({"coins": {}}, "unknown key"),
        ({"loan_leverage": 4}, "loan_leverage is one of"),
        ({"settlement": "dollars"}, "settlement is one of"),
        ({"coin_wallets": {"BTC": "much"}}, "expected a number"),
    ],
)
def test_a_declaration_that_means_nothing_is_refused(
    extra: dict[str, object], because: str
) -> None:
    account = spec()
    object.__setattr__(account, "extra", extra)
    with pytest.raises((ScenarioError, ValueError), match=because):
        read_extras(account)
