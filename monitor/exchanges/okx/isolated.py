"""
Isolated positions, in any account mode: each is a pool of its margin and itself.

A contract's equity is its margin + its unrealized PnL; a margin trade's what it has less what
it owes. Of what can't be figured (an isolated option) OKX's own margin is taken.

Source: OKX help, «Isolated margin mode»; worked through on W1, W5 and W7.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from monitor.errors import ExchangeError, MissingReply
from monitor.exchanges.okx.calls import POSITIONS
from monitor.exchanges.okx.errors import NAME
from monitor.exchanges.okx.parts import Made, assumed, basis_of, named
from monitor.exchanges.okx.products import MARGIN
from monitor.exchanges.okx.remainders import NOTHING
from monitor.exchanges.okx.reported import isolated_reported, row_reported
from monitor.risk.model import ZERO, Basis, Collateral, MarginMode, MarginPool, PoolId

if TYPE_CHECKING:
    from decimal import Decimal

    from monitor.exchanges.okx.book import Book
    from monitor.exchanges.okx.held import Held
    from monitor.exchanges.okx.legs import Leg

ISOLATED = "isolated/"


def isolated_pools(
    account: str, book: Book, legs: tuple[Leg, ...]
) -> tuple[tuple[Made, ...], dict[str, ExchangeError]]:
    """
    A pool for each isolated position.

    Those of which no figure can be given are told by name, with the reason: a frame changed
    one and has not told its margin yet, say.
    """
    opaque = book.opaque_isolated()
    names = _names([*(leg.row for leg in legs), *opaque])
    made = [_told(account, names[row.pos_id], row, book) for row in opaque]
    failed: dict[str, ExchangeError] = {}
    for leg in reversed(legs):
        name = names[leg.row.pos_id]
        try:
            made.insert(0, _figured(account, name, leg, book))
        except ExchangeError as error:
            failed[ISOLATED + name] = error
    return tuple(made), failed


def _names(rows: list[Held]) -> dict[str, str]:
    """
    A name for each row, by its position id: its instrument, and its side in long/short mode.

    Margin trades of one pair may stand side by side: those are told apart by side and coin.
    """
    plain = {row.pos_id: _plain(row) for row in rows}
    several = {name for name, count in Counter(plain.values()).items() if count > 1}
    return {
        row.pos_id: f"{plain[row.pos_id]}/{row.side.value}/{row.ccy}"
        if plain[row.pos_id] in several
        else plain[row.pos_id]
        for row in rows
    }


def _plain(row: Held) -> str:
    return row.inst_id if row.named_side is None else f"{row.inst_id}/{row.named_side.value}"


def _margin(row: Held) -> Decimal:
    if row.margin is None:
        raise MissingReply(
            f"isolated {row.inst_id} changed, and what margin it has now is not told yet",
            exchange=NAME,
            call=POSITIONS.request,
        )
    return row.margin


def _figured(account: str, name: str, leg: Leg, book: Book) -> Made:
    row, margin = leg.row, _margin(leg.row)
    # What a margin trade has holds its margin already, where the two are of one coin.
    inside = row.inst_type == MARGIN and row.ccy == row.assets_ccy
    balance = leg.assets + (ZERO if inside else margin)
    pool = MarginPool(
        id=PoolId(account=account, name=ISOLATED + name),
        unit=row.ccy,
        margin_mode=MarginMode.ISOLATED,
        collateral=(Collateral(asset=row.ccy, balance=balance),),
        positions=(leg.position,),
        top_up_asset=row.ccy,
        wallet=f"margin of the isolated position {name}",
        basis=basis_of(NOTHING, (), (leg,)),
        carried=assumed((leg,)),
    )
    return Made(pool=pool, reported=isolated_reported(leg, book.at))


def _told(account: str, name: str, row: Held, book: Book) -> Made:
    """A position whose requirement is OKX's word, and whose PnL stands still until the next."""
    margin, pnl = row.margin or ZERO, row.pnl or ZERO
    reported = row_reported(row, row.maintenance, book.at)
    told = None if reported is None else reported.maintenance_margin
    pool = MarginPool(
        id=PoolId(account=account, name=ISOLATED + name),
        unit=row.ccy,
        margin_mode=MarginMode.ISOLATED,
        collateral=(Collateral(asset=row.ccy, balance=margin),),
        positions=(),
        top_up_asset=row.ccy,
        wallet=f"margin of the isolated position {name}",
        other_balance=pnl,
        other_maintenance=told or row.maintenance or ZERO,
        basis=Basis.REPORTED,
        carried=named((row,)),
    )
    return Made(pool=pool, reported=reported)
