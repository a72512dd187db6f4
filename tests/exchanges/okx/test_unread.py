"""Rows that can't be read, and symbols of which OKX tells nothing: their pool alone has none."""

from __future__ import annotations

from decimal import Decimal

import pytest

from monitor.errors import ExchangeError, Malformed, MissingReply, Unmodelled
from monitor.exchanges.call import Replies
from monitor.exchanges.okx import EXCHANGE
from monitor.exchanges.okx.tiers import worst_rate
from monitor.exchanges.okx.unread import is_of_a_part
from monitor.risk.evaluate import evaluate
from monitor.risk.model import Basis
from tests.exchanges.okx import examples, wire
from tests.exchanges.okx.figures import pool_of
from tests.exchanges.okx.frames import LATER, after, closed, row, traded, usdt

BALANCE = "GET /api/v5/account/balance"
POSITIONS = "GET /api/v5/account/positions"
INSTRUMENTS = "GET /api/v5/public/instruments?instType=SWAP"
TIERS = "GET /api/v5/public/position-tiers?instType=SWAP&tdMode={}&instFamily={}"
USDT, SOL, BTC = "USDT", "isolated/SOL-USDT-SWAP", "BTC"
LATEST = str(wire.NOON_MS + 900)


def two_coins():
    """W7 with a pool in BTC beside those of USDT."""
    told = examples.w7()
    told[BALANCE]["data"][0]["details"].append(
        wire.coin("BTC", "0.042", upl="-0.0397727273", mmr="0.00125", mgnRatio="1.58")
    )
    told[POSITIONS]["data"].append(
        wire.position(
            "BTC-USD-SWAP",
            "300",
            "110000",
            "96000",
            ccy="BTC",
            upl="-0.0397727273",
            mmr="0.00125",
            mgnRatio="1.58",
        )
    )
    return told


def read(told):
    """Which pools have figures, and why others don't."""
    found = wire.snapshot(told)
    for pool in found.pools:
        assert evaluate(pool, found.marks, found.at).requirement
        assert pool.id not in found.unread
    assert found.reported.keys() <= {pool.id for pool in found.pools}
    return [p.id.name for p in found.pools], {p.name: why for p, why in found.unread.items()}


def test_all_of_it_is_read_at_first():
    assert read(two_coins()) == ([USDT, BTC, SOL], {})


# --- rows


@pytest.mark.parametrize(
    ("number", "field", "value", "pool"),
    [
        (0, "upl", ["?"], USDT),
        (0, "pos", "many", USDT),
        (0, "instType", None, USDT),
        (2, "margin", "", SOL),
        (2, "avgPx", "0", SOL),
        (2, "ccy", "", SOL),
        (3, "mmr", "NaN", BTC),
    ],
)
def test_a_position_s_row_blinds_its_own_pool(number, field, value, pool):
    told = two_coins()
    told[POSITIONS]["data"][number][field] = value
    pools, unread = read(told)

    assert pools == [name for name in (USDT, BTC, SOL) if name != pool]
    assert list(unread) == [pool]
    assert f"data[{number}].{field}: " in unread[pool]
    assert told[POSITIONS]["data"][number]["instId"] in unread[pool]
    assert POSITIONS in unread[pool]


def test_a_row_that_does_not_tell_how_it_is_margined_blinds_both_that_it_may_be_of():
    told = two_coins()
    told[POSITIONS]["data"][0]["mgnMode"] = "quick"

    assert read(told)[0] == [BTC, SOL]
    assert {*read(told)[1]} == {USDT, "isolated/BTC-USDT-SWAP"}


@pytest.mark.parametrize(
    ("number", "changes"),
    [(0, {"instId": None}), (0, {"ccy": None}), (2, {"mgnMode": "?", "ccy": ""})],
)
def test_a_row_that_does_not_tell_whose_it_is_leaves_no_figures_at_all(number, changes):
    told = two_coins()
    told[POSITIONS]["data"][number] |= changes

    with pytest.raises(Malformed, match=rf"data\[{number}\]"):
        wire.snapshot(told)


def test_a_coin_s_row_blinds_its_own_pool():
    told = two_coins()
    told[BALANCE]["data"][0]["details"][1]["cashBal"] = "much"
    pools, unread = read(told)

    assert pools == [USDT, SOL]
    assert "details[1].cashBal" in unread[BTC]


def test_a_coin_that_is_missing_though_positions_settle_in_it_blinds_its_own():
    told = two_coins()
    del told[BALANCE]["data"][0]["details"][1]

    assert read(told)[0] == [USDT, SOL]
    assert "details[ccy=BTC]" in read(told)[1][BTC]


def test_in_one_pool_for_all_a_coin_blinds_it_and_isolated_ones_go_on():
    told = examples.multi()
    told[POSITIONS]["data"].append(examples.w7()[POSITIONS]["data"][2])
    assert read(told) == (["unified", SOL], {})

    told[BALANCE]["data"][0]["details"][0]["eq"] = ["?"]
    assert read(told)[0] == [SOL]
    assert "details[0].eq" in read(told)[1]["unified"]


