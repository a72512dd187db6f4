# ruff: noqa: E501 - rows of TOML are easier to read whole
"""One account of every kind that is watched, as a scenario of its own; prices stand still."""

from itertools import product

from monitor.simulator.scenario import Scenario, parse
from monitor.simulator.server import Simulation

MARKS = {"BTC": "94321.7", "ETH": "3456.78", "SOL": "171.23", "XRP": "2.3457"}

_BINANCE = {
    "binance one-way cross": """
mode = "single_asset"
wallets = { USDT = 2750.12345678 }
positions = [
  { symbol = "BTCUSDT", side = "long", contracts = 0.231, entry_price = 99871.3, leverage = 20 },
  { symbol = "ETHUSDT", side = "short", contracts = 7.013, entry_price = 3401.77, leverage = 15 },
  { symbol = "XRPUSDT", side = "long", contracts = 30250.3, entry_price = 2.3391, leverage = 25 },
]
orders = [
  { symbol = "BTCUSDT", side = "sell", kind = "stop", trigger_price = 91000, closes_position = true },
  { symbol = "ETHUSDT", side = "sell", kind = "limit", contracts = 1, price = 3900 },
]
""",
    "binance hedge cross": """
mode = "single_asset"
position_mode = "hedge"
wallets = { USDT = 2345.67891234 }
positions = [
  { symbol = "BTCUSDT", side = "long", contracts = 0.31, entry_price = 97001.1, leverage = 10 },
  { symbol = "BTCUSDT", side = "short", contracts = 0.105, entry_price = 93007.7, leverage = 10 },
  { symbol = "SOLUSDT", side = "short", contracts = 133.07, entry_price = 168.0003, leverage = 10 },
]
""",
    "binance one-way isolated": """
mode = "single_asset"
wallets = { USDT = 1000 }
positions = [
  { symbol = "SOLUSDT", side = "long", contracts = 301.77, entry_price = 173.7171, leverage = 20, margin_mode = "isolated", isolated_margin = 2605.31 },
  { symbol = "ETHUSDT", side = "short", contracts = 2.7, entry_price = 3411.11, leverage = 20, margin_mode = "isolated", isolated_margin = 460.5 },
]
""",
    "binance hedge isolated": """
mode = "single_asset"
position_mode = "hedge"
wallets = { USDT = 1000 }
positions = [
  { symbol = "BTCUSDT", side = "long", contracts = 0.2, entry_price = 96123.4, leverage = 25, margin_mode = "isolated", isolated_margin = 790.25 },
  { symbol = "BTCUSDT", side = "short", contracts = 0.15, entry_price = 93999.9, leverage = 25, margin_mode = "isolated", isolated_margin = 600.125 },
]
""",
    "binance several margin assets": """
mode = "single_asset"
wallets = { USDT = 1500.5, USDC = 777.77, BTC = 0.05 }
positions = [
  { symbol = "BTCUSDT", side = "long", contracts = 0.1, entry_price = 99000.1, leverage = 20 },
  { symbol = "BTCUSDC", side = "short", contracts = 0.05, entry_price = 91000.3, leverage = 20 },
  { symbol = "ETHUSDC", side = "long", contracts = 1.111, entry_price = 3501.01, leverage = 20 },
  { symbol = "SOLUSDT", side = "short", contracts = 12.5, entry_price = 169.9, leverage = 20, margin_mode = "isolated", isolated_margin = 120 },
]
""",
}

_BYBIT = {
    "bybit one-way usdt": """
mode = "cross"
wallets = { USDT = 12000 }
positions = [
  { symbol = "BTCUSDT", side = "long", contracts = 0.5, entry_price = 100000, leverage = 10 },
  { symbol = "ETHUSDT", side = "short", contracts = 10, entry_price = 3500, leverage = 20 },
]
""",
    "bybit one-way usdc": """
mode = "cross"
wallets = { USDC = 25001.75 }
positions = [
  { symbol = "BTCPERP", side = "long", contracts = 3.003, entry_price = 97531.1, leverage = 20 },
  { symbol = "ETHPERP", side = "short", contracts = 51.17, entry_price = 3399.99, leverage = 12.5 },
]
""",
    "bybit hedge": """
mode = "cross"
position_mode = "hedge"
wallets = { USDT = 4100.25 }
positions = [
  { symbol = "BTCUSDT", side = "long", contracts = 0.5, entry_price = 99123.4, leverage = 10 },
  { symbol = "BTCUSDT", side = "short", contracts = 0.2, entry_price = 93111.1, leverage = 10 },
  { symbol = "SOLUSDT", side = "long", contracts = 55.5, entry_price = 168.1, leverage = 10 },
]
""",
    "bybit other coins as collateral": """
mode = "cross"
wallets = { USDT = 2101.5, USDC = 20.25, BTC = 0.0003, ETH = 0.01, SOL = 1.1 }
positions = [
  { symbol = "BTCUSDT", side = "long", contracts = 0.6, entry_price = 94900, leverage = 50 },
]
extra = { switched_off = ["SOL"] }
""",
    "bybit much collateral": """
mode = "cross"
wallets = { USDT = 3001.5, USDC = 203.25, BTC = 0.031, ETH = 0.75 }
positions = [
  { symbol = "BTCUSDT", side = "long", contracts = 0.6, entry_price = 94900, leverage = 50 },
  { symbol = "ETHPERP", side = "short", contracts = 2.5, entry_price = 3410.1, leverage = 25 },
]
""",
    "bybit open orders": """
mode = "cross"
wallets = { USDT = 5200 }
positions = [
  { symbol = "BTCUSDT", side = "long", contracts = 0.4, entry_price = 99999.9, leverage = 10 },
]
orders = [
  { symbol = "BTCUSDT", side = "sell", kind = "stop", trigger_price = 90000, closes_position = true },
  { symbol = "BTCUSDT", side = "buy", kind = "limit", contracts = 0.1, price = 92000 },
  { symbol = "ETHUSDT", side = "buy", kind = "limit", contracts = 1.5, price = 3300 },
]
""",
}

