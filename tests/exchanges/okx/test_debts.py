"""Borrowings: what is owed needs margin and a fee, also where a loss begins the debt."""

from __future__ import annotations

from decimal import Decimal

import pytest

from monitor.errors import MissingReply
from monitor.exchanges.okx import EXCHANGE, rows
from monitor.exchanges.payload import Row
from monitor.risk.model import Basis
from monitor.risk.result import Verdict
from monitor.risk.solve import liquidation_prices
from tests.exchanges.okx import examples, listings, wire
from tests.exchanges.okx.figures import close, figured, pool_of, reported, verdict

BALANCE = "GET /api/v5/account/balance"
BTC_TIERS = "GET /api/v5/public/position-tiers?instType=MARGIN&tdMode=cross&ccy=BTC"
USDT_TIERS = "GET /api/v5/public/position-tiers?instType=MARGIN&tdMode=cross&ccy=USDT"
LOAN_FEES = "GET /api/v5/account/trade-fee?instType=MARGIN"


def test_w3_a_bitcoin_liability_stands_at_okxs_own_ratio():
    read = wire.snapshot(examples.w3())
    pool, risk = pool_of(read, "unified"), figured(read, "unified")

    # 25408.418 × 3 % and (25408.418 + that) × 0.05 %
    assert pool.basis is Basis.MODELLED
    assert close(risk.requirement.margin_balance, "30979.1086748182657", 14)
    assert close(risk.requirement.maintenance_margin, "775.3378775", 9)
    assert close(1 / risk.requirement.ratio, "39.9556239578938079", 14)
    assert close(risk.requirement.ratio, "0.0250278", 5)
    assert verdict(read, "unified").verdict is Verdict.AGREES
    assert close(reported(read, "unified").ratio, 1 / Decimal("39.9556239578938079"))


def test_w3_the_debt_and_its_margin_grow_together_up_to_liquidation():
    read = wire.snapshot(examples.w3())
    ours = liquidation_prices(pool_of(read, "unified"), read.marks, "BTC/USDT:USDT")

    assert close(ours.distance, "1.15353", 6)
    # The mark stands at BTC's own price: 49859.01 × 2.15353
    assert close(ours.nearest, "107372.917", 8)


def test_interest_that_is_not_booked_yet_is_owed():
    # Equity is cash less the interest: −0.5096053466 BTC in W3.
    read = wire.snapshot(examples.w3())
    btc = next(c for c in pool_of(read, "unified").collateral if c.asset == "BTC")

    assert btc.balance == Decimal("-0.5096053466363398")
    assert btc.borrow.loan == 0, "what the coin itself lacks moves with it"


def owing(**changes):
    """An idle account of 20,000 USDT that owes 1 BTC of 10,000 USD, at 3 % and 0.1 %."""
    debt = wire.coin(
        "BTC", "-1", eqUsd="-10000", disEq="-10000", liab="1", crossLiab="1", interest="0"
    )
    needed = 300 + 10300 * Decimal("0.001")
    told = {
        "adjEq": "10000",
        "mmr": "300",
        "imr": "1000",
        "borrowFroz": "1000",
        "ordFroz": "0",
        "mgnRatio": str(10000 / needed),
        **changes,
    }
    coins = (debt, wire.coin("USDT", "20000", eqUsd="20000", disEq="20000"))
    return wire.bodies(wire.config("3"), wire.envelope(), wire.balance(*coins, **told))


def test_what_is_frozen_for_a_debt_is_no_sign_of_orders():
    read = wire.snapshot(owing())

    assert pool_of(read, "unified").basis is Basis.MODELLED
    assert pool_of(read, "unified").carried == ()
    assert figured(read, "unified").requirement.initial_margin == 1000
    assert verdict(read, "unified").verdict is Verdict.AGREES


def test_a_debt_of_another_tier_than_ours_shows_and_is_not_taken_for_orders():
    read = wire.snapshot(owing(mmr="400", mgnRatio=str(10000 / Decimal("410.4"))))

    assert pool_of(read, "unified").other_maintenance == 0
    assert verdict(read, "unified").verdict is Verdict.DISAGREES


def test_orders_beside_a_debt_are_taken_over_by_name():
    needed = 300 + 10300 * Decimal("0.001") + 50 + 5
    read = wire.snapshot(owing(mmr="350", imr="1500", ordFroz="500", mgnRatio=str(10000 / needed)))
    pool = pool_of(read, "unified")

    assert close(pool.other_maintenance, 55, 12)
    assert pool.basis is Basis.PARTLY
    assert pool.carried == ("margin of open orders",)


