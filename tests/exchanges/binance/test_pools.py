"""The pools that Binance's rules make of rows, and what Binance itself says of each."""

from __future__ import annotations

from decimal import Decimal

import pytest

from monitor.errors import Malformed, MissingMark
from monitor.exchanges.binance.account import PositionRow, Told
from monitor.exchanges.binance.pools import Holding, Terms, fitting_table
from monitor.risk import Basis, MarginMode, PoolId, Side, Verdict, evaluate, reconcile
from tests.build import flat, linear
from tests.exchanges.binance import wire

D = Decimal
HEDGED = [
    wire.position("BTCUSDT", "3", "60000", "61000", "732", side="LONG"),
    wire.position("BTCUSDT", "-1", "63000", "61000", "244", side="SHORT"),
]


def by_name(taken):
    return {pool.id.name: pool for pool in taken.pools}


def test_losses_in_one_asset_touch_no_other():
    rows = [
        wire.position("BTCUSDT", "1", "60000", "61000", "244"),
        wire.position("SOLUSDC", "20", "140", "90", "9", asset="USDC"),
    ]
    told = wire.bodies(rows, {"USDT": "8000", "USDC": "1500"}, {"SOLUSDC": wire.SOL_2026})

    taken = wire.snapshot(told)

    ratios = {
        pool.id.name: evaluate(pool, taken.marks, wire.NOON).requirement for pool in taken.pools
    }
    assert (ratios["USDT"].margin_balance, ratios["USDT"].unit) == (8000 + 1000, "USDT")
    assert (ratios["USDC"].margin_balance, ratios["USDC"].unit) == (1500 - 20 * 50, "USDC")
    assert ratios["USDC"].maintenance_margin == 20 * 90 * D("0.005")
    assert [p.symbol for p in taken.instruments()] == ["SOL/USDC:USDC", "BTC/USDT:USDT"]


def test_an_asset_without_balance_or_position_is_no_pool_and_one_with_a_balance_is():
    rows = [wire.position("BTCUSDT", "1", "60000", "61000", "244")]
    told = wire.bodies(rows, {"USDT": "0", "USDC": "0.00000000", "BNB": "0.5", "FDUSD": "-3"})

    taken = wire.snapshot(told)

    assert set(by_name(taken)) == {"USDT", "BNB", "FDUSD"}
    assert taken.reported.keys() == {pool.id for pool in taken.pools}


def test_an_asset_that_was_never_touched_counts_with_its_balance():
    told = wire.bodies([], {"BFUSD": "120"})
    told["GET /fapi/v3/account"]["assets"][0]["updateTime"] = 0

    assert wire.snapshot(told).pools[0].collateral[0].balance == 120


def test_the_pool_is_told_for_people_and_as_modelled():
    pool = by_name(wire.snapshot(wire.bodies(HEDGED, {"USDT": "8000"}, hedge=True)))["USDT"]

    assert str(pool.id) == "main/USDT"
    assert (pool.top_up_asset, pool.wallet) == ("USDT", "USDⓈ-M Futures wallet")
    assert (pool.margin_mode, pool.basis) == (MarginMode.CROSS, Basis.MODELLED)
    assert (pool.other_balance, pool.other_maintenance) == (0, 0)


def test_each_isolated_side_of_a_hedge_is_a_pool():
    rows = [
        wire.position("BTCUSDT", "3", "60000", "61000", "732", side="LONG", isolated="9000"),
        wire.position("BTCUSDT", "-1", "63000", "61000", "244", side="SHORT", isolated="3000"),
    ]

    taken = wire.snapshot(wire.bodies(rows, {"USDT": "100"}, hedge=True))

    found = by_name(taken)
    assert set(found) == {"USDT", "isolated/BTCUSDT/long", "isolated/BTCUSDT/short"}
    short = found["isolated/BTCUSDT/short"]
    assert short.wallet == "isolated margin of BTCUSDT SHORT"
    assert (short.margin_mode, short.positions[0].side) == (MarginMode.ISOLATED, Side.SHORT)
    figures = evaluate(short, taken.marks, wire.NOON).requirement
    assert figures.margin_balance == 3000 + 2000
    reported = taken.reported[short.id]
    assert (reported.margin_balance, reported.maintenance_margin) == (5000, 244)
    assert reported.ratio == D(244) / 5000


