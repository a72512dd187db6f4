"""The account that most of Binance's tests read, and what reading it asks for in turn."""

from __future__ import annotations

import copy

from monitor.exchanges.binance import EXCHANGE
from monitor.exchanges.call import Replies
from tests.exchanges.binance import wire

ROWS = [
    wire.position("BTCUSDT", "0.2", "64000", "61000", "48.8", isolated="1300"),
    wire.position("ETHUSDT", "-10", "2400", "2455.10", "98.204"),
    wire.position("SOLUSDC", "20", "140", "146.5", "14.65", asset="USDC"),
]
TABLES = {"ETHUSDT": wire.ETH_2026, "SOLUSDC": wire.SOL_2026}
WALLETS = {"USDT": "4000", "USDC": "500", "BNB": "0"}


def told():
    return copy.deepcopy(wire.bodies(ROWS, WALLETS, TABLES))


def asked_in_turn(answers):
    """What `needed` asks for, round by round, where every call is answered from a whole list."""
    given, rounds = [], []
    while wanted := EXCHANGE.needed(Replies(given)):
        rounds.append([call.request for call in wanted])
        assert len(rounds) < 9, "it must come to an end"
        for call in wanted:
            body = answers.get(call.request, answers.get(f"GET {call.path}"))
            given.append(wire.reply(call.request, body))
    return rounds, Replies(given)
