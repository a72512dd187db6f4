"""COIN-M: a pool per coin, beside USDⓈ-M's, read from payloads and evaluated."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from monitor.errors import Malformed, MissingReply
from monitor.exchanges.binance import EXCHANGE
from monitor.exchanges.binance.coin import is_readable, read_ranks
from monitor.exchanges.call import Replies
from monitor.risk import Verdict, evaluate, liquidation_prices, reconcile
from monitor.risk.model import MarginMode, Payoff
from tests.exchanges.binance import coins, wire

D = Decimal
PERP = "BTCUSD_PERP"
DATED = "BTCUSD_261225"


def held(rows, wallets, maintenance):
    return coins.beside(wire.bodies([], {"USDT": "0"}), rows, wallets, maintenance)


def pool_of(told, name):
    taken = wire.snapshot(told)
    pool = next(pool for pool in taken.pools if pool.id.name == name)
    return taken, pool, evaluate(pool, taken.marks, wire.NOON)


def near(value, expected):
    wanted = D(expected)
    return value is not None and value.quantize(wanted) == wanted


@pytest.mark.parametrize(
    ("amount", "ratio", "end", "profit"),
    [
        ("100", "0.046222", "23100.8850", "-0.01538462"),
        ("-100", "0.024471", "29765.5172", "0.01538462"),
    ],
)
def test_a_hundred_contracts_at_25_000(amount, ratio, end, profit):
    """
    Binance's FAQ: 100 BTCUSD contracts at 25,000 are 0.4 BTC, and 0.0016 BTC of maintenance.

    The wallet of 0.05 BTC, the entry at 26,000 and so the ends are worked out by hand.
    """
    row = coins.position(PERP, amount, "26000", "25000")

    taken, pool, risk = pool_of(held([row], {"BTC": "0.05"}, {PERP: "0.0016"}), "BTC")

    (leg,) = risk.positions
    assert leg.position.instrument.payoff is Payoff.INVERSE
    assert leg.position.instrument.symbol == "BTC/USD:BTC"
    assert (pool.unit, pool.wallet) == ("BTC", "COIN-M Futures wallet")
    assert leg.notional == D("0.4")
    assert risk.requirement.maintenance_margin == D("0.0016")
    assert near(leg.unrealized_pnl, profit)
    assert near(risk.requirement.ratio, ratio)
    assert near(liquidation_prices(pool, taken.marks, "BTC/USD:BTC").nearest, end)
    assert reconcile(risk, taken.reported[pool.id]).verdict is Verdict.AGREES


def test_perpetual_and_dated_contracts_of_a_coin_share_its_wallet():
    rows = [
        coins.position(PERP, "100", "26000", "25000"),
        coins.position(DATED, "-50", "26000", "25100"),
    ]
    margins = {PERP: "0.0016", DATED: "0.00079681"}

    taken, pool, risk = pool_of(held(rows, {"BTC": "0.05", "ETH": "0"}, margins), "BTC")

    assert [p.instrument.symbol for p in pool.positions] == ["BTC/USD:BTC-261225", "BTC/USD:BTC"]
    # 10,000 · (1/26,000 − 1/25,000) and −5,000 · (1/26,000 − 1/25,100).
    profit = D(10000) / 26000 - D(10000) / 25000 - D(5000) / 26000 + D(5000) / 25100
    assert abs(risk.requirement.margin_balance - D("0.05") - profit) < D("1e-20")
    assert near(risk.requirement.maintenance_margin, "0.00239681")
    assert reconcile(risk, taken.reported[pool.id]).verdict is Verdict.AGREES
    assert [pool.id.name for pool in taken.pools] == ["BTC"]


def test_the_brackets_of_the_official_example_at_300_btc():
    """Binance's FAQ: the deduction at 300 BTC is 11.605, and the rate there 12.5 %."""
    row = coins.position(PERP, "75000", "25000", "25000")

    _, _, risk = pool_of(held([row], {"BTC": "40"}, {PERP: "25.895"}), "BTC")

    assert risk.requirement.maintenance_margin == 300 * D("0.125") - D("11.605")