def test_where_nothing_with_a_position_is_left_it_is_an_error():
    told = two_coins()
    for number in (0, 2, 3):
        told[POSITIONS]["data"][number]["upl"] = "?"

    with pytest.raises(Malformed, match=r"data\[\d\]\.upl"):
        wire.snapshot(told)


def test_positions_that_could_not_be_read_have_not_vanished():
    told = examples.w7()
    for held in told[POSITIONS]["data"][:2]:
        held["upl"] = "?"

    assert read(told)[0] == [SOL]


# --- symbols


def test_a_new_listing_blinds_its_own_pool():
    told = two_coins()
    listing = told[INSTRUMENTS]["data"]
    told[INSTRUMENTS]["data"] = [r for r in listing if r["instId"] != "BTC-USD-SWAP"]
    pools, unread = read(told)

    assert pools == [USDT, SOL]
    assert "nothing is told of BTC-USD-SWAP" in unread[BTC]
    assert "instId=BTC-USD-SWAP" in unread[BTC], "the request that would bring it"


def test_a_listing_that_can_t_be_read_blinds_its_own_pool_and_stops_no_asking():
    told = two_coins()
    for listed in told[INSTRUMENTS]["data"]:
        if listed["instId"] == "BTC-USD-SWAP":
            listed["ctType"] = "cubic"

    assert read(told)[0] == [USDT, SOL]
    assert "ctType" in read(told)[1][BTC]
    assert EXCHANGE.needed(wire.replies(told)) == ()


def test_a_contract_margined_in_a_strange_coin_blinds_that_coin_s_pool():
    told = two_coins()
    told[POSITIONS]["data"][3]["ccy"] = "ETH"
    told[BALANCE]["data"][0]["details"][1]["ccy"] = "ETH"

    assert read(told)[0] == [USDT, SOL]
    assert "margined in ETH and settles in BTC" in read(told)[1]["ETH"]


def test_tiers_that_can_t_be_read_blind_whom_they_are_of():
    told = two_coins()
    told[TIERS.format("cross", "BTC-USD")]["data"][0]["mmr"] = "-1"

    assert read(told)[0] == [USDT, SOL]


@pytest.mark.parametrize(
    ("error", "part"),
    [
        (Malformed("data[3].mmr", "a number"), True),
        (Malformed("details[ccy=BTC]", "the coin"), True),
        (MissingReply("nothing is told of it"), True),
        (Unmodelled("it is strange"), True),
        (Malformed("data", "a list"), False),
        (Malformed("body", "JSON"), False),
        (Malformed("code", "0"), False),
        (ExchangeError("down"), False),
    ],
)
def test_what_is_about_one_part_and_what_about_a_whole_reply(error, part):
    assert is_of_a_part(error) is part


# --- no tiers (F-38)


def without_tiers(told, margin_mode, family):
    """The replies where OKX said that it knows no such family."""
    request = TIERS.format(margin_mode, family)
    found = wire.replies({key: body for key, body in told.items() if key != request})
    return Replies(found, (request,))


def snapshot(replies):
    return EXCHANGE.read_account("main", replies).snapshot(wire.NOON)


def test_without_tiers_the_row_s_own_rate_holds_and_is_named():
    told = examples.w7()
    found = snapshot(without_tiers(told, "isolated", "SOL-USDT"))
    pool = pool_of(found, SOL)
    needed = evaluate(pool, found.marks, found.at).requirement

    # 50 × 171 = 8,550; OKX's own 1 % of it, and the fee of 0.05 %.
    assert needed.maintenance_margin == Decimal("85.5") + Decimal(8550) * Decimal("0.0005")
    assert pool.basis is Basis.PARTLY
    assert pool.carried == (
        "OKX tells no tiers of SOL-USDT-SWAP: maintenance rate 1.00 % as in OKX's own figure",
    )
    assert not found.unread


def test_without_tiers_or_a_figure_the_worst_rate_at_its_leverage_is_assumed():
    told = examples.w7()
    told[POSITIONS]["data"][2] |= {"mmr": "", "lever": "5"}
    found = snapshot(without_tiers(told, "isolated", "SOL-USDT"))
    pool = pool_of(found, SOL)
    needed = evaluate(pool, found.marks, found.at).requirement

    # 1 ÷ 5 − 0.3 points
    assert needed.maintenance_margin == Decimal(8550) * (Decimal("0.197") + Decimal("0.0005"))
    assert "19.7 % assumed" in pool.carried[0]


def test_in_a_cross_pool_each_position_without_tiers_stands_alone():
    found = snapshot(without_tiers(examples.w7(), "cross", "ETH-USDT"))
    pool = pool_of(found, USDT)
    needed = evaluate(pool, found.marks, found.at).requirement

    assert needed.maintenance_margin == 135, "W7: 86.4 + 48.6"
    assert [p.tiers.group for p in pool.positions] == ["SWAP BTC-USDT", None]
    assert pool.carried == (
        "OKX tells no tiers of ETH-USDT-SWAP: maintenance rate 0.400 % as in OKX's own figure",
    )