@pytest.mark.parametrize(("amount", "rate"), [("-25", "0.03"), ("-25.00000001", "0.04")])
def test_the_tier_of_a_debt_is_picked_by_the_coins_owed(amount, rate):
    debt = wire.coin("BTC", amount, eqUsd=str(Decimal(amount) * 100), crossLiab=amount[1:])
    coins = (debt, wire.coin("USDT", "200000", eqUsd="200000"))
    told = wire.bodies(wire.config("3"), wire.envelope(), wire.balance(*coins))
    needed = figured(wire.snapshot(told), "unified").requirement.maintenance_margin

    owed = abs(Decimal(amount)) * 100
    assert needed == owed * Decimal(rate) + owed * (1 + Decimal(rate)) * Decimal("0.001")


def test_tiers_of_several_coins_in_one_reply_are_told_apart():
    told = owing()
    both = wire.borrowing("25 0.03 0.1")["data"] + wire.borrowing("7 0.5 0.6")["data"]
    for row, ccy in zip(both, ("BTC", "ETH"), strict=True):
        row["ccy"] = ccy
    told[BTC_TIERS.replace("ccy=BTC", "ccy=BTC,ETH")] = wire.envelope(*both)
    del told[BTC_TIERS]

    assert verdict(wire.snapshot(told), "unified").verdict is Verdict.AGREES


def test_a_loan_that_still_lies_in_the_account_is_owed_all_the_same():
    # 1,000 USDT borrowed outright and kept: equity is what was there before.
    coin = wire.coin(
        "USDT", "3000", eq="2000", liab="1000", crossLiab="1000", eqUsd="2000", disEq="2000"
    )
    told = wire.bodies(wire.config("3"), wire.envelope(), wire.balance(coin))
    pool = pool_of(wire.snapshot(told), "unified")
    risk = figured(wire.snapshot(told), "unified")

    assert pool.collateral[0].balance == 2000, "OKX's own sum says that equity is net of it"
    assert pool.collateral[0].borrow.loan == 1000
    assert risk.requirement.margin_balance == 2000
    assert risk.requirement.maintenance_margin == 20 + 1020 * Decimal("0.001")


def test_isolated_equity_is_no_part_of_what_a_loan_is_held_against():
    # The same beside 100 USDT of isolated equity and 50 in a bot, both within equity.
    coin = wire.coin(
        "USDT", "3000", eq="2150", isoEq="100", stgyEq="50", liab="1000", crossLiab="1000",
        eqUsd="2150", disEq="2150",
    )  # fmt: skip
    told = wire.bodies(wire.config("3"), wire.envelope(), wire.balance(coin, isoEq="100"))
    pool = pool_of(wire.snapshot(told), "unified")

    assert pool.collateral[0].balance == 2000
    assert pool.collateral[0].borrow.loan == 1000


# Debts that begin on the way.


def losing():
    """
    A long of 1 BTC at 100,000 behind 1,000 USDT and 2 ETH of 4,000 USD at 98 %, USDT at 1.

    Below 99,000 the losses have eaten the USDT, and USDT is owed.
    """
    held = wire.position(
        "BTC-USDT-SWAP", "100", "100000", "100000", upl="0", imr="10000", lever="10", mmr="400"
    )
    coins = (
        wire.coin("USDT", "1000", eqUsd="1000", disEq="1000"),
        wire.coin("ETH", "2", eqUsd="8000", disEq="7840"),
    )
    told = wire.balance(
        *coins,
        adjEq="8840",
        mmr="400",
        imr="10000",
        ordFroz="0",
        mgnRatio=str(Decimal(8840) / 450),
    )
    marks = (wire.mark("ETH-USDT-SWAP", "4000"),)
    return wire.bodies(wire.config("3"), wire.envelope(held), told, marks=marks)


def test_the_margin_of_a_debt_that_begins_on_the_way_counts_up_to_liquidation():
    read = wire.snapshot(losing())
    pool = pool_of(read, "unified")
    ours = liquidation_prices(pool, read.marks, "BTC/USDT:USDT")

    # E = 8840 − (100000 − P); debt d = 99000 − P at 2 % and 0.1 % on 1.02 of it;
    # R = P × 0.0045 + d × (0.02 + 0.00102)
    borrowing = Decimal("0.02102")
    expected = (91160 + 99000 * borrowing) / (1 - Decimal("0.0045") + borrowing)
    assert close(ours.nearest, expected, 14)
    assert pool.basis is Basis.MODELLED
    assert verdict(read, "unified").verdict is Verdict.AGREES


def test_a_debt_that_a_loss_has_begun_is_in_okxs_own_margin_too():
    # 2,000 lost against 1,000: 20 of margin for the 1,000 owed, 1.02 of fee.
    told = losing()
    row = wire.position(
        "BTC-USDT-SWAP", "100", "100000", "98000", upl="-2000", imr="9800", lever="10", mmr="392"
    )
    told["GET /api/v5/account/positions"] = wire.envelope(row)
    totals = told[BALANCE]["data"][0]
    totals["details"][0].update(
        eq="-1000", upl="-2000", eqUsd="-1000", disEq="-1000", liab="1000", crossLiab="1000",
        uplLiab="1000",
    )  # fmt: skip
    needed = 392 + 49 + 20 + Decimal("1.02")
    totals.update(
        adjEq="6840", mmr="412", imr="10000", borrowFroz="200", mgnRatio=str(6840 / needed)
    )
    read = wire.snapshot(told)

    assert pool_of(read, "unified").basis is Basis.MODELLED
    assert figured(read, "unified").requirement.maintenance_margin == needed
    assert verdict(read, "unified").verdict is Verdict.AGREES


