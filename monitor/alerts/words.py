"""
Figures as people read them: rounded, with their unit, with a sign where it matters.

Rounding is for reading only: what must not be too little (an amount to add) is rounded up.
"""

from __future__ import annotations

import re
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_HALF_EVEN, Context, Decimal
from typing import TYPE_CHECKING

from monitor.risk.model import ONE, ZERO

if TYPE_CHECKING:
    from datetime import datetime

    from monitor.risk.news import Cause
    from monitor.risk.result import Reconciliation

_CENTS = frozenset({"USD", "USDT", "USDC", "BUSD", "FDUSD", "TUSD", "USDE", "EUR"})
_CENT = Decimal("0.01")
_FIGURES = 6  # significant digits of prices and of coins
_MOST_OUTSIDE = 300  # characters of an exchange's or a program's own words
_BASIS_POINT = Decimal("0.0001")
_TENTH = Decimal("0.1")
# An absurd number must make an absurd sentence, not a fault that keeps the message back.
_WIDE = Context(prec=2000)


def ratio(value: Decimal) -> str:
    """A margin ratio in percent; never «100.0 %» below it."""
    if not value.is_finite():
        return "over 100 %"
    percent = value * 100
    rounded = _cut(percent, _TENTH)
    if value < ONE <= rounded / 100:
        return f"{_cut(percent, _BASIS_POINT, ROUND_DOWN).normalize():f} %"
    return f"{rounded:,} %"


def threshold(value: Decimal) -> str:
    """A rung's threshold in percent, all its digits."""
    return f"{plain(value * 100)} %"


def distance(value: Decimal) -> str:
    """The size of a move in percent, without its sign."""
    percent = abs(value) * 100
    return f"{_figures(percent, 2) if percent < 1 else _cut(percent, _TENTH)} %"


def move(value: Decimal) -> str:
    """A move in percent with its sign."""
    sign = "−" if value < ZERO else "+" if value > ZERO else ""
    return f"{sign}{distance(value)}"


def share(value: Decimal) -> str:
    """A part of a whole in whole percent; «under 1 %» for what is there but little."""
    percent = _cut(value * 100, ONE)
    return f"{percent} %" if percent or not value else "under 1 %"


def money(amount: Decimal, unit: str, *, signed: bool = False) -> str:
    """An amount and its unit; `signed` puts a + before gains too."""
    return f"{_sign(amount, signed=signed)}{_size(abs(amount), unit)} {unit}"


def money_to_add(amount: Decimal, unit: str) -> str:
    """An amount rounded up, never too little."""
    if unit in _CENTS:
        amount = _cut(amount, _CENT, ROUND_CEILING)
        return f"{amount:,} {unit}"
    return f"{plain(amount)} {unit}"


def price(value: Decimal) -> str:
    """A price to six digits, more where it has more before the point."""
    return f"{_figures(value, _FIGURES):,f}"


def plain(value: Decimal) -> str:
    """All digits, no exponent, no trailing zeros."""
    return f"{value.normalize():f}"


def duration(seconds: float) -> str:
    """A time span in its two largest units."""
    if seconds < 10:  # noqa: PLR2004 - below that a tenth says something
        return f"{max(seconds, 0):.1f} s"
    whole = int(seconds)
    parts = (
        (whole // 86400, "d"),
        (whole // 3600 % 24, "h"),
        (whole // 60 % 60, "min"),
        (whole % 60, "s"),
    )
    first = next(place for place, (count, _) in enumerate(parts) if count)
    shown = parts[first : first + 2]
    return " ".join(f"{count} {unit}" for count, unit in shown if count)


def moment(at: datetime) -> str:
    """Date and time to the second, UTC."""
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def clock(at: datetime) -> str:
    """The time of day to the second, UTC."""
    return f"{at:%H:%M:%S} UTC"


def outside(text: str) -> str:
    """
    Somebody else's words, made harmless: one line, no mention, link or markup, not too long.

    What a channel makes of a text (a link, a mention of everybody) is not theirs to choose.
    """
    text = re.sub(r"\b[a-z]+://\S*", "(address)", text, flags=re.IGNORECASE)
    text = "".join(letter if letter.isprintable() else " " for letter in text)
    text = " ".join(text.replace("@", "(at)").split())
    text = re.sub(r"[<>`*|~#\[\]]", "'", text)
    return text if len(text) <= _MOST_OUTSIDE else f"{text[: _MOST_OUTSIDE - 1]}…"


def headroom_gap(reconciliation: Reconciliation) -> str:
    """How far the exchange's headroom lies from ours, in words."""
    gap = reconciliation.gap
    if gap is None:
        return "the exchange gives nothing to compare"
    side = "less" if gap < ZERO else "more"
    return (
        f"by the exchange's own figures there is {side} left than by ours: "
        f"{basis_points(abs(gap))} of the notional"
    )


def cause(of: Cause | None) -> str:
    """Why the exchange took something; None where it says only that it did."""
    return "liquidation or auto-deleveraging" if of is None else of.value


def basis_points(value: Decimal) -> str:
    """A fraction in basis points, to a tenth."""
    return f"{plain(_cut(value / _BASIS_POINT, _TENTH))} basis points"


def _cut(value: Decimal, step: Decimal, rounding: str = ROUND_HALF_EVEN) -> Decimal:
    return value.quantize(step, rounding=rounding, context=_WIDE)


def _sign(amount: Decimal, *, signed: bool) -> str:
    if amount < ZERO:
        return "−"
    return "+" if signed and amount > ZERO else ""


def _size(amount: Decimal, unit: str) -> str:
    if amount == ZERO:
        return "0"
    if unit in _CENTS and amount >= _CENT:
        return f"{_cut(amount, _CENT):,}"
    return f"{_figures(amount, 2 if unit in _CENTS else _FIGURES):,f}"


def _figures(value: Decimal, count: int) -> Decimal:
    """Rounded to so many significant digits, never before the point."""
    if value == ZERO:
        return ZERO
    rounded = _cut(value, Decimal(1).scaleb(min(0, value.adjusted() - count + 1)))
    text = f"{rounded:f}"
    return Decimal(text.rstrip("0").rstrip(".")) if "." in text else rounded
