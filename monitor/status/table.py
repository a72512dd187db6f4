"""A report as a table for the terminal: every pool, how near its end is, and how old that is."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from monitor.status.text import money as _money
from monitor.status.text import number as _number
from monitor.status.text import percent as _percent
from monitor.status.text import plain_text as _plain
from monitor.status.text import rows as _rows
from monitor.status.text import terminal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

BAR_CELLS = 20
WARNED = Decimal("0.8")
GRAVE = Decimal("0.9")


def print_table(data: Mapping[str, object]) -> None:
    """To stdout: colours on a terminal, plain text elsewhere and with NO_COLOR."""
    console = terminal()
    console.print(table(data))
    for line in _advice_lines(data):
        console.print(_plain(line))


def table(data: Mapping[str, object]) -> Table:
    """One row for each pool, and one for an account of which there is no figure."""
    found = Table(box=None, pad_edge=False, header_style="bold")
    found.add_column("pool", no_wrap=True)
    found.add_column("state")
    found.add_column("margin ratio", no_wrap=True)
    found.add_column("balance", justify="right", no_wrap=True)
    found.add_column("maintenance", justify="right", no_wrap=True)
    found.add_column("rung")
    found.add_column("adverse move", justify="right", no_wrap=True)
    found.add_column("nearest liquidation", no_wrap=True)
    found.add_column("error", justify="right", no_wrap=True)
    found.add_column("age", justify="right", no_wrap=True)
    for account in _rows(data, "accounts"):
        pools = _rows(account, "pools")
        for pool in pools:
            found.add_row(*_pool_cells(account, pool))
        if not pools:
            found.add_row(_plain(str(account["name"])), _state(account), _plain(_why(account)))
    return found


def _why(account: Mapping[str, object]) -> str:
    return str(account.get("because") or "no pools")


def _pool_cells(account: Mapping[str, object], pool: Mapping[str, object]) -> tuple[Text, ...]:
    blind = pool["state"] == "blind"
    ratio = _number(pool["margin_ratio"])
    unit = str(pool["unit"])
    return (
        _plain(str(pool["id"])),
        _state(pool if pool["state"] != "fresh" else account),
        _bar(ratio, "last known " if blind else ""),
        _plain(_money(pool["margin_balance"], unit)),
        _plain(_money(pool["maintenance_margin"], unit)),
        _plain("" if pool["rung"] == "none" else str(pool["rung"])),
        _plain(_percent(pool["adverse_move"])),
        _plain(_nearest(pool)),
        _plain(_error(pool)),
        _plain(_age(pool["age_seconds"])),
    )


def _state(row: Mapping[str, object]) -> Text:
    state = str(row["state"])
    return Text(state, style={"fresh": "green", "stale": "yellow"}.get(state, "bold red"))


def _bar(ratio: Decimal | None, before: str) -> Text:
    if ratio is None:
        return Text("unknown", style="bold red")
    style = "green" if ratio < WARNED else "yellow" if ratio < GRAVE else "bold red"
    if ratio.is_infinite():
        return Text(f"{before}{'█' * BAR_CELLS} over 100 %", style=style)
    cells = min(BAR_CELLS, int(ratio * BAR_CELLS))
    return Text(
        f"{before}{'█' * cells}{'░' * (BAR_CELLS - cells)} {ratio * 100:.1f} %", style=style
    )


def _nearest(pool: Mapping[str, object]) -> str:
    """The symbol whose own liquidation price is the closest, where any price does it."""
    ends = [p for p in _rows(pool, "positions") if p["distance"] is not None]
    if not ends:
        return "no price does" if _rows(pool, "positions") else ""
    nearest = min(ends, key=lambda p: abs(Decimal(str(p["distance"]))))
    price = Decimal(str(nearest["liquidation_price"]))
    return f"{nearest['exchange_symbol']} at {price:.7g} ({_percent(nearest['distance'])})"


def _error(pool: Mapping[str, object]) -> str:
    """The prediction error in basis points: the latest, and the largest of the last hour."""
    latest, largest = (
        _number(pool.get(key)) for key in ("prediction_error", "largest_prediction_error")
    )
    if latest is None:
        return "" if largest is None else f"({_points(largest)} bp)"
    return f"{_points(latest)} bp" + ("" if largest is None else f" ({_points(largest)})")


def _points(value: Decimal) -> str:
    return f"{abs(value) * 10_000:.1f}"


def _age(value: object) -> str:
    number = _number(value)
    return "unknown" if number is None else f"{number:.1f} s"


def _advice_lines(data: Mapping[str, object]) -> Iterator[str]:
    """Trouble in words, under the table: why an account is not fresh, what restores a pool."""
    for account in _rows(data, "accounts"):
        if account["state"] != "fresh" and account.get("because"):
            yield f"{account['name']}: {account['state']}: {account['because']}"
        for pool in _rows(account, "pools"):
            if basis := _basis(pool):
                yield f"{pool['id']}: {basis}"
            advice = pool["advice"]
            if pool["rung"] != "none" and isinstance(advice, dict):
                yield f"{pool['id']}: {_advice(advice)}"


def _basis(pool: Mapping[str, object]) -> str:
    """What of the figures is not our own arithmetic; nothing where all of it is."""
    carried = pool.get("carried")
    parts = ", ".join(str(each) for each in carried) if isinstance(carried, list) else ""
    if pool["basis"] == "modelled" and not parts:
        return ""
    return f"{pool['basis']}" + (f": taken over from the exchange: {parts}" if parts else "")


def _advice(advice: Mapping[str, object]) -> str:
    ways = []
    top_up = advice["top_up"]
    if isinstance(top_up, dict):
        ways.append(f"add {_money(top_up['amount'], top_up['asset'])} to {top_up['wallet']}")
    ways += [
        f"close {cut['contracts']} contracts of {cut['exchange_symbol']} {cut['side']}"
        for cut in _rows(advice, "reductions")
    ]
    return " or ".join(ways) if ways else "no single step restores the target"
