"""
The named part of a pool that our rules leave out, taken over from OKX as constants.

What they leave out are open orders (their margin, their fees, coins that they hold back),
options, whose margin is a model of OKX's own, and, against the whole account, how isolated
margin and bots are taken off the adjusted equity; of portfolio margin all maintenance margin.
Only where OKX shows such a thing is a remainder taken over, and no more of it than that thing
can explain: anything else is a difference between them and us, and must show as one.

Source: OKX help, «Maintenance margin ratio» (futures and multi-currency mode), «Portfolio
margin»; API guide, «Get balance», copies of July 2026.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from monitor.risk.carried import CarriedMargin
from monitor.risk.collateral import debt, worth
from monitor.risk.model import ONE, ZERO
from monitor.risk.tiers import tier_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from monitor.exchanges.okx.held import Held
    from monitor.exchanges.okx.legs import Leg
    from monitor.exchanges.okx.rows import Coin, Totals
    from monitor.risk.model import Collateral

# Maintenance margin above that of the rows by less than this is a price that moved meanwhile.
_VISIBLE = Decimal("0.001")
# No order's fee is more than this part of its margin: the dearest fee (0.1 %) over the lowest
# maintenance rate (0.4 %).
_DEAREST_FEE = Decimal("0.25")
# An option's fee is at most an eighth of its premium, and at most its margin's part as above.
_OPTION_FEE = Decimal("0.125")

# What two sums of the wire's own figures may differ by, in parts of the larger.
_DIGITS = Decimal("1e-12")

ORDERS = "margin of open orders"
HELD_BACK = "coins that open orders hold back"
GROWING = "margin of options, assumed to grow with their coin's price until the next reading"
ELSEWHERE = "isolated margin and bots, as they are taken off the adjusted equity"
STRESS = "maintenance margin of portfolio margin's stress test, with its liquidation cost"


@dataclass(frozen=True, slots=True, kw_only=True)
class Remainder:
    """
    Amounts in the pool's unit that are taken over from OKX as constants, and what they are.

    `held_back` is the part of a negative `balance` that open orders hold back; `margins`, taken
    over beside `maintenance`, is what moves with a price.
    """

    balance: Decimal = ZERO
    maintenance: Decimal = ZERO
    margins: tuple[CarriedMargin, ...] = ()
    initial: Decimal = ZERO
    held_back: Decimal = ZERO
    words: tuple[str, ...] = ()

    @property
    def is_nothing(self) -> bool:
        return not (self.balance or self.maintenance or self.margins or self.initial)

    def within(self, assets: Collection[str]) -> Remainder:
        """The same in a pool of these assets: margin in another stays as OKX said it."""
        gone = _least(each for each in self.margins if each.asset not in assets)
        there = tuple(each for each in self.margins if each.asset in assets)
        return replace(self, maintenance=self.maintenance + gone, margins=there)


NOTHING = Remainder()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """
    What the cross rows of a pool, and its debts, add up to, in its unit.

    `maintenance` and `fees` are of what is modelled. `opaque` is the maintenance margin of
    rows that are not (options), `growing` how it is assumed to grow, `worth` the most that
    their equity and `opaque_fees` the most that their liquidation fees can come to.
    """

    maintenance: Decimal
    fees: Decimal
    initial: Decimal | None
    opaque: Decimal = ZERO
    growing: tuple[CarriedMargin, ...] = ()
    opaque_fees: Decimal = ZERO
    worth: Decimal = ZERO

    @property
    def needed(self) -> Decimal:
        """All that the rows are known to need."""
        return self.maintenance + self.fees + self.opaque

    @property
    def is_something(self) -> bool:
        return bool(self.needed or self.worth)

    def with_debts(self, maintenance: Decimal, fees: Decimal, initial: Decimal) -> Rows:
        mine = None if self.initial is None else self.initial + initial
        return Rows(
            maintenance=self.maintenance + maintenance,
            fees=self.fees + fees,
            initial=mine,
            opaque=self.opaque,
            growing=self.growing,
            opaque_fees=self.opaque_fees,
            worth=self.worth,
        )


def sum_rows(
    legs: Iterable[Leg], opaque: Iterable[Held], prices: Mapping[str, Decimal]
) -> Rows | None:
    """The sum of the rows' own words; None where a modelled one does not tell its margin."""
    maintenance = fees = ZERO
    initial: Decimal | None = ZERO
    for leg in legs:
        price, row, fee = prices[leg.row.ccy], leg.row, leg.fee
        if row.maintenance is None or fee is None:
            return None
        maintenance += row.maintenance * price
        fees += fee * price
        told = row.initial
        initial = None if initial is None or told is None else initial + told * price
    margin = fee_reach = reach = ZERO
    growing = []
    for held in opaque:
        price = prices.get(held.ccy, ZERO)
        premium, needs = abs(held.option_value) * price, (held.maintenance or ZERO) * price
        margin += needs
        growing += [_growing(held, price, needs)] if needs else []
        fee_reach += _OPTION_FEE * premium + _DEAREST_FEE * needs
        reach += premium + abs(held.pnl or ZERO) * price
        told = held.initial or ZERO
        initial = None if initial is None else initial + told * price
    return Rows(
        maintenance=maintenance,
        fees=fees,
        initial=initial,
        opaque=margin,
        growing=tuple(growing),
        opaque_fees=fee_reach,
        worth=reach,
    )


