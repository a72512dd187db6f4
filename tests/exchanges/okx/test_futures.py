"""Expiry futures: names, tables of their own, tiers on the family's sum, USD-margined ones."""

from __future__ import annotations

from decimal import Decimal

import pytest

from monitor.errors import Unmodelled
from monitor.exchanges.okx import EXCHANGE
from monitor.risk.model import Payoff, Side
from monitor.risk.result import Verdict
from monitor.risk.solve import liquidation_prices
from tests.exchanges.okx import examples, listings, wire
from tests.exchanges.okx.figures import close, figured, pool_of, verdict
from tests.exchanges.okx.test_account import asked_in_turn

INSTRUMENTS = "GET /api/v5/public/instruments?instType=FUTURES"


def future(inst_id, pos, mark="96000", **changes):
    return wire.position(inst_id, pos, mark, mark, instType="FUTURES", **changes)


def account(*held, coins=None, level="2", mode="net_mode"):
    cash = coins or (wire.coin("USDT", "100000"), wire.coin("BTC", "1"))
    told = wire.bodies(wire.config(level, mode), wire.envelope(*held), wire.balance(*cash))
    return told | examples.FUTURES_TABLES


def test_futures_are_named_as_the_unified_symbols_are():
    held = (
        future("BTC-USDT-261225", "1"),
        future("BTC-USD-261225", "1", ccy="BTC"),
        future("BTC-USDT-270326", "1"),
    )
    assert {i.exchange_symbol: i.symbol for i in wire.snapshot(account(*held)).instruments()} == {
        "BTC-USDT-261225": "BTC/USDT:USDT-261225",
        "BTC-USD-261225": "BTC/USD:BTC-261225",
        "BTC-USDT-270326": "BTC/USDT:USDT-270326",
    }


def test_all_expiries_of_a_family_are_tiered_on_their_sum():
    # 300 + 250 contracts: above the 500 of the first tier, so 1 %; each alone would pay 0.5 %.
    held = (future("BTC-USDT-261225", "300"), future("BTC-USDT-270326", "250"))
    risk = figured(wire.snapshot(account(*held)), "USDT")

    needed = 550 * Decimal("0.01") * 96000 * (Decimal("0.01") + Decimal("0.001"))
    assert risk.requirement.maintenance_margin == needed


def test_expiries_held_both_ways_are_tiered_on_the_larger_side():
    """Unverified: the reference does not know the rule for legs of both sides; we reconcile."""
    held = (future("BTC-USDT-261225", "400"), future("BTC-USDT-270326", "-450"))
    risk = figured(wire.snapshot(account(*held)), "USDT")

    assert [leg.position.side for leg in risk.positions] == [Side.LONG, Side.SHORT]
    needed = 850 * Decimal("0.01") * 96000 * (Decimal("0.005") + Decimal("0.001"))
    assert risk.requirement.maintenance_margin == needed


def test_perpetuals_and_futures_of_a_family_have_tables_and_sums_of_their_own():
    held = (
        future("BTC-USDT-261225", "400"),
        wire.position("BTC-USDT-SWAP", "900", "96000", "96000"),
    )
    risk = figured(wire.snapshot(account(*held)), "USDT")

    of_future = 400 * 960 * (Decimal("0.005") + Decimal("0.001"))
    of_swap = 900 * 960 * (Decimal("0.004") + Decimal("0.0005"))
    assert risk.requirement.maintenance_margin == of_future + of_swap


def test_an_inverse_future_stands_in_its_coins_pool():
    # 0.1 BTC of 96000 USD: 96 contracts; R = 0.1 × 0.6 %, E = 0.01.
    held = future("BTC-USD-261225", "96", ccy="BTC", mmr="0.0005", imr="0.002", upl="0")
    coin = wire.coin(
        "BTC", "0.01", mmr="0.0005", imr="0.002", mgnRatio=str(Decimal("0.01") / Decimal("0.0006"))
    )
    read = wire.snapshot(account(held, coins=(coin,)))
    risk = figured(read, "BTC")

    assert risk.positions[0].position.instrument.payoff is Payoff.INVERSE
    assert risk.requirement.maintenance_margin == Decimal("0.0006")
    assert verdict(read, "BTC").verdict is Verdict.AGREES
    # x* = x + H ÷ (F × (1 + m + f)), section 2.6 of OKX's rules
    x = 1 / Decimal(96000) + Decimal("0.0094") / (9600 * Decimal("1.006"))
    ours = liquidation_prices(pool_of(read, "BTC"), read.marks, "BTC/USD:BTC-261225")
    assert close(ours.nearest, 1 / x)


