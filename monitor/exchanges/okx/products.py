"""
OKX's kinds of instruments, by its own words, and what an instrument's id tells of its kind.

An id decides which list to ask, never what a contract pays: that is its `ctType`'s word.
"""

from __future__ import annotations

from typing import Final

SWAP: Final = "SWAP"
FUTURES: Final = "FUTURES"
MARGIN: Final = "MARGIN"
SPOT: Final = "SPOT"
OPTION: Final = "OPTION"
EVENTS: Final = "EVENTS"
CONTRACTS: Final = (SWAP, FUTURES)
"""Kinds whose rows are contracts of a fixed worth."""
MODELLED: Final = (*CONTRACTS, MARGIN)
EVERY: Final = (*MODELLED, OPTION, EVENTS)

_PAIR = 2
_DATED = 3
_DATE_DIGITS = 6


def product_of(inst_id: str) -> str:
    """The kind that an id stands for: ``BTC-USDT`` MARGIN, ``BTC-USDT-261225`` FUTURES …"""
    parts = inst_id.split("-")
    if parts[-1] == SWAP:
        return SWAP
    if len(parts) == _PAIR:
        return MARGIN
    if len(parts) == _DATED and parts[-1].isdigit() and len(parts[-1]) == _DATE_DIGITS:
        return FUTURES
    return OPTION


def family_in(inst_id: str) -> str:
    """The instrument family in a contract's id: ``BTC-USDT`` in ``BTC-USDT-SWAP``."""
    return "-".join(inst_id.split("-")[:_PAIR])


def coins_in(inst_id: str) -> tuple[str, str]:
    """Base and quote coin of a pair's id: BTC and USDT of ``BTC-USDT``."""
    base, _, quote = inst_id.partition("-")
    return base, quote
