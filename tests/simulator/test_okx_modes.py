"""
OKX's arithmetic beyond swaps on one coin: dated contracts, MARGIN, debts, every account mode.

Examples marked "official" or "captured" are OKX's own; the rest is arithmetic written out.
"""

from decimal import Decimal

import pytest

from monitor.simulator.okx_account import (
    FUTURES,
    MULTI_CURRENCY,
    PORTFOLIO,
    SPOT,
    Account,
    MarginPosition,
    Order,
    OtherPosition,
    Position,
    Prices,
)
from monitor.simulator.okx_balance import balance, usd_notional
from monitor.simulator.okx_ledger import (
    figures,
    margin_liquidation_price,
    ratio_text_value,
)
from monitor.simulator.okx_legs import debt_figures, margin_figures, notional_of
from monitor.simulator.okx_pools import liquidate, pools
from monitor.simulator.okx_rates import loan_tier, pair_tier
from monitor.simulator.okx_rows import unit_mmr
from monitor.simulator.okx_stress import stress_mmr
from monitor.simulator.okx_tables import INSTRUMENTS

D = Decimal


def at(usdt="1", usdc="1", **prices: str) -> Prices:
    return Prices(coin=lambda base: D(prices[base]), usdt=D(usdt), usdc=D(usdc))


def contract(inst_id: str, contracts: str, avg_px: str, **more) -> Position:
    size = D(contracts)
    return Position(
        inst_id=inst_id,
        direction=1 if size > 0 else -1,
        contracts=abs(size),
        avg_px=D(avg_px),
        lever=D(10),
        pos_id=more.pop("pos_id", inst_id + contracts),
        **more,
    )


def bought(**more) -> MarginPosition:
    words = {
        "inst_id": "BTC-USDT",
        "direction": 1,
        "held": D(1),
        "owed": D(50000),
        "avg_px": D(60000),
        "lever": D(5),
        "pos_id": "9",
        "ccy": "BTC",
    }
    return MarginPosition(**words | more)


def close_to(value: Decimal | None, expected: Decimal | str, within: str) -> bool:
    return value is not None and abs(value - D(expected)) <= D(within)


# --- MARGIN


def test_the_official_isolated_margin_row():
    """Official: 0.0019 BTC on 99.9998 USDT; mgnRatio 9.404143929947395, liqPx 53615.4483."""
    row = bought(
        held=D("0.00190433573"),
        owed=D("99.9998177776581948"),
        avg_px=D("62961.4"),
        margin=D("0.000317654"),
    )
    mine = margin_figures(row, D("62891.9"), D("0.001"))
    assert mine.tier.mmr == D("0.02")
    assert close_to(mine.upl, "-0.0000033452492717", "1e-16")
    assert close_to(mine.mmr, "0.0000318005395854", "1e-16")
    ratio = ratio_text_value(mine.equity, mine.mmr + mine.fee)
    assert close_to(ratio, "9.404143929947395", "1e-14")
    assert close_to(margin_liquidation_price(mine), "53615.448336593756", "1e-11")


def test_an_isolated_margin_short_owes_base_and_is_counted_in_quote():
    row = bought(direction=-1, held=D(60000), owed=D("0.9"), interest=D("0.01"), ccy="USDT")
    account = Account(name="m", loans=[MarginPosition(**_fields(row) | {"margin": D(5000)})])
    (pool,) = pools(account, at(BTC="60000"))
    assert (pool.pool, pool.unit) == ("isolated/BTC-USDT", "USDT")
    owed = D("0.91") * 60000
    assert pool.margin_balance == 60000 - owed
    assert pool.maintenance_margin == owed * (D("0.02") + D("1.02") * D("0.001"))
    (position,) = pool.row()["positions"]
    price = 60000 / (D("0.91") * D("1.02") * D("1.001"))
    # 1.02 x 1.001 is 1 + 0.02 + 1.02 x 0.001
    assert close_to(D(position["liquidation_price"]), price, "1e-12")
    assert (position["side"], position["contracts"]) == ("short", "0.9")


def _fields(row: MarginPosition) -> dict[str, object]:
    return {name: getattr(row, name) for name in MarginPosition.__slots__}


