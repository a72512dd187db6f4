"""Portfolio margin: one pool whose requirement is Binance's own, read from payloads."""

from __future__ import annotations

from decimal import Decimal

import pytest

from monitor.errors import Malformed, MissingReply
from monitor.risk import Verdict, evaluate, reconcile
from monitor.risk.model import Basis, Mark
from tests.exchanges.binance import coins, wire

D = Decimal


def coin(asset, margin="0", borrowed="0", usdm="0", coinm="0"):
    """One row of «Account Balance»."""
    return {
        "asset": asset,
        "totalWalletBalance": str(D(margin) + D(usdm) + D(coinm)),
        "crossMarginAsset": margin,
        "crossMarginBorrowed": borrowed,
        "crossMarginFree": margin,
        "crossMarginInterest": "0.0",
        "crossMarginLocked": "0.0",
        "umWalletBalance": usdm,
        "umUnrealizedPNL": "0.0",
        "cmWalletBalance": coinm,
        "cmUnrealizedPNL": "0.0",
        "updateTime": wire.CHANGED,
        "negativeBalance": "0.0",
    }


def usdm_row(symbol, amount, entry, mark, **changes):
    """One row of «Query UM Position Information»: no margin asset, no isolated fields."""
    whole = wire.position(symbol, amount, entry, mark, "0")
    kept = (
        "symbol",
        "positionSide",
        "positionAmt",
        "entryPrice",
        "markPrice",
        "unRealizedProfit",
        "liquidationPrice",
        "notional",
        "updateTime",
    )
    return {key: whole[key] for key in kept} | {"leverage": "0", "maxNotionalValue": "1"} | changes


INDEXES = [
    wire.index("USDT", "1.00000000", "1.00000000", "1.00000000"),
    wire.index("BTC", "40000.00000000", "38000.00000000", "40000.00000000"),
    wire.index("ETH", "3000.00000000", "2700.00000000", "3000.00000000"),
]
RATES = [
    {"asset": "USDT", "collateralRate": "1.0000"},
    {"asset": "BTC", "collateralRate": "0.9500"},
    {"asset": "ETH", "collateralRate": "0.9000"},
]


def example(**account):
    """
    The inputs of Binance's own example («Portfolio Margin Pro: Unified Maintenance Margin»);
    the index of ETH and the collateral rates are ours, so is how profit splits on positions.

    USDT 1,000 + 5,000 + 600 − 414, BTC 0.1 − 0.04 + 0.1 − 0.05, ETH 5.
    """
    balances = [
        coin("USDT", margin="1000", borrowed="414", usdm="5000"),
        coin("BTC", margin="0.1", borrowed="0.04", coinm="0.1"),
        coin("ETH", margin="6.5", borrowed="1.5"),
    ]
    # 600 won on 0.3 BTC from 38,000 to 40,000; 0.05 BTC lost on 10,000 USD short: 0.25 − 0.3.
    rows = [usdm_row("BTCUSDT", "0.3", "38000", "40000")]
    entry = str(D(10000) / D("0.20"))
    short = coins.position("BTCUSD_PERP", "100", entry, "40000")
    assert D(short["unRealizedProfit"]) == D("-0.05")
    told = coins.portfolio(
        balances,
        rows,
        [short],
        **{
            "accountEquity": "23866",
            "accountMaintMargin": "4728.4",
            "uniMMR": "5.04737332",
            "accountInitialMargin": "9000",
        }
        | account,
    )
    return (
        told
        | coins.lists("BTCUSD_PERP")
        | {
            "GET /sapi/v1/portfolio/collateralRate": RATES,
            "GET /fapi/v1/assetIndex": INDEXES,
            "GET /fapi/v1/exchangeInfo": {"symbols": [wire.contract("BTCUSDT")]},
            "GET /papi/v1/um/accountConfig": {"dualSidePosition": False},
        }
    )


