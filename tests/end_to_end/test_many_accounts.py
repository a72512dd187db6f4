"""
Many accounts behind one address: all are fresh, and the exchange counts a fifth of its limit.

The account's budget is shortened with the number of accounts, so that as many readings a minute
are needed as fifty accounts take with the usual one; `bench/many_accounts.py` runs those.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest

from monitor.exchanges import gate
from monitor.exchanges.use import Use
from monitor.simulator.server import running
from tests.end_to_end.conftest import allowance
from tests.end_to_end.many import counting, hear_all, many
from tests.end_to_end.stage import watching, write_config

if TYPE_CHECKING:
    from pathlib import Path

COUNT = 10
# Ten accounts in 12 s are fifty in 60 s.
BUDGET_SECONDS = 12.0
SETTLING_SECONDS = 22.0
MEASURED_SECONDS = 20.0
LIMIT = 2400


@pytest.fixture(autouse=True)
def limits_are_kept_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "BURST_SHARE", 0.5)
    monkeypatch.setattr(Use, "allowance", allowance)


async def test_ten_accounts_are_fresh_within_a_fifth_of_the_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hear_all(monkeypatch)
    with counting(monkeypatch) as counted:
        async with running(many(COUNT)) as simulation:
            config = write_config(
                tmp_path,
                simulation.access(),
                poll_seconds=4,
                budgets={"account": BUDGET_SECONDS, "limits": 0.2},
            )
            names = [access.account for access in simulation.access()]
            async with watching(config) as daemon:
                await daemon.fresh(*names)
                await asyncio.sleep(SETTLING_SECONDS)
                began = time.monotonic()
                unfresh: set[str] = set()
                while time.monotonic() < began + MEASURED_SECONDS:
                    unfresh |= {name for name in names if daemon.state(name) != "fresh"}
                    await asyncio.sleep(0.2)
                assert unfresh == set()
    used = counted.between(began, began + MEASURED_SECONDS) * 60 / MEASURED_SECONDS
    assert 0 < used <= 0.2 * LIMIT
