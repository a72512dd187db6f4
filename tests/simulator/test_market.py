from decimal import Decimal

import pytest

from monitor.simulator.market import CoinPath, Leg, Market

D = Decimal
SOL = CoinPath(
    base="SOL",
    start=D(150),
    legs=(
        Leg(until=D(10), price=D(150)),
        Leg(until=D(20), price=D(120)),
        Leg(until=D(20), price=D(100)),
        Leg(until=D(30), price=D(110)),
    ),
)


@pytest.mark.parametrize(
    ("seconds", "price"),
    [
        (0, 150),
        (5, 150),
        (15, 135),  # half of the way from 150 to 120
        (19.5, 121.5),
        (20, 100),  # the gap
        (25, 105),
        (30, 110),
        (1000, 110),  # the path is over
    ],
)
def test_a_path_runs_straight_between_its_legs_and_jumps_at_a_gap(
    seconds: float, price: float
) -> None:
    assert Market(1, (SOL,)).price("SOL", seconds) == D(str(price))


def test_the_same_seed_gives_the_same_path_whoever_asks_first() -> None:
    noisy = (CoinPath(base="BTC", start=D(60000), noise_rate=D("0.001")),)
    seconds = [0, 0.1, 3.7, 12, 59.9]
    forward = [Market(5, noisy).price("BTC", at) for at in seconds]
    market = Market(5, noisy)
    backward = [market.price("BTC", at) for at in reversed(seconds)]
    assert forward == backward[::-1]
    assert forward != [Market(6, noisy).price("BTC", at) for at in seconds]


def test_noise_moves_the_price_but_never_beyond_its_rate() -> None:
    market = Market(5, (CoinPath(base="BTC", start=D(60000), noise_rate=D("0.001")),))
    prices = [market.price("BTC", at / 10) for at in range(600)]
    assert len(set(prices)) > 500
    assert all(D(59940) <= price <= D(60060) for price in prices)


def test_the_index_lies_beside_the_mark_by_half_a_basis_point_at_most() -> None:
    market = Market(5, (SOL,))
    gaps = [abs(market.index("SOL", at) / market.price("SOL", at) - 1) for at in range(60)]
    assert max(gaps) <= D("0.000051")
    assert any(gaps)


def test_a_coin_without_a_path_is_an_error_and_never_a_zero() -> None:
    market = Market(1, (SOL,))
    with pytest.raises(KeyError, match="ETH"):
        market.price("ETH", 0)


def test_stablecoins_are_worth_one_unless_the_scenario_says_otherwise() -> None:
    assert Market(1, (SOL,)).price("USDT", 5) == 1
    fallen = CoinPath(base="USDC", start=D("0.88"))
    assert Market(1, (fallen,)).price("USDC", 5) == D("0.88")
