"""
The world: one scenario under way.

The wire's clock is the real one. Virtual time only says where on the price path we are:
`elapsed = real seconds since the start x speed`.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Protocol

from aiohttp import web

from monitor.simulator.faults import CLOCK_KIND, Fault, FaultBoard, default_seconds
from monitor.simulator.market import Market
from monitor.simulator.scenario import AccountSpec, Scenario
from monitor.simulator.truth import PoolTruth, plain

THRESHOLDS = (Decimal("0.8"), Decimal("0.9"), Decimal(1))
_DEFAULT_SHIFT_SECONDS = "30"


class Account(Protocol):
    """What every exchange's account offers to the world; the rest is its own affair."""

    @property
    def spec(self) -> AccountSpec: ...


class Exchange(Protocol):
    """
    One pretended exchange.

    The world calls, at each of its ticks: `world.publish` (new marks), `pools` and perhaps
    `liquidate` for each account, and at last `step`, which pushes frames.
    """

    @property
    def name(self) -> str: ...

    @property
    def cadence_seconds(self) -> float:
        """Real seconds between two of its marks."""
        ...

    @property
    def accounts(self) -> Sequence[Account]: ...

    @property
    def totals(self) -> frozenset[str]:
        """Names of the reply fields that the fault `wrong_numbers` falsifies."""
        ...

    def mount(self, app: web.Application) -> None:
        """Add the routes, all under `/<name>/`."""
        ...

    async def step(self, now: datetime) -> None:
        """Push to the sockets what the newly published marks bring about."""
        ...

    def pools(self, account: str) -> Sequence[PoolTruth]:
        """Give the margin pools of the account of this name at the published marks."""
        ...

    def liquidate(self, account: str, pool: str) -> dict[str, str]:
        """Close what stands in this pool at the published marks; give words for the event."""
        ...

    def refusal(self, kind: str, value: str | None) -> web.Response:
        """Give the exchange's own answer for 429, 418, bad_key, no_permission, ip, empty_list."""
        ...


