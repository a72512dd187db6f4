"""
Which calls read a Bybit account, and what their replies say of it: one `Account` of wire rows.

Knows what must be asked and what the answers must hold to be believed; applies no margin rule.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from monitor.errors import ExchangeError, Malformed, Unmodelled
from monitor.exchanges.bybit import calls
from monitor.exchanges.bybit.collateral import asked_for_coin
from monitor.exchanges.bybit.envelope import answered_at_named, listing, naming, result_of
from monitor.exchanges.bybit.rows import is_held, read_coin, read_held, read_totals
from monitor.exchanges.bybit.stops import OpenOrders, read_orders
from monitor.risk.model import ZERO

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from monitor.exchanges.bybit.rows import Coin, Held, Totals
    from monitor.exchanges.port import Replies, RestCall

_CROSS = "REGULAR_MARGIN"
_LINEAR = "linear"
_OTHER_MODES = {
    "ISOLATED_MARGIN": "isolated margin",
    "PORTFOLIO_MARGIN": "portfolio margin",
}
_UNIFIED_2 = (5, 6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """
    A unified account in cross margin, as Bybit told it.

    `totals`, `anchor_coins` and `anchor_held` are those of the REST reading that everything
    else is anchored on; `is_anchored` is False once a private frame has changed something
    since. `held` are linear legs, `foreign` those of categories that are not modelled.
    `wallet_at` and `positions_at` say up to when the rows hold. `replies` keep the tables.
    """

    name: str
    replies: Replies
    totals: Totals
    anchor_coins: tuple[Coin, ...]
    anchor_held: tuple[Held, ...]
    coins: tuple[Coin, ...]
    wallet_at: datetime
    held: tuple[Held, ...]
    positions_at: datetime
    foreign: tuple[Held, ...]
    orders: OpenOrders
    is_anchored: bool = True


def needed(replies: Replies) -> tuple[RestCall, ...]:
    """
    The calls still wanted: fixed lists first, then pages, tables, marks and stops.

    An account of a kind that is not modelled wants nothing more once its mode is known.

    Raises:
        Malformed: If a reply that says what else to ask for can't be read.
    """
    if replies.has(calls.INFO) and refusal(replies) is not None:
        return ()
    first = (calls.INFO, calls.WALLET, *_linear_lists(replies).values())
    wanted = [call for call in first if not replies.has(call)]
    wanted += [call for call in calls.UNMODELLED if not replies.has(call)]
    if not any(call in first and not call.optional for call in wanted):
        wanted += _asked_by(replies)
    return tuple(dict.fromkeys([*wanted, *_further_pages(replies, first)]))


def _linear_lists(replies: Replies) -> dict[str, RestCall]:
    """
    The list of positions of each settle coin.

    Optional where the wallet says that no position settles in the coin: it names them all.
    """
    lists = dict(calls.LINEAR)
    if replies.has(calls.WALLET):
        margins = {coin.coin: coin.position_mm for coin in wallet_of(replies)[1]}
        for settle, call in lists.items():
            lists[settle] = replace(call, optional=not margins.get(settle, ZERO))
    return lists


def _further_pages(replies: Replies, lists: Iterable[RestCall]) -> list[RestCall]:
    paged = [call for call in (*lists, *calls.UNMODELLED) if call.path == calls.LINEAR["USDT"].path]
    pages = (listing(replies, call).more for call in paged if replies.has(call))
    return [page for page in pages if page is not None]


def _more(replies: Replies, call: RestCall) -> RestCall | None:
    """The next page of a list that is there, None where it ends, or where nobody depends on it."""
    try:
        return listing(replies, call).more
    except ExchangeError:
        if call.optional:
            return None
        raise


def _asked_by(replies: Replies) -> list[RestCall]:
    """What the held symbols and the coins of the wallet ask for, as far as it is not there."""
    held = by_settle(replies)
    asked: list[RestCall] = []
    for settle, legs in held.items():
        for leg in legs:
            asked += [make(leg.symbol) for make in (calls.instrument, calls.risk_limit)]
            asked.append(calls.fee_rate(leg.symbol))
            if leg.mark is None:
                asked.append(calls.ticker(leg.symbol))
        if legs:
            asked.append(calls.orders(settle))
    _, coins, _ = wallet_of(replies)
    symbols = frozenset(leg.symbol for legs in held.values() for leg in legs)
    for coin in coins:
        asked += asked_for_coin(replies, coin, symbols)
    return [call for ask in asked if (call := _open(replies, ask)) is not None]


def _open(replies: Replies, call: RestCall) -> RestCall | None:
    """The call itself, its next page, or None where all of it is there."""
    return _more(replies, call) if replies.has(call) else call


def read_account(name: str, replies: Replies) -> Account:
    """
    The account that the replies tell of.

    Raises:
        MissingReply: If a fixed list is not there.
        Malformed: If a reply can't be read, or the wallet holds margin for linear positions
            and the list of them is empty: an empty list is believed only if the wallet agrees.
        Unmodelled: If the account is no unified 2.0 account in cross margin, or the wallet
            tells of holdings that no list names.
    """
    replies.get(calls.INFO)
    because = refusal(replies)
    if because is not None:
        raise because
    totals, coins, at = wallet_of(replies)
    held, foreign = by_settle(replies), _foreign(replies)
    if not foreign:
        _check_whole(coins, held)
    legs = tuple(leg for mine in held.values() for leg in mine)
    return Account(
        name=name,
        replies=replies,
        totals=totals,
        anchor_coins=coins,
        anchor_held=legs,
        coins=coins,
        wallet_at=at,
        held=legs,
        positions_at=max(
            (listing(replies, c).at for c in calls.LINEAR.values() if replies.has(c)), default=at
        ),
        foreign=foreign,
        orders=read_orders(replies),
    )


def refusal(replies: Replies) -> Unmodelled | None:
    """Why the account's very kind is not modelled, None where it is."""
    reply = replies.get(calls.INFO)
    with naming(reply.request):
        row = result_of(reply)
        status, mode = row.integer("unifiedMarginStatus"), row.text("marginMode")
    if status not in _UNIFIED_2:
        return Unmodelled(
            f"this is no unified trading account 2.0 (unifiedMarginStatus {status}): "
            "upgrade the account at Bybit to have it watched",
            whole_account=True,
        )
    if mode != _CROSS:
        words = _OTHER_MODES.get(mode, "a margin mode")
        return Unmodelled(
            f"the account is in {words} ({mode}), which is not watched yet: "
            "switch it to cross margin (REGULAR_MARGIN) to have it watched",
            whole_account=True,
        )
    return None


