"""
An OKX trading account as OKX keeps it, in OKX's own words, with exact figures.

All four account modes: `acctLv` 1 (with borrowing a pool, without none), 2 (a pool in each
coin), 3 and 4 (one pool in USD). Rules that OKX does not publish are this simulator's own:

- hedged legs are charged in full, in the tier of the family's larger side;
- an order never fills; it adds to both requirements and takes its opening fee off the equity;
- a coin whose equity outside isolated positions and bots is negative is borrowed, its unpaid
  interest included; isolated positions and bots back nothing but themselves;
- an option counts with its market value, and its margin is what the scenario declares;
- portfolio margin is what the scenario declares, or else (`okx_stress`) one plain shock.

It knows no wire and no clock.

Source: OKX help "Multi-currency margin mode: cross margin", "Futures mode", "Discount rate",
API docs "Get balance" and "Get positions" (2026-06 to 2026-07).
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from monitor.simulator.okx_account import (
    PORTFOLIO,
    ZERO,
    Account,
    MarginPosition,
    Order,
    OtherPosition,
    Position,
    Prices,
)
from monitor.simulator.okx_legs import (
    Debt,
    OrderFigures,
    PositionFigures,
    debt_figures,
    discounted_amount,
    margin_figures,
    notional_of,
    position_figures,
    tier_of,
)
from monitor.simulator.okx_rates import DISCOUNTS, loan_tier
from monitor.simulator.okx_stress import stress_mmr
from monitor.simulator.okx_tables import INSTRUMENTS, PAIRS, Instrument, Tier


@dataclass(frozen=True, slots=True, kw_only=True)
class CoinFigures:
    """
    Figures of one currency, in that currency; `debt` and `discounted` in US dollars.

    `equity` is all that is there (`eq`), `cross_equity` what its own cross pool stands on in
    futures mode; `imr`, `mmr` and `fee` are those of the cross pool, orders included.
    """

    ccy: str
    usd: Decimal
    cash: Decimal
    interest: Decimal
    upl: Decimal
    iso_upl: Decimal
    iso_equity: Decimal
    strategy: Decimal
    options: Decimal
    order_fee: Decimal
    order_imr: Decimal
    imr: Decimal
    mmr: Decimal
    fee: Decimal
    notional: Decimal
    discounted: Decimal  # all of it
    counted: Decimal  # USD; without what is isolated, a bot's, or set aside for orders
    debt: Debt
    has_cross: bool

    @property
    def equity(self) -> Decimal:
        """Source: API docs "Get balance"; exact on the official sample and a recorded row."""
        return self.own + self.iso_equity + self.strategy

    @property
    def own(self) -> Decimal:
        """Without isolated positions and bots."""
        return self.cash + (self.upl - self.iso_upl) + self.options - self.interest

    @property
    def cross_equity(self) -> Decimal:
        return self.own - self.order_fee

    @property
    def requirement(self) -> Decimal:
        return self.mmr + self.fee

    @property
    def borrowed(self) -> Decimal:
        """Interest included; nothing where the account may not borrow."""
        return max(ZERO, -self.own) if self.debt.notional else ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountFigures:
    """Figures of the account, in USD; the requirement is of cross margin, fees included."""

    account: Account
    coins: tuple[CoinFigures, ...]
    positions: tuple[PositionFigures, ...]
    orders: tuple[OrderFigures, ...]
    adjusted_equity: Decimal
    imr: Decimal
    mmr: Decimal
    fee: Decimal

    @property
    def requirement(self) -> Decimal:
        return self.mmr + self.fee

    @property
    def total_equity(self) -> Decimal:
        return sum((coin.equity * coin.usd for coin in self.coins), ZERO)

    @property
    def borrow_imr(self) -> Decimal:
        return sum((coin.debt.imr for coin in self.coins), ZERO)

    @property
    def borrow_notional(self) -> Decimal:
        return sum((coin.debt.notional for coin in self.coins), ZERO)

    def coin(self, ccy: str) -> CoinFigures:
        return next(coin for coin in self.coins if coin.ccy == ccy)


def ratio_text_value(equity: Decimal, requirement: Decimal) -> Decimal | None:
    """`mgnRatio`: equity by requirement; None where nothing is required."""
    return equity / requirement if requirement > 0 else None


def figures(account: Account, prices: Prices) -> AccountFigures:
    """Every figure of the account at these prices."""
    positions = _positions(account, prices)
    orders = tuple(_order(account, o) for o in account.orders)
    coins = tuple(_coin(account, prices, ccy, positions, orders) for ccy in _currencies(account))
    debts = tuple(coin.debt for coin in coins)
    mmr = _total(coins, lambda c: c.mmr) + sum((debt.mmr for debt in debts), ZERO)
    fee = _total(coins, lambda c: c.fee) + sum((debt.fee for debt in debts), ZERO)
    if account.level == PORTFOLIO and account.fixed_mmr is not None:
        mmr, fee = account.fixed_mmr, account.fixed_fee
    elif account.level == PORTFOLIO and account.stress is not None:
        shocked = stress_mmr(positions, {c.ccy: c.usd for c in coins}, account.stress)
        mmr = sum(shocked.values(), ZERO) + sum((debt.mmr for debt in debts), ZERO)
    return AccountFigures(
        account=account,
        coins=coins,
        positions=positions,
        orders=orders,
        adjusted_equity=sum((c.counted for c in coins), ZERO),
        imr=_total(coins, lambda c: c.imr) + sum((debt.imr for debt in debts), ZERO),
        mmr=mmr,
        fee=fee,
    )


def _total(coins: tuple[CoinFigures, ...], part: Callable[[CoinFigures], Decimal]) -> Decimal:
    return sum((part(coin) * coin.usd for coin in coins), ZERO)


def cross_liquidation_price(now: AccountFigures, mine: PositionFigures) -> Decimal | None:
    """
    The mark of this contract at which its cross pool reaches 100 %, other marks at rest.

    All cross legs of the contract move together. None where no positive price does it. The
    collateral's price stays put: whether the exchange's own figure moves it is not documented.
    """
    coin = now.coin(mine.ccy)
    if now.account.is_unified:
        room = (now.adjusted_equity - now.requirement) / coin.usd
    else:
        room = coin.cross_equity - coin.requirement
    legs = [
        p for p in now.positions if p.instrument is mine.instrument and not p.position.is_isolated
    ]
    faces = [leg.position.contracts * leg.instrument.face for leg in legs]
    net = sum((f * leg.position.direction for f, leg in zip(faces, legs, strict=True)), ZERO)
    held = sum((f * _held_rate(leg) for f, leg in zip(faces, legs, strict=True)), ZERO)
    if mine.instrument.is_linear:
        slope = net - held
        price = mine.mark - room / slope if slope else ZERO
    else:
        slope = net + held
        inverted = 1 / mine.mark + room / slope if slope else ZERO
        price = 1 / inverted if inverted > 0 else ZERO
    return price if price > 0 else None


def isolated_liquidation_price(mine: PositionFigures) -> Decimal | None:
    """
    The mark at which an isolated contract reaches 100 %; None where no positive price does.

    Source: recomputed on recorded rows; an inverse one is a tick nearer there, as here.
    """
    face = mine.position.contracts * mine.instrument.face
    margin, entry = mine.position.margin or ZERO, mine.position.avg_px
    long = mine.position.direction > 0
    held = _held_rate(mine)
    if mine.instrument.is_linear:
        price = (
            (entry * face - margin) / (face * (1 - held))
            if long
            else (entry * face + margin) / (face * (1 + held))
        )
    elif long:
        price = face * (1 + held) / (margin + face / entry) + mine.instrument.tick
    elif face / entry > margin:
        price = face * (1 - held) / (face / entry - margin) - mine.instrument.tick
    else:
        price = ZERO
    return price if price > 0 else None


def margin_liquidation_price(mine: PositionFigures) -> Decimal | None:
    """
    The mark at which an isolated MARGIN position reaches 100 %.

    Source: OKX help "Isolated margin"; an official row to 14 digits.
    """
    it = mine.position
    if not isinstance(it, MarginPosition):
        raise TypeError(f"{it.inst_id} is not a MARGIN position")
    grown = (it.owed + it.interest) * (1 + _held_rate(mine))
    return grown / it.held if it.direction > 0 else it.held / grown


def _held_rate(mine: PositionFigures) -> Decimal:
    """Maintenance and fee together, as a rate on the notional."""
    return (mine.mmr + mine.fee) / mine.notional


def _positions(account: Account, prices: Prices) -> tuple[PositionFigures, ...]:
    contracts = []
    for it in account.positions:
        listed = INSTRUMENTS[it.inst_id]
        tier, rate = _tier(account, listed, it), account.taker_of(listed)
        contracts.append(position_figures(it, prices.mark(listed), tier, rate))
    loans = (
        margin_figures(it, prices.mark(PAIRS[it.inst_id]), account.spot_taker_rate)
        for it in account.loans
    )
    return (*contracts, *loans)


def _tier(account: Account, listed: Instrument, position: Position) -> Tier:
    if position.is_isolated:
        return tier_of(listed.family, position.contracts, listed.kind)
    sides = {1: ZERO, -1: ZERO}
    for other in account.positions:
        its = INSTRUMENTS[other.inst_id]
        if (its.family, its.kind) == (listed.family, listed.kind) and not other.is_isolated:
            sides[other.direction] += other.contracts
    return tier_of(listed.family, max(sides.values()), listed.kind)


def _order(account: Account, order: Order) -> OrderFigures:
    instrument = INSTRUMENTS[order.inst_id]
    mine = [p for p in account.positions if p.inst_id == order.inst_id and not p.is_isolated]
    notional = ZERO
    if order.needs_margin and order.price is not None:
        notional = notional_of(instrument, order.contracts, order.price)
    size = order.contracts
    tier = (
        _tier(account, instrument, mine[0])
        if mine
        else tier_of(instrument.family, size, instrument.kind)
    )
    return OrderFigures(
        order=order,
        settle=instrument.settle,
        imr=notional / (mine[0].lever if mine else Decimal(10)),
        mmr=notional * tier.mmr,
        fee=notional * account.taker_of(instrument),
    )


def _currencies(account: Account) -> tuple[str, ...]:
    settles = [INSTRUMENTS[p.inst_id].settle for p in account.positions]
    settles += [INSTRUMENTS[o.inst_id].settle for o in account.orders]
    settles += [other.ccy for other in account.others]
    settles += [loan.ccy for loan in account.loans]
    wallets = [*account.cash, *account.strategy, *account.interest]
    return tuple(dict.fromkeys([*wallets, *settles]))


def _coin(
    account: Account,
    prices: Prices,
    ccy: str,
    positions: tuple[PositionFigures, ...],
    orders: tuple[OrderFigures, ...],
) -> CoinFigures:
    mine = [p for p in positions if p.ccy == ccy]
    cross = [p for p in mine if not p.position.is_isolated]
    isolated = [p for p in mine if p.position.is_isolated]
    waiting = [o for o in orders if o.settle == ccy]
    others = [o for o in account.others if o.ccy == ccy]
    charged: list[PositionFigures | OrderFigures | OtherPosition] = [*cross, *waiting, *others]
    iso_upl = sum((p.upl for p in isolated), ZERO)
    plain_upl = sum((o.upl for o in others if not o.is_option), ZERO)
    upl = sum((p.upl for p in mine), ZERO) + plain_upl
    cash, strategy = account.cash.get(ccy, ZERO), account.strategy.get(ccy, ZERO)
    interest = account.interest.get(ccy, ZERO)
    options = sum((o.worth for o in others if o.is_option), ZERO)
    iso_equity = sum((p.equity for p in isolated), ZERO)
    usd = prices.usd(ccy)
    own = cash + upl - iso_upl + options - interest
    order_fee = sum((o.fee for o in waiting), ZERO)
    slices = () if ccy in account.switched_off else DISCOUNTS.get(ccy, ())
    debt = Debt()
    if account.is_unified and own < 0:
        debt = debt_figures(-own, usd, loan_tier(ccy, -own), account.spot_taker_rate)
    return CoinFigures(
        ccy=ccy,
        usd=usd,
        cash=cash,
        interest=interest,
        upl=upl,
        iso_upl=iso_upl,
        iso_equity=iso_equity,
        strategy=strategy,
        options=options,
        order_fee=order_fee,
        order_imr=sum((o.imr for o in waiting), ZERO),
        imr=sum((x.imr for x in charged), ZERO),
        mmr=sum((x.mmr for x in charged), ZERO),
        fee=sum((x.fee for x in charged), ZERO),
        notional=sum((p.notional for p in cross), ZERO),
        discounted=discounted_amount(own + iso_equity + strategy, slices) * usd,
        counted=(discounted_amount(own, slices) - order_fee) * usd,
        debt=debt,
        has_cross=bool(cross or others),
    )
