"""What OKX's own figures are taken over for, by name: options, bots, event contracts."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from monitor.exchanges.okx import rows
from monitor.exchanges.okx.held import Held
from monitor.exchanges.okx.remainders import GROWING, ORDERS, Remainder
from monitor.exchanges.payload import Row
from monitor.risk import CarriedMargin, Mark, evaluate
from monitor.risk.model import Basis
from monitor.risk.result import Verdict
from tests.exchanges.okx import examples, wire
from tests.exchanges.okx.figures import close, figured, pool_of, reported, verdict
from tests.exchanges.okx.frames import LATER, after, traded

BALANCE = "GET /api/v5/account/balance"
POSITIONS = "GET /api/v5/account/positions"
OPTION = "BTC-USD-261225-100000-C"


def option(**changes):
    """A short call: worth −0.002 BTC, margin 0.01 BTC."""
    return wire.position(
        OPTION,
        "-1",
        "0.003",
        "0.002",
        **{
            "instType": "OPTION",
            "ccy": "BTC",
            "upl": "0.001",
            "optVal": "-0.002",
            "lever": "",
            "imr": "0.012",
            "mmr": "0.01",
            **changes,
        },
    )


def with_option(ratio="", **coin):
    """W8's pool and a short call in it: cash 0.042 + 0.003 of premium."""
    told = examples.w8()
    detail = {
        "cashBal": "0.045",
        "eq": "0.0032272727272727",  # 0.045 − 0.0397727272727273 − 0.002
        "upl": "-0.0397727272727273",
        "mmr": "0.01125",
        "imr": "0.027625",
        "mgnRatio": ratio,
        **coin,
    }
    told[BALANCE]["data"][0]["details"][0].update(detail)
    told[POSITIONS]["data"].append(option())
    return told


def test_an_option_stands_inside_okxs_own_figures_by_name():
    """Unverified: option margin; it is OKX's own figure, bounded and named."""
    # R = 0.3125 × 0.45 % + 0.01 and 0.0001 of fee on the option
    needed = Decimal("0.00140625") + Decimal("0.01") + Decimal("0.0001")
    equity = Decimal("0.0032272727272727")
    read = wire.snapshot(with_option(str(equity / needed)))
    pool, risk = pool_of(read, "BTC"), figured(read, "BTC")

    assert [p.id.name for p in read.pools] == ["BTC"]
    assert pool.basis is Basis.PARTLY
    assert pool.carried == (f"1 option ({OPTION})",)
    assert close(pool.other_maintenance, "0.0101", 9)
    assert pool.other_balance == 0
    assert close(risk.requirement.margin_balance, equity, 12)
    assert close(risk.requirement.maintenance_margin, needed, 12)
    assert [leg.position.instrument.exchange_symbol for leg in risk.positions] == ["BTC-USD-SWAP"]
    assert verdict(read, "BTC").verdict is Verdict.AGREES


def test_what_the_coin_says_beyond_an_options_worth_shows():
    # 0.02 BTC more than cash, PnL and the option's worth: more than any option here explains.
    read = wire.snapshot(with_option("1", eq="0.0232272727272727", mgnRatio="2.017"))

    assert verdict(read, "BTC").verdict is Verdict.DISAGREES


def test_an_options_fee_is_taken_over_only_as_far_as_it_can_reach():
    read = wire.snapshot(with_option(str(Decimal("0.0032272727272727") / Decimal("0.05"))))

    # 12.5 % of the premium's 0.002 and a quarter of 0.01 at most
    most = Decimal("0.00025") + Decimal("0.0025")
    assert close(pool_of(read, "BTC").other_maintenance, Decimal("0.01") + most)
    assert verdict(read, "BTC").verdict is Verdict.DISAGREES


def test_orders_beside_an_option_are_told_apart_from_it():
    # Orders with 0.001 of margin and 0.005 of initial margin beside the option's own.
    told = with_option("", mmr="0.01225", imr="0.032625", ordFrozen="0.005")
    pool = pool_of(wire.snapshot(told), "BTC")

    assert close(pool.other_initial, "0.005")
    fee = Decimal("0.001") * Decimal("0.0005") / Decimal("0.004")
    assert close(pool.other_maintenance, Decimal("0.011") + fee)
    assert pool.carried == ("margin of open orders", f"1 option ({OPTION})")