@pytest.mark.parametrize(("wallet", "margin"), [("-5", "0"), ("0", "12.5")])
def test_one_isolated_figure_of_zero_does_not_make_a_position_cross(wallet, margin):
    row = wire.position("BTCUSDT", "1", "60000", "61000", "244")
    row |= {"isolatedWallet": wallet, "isolatedMargin": margin}

    taken = wire.snapshot(wire.bodies([row], {"USDT": "100"}))

    assert by_name(taken)["isolated/BTCUSDT"].collateral[0].balance == D(wallet)


# Whether an asset's maintenance counts isolated positions in (98.204 here) is not published.
@pytest.mark.parametrize(
    ("total", "maintenance", "verdict"),
    [
        ("244", "244", Verdict.AGREES),
        ("342.204", "244", Verdict.AGREES),
        ("122", "122", Verdict.DRIFTS),
        ("600", "501.796", Verdict.DISAGREES),
    ],
)
def test_an_isolated_position_is_in_no_figure_of_the_cross_pool(total, maintenance, verdict):
    rows = [
        wire.position("BTCUSDT", "1", "60000", "61000", "244"),
        wire.position("ETHUSDT", "-10", "2400", "2455.10", "98.204", isolated="1500"),
    ]
    told = wire.bodies(rows, {"USDT": "4000"}, {"ETHUSDT": wire.ETH_2026})
    told["GET /fapi/v3/account"]["assets"][0]["maintMargin"] = total

    taken = wire.snapshot(told)

    pool = by_name(taken)["USDT"]
    reported = taken.reported[pool.id]
    assert (reported.margin_balance, reported.maintenance_margin) == (5000, D(maintenance))
    assert reconcile(evaluate(pool, taken.marks, wire.NOON), reported).verdict is verdict


@pytest.mark.parametrize(("amount", "balance"), [("1", 9000), ("-1", 7000)])
def test_totals_of_an_earlier_mark_are_carried_to_the_rows_marks(amount, balance):
    row = wire.position("BTCUSDT", amount, "60000", "61000", "244")
    told = wire.bodies([row], {"USDT": "8000"})
    earlier = wire.position("BTCUSDT", amount, "60000", "60500", "242")
    told["GET /fapi/v3/account"] = wire.bodies([earlier], {"USDT": "8000"})["GET /fapi/v3/account"]

    taken = wire.snapshot(told)

    reported = taken.reported[PoolId(account="main", name="USDT")]
    assert (reported.margin_balance, reported.maintenance_margin) == (balance, 244)


@pytest.mark.parametrize(
    ("key", "value", "balance", "maintenance"),
    [("crossUnPnl", "500", 8500, 244), ("maintMargin", "488", 9000, 488)],
)
def test_totals_that_contradict_the_rows_show_in_the_report(key, value, balance, maintenance):
    told = wire.bodies([wire.position("BTCUSDT", "1", "60000", "61000", "244")], {"USDT": "8000"})
    told["GET /fapi/v3/account"]["assets"][0][key] = value

    taken = wire.snapshot(told)

    (pool,) = taken.pools
    reported = taken.reported[pool.id]
    assert (reported.margin_balance, reported.maintenance_margin) == (balance, maintenance)
    risk = evaluate(pool, taken.marks, wire.NOON)
    assert reconcile(risk, reported).verdict is Verdict.DISAGREES


def test_an_account_reply_whose_every_maintenance_is_wrong_shows_in_the_report():
    told = wire.bodies([wire.position("BTCUSDT", "1", "60000", "61000", "244")], {"USDT": "8000"})
    told["GET /fapi/v3/account"]["assets"][0]["maintMargin"] = "732"
    told["GET /fapi/v3/account"]["positions"][0]["maintMargin"] = "732"

    taken = wire.snapshot(told)

    assert taken.reported[taken.pools[0].id].maintenance_margin == 732


@pytest.mark.parametrize(("pnl", "maintenance"), [("1000", "244"), ("0", "0")])
def test_an_account_reply_without_positions_leaves_the_report_to_the_rows(pnl, maintenance):
    told = wire.bodies([wire.position("BTCUSDT", "1", "60000", "61000", "244")], {"USDT": "8000"})
    told["GET /fapi/v3/account"]["assets"][0] |= {"crossUnPnl": pnl, "maintMargin": maintenance}
    told["GET /fapi/v3/account"]["positions"] = []

    taken = wire.snapshot(told)

    reported = taken.reported[PoolId(account="main", name="USDT")]
    assert (reported.margin_balance, reported.maintenance_margin) == (9000, 244)


