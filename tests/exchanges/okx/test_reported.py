"""Open orders, and states of OKX's own words that are easily mistaken."""

from __future__ import annotations

from decimal import Decimal

import pytest

from monitor.risk.model import Basis, PoolId
from monitor.risk.result import INFINITE, Verdict
from tests.exchanges.okx import examples, wire
from tests.exchanges.okx.figures import close, figured, pool_of, reported, verdict

# Open orders.


def with_orders(told, **coin):
    told["GET /api/v5/account/balance"]["data"][0]["details"][0].update(coin)
    return told


def test_open_orders_of_the_same_contract_are_taken_over_with_their_fees():
    """Unverified: exact open-order deductions from equity in futures mode; OKX's ratio holds."""
    # Orders of 5,000 USDT notional: 20 of margin, 100 of initial margin; 2.5 of fees for
    # opening, off the equity, and 2.5 for liquidating.
    ratio = Decimal("197.5") / (120 + 20 + 15 + Decimal("2.5"))
    told = with_orders(examples.w7(), mmr="140", imr="700", ordFrozen="100", mgnRatio=str(ratio))
    read = wire.snapshot(told)
    pool, risk = pool_of(read, "USDT"), figured(read, "USDT")

    assert pool.basis is Basis.PARTLY
    assert close(pool.other_maintenance, Decimal("22.5"), 20)
    assert pool.other_initial == 100
    assert close(pool.other_balance, Decimal("-2.5"), 20)
    assert pool.carried == ("margin of open orders", "coins that open orders hold back")
    assert close(risk.requirement.ratio, 1 / ratio)
    assert verdict(read, "USDT").verdict is Verdict.AGREES


def test_what_orders_hold_back_is_calibrated_by_okxs_ratio():
    # A spot order holds back 30 USDT: E = 170, R = 135.
    ratio = Decimal(170) / 135
    told = with_orders(examples.w7(), ordFrozen="30", mgnRatio=str(ratio))
    read = wire.snapshot(told)
    pool, risk = pool_of(read, "USDT"), figured(read, "USDT")

    assert pool.basis is Basis.PARTLY
    assert close(pool.other_balance, -30)
    assert pool.other_maintenance == 0
    assert close(risk.requirement.ratio, 1 / ratio)
    assert verdict(read, "USDT").verdict is Verdict.AGREES


def test_what_okx_says_of_a_pool_with_orders_is_less_what_they_hold_back():
    told = with_orders(examples.w7(), ordFrozen="30", mgnRatio=str(Decimal(170) / 135))

    assert close(reported(wire.snapshot(told), "USDT").margin_balance, 170)
    assert close(reported(wire.snapshot(told), "USDT").maintenance_margin, 135)


def test_more_maintenance_without_more_initial_margin_is_no_order():
    told = with_orders(examples.w7(), mmr="140", mgnRatio=str(Decimal(200) / 155))
    pool = pool_of(wire.snapshot(told), "USDT")

    assert pool.basis is Basis.MODELLED
    assert pool.other_maintenance == 0


def test_orders_are_seen_by_both_margins_though_nothing_is_frozen():
    told = with_orders(examples.w7(), mmr="140", imr="700", mgnRatio=str(Decimal(200) / 155))
    pool = pool_of(wire.snapshot(told), "USDT")

    # The ratio shows that no fees are held for them here.
    assert pool.basis is Basis.PARTLY
    assert close(pool.other_maintenance, 20)
    assert pool.other_balance == 0


def test_orders_beside_no_equity_divide_by_nothing():
    told = with_orders(examples.w7(), cashBal="1000", ordFrozen="10", mgnRatio="0")
    read = wire.snapshot(told)

    assert figured(read, "USDT").requirement.ratio == INFINITE
    assert reported(read, "USDT").margin_balance == -100


def test_orders_explain_no_more_than_they_hold_back():
    told = with_orders(examples.w7(), ordFrozen="5", mgnRatio=str(Decimal(100) / 135))
    read = wire.snapshot(told)

    assert pool_of(read, "USDT").other_balance == -5
    assert verdict(read, "USDT").verdict is Verdict.DISAGREES


def test_without_orders_a_difference_shows_and_is_not_taken_over():
    told = with_orders(examples.w7(), mgnRatio=str(Decimal(200) / 135 * Decimal("0.5")))
    read = wire.snapshot(told)

    assert pool_of(read, "USDT").basis is Basis.MODELLED
    assert verdict(read, "USDT").verdict is Verdict.DISAGREES


