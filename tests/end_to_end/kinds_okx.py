# ruff: noqa: E501 - rows of TOML are easier to read whole
"""One OKX account of every kind that is watched, in the lines of a scenario's account."""

from itertools import product

_SIZES = {
    # payoff: instrument, long contracts and entry, short contracts and entry, isolated margin
    "linear": ("BTC-USDT-SWAP", ("3501.01", "97123.4"), ("1250.5", "92987.6"), "165050.5"),
    "inverse": ("BTC-USD-SWAP", ("3307.1", "97123.4"), ("1213.3", "92987.6"), "0.215"),
}
_WALLETS = {
    ("futures", "linear"): "USDT = 180075.25",
    ("futures", "inverse"): "BTC = 0.2471",
    ("multi_currency", "linear"): "USDT = 171025.5, ETH = 2.02, SOL = 25.5",
    ("multi_currency", "inverse"): "BTC = 0.2471, USDT = 602.25",
}


def _okx(mode: str, payoff: str, margin: str, sides: str) -> str:
    symbol, long, short, isolated = _SIZES[payoff]
    lines = [f'mode = "{mode}"', f"wallets = {{ {_WALLETS[mode, payoff]} }}"]
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


_KINDS = {
    f"okx {mode} {payoff} {margin} {sides}": _okx(mode, payoff, margin, sides)
    for mode, payoff, margin, sides in product(
        ("futures", "multi_currency"),
        ("linear", "inverse"),
        ("cross", "isolated"),
        ("net", "long-short"),
    )
}

_MUCH = {
    "okx multi_currency much collateral": """
mode = "multi_currency"
wallets = { USDT = 1210.25, ETH = 0.2, SOL = 2.5 }
positions = [
  { symbol = "BTC-USDT-SWAP", side = "long", contracts = 35.01, entry_price = 97123.4, leverage = 20 },
]
""",
}

