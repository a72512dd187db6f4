"""
The pools that go through a crash, and their truth by arithmetic written out.

Every position is linear in USDT at 0.5 % maintenance for every size, so that with a wallet W
the margin balance is W + Σ ± q × (P − entry) and the requirement Σ q × P × 0.005.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from monitor.risk.model import Side
from tests.build import a_pool, coins, position

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from monitor.risk.model import Collateral, MarginPool
    from tests.crashes.candles import Crash

NOTIONAL = Decimal(10_000)
RATE = Decimal("0.005")
_LOT = Decimal("0.00000001")


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """`amount` in coins, negative for a short."""

    coin: str
    amount: Decimal
    entry: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """
    A wallet and what it backs. `held_in`: the coin of the wallet where it is not USDT.

    Such a coin's price comes with a reading of the account, as with every stablecoin.
    """

    name: str
    wallet: Decimal
    legs: tuple[Leg, ...]
    held_in: str | None = None

    def pool(self, prices: Mapping[str, Decimal]) -> MarginPool:
        return a_pool(
            *(
                position(
                    Side.LONG if leg.amount > 0 else Side.SHORT,
                    leg.coin,
                    abs(leg.amount),
                    leg.entry,
                )
                for leg in self.legs
            ),
            collateral=self._wallets(prices),
        )

    def _wallets(self, prices: Mapping[str, Decimal]) -> tuple[Collateral, ...]:
        """PnL settles in USDT, which the book may hold none of."""
        if self.held_in is None:
            return (coins("USDT", self.wallet),)
        return (coins(self.held_in, self.wallet, prices[self.held_in]), coins("USDT", 0))

    def balance(self, prices: Mapping[str, Decimal]) -> Decimal:
        worth = prices[self.held_in] if self.held_in else Decimal(1)
        return self.wallet * worth + sum(
            leg.amount * (prices[leg.coin] - leg.entry) for leg in self.legs
        )

    def requirement(self, prices: Mapping[str, Decimal]) -> Decimal:
        return sum((abs(leg.amount) * prices[leg.coin] * RATE for leg in self.legs), Decimal(0))

    def is_liquidated(self, prices: Mapping[str, Decimal]) -> bool:
        return self.requirement(prices) >= self.balance(prices)

    def distance(self, prices: Mapping[str, Decimal]) -> Decimal:
        """
        The adverse move left, a fraction of every price; 0 from the end on.

        By one fraction f all coins held net long fall and all held net short rise. Each costs
        f × its net worth, and what it is held against shrinks or grows by f × 0.005 × gross:
        headroom ÷ Σ (net ∓ 0.005 × gross).
        """
        spare = self.balance(prices) - self.requirement(prices)
        if spare <= 0:
            return Decimal(0)
        hit = Decimal(0)
        for coin in {leg.coin for leg in self.legs}:
            amounts = [leg.amount for leg in self.legs if leg.coin == coin]
            net, gross = sum(amounts, Decimal(0)), sum(map(abs, amounts), Decimal(0))
            if net != 0:
                hit += prices[coin] * (abs(net) - RATE * gross.copy_sign(net))
        return spare / hit


def books(crash: Crash) -> tuple[Book, ...]:
    """One coin at 5×, 10× and 20×, a hedged pair, and a book of all coins where there are more."""
    prices, names = crash.first_prices(), crash.coins
    sign = -1 if crash.is_squeeze else 1

    def leg(coin: str, notional: Decimal) -> Leg:
        amount = (notional / prices[coin]).quantize(_LOT)
        return Leg(coin=coin, amount=amount * sign, entry=prices[coin])

    if "USDC" in names:
        return tuple(replace(book, held_in="USDC") for book in _of_one("BTC", leg))
    first, last = names[0], names[-1]
    if len(names) == 1:
        return _of_one(first, leg)
    pair = (leg(last, NOTIONAL), leg(first, -NOTIONAL))
    several = (*(leg(coin, NOTIONAL) for coin in names[:-1]), leg(last, -NOTIONAL / 2))
    return (
        *_of_one(first, leg)[:3],
        Book(name=f"{last} against {first}", wallet=NOTIONAL / 10, legs=pair),
        Book(name="all coins", wallet=NOTIONAL * len(names) / 10, legs=several),
    )


def _of_one(coin: str, leg: Callable[[str, Decimal], Leg]) -> tuple[Book, ...]:
    """One coin at 5×, 10× and 20×, and hedged by half at 10× of what is left."""
    pair = (leg(coin, NOTIONAL), leg(coin, -NOTIONAL / 2))
    return (
        *(
            Book(name=f"{coin} {times}x", wallet=NOTIONAL / times, legs=(leg(coin, NOTIONAL),))
            for times in (5, 10, 20)
        ),
        Book(name=f"{coin} hedged", wallet=NOTIONAL / 20, legs=pair),
    )
