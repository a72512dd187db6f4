"""
Bybit's isolated positions, each a pool of its own.

What is derived from the rules of 2025-09 has not been confirmed on a wire.
"""

from decimal import Decimal

import pytest

from monitor.simulator.bybit_account import Account, Order, Position, Prices
from monitor.simulator.bybit_isolated import added_margin, liquidation_price, with_margin
from monitor.simulator.bybit_pools import liquidate, pools
from monitor.simulator.bybit_tables import RISK_LIMITS, ladder

D = Decimal
SLIGHT = D("1e-18")


def at(**prices: str) -> Prices:
    return Prices(coin=lambda base: D(prices[base]), usdt_index=D(1))


def position(symbol: str, side: str, size: str, entry: str, leverage: str, **more) -> Position:
    return Position(
        symbol=symbol, side=side, size=D(size), entry=D(entry), leverage=D(leverage), **more
    )


def isolated(*positions: Position, **more) -> Account:
    return Account(
        name="alone",
        margin_mode="ISOLATED_MARGIN",
        wallets={"USDT": D(1000), "BTC": D(1)},
        positions=list(positions),
        **more,
    )


@pytest.fixture
def half_a_percent(monkeypatch):
    monkeypatch.setitem(RISK_LIMITS, "BTCUSDT", ladder((("2000000", "100", "0.5", "1"),), 1, 1))


@pytest.mark.usefixtures("half_a_percent")
def test_the_published_example_with_the_maintenance_margin_on_the_mark():
    """
    Help: 1 BTC at 20,000, 50x, 0.5 %: 19,700 by the old rule; derived by the new one: 19,698.4925.

    20,000 (1 - 1/50) / (1 - 0.005) = 19,600 / 0.995
    """
    mine = position("BTCUSDT", "Buy", "1", "20000", "50")
    price = liquidation_price(mine)
    assert price == D(19600) / D("0.995")
    assert price.quantize(D("0.0001")) == D("19698.4925")
    # the fee to close is in both, so it moves nothing: at that price nothing is left
    (pool,) = pools(isolated(mine), at(BTC="20000"))
    solved = pool.positions[0].liquidation_price
    assert callable(solved)
    assert abs(solved() / price - 1) < SLIGHT


@pytest.mark.usefixtures("half_a_percent")
def test_margin_added_by_hand_moves_the_price_away():
    mine = position("BTCUSDT", "Buy", "1", "20000", "50", isolated_margin=D(900))
    assert added_margin(mine) == 900 - 400
    assert liquidation_price(mine) == (D(19600) - 500) / D("0.995")
    short = position("BTCUSDT", "Sell", "1", "20000", "50", isolated_margin=D(900))
    assert liquidation_price(short) == (D(20400) + 500) / D("1.005")


def test_margin_is_added_to_what_stands_and_goes_with_what_is_closed():
    """400 of initial margin and 500 more; of a quarter closed a quarter goes."""
    mine = position("BTCUSDT", "Buy", "1", "20000", "50")
    assert added_margin(with_margin(mine, D(500))) == 500
    more = with_margin(with_margin(mine, D(300)), D(200))
    assert more.isolated_margin == 900
    left = more.resized(D("0.75"), D(19000))
    assert (left.isolated_margin, added_margin(left)) == (900 * D("0.75"), 500 * D("0.75"))
    assert mine.resized(D("0.5"), D(19000)).isolated_margin == 0, "just its initial margin"


def test_the_ratio_is_maintenance_by_what_stands_for_the_position():
    """Of 0.1 BTC at 100,000, 10x, mark 99,000, both with 10,000 x 0.9 x 0.055 % to close."""
    mine = position("BTCUSDT", "Buy", "0.1", "100000", "10", isolated_margin=D(1200))
    (pool,) = pools(isolated(mine), at(BTC="99000"))
    fee = 10000 * D("0.9") * D("0.00055")
    assert (pool.pool, pool.unit) == ("isolated/BTCUSDT", "USDT")
    assert pool.margin_balance == 1000 + fee + 200 - 100
    assert pool.maintenance_margin == 9900 * D("0.0033") + fee