_OTHERS = {
    "okx spot borrowing": """
mode = "spot"
wallets = { BTC = 0.351, ETH = 2.02, USDT = -31010.5, USDC = -11.25 }
extra = { spot_borrow = true, interest = { USDT = 1.2345 }, spot_taker_rate = "0.0008" }
""",
    "okx spot": """
mode = "spot"
wallets = { BTC = 0.351, USDT = 1010.5 }
""",
    "okx futures several pools": """
mode = "futures"
wallets = { USDT = 5000.25, BTC = 0.0801, USDC = 3001.75, XRP = 900 }
positions = [
  { symbol = "BTC-USDT-SWAP", side = "long", contracts = 61.01, entry_price = 97123.4, leverage = 20 },
  { symbol = "ETH-USDT-SWAP", side = "short", contracts = 55.5, entry_price = 3401.7, leverage = 10 },
  { symbol = "BTC-USD-SWAP", side = "long", contracts = 901.5, entry_price = 96000.3, leverage = 20 },
  { symbol = "BTC-USD-261225", side = "short", contracts = 500, entry_price = 93120.1, leverage = 20 },
  { symbol = "XRP-USD-SWAP", side = "long", contracts = 551, entry_price = 2.4001, leverage = 20 },
  { symbol = "BTC-USDC-SWAP", side = "short", contracts = 5001, entry_price = 92001.7, leverage = 20 },
  { symbol = "SOL-USDT-SWAP", side = "long", contracts = 101, entry_price = 174.5, leverage = 5, margin_mode = "isolated", isolated_margin = 1210.5 },
]
""",
    "okx futures expiry long-short": """
mode = "futures"
position_mode = "hedge"
wallets = { USDT = 91000.25 }
positions = [
  { symbol = "BTC-USDT-261225", side = "long", contracts = 701.01, entry_price = 97123.4, leverage = 20 },
  { symbol = "BTC-USDT-261225", side = "short", contracts = 305.5, entry_price = 92123.4, leverage = 20 },
  { symbol = "BTC-USDT-270326", side = "long", contracts = 150, entry_price = 96001.7, leverage = 20 },
  { symbol = "XRP-USDT-261225", side = "short", contracts = 1801, entry_price = 2.2999, leverage = 10 },
]
extra = { futures_taker_rate = "0.001" }
""",
    "okx futures in USD": """
mode = "futures"
wallets = { USDC = 12010.25 }
positions = [
  { symbol = "BTC-USD_UM-261225", side = "long", contracts = 205.1, entry_price = 95123.4, leverage = 10 },
]
""",
    "okx futures margin cross": """
mode = "futures"
wallets = { USDT = 2010.25, ETH = 0.5 }
positions = [
  { symbol = "SOL-USDT-SWAP", side = "long", contracts = 101, entry_price = 170.5, leverage = 5 },
]
extra = { loans = [ { symbol = "BTC-USDT", side = "long", held = "0.21", owed = "19500", interest = "1.25", entry_price = "93001.5", leverage = "5", ccy = "USDT" }, { symbol = "ETH-USDT", side = "short", held = "35010", owed = "10.3", interest = "0.00012", entry_price = "3440.1", leverage = "5", ccy = "ETH" } ] }
""",
    "okx futures margin isolated": """
mode = "futures"
wallets = { USDT = 2010.25 }
extra = { loans = [ { symbol = "BTC-USDT", side = "long", held = "0.2254", owed = "20510.5", interest = "1.25", entry_price = "93001.5", leverage = "5", isolated_margin = "0.0101" }, { symbol = "ETH-USDT", side = "short", held = "38010", owed = "10.3", interest = "0.00012", entry_price = "3440.1", leverage = "5", isolated_margin = "2500.5" } ] }
""",
    "okx futures options": """
mode = "futures"
wallets = { BTC = 0.0801 }
positions = [
  { symbol = "BTC-USD-SWAP", side = "long", contracts = 601.5, entry_price = 96000.3, leverage = 20 },
]
extra = { others = [ { inst_type = "OPTION", inst_id = "BTC-USD-261225-100000-C", ccy = "BTC", pos = "-2", avg_px = "0.02", mark_px = "0.025", upl = "-0.0001", value = "-0.0005", mmr = "0.0021", imr = "0.0034", fee = "0.00001" } ] }
""",
    "okx multi_currency borrowing": """
mode = "multi_currency"
wallets = { BTC = 0.72, ETH = 3.5, USDT = -60010.25, USDC = -9001.5 }
positions = [
  { symbol = "BTC-USDT-SWAP", side = "long", contracts = 101.01, entry_price = 97123.4, leverage = 20 },
  { symbol = "ETH-USD-SWAP", side = "short", contracts = 901, entry_price = 3399.9, leverage = 20 },
]
extra = { interest = { USDT = "12.5", USDC = "0.75" } }
""",
    "okx multi_currency expiry": """
mode = "multi_currency"
wallets = { BTC = 0.05, USDT = 2010.25, USDC = 900 }
positions = [
  { symbol = "BTC-USDT-261225", side = "long", contracts = 101.01, entry_price = 97123.4, leverage = 20 },
  { symbol = "BTC-USD-270326", side = "short", contracts = 301, entry_price = 94001.2, leverage = 20 },
  { symbol = "BTC-USDC-SWAP", side = "long", contracts = 10001, entry_price = 95001.2, leverage = 20 },
  { symbol = "BTC-USD_UM-261225", side = "short", contracts = 30, entry_price = 93001.2, leverage = 10 },
  { symbol = "SOL-USDT-SWAP", side = "short", contracts = 101, entry_price = 168.5, leverage = 5, margin_mode = "isolated", isolated_margin = 3210.5 },
]
extra = { futures_taker_rate = "0.001", switched_off = ["XRP"] }
""",
    "okx multi_currency margin isolated": """
mode = "multi_currency"
wallets = { USDT = 2010.25, ETH = 0.5 }
positions = [
  { symbol = "SOL-USDT-SWAP", side = "long", contracts = 201, entry_price = 170.5, leverage = 5 },
]
extra = { loans = [ { symbol = "BTC-USDT", side = "long", held = "0.2254", owed = "20510.5", interest = "1.25", entry_price = "93001.5", leverage = "5", isolated_margin = "0.0101" } ] }
""",
    "okx multi_currency ends both ways": """
mode = "multi_currency"
wallets = { ETH = 20.88, USDT = 2301.7, USDC = -71001.25 }
positions = [
  { symbol = "ETH-USDT-SWAP", side = "short", contracts = 200, entry_price = 3456.78, leverage = 10 },
]
""",
    "okx portfolio": """
mode = "portfolio"
wallets = { USDT = 21000.5, BTC = 0.31, ETH = 2 }
positions = [
  { symbol = "BTC-USDT-SWAP", side = "long", contracts = 201.01, entry_price = 97123.4, leverage = 20 },
  { symbol = "BTC-USDT-261225", side = "short", contracts = 150.01, entry_price = 94123.4, leverage = 20 },
  { symbol = "ETH-USD-SWAP", side = "short", contracts = 501, entry_price = 3399.9, leverage = 20 },
]
extra = { fixed_mmr = "19010.75", fixed_fee = "210.25" }
""",
}

PARTLY = frozenset({"okx futures options"})
"""The exchange's own figures of an option are taken over."""

REPORTED = frozenset({"okx portfolio"})
"""The exchange does not publish the rule."""

ACCOUNTS = {**_KINDS, **_MUCH, **_OTHERS}
