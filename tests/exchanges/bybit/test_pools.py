"""Bybit's margin rules against worked examples and figures of the wire."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from monitor.errors import Malformed, Unmodelled
from monitor.exchanges.bybit import EXCHANGE
from monitor.exchanges.bybit.account import read_account
from monitor.exchanges.bybit.legs import Leg, leg_of
from monitor.exchanges.bybit.pools import _top_up_asset
from monitor.exchanges.bybit.rows import Coin, read_coin
from monitor.exchanges.payload import Row
from monitor.risk import Basis, PoolRisk, Verdict, evaluate, liquidation_prices, reconcile
from monitor.risk.model import PoolId
from tests.exchanges.bybit import constructed, examples
from tests.exchanges.bybit.wire import (
    NOW,
    POSITIONS,
    WALLET,
    coin,
    replies,
    wallet,
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


def test_two_positions_are_one_pool_in_usd() -> None:
    risk = risk_of(examples.two_positions())
    assert str(risk.pool.id) == "main/unified"
    assert risk.pool.unit == "USD"
    assert risk.requirement.margin_balance == 8500 * Decimal("1.0005")
    assert risk.requirement.maintenance_margin == (
        Decimal("181.5") + Decimal("139.0125")
    ) * Decimal("1.0005")
    assert risk.requirement.initial_margin == (Decimal("4774.75") + Decimal("1820.2125")) * Decimal(
        "1.0005"
    )
    assert round(risk.requirement.ratio, 6) == Decimal("0.037707")
    btc, eth = risk.positions
    assert (btc.initial_margin, btc.maintenance_margin) == (Decimal("4774.75"), Decimal("181.5"))
    assert (eth.initial_margin, eth.maintenance_margin) == (
        Decimal("1820.2125"),
        Decimal("139.0125"),
    )
    assert btc.position.close_fee.fixed == Decimal("24.75")
    assert eth.position.close_fee.fixed == Decimal("20.2125")
    assert risk.pool.basis is Basis.MODELLED


@pytest.mark.parametrize(
    ("symbol", "at_80", "at_90", "at_100"),
    [
        ("BTC/USDT:USDT", "78734.18", "78652.31", "78586.86"),
        ("ETH/USDT:USDT", "4406.61", "4411.41", "4415.26"),
    ],
)
def test_the_prices_at_which_two_positions_end(
    symbol: str, at_80: str, at_90: str, at_100: str
) -> None:
    read = snapshot(examples.two_positions())
    for ratio, price in (("0.8", at_80), ("0.9", at_90), ("1", at_100)):
        found = liquidation_prices(only_pool(read), read.marks, symbol, at_ratio=Decimal(ratio))
        assert found.nearest is not None
        assert round(found.nearest, 2) == Decimal(price)


def test_what_a_position_shows() -> None:
    btc, eth = only_pool(snapshot(examples.two_positions())).positions
    assert (btc.instrument.symbol, eth.instrument.symbol) == ("BTC/USDT:USDT", "ETH/USDT:USDT")
    assert (btc.side.value, eth.side.value) == ("long", "short")
    assert (btc.leverage, eth.leverage) == (10, 20)
    assert (btc.adl_rank, eth.adl_rank) == (2, 4)
    assert btc.reported_liquidation_price == Decimal("78632.8455")
    assert btc.reported_maintenance_margin == Decimal("181.5")
    assert btc.taker_fee_rate == Decimal("0.00055")
    assert btc.has_stop_loss is None
    assert (btc.instrument.lot, btc.instrument.contract_size) == (Decimal("0.001"), 1)


def test_the_wires_own_liquidation_price_is_room_by_size() -> None:
    """Bybit's estimate takes the settle coin as one dollar and freezes the margin."""
    for bodies, size, mark, wire in (
        (examples.taxed_long_of_the_day(), "0.2", "233.029", "176.89650029"),
        (examples.usdc_long(), "0.001", "66472.02", "10736.47573672"),
        (examples.hedge_mode_long(), "18720", "0.41", "0.37000066"),
    ):
        room = risk_of(bodies).requirement.headroom
        assert (
            abs(Decimal(mark) - room / Decimal(size) - Decimal(wire))
            < 2 * WIRE / Decimal(size) + WIRE
        )


def test_a_usdc_contract_settles_in_usdc() -> None:
    risk = risk_of(examples.usdc_long())
    (btc,) = risk.positions
    assert btc.position.instrument.symbol == "BTC/USDC:USDC"
    assert btc.maintenance_margin == Decimal("0.32571423")
    assert btc.initial_margin == Decimal("6.70702815")
    assert round(btc.position.close_fee.fixed, 8) == Decimal("0.05982615")
    assert risk.pool.top_up_asset == "USDC"
    assert verdict(examples.usdc_long()) is Verdict.AGREES


