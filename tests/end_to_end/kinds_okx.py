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

ACCOUNTS = {**_KINDS, **_MUCH}