def _growing(held: Held, price: Decimal, needs: Decimal) -> CarriedMargin:
    """
    What an option needs, in the pool's unit: it grows with its notional, and never falls.

    An assumption, unverified: the margin of options is a model of OKX's own. A put's is taken
    to grow by as much as its coin falls. The next reading tells what became of it.
    """
    each = needs / price
    if held.is_put:
        return CarriedMargin(asset=held.ccy, per_price=-each, fixed=2 * needs, least=needs)
    return CarriedMargin(asset=held.ccy, per_price=each, least=needs)


def _with_fees(growing: tuple[CarriedMargin, ...], fees: Decimal) -> tuple[CarriedMargin, ...]:
    """The same, with fees on top that grow alike."""
    return tuple(each.times(ONE + fees / _least(growing)) for each in growing)


def _least(growing: Iterable[CarriedMargin]) -> Decimal:
    """What OKX said of them, as long as no price is against them."""
    return sum((each.least for each in growing), ZERO)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Orders:
    """What open orders need beyond the rows: margins in the pool's unit."""

    maintenance: Decimal
    initial: Decimal


def _orders(
    told: Decimal | None,
    initial: Decimal | None,
    rows: Rows,
    *,
    frozen: Decimal,
    must_freeze: bool = False,
) -> _Orders | None:
    """
    None where nothing shows that there are any orders.

    Args:
        must_freeze: More margin alone shows none: a debt may be the reason for it.
    """
    more = (told or ZERO) - rows.maintenance - rows.opaque
    more_initial = None if initial is None or rows.initial is None else initial - rows.initial
    grown = more > _VISIBLE * (told or ZERO)
    if more_initial is not None:
        grown = grown and more_initial > _VISIBLE * (initial or ZERO)
    if not frozen and (must_freeze or not grown):
        return None
    return _Orders(maintenance=max(more, ZERO), initial=max(more_initial or ZERO, ZERO))