def evaluated(told, marks=None):
    taken = wire.snapshot(told)
    (pool,) = taken.pools
    known = {**taken.marks, **(marks or {})}
    return taken, pool, evaluate(pool, known, wire.NOON)


def at(price):
    return Mark(price=D(price), at=wire.NOON)


def test_the_official_example_stands_where_its_uni_mmr_says():
    """
    Equity 6,186 + 0.11 · 40,000 · .95 + 5 · 3,000 · .9 = 23,866 and maintenance margin
    68.4 + 4,660: uniMMR 5.0474, and 1.05 times the one over the other.
    """
    taken, pool, risk = evaluated(example())

    figures = risk.requirement
    assert taken.mode == "portfolio margin, one-way"
    assert (str(pool.id), pool.unit, pool.basis) == ("main/unified", "USD", Basis.REPORTED)
    assert abs(figures.margin_balance - 23866) < D("1e-9")
    assert figures.maintenance_margin == D("1.05") * D("4728.4")
    assert figures.initial_margin == 9000
    assert abs(figures.ratio - D("0.2080")) < D("0.00005")
    assert abs(taken.reported[pool.id].ratio - D("1.05") / D("5.04737332")) < D("1e-12")
    assert reconcile(risk, taken.reported[pool.id]).verdict is Verdict.AGREES
    assert pool.wallet == "Portfolio Margin account"


def test_what_we_make_of_the_example_leaves_nothing_over():
    """Coins and profit at the collateral rates are the whole of accountEquity here."""
    _, pool, _ = evaluated(example())

    assert abs(pool.other_balance) < D("1e-8")
    assert {c.asset: c.balance for c in pool.collateral} == {
        "BTC": D("0.16"),
        "ETH": 5,
        "USDT": 5586,
    }


def test_between_readings_profit_and_prices_move_the_balance():
    """
    BTC falls to 36,000: −1,200 USDT; 10,000/36,000 − 0.25 more BTC lost, the rest at 36,000.

    Without tiers the requirement is not assumed to fall.
    """
    fallen = {
        "BTC/USDT:USDT": at("36000"),
        "BTC/USD:BTC": at("36000"),
        "BTC/USD": at("36000"),
    }

    _, _, risk = evaluated(example(), fallen)

    coins_left = D("0.11") - (D(10000) / 36000 - D("0.25"))
    wanted = 6186 - 1200 + coins_left * 36000 * D(".95") + 13500
    assert abs(risk.requirement.margin_balance - wanted) < D("1e-6")
    assert risk.requirement.maintenance_margin == D("1.05") * D("4728.4")


def test_a_debt_counts_without_a_collateral_rate():
    told = example(accountEquity="0")
    told["GET /papi/v1/balance"] = [coin("BTC", borrowed="1")]
    told["GET /papi/v1/um/positionRisk"] = told["GET /papi/v1/cm/positionRisk"] = []

    _, pool, _ = evaluated(told)

    assert pool.other_balance == 40000
    assert [c.rate_if_negative for c in pool.collateral] == [1]


def test_what_accountequity_holds_beyond_is_kept_and_named():
    _, pool, risk = evaluated(example(accountEquity="23800"))

    assert abs(pool.other_balance + 66) < D("1e-8")
    assert abs(risk.requirement.margin_balance - 23800) < D("1e-9")
    assert pool.carried == (
        "margins of the whole portfolio and 5 % on top (account status NORMAL)",
        "assumed to grow with positions and loans until the next reading",
        "what accountEquity holds beyond coins and profit at our rates",
    )


@pytest.mark.parametrize(
    ("status", "mode"),
    [
        ("NORMAL", "portfolio margin, one-way"),
        ("MARGIN_CALL", "portfolio margin, one-way"),
        ("REDUCE_ONLY", "portfolio margin, one-way"),
        ("FORCE_LIQUIDATION", "portfolio margin, one-way (FORCE_LIQUIDATION)"),
        ("BANKRUPTED", "portfolio margin, one-way (BANKRUPTED)"),
    ],
)
def test_the_account_s_status_is_named(status, mode):
    taken, pool, _ = evaluated(example(accountStatus=status))

    assert taken.mode == mode
    assert f"account status {status}" in pool.carried[0]


