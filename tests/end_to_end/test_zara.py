"""Zara's cross account on its way down: each rung is told within a second, then the end."""

from pathlib import Path

import pytest

from monitor.simulator.scenario import load
from monitor.simulator.server import running
from tests.end_to_end.stage import receiving, skip_to, watching, write_config
from tests.end_to_end.story import WITHIN, hasten, is_news, rises, time_of, told, written

SPEED = 2
BEFORE_SECONDS = 30  # of the path: 80 % is crossed after 34


async def test_each_rung_is_told_within_a_second_and_the_end_plainly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hasten(monkeypatch)
    async with running(load("zara"), speed=SPEED) as simulation, receiving() as receiver:
        config = write_config(tmp_path, simulation.access(), receiver.url, poll_seconds=2)
        async with watching(config) as daemon:
            await daemon.fresh("zara")
            skip_to(simulation, BEFORE_SECONDS)
            await daemon.until(lambda: receiver.of("GONE"), "the end being told", seconds=30)
    events = simulation.world.events
    crossings = rises(events)
    assert [c.threshold for c in crossings] == ["0.8", "0.9"]
    for crossing in crossings:
        delay = told(crossing, written(tmp_path / "state"))
        assert delay is not None, crossing
        assert delay < WITHIN
    ladder = [m for m in written(tmp_path / "state") if not is_news(m.title)]
    near, warning, critical, end = ladder[-4:]
    # 80 % of her ratio is a fifth of a percent from the end: the distance warned before.
    assert near.title.startswith("VERY NEAR 2 %: zara (bybit) is ")
    assert warning.title.startswith("VERY NEAR 2 %: zara (bybit) is 0.1")
    assert ", at 8" in warning.title
    assert "stands on rungs very near and warning: " in warning.body
    assert critical.title.startswith("CRITICAL 90 %: zara (bybit) at 9")
    assert end.title.startswith("POSITIONS GONE, LIQUIDATED? zara (bybit); peak ")
    assert len({m.incident for m in ladder}) == 1
    # What Bybit itself said and did came before the end, with its cause.
    warned, taken, *_ = [m for m in receiver.messages if is_news(m.title)]
    assert warned.title.startswith("WARNED BY THE EXCHANGE: zara (bybit), at 100.")
    assert taken.title.startswith("TAKEN OVER: zara (bybit), ")
    assert taken.at < end.at
    assert end.incident != ""
    liquidation = next(event for event in events if event["event"] == "liquidation")
    assert time_of(liquidation) < end.at
    for words in ("All positions", "most likely liquidated"):
        assert words in end.body
    # What one falling coin takes with it is named beforehand: her winners too.
    for symbol in ("SOL/USDT:USDT long", "ETH/USDT:USDT short", "XRP/USDT:USDT long"):
        assert symbol in critical.body
