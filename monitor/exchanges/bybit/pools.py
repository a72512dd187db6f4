"""
Bybit's margin rules for a unified account in cross margin: rows → one pool, and what Bybit says.

The whole account is one pool in USD. Its balance is every coin's wallet plus unrealized PnL,
after the coin's tiered ratio, at the coin's USD index; its requirement is every position's
tiered margin at mark plus the fee to close. Three things can't be modelled from outside and are
taken over from Bybit until the next reading: what open spot orders would lose and what worse
prices of open orders cost (`other_balance`), and the margins of open orders.

Source: Bybit glossary «Unified Trading Account», 2026-03-13; «Initial / Maintenance Margin
Calculation (USDT Contract)», 2025-09-18; docs «Get Wallet Balance», read 2026-07.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.errors import Malformed
from monitor.exchanges.bybit.collateral import anchor_of, collateral_of
from monitor.exchanges.bybit.instruments import instrument_of
from monitor.exchanges.bybit.legs import leg_of, mark_of
from monitor.exchanges.bybit.reported import anchored_remainders, reported
from monitor.exchanges.bybit.unmodelled import refuse_unmodelled
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
    from monitor.exchanges.bybit.rows import Coin

UNIT = "USD"
POOL = "unified"
WALLET = "Unified Trading Account"
MODE = "unified, cross"


def snapshot_of(account: Account, at: datetime) -> AccountSnapshot:
    """
    The account's one pool by the published rules, and what Bybit itself says of it.

    Raises:
        Unmodelled: If the account holds what the rules don't cover; it is named.
        MissingReply: If a table of a held symbol or coin is not there.
        Malformed: If one can't be read.
    """
    refuse_unmodelled(account)
    legs = tuple(leg_of(account, held) for held in account.held)
    coins = _coins_of(account, legs)
    anchors = _anchors(account, coins)
    pool = _pool(account, legs, coins, anchors)
    held = {leg.instrument.symbol for leg in legs}
    floating = [anchor for anchor in anchors.values() if anchor is not None]
    return AccountSnapshot(
        account=account.name,
        exchange="bybit",
        at=at,
        mode=MODE,
        pools=(pool,),
        reported={pool.id: reported(account, legs, at)} if account.is_anchored else {},
        marks={anchor.symbol: anchor.mark for anchor in floating}
        | {leg.instrument.symbol: leg.mark for leg in legs},
        followed=tuple(
            anchor.instrument
            for anchor in floating
            if anchor.instrument is not None and anchor.symbol not in held
        ),
    )


def _pool(
    account: Account,
    legs: tuple[Leg, ...],
    coins: tuple[Coin, ...],
    anchors: dict[str, Anchor | None],
) -> MarginPool:
    remainders = anchored_remainders(account)
    prices = {coin.coin: coin.price for coin in coins}
    other_initial = remainders.initial + sum(
        (leg.initial_gap * prices[leg.instrument.settle] for leg in legs), ZERO
    )
    taken_over = (remainders.balance, remainders.maintenance, other_initial)
    partly = any(taken_over) or any(leg.is_anchored for leg in legs)
    return MarginPool(
        id=PoolId(account=account.name, name=POOL),
        unit=UNIT,
        margin_mode=MarginMode.CROSS,
        collateral=tuple(
            collateral_of(account.replies, coin, anchors[coin.coin]) for coin in coins
        ),
        positions=tuple(leg.position for leg in legs),
        top_up_asset=_top_up_asset(legs, coins),
        wallet=WALLET,
        other_balance=remainders.balance,
        other_maintenance=remainders.maintenance,
        other_initial=other_initial,
        basis=Basis.PARTLY if partly else Basis.MODELLED,
    )


def _anchors(account: Account, coins: tuple[Coin, ...]) -> dict[str, Anchor | None]:
    """What each coin's price goes by; marks and prices are both those of the REST reading."""
    held = {}
    for row in account.anchor_held:
        instrument = instrument_of(account.replies, row.symbol)
        held[instrument.symbol] = (instrument, mark_of(account, row))
    return {c.coin: anchor_of(account.replies, c, held, account.wallet_at) for c in coins}


def _coins_of(account: Account, legs: tuple[Leg, ...]) -> tuple[Coin, ...]:
    """
    Every coin that there is some of, and every coin that a position settles in.

    Raises:
        Malformed: If a settle coin has no row, or no index to turn its margins into USD.
    """
    settles = {leg.instrument.settle for leg in legs}
    coins = tuple(c for c in account.coins if not c.is_empty or c.coin in settles)
    for settle in settles:
        rows = [coin for coin in coins if coin.coin == settle]
        if not rows:
            raise Malformed("result.list[0].coin", f"a row of {settle}", "none")
        if rows[0].price <= ZERO:
            raise Malformed(
                "result.list[0].coin",
                f"a USD value of {settle}, in which positions settle",
                str(rows[0].usd_value),
            )
    return coins


def _top_up_asset(legs: tuple[Leg, ...], coins: tuple[Coin, ...]) -> str:
    """The settle coin of most margin, else USDT, else the coin of most value."""
    needs: dict[str, Decimal] = {}
    for leg in legs:
        settle = leg.instrument.settle
        needs[settle] = needs.get(settle, ZERO) + leg.held.initial_margin
    if needs:
        return max(needs, key=lambda coin: needs[coin])
    names = [coin.coin for coin in sorted(coins, key=lambda coin: -coin.usd_value)]
    return names[0] if names and "USDT" not in names else "USDT"
