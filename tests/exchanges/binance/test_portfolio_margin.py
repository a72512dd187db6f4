"""How a portfolio's requirement moves from one of Binance's readings to the next."""

from __future__ import annotations

from decimal import Decimal

import pytest

from monitor.exchanges.binance import EXCHANGE
from monitor.exchanges.call import Replies
from monitor.risk import CarriedMargin, evaluate, liquidation_prices
from monitor.risk.model import Basis
from tests.exchanges.binance import coins, wire
from tests.exchanges.binance.test_portfolio import account_update, at, coin, usdm_row

D = Decimal
FACTOR = D("1.05")
UM_BRACKETS, CM_BRACKETS = "GET /papi/v1/um/leverageBracket", "GET /papi/v1/cm/leverageBracket"
BY_TIERS = "moved by leverage tiers and loans until the next reading"
ASSUMED = "assumed to grow with positions and loans until the next reading"


def account(maintenance="500", **more):
    """
    Long 1 BTC in USDT and short 10,000 USD in coins, both at 40,000; 2,000 USDT and 0.1 BTC owed.

    0.4 % of 40,000 and of 0.25 BTC are 160 + 40; at 5 % the loans need 100 + 200: 500 in all.
    """
    told = coins.portfolio(
        [
            coin("USDT", margin="10000", borrowed="2000"),
            coin("BTC", margin="0.5", borrowed="0.1", coinm="0.1"),
        ],
        [usdm_row("BTCUSDT", "1", "40000", "40000")],
        [coins.position("BTCUSD_PERP", "-100", "40000", "40000")],
        accountEquity="28000",
        accountMaintMargin=maintenance,
        uniMMR=str((D(28000) / D(maintenance)).quantize(D("1e-8"))),
    )
    lists = coins.lists("BTCUSD_PERP")
    inverse = lists.pop("GET /dapi/v2/leverageBracket")
    usdm = {"symbol": "BTCUSDT", "brackets": wire.bracket_rows(*wire.BTC_2026)}
    return (
        told
        | lists
        | {
            UM_BRACKETS: [usdm],
            CM_BRACKETS: inverse,
            "GET /fapi/v1/assetIndex": [
                wire.index("USDT", "1.00000000", "1.00000000", "1.00000000"),
                wire.index("BTC", "40000.00000000", "40000.00000000", "40000.00000000"),
            ],
            "GET /fapi/v1/exchangeInfo": {"symbols": [wire.contract("BTCUSDT")]},
        }
        | more
    )


def without(told, *requests):
    return {request: body for request, body in told.items() if request not in requests}


def required(view, price):
    """What Binance would hold against the account with all of BTC at this price, 5 % left off."""
    taken = view.snapshot(wire.NOON)
    (pool,) = taken.pools
    everywhere = dict.fromkeys(("BTC/USDT:USDT", "BTC/USD:BTC", "BTC/USD"), at(price))
    held = evaluate(pool, {**taken.marks, **everywhere}, wire.NOON).requirement
    return held.maintenance_margin / FACTOR


def near(found, wanted):
    return abs(found - D(wanted)) < D("1e-18")


def pool_of(told):
    (pool,) = wire.snapshot(told).pools
    return pool


# --- by Binance's own sum


def test_at_the_reading_the_requirement_is_binance_s_own():
    taken = wire.snapshot(account())
    (pool,) = taken.pools

    risk = evaluate(pool, taken.marks, wire.NOON)

    assert near(risk.requirement.maintenance_margin, 525)
    assert near(risk.requirement.ratio, taken.reported[pool.id].ratio)
    assert pool.basis is Basis.REPORTED
    assert pool.carried[1] == BY_TIERS
    assert [leg.maintenance_margin for leg in risk.positions] == [160, D("0.001")]


