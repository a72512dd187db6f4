"""
Binance's own examples, and examples worked out by hand, as payloads through reader and core.

Sources: «How to Calculate Liquidation Price of USDⓈ-M Futures Contracts» (the first); the
others are multiplied out from the published rules.
"""

from __future__ import annotations

from decimal import Decimal

import pytest

from monitor.risk import (
    Target,
    Verdict,
    advise,
    evaluate,
    liquidation_prices,
    reconcile,
)
from tests.exchanges.binance import wire

D = Decimal


def near(value: Decimal | None, expected: str) -> bool:
    """Whether a value rounds to the expected one, to its last written digit."""
    wanted = Decimal(expected)
    return value is not None and value.quantize(wanted) == wanted


def pools(told):
    """Pool name → (pool, its risk at the snapshot's own marks)."""
    taken = wire.snapshot(told)
    found = {pool.id.name: (pool, evaluate(pool, taken.marks, wire.NOON)) for pool in taken.pools}
    for pool, risk in found.values():
        verdict = reconcile(risk, taken.reported.get(pool.id)).verdict
        assert verdict is (Verdict.AGREES if pool.positions else Verdict.UNKNOWN)
    return taken, found


FAQ_ROWS = [
    wire.position("BTCUSDT", "109.488", "32481.98", "31967.27", "71200.81144400"),
    wire.position("ETHUSDT", "3683.979", "1456.84", "1335.18", "356512.50812200"),
]


def test_the_official_example_of_two_cross_longs():
    told = wire.bodies(
        FAQ_ROWS,
        {"USDT": "1535443.01"},
        {"BTCUSDT": wire.BTC_2021, "ETHUSDT": wire.ETH_2021},
    )

    taken, found = pools(told)

    pool, risk = found["USDT"]
    assert taken.mode == "USDⓈ-M single-asset and COIN-M, one-way"
    assert risk.requirement.margin_balance == D("1535443.01") - D("56354.56848") - D("448192.88514")
    assert risk.requirement.maintenance_margin == D("71200.811444") + D("356512.508122")
    assert near(risk.requirement.ratio, "0.414895")
    ends = liquidation_prices(pool, taken.marks, "BTC/USDT:USDT")
    assert near(ends.nearest, "26316.89")


def test_both_legs_of_a_hedge_are_charged_and_share_one_end():
    rows = [
        wire.position("BTCUSDT", "3", "60000", "61000", "732", side="LONG"),
        wire.position("BTCUSDT", "-1", "63000", "61000", "244", side="SHORT"),
    ]

    taken, found = pools(wire.bodies(rows, {"USDT": "8000"}, hedge=True))

    pool, risk = found["USDT"]
    assert taken.mode == "USDⓈ-M single-asset and COIN-M, hedge"
    assert risk.requirement.margin_balance == 8000 + 3000 + 2000
    assert risk.requirement.maintenance_margin == 183000 * D(".004") + 61000 * D(".004")
    assert near(risk.requirement.ratio, "0.075077")
    assert near(liquidation_prices(pool, taken.marks, "BTC/USDT:USDT").nearest, "54939.5161")


def test_the_end_lies_in_another_tier_than_today():
    row = wire.position("ETHUSDT", "5000", "2500", "2455.10", "113510")

    taken, found = pools(wire.bodies([row], {"USDT": "700000"}, {"ETHUSDT": wire.ETH_2026}))

    pool, risk = found["USDT"]
    assert risk.requirement.maintenance_margin == D(12275500) * D(".02") - 132000
    assert risk.requirement.margin_balance == 475500
    assert near(risk.requirement.ratio, "0.238717")
    assert near(liquidation_prices(pool, taken.marks, "ETH/USDT:USDT").nearest, "2381.4141")


def test_an_isolated_position_is_a_pool_of_its_own():
    rows = [
        wire.position("SOLUSDT", "-500", "140", "146.5", "401.125"),
        wire.position("BTCUSDT", "0.2", "64000", "61000", "48.8", isolated="1300"),
    ]

    taken, found = pools(wire.bodies(rows, {"USDT": "4000"}, {"SOLUSDT": wire.SOL_2026}))

    pool, risk = found["USDT"]
    assert risk.requirement.margin_balance == 4000 - 3250
    assert risk.requirement.maintenance_margin == 73250 * D(".0065") - 75
    assert near(risk.requirement.ratio, "0.534833")
    assert near(liquidation_prices(pool, taken.marks, "SOL/USDT:USDT").nearest, "147.1932")
    alone, risk = found["isolated/BTCUSDT"]
    assert risk.requirement.margin_balance == 1300 - 600
    assert near(risk.requirement.ratio, "0.069714")
    assert near(liquidation_prices(alone, taken.marks, "BTC/USDT:USDT").nearest, "57730.9237")


@pytest.mark.parametrize(
    ("amount", "balance", "maintenance", "ratio", "end"),
    [
        ("0.1", D(750), D(17), "0.022667", "35140.5622"),
        ("0.022222", 1000 - D("0.022222") * 2500, D("0.022222") * 170, "0.004000", None),
    ],
)
def test_a_small_long_on_a_big_wallet(amount, balance, maintenance, ratio, end):
    row = wire.position("BTCUSDT", amount, "45000", "42500", str(maintenance))

    taken, found = pools(wire.bodies([row], {"USDT": "1000"}))

    pool, risk = found["USDT"]
    assert risk.requirement.margin_balance == balance
    assert risk.requirement.maintenance_margin == maintenance
    assert near(risk.requirement.ratio, ratio)
    nearest = liquidation_prices(pool, taken.marks, "BTC/USDT:USDT").nearest
    assert nearest is None if end is None else near(nearest, end)


def test_what_brings_a_pool_back_to_safety():
    rows = [
        wire.position("BTCUSDT", "4", "63000", "61000", "976"),
        wire.position("ETHUSDT", "-40", "2400", "2455.10", "392.816"),
    ]
    told = wire.bodies(rows, {"USDT": "12000"}, {"ETHUSDT": wire.ETH_2026})
    for symbol in ("BTCUSDT", "ETHUSDT"):
        told[f"GET /fapi/v1/commissionRate?symbol={symbol}"]["takerCommissionRate"] = "0"

    taken, found = pools(told)

    pool, risk = found["USDT"]
    assert risk.requirement.margin_balance == 1796
    assert risk.requirement.maintenance_margin == D("1368.816")
    assert near(risk.requirement.ratio, "0.762147")
    assert near(liquidation_prices(pool, taken.marks, "BTC/USDT:USDT").nearest, "60892.7751")
    assert near(liquidation_prices(pool, taken.marks, "ETH/USDT:USDT").nearest, "2465.7371")
    target = Target(ratio=D("0.60"), distance=D(0))
    advice = advise(risk, target)
    # 1,368.816 ÷ 0.6 − 1,796, and (976 − (0.6·1,796 − 392.816)) ÷ .004 ÷ 61,000, up to the lot.
    assert advice.top_up is not None
    assert near(advice.top_up.amount, "485.36")
    assert advice.top_up.wallet == "USDⓈ-M Futures wallet"
    reduction = {item.position.instrument.base: item.contracts for item in advice.reductions}
    assert reduction["BTC"] == D("1.194")
