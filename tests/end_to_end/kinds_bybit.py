# ruff: noqa: E501 - rows of TOML are easier to read whole
"""One Bybit account of every kind that is watched, in the lines of a scenario's account."""

_KINDS = {
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

_OTHERS = {
    "bybit inverse": """
mode = "cross"
wallets = { BTC = 2.51, ETH = 35 }
positions = [
  { symbol = "BTCUSD", side = "long", contracts = 5021000, entry_price = 95011.5, leverage = 25 },
  { symbol = "ETHUSD", side = "short", contracts = 3007700, entry_price = 3444.05, leverage = 20 },
]
""",
    "bybit mixed": """
mode = "cross"
wallets = { USDT = 2210.5, USDC = 950.25, BTC = 0.0123, ETH = 0.25 }
positions = [
  { symbol = "SOLUSDT", side = "long", contracts = 1203.3, entry_price = 172.171, leverage = 20 },
  { symbol = "ETHPERP", side = "short", contracts = 20.02, entry_price = 3431.07, leverage = 25 },
  { symbol = "BTCUSD", side = "long", contracts = 30111, entry_price = 94700.5, leverage = 12.5 },
]
""",
    "bybit expiry futures": """
mode = "cross"
wallets = { USDT = 3104.5, USDC = 1500.25, BTC = 0.011 }
positions = [
  { symbol = "BTCUSDT-31DEC27", side = "long", contracts = 0.803, entry_price = 96011.5, leverage = 20 },
  { symbol = "ETH-31DEC27", side = "short", contracts = 12.51, entry_price = 3471.05, leverage = 10 },
  { symbol = "BTCUSDZ27", side = "short", contracts = 20011, entry_price = 95700.5, leverage = 10 },
]
""",
    "bybit borrowing by hand": """
mode = "cross"
wallets = { USDT = 1800.25, BTC = 0.0521 }
positions = [
  { symbol = "ETHUSDT", side = "long", contracts = 21.7, entry_price = 3471.1, leverage = 20 },
]
extra = { borrowed = { USDT = "3105.5" } }
""",
    "bybit borrowing below zero": """
mode = "cross"
wallets = { USDT = -2301.5, BTC = 0.0451, ETH = 0.5 }
positions = [
  { symbol = "BTCUSDT", side = "long", contracts = 0.5, entry_price = 94900.1, leverage = 20 },
]
""",
    "bybit isolated": """
mode = "isolated"
wallets = { USDT = 10000, USDC = 3000 }
positions = [
  { symbol = "BTCUSDT", side = "long", contracts = 0.507, entry_price = 95717.3, leverage = 20, margin_mode = "isolated", isolated_margin = 2605.31 },
  { symbol = "ETHUSDT", side = "short", contracts = 2.7, entry_price = 3411.11, leverage = 20, margin_mode = "isolated", isolated_margin = 460.4 },
  { symbol = "BTCPERP", side = "long", contracts = 0.205, entry_price = 95012.3, leverage = 12.5, margin_mode = "isolated", isolated_margin = 1600 },
]
""",
    "bybit isolated hedge": """
mode = "isolated"
position_mode = "hedge"
wallets = { USDT = 10000 }
positions = [
  { symbol = "BTCUSDT", side = "long", contracts = 0.2, entry_price = 96123.4, leverage = 25, margin_mode = "isolated", isolated_margin = 790.25 },
  { symbol = "BTCUSDT", side = "short", contracts = 0.15, entry_price = 93999.9, leverage = 25, margin_mode = "isolated", isolated_margin = 600.125 },
]
""",
    "bybit isolated inverse": """
mode = "isolated"
wallets = { BTC = 0.5, ETH = 10 }
positions = [
  { symbol = "BTCUSD", side = "long", contracts = 20011, entry_price = 95700.5, leverage = 20, margin_mode = "isolated", isolated_margin = 0.0121 },
  { symbol = "ETHUSD", side = "short", contracts = 9003, entry_price = 3401.05, leverage = 25, margin_mode = "isolated", isolated_margin = 0.12 },
]
""",
    "bybit portfolio": """
mode = "portfolio"
wallets = { USDT = 5210.75, BTC = 0.031 }
positions = [
  { symbol = "BTCUSDT", side = "long", contracts = 0.6, entry_price = 94900.1, leverage = 10 },
  { symbol = "ETHUSDT", side = "short", contracts = 9.5, entry_price = 3410.1, leverage = 10 },
]
[accounts.extra]
fixed_im = "3500.5"
fixed_mm = "2801.25"
[[accounts.extra.options]]
symbol = "BTC-31DEC27-90000-P"
side = "Sell"
size = "0.1"
entry = 2000
mark = 1500
""",
    "bybit options": """
mode = "cross"
wallets = { USDC = 4100.5 }
positions = [
  { symbol = "BTCPERP", side = "long", contracts = 0.31, entry_price = 95012.3, leverage = 10 },
]
[[accounts.extra.options]]
symbol = "BTC-31DEC27-90000-P"
side = "Sell"
size = "0.1"
entry = 2000
mark = 1500
initial_margin = 900
maintenance_margin = 400
""",
}

REPORTED = frozenset(kind for kind in _OTHERS if "portfolio" in kind)
"""Bybit's stress test is its own: the requirement is taken over whole."""

PARTLY = frozenset(kind for kind in _OTHERS if "option" in kind)
"""The margin of options is Bybit's own figure."""

ACCOUNTS = {**_KINDS, **_OTHERS}