@pytest.mark.parametrize(
    ("price", "wanted"),
    [
        ("50000", 200 + 40 + 100 + 250),  # inverse: 0.4 % of 10,000 USD whatever the price
        ("30000", 120 + 40 + 100 + 150),
        ("400000", 400_000 * D("0.005") - 300 + 40 + 100 + 2000),  # in the second tier
    ],
)
def test_legs_move_by_their_tiers_and_loans_by_their_coin_s_price(price, wanted):
    assert near(required(wire.read(account()), price), wanted)


def test_loans_need_a_tenth_at_most_and_what_is_left_stands_still():
    """200 of legs, 10 % of 6,000 owed, and 200 more that no rule explains."""
    read = wire.read(account("1000"))

    assert near(required(read, "40000"), 1000)
    assert near(required(read, "50000"), 240 + 200 + 500 + 200)


@pytest.mark.parametrize("maintenance", ["200", "199.9"])
def test_where_the_legs_need_it_all_loans_need_nothing(maintenance):
    """A tenth of a dollar less than the legs' sum is a mark of another moment."""
    read = wire.read(account(maintenance))
    (pool,) = read.snapshot(wire.NOON).pools

    assert pool.carried_margins == ()
    assert near(required(read, "50000"), D(maintenance) + 40)


def test_an_account_that_owes_nothing_has_no_margin_of_loans():
    told = account("300")
    told["GET /papi/v1/balance"] = [coin("USDT", margin="8000"), coin("BTC", margin="0.5")]
    read = wire.read(told)

    assert read.snapshot(wire.NOON).pools[0].carried_margins == ()
    assert near(required(read, "50000"), 240 + 100)


def test_what_is_owed_of_a_coin_without_a_price_stands_still():
    told = account("500")
    told["GET /papi/v1/balance"].append(coin("XYZ", borrowed="3"))

    (pool,) = wire.snapshot(told).pools

    assert [c.asset for c in pool.carried_margins] == ["BTC", "USDT"]


def test_interest_is_owed_too():
    told = account("500")
    told["GET /papi/v1/balance"][0]["crossMarginInterest"] = "1000"

    # 300 over 3,000 + 4,000 owed: BTC's 4,000 of it
    margins = {c.asset: c for c in pool_of(told).carried_margins}
    assert near(margins["BTC"].at(D(40000)), FACTOR * 300 * 4 / 7)


def test_a_price_at_which_it_ends_counts_what_the_requirement_grows_by():
    """
    The short of 100 contracts alone: as BTC/USD:BTC rises, with coins in BTC, to P.

    Balance 28,000 + 0.5·(P − 40,000) + (10,000 ÷ P − 0.25)·P beside the coins' own, so
    28,000 + 0.5·(P − 40,000) + 10,000 − 0.25·P; required 1.05 × (160 + 40 + 100 + 0.005·P).
    """
    told = account()
    told["GET /papi/v1/balance"][1] = coin("BTC", margin="0", borrowed="0.1", coinm="0.1")
    told["GET /papi/v1/account"]["accountEquity"] = "8000"
    taken = wire.snapshot(told)
    (pool,) = taken.pools

    found = liquidation_prices(pool, taken.marks, "BTC/USD:BTC")

    # 8,000 + 10,000 − 0.25·P = 315 + 0.00525·P
    assert found.nearest is not None
    assert abs(found.nearest - D(17685) / D("0.25525")) < D("1e-9")


# --- assumed


def test_without_tiers_it_is_assumed_to_grow_with_what_it_stands_for_and_never_to_fall():
    """560 over 40,000 and 10,000 of positions and 2,000 + 4,000 owed: 1 % of each."""
    read = wire.read(without(account("560"), UM_BRACKETS, CM_BRACKETS))
    (pool,) = read.snapshot(wire.NOON).pools

    assert near(required(read, "40000"), 560)
    assert near(required(read, "50000"), 500 + 100 + 20 + 50)
    assert near(required(read, "30000"), 560)
    assert pool.carried[1] == ASSUMED
    assert [p.tiers for p in pool.positions] == [None, None]


