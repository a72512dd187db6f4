"""What the readers make of complete and broken replies."""

from __future__ import annotations

from decimal import Decimal

import pytest

from monitor.errors import ExchangeError, Malformed, MissingReply, Refused
from monitor.exchanges.binance import EXCHANGE
from monitor.risk import evaluate
from tests.exchanges.binance import coins, wire
from tests.exchanges.binance.held import told

REQUIRED = {
    "GET /fapi/v1/accountConfig": {
        "accountConfig": {"dualSidePosition", "multiAssetsMargin"},
    },
    "GET /fapi/v3/account": {
        "account": {"assets", "positions"},
        "account.assets[0]": {
            "asset",
            "crossWalletBalance",
            "crossUnPnl",
            "maintMargin",
            "initialMargin",
            "openOrderInitialMargin",
        },
        "account.positions[0]": {
            "symbol",
            "positionSide",
            "positionAmt",
        },
    },
    "GET /fapi/v3/positionRisk": {
        "positionRisk[0]": {
            "symbol",
            "positionSide",
            "positionAmt",
            "entryPrice",
            "unRealizedProfit",
            "isolatedMargin",
            "isolatedWallet",
            "maintMargin",
            "marginAsset",
        },
    },
    "GET /fapi/v1/exchangeInfo": {
        "exchangeInfo": {"symbols"},
        "exchangeInfo.symbols[0]": {
            "symbol",
            "baseAsset",
            "quoteAsset",
            "marginAsset",
        },
        "exchangeInfo.symbols[0].filters[1]": {"filterType", "stepSize"},
    },
    "GET /fapi/v1/leverageBracket": {
        "leverageBracket[0]": {"symbol", "brackets"},
        "leverageBracket[0].brackets[0]": {
            "notionalCap",
            "notionalFloor",
            "maintMarginRatio",
            "cum",
        },
    },
}


