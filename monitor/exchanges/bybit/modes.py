"""
What kind of account a Bybit login has: account/info → its margin mode, or why it is refused.

The margin mode belongs to the account, not to a position. It is read with every poll, for a
change of it changes what every other figure means.

An answer, shortened (docs «Get Account Info», read 2026-07): ``{"marginMode":
"REGULAR_MARGIN", "unifiedMarginStatus": 6, "spotHedgingStatus": "OFF"}``.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from monitor.errors import Unmodelled
from monitor.exchanges.bybit import calls
from monitor.exchanges.bybit.envelope import naming, result_of

if TYPE_CHECKING:
    from monitor.exchanges.call import Replies

_UNIFIED_2 = (5, 6)
_OLDER = {
    1: "a classic account",
    3: "a unified trading account 1.0",
    4: "a unified trading account 1.0 pro",
}


class Mode(Enum):
    """What is liquidated together; the value is for people."""

    CROSS = "unified, cross"
    ISOLATED = "unified, isolated"
    PORTFOLIO = "unified, portfolio margin"


_MODES = {
    "REGULAR_MARGIN": Mode.CROSS,
    "ISOLATED_MARGIN": Mode.ISOLATED,
    "PORTFOLIO_MARGIN": Mode.PORTFOLIO,
}


def refusal(replies: Replies) -> Unmodelled | None:
    """Why the account's very kind is not modelled, None where it is."""
    reply = replies.get(calls.INFO)
    with naming(reply.request):
        row = result_of(reply)
        status, mode = row.integer("unifiedMarginStatus"), row.text("marginMode")
    if status not in _UNIFIED_2:
        kind = _OLDER.get(status, "no unified trading account 2.0")
        return Unmodelled(
            f"this is {kind} (unifiedMarginStatus {status}), which is not watched: "
            "upgrade it to the unified trading account 2.0 at Bybit",
            whole_account=True,
        )
    if mode not in _MODES:
        return Unmodelled(
            f"the account is in a margin mode that is not known here ({mode}): "
            "switch it to cross, isolated or portfolio margin to have it watched",
            whole_account=True,
        )
    return None


def mode_of(replies: Replies) -> Mode:
    """
    The account's margin mode.

    Raises:
        MissingReply: If account/info is not there.
        Malformed: If it can't be read.
        Unmodelled: If the account is of a kind that is refused.
    """
    because = refusal(replies)
    if because is not None:
        raise because
    return _MODES[result_of(replies.get(calls.INFO)).text("marginMode")]


def words_of(replies: Replies, mode: Mode) -> str:
    """The mode for people; in portfolio margin with the switch that its figures rest on."""
    row = result_of(replies.get(calls.INFO))
    hedges = mode is Mode.PORTFOLIO and row.optional_text("spotHedgingStatus") == "ON"
    return mode.value + (", spot hedging" if hedges else "")
