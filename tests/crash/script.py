"""
What happens to the accounts, as a function of the time since the start, and what is told of it.

A life may begin at any of its seconds: what it sees is the truth of that second. Between two
moments lie at least five seconds, a restart takes two: so it is late for one moment at most, and
what is told of a whole run is the same whenever it was cut. The pool is the one of
`tests/engine/scene.py`: 80 % at a mark of 100, 90 % at 90, 97 % at 85, 68.6 % at 120.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from monitor.engine.events import (
    FeedLost,
    FeedRestored,
    MarksMoved,
    PollFailed,
    SnapshotTaken,
    TimePassed,
)
from monitor.errors import DeliveryError, Refused
from monitor.risk.model import AccountSnapshot, Mark, PoolId
from tests.build import NOON, mark
from tests.engine.scene import the_pool

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitor.engine.events import Event

RESTART_SECONDS = 2.0
# The last message leaves at 160.25: a disk that fails for 20 s from there on is well again in time.
ENDS_AT = 190.0
LEAST_LIFE = 15.0
# With the other two more than five: what is told of them within a minute is gathered.
MINIS = ("a", "b", "c", "d")
ACCOUNTS = ("main", "other", *MINIS)
CHANNELS = ("phone", "mail", "team")
# From here on this receiver is no more, for good.
TEAM_GONE_AT = 27.0
MAIL_DOWN, MAIL_BUSY, MAIL_WAIT_SECONDS = (8.0, 14.0), (48.0, 54.0), 40.0


@dataclass(frozen=True, slots=True)
class Moment:
    """From `at` on the mark stands at `price`; None where it stands as before."""

    at: float
    price: int | None = None
    heard: bool = True  # whether marks arrive by the live feed
    read: bool = True  # whether the account can be read


_MAIN = (
    Moment(0, 120),
    Moment(10, 100),
    Moment(20, 90),
    Moment(30, 85),
    Moment(65),
    Moment(100, 120),
    Moment(115),
    Moment(130, 99),
    Moment(145, 120),
    Moment(160),
)
_OTHER = (
    Moment(0, 120),
    Moment(15, heard=False),
    Moment(23, heard=False),
    Moment(30, heard=False),
    Moment(37, heard=False),
    Moment(45, heard=False),
    Moment(53, heard=False),
    Moment(61, heard=False),
    Moment(70),
    Moment(85),
    Moment(105, read=False),
    Moment(120, read=False),
    Moment(140),
    Moment(160),
)
_MINI = (Moment(0, 120), Moment(50, 95), Moment(95), Moment(135))


def moments(account: str) -> tuple[Moment, ...]:
    return {"main": _MAIN, "other": _OTHER}.get(account, _MINI)


def truth(account: str, at: float) -> Moment:
    """How things stand at a second: the last moment up to it, with the price that holds."""
    until = [moment for moment in moments(account) if moment.at <= at]
    price = [moment.price for moment in until if moment.price is not None][-1]
    return replace(until[-1], price=price)


def times(account: str, since: float) -> Iterator[float]:
    """When a life that began at `since` looks at this account."""
    yield since
    yield from (moment.at for moment in moments(account) if moment.at > since)


def events(account: str, at: float, *, first: bool) -> Iterator[Event]:
    """What a life is told of an account at one of its times."""
    now, true = NOON + timedelta(seconds=at), truth(account, at)
    before = None if first else truth(account, at - 1)
    if not true.heard and (before is None or before.heard):
        yield FeedLost(feed="marks", because="no pong for 35 s", at=now)
    if true.heard and before is not None and not before.heard:
        yield FeedRestored(feed="marks", at=now)
    if true.heard and not first:
        yield MarksMoved(marks={"SOLUSDT": mark(true.price or 0, now)}, at=now)
    if true.read:
        yield SnapshotTaken(snapshot=_snapshot(account, now, true.price or 0), at=now)
    else:
        yield PollFailed(error=Refused("the key was refused", status=401), at=now)
    if true.heard and first:
        yield MarksMoved(marks={"SOLUSDT": mark(true.price or 0, now)}, at=now)
    yield TimePassed(at=now)


def _snapshot(account: str, now: datetime, price: int) -> AccountSnapshot:
    pool = the_pool()
    return AccountSnapshot(
        account=account,
        exchange="bybit",
        at=now,
        mode="unified, cross",
        pools=(replace(pool, id=PoolId(account=account, name=pool.id.name)),),
        reported={},
        marks={"SOL/USDT:USDT": Mark(price=mark(price, now).price, at=now)},
    )


def answer(channel: str, at: float) -> DeliveryError | None:
    """What a receiver has against a message that comes at this second."""
    if channel == "mail" and MAIL_DOWN[0] <= at < MAIL_DOWN[1]:
        return DeliveryError("the receiver can't be reached")
    if channel == "mail" and MAIL_BUSY[0] <= at < MAIL_BUSY[1]:
        return DeliveryError("HTTP 429", retry_after_seconds=MAIL_WAIT_SECONDS)
    if channel == "team" and at >= TEAM_GONE_AT:
        return DeliveryError("the receiver answered with HTTP 404", permanent=True)
    return None


def config(folder: str) -> str:
    """The configuration file of a life, with its state in this folder."""
    accounts = "".join(
        f'[[accounts]]\nname = "{name}"\nexchange = "bybit"\napi_key = "k-{name}"\n'
        f'api_secret = "s-{name}"\n'
        for name in ACCOUNTS
    )
    least = {"phone": "info", "mail": "warning", "team": "critical"}
    channels = "".join(
        f'[[channels]]\nname = "{name}"\nurl = "json://127.0.0.1:9/{name}"\n'
        f'min_severity = "{least[name]}"\n'
        for name in CHANNELS
    )
    return f'{accounts}{channels}[state]\ndirectory = "{folder}"\n'
