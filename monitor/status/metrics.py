"""What is known as Prometheus metrics; read at the moment of each scrape."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from monitor.engine.effects import State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from prometheus_client.core import Metric

    from monitor.engine.effects import AccountAssessment, PoolAssessment
    from monitor.status.board import Board


class Limit(Protocol):
    """What an exchange publishes as a limit; units a minute."""

    @property
    def name(self) -> str: ...
    @property
    def per_minute(self) -> int: ...


class InUse(Protocol):
    """What was used of a limit in the last minute: by us, and, where it is told, by others."""

    @property
    def budget(self) -> Limit: ...
    @property
    def own(self) -> int: ...
    @property
    def others(self) -> int | None: ...


_LIMIT = ("host", "limit")
_POOL = ("account", "exchange", "pool")


class _Figures(Collector):
    def __init__(self, board: Board, limits: Callable[[], Iterable[tuple[str, InUse]]]) -> None:
        self._board = board
        self._limits = limits

    def collect(self) -> Iterable[Metric]:
        found = {
            name: GaugeMetricFamily(f"margin_monitor_{name}", words, labels=labels)
            for name, words, labels in _FAMILIES
        }
        for account in self._board.assessments():
            _add_account(found, account)
        for host, used in self._limits():
            _add_use(found, host, used)
        return found.values()


_FAMILIES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("account_state", "1 for the state that the account is in", ("account", "exchange", "state")),
    ("feed_age_seconds", "Age of the oldest needed datum of a feed", ("account", "feed")),
    ("margin_ratio", "Maintenance margin ÷ margin balance; 1 = liquidation", _POOL),
    ("margin_balance", "What the exchange lets count, in the pool's unit", (*_POOL, "unit")),
    ("maintenance_margin", "The requirement, in the pool's unit", (*_POOL, "unit")),
    ("adverse_move", "Adverse move left to liquidation, a negative fraction", _POOL),
    ("figure_age_seconds", "Age of the oldest input of a pool's figure", _POOL),
    ("reconciliation_gap", "Theirs − ours of headroom, by gross notional", _POOL),
    ("prediction_error", "Error of the latest prediction, by gross notional", _POOL),
    ("limit_used", "Units of an exchange's limit in the last minute, by whom", (*_LIMIT, "by")),
    ("limit", "What the exchange publishes, in units a minute", _LIMIT),
    ("largest_prediction_error", "The largest of the last hour, by gross notional", _POOL),
)


def _add_account(found: dict[str, GaugeMetricFamily], account: AccountAssessment) -> None:
    labels = [account.account, account.exchange]
    found["account_state"].add_metric([*labels, account.state.value], 1)
    for feed in account.feeds:
        if feed.age_seconds is not None:
            found["feed_age_seconds"].add_metric([account.account, feed.name], feed.age_seconds)
    for pool in account.pools:
        place = [*labels, pool.risk.pool.id.name]
        _add_pool(found, pool, place)


def _add_use(found: dict[str, GaugeMetricFamily], host: str, used: InUse) -> None:
    place = [host, used.budget.name]
    found["limit"].add_metric(place, used.budget.per_minute)
    found["limit_used"].add_metric([*place, "us"], used.own)
    if used.others is not None:
        found["limit_used"].add_metric([*place, "others"], used.others)


def _add_pool(found: dict[str, GaugeMetricFamily], pool: PoolAssessment, place: list[str]) -> None:
    held, unit = pool.requirement, pool.risk.pool.unit
    found["figure_age_seconds"].add_metric(place, pool.age_seconds)
    if pool.prediction_error is not None:
        found["prediction_error"].add_metric(place, float(pool.prediction_error))
    if pool.largest_prediction_error is not None:
        largest = float(pool.largest_prediction_error)
        found["largest_prediction_error"].add_metric(place, largest)
    if pool.state is State.BLIND:
        return  # the last known figure is none of now: a gap in a graph says so, a line does not
    found["margin_ratio"].add_metric(place, float(held.ratio))
    found["margin_balance"].add_metric([*place, unit], float(held.margin_balance))
    found["maintenance_margin"].add_metric([*place, unit], float(held.maintenance_margin))
    if pool.outlook is not None and pool.outlook.adverse_move is not None:
        found["adverse_move"].add_metric(place, float(pool.outlook.adverse_move))
    if pool.reconciliation is not None and pool.reconciliation.gap is not None:
        found["reconciliation_gap"].add_metric(place, float(pool.reconciliation.gap))


class _Tasks(Collector):
    def collect(self) -> Iterable[Metric]:
        words = "Parts at work in the monitor's own loop; steady when nothing leaks"
        yield GaugeMetricFamily("margin_monitor_tasks", words, value=len(asyncio.all_tasks()))


class Metrics:
    """The text that a scrape gets. To be read in the loop whose tasks it counts."""

    def __init__(
        self, board: Board, limits: Callable[[], Iterable[tuple[str, InUse]]] = tuple
    ) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_Figures(board, limits))
        self._registry.register(_Tasks())
        self._registry.register(ProcessCollector(registry=None))

    def text(self) -> str:
        return generate_latest(self._registry).decode()
