"""Three exchanges crash together: one account warned, one nearly lost, one lost."""

from pathlib import Path

import pytest

from monitor.simulator.scenario import load
from monitor.simulator.server import running
from tests.end_to_end.stage import receiving, skip_to, watching, write_config
from tests.end_to_end.story import MINUTE, WITHIN, hasten, is_news, rises, told, told_of, written

SPEED = 2
BEFORE_SECONDS = 22  # of the path: the first rung is crossed after 27
ACCOUNTS = ("flash-binance", "flash-bybit", "flash-okx")


async def test_every_crossing_on_three_exchanges_is_told_within_a_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hasten(monkeypatch)
    async with running(load("flash_crash"), speed=SPEED) as simulation, receiving() as receiver:
        config = write_config(tmp_path, simulation.access(), receiver.url, poll_seconds=2)
        async with watching(config) as daemon:
            await daemon.fresh(*ACCOUNTS)
            skip_to(simulation, BEFORE_SECONDS)

            def all_over() -> bool:
                ends = {"flash-okx": "GONE", "flash-bybit": "RESOLVED", "flash-binance": "RESOLVED"}
                return all(
                    any(word in title for title in told_of(account, receiver.messages))
                    for account, word in ends.items()
                )

            await daemon.until(all_over, "the end of all three being told", seconds=40)
    crossings = rises(simulation.world.events)
    assert {c.account for c in crossings} == set(ACCOUNTS)
    assert {c.threshold for c in crossings if c.account == "flash-bybit"} == {"0.8"}
    for crossing in crossings:
        delay = told(crossing, written(tmp_path / "state"))
        assert delay is not None, crossing
        assert delay < WITHIN, crossing
        # What follows within a minute is gathered; the gravest is told in time.
        arrived = told(crossing, receiver.messages)
        assert arrived is not None, crossing
        assert arrived < MINUTE, crossing
    # Of each account its first and its rungs, the end, what the exchange took and warned of.
    assert receiver.posts <= 3 * 4
    # The account that is lost hears it at once, and once.
    taken = [t for t in told_of("flash-okx", receiver.messages) if "LIQUIDATION:" in t]
    assert taken == ["LIQUIDATION: flash-okx (okx), 2 positions"]
    for account in ACCOUNTS:
        mine = [t for t in told_of(account, receiver.messages) if not is_news(t)]
        # One trouble each: the distance warned first, and nothing came after the end.
        assert mine[0].startswith(("NEAR 5 %", "VERY NEAR 2 %"))
        assert "RESOLVED" in mine[-1] or "GONE" in mine[-1]
        assert sum("RESOLVED" in title or "GONE" in title for title in mine) == 1
        # The rungs are four, and each is told once at most.
        assert len(mine) <= 1 + 4
