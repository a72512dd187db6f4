"""
What a unified pool takes over from Bybit's totals: the parts that the rules leave out, by name.

Each part has a cause that the account's own rows show, and is taken over no further than that
cause can account for. Whatever else the totals hold stays a difference, for reconciling to show.

- Haircut loss of spot orders and loss of contract orders priced worse than the mark: by
  definition what the available balance lacks of margin balance − initial margin.
- Maintenance margin of open orders: at most what the rule gives for the listed ones, and never
  above their initial margin.
- Options: what the wallet holds as position margin in a coin beyond the rows of its contracts.
- What options change of a debt in their coin: their value is part of the equity.
- The locked part of a hedge: the same difference, up to the hedged legs' own margins, for the
  rule is not published.

Source: Bybit glossary «Unified Trading Account», 2026-03-13; «Initial / Maintenance Margin
Calculation (USDT Contract)», 2025-09-18; docs «Get Wallet Balance», read 2026-07.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from monitor.exchanges.bybit.index import priced
from monitor.exchanges.bybit.legs import is_hedged
from monitor.exchanges.bybit.moment import MOST_MARGIN_DRIFT
from monitor.exchanges.bybit.orders import is_listed, most_maintenance
from monitor.risk.collateral import debt, debt_maintenance
from monitor.risk.model import ZERO

if TYPE_CHECKING:
    from collections.abc import Iterable

    from monitor.exchanges.bybit.account import Account
    from monitor.exchanges.bybit.rows import Coin, Held, Totals
    from monitor.risk.model import Collateral

DIGIT = Decimal("0.00000001")
# What eight decimals of several figures leave open, in coins.
_DIGITS = Decimal("0.000001")
_FOURTH_DECIMAL = Decimal("0.0001")


@dataclass(frozen=True, slots=True, kw_only=True)
class Remainders:
    """The parts taken over, in USD, and each in words; 0 within the wire's digits."""

    balance: Decimal = ZERO
    maintenance: Decimal = ZERO
    initial: Decimal = ZERO
    words: tuple[str, ...] = ()

    def __add__(self, other: Remainders) -> Remainders:
        return Remainders(
            balance=self.balance + other.balance,
            maintenance=self.maintenance + other.maintenance,
            initial=self.initial + other.initial,
            words=self.words + other.words,
        )


def balance_of(totals: Totals) -> Decimal:
    """
    What both rates are measured against, in USD.

    It is what is available and the initial margin together, but never above the margin balance:
    haircut and order loss only take away.
    With nothing available it can only be bounded: by the margin balance, the initial margin,
    and the maintenance margin ÷ its rate, which is cut to four decimals and so gives an upper
    bound, up to a ten-thousandth ÷ rate above.
    """
    carried = totals.available + totals.initial_margin
    if totals.available:
        return min(totals.margin_balance, carried)
    bounds = [totals.margin_balance, carried]
    if totals.mm_rate and totals.margin_balance > ZERO:
        bounds.append(totals.maintenance_margin / totals.mm_rate)
    return min(bounds)


def _least_balance(totals: Totals) -> Decimal:
    """
    What the balance is above by Bybit's own rate, which is cut to four decimals; 0 without one.

    An available balance that says less contradicts it, and tells of no loss: what lacks then
    stays a difference, for reconciling to show.
    """
    if totals.mm_rate is None:
        return ZERO
    return totals.maintenance_margin / (totals.mm_rate + _FOURTH_DECIMAL)


def of_balance(account: Account, totals: Totals) -> Remainders:
    """Haircut and order loss."""
    balance = max(balance_of(totals), _least_balance(totals))
    lost = _beyond(balance - totals.margin_balance, _balance_digits(totals))
    if lost >= ZERO:
        return Remainders()
    locked = sorted(coin.coin for coin in account.anchor_coins if coin.locked)
    held = f" (locked: {', '.join(locked)})" if locked else ""
    return Remainders(
        balance=lost, words=(f"haircut loss of spot orders and loss of open orders{held}",)
    )


def _balance_digits(totals: Totals) -> Decimal:
    """How far the wire's digits may take the balance off; much where only the rate tells it."""
    if totals.available or not totals.mm_rate:
        return 3 * DIGIT
    return totals.maintenance_margin / totals.mm_rate * (_FOURTH_DECIMAL / totals.mm_rate)


def of_portfolio(account: Account, totals: Totals) -> Remainders:
    """The requirement of a portfolio, which is Bybit's own, and what its balance rests on."""
    held = len(account.anchor_options)
    values = [c for c in account.anchor_coins if c.option_value]
    words = ["portfolio stress test"]
    if held or values:
        words.append(f"value of {_count(held, 'option') if held else 'options'}")
    return Remainders(
        maintenance=totals.maintenance_margin,
        initial=totals.initial_margin,
        words=tuple(words),
    )