_OKX_SIZES = {
    # payoff: instrument, long contracts and entry, short contracts and entry, isolated margin
    "linear": ("BTC-USDT-SWAP", ("3501.01", "97123.4"), ("1250.5", "92987.6"), "165050.5"),
    "inverse": ("BTC-USD-SWAP", ("3307.1", "97123.4"), ("1213.3", "92987.6"), "0.215"),
}
_OKX_WALLETS = {
    ("futures", "linear"): "USDT = 180075.25",
    ("futures", "inverse"): "BTC = 0.2471",
    ("multi_currency", "linear"): "USDT = 171025.5, ETH = 2.02, SOL = 25.5",
    ("multi_currency", "inverse"): "BTC = 0.2471, USDT = 602.25",
}


def _okx(mode: str, payoff: str, margin: str, sides: str) -> str:
    symbol, long, short, isolated = _OKX_SIZES[payoff]
    lines = [f'mode = "{mode}"', f"wallets = {{ {_OKX_WALLETS[mode, payoff]} }}"]
    legs = [("long", long)]
    if sides == "long-short":
        lines.append('position_mode = "hedge"')
        legs.append(("short", short))
    rows = []
    for side, (contracts, entry) in legs:
        extra = ""
        if margin == "isolated":
            extra = f', margin_mode = "isolated", isolated_margin = {isolated}'
        rows.append(
            f'  {{ symbol = "{symbol}", side = "{side}", contracts = {contracts}, '
            f"entry_price = {entry}, leverage = 20{extra} }},"
        )
    return "\n".join((*lines, "positions = [", *rows, "]")) + "\n"


_OKX = {
    f"okx {mode} {payoff} {margin} {sides}": _okx(mode, payoff, margin, sides)
    for mode, payoff, margin, sides in product(
        ("futures", "multi_currency"),
        ("linear", "inverse"),
        ("cross", "isolated"),
        ("net", "long-short"),
    )
}

_OKX_MUCH = {
    "okx multi_currency much collateral": """
mode = "multi_currency"
wallets = { USDT = 1210.25, ETH = 0.2, SOL = 2.5 }
positions = [
  { symbol = "BTC-USDT-SWAP", side = "long", contracts = 35.01, entry_price = 97123.4, leverage = 20 },
]
""",
}

ACCOUNTS = {**_BINANCE, **_BYBIT, **_OKX, **_OKX_MUCH}
"""The account's lines by the kind's name, which begins with its exchange."""

BORROWING_AHEAD = frozenset({"bybit much collateral", "okx multi_currency much collateral"})
"""
Before these end, the settle coin is used up and a borrowing begins, whose own maintenance margin
is not modelled (the account is told to be so when it happens): the price differs by that.
"""

PARTLY = frozenset({"bybit hedge", "bybit open orders"})
"""Their exchange does not publish the whole rule, so a part is taken over from its own figures."""

NAME = "main"


def scenario(kind: str) -> Scenario:
    """The scenario with one account of this kind, called `NAME`."""
    market = "".join(f"[market.{base}]\nstart = {price}\n" for base, price in MARKS.items())
    head = f'name = "kind"\ndescription = "{kind}"\nseed = 11\nduration_seconds = 60\n'
    account = (
        f'[[accounts]]\nname = "{NAME}"\nexchange = "{kind.split(maxsplit=1)[0]}"\n{ACCOUNTS[kind]}'
    )
    return parse(head + market + account, f"{kind}.toml")


def pin(simulation: Simulation) -> None:
    """Hold every price, index prices included: what is read at any time is of one moment."""
    for path in simulation.world.scenario.paths:
        simulation.world.pin(path.base, path.start)
    for exchange in simulation.world.exchanges:
        simulation.world.publish(exchange.name)
