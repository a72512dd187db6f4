"""Private frames that change W7's account, and the view after them."""

from __future__ import annotations

from monitor.risk.evaluate import evaluate
from monitor.risk.model import PoolId
from tests.exchanges.okx import examples, wire
from tests.exchanges.okx.figures import pool_of

LATER = str(wire.NOON_MS + 500)
EARLIER = str(wire.NOON_MS - 120_000)
BTC = "BTC-USDT-SWAP/cross/net"


def row(number, **changes):
    """One of W7's position rows, later and changed."""
    found = examples.w7()["GET /api/v5/account/positions"]["data"][number]
    return {**found, "uTime": LATER, "pTime": LATER, **changes}


def closed(pos_id, inst_id):
    """A close, as OKX pushes it: no side, no figures."""
    return {
        "instType": "SWAP",
        "instId": inst_id,
        "mgnMode": "cross",
        "posSide": "net",
        "posId": pos_id,
        "ccy": "USDT",
        "pos": "0",
        "avgPx": "",
        "upl": "",
        "imr": "",
        "mmr": "",
        "mgnRatio": "",
        "liqPx": "",
        "uTime": LATER,
        "pTime": LATER,
    }


def usdt(**changes):
    """W7's coin, later and changed, within its totals."""
    balance = examples.w7()["GET /api/v5/account/balance"]["data"][0]
    detail = {**balance["details"][0], "coinUsdPrice": "1", "uTime": LATER, **changes}
    return {**balance, "details": [detail]}


def traded(*positions, cash=None, event="filled", at=LATER):
    """A push of balance_and_position."""
    balances = [] if cash is None else [{"ccy": "USDT", "cashBal": cash, "uTime": at}]
    names = ("instType", "instId", "posId", "mgnMode", "posSide", "ccy", "pos", "avgPx")
    rows = [{**{n: p[n] for n in names}, "tradeId": "2", "uTime": at} for p in positions]
    data = {
        "pTime": at,
        "eventType": event,
        "balData": balances,
        "posData": rows,
        "trades": [],
    }
    return wire.push("balance_and_position", data, event=None)


def after(*frames, told=None):
    view = wire.view(told or examples.w7())
    for frame in frames:
        view = view.updated(frame)
    return view


def usdt_risk(view):
    snapshot = view.snapshot(wire.NOON)
    return evaluate(pool_of(snapshot, "USDT"), snapshot.marks, snapshot.at)


def told_of(view, name="USDT"):
    return view.snapshot(wire.NOON).reported.get(PoolId(account="main", name=name))
