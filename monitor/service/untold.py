"""
What a reading showed before any event told it, until events tell it after all.

Pure. An event may come a little after the reading that shows what it is about. It is laid on
the book before that reading, so that what it tells is known by symbol and by coin: an event of
something else says nothing of it.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from monitor.errors import ExchangeError, RiskError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monitor.exchanges.port import AccountView, Frame
    from monitor.risk.model import AccountSnapshot, PoolId

NOTABLE = Decimal("0.001")
"""A balance that differs by less than this part of itself is not said to differ."""

NOT_UNDERSTOOD = (RiskError, ValueError, ArithmeticError, LookupError, TypeError, AttributeError)
"""What a reader may raise beside its own errors, given a reply that nobody thought of."""

Held = tuple["PoolId", str, str]


class Untold:
    """
    What a reading changed though nothing was told of it.

    `before` and `after` are at the reading's own time; `left` are the positions and balances
    of which nothing was told since either, by pool and name.
    """

    def __init__(self, view: AccountView, before: AccountSnapshot, after: AccountSnapshot) -> None:
        self.before = before
        self.after = after
        self.left = differences(before, after)
        self._view = view

    def undone_by(self, later: Untold) -> None:
        """
        Forget, here and there, what a later reading shows again as it was before.

        A reply may be wrong for a moment: neither that nor its end is anything that happened.
        """
        back = (self.left & later.left) - differences(self.before, later.after)
        self.left -= back
        later.left -= back

    def hear(self, frame: Frame) -> None:
        """Take a frame that came since. One that can't be laid on that book tells nothing."""
        try:
            self._view = self._view.updated(frame)
            now = self._view.snapshot(frame.at)
        except (ExchangeError, *NOT_UNDERSTOOD):
            return
        self.left -= differences(self.before, now)


def untold(view: AccountView, before: AccountSnapshot, after: AccountSnapshot) -> Untold | None:
    """What differs between two books of one mode, `view` being the first; None where nothing."""
    found = Untold(view, before, after)
    return found if found.left and before.mode == after.mode else None


def differences(one: AccountSnapshot, other: AccountSnapshot) -> frozenset[Held]:
    """The positions and balances in which two books differ, by pool and name."""
    mine, theirs = _positions(one), _positions(other)
    sizes = {k for k in mine.keys() | theirs.keys() if mine.get(k) != theirs.get(k)}
    here, there = _balances(one), _balances(other)
    zero = Decimal(0)
    coins = {
        k for k in here.keys() | there.keys() if _is_notable(here.get(k, zero), there.get(k, zero))
    }
    return frozenset(sizes | coins)


def _is_notable(one: Decimal, other: Decimal) -> bool:
    return abs(one - other) > NOTABLE * max(abs(one), abs(other))


def _positions(snapshot: AccountSnapshot) -> Mapping[Held, Decimal]:
    return {
        (pool.id, p.instrument.symbol, p.side.value): p.contracts
        for pool in snapshot.pools
        for p in pool.positions
    }


def _balances(snapshot: AccountSnapshot) -> Mapping[Held, Decimal]:
    return {
        (pool.id, each.asset, "balance"): each.balance
        for pool in snapshot.pools
        for each in pool.collateral
    }
