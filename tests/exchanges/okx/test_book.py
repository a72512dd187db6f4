"""What of OKX's own words still holds after a frame, and the channel that tells no risk."""

from __future__ import annotations

from decimal import Decimal

from monitor.risk.evaluate import evaluate
from monitor.risk.model import Basis, Side
from monitor.risk.reconcile import reconcile
from monitor.risk.result import Verdict
from tests.exchanges.okx import examples, wire
from tests.exchanges.okx.figures import close, figured, pool_of
from tests.exchanges.okx.frames import (
    EARLIER,
    LATER,
    after,
    row,
    told_of,
    traded,
    usdt,
    usdt_risk,
)

# What OKX said before a change no longer holds after it.


def test_a_changed_position_takes_okxs_own_words_away():
    view = after(wire.push("positions", row(0, pos="10", upl="-400", mmr="38.4")))

    assert told_of(view) is None
    assert told_of(view, "isolated/SOL-USDT-SWAP") is not None, "that pool was not touched"


def test_a_moved_mark_takes_them_away_until_both_are_of_one_moment():
    moved = wire.push("positions", row(0, markPx="95000", upl="-1000", mmr="76"))
    # E = 1300 − 1000 − 300 = 0 … too near; 1,500 of cash: E = 200, R = 85.5 + 48.6
    account = usdt(
        cashBal="1500", upl="-1750", mmr="119.2", imr="596", mgnRatio=str(200 / Decimal("134.1"))
    )
    pushed = wire.push("account", account)

    assert told_of(after(moved)) is None
    assert told_of(after(pushed)) is None
    for both in ((moved, pushed), (pushed, moved)):
        snapshot = after(*both).snapshot(wire.NOON)
        pool = pool_of(snapshot, "USDT")
        risk = evaluate(pool, snapshot.marks, snapshot.at)
        assert pool.basis is Basis.MODELLED
        assert reconcile(risk, snapshot.reported[pool.id]).verdict is Verdict.AGREES


def test_cash_alone_takes_them_away():
    view = after(traded(cash="1400", event="transferred"))

    assert usdt_risk(view).requirement.margin_balance == 300
    assert told_of(view) is None
    # The same cash once more says nothing new.
    assert after(traded(cash="1300", event="funding_fee")).snapshot(wire.NOON) == after().snapshot(
        wire.NOON
    )


def test_what_orders_take_stays_as_it_was_anchored():
    told = examples.w7()
    ratio = Decimal(170) / 135
    told["GET /api/v5/account/balance"]["data"][0]["details"][0].update(
        ordFrozen="30", mgnRatio=str(ratio)
    )
    view = after(traded(cash="1400"), told=told)

    assert close(usdt_risk(view).pool.other_balance, -30)
    assert close(usdt_risk(view).requirement.margin_balance, 270)


def test_in_multi_currency_mode_they_hold_again_once_the_account_is_told():
    told = examples.multi()["GET /api/v5/account/positions"]["data"][0]
    # One contract more, bought at the mark: 0.96 of fees aside nothing else changes.
    more = {**told, "pos": "101", "avgPx": "99960.39603960396", "mmr": "387.84", "imr": "9696"}
    fill = wire.push("positions", {**more, "uTime": LATER}, instType="ANY")
    balance = examples.multi()["GET /api/v5/account/balance"]["data"][0]
    needed = (Decimal("387.84") + 288 + 84 + Decimal("0.48")) * Decimal("1.0002")
    usdt = {**balance["details"][1], "uTime": LATER}
    account = {
        **balance,
        "mmr": "675.975168",
        "imr": "16899.3792",
        "mgnRatio": str(Decimal("53549.808") / needed),
        "details": [usdt],
    }
    view = after(fill, told=examples.multi())
    assert told_of(view, "unified") is None
    view = view.updated(wire.push("account", account))
    assert close(told_of(view, "unified").maintenance_margin, needed)
    assert view.snapshot(wire.NOON).pools[0].basis is Basis.MODELLED


def test_older_totals_move_nothing_back():
    balance = examples.multi()["GET /api/v5/account/balance"]["data"][0]
    old = wire.push("account", {**balance, "adjEq": "1", "uTime": EARLIER, "details": []})

    assert told_of(after(old, told=examples.multi()), "unified") == told_of(
        after(told=examples.multi()), "unified"
    )


