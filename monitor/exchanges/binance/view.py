"""
A Binance USDⓈ-M account as Binance told it: its rows, kept up by account events.

Knows how events change rows, and where a position's terms stand in the replies; must not know
margin rules (`pools.py`) or which calls to make (`reading.py`).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, assert_never

from monitor.errors import Malformed
from monitor.exchanges.binance import stops
from monitor.exchanges.binance.account import AssetRow
from monitor.exchanges.binance.calls import ACCOUNT, POSITIONS
from monitor.exchanges.binance.contracts import read_instrument, read_leverage, read_taker_fee
from monitor.exchanges.binance.marks import read_marks
from monitor.exchanges.binance.modes import refuse_credits, refuse_multi_assets
from monitor.exchanges.binance.pools import Holding, Terms, build_pools
from monitor.exchanges.binance.reported import read_reported
from monitor.exchanges.binance.tiers import read_tier_tables
from monitor.exchanges.binance.updates import (
    BalancesMoved,
    LeverageSet,
    MultiAssetsSet,
    SaysNothing,
    StopsMoved,
    read_event,
)
from monitor.risk.model import ZERO, AccountSnapshot, Mark

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from decimal import Decimal

    from monitor.exchanges.binance.account import Config, PositionKey, PositionRow, Sketch
    from monitor.exchanges.binance.stops import StopOrders
    from monitor.exchanges.binance.updates import AccountEvent
    from monitor.exchanges.port import Frame, Replies


@dataclass(frozen=True, slots=True, kw_only=True)
class UsdmAccount:
    """
    The account's rows. `replies` are those that it was read from, for the terms of a symbol
    that an event may yet bring. `leverages` and `moved_stops` are those that events have set
    since, by symbol; `heard` is the newest event time per kind.
    """

    account: str
    replies: Replies
    config: Config
    assets: Mapping[str, AssetRow]
    positions: Mapping[PositionKey, PositionRow]
    sketches: Mapping[PositionKey, Sketch]
    moved_stops: Mapping[str, StopOrders] = field(default_factory=dict)
    leverages: Mapping[str, Decimal] = field(default_factory=dict)
    heard: Mapping[str, datetime] = field(default_factory=dict)

    def snapshot(self, at: datetime) -> AccountSnapshot:
        """The pools by Binance's rules. Raises Malformed, MissingReply or Unmodelled."""
        refuse_multi_assets(self.config)
        holdings = tuple(self._holding(self.positions[key]) for key in sorted(self.positions))
        for holding in holdings:
            if holding.asset not in self.assets:
                raise Malformed("account.assets", f"a row for {holding.asset}", "none")
        told_at = self.replies.get(ACCOUNT).at
        return AccountSnapshot(
            account=self.account,
            exchange="binance",
            at=at,
            mode=f"USDⓈ-M single-asset, {'hedge' if self.config.hedge else 'one-way'}",
            pools=build_pools(self.account, self.assets, holdings),
            reported=read_reported(self.account, self.assets, holdings, self.sketches, told_at),
            marks=self._marks(holdings),
        )

    def stop_orders(self, symbol: str) -> StopOrders | None:
        """A symbol's open stop orders, None where nothing is known of them."""
        return self.moved_stops.get(symbol) or stops.read_stop_orders(self.replies, symbol)

    def _holding(self, row: PositionRow) -> Holding:
        instrument = read_instrument(self.replies, row.symbol, row.asset)
        refuse_credits(row.asset)
        if row.asset not in (None, instrument.settle):
            raise Malformed(
                f"positionRisk.{row.symbol}.marginAsset", instrument.settle, str(row.asset)
            )
        leverage = self.leverages.get(row.symbol) or read_leverage(self.replies, row.symbol)
        terms = Terms(
            instrument=instrument,
            tables=read_tier_tables(self.replies, row.symbol),
            leverage=leverage,
            fee=read_taker_fee(self.replies, instrument),
            has_stop_loss=stops.has_stop_loss(self.stop_orders(row.symbol), row),
        )
        return Holding(row=row, terms=terms, mark=row.mark_price)

    def _marks(self, holdings: tuple[Holding, ...]) -> Mapping[str, Mark]:
        """By unified symbol: of the position's own row, else of the premium index."""
        told_at = self.replies.get(POSITIONS).at
        own = {
            holding.terms.instrument.symbol: Mark(price=holding.mark, at=told_at)
            for holding in holdings
            if holding.mark is not None
        }
        bare = {
            holding.row.symbol: holding.terms.instrument
            for holding in holdings
            if holding.terms.instrument.symbol not in own
        }
        asked = read_marks(self.replies, tuple(bare.values()))
        return own | {bare[symbol].symbol: mark for symbol, mark in asked.items()}

    def updated(self, frame: Frame) -> UsdmAccount:
        """The account after one event; itself where the event changes nothing that counts."""
        event = read_event(frame.text)
        if isinstance(event.says, SaysNothing) or self._is_old(event):
            return self
        heard = self.heard if event.at is None else {**self.heard, event.kind: event.at}
        return replace(_applied(self, event, event.at or frame.at), heard=heard)

    def _is_old(self, event: AccountEvent) -> bool:
        """Whether an event of this kind with a later time was heard: events never go back."""
        before = self.heard.get(event.kind)
        return before is not None and event.at is not None and event.at < before


