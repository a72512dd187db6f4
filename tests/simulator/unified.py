"""Scenarios of Bybit and OKX accounts, and calls signed by hand as their documentation says."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
from yarl import URL

from monitor.simulator.server import Simulation
from tests.simulator.scenes import milliseconds

PAYLOADS = Path(__file__).parent / "payloads"

MARKET = """
name = "unified"
description = "for tests"
seed = 7
duration_seconds = 60
[market.BTC]
start = 95000
[market.ETH]
start = 3600
[market.SOL]
start = 171
"""

# The two positions of the worked example: margin balance 8,504.25 at an index of 1.0005.
BYBIT = """
[market.USDT]
start = 1.0005
[[accounts]]
name = "two"
exchange = "bybit"
mode = "cross"
wallets = { USDT = 12000 }
positions = [
  { symbol = "BTCUSDT", side = "long", contracts = 0.5, entry_price = 100000, leverage = 10 },
  { symbol = "ETHUSDT", side = "short", contracts = 10, entry_price = 3500, leverage = 20 },
]
[[accounts.orders]]
symbol = "BTCUSDT"
side = "sell"
kind = "stop"
trigger_price = 90000
closes_position = true
"""

BYBIT_OTHERS = """
[[accounts]]
name = "usdc"
exchange = "bybit"
mode = "cross"
wallets = { USDC = 5000, BTC = 0.2 }
positions = [
  { symbol = "BTCPERP", side = "long", contracts = 0.1, entry_price = 94000, leverage = 10 },
  { symbol = "BTCUSD", side = "short", contracts = 1000, entry_price = 96000, leverage = 10 },
]
[accounts.extra]
borrowed = { BTC = "0.05" }
switched_off = ["ETH"]
[[accounts.extra.options]]
symbol = "BTC-26DEC25-90000-P"
size = "0.1"
entry = 2000
mark = 1500
initial_margin = 90
maintenance_margin = 40

[[accounts]]
name = "alone"
exchange = "bybit"
mode = "isolated"
wallets = { USDT = 1000 }
[[accounts.positions]]
symbol = "BTCUSDT"
side = "long"
contracts = 0.1
entry_price = 95000
leverage = 50
margin_mode = "isolated"
isolated_margin = 190

[[accounts]]
name = "stress"
exchange = "bybit"
mode = "portfolio"
wallets = { USDT = 1000 }
positions = [
  { symbol = "BTCUSDT", side = "long", contracts = 0.1, entry_price = 95000 },
]

[[accounts]]
name = "classic"
exchange = "bybit"
mode = "cross"
wallets = { USDT = 1 }
extra = { unified_status = 1 }

[[accounts]]
name = "hedged"
exchange = "bybit"
mode = "cross"
position_mode = "hedge"
wallets = { USDT = 20000 }
positions = [
  { symbol = "BTCUSDT", side = "long", contracts = 0.5, entry_price = 100000, leverage = 10 },
]
"""

# One pool in USDT, and one isolated position: W7 of the reference, with marks of this market.
OKX = """
[market.USDT]
start = 0.9995
[[accounts]]
name = "futures"
exchange = "okx"
mode = "futures"
wallets = { USDT = 1300, BTC = 0.042 }
[[accounts.positions]]
symbol = "BTC-USDT-SWAP"
side = "long"
contracts = 20
entry_price = 99000
leverage = 50
[[accounts.positions]]
symbol = "ETH-USDT-SWAP"
side = "short"
contracts = 30
entry_price = 3500
leverage = 50
[[accounts.positions]]
symbol = "SOL-USDT-SWAP"
side = "long"
contracts = 50
entry_price = 180
leverage = 5
margin_mode = "isolated"
isolated_margin = 1800
[[accounts.orders]]
symbol = "BTC-USDT-SWAP"
side = "sell"
kind = "stop"
trigger_price = 94800
closes_position = true
"""

OKX_OTHERS = """
[[accounts]]
name = "multi"
exchange = "okx"
mode = "multi_currency"
wallets = { USDT = -500, BTC = 0.1, ETH = 1, SOL = 5, XRP = 100, DOGE = 1000 }
positions = [
  { symbol = "SOL-USDT-SWAP", side = "long", contracts = 10, entry_price = 180, leverage = 5 },
]
[accounts.extra]
switched_off = ["SOL"]
[[accounts.extra.others]]
inst_type = "OPTION"
inst_id = "BTC-USD-261225-100000-C"
ccy = "BTC"
pos = -1
avg_px = "0.01"
mark_px = "0.012"
upl = "-0.00002"
mmr = "0.001"
imr = "0.002"

