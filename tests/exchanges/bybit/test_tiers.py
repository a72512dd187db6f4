"""Risk limits and collateral ratios become tables, with deductions derived."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from monitor.errors import Malformed, MissingReply
from monitor.exchanges.bybit import calls
from monitor.exchanges.bybit.envelope import listing
from monitor.exchanges.bybit.tiers import (
    beside_orders,
    borrow_of,
    haircuts,
    own_shares,
    tier_table,
)
from monitor.exchanges.call import Replies
from monitor.risk import maintenance_margin
from tests.exchanges.bybit.wire import borrow_tiers, envelope, ratios, replies, risk_limits

if TYPE_CHECKING:
    from monitor.risk import TierTable
    from tests.exchanges.bybit.wire import Json

Tier = tuple[str, str, str, str, str]

# Bybit's margin parameters page, BTCUSDT: limit in millions, leverage, rate in %, deduction.
PUBLISHED = """
2 100 0.5 0; 2.6 90 0.56 1200; 3.2 80 0.63 3020; 3.8 75 0.67 4300; 4.4 70 0.71 5820;
5 65 0.77 8460; 5.6 55 0.91 15460; 8.5 50 1 20500; 10 45 1.3 46000; 14 40 1.5 66000;
20 35 1.6 80000; 28 30 2 160000; 38 25 2.5 300000; 50 20 2.9 452000; 55 19 3 502000;
60 18 3.5 777000; 65 17 3.6 837000; 70 16 3.8 967000; 75 15 4 1107000; 80 14 4.5 1482000
"""
LIVE: list[Tier] = [
    ("300000", "0.0033", "0.0066", "150.00", ""),
    ("2000000", "0.005", "0.01", "100.00", "510"),
    ("2600000", "0.0056", "0.0111", "90.00", "1710"),
]
HYPE: list[Tier] = [
    ("5000", "0.0067", "0.013", "75", ""),
    ("25000", "0.01", "0.02", "50", "16.5"),
    ("50000", "0.0111", "0.022", "45", "44"),
]


def table(*tiers: Tier, symbol: str = "XYZUSDT") -> TierTable:
    request = f"/v5/market/risk-limit?category=linear&symbol={symbol}"
    return tier_table(replies({request: envelope({"list": risk_limits(symbol, *tiers)})}), symbol)


def margin(notional: str, tiers: TierTable) -> Decimal:
    return maintenance_margin(Decimal(notional), Decimal(notional), tiers)


def published() -> list[Tier]:
    rows: list[Tier] = []
    for text in PUBLISHED.replace("\n", " ").split(";"):
        limit, leverage, rate, deduction = text.split()
        initial = str(1 / Decimal(leverage))
        rows.append(
            (str(Decimal(limit) * 10**6), str(Decimal(rate) / 100), initial, leverage, deduction)
        )
    return rows


def test_all_twenty_published_deductions_come_out() -> None:
    rows = published()
    assert len(rows) == 20
    derived = table(*[(*row[:4], "") for row in rows])  # type: ignore[misc] # four and one are five
    assert [tier.deduction for tier in derived.tiers] == [Decimal(row[4]) for row in rows]
    assert table(*rows) == derived


def test_a_table_as_it_comes_live() -> None:
    tiers = table(*LIVE).tiers
    assert [(t.floor, t.cap, t.maintenance_rate, t.deduction) for t in tiers] == [
        (0, 300_000, Decimal("0.0033"), 0),
        (300_000, 2_000_000, Decimal("0.005"), 510),
        (2_000_000, 2_600_000, Decimal("0.0056"), 1710),
    ]
    assert tiers[0].max_leverage == 150
    assert [tier.deduction for tier in table(*HYPE).tiers] == [0, Decimal("16.5"), 44]


def test_margin_by_tier_at_mark() -> None:
    live = table(*LIVE)
    assert margin("250000", live) == 825
    assert margin("1200000", live) == 5490
    assert margin("2400000", live) == 11730


def test_the_worked_example_of_five_tiers() -> None:
    rates = ["0.02", "0.025", "0.03", "0.035", "0.04"]
    rows: list[Tier] = [
        (str(1000 * number), rate, rate, "10", "") for number, rate in enumerate(rates, start=1)
    ]
    steps = table(*rows)
    assert [tier.deduction for tier in steps.tiers] == [0, 5, 15, 30, 50]
    assert margin("3500", steps) == 20 + 25 + 30 + Decimal("17.5")


def test_rows_are_put_in_order_by_their_limit() -> None:
    assert table(LIVE[2], LIVE[0], LIVE[1]) == table(*LIVE)


def test_rates_may_come_in_percent() -> None:
    """The documentation's sample of an inverse contract: 150 BTC at 0.5 %, leverage 100."""
    first, second = table(("150", "0.5", "1", "100", ""), ("300", "1", "2", "50", "")).tiers
    assert (first.maintenance_rate, second.maintenance_rate) == (Decimal("0.005"), Decimal("0.01"))
    assert second.deduction == 150 * Decimal("0.005")


