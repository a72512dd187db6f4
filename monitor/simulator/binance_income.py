"""What `/fapi/v1/income`, `/dapi/v1/income` and their twins list: every booking, newest last."""

from collections.abc import Mapping

from monitor.simulator.binance_quotes import Row

_USUAL, _MOST = 100, 1000
_FOR_EVER = 10**15


def income_rows(rows: list[Row], sent: Mapping[str, str]) -> list[Row]:
    """
    Give the bookings that a query asks for, oldest first.

    Without a start the newest come, as many as `limit` says. Source: API documentation of
    USD-M futures, "Get Income History".
    """
    first = int(sent.get("startTime") or 0)
    last = int(sent.get("endTime") or _FOR_EVER)
    found = [
        row
        for row in rows
        if _matches(row, "symbol", sent.get("symbol"))
        and _matches(row, "incomeType", sent.get("incomeType"))
        and first <= int(str(row["time"])) <= last
    ]
    limit = min(int(sent.get("limit") or _USUAL), _MOST)
    return found[:limit] if sent.get("startTime") else found[-limit:]


def _matches(row: Row, field: str, wanted: str | None) -> bool:
    return not wanted or row[field] == wanted
