"""What the scenarios of the package bring about, played through the ledgers without a network."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from monitor.simulator.scenario import Scenario, load
from monitor.simulator.server import open_exchanges
from monitor.simulator.truth import PoolTruth
from monitor.simulator.world import World

D = Decimal


@dataclass(slots=True)
class Clock:
    now: datetime = datetime(2026, 11, 22, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


async def played(scenario: Scenario) -> World:
    """The world after the whole scenario, each exchange ticked at its own cadence."""
    clock = Clock()
    world = World(scenario, clock=clock)
    open_exchanges(world)
    start = clock.now
    ticks = sorted(
        (number * exchange.cadence_seconds, index)
        for index, exchange in enumerate(world.exchanges)
        for number in range(int(scenario.duration_seconds / exchange.cadence_seconds) + 1)
    )
    for seconds, index in ticks:
        clock.now = start + timedelta(seconds=seconds)
        await world.tick(world.exchanges[index])
    return world


def story(world: World, account: str) -> list[str]:
    """What became of an account, in short words: "up 0.8", "liquidation", "down 0.8"."""
    words = []
    for event in world.events:
        if event.get("account") == account:
            crossing = f"{event.get('direction')} {event.get('threshold')}"
            words.append(crossing if event["event"] == "crossing" else str(event["event"]))
    return words


def when(world: World, account: str, words: str) -> float:
    """Virtual second of the first event of an account that these words describe."""
    events = [event for event in world.events if event.get("account") == account]
    index = story(world, account).index(words)
    return float(str(events[index]["elapsed_seconds"]))


def pool_at(scenario: Scenario, **marks: str) -> PoolTruth:
    """The first pool of the first account at these marks."""
    world = World(scenario)
    exchange = open_exchanges(world)[0]
    for base, price in marks.items():
        world.pin(base, D(price))
    world.publish(exchange.name)
    return exchange.pools(scenario.accounts[0].name)[0]


async def test_calm_brings_nothing() -> None:
    assert (await played(load("calm"))).events == []


async def test_ahmed_is_never_in_danger() -> None:
    scenario = load("ahmed")
    assert (await played(scenario)).events == []
    low = pool_at(scenario, BTC="42500")
    assert (low.margin_balance, low.maintenance_margin) == (1000 - 250, 4250 * D("0.004"))


async def test_zara_s_account_is_gone_when_sol_is_down_nine_point_six_percent() -> None:
    scenario = load("zara")
    gone = pool_at(scenario, SOL="135.6", ETH="3395", XRP="2.328")
    assert gone.ratio > 1
    balance = 3000 - 200 * D("14.4") + D("0.2") * 125 + 300 * D("0.028")
    assert abs(gone.margin_balance - balance) < D("0.1")  # USDT is 1.0002 dollars there
    assert abs(gone.maintenance_margin - D("157.50")) < D("0.1")
    assert pool_at(scenario, SOL="135.66", ETH="3395", XRP="2.328").ratio < 1
    world = await played(scenario)
    assert story(world, "zara") == ["up 0.8", "up 0.9", "up 1", "liquidation", *_RESOLVED]
    assert when(world, "zara", "up 1") - when(world, "zara", "up 0.8") > 4


async def test_in_the_flash_crash_one_is_warned_one_nearly_lost_and_one_lost() -> None:
    world = await played(load("flash_crash"))
    assert story(world, "flash-bybit") == ["up 0.8", "down 0.8"]
    assert story(world, "flash-binance") == ["up 0.8", "up 0.9", "down 0.9", "down 0.8"]
    assert story(world, "flash-okx") == ["up 0.8", "up 0.9", "up 1", "liquidation", *_RESOLVED]
    assert when(world, "flash-okx", "up 1") - when(world, "flash-okx", "up 0.8") > 4
    assert when(world, "flash-okx", "liquidation") < 38  # before the low
    assert when(world, "flash-binance", "down 0.8") < 46
    assert world.events[0]["elapsed_seconds"] > "20"


_RESOLVED = ["down 1", "down 0.9", "down 0.8"]  # an account without positions has no ratio


async def test_the_flash_crash_in_binance_s_arithmetic() -> None:
    scenario = load("flash_crash")
    low = pool_at(scenario, ACT="0.083", BTC="91500", ETH="3202.5")
    assert low.margin_balance == 10800 - 6800 - 1700 + 695
    assert low.maintenance_margin == 33200 * D("0.1") - 500 + 18300 * D("0.004") + 6405 * D("0.004")


async def test_blind_is_about_not_knowing_and_nothing_else() -> None:
    world = await played(load("blind"))
    assert {event["event"] for event in world.events} == {"fault", "fault_over"}
    begun = [e for e in world.events if e["event"] == "fault"]
    over = [e for e in world.events if e["event"] == "fault_over"]
    assert len(begun) == len(over) == 7
    assert {event["exchange"] for event in begun} == {"binance", "bybit", "okx"}
    # Dark for longer than the 15 s that a mark may be old, and long back before the end.
    assert all(float(str(event["elapsed_seconds"])) < 36 for event in over)
