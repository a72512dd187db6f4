"""
A Binance futures account as Binance keeps it, and its margin arithmetic in Binance's words.

One ledger is one engine's book: USD-M, or COIN-M, in which every coin is a wallet of its own.
All amounts are exact; only the wire cuts them to eight decimals. Marks come in as a function of
the symbol, asset rates as a function of the asset.

Source: Binance support, "Liquidation Protocols", "How to Calculate Liquidation Price of USD-M
Futures Contracts", "... of COIN-M Futures Contracts", "Multi-Assets Mode"; API documentation of
USD-M futures, Account Information V3 and Position Information V3.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from monitor.simulator.binance_coin_tables import COIN_SYMBOLS
from monitor.simulator.binance_declared import Extras, read_extras
from monitor.simulator.binance_tables import SYMBOLS, Bracket, Symbol
from monitor.simulator.scenario import AccountSpec, OrderSpec, PositionSpec

Marks = Callable[[str], Decimal]
ZERO = Decimal(0)
ALL_SYMBOLS = {**SYMBOLS, **COIN_SYMBOLS}
SHARED_MODES = frozenset({"multi_assets", "credits"})  # all assets are one pool
PORTFOLIO_MODES = frozenset({"portfolio_margin", "pm_pro"})
_USUAL_LEVERAGE = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """What one unit of an asset is worth in US dollars: bid for credits, ask for debts."""

    bid: Decimal
    ask: Decimal

    def value(self, amount: Decimal) -> Decimal:
        """Give what an amount counts for: the lesser of both valuations."""
        return min(amount * self.bid, amount * self.ask)


@dataclass(slots=True, kw_only=True)
class Leg:
    """
    One position: `amount` is signed, `side` is BOTH, LONG or SHORT.

    Of a COIN-M symbol the amount counts contracts, and all its figures are in the coin.
    """

    symbol: Symbol
    side: str
    amount: Decimal
    entry_price: Decimal
    leverage: Decimal
    isolated_wallet: Decimal | None = None  # None: cross
    settles_in: str | None = None  # where it is not the symbol's own margin asset
    updated_at: int = 0

    @property
    def is_isolated(self) -> bool:
        return self.isolated_wallet is not None

    @property
    def margin_asset(self) -> str:
        return self.settles_in or self.symbol.margin_asset

    @property
    def pool(self) -> str:
        """The margin pool it belongs to where each asset has its own."""
        if not self.is_isolated:
            return self.margin_asset
        suffix = "" if self.side == "BOTH" else f"/{self.side.lower()}"
        return f"isolated/{self.symbol.name}{suffix}"

    def unrealized_profit(self, mark: Decimal) -> Decimal:
        size = self.symbol.contract_size
        if size is None or not self.amount:
            return self.amount * (mark - self.entry_price)
        return self.amount * size / self.entry_price - self.amount * size / mark

    def notional(self, mark: Decimal) -> Decimal:
        """Signed, as on the wire."""
        size = self.symbol.contract_size
        return self.amount * mark if size is None else self.amount * size / mark

    def maint_margin(self, mark: Decimal) -> Decimal:
        return maint_margin(self.symbol, abs(self.notional(mark)))


def bracket_of(symbol: Symbol, notional: Decimal) -> Bracket:
    """Give the bracket in which this absolute notional stands; above all of them, the last."""
    for bracket in symbol.brackets:
        if notional <= bracket.cap:
            return bracket
    return symbol.brackets[-1]


def maint_margin(symbol: Symbol, notional: Decimal) -> Decimal:
    """Maintenance margin of an absolute notional: `notional x rate - cum` of its bracket."""
    bracket = bracket_of(symbol, notional)
    return notional * bracket.rate - bracket.cum


@dataclass(slots=True, kw_only=True)
class Ledger:
    """
    Wallets, positions and orders of one account in one engine.

    `cross_wallets` hold crossWalletBalance per asset: what isolated positions have set aside
    stands in their own `isolated_wallet`.
    """

    spec: AccountSpec
    cross_wallets: dict[str, Decimal]
    legs: list[Leg]
    orders: list[OrderSpec]
    touched_at: dict[str, int] = field(default_factory=dict)  # per asset, milliseconds
    is_coin_margined: bool = False
    settles_in: str | None = None

    @property
    def multi_assets(self) -> bool:
        return self.spec.mode in SHARED_MODES and not self.is_coin_margined

    @property
    def credits(self) -> bool:
        return self.spec.mode == "credits"

    @property
    def hedge(self) -> bool:
        return self.spec.position_mode == "hedge"

    def asset_of(self, symbol: str) -> str:
        """Give the asset in which a symbol's profit and margin are counted."""
        return self.settles_in or ALL_SYMBOLS[symbol].margin_asset

    # --- figures of one margin asset, cross positions only

    def cross_legs(self, asset: str | None = None) -> Iterator[Leg]:
        for leg in self.legs:
            if not leg.is_isolated and asset in {None, leg.margin_asset}:
                yield leg

    def cross_un_pnl(self, asset: str, marks: Marks) -> Decimal:
        return sum(
            (leg.unrealized_profit(marks(leg.symbol.name)) for leg in self.cross_legs(asset)),
            ZERO,
        )

    def cross_maint_margin(self, asset: str, marks: Marks) -> Decimal:
        return sum(
            (leg.maint_margin(marks(leg.symbol.name)) for leg in self.cross_legs(asset)), ZERO
        )

    def cross_balance(self, asset: str, marks: Marks) -> Decimal:
        """Cross wallet balance and cross profit."""
        return self.cross_wallets.get(asset, ZERO) + self.cross_un_pnl(asset, marks)

    def cross_initial_margin(self, asset: str, marks: Marks) -> Decimal:
        return sum(
            (
                abs(leg.notional(marks(leg.symbol.name))) / leg.leverage
                for leg in self.cross_legs(asset)
            ),
            ZERO,
        )

    def order_initial_margin(self, asset: str) -> Decimal:
        """Initial margin of open limit orders that do not reduce; never maintenance margin."""
        return sum(
            (
                self.order_margin(order)
                for order in self.orders
                if self.asset_of(order.symbol) == asset
            ),
            ZERO,
        )

    def order_margin(self, order: OrderSpec) -> Decimal:
        if order.kind != "limit" or order.reduce_only or not order.price:
            return ZERO
        size = ALL_SYMBOLS[order.symbol].contract_size
        worth = order.contracts * (order.price if size is None else size / order.price)
        return worth / self.leverage(order.symbol)

    def isolated_wallets(self, asset: str) -> Decimal:
        return sum(
            (leg.isolated_wallet or ZERO for leg in self.legs if leg.margin_asset == asset),
            ZERO,
        )

    def assets(self) -> tuple[str, ...]:
        """Give the assets in which there is a wallet or a position."""
        margined = dict.fromkeys(leg.margin_asset for leg in self.legs)
        return tuple({**dict.fromkeys(self.cross_wallets), **margined})

    def leverage(self, symbol: str) -> Decimal:
        """Give the leverage set for a symbol; 20 where the account never set one."""
        for leg in self.legs:
            if leg.symbol.name == symbol:
                return leg.leverage
        for position in self.spec.positions:
            if position.symbol == symbol:
                return position.leverage
        return Decimal(min(_USUAL_LEVERAGE, ALL_SYMBOLS[symbol].brackets[0].leverage))

    # --- the pool in multi-assets mode, in US dollars

    def equity(self, marks: Marks, rates: Mapping[str, Rates]) -> Decimal:
        return sum(
            (rates[asset].value(self.cross_balance(asset, marks)) for asset in self.assets()), ZERO
        )

    def account_maint_margin(self, marks: Marks, rates: Mapping[str, Rates]) -> Decimal:
        return sum(
            (
                self.cross_maint_margin(asset, marks) * rates[asset].ask
                for asset in self.assets()
                if any(self.cross_legs(asset))
            ),
            ZERO,
        )


