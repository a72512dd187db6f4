"""
What the replies say of a Bybit account: one `Account` of wire rows.

Knows what the answers must hold to be believed; applies no margin rule.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from monitor.errors import Malformed
from monitor.exchanges.bybit import calls
from monitor.exchanges.bybit.envelope import listing
from monitor.exchanges.bybit.lists import (
    by_list,
    list_of,
    lists_of,
    options_of,
    unread_of,
    wallet_of,
)
from monitor.exchanges.bybit.modes import Mode, mode_of, words_of
from monitor.exchanges.bybit.stops import OpenOrders, read_orders
from monitor.exchanges.bybit.unread import of_leg

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monitor.exchanges.bybit.rows import Coin, Held, Option, Totals
    from monitor.exchanges.bybit.unread import Unread
    from monitor.exchanges.call import Replies


# When a frame told a leg, and where its row stands among those of its symbol.
Stamp = tuple[datetime, int | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """
    What private frames have told since the reading: per coin, leg and order the latest one.

    Kept of closed legs and orders too, so that a frame which comes late brings none of them back.
    """

    coins: Mapping[str, datetime] = field(default_factory=dict)
    legs: Mapping[tuple[str, int], Stamp] = field(default_factory=dict)
    orders: Mapping[str, datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """
    A unified account 2.0, as Bybit told it.

    `totals`, `anchor_coins` and `anchor_held` are those of the REST reading that everything
    else is anchored on; `is_anchored` is False once a private frame has changed something
    since. `totals` are None in isolated margin, where they mean nothing. `held` are linear and
    inverse legs. `wallet_at` and `positions_at` say up to when the rows of the REST reading
    hold, `heard` which frames have changed them since. `replies` keep the tables; `words` are
    the mode's for people. `unread` are legs of isolated margin that can't be read.
    """

    name: str
    mode: Mode
    words: str
    replies: Replies
    totals: Totals | None
    anchor_coins: tuple[Coin, ...]
    anchor_held: tuple[Held, ...]
    anchor_options: tuple[Option, ...]
    coins: tuple[Coin, ...]
    wallet_at: datetime
    held: tuple[Held, ...]
    positions_at: datetime
    options: tuple[Option, ...]
    orders: OpenOrders
    unread: tuple[Unread, ...] = ()
    is_anchored: bool = True
    heard: Heard = Heard()


def read_account(name: str, replies: Replies) -> Account:
    """
    The account that the replies tell of.

    Raises:
        MissingReply: If a fixed list is not there.
        Malformed: If a reply can't be read, lacks what its margin mode has, or the wallet
            holds margin for positions and the list of them is empty: an empty list is believed
            only if the wallet agrees.
        Unmodelled: If the account is no unified account 2.0.
    """
    mode = mode_of(replies)
    totals, coins, at = wallet_of(replies)
    held, options = by_list(replies), options_of(replies)
    legs = tuple(leg for mine in held.values() for leg in mine)
    unread = unread_of(replies)
    if mode is Mode.ISOLATED:
        legs, apart = _whole_legs(legs)
        unread += apart
    _check_mode(mode, totals, coins, legs)
    settles = {leg.settle for leg in legs} | {option.settle for option in options}
    settles |= {each.settle for each in unread}
    _check_whole(coins, settles)
    lists = lists_of(replies).values()
    return Account(
        name=name,
        mode=mode,
        words=words_of(replies, mode),
        replies=replies,
        totals=None if mode is Mode.ISOLATED else totals,
        anchor_coins=coins,
        anchor_held=legs,
        anchor_options=options,
        coins=coins,
        wallet_at=at,
        held=legs,
        positions_at=min((listing(replies, c).at for c in lists if replies.has(c)), default=at),
        options=options,
        orders=read_orders(replies),
        unread=unread,
    )


def _whole_legs(legs: tuple[Held, ...]) -> tuple[tuple[Held, ...], tuple[Unread, ...]]:
    """
    The legs that have all that a leg has, and the others.

    Where none has, that is of another margin mode: they are left as they are.
    """
    lacking = {leg.key: why for leg in legs if (why := _without_margins((leg,))) is not None}
    if len(lacking) == len(legs):
        return legs, ()
    return (
        tuple(leg for leg in legs if leg.key not in lacking),
        tuple(of_leg(leg, lacking[leg.key]) for leg in legs if leg.key in lacking),
    )


def _check_mode(
    mode: Mode, totals: Totals | None, coins: tuple[Coin, ...], legs: tuple[Held, ...]
) -> None:
    because = of_another_mode(mode, totals, coins, legs)
    if because is not None:
        raise because


def of_another_mode(
    mode: Mode, totals: Totals | None, coins: tuple[Coin, ...], legs: tuple[Held, ...]
) -> Malformed | None:
    """What the rows lack of what this margin mode has; None where they are of this mode."""
    if mode is Mode.ISOLATED:
        return _without_margins(legs)
    if totals is None:
        return Malformed(
            "result.list[0].totalMarginBalance", "a number", "nothing", call=calls.WALLET.request
        )
    if mode is Mode.PORTFOLIO:
        return None
    for coin in coins:
        told = {
            "totalPositionMM": coin.position_mm,
            "totalPositionIM": coin.position_im,
            "totalOrderIM": coin.order_im,
        }
        for key, margin in told.items():
            if margin is None:
                return Malformed(
                    "result.list[0].coin",
                    f"{key} of {coin.coin}",
                    "nothing",
                    call=calls.WALLET.request,
                )
    return _without_margins(legs)


def _without_margins(legs: tuple[Held, ...]) -> Malformed | None:
    for leg in legs:
        told = {
            "leverage": leg.leverage,
            "positionIM": leg.initial_margin,
            "positionMM": leg.maintenance_margin,
        }
        for key, figure in told.items():
            if figure is None:
                return Malformed(
                    "result.list",
                    f"{key} of {leg.symbol}",
                    "nothing",
                    call=list_of(leg.settle).request,
                )
    return None


def _check_whole(coins: tuple[Coin, ...], settles: set[str]) -> None:
    """Raises Malformed where the wallet holds margin or PnL of positions that no list names."""
    for coin in coins:
        # Options may be held without their list, which is optional.
        if coin.coin in settles or coin.option_value:
            continue
        # In isolated and portfolio margin the wallet may leave the margins empty.
        told = {"maintenance margin": coin.position_mm, "unrealized PnL": coin.unrealised_pnl}
        for name, amount in told.items():
            if amount:
                raise Malformed(
                    "result.list",
                    f"the positions whose {name} the wallet gives as {amount} {coin.coin}",
                    "an empty list",
                    call=list_of(coin.coin).request,
                )
