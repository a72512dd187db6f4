"""
How often each account of one address is read: by risk, by its stream's health, by the limits.

Pure. An address has so much room, a share of what the exchange publishes; each account costs
what its calls weigh. Where the accounts' wishes fit, they hold. Where they don't, what gives
way first is what costs least: accounts that are calm and whose own stream would tell of a
change are read in a lean way, then less often, up to what the account's budget allows; then
calm ones without such a stream; then those whose figures are in doubt; those near a rung last.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

from monitor.alerts.ladder import Measure
from monitor.engine.effects import State
from monitor.exchanges.call import Depth
from monitor.exchanges.pace import UNKNOWN_DISTANCE
from monitor.risk.model import ONE
from monitor.risk.result import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from decimal import Decimal

    from monitor.alerts.ladder import Ladder
    from monitor.engine.effects import AccountAssessment, PoolAssessment
    from monitor.exchanges.call import Budget, RestCall

# A reading may begin this late in the account's budget: the rest is for the answers.
LATEST_SHARE = 0.85
# An account near a rung is read so many times as often, but not more often than that.
NEAR_TIMES = 3
NEAR_SECONDS = 5.0
_HALVINGS = 12
# Of the room that there is. The rest is for what no plan knows of: late marks that are asked for,
# readings that an event calls for, and what a reading had to do without.
PLANNED_SHARE = 0.9
_MINUTE = 60.0


class Temper(Enum):
    """How an account stands. Near: on a rung, or close to one. Unsure: figures in doubt."""

    NEAR = "near"
    UNSURE = "unsure"
    CALM = "calm"


@dataclass(frozen=True, slots=True, kw_only=True)
class Polled:
    """
    One account that is read: the calls of a whole reading, and how it stands.

    `is_heard`: its own stream would tell of a change now. `has_isolated`: it has wallets of
    single positions, of which a lean reading without a stream would not tell.
    """

    name: str
    calls: tuple[RestCall, ...]
    poll_seconds: float
    temper: Temper = Temper.UNSURE
    is_heard: bool = False
    has_isolated: bool = False

    @property
    def least_depth(self) -> Depth:
        """
        The least thorough reading that does, unless a pool is near a rung.

        An account in doubt too, where nothing else gives way any more: if each asked for all,
        none would be read in time, and all would stay in doubt.
        """
        if self.temper is Temper.NEAR:
            return Depth.WHOLE
        if self.is_heard:
            return Depth.HEARD
        return Depth.WHOLE if self.has_isolated else Depth.CALM

    @property
    def soonest_seconds(self) -> float:
        """As configured; sooner near a rung."""
        if self.temper is not Temper.NEAR:
            return self.poll_seconds
        return min(self.poll_seconds, max(NEAR_SECONDS, self.poll_seconds / NEAR_TIMES))


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """From the beginning of one reading to that of the next, and how thorough they are."""

    seconds: float
    depth: Depth = Depth.WHOLE


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Every account's pace by name, and whether the address can carry them all that way."""

    paces: Mapping[str, Pace]
    is_carried: bool


def plan(
    accounts: Iterable[Polled],
    room: Callable[[str, Budget], float],
    *,
    longest_seconds: float,
    whole: Budget | None = None,
) -> Plan:
    """
    The pace of each account of one address.

    Args:
        room: Units a minute that an account (by name) may take of a limit; of a limit of the
            address they are there for all accounts together.
        longest_seconds: No account is read more seldom, unless it is configured so.
        whole: The exchange's limit of all calls of an address, each counting once.
    """
    listed = tuple(accounts)
    costs = {a.name: {depth: Cost(a.calls, depth, whole) for depth in Depth} for a in listed}
    found = _Found(listed, costs, room)
    for account in listed:
        found.keep_to_own_limits(account, longest_seconds)
    heard, calm, unsure, near = _in_order(listed)
    steps: tuple[tuple[tuple[Polled, ...], bool], ...] = (
        (heard, True),
        (calm, True),
        (heard, False),
        (calm, False),
        (unsure, True),
        (unsure, False),
        (near, False),
    )
    for group, leaner in steps:
        if found.fits(PLANNED_SHARE):
            break
        if leaner:
            found.make_lean(group)
        else:
            found.stretch(group, longest_seconds)
    return Plan(paces=dict(found.paces), is_carried=found.fits())


def _in_order(
    listed: tuple[Polled, ...],
) -> tuple[tuple[Polled, ...], tuple[Polled, ...], tuple[Polled, ...], tuple[Polled, ...]]:
    def of(temper: Temper) -> tuple[Polled, ...]:
        return tuple(a for a in listed if a.temper is temper)

    heard = tuple(a for a in of(Temper.CALM) if a.is_heard)
    return (
        heard,
        tuple(a for a in of(Temper.CALM) if not a.is_heard),
        of(Temper.UNSURE),
        of(Temper.NEAR),
    )


class Cost:
    """What one account's readings weigh, by limit and by how long replies serve."""

    def __init__(
        self, calls: Iterable[RestCall], depth: Depth, whole: Budget | None = None
    ) -> None:
        self._by_age: dict[Budget, dict[float, int]] = defaultdict(lambda: defaultdict(int))
        for call in calls:
            age = call.age_seconds(depth)
            self._by_age[call.budget][age] += call.weight
            if whole is not None and whole != call.budget:
                self._by_age[whole][age] += 1

    def per_minute(self, seconds: float) -> Mapping[Budget, float]:
        """Units a minute of each limit, at one reading every so many seconds."""
        return {
            budget: sum(weight * _MINUTE / _every(seconds, age) for age, weight in weights.items())
            for budget, weights in self._by_age.items()
        }


