"""A look into the state of a running process, from another one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.storage import history, incidents
from monitor.storage.database import FILE_NAME, open_to_read

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from monitor.alerts.incident import Incident
    from monitor.storage.history import Sample


class Reader:
    """
    What a state directory holds, without writing to it or asking for its lock.

    Raises:
        StorageError: If there is nothing to read, here and in every method.
    """

    def __init__(self, directory: Path) -> None:
        self._database = open_to_read(directory / FILE_NAME)

    def samples(self, since: datetime, until: datetime) -> tuple[Sample, ...]:
        """The samples of all pools with since ≤ at < until, the oldest first."""
        with self._database.reading() as connection:
            return history.between(connection, since, until)

    def incidents(self, since: datetime) -> tuple[Incident, ...]:
        """Every incident that was open at this time or later, the oldest first."""
        with self._database.reading() as connection:
            return incidents.since(connection, since)

    def close(self) -> None:
        self._database.close()
