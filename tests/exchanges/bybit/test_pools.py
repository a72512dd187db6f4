"""Bybit's margin rules against worked examples and figures of the wire."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal as D
from typing import TYPE_CHECKING

import pytest

from monitor.errors import Malformed, MissingReply, Unmodelled
from monitor.exchanges.bybit import EXCHANGE
from monitor.exchanges.bybit.rows import read_coin, read_totals
from monitor.exchanges.payload import Row
from monitor.risk import Basis, PoolRisk, Verdict, evaluate, liquidation_prices, reconcile
from monitor.risk.model import PoolId
from tests.exchanges.bybit import examples
from tests.exchanges.bybit.wire import (
    NOW,
    POSITIONS,
    WALLET,
    coin,
    envelope,
    position,
    positions,
    ratios,
    recorded,
    replies,
    wallet,
)

if TYPE_CHECKING:
    from monitor.risk.model import AccountSnapshot, MarginPool
    from tests.exchanges.bybit.wire import Json

WIRE = D("0.00000001")
ID = PoolId(account="main", name="unified")


def snapshot(bodies: dict[str, Json]) -> AccountSnapshot:
    return EXCHANGE.read_account("main", replies(bodies)).snapshot(NOW)


def only_pool(read: AccountSnapshot) -> MarginPool:
    (pool,) = read.pools
    return pool


def risk_of(bodies: dict[str, Json]) -> PoolRisk:
    read = snapshot(bodies)
    return evaluate(only_pool(read), read.marks, NOW)


def verdict(bodies: dict[str, Json]) -> Verdict:
    read = snapshot(bodies)
    return reconcile(risk_of(bodies), read.reported[ID]).verdict


def test_two_positions_are_one_pool_in_usd() -> None:
    risk = risk_of(examples.two_positions())
    assert str(risk.pool.id) == "main/unified"
    assert risk.pool.unit == "USD"
    assert risk.requirement.margin_balance == 8500 * D("1.0005")
    assert risk.requirement.maintenance_margin == (D("181.5") + D("139.0125")) * D("1.0005")
    assert risk.requirement.initial_margin == (D("4774.75") + D("1820.2125")) * D("1.0005")
    assert round(risk.requirement.ratio, 6) == D("0.037707")
    btc, eth = risk.positions
    assert (btc.initial_margin, btc.maintenance_margin) == (D("4774.75"), D("181.5"))
    assert (eth.initial_margin, eth.maintenance_margin) == (D("1820.2125"), D("139.0125"))
    assert btc.position.close_fee.fixed == D("24.75")
    assert eth.position.close_fee.fixed == D("20.2125")
    assert risk.pool.basis is Basis.MODELLED


@pytest.mark.parametrize(
    ("symbol", "at_80", "at_90", "at_100"),
    [
        ("BTC/USDT:USDT", "78734.18", "78652.31", "78586.86"),
        ("ETH/USDT:USDT", "4406.61", "4411.41", "4415.26"),
    ],
)
def test_the_prices_at_which_two_positions_end(
    symbol: str, at_80: str, at_90: str, at_100: str
) -> None:
    read = snapshot(examples.two_positions())
    for ratio, price in (("0.8", at_80), ("0.9", at_90), ("1", at_100)):
        found = liquidation_prices(only_pool(read), read.marks, symbol, at_ratio=D(ratio))
        assert found.nearest is not None
        assert round(found.nearest, 2) == D(price)


def test_what_a_position_shows() -> None:
    btc, eth = only_pool(snapshot(examples.two_positions())).positions
    assert (btc.instrument.symbol, eth.instrument.symbol) == ("BTC/USDT:USDT", "ETH/USDT:USDT")
    assert (btc.side.value, eth.side.value) == ("long", "short")
    assert (btc.leverage, eth.leverage) == (10, 20)
    assert (btc.adl_rank, eth.adl_rank) == (2, 4)
    assert btc.reported_liquidation_price == D("78632.8455")
    assert btc.reported_maintenance_margin == D("181.5")
    assert btc.taker_fee_rate == D("0.00055")
    assert btc.has_stop_loss is None
    assert (btc.instrument.lot, btc.instrument.contract_size) == (D("0.001"), 1)


def test_local_tax_ends_up_in_the_fee_to_close() -> None:
    risk = risk_of(examples.taxed_long())
    (sol,) = risk.positions
    model = D("46.6058") * D("0.005") + D("46.604") * D("0.9") * D("0.000649")
    assert abs(sol.maintenance_margin - model) < WIRE
    assert abs(sol.maintenance_margin - D("0.26025039")) < WIRE
    assert sol.initial_margin is not None
    assert abs(sol.initial_margin - D("4.68780139")) < WIRE
    assert round(sol.position.taker_fee_rate, 6) == D("0.000649")
    assert abs(risk.requirement.margin_balance - D("11.48691986")) < WIRE
    assert round(risk.requirement.ratio, 6) == D("0.022672")
    assert risk.pool.basis is Basis.MODELLED
    assert verdict(examples.taxed_long()) is Verdict.AGREES


def test_the_wires_own_liquidation_price_is_room_by_size() -> None:
    """Bybit's estimate takes the settle coin as one dollar and freezes the margin."""
    for bodies, size, mark, wire in (
        (examples.taxed_long_of_the_day(), "0.2", "233.029", "176.89650029"),
        (examples.usdc_long(), "0.001", "66472.02", "10736.47573672"),
        (examples.hedge_mode_long(), "18720", "0.41", "0.37000066"),
    ):
        room = risk_of(bodies).requirement.headroom
        assert abs(D(mark) - room / D(size) - D(wire)) < 2 * WIRE / D(size) + WIRE