def test_orders_without_any_position_still_need_their_margin():
    told = wire.bodies(
        wire.config(),
        wire.envelope(),
        wire.balance(wire.coin("USDT", "100", mmr="20", imr="50", ordFrozen="50", mgnRatio="")),
    )
    read = wire.snapshot(told)

    assert figured(read, "USDT").requirement.maintenance_margin == 20
    assert pool_of(read, "USDT").basis is Basis.PARTLY
    assert reported(read, "USDT").maintenance_margin == 20
    assert reported(read, "USDT").ratio is None


def test_orders_in_multi_currency_mode_bring_their_margin_and_their_fees():
    # Orders of 10,002 USD: 40.008 of margin and 5.001 of fees; 20 of fees off the equity.
    needed = Decimal("756.1512") + Decimal("40.008") + Decimal("5.001")
    told = examples.multi(
        adjEq="53529.808",
        mmr="712.1424",
        imr="17803.56",
        ordFroz="1000.2",
        notionalUsd="178035.6",
        mgnRatio=str(Decimal("53529.808") / needed),
    )
    read = wire.snapshot(told)
    pool = pool_of(read, "unified")

    assert pool.basis is Basis.PARTLY
    assert pool.other_balance == -20
    assert close(pool.other_maintenance, "45.009", 10)
    assert pool.other_initial == Decimal("1000.2")
    assert close(figured(read, "unified").requirement.maintenance_margin, needed)
    assert verdict(read, "unified").verdict is Verdict.AGREES


def test_orders_in_multi_currency_mode_explain_no_fee_above_a_quarter_of_their_margin():
    needed = Decimal("756.1512") + Decimal("40.008") + 100
    told = examples.multi(
        mmr="712.1424", imr="17803.56", ordFroz="1000.2", mgnRatio=str(53549 / needed)
    )
    pool = pool_of(wire.snapshot(told), "unified")

    assert close(pool.other_maintenance, "50.01")


def test_a_multi_currency_account_without_a_ratio_is_told_by_its_margins():
    told = reported(wire.snapshot(examples.multi(mgnRatio="")), "unified")

    assert told.ratio is None
    assert close(told.maintenance_margin, "756.1512"), "672.1344 + 84 × 1.0002 of fees"


def test_orders_of_a_multi_currency_account_without_a_ratio_bring_no_fees():
    told = examples.multi(mmr="712.1424", imr="17803.56", ordFroz="1000.2", mgnRatio="")

    assert close(pool_of(wire.snapshot(told), "unified").other_maintenance, "40.008")


def test_without_a_ratio_and_a_rows_margin_okx_says_nothing():
    told = examples.multi(mgnRatio="")
    told["GET /api/v5/account/positions"]["data"][0]["mmr"] = ""

    assert not wire.snapshot(told).reported


def test_without_any_cross_risk_the_multi_currency_pool_stands_at_0():
    cash = wire.coin("USDT", "100", eqUsd="100.02", disEq="100.02")
    for words in ({}, {"mmr": "0"}, {"mmr": "0", "imr": "0"}):
        told = wire.balance(cash, adjEq="100.02", **words)
        read = wire.snapshot(wire.bodies(wire.config("3"), wire.envelope(), told))

        assert reported(read, "unified").ratio == 0
        assert reported(read, "unified").maintenance_margin == 0
        assert reported(read, "unified").margin_balance == Decimal("100.02")


def test_without_adjusted_equity_okx_says_nothing():
    read = wire.snapshot(examples.multi(adjEq="", mgnRatio=""))

    assert pool_of(read, "unified").basis is Basis.MODELLED
    assert not read.reported
    assert figured(read, "unified").requirement.margin_balance == Decimal("53549.808")


def test_an_isolated_row_without_a_ratio_is_told_by_its_margin():
    told = examples.w7()
    row = told["GET /api/v5/account/positions"]["data"][2]
    row["mgnRatio"] = ""
    theirs = reported(wire.snapshot(told), "isolated/SOL-USDT-SWAP")

    assert theirs.ratio is None
    assert theirs.margin_balance == 1350
    assert theirs.maintenance_margin == Decimal("89.775")
    row["mmr"] = ""
    assert PoolId(account="main", name="isolated/SOL-USDT-SWAP") not in wire.snapshot(told).reported
    row["upl"] = ""
    assert PoolId(account="main", name="isolated/SOL-USDT-SWAP") not in wire.snapshot(told).reported