def _applied(view: UsdmAccount, event: AccountEvent, at: datetime) -> UsdmAccount:
    match event.says:
        case BalancesMoved() as moved:
            assets = _assets_of(view.positions, moved)
            return replace(
                view,
                assets=_moved_assets(view.assets, moved, assets),
                positions=_moved_positions(view.positions, moved, assets),
            )
        case LeverageSet(symbol=symbol, leverage=leverage):
            return replace(view, leverages={**view.leverages, symbol: leverage})
        case MultiAssetsSet(multi_assets=multi_assets):
            return replace(view, config=replace(view.config, multi_assets=multi_assets))
        case StopsMoved(symbol=symbol, event=row):
            known = view.stop_orders(symbol)
            if known is None:
                return view
            after = stops.updated(known, row, at)
            return replace(view, moved_stops={**view.moved_stops, symbol: after})
        case SaysNothing():
            return view
        case _:
            assert_never(event.says)


def _assets_of(positions: Mapping[PositionKey, PositionRow], moved: BalancesMoved) -> set[str]:
    """Every asset whose pool an event changes: by its wallet, or by a position in it."""
    changed = (*moved.closed, *(row.key for row in moved.positions))
    before = [positions[key].asset for key in changed if key in positions]
    after = [row.asset for row in moved.positions]
    return {asset for asset in (*moved.cross_wallets, *before, *after) if asset}


def _moved_assets(
    assets: Mapping[str, AssetRow], moved: BalancesMoved, touched: set[str]
) -> Mapping[str, AssetRow]:
    """
    The wallet after an event, where that is newer than the reply.

    Binance's own totals no longer hold for an asset that moved, nor where a position in it did.
    """
    after = dict(assets)
    for name in touched & set(assets):
        after[name] = replace(assets[name], cross_pnl=None, maintenance=None, initial=None)
    for name, wallet in moved.cross_wallets.items():
        row = assets.get(name)
        if row is None or row.updated_at is None or moved.at >= row.updated_at:
            after[name] = _after_event(name, row, wallet, moved.at)
    return after


def _moved_positions(
    positions: Mapping[PositionKey, PositionRow], moved: BalancesMoved, touched: set[str]
) -> Mapping[PositionKey, PositionRow]:
    """The open positions after an event; in a pool that moved, every end has moved as well."""
    after = {
        key: _without_end(row) if row.asset in touched else row for key, row in positions.items()
    }
    for key in moved.closed:
        if key in after and _is_newer(moved.at, after[key]):
            del after[key]
    for changed in moved.positions:
        before = positions.get(changed.key)
        if before is None:
            after[changed.key] = changed
        elif _is_newer(moved.at, before):
            after[changed.key] = _with_old_terms(changed, before)
    return after


def _without_end(row: PositionRow) -> PositionRow:
    if row.told is None or row.isolated_wallet is not None:
        return row
    return replace(row, told=replace(row.told, liquidation_price=None))


def _is_newer(at: datetime, row: PositionRow) -> bool:
    return row.updated_at is None or at >= row.updated_at


def _with_old_terms(changed: PositionRow, before: PositionRow) -> PositionRow:
    """An event tells neither mark nor rank nor, in older forms, the asset: these stay."""
    return replace(
        changed,
        asset=changed.asset or before.asset,
        mark_price=before.mark_price,
        adl=before.adl,
    )


def _after_event(name: str, row: AssetRow | None, wallet: Decimal, at: datetime) -> AssetRow:
    return AssetRow(
        asset=name,
        cross_wallet=wallet,
        order_initial=row.order_initial if row is not None else ZERO,
        cross_pnl=None,
        maintenance=None,
        initial=None,
        updated_at=at,
    )
