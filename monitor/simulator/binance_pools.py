"""Binance's margin pools: what each holds, what it requires, and the prices at which it ends."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial

from monitor.simulator.binance_ledger import ZERO, Ledger, Leg, Marks, Rates
from monitor.simulator.binance_prices import Prices, caps, roots, turn
from monitor.simulator.binance_tables import Symbol
from monitor.simulator.truth import PoolTruth, PositionTruth

UNIFIED = "unified"
Figure = Callable[[Prices], Decimal]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """
    What is liquidated together.

    `balance` and `requirement` are in `unit` at given prices. `net` is set where assets count
    together: the balance of one asset, whose sign decides at which rate it counts.
    """

    name: str
    unit: str
    legs: tuple[Leg, ...]
    balance: Figure
    requirement: Figure
    net: Callable[[str, Prices], Decimal] | None = None

    def slack(self, prices: Prices) -> Decimal:
        return self.balance(prices) - self.requirement(prices)

    def truth(self, prices: Prices) -> PoolTruth:
        return PoolTruth(
            pool=self.name,
            unit=self.unit,
            margin_balance=self.balance(prices),
            maintenance_margin=self.requirement(prices),
            positions=tuple(self._position(leg, prices) for leg in self.legs),
        )

    def _position(self, leg: Leg, prices: Prices) -> PositionTruth:
        mark = prices.mark(leg)
        return PositionTruth(
            exchange_symbol=leg.symbol.name,
            side="long" if leg.amount > 0 else "short",
            contracts=abs(leg.amount),
            entry_price=leg.entry_price,
            mark_price=mark,
            notional=abs(leg.notional(mark)),
            unrealized_pnl=leg.unrealized_profit(mark),
            maintenance_margin=leg.maint_margin(mark),
            liquidation_price=lambda: self.ends(leg.symbol, prices)[0],
            other_liquidation_price=lambda: self.ends(leg.symbol, prices)[1],
        )

    def ends(self, symbol: Symbol, prices: Prices) -> tuple[Decimal | None, Decimal | None]:
        """
        Give the marks of a symbol that end the pool, nearest first, then in the other direction.

        Collateral in the symbol's coin moves with it, all else stays. A pool that is at its
        end already has the mark itself.
        """
        mark = prices.marks(symbol.name)
        if self.slack(prices) <= 0:
            return mark, None
        found = [root for root in self._roots(symbol, prices, with_coin=True) if root]
        found.sort(key=lambda root: abs(root - mark))
        nearest, other = (*found, None, None)[:2]
        return nearest, other

    def told_price(self, leg: Leg, prices: Prices) -> Decimal | None:
        """
        Give the liquidation price that Binance tells of a leg: all asset rates stay.

        Both legs of a hedged symbol share it in cross mode. It is sought where the net exposure
        hurts (below for a net long, above for a net short or equal legs), and where there is
        none, on the other side. None where no positive price does it.
        """
        down, up = self._roots(leg.symbol, prices, with_coin=False)
        net = sum((other.amount for other in self._legs_of(leg.symbol)), ZERO)
        return (down or up) if net > 0 else (up or down)

    def _roots(
        self, symbol: Symbol, prices: Prices, *, with_coin: bool
    ) -> tuple[Decimal | None, ...]:
        in_coin = symbol.is_coin_margined and self.net is None

        def slack(price: Decimal) -> Decimal:
            left = self.slack(prices.moved(symbol, price, with_coin=with_coin))
            return left * price if in_coin else left

        return roots(slack, prices.marks(symbol.name), self._kinks(symbol, prices))

    def _kinks(self, symbol: Symbol, prices: Prices) -> Iterator[Decimal]:
        legs = self._legs_of(symbol)
        yield from caps(legs)
        if self.net is not None and legs:
            mark = prices.marks(symbol.name)
            zero = turn(legs, self.net(legs[0].margin_asset, prices), mark)
            if zero is not None:
                yield zero

    def _legs_of(self, symbol: Symbol) -> tuple[Leg, ...]:
        return tuple(leg for leg in self.legs if leg.symbol.name == symbol.name)


def pools(ledger: Ledger, marks: Marks, rates: Mapping[str, Rates]) -> tuple[PoolTruth, ...]:
    """Give all margin pools of one engine's ledger at these marks."""
    prices = Prices(marks=marks, rates=rates)
    return tuple(pool.truth(prices) for pool in ledger_pools(ledger))


def ledger_pools(ledger: Ledger) -> tuple[Pool, ...]:
    """
    Give the pools of a ledger: cross ones, then one for each isolated position.

    An asset of which there is nothing but isolated positions has no cross pool.
    """
    if ledger.multi_assets:
        return (_unified(ledger),)
    there = dict.fromkeys(
        (*ledger.cross_wallets, *(leg.margin_asset for leg in ledger.cross_legs()))
    )
    cross = (_cross(ledger, asset) for asset in there)
    return (*cross, *(_isolated(leg) for leg in ledger.legs if leg.is_isolated))


def _unified(ledger: Ledger) -> Pool:
    return Pool(
        name=UNIFIED,
        unit="USD",
        legs=tuple(ledger.cross_legs()),
        balance=lambda prices: ledger.equity(prices.marks, prices.rates),
        requirement=lambda prices: ledger.account_maint_margin(prices.marks, prices.rates),
        net=lambda asset, prices: ledger.cross_balance(asset, prices.marks),
    )


def _cross(ledger: Ledger, asset: str) -> Pool:
    return Pool(
        name=asset,
        unit=asset,
        legs=tuple(ledger.cross_legs(asset)),
        balance=lambda prices: ledger.cross_balance(asset, prices.marks),
        requirement=lambda prices: ledger.cross_maint_margin(asset, prices.marks),
    )


def _isolated(leg: Leg) -> Pool:
    return Pool(
        name=leg.pool,
        unit=leg.margin_asset,
        legs=(leg,),
        balance=partial(_isolated_margin, leg),
        requirement=lambda prices: leg.maint_margin(prices.mark(leg)),
    )


def _isolated_margin(leg: Leg, prices: Prices) -> Decimal:
    return (leg.isolated_wallet or ZERO) + leg.unrealized_profit(prices.mark(leg))
