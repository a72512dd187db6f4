"""What can't be read blinds its own pool alone; the others go on (F-34), and tiers that Binance
does not tell are assumed at their worst, never as nothing (F-38).
"""

from __future__ import annotations

import copy
from decimal import Decimal

import pytest

from monitor.errors import Malformed, MissingReply
from monitor.exchanges.binance import EXCHANGE
from monitor.exchanges.binance.tiers import worst_table
from monitor.exchanges.call import Replies
from monitor.risk import PoolId, evaluate
from monitor.risk.model import Basis
from tests.exchanges.binance import coins, wire
from tests.exchanges.binance.events import after, event, leg
from tests.exchanges.binance.held import told

D = Decimal
ACCOUNT = "GET /fapi/v3/account"
POSITIONS = "GET /fapi/v3/positionRisk"
BRACKETS = "GET /fapi/v1/leverageBracket"
CONTRACTS = "GET /fapi/v1/exchangeInfo"
USDT, USDC, BTC = "USDT", "USDC", "isolated/BTCUSDT"


def names(pools):
    return {pool.id.name if hasattr(pool, "id") else pool.name for pool in pools}


def taken(answers):
    return wire.read(answers).snapshot(wire.NOON)


def position(answers, symbol):
    (row,) = [row for row in answers[POSITIONS] if row["symbol"] == symbol]
    return row


def figures(snapshot):
    return {
        pool.id.name: evaluate(pool, snapshot.marks, wire.NOON).requirement
        for pool in snapshot.pools
    }


@pytest.mark.parametrize(
    ("symbol", "gone"), [("BTCUSDT", BTC), ("ETHUSDT", USDT), ("SOLUSDC", USDC)]
)
@pytest.mark.parametrize(
    ("key", "value"),
    [("entryPrice", "much"), ("positionAmt", ""), ("maintMargin", None), ("entryPrice", "-1")],
)
def test_an_unreadable_position_blinds_its_own_pool_alone(symbol, gone, key, value):
    whole, answers = taken(told()), told()
    position(answers, symbol)[key] = value

    left = taken(answers)

    assert names(left.unread) == {gone}
    (because,) = left.unread.values()
    assert symbol in because
    assert key in because
    kept = names(whole.pools) - {gone}
    assert {name: f for name, f in figures(whole).items() if name in kept} == figures(left)
    assert names(left.reported) == names(whole.reported) - {gone}


def test_a_row_that_does_not_tell_how_it_is_margined_blinds_both_that_it_may_be_of():
    answers = told()
    del position(answers, "ETHUSDT")["isolatedWallet"]

    assert names(taken(answers).unread) == {USDT, "isolated/ETHUSDT"}


def test_hedge_legs_that_are_isolated_are_blinded_one_by_one():
    rows = [
        wire.position("BTCUSDT", "1", "60000", "61000", "244", side="LONG", isolated="900"),
        wire.position("BTCUSDT", "-1", "60000", "61000", "244", side="SHORT", isolated="2500"),
    ]
    answers = wire.bodies(rows, {"USDT": "1"}, hedge=True)
    answers[POSITIONS][0]["entryPrice"] = None

    assert names(taken(answers).unread) == {"isolated/BTCUSDT/long"}


def test_a_row_without_its_margin_asset_is_of_the_pool_that_its_name_tells():
    answers = told()
    del position(answers, "SOLUSDC")["marginAsset"]

    assert names(taken(answers).unread) == {USDC}


def test_a_row_that_does_not_tell_whose_it_is_leaves_nothing_readable():
    answers = told()
    del position(answers, "SOLUSDC")["symbol"]

    with pytest.raises(Malformed, match=r"positionRisk\[2\]\.symbol"):
        taken(answers)


def test_a_wallets_row_blinds_the_pool_of_its_asset():
    answers = told()
    answers[ACCOUNT]["assets"][1]["crossWalletBalance"] = "much"

    left = taken(answers)

    assert names(left.unread) == {USDC}
    assert names(left.pools) == {USDT, BTC}


def test_where_no_position_can_be_read_the_reading_is_an_error_as_ever():
    answers = told()
    for row in answers[POSITIONS]:
        row["entryPrice"] = "much"

    with pytest.raises(Malformed, match=r"positionRisk\[0\]\.entryPrice"):
        taken(answers)


def test_brackets_that_make_no_table_blind_the_pool_of_their_symbol():
    answers = told()
    (row,) = [row for row in answers[BRACKETS] if row["symbol"] == "SOLUSDC"]
    row["brackets"][0]["cum"] = "much"

    assert names(taken(answers).unread) == {USDC}


def test_the_account_replys_sketch_may_be_the_unreadable_one():
    answers = told()
    answers[ACCOUNT]["positions"][2]["positionAmt"] = "much"

    assert names(taken(answers).unread) == {USDC}


def test_an_impossible_notional_blinds_the_pool_of_its_position():
    answers = told()
    answers[ACCOUNT]["positions"][2]["notional"] = "1000000"

    left = taken(answers)

    assert names(left.unread) == {USDC}


def test_a_new_listing_that_no_list_holds_blinds_its_own_pool():
    answers = told()
    answers[CONTRACTS]["symbols"] = [
        row for row in answers[CONTRACTS]["symbols"] if row["symbol"] != "SOLUSDC"
    ]

    left = taken(answers)

    assert names(left.unread) == {USDC}
    assert names(left.pools) == {USDT, BTC}


