"""
A Bybit unified account as Bybit keeps it, in Bybit's own words, with exact figures.

Cross and portfolio margin are one pool; what an isolated position's own pool is stands in
`bybit_isolated`. Rules that Bybit does not publish, or that nobody has seen confirmed, are read
here as the sources describe them:

- the margin of portfolio mode is declared by the scenario; PnL and collateral move, it stays;
- an option's value and margins are declared as well; it counts in portfolio margin only;
- both legs of a hedged symbol are charged in full, each in the tier of its own side, orders
  that would open it included;
- an order never fills and never adds an order loss, wherever the mark goes;
- a debt is the larger of what was borrowed by hand and a negative equity: that of the wire,
  unrealised PnL and option value included; the rate of the tier that holds it applies to all
  of it, without a deduction.

It knows no wire and no clock.

Source: Bybit "Glossary: unified trading account" (2026-03-13), "Maintenance margin" and
"Initial margin" (2025-09-18), "Collateral value ratio tiers" (2025-09-18), "Get Position
Tiers" of spot margin trading.
"""

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
    risk_value: Decimal  # what picks the tier: orders of its side included
    tier: RiskTier
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


def position_figures(
    position: Position,
    mark: Decimal,
    risk_value: Decimal,
    rate: Decimal,
    *,
    isolated: bool = False,
) -> PositionFigures:
    """
    Figures of a position whose side of the symbol has this value, orders included.

    Isolated, the initial margin keeps the entry price.
    """
    instrument = INSTRUMENTS[position.symbol]
    value = value_at(instrument, position.size, mark)
    tier = tier_of(position.symbol, risk_value)
    fee = fee_to_close(position, rate)
    charged = value_at(instrument, position.size, position.entry) if isolated else value
    return PositionFigures(
        position=position,
        instrument=instrument,
        mark=mark,
        value=value,
        risk_value=risk_value,
        tier=tier,
        initial_margin=charged / position.leverage + fee,
        maintenance_margin=value * tier.maintenance_rate - tier.deduction + fee,
        unrealised_pnl=unrealised_pnl(position, mark),
    )


def order_figures(
    order: Order, leverage: Decimal, risk_value: Decimal, rate: Decimal
) -> OrderFigures:
    """
    Both margins of an open order, in its settle coin; none for one that only reduces.

    Source: recomputed to eight decimals on a testnet answer of 2025-01.
    """
    instrument = INSTRUMENTS[order.symbol]
    if not order.needs_margin or order.price is None:
        nothing = ZERO
        return OrderFigures(
            order=order,
            settle=instrument.settle,
            initial_margin=nothing,
            maintenance_margin=nothing,
        )
    value = value_at(instrument, order.qty, order.price)
    toward = -1 if (order.side == "Buy") == (instrument.category == "linear") else 1
    fees = value * rate + value * (1 + toward / leverage) * rate
    tier = tier_of(order.symbol, risk_value)
    return OrderFigures(
        order=order,
        settle=instrument.settle,
        initial_margin=value / leverage + fees,
        maintenance_margin=value * tier.maintenance_rate + fees,
    )


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
    risk = risk_values(account, prices)
    leverage = {(p.symbol, p.side): p.leverage for p in account.positions}
    positions = tuple(
        position_figures(
            p,
            prices.mark(INSTRUMENTS[p.symbol]),
            risk[p.symbol, p.side],
            account.charged_rate,
            isolated=account.isolated,
        )
        for p in account.positions
    )
    orders = tuple(
        order_figures(
            o,
            leverage.get((o.symbol, o.side)) or _any_leverage(account, o.symbol),
            risk.get((o.symbol, o.side), ZERO),
            account.charged_rate,
        )
        for o in account.orders
    )
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


def _margins(account: Account, coins: tuple[CoinFigures, ...]) -> tuple[Decimal, Decimal]:
    """Initial and maintenance margin in USD: positions, orders and debts, or as declared."""
    if account.portfolio:
        return account.declared_im, account.declared_mm
    return (
        sum(((c.position_im + c.order_im + c.borrow_im) * c.index for c in coins), ZERO),
        sum(((c.position_mm + c.order_mm + c.borrow_mm) * c.index for c in coins), ZERO),
    )


def estimated_liquidation_price(
    all_figures: AccountFigures, mine: PositionFigures
) -> Decimal | None:
    """
    The price that the position list shows: room by size, a settle coin taken as one dollar.

    None where it lies outside the price limits, for an inverse contract (no published rule
    for cross), and for the smaller leg of a hedge, which can't be the one that triggers.
    """
    if mine.instrument.category == "inverse":
        return None
    net = _net_size(all_figures, mine)
    if net <= 0:
        return None
    room = all_figures.carrying - all_figures.maintenance_margin
    sign = 1 if mine.position.side == "Buy" else -1
    price = mine.mark - sign * room / net
    inside = mine.instrument.least_price <= price <= mine.instrument.greatest_price
    return price if inside else None


def _net_size(all_figures: AccountFigures, mine: PositionFigures) -> Decimal:
    opposite = sum(
        (
            other.position.size
            for other in all_figures.positions
            if other.position.symbol == mine.position.symbol
            and other.position.side != mine.position.side
        ),
        ZERO,
    )
    return mine.position.size - opposite


def _any_leverage(account: Account, symbol: str) -> Decimal:
    return next((p.leverage for p in account.positions if p.symbol == symbol), Decimal(10))


def risk_values(account: Account, prices: Prices) -> dict[tuple[str, str], Decimal]:
    """Value of each side of each symbol: positions at the mark, opening orders at their price."""
    values: dict[tuple[str, str], Decimal] = {}
    for p in account.positions:
        instrument = INSTRUMENTS[p.symbol]
        value = value_at(instrument, p.size, prices.mark(instrument))
        values[p.symbol, p.side] = values.get((p.symbol, p.side), ZERO) + value
    for o in account.orders:
        if o.needs_margin and o.price is not None:
            value = value_at(INSTRUMENTS[o.symbol], o.qty, o.price)
            values[o.symbol, o.side] = values.get((o.symbol, o.side), ZERO) + value
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
