# ruff: noqa: E501 - rows of TOML are easier to read whole
"""One Bybit account of every kind that is watched, in the lines of a scenario's account."""

ACCOUNTS = {
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
