"""Binance's published prices: marks, index prices and asset rates, from the world's market."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import ROUND_DOWN, Decimal

from monitor.simulator.binance_coin_tables import COIN_SYMBOLS
from monitor.simulator.binance_ledger import Rates
from monitor.simulator.binance_tables import ASSETS, STABLE, SYMBOLS, Asset, Bracket, Symbol
from monitor.simulator.world import World

Row = dict[str, object]  # an object of the wire

_WIRE_UNIT = Decimal("0.00000001")
_STABLE_INDEX = frozenset({"USDT", "USDC"})
# Collateral that no scenario moves, unless it declares a path.
_UNPRICED = {
    "BNB": Decimal(600),
    "U": Decimal("1.0001"),
    "USD1": Decimal("0.9998"),
    "FDUSD": Decimal("0.9985"),
    "BNFCR": Decimal(1),
}
# Collateral rates of portfolio margin: those of Binance's example of uniMMR, others of ours.
COLLATERAL_RATES = {
    "USDT": Decimal(1),
    "USDC": Decimal(1),
    "BTC": Decimal("0.95"),
    "ETH": Decimal("0.9"),
    "BNB": Decimal("0.9"),
    "SOL": Decimal("0.85"),
    "XRP": Decimal("0.8"),
    "U": Decimal("0.99"),
    "USD1": Decimal("0.99"),
    "FDUSD": Decimal("0.95"),
}
_FUNDING_HOURS = 8


def wire(value: Decimal) -> str:
    """Give a figure as Binance sends it: cut to eight decimals."""
    cut = value.quantize(_WIRE_UNIT, rounding=ROUND_DOWN)
    return format(abs(cut) if cut == 0 else cut, "f")


def milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)


class Quotes:
    """What Binance last published. Marks carry eight decimals, as on the wire."""

    def __init__(self, world: World, exchange: str) -> None:
        self._world = world
        self._exchange = exchange
        known = set(world.market.bases)
        self.table = {
            name: symbol
            for name, symbol in (*SYMBOLS.items(), *COIN_SYMBOLS.items())
            if (symbol.base in known or symbol.fixed_price is not None)
            and symbol.quote in known | STABLE
        }
        self._funding: dict[str, tuple[Decimal, datetime]] = {}  # the next, where it was set

    @property
    def symbols(self) -> tuple[Symbol, ...]:
        """The USD-M symbols that are traded here, as they now are."""
        return tuple(s for s in self.table.values() if not s.is_coin_margined)

    @property
    def coin_symbols(self) -> tuple[Symbol, ...]:
        """The COIN-M symbols that are traded here, as they now are."""
        return tuple(s for s in self.table.values() if s.is_coin_margined)

    def change_brackets(self, symbol: str, brackets: tuple[Bracket, ...]) -> Symbol:
        """
        Give a symbol other brackets from now on.

        Raises:
            KeyError: If it is not traded here.

        """
        self.table[symbol] = replace(self.table[symbol], brackets=brackets)
        return self.table[symbol]

    def mark(self, symbol: str) -> Decimal:
        """
        Give the mark price of a symbol.

        Raises:
            KeyError: If the scenario has no path for its coin.

        """
        return self._coin(self.table[symbol]).quantize(_WIRE_UNIT, rounding=ROUND_DOWN)

    def index(self, symbol: Symbol) -> Decimal:
        if symbol.base not in self._world.market.bases and symbol.fixed_price is not None:
            return symbol.fixed_price
        price = self._world.index(self._exchange, symbol.base)
        return (
            price
            if symbol.quote in STABLE
            else price / self._world.index(self._exchange, symbol.quote)
        )

    def set_funding(self, symbol: str, rate: Decimal, at: datetime) -> None:
        """
        Give a symbol's next funding a rate and a time.

        Raises:
            KeyError: If it is not traded here.

        """
        self._funding[self.table[symbol].name] = (rate, at)

    def take_due_funding(self) -> list[tuple[str, Decimal]]:
        """Give symbol and rate of the set fundings whose time has come, each once."""
        now = self._world.server_time(self._exchange)
        due = [(symbol, rate) for symbol, (rate, at) in self._funding.items() if at <= now]
        for symbol, _ in due:
            del self._funding[symbol]
        return due

    def funding_rate(self, symbol: Symbol) -> Decimal:
        if symbol.name in self._funding:
            return self._funding[symbol.name][0]
        return self._world.market.funding_rate(symbol.base)

    def next_funding_at(self, symbol: Symbol) -> datetime:
        """Give the next full eight hours of the day, UTC, unless another time was set."""
        if symbol.name in self._funding:
            return self._funding[symbol.name][1]
        return self._next_usual_funding()

    def _next_usual_funding(self) -> datetime:
        now = self._world.now().astimezone(UTC)
        start = now.replace(hour=0, minute=0, second=0, microsecond=0)
        periods = now.hour // _FUNDING_HOURS + 1
        return start + timedelta(hours=_FUNDING_HOURS * periods)

    def rates(self) -> dict[str, Rates]:
        """Give what a unit of each priced margin asset counts for in multi-assets mode."""
        return {
            asset.name: Rates(
                bid=_cut(index * (1 - asset.bid_buffer)),
                ask=_cut(index * (1 + asset.ask_buffer)),
            )
            for asset in ASSETS.values()
            if (index := self.asset_index(asset)) is not None
        }

    def portfolio_rates(self) -> dict[str, Rates]:
        """Give index times collateral rate as bid, the index as ask, of each priced asset."""
        return {
            name: Rates(bid=index * rate, ask=index)
            for name, rate in COLLATERAL_RATES.items()
            if (index := self.asset_index(ASSETS[name])) is not None
        }

    def asset_index(self, asset: Asset) -> Decimal | None:
        """Give the US dollar index of an asset, or None where the scenario does not price it."""
        if asset.name in self._world.market.bases or asset.name in _STABLE_INDEX:
            return _cut(self._world.mark(self._exchange, asset.name))
        return _UNPRICED.get(asset.name)

    def _coin(self, symbol: Symbol) -> Decimal:
        """Give what a symbol's coin costs in its quote, at the premium of the contract."""
        if symbol.base not in self._world.market.bases and symbol.fixed_price is not None:
            return symbol.fixed_price
        price = self._world.mark(self._exchange, symbol.base) * symbol.premium
        return (
            price
            if symbol.quote in STABLE
            else price / self._world.mark(self._exchange, symbol.quote)
        )


def _cut(value: Decimal) -> Decimal:
    return value.quantize(_WIRE_UNIT, rounding=ROUND_DOWN)