def _every(seconds: float, age: float) -> float:
    """How often a reply is asked for: at the first reading that finds it too old."""
    return seconds if age <= seconds else seconds * -(-age // seconds)


class _Found:
    """The paces as found so far."""

    def __init__(
        self,
        accounts: tuple[Polled, ...],
        costs: Mapping[str, Mapping[Depth, Cost]],
        room: Callable[[str, Budget], float],
    ) -> None:
        self.paces = {a.name: Pace(seconds=a.soonest_seconds) for a in accounts}
        self._costs = costs
        self._room = room

    def fits(self, share: float = 1.0) -> bool:
        """Whether what all take together is within this share of each limit of the address."""
        taken: dict[Budget, float] = defaultdict(float)
        for name, pace in self.paces.items():
            for budget, units in self._costs[name][pace.depth].per_minute(pace.seconds).items():
                if budget.by_address:
                    taken[budget] += units
        return all(units <= share * self._room("", budget) for budget, units in taken.items())

    def keep_to_own_limits(self, account: Polled, longest_seconds: float) -> None:
        """No oftener than what counts this account alone allows."""
        pace = self.paces[account.name]
        cost = self._costs[account.name][Depth.WHOLE]

        def fits(seconds: float) -> bool:
            return all(
                units <= self._room(account.name, budget)
                for budget, units in cost.per_minute(seconds).items()
                if not budget.by_address
            )

        seconds = _least(pace.seconds, max(pace.seconds, longest_seconds), fits)
        self.paces[account.name] = replace(pace, seconds=seconds)

    def make_lean(self, group: Iterable[Polled]) -> None:
        for account in group:
            pace = self.paces[account.name]
            self.paces[account.name] = replace(pace, depth=account.least_depth)

    def stretch(self, group: tuple[Polled, ...], longest_seconds: float) -> None:
        """All of a group as far as it takes, or as far as they may."""
        before = {a.name: self.paces[a.name] for a in group}

        def stretched(part: float) -> None:
            for name, pace in before.items():
                most = max(pace.seconds, longest_seconds)
                seconds = pace.seconds + part * (most - pace.seconds)
                self.paces[name] = replace(pace, seconds=seconds)

        def fits(part: float) -> bool:
            stretched(part)
            return self.fits(PLANNED_SHARE)

        stretched(_least(0.0, 1.0, fits))


def _least(low: float, high: float, fits: Callable[[float], bool]) -> float:
    """The least of a span that fits, `high` where none does."""
    if fits(low):
        return low
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if fits(middle) else (middle, high)
    return high


def carried(
    calls: Iterable[RestCall],
    share: float,
    *,
    seconds: float,
    depth: Depth,
    whole: Budget | None = None,
) -> int | None:
    """
    How many such accounts one address carries at this pace; None where nothing counts by address.

    Args:
        share: Of each published limit that may be used.
    """
    units = Cost(calls, depth, whole).per_minute(seconds)
    counts = [
        int(share * budget.per_minute / taken)
        for budget, taken in units.items()
        if budget.by_address and taken
    ]
    return min(counts, default=None)


# --- how an account stands ---------------------------------------------------------------


def temper(known: AccountAssessment, ladder: Ladder) -> Temper:
    """
    Near: a pool is on a rung or within half of the way back from one. Unsure: anything in doubt.

    What is not known (no outlook yet, no report to compare with) leaves an account unsure.
    """
    if any(_is_near(pool, ladder) for pool in known.pools):
        return Temper.NEAR
    # Late marks are asked for by themselves: reading the account more often brings none.
    sure = known.state is not State.BLIND and all(_is_sure(pool) for pool in known.pools)
    return Temper.CALM if sure else Temper.UNSURE


def distance_left(known: AccountAssessment) -> float | None:
    """
    The adverse move left to the account's nearest pool, as a positive fraction; infinite where
    no move ends any of them, None while that is not known.
    """
    return min((_distance(pool) for pool in known.pools), key=_in_doubt_near, default=None)


def _distance(pool: PoolAssessment) -> float | None:
    if pool.requirement.reaches(ONE):
        return 0.0
    if pool.outlook is None:
        return None
    move = pool.outlook.adverse_move
    return float("inf") if move is None else float(abs(move))


def _in_doubt_near(distance: float | None) -> float:
    return UNKNOWN_DISTANCE if distance is None else distance


def has_isolated(known: AccountAssessment) -> bool:
    return any(pool.risk.pool.id.name.startswith("isolated/") for pool in known.pools)


def _is_near(pool: PoolAssessment, ladder: Ladder) -> bool:
    if pool.rung is not None:
        return True
    ratios = [rung.enter for rung in ladder.rungs if rung.on is Measure.RATIO]
    moves = [rung.enter for rung in ladder.rungs if rung.on is Measure.DISTANCE]
    if ratios and pool.requirement.reaches(_before(min(ratios))):
        return True
    move = None if pool.outlook is None else pool.outlook.adverse_move
    return bool(moves) and move is not None and -move <= 2 * max(moves)


def _before(enter: Decimal) -> Decimal:
    """Seven eighths of a rung: 70 % where it is entered at 80 %."""
    return enter * 7 / 8


def _is_sure(pool: PoolAssessment) -> bool:
    told = pool.reconciliation
    return pool.outlook is not None and (
        told is None or told.verdict in {Verdict.AGREES, Verdict.UNKNOWN}
    )
