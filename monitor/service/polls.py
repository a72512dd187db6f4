"""
The turns of all accounts, host by host, and what is used of every host's limits.

Joins what is known of accounts (assessments, their clients) to the timetables, and says when
a host can't carry its accounts within their budgets.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from monitor.service import notices
from monitor.service.hosts import host_name
from monitor.service.polling import distance_left, has_isolated, temper
from monitor.service.timetable import Member, Timetable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from monitor.alerts.ladder import Ladder
    from monitor.alerts.message import Notification
    from monitor.engine.effects import AccountAssessment
    from monitor.exchanges.call import Depth
    from monitor.exchanges.pace import Standing
    from monitor.exchanges.rest import RestClient
    from monitor.exchanges.use import InUse
    from monitor.service.hosts import Hosts
    from monitor.settings import AccountSettings

log = structlog.get_logger()

CHECK_SECONDS = 10.0
# So many checks in a row must agree: accounts that are read for the first time ask for most.
AGREEING_CHECKS = 6


@dataclass(frozen=True, slots=True)
class AccountTurns:
    """One account's place in its host's timetable, by the loop's clock."""

    name: str
    timetable: Timetable

    def depth(self) -> Depth:
        return self.timetable.pace(self.name, _now()).depth

    def seconds(self, began: float) -> float:
        return self.timetable.seconds(self.name, began, _now())


def _now() -> float:
    return asyncio.get_running_loop().time()


class Polls:
    """Every host's timetable."""

    def __init__(self, hosts: Hosts, ladder: Ladder, account_seconds: float) -> None:
        self._hosts = hosts
        self._ladder = ladder
        self._account_seconds = account_seconds
        self._timetables: dict[str, Timetable] = {}
        self._of_account: dict[str, Timetable] = {}
        self._standings: dict[str, Standing] = {}

    def join(
        self,
        account: AccountSettings,
        client: RestClient,
        is_heard: Callable[[], bool] = lambda: False,
    ) -> AccountTurns:
        """A place for this account; `is_heard`: whether its own stream would tell of a change."""
        host = host_name(account)
        if host not in self._timetables:
            whole = client.exchange.address_budget
            self._timetables[host] = Timetable(self._account_seconds, whole)
        timetable = self._of_account[account.name] = self._timetables[host]
        self._standings[account.name] = client.gate.standing
        timetable.join(
            Member(
                name=account.name,
                poll_seconds=account.poll_seconds,
                calls=lambda: client.standing_calls,
                room=client.gate.allowance,
                is_heard=is_heard,
            )
        )
        return AccountTurns(account.name, timetable)

    def note(self, known: AccountAssessment) -> bool:
        """How an account stands now; whether it has just come near a rung."""
        timetable = self._of_account.get(known.account)
        if timetable is None:
            return False
        self._standings[known.account].distance = distance_left(known)
        tempered = temper(known, self._ladder)
        return timetable.note(known.account, tempered, has_isolated=has_isolated(known))

    def in_use(self, at: datetime) -> Iterable[tuple[str, InUse]]:
        """What is used of every limit of an address, each with its host."""
        for name, host in self._hosts.all().items():
            for used in host.use.in_use(at).values():
                yield name, used

    def overloaded(self) -> dict[str, tuple[str, ...]]:
        """The hosts that can't carry their accounts, each with these."""
        return {host: t.names for host, t in self._timetables.items() if not t.is_carried}

    async def notice_overload(
        self, tell: Callable[[Notification], None], now: Callable[[], datetime]
    ) -> None:
        """For ever: tell when a host can't carry its accounts, and when it can again."""
        told: set[str] = set()
        agreeing: dict[str, int] = {}
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            over = self.overloaded()
            for host, timetable in self._timetables.items():
                changed = (host in over) is not (host in told)
                agreeing[host] = agreeing.get(host, 0) + 1 if changed else 0
                if agreeing[host] < AGREEING_CHECKS:
                    continue
                told ^= {host}
                log.warning("host.overloaded" if host in over else "host.relieved", host=host)
                say = notices.host_overloaded if host in over else notices.host_relieved
                tell(say(host, timetable.names, now()))
