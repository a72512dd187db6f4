"""
The exchanges go dark: what is not known is told, and so is the return.

Budgets are shortened to 2 s for marks and 3 s for the account; an input that is older by the
grace of 5 s is told, and the check runs each second. So are the pauses before reconnecting.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitor.exchanges import stream
from monitor.simulator.scenario import load
from monitor.simulator.server import Simulation, running
from tests.end_to_end.stage import (
    ONLY_RATIO,
    Receiver,
    Watching,
    receiving,
    watching,
    write_config,
)

BUDGETS = {"marks": 2, "account": 3}
GRACE = timedelta(seconds=5)
# The engine's clock beats once a second; the rest is for a machine with other things to do.
SLACK = timedelta(seconds=2)
ACCOUNTS = ("blind-binance", "blind-bybit", "blind-okx")
EXCHANGES = ("binance", "bybit", "okx")


async def told(daemon: Watching, receiver: Receiver, words: str) -> None:
    await daemon.until(
        lambda: all(receiver.of(account, words) for account in ACCOUNTS),
        f"{words} told of all three",
        seconds=20,
    )


def dark(simulation: Simulation, *kinds: str) -> datetime:
    for exchange, kind in zip(EXCHANGES, kinds, strict=True):
        simulation.world.fault(exchange, kind)
    return datetime.now(UTC)


async def test_silence_is_told_as_stale_and_then_blind_and_their_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "LONGEST_WAIT_SECONDS", 2.0)
    async with running(load("blind")) as simulation, receiving() as receiver:
        simulation.world._waiting.clear()  # the faults are those of this test
        config = write_config(
            tmp_path,
            simulation.access(),
            receiver.url,
            poll_seconds=1,
            budgets=BUDGETS,
            more=ONLY_RATIO,
        )
        async with watching(config) as daemon:
            await daemon.fresh(*ACCOUNTS)
            assert receiver.messages == []

            # Sockets stay open and say nothing; REST keeps the figures going.
            began = dark(simulation, "stall", "stall", "stall")
            await daemon.until(
                lambda: all(daemon.state(account) == "stale" for account in ACCOUNTS),
                "all three shown as stale",
            )
            await told(daemon, receiver, "STALE")
            latest = began + timedelta(seconds=BUDGETS["marks"]) + GRACE + SLACK
            for account in ACCOUNTS:
                (stale,) = receiver.of(account)
                assert stale.at < latest, (account, stale.at - began)
                assert "no live mark" in stale.body

            simulation.world.clear_faults(kind="stall")
            await told(daemon, receiver, "RESOLVED")
            await daemon.fresh(*ACCOUNTS)

            # Now REST as well, in three ways. It opened twice within the hour then, so its end
            # is not told as one; being blind is a trouble of its own.
            dark(simulation, "stall", "stall", "stall")
            began = dark(simulation, "5xx", "reset", "html")
            await told(daemon, receiver, "BLIND")
            latest = began + timedelta(seconds=BUDGETS["account"]) + GRACE + SLACK
            for account in ACCOUNTS:
                blind = receiver.of(account, "BLIND")[0]
                assert blind.at < latest, (account, blind.at - began)
                assert daemon.state(account) == "blind"

            simulation.world.clear_faults()
            before = {account: len(receiver.of(account, "RESOLVED")) for account in ACCOUNTS}
            await daemon.until(
                lambda: all(len(receiver.of(a, "RESOLVED")) > before[a] for a in ACCOUNTS),
                "the end of being blind told of all three",
                seconds=25,
            )
            await daemon.fresh(*ACCOUNTS)
    assert simulation.world.events[-1]["event"] == "fault_over"
    assert not any("GONE" in message.title for message in receiver.messages)
