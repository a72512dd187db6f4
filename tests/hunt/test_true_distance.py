"""
The simulator's own distance, held against arithmetic.

On Binance, cross in one asset: the wallet bears the loss, and 0.4 % of each notional up to
300,000 is maintenance margin.
"""

from decimal import Decimal

import pytest

from monitor.simulator.binance import Binance
from monitor.simulator.scenario import parse
from monitor.simulator.world import World
from tests.hunt.plan import MARKS
from tests.hunt.record import FAR, Record
from tests.hunt.true_distance import CLOSE, TrueDistance

_D = Decimal
_RATE = _D("0.004")
_BTC, _ETH = _D(MARKS["BTC"]), _D(MARKS["ETH"])
_MOVE = _D("0.03")

Legs = tuple[tuple[str, str, str], ...]
LONG = ("BTCUSDT", "long", "2")
ROWS: dict[str, tuple[Legs, Decimal, Decimal]] = {
    # legs, wallet at which a move of 3 % ends them, that move
    "a long falls": (
        (LONG,),
        2 * _BTC * _MOVE + _RATE * 2 * _BTC * (1 - _MOVE),
        _MOVE,
    ),
    "a short rises": (
        (("BTCUSDT", "short", "2"),),
        2 * _BTC * _MOVE + _RATE * 2 * _BTC * (1 + _MOVE),
        _MOVE,
    ),
    "of a long and a short in two coins both lose at once": (
        (LONG, ("ETHUSDT", "short", "60")),
        (2 * _BTC + 60 * _ETH) * _MOVE + _RATE * (2 * _BTC * (1 - _MOVE) + 60 * _ETH * (1 + _MOVE)),
        _MOVE,
    ),
    "of a long and a smaller short in one coin it is the fall, though both are required for": (
        (LONG, ("BTCUSDT", "short", "1.5")),
        _D("0.5") * _BTC * _MOVE + _RATE * _D("3.5") * _BTC * (1 - _MOVE),
        _MOVE,
    ),
    "beyond the farthest rung it is not looked for": (
        (LONG,),
        2 * _BTC * _D("0.1"),
        FAR,
    ),
    "at the end nothing is left": (
        (LONG,),
        2 * _BTC * _RATE,
        _D(0),
    ),
}


def _stage(legs: Legs, wallet: Decimal) -> tuple[World, Binance]:
    hedged = 'position_mode = "hedge"\n' if len({leg[0] for leg in legs}) < len(legs) else ""
    positions = "".join(
        f'[[accounts.positions]]\nsymbol = "{symbol}"\nside = "{side}"\ncontracts = "{size}"\n'
        f'entry_price = "{_BTC if symbol == "BTCUSDT" else _ETH}"\nleverage = 20\n'
        for symbol, side, size in legs
    )
    return _staged(f'mode = "single_asset"\n{hedged}wallets = {{ USDT = "{wallet}" }}\n{positions}')


def _staged(account: str) -> tuple[World, Binance]:
    """An account of Binance that is like this, at the marks at which all coins begin."""
    market = "".join(f"[market.{base}]\nstart = {price}\n" for base, price in MARKS.items())
    world = World(
        parse(
            'name = "distance"\ndescription = "-"\nseed = 1\nduration_seconds = 60\n'
            f'{market}[[accounts]]\nname = "one"\nexchange = "binance"\nstays = true\n{account}',
            "distance",
        )
    )
    return world, Binance(world)


@pytest.mark.parametrize("row", ROWS)
def test_it_is_the_move_that_ends_the_pool(row: str) -> None:
    legs, wallet, move = ROWS[row]
    world, binance = _stage(legs, wallet)
    record = Record()

    TrueDistance(world, record).sample(binance, "one", binance.pools("one"), 0.0)

    (found,) = record.reaches["one", "USDT"]
    assert found.least == found.most
    assert abs(found.most - move) <= CLOSE * move


def test_every_mark_stands_where_it_stood() -> None:
    legs, wallet, _ = ROWS["a long falls"]
    world, binance = _stage(legs, wallet)
    before = binance.pools("one")[0]

    TrueDistance(world, Record()).sample(binance, "one", (before,), 0.0)

    after = binance.pools("one")[0]
    assert (after.ratio, after.positions[0].mark_price) == (before.ratio, _BTC)


def test_it_is_noted_anew_as_what_is_left_changes() -> None:
    legs, wallet, move = ROWS["a long falls"]
    world, binance = _stage(legs, wallet)
    record = Record()
    truth = TrueDistance(world, record)

    for second, fall in enumerate((_D(0), _D("0.00001"), _D("0.01"))):
        world.pin("BTC", _BTC * (1 - fall), "binance")
        world.publish("binance")
        truth.sample(binance, "one", binance.pools("one"), float(second))

    first, last = record.reaches["one", "USDT"]
    assert (first.at, last.at) == (0.0, 2.0)
    # From 99 % of the price a fall to 97 % is left.
    assert abs(last.most - (1 - (1 - move) / _D("0.99"))) <= CLOSE * move


def test_a_pool_that_is_gone_is_far_from_its_end() -> None:
    legs, wallet, _ = ROWS["a long falls"]
    world, binance = _stage(legs, wallet)
    record = Record()
    truth = TrueDistance(world, record)

    truth.sample(binance, "one", binance.pools("one"), 0.0)
    truth.sample(binance, "one", (), 1.0)

    assert [reach.least for reach in record.reaches["one", "USDT"]][1:] == [FAR]


def test_coins_beside_a_debt_have_no_end_where_nothing_stands_on_them() -> None:
    """A coin against nearly all of its worth in dollars owed: a fall of 1 % leaves nothing."""
    wallets = f'{{ BTC = "1", USDT = "{-_BTC * _D("0.9")}" }}'
    world, binance = _staged(f'mode = "multi_assets"\nwallets = {wallets}\n')
    record = Record()
    (pool,) = binance.pools("one")
    assert (pool.positions, pool.maintenance_margin) == ((), 0)

    TrueDistance(world, record).sample(binance, "one", (pool,), 0.0)

    assert [reach.most for reach in record.reaches["one", pool.pool]] == [FAR]
