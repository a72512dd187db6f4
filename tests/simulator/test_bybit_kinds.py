"""Every kind of Bybit account on its wire: totals, digits, and what is blank in which mode."""

from decimal import ROUND_DOWN, Decimal
from typing import Any

import pytest

from monitor.simulator.bybit import Bybit
from monitor.simulator.scenario import Scenario, parse
from monitor.simulator.server import running
from tests.end_to_end import kinds_bybit
from tests.end_to_end.random_bybit import KINDS, MARKS, account
from tests.simulator.unified import bybit

D = Decimal
STATIC = {**kinds_bybit._KINDS, **kinds_bybit._OTHERS}
RANDOM = {f"{kind} {seed}": account(kind, seed) for kind in KINDS for seed in (0, 1)}
ACCOUNTS = {name.replace(" ", "-"): lines for name, lines in {**STATIC, **RANDOM}.items()}
LISTS = (
    {"category": "linear", "settleCoin": "USDT"},
    {"category": "linear", "settleCoin": "USDC"},
    {"category": "inverse"},
    {"category": "option"},
)


def scenario() -> Scenario:
    market = "".join(f"[market.{base}]\nstart = {price}\n" for base, price in MARKS.items())
    head = 'name = "kinds"\ndescription = "all"\nseed = 1\nduration_seconds = 60\n'
    accounts = "".join(
        f'[[accounts]]\nname = "{name}"\nexchange = "bybit"\n{lines}'
        for name, lines in ACCOUNTS.items()
    )
    return parse(head + market + accounts, "kinds.toml")


@pytest.fixture
async def sim(monkeypatch):
    monkeypatch.setattr(Bybit, "cadence_seconds", 3600.0)  # prices stand still
    async with running(scenario()) as simulation:
        for base, price in MARKS.items():
            simulation.world.pin(base, D(price))
        simulation.world.publish("bybit")
        yield simulation


def cut(value: str, digits: int = 8) -> Decimal:
    return D(value).quantize(D(1).scaleb(-digits), rounding=ROUND_DOWN)


async def told(sim: Any, name: str) -> tuple[Any, Any, list[Any]]:
    """The wallet, the first pool of the truth and the rows of all lists."""
    wallet = await bybit(sim, name, "/v5/account/wallet-balance", accountType="UNIFIED")
    rows = [
        row
        for asked in LISTS
        for row in (await bybit(sim, name, "/v5/position/list", limit=200, **asked))["list"]
    ]
    return wallet["list"][0], [pool.row() for pool in sim.world.exchanges[0].pools(name)], rows


async def test_every_account_is_told_as_it_is(sim):
    names = [it.name for it in sim.accounts if it.mode != "isolated"]
    assert len(names) > 30
    for name in names:
        wallet, (pool,), rows = await told(sim, name)
        balance, maintenance = D(pool["margin_balance"]), D(pool["maintenance_margin"])
        assert D(wallet["totalMaintenanceMargin"]) == cut(pool["maintenance_margin"]), name
        assert D(wallet["totalMarginBalance"]) == cut(pool["margin_balance"]), name
        assert D(wallet["accountMMRate"]) == cut(str(maintenance / balance), 4), name
        if D(wallet["totalAvailableBalance"]) > 0:
            carried = D(wallet["totalAvailableBalance"]) + D(wallet["totalInitialMargin"])
            assert abs(carried - balance) <= D("2e-8"), name
        held = {(row["symbol"], row["side"]) for row in rows}
        sides = {"long": "Buy", "short": "Sell"}
        mine = {(p["exchange_symbol"], sides[p["side"]]) for p in pool["positions"]}
        assert mine <= held, name


async def test_in_cross_margin_positions_add_up_to_the_coins(sim):
    for it in sim.accounts:
        if it.mode != "cross":
            continue
        wallet, _, rows = await told(sim, it.name)
        sums: dict[str, Decimal] = {}
        for row in rows:
            coin = settle_of(row["symbol"])
            sums[coin] = sums.get(coin, D(0)) + D(row["positionMM"])
        for coin in wallet["coin"]:
            gap = D(coin["totalPositionMM"]) - sums.get(coin["coin"], D(0))
            assert abs(gap) <= D("1e-7"), (it.name, coin["coin"])


