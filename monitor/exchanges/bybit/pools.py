"""
Bybit's margin rules for a unified account: rows → pools, and what Bybit says of each.

In cross margin the whole account is one pool in USD. Its balance is every coin's wallet less
what was borrowed plus unrealized PnL, after the coin's tiered ratio, at the coin's USD index;
its requirement is every position's tiered margin at mark plus the fee to close, and the margin
of every debt. Open orders, options and the locked part of a hedge are taken over by name.

In portfolio margin it is one pool too, but the requirement is a stress test that only Bybit can
make: it is taken over whole, and options count in the balance. In isolated margin each position
is a pool (`isolated`), and the rest of the wallet lies free.

Source: Bybit glossary «Unified Trading Account», 2026-03-13; «Initial / Maintenance Margin
Calculation (USDT Contract)», 2025-09-18; docs «Get Wallet Balance», read 2026-07.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.errors import Malformed
from monitor.exchanges.bybit import calls, cash
from monitor.exchanges.bybit.collateral import anchor_of, collateral_of, untold_debts
from monitor.exchanges.bybit.envelope import priced_at_named
from monitor.exchanges.bybit.index import priced
from monitor.exchanges.bybit.isolated import isolated_pools
from monitor.exchanges.bybit.isolated import reported as reported_of_one
from monitor.exchanges.bybit.legs import contract_of, leg_of, mark_of
from monitor.exchanges.bybit.modes import Mode
from monitor.exchanges.bybit.news import news_of
from monitor.exchanges.bybit.remainders import of_balance, of_margins, of_portfolio
from monitor.exchanges.bybit.reported import reported
from monitor.risk.model import (
    ZERO,
    AccountSnapshot,
    Basis,
    MarginMode,
    MarginPool,
    PoolId,
)

if TYPE_CHECKING:
    from datetime import datetime
    from decimal import Decimal

    from monitor.exchanges.bybit.account import Account
    from monitor.exchanges.bybit.collateral import Anchor
    from monitor.exchanges.bybit.legs import Leg
    from monitor.exchanges.bybit.remainders import Remainders
    from monitor.exchanges.bybit.rows import Coin, Totals
    from monitor.risk.model import Collateral

UNIT = "USD"
POOL = "unified"
WALLET = "Unified Trading Account"


def snapshot_of(account: Account, at: datetime) -> AccountSnapshot:
    """
    The account's pools by the published rules, and what Bybit itself says of each.

    Raises:
        MissingReply: If a table of a held symbol or coin is not there.
        Malformed: If one can't be read.
        Unmodelled: If a contract is of a kind that is not known.
    """
    if account.totals is None:
        return _isolated(account, at)
    return _unified(account, account.totals, at)


def _isolated(account: Account, at: datetime) -> AccountSnapshot:
    found, unread = isolated_pools(account)
    if unread and not found:
        raise unread[0].error
    said = {it.pool.id: reported_of_one(it.leg, it.margin, at) for it in found}
    bound = {it.leg.held.key: it.margin.amount for it in found}
    return AccountSnapshot(
        account=account.name,
        exchange="bybit",
        at=at,
        mode=account.words,
        pools=tuple(it.pool for it in found),
        reported=said if account.is_anchored else {},
        marks={it.leg.instrument.symbol: it.leg.mark for it in found},
        funding=cash.funding(account),
        free=cash.free(account, bound, {each.settle for each in unread}),
        bookings=cash.bookings(account.replies),
        news=news_of(account),
        unread={PoolId(account=account.name, name=each.pool_name): each.because for each in unread},
    )


def _unified(account: Account, totals: Totals, at: datetime) -> AccountSnapshot:
    legs = tuple(leg_of(account, held) for held in account.held)
    coins = _coins_of(account, legs)
    anchors = _anchors(account, coins)
    pool = _pool(account, totals, legs, coins, anchors)
    held = {leg.instrument.symbol for leg in legs}
    floating = [anchor for anchor in anchors.values() if anchor is not None]
    prices = {coin.coin: coin.price for coin in coins}
    said = {pool.id: reported(account, totals, legs, prices, at)} if account.is_anchored else {}
    return AccountSnapshot(
        account=account.name,
        exchange="bybit",
        at=at,
        mode=account.words,
        pools=(pool,),
        reported=said,
        marks={anchor.symbol: anchor.mark for anchor in floating}
        | {leg.instrument.symbol: leg.mark for leg in legs},
        followed=tuple(
            anchor.instrument
            for anchor in floating
            if anchor.instrument is not None and anchor.symbol not in held
        ),
        funding=cash.funding(account),
        free=cash.free(account),
        bookings=cash.bookings(account.replies),
        news=news_of(account),
    )


def _pool(
    account: Account,
    totals: Totals,
    legs: tuple[Leg, ...],
    coins: tuple[Coin, ...],
    anchors: dict[str, Anchor | None],
) -> MarginPool:
    is_portfolio = account.mode is Mode.PORTFOLIO
    settles = {leg.instrument.settle for leg in legs}
    collateral = tuple(
        collateral_of(
            account.replies,
            coin,
            anchors[coin.coin],
            debts=not is_portfolio,
            options=is_portfolio,
            settles=coin.coin in settles,
        )
        for coin in coins
    )
    taken = _taken_over(account, totals, collateral)
    prices = {coin.coin: coin.price for coin in coins}
    gaps = sum((leg.initial_gap * prices[leg.instrument.settle] for leg in legs), ZERO)
    # Both legs of a hedge say the same.
    carried = taken.words + tuple(dict.fromkeys(word for leg in legs for word in leg.carried))
    untold = () if is_portfolio else untold_debts(account.replies, coins, settles)
    return MarginPool(
        id=PoolId(account=account.name, name=POOL),
        unit=UNIT,
        margin_mode=MarginMode.CROSS,
        collateral=collateral,
        positions=tuple(leg.position for leg in legs),
        top_up_asset=_top_up_asset(legs, coins),
        wallet=WALLET,
        other_balance=taken.balance,
        other_maintenance=taken.maintenance,
        other_initial=taken.initial + gaps,
        basis=Basis.REPORTED if is_portfolio else Basis.PARTLY if carried else Basis.MODELLED,
        carried=carried + untold,
    )


def _taken_over(account: Account, totals: Totals, collateral: tuple[Collateral, ...]) -> Remainders:
    if account.mode is Mode.PORTFOLIO:
        return of_portfolio(account, totals) + of_balance(account, totals)
    return of_margins(account, totals, collateral) + of_balance(account, totals)


def _anchors(account: Account, coins: tuple[Coin, ...]) -> dict[str, Anchor | None]:
    """What each coin's price goes by; marks and prices are both those of the REST reading."""
    held = {}
    for row in account.anchor_held:
        instrument, _ = contract_of(account, row)
        held[instrument.symbol] = (instrument, mark_of(account, row))
    at = priced_at_named(account.replies.get(calls.WALLET))
    return {c.coin: anchor_of(account.replies, c, held, at) for c in coins}


