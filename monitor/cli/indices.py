"""
Where the price of a coin stands that a file tells only through contracts on that coin.

Floating collateral may go by an index that has frames of its own. A file may hold none of them,
only marks of a contract on the coin, and `--mark` names contracts too; the coin itself then
moves with the contract, as it does in `whatif` and in every liquidation price.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from decimal import Decimal

    from monitor.risk.model import AccountSnapshot, Instrument

Prices = dict[str, "Decimal"]


class Indices:
    """
    The prices of a file, completed by those of indices; all by exchange symbol.

    Args:
        snapshot: The reading that the file begins with: from there a coin and the contracts on
            it move by one fraction.
    """

    def __init__(self, snapshot: AccountSnapshot) -> None:
        self._first = _prices(snapshot)
        self._last = dict(self._first)
        self._told: set[str] = set()

    def hear(self, told: Collection[str]) -> None:
        """A frame tells these marks: an index among them goes by its own frames alone."""
        self._told |= set(told)

    def beside(
        self, snapshot: AccountSnapshot, told: Mapping[str, Decimal], own: Mapping[str, Decimal]
    ) -> Prices:
        """
        These prices, and with them those of the indices that nothing else tells.

        Args:
            told: What the file says now.
            own: A person's own marks, which stand above it.
        """
        indices = _indices(snapshot)
        carried = {
            i.exchange_symbol: price
            for i in indices
            if i.exchange_symbol not in self._told
            and (price := self._along(i, self._first, told, snapshot)) is not None
        }
        self._last |= {**told, **carried}
        moved = {
            i.exchange_symbol: price
            for i in indices
            if (price := self._along(i, self._last, own, snapshot)) is not None
        }
        return {**told, **carried, **moved, **own}

    @staticmethod
    def _along(
        index: Instrument,
        before: Mapping[str, Decimal],
        now: Mapping[str, Decimal],
        snapshot: AccountSnapshot,
    ) -> Decimal | None:
        """The index moved as far as a contract on its coin moved; None where none did."""
        start = before.get(index.exchange_symbol)
        for held in _held(snapshot):
            name = held.exchange_symbol
            if held.base == index.base and name in now and name in before and start is not None:
                return start * now[name] / before[name]
        return None


def _prices(snapshot: AccountSnapshot) -> Prices:
    return {
        i.exchange_symbol: snapshot.marks[i.symbol].price
        for i in snapshot.instruments()
        if i.symbol in snapshot.marks
    }


def _held(snapshot: AccountSnapshot) -> tuple[Instrument, ...]:
    return tuple(p.instrument for pool in snapshot.pools for p in pool.positions)


def _indices(snapshot: AccountSnapshot) -> tuple[Instrument, ...]:
    """What is listened to only because collateral goes by it."""
    held = {i.symbol for i in _held(snapshot)}
    return tuple(i for i in snapshot.followed if i.symbol not in held)
