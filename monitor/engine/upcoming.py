"""The next funding of a pool, and how it stands after it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.alerts.facts import NextFunding
from monitor.errors import RiskError
from monitor.risk.evaluate import requirement
from monitor.risk.model import ZERO
from monitor.risk.solve import adverse_move
from monitor.risk.what_if import topped_up

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from decimal import Decimal

    from monitor.risk.cash import Funding
    from monitor.risk.result import PoolRisk


def next_funding(
    risk: PoolRisk, funding: Mapping[str, Funding], at: datetime
) -> NextFunding | None:
    """
    The earliest funding still to come, by rate × notional at these marks; None where none is due.

    A long pays a positive rate, a short gets it. The pool after it is evaluated at the same
    marks.
    """
    due = [
        (funding[symbol], leg)
        for leg in risk.positions
        if (symbol := leg.position.instrument.symbol) in funding and funding[symbol].at > at
    ]
    if not due:
        return None
    first = min(each.at for each, _ in due)
    amounts: dict[str, Decimal] = {}
    for each, leg in due:
        if each.at == first:
            settle = leg.position.instrument.settle
            paid = leg.position.side.sign * each.rate * leg.notional
            amounts[settle] = amounts.get(settle, ZERO) - paid
    if not any(amounts.values()):
        return None
    pool = risk.pool
    try:
        for asset, amount in amounts.items():
            pool = topped_up(pool, asset, amount)
        return NextFunding(
            at=first,
            amounts=tuple(sorted(amounts.items())),
            margin_ratio=requirement(pool, risk.marks).ratio,
            adverse_move=adverse_move(pool, risk.marks),
        )
    except RiskError:
        return None
