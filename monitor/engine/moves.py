"""
What the marks of events changed, and which stand though nothing more is told of them.

Some exchanges push a mark that does not move only every so many seconds. Near the end of a pool
that is longer than silence is borne; there a mark that was asked for and is the same says that
it stands, for no longer than the exchange may be silent about it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from decimal import Decimal

    from monitor.risk.model import Mark


@dataclass(frozen=True, slots=True, kw_only=True)
class Touched:
    """
    What an event's marks changed, by unified symbol.

    `symbols` are those of which there is news, be it only that the last mark still holds;
    `worst` holds the marks in between, `jumps` the moves of more than `JUMP`.
    """

    symbols: frozenset[str] = frozenset()
    worst: Mapping[str, tuple[Mark, ...]]
    jumps: Mapping[str, Decimal]


class Unmoved:
    """The live marks that stand, by unified symbol, by what was asked and when each was heard."""

    def __init__(self) -> None:
        self._heard: dict[str, datetime] = {}
        self._stood: dict[str, datetime] = {}
        self._silent_at_most: dict[str, timedelta] = {}

    def heard(self, symbols: Iterable[str], at: datetime) -> None:
        """The live feed told of these now, be it that they are the same."""
        for symbol in symbols:
            self._heard[symbol] = at

    def asked(self, symbol: str, live: Mark | None, asked: Mark, unchanged_seconds: float) -> None:
        """
        A mark that was asked for came. Equal to the last live one, and newer, it says that
        that one stands.

        Args:
            unchanged_seconds: So long the live feed may say nothing of a mark that stands.
        """
        is_same = live is not None and asked.at > live.at and asked.price == live.price
        if is_same and unchanged_seconds > 0:
            self._stood[symbol] = asked.at
            self._silent_at_most[symbol] = timedelta(seconds=unchanged_seconds)
        else:
            self._stood.pop(symbol, None)

    def stands(self, symbol: str, live: Mark, at: datetime, within_seconds: float) -> bool:
        """Whether this last live mark was found to stand within so many seconds."""
        stood, heard = self._stood.get(symbol), self._heard.get(symbol)
        if stood is None or heard is None or stood < live.at:
            return False
        is_due = at - heard > self._silent_at_most[symbol]
        return not is_due and (at - stood).total_seconds() <= within_seconds
