"""What is asked for, in which order, and what the readers make of complete and broken replies."""

from __future__ import annotations

import copy
from collections import defaultdict

import ccxt.async_support as ccxt
import pytest

from monitor.errors import ExchangeError, Malformed, MissingReply, Refused, Unreachable
from monitor.exchanges.okx import EXCHANGE, calls
from monitor.exchanges.port import Replies
from monitor.risk.evaluate import evaluate
from tests.exchanges.okx import wire

BALANCE = "GET /api/v5/account/balance"
CONFIG = "GET /api/v5/account/config"
POSITIONS = "GET /api/v5/account/positions"
INSTRUMENTS = "GET /api/v5/public/instruments?instType=SWAP"
FEES = "GET /api/v5/account/trade-fee?instType=SWAP"
TIERS = "GET /api/v5/public/position-tiers?instType=SWAP&tdMode=cross&instFamily=BTC-USDT"
DISCOUNTS = "GET /api/v5/public/discount-rate-interest-free-quota"


def asked_in_turn(answers):
    """What `needed` asks for, round by round, answered out of the whole lists."""
    whole, given, rounds = wire.replies(answers), [], []
    while wanted := EXCHANGE.needed(Replies(given)):
        rounds.append(list(wanted))
        assert len(rounds) < 9, "it must come to an end"
        for call in wanted:
            answer = whole.find(call)
            assert answer is not None, call.request
            given.append(wire.reply(call.request, answer.body))
    return rounds, Replies(given)


def requests(rounds):
    return [[call.request for call in calls_] for calls_ in rounds]


def test_it_asks_for_mode_balance_and_positions_and_then_for_what_is_held():
    rounds, replies = asked_in_turn(wire.w7())

    swap = "GET /api/v5/public/instruments?instType=SWAP&instFamily={0}-USDT&instId={0}-USDT-SWAP"
    fee = "GET /api/v5/account/trade-fee?instType=SWAP&instFamily={}-USDT"
    tier = "GET /api/v5/public/position-tiers?instType=SWAP&tdMode={1}&instFamily={0}-USDT"
    stop = "GET /api/v5/trade/orders-algo-pending?ordType={}&instType=SWAP"
    assert requests(rounds) == [
        [CONFIG, BALANCE, POSITIONS],
        [
            *(swap.format(coin) for coin in ("BTC", "ETH", "SOL")),
            *(stop.format(kind) for kind in wire.STOP_KINDS),
        ],
        [
            *(fee.format(coin) for coin in ("BTC", "ETH", "SOL")),
            tier.format("BTC", "cross"),
            tier.format("ETH", "cross"),
            tier.format("SOL", "isolated"),
        ],
    ]
    assert EXCHANGE.read_account("main", replies).snapshot(wire.NOON).pools


def test_in_multi_currency_mode_it_asks_for_discounts_and_the_marks_to_follow():
    told = wire.multi()
    told[POSITIONS]["data"].pop(0)
    rounds, replies = asked_in_turn(told)
    later = [request for calls_ in requests(rounds)[1:] for request in calls_]

    assert f"{DISCOUNTS}?ccy=BTC" in later
    assert not any("JFI" in request for request in later), "what counts nothing needs no table"
    assert "GET /api/v5/public/mark-price?instType=SWAP" in later
    followed = "instType=SWAP&instFamily=BTC-USDT&instId=BTC-USDT-SWAP"
    assert requests(rounds)[-1] == [f"GET /api/v5/public/instruments?{followed}"]
    read = EXCHANGE.read_account("main", replies).snapshot(wire.NOON)
    assert [i.exchange_symbol for i in read.followed] == ["BTC-USDT-SWAP", "ETH-USDT-SWAP"][:1]


def test_many_tables_of_a_kind_are_asked_for_at_once():
    told = wire.w7()
    coins = ("BTC", "ETH", "SOL", "XRP", "LTC")
    told[POSITIONS] = wire.envelope(
        *(wire.position(f"{coin}-USDT-SWAP", "1", "100", "100") for coin in coins)
    )
    told[BALANCE]["data"][0]["details"][0].update(upl="0", isoUpl="0")
    rounds, replies = asked_in_turn(told)
    asked = [request for calls_ in requests(rounds) for request in calls_]

    assert INSTRUMENTS in asked
    assert FEES in asked
    assert len(asked) == 3 + 1 + 4 + 1 + len(coins)
    # A listing that this morning's list does not know is asked for by its id.
    told[POSITIONS]["data"].append(wire.position("NEW-USDT-SWAP", "1", "1", "1"))
    again = Replies(
        [*(r for r in replies if r.request != POSITIONS), wire.reply(POSITIONS, told[POSITIONS])]
    )
    new = "instType=SWAP&instFamily=NEW-USDT&instId=NEW-USDT-SWAP"
    assert [call.request for call in EXCHANGE.needed(again)] == [
        f"GET /api/v5/public/instruments?{new}"
    ]


def test_an_idle_account_needs_three_calls():
    told = wire.bodies(wire.config(), wire.envelope(), wire.balance())

    assert requests(asked_in_turn(told)[0]) == [[CONFIG, BALANCE, POSITIONS]]


