"""
Binance's portfolio margin: cross margin, USDⓈ-M and COIN-M as one pool, in USD.

The requirement is Binance's own, 1.05 times its maintenance margin: it liquidates at a uniMMR
of 1.05, so that 1.05 ÷ uniMMR is 1 there. How it moves between two readings: see
`portfolio_margin.py`. The balance is accountEquity, moved by what we know: profit, by coin and
collateral rate, and the prices of coins that float. What accountEquity holds beyond that sum
(open orders' loss, rounding) stays as it was.

Source: Binance «Portfolio Margin Pro: Unified Maintenance Margin Ratio», «Portfolio Margin
Program», read November 2026. That plain portfolio margin is liquidated at 105 % is said by
third parties: unverified.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from monitor.exchanges.binance.account import answer
from monitor.exchanges.binance.calls import ASSET_INDEX
from monitor.exchanges.binance.contracts import index_instrument
from monitor.exchanges.binance.indexes import floats, optional_rate, read_collateral_rates
from monitor.exchanges.binance.multi_assets import DOLLAR, UNIFIED
from monitor.exchanges.binance.pools import build_position
from monitor.exchanges.binance.portfolio import Anchor, Coin
from monitor.exchanges.binance.portfolio_margin import LIQUIDATION_MMR, anchor, with_anchor
from monitor.risk.model import (
    ONE,
    ZERO,
    Basis,
    Collateral,
    Follow,
    MarginMode,
    MarginPool,
    Mark,
    PoolId,
    Reported,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monitor.exchanges.binance.pools import Holding
    from monitor.exchanges.binance.portfolio import Portfolio, Whole
    from monitor.exchanges.call import Replies
    from monitor.risk.model import Instrument

WALLET = "Portfolio Margin account"
_BY_TIERS = "moved by leverage tiers and loans until the next reading"
_ASSUMED = "assumed to grow with positions and loans until the next reading"
_LAST_DIGIT = Decimal("1e-8")
# uniMMR has 8 decimals: near 1, where it matters, a hundredth of this.
_ROUNDING = Decimal("1e-6")


@dataclass(frozen=True, slots=True, kw_only=True)
class Priced:
    """
    USD per coin and which fraction counts; `follows` and `instrument` where the price floats.

    `is_told` is False where no rate is known: the coin then counts in full.
    """

    price: Decimal
    rate: Decimal
    is_told: bool
    follows: Follow | None = None
    instrument: Instrument | None = None
    mark: Mark | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class One:
    """The one pool, what its floating collateral follows, and what it is anchored on."""

    pool: MarginPool
    anchor: Anchor
    followed: tuple[Instrument, ...]
    marks: Mapping[str, Mark]


def build_portfolio(
    account: str,
    portfolio: Portfolio,
    holdings: tuple[Holding, ...],
    replies: Replies,
    marks: Mapping[str, Mark],
) -> One:
    """
    The account's one pool, anchored on accountEquity and accountMaintMargin.

    Args:
        holdings: With the tiers that could be read.
        marks: Of the positions held, by unified symbol.

    Raises:
        MissingReply: If a position settles in a coin whose price nothing tells.
        MissingMark: If a position has no mark.
    """
    coins = _coins_that_count(portfolio, holdings)
    priced: dict[str, Priced] = {}
    rates = read_collateral_rates(replies)
    settled = {holding.asset for holding in holdings}
    for coin in coins:
        found = _price(coin.asset, holdings, replies, rates)
        if found is not None:
            priced[coin.asset] = found
        elif coin.asset in settled:
            answer(replies, ASSET_INDEX)
    collateral = tuple(
        _collateral(coin, priced[coin.asset]) for coin in coins if coin.asset in priced
    )
    bare = MarginPool(
        id=PoolId(account=account, name=UNIFIED),
        unit=DOLLAR,
        margin_mode=MarginMode.CROSS,
        collateral=collateral,
        # Their initial margin is in Binance's own, which is taken over whole.
        positions=tuple(replace(build_position(h), initial_rate=None) for h in holdings),
        top_up_asset=_to_add(priced),
        wallet=WALLET,
        other_initial=portfolio.whole.initial or ZERO,
        maintenance_factor=LIQUIDATION_MMR,
        basis=Basis.REPORTED,
    )
    follows = {p.instrument: p for p in priced.values() if p.instrument is not None}
    known = {
        p.follows.symbol: p.mark for p in priced.values() if p.follows and p.mark is not None
    } | dict(marks)
    kept = portfolio.anchor or anchor(bare, portfolio, known, portfolio.whole.told_at)
    words = _words(portfolio, coins, priced, is_by_tiers=kept.is_by_tiers)
    return One(
        pool=replace(with_anchor(bare, kept), carried=words),
        anchor=kept,
        followed=tuple(follows),
        marks=known,
    )


def _coins_that_count(portfolio: Portfolio, holdings: tuple[Holding, ...]) -> tuple[Coin, ...]:
    """The coins of which there is anything, and those in which a position settles, by name."""
    empty = {
        holding.asset: Coin(asset=holding.asset, margin=ZERO, usdm=ZERO, coinm=ZERO)
        for holding in holdings
    }
    told = {name: coin for name, coin in portfolio.coins.items() if coin.net or name in empty}
    return tuple(coin for _, coin in sorted((empty | told).items()))


def _price(
    asset: str,
    holdings: tuple[Holding, ...],
    replies: Replies,
    rates: Mapping[str, Decimal],
) -> Priced | None:
    """What a coin is worth: by its index, else a dollar, else by a mark of the coin held."""
    rate = optional_rate(replies, asset)
    share = rates.get(asset)
    if rate is not None:
        counted = share if share is not None else min(ONE, rate.bid / rate.index)
        if not floats(asset):
            return Priced(price=rate.index, rate=counted, is_told=True)
        instrument = index_instrument(asset)
        return Priced(
            price=rate.index,
            rate=counted,
            is_told=True,
            follows=Follow(base=asset, symbol=instrument.symbol, anchor_mark=rate.index),
            instrument=instrument,
            mark=rate.mark,
        )
    if not floats(asset):
        return Priced(price=ONE, rate=ONE if share is None else share, is_told=share is not None)
    for holding in holdings:
        instrument = holding.terms.instrument
        if instrument.base == asset and holding.mark is not None and not floats(instrument.quote):
            return Priced(
                price=holding.mark,
                rate=ONE if share is None else share,
                is_told=share is not None,
                follows=Follow(base=asset, symbol=instrument.symbol, anchor_mark=holding.mark),
            )
    return None


def _collateral(coin: Coin, priced: Priced) -> Collateral:
    return Collateral(
        asset=coin.asset,
        balance=coin.net,
        price=priced.price,
        rate_if_positive=priced.rate,
        follows=priced.follows,
    )


def _to_add(priced: Mapping[str, Priced]) -> str:
    for name in ("USDT", "USDC", *priced):
        if name in priced:
            return name
    return DOLLAR


def _words(
    portfolio: Portfolio,
    coins: tuple[Coin, ...],
    priced: Mapping[str, Priced],
    *,
    is_by_tiers: bool,
) -> tuple[str, ...]:
    """Each part that is Binance's own, in words."""
    told = f"account status {portfolio.whole.status}"
    words = [f"margins of the whole portfolio and 5 % on top ({told})"]
    words.append(_BY_TIERS if is_by_tiers else _ASSUMED)
    words.append("what accountEquity holds beyond coins and profit at our rates")
    unpriced = [coin.asset for coin in coins if coin.asset not in priced]
    if unpriced:
        words.append(f"{', '.join(unpriced)}, whose price was not told")
    in_full = [name for name, found in priced.items() if not found.is_told]
    if in_full:
        words.append(f"no collateral rate of {', '.join(in_full)}: changes count in full")
    return tuple(words)