def test_a_usdc_contract_settles_in_usdc() -> None:
    risk = risk_of(examples.usdc_long())
    (btc,) = risk.positions
    assert btc.position.instrument.symbol == "BTC/USDC:USDC"
    assert btc.maintenance_margin == D("0.32571423")
    assert btc.initial_margin == D("6.70702815")
    assert round(btc.position.close_fee.fixed, 8) == D("0.05982615")
    assert risk.pool.top_up_asset == "USDC"
    assert verdict(examples.usdc_long()) is Verdict.AGREES


def test_profit_runs_from_the_session_price_once_it_was_settled() -> None:
    bodies = examples.usdc_long()
    (row,) = bodies[POSITIONS.format("linear", "USDC")]["result"]["list"]
    row["sessionAvgPrice"], row["unrealisedPnl"] = "66400", "0.07202"
    (held,) = only_pool(snapshot(bodies)).positions
    assert held.entry_price == 66400
    row["unrealisedPnl"] = "-0.00148"
    (held,) = only_pool(snapshot(bodies)).positions
    assert held.entry_price == D("66473.5")
    # Fees go by the price of entry either way.
    assert round(held.close_fee.fixed, 8) == D("0.05982615")


def test_margins_of_open_orders_are_taken_over() -> None:
    read = snapshot(examples.position_and_order())
    pool = only_pool(read)
    risk = evaluate(pool, read.marks, NOW)
    assert abs(pool.other_maintenance - D("0.21612869") * D("1.000086")) < WIRE
    # The leg's margins were by entry: what the rule by mark gives beside them is taken over too.
    fixed = D("0.08910268") - 4 * D("3.1342") * D("0.0075")
    gap = D("1.11999668") - fixed - 4 * D("3.1342") / 10
    assert abs(pool.other_initial - (D("2.55573119") + gap) * D("1.000086")) < 2 * WIRE
    assert pool.other_balance == 0
    assert abs(risk.requirement.margin_balance - D("841.28368768")) < WIRE
    assert abs(risk.requirement.maintenance_margin - D("0.30525761")) < WIRE
    assert abs(risk.requirement.initial_margin - D("3.67604398")) < 2 * WIRE
    assert round(risk.requirement.ratio, 8) == D("0.00036285")
    assert pool.basis is Basis.PARTLY
    assert read.reported[ID].ratio == D("0.0003")


