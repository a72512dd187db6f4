"""What an account may be or hold that is not modelled: named, every bit of it."""

from __future__ import annotations

import pytest

from monitor.errors import Unmodelled
from monitor.exchanges.okx import rows
from monitor.exchanges.payload import Row
from tests.exchanges.okx import examples, wire
from tests.exchanges.okx.figures import close


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


# Worked examples of what is not modelled: named, whatever their figures.


def test_w9_the_official_sample_holds_money_in_a_bot():
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

    told = wire.bodies(
        wire.config("3"), wire.envelope(), wire.balance(sample, adjEq="55415.624719833286")
    )
    assert "150 USDT in trading bots" in str(refused(told))


def test_w3_a_bitcoin_liability_in_multi_currency_margin():
    debt = wire.coin(
        "BTC",
        "-0.5096053466363398",
        liab="0.5096053466363398",
        crossLiab="0.509575622217854",
        interest="0.0000297244184858",
        eqUsd="-25408.4180739947",
        disEq="-25408.4180739947",
    )
    told = wire.bodies(
        wire.config("3"),
        wire.envelope(),
        wire.balance(
            debt,
            adjEq="30979.1086748182657014",
            mmr="762.252542219842",
            mgnRatio="39.9556239578938079",
        ),
    )
    assert "a borrowing of 0.5096053466363398 BTC" in str(refused(told))


def test_w1_the_official_sample_of_an_isolated_margin_position():
    row = {
        "instType": "MARGIN",
        "instId": "BTC-USDT",
        "mgnMode": "isolated",
        "posSide": "net",
        "posId": "1752810569801498626",
        "ccy": "BTC",
        "pos": "0.00190433573",
        "posCcy": "BTC",
        "liab": "-99.9998177776581948",
        "liabCcy": "USDT",
        "avgPx": "62961.4",
        "markPx": "62891.9",
        "mgnRatio": "9.404143929947395",
    }
    told = wire.bodies(wire.config(), wire.envelope(row), wire.balance())

    assert "BTC-USDT (margin trading)" in str(refused(told))