def test_the_tier_is_that_of_the_price_where_it_ends():
    """
    4 BTC short at 70,000 are in the first tier (280,000); where it ends they are in the second.

    280,000 + 56,000 - 4 P = 4 P x 0.005 - 510 at P = 336,510 / 4.02, a value of 334,836.
    """
    mine = position("BTCUSDT", "Sell", "4", "70000", "5")
    price = liquidation_price(mine)
    assert price == D(336510) / D("4.02")
    (pool,) = pools(isolated(mine), at(BTC="70000"))
    solved = pool.positions[0].liquidation_price
    assert callable(solved)
    assert abs(solved() / price - 1) < SLIGHT


@pytest.mark.parametrize(("side", "sign"), [("Buy", 1), ("Sell", -1)])
def test_an_inverse_position_is_solved_in_its_coin(side, sign):
    """10,000 USD at 50,000, 10x, 0.5 %: q (1 +/- m) / (q/E +/- q/(E L))."""
    mine = position("BTCUSD", side, "10000", "50000", "10")
    price = liquidation_price(mine)
    assert price == 10000 * (1 + sign * D("0.005")) / (D("0.2") + sign * D("0.02"))
    (pool,) = pools(isolated(mine), at(BTC="50000"))
    assert (pool.pool, pool.unit) == ("isolated/BTCUSD", "BTC")
    fee = D("0.2") * (1 + sign * D("0.1")) * D("0.00055")
    assert pool.margin_balance == D("0.02") + fee
    assert pool.maintenance_margin == D("0.2") * D("0.005") + fee
    solved = pool.positions[0].liquidation_price
    assert callable(solved)
    assert abs(solved() / price - 1) < SLIGHT


def test_without_leverage_a_long_has_no_price():
    assert liquidation_price(position("BTCUSDT", "Buy", "0.1", "100000", "1")) is None


def test_an_order_beside_it_takes_nothing_of_its_pool():
    """2.9 BTC at 100,000 are in the first tier, whatever waits beside them."""
    mine = position("BTCUSDT", "Buy", "2.9", "100000", "10")
    order = Order(order_id="1", symbol="BTCUSDT", side="Buy", qty=D(20), price=D(99000))
    (pool,) = pools(isolated(mine, orders=[order]), at(BTC="100000"))
    fee = 290000 * D("0.9") * D("0.00055")
    assert pool.maintenance_margin == 290000 * D("0.0033") + fee


def test_the_sides_of_a_hedge_are_pools_of_their_own():
    legs = [
        position("BTCUSDT", "Buy", "0.1", "100000", "10", idx=1),
        position("BTCUSDT", "Sell", "0.1", "100000", "10", idx=2),
    ]
    names = [pool.pool for pool in pools(isolated(*legs, hedge=True), at(BTC="100000"))]
    assert names == ["isolated/BTCUSDT/long", "isolated/BTCUSDT/short"]


def test_its_end_leaves_the_others_alone():
    """What was posted is lost: 1,000 and the fee to close; nothing of the other position."""
    first = position("BTCUSDT", "Buy", "0.1", "100000", "10")
    other = position("ETHUSDT", "Buy", "1", "3500", "10")
    account = isolated(first, other)
    done = liquidate(account, at(BTC="90400", ETH="3500"), "isolated/BTCUSDT")
    assert [p.position for p in done.positions] == [first]
    assert account.positions == [other]
    fee = 10000 * D("0.9") * D("0.00055")
    assert account.wallets["USDT"] == 1000 - (1000 + fee)
    assert done.paid == 1000 + fee - 960


def test_there_is_no_other_pool_to_liquidate():
    with pytest.raises(KeyError):
        liquidate(isolated(), at(), "unified")