def test_the_tier_of_a_margin_position_goes_by_what_is_owed():
    assert pair_tier("BTC-USDT", D(500000), in_base=False).mmr == D("0.02")
    assert pair_tier("BTC-USDT", D("500000.01"), in_base=False).mmr == D("0.03")
    assert pair_tier("BTC-USDT", D("5.1"), in_base=True).mmr == D("0.03")
    interest = margin_figures(bought(owed=D(500000), interest=D(2)), D(60000), D("0.001"))
    assert interest.tier.mmr == D("0.02"), "interest was not borrowed (not verified)"
    assert close_to(interest.mmr, D(500002) / 60000 * D("0.02"), "1e-24")


@pytest.mark.parametrize(
    ("ccy", "upl", "owed"),
    [("USDT", D(60000) - 50000, D(50000)), ("BTC", 1 - D(50000) / 60000, D(50000) / 60000)],
)
def test_cross_margin_in_futures_mode_stands_in_the_pool_that_it_is_margined_in(ccy, upl, owed):
    """No rule for it was found: it is that of isolated margin, in the margin's coin."""
    account = Account(name="m", cash={ccy: D("0.5")}, loans=[bought(ccy=ccy)])
    (pool,) = pools(account, at(BTC="60000"))
    assert pool.pool == ccy
    assert close_to(pool.margin_balance, D("0.5") + upl, "1e-22")
    assert close_to(pool.maintenance_margin, owed * D("0.02102"), "1e-22")


def test_a_margin_short_ends_where_what_it_holds_buys_back_the_debt_and_its_margin():
    row = bought(direction=-1, held=D(60000), owed=D("0.9"), ccy="USDT", margin=D(5000))
    mine = margin_figures(row, D(60000), D("0.001"))
    price = D(60000) / (D("0.9") * D("1.02") * D("1.001"))
    assert close_to(margin_liquidation_price(mine), price, "1e-20")


def test_a_margin_position_is_gone_when_it_is_taken_over():
    account = Account(name="m", loans=[bought(margin=D("0.1"), owed=D(60000))])
    liquidate(account, at(BTC="60000"), "isolated/BTC-USDT")
    assert account.loans == []


def test_what_is_lent_to_an_isolated_position_is_told_of_the_coin_that_is_owed():
    account = Account(
        name="m",
        level=MULTI_CURRENCY,
        cash={"USDT": D(-100)},
        interest={"USDT": D("0.5")},
        loans=[bought(margin=D("0.1"), interest=D(1))],
    )
    now = figures(account, at(usdt="0.999", BTC="60000"))
    usdt = next(row for row in balance(account, now, 0)["details"] if row["ccy"] == "USDT")
    told = {name: usdt[name] for name in ("liab", "crossLiab", "isoLiab", "interest")}
    assert told == {"liab": "50100", "crossLiab": "100", "isoLiab": "50000", "interest": "0.5"}
    # one coin held, valued by the coin that it is margined in
    assert usd_notional(now, now.positions[0]) == 60000 * D("0.999")


# --- dated contracts, multipliers, USD


def test_dated_contracts_are_tiered_together_and_apart_from_swaps():
    legs = [
        contract("BTC-USDT-261225", "500", "95000"),
        contract("BTC-USDT-270326", "301", "95000"),
        contract("BTC-USDT-SWAP", "1000", "95000"),
    ]
    account = Account(name="f", cash={"USDT": D(10**6)}, positions=legs)
    account.futures_taker_rate = D("0.001")
    near, far, swap = figures(account, at(BTC="90000")).positions
    # 801 contracts stand above the first 800, each alone would not
    assert (near.tier.mmr, far.tier.mmr, swap.tier.mmr) == (D("0.006"), D("0.006"), D("0.004"))
    # marks stand 0.12 % and 0.85 % above the coin's price
    assert (near.mark, far.mark, swap.mark) == (D("90108"), D("90765"), D("90000"))
    assert near.fee == 5 * D("90108") * D("0.001")
    assert swap.fee == 10 * D("90000") * D("0.0005")


def test_a_multiplier_makes_a_contract_larger():
    listed = INSTRUMENTS["XRP-USDT-261225"]
    assert (listed.value, listed.multiplier) == (10, 10)
    assert notional_of(listed, D(3), D("2.5")) == 3 * 10 * 10 * D("2.5")
    inverse = INSTRUMENTS["XRP-USD-SWAP"]
    assert notional_of(inverse, D(3), D("2.5")) == 3 * 1 * 10 / D("2.5")


