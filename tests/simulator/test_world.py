"""The world's clock, prices, and its record of crossings, liquidations and faults."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from monitor.simulator.scenario import Scenario, parse
from monitor.simulator.server import open_exchanges
from monitor.simulator.world import Exchange, World
from tests.simulator.scenes import BINANCE, HEDGED, SCENE, scene

D = Decimal


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 22, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def opened(scenario: Scenario, speed: float = 1) -> tuple[World, Exchange, Clock]:
    clock = Clock()
    world = World(scenario, speed=speed, clock=clock)
    (exchange,) = open_exchanges(world)
    return world, exchange, clock


def heard(world: World, *names: str) -> list[tuple[object, ...]]:
    return [tuple(event.get(name) for name in names) for event in world.events]


def test_speed_compresses_the_path_but_not_the_clock() -> None:
    world, _, clock = opened(scene(BINANCE), speed=4)
    before = world.now()
    clock.forward(2)
    assert world.elapsed() == 8
    assert world.now() - before == timedelta(seconds=2)


def test_a_mark_holds_until_the_exchange_publishes_the_next() -> None:
    moving = SCENE.replace("start = 60000", "start = 60000\nlegs = [{until = 10, price = 50000}]")
    world, _, clock = opened(scene(BINANCE, market=moving))
    world.publish("binance")
    clock.forward(5)
    assert world.mark("binance", "BTC") == 60000
    world.publish("binance")
    assert world.mark("binance", "BTC") == 55000


def test_a_pinned_price_holds_until_it_is_released() -> None:
    world, _, _ = opened(scene(BINANCE))
    world.pin("BTC", D(40000))
    world.pin("ETH", D(1), "okx")
    world.publish("binance")
    assert (world.mark("binance", "BTC"), world.index("binance", "BTC")) == (40000, 40000)
    assert world.mark("binance", "ETH") == 2500
    world.pin("BTC", None)
    world.publish("binance")
    assert world.mark("binance", "BTC") == 60000


async def test_crossings_are_recorded_upwards_and_downwards() -> None:
    # Long 0.3 from 60,000 and short 0.1 from 63,000 on a wallet of 8,000: at mark P the balance
    # is 8,000 - 11,700 + 0.2 P, the maintenance 0.4 x 0.4 % x P: 74.8 % at 18,700, 83.0 % at
    # 18,680, 99.5 % at 18,650.
    world, exchange, _ = opened(scene(HEDGED))
    for price in ("18700", "18680", "18650", "18680", "18700"):
        world.pin("BTC", D(price))
        await world.tick(exchange)
    assert heard(world, "event", "direction", "threshold") == [
        ("crossing", "up", "0.8"),
        ("crossing", "up", "0.9"),
        ("crossing", "down", "0.9"),
        ("crossing", "down", "0.8"),
    ]
    assert world.events[0]["account"] == "hedged"
    assert world.events[0]["pool"] == "USDT"
    assert world.events[0]["at"] == "2026-11-22T12:00:00.000Z"


async def test_at_one_hundred_percent_the_pool_is_liquidated() -> None:
    world, exchange, _ = opened(scene(HEDGED))
    world.pin("BTC", D(18640))
    await world.tick(exchange)
    assert [event["event"] for event in world.events] == ["crossing"] * 3 + ["liquidation"]
    event = world.events[-1]
    assert event["margin_balance"] == "28"  # 8,000 - 11,700 + 0.2 x 18,640
    assert event["maintenance_margin"] == "29.824"
    assert event["closed"] == "BTCUSDT 0.3, BTCUSDT -0.1"
    assert event["fee"] == "93.2"  # 0.4 x 18,640 x 1.25 %
    assert event["insurance_fund_paid"] == "65.2 USDT"
    (pool,) = exchange.pools("hedged")
    assert (pool.positions, pool.margin_balance, pool.ratio) == ((), 0, 0)


async def test_an_isolated_position_dies_alone() -> None:
    world, exchange, _ = opened(scene(BINANCE))
    world.pin("SOL", D(100))  # 60 + 3 x (100 - 148) is below zero
    await world.tick(exchange)
    assert [e["pool"] for e in world.events if e["event"] == "liquidation"] == ["isolated/SOLUSDT"]
    assert {pool.pool for pool in exchange.pools("one")} == {"USDT", "USDC"}
    assert next(p for p in exchange.pools("one") if p.pool == "USDT").margin_balance == D("900.5")


async def test_the_timeline_switches_faults_on_and_off_in_virtual_seconds() -> None:
    fault = '[[faults]]\nat_seconds = 8\nexchange = "binance"\nkind = "stall"\nseconds = 4\n'
    world, exchange, clock = opened(parse(SCENE + BINANCE + fault, "s"), speed=4)
    for _ in range(6):
        await world.tick(exchange)
        clock.forward(0.9)
    assert heard(world, "event", "fault", "elapsed_seconds") == [
        ("fault", "stall", "10.800"),
        ("fault_over", "stall", "18.000"),
    ]


def test_a_shifted_clock_is_the_exchange_s_alone() -> None:
    world, _, _ = opened(scene(BINANCE))
    world.fault("binance", "clock", value="-7")
    assert world.server_time("binance") == world.now() - timedelta(seconds=7)
    assert world.server_time("okx") == world.now()


def test_an_unknown_fault_is_an_error() -> None:
    world, _, _ = opened(scene(BINANCE))
    with pytest.raises(ValueError, match="fault 'fire': there are 403_html"):
        world.fault("binance", "fire")


def test_clearing_takes_what_matches_only() -> None:
    world, _, _ = opened(scene(BINANCE))
    world.fault("binance", "stall")
    world.fault("binance", "html")
    world.fault("okx", "html")
    world.clear_faults("binance", "html")
    now = world.now()
    assert world.faults.find("binance", "/x", "stall", now)
    assert world.faults.find("binance", "/x", "html", now) is None
    assert world.faults.find("okx", "/x", "html", now)


def test_a_fault_holds_on_its_paths_only() -> None:
    world, _, _ = opened(scene(BINANCE))
    world.fault("binance", "html", path="/fapi/v3")
    now = world.now()
    assert world.faults.first_of_rest("binance", "/fapi/v3/account", now)
    assert world.faults.first_of_rest("binance", "/fapi/v1/time", now) is None
