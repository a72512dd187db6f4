"""
Captures that were made elsewhere: what `evaluate` makes of them, and what it says of gaps.

Expected figures are the exchanges' own worked examples and arithmetic written out.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.cli.strangers import Shell, body_of, capture, near, renamed, without

D = Decimal

# Pool, margin balance, maintenance margin.
FIGURES = {
    "binance_e1": [("USDT", D("1030895.55638"), D("427713.319566"))],
    "binance_e4": [("USDT", D(8000 + 3000 + 2000), D(976))],
    "binance_e5": [("USDT", 700000 - 5000 * (2500 - D("2455.10")), 12275500 * D("0.02") - 132000)],
    "binance_e6": [
        ("USDT", D(4000 - 3250), 73250 * D("0.0065") - 75),
        ("isolated/BTCUSDT", D(1300 - 600), 12200 * D("0.004")),
    ],
    "binance_e9": [("USDT", D(1796), D("1368.816"))],
    "bybit_8": [("unified", 8500 * D("1.0005"), (D("181.5") + D("139.0125")) * D("1.0005"))],
    "okx_w7": [
        ("USDT", D(200), D(135)),
        ("isolated/SOL-USDT-SWAP", D(1350), 8550 * D("0.0105")),
    ],
    "okx_w8": [
        ("BTC", D("0.042") + 30000 * (1 / D(110000) - 1 / D(96000)), D("0.3125") * D("0.0045"))
    ],
    "okx_hedge": [("USDT", D(2500 - 600 - 250), (D("0.6") + D("0.25")) * 96000 * D("0.0045"))],
    "okx_multi": [
        (
            "unified",
            (4500 - 2000 - 1800) * D("0.9997")
            + D("0.05") * 95990 * D("0.98")
            + D("1.5") * 3601 * D("0.98"),
            (2 * 96000 * D("0.0045") + 300 * 171 * D("0.0105")) * D("0.9997"),
        ),
        ("isolated/ETH-USDT-SWAP", D(700 + 200), 7200 * D("0.0045")),
    ],
}


@pytest.mark.parametrize("name", FIGURES)
def test_every_pool_has_the_figures_of_the_arithmetic(shell: Shell, name: str) -> None:
    pools = shell.pools(capture(name))
    assert set(pools) == {pool for pool, _, _ in FIGURES[name]}
    for pool, balance, maintenance in FIGURES[name]:
        assert near(pools[pool]["margin_balance"], balance)
        assert near(pools[pool]["maintenance_margin"], maintenance)
        assert near(pools[pool]["margin_ratio"], maintenance / balance)
        assert pools[pool]["reconciliation"] == "agrees"


ENDS = [
    ("binance_e1", "USDT", "BTCUSDT", "26316.89"),
    ("binance_e4", "USDT", "BTCUSDT", "54939.5161"),
    ("binance_e5", "USDT", "ETHUSDT", "2381.4141"),
    ("binance_e6", "USDT", "SOLUSDT", "147.1932"),
    ("binance_e6", "isolated/BTCUSDT", "BTCUSDT", "57730.9237"),
    ("binance_e9", "USDT", "BTCUSDT", "60892.7751"),
    ("binance_e9", "USDT", "ETHUSDT", "2465.7371"),
    ("bybit_8", "unified", "BTCUSDT", "78586.86"),
    ("bybit_8", "unified", "ETHUSDT", "4415.26"),
    ("okx_w7", "USDT", "BTC-USDT-SWAP", "95673.5308890005"),
    ("okx_w7", "USDT", "ETH-USDT-SWAP", "3621.5696034511"),
    ("okx_w7", "isolated/SOL-USDT-SWAP", "SOL-USDT-SWAP", "145.5280444669"),
    ("okx_w8", "BTC", "BTC-USD-SWAP", "95749.5667244367"),
    # 96,000 − (1,650 − 367.2) ÷ (0.35 − 0.85 · 0.0045)
    ("okx_hedge", "USDT", "BTC-USDT-SWAP", "92294.3597899"),
]


@pytest.mark.parametrize(("name", "pool", "symbol", "price"), ENDS)
def test_every_leg_ends_where_the_worked_examples_say(
    shell: Shell, name: str, pool: str, symbol: str, price: str
) -> None:
    legs = shell.pools(capture(name))[pool]["positions"]
    ends = [leg["liquidation_price"] for leg in legs if leg["exchange_symbol"] == symbol]
    assert ends
    assert all(near(end, price, "1e-6") for end in ends)


def test_a_wire_message_of_a_live_account_comes_out(shell: Shell) -> None:
    (pool,) = shell.pools(capture("bybit_3")).values()
    # 46.6058 · 0.005 + 46.604 · 0.9 · 0.00055 · 1.18 (tax), at an index of 1.000686
    assert near(pool["maintenance_margin"], D("0.26025039") * D("1.000686"), "1e-6")
    assert near(pool["margin_balance"], "11.48691986", "1e-8")


SAME_FIGURES = [
    ("binance_e9", lambda c: without(c, "exchangeInfo")),
    ("binance_e9", lambda c: without(c, "symbolConfig", "openOrders", "openAlgoOrders")),
    ("binance_e9", lambda c: without(c, "premiumIndex")),
    ("bybit_8", lambda c: without(c, "settleCoin=USDC")),
    ("bybit_8", lambda c: without(c, "order/realtime", "tickers", "category=inverse")),
    ("bybit_8", lambda c: renamed(c, "limit=200", "limit=50")),
    ("bybit_8", lambda c: renamed(c, "&limit=200", "")),
    ("okx_w7", lambda c: renamed(c, "account/positions", "account/positions?instType=SWAP")),
    ("okx_w7", lambda c: renamed(c, "account/balance", "account/balance?ccy=USDT")),
    ("okx_w7", lambda c: without(c, "orders-algo-pending", "mark-price", "discount-rate")),
]


@pytest.mark.parametrize(("name", "change"), SAME_FIGURES)
def test_what_no_figure_needs_may_be_absent_or_asked_otherwise(
    shell: Shell, name: str, change: Any
) -> None:
    whole, changed = shell.pools(capture(name)), shell.pools(change(capture(name)))
    for pool, figures in whole.items():
        for key in ("margin_balance", "maintenance_margin", "margin_ratio", "adverse_move"):
            assert changed[pool][key] == figures[key]


def test_what_is_optional_is_null_without_its_reply(shell: Shell) -> None:
    found = without(capture("binance_e9"), "symbolConfig", "openOrders", "openAlgoOrders")
    for leg in shell.pools(found)["USDT"]["positions"]:
        assert (leg["leverage"], leg["has_stop_loss"]) == (None, None)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("binance_e9", "openAlgoOrders"),
        ("binance_e9", "symbolConfig"),
        ("binance_e9", "premiumIndex"),
        ("bybit_8", "order/realtime"),
        ("bybit_8", "tickers"),
        ("okx_w7", "orders-algo-pending"),
        ("okx_w7", "mark-price"),
    ],
)
@pytest.mark.parametrize("body", ["<html>", {}, [{"x": 1}]])
def test_a_reply_that_is_not_needed_may_be_anything(
    shell: Shell, name: str, path: str, body: Any
) -> None:
    found = capture(name)
    for reply in found["replies"]:
        if path in reply["request"]:
            reply["body"] = body
    whole = shell.pools(capture(name))
    assert {p: f["margin_ratio"] for p, f in shell.pools(found).items()} == {
        p: f["margin_ratio"] for p, f in whole.items()
    }


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("binance_e9", "/fapi/v3/account"),
        ("binance_e9", "/fapi/v3/positionRisk"),
        ("binance_e9", "/fapi/v1/leverageBracket"),
        ("binance_e9", "/fapi/v1/accountConfig"),
        ("bybit_8", "/v5/account/info"),
        ("bybit_8", "/v5/account/wallet-balance"),
        ("bybit_8", "/v5/position/list"),
        ("bybit_8", "/v5/market/risk-limit"),
        ("bybit_8", "/v5/spot-margin-trade/collateral"),
        ("okx_w7", "/api/v5/account/config"),
        ("okx_w7", "/api/v5/account/balance"),
        ("okx_w7", "/api/v5/account/positions"),
        ("okx_w7", "/api/v5/public/position-tiers"),
        ("okx_w7", "/api/v5/account/trade-fee"),
        ("okx_multi", "/api/v5/public/discount-rate-interest-free-quota"),
    ],
)
def test_a_needed_reply_that_is_missing_is_named(shell: Shell, name: str, path: str) -> None:
    assert path in shell.named(without(capture(name), path))


@pytest.mark.parametrize(
    ("name", "row", "key", "list_of_marks", "asked"),
    [
        ("binance_e9", "positionRisk", "markPrice", "premiumIndex", "premiumIndex?symbol=BTCUSDT"),
        ("bybit_8", "position/list", "markPrice", "tickers", "tickers?category=linear"),
        ("okx_w7", "account/positions", "markPx", "mark-price", "mark-price?instType=SWAP"),
    ],
)
def test_a_mark_comes_from_the_row_else_a_list_else_a_frame_else_it_is_named(  # noqa: PLR0917 - one row of a table
    shell: Shell, name: str, row: str, key: str, list_of_marks: str, asked: str
) -> None:
    whole, bare = shell.pools(capture(name)), capture(name)
    body = body_of(bare, row)
    rows = body if isinstance(body, list) else (body.get("data") or body["result"]["list"])
    for each in rows:
        each.pop(key)
    marked = shell.pools(bare)
    assert {p: f["margin_ratio"] for p, f in marked.items()} == {
        p: f["margin_ratio"] for p, f in whole.items()
    }
    assert asked in shell.named(without(bare, list_of_marks))