def test_a_leg_of_hedge_mode_alone_goes_by_the_rule() -> None:
    risk = risk_of(examples.hedge_mode_long())
    (ada,) = risk.positions
    # The entry that the wire shows is rounded: 2.6e-5 between rule and wire.
    assert abs(ada.maintenance_margin - D("61.74533189")) < D("0.000026")
    assert ada.maintenance_margin == D("61.74535757")
    assert round(ada.position.taker_fee_rate, 8) == D("0.00055000")
    assert risk.pool.basis is Basis.MODELLED
    assert ada.position.has_stop_loss is True


def test_both_legs_of_a_hedge_take_the_wires_margins() -> None:
    read = snapshot(examples.both_legs())
    pool = only_pool(read)
    long, short = evaluate(pool, read.marks, NOW).positions
    assert (long.maintenance_margin, short.maintenance_margin) == (20, 5)
    assert pool.basis is Basis.PARTLY
    assert evaluate(pool, read.marks, NOW).requirement.initial_margin == 260
    assert short.position.reported_liquidation_price is None
    moved = {symbol: replace(mark, price=D(110)) for symbol, mark in read.marks.items()}
    long, short = evaluate(pool, moved, NOW).positions
    assert long.maintenance_margin == 20 + 20 * 10 * D("0.005")
    assert short.maintenance_margin == 5 + 10 * 10 * D("0.005")


def test_a_haircut_of_spot_orders_lowers_the_balance() -> None:
    read = snapshot(examples.haircut_of_spot_orders())
    pool = only_pool(read)
    assert pool.other_balance == -D("127.85731614")
    assert pool.basis is Basis.PARTLY
    assert evaluate(pool, {}, NOW).requirement.margin_balance == D("9556.6056555")
    assert read.reported[ID].margin_balance == D("9556.6056555")


def test_collateral_counts_by_the_tiers_of_its_coin() -> None:
    read = snapshot(examples.coins_as_collateral())
    pool = only_pool(read)
    risk = evaluate(pool, read.marks, NOW)
    values = {value.asset: value.value for value in risk.collateral}
    counted = (D("9.8") + D("9.5") + 9 + D("8.5") + 4) * 100_000
    assert values == {"USDT": 10005, "BTC": counted, "METH": 720_000, "MNT": 0}
    assert risk.requirement.margin_balance == 4_810_005
    assert verdict(examples.coins_as_collateral()) is Verdict.AGREES


def test_floating_coins_follow_their_perpetual_and_stablecoins_nothing() -> None:
    read = snapshot(examples.coins_as_collateral())
    follows = {c.asset: c.follows for c in only_pool(read).collateral}
    assert follows["USDT"] is None
    assert follows["MNT"] is None
    btc, meth = follows["BTC"], follows["METH"]
    assert btc is not None
    assert meth is not None
    assert (btc.base, btc.symbol, btc.anchor_mark) == ("BTC", "BTC/USDT:USDT", 99950)
    # Nothing lists a perpetual on METH: its own index stands for it, and no live mark moves it.
    assert (meth.base, meth.symbol, meth.anchor_mark) == ("METH", "METH/USD", 4000)
    assert [i.symbol for i in read.followed] == ["BTC/USDT:USDT"]
    assert [i.symbol for i in read.instruments()] == ["SOL/USDT:USDT", "BTC/USDT:USDT"]
    halved = read.marks | {"BTC/USDT:USDT": replace(read.marks["BTC/USDT:USDT"], price=D(49975))}
    risk = evaluate(only_pool(read), halved, NOW)
    btc_value = next(v.value for v in risk.collateral if v.asset == "BTC")
    assert btc_value == D("40.8") * 50_000


