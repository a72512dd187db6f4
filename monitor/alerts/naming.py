"""How messages name what they are about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.alerts import words
from monitor.alerts.incident import Step

if TYPE_CHECKING:
    from monitor.alerts.facts import Facts
    from monitor.alerts.incident import Incident, Transition

Told = tuple[str, list[str]]
"""A title, and the lines of the body."""


def place(incident: Incident, facts: Facts) -> str:
    """Account and exchange; the pool too where the account has several."""
    several = incident.pool is not None and len(facts.known) > 1
    return f"{incident.pool if several else incident.account} ({facts.exchange})"


def where(incident: Incident, facts: Facts) -> list[str]:
    return [f"Margin pool {incident.pool} on {facts.exchange}."]


def still(transition: Transition) -> str:
    return "STILL " if transition.step is Step.REPEATED else ""


def lasted(incident: Incident) -> str:
    """How long a trouble without rungs lasted."""
    over = incident.resolved_at or incident.changed_at
    return f"It lasted {words.duration((over - incident.opened_at).total_seconds())}."


def lasted_when_told(incident: Incident) -> str:
    """How long it lasted from its message on: it is told only when it outlasts its budget."""
    return f"{lasted(incident)[:-1]} after it was told."