@pytest.mark.parametrize("level", ["1", "4"])
def test_of_a_mode_that_is_not_watched_nothing_more_is_asked(level):
    told = wire.bodies(wire.config(level), wire.w7()[POSITIONS], wire.balance())

    assert len(asked_in_turn(told)[0]) == 1


def test_a_row_without_a_mark_asks_for_it():
    told = wire.w7()
    told[POSITIONS]["data"][0]["markPx"] = ""
    rounds, _ = asked_in_turn(
        told
        | {
            "GET /api/v5/public/mark-price?instType=SWAP": wire.envelope(
                wire.mark("BTC-USDT-SWAP", "96000")
            )
        }
    )
    mark = next(call for call in rounds[-1] if call.path.endswith("mark-price"))
    assert mark.optional

    told["GET /api/v5/public/mark-price?instType=SWAP"] = wire.envelope(
        wire.mark("BTC-USDT-SWAP", "96001")
    )
    assert wire.snapshot(told).marks["BTC/USDT:USDT"].price == 96001


def every_call():
    return [call for _, calls_ in EXCHANGE.catalogue for call in calls_] + [
        EXCHANGE.time_call,
        *EXCHANGE.permission_calls,
        calls.ALL_INSTRUMENTS,
        calls.ALL_FEES,
        calls.ALL_DISCOUNTS,
        calls.stops("oco", after="1"),
    ]


@pytest.fixture(scope="module")
def client():
    return ccxt.okx()


@pytest.mark.parametrize("call", every_call(), ids=lambda call: call.request)
def test_every_call_is_one_that_ccxt_can_sign(client, call):
    assert callable(getattr(client, call.implicit))
    # «privateGetAccountTradeFee» is GET account/trade-fee, privately.
    words = call.path.removeprefix("/api/v5/").replace("/", "-").split("-")
    scope = "private" if words[0] in ("account", "trade") else "public"
    assert call.implicit == scope + "Get" + "".join(word.capitalize() for word in words)


@pytest.mark.parametrize("call", every_call(), ids=lambda call: call.request)
def test_what_must_be_new_is_asked_at_every_poll(call):
    ages = {
        "/api/v5/account/balance": 0,
        "/api/v5/account/positions": 0,
        "/api/v5/public/mark-price": 0,
        "/api/v5/public/time": 0,
        "/api/v5/account/config": 60,
        "/api/v5/trade/orders-algo-pending": 60,
        "/api/v5/public/instruments": 86_400,
        "/api/v5/public/position-tiers": 3600,
        "/api/v5/account/trade-fee": 3600,
        "/api/v5/public/discount-rate-interest-free-quota": 3600,
    }
    assert call.max_age_seconds == ages[call.path]


def test_what_is_optional_is_marks_and_stops_alone():
    optional = {call.path for call in every_call() if call.optional}

    assert optional == {"/api/v5/public/mark-price", "/api/v5/trade/orders-algo-pending"}


@pytest.mark.parametrize("told", [wire.w7, wire.w8, wire.multi])
def test_three_accounts_keep_to_a_fifth_of_every_published_limit(told):
    rounds, _ = asked_in_turn(told())
    per_minute = defaultdict(float)
    limits = {}
    for call in (call for calls_ in rounds for call in calls_):
        polls = 60 / max(call.max_age_seconds, 15)
        per_minute[call.budget.name] += 3 * polls * call.weight
        limits[call.budget.name] = call.budget.per_minute
    assert limits["okx public/position-tiers"] == 300
    assert limits["okx account/trade-fee"] == 150
    for name, used in per_minute.items():
        assert used <= limits[name] / 5, name


# Broken replies: never «nothing held».

NOT_OKX = ["<html>Maintenance</html>", "", None, {}, [], '{"code":"0","data":[{"ccy":', 7]


@pytest.mark.parametrize("request_", [CONFIG, BALANCE, POSITIONS, INSTRUMENTS, FEES, TIERS])
@pytest.mark.parametrize("body", NOT_OKX)
def test_what_is_not_okxs_json_is_an_error(request_, body):
    told = wire.w7() | {request_: body}

    with pytest.raises(Malformed, match="body") as caught:
        wire.snapshot(told)
    assert request_.split("?")[0] in caught.value.call
    assert caught.value.exchange == "okx"


@pytest.mark.parametrize("request_", [CONFIG, BALANCE, POSITIONS, FEES, TIERS])
def test_an_envelope_without_data_is_an_error(request_):
    with pytest.raises(ExchangeError):
        wire.snapshot(wire.w7() | {request_: wire.envelope()})
    with pytest.raises(Malformed, match="data"):
        wire.snapshot(wire.w7() | {request_: {"code": "0", "msg": ""}})


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
        wire.view(wire.w7() | {BALANCE: refused})
    with pytest.raises(Unreachable, match="GET /api/v5/account/positions"):
        wire.view(wire.w7() | {POSITIONS: busy})


