"""
A Binance USDⓈ-M account as Binance told it: its rows, kept up by account events.

Knows which replies it needs and which account kinds have rules here; must not know the rules
themselves (`pools.py`).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from monitor.errors import ExchangeError, Malformed, Unmodelled
from monitor.exchanges.binance import stops
from monitor.exchanges.binance.account import (
    ACCOUNT,
    ACCOUNT_KIND,
    CONFIG,
    CONTRACTS,
    LEVERAGES,
    PLAIN_ORDERS,
    POSITIONS,
    STOP_ORDERS,
    AssetRow,
    bracket_call,
    contract_call,
    fee_call,
    optional_answer,
    read_assets,
    read_config,
    read_positions,
    read_sketches,
)
from monitor.exchanges.binance.contracts import (
    has_contract,
    read_instrument,
    read_leverage,
    read_taker_fee,
)
from monitor.exchanges.binance.marks import mark_call, read_marks
from monitor.exchanges.binance.pools import Holding, Terms, build_pools, read_reported
from monitor.exchanges.binance.tiers import has_brackets, read_tier_tables
from monitor.exchanges.binance.updates import (
    BalancesMoved,
    LeverageSet,
    MultiAssetsSet,
    StopsMoved,
    read_event,
)
from monitor.exchanges.payload import Row
from monitor.risk.model import ZERO, AccountSnapshot, Mark

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from decimal import Decimal

    from monitor.exchanges.binance.account import Config, PositionKey, PositionRow, Sketch
    from monitor.exchanges.binance.stops import StopOrders
    from monitor.exchanges.binance.updates import AccountEvent
    from monitor.exchanges.port import Frame, Replies, RestCall

_CREDIT_ASSET = "BNFCR"


def needed(replies: Replies) -> tuple[RestCall, ...]:
    """
    The calls still wanted: first mode, wallet and positions; then what the held symbols ask
    for. Replies that can't be read want nothing more: `read_account` says what is wrong.
    """
    first = (CONFIG, ACCOUNT, POSITIONS, ACCOUNT_KIND)
    try:
        wanted = (*first, *_calls_for(replies)) if replies.has(POSITIONS) else first
    except ExchangeError:
        wanted = first
    return tuple(call for call in wanted if _is_missing(replies, call))


def _is_missing(replies: Replies, call: RestCall) -> bool:
    symbol = dict(call.query).get("symbol", "")
    if call.path == CONTRACTS.path and symbol:
        return not has_contract(replies, symbol)
    if call.path == bracket_call(symbol).path:
        return not has_brackets(replies, symbol)
    return not replies.has(call)


def _calls_for(replies: Replies) -> tuple[RestCall, ...]:
    positions = read_positions(replies)
    if not positions:
        return ()
    symbols = sorted({row.symbol for row in positions.values()})
    unknown = symbols if replies.has(CONTRACTS) else []
    unmarked = sorted({row.symbol for row in positions.values() if row.mark_price is None})
    return (
        CONTRACTS,
        *(contract_call(symbol) for symbol in unknown),
        *(bracket_call(symbol) for symbol in symbols),
        LEVERAGES,
        STOP_ORDERS,
        PLAIN_ORDERS,
        *(fee_call(symbol) for symbol in _one_per_asset(positions)),
        *(mark_call(symbol) for symbol in unmarked),
    )


def _one_per_asset(positions: Mapping[PositionKey, PositionRow]) -> tuple[str, ...]:
    """One symbol of every margin asset: its fee rate stands for the others'."""
    first: dict[str | None, str] = {}
    for row in sorted(positions.values(), key=lambda row: row.symbol):
        first.setdefault(row.asset, row.symbol)
    return tuple(first.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class UsdmAccount:
    """
    The account's rows. `replies` are those that it was read from, for the terms of a symbol
    that an event may yet bring. `leverages` are those set since; `heard` is the newest event
    time per kind.
    """

    account: str
    replies: Replies
    config: Config
    assets: Mapping[str, AssetRow]
    positions: Mapping[PositionKey, PositionRow]
    sketches: Mapping[PositionKey, Sketch]
    stop_orders: StopOrders | None
    leverages: Mapping[str, Decimal] = field(default_factory=dict)
    heard: Mapping[str, datetime] = field(default_factory=dict)

    def snapshot(self, at: datetime) -> AccountSnapshot:
        """The pools by Binance's rules. Raises Malformed, MissingReply or Unmodelled."""
        _refuse_multi_assets(self.config)
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

    def _holding(self, row: PositionRow) -> Holding:
        instrument = read_instrument(self.replies, row.symbol)
        if row.asset == _CREDIT_ASSET:
            raise _credits()
        if row.asset not in (None, instrument.settle):
            raise Malformed(
                f"positionRisk.{row.symbol}.marginAsset", instrument.settle, str(row.asset)
            )
        neighbours = tuple(symbol for symbol, _ in sorted(self.positions) if symbol != row.symbol)
        leverage = self.leverages.get(row.symbol) or read_leverage(self.replies, row.symbol)
        terms = Terms(
            instrument=instrument,
            tables=read_tier_tables(self.replies, row.symbol),
            leverage=leverage,
            fee=read_taker_fee(self.replies, row.symbol, neighbours),
            has_stop_loss=stops.has_stop_loss(self.stop_orders, row),
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
        if self._is_old(event):
            return self
        view = self if event.at is None else self._having_heard(event.kind, event.at)
        match event.says:
            case BalancesMoved() as moved:
                return view._moved(moved)
            case LeverageSet(symbol=symbol, leverage=leverage):
                return replace(view, leverages={**self.leverages, symbol: leverage})
            case MultiAssetsSet(multi_assets=multi_assets):
                return replace(view, config=replace(self.config, multi_assets=multi_assets))
            case StopsMoved(event=row):
                return view._with_stops(row, event.at or frame.at)
            case _:
                return view

    def _is_old(self, event: AccountEvent) -> bool:
        """Whether an event of this kind with a later time was heard: events never go back."""
        before = self.heard.get(event.kind)
        return before is not None and event.at is not None and event.at < before

    def _having_heard(self, kind: str, at: datetime) -> UsdmAccount:
        return replace(self, heard={**self.heard, kind: at})

    def _with_stops(self, row: Row, at: datetime) -> UsdmAccount:
        if self.stop_orders is None or at < self.stop_orders.at:
            return self
        return replace(self, stop_orders=stops.updated(self.stop_orders, row, at))

    def _moved(self, moved: BalancesMoved) -> UsdmAccount:
        """
        The account with new balances and positions, where they are newer than the reply's.

        Binance's own totals of an asset that moved no longer hold.
        """
        assets = dict(self.assets)
        for name, wallet in moved.cross_wallets.items():
            row = assets.get(name)
            if row is None or row.updated_at is None or moved.at >= row.updated_at:
                assets[name] = _after_event(name, row, wallet, moved.at)
        positions = dict(self.positions)
        for key in moved.closed:
            if key in positions and _is_newer(moved.at, positions[key]):
                del positions[key]
        for changed in moved.positions:
            before = positions.get(changed.key)
            if before is None:
                positions[changed.key] = changed
            elif _is_newer(moved.at, before):
                positions[changed.key] = _with_old_terms(changed, before)
        return replace(self, assets=assets, positions=positions)


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


def read_account(account: str, replies: Replies) -> UsdmAccount:
    """
    The account's view.

    Raises:
        Unmodelled: If its mode is not single-asset USDⓈ-M; the mode is named.
        MissingReply: If a reply that the figures need was not given.
        Malformed: If one can't be read, or two that belong together don't.
    """
    _refuse_portfolio_margin(replies)
    config = read_config(replies)
    _refuse_multi_assets(config)
    assets = read_assets(replies)
    if _CREDIT_ASSET in assets:
        raise _credits()
    positions = read_positions(replies)
    sketches = read_sketches(replies)
    _check_one_moment(positions, sketches)
    return UsdmAccount(
        account=account,
        replies=replies,
        config=config,
        assets=assets,
        positions=positions,
        sketches=sketches,
        stop_orders=stops.read_stop_orders(replies),
    )


def _check_one_moment(
    positions: Mapping[PositionKey, PositionRow], sketches: Mapping[PositionKey, Sketch]
) -> None:
    """
    Wallet and position rows come by two calls; a trade between them makes a false pair.

    An account reply without any position is let pass: the rows then show the only position
    in full, at worst one that closed this very moment.

    Raises:
        Malformed: If the account reply's open positions are not those of the position rows.
    """
    told = {key: row.amount for key, row in positions.items()}
    drawn = {key: sketch.amount for key, sketch in sketches.items()}
    if drawn and told != drawn:
        differing = sorted({symbol for symbol, _ in dict(told.items() ^ drawn.items())})
        raise Malformed(
            "positionRisk",
            "the very positions of the account reply",
            f"others in {', '.join(differing)} (traded in between: read both again)",
        )


def _refuse_portfolio_margin(replies: Replies) -> None:
    kind = optional_answer(replies, ACCOUNT_KIND)
    flag = "isPortfolioMarginRetailEnabled"
    told = isinstance(kind, dict) and Row(kind, "account.info").has(flag)
    enabled = told and Row(kind, "account.info").boolean(flag)
    shown = any(reply.path.startswith("/papi/") and reply.status < 300 for reply in replies)  # noqa: PLR2004
    if enabled or shown:
        raise Unmodelled(
            "this is a portfolio margin account: portfolio margin is not watched. Watch the "
            "account with Binance's own uniMMR alerts, or leave portfolio margin",
            whole_account=True,
        )


def _refuse_multi_assets(config: Config) -> None:
    if config.multi_assets:
        raise Unmodelled(
            "the account is in Multi-Assets Mode, which is not watched: only Single-Asset "
            "Mode is. Change it in Futures › Preferences › Asset Mode, or don't rely on this "
            "monitor for the account",
            whole_account=True,
        )


def _credits() -> Unmodelled:
    return Unmodelled(
        f"the account trades on futures credits ({_CREDIT_ASSET}, Credits Trading Mode), which "
        "is not watched: all its collateral counts together",
        whole_account=True,
    )
