"""Coins in cross and portfolio margin: debts, inverse contracts, what floats."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from monitor.errors import MissingReply
from monitor.exchanges.bybit import EXCHANGE
from monitor.exchanges.bybit.account import read_account
from monitor.exchanges.bybit.collateral import asked_for_coin, is_owed
from monitor.exchanges.bybit.rows import read_coin
from monitor.exchanges.payload import Row
from monitor.risk import Basis, PoolRisk, Verdict, evaluate, reconcile
from monitor.risk.model import PoolId
from monitor.risk.solve import liquidation_prices
from monitor.risk.what_if import topped_up
from tests.exchanges.bybit import constructed, unified
from tests.exchanges.bybit.wire import NOW, WALLET, coin, envelope, replies, ticker

if TYPE_CHECKING:
    from monitor.risk.model import AccountSnapshot, Collateral
    from tests.exchanges.bybit.wire import Json

D = Decimal
ID = PoolId(account="main", name="unified")
TIERS = "/v5/spot-margin-trade/position-tiers"


def snapshot(bodies: dict[str, Json]) -> AccountSnapshot:
    return EXCHANGE.read_account("main", replies(bodies)).snapshot(NOW)


def risk_of(bodies: dict[str, Json]) -> PoolRisk:
    read = snapshot(bodies)
    return evaluate(read.pools[0], read.marks, NOW)


def of(bodies: dict[str, Json], asset: str) -> Collateral:
    return next(c for c in snapshot(bodies).pools[0].collateral if c.asset == asset)


def row_of(bodies: dict[str, Json], name: str) -> Json:
    return next(c for c in bodies[WALLET]["result"]["list"][0]["coin"] if c["coin"] == name)


def test_an_inverse_contract_is_margined_in_its_coin() -> None:
    """Not verified: the fee to close of an inverse contract under the rules of 2025-09-18."""
    bodies = unified.inverse_long()
    risk = risk_of(bodies)
    (btc,) = risk.positions
    assert btc.position.instrument.symbol == "BTC/USD:BTC"
    assert (btc.position.instrument.settle, btc.position.contracts) == ("BTC", 10000)
    assert round(btc.notional, 8) == D("0.20833333")
    assert btc.position.close_fee.fixed == D("0.000121")
    assert round(btc.unrealized_pnl, 8) == D("-0.00833333")
    assert btc.initial_margin is not None
    assert btc.maintenance_margin is not None
    assert round(btc.initial_margin, 8) == D("0.02095433")
    assert round(btc.maintenance_margin, 8) == D("0.00116267")
    assert (risk.pool.unit, risk.pool.top_up_asset) == ("USD", "BTC")
    assert abs(risk.requirement.margin_balance - 4180) < D("0.0005")
    assert abs(risk.requirement.maintenance_margin - D("55.808")) < D("0.0005")
    said = snapshot(bodies).reported[ID]
    assert reconcile(risk, said).verdict is Verdict.AGREES
    assert risk.pool.basis is Basis.MODELLED


def test_collateral_of_an_inverse_contract_moves_with_its_mark() -> None:
    """0.1 BTC: at 45,000 the coin is worth 45,000, and the PnL −10,000 × (1/45,000 − 1/50,000)."""
    read = snapshot(unified.inverse_long())
    moved = {symbol: replace(mark, price=D(45000)) for symbol, mark in read.marks.items()}
    risk = evaluate(read.pools[0], moved, NOW)
    pnl = D(10000) / 50000 - D(10000) / 45000
    assert abs(risk.requirement.margin_balance - (D("0.1") + pnl) * D("0.95") * 45000) < D("0.001")


def test_coins_borrowed_by_hand_are_a_debt_with_margin_of_its_own() -> None:
    risk = risk_of(unified.in_debt())
    assert risk.requirement.margin_balance == 750
    assert risk.requirement.maintenance_margin == D("205.495")
    assert risk.requirement.initial_margin == D("1100.495")
    usdt = next(value for value in risk.collateral if value.asset == "USDT")
    assert (usdt.balance, usdt.debt, usdt.maintenance_margin) == (-4000, 5000, 200)
    assert risk.pool.basis is Basis.MODELLED
    assert reconcile(risk, snapshot(unified.in_debt()).reported[ID]).verdict is Verdict.AGREES


def test_the_debt_grows_with_the_loss_and_changes_its_tier() -> None:
    """At SOL 90: −4,100 net, 5,000 owed. At −2,000 of PnL 6,000; beyond that 5 % of all of it."""
    read = snapshot(unified.in_debt())

    def maintenance(price: str) -> Decimal:
        sol = {"SOL/USDT:USDT": replace(read.marks["SOL/USDT:USDT"], price=D(price))}
        marks = {**read.marks, **sol}
        usdt = next(v for v in evaluate(read.pools[0], marks, NOW).collateral if v.asset == "USDT")
        return usdt.maintenance_margin

    short = read.pools[0].positions[0]
    assert short.contracts == 10
    assert maintenance("90") == 200
    assert maintenance("0.000001") == 5000 * D("0.04")
    bodies = unified.in_debt()
    row_of(bodies, "USDT").update(walletBalance="-1500", equity="-6500", usdValue="-6500")
    row_of(bodies, "USDT").update(borrowAmount="6500")
    read = snapshot(bodies)
    # −6,500 of equity, of which 5,000 were borrowed by hand.
    assert maintenance("100") == 6500 * D("0.05")


def test_a_negative_equity_is_a_debt() -> None:
    bodies = unified.in_debt()
    row_of(bodies, "USDT").update(walletBalance="-4000", spotBorrow="0", borrowAmount="4000")
    usdt = of(bodies, "USDT")
    assert usdt.borrow is not None
    assert (usdt.balance, usdt.borrow.loan) == (-4000, 0)
    risk = risk_of(bodies)
    assert risk.requirement.maintenance_margin == 4000 * D("0.04") + D("5.495")


def test_a_negative_equity_that_bybit_does_not_charge_is_not_charged() -> None:
    """Not verified: whether a purely unrealized negative balance carries that margin."""
    bodies = unified.in_debt()
    row_of(bodies, "USDT").update(walletBalance="-4000", spotBorrow="0", borrowAmount="0")
    assert of(bodies, "USDT").borrow is None
    assert risk_of(bodies).requirement.maintenance_margin == D("5.495")


def test_what_bybit_counts_as_borrowed_beyond_the_equity_stands() -> None:
    """Coins locked in orders are no equity to it: |min(0, equity − frozen)|."""
    bodies = unified.in_debt()
    row_of(bodies, "USDT").update(walletBalance="-4000", spotBorrow="0", borrowAmount="4300")
    usdt = of(bodies, "USDT")
    assert usdt.borrow is not None
    assert usdt.borrow.loan == 4300


def test_a_settle_coin_that_is_not_owed_knows_what_a_debt_would_cost() -> None:
    """The debt begins on the way: its margin brings the end nearer."""
    bodies = unified.in_debt()
    usdt = row_of(bodies, "USDT")
    usdt.update(walletBalance="200", equity="200", usdValue="200", spotBorrow="0", borrowAmount="0")
    row_of(bodies, "BTC").update(walletBalance="0.013", equity="0.013", usdValue="650")
    position = bodies["/v5/position/list?category=linear&settleCoin=USDT"]["result"]["list"][0]
    position["positionMM"] = "5.495"
    read = snapshot(bodies)
    charged = liquidation_prices(read.pools[0], read.marks, "SOL/USDT:USDT").nearest
    del bodies[TIERS]
    read = snapshot(bodies)
    free = liquidation_prices(read.pools[0], read.marks, "SOL/USDT:USDT").nearest
    assert charged is not None
    assert free is not None
    # Balance 200 + 0.013 × 50,000 × 0.95 + 10 (P − 100) = P × 0.05 + 0.495 (+ 4 % of the debt).
    assert abs(free - (1000 - 200 - D("617.5") + D("0.495")) / D("9.95")) < D("1e-12")
    # Debt 800 − 10 P, its margin 32 − 0.4 P.
    assert abs(charged - (D("182.5") + D("0.495") + 32) / D("10.35")) < D("1e-12")


def test_a_debt_needs_its_tiers() -> None:
    bodies = unified.in_debt()
    del bodies[TIERS]
    with pytest.raises(MissingReply, match="needed") as caught:
        snapshot(bodies)
    assert "position-tiers?currency=USDT" in caught.value.call
    # A coin that Bybit lists no tiers of is charged nothing here; reconciling shows the rest.
    bodies[TIERS] = envelope({"list": []})
    assert of(bodies, "USDT").borrow is None


def test_a_coin_that_is_owed_floats_and_counts_in_full() -> None:
    bodies = unified.in_debt()
    row_of(bodies, "BTC").update(
        walletBalance="0",
        equity="-0.05",
        usdValue="-2500",
        spotBorrow="0.05",
        borrowAmount="0.05",
        collateralSwitch=False,
    )
    mark = envelope({"category": "linear", "list": [ticker("BTCUSDT", "49950")]})
    bodies["/v5/market/tickers?category=linear&symbol=BTCUSDT"] = mark
    btc = of(bodies, "BTC")
    assert (btc.balance, btc.price) == (D("-0.05"), 50000)
    assert btc.follows is not None
    assert btc.follows.anchor_mark == 49950
    value = next(v.value for v in risk_of(bodies).collateral if v.asset == "BTC")
    assert value == -2500


def test_portfolio_margin_takes_bybits_requirement_and_its_own_balance() -> None:
    bodies = unified.portfolio()
    read = snapshot(bodies)
    (pool,) = read.pools
    assert (read.mode, pool.basis) == ("unified, portfolio margin", Basis.REPORTED)
    assert pool.carried == (
        "portfolio stress test",
        "value of 1 option",
        "haircut loss of spot orders and loss of open orders (locked: USDT)",
    )
    risk = evaluate(pool, read.marks, NOW)
    # 1,000 − 50 of options + 100, nine tenths of it, less 15
    assert risk.requirement.margin_balance == 1050 * D("0.9") - 15
    assert (risk.requirement.maintenance_margin, risk.requirement.initial_margin) == (310, 400)
    (held,) = risk.positions
    assert (held.maintenance_margin, held.initial_margin) == (None, None)
    assert (held.position.leverage, held.position.reported_liquidation_price) == (None, None)
    assert reconcile(risk, read.reported[ID]).verdict is Verdict.AGREES
    assert read.reported[ID].ratio == D("0.3333")


def test_portfolio_margin_moves_by_its_profit_alone() -> None:
    read = snapshot(unified.portfolio())
    moved = {symbol: replace(mark, price=D(100)) for symbol, mark in read.marks.items()}
    risk = evaluate(read.pools[0], moved, NOW)
    assert risk.requirement.margin_balance == 950 * D("0.9") - 15
    assert risk.requirement.maintenance_margin == 310


def test_a_balance_of_portfolio_margin_that_is_wrong_disagrees() -> None:
    bodies = unified.portfolio()
    bodies[WALLET]["result"]["list"][0]["coin"].append(coin("USDC", "9", "9", "9"))
    ratios = bodies["/v5/spot-margin-trade/collateral"]["result"]["list"]
    usdc = {"minQty": "0", "maxQty": "", "collateralRatio": "1"}
    ratios.append({"currency": "USDC", "collateralRatioList": [usdc]})
    read = snapshot(bodies)
    risk = evaluate(read.pools[0], read.marks, NOW)
    assert reconcile(risk, read.reported[ID]).verdict is Verdict.DISAGREES


def test_a_floating_coin_goes_by_its_index_where_bybit_streams_one() -> None:
    """45 BTC valued at 100,000 USD; the ticker of a moment later says 100,010."""
    bodies = constructed.coins_as_collateral()
    spot = {"list": [ticker("BTCUSDT", "1", usdIndexPrice="100010")]}
    bodies["/v5/market/tickers?category=spot&symbol=BTCUSDT"] = envelope(spot)
    read = snapshot(bodies)
    btc = of(bodies, "BTC")
    assert btc.follows is not None
    assert (btc.follows.symbol, btc.follows.base, btc.follows.anchor_mark) == (
        "BTC/USD",
        "BTC",
        100_000,
    )
    assert [i.exchange_symbol for i in read.followed] == ["BTC/USD"]
    assert read.marks["BTC/USD"].price == 100_000
    halved = {**read.marks, "BTC/USD": replace(read.marks["BTC/USD"], price=D(50_000))}
    risk = evaluate(read.pools[0], halved, NOW)
    worth = next(value.value for value in risk.collateral if value.asset == "BTC")
    assert worth == D("40.8") * 50_000


def test_an_index_that_is_followed_moves_with_a_contract_on_its_coin() -> None:
    """The end of an inverse long: the coin falls with it, whether or not by the same symbol."""
    bodies = unified.inverse_long()
    by_contract = snapshot(bodies)
    spot = {"list": [ticker("BTCUSDT", "1", usdIndexPrice="48000")]}
    bodies["/v5/market/tickers?category=spot&symbol=BTCUSDT"] = envelope(spot)
    by_index = snapshot(bodies)
    assert [c.follows.symbol for c in by_index.pools[0].collateral if c.follows] == ["BTC/USD"]
    ends = [
        liquidation_prices(read.pools[0], read.marks, "BTC/USD:BTC").nearest
        for read in (by_contract, by_index)
    ]
    assert ends[0] is not None
    assert ends[0] == ends[1]


def test_adding_brings_a_pool_back_to_its_target() -> None:
    """2,400 against 2,800 is 85.71 %; to 60 % it takes 2,400 ÷ 0.6 − 2,800 = 1,200 USD."""
    bodies = unified.portfolio()
    bodies[WALLET]["result"]["list"][0] |= {
        "totalMarginBalance": "2800",
        "totalMaintenanceMargin": "2400",
        "totalInitialMargin": "2500",
        "totalAvailableBalance": "300",
    }
    row = row_of(bodies, "USDT")
    row.update(walletBalance="2700", equity="2800", usdValue="2800", locked="0")
    tiers = bodies["/v5/spot-margin-trade/collateral"]["result"]["list"][0]
    tiers["collateralRatioList"][0]["collateralRatio"] = "1"
    read = snapshot(bodies)
    before = evaluate(read.pools[0], read.marks, NOW).requirement
    assert round(before.ratio, 4) == D("0.8571")
    after = evaluate(topped_up(read.pools[0], "USDT", D(1200)), read.marks, NOW).requirement
    assert after.ratio == D("0.6")


def test_a_debt_in_portfolio_margin_is_part_of_bybits_requirement() -> None:
    bodies = unified.portfolio()
    row_of(bodies, "USDT").update(walletBalance="-1000", equity="-950", usdValue="-950")
    row_of(bodies, "USDT").update(borrowAmount="950", spotBorrow="0")
    assert of(bodies, "USDT").borrow is None
    assert risk_of(bodies).requirement.maintenance_margin == 310


@pytest.mark.parametrize(
    ("equity", "borrowed", "owed"),
    [("0.5", "0", False), ("0", "0", False), ("-0.1", "0", True), ("0.5", "0.1", True)],
)
def test_a_coin_is_owed_where_some_is_borrowed_or_its_equity_is_negative(
    equity: str, borrowed: str, *, owed: bool
) -> None:
    row = coin("BTC", equity, equity, "1", borrowAmount=borrowed)
    assert is_owed(read_coin(Row(row, ""))) is owed


def test_a_negative_equity_that_is_not_borrowed_is_charged_only_within_the_digits() -> None:
    bodies = unified.in_debt()
    usdt = row_of(bodies, "USDT")
    usdt.update(walletBalance="0", spotBorrow="0", borrowAmount="0")
    usdt.update(equity="-0.000001", usdValue="-0.000001")
    assert of(bodies, "USDT").borrow is not None
    usdt.update(equity="-0.0000011", usdValue="-0.0000011")
    assert of(bodies, "USDT").borrow is None


def test_the_tiers_of_what_is_owed_must_be_there_and_of_what_may_be_need_not() -> None:
    bodies = unified.in_debt()
    asked = {
        c.request: c for c in EXCHANGE.needed(replies(only_rows(bodies))) if TIERS in c.request
    }
    assert {request[-4:]: call.optional for request, call in asked.items()} == {"USDT": False}
    row_of(bodies, "USDT").update(walletBalance="9", equity="9", usdValue="9")
    row_of(bodies, "USDT").update(spotBorrow="0", borrowAmount="0")
    asked = {
        c.request: c for c in EXCHANGE.needed(replies(only_rows(bodies))) if TIERS in c.request
    }
    assert {request[-4:]: call.optional for request, call in asked.items()} == {"USDT": True}


def only_rows(bodies: dict[str, Json]) -> dict[str, Json]:
    """Without the tiers of debts."""
    return {request: body for request, body in bodies.items() if TIERS not in request}


def test_an_inverse_contracts_profit_runs_from_its_entry_always() -> None:
    bodies = unified.inverse_long()
    for request, body in bodies.items():
        if "category=inverse" in request and "position/list" in request:
            body["result"]["list"][0]["sessionAvgPrice"] = "48000"
    assert risk_of(bodies).positions[0].position.entry_price == 50000


def test_a_held_perpetual_of_the_coin_brings_its_mark_whatever_else_is_held() -> None:
    bodies = unified.in_debt()
    (sol,) = read_account("main", replies(bodies)).held
    btc = read_coin(Row(row_of(bodies, "BTC"), ""))

    def asked(*symbols: str) -> list[str]:
        legs = [replace(sol, symbol=symbol) for symbol in symbols]
        return [c.request for c in asked_for_coin(replies({}), btc, legs, debts=False)]

    contract = "GET /v5/market/instruments-info?category=linear&symbol=BTCUSDT&limit=1000"
    assert contract in asked("SOLUSDT")
    assert contract not in asked("SOLUSDT", "BTCUSDT")


def test_of_what_is_owed_and_has_no_value_yet_the_index_is_asked() -> None:
    owed = coin("ETH", "-0.00000001", "-0.00000001", "0", borrowAmount="0.00000001")
    idle = coin("ETH", "0.00000001", "0.00000001", "0")
    ticker = "GET /v5/market/tickers?category=spot&symbol=ETHUSDT"

    def asked(row: Json) -> list[bool]:
        calls = asked_for_coin(replies({}), read_coin(Row(row, "")), [], debts=False)
        return [c.optional for c in calls if c.request == ticker]

    assert len(asked(owed)) > len(asked(idle))