def coin_remainder(coin: Coin, rows: Rows | None, told: Decimal, ours: Decimal) -> Remainder:
    """
    What open orders and options take from, or bring to, a coin's own pool in futures mode.

    The orders' margin is OKX's less its rows'. Their fee counts twice: what opening would
    cost is off the equity, what liquidating would is in the requirement. Beyond that, and
    beyond what the dearest fee can come to, coins are held back; never more than the orders
    freeze. The ratio is then OKX's, whatever of it is fee and whatever is held back.

    Args:
        told: The pool's equity by the balance's own words; `ours` by our sum of its parts.
    """
    if rows is None:
        return NOTHING
    valued = _within(_beyond(told, ours), -rows.worth, rows.worth)
    orders = _orders(coin.maintenance, coin.initial, rows, frozen=coin.frozen)
    ratio = coin.margin_ratio
    extra = ZERO if ratio is None or ratio <= ZERO else told / ratio - rows.needed
    if orders is None:
        fees = _within(extra, ZERO, rows.opaque_fees)
        return Remainder(balance=valued, maintenance=rows.opaque + fees)
    needed, fees, held_back = rows.needed + orders.maintenance, ZERO, ZERO
    if ratio is None or ratio <= ZERO:
        fees = orders.maintenance * rows.fees / rows.maintenance if rows.maintenance else ZERO
    else:
        # Once off the equity, for opening, and once in the requirement, for liquidating.
        twice = (told - ratio * needed) / (ONE + ratio)
        fees = _within(twice, ZERO, _DEAREST_FEE * orders.maintenance + rows.opaque_fees)
        held_back = max(told - ratio * (needed + fees), ZERO)
        held_back = min(held_back, max(coin.frozen, orders.initial))
    return Remainder(
        balance=valued - held_back,
        maintenance=rows.opaque + orders.maintenance + fees,
        initial=orders.initial,
        held_back=held_back,
        words=_words((orders.maintenance or orders.initial, ORDERS), (held_back, HELD_BACK)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Backing:
    """A coin's own words beside what it is as collateral, and its PnL as it was told."""

    coin: Coin
    collateral: Collateral
    pnl: Decimal

    @property
    def counted(self) -> Decimal:
        """What it counts, in USD."""
        amount = self.collateral.balance + self.pnl
        return worth(self.collateral, amount, self.collateral.price)

    def debts(self) -> tuple[Decimal, Decimal, Decimal]:
        """Maintenance margin, fee and initial margin of what is owed of it, in USD."""
        borrow, price = self.collateral.borrow, self.collateral.price
        owed = debt(self.collateral, self.collateral.balance + self.pnl)
        if borrow is None or not owed:
            return ZERO, ZERO, ZERO
        margin = owed * tier_of(owed, borrow.tiers).maintenance_rate
        initial = owed * (borrow.initial_rate or ZERO)
        return margin * price, (owed + margin) * borrow.fee_rate * price, initial * price


def with_debts(rows: Rows | None, backing: Iterable[Backing]) -> Rows | None:
    """The rows and what debts need beside them."""
    for held in backing:
        rows = None if rows is None else rows.with_debts(*held.debts())
    return rows


def account_remainder(totals: Totals, backing: tuple[Backing, ...], rows: Rows | None) -> Remainder:
    """
    What open orders, options, isolated positions and bots take from the account's pool, in USD.

    Args:
        rows: The sum of the rows and the debts.
    """
    if rows is None or totals.adjusted_equity is None:
        return NOTHING
    frozen, elsewhere = _frozen(totals, backing), _elsewhere(totals, backing)
    owes = any(held.debts()[0] for held in backing)
    orders = _orders(totals.maintenance, totals.initial, rows, frozen=frozen, must_freeze=owes)
    reach = frozen if orders is not None else ZERO
    counted = sum((held.counted for held in backing), ZERO)
    offset = _beyond(totals.adjusted_equity, counted)
    balance = _within(offset, -(reach + elsewhere + rows.worth), elsewhere + rows.worth)
    lost = (elsewhere and balance, ELSEWHERE)
    if orders is None:
        fees = _within(_unexplained(totals, rows, ZERO), ZERO, rows.opaque_fees)
        margins = _with_fees(rows.growing, fees)
        return Remainder(
            balance=balance,
            maintenance=rows.opaque + fees - _least(margins),
            margins=margins,
            words=_words(lost, (_least(margins), GROWING)),
        )
    most = _DEAREST_FEE * orders.maintenance + rows.opaque_fees
    fees = _within(_unexplained(totals, rows, orders.maintenance), ZERO, most)
    held_back = (balance if reach and not elsewhere else ZERO, HELD_BACK)
    return Remainder(
        balance=balance,
        maintenance=rows.opaque + orders.maintenance + fees - _least(rows.growing),
        margins=rows.growing,
        initial=orders.initial,
        words=_words(
            (orders.maintenance or orders.initial, ORDERS),
            held_back,
            lost,
            (_least(rows.growing), GROWING),
        ),
    )


def stress_remainder(
    totals: Totals, backing: tuple[Backing, ...], rows: Rows | None
) -> Remainder | None:
    """
    Portfolio margin: all of its requirement, and what keeps our equity from OKX's.

    None where OKX does not tell the requirement.
    """
    needed = requirement_told(totals, rows)
    if needed is None:
        return None
    reach = _elsewhere(totals, backing) + (rows.worth if rows else ZERO)
    reach += totals.frozen + sum((h.coin.frozen * h.collateral.price for h in backing), ZERO)
    equity = totals.adjusted_equity
    counted = sum((held.counted for held in backing), ZERO)
    offset = ZERO if equity is None else _beyond(equity, counted)
    balance = _within(offset, -reach, reach)
    return Remainder(
        balance=balance,
        maintenance=needed,
        initial=totals.initial or ZERO,
        words=_words((needed, STRESS), (balance, HELD_BACK if totals.frozen else ELSEWHERE)),
    )


def requirement_told(totals: Totals, rows: Rows | None) -> Decimal | None:
    """The whole requirement as OKX's ratio puts it, else its margin with the fees we know of."""
    equity, ratio = totals.adjusted_equity, totals.margin_ratio
    if equity is not None and equity > ZERO and ratio is not None and ratio > ZERO:
        return equity / ratio
    if totals.maintenance is None:
        return None
    return totals.maintenance + (rows.fees if rows is not None else ZERO)


def _frozen(totals: Totals, backing: tuple[Backing, ...]) -> Decimal:
    """What open orders hold back; what is frozen for debts is none of it."""
    frozen = totals.frozen
    if not any(held.debts()[0] for held in backing):
        frozen += totals.borrow_frozen
    return frozen + sum((h.coin.frozen * h.collateral.price for h in backing), ZERO)


def _elsewhere(totals: Totals, backing: tuple[Backing, ...]) -> Decimal:
    """What stands in isolated positions, in bots and the like, and in trial funds."""
    isolated = apart = ZERO
    for held in backing:
        price = held.collateral.price
        isolated += abs(held.coin.isolated_equity) * price
        apart += sum(map(abs, held.coin.apart.values()), ZERO) * price
    # The total also holds coins that have isolated margin alone; it may be left empty.
    return max(isolated, abs(totals.isolated_equity)) + apart


def _unexplained(totals: Totals, rows: Rows, orders: Decimal) -> Decimal:
    """What OKX's ratio shows beyond margins and the rows' fees."""
    ratio, equity = totals.margin_ratio, totals.adjusted_equity
    if not ratio or ratio < ZERO or equity is None:
        return ZERO
    return equity / ratio - rows.needed - orders


def _words(*parts: tuple[Decimal, str]) -> tuple[str, ...]:
    return tuple(word for amount, word in parts if amount)


def _beyond(told: Decimal, ours: Decimal) -> Decimal:
    """What is told beyond ours; nothing where the wire's own digits explain it."""
    gap = told - ours
    return gap if abs(gap) > _DIGITS * max(abs(told), abs(ours)) else ZERO


def _within(number: Decimal, least: Decimal, most: Decimal) -> Decimal:
    return min(max(number, least), most)
