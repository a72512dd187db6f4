"""
I/O. Whether and when a call may be sent: what the host asked for, and what its limits leave.

A host's limits are shared by all accounts behind it. Needed calls may take half of a limit, and
less at once; a call that the figures can do without goes only where steady reading has room for
it, and where nobody waits, so that fifty accounts that start at once are all read before anything
is read in full. Calls whose answers are of use only together wait for room together: one by one,
where there is little, they would be answered at moments far apart.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING

from monitor.errors import Limit, Unreachable
from monitor.exchanges.left_out import NoRoom
from monitor.exchanges.openings import Openings
from monitor.exchanges.pace import Pace, Standing
from monitor.exchanges.quiet import OF_THE_ADDRESS, Quiet
from monitor.exchanges.trouble import NAMES_FAIL
from monitor.exchanges.use import Use

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Mapping
    from datetime import datetime

    from monitor.errors import ExchangeError
    from monitor.exchanges.call import Budget, Reply, RestCall
    from monitor.exchanges.port import Exchange

# So old may be what another account of the host was told of a public matter, and a table.
SHARED_FOR = timedelta(seconds=2)
TABLE_SHARED_FOR = timedelta(seconds=60)
BURST_SHARE = 0.5
STEADY_SHARE = 0.2
# Of what is counted over a minute so much comes back in each, or a little more than what steady
# reading takes where that is more. The rest of four fifths may go at once: these are never passed
# by ourselves, while nine tenths would silence every account until the minute ends.
REFILL_SHARE = 0.5
SPARE_SHARE = 0.1
MOST_SHARE = 0.8
# An answer «too many» without a wait: as long as the shortest window of an exchange's count.
SHORTEST_WAIT_SECONDS = 2.0
# Of a burst, where an exchange counts over seconds. No header tells in time what it has counted,
# and what was sent evenly may arrive together: three quarters of such a limit are never passed.
AT_ONCE_SHARE = 0.5
_TOO_MANY = 429
_READS = "GET"
_LASTS_SECONDS = 120.0
_MINUTE = 60.0
# So many bursts are a whole limit.
_BURSTS = 1 / BURST_SHARE


class Host:
    """
    What all accounts behind one host share: the quiet that it asked for, its limits, and the
    turns to open connections to it.

    `share` of a published limit may be used in steady state. `is_shared`: another monitor of
    the same accounts uses as much, so that a burst keeps to half. `spread(seconds)` lengthens a
    wait that was asked for a little, so that not everybody comes back in that very instant.
    """

    def __init__(
        self,
        quiet: Quiet | None = None,
        *,
        share: float = STEADY_SHARE,
        is_shared: bool = False,
        spread: Callable[[float], float] = lambda seconds: seconds,
    ) -> None:
        self.quiet = quiet or Quiet()
        self.use = Use()
        self.openings = Openings()
        self.share = share
        self.is_shared = is_shared
        # Since when nothing but names that can't be looked up was met; None where all is well.
        self.names_fail_since: datetime | None = None
        self.spread = spread
        self._paces = _Paces()
        self._recent: dict[str, Reply] = {}
        self._asking: dict[str, asyncio.Task[Reply]] = {}

    async def shared(
        self,
        call: RestCall,
        since: datetime,
        ask: Callable[[RestCall], Coroutine[None, None, Reply]],
    ) -> Reply:
        """
        The reply to a public call, asked for once where many accounts want it at a time.

        Args:
            since: One that came before does not do.

        Raises:
            ExchangeError: What kept it away, the same for all who waited.
        """
        kept = self._recent.get(call.request)
        if kept is not None and kept.at > since:
            return kept
        asking = self._asking.get(call.request)
        if asking is None:
            asking = self._asking[call.request] = asyncio.create_task(self._ask(call, ask))
        return await asyncio.shield(asking)

    async def _ask(
        self, call: RestCall, ask: Callable[[RestCall], Coroutine[None, None, Reply]]
    ) -> Reply:
        try:
            reply = await ask(call)
        finally:
            del self._asking[call.request]
        old = [r for r, kept in self._recent.items() if reply.at - kept.at >= TABLE_SHARED_FOR]
        for request in old:
            del self._recent[request]
        self._recent[call.request] = reply
        return reply

    @property
    def whole_share(self) -> float:
        """What both monitors read by, where another takes as much."""
        return self.share * (2.0 if self.is_shared else 1.0)

    def pace(self, budget: Budget) -> Pace:
        """The order in which all accounts of this host keep to a limit of the address."""
        return self._paces.of(budget, self.whole_share)


class _Paces:
    """One for each limit; another where a reload has changed the share of steady reading."""

    def __init__(self) -> None:
        self._paces: dict[tuple[str, float], Pace] = {}

    def of(self, budget: Budget, share: float) -> Pace:
        refill = round(max(REFILL_SHARE, share + SPARE_SHARE), 6)
        key = budget.name, refill
        if key not in self._paces:
            self._paces[key] = _pace(budget, refill)
        return self._paces[key]


def _pace(budget: Budget, refill: float) -> Pace:
    room, seconds = _room(budget, BURST_SHARE), budget.window_seconds
    if not _is_by_minute(budget):
        return Pace(room, seconds, at_once=AT_ONCE_SHARE)
    at_once = (MOST_SHARE - refill) * _BURSTS
    return Pace(room, seconds / (refill * _BURSTS), at_once=at_once)


def _is_by_minute(budget: Budget) -> bool:
    return budget.window_seconds >= _MINUTE


def _room(budget: Budget, share: float) -> float:
    """Units of a limit's window that a burst may take."""
    return max(1.0, budget.per_minute * budget.window_seconds / 60 * share)


