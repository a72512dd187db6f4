"""The account of the tests of Binance's private stream, and its events in a line each."""

from __future__ import annotations

from monitor.risk import evaluate
from tests.exchanges.binance import wire

LATER = wire.CHANGED + 60_000


def told(**changes):
    rows = [
        wire.position("BTCUSDT", "1", "60000", "61000", "244", liquidationPrice="52208.8"),
        wire.position("SOLUSDC", "20", "140", "146.5", "14.65", asset="USDC"),
    ]
    tables = {"SOLUSDC": wire.SOL_2026}
    return wire.bodies(rows, {"USDT": "8000", "USDC": "500"}, tables, **changes)


def balance(asset, cross):
    return {"a": asset, "wb": cross, "cw": cross, "bc": "0"}


def leg(symbol, amount, entry, *, side="BOTH", isolated=None, asset="USDT"):
    return {
        "s": symbol,
        "pa": amount,
        "ep": entry,
        "bep": entry,
        "cr": "0",
        "up": "0",
        "mt": "cross" if isolated is None else "isolated",
        "iw": isolated or "0",
        "ps": side,
        "ma": asset,
    }


def event(*, balances=(), legs=(), at=LATER, reason="ORDER"):
    inner = {"m": reason, "B": list(balances), "P": list(legs)}
    return {"e": "ACCOUNT_UPDATE", "T": at, "E": at + 3, "a": inner}


def after(*events, answers=None):
    view = wire.read(answers or told())
    for body in events:
        view = view.updated(wire.frame(body))
    return view


def figures(taken):
    return {
        str(pool.id.name): evaluate(pool, taken.marks, wire.NOON).requirement
        for pool in taken.pools
    }