def of_margins(account: Account, totals: Totals, collateral: tuple[Collateral, ...]) -> Remainders:
    """Options, locked hedges and open orders of an account in cross margin."""
    prices = {c.coin: priced(account.replies, c).price for c in account.anchor_coins}
    found = Remainders()
    entries = {each.asset: each for each in collateral}
    for coin in account.anchor_coins:
        found += _of_coin(account, coin, prices[coin.coin])
        if coin.option_value and coin.coin in entries:
            found += _of_debt(coin, entries[coin.coin], prices[coin.coin])
    return found + _of_orders(account, totals, prices, _debts(account, prices, collateral))


def _of_coin(account: Account, coin: Coin, price: Decimal) -> Remainders:
    """What the wallet holds as the coin's position margin beyond the rows of its contracts."""
    rows = [leg for leg in account.anchor_held if leg.settle == coin.coin]
    margin = sum((leg.maintenance_margin or ZERO for leg in rows), ZERO)
    initial = sum((leg.initial_margin or ZERO for leg in rows), ZERO)
    beyond = (coin.position_mm or ZERO) - margin
    beyond_initial = (coin.position_im or ZERO) - initial
    options = [option for option in account.anchor_options if option.settle == coin.coin]
    hedged = [leg for leg in rows if is_hedged(account.anchor_held, leg)]
    if options or coin.option_value:
        count = _count(len(options), "option") if options else f"options in {coin.coin}"
        return Remainders(
            maintenance=max(ZERO, beyond) * price,
            initial=max(ZERO, beyond_initial) * price,
            words=(f"margin of {count}",),
        )
    if hedged and abs(beyond) > MOST_MARGIN_DRIFT * abs(margin) + DIGIT:
        return _of_hedge(hedged, beyond, beyond_initial, price)
    return Remainders()


def _of_debt(coin: Coin, entry: Collateral, price: Decimal) -> Remainders:
    """
    What options make of a debt: their value is equity, though cross margin does not count it.

    At most what their value comes to; the debt by the rules is that of the rest.
    """
    by_rule = debt(entry, coin.own + coin.unrealised_pnl)
    change = coin.owed - by_rule
    if not change or abs(change) > abs(coin.option_value) + _DIGITS:
        return Remainders()
    margin = debt_maintenance(entry, coin.owed) - debt_maintenance(entry, by_rule)
    return Remainders(
        maintenance=margin * price, words=(f"what options change of the debt in {coin.coin}",)
    )


def _of_hedge(
    hedged: list[Held], beyond: Decimal, beyond_initial: Decimal, price: Decimal
) -> Remainders:
    most = sum((leg.maintenance_margin or ZERO for leg in hedged), ZERO)
    most_initial = sum((leg.initial_margin or ZERO for leg in hedged), ZERO)
    symbols = ", ".join(sorted({leg.symbol for leg in hedged}))
    return Remainders(
        maintenance=_within(beyond, most) * price,
        initial=_within(beyond_initial, most_initial) * price,
        words=(f"margin of the locked part of {symbols}",),
    )


def _of_orders(
    account: Account, totals: Totals, prices: dict[str, Decimal], debts: Decimal
) -> Remainders:
    coins = account.anchor_coins
    initial = sum(((c.order_im or ZERO) * prices[c.coin] for c in coins), ZERO)
    if not initial:
        return Remainders()
    margins = [(c.position_mm or ZERO, c) for c in coins]
    positions = sum((m * prices[c.coin] for m, c in margins), ZERO)
    rest = _beyond(totals.maintenance_margin - positions - debts, slack(margins))
    by_rule = most_maintenance(account, prices) if is_listed(account, coins) else None
    most = initial if by_rule is None else min(initial, by_rule)
    count = len(account.orders.with_margin())
    which = _count(count, "open order") if is_listed(account, coins) and count else "open orders"
    return Remainders(
        maintenance=min(max(ZERO, rest), most), initial=initial, words=(f"margin of {which}",)
    )


def _debts(
    account: Account, prices: dict[str, Decimal], collateral: tuple[Collateral, ...]
) -> Decimal:
    """Maintenance margin of what is owed by the wallet's own rows, in USD."""
    owed = {coin.coin: max(coin.owed, -coin.equity, ZERO) for coin in account.anchor_coins}
    return sum(
        (
            debt_maintenance(each, owed[each.asset]) * prices[each.asset]
            for each in collateral
            if each.asset in owed
        ),
        ZERO,
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")


def _within(amount: Decimal, most: Decimal) -> Decimal:
    return min(max(amount, -most), most)


def _beyond(remainder: Decimal, digits: Decimal) -> Decimal:
    return remainder if abs(remainder) > digits else ZERO


def slack(amounts: Iterable[tuple[Decimal, Coin]]) -> Decimal:
    """How far the wire's digits can take a sum of coin amounts in USD off a total."""
    return 2 * DIGIT + sum(
        (2 * DIGIT * c.price + 2 * abs(amount) * _index_error(c) for amount, c in amounts),
        ZERO,
    )


def _index_error(coin: Coin) -> Decimal:
    """How far off the index can be that `usdValue` ÷ `equity` gives, both of eight decimals."""
    if not coin.equity:
        return ZERO
    return (DIGIT + coin.price * DIGIT) / abs(coin.equity)
