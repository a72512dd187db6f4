"""What a message is written from: the figures of the moment, and what was known last."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime
    from decimal import Decimal

    from monitor.alerts.ladder import Ladder
    from monitor.risk.model import PoolId
    from monitor.risk.result import Advice, Outlook, PoolRisk, Reconciliation, Requirement


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolFacts:
    """
    One pool at the marks that the message is about.

    `requirement` is what the ladder went by, `risk` our own arithmetic. `is_live` is False
    where REST alone keeps the marks going, or where the account itself can't be read.
    `ratio_now` is set where the newest marks say something else than those of the message
    (a spike that is over); `doubts` are sentences on what is not sure about the figures.
    """

    risk: PoolRisk
    requirement: Requirement
    outlook: Outlook | None
    advice: Advice | None
    is_live: bool
    age_seconds: float
    reconciliation: Reconciliation | None = None
    ratio_now: Decimal | None = None
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LastKnown:
    """What was last known of one pool; `ratio` is None where no figure ever was."""

    pool: PoolId
    ratio: Decimal | None
    rung: str | None
    age_seconds: float
    positions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """
    All positions of a pool are gone: what its margin balance was before, and is now.

    `balance_now` is None where the pool itself is gone, `balance_before` where it never was
    seen with its positions.
    """

    unit: str
    balance_before: Decimal | None
    balance_now: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """
    Everything that the message of one step needs beside the step itself.

    `pool` is None for what concerns a whole account. `known` are all pools of the account,
    `concerns` those that a trouble with the data is about (none: all of them);
    `since` is when a figure was last to be had or a feed was last heard, None for never.
    `to_do` is what the owner can do, empty where nothing.
    """

    exchange: str
    ladder: Ladder
    pool: PoolFacts | None = None
    gone: Gone | None = None
    known: tuple[LastKnown, ...] = ()
    concerns: tuple[PoolId, ...] = ()
    since: datetime | None = None
    to_do: str = ""
