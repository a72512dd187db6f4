"""An account's `extra` table at Binance: the wallets beside USD-M futures, and what is owed."""

from dataclasses import dataclass, field
from decimal import Decimal

from monitor.simulator.binance_tables import CREDITS
from monitor.simulator.declared import Declared
from monitor.simulator.scenario import AccountSpec

ZERO = Decimal(0)
_SETTLEMENTS = ("credits", "contract")
# Maintenance of a loan by the margin leverage of the account. Binance support: "Portfolio
# Margin Pro: Unified Maintenance Margin".
LOAN_RATES = {3: Decimal("0.10"), 5: Decimal("0.08"), 10: Decimal("0.05")}


@dataclass(slots=True, kw_only=True)
class MarginAsset:
    """One coin of the cross margin account: `free` and `locked` are there, the rest is owed."""

    free: Decimal = ZERO
    locked: Decimal = ZERO
    borrowed: Decimal = ZERO
    interest: Decimal = ZERO

    @property
    def total(self) -> Decimal:
        return self.free + self.locked

    @property
    def owed(self) -> Decimal:
        return self.borrowed + self.interest


@dataclass(slots=True, kw_only=True)
class Extras:
    """
    What an account has beside its USD-M wallets.

    `coin_wallets`: cross wallets of COIN-M. `spot`: free coins of the spot wallet. `settles_in`:
    the asset of every position's profit in credits mode, None for each contract's own. `margin`,
    `loan_rate`, `open_loss`: of a portfolio margin account.
    """

    coin_wallets: dict[str, Decimal] = field(default_factory=dict)
    spot: dict[str, Decimal] = field(default_factory=dict)
    margin: dict[str, MarginAsset] = field(default_factory=dict)
    settles_in: str | None = None
    loan_rate: Decimal = LOAN_RATES[5]
    open_loss: Decimal = ZERO


def read_extras(spec: AccountSpec) -> Extras:
    """
    Give what the account's `extra` table declares.

    Raises:
        ScenarioError: If a key is unknown or a value is not of its kind.
        ValueError: If a word is not one of those known.

    """
    table = Declared(spec.extra, f"account {spec.name!r}: extra")
    parts = {name: table.decimals(name) for name in ("margin", "locked", "borrowed", "interest")}
    settlement = table.text("settlement", "credits")
    if settlement not in _SETTLEMENTS:
        raise ValueError(f"account {spec.name!r}: settlement is one of {', '.join(_SETTLEMENTS)}")
    leverage = table.whole("loan_leverage", 5)
    if leverage not in LOAN_RATES:
        raise ValueError(f"account {spec.name!r}: loan_leverage is one of {sorted(LOAN_RATES)}")
    extras = Extras(
        coin_wallets=table.decimals("coin_wallets"),
        spot=table.decimals("spot"),
        margin={
            name: MarginAsset(
                free=parts["margin"].get(name, ZERO),
                locked=parts["locked"].get(name, ZERO),
                borrowed=parts["borrowed"].get(name, ZERO),
                interest=parts["interest"].get(name, ZERO),
            )
            for name in dict.fromkeys(name for part in parts.values() for name in part)
        },
        settles_in=CREDITS if spec.mode == "credits" and settlement == "credits" else None,
        loan_rate=LOAN_RATES[leverage],
        open_loss=table.decimal("open_loss", "0"),
    )
    table.finish()
    return extras
