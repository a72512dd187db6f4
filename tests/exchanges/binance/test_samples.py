"""
ccxt's example payloads of COIN-M and portfolio margin, read and compared with our arithmetic.

They stand as comments in its source and are no recorded traffic; each is named by its line.
"""

from __future__ import annotations

from decimal import Decimal

import pytest

from monitor.errors import Malformed
from monitor.exchanges.binance.coin import read_ranks
from monitor.exchanges.binance.stops import read_stop_orders
from monitor.exchanges.binance.tiers import read_tier_tables
from monitor.risk import evaluate
from tests.exchanges.binance import coins, wire

D = Decimal
LAST_DIGIT = D("1e-8")


def portfolio(told):
    taken = wire.snapshot(told)
    (pool,) = taken.pools
    return taken, pool, evaluate(pool, taken.marks, wire.NOON)


def test_positions_of_portfolio_margin_have_the_profit_and_notional_that_we_compute():
    """Lines 11732 and 11751: 10 USD a contract; 0.01 BTC from 44,525 to 45,464.1735922."""
    told = coins.portfolio(
        wire.sample("fetch_balance", "portfolio margin"),
        wire.sample_of_line(11751),
        wire.sample_of_line(11732),
    )

    taken, pool, risk = portfolio(told)

    found = {leg.position.instrument.exchange_symbol: leg for leg in risk.positions}
    linear, inverse = found["BTCUSDT"], found["ETHUSD_PERP"]
    assert inverse.position.instrument.contract_size == 10
    assert abs(inverse.notional - D("0.00412454")) < LAST_DIGIT
    assert abs(inverse.unrealized_pnl - D("0.0000036")) < LAST_DIGIT
    assert inverse.position.reported_liquidation_price == D("293.57678898")
    assert abs(linear.notional - D("454.64173592")) < LAST_DIGIT
    assert abs(linear.unrealized_pnl - D("9.39173592")) < LAST_DIGIT
    assert linear.position.leverage == inverse.position.leverage == 100
    # The samples are of no one account: what accountEquity leaves is taken over.
    assert abs(risk.requirement.margin_balance - D("73.47428058")) < LAST_DIGIT
    assert taken.reported[pool.id].ratio == D("1.05") / D("5167.92171923")


def test_the_sample_balance_adds_up():
    """Line 4270: 35.9697141 in cross margin and 31.022612 at USDⓈ-M are 66.9923261."""
    _, pool, _ = portfolio(coins.portfolio(wire.sample("fetch_balance", "portfolio margin")))

    assert {c.asset: c.balance for c in pool.collateral} == {"USDT": D("66.9923261")}


@pytest.mark.parametrize(("line", "call"), [(10724, "v2/um"), (10745, "v1/cm")])
def test_flat_rows_of_an_account_reply_are_passed_over(line, call):
    told = coins.portfolio([]) | {
        f"GET /papi/{call}/account": {"positions": [wire.sample_of_line(line)]}
    }

    assert portfolio(told)[1].positions == ()


def test_brackets_of_coin_m_are_read():
    """Line 11238: in XRP, with the floor spelled properly."""
    body = wire.sample("fetch_leverage_tiers", "coinm")

    (table,) = read_tier_tables(
        wire.replies({"GET /dapi/v2/leverageBracket": body}), "XRPUSD_210326"
    )

    (tier,) = table.tiers
    assert (tier.floor, tier.cap, tier.maintenance_rate) == (0, 500_000, D("0.0185"))
    assert (tier.deduction, tier.max_leverage) == (0, 20)


def test_a_position_of_coin_m_s_account_reply_without_an_amount_is_refused():
    """Line 10704, whose maintenance margin is 1 % of its notional."""
    row = wire.sample_of_line(10704)
    told = wire.bodies([], {"USDT": "5"})
    told["GET /dapi/v1/account"]["positions"] = [row]

    assert abs(D(row["notionalValue"]) * D("0.01") - D(row["maintMargin"])) < LAST_DIGIT
    with pytest.raises(Malformed, match="positionAmt"):
        wire.snapshot(told)


def test_an_event_of_coin_m_is_told_by_its_alias_and_its_symbol():
    """Line 3315: BTC's cross wallet is 100.12345678 there, USDⓈ-M's stays."""
    view = wire.read(wire.bodies([], {"BTC": "7"}))

    body = wire.sample_of_line(3315) | {"T": wire.CHANGED, "E": wire.CHANGED}
    taken = view.updated(wire.frame(body)).snapshot(wire.NOON)

    held = {pool.id.name: pool.collateral[0].balance for pool in taken.pools}
    assert held == {"usdm/BTC": 7, "BTC": D("100.12345678")}


def test_ranks_are_read():
    """Line 14838."""
    body = wire.sample_of_line(14838)

    assert read_ranks(wire.replies({"GET /dapi/v1/adlQuantile": body})) == {
        ("BTCUSDT", "LONG"): 0,
        ("BTCUSDT", "SHORT"): 0,
        ("BTCUSDT", "BOTH"): 1,
    }


@pytest.mark.parametrize(("side", "closes"), [("BUY", False), ("SELL", True)])
def test_a_conditional_order_of_portfolio_margin_protects_by_its_direction(side, closes):
    """Line 6423: a STOP that buys a LONG is an entry; one that sells it would protect it."""
    order = wire.sample_of_line(6423) | {"side": side}

    found = read_stop_orders(
        wire.replies({"GET /papi/v1/cm/conditional/openOrders": [order]}), "ETHUSD_PERP"
    )

    assert found is not None
    assert [stop.closes for stop in found.orders] == [closes]
