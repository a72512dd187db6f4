# ruff: noqa: E501 - rows of TOML are easier to read whole
"""One Binance account of every kind that is watched, in the lines of a scenario's account."""

_KINDS = {
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

_OTHERS = {
    "binance margined in BTC, U and USD1": """
mode = "single_asset"
wallets = { BTC = 0.21, U = 901.25, USD1 = 777.5, USDT = 12.5 }
positions = [
  { symbol = "ETHBTC", side = "short", contracts = 41.507, entry_price = 0.0361234, leverage = 20 },
  { symbol = "BTCU", side = "long", contracts = 0.151, entry_price = 97001.1, leverage = 20 },
  { symbol = "BTCUSD1", side = "short", contracts = 0.205, entry_price = 92007.7, leverage = 20 },
]
""",
    "binance multi-assets": """
mode = "multi_assets"
wallets = { USDT = -1210.5, USDC = 1503.25, BTC = 0.041, ETH = 0.75, BNB = 1.5 }
positions = [
  { symbol = "BTCUSDT", side = "long", contracts = 0.402, entry_price = 95871.3, leverage = 20 },
  { symbol = "ETHUSDC", side = "short", contracts = 7.013, entry_price = 3401.77, leverage = 15 },
  { symbol = "ETHBTC", side = "long", contracts = 3.5, entry_price = 0.0369, leverage = 10 },
]
orders = [
  { symbol = "ETHUSDT", side = "buy", kind = "limit", contracts = 1, price = 3100 },
]
""",
    "binance multi-assets hedge": """
mode = "multi_assets"
position_mode = "hedge"
wallets = { USDT = 410.5, BTC = 0.12 }
positions = [
  { symbol = "BTCUSDT", side = "long", contracts = 0.2, entry_price = 95871.3, leverage = 20 },
  { symbol = "BTCUSDT", side = "short", contracts = 0.41, entry_price = 93001.7, leverage = 20 },
]
""",
    "binance credits": """
mode = "credits"
wallets = { BNFCR = -310.25, BTC = 0.021, ETH = 0.5, BNB = 1.2, USDC = 150 }
positions = [
  { symbol = "BTCUSDT", side = "long", contracts = 0.302, entry_price = 95871.3, leverage = 20 },
  { symbol = "ETHUSDC", side = "short", contracts = 4.013, entry_price = 3401.77, leverage = 15 },
]
""",
    "binance credits in each contract's own asset": """
mode = "credits"
wallets = { BNFCR = 1310.25, BTC = 0.031, BNB = 1.2 }
positions = [
  { symbol = "BTCUSDT", side = "long", contracts = 0.302, entry_price = 95871.3, leverage = 20 },
  { symbol = "ETHUSDC", side = "short", contracts = 4.013, entry_price = 3401.77, leverage = 15 },
]
extra = { settlement = "contract" }
""",
    "binance coin-m": """
mode = "single_asset"
wallets = {}
positions = [
  { symbol = "BTCUSD_PERP", side = "long", contracts = 321, entry_price = 98911.00000037, leverage = 20 },
  { symbol = "BTCUSD_261225", side = "short", contracts = 100, entry_price = 93001.7, leverage = 20 },
  { symbol = "ETHUSD_PERP", side = "short", contracts = 1507, entry_price = 3301.01, leverage = 10 },
]
orders = [
  { symbol = "BTCUSD_PERP", side = "sell", kind = "stop", trigger_price = 91000, closes_position = true },
  { symbol = "ETHUSD_PERP", side = "sell", kind = "limit", contracts = 10, price = 3900 },
]
extra = { coin_wallets = { BTC = 0.03104512, ETH = 0.31 } }
""",
    "binance coin-m hedge": """
mode = "single_asset"
position_mode = "hedge"
wallets = { USDT = 100 }
positions = [
  { symbol = "BTCUSD_PERP", side = "long", contracts = 521, entry_price = 97911.5, leverage = 20 },
  { symbol = "BTCUSD_PERP", side = "short", contracts = 507, entry_price = 94001.1, leverage = 20 },
]
extra = { coin_wallets = { BTC = 0.031 } }
""",
    "binance coin-m isolated": """
mode = "single_asset"
wallets = {}
positions = [
  { symbol = "BTCUSD_PERP", side = "long", contracts = 321, entry_price = 98911.5, leverage = 20, margin_mode = "isolated", isolated_margin = 0.0212 },
  { symbol = "SOLUSD_PERP", side = "short", contracts = 507, entry_price = 169.123, leverage = 10, margin_mode = "isolated", isolated_margin = 1.91 },
]
extra = { coin_wallets = { BTC = 0.05 } }
""",
    "binance usd-m beside coin-m": """
mode = "single_asset"
position_mode = "hedge"
wallets = { USDT = 2100.5 }
positions = [
  { symbol = "BTCUSDT", side = "long", contracts = 0.31, entry_price = 97001.1, leverage = 10 },
  { symbol = "BTCUSD_PERP", side = "short", contracts = 321, entry_price = 92911.5, leverage = 20 },
  { symbol = "ETHUSD_261225", side = "long", contracts = 100, entry_price = 3511.1, leverage = 5, margin_mode = "isolated", isolated_margin = 0.0412 },
]
extra = { coin_wallets = { BTC = 0.02 }, spot = { USDT = 512.25, BTC = 0.125 } }
""",
    "binance one coin in both wallets": """
mode = "single_asset"
wallets = { BTC = 0.21 }
positions = [
  { symbol = "ETHBTC", side = "short", contracts = 41.507, entry_price = 0.0361234, leverage = 20 },
  { symbol = "BTCUSD_PERP", side = "long", contracts = 321, entry_price = 98911.5, leverage = 20 },
]
extra = { coin_wallets = { BTC = 0.0310451 } }
""",
    "binance portfolio margin": """
mode = "portfolio_margin"
wallets = { USDT = 1500.5 }
positions = [
  { symbol = "BTCUSDT", side = "long", contracts = 0.5, entry_price = 96001.1, leverage = 10 },
  { symbol = "ETHUSDC", side = "short", contracts = 5.5, entry_price = 3411.1, leverage = 10 },
  { symbol = "BTCUSD_PERP", side = "short", contracts = 100, entry_price = 93911.5, leverage = 20 },
]
extra = { margin = { USDT = 1000, BTC = 0.1, ETH = 2.5 }, borrowed = { USDT = 414, BTC = 0.04, ETH = 0.5 }, coin_wallets = { BTC = 0.05 }, open_loss = 3.5 }
""",
    "binance pm pro": """
mode = "pm_pro"
position_mode = "hedge"
wallets = { USDT = 500.25, USDC = -20 }
positions = [
  { symbol = "BTCUSDT", side = "long", contracts = 0.5, entry_price = 96001.1, leverage = 10 },
  { symbol = "BTCUSDT", side = "short", contracts = 0.25, entry_price = 92001.1, leverage = 10 },
  { symbol = "SOLUSD_PERP", side = "short", contracts = 100, entry_price = 173.5, leverage = 20 },
]
extra = { margin = { USDT = 700, BTC = 0.02, SOL = 5 }, coin_wallets = { SOL = 1 } }
""",
}

REPORTED = frozenset({"binance portfolio margin", "binance pm pro"})
"""The requirement is taken over from Binance, and stands still until it tells another."""

REQUIREMENT_MOVES = REPORTED
"""Binance's requirement goes with the marks: prices at which it would end are not compared."""

ACCOUNTS = {**_KINDS, **_OTHERS}