[[accounts]]
name = "spot"
exchange = "okx"
mode = "spot"
wallets = { USDT = 100 }

[[accounts]]
name = "stress"
exchange = "okx"
mode = "portfolio"
wallets = { USDT = 10000 }
positions = [
  { symbol = "BTC-USDT-SWAP", side = "long", contracts = 10, entry_price = 95000 },
]
extra = { fixed_mmr = 777 }

[[accounts]]
name = "sides"
exchange = "okx"
mode = "futures"
position_mode = "hedge"
wallets = { USDT = 3000 }
positions = [
  { symbol = "BTC-USDT-SWAP", side = "long", contracts = 20, entry_price = 99000 },
  { symbol = "BTC-USDT-SWAP", side = "short", contracts = 5, entry_price = 99000 },
]
"""


def recorded(name: str) -> Any:
    text = (PAYLOADS / f"{name}.json").read_text(encoding="utf-8")
    return json.loads(text)["httpResponse"]


def sample(exchange: str, function: str, note: str = "", number: int = 0) -> Any:
    """The so manieth example of a function among those whose note begins so."""
    text = (PAYLOADS / f"{exchange}_code_samples.json").read_text(encoding="utf-8")
    found = [
        item["sample"]
        for item in json.loads(text)["samples"]
        if item["function"] == function and item["note"].startswith(note)
    ]
    return found[number]


def bybit_headers(
    query: str,
    key: str,
    secret: str,
    *,
    at_ms: int | None = None,
    window: str = "5000",
) -> dict[str, str]:
    stamp = str(milliseconds() if at_ms is None else at_ms)
    text = f"{stamp}{key}{window}{query}"
    return {
        "X-BAPI-API-KEY": key,
        "X-BAPI-TIMESTAMP": stamp,
        "X-BAPI-RECV-WINDOW": window,
        "X-BAPI-SIGN": hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest(),
    }


def okx_headers(
    path: str, key: str, secret: str, passphrase: str, *, stamp: str | None = None
) -> dict[str, str]:
    at = stamp or datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    digest = hmac.new(secret.encode(), f"{at}GET{path}".encode(), hashlib.sha256).digest()
    return {
        "OK-ACCESS-KEY": key,
        "OK-ACCESS-PASSPHRASE": passphrase,
        "OK-ACCESS-SIGN": base64.b64encode(digest).decode(),
        "OK-ACCESS-TIMESTAMP": at,
    }


class Reply:
    """Status, headers and text of an answer, and its JSON."""

    def __init__(self, status: int, headers: Any, text: str) -> None:
        self.status = status
        self.headers = headers
        self.text = text

    @property
    def json(self) -> Any:
        return json.loads(self.text)


async def got(url: str, headers: dict[str, str] | None = None) -> Reply:
    async with (
        aiohttp.ClientSession() as session,
        # The query goes out as it stands: signatures cover the very bytes.
        session.get(URL(url, encoded=True), headers=headers) as reply,
    ):
        return Reply(reply.status, reply.headers, await reply.text())


async def bybit(sim: Simulation, account: str | None, path: str, **query: object) -> Any:
    """`result` of a call that succeeds; signed where an account is named."""
    text = urlencode(query)
    headers = bybit_headers(text, f"sim-{account}-key", f"sim-{account}-secret") if account else {}
    reply = await got(f"{sim.url('bybit')}{path}" + (f"?{text}" if text else ""), headers)
    assert (reply.status, reply.json["retCode"]) == (200, 0), reply.text
    return reply.json["result"]


async def okx(sim: Simulation, account: str | None, path: str, **query: object) -> Any:
    """`data` of a call that succeeds; signed where an account is named."""
    text = f"{path}?{urlencode(query)}" if query else path
    headers = {}
    if account:
        words = (f"sim-{account}-{word}" for word in ("key", "secret", "passphrase"))
        headers = okx_headers(text, *words)
    reply = await got(f"{sim.url('okx')}{text}", headers)
    assert (reply.status, reply.json["code"]) == (200, "0"), reply.text
    return reply.json["data"]


async def steer(sim: Simulation, path: str, /, **body: object) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"http://{sim.host}:{sim.port}/sim/{path}", json=body) as reply,
    ):
        assert reply.status == 200, await reply.text()


async def truth(sim: Simulation, account: str) -> list[Any]:
    """The pools of an account as `/sim/ledger` has them."""
    reply = await got(f"http://{sim.host}:{sim.port}/sim/ledger")
    return next(row["pools"] for row in reply.json["accounts"] if row["account"] == account)