def usd_margined(settle):
    """A USD-margined future, as OKX lists it: linear, of the underlying BTC-USD."""
    row = listings.future("BTC-USD-261225", "0.0001", "1798185600000")
    return {
        **row,
        "instId": "BTC-USD_UM-261225",
        "instFamily": "BTC-USD_UM",
        "ctType": "linear",
        "settleCcy": settle,
        "groupId": "1",
    }


@pytest.mark.parametrize(("listed", "ccy"), [("USD", "USDC"), ("USDC", "USDC"), ("USD", "USDG")])
def test_usd_margined_contracts_are_linear_and_settle_where_the_account_says(listed, ccy):
    held = future("BTC-USD_UM-261225", "10000", ccy=ccy)
    told = account(held, coins=(wire.coin(ccy, "20000"),))
    told[INSTRUMENTS] = wire.envelope(usd_margined(listed))
    tiers = "instType=FUTURES&tdMode=cross&instFamily=BTC-USD_UM"
    told[f"GET /api/v5/public/position-tiers?{tiers}"] = wire.tiers("BTC-USD_UM", "4000 0.02 0.05")
    risk = figured(wire.snapshot(told), ccy)
    instrument = risk.positions[0].position.instrument

    assert instrument.symbol == f"BTC/USD:{ccy}-261225"
    assert (instrument.payoff, instrument.settle) == (Payoff.LINEAR, ccy)
    assert risk.positions[0].notional == 96000
    assert risk.positions[0].above_last_tier


def test_another_linear_contract_margined_elsewhere_is_named():
    with pytest.raises(Unmodelled, match="margined in BTC and settles in USDT"):
        wire.snapshot(account(future("BTC-USDT-261225", "1", ccy="BTC")))


def test_futures_ask_for_tables_of_their_own():
    rounds, _ = asked_in_turn(account(future("BTC-USDT-261225", "1")))
    asked = [call.request for calls in rounds for call in calls]

    family = "instType=FUTURES&instFamily=BTC-USDT"
    assert f"GET /api/v5/public/instruments?{family}&instId=BTC-USDT-261225" in asked
    assert f"GET /api/v5/account/trade-fee?{family}" in asked
    tiers = "instType=FUTURES&tdMode=cross&instFamily=BTC-USDT"
    assert f"GET /api/v5/public/position-tiers?{tiers}" in asked
    assert not [request for request in asked if "funding" in request], "futures have none"


def test_marks_of_every_kind_are_asked_for_by_kind():
    held = [
        future("BTC-USDT-261225", "1"),
        wire.position("BTC-USDT-SWAP", "1", "96000", "96000"),
        wire.position("ETH-USDT-SWAP", "1", "3600", "3600"),
    ]
    instruments = wire.snapshot(account(*held)).instruments()
    stream = EXCHANGE.mark_streams(instruments)[0]

    assert stream.symbols == {"BTC-USDT-261225", "BTC-USDT-SWAP", "ETH-USDT-SWAP"}
    calls = [call.request for call in EXCHANGE.mark_calls(instruments)]
    family = "instType=FUTURES&instFamily=BTC-USDT&instId=BTC-USDT-261225"
    assert f"GET /api/v5/public/mark-price?{family}" in calls
    many = [call.request for call in EXCHANGE.mark_calls(instruments * 2)]
    assert len(many) == 3


def test_a_future_without_its_day_in_the_list_goes_by_its_id():
    told = account(future("BTC-USDT-261225", "1"))
    for row in told[INSTRUMENTS]["data"]:
        row.update(expTime="")
    (instrument,) = wire.snapshot(told).instruments()

    assert instrument.symbol == "BTC/USDT:USDT-261225"
