"""
When each account of one host is read next: `polling`'s plan, laid out over time.

Accounts are read one after the other, evenly spread: fifty in one instant would fill a limit
that is counted by the minute. Reads no clock: `at` comes in, in seconds of the caller's.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from monitor.service.polling import LATEST_SHARE, Pace, Plan, Polled, Temper, plan

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitor.exchanges.call import Budget, RestCall

REPLAN_SECONDS = 5.0
# What is nearer to the last reading than this part of the pace was that reading's own turn.
_TOO_SOON = 0.05


@dataclass(slots=True, kw_only=True)
class Member:
    """One account of the timetable; its owner keeps `temper` and `has_isolated` up to date."""

    name: str
    poll_seconds: float
    calls: Callable[[], tuple[RestCall, ...]]
    room: Callable[[Budget], float]
    is_heard: Callable[[], bool]
    temper: Temper = Temper.UNSURE
    has_isolated: bool = False


class Timetable:
    """
    The turns of one host's accounts.

    `longest_seconds` is how seldom an account may be read, within its budget.
    """

    def __init__(self, account_seconds: float, whole: Budget | None = None) -> None:
        self.longest_seconds = LATEST_SHARE * account_seconds
        self._whole = whole
        self._members: dict[str, Member] = {}
        self._plan = Plan(paces={}, is_carried=True)
        self._planned_at: float | None = None

    def join(self, member: Member) -> None:
        self._members[member.name] = member
        self._planned_at = None

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._members)

    @property
    def is_carried(self) -> bool:
        """Whether the latest plan keeps every account within its budget and the host's limits."""
        return self._plan.is_carried

    def note(self, name: str, temper: Temper, *, has_isolated: bool) -> bool:
        """How an account stands now; whether it has just come near a rung."""
        member = self._members[name]
        came_near = temper is Temper.NEAR and member.temper is not Temper.NEAR
        if temper is not member.temper:
            self._planned_at = None
        member.temper, member.has_isolated = temper, has_isolated
        return came_near

    def pace(self, name: str, at: float) -> Pace:
        """How often this account is to be read, as things stand at `at`."""
        if self._planned_at is None or at - self._planned_at >= REPLAN_SECONDS:
            self._plan = self._planned()
            self._planned_at = at
        return self._plan.paces[name]

    def seconds(self, name: str, began: float, at: float) -> float:
        """
        From `at` until this account's next turn; its last reading began at `began`.

        Never later than its pace, so that a change of paces costs a reading more, not a late one.
        """
        pace = self.pace(name, at).seconds
        if len(self._members) == 1:
            return max(0.0, began + pace - at)
        order = list(self._members).index(name) / len(self._members)
        # Turns stand at pace × (a whole number + the account's place among all).
        turn = math.floor(began / pace - order) + 1 + order
        if turn * pace - began < _TOO_SOON * pace:
            turn += 1
        return max(0.0, turn * pace - at)

    def _planned(self) -> Plan:
        known = [m for m in self._members.values() if m.calls()]
        # Of one that was never read yet nobody knows what it takes: as much as the greatest.
        greatest = max((m.calls() for m in known), key=_weight, default=())
        return plan(
            (
                Polled(
                    name=member.name,
                    calls=member.calls() or greatest,
                    poll_seconds=member.poll_seconds,
                    temper=member.temper,
                    is_heard=member.is_heard(),
                    has_isolated=member.has_isolated,
                )
                for member in self._members.values()
            ),
            self._room,
            longest_seconds=self.longest_seconds,
            whole=self._whole,
        )

    def _room(self, name: str, budget: Budget) -> float:
        member = self._members[name] if name else next(iter(self._members.values()))
        return member.room(budget)


def _weight(calls: tuple[RestCall, ...]) -> int:
    return sum(call.weight for call in calls)