class World:
    """Scenario, clock, published marks, faults, and the record of what happened."""

    def __init__(
        self,
        scenario: Scenario,
        *,
        speed: float = 1,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.scenario = scenario
        self.speed = speed
        self.market = Market(scenario.seed, scenario.paths)
        self.faults = FaultBoard()
        self.exchanges: list[Exchange] = []
        self.events: list[dict[str, object]] = []
        self._clock = clock
        self._started_at = clock()
        self._pinned: dict[tuple[str | None, str], Decimal] = {}
        self._published: dict[str, tuple[float, dict[str, Decimal]]] = {}
        self._rungs: dict[tuple[str, str, str], int] = {}
        self._waiting = sorted(scenario.faults, key=lambda fault: fault.at_seconds)

    # --- time

    def now(self) -> datetime:
        """Real time, aware, UTC."""
        return self._clock()

    def elapsed(self) -> float:
        """Virtual seconds since the start."""
        return (self.now() - self._started_at).total_seconds() * self.speed

    def restart_clock(self) -> None:
        """Begin the path at its second zero, now."""
        self._started_at = self._clock()

    def server_time(self, exchange: str, path: str = "") -> datetime:
        """Give the time as this exchange believes it to be."""
        now = self.now()
        fault = self.faults.find(exchange, path, CLOCK_KIND, now)
        if fault is None:
            return now
        return now + timedelta(seconds=float(fault.value or _DEFAULT_SHIFT_SECONDS))

    # --- prices

    def mark(self, exchange: str, base: str) -> Decimal:
        """
        Give the mark that this exchange last published.

        Raises:
            KeyError: If the scenario has no such coin.

        """
        _, marks = self._published.get(exchange) or self.publish(exchange)
        return marks[base] if base in marks else self.market.price(base, 0)

    def index(self, exchange: str, base: str) -> Decimal:
        """Give the index price at the moment of the last published mark."""
        at, _ = self._published.get(exchange) or self.publish(exchange)
        pinned = self._pin(exchange, base)
        return self.market.index(base, at) if pinned is None else pinned

    def publish(self, exchange: str) -> tuple[float, dict[str, Decimal]]:
        """Take the marks of this moment as the exchange's newest."""
        at = self.elapsed()
        marks = {}
        for base in {*self.market.bases, *(b for _, b in self._pinned)}:
            pinned = self._pin(exchange, base)
            marks[base] = self.market.price(base, at) if pinned is None else pinned
        self._published[exchange] = (at, marks)
        return at, marks

    def pin(self, base: str, price: Decimal | None, exchange: str | None = None) -> None:
        """Hold a coin's price from the next tick on, or release it with None."""
        if price is None:
            self._pinned.pop((exchange, base), None)
        else:
            self._pinned[exchange, base] = price

    def _pin(self, exchange: str, base: str) -> Decimal | None:
        return self._pinned.get((exchange, base), self._pinned.get((None, base)))

    # --- the tick

    async def tick(self, exchange: Exchange) -> None:
        """Publish, evaluate every pool, liquidate where it must be, push frames."""
        self.run_timeline()
        self.publish(exchange.name)
        for account in exchange.accounts:
            self.evaluate(exchange, account.spec)
        await exchange.step(self.now())

    def evaluate(self, exchange: Exchange, spec: AccountSpec) -> None:
        """Record which thresholds each pool has crossed; liquidate at 1, but who stays."""
        account = spec.name
        now = exchange.pools(account)
        self._record_vanished(exchange.name, account, {pool.pool for pool in now})
        for pool in now:
            ratio = pool.ratio
            self._record_crossings(exchange.name, account, pool.pool, ratio)
            if ratio >= 1 and not spec.stays:
                words = exchange.liquidate(account, pool.pool)
                self.record(
                    "liquidation",
                    exchange=exchange.name,
                    account=account,
                    pool=pool.pool,
                    ratio=plain(ratio),
                    margin_balance=plain(pool.margin_balance),
                    maintenance_margin=plain(pool.maintenance_margin),
                    **words,
                )

    def _record_crossings(self, exchange: str, account: str, pool: str, ratio: Decimal) -> None:
        key = (exchange, account, pool)
        before = self._rungs.get(key, 0)
        after = sum(ratio >= threshold for threshold in THRESHOLDS)
        self._rungs[key] = after
        rising = after > before
        crossed = THRESHOLDS[before:after] if rising else THRESHOLDS[after:before][::-1]
        for threshold in crossed:
            self.record(
                "crossing",
                direction="up" if rising else "down",
                threshold=plain(threshold),
                exchange=exchange,
                account=account,
                pool=pool,
                ratio=plain(ratio),
            )

    def _record_vanished(self, exchange: str, account: str, there: set[str]) -> None:
        """A pool that is gone with its last position has come down."""
        for key in self._rungs:
            if key[:2] == (exchange, account) and key[2] not in there:
                self._record_crossings(exchange, account, key[2], Decimal(0))

    def run_timeline(self) -> None:
        """Switch on the faults whose virtual second has come, and note those that are over."""
        now = self.now()
        for gone in self.faults.expire(now):
            self._record_fault("fault_over", gone)
        elapsed = self.elapsed()
        while self._waiting and self._waiting[0].at_seconds <= elapsed:
            spec = self._waiting.pop(0)
            seconds = spec.seconds if spec.seconds is None else spec.seconds / self.speed
            self.fault(spec.exchange, spec.kind, path=spec.path, seconds=seconds, value=spec.value)

    # --- faults and the record

    def fault(
        self,
        exchange: str,
        kind: str,
        *,
        path: str = "",
        seconds: float | None = None,
        value: str | None = None,
    ) -> None:
        """
        Switch a fault on now, for so many real seconds or until it is cleared.

        Raises:
            ValueError: If there is no such kind.

        """
        lasts = default_seconds(kind) if seconds is None else seconds
        until = None if lasts is None else self.now() + timedelta(seconds=lasts)
        fault = Fault(exchange=exchange, kind=kind, path=path, value=value, until=until)
        self.faults.add(fault)
        self._record_fault("fault", fault)

    def clear_faults(self, exchange: str | None = None, kind: str | None = None) -> None:
        """Switch off all faults that match."""
        for gone in self.faults.clear(exchange, kind):
            self._record_fault("fault_over", gone)

    def _record_fault(self, kind: str, fault: Fault) -> None:
        self.record(
            kind, exchange=fault.exchange, fault=fault.kind, path=fault.path, value=fault.value
        )

    def record(self, kind: str, **words: object) -> None:
        """Keep an event with the real time and the virtual second."""
        self.events.append(
            {
                "at": self.now().isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                "elapsed_seconds": format(self.elapsed(), ".3f"),
                "event": kind,
                **words,
            }
        )
