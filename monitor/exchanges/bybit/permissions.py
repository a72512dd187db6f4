"""
What an API key may do and until when: query-api → Permissions.

An answer, shortened (docs «Get API Key Information», read 2026-07): ``{"readOnly": 1,
"permissions": {"ContractTrade": ["Order", "Position"], "Wallet": ["AccountTransfer"]},
"ips": ["*"], "deadlineDay": 83, "expiredAt": "2026-05-15T03:21:05Z"}``.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from monitor.errors import Malformed
from monitor.exchanges.bybit.calls import KEY
from monitor.exchanges.bybit.envelope import naming, result_of
from monitor.exchanges.port import Permissions

if TYPE_CHECKING:
    from monitor.exchanges.call import Replies
    from monitor.exchanges.payload import Row

PERMISSION_CALLS = (KEY,)
PERMISSION_HINT = (
    "At Bybit under API management make a system-generated key of type «Read-Only» with Unified "
    "Trading (orders, positions) ticked, bound to this host's IP address: a key without a bound "
    "address ends after 90 days."
)
_READABLE = (("ContractTrade", "Position"), ("Derivatives", "DerivativesTrade"))
_NEVER = 1970
_ANY_ADDRESS = "*"


def read_permissions(replies: Replies) -> Permissions:
    """
    What the key may do.

    On a read-only key the listed areas are what it may read. Raises MissingReply or Malformed.
    """
    reply = replies.get(KEY)
    with naming(reply.request):
        row = result_of(reply)
        areas = row.row("permissions")
        rights = {area: _words(areas, area) for area in areas.keys()}  # noqa: SIM118 - a Row
        ips = _words(row, "ips")
        return Permissions(
            powers=() if _is_read_only(row) else _powers(rights),
            missing=_missing(rights),
            ip_bound=bool(ips) and _ANY_ADDRESS not in ips,
            expires_at=_expiry(row),
        )


def _is_read_only(row: Row) -> bool:
    value = row.integer("readOnly")
    if value not in (0, 1):
        raise Malformed(row.at("readOnly"), "0 or 1", str(value))
    return value == 1


def _powers(rights: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    named = tuple(f"{area}: {right}" for area, words in rights.items() for right in words)
    return named or ("read-write key",)


def _missing(rights: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    if any(right in rights.get(area, ()) for area, right in _READABLE):
        return ()
    return ("Unified Trading: positions (ContractTrade: Position)",)


def _words(row: Row, key: str) -> tuple[str, ...]:
    value = row.raw(key)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        raise Malformed(row.at(key), "a list of words")
    return tuple(value)


def _expiry(row: Row) -> datetime | None:
    text = row.optional_text("expiredAt")
    if text is None:
        return None
    try:
        ends = datetime.fromisoformat(text)
    except ValueError as error:
        raise Malformed(row.at("expiredAt"), "a date and time", text[:40]) from error
    ends = ends if ends.tzinfo else ends.replace(tzinfo=UTC)
    return None if ends.year == _NEVER else ends.astimezone(UTC)
