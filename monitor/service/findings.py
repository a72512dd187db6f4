"""What `check` finds: one line for each thing that was looked at."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One line: what was looked at, whether it is right, what was found."""

    what: str
    ok: bool
    found: str