def test_a_contract_in_usd_is_linear_and_settles_in_the_account_s_choice():
    listed = INSTRUMENTS["BTC-USD_UM-261225"]
    assert (listed.is_linear, listed.settle, listed.named_settle) == (True, "USDC", "USD")
    assert (listed.family, listed.uly) == ("BTC-USD_UM", "BTC-USD")
    account = Account(
        name="um", cash={"USDC": D(1000)}, positions=[contract("BTC-USD_UM-261225", "10", "90000")]
    )
    (pool,) = pools(account, at(BTC="90000"))
    mark = D("90108")
    assert (pool.pool, pool.margin_balance) == ("USDC", 1000 + D("0.1") * 108)
    assert pool.maintenance_margin == D("0.1") * mark * (D("0.02") + D("0.0005"))


# --- debts


def test_a_captured_ratio_with_swaps_futures_and_a_debt():
    """Captured: adjEq 100942.13, mmr 52.196, three notionals: mgnRatio 1814.5924297007082."""
    debt = debt_figures(D("2046.8510380360844"), D(1), loan_tier("USDT", D(2047)), D("0.001"))
    fees = D("2486.1328640000006") * D("0.0005") + D("101.11322817202809") * D("0.001")
    assert close_to(fees + debt.fee, "3.431967718969", "1e-12")
    ratio = D("100942.13298468884") / (D("52.196024182958055") + fees + debt.fee)
    assert close_to(ratio, "1814.5924297007083", "1e-11")


def test_the_whole_debt_pays_the_tier_that_it_has_reached():
    assert loan_tier("BTC", D(25)).mmr == D("0.03")
    assert loan_tier("BTC", D("25.00000001")).mmr == D("0.04")
    account = Account(name="d", level=MULTI_CURRENCY, cash={"BTC": D(-26), "USDT": D(4_000_000)})
    account.interest["BTC"] = D("0.5")
    now = figures(account, at(BTC="100000"))
    owed = D("26.5") * 100000
    assert now.adjusted_equity == 4_000_000 - owed
    assert now.mmr == owed * D("0.04")
    assert now.fee == owed * D("1.04") * D("0.001")
    assert now.coin("BTC").borrowed == D("26.5")


def test_isolated_margin_pays_no_debt_and_is_no_collateral():
    account = Account(
        name="i",
        level=MULTI_CURRENCY,
        cash={"USDT": D(-100), "BTC": D(1)},
        positions=[contract("SOL-USDT-SWAP", "10", "180", margin=D(900))],
    )
    now = figures(account, at(SOL="180", BTC="100000"))
    assert now.coin("USDT").equity == 800
    assert now.coin("USDT").borrowed == 100
    assert now.adjusted_equity == 98000 - 100


def test_futures_mode_borrows_nothing():
    account = Account(
        name="f", cash={"USDT": D(-5)}, positions=[contract("SOL-USDT-SWAP", "1", "170")]
    )
    now = figures(account, at(SOL="180"))
    assert (now.borrow_notional, now.coin("USDT").cross_equity) == (0, 5)
    account.cash["USDT"] = D(-50)
    assert figures(account, at(SOL="180")).borrow_notional == 0


def test_the_fee_of_opening_comes_off_the_adjusted_equity():
    account = Account(name="w", level=MULTI_CURRENCY, cash={"USDT": D(1000)})
    account.orders.append(
        Order(order_id="1", inst_id="BTC-USDT-261225", side="buy", contracts=D(10), price=D(90000))
    )
    now = figures(account, at(usdt="0.999", BTC="90000"))
    assert now.adjusted_equity == (1000 - 9000 * D("0.0005")) * D("0.999")
    assert now.requirement == 9000 * (D("0.0045") + D("0.0005")) * D("0.999")


# --- modes


def test_spot_mode_has_a_pool_only_where_it_may_borrow():
    account = Account(name="s", level=SPOT, cash={"BTC": D(1), "USDT": D(-10000)})
    assert pools(account, at(BTC="50000")) == ()
    account.spot_borrow = True
    (pool,) = pools(account, at(BTC="50000"))
    assert (pool.pool, pool.unit, pool.positions) == ("unified", "USD", ())
    assert pool.margin_balance == 49000 - 10000
    assert pool.maintenance_margin == 10000 * (D("0.02") + D("1.02") * D("0.001"))
    account.interest["USDT"] = D(3)
    liquidate(account, at(BTC="50000"), "unified")
    # sold to pay: 10,003 of debt, the interest included
    assert account.cash == {"BTC": 1 - D(10003) / 50000, "USDT": 0}
    assert account.interest == {}


