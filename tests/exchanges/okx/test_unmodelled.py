"""What an account may be or hold that is not modelled: named, every bit of it."""

from __future__ import annotations

import pytest

from monitor.errors import Unmodelled
from tests.exchanges.okx import examples, wire


def refused(told):
    with pytest.raises(Unmodelled) as caught:
        wire.snapshot(told)
    return caught.value


@pytest.mark.parametrize(
    ("level", "changes", "words"),
    [
        ("1", {}, "Spot mode"),
        ("1", {"enableSpotBorrow": True}, "spot borrowing is switched on"),
        ("4", {}, "Portfolio margin"),
    ],
)
def test_other_account_modes_are_named_with_what_to_do(level, changes, words):
    told = wire.bodies(wire.config(level, **changes), wire.envelope(), wire.balance())
    error = refused(told)

    assert error.whole_account
    assert words in str(error)
    assert "Futures mode and Multi-currency margin" in str(error)


@pytest.mark.parametrize(
    ("kind", "inst_id"),
    [
        ("MARGIN", "BTC-USDT"),
        ("FUTURES", "BTC-USDT-261225"),
        ("OPTION", "BTC-USD-261225-100000-C"),
        ("EVENTS", "BTC-ABOVE-100K"),
        ("NOVELTY", "SOMETHING-NEW"),
    ],
)
def test_positions_of_other_kinds_are_named(kind, inst_id):
    told = examples.w7()
    told["GET /api/v5/account/positions"]["data"].append(
        {"instType": kind, "instId": inst_id, "posId": "9", "pos": "1"}
    )
    error = refused(told)

    assert inst_id in str(error)
    assert not error.whole_account


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"liab": "-12"}, "12 BTC"),
        ({"crossLiab": "12"}, "12 BTC"),
        ({"interest": "0.5"}, "0.5 BTC"),
        ({"stgyEq": "150"}, "150 BTC in trading bots"),
        ({"smtSyncEq": "7"}, "7 BTC in smart copy trading"),
        ({"rewardBal": "7"}, "7 BTC of trial funds"),
        ({"eq": "-0.1", "cashBal": "-0.1", "eqUsd": "-9600"}, "negative equity of -0.1 BTC"),
    ],
)
def test_borrowings_bots_and_the_like_are_named(changes, words):
    told = examples.multi()
    told["GET /api/v5/account/balance"]["data"][0]["details"][0].update(changes)

    assert words in str(refused(told))


def test_everything_that_is_not_modelled_is_named_at_once():
    told = examples.w7(liab="-5", stgyEq="3")
    told["GET /api/v5/account/positions"]["data"].append(
        {"instType": "OPTION", "instId": "BTC-USD-261225-100000-C", "posId": "9", "pos": "1"}
    )
    text = str(refused(told))

    assert "BTC-USD-261225-100000-C" in text
    assert "5 USDT" in text
    assert "3 USDT in trading bots" in text


def test_a_contract_margined_in_another_coin_is_named():
    told = examples.w7()
    told["GET /api/v5/account/positions"]["data"][0]["ccy"] = "BTC"

    assert "margined in BTC and settles in USDT" in str(refused(told))
