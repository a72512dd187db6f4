"""
The facts for a message, laid out from what is known at one moment.

Outlook and advice are solved for the very figures that the message is about.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from monitor.alerts import words
from monitor.alerts.facts import Facts, Gone, LastKnown, PoolFacts
from monitor.engine.drivers import bookings_of, changes_since
from monitor.engine.effects import State
from monitor.errors import Refused, Unmodelled

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from decimal import Decimal

    from monitor.alerts.facts import Changes
    from monitor.alerts.ladder import Ladder
    from monitor.engine.assessment import Figures
    from monitor.engine.freshness import Freshness, Trouble
    from monitor.engine.knowledge import Knowledge
    from monitor.engine.moves import Touched
    from monitor.engine.watch import Watch
    from monitor.risk.cash import FreeBalance
    from monitor.risk.model import PoolId
    from monitor.risk.result import Target

_REFUSED = (
    "put right what is said above: the key, its rights, the addresses that may use it, or the "
    "account's own state at the exchange. It is tried again by itself."
)
_UNMODELLED = (
    "the monitor has no rules for this. Look at the account at the exchange itself; the figures "
    "come back by themselves once it no longer holds that."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Briefing:
    """Everything that is known at `at`, ready to be told."""

    known: Knowledge
    watches: Mapping[PoolId, Watch]
    fresh: Mapping[PoolId, Freshness]
    touched: Touched
    ladder: Ladder
    target: Target
    at: datetime

    def of_pool(self, watch: Watch, by: Figures | None) -> Facts:
        """About one pool, by the figures that put it where it stands."""
        figures = by or watch.now
        if figures is None:
            return self._facts(None)
        outlook, advice = watch.solution(figures, self.target)
        opened = watch.opened
        fresh = self.fresh[watch.pool.id]
        is_over = watch.now is not None and figures is watch.adverse
        return self._facts(
            PoolFacts(
                risk=figures.risk,
                requirement=figures.requirement,
                outlook=outlook,
                advice=advice,
                is_live=fresh.state is State.FRESH,
                age_seconds=fresh.age_seconds,
                reconciliation=watch.reconciliation,
                ratio_now=watch.now.requirement.ratio if is_over and watch.now else None,
                doubts=(*self._lagging(watch, figures), *self._doubts(watch)),
                changes=self._changes(watch, figures),
                funding=watch.funding_after(figures),
                openings=() if opened is None else opened.openings,
                free=self._free(watch),
            )
        )

    def of_tiers(self, watch: Watch) -> Facts:
        """About what new leverage tiers do to a pool."""
        return replace(self._facts(None), tiers=watch.tiers)

    def of_gone(self, pool: PoolId, before: tuple[str, Decimal] | None, by_mode: str = "") -> Facts:
        """
        About a pool whose positions are gone; `before` is its last balance with them.

        `by_mode`: the change of the account's mode with which they went, empty for none.
        """
        watch = self.watches.get(pool)
        now = None if watch is None or watch.now is None else watch.now.requirement
        unit = before[0] if before else now.unit if now else ""
        return Facts(
            exchange=self.known.exchange,
            ladder=self.ladder,
            gone=Gone(
                unit=unit,
                balance_before=None if before is None else before[1],
                balance_now=None if now is None else now.margin_balance,
                by_mode=by_mode,
            ),
            known=self._last_known(),
        )

    def of_account(self, trouble: Trouble | None, pools: tuple[PoolId, ...]) -> Facts:
        """About the account, or those of its pools that a trouble concerns."""
        return Facts(
            exchange=self.known.exchange,
            ladder=self.ladder,
            known=self._last_known(),
            concerns=pools if set(pools) != set(self.fresh) else (),
            since=None if trouble is None else trouble.since,
            to_do=self._to_do(trouble),
        )

    def _facts(self, pool: PoolFacts | None) -> Facts:
        return Facts(
            exchange=self.known.exchange, ladder=self.ladder, pool=pool, known=self._last_known()
        )

    def _last_known(self) -> tuple[LastKnown, ...]:
        return tuple(
            LastKnown(
                pool=pool,
                ratio=None if watch.now is None else watch.now.requirement.ratio,
                rung=watch.rung(self.ladder),
                distance=watch.distance if watch.is_at_stake else None,
                age_seconds=self.fresh[pool].age_seconds,
                positions=len(watch.pool.positions),
                carried=watch.pool.carried,
            )
            for pool, watch in self.watches.items()
        )

    def _changes(self, watch: Watch, figures: Figures) -> Changes | None:
        """What moved the pool since it was last told of."""
        if watch.baseline is None:
            return None
        pools = [other.pool for other in self.watches.values()]
        bookings = bookings_of(watch.pool, pools, self.known.bookings)
        return changes_since(watch.baseline, figures.risk, bookings)

    def _free(self, watch: Watch) -> tuple[FreeBalance, ...]:
        """What lies in other wallets and could be added."""
        snapshot = self.known.snapshot
        if snapshot is None:
            return ()
        pool = watch.pool
        return tuple(
            each
            for each in snapshot.free
            if each.asset == pool.top_up_asset and each.wallet != pool.wallet
        )

    def _to_do(self, trouble: Trouble | None) -> str:
        if trouble is None or not trouble.owner_must_act:
            return ""
        match self.known.failure:
            case Refused():
                return _REFUSED
            case Unmodelled():
                return _UNMODELLED
            case _:
                return ""

    @staticmethod
    def _lagging(watch: Watch, figures: Figures) -> tuple[str, ...]:
        """That marks were moved along for these figures, and which."""
        if watch.now is None or figures is not watch.abreast:
            return ()
        by_wire = watch.now.risk.marks
        moved = [s for s, mark in figures.risk.marks.items() if mark.at > by_wire[s].at]
        names = ", ".join(sorted(moved))
        return (f"The mark of {names} lags: here it is taken to have moved as its coin did.",)

    def _doubts(self, watch: Watch) -> tuple[str, ...]:
        jumps = [
            f"Unconfirmed: the mark of {symbol} moved by {words.move(by)} in one step. "
            "It is being read again."
            for symbol, by in sorted(self.touched.jumps.items())
            if symbol in watch.pool.symbols()
        ]
        if self.known.doubted is not None:
            jumps.append(
                "Unconfirmed: a reading shows fewer positions; it is being read again, "
                "these figures are those of before."
            )
        return tuple(jumps)
