"""What a debt is charged: the exchanges' own examples, and arithmetic written out."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from monitor.risk import Basis, Borrow, Collateral, Follow, HaircutStep, TierMeasure, evaluate
from monitor.risk.collateral import debt
from monitor.risk.path import rough_amounts
from tests.build import NOON, a_pool, coins, flat, long, marks, tiers

D = Decimal
OWED = TierMeasure.CONTRACTS


def a_borrow(
    rate: str, *, fee: str = "0", loan: str = "0", initial: str | None = None, beside: str = "0"
) -> Borrow:
    return Borrow(
        beside=D(beside),
        tiers=tiers((None, rate, 0), measured_in=OWED),
        fee_rate=D(fee),
        loan=D(loan),
        initial_rate=None if initial is None else D(initial),
    )


def test_a_liability_is_charged_its_rate_and_the_fee_on_both() -> None:
    """
    OKX «Best practices», multi-currency account with a BTC liability (W3).

    BTC equity −0.5096053466363398, worth −25,408.4180739947 USD; maintenance 762.252542219842,
    adjusted equity 30,979.1086748182657014, ratio of its own 39.9556239578938079.
    """
    amount = D("-0.5096053466363398")
    price = D("-25408.4180739947") / amount
    pool = a_pool(
        unit="USD",
        collateral=(
            Collateral(asset="USDT", balance=D("30979.1086748182657014") + D("25408.4180739947")),
            Collateral(
                asset="BTC",
                balance=amount,
                price=price,
                borrow=a_borrow("0.03", fee="0.0005"),
            ),
        ),
    )
    found = evaluate(pool, {}, NOON)
    assert found.collateral[1].debt == -amount
    expected = D("762.252542219842") + D("25408.4180739947") * D("1.03") * D("0.0005")
    assert found.requirement.maintenance_margin == pytest.approx(expected, rel=D("1e-14"))
    assert 1 / found.requirement.ratio == pytest.approx(D("39.9556239578938079"), rel=D("1e-13"))
    assert found.gross_notional == pytest.approx(D("25408.4180739947"), rel=D("1e-15"))


def test_a_debt_is_charged_at_the_price_and_rate_of_what_is_owed() -> None:
    """2 BTC at 100, bought back at 1.25 of that: a tenth of 250 is held against the pool."""
    owed = replace(coins("BTC", -2, 100, rates=("0.9", "1.25")), borrow=a_borrow("0.1"))
    pool = a_pool(unit="USD", collateral=(coins("USDT", 1000), owed))

    found = evaluate(pool, {}, NOON)
    assert found.collateral[1].maintenance_margin == 25
    assert found.requirement.maintenance_margin == 25


def test_a_position_that_has_used_up_its_settle_coin_leaves_a_debt() -> None:
    # 100 USDT and 0.5 BTC; a long of 1 ETH fell from 3,000 to 2,500: −400 USDT are owed.
    pool = a_pool(
        long("ETH", 1, 3000, tiers=flat("0.01"), initial_rate=D("0.1")),
        unit="USD",
        collateral=(
            Collateral(asset="USDT", balance=D(100), borrow=a_borrow("0.04", initial="0.1")),
            Collateral(asset="BTC", balance=D("0.5"), price=D(40_000)),
        ),
    )
    found = evaluate(pool, marks(ETH=2500), NOON)
    assert found.collateral[0].debt == 400
    assert found.collateral[0].maintenance_margin == 400 * D("0.04")
    assert found.requirement.margin_balance == 20_000 - 400
    assert found.requirement.maintenance_margin == 25 + 16
    assert found.requirement.initial_margin == 250 + 40
    assert found.gross_notional == 2500 + 400


def test_without_a_debt_nothing_is_charged() -> None:
    pool = a_pool(
        long("ETH", 1, 3000, tiers=flat("0.01")),
        unit="USD",
        collateral=(Collateral(asset="USDT", balance=D(100), borrow=a_borrow("0.04", fee="0.1")),),
    )
    found = evaluate(pool, marks(ETH=2950), NOON)
    assert found.collateral[0].debt == 0
    assert found.requirement.maintenance_margin == D("29.5")


@pytest.mark.parametrize(
    ("balance", "owed"),
    [
        ("300", "200"),  # 500 in the wallet, 200 of them borrowed: they stay owed
        ("-50", "200"),  # 150 in the wallet
        ("-230", "230"),  # the wallet itself is short by 30
    ],
)
def test_what_was_borrowed_outright_is_owed_whatever_the_sum(balance: str, owed: str) -> None:
    borrowed = Collateral(asset="USDT", balance=D(balance), borrow=a_borrow("0.05", loan="200"))
    found = evaluate(a_pool(unit="USD", collateral=(borrowed,)), {}, NOON)
    assert found.collateral[0].debt == D(owed)
    assert found.requirement.maintenance_margin == D(owed) * D("0.05")


def test_a_debt_in_a_floating_coin_and_its_margin_grow_with_it() -> None:
    owed = Collateral(
        asset="BTC",
        balance=D(-2),
        price=D(50_000),
        borrow=a_borrow("0.05"),
        follows=Follow(base="BTC", symbol="BTC/USDT:USDT", anchor_mark=D(50_000)),
    )
    found = evaluate(a_pool(unit="USD", collateral=(owed,)), marks(BTC=60_000), NOON)
    assert found.requirement.margin_balance == -120_000
    assert found.requirement.maintenance_margin == 6_000


def test_the_tier_of_a_debt_is_picked_by_the_coins_owed() -> None:
    table = tiers((100, "0.02", 0), (None, "0.05", 3), measured_in=OWED)
    borrow = Borrow(tiers=table)
    for owed, charged in ((100, D(2)), (200, 200 * D("0.05") - 3)):
        asset = Collateral(asset="USDT", balance=D(-owed), borrow=borrow)
        found = evaluate(a_pool(unit="USD", collateral=(asset,)), {}, NOON)
        assert found.requirement.maintenance_margin == charged


def test_a_debt_without_a_charge_is_only_subtracted() -> None:
    asset = Collateral(asset="USDT", balance=D(-50), rate_if_negative=D("1.01"))
    found = evaluate(a_pool(unit="USD", collateral=(asset,)), {}, NOON)
    assert found.requirement.margin_balance == D("-50.5")
    assert found.requirement.maintenance_margin == 0
    assert found.gross_notional == 0


@pytest.mark.parametrize(
    ("change", "because"),
    [
        ({"loan": D(-1)}, "a loan can't be negative, as -1 is"),
        ({"tiers": flat()}, "the tiers of a debt must be measured in coins owed"),
    ],
)
def test_a_charge_that_makes_no_sense_is_refused(change: dict[str, object], because: str) -> None:
    with pytest.raises(ValueError, match=because):
        replace(a_borrow("0.05"), **change)  # type: ignore[arg-type]  # wrong on purpose


def test_a_position_inside_a_portfolio_adds_no_margin_of_its_own() -> None:
    pool = a_pool(
        long("BTC", 1, 50_000, tiers=None),
        cash=10_000,
        other_maintenance=D(700),
        basis=Basis.REPORTED,
        carried=("portfolio stress test",),
    )
    found = evaluate(pool, marks(BTC=49_000), NOON)
    assert found.positions[0].maintenance_margin is None
    assert found.requirement.maintenance_margin == 700
    assert found.requirement.margin_balance == 9_000


def test_unless_more_is_said_nothing_is_borrowed_and_no_fee_is_charged() -> None:
    borrow = Borrow(tiers=tiers((None, "0.05", 0), measured_in=OWED))
    for balance, charged in ((5, 0), (-5, D("0.25"))):
        asset = Collateral(asset="USDT", balance=D(balance), borrow=borrow)
        found = evaluate(a_pool(unit="USD", collateral=(asset,)), {}, NOON)
        assert found.requirement.maintenance_margin == charged
        assert found.requirement.initial_margin == 0


@pytest.mark.parametrize(("amount", "owed"), [("5", "0"), ("0", "0"), ("-0.5", "0.5")])
def test_without_a_charge_only_what_is_lacking_is_owed(amount: str, owed: str) -> None:
    assert debt(coins("BTC", amount), D(amount)) == D(owed)


def test_the_first_margin_of_a_debt_counts_at_the_coins_price_for_debts() -> None:
    """3 owed at 20 each, a tenth more for a debt; a quarter of it is first margin."""
    owed = replace(coins("BTC", -3, 20, rates=(1, "1.1")), borrow=a_borrow("0.04", initial="0.25"))
    risk = evaluate(a_pool(collateral=(coins("USDT", 500), owed)), {}, NOON)
    assert risk.requirement.initial_margin == 3 * 22 * D("0.25")


@pytest.mark.parametrize(
    ("balance", "beside", "loan", "owed"),
    [
        ("-100", "30", "0", "70"),
        ("-100", "-30", "0", "130"),
        ("-100", "130", "0", "0"),
        ("20", "-30", "0", "10"),
        ("-100", "30", "80", "80"),
    ],
)
def test_what_lies_beside_counts_for_the_debt_alone(
    balance: str, beside: str, loan: str, owed: str
) -> None:
    """The balance knows nothing of it: 5 % of what is owed is all that changes."""
    borrow = a_borrow("0.05", loan=loan, beside=beside)
    asset = Collateral(asset="USDT", balance=D(balance), borrow=borrow)
    found = evaluate(a_pool(unit="USD", collateral=(asset,)), {}, NOON)
    assert found.collateral[0].debt == D(owed)
    assert found.requirement.maintenance_margin == D(owed) * D("0.05")
    assert found.requirement.margin_balance == D(balance)


def test_where_a_debt_begins_goes_by_what_lies_beside_too() -> None:
    """
    Options worth −15 beside: the debt begins at an amount of 15, and at −35 it is 50, where its
    rate jumps.
    """
    table = tiers((50, "0.04", 0), (None, "0.2", 0), measured_in=OWED)
    borrow = Borrow(tiers=table, beside=D(-15))
    asset = Collateral(asset="USDT", balance=D(5), borrow=borrow)
    assert sorted(rough_amounts(asset)) == [-50 + 15, 15]


def test_nothing_of_a_debt_is_left_out_whatever_is_left_out_of_coins():
    steps = (HaircutStep(up_to=None, haircut=D("0.3")),)
    for balance, haircut in ((5, "0.3"), (-5, "0")):
        asset = Collateral(asset="BTC", balance=D(balance), haircuts=steps)
        found = evaluate(a_pool(unit="USD", collateral=(asset,)), {}, NOON)
        assert found.collateral[0].haircut == D(haircut)
        assert found.collateral[0].maintenance_margin == 0, "nothing is charged"