def test_without_tables_of_a_coin_that_is_not_owed_its_debt_is_charged_nothing():
    told = losing()
    del told[USDT_TIERS]
    read = wire.snapshot(told)
    ours = liquidation_prices(pool_of(read, "unified"), read.marks, "BTC/USDT:USDT")

    assert close(ours.nearest, 91160 / (1 - Decimal("0.0045")), 14)
    (asked,) = EXCHANGE.needed(wire.replies(told))
    assert asked.optional
    assert asked.request == USDT_TIERS


def test_tables_of_a_coin_that_is_owed_are_needed():
    for request in (BTC_TIERS, LOAN_FEES):
        told = owing()
        del told[request]
        (asked,) = EXCHANGE.needed(wire.replies(told))
        assert not asked.optional
        assert asked.request == request
        with pytest.raises(MissingReply) as caught:
            wire.snapshot(told)
        assert caught.value.call == request


def test_a_debt_that_a_frame_brings_is_charged_at_once():
    view = wire.view(losing())
    row = wire.position(
        "BTC-USDT-SWAP", "100", "100000", "98000", upl="-2000", imr="9800", lever="10",
        mmr="392", uTime=str(wire.NOON_MS), pTime=str(wire.NOON_MS),
    )  # fmt: skip
    read = view.updated(wire.push("positions", row, instType="ANY")).snapshot(wire.NOON)
    usdt = next(v for v in figured(read, "unified").collateral if v.asset == "USDT")

    assert usdt.debt == 1000
    assert usdt.maintenance_margin == 20 + 1020 * Decimal("0.001")


def test_portfolio_margin_charges_no_debt_beside_its_own_requirement():
    told = owing()
    told["GET /api/v5/account/config"] = wire.config("4")
    read = wire.snapshot(told)
    pool = pool_of(read, "unified")

    assert all(c.borrow is None for c in pool.collateral)
    assert close(figured(read, "unified").requirement.maintenance_margin, "310.3")


# W6: the wire's totals of swaps, futures and borrowing in one account.


def test_w6_fees_of_swaps_futures_and_borrowing_make_up_okxs_ratio():
    read = wire.snapshot(examples.w6())
    pool, risk = pool_of(read, "unified"), figured(read, "unified")

    # 2486.13 × 0.05 % + 101.11 × 0.1 % + 2046.85 × 1.02 × 0.1 %
    fees = Decimal("3.431967718969")
    assert pool.basis is Basis.MODELLED
    assert close(risk.requirement.maintenance_margin, Decimal("52.196024182958055") + fees, 8)
    assert close(risk.requirement.margin_balance, "100942.13298468884", 12)
    assert close(risk.requirement.ratio, "0.000551088", 6)
    assert close(1 / risk.requirement.ratio, "1814.5924297007082", 8)
    assert verdict(read, "unified").verdict is Verdict.AGREES
    assert listings.BORROWING["USDT"][0].startswith("500000 0.02")
    assert BALANCE in examples.w6()


@pytest.mark.parametrize(
    ("words", "owed"),
    [
        ({"liab": "5"}, "5"),
        ({"liab": "5", "isoLiab": "2"}, "3"),
        ({"liab": "5", "isoLiab": "5"}, "0"),
        ({"liab": "-5", "crossLiab": "-4", "interest": "1"}, "5"),
        ({"liab": "0", "crossLiab": "0", "interest": "1"}, "0"),  # an isolated loan's
        ({}, "0"),
    ],
)
def test_what_is_owed_against_the_whole_account_leaves_isolated_loans_out(words, owed):
    coin = rows.coin(Row(wire.coin("USDT", "10", **words), "details[0]"))

    assert coin.owed == Decimal(owed)


@pytest.mark.parametrize(
    ("words", "backing", "loan"),
    [
        # What the row's own sum tells: net of interest, not net of it, net of a loan.
        ({"eq": "94", "upl": "-5", "interest": "1"}, "99", "0"),
        ({"eq": "95", "upl": "-5", "interest": "1"}, "100", "0"),
        ({"eq": "54", "upl": "-5", "crossLiab": "40", "interest": "1"}, "59", "41"),
        # It adds up to nothing of these: interest alone comes off.
        ({"eq": "77", "upl": "-5", "interest": "1"}, "99", "0"),
    ],
)
def test_what_backs_the_account_is_told_by_the_rows_own_sum(words, backing, loan):
    coin = rows.coin(Row(wire.coin("USDT", "100", **words), "details[0]"))

    assert coin.backing() == Decimal(backing)
    assert coin.loan == Decimal(loan)
