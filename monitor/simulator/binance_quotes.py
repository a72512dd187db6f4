"""Binance's published prices: marks, index prices and asset rates, from the world's market."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import ROUND_DOWN, Decimal

from monitor.simulator.binance_ledger import Rates
from monitor.simulator.binance_tables import ASSETS, SYMBOLS, Asset, Bracket, Symbol
from monitor.simulator.world import World

_WIRE_UNIT = Decimal("0.00000001")
_STABLE_INDEX = frozenset({"USDT", "USDC"})
_UNPRICED = {"BNB": Decimal(600)}  # collateral that no scenario moves
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
            for name, symbol in SYMBOLS.items()
            if symbol.base in known or symbol.fixed_price is not None
        }

    @property
    def symbols(self) -> tuple[Symbol, ...]:
        """The symbols that are traded here, as they now are."""
        return tuple(self.table.values())

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
        return self._world.index(self._exchange, symbol.base)

    def funding_rate(self, symbol: Symbol) -> Decimal:
        return self._world.market.funding_rate(symbol.base)

    def next_funding_at(self) -> datetime:
        """Give the next full eight hours of the day, UTC."""
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

    def asset_index(self, asset: Asset) -> Decimal | None:
        """Give the US dollar index of an asset, or None where the scenario does not price it."""
        if asset.name in self._world.market.bases or asset.name in _STABLE_INDEX:
            return _cut(self._world.mark(self._exchange, asset.name))
        return _UNPRICED.get(asset.name)

    def _coin(self, symbol: Symbol) -> Decimal:
        if symbol.base not in self._world.market.bases and symbol.fixed_price is not None:
            return symbol.fixed_price
        return self._world.mark(self._exchange, symbol.base)


def _cut(value: Decimal) -> Decimal:
    return value.quantize(_WIRE_UNIT, rounding=ROUND_DOWN)