def test_a_floating_coin_follows_a_contract_that_is_held() -> None:
    bodies = examples.coins_as_collateral()
    bodies["/v5/market/instruments-info?category=linear"]["result"]["list"][0]["baseCoin"] = "BTC"
    read = snapshot(bodies)
    follows = {c.asset: c.follows for c in only_pool(read).collateral}["BTC"]
    assert follows is not None
    assert (follows.symbol, follows.anchor_mark) == ("BTC/USDT:USDT", 100)
    assert read.followed == ()


def test_nothing_held_is_a_pool_at_ratio_0() -> None:
    bodies = examples.haircut_of_spot_orders()
    bodies[WALLET]["result"]["list"] = [wallet()]
    pool = only_pool(snapshot(bodies))
    assert pool.collateral == ()
    assert evaluate(pool, {}, NOW).requirement.ratio == 0


def test_the_recorded_totals_add_up() -> None:
    """A unified account of 2025-01: margins times index are the totals, to the last digit."""
    row = Row(recorded("bybit_fetchBalance_0")["httpResponse"]["result"]["list"][0], "")
    totals, coins = read_totals(row), [read_coin(each) for each in row.rows("coin")]
    maintenance = sum(coin.position_mm * coin.price for coin in coins)
    initial = sum(coin.position_im * coin.price for coin in coins)
    assert abs(maintenance - totals.maintenance_margin) < 2 * WIRE
    assert abs(initial - totals.initial_margin) < 2 * WIRE
    assert totals.margin_balance - totals.initial_margin == totals.available
    for each in coins:
        assert abs(each.equity - each.wallet_balance - each.unrealised_pnl) <= WIRE
    profit = sum(coin.unrealised_pnl * coin.price for coin in coins)
    assert abs(sum(coin.usd_value for coin in coins) - row.decimal("totalEquity")) < 7 * WIRE
    # After ratios and before them the same: USDT, USDC and XRP counted in full.
    assert abs(row.decimal("totalPerpUPL") - profit) < WIRE


def test_the_recorded_wallet_is_refused_for_its_inverse_position() -> None:
    bodies = examples.haircut_of_spot_orders()
    bodies[WALLET] = recorded("bybit_fetchBalance_0")["httpResponse"]
    bodies[POSITIONS.format("linear", "USDT")]["result"]["list"] = [
        position("LTCUSDT", "Buy", "1.2", "64.6", "71.1", positionMM="7")
    ]
    bodies[POSITIONS.format("linear", "USDC")]["result"]["list"] = [
        position("BTCPERP", "Buy", "1", "64", "71", positionMM="0.33")
    ]
    with pytest.raises(Unmodelled, match=r"0\.02068388 XRP.*inverse"):
        snapshot(bodies)


def test_the_recorded_balance_adds_up_by_ratios() -> None:
    """
    The recorded coins at 1, but BTC, on which all of the recorded haircut is put.

    Ratios were not recorded. Margins and profits are taken out, as their positions were not.
    """
    body = recorded("bybit_fetchBalance_0")["httpResponse"]
    row = body["result"]["list"][0]
    for each in row["coin"]:
        each |= {"totalPositionMM": "0", "totalPositionIM": "0", "unrealisedPnl": "0"}
        each["walletBalance"] = each["equity"]
    row["totalMaintenanceMargin"] = row["totalInitialMargin"] = "0"
    row["totalAvailableBalance"] = row["totalMarginBalance"]
    lost = D(row["totalEquity"]) - D(row["totalMarginBalance"])
    bodies = examples.haircut_of_spot_orders()
    bodies[WALLET] = body
    full = ("USDT", "USDC", "ETH", "ADA", "XRP", "LTC")
    bodies["/v5/spot-margin-trade/collateral"]["result"]["list"] = [
        ratios("BTC", ("0", "", str(1 - lost / D("82669.24739887")))),
        *(ratios(name, ("0", "", "1")) for name in full),
    ]
    risk = risk_of(bodies)
    assert abs(risk.requirement.margin_balance - D("90042.2788482")) < 7 * WIRE
    assert {c.asset for c in risk.pool.collateral if c.follows} == {"BTC", *full} - {"USDT", "USDC"}