def test_an_assets_initial_margin_is_the_cross_pools_only_where_nothing_is_isolated():
    row = wire.position("BTCUSDT", "1", "60000", "61000", "244")
    alone = wire.position("ETHUSDT", "-10", "2400", "2455.10", "98.204", isolated="1500")
    usdt = PoolId(account="main", name="USDT")

    crossed = wire.snapshot(wire.bodies([row], {"USDT": "8000"}))
    mixed = wire.snapshot(wire.bodies([row, alone], {"USDT": "8000"}))

    assert crossed.reported[usdt].initial_margin == 3050
    assert mixed.reported[usdt].initial_margin is None


def test_a_balance_used_up_is_reported_as_beyond_all_measure():
    row = wire.position("BTCUSDT", "1", "60000", "51000", "204")

    taken = wire.snapshot(wire.bodies([row], {"USDT": "8000"}))

    (pool,) = taken.pools
    assert taken.reported[pool.id].ratio == D("Infinity")
    assert evaluate(pool, taken.marks, wire.NOON).requirement.ratio == D("Infinity")


def test_the_resolution_is_one_last_digit_per_figure_and_per_mark():
    told = wire.bodies([wire.position("BTCUSDT", "2", "60000", "61000", "488")], {"USDT": "8000"})

    taken = wire.snapshot(told)

    # Wallet, profit and maintenance of the asset; profit and maintenance of the row.
    (reported,) = taken.reported.values()
    assert reported.resolution == (3 + 2) * D("1e-8") + 2 * D("1e-8")
    # A figure with ten decimals is told to ten.
    told["GET /fapi/v3/account"]["assets"][0]["crossWalletBalance"] = "8000.0000000001"
    (finer,) = wire.snapshot(told).reported.values()
    assert finer.resolution == (3 + 2) * D("1e-10") + 2 * D("1e-8")


def test_open_orders_add_initial_margin_only():
    told = wire.bodies([wire.position("BTCUSDT", "1", "60000", "61000", "244")], {"USDT": "8000"})
    told["GET /fapi/v3/account"]["assets"][0]["openOrderInitialMargin"] = "75.5"

    taken = wire.snapshot(told)

    figures = evaluate(taken.pools[0], taken.marks, wire.NOON).requirement
    assert figures.initial_margin == D(61000) / 20 + D("75.5")
    assert (figures.margin_balance, figures.maintenance_margin) == (9000, 244)


def test_leverage_fee_rank_and_stop_are_told_and_unknown_without_their_replies():
    row = wire.position("BTCUSDT", "1", "60000", "61000", "244", liquidationPrice="52208.83")
    told = wire.bodies([row], {"USDT": "8000"})
    (known,) = wire.snapshot(told).pools[0].positions
    for request in ("symbolConfig", "openAlgoOrders", "commissionRate?symbol=BTCUSDT"):
        del told[f"GET /fapi/v1/{request}"]
    del told["GET /fapi/v3/positionRisk"][0]["adl"]
    (unknown,) = wire.snapshot(told).pools[0].positions

    assert (known.leverage, known.initial_rate, known.adl_rank) == (20, D("0.05"), 2)
    assert (known.taker_fee_rate, known.has_stop_loss) == (D("0.0005"), False)
    assert known.reported_liquidation_price == D("52208.83")
    assert known.reported_maintenance_margin == 244
    assert (unknown.leverage, unknown.adl_rank, unknown.has_stop_loss) == (None, None, None)
    assert unknown.taker_fee_rate == REGULAR
    # What Binance holds as initial margin, per notional: 3,050 of 61,000.
    assert unknown.initial_rate == D("0.05")


# What Binance charges a regular user at most: the fee that advice counts where none was told.
REGULAR = D("0.0005")


def test_the_fee_of_another_symbol_in_the_same_asset_stands_in():
    rows = [
        wire.position("BTCUSDT", "1", "60000", "61000", "244"),
        wire.position("ETHUSDT", "1", "2400", "2455.10", "9.8204"),
        wire.position("SOLUSDC", "20", "140", "146.5", "14.65", asset="USDC"),
    ]
    rows.append(wire.position("XRPUSDT", "20", "140", "146.5", "11.72"))
    told = wire.bodies(rows, {"USDT": "8000", "USDC": "900"}, {"SOLUSDC": wire.SOL_2026})
    told["GET /fapi/v1/commissionRate?symbol=XRPUSDT"]["takerCommissionRate"] = "0.0003"
    del told["GET /fapi/v1/commissionRate?symbol=ETHUSDT"]
    del told["GET /fapi/v1/commissionRate?symbol=SOLUSDC"]

    taken = wire.snapshot(told)

    fees = {
        position.instrument.exchange_symbol: position.taker_fee_rate
        for pool in taken.pools
        for position in pool.positions
    }
    assert fees["BTCUSDT"] == fees["ETHUSDT"] == D("0.0005")
    assert (fees["XRPUSDT"], fees["SOLUSDC"]) == (D("0.0003"), REGULAR)