def _required(whole: Whole) -> Decimal:
    """
    What Binance holds against accountEquity: 1.05 times its maintenance margin.

    uniMMR is what it liquidates by. Where that stands worse than the other two fields do
    together, the requirement is what uniMMR makes of it, so that the gap is seen.
    """
    required = LIQUIDATION_MMR * whole.maintenance
    if not required or not whole.uni_mmr or whole.uni_mmr < ZERO or whole.equity <= ZERO:
        return required
    by_ratio = LIQUIDATION_MMR * whole.equity / whole.uni_mmr
    return by_ratio if by_ratio - required > _ROUNDING * whole.equity else required


def read_portfolio_report(pool: PoolId, portfolio: Portfolio) -> Mapping[PoolId, Reported]:
    """Binance's own figures, turned so that 1 is liquidation; none after an event."""
    if not portfolio.is_whole:
        return {}
    whole = portfolio.whole
    required = _required(whole)
    ratio = None
    if whole.uni_mmr is not None and required:
        ratio = LIQUIDATION_MMR / whole.uni_mmr if whole.uni_mmr > ZERO else Decimal("Infinity")
    return {
        pool: Reported(
            at=whole.told_at,
            margin_balance=whole.equity,
            maintenance_margin=required,
            initial_margin=whole.initial,
            ratio=ratio if required else ZERO,
            resolution=3 * _LAST_DIGIT,
        )
    }
