"""
Every recorded answer that there is: read and compared with our arithmetic, or named.

The one recorded account with a position is in Multi-Assets Mode, so that its own ratio and
liquidation price don't follow single-asset rules: its rows are compared one by one.
"""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

import pytest

from monitor.errors import Malformed
from monitor.exchanges.binance.portfolio import read_portfolio
from monitor.exchanges.binance.stops import read_stop_orders
from monitor.exchanges.binance.tiers import read_tier_tables
from monitor.exchanges.payload import Row, parse_json
from monitor.risk import (
    PoolId,
    Verdict,
    evaluate,
    liquidation_prices,
    maintenance_margin,
    reconcile,
)
from tests.exchanges.binance import coins, wire

D = Decimal
LAST_DIGIT = D("1e-8")
READ = {
    "binance_fetchBalance_1",
    "binance_fetchBalance_2",
    "binance_fetchBalance_3",
    "binance_fetchMarginMode_1",
    "binance_fetchOpenOrder_0",
    "binance_fetchOpenOrders_0",
    "binance_fetchPositions_1",
    "binance_fetchPositions_2",
    "binance_fetchPositions_3",
    "binance_code_samples",
}
ACCOUNT = "GET /fapi/v3/account"
POSITIONS = "GET /fapi/v3/positionRisk"
CONFIG = "GET /fapi/v1/accountConfig"
BRACKETS = "GET /fapi/v1/leverageBracket"


def test_every_recorded_file_has_its_test_here():
    assert {path.stem for path in wire.PAYLOADS.glob("*.json")} == READ


def recorded_brackets():
    """The brackets that ccxt's case comes with, whose `cum` follows from edges and rates."""
    case = parse_json((wire.PAYLOADS / "binance_fetchPositions_1.json").read_bytes())
    pairs = [
        (D(floor), D(rate))
        for floor, rate in case["exchangeOptions"]["leverageBrackets"]["BTC/USDT:USDT"]
    ]
    caps = [floor for floor, _ in pairs[1:]] + [D("1e12")]
    cums = [D(0)]
    for (_, rate), (floor, next_rate) in pairwise(pairs):
        cums.append(cums[-1] + floor * (next_rate - rate))
    return [
        {
            "bracket": number,
            "initialLeverage": 1,
            "notionalFloor": floor,
            "notionalCap": cap,
            "maintMarginRatio": rate,
            "cum": cum,
        }
        for number, ((floor, rate), cap, cum) in enumerate(zip(pairs, caps, cums, strict=True))
    ]


def as_if_single_asset():
    """The recorded account and position rows (of two moments), read by single-asset rules."""
    told = wire.bodies(recorded_rows(), {})
    told[ACCOUNT] = wire.recorded("binance_fetchPositions_2")
    told[POSITIONS] = wire.recorded("binance_fetchPositions_1")
    told[BRACKETS] = [{"symbol": "BTCUSDT", "brackets": recorded_brackets()}]
    # 608.2398 ÷ 7.60299749 is 80 but for the wire's last digit.
    told["GET /fapi/v1/symbolConfig"] = [{"symbol": "BTCUSDT", "leverage": 80}]
    return told


def recorded_rows():
    return wire.recorded("binance_fetchPositions_1")


def test_a_recorded_wallet_without_positions_is_one_safe_pool():
    told = wire.bodies([], {})
    told[ACCOUNT] = wire.recorded("binance_fetchBalance_1")

    taken = wire.snapshot(told)

    (pool,) = taken.pools
    figures = evaluate(pool, taken.marks, wire.NOON).requirement
    totals = Row(told[ACCOUNT], "account")
    assert str(pool.id) == "main/USDT"
    assert figures.margin_balance == totals.decimal("totalMarginBalance") == D("31.02261200")
    assert figures.maintenance_margin == totals.decimal("totalMaintMargin") == 0
    assert taken.reported[pool.id].margin_balance == D("31.022612")
    assert taken.reported[pool.id].ratio == figures.ratio == 0


