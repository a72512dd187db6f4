"""Replies that are no answer, or lack what figures need: an error by name, never «nothing held»."""

from __future__ import annotations

import pytest

from monitor.errors import ExchangeError, Malformed, Refused, Unreachable
from tests.exchanges.okx import examples, wire

BALANCE = "GET /api/v5/account/balance"
CONFIG = "GET /api/v5/account/config"
POSITIONS = "GET /api/v5/account/positions"
INSTRUMENTS = "GET /api/v5/public/instruments?instType=SWAP"
FEES = "GET /api/v5/account/trade-fee?instType=SWAP"
TIERS = "GET /api/v5/public/position-tiers?instType=SWAP&tdMode=cross&instFamily=BTC-USDT"
DISCOUNTS = "GET /api/v5/public/discount-rate-interest-free-quota"


# Broken replies: never «nothing held».

NOT_OKX = ["<html>Maintenance</html>", "", None, {}, [], '{"code":"0","data":[{"ccy":', 7]


@pytest.mark.parametrize("request_", [CONFIG, BALANCE, POSITIONS, INSTRUMENTS, FEES, TIERS])
@pytest.mark.parametrize("body", NOT_OKX)
def test_what_is_not_okxs_json_is_an_error(request_, body):
    told = examples.w7() | {request_: body}

    with pytest.raises(Malformed, match="body") as caught:
        wire.snapshot(told)
    assert request_.split("?")[0] in caught.value.call
    assert caught.value.exchange == "okx"


@pytest.mark.parametrize("request_", [CONFIG, BALANCE, POSITIONS, FEES, TIERS])
def test_an_envelope_without_data_is_an_error(request_):
    with pytest.raises(ExchangeError):
        wire.snapshot(examples.w7() | {request_: wire.envelope()})
    with pytest.raises(Malformed, match="data"):
        wire.snapshot(examples.w7() | {request_: {"code": "0", "msg": ""}})


@pytest.mark.parametrize(
    ("changes", "mode"),
    [
        ({"upl": "-1100"}, "cross"),
        ({"mgnRatio": "1.5"}, "cross"),
        ({"upl": "-450", "isoUpl": "-450"}, "isolated"),
    ],
)
def test_positions_that_vanish_while_the_balance_tells_of_them_are_an_error(changes, mode):
    told = wire.bodies(
        wire.config(), wire.envelope(), wire.balance(wire.coin("USDT", "1300", **changes))
    )

    with pytest.raises(Malformed, match=f"the {mode} positions in USDT"):
        wire.view(told)


def test_replies_with_an_error_of_okx_raise_it():
    refused = {"code": "50111", "msg": "Invalid OK-ACCESS-KEY", "data": []}
    busy = {"code": "50013", "msg": "Systems are busy", "data": []}

    with pytest.raises(Refused, match="GET /api/v5/account/balance"):
        wire.view(examples.w7() | {BALANCE: refused})
    with pytest.raises(Unreachable, match="GET /api/v5/account/positions"):
        wire.view(examples.w7() | {POSITIONS: busy})


@pytest.mark.parametrize("request_", list(examples.w7()))
def test_every_reply_that_figures_need_is_missed_by_name(request_):
    told = examples.w7()
    del told[request_]
    unused = ("mark-price", "discount", "orders-algo", "asset", "bills", "funding", "MARGIN")
    families = ("BTC-USD&", "XRP", "LTC", "ETH-USD&", "USDC", "tdMode=isolated&instFamily=BTC")
    if any(word in f"{request_}&" for word in (*unused, *families)) or (
        "tiers" in request_ and ("SOL" in request_) == ("cross" in request_)
    ):
        assert wire.snapshot(told).pools
        return
    assert request_ in wire.missed(told)


# Every field that figures need, taken away in turn.

