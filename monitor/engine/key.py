"""What is wrong with an account's key: powers that nobody needs, rights it lacks, its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.alerts import conditions
from monitor.alerts.incident import Subject

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from monitor.alerts.incident import Condition
    from monitor.engine.events import KeyRightsRead


class Key:
    """The key's rights as they were read last; nothing is said of what was never read."""

    def __init__(self, account: str) -> None:
        self._account = account
        self._rights: KeyRightsRead | None = None

    def read(self, event: KeyRightsRead) -> None:
        self._rights = event

    def conditions(self, at: datetime) -> Mapping[Subject, Condition | None]:
        """What holds of it at this moment, by subject; empty before it was ever read."""
        rights = self._rights
        if rights is None:
            return {}
        return {
            Subject.KEY_TOO_POWERFUL: conditions.key_too_powerful(
                self._account, rights.powers, allowed=rights.allowed
            ),
            Subject.KEY_LACKS: conditions.key_lacks(self._account, rights.missing),
            Subject.KEY_ENDS: conditions.key_ends(self._account, rights.expires_at, at),
        }