def _objects(value, path):
    """Every JSON object below, by its path."""
    if isinstance(value, dict):
        yield path, value
        for key, inner in value.items():
            yield from _objects(inner, f"{path}.{key}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _objects(inner, f"{path}[{index}]")


def _fields():
    for request, by_path in REQUIRED.items():
        root = request.rsplit("/", 1)[-1]
        for path, row in _objects(told()[request], root):
            for key in row:
                if path in by_path:
                    yield request, path, key


@pytest.mark.parametrize(("request_line", "path", "key"), list(_fields()))
def test_a_field_is_named_when_it_is_missing_or_else_counts_for_nothing(request_line, path, key):
    whole = wire.snapshot(told())
    broken = told()
    root = request_line.rsplit("/", 1)[-1]
    (row,) = [row for found, row in _objects(broken[request_line], root) if found == path]
    del row[key]

    if key in REQUIRED[request_line][path]:
        with pytest.raises(Malformed) as caught:
            wire.snapshot(broken)
        assert caught.value.path == f"{path}.{key}"
    elif key == "markPrice":
        assert "BTC/USDT:USDT" not in wire.snapshot(broken).marks
    else:
        taken = wire.snapshot(broken)
        assert _figures(taken) == _figures(whole)


def _figures(taken):
    return [(pool.id, evaluate(pool, taken.marks, wire.NOON).requirement) for pool in taken.pools]


UNREADABLE = ["", None, "NaN", "Infinity", "1e999", "abc", True, [], {}]


@pytest.mark.parametrize("nonsense", UNREADABLE)
@pytest.mark.parametrize(
    ("request_line", "steps"),
    [
        ("GET /fapi/v3/account", ("assets", 0, "crossWalletBalance")),
        ("GET /fapi/v3/account", ("assets", 0, "maintMargin")),
        ("GET /fapi/v3/positionRisk", (0, "positionAmt")),
        ("GET /fapi/v3/positionRisk", (0, "entryPrice")),
        ("GET /fapi/v3/positionRisk", (0, "maintMargin")),
        ("GET /fapi/v1/leverageBracket", (0, "brackets", 0, "cum")),
        ("GET /fapi/v1/leverageBracket", (0, "brackets", 0, "maintMarginRatio")),
    ],
)
def test_nonsense_is_never_a_number(request_line, steps, nonsense):
    broken = told()
    *way, last = steps
    row = broken[request_line]
    for step in way:
        row = row[step]
    row[last] = nonsense

    with pytest.raises(Malformed) as caught:
        wire.snapshot(broken)
    assert caught.value.path.endswith(f".{last}")


@pytest.mark.parametrize("mark", ["0", "-1", "NaN", "0.00000000"])
def test_a_position_row_with_a_mark_that_cannot_be_one_is_refused(mark):
    broken = told()
    broken["GET /fapi/v3/positionRisk"][0]["markPrice"] = mark

    with pytest.raises(Malformed, match=r"positionRisk\[0\]\.markPrice"):
        wire.snapshot(broken)


NO_ACCOUNTS = [
    "<html><body>maintenance</body></html>",
    "",
    None,
    {},
    [],
    {"assets": [], "positions": []},
    {"assets": {}, "positions": []},
    {"assets": [None], "positions": []},
    {"assets": [{}], "positions": None},
]


@pytest.mark.parametrize("body", NO_ACCOUNTS)
def test_no_broken_account_reply_is_an_account_without_positions(body):
    broken = told()
    broken["GET /fapi/v3/account"] = body

    with pytest.raises(Malformed):
        wire.snapshot(broken)


def test_a_wallet_without_any_asset_is_no_empty_wallet():
    broken = wire.bodies([], {})

    with pytest.raises(Malformed, match=r"account\.assets: expected at least one asset"):
        wire.snapshot(broken)


@pytest.mark.parametrize("body", ["<html></html>", "", None, {}, {"data": []}, [[]], [None]])
def test_no_broken_position_reply_is_an_account_without_positions(body):
    broken = told()
    broken["GET /fapi/v3/positionRisk"] = body

    with pytest.raises(Malformed):
        wire.snapshot(broken)


def test_an_empty_position_list_beside_an_account_that_holds_some_is_refused():
    broken = told()
    broken["GET /fapi/v3/positionRisk"] = []

    with pytest.raises(Malformed, match="others in BTCUSDT, ETHUSDT, SOLUSDC"):
        wire.snapshot(broken)


def test_replies_of_two_moments_are_refused():
    broken = told()
    broken["GET /fapi/v3/account"]["positions"][1]["positionAmt"] = "-9"

    with pytest.raises(Malformed, match=r"others in ETHUSDT .*read both again"):
        wire.snapshot(broken)


@pytest.mark.parametrize(
    "request_line",
    [
        "GET /fapi/v1/accountConfig",
        "GET /fapi/v3/account",
        "GET /fapi/v3/positionRisk",
        "GET /fapi/v1/leverageBracket",
    ],
)
def test_a_reply_that_is_not_there_is_named(request_line):
    broken = told()
    del broken[request_line]

    with pytest.raises(MissingReply) as caught:
        wire.snapshot(broken)
    assert request_line.split(" ")[1] in caught.value.call


@pytest.mark.parametrize(
    ("name", "unified"), [("BTCUSDT", "BTC/USDT:USDT"), ("BTCUSDT_260327", "BTC/USDT:USDT-260327")]
)
def test_without_a_contract_list_the_name_says_what_a_contract_is(name, unified):
    row = wire.position(name, "1", "60000", "61000", "244")
    told = wire.bodies([row], {"USDT": "8000"}, {name: wire.BTC_2026})
    del told["GET /fapi/v1/exchangeInfo"]

    (pool,) = wire.snapshot(told).pools

    (position,) = pool.positions
    assert (position.instrument.symbol, position.instrument.exchange_symbol) == (unified, name)
    # No step is known: a reduction is told as fine as an amount can be.
    assert position.instrument.lot == Decimal("1e-8")


def test_a_contract_row_may_lack_its_step():
    row = wire.position("BTCUSDT", "1", "60000", "61000", "244")
    told = wire.bodies([row], {"USDT": "8000"})
    for key in ("filters", "quantityPrecision"):
        told["GET /fapi/v1/exchangeInfo"]["symbols"][0].pop(key, None)

    (pool,) = wire.snapshot(told).pools

    assert pool.positions[0].instrument.lot == Decimal("1e-8")


@pytest.mark.parametrize("hedge", [True, False])
def test_two_replies_tell_the_two_modes_as_well_as_one(hedge):
    told = wire.bodies([], {"USDT": "8000"})
    del told["GET /fapi/v1/accountConfig"]
    told["GET /fapi/v1/multiAssetsMargin"] = {"multiAssetsMargin": False}
    told["GET /fapi/v1/positionSide/dual"] = {"dualSidePosition": hedge}

    asked = [call.request for call in EXCHANGE.needed(wire.replies(told))]

    assert "GET /fapi/v1/accountConfig" not in asked
    assert wire.snapshot(told).mode.endswith("hedge" if hedge else "one-way")


def test_one_mode_alone_is_not_enough():
    told = wire.bodies([], {"USDT": "8000"})
    del told["GET /fapi/v1/accountConfig"]
    told["GET /fapi/v1/multiAssetsMargin"] = {"multiAssetsMargin": False}

    with pytest.raises(MissingReply) as caught:
        wire.snapshot(told)
    assert "/fapi/v1/accountConfig" in caught.value.call


@pytest.mark.parametrize(
    "request_line",
    [
        "GET /fapi/v1/symbolConfig",
        "GET /fapi/v1/openAlgoOrders",
        "GET /fapi/v1/openOrders",
        "GET /sapi/v1/account/info",
        "GET /fapi/v1/commissionRate?symbol=BTCUSDT",
    ],
)
@pytest.mark.parametrize("refusal", [None, {"code": -2015, "msg": "Invalid API-key"}, "<html>"])
def test_what_is_optional_breaks_nothing(request_line, refusal):
    whole = wire.snapshot(told())
    without = told()
    del without[request_line]
    more = [] if refusal is None else [wire.reply(request_line, refusal, status=401)]

    taken = wire.snapshot(without, *more)

    ratios = [(pool, figures.ratio) for pool, figures in _figures(taken)]
    assert ratios == [(pool, figures.ratio) for pool, figures in _figures(whole)]


def test_a_refused_account_call_says_why():
    broken = told()
    del broken["GET /fapi/v3/account"]
    refusal = wire.reply("GET /fapi/v3/account", {"code": -2015, "msg": "…"}, status=401)

    with pytest.raises(Refused, match="Enable Reading"):
        wire.snapshot(broken, refusal)


def test_a_coin_margined_row_among_the_others_is_refused():
    rows = [wire.position("BTCUSD_PERP", "3", "68911", "68234.2", "0.0001", asset="BTC")]
    answers = wire.bodies(rows, {"BTC": "1"}) | coins.lists("BTCUSD_PERP")

    with pytest.raises(Malformed, match="positions of USDⓈ-M, found BTCUSD_PERP"):
        wire.snapshot(answers)


def test_a_margin_asset_that_contradicts_the_contract_is_refused():
    answers = told()
    answers["GET /fapi/v3/positionRisk"][0]["marginAsset"] = "USDC"

    with pytest.raises(Malformed, match=r"positionRisk\.BTCUSDT\.marginAsset: expected USDT"):
        wire.snapshot(answers)


@pytest.mark.parametrize(("side", "amount"), [("LONG", "-1"), ("SHORT", "1")])
def test_an_amount_that_contradicts_its_side_is_refused(side, amount):
    row = wire.position("BTCUSDT", amount, "60000", "61000", "244", side=side)

    with pytest.raises(Malformed, match="positionAmt"):
        wire.snapshot(wire.bodies([row], {"USDT": "8000"}, hedge=True))


def test_a_position_told_twice_is_refused():
    row = wire.position("BTCUSDT", "1", "60000", "61000", "244")

    with pytest.raises(Malformed, match="BTCUSDT BOTH twice"):
        wire.snapshot(wire.bodies([row, row], {"USDT": "8000"}))


def test_rows_without_a_position_are_passed_over():
    flat = {"symbol": "XRPUSDT", "positionSide": "BOTH", "positionAmt": "0.0"}
    answers = told()
    answers["GET /fapi/v3/positionRisk"].append(flat)
    answers["GET /fapi/v3/account"]["positions"].append(flat)

    assert _figures(wire.snapshot(answers)) == _figures(wire.snapshot(told()))


def test_the_clock_is_read():
    assert EXCHANGE.read_time({"serverTime": 1_795_348_800_000}) == wire.NOON
    with pytest.raises(ExchangeError):
        EXCHANGE.read_time("<html>")
