"""
Whether the wallet and the positions are of one moment: they come in answers of their own.

In between, marks move (a little), trades change both (much), and the account may be switched to
another margin mode. A drift of marks does no harm: the pool is built on wallet balances and on
the marks of the positions' own rows. A trade or a switch in between does, so such replies are
to be read again before they are believed.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from monitor.exchanges.bybit import calls
from monitor.exchanges.bybit.account import of_another_mode
from monitor.exchanges.bybit.lists import by_list, options_of, wallet_of
from monitor.exchanges.bybit.modes import Mode, mode_of, refusal
from monitor.risk.model import ZERO

if TYPE_CHECKING:
    from monitor.exchanges.bybit.rows import Coin, Held
    from monitor.exchanges.call import Replies

# Of gross notional: what unrealized PnL may differ by through the drift of marks alone.
MOST_DRIFT = Decimal("0.002")
# Of maintenance margin: five times what such a drift of the marks makes of it.
MOST_MARGIN_DRIFT = Decimal("0.01")
_DIGITS = Decimal("0.000001")


def torn(replies: Replies) -> str | None:
    """
    Why the replies can't be of one moment, None where they may be.

    Raises:
        MissingReply, Malformed: As reading the account does.
    """
    if not replies.has(calls.INFO) or refusal(replies) is not None:
        return None
    mode, (totals, coins, _) = mode_of(replies), wallet_of(replies)
    legs = tuple(leg for mine in by_list(replies).values() for leg in mine)
    if of_another_mode(mode, totals, coins, legs) is not None:
        return "the account's margin mode and its figures are not of one moment"
    if mode is Mode.ISOLATED:
        return None
    optional = {option.settle for option in options_of(replies)}
    for coin in coins:
        mine = tuple(leg for leg in legs if leg.settle == coin.coin)
        because = _profit(coin, mine)
        if because is None and coin.coin not in optional:
            because = _margin(coin, mine)
        if because is not None:
            return f"the wallet and the positions are not of one moment: {because}"
    return None


def _profit(coin: Coin, legs: tuple[Held, ...]) -> str | None:
    profit = sum((leg.unrealised_pnl for leg in legs), ZERO)
    gross = sum((leg.value_at(leg.mark or leg.entry_price) for leg in legs), ZERO)
    if abs(profit - coin.unrealised_pnl) > MOST_DRIFT * gross + _DIGITS:
        return f"unrealized PnL of {coin.unrealised_pnl} and {profit} {coin.coin}"
    return None


def _margin(coin: Coin, legs: tuple[Held, ...]) -> str | None:
    margin = sum((leg.maintenance_margin or ZERO for leg in legs), ZERO)
    # How the wallet counts the locked part of a hedge is not published; options have no rows here.
    is_hedged = len({leg.symbol for leg in legs}) < len(legs)
    if is_hedged or coin.option_value or coin.position_mm is None:
        return None
    if abs(margin - coin.position_mm) > MOST_MARGIN_DRIFT * abs(margin) + _DIGITS:
        return f"maintenance margin of {coin.position_mm} and {margin} {coin.coin}"
    return None