def test_without_rates_and_indexes_a_coin_follows_its_own_mark_and_counts_in_full():
    told = example()
    del told["GET /sapi/v1/portfolio/collateralRate"]
    del told["GET /fapi/v1/assetIndex"]

    taken, pool, risk = evaluated(told)

    followed = {c.asset: c.follows.symbol for c in pool.collateral if c.follows is not None}
    assert followed == {"BTC": "BTC/USDT:USDT"}
    assert taken.followed == ()
    assert abs(risk.requirement.margin_balance - 23866) < D("1e-9")
    assert pool.carried[3:] == (
        "ETH, whose price was not told",
        "no collateral rate of BTC, USDT: changes count in full",
    )


def test_what_is_told_of_a_collateral_rate_goes_before_the_bid_of_the_index():
    told = example()
    told["GET /sapi/v1/portfolio/collateralRate"] = [{"asset": "BTC", "collateralRate": "0.8"}]
    told["GET /fapi/v1/assetIndex"][0] = wire.index("USDT", "1.0000", "1.0001", "1.0002")

    _, pool, _ = evaluated(told)

    counted = {c.asset: c.rate_if_positive for c in pool.collateral}
    assert counted == {"BTC": D("0.8"), "ETH": D("0.9"), "USDT": 1}


def test_a_mmr_of_nothing_is_beyond_all_measure():
    taken, pool, _ = evaluated(example(uniMMR="0"))

    assert taken.reported[pool.id].ratio == D("Infinity")


def test_a_coin_that_positions_settle_in_is_there_though_none_of_it_is():
    told = example()
    told["GET /papi/v1/balance"] = [
        row for row in told["GET /papi/v1/balance"] if row["asset"] != "BTC"
    ]

    _, pool, _ = evaluated(told)

    assert {c.asset: c.balance for c in pool.collateral}["BTC"] == 0
    assert pool.top_up_asset == "USDT"


def test_without_maintenance_margin_the_account_is_safe():
    taken, pool, risk = evaluated(example(accountMaintMargin="0", uniMMR="99999999"))

    assert risk.requirement.ratio == 0
    assert taken.reported[pool.id].ratio == 0


def test_empty_strings_occur():
    taken, pool, _ = evaluated(example(uniMMR="", accountInitialMargin=""))

    assert taken.reported[pool.id].ratio is None
    assert pool.other_initial == 0


@pytest.mark.parametrize("key", ["accountEquity", "accountMaintMargin", "accountStatus"])
def test_every_figure_of_the_whole_is_named_when_missing(key):
    told = example()
    del told["GET /papi/v1/account"][key]

    with pytest.raises(Malformed, match=key):
        wire.snapshot(told)


@pytest.mark.parametrize(
    "key",
    [
        "asset",
        "crossMarginAsset",
        "crossMarginBorrowed",
        "crossMarginInterest",
        "umWalletBalance",
        "cmWalletBalance",
    ],
)
def test_every_field_of_a_coin_is_named_when_missing(key):
    told = example()
    del told["GET /papi/v1/balance"][0][key]

    with pytest.raises(Malformed, match=key):
        wire.snapshot(told)


@pytest.mark.parametrize("side", ["um", "cm"])
@pytest.mark.parametrize(
    "key", ["symbol", "positionSide", "positionAmt", "entryPrice", "unRealizedProfit"]
)
def test_every_field_of_a_position_is_named_when_missing(side, key):
    told = example()
    del told[f"GET /papi/v1/{side}/positionRisk"][0][key]

    with pytest.raises(Malformed, match=key):
        wire.snapshot(told)