def test_other_symbols_of_the_list_are_left_out() -> None:
    request = "/v5/market/risk-limit?category=linear"
    rows = risk_limits("ABCUSDT", *HYPE) + risk_limits("BTCUSDT", *LIVE)
    found = tier_table(replies({request: envelope({"list": rows})}), "BTCUSDT")
    assert found == table(*LIVE)


def test_a_symbol_on_a_later_page_is_found() -> None:
    request = "/v5/market/risk-limit?category=linear"
    first = {"list": risk_limits("ABCUSDT", *HYPE), "nextPageCursor": "eyJza2lwIjoxNX0%3D"}
    bodies = {request: envelope(first)}
    call = calls.risk_limit("BTCUSDT")
    more = listing(replies(bodies), call).more
    assert more is not None
    assert more.request.endswith("&cursor=eyJza2lwIjoxNX0%3D")
    second = {"list": risk_limits("BTCUSDT", *LIVE), "nextPageCursor": ""}
    bodies[f"{request}&cursor=eyJza2lwIjoxNX0%3D"] = envelope(second)
    assert tier_table(replies(bodies), "BTCUSDT") == table(*LIVE)


@pytest.mark.parametrize(
    ("tiers", "path"),
    [
        ([], "result.list"),
        ([LIVE[0], LIVE[0]], "result.list[1].riskLimitValue"),
        ([("0", "0.0033", "0.0066", "150", "")], "result.list[0].riskLimitValue"),
        ([("1000", "0", "0.0066", "150", "")], "result.list[0].maintenanceMargin"),
        ([("1000", "-0.01", "0.0066", "150", "")], "result.list[0].maintenanceMargin"),
        ([LIVE[0], (*LIVE[1][:4], "610")], "result.list[1].mmDeduction"),
        ([(*LIVE[0][:4], "99")], "result.list[0].mmDeduction"),
    ],
)
def test_a_table_that_contradicts_itself_is_not_used(tiers: list[Tier], path: str) -> None:
    with pytest.raises(Malformed) as caught:
        table(*tiers)
    assert caught.value.path == path
    assert "risk-limit" in caught.value.call


def test_a_missing_table_names_its_request() -> None:
    with pytest.raises(MissingReply, match="symbol=BTCUSDT"):
        tier_table(Replies(), "BTCUSDT")


def steps(*rows: Json) -> list[tuple[Decimal | None, Decimal]]:
    sent = replies({"/v5/spot-margin-trade/collateral": envelope({"list": list(rows)})})
    return [(step.up_to, step.haircut) for step in haircuts(sent, "BTC")]


def test_ratios_become_haircuts_step_by_step() -> None:
    """The documentation's sample: 0.85 up to a million coins, nothing above."""
    rows = ratios("BTC", ("0", "1000000", "0.85"), ("1000000", "", "0"))
    assert steps(ratios("ETH", ("0", "", "1")), rows) == [(10**6, Decimal("0.15")), (None, 1)]


@pytest.mark.parametrize(
    ("tiers", "path"),
    [
        ([("0", "10", "0.9"), ("20", "", "0")], "collateralRatioList[1].minQty"),
        ([("5", "", "0.9")], "collateralRatioList[0].minQty"),
        ([("0", "", "0.9"), ("10", "", "0")], "collateralRatioList[1].minQty"),
        ([("0", "", "90")], "collateralRatioList[0].collateralRatio"),
        ([("0", "", "-0.1")], "collateralRatioList[0].collateralRatio"),
        ([], "collateralRatioList"),
    ],
)
def test_ratios_that_make_no_sense_are_refused(
    tiers: list[tuple[str, str, str]], path: str
) -> None:
    with pytest.raises(Malformed) as caught:
        steps(ratios("BTC", *tiers))
    assert caught.value.path == f"result.list[0].{path}"


def test_a_coin_without_ratios_is_named() -> None:
    with pytest.raises(MissingReply, match="does not list BTC"):
        steps(ratios("ETH", ("0", "", "1")))
    narrow = {"/v5/spot-margin-trade/collateral?currency=BTC": envelope({"list": []})}
    with pytest.raises(Malformed, match="a row of BTC"):
        haircuts(replies(narrow), "BTC")


STEPS = (
    ("1000", "0.02", "0.04", "25", ""),
    ("2000", "0.025", "0.05", "20", ""),
    ("3000", "0.03", "0.06", "16.67", ""),
    ("4000", "0.035", "0.07", "14.29", ""),
    ("5000", "0.04", "0.08", "12.5", ""),
)


