"""The account after events of its own stream."""

from __future__ import annotations

from decimal import Decimal

import pytest

from monitor.errors import MissingReply
from monitor.risk import MarginMode, PoolId, Side
from tests.exchanges.binance import wire
from tests.exchanges.binance.events import LATER, after, balance, event, figures, leg, told

D = Decimal
USDT = PoolId(account="main", name="USDT")


def test_a_balance_moves_and_binances_own_totals_no_longer_hold():
    funding = event(balances=[balance("USDT", "7990.5")], reason="FUNDING_FEE")
    del funding["a"]["P"]

    taken = after(funding).snapshot(wire.NOON)

    assert figures(taken)["USDT"].margin_balance == D("7990.5") + 1000
    assert figures(taken)["USDC"].margin_balance == 500 + 20 * D("6.5")
    assert [pool.name for pool in taken.reported] == ["USDC"]
    (position,) = [p for pool in taken.pools if pool.id == USDT for p in pool.positions]
    assert position.reported_liquidation_price is None
    assert position.reported_maintenance_margin == 244


def test_a_cross_wallet_that_moves_leaves_an_isolated_end_where_it_is():
    rows = [
        wire.position(
            "BTCUSDT", "0.2", "64000", "61000", "48.8", isolated="1300", liquidationPrice="57730.9"
        )
    ]
    answers = wire.bodies(rows, {"USDT": "8000"})

    taken = after(event(balances=[balance("USDT", "7000")]), answers=answers).snapshot(wire.NOON)

    (alone,) = [p for pool in taken.pools for p in pool.positions]
    assert alone.reported_liquidation_price == D("57730.9")
    assert [pool.name for pool in taken.reported] == ["isolated/BTCUSDT"]


def test_a_position_grows_shrinks_turns_and_closes():
    grown = after(event(balances=[balance("USDT", "7999")], legs=[leg("BTCUSDT", "2", "60500")]))
    turned = grown.updated(wire.frame(event(legs=[leg("BTCUSDT", "-1", "61200")], at=LATER + 1)))
    closed = turned.updated(wire.frame(event(legs=[leg("BTCUSDT", "0", "0")], at=LATER + 2)))

    assert figures(grown.snapshot(wire.NOON))["USDT"].margin_balance == 7999 + 2 * 500
    assert figures(turned.snapshot(wire.NOON))["USDT"].margin_balance == 7999 + 200
    assert figures(closed.snapshot(wire.NOON))["USDT"].margin_balance == 7999
    assert closed.snapshot(wire.NOON).reported.keys() == {PoolId(account="main", name="USDC")}
    (short,) = turned.snapshot(wire.NOON).pools[1].positions
    assert (short.side, short.contracts, short.leverage) == (Side.SHORT, 1, 20)
    assert short.reported_maintenance_margin is None


def test_a_closed_position_alone_ends_the_report_of_its_pool():
    taken = after(event(legs=[leg("BTCUSDT", "0", "0")])).snapshot(wire.NOON)

    assert USDT not in taken.reported


def test_the_fee_rate_outlives_the_position_that_it_was_asked_for():
    rows = [
        wire.position("BTCUSDT", "1", "60000", "61000", "244"),
        wire.position("ETHUSDT", "1", "2400", "2455.10", "9.8204"),
    ]
    answers = wire.bodies(rows, {"USDT": "8000"})
    del answers["GET /fapi/v1/commissionRate?symbol=ETHUSDT"]

    taken = after(event(legs=[leg("BTCUSDT", "0", "0")]), answers=answers).snapshot(wire.NOON)

    assert [p.taker_fee_rate for p in taken.pools[0].positions] == [D("0.0005")]