def test_a_row_that_does_not_tell_its_initial_margin_leaves_the_orders_unknown():
    told = with_option("", mmr="0.01225", imr="0.032625", ordFrozen="0.005")
    told[POSITIONS]["data"][0]["imr"] = ""
    pool = pool_of(wire.snapshot(told), "BTC")

    assert pool.other_initial == 0
    assert pool.carried[0] == "margin of open orders"


def test_options_of_a_multi_currency_account_are_named_and_their_margin_taken_over():
    told = examples.multi(
        mmr=str(Decimal("672.1344") + Decimal("960.192")),
        adjEq=str(Decimal("53549.808") - Decimal("0.002") * Decimal("96019.2") * Decimal("0.98")),
        mgnRatio="",
    )
    told[BALANCE]["data"][0]["details"][0].update(eq="0.498", eqUsd="47817.5616")
    told[POSITIONS]["data"].append(option(upl="0"))
    read = wire.snapshot(told)
    pool = pool_of(read, "unified")

    assert {c.asset: c.balance for c in pool.collateral}["BTC"] == Decimal("0.498")
    assert taken_over(read) == Decimal("960.192")  # 0.01 BTC at 96,019.2
    assert pool.carried == (GROWING, f"1 option ({OPTION})")
    assert pool.other_balance == 0
    assert pool.basis is Basis.PARTLY
    assert verdict(read, "unified").verdict is Verdict.AGREES


def taken_over(read, factor="1"):
    """What a multi-currency pool's options need once BTC stands at a multiple of its mark."""
    pool, risk = pool_of(read, "unified"), figured(read, "unified")
    mark = read.marks["BTC/USDT:USDT"]
    moved = {**read.marks, "BTC/USDT:USDT": Mark(price=mark.price * Decimal(factor), at=mark.at)}
    bare = replace(pool, other_maintenance=Decimal(0), carried_margins=())
    held, left = (evaluate(each, moved, risk.at).requirement for each in (pool, bare))
    return held.maintenance_margin - left.maintenance_margin


def with_options(*options, **totals):
    told = examples.multi(**totals)
    told[POSITIONS]["data"] += options
    return wire.snapshot(told)


@pytest.mark.parametrize(
    ("kind", "factor", "times"),
    [("C", "1.1", "1.1"), ("C", "0.9", "1"), ("P", "1.1", "1"), ("P", "0.9", "1.1")],
)
def test_an_options_margin_is_assumed_to_grow_as_its_coin_moves_against_it(kind, factor, times):
    """Unverified: a tenth more of 0.01 BTC, of a call as BTC rises, of a put as it falls."""
    read = with_options(option(instId=f"BTC-USD-261225-100000-{kind}"), mgnRatio="")

    assert close(taken_over(read, factor), Decimal("960.192") * Decimal(times), 20)


def test_fees_grow_with_the_options_that_they_are_of():
    """0.0002 BTC of fee, by OKX's ratio: of 2 options' 0.012 BTC, one that grows and one not."""
    needed = Decimal("96019.2") * Decimal("0.0122") + Decimal("672.1344") + Decimal("84.0168")
    equity = Decimal("53549.808") - Decimal("0.002") * Decimal("96019.2") * Decimal("0.98")
    put = option(instId="BTC-USD-261225-90000-P", posId="2", mmr="0.002", optVal="0", upl="0")
    read = with_options(
        option(upl="0"),
        put,
        mmr=str(Decimal("672.1344") + Decimal("0.012") * Decimal("96019.2")),
        adjEq=str(equity),
        mgnRatio=str(equity / needed),
    )

    each = Decimal("96019.2") * Decimal("0.0122") / 12
    assert close(taken_over(read), 12 * each)
    assert close(taken_over(read, "1.1"), 11 * each + 2 * each)
    assert close(taken_over(read, "0.9"), 10 * each + Decimal("2.2") * each)


def test_margin_of_open_orders_beside_options_stands_still():
    told = {"mmr": str(Decimal("672.1344") + Decimal("960.192") + 400), "imr": "20000"}
    read = with_options(option(upl="0"), mgnRatio="", ordFroz="1", **told)

    assert close(taken_over(read), Decimal("960.192") + 400)
    assert close(taken_over(read, "1.1"), Decimal("960.192") * Decimal("1.1") + 400)
    assert {ORDERS, GROWING} <= set(pool_of(read, "unified").carried)


