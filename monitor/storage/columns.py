"""How values of the core stand in columns, so that they come back exactly as they were."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal


def time_text(at: datetime) -> str:
    """UTC with microseconds: texts sort as the times do."""
    if at.tzinfo is None:
        raise ValueError(f"a time without its zone can't be stored: {at.isoformat()}")
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def optional_time_text(at: datetime | None) -> str | None:
    return None if at is None else time_text(at)


def optional_time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def optional_decimal_text(value: Decimal | None) -> str | None:
    return None if value is None else str(value)


def optional_decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def writable(text: str) -> str:
    """The same text; half a character, which JSON may hold but no file, as its number."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
