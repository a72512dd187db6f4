"""
What a change or a shock would make of an account: as data beside the report, and in words.

The data is the report's own, with keys added: `liquidated_after` of a supposed pool, `shocks`.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from rich.table import Table

from monitor.engine.supposition import read_changes, suppose
from monitor.errors import RiskError
from monitor.risk.shocks import shocks
from monitor.status.report import plain, report
from monitor.status.text import money, percent, plain_text, rows, terminal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from monitor.alerts.ladder import Ladder
    from monitor.engine.effects import AccountAssessment
    from monitor.risk.result import Target
    from monitor.risk.shocks import Shock
    from monitor.status.report import Data


SHOCKS = "shocks"
"""The word that asks for the table of standard shocks."""


def whatif_report(
    known: AccountAssessment,
    words: Mapping[str, Sequence[str]],
    *,
    ladder: Ladder,
    target: Target,
    at: datetime,
) -> Data:
    """
    Two reports of one account: `before` and `after` the changes in these words.

    A supposed pool has `liquidated_after`, the part of the price moves that it lives to see,
    null where it lives to see them all. With the word `shocks` both have their shocks too.

    Raises:
        WrongUsage: If the words can't be read, or name what is not there.
        RiskError: If the figures can't be computed, or none are known.
    """
    if not known.pools:
        raise RiskError(f"{known.account}: no figures are known: {known.because or 'no pools'}")
    changes = read_changes({key: said for key, said in words.items() if key != SHOCKS})
    supposed = suppose(known, changes, ladder=ladder, target=target)
    before, after = report([known], at), report([supposed.assessment], at)
    ends = {str(pool): end for pool, end in supposed.liquidated_after.items()}
    for pool in _pools(after):
        pool["liquidated_after"] = plain(ends.get(str(pool["id"])))
    if SHOCKS in words:
        _add_shocks(before, [known])
        _add_shocks(after, [supposed.assessment])
    return {"before": before, "after": after}


def status_report(
    assessments: Iterable[AccountAssessment],
    at: datetime,
    with_shocks: bool = False,  # noqa: FBT001, FBT002 - as it comes from the socket
) -> Data:
    """
    The report of what is known; where asked, every pool with its table of standard shocks.

    Raises:
        RiskError: If a pool can't be evaluated.
    """
    known = list(assessments)
    found = report(known, at)
    if with_shocks:
        _add_shocks(found, known)
    return found


def _add_shocks(found: Data, assessments: Iterable[AccountAssessment]) -> None:
    by_pool = {str(p.risk.pool.id): p.risk for known in assessments for p in known.pools}
    for pool in _pools(found):
        risk = by_pool[str(pool["id"])]
        pool["shocks"] = [_shock(shock) for shock in shocks(risk.pool, risk.marks)]


def _shock(shock: Shock) -> Data:
    return {
        "coin": "all" if shock.coin is None else shock.coin,
        "move": plain(shock.fraction),
        "margin_ratio": plain(shock.margin_ratio),
        "liquidated_at": plain(shock.liquidated_at),
    }


def print_supposed(before: Mapping[str, object], after: Mapping[str, object]) -> None:
    """Both reports side by side, pool by pool, to stdout."""
    console = terminal()
    pairs = zip(_pools(before), _pools(after), strict=True)
    for old, new in pairs:
        console.print(_compared(old, new))
        end = new.get("liquidated_after")
        if end is not None:
            part = Decimal(str(end)) * 100
            said = "before any price moves" if not part else f"after {part:.3g} % of the move"
            console.print(plain_text(f"{new['id']}: liquidated {said}"))
    if not _pools(after):
        console.print(plain_text("no pools"))


def print_shocks(found: Mapping[str, object]) -> None:
    """The shocks of a report, one table for each pool that any price moves, to stdout."""
    console = terminal()
    for pool in _pools(found):
        table = _shock_table(pool)
        if table is not None:
            console.print(table)


def _pools(found: Mapping[str, object]) -> list[dict[str, object]]:
    return [pool for account in rows(found, "accounts") for pool in rows(account, "pools")]


def _compared(old: Mapping[str, object], new: Mapping[str, object]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(plain_text(str(new["id"])), no_wrap=True)
    for heading in ("before", "after"):
        table.add_column(heading, justify="right", no_wrap=True)
    was, now = dict(_figures(old)), dict(_figures(new))
    for name in dict.fromkeys((*was, *now)):
        cells = was.get(name, "closed" if name in now else ""), now.get(name, "closed")
        table.add_row(plain_text(name), plain_text(cells[0]), plain_text(cells[1]))
    return table


def _figures(pool: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    unit = str(pool["unit"])
    yield "margin ratio", percent(pool["margin_ratio"], sign=False)
    yield "margin balance", money(pool["margin_balance"], unit)
    yield "maintenance margin", money(pool["maintenance_margin"], unit)
    yield "rung", "" if pool["rung"] == "none" else str(pool["rung"])
    yield "adverse move", percent(pool["adverse_move"])
    for held in rows(pool, "positions"):
        name = f"{held['exchange_symbol']} {held['side']}"
        yield f"{name}, contracts", str(held["contracts"])
        yield f"{name}, mark", _price(held["mark_price"])
        yield f"{name}, liquidation", _price(held["liquidation_price"])


def _price(value: object) -> str:
    return "no price does" if value is None else f"{Decimal(str(value)):.7g}"


def _shock_table(pool: Mapping[str, object]) -> Table | None:
    """One row a coin, one column a move; None where no price moves the pool."""
    found: dict[str, dict[str, str]] = {}
    for shock in rows(pool, "shocks"):
        found.setdefault(str(shock["coin"]), {})[percent(shock["move"])] = _outcome(shock)
    if not found:
        return None
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(plain_text(str(pool["id"])), no_wrap=True)
    for move in next(iter(found.values())):
        table.add_column(move, justify="right", no_wrap=True)
    for coin, outcomes in found.items():
        table.add_row(plain_text(coin), *(plain_text(text) for text in outcomes.values()))
    return table


def _outcome(shock: Mapping[str, object]) -> str:
    if shock["liquidated_at"] is not None:
        return f"liquidated at {percent(shock['liquidated_at'])}"
    return percent(shock["margin_ratio"], sign=False)