@pytest.mark.parametrize("request_", list(wire.w7()))
def test_every_reply_that_figures_need_is_missed_by_name(request_):
    told = wire.w7()
    del told[request_]
    unused = ("mark-price", "discount", "orders-algo")
    families = ("BTC-USD&", "XRP", "LTC", "ETH-USD&", "USDC", "tdMode=isolated&instFamily=BTC")
    if any(word in f"{request_}&" for word in (*unused, *families)) or (
        "tiers" in request_ and ("SOL" in request_) == ("cross" in request_)
    ):
        assert wire.snapshot(told).pools
        return
    with pytest.raises(MissingReply) as caught:
        wire.snapshot(told)
    assert caught.value.call.startswith(request_)


# Every field that figures need, taken away in turn.

NEEDED = {
    CONFIG: ("data[0]", ("acctLv", "posMode")),
    BALANCE: ("data[0]", ("adjEq", "imr", "mmr", "mgnRatio", "details")),
    f"{BALANCE} details": (
        "data[0].details[0]",
        ("ccy", "eq", "cashBal", "upl", "isoUpl", "isoEq", "stgyEq", "ordFrozen", "liab")
        + ("eqUsd", "disEq", "imr", "mmr", "mgnRatio"),
    ),
    POSITIONS: (
        "data[0]",
        ("instType", "instId", "posId", "pos", "posSide", "mgnMode", "ccy", "avgPx")
        + ("upl", "mmr", "mgnRatio"),
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
    told = wire.w7()
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
    with pytest.raises(Malformed) as caught:
        wire.snapshot(told)
    assert caught.value.path.removesuffix("[0]") == f"{path}.{field}"
    assert caught.value.call.startswith(request_.split("?")[0])


def test_discounts_are_missed_by_their_path():
    for field in ("details", "minDiscountRate"):
        told = wire.multi()
        for row in told[DISCOUNTS]["data"]:
            if row["ccy"] == "BTC":
                del row[field]
        with pytest.raises(Malformed, match=rf"data\[2\]\.{field}"):
            wire.snapshot(told)
    for field in ("maxAmt", "discountRate"):
        told = wire.multi()
        del told[DISCOUNTS]["data"][2]["details"][0][field]
        with pytest.raises(Malformed, match=rf"data\[2\]\.details\[0\]\.{field}"):
            wire.snapshot(told)


def test_what_a_coin_is_worth_must_be_told():
    told = wire.multi()
    told[BALANCE]["data"][0]["details"][2]["eqUsd"] = ""

    with pytest.raises(Malformed, match="ccy=OKB"):
        wire.snapshot(told)


@pytest.mark.parametrize(
    ("field", "value"),
    [("avgPx", "0"), ("avgPx", "-1"), ("markPx", "0"), ("markPx", "NaN"), ("pos", "x")]
    + [("posSide", "both"), ("mgnMode", "portfolio")],
)
def test_figures_that_cannot_be_are_named(field, value):
    told = wire.w7()
    told[POSITIONS]["data"][0][field] = value

    with pytest.raises(Malformed, match=rf"data\[0\]\.{field}"):
        wire.snapshot(told)


@pytest.mark.parametrize(("field", "value"), [("acctLv", "5"), ("posMode", "dual")])
def test_modes_that_are_not_known_yet_are_named(field, value):
    told = wire.w7() | {CONFIG: wire.config(**{field: value})}

    with pytest.raises(Malformed, match=field):
        wire.view(told)


def test_numbers_are_read_as_json_numbers_too():
    told = wire.w7()
    for row in told[POSITIONS]["data"]:
        row["pos"], row["adl"] = int(row["pos"]), int(row["adl"])
    told[BALANCE]["data"][0]["details"][0]["cashBal"] = 1300

    assert evaluate((read := wire.snapshot(told)).pools[0], read.marks, read.at).requirement.ratio


def test_what_is_optional_in_meaning_is_none_where_it_is_not_told():
    told = wire.bodies(
        wire.config(), copy.deepcopy(wire.w7()[POSITIONS]), wire.w7()[BALANCE], stops=None
    )
    for row in told[POSITIONS]["data"]:
        del row["lever"], row["adl"], row["liqPx"], row["closeOrderAlgo"]
    position = wire.snapshot(told).pools[0].positions[0]

    assert position.leverage is None
    assert position.initial_rate is None
    assert position.adl_rank is None
    assert position.has_stop_loss is None
    assert position.reported_liquidation_price is None


def test_the_symbols_are_ccxts():
    held = [
        wire.position("BTC-USDT-SWAP", "1", "96000", "96000"),
        wire.position("BTC-USD-SWAP", "1", "96000", "96000", ccy="BTC"),
        wire.position("BTC-USDC-SWAP", "1", "96000", "96000", ccy="USDC"),
    ]
    coins = (wire.coin("USDT", "10"), wire.coin("BTC", "1"), wire.coin("USDC", "10"))
    told = wire.bodies(wire.config(), wire.envelope(*held), wire.balance(*coins))

    assert {i.exchange_symbol: i.symbol for i in wire.snapshot(told).instruments()} == {
        "BTC-USDT-SWAP": "BTC/USDT:USDT",
        "BTC-USD-SWAP": "BTC/USD:BTC",
        "BTC-USDC-SWAP": "BTC/USDC:USDC",
    }