@pytest.mark.parametrize(
    "request_line",
    [
        "GET /papi/v1/account",
        "GET /papi/v1/balance",
        "GET /papi/v1/um/positionRisk",
        "GET /papi/v1/cm/positionRisk",
    ],
)
def test_each_of_its_lists_is_needed(request_line):
    told = example()
    del told[request_line]

    with pytest.raises(MissingReply) as caught:
        wire.snapshot(told)
    assert caught.value.call == request_line


def test_each_leg_s_own_maintenance_margin_is_shown_where_it_is_told():
    told = example()
    told["GET /papi/v2/um/account"] = {
        "positions": [{"symbol": "BTCUSDT", "positionSide": "BOTH", "maintMargin": "10"}]
    }

    _, pool, _ = evaluated(told)

    shown = {p.instrument.exchange_symbol: p.reported_maintenance_margin for p in pool.positions}
    assert shown == {"BTCUSDT": 10, "BTCUSD_PERP": None}
    assert [p.tiers for p in pool.positions] == [None, None]
    assert [p.leverage for p in pool.positions] == [None, 20]


def account_update(fs, asset, wallet, *legs, when=wire.CHANGED + 60_000):
    inner = {"m": "ORDER", "B": [{"a": asset, "wb": wallet, "cw": wallet}], "P": list(legs)}
    return wire.frame({"e": "ACCOUNT_UPDATE", "fs": fs, "T": when, "E": when, "a": inner})


def test_an_event_moves_its_wallet_and_keeps_what_accountequity_held_beyond():
    view = wire.read(example(accountEquity="23800")).updated(account_update("UM", "USDT", "4900"))

    taken = view.snapshot(wire.NOON)
    (pool,) = taken.pools
    figures = evaluate(pool, taken.marks, wire.NOON).requirement

    assert abs(figures.margin_balance - 23700) < D("1e-8")
    assert abs(pool.other_balance + 66) < D("1e-8")
    assert taken.reported == {}


def test_an_event_of_coin_m_moves_the_other_wallet_and_its_position():
    closed = {
        "s": "BTCUSD_PERP",
        "pa": "0",
        "ep": "0",
        "up": "0",
        "mt": "cross",
        "iw": "0",
        "ps": "BOTH",
    }
    view = wire.read(example()).updated(account_update("CM", "BTC", "0.05", closed))

    (pool,) = view.snapshot(wire.NOON).pools

    assert [p.instrument.exchange_symbol for p in pool.positions] == ["BTCUSDT"]
    assert {c.asset: c.balance for c in pool.collateral}["BTC"] == D("0.11")


def usdt_after(*moves, told=None):
    """The coins of USDT (1,000 − 414 + 5,000 by the reply) after events of (wallet, value, T)."""
    view = wire.read(told or example())
    for fs, wallet, when in moves:
        view = view.updated(account_update(fs, "USDT", wallet, when=when))
    (pool,) = view.snapshot(wire.NOON).pools
    return {c.asset: c.balance for c in pool.collateral}["USDT"]


def test_an_event_older_than_the_reply_moves_no_coin():
    assert usdt_after(("UM", "4900", wire.CHANGED - 1)) == 5586
    assert usdt_after(("CM", "300", wire.CHANGED - 1)) == 5586
    assert usdt_after(("UM", "4900", wire.CHANGED)) == 5486
    # Where it is not told since when the coins are so, the event is the newer word.
    told = example()
    for row in told["GET /papi/v1/balance"]:
        del row["updateTime"]
    assert usdt_after(("UM", "4900", wire.CHANGED - 1), told=told) == 5486


def test_events_of_the_two_wallets_of_a_coin_are_in_order_each_by_itself():
    late = ("CM", "300", wire.CHANGED + 5), ("UM", "4900", wire.CHANGED + 2)
    assert usdt_after(*late) == 5786