NEEDED = {
    CONFIG: ("data[0]", ("acctLv", "posMode")),
    BALANCE: ("data[0]", ("adjEq", "imr", "mmr", "mgnRatio", "details")),
    f"{BALANCE} details": (
        "data[0].details[0]",
        (
            "ccy",
            "eq",
            "cashBal",
            "upl",
            "isoUpl",
            "isoEq",
            "stgyEq",
            "ordFrozen",
            "liab",
            "eqUsd",
            "disEq",
            "imr",
            "mmr",
            "mgnRatio",
        ),
    ),
    POSITIONS: (
        "data[0]",
        (
            "instType",
            "instId",
            "posId",
            "pos",
            "posSide",
            "mgnMode",
            "ccy",
            "avgPx",
            "upl",
            "mmr",
            "mgnRatio",
        ),
    ),
    f"{POSITIONS} isolated": ("data[2]", ("margin",)),
    INSTRUMENTS: (
        "data[0]",
        ("instFamily", "uly", "ctType", "ctVal", "ctMult", "settleCcy", "lotSz"),
    ),
    TIERS: ("data[0]", ("instFamily", "maxSz", "mmr")),
    f"{FEES} groups": ("data[0].feeGroup[0]", ("groupId", "taker")),
}


def walk(body, path):
    for step in path.replace("]", "").replace("[", ".").split("."):
        body = body[int(step) if step.isdigit() else step]
    return body


@pytest.mark.parametrize(
    ("where", "path", "field"),
    [(w, path, field) for w, (path, fields) in NEEDED.items() for field in fields],
)
@pytest.mark.parametrize("instead", ["gone", "null", "nonsense"])
def test_every_required_field_is_missed_by_its_path(where, path, field, instead):
    told = examples.w7()
    request_ = " ".join(where.split(" ")[:2])
    row = walk(told[request_], path)
    if instead == "gone":
        del row[field]
    else:
        row[field] = None if instead == "null" else ["?"]
    # null says «not applicable» where an empty string does.
    empty_allowed = ("adjEq", "imr", "mmr", "mgnRatio", "upl", "isoUpl", "isoEq", "stgyEq")
    empty_allowed += ("ordFrozen", "liab", "eqUsd", "disEq")
    if instead == "null" and field in empty_allowed and request_ in (BALANCE, POSITIONS):
        assert wire.snapshot(told).pools
        return
    why = wire.missed(told)
    assert f"{path}.{field}: " in why.replace("[0]: ", ": ")
    assert request_.split("?")[0] in why


def test_discounts_are_missed_by_their_path():
    for field in ("details", "minDiscountRate"):
        told = examples.multi()
        for row in told[DISCOUNTS]["data"]:
            if row["ccy"] == "BTC":
                del row[field]
        with pytest.raises(Malformed, match=rf"data\[2\]\.{field}"):
            wire.snapshot(told)
    for field in ("maxAmt", "discountRate"):
        told = examples.multi()
        del told[DISCOUNTS]["data"][2]["details"][0][field]
        with pytest.raises(Malformed, match=rf"data\[2\]\.details\[0\]\.{field}"):
            wire.snapshot(told)


def test_what_a_coin_is_worth_must_be_told():
    told = examples.multi()
    told[BALANCE]["data"][0]["details"][2]["eqUsd"] = ""

    with pytest.raises(Malformed, match="ccy=OKB"):
        wire.snapshot(told)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("avgPx", "0"),
        ("avgPx", "-1"),
        ("markPx", "0"),
        ("markPx", "NaN"),
        ("pos", "x"),
        ("posSide", "both"),
        ("mgnMode", "portfolio"),
    ],
)
def test_figures_that_cannot_be_are_named(field, value):
    told = examples.w7()
    told[POSITIONS]["data"][0][field] = value

    assert f"data[0].{field}: " in wire.missed(told)


@pytest.mark.parametrize(("field", "value"), [("acctLv", "5"), ("posMode", "dual")])
def test_modes_that_are_not_known_yet_are_named(field, value):
    told = examples.w7() | {CONFIG: wire.config(**{field: value})}

    with pytest.raises(Malformed, match=field):
        wire.view(told)
