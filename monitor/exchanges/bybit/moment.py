"""
Whether the wallet and the positions are of one moment: they come in answers of their own.

In between, marks move (a little) and trades change both (much). A drift of marks does no harm:
the pool is built on wallet balances and on the marks of the positions' own rows. A trade in
between does, so such a pair is to be read again before it is believed.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from monitor.exchanges.bybit import calls
from monitor.exchanges.bybit.account import by_settle, refusal, wallet_of
from monitor.risk.model import ZERO

if TYPE_CHECKING:
    from monitor.exchanges.bybit.rows import Coin, Held
    from monitor.exchanges.port import Replies

# Of gross notional: what unrealized PnL may differ by through the drift of marks alone.
MOST_DRIFT = Decimal("0.002")
# Of maintenance margin: five times what such a drift of the marks makes of it.
_MOST_MARGIN_DRIFT = Decimal("0.01")
_DIGITS = Decimal("0.000001")


def torn(replies: Replies) -> str | None:
    """
    Why the wallet and the positions can't be of one moment, None where they may be.

    Raises:
        MissingReply, Malformed: As reading the account does.
    """
    if not replies.has(calls.INFO) or refusal(replies) is not None:
        return None
    _, coins, _ = wallet_of(replies)
    held = by_settle(replies)
    for coin in coins:
        because = _difference(coin, held[coin.coin]) if coin.coin in held else None
        if because is not None:
            return f"the wallet and the positions are not of one moment: {because}"
    return None


def _difference(coin: Coin, legs: tuple[Held, ...]) -> str | None:
    profit = sum((leg.unrealised_pnl for leg in legs), ZERO)
    gross = sum((leg.size * (leg.mark or leg.entry_price) for leg in legs), ZERO)
    if abs(profit - coin.unrealised_pnl) > MOST_DRIFT * gross + _DIGITS:
        return f"unrealized PnL of {coin.unrealised_pnl} and {profit} {coin.coin}"
    margin = sum((leg.maintenance_margin for leg in legs), ZERO)
    # How the wallet counts the locked part of a hedge is not published.
    is_hedged = len({leg.symbol for leg in legs}) < len(legs)
    if not is_hedged and abs(margin - coin.position_mm) > _MOST_MARGIN_DRIFT * margin + _DIGITS:
        return f"maintenance margin of {coin.position_mm} and {margin} {coin.coin}"
    return None