def test_a_recorded_row_has_the_profit_maintenance_and_initial_margin_that_we_compute():
    taken = wire.snapshot(as_if_single_asset())

    pool = next(pool for pool in taken.pools if pool.id.name == "USDT")
    (leg,) = evaluate(pool, taken.marks, wire.NOON).positions
    told = Row(recorded_rows()[0], "row")
    assert leg.notional == told.decimal("notional") == D("608.2398")
    assert leg.unrealized_pnl == told.decimal("unRealizedProfit") == D("1.2267")
    assert leg.maintenance_margin == told.decimal("maintMargin") == D("2.43295920")
    assert leg.initial_margin == D("608.2398") / 80
    assert abs(leg.initial_margin - told.decimal("initialMargin")) <= LAST_DIGIT


def test_a_recorded_account_reply_carries_its_own_mark_and_maintenance():
    (drawn,) = Row(wire.recorded("binance_fetchPositions_2"), "account").rows("positions")
    (table,) = read_tier_tables(
        wire.replies({BRACKETS: [{"symbol": "BTCUSDT", "brackets": recorded_brackets()}]}),
        "BTCUSDT",
    )

    notional = drawn.decimal("notional")
    ours = maintenance_margin(notional, notional, table)

    # 607.55548506 · 0.004, and 607.55548506 − 0.009 · 67,445.9.
    assert abs(ours - drawn.decimal("maintMargin")) <= LAST_DIGIT
    assert notional - D("0.009") * D("67445.9") == drawn.decimal("unrealizedProfit")


def test_the_recorded_account_adds_up():
    account = Row(wire.recorded("binance_fetchPositions_2"), "account")
    by_name = {row.text("asset"): row for row in account.rows("assets")}
    (drawn,) = account.rows("positions")

    for row in by_name.values():
        in_all = row.decimal("crossWalletBalance") + row.decimal("crossUnPnl")
        assert in_all == row.decimal("marginBalance")
    assert by_name["USDT"].decimal("crossUnPnl") == drawn.decimal("unrealizedProfit")
    assert by_name["USDT"].decimal("maintMargin") == drawn.decimal("maintMargin")


def test_recorded_totals_are_carried_to_the_rows_mark_and_agree_to_the_last_digit():
    taken = wire.snapshot(as_if_single_asset())

    usdt = PoolId(account="main", name="USDT")
    pool = next(pool for pool in taken.pools if pool.id == usdt)
    risk = evaluate(pool, taken.marks, wire.NOON)
    reported = taken.reported[usdt]
    # 3.72964781 + 0.54238506 at the account's mark; 3.72964781 + 1.2267 at the row's.
    assert reported.margin_balance == risk.requirement.margin_balance == D("4.95634781")
    assert risk.requirement.maintenance_margin == D("2.4329592")
    assert abs(reported.maintenance_margin - D("2.4329592")) <= LAST_DIGIT
    assert reconcile(risk, reported).verdict is Verdict.AGREES
    usdc = next(pool for pool in taken.pools if pool.id.name == "USDC")
    assert (usdc.collateral[0].balance, usdc.positions) == (22, ())
    assert len(taken.pools) == 2


def in_multi_assets_mode():
    """
    The recorded account in the mode that it was in, with rates that its own figures tell.

    USDT: profit 0.54238506 counts 0.54230362 (bid), maintenance 2.43022194 counts 2.43034303
    (ask). USDC: what can be withdrawn, 18.65949928 in all, is 18.65830123 of it (ask); bid and
    ask lie 0.01 % below and above the index.
    """
    told = as_if_single_asset()
    told[CONFIG]["multiAssetsMargin"] = True
    dollar_bid, dollar_ask = D("0.54230362") / D("0.54238506"), D("2.43034303") / D("2.43022194")
    coin_ask = D("18.65949928") / D("18.65830123")
    coin_index = coin_ask / D("1.0001")
    told["GET /fapi/v1/assetIndex"] = [
        wire.index("USDT", str((dollar_bid + dollar_ask) / 2), str(dollar_bid), str(dollar_ask)),
        wire.index("USDC", str(coin_index), str(coin_index * D("0.9999")), str(coin_ask)),
    ]
    return told


