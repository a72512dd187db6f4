"""Every recorded answer of Bybit's, read and recomputed as far as it goes."""

from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from monitor.errors import Malformed
from monitor.exchanges.bybit import EXCHANGE
from monitor.exchanges.bybit.rows import read_coin, read_held, read_totals
from monitor.exchanges.payload import Row
from monitor.risk import PoolRisk, Verdict, evaluate, reconcile
from monitor.risk.model import PoolId
from tests.exchanges.bybit import constructed
from tests.exchanges.bybit.wire import (
    NOW,
    PAYLOADS,
    POSITIONS,
    WALLET,
    envelope,
    fee_rate,
    fees,
    instrument,
    instruments,
    limits,
    position,
    ratios,
    recorded,
    replies,
    samples,
)

if TYPE_CHECKING:
    from monitor.risk.model import AccountSnapshot, MarginPool
    from tests.exchanges.bybit.wire import Json

WIRE = Decimal("0.00000001")
ID = PoolId(account="main", name="unified")


def snapshot(bodies: dict[str, Json]) -> AccountSnapshot:
    return EXCHANGE.read_account("main", replies(bodies)).snapshot(NOW)


def only_pool(read: AccountSnapshot) -> MarginPool:
    (pool,) = read.pools
    return pool


def risk_of(bodies: dict[str, Json]) -> PoolRisk:
    read = snapshot(bodies)
    return evaluate(only_pool(read), read.marks, NOW)


def verdict(bodies: dict[str, Json]) -> Verdict:
    read = snapshot(bodies)
    return reconcile(risk_of(bodies), read.reported[ID]).verdict


def test_the_recorded_totals_add_up() -> None:
    """A unified account of 2025-01: margins times index are the totals, to the last digit."""
    row = Row(recorded("bybit_fetchBalance_0")["httpResponse"]["result"]["list"][0], "")
    totals, coins = read_totals(row), [read_coin(each) for each in row.rows("coin")]
    maintenance = sum(coin.position_mm * coin.price for coin in coins)
    initial = sum(coin.position_im * coin.price for coin in coins)
    assert abs(maintenance - totals.maintenance_margin) < 2 * WIRE
    assert abs(initial - totals.initial_margin) < 2 * WIRE
    assert totals.margin_balance - totals.initial_margin == totals.available
    for each in coins:
        assert abs(each.equity - each.wallet_balance - each.unrealised_pnl) <= WIRE
    profit = sum(coin.unrealised_pnl * coin.price for coin in coins)
    assert abs(sum(coin.usd_value for coin in coins) - row.decimal("totalEquity")) < 7 * WIRE
    # After ratios and before them the same: USDT, USDC and XRP counted in full.
    assert abs(row.decimal("totalPerpUPL") - profit) < WIRE


def test_the_recorded_wallet_tells_of_its_inverse_position() -> None:
    """Its row was not recorded: without it the list of inverse positions is not believed."""
    bodies = constructed.haircut_of_spot_orders()
    bodies[WALLET] = recorded("bybit_fetchBalance_0")["httpResponse"]
    bodies[POSITIONS.format("linear", "USDT")]["result"]["list"] = [
        position("LTCUSDT", "Buy", "1.2", "64.6", "71.1", positionMM="7")
    ]
    bodies[POSITIONS.format("linear", "USDC")]["result"]["list"] = [
        position("BTCPERP", "Buy", "1", "64", "71", positionMM="0.33")
    ]
    with pytest.raises(Malformed, match=r"0\.02068388 XRP.*an empty list") as caught:
        snapshot(bodies)
    assert "category=inverse" in caught.value.call


def test_the_recorded_balance_adds_up_by_ratios() -> None:
    """
    The recorded coins at 1, but BTC, on which all of the recorded haircut is put.

    Ratios were not recorded. Margins and profits are taken out, as their positions were not.
    """
    body = recorded("bybit_fetchBalance_0")["httpResponse"]
    row = body["result"]["list"][0]
    for each in row["coin"]:
        each |= {"totalPositionMM": "0", "totalPositionIM": "0", "unrealisedPnl": "0"}
        each["walletBalance"] = each["equity"]
    row["totalMaintenanceMargin"] = row["totalInitialMargin"] = "0"
    row["totalAvailableBalance"] = row["totalMarginBalance"]
    lost = Decimal(row["totalEquity"]) - Decimal(row["totalMarginBalance"])
    bodies = constructed.haircut_of_spot_orders()
    bodies[WALLET] = body
    full = ("USDT", "USDC", "ETH", "ADA", "XRP", "LTC")
    bodies["/v5/spot-margin-trade/collateral"]["result"]["list"] = [
        ratios("BTC", ("0", "", str(1 - lost / Decimal("82669.24739887")))),
        *(ratios(name, ("0", "", "1")) for name in full),
    ]
    risk = risk_of(bodies)
    assert abs(risk.requirement.margin_balance - Decimal("90042.2788482")) < 7 * WIRE
    assert {c.asset for c in risk.pool.collateral if c.follows} == {"BTC", *full} - {"USDT", "USDC"}


