"""Many Binance accounts behind one address, and what the simulated exchange counts of them."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from monitor.service.polls import Polls
from monitor.simulator.binance_weights import FUTURES, Spent
from monitor.simulator.scenario import PositionSpec, load

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

    from monitor.exchanges.rest import RestClient
    from monitor.service.polls import AccountTurns
    from monitor.settings import AccountSettings
    from monitor.simulator.scenario import Scenario

SYMBOLS = ("BTCUSDT", "ETHUSDT")


def many(count: int) -> Scenario:
    """The calm market with so many small accounts at Binance, two positions each."""
    calm = load("calm")
    (one,) = (account for account in calm.accounts if account.exchange == "binance")
    held = tuple(p for p in one.positions if p.symbol == SYMBOLS[0] and p.side == "long")
    other = replace(held[0], symbol=SYMBOLS[1], entry_price=held[0].entry_price / 28)
    positions: tuple[PositionSpec, ...] = (held[0], other)
    return replace(
        calm,
        accounts=tuple(
            replace(
                one,
                name=f"many-{number:02}",
                key=f"{one.key}{number}",
                secret=f"{one.secret}{number}",
                positions=positions,
                orders=(),
            )
            for number in range(count)
        ),
    )


@dataclass
class Counted:
    """What the exchange itself counted against the futures limit: when, and how much."""

    calls: list[tuple[float, int]] = field(default_factory=list)

    def between(self, begin: float, end: float) -> int:
        return sum(weight for at, weight in self.calls if begin <= at < end)

    def most_in(self, seconds: float, begin: float, end: float) -> int:
        """The most in any span of so many seconds that lies between these."""
        starts = [at for at, _ in self.calls if begin <= at <= end - seconds]
        return max((self.between(at, at + seconds) for at in starts), default=0)


@contextmanager
def counting(patch: pytest.MonkeyPatch) -> Iterator[Counted]:
    counted = Counted()
    add = Spent.add

    def noted(self: Spent, name: str, cost: int, minute: int) -> bool:
        if name == FUTURES:
            counted.calls.append((time.monotonic(), cost))
        return add(self, name, cost, minute)

    patch.setattr(Spent, "add", noted)
    yield counted


def hear_all(patch: pytest.MonkeyPatch) -> None:
    """As if every account's own stream were healthy: it would tell of a change."""
    join = Polls.join

    def joined(
        polls: Polls, account: AccountSettings, client: RestClient, *_: object
    ) -> AccountTurns:
        return join(polls, account, client, lambda: True)

    patch.setattr(Polls, "join", joined)
