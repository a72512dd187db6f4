"""
Binance's Multi-Assets Mode: all assets of the USDⓈ-M wallet count together, in USD.

Each asset's cross wallet and the profit settled in it are one sum; what is above 0 counts at
the bid rate of its index, a debt at the ask rate. Maintenance margin is turned into USD at the
ask. Credits mode (asset BNFCR) is read alike: profit settles in credits, a credit is a dollar.

Must not know frames or other account kinds.

Source: Binance «How to Use Multi-Assets Mode», «Multi-Assets Mode Asset Index», read November
2026; credits mode by QuantConnect/Lean #9373 and freqtrade/freqtrade #13328: unverified.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from monitor.errors import Malformed
from monitor.exchanges.binance.account import Product
from monitor.exchanges.binance.contracts import index_instrument
from monitor.exchanges.binance.indexes import CREDIT_ASSET, Rate, floats
from monitor.exchanges.binance.pools import (
    ORDERS_CARRIED,
    WALLETS,
    assumptions,
    build_position,
    pool_assets,
)
from monitor.exchanges.binance.reported import Figures, as_reported, carried
from monitor.risk.model import (
    ONE,
    ZERO,
    Basis,
    Collateral,
    Follow,
    MarginMode,
    MarginPool,
    PoolId,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monitor.exchanges.binance.account import Book
    from monitor.exchanges.binance.indexes import Rates
    from monitor.exchanges.binance.pools import Holding
    from monitor.risk.model import Instrument, Mark, Reported

UNIFIED = "unified"
DOLLAR = "USD"
# What the owner most likely has to add, the likeliest first.
_ADDED = ("USDT", "USDC")
# An index and its two rates have 8 decimals, so has each wallet.
_LAST_DIGIT = Decimal("1e-8")
# So far apart may an index and the totals come that are held against each other: a coin that
# falls by 2 % a minute moves by 7 bp meanwhile, less than what counts as a disagreement.
ONE_MOMENT = timedelta(seconds=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unified:
    """
    The one pool, and what its floating collateral follows.

    `followed` are the indexes of floating coins, `marks` theirs at the reading. `uncounted`
    are assets without an index, in words.
    """

    pool: MarginPool
    rates: Mapping[str, Rate]
    followed: tuple[Instrument, ...]
    marks: Mapping[str, Mark]


def build_unified(account: str, book: Book, holdings: tuple[Holding, ...], rates: Rates) -> Unified:
    """
    The pool of all assets with a balance or a cross position.

    Raises:
        Malformed: If an asset that is owed, or in which a position settles, has no index.
    """
    crossed = tuple(holding for holding in holdings if not holding.is_isolated)
    settled = {holding.asset for holding in crossed}
    found: dict[str, Rate] = {}
    uncounted = []
    for name in _counted_assets(book, crossed):
        rate = rates.of(name) or _credit_rate(name, book)
        if rate is not None:
            found[name] = rate
        elif name in settled or book.assets[name].cross_wallet < ZERO:
            raise Malformed("assetIndex", f"a row for {name}{DOLLAR}", "none")
        else:
            uncounted.append(f"{name}, for which Binance publishes no rate, as worth nothing")
    counted = {name: book.assets[name].cross_wallet for name in found}
    added = _to_add(found, rates, in_credits=CREDIT_ASSET in book.assets)
    found |= added
    order_initial = book.totals.order_initial if book.totals else ZERO
    left_out = (*uncounted, *assumptions(crossed))
    words = ((ORDERS_CARRIED,) if order_initial else ()) + left_out
    pool = MarginPool(
        id=PoolId(account=account, name=UNIFIED),
        unit=DOLLAR,
        margin_mode=MarginMode.CROSS,
        collateral=tuple(
            _collateral(rate, counted.get(rate.asset, ZERO)) for rate in found.values()
        ),
        positions=tuple(build_position(holding) for holding in crossed),
        top_up_asset=next(iter(added), next(iter(found), DOLLAR)),
        wallet=WALLETS[Product.USDM],
        other_initial=order_initial,
        basis=Basis.PARTLY if left_out else Basis.MODELLED,
        carried=words,
    )
    floating = [rate for rate in found.values() if floats(rate.asset)]
    instruments = [index_instrument(rate.asset) for rate in floating]
    return Unified(
        pool=pool,
        rates=found,
        followed=tuple(instruments),
        marks={i.symbol: rate.mark for i, rate in zip(instruments, floating, strict=True)},
    )


def _counted_assets(book: Book, crossed: tuple[Holding, ...]) -> tuple[str, ...]:
    """The assets that count, by name; the credits alone where they hold all others already."""
    return (CREDIT_ASSET,) if book.is_aggregated else pool_assets(book, crossed)


def is_aggregated(book: Book, rates: Rates) -> bool:
    """
    Whether the credits' own wallet already holds what the other assets are worth.

    Unverified which it is: of the two readings the one nearer to Binance's own total.
    """
    row = book.assets.get(CREDIT_ASSET)
    if row is None or row.cross_pnl is None or book.totals is None:
        return False
    alone, together = row.cross_wallet + row.cross_pnl, ZERO
    for name, asset in book.assets.items():
        rate = rates.of(name) or _credit_rate(name, book)
        amount = asset.cross_wallet + (asset.cross_pnl or ZERO)
        if rate is not None:
            together += min(amount * rate.bid, amount * rate.ask)
    total = book.totals.balance
    return abs(alone - total) < abs(together - total)


def _credit_rate(asset: str, book: Book) -> Rate | None:
    if asset != CREDIT_ASSET:
        return None
    return Rate(asset=asset, index=ONE, bid=ONE, ask=ONE, at=book.told_at, told_at=book.told_at)


def _to_add(found: Mapping[str, Rate], rates: Rates, *, in_credits: bool) -> Mapping[str, Rate]:
    """The asset to top up with, whether or not there is any of it yet."""
    order = tuple(reversed(_ADDED)) if in_credits else _ADDED
    held = [name for name in order if name in found]
    for name in (*held, *order):
        rate = found.get(name) or rates.of(name)
        if rate is not None:
            return {name: rate}
    return {}


def _collateral(rate: Rate, balance: Decimal) -> Collateral:
    follows = None
    if floats(rate.asset):
        symbol = index_instrument(rate.asset).symbol
        follows = Follow(base=rate.asset, symbol=symbol, anchor_mark=rate.index)
    return Collateral(
        asset=rate.asset,
        balance=balance,
        price=rate.index,
        rate_if_positive=rate.bid / rate.index,
        rate_if_negative=rate.ask / rate.index,
        follows=follows,
    )


def read_unified_report(
    book: Book, unified: Unified, holdings: tuple[Holding, ...]
) -> Mapping[PoolId, Reported]:
    """
    Binance's totals of the account, carried to the marks of the position rows.

    None after an event, where the account reply leaves a position out (its mark is then
    unknown), or where a coin's index came at another time than the totals: these say nothing of
    the index that they hold for, and beside moving prices the two would seem to disagree.
    """
    crossed = [holding for holding in holdings if not holding.is_isolated]
    changes = carried(crossed, book.sketches)
    if book.totals is None or changes is None or not _is_of_one_moment(book, unified):
        return {}
    balance, maintenance = book.totals.balance, book.totals.maintenance
    for change in changes:
        rate = unified.rates[change.holding.asset]
        row = book.assets[change.holding.asset]
        owed = row.cross_wallet + (row.cross_pnl or ZERO) < ZERO
        balance += change.pnl * (rate.ask if owed else rate.bid)
        maintenance += change.maintenance * rate.ask
    figures = Figures(
        balance=balance,
        maintenance=maintenance,
        initial=book.totals.initial,
        wire=(book.totals.balance, book.totals.maintenance),
        contracts=sum((abs(holding.row.amount) for holding in crossed), ZERO),
    )
    more = _digits(book, unified)
    return {unified.pool.id: as_reported(DOLLAR, figures, book.told_at, more)}


def _is_of_one_moment(book: Book, unified: Unified) -> bool:
    return all(
        abs(rate.told_at - book.told_at) <= ONE_MOMENT
        for rate in unified.rates.values()
        if floats(rate.asset)
    )


def _digits(book: Book, unified: Unified) -> Decimal:
    """What the digits of the rates leave open, which count once per coin and per dollar held."""
    open_ends = ZERO
    for name, rate in unified.rates.items():
        row = book.assets.get(name)
        if row is not None:
            coins = abs(row.cross_wallet) + abs(row.cross_pnl or ZERO)
            open_ends += _LAST_DIGIT * (coins + rate.ask * 2 + (row.maintenance or ZERO))
    return open_ends