def test_the_recorded_position_of_2023_was_margined_by_entry() -> None:
    """
    1 % of 77.519375 (entry) and 77.519375 × 5 ÷ 6 × 0.00055 to close: 0.81072347, wire 0.81072399.

    Since 2025-09-02 the mark counts: 85.32 × 0.01 + 0.03552971 = 0.88872971. The old margin is no
    fee beyond the tier's, so the published rate stands and the difference would be seen.
    """
    body = recorded("bybit_fetchPositions_0")["httpResponse"]
    row = body["result"]["list"][0]
    assert Decimal(row["positionValue"]) - Decimal(row["size"]) * Decimal(
        row["avgPrice"]
    ) < Decimal("0.000001")
    fee = Decimal("77.519375") * (1 - 1 / Decimal(6)) * Decimal("0.00055")
    assert abs(Decimal("77.519375") * Decimal("0.01") + fee - Decimal(row["positionMM"])) < Decimal(
        "0.000001"
    )
    assert abs(Decimal("77.519375") / 6 + fee - Decimal(row["positionIM"])) < Decimal("0.000001")
    bodies = constructed.haircut_of_spot_orders()
    bodies[POSITIONS.format("linear", "USDT")] = body
    lists = (
        instruments(instrument("LTCUSDT", "LTC", lot="0.1"))
        | limits("LTCUSDT", ("200000", "0.01", "0.02", "50.00", ""))
        | fees(fee_rate("LTCUSDT", "0.00055"))
    )
    bodies |= {request: envelope({"list": rows}) for request, rows in lists.items()}
    risk = risk_of(bodies)
    (ltc,) = risk.positions
    assert round(ltc.maintenance_margin, 8) == Decimal("0.88872971")
    # The wire's entry price is rounded to eight decimals.
    assert abs(ltc.unrealized_pnl - Decimal("7.800625")) < Decimal("0.00000001") * Decimal("1.2")
    assert ltc.position.reported_liquidation_price is None
    assert (ltc.position.adl_rank, ltc.position.leverage) == (2, 6)


def test_every_sample_is_read_somewhere_or_named_as_of_another_call() -> None:
    every = json.loads((PAYLOADS / "bybit_code_samples.json").read_text())["samples"]
    found = Counter(sample["function"] for sample in every)
    assert found == {
        "is_unified_enabled": 2,  # test_permissions, test_account
        "fetch_balance": 3,  # here: the unified one; classic margin and funding are other calls
        "fetch_open_orders": 1,  # test_stops
        "fetch_position": 1,  # here
        "fetch_positions": 1,  # here
        "parse_position": 5,  # here; the last is a row of the list of closed positions
        "fetch_positions_adl_rank": 1,  # here
        "fetch_margin_mode": 1,  # test_account
        "handle_ticker": 4,  # test_marks
        "handle_positions": 1,  # test_updates
        "handle_balance": 2,  # test_updates: the unified one; spot's is a topic of before V5
        "handle_pong": 3,  # test_marks, test_updates
    }


def sampled_row(function: str, number: int = 0) -> Row:
    sample = samples(function)[number]
    return Row(sample["result"]["list"][0] if "result" in sample else sample, "")


def test_the_sample_of_a_unified_wallet_is_read() -> None:
    """It lists one coin of several, so that its totals can't be compared with its coins."""
    row = sampled_row("fetch_balance", 2)
    totals, (btc,) = read_totals(row), [read_coin(each) for each in row.rows("coin")]
    assert abs(totals.available + totals.initial_margin - totals.margin_balance) <= WIRE
    assert (btc.coin, btc.wallet_balance, btc.counts) == ("BTC", Decimal("0.805994"), None)
    assert abs(btc.price * Decimal("0.805994") - Decimal("12920.95352538")) < WIRE


@pytest.mark.parametrize(("function", "number"), [("fetch_position", 0), ("parse_position", 3)])
def test_the_sample_of_a_position_was_margined_by_entry(function: str, number: int) -> None:
    """36.15 × 1 % and 36.15 ÷ 10, each with 36.15 × 0.9 × 0.0006 to close."""
    held = read_held(sampled_row(function, number), "linear", NOW)
    fee = Decimal("36.15") * Decimal("0.9") * Decimal("0.0006")
    assert held.maintenance_margin == Decimal("0.3615") + fee
    assert round(held.initial_margin - fee, 3) == Decimal("3.615")
    assert held.unrealised_pnl == held.size * (Decimal("0.3432") - held.entry_price)
    assert held.liquidation_price == Decimal("0.0001")
    assert held.adl_rank is None


@pytest.mark.parametrize(
    ("function", "number", "path", "why"),
    [
        ("fetch_positions", 0, "unrealisedPnl", "of before V5"),
        ("parse_position", 0, "positionIM", "of before V5"),
        ("parse_position", 1, "positionIdx", "of before V5"),
        ("parse_position", 2, "unrealisedPnl", "of before V5"),
        ("parse_position", 4, "positionIdx", "of the list of closed positions"),
    ],
)
def test_a_row_of_another_kind_is_refused_by_name(
    function: str, number: int, path: str, why: str
) -> None:
    with pytest.raises(Malformed) as caught:
        read_held(sampled_row(function, number), "linear", NOW)
    assert caught.value.path == path, why


def test_the_sample_of_portfolio_margin_has_no_leverage_and_no_margins() -> None:
    held = read_held(sampled_row("fetch_positions_adl_rank"), "linear", NOW)
    assert (held.leverage, held.initial_margin, held.maintenance_margin) == (None, None, None)
