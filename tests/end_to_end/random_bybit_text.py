"""A Bybit account in the making, and how it is written down as TOML."""

from dataclasses import dataclass, field
from decimal import ROUND_DOWN, Decimal

from monitor.simulator.bybit_account import TAKER_RATE, ZERO, Prices
from monitor.simulator.bybit_ledger import value_at
from monitor.simulator.bybit_tables import INSTRUMENTS

D = Decimal
_HEAD = 'name = "draft"\ndescription = "one account"\nseed = 1\nduration_seconds = 1\n[market]\n'
_ACCOUNT = '[[accounts]]\nname = "draft"\nexchange = "bybit"\n'


def digits(value: Decimal, step: str = "0.00000001") -> Decimal:
    """Cut to the digits that the wire has."""
    return value.quantize(D(step), rounding=ROUND_DOWN)


@dataclass(slots=True, kw_only=True)
class Leg:
    symbol: str
    side: str
    contracts: Decimal
    entry: Decimal
    leverage: Decimal
    posted: Decimal | None = None


@dataclass(slots=True, kw_only=True)
class Draft:
    mode: str = "cross"
    hedge: bool = False
    owes: bool = False  # whether the amount that is solved may come out below zero
    wallets: dict[str, Decimal] = field(default_factory=dict)
    legs: list[Leg] = field(default_factory=list)
    orders: list[str] = field(default_factory=list)
    borrowed: dict[str, Decimal] = field(default_factory=dict)
    sessions: dict[str, Decimal] = field(default_factory=dict)
    switched_off: list[str] = field(default_factory=list)
    options: list[dict[str, object]] = field(default_factory=list)
    taker_rate: Decimal = TAKER_RATE
    tax: Decimal = ZERO
    fixed_im: Decimal | None = None
    fixed_mm: Decimal | None = None

    @property
    def charged_rate(self) -> Decimal:
        return self.taker_rate * (1 + self.tax)

    def gross(self, prices: Prices) -> Decimal:
        """USD value of all legs."""
        values = [
            value_at(it, leg.contracts, prices.mark(it)) * prices.index(it.settle)
            for leg in self.legs
            for it in (INSTRUMENTS[leg.symbol],)
        ]
        return sum(values, D(0))

    def value(self, prices: Prices) -> Decimal:
        """USD value of all legs and of all that is in the wallets."""
        coins = (abs(amount) * prices.index(coin) for coin, amount in self.wallets.items())
        return sum(coins, self.gross(prices))

    def order(self, symbol: str, side: str, contracts: Decimal, price: Decimal) -> None:
        """A limit order that opens or adds."""
        words = f'symbol = "{symbol}", side = "{_buys(side)}", kind = "limit"'
        sided = f', position_side = "{side}"' if self.hedge else ""
        self.orders.append(f"{words}, contracts = {contracts}, price = {price}{sided}")

    def stop(self, symbol: str, side: str, trigger: Decimal) -> None:
        """A stop on the whole position; `side` is what the stop trades."""
        words = f'symbol = "{symbol}", side = "{_buys(side)}", kind = "stop"'
        self.orders.append(f"{words}, trigger_price = {trigger}, closes_position = true")

    def toml(self) -> str:
        """The lines of an entry of `accounts`, but for its name and exchange."""
        lines = [f'mode = "{self.mode}"', "stays = true"]
        if self.hedge:
            lines.append('position_mode = "hedge"')
        lines.append(f"wallets = {_table(self.wallets)}")
        lines += ["positions = [", *(f"  {{ {self._leg(leg)} }}," for leg in self.legs), "]"]
        if self.orders:
            lines += ["orders = [", *(f"  {{ {order} }}," for order in self.orders), "]"]
        return "\n".join([*lines, *self._extra()]) + "\n"

    def scenario(self) -> str:
        """The account in a scenario without a market of its own."""
        return _HEAD + _ACCOUNT + self.toml()

    def _leg(self, leg: Leg) -> str:
        words = (
            f'symbol = "{leg.symbol}", side = "{leg.side}", contracts = {leg.contracts:f}, '
            f"entry_price = {leg.entry:f}, leverage = {leg.leverage:f}"
        )
        if leg.posted is None:
            return words
        return f'{words}, margin_mode = "isolated", isolated_margin = {leg.posted:f}'

    def _extra(self) -> list[str]:
        lines = []
        if self.taker_rate != TAKER_RATE:
            lines.append(f'taker_rate = "{self.taker_rate}"')
        if self.tax:
            lines.append(f'tax = "{self.tax}"')
        if self.fixed_mm is not None and self.fixed_im is not None:
            lines += [f'fixed_im = "{self.fixed_im:f}"', f'fixed_mm = "{self.fixed_mm:f}"']
        if self.switched_off:
            lines.append("switched_off = [" + ", ".join(f'"{c}"' for c in self.switched_off) + "]")
        if self.borrowed:
            lines.append(f"borrowed = {_table(self.borrowed)}")
        if self.sessions:
            lines.append(f"session_prices = {_table(self.sessions)}")
        for option in self.options:
            lines.append("[[accounts.extra.options]]")
            lines += [f'{key} = "{_plain(value)}"' for key, value in option.items()]
        return ["[accounts.extra]", *lines] if lines else []


def _buys(side: str) -> str:
    return "buy" if side == "long" else "sell"


def _table(amounts: dict[str, Decimal]) -> str:
    return "{ " + ", ".join(f'{name} = "{amount:f}"' for name, amount in amounts.items()) + " }"


def _plain(value: object) -> str:
    return format(value, "f") if isinstance(value, Decimal) else str(value)