def test_the_recorded_account_counts_its_assets_at_bid_and_its_margin_at_ask():
    taken = wire.snapshot(in_multi_assets_mode())

    (pool,) = taken.pools
    risk = evaluate(pool, taken.marks, wire.NOON)
    reported = taken.reported[pool.id]
    assert taken.mode == "USDⓈ-M Multi-Assets Mode and COIN-M, one-way"
    assert (str(pool.id), pool.unit) == ("main/unified", "USD")
    # 26.26840422 at the account's mark, and 1.2267 − 0.54238506 more at the row's.
    gained = (D("1.2267") - D("0.54238506")) * D("0.99984985")
    assert abs(reported.margin_balance - D("26.26840422") - gained) < LAST_DIGIT
    # The rates are known to 8 digits only, and 26 dollars with them.
    assert abs(risk.requirement.margin_balance - reported.margin_balance) < D("2e-6")
    assert abs(risk.requirement.maintenance_margin - reported.maintenance_margin) < D("1e-7")
    assert reconcile(risk, reported).verdict is Verdict.AGREES


@pytest.mark.parametrize("name", ["binance_fetchBalance_2", "binance_fetchBalance_3"])
def test_recorded_portfolio_margin_balances_add_up(name):
    rows = wire.recorded(name)

    portfolio = read_portfolio(wire.replies(coins.portfolio(rows)), is_pro=False)

    for row in rows:
        coin = portfolio.coins[row["asset"]]
        owed = D(row["crossMarginBorrowed"]) + D(row["crossMarginInterest"])
        assert coin.net == D(row["totalWalletBalance"]) - owed
    # 30.6003261 − 0.00011146 − 0.00007902 + 105.43419058, its interest another in the second.
    assert abs(portfolio.coins["USDT"].net - D("136.0344")) < D("0.0002")


def recorded_coins():
    """The recorded COIN-M rows, with an account reply that fits: the recorded one is empty."""
    rows = wire.recorded("binance_fetchPositions_3")
    told = coins.beside(
        wire.bodies([], {"USDT": "31.02261200"}),
        [rows[0]],
        {"BTC": "0.00019586", "XLM": "0"},
        # 0.00439662 · 0.004
        {"BTCUSD_PERP": "0.00001759"},
    )
    told["GET /dapi/v1/positionRisk"] = rows
    return told


def test_recorded_coin_margined_rows_have_the_profit_and_notional_that_we_compute():
    taken = wire.snapshot(recorded_coins())

    pool = next(pool for pool in taken.pools if pool.id.name == "BTC")
    (leg,) = evaluate(pool, taken.marks, wire.NOON).positions
    # 300 · (1 ÷ 68,234.2 − 1 ÷ 68,911.00000037) and 300 ÷ 68,234.2, cut at eight decimals.
    assert abs(leg.unrealized_pnl - D("0.00004318")) < LAST_DIGIT
    assert abs(leg.notional - D("0.00439662")) < LAST_DIGIT
    assert leg.position.instrument.contract_size == 100
    assert leg.position.leverage == 20


def test_the_recorded_coin_margined_end_is_ours_with_the_wallet_that_it_implies():
    """
    Binance's end, 72,491.16879818, with 0.4 % maintenance gives the wallet: the short owes
    300 · 1.004 ÷ 72,491.16879818 there, and had 300 ÷ 68,911.00000037.
    """
    told = recorded_coins()
    end, entry = D("72491.16879818"), D("68911.00000037")
    wallet = 300 / entry - 300 / end * D("0.996")
    told["GET /dapi/v1/account"]["assets"][0]["crossWalletBalance"] = str(wallet)

    taken = wire.snapshot(told)

    pool = next(pool for pool in taken.pools if pool.id.name == "BTC")
    ends = liquidation_prices(pool, taken.marks, "BTC/USD:BTC")
    assert abs(ends.nearest - end) < D("1e-8")
    assert pool.positions[0].reported_liquidation_price == end
    # The wallet that ccxt's case came with is not recorded; what it implies is 0.0002… BTC.
    assert D("0.0002") < wallet < D("0.0003")


def test_a_recorded_coin_margined_wallet_without_anything_is_no_pool():
    told = wire.bodies([], {"USDT": "31.02261200"})
    told["GET /dapi/v1/account"] = wire.recorded("binance_fetchMarginMode_1")

    taken = wire.snapshot(told)

    assert [pool.id.name for pool in taken.pools] == ["USDT"]
    assert taken.mode == "USDⓈ-M single-asset and COIN-M, one-way"


