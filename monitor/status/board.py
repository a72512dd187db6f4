"""The latest assessment of every account: what the outside may look at, at any moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from monitor.engine.effects import AccountAssessment


class Board:
    """Each account's newest assessment; the order is that in which accounts first came."""

    def __init__(self) -> None:
        self._latest: dict[str, AccountAssessment] = {}

    def put(self, assessment: AccountAssessment) -> None:
        self._latest[assessment.account] = assessment

    def assessments(self) -> list[AccountAssessment]:
        return list(self._latest.values())