def test_the_recorded_position_of_2023_was_margined_by_entry() -> None:
    """
    1 % of 77.519375 (entry) and 77.519375 × 5 ÷ 6 × 0.00055 to close: 0.81072347, wire 0.81072399.

    Since 2025-09-02 the mark counts: 85.32 × 0.01 + 0.03552971 = 0.88872971. The old margin is no
    fee beyond the tier's, so the published rate stands and the difference would be seen.
    """
    body = recorded("bybit_fetchPositions_0")["httpResponse"]
    row = body["result"]["list"][0]
    assert D(row["positionValue"]) - D(row["size"]) * D(row["avgPrice"]) < D("0.000001")
    fee = D("77.519375") * (1 - 1 / D(6)) * D("0.00055")
    assert abs(D("77.519375") * D("0.01") + fee - D(row["positionMM"])) < D("0.000001")
    assert abs(D("77.519375") / 6 + fee - D(row["positionIM"])) < D("0.000001")
    bodies = examples.haircut_of_spot_orders()
    bodies[POSITIONS.format("linear", "USDT")] = body
    lists = (
        examples.instruments(examples.instrument("LTCUSDT", "LTC", lot="0.1"))
        | examples.limits("LTCUSDT", ("200000", "0.01", "0.02", "50.00", ""))
        | examples.fees(examples.fee_rate("LTCUSDT", "0.00055"))
    )
    bodies |= {request: envelope({"list": rows}) for request, rows in lists.items()}
    risk = risk_of(bodies)
    (ltc,) = risk.positions
    assert round(ltc.maintenance_margin, 8) == D("0.88872971")
    # The wire's entry price is rounded to eight decimals.
    assert abs(ltc.unrealized_pnl - D("7.800625")) < D("0.00000001") * D("1.2")
    assert ltc.position.reported_liquidation_price is None
    assert (ltc.position.adl_rank, ltc.position.leverage) == (2, 6)


@pytest.mark.parametrize(
    ("row", "named"),
    [
        (coin("USDT", "100", "70", "70", spotBorrow="30", borrowAmount="30"), "30 USDT borrowed"),
        (coin("BTC", "1", "1", "90000", borrowAmount="0.5"), "0.5 BTC borrowed"),
        (coin("USDT", "-5", "-5", "-5"), "a negative equity of -5 USDT"),
        (coin("USDC", "100", "150", "150"), "50 USDC of equity beyond"),
    ],
)
def test_what_the_wallet_holds_beyond_the_rules_is_named(row: Json, named: str) -> None:
    bodies = examples.haircut_of_spot_orders()
    bodies[WALLET]["result"]["list"] = [wallet(row, totalMarginBalance="1")]
    with pytest.raises(Unmodelled, match=named) as caught:
        snapshot(bodies)
    assert not caught.value.whole_account


@pytest.mark.parametrize(
    ("category", "row", "named"),
    [
        ("inverse", position("BTCUSD", "Buy", "100", "50000", "48000"), "BTCUSD .inverse contract"),
        (
            "option",
            position("BTC-27DEC26-100000-C-USDT", "Sell", "0.1", "500", "600"),
            "BTC-27DEC26-100000-C-USDT .option, short 0.1",
        ),
    ],
)
def test_what_is_held_beyond_linear_contracts_is_named(
    category: str, row: Json, named: str
) -> None:
    bodies = examples.two_positions()
    bodies[f"/v5/position/list?category={category}"] = envelope(positions(row, category=category))
    with pytest.raises(Unmodelled, match=named):
        snapshot(bodies)


def test_a_contract_that_is_not_linear_is_named() -> None:
    bodies = examples.two_positions()
    rows = bodies["/v5/market/instruments-info?category=linear"]["result"]["list"]
    rows[0]["contractType"] = "InversePerpetual"
    with pytest.raises(Unmodelled, match="BTCUSDT is a InversePerpetual"):
        snapshot(bodies)