@pytest.mark.parametrize(
    ("held", "own"),
    [
        # 2,500 held and 1,000 ordered are charged 3,500 × 3.5 % − 30 = 92.5, the order 35 of it.
        ("2500", "57.5"),
        # Together 2,500: 2,500 × 3 % − 15 = 60; the order's 35 stay carried.
        ("1500", "25"),
        # Together 1,500: 1,500 × 2.5 % − 5 = 32.5.
        ("500", "-2.5"),
        # Together 4,500: 4,500 × 4 % − 50 = 130.
        ("3500", "95"),
        # Beyond the last limit the last tier holds on: 6,000 × 4 % − 50 = 190.
        ("5000", "155"),
    ],
)
def test_orders_beside_a_position_pick_its_tier_with_it(held: str, own: str) -> None:
    moved = beside_orders(
        table(*STEPS), Decimal(1000), Decimal(2500), in_one_pool=True, own=Decimal("57.5")
    )
    assert maintenance_margin(Decimal(held), Decimal(held), moved) == Decimal(own)


def test_a_position_that_is_charged_by_its_own_tier_leaves_the_orders_what_they_add() -> None:
    """2,500 alone are charged 60, so 32.5 of the 92.5 are the orders', and stay carried."""
    steps = table(*STEPS)
    moved = beside_orders(steps, Decimal(1000), Decimal(2500), in_one_pool=True)
    found = [maintenance_margin(Decimal(v), Decimal(v), moved) for v in (2500, 1500, 500, 5000)]
    assert found == [60, Decimal("27.5"), 0, Decimal("157.5")]
    assert own_shares(steps, Decimal(1000), Decimal(2500)) == (60, Decimal("57.5"))


def test_an_isolated_position_bears_no_order() -> None:
    """At 1,500 beside 1,000 it is charged in the third tier: 1,500 × 3 % − 15."""
    moved = beside_orders(table(*STEPS), Decimal(1000), Decimal(2500), in_one_pool=False)
    assert maintenance_margin(Decimal(1500), Decimal(1500), moved) == 30
    assert maintenance_margin(Decimal(2500), Decimal(2500), moved) == Decimal("57.5")


def test_orders_beyond_every_limit_leave_the_last_tier() -> None:
    moved = beside_orders(table(*STEPS), Decimal(9000), Decimal(100), in_one_pool=False)
    assert maintenance_margin(Decimal(2000), Decimal(2000), moved) == 30
    assert beside_orders(table(*STEPS), Decimal(0), Decimal(1), in_one_pool=True) == table(*STEPS)


DEBTS = "/v5/spot-margin-trade/position-tiers"


def test_a_debt_is_charged_the_rate_of_its_tier_on_all_of_it() -> None:
    """The documentation's sample: BTC up to 390 coins at 4 % and 20 %, up to 391 at 25 %."""
    listed = borrow_tiers(
        "BTC", ("391", "0.04", "0.25"), ("390", "0.04", "0.2"), ("393", "0.06", "0.5")
    )
    sent = replies({DEBTS: envelope({"list": [listed]})})
    small = borrow_of(sent, "BTC", Decimal(1), Decimal(390))
    assert small is not None
    assert (small.loan, small.initial_rate) == (1, Decimal("0.2"))
    assert [tier.cap for tier in small.tiers.tiers] == [390, 391, 393]
    assert maintenance_margin(Decimal(390), Decimal(390), small.tiers) == Decimal("15.6")
    assert maintenance_margin(Decimal(392), Decimal(392), small.tiers) == Decimal("23.52")
    for owed, rate in (("390.5", "0.25"), ("9999", "0.5")):
        debt = borrow_of(sent, "BTC", Decimal(0), Decimal(owed))
        assert debt is not None
        assert debt.initial_rate == Decimal(rate)
    assert borrow_of(sent, "ETH", Decimal(0), Decimal(1)) is None


def test_borrow_tiers_that_contradict_themselves_are_an_error() -> None:
    listed = borrow_tiers("BTC", ("390", "0.04", "0.2"), ("390", "0.05", "0.25"))
    with pytest.raises(Malformed, match="borrowLimit"):
        borrow_of(replies({DEBTS: envelope({"list": [listed]})}), "BTC", Decimal(0), Decimal(1))
    for key in ("borrowLimit", "positionMMR", "positionIMR"):
        listed = borrow_tiers("BTC", ("390", "0.04", "0.2"))
        del listed["positionTiersRatioList"][0][key]
        with pytest.raises(Malformed, match=key):
            borrow_of(replies({DEBTS: envelope({"list": [listed]})}), "BTC", Decimal(0), Decimal(1))
