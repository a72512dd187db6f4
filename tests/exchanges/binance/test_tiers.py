"""Leverage brackets: edges, deductions, personal multipliers, and what can't be a table."""

from __future__ import annotations

from decimal import Decimal

import pytest

from monitor.errors import Malformed, MissingReply
from monitor.exchanges.binance.tiers import read_tier_tables
from monitor.risk import TierMeasure, evaluate, maintenance_margin
from tests.exchanges.binance import wire

D = Decimal


def table(body, request="GET /fapi/v1/leverageBracket"):
    (found,) = read_tier_tables(wire.replies({request: body}), "BTCUSDT")
    return found


def row(*texts, **changes):
    return {"symbol": "BTCUSDT", "brackets": wire.bracket_rows(*texts)} | changes


@pytest.mark.parametrize(
    ("notional", "maintenance"),
    [
        ("300000", 300_000 * D("0.004")),
        ("300001", 300_001 * D("0.005") - 300),
        ("800000", 800_000 * D("0.005") - 300),
        ("5000000", 5_000_000 * D("0.01") - 12_000),
        ("100000000", 100_000_000 * D("0.025") - 482_000),
    ],
)
def test_maintenance_goes_by_rate_and_deduction(notional, maintenance):
    tiers = table([row(*wire.BTC_2026)])

    assert tiers.measured_in is TierMeasure.NOTIONAL
    assert maintenance_margin(D(notional), D(notional), tiers) == maintenance


def test_it_is_continuous_at_every_edge():
    tiers = table([row(*wire.BTC_2026)])

    for lower, upper in zip(tiers.tiers, tiers.tiers[1:], strict=False):
        below = lower.cap * lower.maintenance_rate - lower.deduction
        assert below == lower.cap * upper.maintenance_rate - upper.deduction


def test_numbers_may_come_as_text():
    as_text = row(*wire.BTC_2026)
    as_text["brackets"] = [
        {key: str(value) for key, value in bracket.items()} for bracket in as_text["brackets"]
    ]

    assert table([as_text]) == table([row(*wire.BTC_2026)])


@pytest.mark.parametrize("request_line", ["leverageBracket", "leverageBracket?symbol=BTCUSDT"])
def test_one_object_is_read_like_a_list(request_line):
    body = row(*wire.BTC_2026)

    assert table(body, f"GET /fapi/v1/{request_line}") == table([body])


def test_gaps_and_order_of_the_wire_do_not_matter():
    mixed = row(*wire.BTC_2026)
    mixed["brackets"][1]["notionalFloor"] = 300_001
    mixed["brackets"].reverse()

    assert table([mixed]) == table([row(*wire.BTC_2026)])


@pytest.mark.parametrize(
    "broken",
    [
        [],
        [{"bracket": 1, "notionalCap": 0, "notionalFloor": 0, "maintMarginRatio": 0.1, "cum": 0}],
        [{"bracket": 1, "notionalCap": 9, "notionalFloor": 5, "maintMarginRatio": 0.1, "cum": 0}],
        [{"bracket": 1, "notionalCap": 9, "notionalFloor": 0, "maintMarginRatio": 0, "cum": 0}],
        wire.bracket_rows(wire.BTC_2026[0]) * 2,
    ],
)
def test_what_makes_no_table_is_refused(broken):
    with pytest.raises(Malformed, match=r"leverageBracket\[0\]\.brackets"):
        table([row(brackets=broken)])


def test_a_symbol_that_the_list_lacks_is_asked_for_by_name():
    with pytest.raises(MissingReply) as caught:
        table([row(*wire.BTC_2026, symbol="ETHUSDT")])
    assert caught.value.call == "GET /fapi/v1/leverageBracket?symbol=BTCUSDT"


def test_a_symbol_that_even_its_own_reply_lacks_is_unreadable():
    with pytest.raises(Malformed, match="a row for BTCUSDT"):
        table([], "GET /fapi/v1/leverageBracket?symbol=BTCUSDT")


# An account whose brackets Binance has multiplied by 1.5. 400,000 stand in the second bracket
# as the list has it (0.005, less 300), in the first where it is multiplied; 500,000 in the
# second of both, where the multiplied one takes 450 off.
@pytest.mark.parametrize(
    ("amount", "told", "edge", "maintenance"),
    [
        ("8", "1700", 300_000, 400_000 * D("0.005") - 300),
        ("8", "1600", 450_000, 400_000 * D("0.004")),
        ("10", "2200", 300_000, 500_000 * D("0.005") - 300),
        ("10", "2050", 450_000, 500_000 * D("0.005") - 450),
        ("8", "1234", 300_000, 400_000 * D("0.005") - 300),
    ],
)
def test_a_personal_multiplier_is_settled_by_binances_own_figure(amount, told, edge, maintenance):
    held = wire.position("BTCUSDT", amount, "50000", "50000", told)
    bodies = wire.bodies([held], {"USDT": "90000"})
    bodies["GET /fapi/v1/leverageBracket"][0]["notionalCoef"] = D("1.5")

    taken = wire.snapshot(bodies)

    (position,) = taken.pools[0].positions
    assert position.tiers.tiers[0].cap == edge
    figures = evaluate(taken.pools[0], taken.marks, wire.NOON).requirement
    assert figures.maintenance_margin == maintenance