def test_a_leg_of_a_hedge_moves_by_itself():
    rows = [
        wire.position("BTCUSDT", "3", "60000", "61000", "732", side="LONG"),
        wire.position("BTCUSDT", "-1", "63000", "61000", "244", side="SHORT"),
    ]
    answers = wire.bodies(rows, {"USDT": "8000"}, hedge=True)

    moved = event(
        legs=[leg("BTCUSDT", "0", "0"), leg("BTCUSDT", "-2", "62000", side="SHORT")],
    )
    taken = after(moved, answers=answers).snapshot(wire.NOON)

    sizes = {(p.side, p.contracts) for p in taken.pools[0].positions}
    assert sizes == {(Side.LONG, 3), (Side.SHORT, 2)}


def test_margin_moves_into_an_isolated_position():
    moved = event(
        balances=[{"a": "USDT", "wb": "8000", "cw": "6700", "bc": "0"}],
        legs=[leg("BTCUSDT", "1", "60000", isolated="1300")],
    )

    taken = after(moved).snapshot(wire.NOON)

    assert figures(taken)["USDT"].margin_balance == 6700
    assert figures(taken)["isolated/BTCUSDT"].margin_balance == 1300 + 1000
    (pool,) = [p for p in taken.pools if p.id.name == "isolated/BTCUSDT"]
    assert pool.margin_mode is MarginMode.ISOLATED
    assert pool.id not in taken.reported


def test_an_asset_that_comes_new_is_a_pool():
    taken = after(event(balances=[balance("BNB", "3")], reason="DEPOSIT")).snapshot(wire.NOON)

    assert figures(taken)["BNB"].margin_balance == 3


def test_a_new_symbol_without_tables_names_the_request_that_would_bring_them():
    view = after(event(legs=[leg("ETHUSDT", "1", "2400")]))

    with pytest.raises(MissingReply) as caught:
        wire.whole(view)
    assert caught.value.call == "GET /fapi/v1/exchangeInfo?symbol=ETHUSDT"
    answers = told()
    answers["GET /fapi/v1/exchangeInfo"]["symbols"].append(wire.contract("ETHUSDT"))
    with pytest.raises(MissingReply) as caught:
        wire.whole(after(event(legs=[leg("ETHUSDT", "1", "2400")]), answers=answers))
    assert caught.value.call == "GET /fapi/v1/leverageBracket?symbol=ETHUSDT"


def test_a_new_symbol_with_tables_is_held():
    answers = told()
    answers["GET /fapi/v1/exchangeInfo"]["symbols"].append(wire.contract("ETHUSDT"))
    answers["GET /fapi/v1/leverageBracket"].append(
        {"symbol": "ETHUSDT", "brackets": wire.bracket_rows(*wire.ETH_2026)}
    )
    answers["GET /fapi/v1/premiumIndex"] = [
        {"symbol": "ETHUSDT", "markPrice": "2455.10", "time": LATER}
    ]

    taken = after(event(legs=[leg("ETHUSDT", "1", "2400")]), answers=answers).snapshot(wire.NOON)

    assert figures(taken)["USDT"].margin_balance == 8000 + 1000 + D("55.10")
    assert figures(taken)["USDT"].maintenance_margin == 244 + D("2455.10") * D("0.004")


def test_a_new_position_in_an_older_form_ends_the_report_of_its_pool():
    answers = told()
    answers["GET /fapi/v1/exchangeInfo"]["symbols"].append(wire.contract("ETHUSDT"))
    answers["GET /fapi/v1/leverageBracket"].append(
        {"symbol": "ETHUSDT", "brackets": wire.bracket_rows(*wire.ETH_2026)}
    )
    old_form = leg("ETHUSDT", "2", "2400")
    del old_form["ma"]

    taken = after(event(legs=[old_form]), answers=answers).snapshot(wire.NOON)

    assert USDT not in taken.reported


def test_a_position_in_an_asset_unknown_to_the_event_keeps_its_own():
    old_form = leg("BTCUSDT", "2", "60500")
    del old_form["ma"]

    taken = after(event(legs=[old_form])).snapshot(wire.NOON)

    assert figures(taken)["USDT"].margin_balance == 8000 + 2 * 500


