"""A report's values as a person reads them: amounts, percentages, and text that is only text."""

from __future__ import annotations

import os
from decimal import Decimal
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping

PLAIN_WIDTH = 190


def terminal() -> Console:
    """Stdout: with colours on a terminal that wants them, else plain and wide."""
    console = Console(no_color="NO_COLOR" in os.environ, highlight=False)
    if console.is_terminal:
        return console
    return Console(no_color=True, highlight=False, width=PLAIN_WIDTH)


def plain_text(text: str) -> Text:
    """Text as it is: what stands in square brackets is no markup, and nothing moves the cursor."""
    return Text("".join(letter if letter.isprintable() else " " for letter in text))


def rows(data: Mapping[str, object], key: str) -> list[dict[str, object]]:
    """The list of objects at `key`; empty where something else stands there."""
    found = data[key]
    return found if isinstance(found, list) else []


def number(value: object) -> Decimal | None:
    return None if value is None else Decimal(str(value))


def money(value: object, unit: str) -> str:
    """Rounded for people, with its unit; «unknown» where it is."""
    amount = number(value)
    if amount is None:
        return "unknown"
    digits = 2 if abs(amount) >= 1 or amount == 0 else 8
    return f"{amount:,.{digits}f} {unit}"


def percent(value: object, *, sign: bool = True) -> str:
    """A fraction in per cent; «none» where there is none."""
    fraction = number(value)
    if fraction is None:
        return "none"
    if fraction.is_infinite():
        return "over 100 %"
    return f"{fraction * 100:+.2f} %" if sign else f"{fraction * 100:.2f} %"
