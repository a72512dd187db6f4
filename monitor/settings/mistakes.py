"""Mistakes of a configuration file, each told with its place: file, line and key."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from monitor.settings.document import TABLES, Document
from monitor.settings.secret import nearest

if TYPE_CHECKING:
    from pathlib import Path

    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

Key = tuple[str | int, ...]
Mistake = tuple[Key, str]

_HEADER = re.compile(r"\s*(\[\[|\[)\s*([\w.\"'-]+)\s*\]")
_KEY = re.compile(r"\s*([\w.\"'-]+)\s*=")
_EXPECTED = {
    "string_type": "expected text in quotes",
    "bool_type": "expected true or false",
    "list_type": "expected a list",
    "model_type": "expected a table",
    "too_short": "expected at least one",
}


class Places:
    """Where each key of one file stands, as far as a look at its lines can tell."""

    def __init__(self, path: Path, text: str) -> None:
        self._path = path
        self._lines = _lines_of(text)

    def told(self, mistakes: list[Mistake]) -> list[str]:
        """Each as `FILE:LINE: accounts[1].api_key: because`, in the order of the lines."""
        return [
            f"{self._path}{f':{line}' if line else ''}: {dotted(key)}: {because}"
            for line, key, because in sorted(
                ((self._line(key), key, because) for key, because in mistakes),
                key=lambda mistake: mistake[0],
            )
        ]

    def _line(self, key: Key) -> int:
        """The line of the key, else of the table that it is in, else 0."""
        known = (key[:n] for n in range(len(key), 0, -1) if key[:n] in self._lines)
        return self._lines[found] if (found := next(known, None)) else 0


def dotted(key: Key) -> str:
    """``accounts[1].api_key``"""
    return "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in key).lstrip(".")


def found_by(error: ValidationError) -> list[Mistake]:
    """Every mistake that a validation found."""
    return [_mistake(detail) for detail in error.errors()]


def _mistake(detail: ErrorDetails) -> Mistake:
    key = tuple(detail["loc"])
    match detail["type"]:
        case "extra_forbidden":
            return key, f"is not a setting; {nearest(str(key[-1]), _valid_keys(key))}"
        case "missing" | "too_short" if key in {("accounts",), ("channels",)}:
            return key, f"expected at least one [[{key[0]}]] table"
        case "missing":
            return key, "is missing"
        case "value_error":
            return key, str(detail["ctx"]["error"])
        case kind:
            # Never the input: it may be a secret.
            return key, _EXPECTED.get(kind, detail["msg"])


def _valid_keys(key: Key) -> list[str]:
    table = Document if len(key) == 1 else TABLES[str(key[0])]
    return list(table.model_fields)


def _lines_of(text: str) -> dict[Key, int]:
    lines: dict[Key, int] = {}
    counts: dict[str, int] = {}
    table: Key = ()
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            name = header[2].strip("\"'")
            table = (name,)
            if header[1] == "[[":
                counts[name] = counts.get(name, -1) + 1
                table = (name, counts[name])
                lines.setdefault((name,), number)
            lines[table] = number
        elif pair := _KEY.match(line):
            parts = tuple(part.strip("\"'") for part in pair[1].split("."))
            lines.setdefault((*table, *parts), number)
            lines.setdefault((*table, parts[0]), number)
    return lines
