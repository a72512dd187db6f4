"""A held symbol that Bybit's own lists don't know yet, or no more (F-34, F-38)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from monitor.errors import Malformed, MissingReply
from monitor.exchanges.bybit import EXCHANGE
from monitor.exchanges.bybit.instruments import by_name, is_unlisted
from monitor.exchanges.bybit.tiers import worst_table
from monitor.risk import Basis, Payoff, evaluate
from tests.exchanges.bybit import examples
from tests.exchanges.bybit.test_isolated import isolated
from tests.exchanges.bybit.wire import NOW, envelope, position, replies

if TYPE_CHECKING:
    from monitor.risk import AccountSnapshot, PoolRisk
    from tests.exchanges.bybit.wire import Json

D = Decimal
NO_SUCH = {
    "retCode": 10001,
    "retMsg": "params error: symbol invalid",
    "result": {"category": "", "list": []},
    "time": 1795348800000,
}
BTC_LIMITS = "/v5/market/risk-limit?category=linear&symbol=BTCUSDT"
BTC_CONTRACT = "/v5/market/instruments-info?category=linear&symbol=BTCUSDT&limit=1000"
CONTRACTS = "/v5/market/instruments-info?category=linear"


def snapshot(bodies: dict[str, Json]) -> AccountSnapshot:
    return EXCHANGE.read_account("main", replies(bodies)).snapshot(NOW)


def risk(bodies: dict[str, Json]) -> PoolRisk:
    read = snapshot(bodies)
    return evaluate(read.pools[0], read.marks, NOW)


@pytest.mark.parametrize("answer", [NO_SUCH, envelope({"list": []})], ids=["unknown", "empty"])
def test_without_tiers_the_worst_rate_of_its_leverage_holds_and_is_told(answer: Json) -> None:
    """BTC at 10x: 47,500 × 6.3 % + 24.75 of fee; ETH as ever; the index is 1.0005."""
    found = risk(examples.two_positions() | {BTC_LIMITS: answer})

    btc, eth = found.positions
    assert btc.maintenance_margin == 47500 * D("0.063") + D("24.75")
    assert eth.maintenance_margin == D("139.0125")
    assert found.pool.basis is Basis.PARTLY
    assert found.pool.carried[:-1] == (
        "tiers of BTCUSDT, which Bybit does not tell: the worst rate known at its leverage, 6.30 %",
    )


def test_tiers_that_nobody_asked_for_are_still_missing() -> None:
    bodies = examples.two_positions()
    del bodies[BTC_LIMITS]
    with pytest.raises(MissingReply, match="needed"):
        snapshot(bodies)


def test_tiers_that_can_not_be_read_are_no_empty_list() -> None:
    rows = examples.two_positions()[BTC_LIMITS]["result"]["list"]
    for row in rows:
        del row["symbol"]
    with pytest.raises(Malformed):
        snapshot(examples.two_positions() | {BTC_LIMITS: envelope({"list": rows})})


@pytest.mark.parametrize(
    ("leverage", "rate"),
    [("10", "0.063"), ("14", "0.045"), ("18", "0.035"), ("0.5", "1")],
)
def test_no_published_tier_charges_more_at_its_leverage(leverage: str, rate: str) -> None:
    (tier,) = worst_table(D(leverage)).tiers
    assert tier.maintenance_rate == D(rate)
    assert (tier.floor, tier.cap, tier.deduction) == (0, None, 0)


def test_an_empty_list_of_contracts_is_no_answer() -> None:
    with pytest.raises(Malformed, match="a row of BTCUSDT"):
        snapshot(examples.two_positions() | {BTC_CONTRACT: envelope({"list": []})})


def test_a_contract_that_is_not_listed_is_read_by_its_name() -> None:
    found = risk(examples.two_positions() | {BTC_CONTRACT: NO_SUCH})

    btc, eth = found.positions
    assert btc.position.instrument.symbol == "BTC/USDT:USDT"
    assert btc.position.instrument.lot == D("0.1"), "as the size of 0.5 has it"
    assert found.requirement == risk(examples.two_positions()).requirement
    assert eth.position.instrument.lot == D("0.01")
    assert found.pool.carried[:-1] == (
        "BTCUSDT, which is not among Bybit's contracts: read by its name",
    )


def test_contracts_that_nobody_asked_for_are_still_missing() -> None:
    bodies = examples.two_positions()
    bodies[CONTRACTS]["result"]["list"].pop(0)
    with pytest.raises(MissingReply, match="does not list BTCUSDT"):
        snapshot(bodies)


@pytest.mark.parametrize(
    ("symbol", "category", "unified", "payoff"),
    [
        ("SOLUSDT", "linear", "SOL/USDT:USDT", Payoff.LINEAR),
        ("1000PEPEUSDT", "linear", "1000PEPE/USDT:USDT", Payoff.LINEAR),
        ("SOLPERP", "linear", "SOL/USDC:USDC", Payoff.LINEAR),
        ("SOLUSD", "inverse", "SOL/USD:SOL", Payoff.INVERSE),
    ],
)
def test_a_perpetual_s_name_says_what_it_is(
    symbol: str, category: str, unified: str, payoff: Payoff
) -> None:
    found = by_name(symbol, category, D("120"))
    assert (found.symbol, found.exchange_symbol, found.payoff) == (unified, symbol, payoff)
    assert (found.contract_size, found.lot) == (1, 1)


@pytest.mark.parametrize(
    ("symbol", "category", "is_read"),
    [
        ("BTCUSDT", "linear", True),
        ("BTCUSD", "inverse", True),
        ("BTCUSDT-26DEC25", "linear", False),
        ("BTCUSDZ26", "inverse", False),
    ],
)
def test_a_contract_that_expires_is_not_read_by_its_name(
    symbol: str, category: str, is_read: bool
) -> None:
    asked = f"/v5/market/instruments-info?category={category}&symbol={symbol}&limit=1000"
    assert is_unlisted(replies({asked: NO_SUCH}), symbol, category) is is_read
    assert not is_unlisted(replies({}), symbol, category), "nobody asked"


def test_an_isolated_position_without_tiers_still_ends_at_the_price_that_bybit_tells() -> None:
    row = position(
        "BTCUSDT",
        "Buy",
        "0.1",
        "50000",
        "48000",
        leverage="10",
        positionIM="500",
        positionMM="24",
        liqPrice="45226.13",
        unrealisedPnl="-200",
    )
    found = snapshot(isolated(row) | {BTC_LIMITS: NO_SUCH})
    (pool,) = found.pools
    assert pool.basis is Basis.PARTLY
    assert "worst rate" in pool.carried[0]
    mark = replace(found.marks["BTC/USDT:USDT"], price=D("45226.13"))
    at_end = evaluate(pool, {"BTC/USDT:USDT": mark}, NOW)
    assert abs(at_end.requirement.ratio - 1) < D("1e-6")