def test_one_leg_without_tiers_leaves_them_all_to_the_assumption():
    for missing in (UM_BRACKETS, CM_BRACKETS):
        read = wire.read(without(account("560"), missing))

        assert near(required(read, "50000"), 670)


@pytest.mark.parametrize("broken", [[], {"code": -1, "msg": "no"}, [{"symbol": "BTCUSDT"}], "x"])
def test_tiers_that_can_t_be_read_are_as_good_as_none(broken):
    read = wire.read(account("560", **{UM_BRACKETS: broken}))

    assert near(required(read, "50000"), 670)


def test_where_legs_alone_need_more_than_binance_says_the_sum_is_not_its_rule():
    """200 by our tiers against 199.7: more than a thousandth, so no mark of another moment."""
    read = wire.read(account("199.7"))

    assert read.snapshot(wire.NOON).pools[0].carried[1] == ASSUMED
    assert near(required(read, "40000"), "199.7")
    assert near(required(read, "30000"), "199.7")


@pytest.mark.parametrize(
    ("kind", "words"),
    [("PM_1", BY_TIERS), ("PM_2", BY_TIERS), ("PM_3", ASSUMED)],
)
def test_pro_span_has_a_rule_of_its_own(kind, words):
    told = account("560")
    told["GET /sapi/v1/portfolio/account"] = told["GET /papi/v1/account"] | {"accountType": kind}

    assert pool_of(told).carried[1] == words


def test_an_account_without_anything_that_moves_keeps_what_was_said():
    told = account("560") | {"GET /papi/v1/um/positionRisk": [], "GET /papi/v1/cm/positionRisk": []}
    told["GET /papi/v1/balance"] = [coin("USDT", margin="8000")]
    told["GET /sapi/v1/portfolio/account"] = told["GET /papi/v1/account"] | {"accountType": "PM_3"}

    pool = pool_of(told)

    assert pool.carried_margins == ()
    assert near(pool.other_maintenance, FACTOR * 560)


# --- which tiers


def test_a_pro_account_of_its_own_endpoints_goes_by_the_wallets_tiers():
    told = account()
    whole = told.pop("GET /papi/v1/account") | {"accountType": "PM_1"}
    told |= {
        "GET /sapi/v1/portfolio/account": whole,
        "GET /sapi/v1/portfolio/balance": told.pop("GET /papi/v1/balance"),
        "GET /fapi/v3/positionRisk": [wire.position("BTCUSDT", "1", "40000", "40000", "160")],
        "GET /dapi/v1/positionRisk": told.pop("GET /papi/v1/cm/positionRisk"),
        "GET /fapi/v1/leverageBracket": told.pop(UM_BRACKETS),
        "GET /dapi/v2/leverageBracket": told.pop(CM_BRACKETS),
    }

    assert near(required(wire.read(told), "50000"), 590)
    told["GET /sapi/v1/portfolio/account"] = whole | {"accountType": "PM_3"}
    assert pool_of(told).carried[1] == ASSUMED


def test_brackets_that_were_adjusted_are_read_as_the_leg_s_own_margin_fits():
    """Edges times 1.5: 400,000 stand in the first tier, 1,600 and not 1,700 of margin."""
    told = account("2000")
    told["GET /papi/v1/um/positionRisk"] = [usdm_row("BTCUSDT", "-10", "40000", "40000")]
    told[UM_BRACKETS][0]["notionalCoef"] = D("1.5")
    leg = {"symbol": "BTCUSDT", "positionSide": "BOTH", "notional": "-400000"}
    told["GET /papi/v2/um/account"] = {"positions": [leg | {"maintMargin": "1600"}]}

    assert pool_of(told).positions[0].tiers.tiers[0].cap == 450_000
    told["GET /papi/v2/um/account"] = {"positions": [leg | {"maintMargin": "1700"}]}
    assert pool_of(told).positions[0].tiers.tiers[0].cap == 300_000


