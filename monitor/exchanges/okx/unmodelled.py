"""
What an OKX account may be or hold that the rules here don't cover: named, never left out.

Knows the limits of the model; must not know how to figure what lies inside them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.errors import Unmodelled
from monitor.exchanges.okx.errors import NAME
from monitor.exchanges.okx.rows import SWAP, Mode
from monitor.risk.model import ZERO

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitor.exchanges.okx.book import Book
    from monitor.exchanges.okx.rows import Coin, Config

WATCHED = (Mode.FUTURES, Mode.MULTI_CURRENCY)
_KINDS = {
    "MARGIN": "margin trading",
    "FUTURES": "an expiry future",
    "OPTION": "an option",
    "EVENTS": "an event contract",
}
_APART = {
    "stgyEq": "in trading bots",
    "smtSyncEq": "in smart copy trading",
    "spotCopyTradingEq": "in spot copy trading",
    "spotIsoBal": "in isolated spot or copy trading",
    "rewardBal": "of trial funds",
}


def refuse_mode(config: Config) -> None:
    """
    Nothing, for a mode that is watched.

    Raises:
        Unmodelled: For Spot mode and Portfolio margin, with what can be done.
    """
    if config.mode in WATCHED:
        return
    if config.mode is Mode.PORTFOLIO:
        why = "its margins come from stress tests that can't be repeated from outside"
    elif config.borrows:
        why = "spot borrowing is switched on, and borrowings are not modelled"
    else:
        why = "it holds no futures positions and nothing in it can be liquidated"
    raise Unmodelled(
        f"the account is in {config.mode.value}, which is not watched: {why}. Watched are "
        "Futures mode and Multi-currency margin; switch the account's mode, or take it out "
        "of the configuration",
        exchange=NAME,
        whole_account=True,
    )


def refuse_contents(book: Book) -> None:
    """
    Nothing, for an account whose coins and positions are all covered.

    Raises:
        Unmodelled: Naming everything that is not.
    """
    found = [*_positions(book), *_coins(book)]
    if found:
        raise Unmodelled("the account holds " + "; ".join(found), exchange=NAME)


def _positions(book: Book) -> Iterator[str]:
    for row in book.open_positions():
        if row.inst_type != SWAP:
            kind = _KINDS.get(row.inst_type, f"a position of type {row.inst_type}")
            yield f"{row.inst_id} ({kind}), which is not modelled"


def _coins(book: Book) -> Iterator[str]:
    for coin in book.coins.values():
        debts = {name: amount for name, amount in coin.debts.items() if amount != ZERO}
        if debts:
            name, amount = next(iter(debts.items()))
            yield f"a borrowing of {abs(amount)} {coin.ccy} ({name}), which is not modelled"
        elif _owes(coin, book):
            yield (
                f"a negative equity of {coin.equity} {coin.ccy} against other coins, which OKX "
                "treats as a borrowing and which is not modelled"
            )
        for name, amount in coin.apart.items():
            yield f"{amount} {coin.ccy} {_APART[name]} ({name}), which is not modelled"


def _owes(coin: Coin, book: Book) -> bool:
    """
    Whether other coins stand in for this one.

    An account that has nothing left at all is past liquidation whatever a borrowing costs.
    """
    if book.config.mode is not Mode.MULTI_CURRENCY or coin.equity >= ZERO:
        return False
    left = book.totals.adjusted_equity
    return left is None or left > ZERO
