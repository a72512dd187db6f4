"""Scenarios for tests, and signed calls by hand."""

import hashlib
import hmac
import time
from dataclasses import replace
from urllib.parse import urlencode

from monitor.simulator.scenario import AccountSpec, Scenario, parse

SCENE = """
name = "scene"
description = "for tests"
seed = 7
duration_seconds = 60
[market.BTC]
start = 60000
[market.ETH]
start = 2500
[market.SOL]
start = 150
"""

BINANCE = """
[[accounts]]
name = "one"
exchange = "binance"
mode = "single_asset"
wallets = { USDT = 1000.5, USDC = 50 }
[[accounts.positions]]
symbol = "BTCUSDT"
side = "long"
contracts = 0.1
entry_price = 61000
leverage = 20
[[accounts.positions]]
symbol = "ETHUSDC"
side = "short"
contracts = 0.02
entry_price = 2450
leverage = 5
[[accounts.positions]]
symbol = "SOLUSDT"
side = "long"
contracts = 3
entry_price = 148
leverage = 10
margin_mode = "isolated"
isolated_margin = 60
[[accounts.orders]]
symbol = "BTCUSDT"
side = "sell"
kind = "stop"
trigger_price = 55000
closes_position = true
[[accounts.orders]]
symbol = "ETHUSDT"
side = "buy"
kind = "limit"
contracts = 0.1
price = 2000
[[accounts.orders]]
symbol = "BTCUSDT"
side = "sell"
kind = "limit"
contracts = 0.1
price = 70000
reduce_only = true
"""

HEDGED = """
[[accounts]]
name = "hedged"
exchange = "binance"
mode = "single_asset"
position_mode = "hedge"
wallets = { USDT = 8000 }
positions = [
  { symbol = "BTCUSDT", side = "long", contracts = 0.3, entry_price = 60000, leverage = 10 },
  { symbol = "BTCUSDT", side = "short", contracts = 0.1, entry_price = 63000, leverage = 10 },
]
"""

MULTI = """
[[accounts]]
name = "multi"
exchange = "binance"
mode = "multi_assets"
wallets = { USDT = 200, USDC = 220, BTC = 0.01 }
positions = [
  { symbol = "BTCUSDT", side = "long", contracts = 0.1, entry_price = 61000, leverage = 20 },
]
"""

COIN = """
[[accounts]]
name = "coin"
exchange = "binance"
mode = "single_asset"
wallets = { USDT = 10 }
extra = { coin_wallets = { BTC = 0.05 } }
positions = [
  { symbol = "BTCUSD_PERP", side = "long", contracts = 100, entry_price = 61000, leverage = 20 },
  { symbol = "BTCUSD_261225", side = "short", contracts = 10, entry_price = 61000, leverage = 10 },
  { symbol = "SOLUSD_PERP", side = "short", contracts = 50, entry_price = 149, leverage = 5, margin_mode = "isolated", isolated_margin = 0.75 },
]
[[accounts.orders]]
symbol = "BTCUSD_PERP"
side = "sell"
kind = "stop"
trigger_price = 55000
closes_position = true
[[accounts.orders]]
symbol = "BTCUSD_PERP"
side = "buy"
kind = "limit"
contracts = 10
price = 50000
"""  # noqa: E501 - rows of TOML are easier to read whole

PM = """
[[accounts]]
name = "pm"
exchange = "binance"
mode = "portfolio_margin"
wallets = { USDT = 500 }
positions = [
  { symbol = "BTCUSDT", side = "long", contracts = 0.5, entry_price = 60500, leverage = 10 },
  { symbol = "ETHUSD_PERP", side = "short", contracts = 100, entry_price = 2600, leverage = 5 },
]
extra = { margin = { USDT = 1000, ETH = 2 }, borrowed = { USDT = 100 }, coin_wallets = { ETH = 1 } }
"""
PRO = PM.replace('"pm"', '"pro"').replace("portfolio_margin", "pm_pro")

PORTFOLIO = """
[[accounts]]
name = "portfolio"
exchange = "binance"
mode = "portfolio_margin"
wallets = { USDT = 200 }
"""


def scene(*accounts: str, market: str = SCENE) -> Scenario:
    return parse(market + "".join(accounts), "scene.toml")


def account_of(scenario: Scenario, name: str) -> AccountSpec:
    return next(account for account in scenario.accounts if account.name == name)


def with_rights(scenario: Scenario, *rights: str) -> Scenario:
    """The same scenario, each of its keys with these rights."""
    accounts = tuple(replace(account, permissions=rights) for account in scenario.accounts)
    return replace(scenario, accounts=accounts)


def milliseconds() -> int:
    return int(time.time() * 1000)


def binance_query(secret: str, **parameters: object) -> str:
    """A signed query as Binance's documentation builds it."""
    parameters.setdefault("timestamp", milliseconds())
    query = urlencode({key: str(value) for key, value in parameters.items()})
    signature = hmac.new(secret.encode(), query.encode(), hashlib.sha256).hexdigest()
    return f"{query}&signature={signature}"