def open_ledgers(spec: AccountSpec, at: int) -> tuple[Ledger, Ledger, Extras]:
    """
    Give the USD-M and the COIN-M ledger of an account as the scenario describes it.

    All is touched at `at` (ms). The extras hold what else it has.

    Raises:
        ScenarioError: If its `extra` table is not as it should be.
        ValueError: If a symbol is unknown, or an isolated position stands where none can.

    """
    for symbol in {*(p.symbol for p in spec.positions), *(o.symbol for o in spec.orders)}:
        _known(spec, symbol)
    extras = read_extras(spec)
    usd = _ledger(spec, at, dict(spec.wallets), settles_in=extras.settles_in)
    coin = _ledger(spec, at, dict(extras.coin_wallets), is_coin_margined=True)
    whole = spec.mode in SHARED_MODES | PORTFOLIO_MODES
    if whole and any(leg.is_isolated for leg in usd.legs):
        raise ValueError(f"account {spec.name!r}: {spec.mode} mode has no isolated positions")
    if spec.mode in PORTFOLIO_MODES and any(leg.is_isolated for leg in coin.legs):
        raise ValueError(f"account {spec.name!r}: {spec.mode} mode has no isolated positions")
    return usd, coin, extras


def _ledger(
    spec: AccountSpec,
    at: int,
    wallets: dict[str, Decimal],
    *,
    is_coin_margined: bool = False,
    settles_in: str | None = None,
) -> Ledger:
    def belongs(symbol: str) -> bool:
        return ALL_SYMBOLS[symbol].is_coin_margined == is_coin_margined

    legs = [_leg(spec, p, at, settles_in) for p in spec.positions if belongs(p.symbol)]
    return Ledger(
        spec=spec,
        cross_wallets=wallets,
        legs=legs,
        orders=[order for order in spec.orders if belongs(order.symbol)],
        touched_at=dict.fromkeys((*wallets, *(leg.margin_asset for leg in legs)), at),
        is_coin_margined=is_coin_margined,
        settles_in=settles_in,
    )


def _leg(spec: AccountSpec, position: PositionSpec, at: int, settles_in: str | None) -> Leg:
    symbol = _known(spec, position.symbol)
    sign = 1 if position.side == "long" else -1
    if position.contracts != round(position.contracts, symbol.quantity_decimals):
        raise ValueError(
            f"account {spec.name!r}: {symbol.name}: {position.contracts} contracts have more "
            f"than {symbol.quantity_decimals} decimals"
        )
    return Leg(
        symbol=symbol,
        side=position.side.upper() if spec.position_mode == "hedge" else "BOTH",
        amount=sign * position.contracts,
        entry_price=position.entry_price,
        leverage=position.leverage,
        isolated_wallet=position.isolated_margin,
        settles_in=settles_in,
        updated_at=at,
    )


def _known(spec: AccountSpec, symbol: str) -> Symbol:
    if symbol not in ALL_SYMBOLS:
        raise ValueError(f"account {spec.name!r}: Binance has no symbol {symbol!r} here")
    return ALL_SYMBOLS[symbol]