def test_an_isolated_position_is_a_pool_of_its_own_and_no_part_of_the_coin_s():
    rows = [
        coins.position(PERP, "100", "26000", "25000", isolated="0.05"),
        coins.position(DATED, "-50", "26000", "25100"),
    ]
    margins = {PERP: "0.0016", DATED: "0.00079681"}

    taken = wire.snapshot(held(rows, {"BTC": "0.01"}, margins))

    alone = next(pool for pool in taken.pools if pool.id.name == f"isolated/{PERP}")
    risk = evaluate(alone, taken.marks, wire.NOON)
    assert [pool.id.name for pool in taken.pools] == ["BTC", f"isolated/{PERP}"]
    assert [p.margin_mode for p in alone.positions] == [MarginMode.ISOLATED]
    assert [p.margin_mode for p in taken.pools[0].positions] == [MarginMode.CROSS]
    assert near(risk.requirement.ratio, "0.046222")
    assert near(liquidation_prices(alone, taken.marks, "BTC/USD:BTC").nearest, "23100.8850")
    for pool in taken.pools:
        found = evaluate(pool, taken.marks, wire.NOON)
        assert reconcile(found, taken.reported[pool.id]).verdict is Verdict.AGREES


def test_an_older_row_tells_the_isolated_wallet_by_its_margin_less_the_profit():
    row = coins.position(PERP, "100", "26000", "25000", isolated="0.05")
    told = held([row], {"BTC": "0.01"}, {PERP: "0.0016"})
    row["isolatedMargin"] = str(D("0.05") + D(row["unRealizedProfit"]))
    del row["isolatedWallet"]

    taken = wire.snapshot(told)

    alone = next(pool for pool in taken.pools if pool.id.name == f"isolated/{PERP}")
    assert alone.collateral[0].balance == D("0.05")


@pytest.mark.parametrize(("status", "readable"), [(200, True), (404, False)])
def test_a_wallet_that_is_not_there_is_not_readable(status, readable):
    told = [wire.reply(f"GET /dapi/v1/{path}", {}) for path in ("account", "positionRisk")]

    assert is_readable(Replies([replace(reply, status=status) for reply in told])) is readable


def test_both_legs_of_a_hedge_are_charged():
    rows = [
        coins.position(PERP, "100", "26000", "25000", side="LONG"),
        coins.position(PERP, "-40", "24000", "25000", side="SHORT"),
    ]
    told = held(rows, {"BTC": "0.05"}, {PERP: "0.0016"})
    sketches = told["GET /dapi/v1/account"]["positions"]
    sketches[1]["maintMargin"] = "0.00064"
    told["GET /dapi/v1/account"]["assets"][0]["maintMargin"] = "0.00224"
    told["GET /fapi/v1/accountConfig"]["dualSidePosition"] = True

    taken, pool, risk = pool_of(told, "BTC")

    assert taken.mode == "USDⓈ-M single-asset and COIN-M, hedge"
    assert risk.requirement.maintenance_margin == D("0.4") * D(".004") + D("0.16") * D(".004")
    assert reconcile(risk, taken.reported[pool.id]).verdict is Verdict.AGREES
    assert len(pool.positions) == 2


def test_where_both_wallets_hold_a_coin_usdm_s_pool_says_where_it_belongs():
    row = wire.position("ETHBTC", "10", "0.05", "0.04", "0.002", asset="BTC")
    other = wire.bodies([row], {"BTC": "0.3", "USDT": "5"}, {"ETHBTC": ("10 .005 0 50",)})
    coin = coins.position(PERP, "100", "26000", "25000")

    both = wire.snapshot(coins.beside(other, [coin], {"BTC": "0.05"}, {PERP: "0.0016"}))
    alone = wire.snapshot(other)

    assert [pool.id.name for pool in both.pools] == ["usdm/BTC", "USDT", "BTC"]
    assert {str(pool) for pool in both.reported} >= {"main/usdm/BTC", "main/BTC"}
    assert [pool.id.name for pool in alone.pools] == ["BTC", "USDT"]
    wallets = {pool.id.name: pool.wallet for pool in both.pools}
    assert wallets["usdm/BTC"] == "USDⓈ-M Futures wallet"
    assert wallets["BTC"] == "COIN-M Futures wallet"


def test_without_the_contract_list_the_row_tells_what_a_contract_is_worth():
    told = held(
        [coins.position(PERP, "3", "68911", "68234.2")], {"BTC": "0.05"}, {PERP: "0.00001759"}
    )
    del told["GET /dapi/v1/exchangeInfo"]

    _, pool, _ = pool_of(told, "BTC")

    assert pool.positions[0].instrument.contract_size == 100


def test_a_worth_that_is_near_no_contract_size_asks_for_the_list():
    row = coins.position(PERP, "3", "68911", "68234.2", notionalValue="0.0017")
    told = held([row], {"BTC": "0.05"}, {PERP: "0.00001759"})
    del told["GET /dapi/v1/exchangeInfo"]

    with pytest.raises(MissingReply) as caught:
        wire.snapshot(told)
    assert "/dapi/v1/exchangeInfo" in caught.value.call


