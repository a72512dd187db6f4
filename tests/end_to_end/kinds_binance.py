# ruff: noqa: E501 - rows of TOML are easier to read whole
"""One Binance account of every kind that is watched, in the lines of a scenario's account."""

ACCOUNTS = {
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
