"""The latest assessment of every account: what the outside may look at, at any moment."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from monitor.alerts import words
from monitor.engine.effects import State
from monitor.errors import RiskError, WrongUsage

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from monitor.engine.effects import AccountAssessment

LATE = timedelta(seconds=10)
"""An account is evaluated each second: nothing for so long means that its engine is stuck."""


class Board:
    """
    Each account's newest assessment; the order is that in which accounts first came.

    Args:
        expected: The accounts that are to be watched, so that one that never came is missed.
    """

    def __init__(self, expected: Iterable[str] = ()) -> None:
        self._expected = tuple(expected)
        self._latest: dict[str, AccountAssessment] = {}

    def put(self, assessment: AccountAssessment) -> None:
        self._latest[assessment.account] = assessment

    def assessments(self) -> list[AccountAssessment]:
        return list(self._latest.values())

    def assessment(self, account: str) -> AccountAssessment:
        """
        The newest of one account.

        Raises:
            WrongUsage: If there is no such account.
            RiskError: If nothing is known of it yet.
        """
        if account in self._latest:
            return self._latest[account]
        if account in self._expected:
            raise RiskError(f"{account} was never read")
        raise WrongUsage(f"'{account}': accounts here are {', '.join(self._expected)}")

    def standing(self, account: str) -> str | None:
        """How an account stands, in one sentence; None where nothing is known of it."""
        known = self._latest.get(account)
        if known is None:
            return None
        ratios = [
            f"{pool.risk.pool.id.name} {words.ratio(pool.requirement.ratio)}"
            for pool in known.pools
            if pool.requirement.maintenance_margin > 0
        ]
        figures = ", ".join(ratios) or "nothing at risk"
        return f"{account} is {known.state.value}, {figures}"

    def troubles(self, at: datetime) -> list[tuple[str, str]]:
        """Every account that is not fresh now, each with a sentence on why."""
        never = [(name, f"{name} was never read") for name in self._expected]
        return [trouble for trouble in never if trouble[0] not in self._latest] + [
            (assessment.account, because)
            for assessment in self._latest.values()
            if (because := _trouble(assessment, at)) is not None
        ]


def _trouble(assessment: AccountAssessment, at: datetime) -> str | None:
    if at - assessment.at > LATE:
        seconds = (at - assessment.at).total_seconds()
        return f"{assessment.account} was last evaluated {seconds:.0f} s ago"
    if assessment.state is State.FRESH:
        return None
    return f"{assessment.account} is {assessment.state.value}: {assessment.because}"
