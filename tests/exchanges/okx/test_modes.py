"""All four account modes: what each is liquidated by, and how a change of mode is followed."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from monitor.errors import Malformed
from monitor.exchanges.call import Replies
from monitor.exchanges.okx import EXCHANGE
from monitor.risk.evaluate import evaluate
from monitor.risk.model import Basis, Mark
from monitor.risk.result import Verdict
from tests.exchanges.okx import examples, loans, wire
from tests.exchanges.okx.figures import close, figured, pool_of, reported, verdict
from tests.exchanges.okx.test_account import asked_in_turn

BALANCE = "GET /api/v5/account/balance"
CONFIG = "GET /api/v5/account/config"
POSITIONS = "GET /api/v5/account/positions"


def in_mode(level, told=None, **changes):
    found = examples.multi() if told is None else told
    return found | {CONFIG: wire.config(level, **changes)}


@pytest.mark.parametrize(
    ("level", "changes", "words"),
    [
        ("1", {}, "spot mode, no borrowing"),
        ("1", {"enableSpotBorrow": True}, "spot mode, borrowing"),
        ("2", {}, "futures mode, net"),
        ("2", {"posMode": "long_short_mode"}, "futures mode, long/short"),
        ("3", {}, "multi-currency margin, net"),
        ("4", {"posMode": "long_short_mode"}, "portfolio margin, long/short"),
    ],
)
def test_every_switch_that_matters_is_in_the_mode(level, changes, words):
    told = wire.bodies(wire.config(level, **changes), wire.envelope(), wire.balance())

    assert wire.snapshot(told).mode == words


# Spot mode.


def spot(*coins, borrows=True, **totals):
    return wire.bodies(
        wire.config("1", enableSpotBorrow=borrows), wire.envelope(), wire.balance(*coins, **totals)
    )


def test_spot_mode_without_borrowing_has_nothing_to_liquidate():
    told = spot(wire.coin("BTC", "1", eqUsd="96000", availEq=""), borrows=False)

    assert wire.snapshot(told).pools == ()
    assert len(asked_in_turn(told)[0][1]) == 2, "what lies around it alone"


def test_spot_mode_with_borrowing_is_one_pool_of_all_borrowings():
    # 1 BTC at 96000 × 0.98 behind 20000 USDT owed at 2 %, and 0.1 % of 1.02 of it.
    needed = 400 + 20400 * Decimal("0.001")
    debt = {"liab": "20000", "crossLiab": "20000", "interest": "0", "borrowFroz": "4000"}
    told = spot(
        wire.coin("BTC", "1", eqUsd="96000", disEq="94080"),
        wire.coin("USDT", "-20000", eqUsd="-20000", disEq="-20000", **debt),
        adjEq="74080",
        mmr="400",
        imr="4000",
        borrowFroz="4000",
        mgnRatio=str(74080 / needed),
    )
    read = wire.snapshot(told)
    risk = figured(read, "unified")

    assert risk.requirement.margin_balance == 74080
    assert risk.requirement.maintenance_margin == needed
    assert pool_of(read, "unified").basis is Basis.MODELLED
    assert pool_of(read, "unified").top_up_asset == "USDT"
    assert verdict(read, "unified").verdict is Verdict.AGREES


def test_spot_mode_that_may_borrow_and_does_not_stands_at_0():
    read = wire.snapshot(spot(wire.coin("USDT", "5000", eqUsd="5000"), adjEq="5000", mmr="0"))

    assert figured(read, "unified").requirement.ratio == 0
    assert reported(read, "unified").ratio == 0


def test_a_debt_outlives_the_switch_of_spot_borrowing():
    debt = wire.coin("USDT", "-20", eqUsd="-20", crossLiab="20", liab="20")
    told = spot(wire.coin("BTC", "1", eqUsd="96000"), debt, borrows=False)

    assert figured(wire.snapshot(told), "unified").requirement.maintenance_margin > 0


# Portfolio margin.


def portfolio(**totals):
    # OKX's stress test asks 2500 USD, its liquidation cost 84.0168 on top.
    ratio = Decimal("53549.808") / (2500 + Decimal("84.0168"))
    return in_mode("4", examples.multi(mmr="2500", imr="3250", mgnRatio=str(ratio), **totals))


def test_portfolio_margin_takes_its_requirement_from_okx():
    """Unverified: portfolio margin's internals; the requirement is OKX's own word."""
    read = wire.snapshot(portfolio())
    pool, risk = pool_of(read, "unified"), figured(read, "unified")

    assert pool.basis is Basis.REPORTED
    assert pool.carried == (
        "maintenance margin of portfolio margin's stress test, with its liquidation cost",
    )
    assert risk.requirement.margin_balance == Decimal("53549.808")
    assert close(risk.requirement.maintenance_margin, Decimal("2584.0168"))
    assert risk.requirement.initial_margin == 3250
    assert all(leg.maintenance_margin is None for leg in risk.positions)
    assert risk.positions[0].position.reported_maintenance_margin == 384
    assert verdict(read, "unified").verdict is Verdict.AGREES


def test_portfolio_margins_equity_moves_with_pnl_and_collateral():
    read = wire.snapshot(portfolio())
    mark = read.marks["BTC/USDT:USDT"]
    fallen = {**read.marks, "BTC/USDT:USDT": Mark(price=Decimal(95000), at=mark.at)}
    then = evaluate(pool_of(read, "unified"), fallen, read.at).requirement

    # A long of 1 BTC in USDT, and 0.5 BTC at 98 %, each 1000 × 1.0002 less.
    lost = 1000 * Decimal("1.0002") * (1 + Decimal("0.49"))
    assert close(then.margin_balance, Decimal("53549.808") - lost, 20)
    assert close(then.maintenance_margin, Decimal("2584.0168"))


def test_portfolio_margin_without_a_ratio_goes_by_its_margin_and_the_fees_we_know_of():
    read = wire.snapshot(portfolio() | {BALANCE: examples.multi(mmr="2500", mgnRatio="")[BALANCE]})

    # 84 USDT at 1.0002
    assert figured(read, "unified").requirement.maintenance_margin == Decimal("2584.0168")


def test_portfolio_margin_that_does_not_tell_its_margin_is_an_error():
    told = portfolio() | {BALANCE: examples.multi(mmr="", mgnRatio="")[BALANCE]}

    with pytest.raises(Malformed, match=r"data\[0\]\.mmr") as caught:
        wire.snapshot(told)
    assert caught.value.call == BALANCE


def test_an_idle_portfolio_margin_account_stands_at_0():
    cash = wire.coin("USDT", "100", eqUsd="100", disEq="100")
    told = wire.bodies(wire.config("4"), wire.envelope(), wire.balance(cash, adjEq="100"))
    read = wire.snapshot(told)

    assert figured(read, "unified").requirement.ratio == 0
    assert pool_of(read, "unified").basis is Basis.REPORTED


def test_portfolio_margin_needs_no_tiers_of_cross_positions():
    rounds, _ = asked_in_turn(portfolio())

    assert not [c for calls in rounds for c in calls if "position-tiers" in c.path]


def test_equity_of_portfolio_margin_that_nothing_explains_shows():
    read = wire.snapshot(portfolio(adjEq="50000"))

    assert pool_of(read, "unified").other_balance == 0
    assert verdict(read, "unified").verdict is Verdict.DISAGREES


def test_an_isolated_position_beside_portfolio_margin_is_figured():
    told = portfolio()
    told[BALANCE]["data"][0]["details"][1].update(isoEq="100")
    told[POSITIONS]["data"].append(
        wire.position(
            "SOL-USDT-SWAP", "1", "180", "180", mgnMode="isolated", margin="100", mmr="1.8"
        )
    )
    risk = figured(wire.snapshot(told), "isolated/SOL-USDT-SWAP")

    assert risk.requirement.maintenance_margin == 180 * Decimal("0.0105")


# A change of mode while running.


def test_after_a_change_of_mode_the_next_reading_asks_what_the_new_one_needs():
    futures = examples.w7()
    _, before = asked_in_turn(futures)
    kept = [r for r in before if not r.path.startswith("/api/v5/account/")]
    now = examples.multi()
    fresh = [wire.reply(request, now[request]) for request in (CONFIG, BALANCE, POSITIONS)]
    asked = {call.path for call in EXCHANGE.needed(Replies([*kept, *fresh]))}

    assert "/api/v5/public/discount-rate-interest-free-quota" in asked
    assert "/api/v5/public/position-tiers" in asked, "of borrowing"


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (examples.multi() | {CONFIG: wire.config("2")}, "futures mode does not have"),
        (examples.w7() | {CONFIG: wire.config("3")}, "only futures mode has"),
        (examples.w7() | {POSITIONS: wire.envelope()}, "no cross positions in USDT"),
    ],
)
def test_replies_from_both_sides_of_a_change_are_torn(told, words):
    assert words in EXCHANGE.torn(wire.replies(told))


@pytest.mark.parametrize(
    "told",
    [examples.w7(), examples.multi(), examples.w3(), portfolio(), loans.trading(loans.w1_row())],
)
def test_replies_of_one_moment_are_not_torn(told):
    assert EXCHANGE.torn(wire.replies(told)) is None


def test_a_frame_of_the_account_moves_portfolio_margin_on():
    view = wire.view(portfolio())
    data = portfolio(adjEq="53000", uTime=str(wire.NOON_MS + 1))[BALANCE]["data"][0]
    after = view.updated(wire.push("account", data))
    told = after.snapshot(wire.NOON)

    assert replace(view).book != after.book
    needed = 53000 / (Decimal("53549.808") / Decimal("2584.0168"))
    assert close(figured(told, "unified").requirement.maintenance_margin, needed)


def test_a_mode_that_was_only_just_switched_leaves_no_position_out():
    told = in_mode("1")

    assert [p.id.name for p in wire.snapshot(told).pools] == ["unified"]