def test_rows_that_do_not_tell_their_margin_leave_orders_unknown():
    told = with_orders(examples.w7(), ordFrozen="30", mgnRatio=str(Decimal(170) / 135))
    told["GET /api/v5/account/positions"]["data"][0]["mmr"] = ""
    read = wire.snapshot(told)

    assert pool_of(read, "USDT").basis is Basis.MODELLED
    assert reported(read, "USDT").margin_balance == 200


def test_the_wires_digits_bound_what_can_be_compared():
    exact = reported(wire.snapshot(examples.w7()), "USDT")
    short = reported(wire.snapshot(with_orders(examples.w7(), mgnRatio="1.5")), "USDT")

    # 135 × 1e-16 ÷ 1.48; 1.5 may well be exact: never more than a ten-thousandth of R.
    assert close(exact.resolution, Decimal(135) * Decimal("1e-16") / Decimal("1.48148148"), 6)
    assert close(short.resolution, Decimal(200) / Decimal("1.5") * Decimal("0.0001"))


def test_in_multi_currency_mode_too_a_difference_without_a_reason_shows():
    read = wire.snapshot(examples.multi(adjEq="40000", mgnRatio=str(40000 / Decimal("756.1512"))))

    assert pool_of(read, "unified").basis is Basis.MODELLED
    assert verdict(read, "unified").verdict is Verdict.DISAGREES


@pytest.mark.parametrize(("total", "of_btc"), [("960.192", "0.01"), ("", "0.01"), ("960.192", "")])
def test_isolated_margin_is_a_reason_for_a_part_of_adjusted_equity(total, of_btc):
    # 0.01 BTC of isolated margin, taken off the adjusted equity in full: 960.192 USD, while
    # its discount was taken at 0.98 of it.
    told = examples.multi(isoEq=total, adjEq=str(Decimal("53549.808") - Decimal("19.20384")))
    told["GET /api/v5/account/positions"]["data"].append(
        wire.position(
            "BTC-USD-SWAP",
            "9.6",
            "96000",
            "96000",
            mgnMode="isolated",
            ccy="BTC",
            margin="0.01",
            mmr="0.00004",
            mgnRatio="222.22",
        )
    )
    details = told["GET /api/v5/account/balance"]["data"][0]["details"]
    details[0].update(eq="0.51", isoEq=of_btc, eqUsd="48969.792", disEq="47990.39616")
    read = wire.snapshot(told)
    pool = pool_of(read, "unified")

    assert {p.id.name for p in read.pools} == {"unified", "isolated/BTC-USD-SWAP"}
    assert {c.asset: c.balance for c in pool.collateral}["BTC"] == Decimal("0.5")
    assert close(pool.other_balance, "-19.20384", 8)
    assert pool.basis is Basis.PARTLY


# States that are easily mistaken.


def test_no_equity_left_is_over_a_hundred_percent():
    told = with_orders(examples.w7(), cashBal="1000", mgnRatio="0")
    risk = figured(wire.snapshot(told), "USDT")

    assert risk.requirement.ratio == INFINITE


def test_an_empty_or_zero_ratio_beside_a_requirement_is_figured_by_us():
    for word in ("", "0"):
        read = wire.snapshot(with_orders(examples.w7(), mgnRatio=word))

        assert figured(read, "USDT").requirement.ratio == Decimal("0.675")
        assert reported(read, "USDT").ratio is None
        assert reported(read, "USDT").maintenance_margin == 135


def test_a_ratio_without_margins_is_still_okxs_word():
    read = wire.snapshot(with_orders(examples.w7(), mmr="", imr=""))

    assert close(reported(read, "USDT").maintenance_margin, 135)


def test_a_negative_equity_in_futures_mode_is_no_borrowing():
    told = with_orders(examples.w7(), cashBal="100", eq="-350", mgnRatio="0")

    assert figured(wire.snapshot(told), "USDT").requirement.ratio == INFINITE


def test_a_wiped_multi_currency_account_is_over_a_hundred_percent():
    told = examples.multi(adjEq="-100", mgnRatio="0")
    told["GET /api/v5/account/balance"]["data"][0]["details"] = [
        wire.coin("USDT", "-100", eqUsd="-100.02", disEq="-100.02")
    ]
    assert figured(wire.snapshot(told), "unified").requirement.ratio == INFINITE