def test_recorded_coin_margined_rows_in_the_wrong_place_are_refused():
    told = wire.bodies([], {"BTC": "1"})
    told[POSITIONS] = wire.recorded("binance_fetchPositions_3")

    with pytest.raises(Malformed, match=r"positionRisk\[0\]"):
        wire.snapshot(told)


@pytest.mark.parametrize("name", ["binance_fetchOpenOrder_0", "binance_fetchOpenOrders_0"])
def test_recorded_limit_orders_protect_nothing(name):
    orders = wire.recorded(name)
    listed = orders if isinstance(orders, list) else [orders]
    replies = wire.replies({"GET /fapi/v1/openAlgoOrders": [], "GET /fapi/v1/openOrders": listed})

    stops = read_stop_orders(replies, "LTCUSDT")

    assert stops is not None
    assert stops.orders == ()


def test_the_sample_position_is_read():
    rows = wire.sample_of_line(11655)
    told = wire.bodies([wire.position("WLDUSDT", "5", "2.3483", "2.3956", "0")], {"USDT": "9"})
    told[POSITIONS] = rows
    told[ACCOUNT]["positions"] = []
    told["GET /fapi/v1/symbolConfig"] = [{"symbol": "WLDUSDT", "leverage": 5}]

    taken = wire.snapshot(told)

    (leg,) = evaluate(taken.pools[0], taken.marks, wire.NOON).positions
    # 5 · (2.3956 − 2.3483); 11.978 ÷ 5.
    assert leg.unrealized_pnl == D("0.23650000")
    assert leg.notional == D("11.97800000")
    assert leg.initial_margin == D("2.39560000")
    assert leg.position.adl_rank == 2
    assert leg.position.reported_liquidation_price is None
    assert leg.position.reported_maintenance_margin == D("0.07186800")


def test_the_sample_account_whose_position_has_no_amount_is_refused():
    told = wire.bodies([], {})
    told[ACCOUNT] = wire.sample("fetch_balance", "fapiPrivateV3GetAccount")

    with pytest.raises(Malformed, match=r"account\.positions\[0\]\.positionAmt"):
        wire.snapshot(told)


def test_the_sample_brackets_are_read():
    (body,) = (wire.sample("fetch_leverage_tiers", "usdm"),)

    (table,) = read_tier_tables(wire.replies({BRACKETS: body}), "SUSHIUSDT")

    (tier,) = table.tiers
    assert (tier.floor, tier.cap, tier.maintenance_rate) == (0, 50_000, D("0.01"))
    assert (tier.deduction, tier.max_leverage) == (0, 50)


def test_the_sample_leverage_is_read():
    told = wire.bodies([wire.position("BTCUSDT", "1", "60000", "61000", "244")], {"USDT": "8000"})
    told["GET /fapi/v1/symbolConfig"] = wire.sample("fetch_margin_mode", "")

    assert wire.snapshot(told).pools[0].positions[0].leverage == 21


def test_the_sample_conditional_order_is_an_entry_and_protects_nothing():
    order = wire.sample_of_line(6444)
    row = wire.position("BTCUSDT", "-1", "60000", "61000", "244")
    told = wire.bodies([row], {"USDT": "8000"})

    for reduces, protects in [(False, False), (True, True)]:
        told["GET /fapi/v1/openAlgoOrders"] = [order | {"reduceOnly": reduces}]
        assert wire.snapshot(told).pools[0].positions[0].has_stop_loss is protects


@pytest.mark.parametrize(
    ("function", "note"),
    [
        ("handle_order_update", "future"),
        ("handle_order_update", "linear swap conditional"),
        ("handle_event_stream_terminated", ""),
        ("handle_balance", "sent upon a balance update"),
    ],
)
def test_sample_events_that_move_no_balance_change_no_figure(function, note):
    view = wire.read(wire.bodies([], {"USDT": "31.02261200"}))

    after = view.updated(wire.frame(wire.sample(function, note)))

    assert after.snapshot(wire.NOON) == view.snapshot(wire.NOON)
