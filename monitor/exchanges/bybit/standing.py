"""
How Bybit treats a position beside its figures: is it being liquidated, is it reduce-only.

Both stand in every position row, REST and stream alike. A position whose risk limit Bybit has
lowered may only be reduced until its maintenance rate is raised by force, at a time that the
row tells.

Source: docs «Get Position Info» and «Position» stream, enum `positionStatus`, read 2026-07: a
row, shortened: ``{"symbol": "BTCUSDT", "size": "0.1", "positionStatus": "Normal",
"isReduceOnly": false, "mmrSysUpdatedTime": ""}``. REST's sample spells the last one
`mmrSysUpdateTime`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from monitor.errors import Malformed
from monitor.risk.news import Warned

if TYPE_CHECKING:
    from datetime import datetime

    from monitor.exchanges.payload import Row

_USUAL = "Normal"
_STATUSES = {
    "Liq": "Bybit is liquidating {symbol} (positionStatus Liq)",
    "Adl": "Bybit is auto-deleveraging {symbol} (positionStatus Adl)",
}
_LONGEST_STATUS = 40
_RATE_TIMES = ("mmrSysUpdatedTime", "mmrSysUpdateTime")


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """
    `status` in Bybit's word. `only_reduces`: nothing may be added, and the maintenance rate is
    raised at `rate_rises_at` (None where the row does not tell).
    """

    status: str = _USUAL
    only_reduces: bool = False
    rate_rises_at: datetime | None = None

    def warnings(self, symbol: str, at: datetime) -> tuple[Warned, ...]:
        """What this says of the position in this symbol, in words; nothing of a normal one."""
        found: list[Warned] = []
        if self.status != _USUAL:
            unknown = f"Bybit gives {{symbol}} a status that is not known: {self.status}"
            words = _STATUSES.get(self.status, unknown).format(symbol=symbol)
            found.append(
                Warned(
                    at=at,
                    words=words,
                    exchange_symbol=symbol,
                    is_critical=self.status in _STATUSES,
                )
            )
        if self.only_reduces:
            found.append(self._rising(symbol, at))
        return tuple(found)

    def _rising(self, symbol: str, at: datetime) -> Warned:
        when = self.rate_rises_at
        told = "" if when is None else f" at {when:%Y-%m-%d %H:%M} UTC"
        return Warned(
            at=at,
            words=f"Bybit has lowered the risk limit of {symbol}: it may only be reduced, and its "
            f"maintenance rate is raised by force{told} (isReduceOnly)",
            exchange_symbol=symbol,
            is_critical=False,
        )


NORMAL = Standing()


def read_standing(row: Row) -> Standing:
    """
    What a position row says of it. No figure depends on it: what can't be read says nothing,
    but for a status, which is then one that is not known.
    """
    status = row.raw("positionStatus") if row.has("positionStatus") else _USUAL
    reduces = row.raw("isReduceOnly") if row.has("isReduceOnly") else False
    return Standing(
        status=_plain(str(status)),
        only_reduces=reduces in (True, "true"),
        rate_rises_at=_rises_at(row),
    )


def _rises_at(row: Row) -> datetime | None:
    for key in _RATE_TIMES:
        try:
            if row.has(key) and row.integer(key) > 0:
                return row.time(key)
        except Malformed:
            continue
    return None


def _plain(status: str) -> str:
    """A word that came from outside, fit to be shown: no braces, no control characters."""
    kept = "".join(c for c in status if c.isalnum() or c in " _-")
    return kept[:_LONGEST_STATUS] or "?"