def test_the_totals_are_carried_from_the_account_s_mark_to_the_rows():
    """At 25,000 the account reply, at 24,000 the row: the long has lost 10,000/24,000 − 0.4."""
    told = held([coins.position(PERP, "100", "26000", "25000")], {"BTC": "0.05"}, {PERP: "0.0016"})
    told["GET /dapi/v1/positionRisk"] = [coins.position(PERP, "100", "26000", "24000")]

    taken, pool, risk = pool_of(told, "BTC")
    reported = taken.reported[pool.id]

    lost = D(10000) / 24000 - D("0.4")
    assert abs(reported.margin_balance - (D("0.05") - D("0.01538462") - lost)) < D("1e-8")
    assert abs(reported.maintenance_margin - D(10000) / 24000 * D(".004")) < D("1e-8")
    assert reconcile(risk, reported).verdict is Verdict.AGREES


def test_a_trade_between_the_two_replies_is_no_reading():
    told = held([coins.position(PERP, "100", "26000", "25000")], {"BTC": "0.05"}, {PERP: "0.0016"})
    told["GET /dapi/v1/positionRisk"] = [coins.position(PERP, "90", "26000", "25000")]

    assert "BTCUSD_PERP" in (EXCHANGE.torn(wire.replies(told)) or "")
    with pytest.raises(Malformed, match=r"dapi\.positionRisk"):
        wire.snapshot(told)


def test_ranks_are_by_symbol_and_side_and_hedge_says_nothing():
    ranks = [
        {"symbol": PERP, "adlQuantile": {"LONG": 1, "SHORT": 2, "HEDGE": 4}},
        {"symbol": DATED, "adlQuantile": {"BOTH": 3}},
    ]

    found = read_ranks(wire.replies({"GET /dapi/v1/adlQuantile": ranks}))

    assert found == {(PERP, "LONG"): 1, (PERP, "SHORT"): 2, (DATED, "BOTH"): 3}
    assert read_ranks(wire.replies({"GET /dapi/v1/adlQuantile": {}})) == {}


def test_marks_come_on_coin_m_s_own_stream():
    told = held([coins.position(PERP, "100", "26000", "25000")], {"BTC": "0.05"}, {PERP: "0.0016"})

    (stream,) = EXCHANGE.mark_streams(wire.snapshot(told).instruments())

    assert (stream.host, stream.path) == ("wss://dstream.binance.com", "/ws")
    assert '"btcusd_perp@markPrice@1s"' in stream.subscribe[0]
    assert stream.symbols == {PERP}


FIELDS = [
    ("GET /dapi/v1/positionRisk", key)
    for key in (
        "symbol",
        "positionAmt",
        "entryPrice",
        "unRealizedProfit",
        "marginType",
        "positionSide",
    )
]


@pytest.mark.parametrize(("request_line", "key"), FIELDS)
def test_every_field_of_a_row_is_named_when_missing(request_line, key):
    told = held([coins.position(PERP, "100", "26000", "25000")], {"BTC": "0.05"}, {PERP: "0.0016"})
    del told[request_line][0][key]

    with pytest.raises(Malformed, match=key):
        wire.snapshot(told)


@pytest.mark.parametrize("body", [{}, [], None, "<html>", {"assets": [], "positions": []}])
@pytest.mark.parametrize("path", ["account", "positionRisk"])
def test_an_answer_that_can_t_be_read_is_never_no_positions(path, body):
    told = held([coins.position(PERP, "100", "26000", "25000")], {"BTC": "0.05"}, {PERP: "0.0016"})
    told[f"GET /dapi/v1/{path}"] = body

    with pytest.raises(Malformed):
        wire.snapshot(told)


@pytest.mark.parametrize("key", ["qtyCap", "maintMarginRatio", "cum"])
def test_every_field_of_a_bracket_is_named_when_missing(key):
    told = held([coins.position(PERP, "100", "26000", "25000")], {"BTC": "0.05"}, {PERP: "0.0016"})
    for bracket in told["GET /dapi/v2/leverageBracket"][0]["brackets"]:
        del bracket[key]

    with pytest.raises(Malformed, match=key):
        wire.snapshot(told)


def test_both_spellings_of_a_bracket_s_floor_are_read():
    told = held([coins.position(PERP, "100", "26000", "25000")], {"BTC": "0.05"}, {PERP: "0.0016"})
    for bracket in told["GET /dapi/v2/leverageBracket"][0]["brackets"]:
        bracket["qtyFloor"] = bracket.pop("qtylFloor")

    _, _, risk = pool_of(told, "BTC")

    assert risk.requirement.maintenance_margin == D("0.0016")
