"""
What Binance publishes about its contracts: symbols, leverage brackets, margin assets.

Bracket tables: state of 2026-09-29 for the symbols below, except where `INVENTED` names one.
Each row of a table is `cap rate leverage`; the amount `cum` follows from the rule
`cum(n) = cum(n-1) + floor(n) x (rate(n) - rate(n-1))` (Binance support: "Leverage and Margin of
USD-M Futures"). COIN-M contracts stand in `binance_coin_tables.py`.
"""

from dataclasses import dataclass
from decimal import Decimal

# Tables of our own making, for symbols whose real one we have not read.
INVENTED = frozenset({"ETHUSDC", "XAUUSDT", "XRPUSDT", "BTCUSD1", "BTCU", "ETHBTC"})
PERPETUAL_DELIVERY = 4133404800000
STABLE = frozenset({"USDT", "USDC", "USD", "U", "USD1"})  # quotes that are priced as one dollar


@dataclass(frozen=True, slots=True, kw_only=True)
class Bracket:
    """
    A leverage bracket: `maintMargin = notional x rate - cum` for floor < notional <= cap.

    The notional is in the margin asset: dollars of USD-M, coins of COIN-M contracts.
    """

    floor: Decimal
    cap: Decimal
    rate: Decimal
    cum: Decimal
    leverage: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Symbol:
    name: str
    base: str  # the coin of the scenario whose price it follows
    margin_asset: str
    brackets: tuple[Bracket, ...]
    price_decimals: int
    quantity_decimals: int
    liquidation_fee: Decimal = Decimal("0.0125")
    contract_type: str = "PERPETUAL"
    fixed_price: Decimal | None = None  # where the scenario has no such coin
    quote: str = "USD"
    contract_size: Decimal | None = None  # dollars that a COIN-M contract is worth
    delivery_at: int = PERPETUAL_DELIVERY  # milliseconds
    premium: Decimal = Decimal(1)  # the mark, in parts of the coin's own path

    @property
    def is_tradfi(self) -> bool:
        return self.contract_type == "TRADIFI_PERPETUAL"

    @property
    def is_coin_margined(self) -> bool:
        return self.contract_size is not None

    @property
    def pair(self) -> str:
        return f"{self.base}{self.quote}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """A margin asset; its haircut in multi-assets mode is the bid buffer."""

    name: str
    bid_buffer: Decimal
    ask_buffer: Decimal


_TABLES = {
    "BTCUSDT": "300000 .004 150; 800000 .005 100; 3000000 .0065 75; 12000000 .01 50;"
    " 70000000 .02 25; 100000000 .025 20; 230000000 .05 10; 480000000 .1 5; 600000000 .125 4;"
    " 800000000 .15 3; 1200000000 .25 2; 1800000000 .5 1",
    "ETHUSDT": "300000 .004 150; 800000 .005 100; 3000000 .0065 75; 12000000 .01 50;"
    " 50000000 .02 25; 65000000 .025 20; 150000000 .05 10; 320000000 .1 5; 400000000 .125 4;"
    " 530000000 .15 3; 800000000 .25 2; 1200000000 .5 1",
    "SOLUSDT": "50000 .005 100; 400000 .0065 75; 1000000 .01 50; 4000000 .02 25;"
    " 8000000 .025 20; 40000000 .05 10; 80000000 .1 5; 100000000 .125 4; 200000000 .25 2;"
    " 400000000 .5 1",
    "BTCUSDC": "50000 .004 125; 500000 .005 100; 10000000 .01 50; 80000000 .025 20;"
    " 150000000 .05 10; 300000000 .1 5; 450000000 .125 4; 600000000 .15 3; 800000000 .25 2;"
    " 1000000000 .5 1",
    "ACTUSDT": "10000 .05 10; 60000 .1 5; 70000 .125 4; 250000 .1667 3; 2500000 .25 2;"
    " 5000000 .5 1",
    "1000SATSUSDT": "5000 .02 25; 10000 .025 20; 20000 .05 10; 50000 .1 5; 100000 .125 4;"
    " 250000 .1667 3; 2500000 .25 2; 5000000 .5 1",
    "ETHUSDC": "50000 .005 100; 500000 .0065 75; 10000000 .01 50; 80000000 .025 20;"
    " 150000000 .1 5; 300000000 .5 1",
    "XRPUSDT": "50000 .005 100; 500000 .0075 75; 2000000 .01 50; 10000000 .025 20;"
    " 50000000 .05 10; 100000000 .1 5; 200000000 .5 1",
    "XAUUSDT": "50000 .005 100; 500000 .01 50; 5000000 .025 20; 20000000 .1 5; 50000000 .5 1",
    "BTCUSD1": "50000 .005 100; 500000 .01 50; 5000000 .025 20; 20000000 .1 5; 50000000 .5 1",
    "BTCU": "40000 .005 100; 400000 .01 50; 4000000 .025 20; 20000000 .1 5; 50000000 .5 1",
    "ETHBTC": "2 .005 100; 20 .01 50; 100 .025 20; 500 .1 5; 2000 .5 1",
}


def brackets(rows: str) -> tuple[Bracket, ...]:
    """Give the brackets that rows of `cap rate leverage` describe, with floors and `cum`."""
    table: list[Bracket] = []
    floor, rate, cum = Decimal(0), Decimal(0), Decimal(0)
    for row in rows.split(";"):
        cap_text, rate_text, leverage = row.split()
        cum += floor * (Decimal(rate_text) - rate)
        rate = Decimal(rate_text)
        cap = Decimal(cap_text)
        table.append(Bracket(floor=floor, cap=cap, rate=rate, cum=cum, leverage=int(leverage)))
        floor = cap
    return tuple(table)


def _symbol(name: str, quote: str, decimals: tuple[int, int], **more: str) -> Symbol:
    fixed = more.get("fixed_price")
    return Symbol(
        name=name,
        base=name.removesuffix(quote),
        quote=quote,
        margin_asset=quote,
        brackets=brackets(_TABLES[name]),
        price_decimals=decimals[0],
        quantity_decimals=decimals[1],
        contract_type=more.get("contract_type", "PERPETUAL"),
        fixed_price=None if fixed is None else Decimal(fixed),
    )


SYMBOLS = {
    symbol.name: symbol
    for symbol in (
        _symbol("BTCUSDT", "USDT", (1, 3)),
        _symbol("ETHUSDT", "USDT", (2, 3)),
        _symbol("SOLUSDT", "USDT", (4, 2)),
        _symbol("XRPUSDT", "USDT", (4, 1)),
        _symbol("ACTUSDT", "USDT", (5, 0), fixed_price="0.02133"),
        _symbol("1000SATSUSDT", "USDT", (7, 0), fixed_price="0.0000317"),
        _symbol("BTCUSDC", "USDC", (1, 3)),
        _symbol("ETHUSDC", "USDC", (2, 3)),
        _symbol("BTCUSD1", "USD1", (1, 3)),
        _symbol("BTCU", "U", (1, 3)),
        _symbol("ETHBTC", "BTC", (6, 3)),
        _symbol(
            "XAUUSDT",
            "USDT",
            (2, 3),
            contract_type="TRADIFI_PERPETUAL",
            fixed_price="4100.00",
        ),
    )
}

CREDITS = "BNFCR"  # one dollar; the asset of the EU's Credits Trading Mode alone

# Buffers of the kind that `assetIndex` shows; read the index, they change.
ASSETS = {
    asset.name: asset
    for asset in (
        Asset(name="USDT", bid_buffer=Decimal("0.0001"), ask_buffer=Decimal("0.0001")),
        Asset(name="USDC", bid_buffer=Decimal("0.0001"), ask_buffer=Decimal("0.0001")),
        Asset(name="U", bid_buffer=Decimal("0.0001"), ask_buffer=Decimal("0.0001")),
        Asset(name="USD1", bid_buffer=Decimal("0.001"), ask_buffer=Decimal("0.001")),
        Asset(name="FDUSD", bid_buffer=Decimal("0.011"), ask_buffer=Decimal("0.011")),
        Asset(name="BTC", bid_buffer=Decimal("0.05"), ask_buffer=Decimal("0.05")),
        Asset(name="ETH", bid_buffer=Decimal("0.05"), ask_buffer=Decimal("0.05")),
        Asset(name="BNB", bid_buffer=Decimal("0.05"), ask_buffer=Decimal("0.05")),
        Asset(name="SOL", bid_buffer=Decimal("0.1"), ask_buffer=Decimal("0.1")),
        Asset(name="XRP", bid_buffer=Decimal("0.1"), ask_buffer=Decimal("0.1")),
        Asset(name=CREDITS, bid_buffer=Decimal(0), ask_buffer=Decimal(0)),
    )
}