def test_the_same_event_twice_is_the_same_as_once():
    moved = event(balances=[balance("USDT", "7999")], legs=[leg("BTCUSDT", "2", "60500")])

    assert after(moved, moved).snapshot(wire.NOON) == after(moved).snapshot(wire.NOON)


def test_an_event_older_than_one_heard_is_passed_over():
    newer = event(balances=[balance("USDT", "7000")], at=LATER + 10)
    older = event(balances=[balance("USDT", "9999")], legs=[leg("BTCUSDT", "5", "60000")])

    taken = after(newer, older).snapshot(wire.NOON)

    assert figures(taken)["USDT"].margin_balance == 7000 + 1000


def test_an_event_older_than_the_replies_rows_moves_nothing_back():
    old = event(
        balances=[balance("USDT", "9999")],
        legs=[leg("BTCUSDT", "5", "60000"), leg("SOLUSDC", "0", "0", asset="USDC")],
        at=wire.CHANGED - 1,
    )

    taken = after(old).snapshot(wire.NOON)

    assert figures(taken)["USDT"].margin_balance == 8000 + 1000
    assert figures(taken)["USDC"].margin_balance == 500 + 20 * D("6.5")


def test_a_combined_frame_is_read_like_a_bare_one():
    moved = event(balances=[balance("USDT", "7990.5")])
    combined = {"stream": "listen-key", "data": moved}

    assert after(combined).snapshot(wire.NOON) == after(moved).snapshot(wire.NOON)


def test_leverage_follows_its_event():
    changed = {
        "e": "ACCOUNT_CONFIG_UPDATE",
        "E": LATER,
        "T": LATER,
        "ac": {"s": "BTCUSDT", "l": 25},
    }

    (position,) = after(changed).snapshot(wire.NOON).pools[1].positions

    assert (position.leverage, position.initial_rate) == (25, D("0.04"))


def test_a_switch_to_multi_assets_mode_asks_for_the_rates_of_the_new_mode():
    switched = {"e": "ACCOUNT_CONFIG_UPDATE", "E": LATER, "T": LATER, "ai": {"j": True}}

    with pytest.raises(MissingReply) as caught:
        after(switched).snapshot(wire.NOON)
    assert caught.value.call == "GET /fapi/v1/assetIndex"


def algo(**changes):
    order = {
        "caid": "",
        "aid": 2148719,
        "at": "CONDITIONAL",
        "o": "STOP_MARKET",
        "s": "BTCUSDT",
        "S": "SELL",
        "ps": "BOTH",
        "q": "1",
        "X": "NEW",
        "tp": "55000",
        "cp": False,
        "R": True,
    }
    sent = changes.pop("at", LATER + 120_000)
    return {"e": "ALGO_UPDATE", "T": sent, "E": sent, "o": order | changes}


def protected(view):
    positions = [p for pool in view.snapshot(wire.NOON).pools for p in pool.positions]
    return {p.instrument.exchange_symbol: p.has_stop_loss for p in positions}


def test_a_stop_order_comes_and_goes():
    placed = after(algo())
    gone = placed.updated(wire.frame(algo(X="CANCELED", at=LATER + 120_001)))

    assert protected(after()) == {"BTCUSDT": False, "SOLUSDC": False}
    assert protected(placed) == {"BTCUSDT": True, "SOLUSDC": False}
    assert protected(gone) == {"BTCUSDT": False, "SOLUSDC": False}


@pytest.mark.parametrize(
    "order",
    [
        algo(o="TAKE_PROFIT_MARKET"),
        algo(S="BUY"),
        algo(R=False),
        algo(X="TRIGGERED"),
        algo(at=wire.CHANGED),
    ],
)
def test_an_order_event_that_protects_nothing_changes_nothing(order):
    assert protected(after(order)) == {"BTCUSDT": False, "SOLUSDC": False}


def test_one_stop_order_says_nothing_where_the_list_is_unknown():
    answers = told()
    del answers["GET /fapi/v1/openAlgoOrders"]

    assert protected(after(algo(), answers=answers)) == {"BTCUSDT": None, "SOLUSDC": None}