def test_profit_runs_from_the_session_price_once_it_was_settled() -> None:
    bodies = examples.usdc_long()
    (row,) = bodies[POSITIONS.format("linear", "USDC")]["result"]["list"]
    row["sessionAvgPrice"], row["unrealisedPnl"] = "66400", "0.07202"
    (held,) = only_pool(snapshot(bodies)).positions
    assert held.entry_price == 66400
    row["unrealisedPnl"] = "-0.00148"
    (held,) = only_pool(snapshot(bodies)).positions
    assert held.entry_price == Decimal("66473.5")
    # Fees go by the price of entry either way.
    assert round(held.close_fee.fixed, 8) == Decimal("0.05982615")


def test_margins_of_open_orders_are_taken_over() -> None:
    read = snapshot(examples.position_and_order())
    pool = only_pool(read)
    risk = evaluate(pool, read.marks, NOW)
    assert abs(pool.other_maintenance - Decimal("0.21612869") * Decimal("1.000086")) < WIRE
    # The leg's margins were by entry: what the rule by mark gives beside them is taken over too.
    fixed = Decimal("0.08910268") - 4 * Decimal("3.1342") * Decimal("0.0075")
    gap = Decimal("1.11999668") - fixed - 4 * Decimal("3.1342") / 10
    assert abs(pool.other_initial - (Decimal("2.55573119") + gap) * Decimal("1.000086")) < 2 * WIRE
    assert pool.other_balance == 0
    assert abs(risk.requirement.margin_balance - Decimal("841.28368768")) < WIRE
    assert abs(risk.requirement.maintenance_margin - Decimal("0.30525761")) < WIRE
    assert abs(risk.requirement.initial_margin - Decimal("3.67604398")) < 2 * WIRE
    assert round(risk.requirement.ratio, 8) == Decimal("0.00036285")
    assert pool.basis is Basis.PARTLY
    assert read.reported[ID].ratio == Decimal("0.0003")


def test_a_leg_of_hedge_mode_alone_goes_by_the_rule() -> None:
    risk = risk_of(examples.hedge_mode_long())
    (ada,) = risk.positions
    # The entry that the wire shows is rounded: 2.6e-5 between rule and wire.
    assert abs(ada.maintenance_margin - Decimal("61.74533189")) < Decimal("0.000026")
    assert ada.maintenance_margin == Decimal("61.74535757")
    assert round(ada.position.taker_fee_rate, 8) == Decimal("0.00055000")
    assert risk.pool.basis is Basis.MODELLED
    assert ada.position.has_stop_loss is True


def test_both_legs_of_a_hedge_take_the_wires_margins() -> None:
    read = snapshot(constructed.both_legs())
    pool = only_pool(read)
    long, short = evaluate(pool, read.marks, NOW).positions
    assert (long.maintenance_margin, short.maintenance_margin) == (20, 5)
    assert pool.basis is Basis.PARTLY
    assert evaluate(pool, read.marks, NOW).requirement.initial_margin == 260
    assert short.position.reported_liquidation_price is None
    moved = {symbol: replace(mark, price=Decimal(110)) for symbol, mark in read.marks.items()}
    long, short = evaluate(pool, moved, NOW).positions
    assert long.maintenance_margin == 20 + 20 * 10 * Decimal("0.005")
    assert short.maintenance_margin == 5 + 10 * 10 * Decimal("0.005")


def test_collateral_counts_by_the_tiers_of_its_coin() -> None:
    read = snapshot(constructed.coins_as_collateral())
    pool = only_pool(read)
    risk = evaluate(pool, read.marks, NOW)
    values = {value.asset: value.value for value in risk.collateral}
    counted = (Decimal("9.8") + Decimal("9.5") + 9 + Decimal("8.5") + 4) * 100_000
    assert values == {"USDT": 10005, "BTC": counted, "METH": 720_000, "MNT": 0}
    assert risk.requirement.margin_balance == 4_810_005
    assert verdict(constructed.coins_as_collateral()) is Verdict.AGREES