def settle_of(symbol: str) -> str:
    if "USDT" in symbol:
        return "USDT"
    if symbol.endswith(("USD", "USDZ27")):
        return symbol.split("USD", maxsplit=1)[0]
    return "USDC"


async def test_in_isolated_margin_each_price_is_that_of_the_books(sim):
    compared = 0
    for it in sim.accounts:
        if it.mode != "isolated":
            continue
        wallet, pools, rows = await told(sim, it.name)
        blank = ("accountMMRate", "totalMaintenanceMargin", "totalAvailableBalance")
        assert {wallet[key] for key in blank} == {""}, it.name
        told_of = {(row["symbol"], row["side"]): row for row in rows}
        for pool in pools:
            (position,) = pool["positions"]
            side = "Buy" if position["side"] == "long" else "Sell"
            row = told_of[position["exchange_symbol"], side]
            assert D(row["positionMM"]) == cut(position["maintenance_margin"])
            if D(pool["ratio"]) < 1:
                # Beyond it the books say that it is over at the mark; the wire keeps its price.
                assert abs(D(row["liqPrice"]) - D(position["liquidation_price"])) <= D("1e-8")
                assert position["other_liquidation_price"] is None
                compared += 1
    assert compared >= 15


async def test_in_portfolio_margin_nothing_is_said_of_a_position(sim):
    wallet, (pool,), rows = await told(sim, "bybit-portfolio")
    assert (wallet["totalMaintenanceMargin"], wallet["totalInitialMargin"]) == ("2801.25", "3500.5")
    for row in rows:
        keys = ("positionIM", "positionMM", "leverage", "liqPrice")
        assert [row[key] for key in keys] == ["", "", "", ""]
        assert row["riskId"] == 0
    assert {coin["totalPositionMM"] for coin in wallet["coin"]} == {""}
    # the option sold at 1,500 counts against the balance: 0.1 x 1,500 x 0.9999
    assert [row["symbol"] for row in rows][-1] == "BTC-31DEC27-90000-P"
    btc = D("94321.7")
    usdt = D("5210.75") + D("0.6") * (btc - D("94900.1")) + D("9.5") * (D("3410.1") - D("3456.78"))
    index = D("1.0002")
    by_hand = usdt * index - 150 * D("0.9999") + D("0.031") * D("0.98") * btc * index
    assert abs(D(pool["margin_balance"]) - by_hand) < D("1e-8")


async def test_an_option_stands_in_the_lists(sim):
    listed = await bybit(sim, None, "/v5/market/instruments-info", category="option")
    symbols = {row["symbol"] for row in listed["list"]}
    assert "BTC-31DEC27-90000-P" in symbols
    asked = {"category": "option", "symbol": "BTC-31DEC27-90000-P"}
    (ticker,) = (await bybit(sim, None, "/v5/market/tickers", **asked))["list"]
    assert ticker["markPrice"] == "1500"


async def test_the_indexes_of_btc_give_the_index_of_a_dollar_coin(sim):
    """USD index of USDT = BTCUSD index / BTCUSDT index, as far as a twentieth of a dollar tells."""
    found = {}
    for category, symbol in (("linear", "BTCUSDT"), ("linear", "BTCPERP"), ("inverse", "BTCUSD")):
        asked = {"category": category, "symbol": symbol}
        (row,) = (await bybit(sim, None, "/v5/market/tickers", **asked))["list"]
        found[symbol] = D(row["indexPrice"])
    assert abs(found["BTCUSD"] / found["BTCUSDT"] - D("1.0002")) < D("1e-6")
    assert abs(found["BTCUSD"] / found["BTCPERP"] - D("0.9999")) < D("1e-6")


async def test_what_expires_has_no_funding_and_a_day_of_delivery(sim):
    asked = {"category": "linear", "symbol": "BTCUSDT-31DEC27"}
    (contract,) = (await bybit(sim, None, "/v5/market/instruments-info", **asked))["list"]
    assert (contract["contractType"], contract["deliveryTime"]) == (
        "LinearFutures",
        "1830240000000",
    )
    (ticker,) = (await bybit(sim, None, "/v5/market/tickers", **asked))["list"]
    assert (ticker["fundingRate"], ticker["nextFundingTime"]) == ("", "0")
    # 94,321.7 x 1.0125 = 95,500.72125, cut to twentieths
    assert D(ticker["markPrice"]) == D("95500.70")