def _coins_of(account: Account, legs: tuple[Leg, ...]) -> tuple[Coin, ...]:
    """
    Every coin that there is some of, and every coin that a position settles in, at its index.

    Raises:
        Malformed: If a settle coin has no row, or no index to turn its margins into USD.
    """
    settles = {leg.instrument.settle for leg in legs}
    coins = tuple(
        priced(account.replies, c) for c in account.coins if not c.is_empty or c.coin in settles
    )
    for settle in settles:
        rows = [coin for coin in coins if coin.coin == settle]
        if not rows:
            raise Malformed(
                "result.list[0].coin", f"a row of {settle}", "none", call=calls.WALLET.request
            )
        if rows[0].price <= ZERO:
            raise Malformed(
                "result.list[0].coin",
                f"a USD value of {settle}, in which positions settle",
                str(rows[0].usd_value),
                call=calls.WALLET.request,
            )
    return coins


def _top_up_asset(legs: tuple[Leg, ...], coins: tuple[Coin, ...]) -> str:
    """The settle coin of most value held, else USDT, else the coin of most value."""
    prices = {coin.coin: coin.price for coin in coins}
    needs: dict[str, Decimal] = {}
    for leg in legs:
        settle = leg.instrument.settle
        needs[settle] = needs.get(settle, ZERO) + leg.notional * prices[settle]
    if needs:
        return max(needs, key=lambda coin: needs[coin])
    names = [coin.coin for coin in sorted(coins, key=lambda coin: -coin.usd_value)]
    return names[0] if names and "USDT" not in names else "USDT"
