"""
What a trader would write instead: ccxt's unified calls for the same accounts, every 15 s.

Prints `first` once every account's balance and positions are there, then goes on until it is
stopped. Of the accounts it takes the same configuration file as the daemon.
"""

from __future__ import annotations

import asyncio
import sys
import tomllib
from pathlib import Path
from urllib.parse import urlsplit

import ccxt.async_support as ccxt

POLL_SECONDS = 15.0
CLIENTS = {"binance": "binanceusdm", "bybit": "bybit", "okx": "okx"}


def redirected(urls: object, base: str) -> object:
    """ccxt's table of addresses with the simulator's in place of the exchange's."""
    if isinstance(urls, dict):
        return {name: redirected(value, base) for name, value in urls.items()}
    if isinstance(urls, str):
        return base + urlsplit(urls.replace("{hostname}", "hostname")).path
    return urls


def client(account: dict[str, str]) -> ccxt.Exchange:
    exchange = getattr(ccxt, CLIENTS[account["exchange"]])(
        {
            "apiKey": account["api_key"],
            "secret": account["api_secret"],
            "password": account.get("passphrase", ""),
        }
    )
    # Needs rights that a read-only key has not; who polls with such a key turns it off.
    exchange.has["fetchCurrencies"] = False
    exchange.urls["api"] = redirected(exchange.urls["api"], account["rest_url"])
    return exchange


async def poll(exchange: ccxt.Exchange, first: asyncio.Event) -> None:
    await exchange.load_markets()
    while True:
        balance = await exchange.fetch_balance()
        positions = await exchange.fetch_positions()
        if balance and positions:
            first.set()
        await asyncio.sleep(POLL_SECONDS)


async def main(accounts: list[dict[str, str]]) -> None:
    firsts = [asyncio.Event() for _ in accounts]
    async with asyncio.TaskGroup() as group:
        for account, first in zip(accounts, firsts, strict=True):
            group.create_task(poll(client(account), first))
        await asyncio.gather(*(first.wait() for first in firsts))
        print("first", flush=True)


if __name__ == "__main__":
    config = tomllib.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    asyncio.run(main(config["accounts"]))