def test_an_option_that_needs_nothing_has_nothing_to_grow():
    read = with_options(option(mmr="0", upl="0"), mgnRatio="")

    assert pool_of(read, "unified").carried_margins == ()
    assert pool_of(read, "unified").carried == (f"1 option ({OPTION})",)


def test_margin_in_a_coin_that_left_the_pool_stays_as_it_was_said():
    margins = (
        CarriedMargin(asset="BTC", per_price=Decimal(1), least=Decimal(5)),
        CarriedMargin(asset="ETH", per_price=Decimal(2), least=Decimal(7)),
    )
    remainder = Remainder(maintenance=Decimal(1), margins=margins, words=("x",))

    within = remainder.within({"ETH", "USDT"})

    assert within == replace(remainder, maintenance=Decimal(6), margins=margins[1:])
    assert not within.is_nothing
    assert not replace(within, maintenance=Decimal(0)).is_nothing


def test_a_closed_option_whose_coin_left_with_it_is_still_required_until_the_next_reading():
    told = examples.multi(mgnRatio="")
    btc = told[BALANCE]["data"][0]["details"][0]
    btc.update(cashBal="0", eq="-0.002", eqUsd="-192.0384", disEq="-192.0384")
    short_call = option(upl="0")
    told[POSITIONS]["data"].append(short_call)

    read = after(traded({**short_call, "pos": "0"}), told=told).snapshot(wire.NOON)
    pool = pool_of(read, "unified")

    assert "BTC" not in {c.asset for c in pool.collateral}
    assert pool.carried_margins == ()
    assert close(pool.other_maintenance, Decimal("960.192"))


def test_only_options_to_sell_are_puts():
    put = Held(inst_type="OPTION", inst_id="BTC-USD-1-2-P", pos_id="1", contracts=Decimal(1))

    assert put.is_put
    assert not replace(put, inst_id="BTC-USD-1-2-C").is_put
    assert not replace(put, inst_type="NOVELTY").is_put


def test_an_isolated_option_is_a_pool_of_okxs_own_word():
    told = examples.w8()
    told[POSITIONS]["data"].append(option(mgnMode="isolated", margin="0.02", mgnRatio="2", imr=""))
    read = wire.snapshot(told)
    pool, risk = pool_of(read, f"isolated/{OPTION}"), figured(read, f"isolated/{OPTION}")

    assert pool.basis is Basis.REPORTED
    assert pool.carried == (f"1 option ({OPTION})",)
    assert risk.requirement.margin_balance == Decimal("0.021")
    assert risk.requirement.ratio == Decimal("0.5")
    assert reported(read, f"isolated/{OPTION}").ratio == Decimal("0.5")
    assert pool_of(read, "BTC").basis is Basis.MODELLED


def test_a_kind_that_is_not_known_yet_is_carried_by_its_name():
    told = examples.w7()
    told[POSITIONS]["data"].append(
        wire.position("SOMETHING-NEW", "1", "1", "1", instType="NOVELTY", mmr="1")
    )
    pool = pool_of(wire.snapshot(told), "USDT")

    assert pool.carried == ("1 position of type NOVELTY (SOMETHING-NEW)",)
    assert pool.basis is Basis.PARTLY
    assert pool.other_maintenance == 1


def test_event_contracts_are_left_out_with_a_note():
    told = examples.w7()
    told[POSITIONS]["data"].append(
        wire.position("BTC-ABOVE-100K", "5", "1", "1", instType="EVENTS", mgnMode="isolated")
    )
    pool = pool_of(wire.snapshot(told), "USDT")

    assert pool.carried == ("left out: 1 event contract (BTC-ABOVE-100K)",)
    assert pool.basis is Basis.MODELLED


