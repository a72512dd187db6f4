"""Wishes: what the shell is asked to do, and what is known now."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime
    from decimal import Decimal

    from monitor.alerts.facts import NextFunding
    from monitor.alerts.incident import Incident, Transition
    from monitor.alerts.message import Notification
    from monitor.risk.cash import FreeBalance
    from monitor.risk.model import Reported
    from monitor.risk.result import Advice, Outlook, PoolRisk, Reconciliation, Requirement


class State(Enum):
    """
    Fresh: every input within its budget, from its live feed. Stale: a live feed is late or
    silent; REST keeps the figure going. Blind: no figure can be given.
    """

    FRESH = "fresh"
    STALE = "stale"
    BLIND = "blind"


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedHealth:
    """`age_seconds` of its oldest needed datum; None where nothing was ever heard."""

    name: str
    state: State
    age_seconds: float | None
    because: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolAssessment:
    """
    What is known of one pool now.

    `risk` is our own arithmetic at the newest marks; `requirement` is what the ladder goes by
    (the worse of ours and theirs while the two disagree). `age_seconds` is that of the oldest
    input. `rung` is the one that speaks for all on which the pool stands, by whatever measure.
    `outlook` and `advice` may be a second older than `risk`, where the end is far and
    marks hardly move (`Watch.look_ahead`) up to ten; None before the
    first, and in an account that is blind from the start. `prediction_error` is the latest
    measure of the model, `largest_prediction_error` that of the last hour which is farthest
    from 0, both fractions of gross notional, signed (theirs − ours).
    """

    risk: PoolRisk
    requirement: Requirement
    state: State
    age_seconds: float
    rung: str | None
    reported: Reported | None
    reported_age_seconds: float | None
    reconciliation: Reconciliation | None
    outlook: Outlook | None
    advice: Advice | None
    funding: NextFunding | None = None
    prediction_error: Decimal | None = None
    largest_prediction_error: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountAssessment:
    """
    What is known of one account now. In a blind account `pools` are the last known ones (none
    if there never was a figure), `because` says why. `free` are coins in other wallets of the
    exchange, as of the last reading.
    """

    account: str
    exchange: str
    mode: str | None
    state: State
    because: str
    feeds: tuple[FeedHealth, ...]
    pools: tuple[PoolAssessment, ...]
    at: datetime
    free: tuple[FreeBalance, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessed:
    assessment: AccountAssessment


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentChanged:
    """
    To be stored with its messages in one transaction, before anything is sent.

    `notification` is None where policy is quiet; `quiet_because` then says why.
    """

    incident: Incident
    transition: Transition
    notification: Notification | None
    quiet_because: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MarksWanted:
    """Ask for these marks by REST: their live feed is late (exchange symbols)."""

    symbols: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotWanted:
    """Read the account anew, `after_seconds` from now."""

    because: str
    after_seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TablesWanted:
    """Read the account anew, and with it every table that is kept for an hour or longer."""

    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LogsWanted:
    """Read the account anew, and with it what was booked: a balance moved."""


Effect = Assessed | IncidentChanged | MarksWanted | SnapshotWanted | TablesWanted | LogsWanted
