"""Where the random accounts come from: a generator per exchange, and the prices that they meet."""

from __future__ import annotations

from tests.end_to_end import kinds, random_binance, random_bybit, random_okx

_SOURCES = {"binance": random_binance, "bybit": random_bybit, "okx": random_okx}

KINDS = tuple(f"{name} {kind}" for name, source in _SOURCES.items() for kind in source.KINDS)
"""Every kind of account, with its exchange in front."""


def exchange_of(kind: str) -> str:
    return kind.partition(" ")[0]


def account_of(kind: str, seed: int) -> str:
    """The lines of a scenario's account."""
    name, _, rest = kind.partition(" ")
    return _SOURCES[name].account(rest, seed)


def market(kind: str) -> str:
    """The lines of a scenario's market."""
    source = _SOURCES[exchange_of(kind)]
    prices = getattr(source, "MARKS", kinds.MARKS)
    return "".join(f"[market.{base}]\nstart = {price}\n" for base, price in prices.items())