def test_tiers_that_nobody_asked_for_are_missing_all_the_same():
    told = examples.w7()
    del told[TIERS.format("isolated", "SOL-USDT")]

    assert "instFamily=SOL-USDT" in read(told)[1][SOL]


@pytest.mark.parametrize(
    ("leverage", "rate"),
    [
        (None, "0.495"),
        ("1", "0.495"),
        ("2", "0.495"),  # 50 % − 0.3 points is more than was ever seen
        ("5", "0.197"),
        ("50", "0.017"),
        ("100", "0.007"),
        ("125", "0.005"),
        ("200", "0.004"),  # never less than the least
    ],
)
def test_the_worst_rate_that_is_known(leverage, rate):
    assert worst_rate(None if leverage is None else Decimal(leverage)) == Decimal(rate)


@pytest.mark.parametrize("path", ["public/position-tiers", "account/trade-fee"])
def test_calls_for_one_family_say_by_which_codes_okx_has_nothing_of_it(path):
    told = {request: body for request, body in examples.w7().items() if path not in request}
    calls = [call for call in EXCHANGE.needed(wire.replies(told)) if path in call.path]

    assert calls
    assert all(call.absent_codes == {"51000", "51001"} for call in calls)


def test_so_does_the_call_for_one_contract():
    told = two_coins()
    listing = told[INSTRUMENTS]["data"]
    told[INSTRUMENTS]["data"] = [r for r in listing if r["instId"] != "BTC-USD-SWAP"]
    (call,) = EXCHANGE.needed(wire.replies(told))

    assert dict(call.query)["instId"] == "BTC-USD-SWAP"
    assert call.absent_codes == {"51000", "51001"}


@pytest.mark.parametrize("code", ["51000", "51001"])
def test_the_code_is_told_by_the_error(code):
    error = EXCHANGE.read_error(400, {}, {"code": code, "msg": "Parameter error", "data": []})
    assert isinstance(error, Malformed)
    assert error.code == code


# --- frames


def pools_after(*frames):
    found = after(*frames, told=two_coins()).snapshot(wire.NOON)
    return [p.id.name for p in found.pools], {p.name for p in found.unread}


def broken(number=0, **changes):
    return wire.push("positions", row(number, upl="?", **changes), instType="ANY")


def test_a_row_of_a_frame_blinds_its_own_pool_until_it_can_be_read():
    again = wire.push("positions", row(0, uTime=LATEST, pTime=LATEST), instType="ANY")

    assert pools_after(broken()) == ([BTC, SOL], {USDT})
    assert pools_after(broken(), again) == ([USDT, BTC, SOL], set())


def test_what_a_row_of_a_frame_does_not_tell_is_known_of_the_position():
    bare = {"instId": "BTC-USDT-SWAP", "posId": row(0)["posId"], "uTime": LATER}
    assert pools_after(wire.push("positions", bare, instType="ANY")) == ([BTC, SOL], {USDT})


def test_nor_does_it_keep_others_of_its_frame_from_being_taken():
    bad, good = row(0, upl="?"), row(2, margin="1700", uTime=LATEST)
    view = after(wire.push("positions", bad, good, instType="ANY"), told=two_coins())

    assert pool_of(view.snapshot(wire.NOON), SOL).collateral[0].balance == 1700


def test_a_list_with_such_a_row_closes_it_not_and_one_without_it_does():
    others = [
        {**held, "uTime": LATER, "pTime": LATEST} for held in two_coins()[POSITIONS]["data"][1:]
    ]
    with_it = wire.push("positions", row(0, upl="?"), *others, event="snapshot", instType="ANY")
    without = wire.push("positions", *others, event="snapshot", instType="ANY")

    assert pools_after(with_it) == ([BTC, SOL], {USDT})
    assert pools_after(with_it, without) == ([USDT, BTC, SOL], set())


def test_its_close_ends_it():
    gone = wire.push("positions", closed(row(0)["posId"], "BTC-USDT-SWAP"), instType="ANY")

    assert pools_after(broken(), gone) == ([USDT, BTC, SOL], set())


def test_rows_of_a_trade_are_kept_apart_too():
    trade = traded({**row(0), "avgPx": "?"}, cash="1300")
    coin = wire.push(
        "balance_and_position",
        {
            "pTime": LATER,
            "eventType": "transferred",
            "balData": [{"ccy": "BTC", "cashBal": "?", "uTime": LATER}],
            "posData": [],
        },
        event=None,
    )

    assert pools_after(trade) == ([BTC, SOL], {USDT})
    assert pools_after(coin) == ([USDT, SOL], {BTC})


def test_a_coin_of_a_frame_blinds_its_own_pool_until_it_can_be_read():
    bad = wire.push("account", usdt(cashBal="?"))

    assert pools_after(bad) == ([BTC, SOL], {USDT})
    assert pools_after(bad, wire.push("account", usdt(uTime=LATEST))) == ([USDT, BTC, SOL], set())
    whole = wire.push("account", usdt(cashBal="?"), event="snapshot")
    assert USDT in pools_after(whole)[1]