def asked(told):
    replies = wire.replies(told)
    return {c.request: c for c in EXCHANGE.needed(replies) if "leverageBracket" in c.path}


def test_each_symbol_s_tiers_are_asked_for_and_are_no_condition():
    bare = without(account(), UM_BRACKETS, CM_BRACKETS)
    um, cm = (f"{each}?symbol=" for each in (UM_BRACKETS, CM_BRACKETS))

    calls = asked(bare)

    assert list(calls) == [f"{um}BTCUSDT", f"{cm}BTCUSD_PERP"]
    assert all(call.optional and call.max_age_seconds == 3600 for call in calls.values())
    assert asked(account()) == {}
    # A list of all that leaves the symbol out is no answer.
    other = [{"symbol": "ETHUSDT", "brackets": wire.bracket_rows(*wire.ETH_2026)}]
    assert list(asked(account(**{UM_BRACKETS: other}))) == [f"{um}BTCUSDT"]


def test_a_pro_account_of_its_own_endpoints_asks_for_the_wallets_tiers():
    told = without(account(), UM_BRACKETS, CM_BRACKETS)
    whole = told.pop("GET /papi/v1/account") | {"accountType": "PM_1"}
    said = [
        *wire.replies(told),
        wire.reply("GET /sapi/v1/portfolio/account", whole),
        wire.reply("GET /sapi/v1/portfolio/balance", told["GET /papi/v1/balance"]),
        wire.reply(
            "GET /fapi/v3/positionRisk",
            [wire.position("BTCUSDT", "1", "40000", "40000", "160")],
        ),
        wire.reply("GET /dapi/v1/positionRisk", told["GET /papi/v1/cm/positionRisk"]),
    ]
    said = [each for each in said if each.body != wire.NO_PORTFOLIO]

    wanted = EXCHANGE.needed(Replies(said, {"GET /papi/v1/account"}))

    assert {c.request: c.optional for c in wanted if "leverageBracket" in c.path} == {
        "GET /fapi/v1/leverageBracket?symbol=BTCUSDT": True,
        "GET /dapi/v2/leverageBracket?symbol=BTCUSD_PERP": True,
    }


# --- after an event


def leg_event(amount):
    leg = {"s": "BTCUSDT", "pa": amount, "ep": "40000", "up": "0", "mt": "cross", "iw": "0"}
    return account_update("UM", "USDT", "0", leg | {"ps": "BOTH"})


def test_a_position_that_grows_needs_more_at_once_and_the_rest_stays():
    """Twice the 160; 40, the loans' 600 at most and 200 of no rule as before."""
    read = wire.read(account("1000")).updated(leg_event("2"))

    assert near(required(read, "40000"), 320 + 40 + 600 + 200)
    assert near(required(read, "50000"), 400 + 40 + 200 + 500 + 200)


def test_a_position_that_closes_needs_nothing_more():
    read = wire.read(account()).updated(leg_event("0"))

    assert near(required(read, "40000"), 340)


def test_what_was_assumed_of_a_closed_position_stays_as_it_was_said():
    read = wire.read(without(account("560"), UM_BRACKETS)).updated(leg_event("0"))
    (pool,) = read.snapshot(wire.NOON).pools

    assert near(required(read, "50000"), 400 + 100 + 20 + 50)
    assert {(c.asset, c.symbol) for c in pool.carried_margins} == {("USDT", None), ("BTC", None)}
    assert all(isinstance(each, CarriedMargin) for each in pool.carried_margins)
    assert pool.carried[1] == ASSUMED


def test_what_was_assumed_is_not_changed_by_a_position_that_grows():
    read = wire.read(without(account("560"), UM_BRACKETS)).updated(leg_event("2"))

    assert near(required(read, "50000"), 670)