def test_portfolio_margin_is_what_is_declared_with_the_cost_of_liquidating():
    account = Account(
        name="p",
        level=PORTFOLIO,
        cash={"USDT": D(10000), "USDC": D(-100)},
        positions=[contract("BTC-USDT-SWAP", "10", "100000")],
        fixed_mmr=D(700),
        fixed_fee=D(77),
    )
    (pool,) = pools(account, at(BTC="90000"))
    assert pool.margin_balance == 10000 - 1000 - 100
    assert pool.maintenance_margin == 777
    (position,) = pool.row()["positions"]
    assert position["maintenance_margin"] is None
    # 8,900 less 0.1 BTC x the fall = 777
    assert close_to(D(position["liquidation_price"]), 90000 - D(8123) * 10, "1e-12")


def test_the_stand_in_for_stress_charges_the_worse_shock_of_each_coin():
    legs = [
        contract("BTC-USDT-SWAP", "10", "100000"),
        contract("BTC-USDT-261225", "-4", "100000"),
        contract("ETH-USDT-SWAP", "-10", "4000"),
    ]
    account = Account(
        name="p", level=PORTFOLIO, cash={"USDT": D(50000)}, positions=legs, stress=D("0.1")
    )
    now = figures(account, at(BTC="100000", ETH="4000"))
    usd = {"USDT": D(1)}
    # 0.1 BTC less 0.04 at marks of 100,000 and 100,120; 1 ETH short
    by_coin = {"BTC": (10000 - D("0.04") * 100120) * D("0.1"), "ETH": D(400)}
    assert stress_mmr(now.positions, usd, D("0.1")) == by_coin
    assert now.mmr == sum(by_coin.values())
    notional = 10000 + D("0.04") * 100120 + 4000
    assert now.fee == notional * D("0.0005")
    account.cash["USDC"] = D(-1000)
    account.positions.append(contract("SOL-USDT-SWAP", "10", "180", margin=D(500)))
    now = figures(account, at(BTC="100000", ETH="4000", SOL="180"))
    # a debt comes on top, an isolated position stands alone
    assert now.mmr == sum(by_coin.values()) + 1000 * D("0.02")
    assert unit_mmr(account, now, now.positions[2]) == by_coin["ETH"]
    account.fixed_mmr = D(77)
    assert unit_mmr(account, now, now.positions[2]) == 77


def test_an_option_counts_with_its_value_and_keeps_its_declared_margin():
    option = OtherPosition(
        inst_type="OPTION",
        inst_id="BTC-USD-261225-100000-C",
        ccy="BTC",
        pos=D(-1),
        avg_px=D(1),
        mark_px=D(1),
        pos_id="7",
        upl=D("0.5"),
        value=D("-0.2"),
        mmr=D("0.03"),
        fee=D("0.001"),
    )
    account = Account(name="o", level=FUTURES, cash={"BTC": D(1)}, others=[option])
    (pool,) = pools(account, at(BTC="50000"))
    assert (pool.pool, pool.margin_balance) == ("BTC", D("0.8"))
    assert pool.maintenance_margin == D("0.031")


# --- both liquidation prices


def test_a_book_may_end_on_both_sides():
    """20 ETH short against 20.88 ETH: below, the coins lose more; above, the loss is borrowed."""
    cash = {"ETH": D("20.88"), "USDT": D("2301.7"), "USDC": D("-71001.25")}
    position = contract("ETH-USDT-SWAP", "-200", "3456.78")
    account = Account(name="n", level=MULTI_CURRENCY, cash=cash, positions=[position])
    (pool,) = pools(account, at(ETH="3456.78"))
    (row,) = pool.row()["positions"]
    charge = D("0.02") + D("1.02") * D("0.001")
    held = 20 * (D("0.004") + D("0.0005"))
    fixed = D("2301.7") + 20 * D("3456.78")  # USDT, less 20 x the price
    debt = D("71001.25") * (1 + charge)
    coins = D("20.88") * D("0.98")
    lower = (debt - fixed) / (coins - 20 - held)
    upper = (debt - fixed * (1 + charge)) / (coins - 20 * (1 + charge) - held)
    assert close_to(D(row["liquidation_price"]), lower, "1e-12")
    assert close_to(D(row["other_liquidation_price"]), upper, "1e-12")
    assert lower < D("3456.78") < upper


def test_a_pool_that_is_over_ends_where_it_stands():
    account = Account(
        name="o", cash={"USDT": D(1)}, positions=[contract("BTC-USDT-SWAP", "10", "90000")]
    )
    (row,) = pools(account, at(BTC="90000"))[0].row()["positions"]
    assert (row["liquidation_price"], row["other_liquidation_price"]) == ("90000", None)
