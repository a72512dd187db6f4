"""
Captures of OKX accounts of many kinds, made elsewhere, and figures by arithmetic written out.

Prices in all of them: BTC 96,000, ETH 3,600, OKB 48.5, USDT 0.9997 USD.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.cli.strangers import MS, Shell, body_of, capture, near, renamed, with_frames, without

D = Decimal

USDT = D("0.9997")
CONTRACTS_FEE, FUTURES_FEE, LOAN_FEE = D("0.0005"), D("0.001"), D("0.001")

# Cash, less 1,000 each for 4.5 BTC sold at 95,000, 500 each for 1.5 BTC and 0.4 BTC at 95,500.
SHORTS = D(20000) - D("4.5") * 1000 - D("1.5") * 500 + D("0.4") * 500
# 450 + 150 sold, more than the 40 bought: the second tier, 1 %, for all three.
SHORTS_NEED = D("6.4") * 96000 * (D("0.01") + FUTURES_FEE)
INVERSE = D("0.05") + 30000 * (1 / D(98000) - 1 / D(96000))
WON = 10000 * (1 / D(3700) - 1 / D(3600))
ISOLATED_NEED = 10000 / D(3600) * (D("0.005") + D("0.0004"))

# 30,000 USDT owed, and 100 lost on 0.1 BTC bought at 97,000.
OWED = D(30100) * USDT
OWING = (
    D("0.5") * 96000 * D("0.98")  # BTC
    + 100 * D("48.5") * D("0.9")  # OKB
    - OWED
)
OWING_NEEDS = (
    20000 * (D("0.004") + D("0.0004"))  # inverse, in BTC, at BTC's price
    + 5000 * (D("0.005") + D("0.0004"))
    + 9600 * (D("0.004") + CONTRACTS_FEE) * USDT
    + OWED * (D("0.02") + D("1.02") * LOAN_FEE)
)
LOAN = D("99.9998177776581948") / D("62891.9")
SHORT_NEEDS = 9 * 3600 * (D("0.02") + D("1.02") * LOAN_FEE)
OPTIONS = -3000 * USDT + (D("0.3") - D("0.006")) * 96000 * D("0.98")

# Pool, unit, basis, margin balance, maintenance margin.
FIGURES = {
    "okx_coins": [
        ("USDT", "USDT", "modelled", SHORTS, SHORTS_NEED),
        ("BTC", "BTC", "modelled", INVERSE, D("0.3125") * (D("0.004") + FUTURES_FEE)),
        ("USDC", "USDC", "modelled", D(5000 - 1000), 96000 * (D("0.02") + FUTURES_FEE)),
        ("SOL", "SOL", "modelled", D(3), D(0)),
        ("isolated/ETH-USD-SWAP/long", "ETH", "modelled", D("0.4") + WON, ISOLATED_NEED),
        (
            "isolated/ETH-USD-SWAP/short",
            "ETH",
            "modelled",
            D("0.3") - 10000 * (1 / D(3500) - 1 / D(3600)),
            ISOLATED_NEED,
        ),
    ],
    "okx_owing": [("unified", "USD", "modelled", OWING, OWING_NEEDS)],
    "okx_w1": [
        ("BTC", "BTC", "modelled", D(1), D(0)),
        # 9 ETH sold for 36,000 USDT, beside 5,000 of cash.
        ("USDT", "USDT", "modelled", D(41000 - 9 * 3600), SHORT_NEEDS),
        (
            "isolated/BTC-USDT",
            "BTC",
            "modelled",
            D("0.00190433573") - LOAN,
            LOAN * (D("0.02") + D("1.02") * LOAN_FEE),
        ),
    ],
    "okx_portfolio": [("unified", "USD", "reported", OPTIONS, D(6500))],
}


@pytest.mark.parametrize("name", FIGURES)
def test_every_pool_has_the_figures_of_the_arithmetic(shell: Shell, name: str) -> None:
    pools = shell.pools(capture(name))
    assert set(pools) == {pool for pool, *_ in FIGURES[name]}
    for pool, unit, basis, balance, needed in FIGURES[name]:
        told = pools[pool]
        assert (told["unit"], told["basis"]) == (unit, basis)
        assert near(told["margin_balance"], balance)
        assert near(told["maintenance_margin"], needed)
        assert near(told["margin_ratio"], needed / balance)
        assert told["reconciliation"] == ("agrees" if needed else "unknown")


ENDS = [
    # H ÷ (net 5.6 BTC short + 6.4 BTC at 1.1 %), on whichever of the two expiries moves alone.
    (
        "okx_coins",
        "USDT",
        "BTC-USDT-261225",
        96000 + (SHORTS - SHORTS_NEED) / (D("4.5") * D("1.011")),
    ),
    (
        "okx_coins",
        "USDT",
        "BTC-USDT-270326",
        96000 + (SHORTS - SHORTS_NEED) / (D("1.1") + D("1.9") * D("0.011")),
    ),
    ("okx_coins", "BTC", "BTC-USD-261225", 30000 * D("1.005") / (D("0.05") + 30000 / D(98000))),
    ("okx_coins", "USDC", "BTC-USD_UM-261225", 96000 - D(4000 - 2016) / D("0.979")),
    (
        "okx_coins",
        "isolated/ETH-USD-SWAP/long",
        "ETH-USD-SWAP",
        10000 * D("1.0054") / (D("0.4") + 10000 / D(3700)),
    ),
    (
        "okx_coins",
        "isolated/ETH-USD-SWAP/short",
        "ETH-USD-SWAP",
        10000 * D("0.9946") / (10000 / D(3500) - D("0.3")),
    ),
    ("okx_w1", "isolated/BTC-USDT", "BTC-USDT", D("53615.448336593756")),
    ("okx_w1", "USDT", "ETH-USDT", D(41000) / (9 * D("1.02") * D("1.001"))),
    # The option stands still; the coins that back the account move with the contract.
    (
        "okx_portfolio",
        "unified",
        "BTC-USDT-SWAP",
        (6500 + 99000 * USDT) / (USDT + D("0.294") * D("0.98")),
    ),
]


@pytest.mark.parametrize(("name", "pool", "symbol", "price"), ENDS)
def test_every_leg_ends_where_the_arithmetic_says(
    shell: Shell, name: str, pool: str, symbol: str, price: D
) -> None:
    legs = shell.pools(capture(name))[pool]["positions"]
    ends = [leg["liquidation_price"] for leg in legs if leg["exchange_symbol"] == symbol]
    assert ends
    assert all(near(end, price) for end in ends)


def test_a_coin_that_okx_lists_no_discount_of_counts_nothing(shell: Shell) -> None:
    (pool,) = shell.pools(capture("okx_owing")).values()
    counted = {coin["asset"]: coin["value"] for coin in pool["collateral"]}
    assert counted["AIDOGE"] == "0"


def test_such_a_coin_is_named_where_okx_does_count_it(shell: Shell) -> None:
    found = capture("okx_owing")
    coins = body_of(found, "account/balance")["data"][0]["details"]
    next(coin for coin in coins if coin["ccy"] == "AIDOGE")["disEq"] = "0.4"
    assert "discount-rate-interest-free-quota?ccy=AIDOGE" in shell.named(found)


def test_a_coin_of_which_there_is_nothing_is_priced_by_what_settles_in_it(shell: Shell) -> None:
    (pool,) = shell.pools(capture("okx_owing")).values()
    # 5,000 USD of ETH: neither equity nor PnL, but a requirement.
    (leg,) = (leg for leg in pool["positions"] if leg["exchange_symbol"] == "ETH-USD-SWAP")
    assert near(leg["maintenance_margin"], 5000 / D(3600) * D("0.0054"))


def test_a_margin_trade_that_stands_in_the_coins_is_named(shell: Shell) -> None:
    (pool,) = shell.pools(capture("okx_owing")).values()
    assert pool["carried"] == ["counted as coins and debt: 1 margin trade (BTC-USDT)"]


def test_a_sum_of_pnl_that_is_left_empty_is_the_rows(shell: Shell) -> None:
    found = capture("okx_owing")
    for coin in body_of(found, "account/balance")["data"][0]["details"]:
        coin["upl"] = ""
    (pool,) = shell.pools(found).values()
    assert near(pool["margin_balance"], OWING)
    assert pool["reconciliation"] == "agrees"


def test_borrowing_in_spot_mode_counts_as_in_multi_currency_mode(shell: Shell) -> None:
    found = without(capture("okx_owing"), "instType=SWAP")
    body_of(found, "account/positions")["data"] = []
    body_of(found, "account/config")["data"][0].update(acctLv="1", enableSpotBorrow=True)
    balance = body_of(found, "account/balance")["data"][0]
    balance["details"] = [
        coin | {"eq": coin["cashBal"], "upl": "", "isoUpl": ""}
        for coin in balance["details"]
        if coin["ccy"] != "ETH"
    ]
    for coin in balance["details"]:
        if coin["ccy"] == "USDT":
            coin.update(eqUsd=str(-30000 * USDT), liab="30000", crossLiab="30000")
    counted, needed = OWING + 100 * USDT, 30000 * USDT * (D("0.02") + D("1.02") * LOAN_FEE)
    balance.update(adjEq=str(counted), mmr=str(600 * USDT), mgnRatio=str(counted / needed))
    pool = shell.pools(found)["unified"]
    assert near(pool["margin_balance"], counted)
    assert near(pool["maintenance_margin"], needed)
    assert pool["reconciliation"] == "agrees"


def test_orders_alone_may_burden_a_coin_in_futures_mode(shell: Shell) -> None:
    found = capture("okx_coins")
    coins = body_of(found, "account/balance")["data"][0]["details"]
    sol = next(coin for coin in coins if coin["ccy"] == "SOL")
    sol.update(imr="0.4", mmr="0.02", mgnRatio="120")
    # A ratio that neither orders nor positions explain: the list of positions is not whole.
    assert "cross positions in SOL" in shell.named(found)
    sol.update(ordFrozen="0.4")
    pool = shell.pools(found)["SOL"]
    assert (pool["basis"], pool["positions"]) == ("partly", [])
    assert near(pool["margin_ratio"], 1 / D(120))
    assert "margin of open orders" in pool["carried"]


@pytest.mark.parametrize("cash", ["4600", "3900"])
def test_coins_that_come_or_go_do_not_change_what_one_costs(shell: Shell, cash: str) -> None:
    moved = {
        "pTime": str(MS + 1),
        "eventType": "transferred",
        "balData": [{"ccy": "USDT", "cashBal": cash, "uTime": str(MS + 1)}],
        "posData": [],
        "trades": [],
    }
    frame = {"arg": {"channel": "balance_and_position", "uid": "1"}, "data": [moved]}
    before = shell.pools(capture("okx_multi"))["unified"]
    after = shell.pools(with_frames(capture("okx_multi"), ("account", frame)))["unified"]
    assert near(after["margin_balance"], D(before["margin_balance"]) + (D(cash) - 4500) * USDT)
    assert near(after["maintenance_margin"], before["maintenance_margin"])


SAME_FIGURES = [
    ("okx_coins", "tdMode=isolated&instId=ETH-USD-SWAP", "tdMode=isolated&instFamily=ETH-USD"),
    (
        "okx_coins",
        "tdMode=isolated&instId=ETH-USD-SWAP",
        "tdMode=isolated&instFamily=BTC-USD%2CETH-USD&instId=ETH-USD-SWAP",
    ),
    ("okx_coins", "trade-fee?instType=SWAP&instId=ETH-USD-SWAP", "trade-fee?instType=SWAP"),
    ("okx_coins", "trade-fee?instType=FUTURES", "trade-fee"),
    ("okx_w1", "instruments?instType=SPOT", "instruments?instType=MARGIN"),
    ("okx_w1", "trade-fee?instType=SPOT", "trade-fee?instType=MARGIN"),
    ("okx_owing", "trade-fee?instType=SPOT", "trade-fee?instType=MARGIN"),
]


@pytest.mark.parametrize(("name", "sent", "else_sent"), SAME_FIGURES)
def test_a_table_serves_whichever_way_it_was_asked_for(
    shell: Shell, name: str, sent: str, else_sent: str
) -> None:
    whole, changed = capture(name), renamed(capture(name), sent, else_sent)
    assert whole != changed
    assert shell.pools(whole) == shell.pools(changed)


NEEDED = [
    ("okx_coins", "instruments?instType=FUTURES"),
    ("okx_coins", "position-tiers?instType=FUTURES&tdMode=cross&instFamily=BTC-USD_UM"),
    ("okx_coins", "position-tiers?instType=SWAP&tdMode=isolated"),
    ("okx_coins", "trade-fee?instType=FUTURES"),
    ("okx_owing", "position-tiers?instType=MARGIN&tdMode=cross&ccy=USDT"),
    ("okx_owing", "trade-fee?instType=SPOT"),
    ("okx_w1", "instruments?instType=SPOT"),
    ("okx_w1", "position-tiers?instType=MARGIN&tdMode=cross"),
    ("okx_portfolio", "account/balance"),
    ("okx_portfolio", "discount-rate-interest-free-quota"),
]


@pytest.mark.parametrize(("name", "path"), NEEDED)
def test_a_needed_reply_is_named_where_it_is_missing_or_tells_of_an_outage(
    shell: Shell, name: str, path: str
) -> None:
    found = without(capture(name), path)
    resource = path.split("?", maxsplit=1)[0]
    assert len(found["replies"]) < len(capture(name)["replies"])
    assert resource in shell.named(found)
    busy: Any = {"code": "50011", "msg": "Too Many Requests", "data": []}
    spoiled = capture(name)
    for reply in spoiled["replies"]:
        if path in reply["request"]:
            reply["body"] = busy
    err = shell.named(spoiled)
    assert resource in err
    assert "50011" in err


WRONG = [
    ("okx_portfolio", "account/balance", {"adjEq": "20000", "mgnRatio": "2.5"}, "unified"),
    ("okx_owing", "account/balance", {"mgnRatio": "10"}, "unified"),
]


@pytest.mark.parametrize(("name", "path", "told", "pool"), WRONG)
def test_the_worse_pair_shows_where_okx_tells_worse(
    shell: Shell, name: str, path: str, told: dict[str, str], pool: str
) -> None:
    found = capture(name)
    balance = body_of(found, path)["data"][0]
    balance.update(told)
    shown = shell.pools(found)[pool]
    assert shown["reconciliation"] == "disagrees"
    assert near(shown["margin_ratio"], 1 / D(told["mgnRatio"]))
    assert near(shown["reported"]["margin_balance"], balance["adjEq"])