def test_the_marks_of_a_blind_pool_are_still_worth_having():
    answers = told()
    answers[POSITIONS].append(
        wire.position("ETHUSDC", "1", "2400", "2455.10", "9.8", asset="USDC", entryPrice="much")
    )
    answers[ACCOUNT]["positions"] = []

    left = taken(answers)

    assert names(left.unread) == {USDC}
    assert "SOL/USDC:USDC" in {i.symbol for i in left.instruments()}
    assert left.marks["SOL/USDC:USDC"].price == D("146.5")


def test_of_a_torn_pair_an_unreadable_position_is_no_sign():
    answers = told()
    position(answers, "ETHUSDT")["positionAmt"] = "much"

    assert EXCHANGE.torn(wire.replies(answers)) is None


def test_an_unreadable_coin_margined_row_leaves_the_other_wallet_alone():
    answers = told()
    row = coins.position("BTCUSD_PERP", "100", "60000", "61000", entryPrice="much")
    answers["GET /dapi/v1/positionRisk"] = [row]
    answers["GET /dapi/v1/account"] = {
        "assets": [wire.wallet("BTC", "0.05", [])],
        "positions": [],
    }

    left = taken(answers)

    assert names(left.unread) == {"BTC"}
    assert names(left.pools) == {USDT, USDC, BTC}


def test_in_multi_assets_mode_one_row_blinds_the_one_pool_of_all():
    answers = told()
    answers["GET /fapi/v1/accountConfig"]["multiAssetsMargin"] = True
    totals = ("totalMarginBalance", "totalInitialMargin", "totalOpenOrderInitialMargin")
    answers[ACCOUNT] |= dict.fromkeys(totals, "0")
    answers["GET /fapi/v1/assetIndex"] = [
        wire.index(asset, "1", "1", "1") for asset in ("USDT", "USDC")
    ]
    position(answers, "SOLUSDC")["entryPrice"] = "much"

    left = taken(answers)

    assert names(left.unread) == {"unified"}
    assert names(left.pools) == {BTC}  # isolated: not of it
    assert {i.exchange_symbol for i in left.instruments()} >= {"ETHUSDT", "BTCUSDT"}


def test_an_event_of_a_symbol_that_was_never_read_blinds_its_pool_until_it_is():
    opened = after(event(legs=[leg("ETHUSDC", "1", "2400", asset="USDC")]), answers=told())

    left = opened.snapshot(wire.NOON)

    assert names(left.unread) == {USDC}
    (because,) = left.unread.values()
    assert "ETHUSDC" in because
    with pytest.raises(MissingReply):
        wire.whole(opened)


def test_an_event_that_tells_an_unreadable_position_anew_opens_its_pool_again():
    answers = told()
    position(answers, "SOLUSDC")["entryPrice"] = "much"
    again = after(event(legs=[leg("SOLUSDC", "20", "140", asset="USDC")]), answers=answers)

    assert again.snapshot(wire.NOON).unread == {}


# --- tiers that are not told ------------------------------------------------------------


def without_tiers(how):
    answers = told()
    if how == "empty":
        (row,) = [row for row in answers[BRACKETS] if row["symbol"] == "SOLUSDC"]
        row["brackets"] = []
        return wire.replies(answers)
    kept = [row for row in answers[BRACKETS] if row["symbol"] != "SOLUSDC"]
    answers[BRACKETS] = kept
    asked = "GET /fapi/v1/leverageBracket?symbol=SOLUSDC"
    if how == "asked":
        return wire.replies(answers, wire.reply(asked, []))
    del answers[BRACKETS]
    each = [wire.reply(f"{BRACKETS}?symbol={row['symbol']}", [row]) for row in kept]
    return Replies([*wire.replies(answers, *each)], [asked])


@pytest.mark.parametrize("how", ["empty", "asked", "refused"])
def test_without_tiers_the_worst_rate_of_the_leverage_stands_in_and_is_named(how):
    snapshot = EXCHANGE.read_account("main", without_tiers(how)).snapshot(wire.NOON)

    (pool,) = [pool for pool in snapshot.pools if pool.id.name == USDC]
    # 20 SOL at 146.5 and 20x: half of a twentieth.
    assert figures(snapshot)[USDC].maintenance_margin == 20 * D("146.5") * D("0.025")
    assert pool.basis is Basis.PARTLY
    assert pool.carried == ("no leverage tiers of SOLUSDC are told: the worst rate at 20x (0.025)",)
    others = [each for each in snapshot.pools if each.id.name != USDC]
    assert {each.basis for each in others} == {Basis.MODELLED}


def test_an_unknown_leverage_is_charged_the_worst_of_all():
    answers = told()
    answers["GET /fapi/v1/symbolConfig"] = []
    (row,) = [row for row in answers[BRACKETS] if row["symbol"] == "SOLUSDC"]
    row["brackets"] = []

    assert figures(taken(answers))[USDC].maintenance_margin == 20 * D("146.5") / 2


def test_brackets_that_nobody_asked_for_are_missing_not_none():
    answers = told()
    answers[BRACKETS] = [row for row in answers[BRACKETS] if row["symbol"] != "SOLUSDC"]

    left = taken(answers)

    assert left.unread[PoolId(account="main", name=USDC)]


@pytest.mark.parametrize("rows", [wire.BTC_2026, wire.ETH_2026, wire.SOL_2026, wire.BTC_2021])
def test_no_tier_of_a_real_table_charges_more_than_the_worst_of_its_leverage(rows):
    for text in rows:
        _, rate, _, leverage = text.split()
        assert D(rate) <= worst_table(D(leverage)).tiers[0].maintenance_rate


def test_the_account_of_these_tests_is_whole():
    assert taken(copy.deepcopy(told())).unread == {}
