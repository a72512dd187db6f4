"""
Binance's margin rules where each asset stands for itself: rows → margin pools.

USDⓈ-M in single-asset mode and COIN-M alike: the cross positions of one margin asset stand
together on that asset's cross wallet (isolated wallets and their profit left out), every
isolated position alone on its own. Maintenance margin is charged on each leg at the mark,
hedge legs are not netted, open orders add initial margin only, and no fee counts into the
trigger. All contracts of a coin, perpetual and dated, share COIN-M's wallet of that coin.

Must not know replies, frames, or the kinds of account where assets count together
(`multi_assets.py`, `portfolio.py`).

Source: Binance «Liquidation Protocols», «Leverage and Margin of USDⓈ-M Futures», «Leverage
and Margin of COIN-M Futures», «How to Calculate Liquidation Price of USDⓈ-M Futures
Contracts», «… of COIN-M Futures Contracts», read November 2026.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from monitor.exchanges.binance.account import Product
from monitor.risk.model import (
    ONE,
    ZERO,
    Basis,
    Collateral,
    MarginMode,
    MarginPool,
    Payoff,
    PoolId,
    Position,
    Side,
)
from monitor.risk.tiers import maintenance_margin

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from monitor.exchanges.binance.account import AssetRow, Book, PositionRow
    from monitor.exchanges.binance.unread import Unread
    from monitor.risk.model import Instrument, TierTable

# What a regular user pays, the most that there is: advice must hold where no fee was told.
REGULAR_TAKER_FEE = Decimal("0.0005")
WALLETS = {product: f"{product.value} Futures wallet" for product in Product}
ORDERS_CARRIED = "initial margin of open orders"
# A reading of the tiers fits within this part of the maintenance margin, and the wire's digits.
_TIERS_FIT = Decimal("1e-6")
_LAST_DIGIT = Decimal("2e-8")


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """
    What a position's figures need beside its row.

    `tables`: the tier table, or the readings of it that are possible; none where the pool's
    requirement is Binance's own. `fee` and `leverage` are None where they were not told;
    advice then counts the fee of a regular user. `assumed` says in words what stands in for
    tiers that Binance doesn't tell; empty where it tells them.
    """

    instrument: Instrument
    tables: tuple[TierTable, ...]
    leverage: Decimal | None
    fee: Decimal | None
    has_stop_loss: bool | None
    assumed: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """One open position with its terms; `mark` as of its own row, None without one."""

    row: PositionRow
    terms: Terms
    mark: Decimal | None

    @property
    def asset(self) -> str:
        return self.terms.instrument.settle

    @property
    def is_isolated(self) -> bool:
        return self.row.isolated_wallet is not None

    def notional(self, mark: Decimal) -> Decimal:
        """What the position is worth at a mark, in its settle asset; never negative."""
        face = abs(self.row.amount) * self.terms.instrument.contract_size
        return face / mark if self.terms.instrument.payoff is Payoff.INVERSE else face * mark


def pool_assets(book: Book, holdings: Iterable[Holding]) -> tuple[str, ...]:
    """The assets that make a cross pool: those with a balance or a cross position, by name."""
    backed = {holding.asset for holding in holdings if not holding.is_isolated}
    return tuple(
        name
        for name, row in sorted(book.assets.items())
        if row.cross_wallet != ZERO or name in backed
    )


def build_pools(
    account: str, book: Book, holdings: Iterable[Holding], names: Mapping[str, str]
) -> tuple[MarginPool, ...]:
    """
    A wallet's pools: one per asset with a balance or a cross position, one per isolated
    position; ordered by asset, then by symbol and side.

    Args:
        names: How a cross pool is called where it is not by its asset alone.
    """
    held = tuple(holdings)
    cross = [
        _cross_pool(
            PoolId(account=account, name=names.get(name, name)),
            book.assets[name],
            [holding for holding in held if holding.asset == name and not holding.is_isolated],
            WALLETS[book.product],
        )
        for name in pool_assets(book, held)
    ]
    return (*cross, *build_isolated_pools(account, held))


def build_isolated_pools(account: str, holdings: Iterable[Holding]) -> tuple[MarginPool, ...]:
    """A pool of its own for each isolated position, in their order."""
    return tuple(_isolated_pool(account, holding) for holding in holdings if holding.is_isolated)


def _cross_pool(name: PoolId, row: AssetRow, holdings: list[Holding], wallet: str) -> MarginPool:
    assumed = assumptions(holdings)
    return MarginPool(
        id=name,
        unit=row.asset,
        margin_mode=MarginMode.CROSS,
        collateral=(Collateral(asset=row.asset, balance=row.cross_wallet),),
        positions=tuple(build_position(holding) for holding in holdings),
        top_up_asset=row.asset,
        wallet=wallet,
        other_initial=row.order_initial,
        basis=Basis.PARTLY if assumed else Basis.MODELLED,
        carried=((ORDERS_CARRIED,) if row.order_initial else ()) + assumed,
    )


def assumptions(holdings: Iterable[Holding]) -> tuple[str, ...]:
    """What the figures of these positions assume, in words, each once."""
    return tuple(dict.fromkeys(h.terms.assumed for h in holdings if h.terms.assumed))


def isolated_name(row: PositionRow | Unread) -> str:
    """``isolated/SYMBOL``, and in hedge mode the side, for each side is a pool of its own."""
    return f"isolated/{row.symbol}" + ("" if row.side == "BOTH" else f"/{row.side.lower()}")


def _isolated_pool(account: str, holding: Holding) -> MarginPool:
    row = holding.row
    which = row.symbol if row.side == "BOTH" else f"{row.symbol} {row.side}"
    return MarginPool(
        id=PoolId(account=account, name=isolated_name(row)),
        unit=holding.asset,
        margin_mode=MarginMode.ISOLATED,
        collateral=(Collateral(asset=holding.asset, balance=row.isolated_wallet or ZERO),),
        positions=(build_position(holding),),
        top_up_asset=holding.asset,
        wallet=f"isolated margin of {which}",
        basis=Basis.PARTLY if holding.terms.assumed else Basis.MODELLED,
        carried=assumptions((holding,)),
    )


def build_position(holding: Holding) -> Position:
    row, terms = holding.row, holding.terms
    return Position(
        instrument=terms.instrument,
        side=Side.LONG if row.amount > ZERO else Side.SHORT,
        contracts=abs(row.amount),
        entry_price=row.entry_price,
        tiers=fitting_table(holding),
        margin_mode=MarginMode.ISOLATED if holding.is_isolated else MarginMode.CROSS,
        initial_rate=_initial_rate(holding),
        leverage=terms.leverage,
        taker_fee_rate=terms.fee if terms.fee is not None else REGULAR_TAKER_FEE,
        adl_rank=row.adl,
        has_stop_loss=terms.has_stop_loss,
        reported_liquidation_price=row.told.liquidation_price if row.told else None,
        reported_maintenance_margin=row.told.maintenance if row.told else None,
    )


def _initial_rate(holding: Holding) -> Decimal | None:
    """1 ÷ leverage; where that was not told, what Binance itself holds per notional."""
    if holding.terms.leverage is not None:
        return ONE / holding.terms.leverage
    told = holding.row.told
    if told is None or not told.initial or holding.mark is None:
        return None
    return told.initial / holding.notional(holding.mark)


def fitting_table(holding: Holding) -> TierTable | None:
    """
    The first reading of the tier table that gives Binance's own maintenance margin.

    There is a choice only where Binance has adjusted the account's brackets; if none fits,
    the table as it stands. None where the position is not modelled by itself.
    """
    tables, told = holding.terms.tables, holding.row.told
    if len(tables) > 1 and told is not None and told.maintenance is not None and told.notional:
        for table in tables:
            gap = maintenance_margin(told.notional, told.notional, table) - told.maintenance
            if abs(gap) <= _TIERS_FIT * told.maintenance + _LAST_DIGIT:
                return table
    return tables[0] if tables else None