@pytest.mark.parametrize(
    ("field", "amount", "words"),
    [
        ("stgyEq", "150", "left out: 150 USDT in trading bots"),
        ("smtSyncEq", "7", "left out: 7 USDT in smart copy trading"),
        ("spotCopyTradingEq", "7.50", "left out: 7.5 USDT in spot copy trading"),
        ("spotIsoBal", "7", "left out: 7 USDT in isolated spot or copy trading"),
        ("rewardBal", "7", "left out: 7 USDT of trial funds"),
    ],
)
def test_what_backs_no_position_is_left_out_by_name(field, amount, words):
    told = examples.w7(**{field: amount})
    if field != "rewardBal":  # trial funds are no part of equity
        told[BALANCE]["data"][0]["details"][0]["eq"] = str(1550 + Decimal(amount))
    read = wire.snapshot(told)

    assert words in pool_of(read, "USDT").carried
    assert figured(read, "USDT").requirement.margin_balance == 200
    assert pool_of(read, "USDT").basis is Basis.MODELLED


def test_w9_the_official_samples_bot_is_left_out_of_what_backs_the_account():
    sample = wire.coin(
        "USDT",
        "4850.435693622894",
        eq="4992.890093622894",
        upl="-7.545600000000006",
        stgyEq="150",
        disEq="4991.542013297616",
        eqUsd="4991.542013297616",
        collateralEnabled=False,
    )
    coin = rows.coin(Row(sample, "details[0]"))
    parts = coin.cash + coin.pnl + coin.isolated_equity + coin.apart["stgyEq"]
    assert close(parts, coin.equity, 14)  # its digits are those of a binary float
    assert close(coin.backing(), coin.cash, 30)

    held = wire.position(
        "BTC-USDT-SWAP", "1", "100754.56", "100000", upl="-7.5456", mmr="4", imr="20"
    )
    told = wire.bodies(wire.config("3"), wire.envelope(held), wire.balance(sample))
    read = wire.snapshot(told)
    price = Decimal("4991.542013297616") / Decimal("4992.890093622894")

    assert "left out: 150 USDT in trading bots" in pool_of(read, "unified").carried
    risk = figured(read, "unified")
    assert close(risk.requirement.margin_balance, (coin.cash - Decimal("7.5456")) * price, 9)


def test_how_bots_are_taken_off_the_adjusted_equity_is_a_named_remainder():
    # 0.1 BTC in a bot: taken off in full, while 98 % of it had counted.
    told = examples.multi(adjEq=str(Decimal("53549.808") - Decimal("192.0384")))
    told[BALANCE]["data"][0]["details"][0].update(
        eq="0.6", stgyEq="0.1", eqUsd="57611.52", disEq="56459.2896"
    )
    pool = pool_of(wire.snapshot(told), "unified")

    assert close(pool.other_balance, "-192.0384")
    assert pool.carried == (
        "isolated margin and bots, as they are taken off the adjusted equity",
        "left out: 0.1 BTC in trading bots",
    )


def bot_after_a_fall(*ccys):
    """The pool with the bot of above after OKX told these coins anew, BTC worth a tenth less."""
    told = examples.multi(adjEq=str(Decimal("53549.808") - Decimal("192.0384")))
    balance = told[BALANCE]["data"][0]
    bot = {"eq": "0.6", "stgyEq": "0.1"}
    balance["details"][0].update(bot, eqUsd="57611.52", disEq="56459.2896")
    price = Decimal("96019.2") * Decimal("0.9")
    counted = Decimal("0.5") * price * Decimal("0.98") + Decimal("2000.4") + 4500
    worth = Decimal("0.6") * price + Decimal("2000.4") + 5000 + 8000
    btc = {
        **balance["details"][0],
        "coinUsdPrice": str(price),
        "eqUsd": str(Decimal("0.6") * price),
    }
    details = [{**coin, "uTime": LATER} for coin in (btc, *balance["details"][1:])]
    fallen = {
        **balance,
        "adjEq": str(counted - Decimal("0.1") * price * Decimal("0.02")),
        "totalEq": str(worth),
        "uTime": LATER,
        "details": [coin for coin in details if coin["ccy"] in ccys],
    }
    frame = wire.push("account", fallen)
    return pool_of(after(frame, told=told).snapshot(wire.NOON), "unified")


def test_what_a_coins_price_did_since_the_reading_is_no_remainder():
    # Where BTC itself stands the marks tell, from the reading's price on.
    pool = bot_after_a_fall("BTC", "USDT", "OKB", "JFI")
    assert close(pool.other_balance, -Decimal("0.1") * Decimal("86417.28") * Decimal("0.02"))


def test_totals_for_which_an_untold_coin_had_another_price_tell_no_remainder():
    assert close(bot_after_a_fall("USDT").other_balance, "-192.0384")
