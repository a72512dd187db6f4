"""Binance's books for tests: ledgers, legs and symbols with brackets of a test's own."""

from collections.abc import Mapping
from decimal import Decimal

from monitor.simulator.binance_ledger import ALL_SYMBOLS, Ledger, Leg, Rates
from monitor.simulator.binance_pools import Pool, ledger_pools
from monitor.simulator.binance_prices import Prices
from monitor.simulator.binance_tables import Symbol, brackets
from monitor.simulator.scenario import AccountSpec

D = Decimal


def spec(mode: str = "single_asset", position_mode: str = "one_way") -> AccountSpec:
    return AccountSpec(
        name="a",
        exchange="binance",
        mode=mode,
        position_mode=position_mode,
        wallets={},
        positions=(),
        orders=(),
        key="k",
        secret="s",
        passphrase="p",
        permissions=("read",),
    )


def leg(
    symbol: Symbol | str, amount: str, entry: str, *, side: str = "BOTH", wallet: str | None = None
) -> Leg:
    return Leg(
        symbol=ALL_SYMBOLS[symbol] if isinstance(symbol, str) else symbol,
        side=side,
        amount=D(amount),
        entry_price=D(entry),
        leverage=D(10),
        isolated_wallet=None if wallet is None else D(wallet),
    )


def book(
    wallets: Mapping[str, str], *legs: Leg, mode: str = "single_asset", coin: bool = False
) -> Ledger:
    hedge = any(item.side != "BOTH" for item in legs)
    return Ledger(
        spec=spec(mode, "hedge" if hedge else "one_way"),
        cross_wallets={asset: D(balance) for asset, balance in wallets.items()},
        legs=list(legs),
        orders=[],
        is_coin_margined=coin,
    )


def prices(marks: Mapping[str, str], **rates: tuple[str, str]) -> Prices:
    """Marks by symbol; bid and ask by asset."""
    return Prices(
        marks=lambda name: D(marks[name]),
        rates={asset: Rates(bid=D(bid), ask=D(ask)) for asset, (bid, ask) in rates.items()},
    )


def pool(ledger: Ledger, name: str) -> Pool:
    return next(each for each in ledger_pools(ledger) if each.name == name)


def symbol(name: str, rows: str, size: str | None = None) -> Symbol:
    """A symbol with these brackets; with a contract size it is margined in its coin."""
    return Symbol(
        name=name,
        base=name[:3],
        margin_asset=name[:3] if size else name[3:],
        brackets=brackets(rows),
        price_decimals=2,
        quantity_decimals=3,
        contract_size=None if size is None else D(size),
    )