def test_coins_sent_away_leave_a_debt_that_is_charged():
    told = examples.multi()
    view = after(traded(cash="-100", event="transferred"), told=told)
    usdt = next(v for v in figured(view.snapshot(wire.NOON), "unified").collateral if v.debt)

    assert (usdt.asset, usdt.debt) == ("USDT", 100)
    assert usdt.maintenance_margin == (2 + 102 * Decimal("0.001")) * Decimal("1.0002")


def test_cash_of_the_same_moment_counts_and_older_cash_does_not():
    same = traded(cash="1400", event="transferred", at=str(wire.NOON_MS - 60_000))
    older = traded(cash="1400", event="transferred", at=EARLIER)

    assert usdt_risk(after(same)).requirement.margin_balance == 300
    assert usdt_risk(after(older)).requirement.margin_balance == 200
    unknown = {"pTime": LATER, "eventType": "transferred", "posData": [], "trades": []}
    unknown["balData"] = [{"ccy": "DOGE", "cashBal": "5", "uTime": LATER}]
    view = after(wire.push("balance_and_position", unknown, event=None))
    assert usdt_risk(view).requirement.margin_balance == 200


# The fast channel, which tells sizes and cash and no figure of risk.


def test_a_fill_changes_size_and_cash_at_once():
    view = after(traded(row(0, pos="30", avgPx="99000"), cash="1299"))
    requirement = usdt_risk(view).requirement

    # 30 × 0.01 × 96,000 = 28,800 USDT; PnL 0.3 × (96,000 − 99,000) = −900
    assert requirement.margin_balance == 1299 - 900 - 300
    assert requirement.maintenance_margin == Decimal(28800) * Decimal("0.0045") + Decimal("48.6")
    (btc, _) = view.snapshot(wire.NOON).pools[0].positions
    assert btc.leverage == 50
    assert btc.reported_liquidation_price is None
    assert btc.reported_maintenance_margin is None


def test_a_fill_in_long_short_mode_is_of_the_side_that_it_names():
    told = examples.w7()
    told["GET /api/v5/account/positions"]["data"][0]["posSide"] = "short"
    fill = traded(row(0, pos="30", posSide="short"))
    position = usdt_risk(after(fill, told=told)).positions[0].position

    assert position.side is Side.SHORT
    assert position.contracts == 30


def test_a_liquidation_that_closes_is_seen_at_once():
    view = after(traded(row(0, pos="0", avgPx=""), cash="490", event="liquidation"))

    assert usdt_risk(view).requirement.margin_balance == 490 - 300


def test_a_fill_that_opens_needs_a_mark_from_elsewhere():
    xrp = wire.position("XRP-USDT-SWAP", "10", "2", "2", uTime=LATER)
    snapshot = after(traded(xrp)).snapshot(wire.NOON)

    assert "XRP/USDT:USDT" not in snapshot.marks
    assert len(pool_of(snapshot, "USDT").positions) == 3
    told = examples.w7()
    told["GET /api/v5/public/mark-price?instType=SWAP"] = wire.envelope(
        wire.mark("XRP-USDT-SWAP", "2")
    )
    assert after(traded(xrp), told=told).snapshot(wire.NOON).marks["XRP/USDT:USDT"].price == 2


def test_an_isolated_position_that_changed_waits_for_its_margin():
    view = after(traded(row(2, pos="25")))

    found = view.snapshot(wire.NOON)
    assert [pool.id.name for pool in found.pools] == ["USDT"], "the others go on"
    ((pool, why),) = found.unread.items()
    assert (pool.name, "margin" in why) == ("isolated/SOL-USDT-SWAP", True)
    assert "GET /api/v5/account/positions" in why
    told = row(2, pos="25", margin="900", upl="-225", mmr="42.75")
    pools = view.updated(wire.push("positions", told)).snapshot(wire.NOON).pools
    assert pools[1].collateral[0].balance == 900


def test_an_isolated_position_that_closes_is_gone():
    view = after(traded(row(2, pos="0", avgPx="")))

    assert [p.id.name for p in view.snapshot(wire.NOON).pools] == ["USDT"]
