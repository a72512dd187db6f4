"""
What Binance publishes about its COIN-M contracts: symbols, contract sizes, brackets.

The brackets are in coins. Those of BTCUSD_PERP: caps as in Binance's own example of 300 BTC,
rates of our reading that give that example's amount of 11.605; all others are invented.
"""

from decimal import Decimal

from monitor.simulator.binance_tables import PERPETUAL_DELIVERY, Bracket, Symbol, brackets

# Tables of our own making.
INVENTED = frozenset({"BTCUSD_261225", "ETHUSD_PERP", "ETHUSD_261225", "SOLUSD_PERP"})
NO_CAP = Decimal(9223372036854775807)  # how the wire says that a bracket has no end
_DELIVERIES = {"261225": 1798185600000}  # 2026-12-25 08:00 UTC

_TABLES = {
    "BTCUSD_PERP": "5 .004 125; 10 .005 100; 20 .01 50; 50 .025 20; 100 .05 10; 200 .1 5;"
    " 400 .125 4; 1000 .15 3; 1500 .25 2; {none} .5 1",
    "BTCUSD_261225": "5 .005 100; 10 .01 50; 20 .025 20; 50 .05 10; 100 .1 5; {none} .5 1",
    "ETHUSD_PERP": "50 .005 100; 100 .0065 75; 200 .01 50; 500 .02 25; 1000 .05 10; 2000 .1 5;"
    " {none} .5 1",
    "ETHUSD_261225": "50 .01 50; 200 .025 20; 500 .05 10; 2000 .1 5; {none} .5 1",
    "SOLUSD_PERP": "500 .01 50; 2500 .02 25; 10000 .025 20; 50000 .1 5; {none} .5 1",
}
# Base, dollars of a contract, price decimals, and the mark in parts of the coin's path: a
# little off, so that mixing it up with a USD-M mark shows.
_CONTRACTS = {
    "BTCUSD_PERP": ("BTC", 100, 1, "1.001"),
    "BTCUSD_261225": ("BTC", 100, 1, "1.004"),
    "ETHUSD_PERP": ("ETH", 10, 2, "0.9992"),
    "ETHUSD_261225": ("ETH", 10, 2, "1.003"),
    "SOLUSD_PERP": ("SOL", 10, 3, "1.0005"),
}


def coin_brackets(name: str) -> tuple[Bracket, ...]:
    """Give the brackets of a COIN-M symbol, in coins."""
    return brackets(_TABLES[name].format(none=NO_CAP))


def _symbol(name: str, base: str, size: int, decimals: int, premium: str) -> Symbol:
    _, _, when = name.partition("_")
    return Symbol(
        name=name,
        base=base,
        margin_asset=base,
        brackets=coin_brackets(name),
        price_decimals=decimals,
        quantity_decimals=0,
        contract_type="PERPETUAL" if when == "PERP" else "CURRENT_QUARTER",
        contract_size=Decimal(size),
        delivery_at=_DELIVERIES.get(when, PERPETUAL_DELIVERY),
        premium=Decimal(premium),
    )


COIN_SYMBOLS = {name: _symbol(name, *told) for name, told in _CONTRACTS.items()}