def wallet_of(replies: Replies) -> tuple[Totals, tuple[Coin, ...], datetime]:
    """The account's totals, its coins, and when Bybit gave them."""
    reply = replies.get(calls.WALLET)
    with naming(reply.request):
        rows = result_of(reply).rows("list")
        unified = [row for row in rows if row.text("accountType") == "UNIFIED"]
        if len(unified) != 1:
            raise Malformed("result.list", "one UNIFIED account", str(len(unified)))
        coins = tuple(read_coin(row) for row in unified[0].rows("coin"))
        totals = read_totals(unified[0])
        if not coins and (totals.margin_balance or totals.maintenance_margin):
            raise Malformed(unified[0].at("coin"), "the coins of the margin balance", "none")
        return totals, coins, answered_at_named(reply)


def by_settle(replies: Replies) -> dict[str, tuple[Held, ...]]:
    """
    The linear legs held, by the coin that they settle in.

    A reply to a query without a settle coin holds them all: each list takes its own.
    """
    found: dict[str, tuple[Held, ...]] = {}
    for settle, call in _linear_lists(replies).items():
        legs = _legs(replies, call, _LINEAR) if replies.has(call) or not call.optional else ()
        found[settle] = tuple(leg for leg in legs if _settle_of(leg.symbol) == settle)
    return found


def _settle_of(symbol: str) -> str:
    """SOLUSDT and BTCUSDT-26DEC25 settle in USDT, BTCPERP and BTC-26DEC25 in USDC."""
    return "USDT" if "USDT" in symbol else "USDC"


def _foreign(replies: Replies) -> tuple[Held, ...]:
    lists = [call for call in calls.UNMODELLED if replies.has(call)]
    return tuple(
        leg for call in lists for leg in _legs(replies, call, dict(call.query)["category"])
    )


def _legs(replies: Replies, call: RestCall, category: str) -> tuple[Held, ...]:
    with naming(call.request):
        found = listing(replies, call)
        held = [row for row in found.rows if is_held(row)]
        return tuple(read_held(row, category, found.at) for row in held)


def _check_whole(coins: tuple[Coin, ...], held: dict[str, tuple[Held, ...]]) -> None:
    for coin in coins:
        if coin.position_mm == ZERO or held.get(coin.coin):
            continue
        if coin.coin in held:
            raise Malformed(
                "result.list",
                f"the positions whose maintenance margin the wallet gives as {coin.position_mm} "
                f"{coin.coin}",
                "an empty list",
                call=calls.LINEAR[coin.coin].request,
            )
        raise Unmodelled(
            f"the wallet holds maintenance margin of {coin.position_mm} {coin.coin}: a position "
            f"that settles in {coin.coin} (inverse contract or option) is not modelled"
        )
