"""
An OKX trading account as OKX keeps it, in OKX's own words, with exact figures.

`acctLv` 2 (futures mode) and 3 (multi-currency margin) are computed; 4 has a declared
maintenance requirement, 1 has none. Rules that OKX does not publish are this simulator's own:

- hedged legs are charged in full, in the tier of the family's larger side;
- an order never fills; it adds to both requirements and takes its opening fee off the equity;
- any negative equity of a coin in multi-currency margin is a borrowing.

It knows no wire and no clock.

Source: OKX help "Multi-currency margin mode: cross margin", "Futures mode", "Discount rate",
API docs "Get balance" and "Get positions" (2026-06 to 2026-07); fees in the requirement as
recomputed on recorded rows.
"""

from dataclasses import dataclass
from decimal import Decimal

from monitor.simulator.okx_account import (
    MULTI_CURRENCY,
    PORTFOLIO,
    ZERO,
    Account,
    Order,
    OtherPosition,
    Position,
    Prices,
)
from monitor.simulator.okx_tables import (
    ANY_BORROW_RATES,
    BORROW_RATES,
    DISCOUNTS,
    INSTRUMENTS,
    TIERS,
    Discount,
    Instrument,
    Tier,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionFigures:
    """Figures of one position, in its settle coin; `fee` is the one of being liquidated."""

    position: Position
    instrument: Instrument
    mark: Decimal
    notional: Decimal
    tier: Tier
    upl: Decimal
    imr: Decimal
    mmr: Decimal
    fee: Decimal

    @property
    def equity(self) -> Decimal:
        """Equity of an isolated position: its margin and its profit."""
        return (self.position.margin or ZERO) + self.upl


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFigures:
    order: Order
    settle: str
    imr: Decimal
    mmr: Decimal
    fee: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class CoinFigures:
    """
    Figures of one currency, in that currency.

    `equity` is all that is there (`eq`), `cross_equity` what its own cross pool stands on in
    futures mode; `imr`, `mmr` and `fee` are those of the cross pool, orders included.
    """

    ccy: str
    usd: Decimal
    cash: Decimal
    upl: Decimal
    iso_upl: Decimal
    iso_equity: Decimal
    strategy: Decimal
    order_fee: Decimal
    order_imr: Decimal
    imr: Decimal
    mmr: Decimal
    fee: Decimal
    notional: Decimal
    discounted: Decimal  # USD
    has_cross: bool

    @property
    def equity(self) -> Decimal:
        """Source: API docs "Get balance"; exact on the official sample and a recorded row."""
        return self.cash + (self.upl - self.iso_upl) + self.iso_equity + self.strategy

    @property
    def cross_equity(self) -> Decimal:
        return self.cash + (self.upl - self.iso_upl) - self.order_fee

    @property
    def requirement(self) -> Decimal:
        return self.mmr + self.fee

    @property
    def borrowed(self) -> Decimal:
        return max(ZERO, -self.equity)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountFigures:
    """Figures of the account, in USD; the requirement is of cross margin, fees included."""

    level: str
    coins: tuple[CoinFigures, ...]
    positions: tuple[PositionFigures, ...]
    orders: tuple[OrderFigures, ...]
    adjusted_equity: Decimal
    imr: Decimal
    mmr: Decimal
    fee: Decimal
    borrow_imr: Decimal
    borrow_notional: Decimal

    @property
    def requirement(self) -> Decimal:
        return self.mmr + self.fee

    @property
    def total_equity(self) -> Decimal:
        return sum((coin.equity * coin.usd for coin in self.coins), ZERO)

    def coin(self, ccy: str) -> CoinFigures:
        return next(coin for coin in self.coins if coin.ccy == ccy)


def ratio_text_value(equity: Decimal, requirement: Decimal) -> Decimal | None:
    """`mgnRatio`: equity by requirement; None where nothing is required."""
    return equity / requirement if requirement > 0 else None


def notional_of(instrument: Instrument, contracts: Decimal, price: Decimal) -> Decimal:
    """Notional in settle coin: base by price, or USD face by price."""
    face = contracts * instrument.face
    return face * price if instrument.is_linear else face / price


def unrealised_pnl(position: Position, mark: Decimal) -> Decimal:
    instrument = INSTRUMENTS[position.inst_id]
    face = position.contracts * instrument.face * position.direction
    if instrument.is_linear:
        return face * (mark - position.avg_px)
    return face * (1 / position.avg_px - 1 / mark)


def tier_of(family: str, contracts: Decimal) -> Tier:
    """
    The first tier that holds so many contracts; above the last, the last.

    Its rate is applied to the whole position.

    Source: OKX help "Position tiers" and clearing page (2024-06).
    """
    tiers = TIERS[family]
    return next((tier for tier in tiers if contracts <= tier.max_size), tiers[-1])


def position_figures(
    position: Position, mark: Decimal, tier: Tier, taker_rate: Decimal
) -> PositionFigures:
    instrument = INSTRUMENTS[position.inst_id]
    notional = notional_of(instrument, position.contracts, mark)
    return PositionFigures(
        position=position,
        instrument=instrument,
        mark=mark,
        notional=notional,
        tier=tier,
        upl=unrealised_pnl(position, mark),
        imr=notional / position.lever,
        mmr=notional * tier.mmr,
        fee=notional * taker_rate,
    )


def discounted_amount(amount: Decimal, slices: tuple[Discount, ...]) -> Decimal:
    """What of an amount counts: each slice at its rate; a liability in full."""
    if amount <= 0:
        return amount
    total = ZERO
    for part in slices:
        top = amount if part.cap is None else min(amount, part.cap)
        if top > part.floor:
            total += (top - part.floor) * part.rate
    return total


def figures(account: Account, prices: Prices) -> AccountFigures:
    """Every figure of the account at these prices."""
    positions = tuple(
        position_figures(
            p, prices.mark(INSTRUMENTS[p.inst_id]), _tier(account, p), account.taker_rate
        )
        for p in account.positions
    )
    orders = tuple(_order(account, o) for o in account.orders)
    coins = tuple(_coin(account, prices, ccy, positions, orders) for ccy in _currencies(account))
    borrowings = [_borrowing(account, coin) for coin in coins]
    mmr = sum((c.mmr * c.usd for c in coins), ZERO) + sum((b[1] for b in borrowings), ZERO)
    fee = sum((c.fee * c.usd for c in coins), ZERO) + sum((b[2] for b in borrowings), ZERO)
    if account.level == PORTFOLIO and account.fixed_mmr is not None:
        mmr, fee = account.fixed_mmr, ZERO
    away = sum(((c.iso_equity + c.strategy + c.order_fee) * c.usd for c in coins), ZERO)
    borrow_imr = sum((b[0] for b in borrowings), ZERO)
    return AccountFigures(
        level=account.level,
        coins=coins,
        positions=positions,
        orders=orders,
        adjusted_equity=sum((c.discounted for c in coins), ZERO) - away,
        imr=sum((c.imr * c.usd for c in coins), ZERO) + borrow_imr,
        mmr=mmr,
        fee=fee,
        borrow_imr=borrow_imr,
        borrow_notional=sum((b[3] for b in borrowings), ZERO),
    )


def cross_liquidation_price(now: AccountFigures, mine: PositionFigures) -> Decimal | None:
    """
    The mark of this instrument at which its cross pool reaches 100 %, other marks at rest.

    All cross legs of the instrument move together. None where no positive price does it. The
    collateral's price stays put: whether the exchange's own figure moves it is not documented.
    """
    coin = now.coin(mine.instrument.settle)
    if now.level in {MULTI_CURRENCY, PORTFOLIO}:
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
    The mark at which an isolated position reaches 100 %; None where no positive price does.

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


def _held_rate(mine: PositionFigures) -> Decimal:
    """Maintenance and fee together, as a rate on the notional."""
    return (mine.mmr + mine.fee) / mine.notional


def _tier(account: Account, position: Position) -> Tier:
    family = INSTRUMENTS[position.inst_id].family
    if position.is_isolated:
        return tier_of(family, position.contracts)
    sides = {1: ZERO, -1: ZERO}
    for other in account.positions:
        if INSTRUMENTS[other.inst_id].family == family and not other.is_isolated:
            sides[other.direction] += other.contracts
    return tier_of(family, max(sides.values()))


def _order(account: Account, order: Order) -> OrderFigures:
    instrument = INSTRUMENTS[order.inst_id]
    mine = [p for p in account.positions if p.inst_id == order.inst_id and not p.is_isolated]
    notional = ZERO
    if order.needs_margin and order.price is not None:
        notional = notional_of(instrument, order.contracts, order.price)
    tier = _tier(account, mine[0]) if mine else tier_of(instrument.family, order.contracts)
    return OrderFigures(
        order=order,
        settle=instrument.settle,
        imr=notional / (mine[0].lever if mine else Decimal(10)),
        mmr=notional * tier.mmr,
        fee=notional * account.taker_rate,
    )


def _currencies(account: Account) -> tuple[str, ...]:
    settles = [INSTRUMENTS[p.inst_id].settle for p in account.positions]
    settles += [INSTRUMENTS[o.inst_id].settle for o in account.orders]
    settles += [o.ccy for o in account.others]
    return tuple(dict.fromkeys([*account.cash, *account.strategy, *settles]))


def _coin(
    account: Account,
    prices: Prices,
    ccy: str,
    positions: tuple[PositionFigures, ...],
    orders: tuple[OrderFigures, ...],
) -> CoinFigures:
    mine = [p for p in positions if p.instrument.settle == ccy]
    cross = [p for p in mine if not p.position.is_isolated]
    isolated = [p for p in mine if p.position.is_isolated]
    waiting = [o for o in orders if o.settle == ccy]
    others = [o for o in account.others if o.ccy == ccy]
    charged: list[PositionFigures | OrderFigures | OtherPosition] = [*cross, *waiting, *others]
    iso_upl = sum((p.upl for p in isolated), ZERO)
    upl = sum((p.upl for p in mine), ZERO) + sum((o.upl for o in others), ZERO)
    cash, strategy = account.cash.get(ccy, ZERO), account.strategy.get(ccy, ZERO)
    iso_equity = sum((p.equity for p in isolated), ZERO)
    usd = prices.usd(ccy)
    equity = cash + upl - iso_upl + iso_equity + strategy
    slices = () if ccy in account.switched_off else DISCOUNTS.get(ccy, ())
    return CoinFigures(
        ccy=ccy,
        usd=usd,
        cash=cash,
        upl=upl,
        iso_upl=iso_upl,
        iso_equity=iso_equity,
        strategy=strategy,
        order_fee=sum((o.fee for o in waiting), ZERO),
        order_imr=sum((o.imr for o in waiting), ZERO),
        imr=sum((x.imr for x in charged), ZERO),
        mmr=sum((x.mmr for x in charged), ZERO),
        fee=sum((x.fee for x in charged), ZERO),
        notional=sum((p.notional for p in cross), ZERO),
        discounted=discounted_amount(equity, slices) * usd,
        has_cross=bool(cross or others),
    )


def _borrowing(account: Account, coin: CoinFigures) -> tuple[Decimal, Decimal, Decimal, Decimal]:
    """Initial, maintenance, fee and notional of what is owed in a coin, in USD."""
    if account.level != MULTI_CURRENCY:
        return ZERO, ZERO, ZERO, ZERO
    owed = coin.borrowed * coin.usd
    mmr, imr = BORROW_RATES.get(coin.ccy, ANY_BORROW_RATES)
    return owed * imr, owed * mmr, owed * (1 + mmr) * account.spot_taker_rate, owed
