"""
A Bybit unified account as Bybit keeps it, in Bybit's own words, with exact figures.

Cross and portfolio margin are one pool; what an isolated position's own pool is stands in
`bybit_isolated`. Rules that Bybit does not publish, or that nobody has seen confirmed, are read
here as the sources describe them:

- the margin of portfolio mode is declared by the scenario; PnL and collateral move, it stays;
- an option's value and margins are declared as well; it counts in portfolio margin only;
- both legs of a hedged symbol are charged in full, each in the tier of its own side;
- a position is charged by the tier that its own value stands in, and the orders that would add
  to it by what they add to the margin of the two together: so both pick their tier together,
  and no part is ever below zero, as it would be with the whole deduction of a higher tier;
- an order never fills and never adds an order loss, wherever the mark goes;
- a debt is the larger of what was borrowed by hand and a negative equity: that of the wire,
  unrealised PnL and option value included; the rate of the tier that holds it applies to all
  of it, without a deduction.

It knows no wire and no clock.

Source: Bybit "Glossary: unified trading account" (2026-03-13), "Maintenance margin" and
"Initial margin" (2025-09-18), "Collateral value ratio tiers" (2025-09-18), "Get Position
Tiers" of spot margin trading.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from monitor.simulator.bybit_account import ZERO, Account, Order, Position, Prices
from monitor.simulator.bybit_tables import (
    ANY_BORROW_TIER,
    BORROW_TIERS,
    COLLATERAL_RATIOS,
    INSTRUMENTS,
    RISK_LIMITS,
    Instrument,
    RatioTier,
    RiskTier,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionFigures:
    """Figures of one position, in its settle coin."""

    position: Position
    instrument: Instrument
    mark: Decimal
    value: Decimal
    risk_value: Decimal  # with the orders of its side
    tier: RiskTier  # of its own value
    initial_margin: Decimal
    maintenance_margin: Decimal
    unrealised_pnl: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFigures:
    order: Order
    settle: str
    initial_margin: Decimal
    maintenance_margin: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class CoinFigures:
    """Figures of one coin of the wallet, in that coin; `counted` is what its ratio leaves."""

    coin: str
    index: Decimal
    wallet: Decimal
    equity: Decimal
    unrealised_pnl: Decimal
    option_value: Decimal
    borrowed: Decimal
    order_im: Decimal
    order_mm: Decimal
    position_im: Decimal
    position_mm: Decimal
    borrow_im: Decimal
    borrow_mm: Decimal
    counted: Decimal
    counted_wallet: Decimal
    counted_pnl: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountFigures:
    """Figures of the account, in USD."""

    coins: tuple[CoinFigures, ...]
    positions: tuple[PositionFigures, ...]
    orders: tuple[OrderFigures, ...]
    total_equity: Decimal
    wallet_balance: Decimal
    unrealised_pnl: Decimal
    margin_balance: Decimal
    haircut_loss: Decimal
    initial_margin: Decimal
    maintenance_margin: Decimal

    @property
    def carrying(self) -> Decimal:
        """What both rates are measured against: margin balance less haircut loss."""
        return self.margin_balance - self.haircut_loss

    @property
    def available(self) -> Decimal:
        return max(ZERO, self.carrying - self.initial_margin)

    def rate(self, margin: Decimal) -> Decimal:
        """Margin by what carries it; `Infinity` where nothing is left to."""
        if margin <= 0:
            return ZERO
        return margin / self.carrying if self.carrying > 0 else Decimal("Infinity")


def tier_of(symbol: str, value: Decimal) -> RiskTier:
    """
    The first tier whose limit holds this value; above the last limit, the last.

    Source: Bybit "Introduction to risk limit": value at the mark, positions and orders together.
    """
    tiers = RISK_LIMITS[symbol]
    return next((tier for tier in tiers if value <= tier.limit), tiers[-1])


def value_at(instrument: Instrument, size: Decimal, price: Decimal) -> Decimal:
    """Value in settle coin: size x price, or USD size by price for an inverse contract."""
    return size * price if instrument.category == "linear" else size / price


def unrealised_pnl(position: Position, mark: Decimal) -> Decimal:
    instrument = INSTRUMENTS[position.symbol]
    sign = 1 if position.side == "Buy" else -1
    if instrument.category == "linear":
        return sign * position.size * (mark - position.pnl_from)
    return sign * position.size * (1 / position.pnl_from - 1 / mark)


def fee_to_close(position: Position, rate: Decimal) -> Decimal:
    """
    The taker fee of closing at the bankruptcy price, part of both margins.

    Source: Bybit "Initial margin" (2025-09-18) for linear; the inverse one is the same idea
    at the bankruptcy price E L / (L +/- 1), not confirmed on a wire.
    """
    instrument = INSTRUMENTS[position.symbol]
    toward = -1 if (position.side == "Buy") == (instrument.category == "linear") else 1
    value = value_at(instrument, position.size, position.entry)
    return value * (1 + toward / position.leverage) * rate


def tiered_margin(symbol: str, value: Decimal) -> Decimal:
    """
    Maintenance margin of a position of this value, in settle coin, without the fee to close.

    Source: Bybit "Maintenance margin" (2025-09-18): value x rate less the tier's deduction.
    """
    tier = tier_of(symbol, value)
    return value * tier.maintenance_rate - tier.deduction


def position_figures(
    position: Position,
    mark: Decimal,
    rate: Decimal,
    *,
    beside: Decimal = ZERO,
    isolated: bool = False,
) -> PositionFigures:
    """
    Figures of a position beside which orders of this value are open.

    Isolated, the initial margin keeps the entry price.
    """
    instrument = INSTRUMENTS[position.symbol]
    value = value_at(instrument, position.size, mark)
    fee = fee_to_close(position, rate)
    charged = value_at(instrument, position.size, position.entry) if isolated else value
    return PositionFigures(
        position=position,
        instrument=instrument,
        mark=mark,
        value=value,
        risk_value=value + beside,
        tier=tier_of(position.symbol, value),
        initial_margin=charged / position.leverage + fee,
        maintenance_margin=tiered_margin(position.symbol, value) + fee,
        unrealised_pnl=unrealised_pnl(position, mark),
    )


def order_figures(
    order: Order, leverage: Decimal, rate: Decimal, *, beside: Decimal = ZERO
) -> OrderFigures:
    """
    Both margins of an open order, in its settle coin; none for one that only reduces.

    Args:
        beside: Value of the position, and of the orders before this one, on its side.

    Source: recomputed to eight decimals on a testnet answer of 2025-01, in the lowest tier.
    """
    instrument = INSTRUMENTS[order.symbol]
    value = order_value(order)
    toward = -1 if (order.side == "Buy") == (instrument.category == "linear") else 1
    fees = value * rate + value * (1 + toward / leverage) * rate
    added = tiered_margin(order.symbol, beside + value) - tiered_margin(order.symbol, beside)
    return OrderFigures(
        order=order,
        settle=instrument.settle,
        initial_margin=value / leverage + fees,
        maintenance_margin=added + fees,
    )


def order_value(order: Order) -> Decimal:
    """At its price, in settle coin; 0 of one that needs no margin."""
    if not order.needs_margin or order.price is None:
        return ZERO
    return value_at(INSTRUMENTS[order.symbol], order.qty, order.price)


def counted_amount(amount: Decimal, tiers: tuple[RatioTier, ...]) -> Decimal:
    """What of an amount counts: each slice at its own ratio; a negative amount in full."""
    if amount <= 0:
        return amount
    total = ZERO
    for tier in tiers:
        top = amount if tier.cap is None else min(amount, tier.cap)
        if top > tier.floor:
            total += (top - tier.floor) * tier.ratio
    return total


def counts(account: Account, coin: str) -> bool:
    """Whether platform and user let the coin be collateral."""
    return coin in COLLATERAL_RATIOS and coin not in account.switched_off


def figures(account: Account, prices: Prices) -> AccountFigures:
    """Every figure of the account at these prices."""
    ordered = _ordered(account)
    positions = tuple(
        position_figures(
            p,
            prices.mark(INSTRUMENTS[p.symbol]),
            account.charged_rate,
            beside=ordered.get((p.symbol, p.side), ZERO),
            isolated=account.isolated,
        )
        for p in account.positions
    )
    orders = tuple(_orders(account, positions))
    coins = tuple(_coin(account, prices, coin, positions, orders) for coin in _coins(account))
    initial, maintenance = _margins(account, coins)
    return AccountFigures(
        coins=coins,
        positions=positions,
        orders=orders,
        total_equity=sum((c.equity * c.index for c in coins), ZERO),
        wallet_balance=sum((c.counted_wallet * c.index for c in coins), ZERO),
        unrealised_pnl=sum((c.counted_pnl * c.index for c in coins), ZERO),
        margin_balance=sum((c.counted * c.index for c in coins), ZERO),
        haircut_loss=account.haircut_loss,
        initial_margin=initial,
        maintenance_margin=maintenance,
    )


def _ordered(account: Account) -> dict[tuple[str, str], Decimal]:
    """Value of the opening orders on each side of each symbol, at their prices."""
    values: dict[tuple[str, str], Decimal] = {}
    for o in account.orders:
        values[o.symbol, o.side] = values.get((o.symbol, o.side), ZERO) + order_value(o)
    return values


def _orders(account: Account, positions: tuple[PositionFigures, ...]) -> Iterator[OrderFigures]:
    """Each order on top of the position, and of the orders before it, on its side."""
    leverage = {(p.symbol, p.side): p.leverage for p in account.positions}
    beside: dict[tuple[str, str], Decimal] = {}
    for p in positions:
        side = p.position.symbol, p.position.side
        beside[side] = beside.get(side, ZERO) + p.value
    for o in account.orders:
        side = o.symbol, o.side
        used = leverage.get(side) or _any_leverage(account, o.symbol)
        yield order_figures(o, used, account.charged_rate, beside=beside.get(side, ZERO))
        beside[side] = beside.get(side, ZERO) + order_value(o)


def _margins(account: Account, coins: tuple[CoinFigures, ...]) -> tuple[Decimal, Decimal]:
    """Initial and maintenance margin in USD: positions, orders and debts, or as declared."""
    if account.portfolio:
        return account.declared_im, account.declared_mm
    return (
        sum(((c.position_im + c.order_im + c.borrow_im) * c.index for c in coins), ZERO),
        sum(((c.position_mm + c.order_mm + c.borrow_mm) * c.index for c in coins), ZERO),
    )


def _any_leverage(account: Account, symbol: str) -> Decimal:
    return next((p.leverage for p in account.positions if p.symbol == symbol), Decimal(10))


def risk_values(account: Account, prices: Prices) -> dict[tuple[str, str], Decimal]:
    """Value of each side of each symbol: positions at the mark, opening orders at their price."""
    values: dict[tuple[str, str], Decimal] = {}
    for p in account.positions:
        instrument = INSTRUMENTS[p.symbol]
        value = value_at(instrument, p.size, prices.mark(instrument))
        values[p.symbol, p.side] = values.get((p.symbol, p.side), ZERO) + value
    for side, value in _ordered(account).items():
        values[side] = values.get(side, ZERO) + value
    return values


def _coins(account: Account) -> tuple[str, ...]:
    settles = [INSTRUMENTS[p.symbol].settle for p in account.positions]
    settles += [INSTRUMENTS[o.symbol].settle for o in account.orders]
    settles += [o.settle for o in account.options]
    return tuple(dict.fromkeys([*account.wallets, *account.spot_borrow, *settles]))


def _coin(
    account: Account,
    prices: Prices,
    coin: str,
    positions: tuple[PositionFigures, ...],
    orders: tuple[OrderFigures, ...],
) -> CoinFigures:
    mine = [p for p in positions if p.instrument.settle == coin]
    waiting = [o for o in orders if o.settle == coin]
    options = [o for o in account.options if o.settle == coin]
    pnl = sum((p.unrealised_pnl for p in mine), ZERO)
    wallet, spot_borrow = account.wallets.get(coin, ZERO), account.spot_borrow.get(coin, ZERO)
    perpetual = wallet - spot_borrow + pnl
    option_value = sum((o.market_value for o in options), ZERO)
    ratios = COLLATERAL_RATIOS[coin] if counts(account, coin) else ()
    counted_wallet = counted_amount(wallet - spot_borrow, ratios)
    borrowed = max(spot_borrow, -(perpetual + option_value), ZERO)
    tier = _borrow_rates(coin, borrowed)
    return CoinFigures(
        coin=coin,
        index=prices.index(coin),
        wallet=wallet,
        equity=perpetual + option_value,
        unrealised_pnl=pnl,
        option_value=option_value,
        borrowed=borrowed,
        order_im=sum((o.initial_margin for o in waiting), ZERO),
        order_mm=sum((o.maintenance_margin for o in waiting), ZERO),
        position_im=sum((p.initial_margin for p in mine), ZERO)
        + sum((o.initial_margin for o in options), ZERO),
        position_mm=sum((p.maintenance_margin for p in mine), ZERO)
        + sum((o.maintenance_margin for o in options), ZERO),
        borrow_im=borrowed * tier[0],
        borrow_mm=borrowed * tier[1],
        counted=counted_amount(perpetual + option_value * account.portfolio, ratios),
        counted_wallet=counted_wallet,
        counted_pnl=counted_amount(perpetual, ratios) - counted_wallet,
    )


def _borrow_rates(coin: str, amount: Decimal) -> tuple[Decimal, Decimal]:
    tiers = BORROW_TIERS.get(coin, (ANY_BORROW_TIER,))
    tier = next((tier for tier in tiers if amount <= tier.cap), tiers[-1])
    return tier.initial_rate, tier.maintenance_rate
