"""Which channels OKX has, on which path, and why a subscription is refused."""

import json

from monitor.simulator.okx_public import index_names
from monitor.simulator.okx_tables import INSTRUMENTS, PAIRS

Row = dict[str, object]
_TYPES = frozenset({"SPOT", "MARGIN", "SWAP", "FUTURES", "OPTION", "ANY"})
_PATHS = {
    "mark-price": "public",
    "index-tickers": "public",
    "instruments": "public",
    "status": "public",
    "account": "private",
    "positions": "private",
    "balance_and_position": "private",
    "liquidation-warning": "private",
    "orders": "private",
    "orders-algo": "business",
}
_NEED_TYPE = frozenset({"positions", "liquidation-warning", "orders", "orders-algo"})


def objection(path: str, arg: object, *, logged_in: bool) -> tuple[str, str] | None:
    """Code and words with which a subscription is refused, or None where it isn't."""
    if not isinstance(arg, dict) or "channel" not in arg:
        return "60012", f"Invalid request: {json.dumps(arg)[:100]}"
    channel = str(arg["channel"])
    words = ",".join(f"{key}:{arg[key]}" for key in arg)
    if _PATHS.get(channel) != path or _names_nothing(channel, arg):
        return "60018", f"Wrong URL or {words} doesn't exist. Please use the correct URL."
    if path != "public" and not logged_in:
        return "60011", "Please log in"
    if channel in _NEED_TYPE and arg.get("instType") not in _TYPES:
        return "60012", f"Invalid request: {words}"
    return None


def _names_nothing(channel: str, arg: Row) -> bool:
    if channel == "mark-price":
        return arg.get("instId") not in {**INSTRUMENTS, **PAIRS}
    return channel == "index-tickers" and arg.get("instId") not in index_names()


def topic_of(arg: Row) -> str:
    """A subscription as one text, the same for the same wish."""
    return json.dumps(arg)


def wants(arg: Row, row: Row) -> bool:
    """Whether a row is among what a subscription asked for."""
    kind, name, family = arg.get("instType"), arg.get("instId"), arg.get("instFamily")
    mine = str(row.get("instId", ""))
    return (
        kind in {None, "ANY", row.get("instType")}
        and name in {None, mine}
        and family in {None, "-".join(mine.split("-")[:2])}
    )
