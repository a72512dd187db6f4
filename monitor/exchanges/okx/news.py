"""
What OKX itself says of an account beside its figures: that it warns, and what it took.

Knows the channels liquidation-warning and balance_and_position; must not know a book. What a
frame leaves open (how much of a position went, at which price) stays open: it is None.

Source: OKX API guide, «Position risk warning», «Balance and position channel», copies of July
2026.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from monitor.errors import Malformed
from monitor.exchanges.okx.errors import cleaned
from monitor.exchanges.okx.products import CONTRACTS
from monitor.risk.model import ONE, ZERO
from monitor.risk.news import Cause, News, Taken, Warned

if TYPE_CHECKING:
    from datetime import datetime

    from monitor.exchanges.payload import Row

_CAUSES: Final = {
    "liquidation": Cause.LIQUIDATION,
    "adl": Cause.ADL,
    "claw_back": Cause.TAKEOVER,
    "delivered": Cause.SETTLEMENT,
    "exercised": Cause.SETTLEMENT,
    "settlement": Cause.SETTLEMENT,
}
_WORDS: Final = {
    "liquidation": "OKX liquidated a part of the account",
    "adl": "OKX closed a part of the account by auto-deleveraging",
    "claw_back": "OKX clawed back a part of the profit to cover losses of others",
}
_SIDES: Final = {"long": True, "short": False}
# OKX warns from equity = 3 × requirement on, which is far from the end; where no more than a
# tenth of the equity is left over, the end is near.
_NEAR: Final = Decimal("0.9")


def warned(row: Row, told_at: datetime) -> Warned:
    """
    One row of the warning's channel.

    ``{"instType": "SWAP", "instId": "BTC-USDT-SWAP", "mgnMode": "cross", "posSide": "net",
    "pos": "20", "mgnRatio": "1.48…", "markPx": "96000", "ccy": "USDT", "pTime": "179…", …}``

    OKX's ratio is equity over requirement: it is turned round. A warning whose figures are
    empty, or no numbers, is one all the same, and then one of the end being near.
    """
    name = row.optional_text("instId")
    used = _used(row)
    figure = "" if used is None else f", margin ratio {used:.1%} by its own figures"
    return Warned(
        at=row.optional_time("pTime") or told_at,
        words=f"OKX warns that {_shown(name)} may be liquidated (liquidation-warning){figure}",
        exchange_symbol=name,
        is_critical=used is None or used >= _NEAR,
    )


def _used(row: Row) -> Decimal | None:
    """Requirement over equity, None where the row does not tell it."""
    try:
        told = row.optional_decimal("mgnRatio")
    except Malformed:
        return None
    return ONE / told if told is not None and told > ZERO else None


def _shown(name: str | None) -> str:
    return "a position" if name is None else cleaned(name)


def event(data: Row, told_at: datetime) -> tuple[tuple[News, ...], str | None]:
    """
    What one event of balance_and_position says that OKX took, and why to ask for the rest.

    ``{"pTime": "…", "eventType": "liquidation", "balData": [{"ccy": "USDT", "cashBal":
    "490", …}], "posData": [{"posId": "1", "tradeId": "2", "instId": "BTC-USDT-SWAP",
    "posSide": "net", "pos": "0", "ccy": "USDT", …}], "trades": [{"instId": …, "tradeId": …}]}``

    The rows tell what is left of each position, not what went, and of balances what they are
    now: size, price and amount are None, and REST's bills tell them. A daily settlement moves
    entry prices and takes nothing; of settlements only a position that is over is told.
    """
    kind = data.optional_text("eventType") or ""
    cause = _CAUSES.get(kind)
    if cause is None:
        return (), None
    at = data.optional_time("pTime") or told_at
    rows = data.rows("posData")
    news: list[News] = [_taken(row, cause, at) for row in rows if _took(row, cause)]
    if not news and kind in _WORDS:
        news.append(
            Warned(at=at, words=f"{_WORDS[kind]} ({kind})", is_critical=kind != "claw_back")
        )
    return tuple(news), f"what went by the event «{kind}» is in OKX's bills" if news else None


def _took(row: Row, cause: Cause) -> bool:
    return cause is not Cause.SETTLEMENT or row.decimal("pos") == ZERO


def _taken(row: Row, cause: Cause, at: datetime) -> Taken:
    name = row.text("instId")
    trade = row.optional_text("tradeId")
    of_it = trade or f"{row.optional_text('posId') or ''}/{int(at.timestamp() * 1000)}"
    return Taken(
        id=f"{name}/{of_it}",
        at=at,
        cause=cause,
        exchange_symbol=name,
        is_long=_is_long(row),
        contracts=None,
        asset=row.optional_text("ccy"),
    )


def _is_long(row: Row) -> bool | None:
    """The side in long/short mode, else that of what is left; None where nothing is."""
    left: Decimal = row.decimal("pos")
    named = _SIDES.get(row.optional_text("posSide") or "net")
    if named is None and left != ZERO and row.optional_text("instType") in CONTRACTS:
        return left > ZERO
    return named