def test_floating_coins_follow_their_perpetual_and_stablecoins_nothing() -> None:
    read = snapshot(constructed.coins_as_collateral())
    follows = {c.asset: c.follows for c in only_pool(read).collateral}
    assert follows["USDT"] is None
    assert follows["MNT"] is None
    btc, meth = follows["BTC"], follows["METH"]
    assert btc is not None
    assert meth is not None
    assert (btc.base, btc.symbol, btc.anchor_mark) == ("BTC", "BTC/USDT:USDT", 99950)
    # Nothing lists a perpetual on METH: its own index stands for it, and no live mark moves it.
    assert (meth.base, meth.symbol, meth.anchor_mark) == ("METH", "METH/USD", 4000)
    assert [i.symbol for i in read.followed] == ["BTC/USDT:USDT"]
    assert [i.symbol for i in read.instruments()] == ["SOL/USDT:USDT", "BTC/USDT:USDT"]
    halved = read.marks | {
        "BTC/USDT:USDT": replace(read.marks["BTC/USDT:USDT"], price=Decimal(49975))
    }
    risk = evaluate(only_pool(read), halved, NOW)
    btc_value = next(v.value for v in risk.collateral if v.asset == "BTC")
    assert btc_value == Decimal("40.8") * 50_000


def test_a_floating_coin_follows_a_contract_that_is_held() -> None:
    bodies = constructed.coins_as_collateral()
    bodies["/v5/market/instruments-info?category=linear"]["result"]["list"][0]["baseCoin"] = "BTC"
    read = snapshot(bodies)
    follows = {c.asset: c.follows for c in only_pool(read).collateral}["BTC"]
    assert follows is not None
    assert (follows.symbol, follows.anchor_mark) == ("BTC/USDT:USDT", 100)
    assert read.followed == ()


def test_nothing_held_is_a_pool_at_ratio_0() -> None:
    bodies = constructed.haircut_of_spot_orders()
    bodies[WALLET]["result"]["list"] = [wallet()]
    pool = only_pool(snapshot(bodies))
    assert pool.collateral == ()
    assert evaluate(pool, {}, NOW).requirement.ratio == 0


def test_a_contract_of_a_kind_that_is_not_known_is_named() -> None:
    bodies = examples.two_positions()
    rows = bodies["/v5/market/instruments-info?category=linear"]["result"]["list"]
    rows[0]["contractType"] = "LinearPower"
    with pytest.raises(Unmodelled, match="BTCUSDT is a LinearPower contract"):
        snapshot(bodies)
    rows[0]["contractType"] = "InversePerpetual"
    with pytest.raises(Malformed, match="a linear contract, found InversePerpetual"):
        snapshot(bodies)


def test_a_dated_contract_is_named_as_ccxt_does() -> None:
    bodies = examples.two_positions()
    rows = bodies["/v5/market/instruments-info?category=linear"]["result"]["list"]
    rows[0]["contractType"], rows[0]["deliveryTime"] = "LinearFutures", "1766736000000"
    assert only_pool(snapshot(bodies)).positions[0].instrument.symbol == "BTC/USDT:USDT-251226"


def test_margins_need_the_index_of_their_settle_coin() -> None:
    bodies = examples.two_positions()
    usdt = bodies[WALLET]["result"]["list"][0]["coin"][0]
    usdt["usdValue"] = "0"
    with pytest.raises(Malformed, match="a USD value of USDT"):
        snapshot(bodies)
    usdt |= {"coin": "USDE", "totalPositionMM": "0", "unrealisedPnl": "0"}
    with pytest.raises(Malformed, match="a row of USDT"):
        snapshot(bodies)


def some(name: str, value: str) -> Coin:
    return read_coin(Row(coin(name, "1", "1", value), ""))


@pytest.mark.parametrize(
    ("coins", "asset"),
    [
        (("USDC", "10"), "USDC"),
        (("USDC", "10", "BTC", "500", "ETH", "300"), "BTC"),
        (("BTC", "500", "USDT", "10"), "USDT"),
        ((), "USDT"),
    ],
)
def test_without_positions_usdt_is_added_or_what_there_is_most_of(
    coins: tuple[str, ...], asset: str
) -> None:
    held = tuple(some(*row) for row in zip(coins[::2], coins[1::2], strict=True))
    assert _top_up_asset((), held) == asset


def legs_of(bodies: dict[str, Json]) -> tuple[Leg, ...]:
    account = read_account("main", replies(bodies))
    return tuple(leg_of(account, held) for held in account.held)


def test_the_coin_to_add_is_the_one_that_most_is_held_in() -> None:
    """The two in USDT are worth more than the one in USDC together, each alone is not."""
    both, one = legs_of(examples.two_positions()), legs_of(examples.usdc_long())
    values = sorted(leg.notional for leg in both)
    price = (values[1] + values[0] / 2) / one[0].notional
    coins = (some("USDT", "1"), some("USDC", str(price)))
    assert _top_up_asset((*both, *one), coins) == "USDT"
    assert _top_up_asset((*both[:1], *one), coins) == "USDC"
    assert _top_up_asset((*both[1:], *one), coins) == "USDC"
