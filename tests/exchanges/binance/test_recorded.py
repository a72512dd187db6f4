"""
Every recorded answer that there is: read and compared with our arithmetic, or named.

The one recorded account with a position is in Multi-Assets Mode, so that its own ratio and
liquidation price don't follow single-asset rules: its rows are compared one by one.
"""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

import pytest

from monitor.errors import Malformed, Unmodelled
from monitor.exchanges.binance import EXCHANGE
from monitor.exchanges.binance.stops import read_stop_orders
from monitor.exchanges.binance.tiers import read_tier_tables
from monitor.exchanges.payload import Row, parse_json
from monitor.exchanges.port import Replies
from monitor.risk import PoolId, Verdict, evaluate, maintenance_margin, reconcile
from tests.exchanges.binance import wire

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


def test_the_recorded_account_is_named_in_the_mode_that_it_is_in():
    told = as_if_single_asset()
    told[CONFIG]["multiAssetsMargin"] = True

    with pytest.raises(Unmodelled, match="Multi-Assets Mode"):
        wire.read(told)


@pytest.mark.parametrize("name", ["binance_fetchBalance_2", "binance_fetchBalance_3"])
def test_recorded_portfolio_margin_balances_are_named(name):
    reply = wire.reply("GET /papi/v1/balance", wire.recorded(name))

    with pytest.raises(Unmodelled, match="portfolio margin"):
        EXCHANGE.read_account("main", Replies([reply]))


def test_recorded_coin_margined_replies_are_another_wallets_and_asked_for_by_no_call():
    told = wire.bodies([], {"USDT": "31.02261200"})
    coin = [
        wire.reply("GET /dapi/v1/account", wire.recorded("binance_fetchMarginMode_1")),
        wire.reply("GET /dapi/v1/positionRisk", wire.recorded("binance_fetchPositions_3")),
    ]

    taken = wire.snapshot(told, *coin)

    assert [pool.id.name for pool in taken.pools] == ["USDT"]
    asked = {call.path for _, calls in EXCHANGE.catalogue for call in calls}
    assert not [path for path in asked if path.startswith("/dapi/")]


def test_recorded_coin_margined_rows_in_the_wrong_place_are_refused():
    told = wire.bodies([], {"BTC": "1"})
    told[POSITIONS] = wire.recorded("binance_fetchPositions_3")

    with pytest.raises(Malformed, match=r"positionRisk\[0\]"):
        wire.read(told)


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
        wire.read(told)


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