class Gate:
    """
    One account's way to its exchange; `host` is shared with others, `own` are its own limits.

    `standing` says how the account stands; its owner keeps it up to date.
    """

    def __init__(
        self, exchange: Exchange, account: str, now: Callable[[], datetime], host: Host | None
    ) -> None:
        self.host = host or Host()
        self.own = Use()
        self.standing = Standing()
        self._exchange = exchange
        self._account = account
        self._now = now
        self._quiet = Quiet()
        self._paces = _Paces()

    async def reserve(self, calls: Iterable[RestCall]) -> frozenset[str]:
        """
        Wait until all of these may be sent at once; the requests that need not wait on their own.

        What an exchange counts over seconds is left out: there no call waits for long, and a
        limit is small. So is what can wait, and all while the host asks for quiet.
        """
        weights: dict[Budget, int] = defaultdict(int)
        together: set[str] = set()
        for call in calls:
            budgets = self._budgets(call)
            is_counted_so = all(map(_is_by_minute, budgets)) and call.verb == _READS
            if is_counted_so and not _can_wait(call) and not self._quiet_for(call):
                together.add(call.request)
                for budget in budgets:
                    weights[budget] += _weight(call, budget)
        for budget, weight in weights.items():
            await self._take_room(budget, weight, is_urgent=False)
        return frozenset(together)

    async def enter(
        self, call: RestCall, *, is_urgent: bool = False, has_room: bool = False
    ) -> None:
        """
        Wait until the call may be sent, and count it. What is urgent goes before routine.

        Args:
            has_room: Room for it was reserved.

        Raises:
            Unreachable: If the host asked for quiet, or there is no room for it now.
        """
        self._raise_if_quiet(call)
        if not has_room:
            for budget in self._budgets(call):
                await self._wait_for_room(call, budget, is_urgent=is_urgent)
        # An answer to those before it may have asked for quiet meanwhile.
        self._raise_if_quiet(call)
        for budget in self._budgets(call):
            self._use(budget).spent(budget, _weight(call, budget), self._now())

    def answered(self, call: RestCall, headers: Mapping[str, str], offset: timedelta) -> None:
        """Learn from an answer's headers what is used; `offset`: their clock less ours."""
        self.host.names_fail_since = None
        self.host.quiet.answered(self._now())
        used = self._exchange.read_use(call, headers)
        if used is not None:
            self._use(used.budget).told(used, self._now(), offset)

    def unanswered(self, because: str) -> None:
        """Nothing came back at all, and why."""
        if NAMES_FAIL not in because:
            self.host.names_fail_since = None
        elif self.host.names_fail_since is None:
            self.host.names_fail_since = self._now()

    def failed(self, error: ExchangeError) -> None:
        """Keep the quiet that an answer asked for."""
        self.host.names_fail_since = None
        if not isinstance(error, Unreachable):
            return
        limit = Limit.ADDRESS if error.status in OF_THE_ADDRESS else error.limit
        wait = error.retry_after_seconds
        if not wait and (error.status == _TOO_MANY or error.limit is not None):
            wait = SHORTEST_WAIT_SECONDS
        if not wait:
            return
        now = self._now()
        until = now + timedelta(seconds=self.host.spread(wait))
        self._quiet.ask(until, now)
        if limit is Limit.ADDRESS:
            self.host.quiet.ask(until, now)
            self.host.use.limited(until)
        elif limit is Limit.ACCOUNT:
            self.own.limited(until)

    def allowance(self, budget: Budget) -> float:
        """Units a minute of this limit that steady reading may take now."""
        return self._use(budget).allowance(budget, self.host.share, self._now())

    def _budgets(self, call: RestCall) -> tuple[Budget, ...]:
        whole = self._exchange.address_budget
        return (call.budget,) if whole in (None, call.budget) else (call.budget, whole)

    def _use(self, budget: Budget) -> Use:
        return self.host.use if budget.by_address else self.own

    def _raise_if_quiet(self, call: RestCall) -> None:
        asked, full = self._asked_for(), self._full_for(call)
        if asked > 0:
            raise self._unreachable(
                f"waiting {asked:.0f} s more, as the exchange asked", call, asked
            )
        if full > 0:
            because = f"the exchange's limit is nearly used up, by us or others: {full:.0f} s more"
            raise self._unreachable(because, call, full)

    def _quiet_for(self, call: RestCall) -> bool:
        return self._asked_for() > 0 or self._full_for(call) > 0

    def _asked_for(self) -> float:
        now = self._now()
        return max(self._quiet.seconds_left(now), self.host.quiet.seconds_left(now))

    def _full_for(self, call: RestCall) -> float:
        now = self._now()
        return max(
            self._use(budget).seconds_until_room(budget, now) for budget in self._budgets(call)
        )

    async def _wait_for_room(self, call: RestCall, budget: Budget, *, is_urgent: bool) -> None:
        """Calls keep to half of what the exchange publishes, each limit by itself."""
        weight, now = _weight(call, budget), self._now()
        if _can_wait(call) and _is_by_minute(budget):
            sent = self._use(budget).sent(budget, now)
            is_at_ease = self._pace(budget).is_at_ease(weight)
            if sent and (sent + weight > self.allowance(budget) or not is_at_ease):
                raise NoRoom(
                    "left for later: others need the room now",
                    exchange=self._exchange.name,
                    account=self._account,
                    call=call.request,
                )
        if call.verb != _READS:
            return  # a stream's ticket: it weighs least, and spares most of the readings
        await self._take_room(budget, weight, is_urgent=is_urgent)

    async def _take_room(self, budget: Budget, weight: float, *, is_urgent: bool) -> None:
        now = self._now()
        is_halved = self.host.use.is_halved(now) or self._use(budget).is_halved(now)
        share = BURST_SHARE * (0.5 if is_halved else 1.0)
        share *= 0.5 if self.host.is_shared else 1.0
        room = _room(budget, share)
        await self._pace(budget).acquire(weight, self.standing, is_urgent=is_urgent, room=room)

    def _pace(self, budget: Budget) -> Pace:
        if budget.by_address:
            return self.host.pace(budget)
        return self._paces.of(budget, self.host.whole_share)

    def _unreachable(self, because: str, call: RestCall, wait: float | None) -> Unreachable:
        return Unreachable(
            because,
            exchange=self._exchange.name,
            account=self._account,
            call=call.request,
            retry_after_seconds=wait,
        )


def _can_wait(call: RestCall) -> bool:
    """
    Whether a call is put off where a limit that is counted over minutes has no room to spare.

    What serves for less than two minutes is part of every reading, and stays one.
    """
    return call.optional and not call.sticky and call.max_age_seconds >= _LASTS_SECONDS


def _weight(call: RestCall, budget: Budget) -> int:
    """Against the limit of all calls each counts once, whatever it weighs on its own."""
    return call.weight if budget == call.budget else 1