def test_a_dated_contract_is_named_as_ccxt_does() -> None:
    bodies = examples.two_positions()
    rows = bodies["/v5/market/instruments-info?category=linear"]["result"]["list"]
    rows[0]["contractType"], rows[0]["deliveryTime"] = "LinearFutures", "1766736000000"
    assert only_pool(snapshot(bodies)).positions[0].instrument.symbol == "BTC/USDT:USDT-251226"


def test_margins_need_the_index_of_their_settle_coin() -> None:
    bodies = examples.two_positions()
    usdt = bodies[WALLET]["result"]["list"][0]["coin"][0]
    usdt["usdValue"] = "0"
    with pytest.raises(Malformed, match="a USD value of USDT"):
        snapshot(bodies)
    usdt |= {"coin": "USDE", "totalPositionMM": "0"}
    with pytest.raises(Malformed, match="a row of USDT"):
        snapshot(bodies)


def test_without_anything_available_the_balance_is_bounded() -> None:
    """Available is cut off at 0: then only margin balance and initial margin bound it."""
    bodies = examples.two_positions()
    totals = bodies[WALLET]["result"]["list"][0]
    totals["totalAvailableBalance"] = "0"
    assert snapshot(bodies).reported[ID].margin_balance == D("6598.25998125")
    totals["totalInitialMargin"] = "9000"
    assert snapshot(bodies).reported[ID].margin_balance == D("8504.25")


def test_what_bybit_says_is_given_as_it_says_it() -> None:
    reported = snapshot(examples.two_positions()).reported[ID]
    assert reported.margin_balance == D("8504.25")
    assert reported.maintenance_margin == D("320.67275625")
    assert reported.initial_margin == D("6598.25998125")
    assert reported.ratio == D("0.0377")
    assert D("0.00000004") < reported.resolution < D("0.000001")


def test_the_drift_between_two_answers_is_no_disagreement() -> None:
    """The wallet is of a moment at which BTC stood 0.1 % (95) higher: 47.50 more of PnL."""
    bodies = examples.two_positions()
    totals = bodies[WALLET]["result"]["list"][0]
    totals["coin"][0] |= {"unrealisedPnl": "-3452.5", "equity": "8547.5", "usdValue": "8551.77375"}
    totals["totalMarginBalance"] = "8551.77375"
    totals["totalAvailableBalance"] = "1953.51376875"
    reported = snapshot(bodies).reported[ID]
    assert D("47.5") * D("1.0005") < reported.resolution < D("47.53")
    assert verdict(bodies) is Verdict.AGREES
    assert risk_of(bodies).requirement.margin_balance == D("8504.25")


def test_figures_that_are_wrong_by_more_disagree() -> None:
    bodies = examples.two_positions()
    totals = bodies[WALLET]["result"]["list"][0]
    totals["totalAvailableBalance"] = "500"
    totals["totalMarginBalance"] = "7098.25998125"
    assert verdict(bodies) is Verdict.DISAGREES


def test_the_fee_is_told_from_the_row_where_no_fee_rate_is_given() -> None:
    bodies = examples.two_positions()
    for request in [request for request in bodies if "fee-rate" in request]:
        del bodies[request]
    btc, _ = only_pool(snapshot(bodies)).positions
    assert (btc.close_fee.fixed, btc.taker_fee_rate) == (D("24.75"), D("0.00055"))


def test_a_margin_that_is_no_fee_is_not_taken_for_one() -> None:
    """At 0.5 % instead of 0.33 % the margin would hold a fee four times the published one."""
    bodies = examples.two_positions()
    row = bodies[POSITIONS.format("linear", "USDT")]["result"]["list"][0]
    row["positionMM"] = "262.25"
    btc, _ = only_pool(snapshot(bodies)).positions
    assert btc.close_fee.fixed == D("24.75")
    assert btc.reported_maintenance_margin == D("262.25")
    for request in [request for request in bodies if "fee-rate" in request]:
        del bodies[request]
    with pytest.raises(MissingReply, match="fee to close BTCUSDT") as caught:
        snapshot(bodies)
    assert "fee-rate" in caught.value.call