@pytest.mark.parametrize("price", ["0", "0.00000000", "", "-3.5"])
def test_no_liquidation_price_is_none_and_never_zero(price):
    row = wire.position("BTCUSDT", "1", "60000", "61000", "244", liquidationPrice=price)

    (position,) = wire.snapshot(wire.bodies([row], {"USDT": "8000"})).pools[0].positions

    assert position.reported_liquidation_price is None


def test_a_row_without_mark_takes_the_premium_index():
    row = wire.position("BTCUSDT", "1", "60000", "61000", "244")
    del row["markPrice"]
    told = wire.bodies([row], {"USDT": "8000"})
    index = {"symbol": "BTCUSDT", "markPrice": "60900.5", "time": 1_795_348_799_000}
    told["GET /fapi/v1/premiumIndex"] = [{"symbol": "ETHUSDT"}, index]

    assert wire.snapshot(told).marks["BTC/USDT:USDT"].price == D("60900.5")


def test_a_row_without_any_mark_is_named_by_the_core():
    row = wire.position("BTCUSDT", "1", "60000", "61000", "244", markPrice="")
    taken = wire.snapshot(wire.bodies([row], {"USDT": "8000"}))

    with pytest.raises(MissingMark, match="BTC/USDT:USDT"):
        evaluate(taken.pools[0], taken.marks, wire.NOON)


def test_a_position_in_an_asset_that_the_wallet_does_not_list_is_refused():
    told = wire.bodies([wire.position("BTCUSDT", "1", "60000", "61000", "244")], {"USDC": "8000"})

    with pytest.raises(Malformed, match=r"account\.assets: expected a row for USDT"):
        wire.snapshot(told)


@pytest.mark.parametrize(
    ("changes", "symbol", "lot"),
    [
        ({}, "BTC/USDT:USDT", "0.001"),
        ({"contractType": "TRADIFI_PERPETUAL", "deliveryDate": 1}, "BTC/USDT:USDT", "0.001"),
        ({"contractType": "", "deliveryDate": 4133404800000}, "BTC/USDT:USDT", "0.001"),
        (
            {"contractType": "CURRENT_QUARTER", "deliveryDate": 1_774_598_400_000},
            "BTC/USDT:USDT-260327",
            "0.001",
        ),
        ({"filters": [], "quantityPrecision": 2}, "BTC/USDT:USDT", "0.01"),
    ],
)
def test_a_contract_is_named_as_others_name_it(changes, symbol, lot):
    told = wire.bodies([wire.position("BTCUSDT", "1", "60000", "61000", "244")], {"USDT": "8000"})
    told["GET /fapi/v1/exchangeInfo"]["symbols"] = [wire.contract("BTCUSDT", **changes)]

    (position,) = wire.snapshot(told).pools[0].positions

    assert (position.instrument.symbol, position.instrument.lot) == (symbol, D(lot))
    assert position.instrument.exchange_symbol == "BTCUSDT"


@pytest.mark.parametrize(
    ("told", "fits"),
    [
        ("1", True),
        ("1.000001015", True),  # off by a millionth of itself, and not quite two last digits
        ("1.000001025", False),
        ("0.99999899", True),
        ("0.99999897", False),
    ],
)
def test_a_reading_of_the_tiers_fits_within_a_millionth_and_two_last_digits(told, fits):
    """1 % of 100 is 1; where that is not what Binance told, the first of both stands."""
    other, fitting = flat("0.02"), flat("0.01")
    row = PositionRow(
        symbol="BTCUSDT",
        side="BOTH",
        amount=D(1),
        entry_price=D(100),
        asset="USDT",
        isolated_wallet=None,
        mark_price=D(100),
        adl=None,
        updated_at=None,
        told=Told(
            unrealized_pnl=D(0),
            maintenance=D(told),
            notional=D(100),
            isolated_margin=D(0),
            initial=None,
            liquidation_price=None,
        ),
    )
    terms = Terms(
        instrument=linear("BTC"),
        tables=(other, fitting),
        leverage=None,
        fee=None,
        has_stop_loss=None,
    )

    found = fitting_table(Holding(row=row, terms=terms, mark=D(100)))

    assert found is (fitting if fits else other)
