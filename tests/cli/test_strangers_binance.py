"""
Captures of every kind of Binance account, made elsewhere: figures, gaps, contradictions.

Expected figures are Binance's published formulas, written out (SOURCES.md names them).
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.strangers import Json, Shell, body_of, capture, near, with_frames, without

if TYPE_CHECKING:
    from collections.abc import Callable

D = Decimal

_USDT_ASK = D("1.0003") * D("1.0001")
_USDC_ASK = D("0.9999") * D("1.0001")
_DATED = 300 * 100 / D(97000)

# Capture, pool, margin balance, maintenance margin.
FIGURES = [
    (
        "five",
        "USDT",
        D(20000 + 2000 + 250 - 500),
        D(192000 + 48750) * D("0.004") + 3500 * D("0.02"),
    ),
    ("five", "USDC", D(1500 - 99), 9601 * D("0.004")),
    ("five", "U", D(800 - 51), 4801 * D("0.004")),
    ("five", "USD1", D("900") - D("50.5"), D("4799.5") * D("0.004")),
    ("five", "BTC", D("0.5") + 20 * D("0.0015"), D("0.75") * D("0.005")),
    ("isolated", "USDT", D(5000 + 100 + 100), 7200 * D("0.004")),
    ("isolated", "isolated/BTCUSDT/long", D(900 - 200), 19200 * D("0.004")),
    ("isolated", "isolated/BTCUSDT/short", D(1200 - 300), 28800 * D("0.004")),
    (
        "multi",
        "unified",
        (-4500 - 1000) * _USDT_ASK
        + (-200 - 500) * _USDC_ASK
        + D("0.2") * 95950 * D("0.95")
        + 2 * 3598 * D("0.95")
        + 1000 * D("0.999"),
        96000 * D("0.004") * _USDT_ASK + 18000 * D("0.01") * _USDC_ASK,
    ),
    (
        "coin",
        "BTC",
        D("1.5")
        + 150000 * (1 / D(97000) - 1 / D(96000))
        - 50000 * (1 / D(94000) - 1 / D(96000))
        + 30000 * (1 / D(99000) - 1 / D(97000)),
        (D(200000) / 96000 + _DATED) * D("0.004"),
    ),
    (
        "coin",
        "isolated/ETHUSD_PERP/short",
        D("0.4") - 9000 * (1 / D(3400) - 1 / D(3600)),
        9000 / D(3600) * D("0.005"),
    ),
    # (8 + 24 + 0.0002 · 40,000 + 8 % of the loans 0.04 · 40,000 and 500) · 1.05
    ("portfolio", "unified", D("25277.21794872"), 208 * D("1.05")),
    ("pro", "unified", D("10351.28205128"), 488 * D("1.05")),
]


@pytest.mark.parametrize(("name", "pool", "balance", "maintenance"), FIGURES)
def test_every_kind_has_the_figures_of_the_arithmetic(
    shell: Shell, name: str, pool: str, balance: D, maintenance: D
) -> None:
    found = shell.pools(capture(f"binance_{name}"))[pool]
    assert near(found["margin_balance"], balance)
    assert near(found["maintenance_margin"], maintenance)
    assert near(found["margin_ratio"], maintenance / balance)
    assert found["reconciliation"] == "agrees"


ENDS = [
    ("five", "USDT", "BTCUSDT", (20000 - 265 - 250 - 190000) / (2 * D("-0.996"))),
    ("five", "USDC", "BTCUSDC", (1500 - 9700) / (D("0.1") * D("-0.996"))),
    ("five", "U", "BTCU", (800 + 4750) / (D("0.05") * D("1.004"))),
    ("five", "BTC", "ETHBTC", (D("0.5") - D("0.72")) / (20 * D("-0.995"))),
    # Equal legs end above alone, in the second tier: cum 300 each.
    ("isolated", "USDT", "ETHUSDT", (5000 + 600 - 3500 + 3700) / (2 * D("0.005"))),
    ("isolated", "isolated/BTCUSDT/long", "BTCUSDT", (900 - 19400) / (D("0.2") * D("-0.996"))),
    ("isolated", "isolated/BTCUSDT/short", "BTCUSDT", (1200 + 28500) / (D("0.3") * D("1.004"))),
    (
        # 0.2 BTC of collateral fall with the mark.
        "multi",
        "unified",
        "BTCUSDT",
        (101500 * _USDT_ASK + (700 + 180) * _USDC_ASK - D("6836.2") - 999)
        / (D("0.996") * _USDT_ASK + D("18230.5") / 96000),
    ),
    (
        "coin",
        "BTC",
        "BTCUSD_PERP",
        (1500 + 6 - 500 + 2)
        / (
            (D("1.5") - _DATED * D("0.004") + 30000 * (1 / D(99000) - 1 / D(97000))) / 100
            + 1500 / D(97000)
            - 500 / D(94000)
        ),
    ),
    (
        "coin",
        "isolated/ETHUSD_PERP/long",
        "ETHUSD_PERP",
        D("100.5") / (D("0.1") / 10 + 100 / D(3500)),
    ),
    (
        # 3 contracts, and 0.3 BTC less COIN-M's loss, of which 95 % count; what is required
        # falls with both legs: 0.4 % of 3 BTC, and 0.4 % of 0.05 BTC in coins, 1.05 times.
        "pro",
        "unified",
        "BTCUSDT",
        40000
        - (D("10351.28205128") - D("512.4"))
        / (
            3
            + D("0.95") * (D("0.3") - 2000 * (1 / D(39000) - 1 / D(40000)))
            - D("1.05") * D("0.004") * (3 + D("0.05"))
        ),
    ),
]


@pytest.mark.parametrize(("name", "pool", "symbol", "price"), ENDS)
def test_every_leg_ends_where_the_formula_says(
    shell: Shell, name: str, pool: str, symbol: str, price: D
) -> None:
    legs = shell.pools(capture(f"binance_{name}"))[pool]["positions"]
    ends = [leg["liquidation_price"] for leg in legs if leg["exchange_symbol"] == symbol]
    assert ends
    assert all(near(end, price) for end in ends)


NEEDED = {
    "multi": ["/fapi/v1/assetIndex", "/fapi/v1/leverageBracket"],
    "coin": ["/dapi/v1/account", "/dapi/v1/positionRisk", "/dapi/v2/leverageBracket"],
    "portfolio": [
        "/papi/v1/account",
        "/papi/v1/balance",
        "/papi/v1/um/positionRisk",
        "/papi/v1/cm/positionRisk",
    ],
    "pro": ["/sapi/v1/portfolio/account", "/fapi/v3/positionRisk", "/dapi/v1/positionRisk"],
}


@pytest.mark.parametrize(
    ("name", "path"), [(n, path) for n, paths in NEEDED.items() for path in paths]
)
def test_a_needed_reply_that_is_missing_is_named(shell: Shell, name: str, path: str) -> None:
    assert f"GET {path}" in shell.named(without(capture(f"binance_{name}"), f"GET {path}"))


@pytest.mark.parametrize("path", ["/dapi/v1/account", "/dapi/v1/positionRisk"])
def test_coin_m_is_not_left_out_where_half_of_it_was_refused(shell: Shell, path: str) -> None:
    found = capture("binance_coin")
    for reply in found["replies"]:
        if reply["request"] == f"GET {path}":
            reply["status"], reply["body"] = 401, {"code": -2015, "msg": "Invalid API-key."}
    assert path in shell.named(found)


def test_an_empty_coin_m_wallet_needs_no_position_rows(shell: Shell) -> None:
    found = capture("binance_five")
    whole, halved = shell.pools(found), shell.pools(without(found, "/dapi/v1/positionRisk"))
    assert whole.keys() == halved.keys()


def test_a_portfolio_that_its_own_endpoint_calls_plain_is_read_as_one(shell: Shell) -> None:
    found = capture("binance_pro")
    body_of(found, "/sapi/v1/portfolio/account")["accountType"] = "PM_2"
    assert "GET /papi/v1/account" in shell.named(found)


def changed(name: str, path: str, change: Callable[[Any], object]) -> Json:
    found = capture(f"binance_{name}")
    change(body_of(found, path))
    return found


CONTRADICTIONS = [
    # What Binance says it holds, against ours, and the ratio that must drive the rungs.
    ("five", "USDT", "/fapi/v3/account", ("assets", 0, "maintMargin"), "10330", D(10330) / 21750),
    (
        "multi",
        "unified",
        "/fapi/v3/account",
        ("totalMaintMargin",),
        "5000",
        D(5000) / D("19863.499842"),
    ),
    ("portfolio", "unified", "/papi/v1/account", ("uniMMR",), "1.2", D("1.05") / D("1.2")),
    ("pro", "unified", "/sapi/v1/portfolio/account", ("uniMMR",), "1.2", D("1.05") / D("1.2")),
]


@pytest.mark.parametrize(("name", "pool", "path", "keys", "value", "ratio"), CONTRADICTIONS)
def test_the_worse_pair_is_shown_where_binance_says_otherwise(  # noqa: PLR0917 - one row of a table
    shell: Shell, name: str, pool: str, path: str, keys: tuple[Any, ...], value: str, ratio: D
) -> None:
    def change(body: Any) -> None:
        for key in keys[:-1]:
            body = body[key]
        body[keys[-1]] = value

    found = shell.pools(changed(name, path, change))[pool]
    assert found["reconciliation"] == "disagrees"
    assert near(found["margin_ratio"], ratio)


def _forget_positions(account: Json) -> None:
    account["positions"] = []


def _forget_margins(account: Json) -> None:
    for row in account["positions"]:
        del row["maintMargin"]


@pytest.mark.parametrize("forget", [_forget_positions, _forget_margins])
def test_isolated_margin_in_the_total_is_no_contradiction(
    shell: Shell, forget: Callable[[Json], None]
) -> None:
    # 28.80 cross and 192.00 isolated: the asset's own maintMargin has both in.
    pools = shell.pools(changed("isolated", "/fapi/v3/account", forget))
    assert pools["USDT"]["reconciliation"] == "agrees"
    assert near(pools["USDT"]["maintenance_margin"], "28.8")


@pytest.mark.parametrize(
    ("name", "notional"), [("five", "1920000"), ("five", "19200"), ("multi", "960000")]
)
def test_a_notional_that_no_mark_explains_is_named(shell: Shell, name: str, notional: str) -> None:
    # 2 · 96,000 and 1 · 96,000 by the position rows.
    found = capture(f"binance_{name}")
    row = body_of(found, "/fapi/v3/account")["positions"][0]
    assert row["symbol"] == "BTCUSDT"
    row["notional"] = notional
    assert "account.positions.BTCUSDT.notional" in shell.named(found)


def test_a_coin_m_notional_in_dollars_is_not_reckoned_with(shell: Shell) -> None:
    def in_dollars(account: Json) -> None:
        for row in account["positions"]:
            row["notionalValue"] = str(100 * abs(D(row["positionAmt"])))

    pools = shell.pools(changed("coin", "/dapi/v1/account", in_dollars))
    assert pools["BTC"]["reconciliation"] == "agrees"


def test_a_position_cut_by_an_event_is_no_contradiction(shell: Shell) -> None:
    row = {"s": "BTCUSDT", "pa": "0.1", "ep": "97000", "mt": "cross", "iw": "0", "ps": "BOTH"}
    trade = {
        "e": "ACCOUNT_UPDATE",
        "E": 1795348801000,
        "T": 1795348801000,
        "a": {
            "m": "ORDER",
            "B": [{"a": "USDT", "wb": "-5400", "cw": "-5400", "bc": "0"}],
            "P": [{**row, "bep": "97000", "cr": "-900", "up": "-100", "ma": "USDT"}],
        },
    }
    pools = shell.pools(with_frames(capture("binance_multi"), ("account", trade)))
    maintenance = 9600 * D("0.004") * _USDT_ASK + 180 * _USDC_ASK
    assert near(pools["unified"]["maintenance_margin"], maintenance)


def test_frames_of_both_wallets_find_theirs(shell: Shell) -> None:
    wallet = {"a": "BTC", "wb": "1.4", "cw": "1.4", "bc": "-0.1"}
    funding = {
        "e": "ACCOUNT_UPDATE",
        "E": 1795348801000,
        "T": 1795348801000,
        "a": {"m": "FUNDING_FEE", "S": "BTCUSD_PERP", "B": [wallet], "P": []},
    }
    found = with_frames(capture("binance_coin"), ("account", funding))
    code, out, err = shell.run(found, "--each")
    assert (code, err) == (0, "")
    before, after = (
        {pool["id"]: D(pool["margin_balance"]) for pool in json.loads(line)["accounts"][0]["pools"]}
        for line in out.splitlines()
    )
    assert before["main/BTC"] - after["main/BTC"] == D("0.1")
    assert before["main/ETH"] == after["main/ETH"]


def test_offline_one_unreadable_position_is_named_and_nothing_is_given(shell: Shell) -> None:
    found = capture("binance_five")
    row = body_of(found, "/fapi/v3/positionRisk")[1]
    row["entryPrice"] = "much"

    said = shell.named(found)

    assert "entryPrice" in said
    assert row["symbol"] in said
