"""What becomes of the coins of an account that was liquidated: debts are paid out of the rest."""

from collections.abc import Callable
from decimal import Decimal

ZERO = Decimal(0)


def repay(coins: dict[str, Decimal], usd: Callable[[str], Decimal]) -> None:
    """Sell the coins worth most until nothing is owed; what then still lacks is written off."""
    owed = sum((-amount * usd(coin) for coin, amount in coins.items() if amount < 0), ZERO)
    for coin in sorted(coins, key=lambda name: -coins[name] * usd(name)):
        amount = coins[coin]
        if amount > 0 and usd(coin) > 0:
            sold = min(amount, owed / usd(coin))
            coins[coin] = amount - sold
            owed -= sold * usd(coin)
        else:
            coins[coin] = ZERO
