"""
What the headers of Bybit's answers tell of a limit: how much is left to this user and endpoint.

The limit of the address (600 requests in 5 s) is in no header: that is counted by us.

Source: Bybit V5 «Rate Limit» (X-Bapi-Limit, X-Bapi-Limit-Status, X-Bapi-Limit-Reset-Timestamp),
read 2026-07.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from monitor.exchanges.call import Used

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monitor.exchanges.call import RestCall

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def read_use(call: RestCall, headers: Mapping[str, str]) -> Used | None:
    """
    ``X-Bapi-Limit: 50``, ``X-Bapi-Limit-Status: 49`` (left) → 1 of 50.

    The reset's time is the present one while the limit is not used up.
    """
    limit = _number(headers.get("x-bapi-limit"))
    left = _number(headers.get("x-bapi-limit-status"))
    reset = _number(headers.get("x-bapi-limit-reset-timestamp"))
    if limit is None or left is None or reset is None or not 0 <= left <= limit:
        return None
    resets_at = _EPOCH + timedelta(milliseconds=reset)
    return Used(budget=call.budget, used=limit - left, limit=limit, resets_at=resets_at)


def _number(text: str | None) -> int | None:
    found = re.fullmatch(r"\d{1,14}", (text or "").strip())
    return None if found is None else int(found.group())
