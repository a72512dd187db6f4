"""Events of several wallets on one account: each changes its own, and only that."""

from __future__ import annotations

from decimal import Decimal

import pytest

from monitor.exchanges.binance import watching
from monitor.exchanges.port import Frame
from monitor.risk import evaluate
from tests.exchanges.binance import coins, wire

D = Decimal
PERP = "BTCUSD_PERP"
LATER = wire.CHANGED + 60_000


def both(**changes):
    """BTC in both wallets: 0.3 backs ETHBTC at USDⓈ-M, 0.05 a hundred contracts at COIN-M."""
    row = wire.position("ETHBTC", "10", "0.05", "0.04", "0.002", asset="BTC")
    told = wire.bodies([row], {"BTC": "0.3", "USDT": "5"}, {"ETHBTC": ("10 .005 0 50",)})
    coin = coins.position(PERP, "100", "26000", "25000")
    wallets = {"BTC": "0.05", "ADA": "0"}
    return coins.beside(told, [coin], wallets, {PERP: "0.0016"}) | changes


def event(asset, wallet, *legs, **more):
    inner = {"m": "ORDER", "B": [{"a": asset, "wb": wallet, "cw": wallet}], "P": list(legs)}
    return {"e": "ACCOUNT_UPDATE", "T": LATER, "E": LATER, "a": inner} | more


def leg(symbol, amount, entry="26000"):
    return {
        "s": symbol,
        "pa": amount,
        "ep": entry,
        "up": "0",
        "mt": "cross",
        "iw": "0",
        "ps": "BOTH",
    }


def after(body, path=None):
    text = wire.dumped(body)
    view = wire.read(both()).updated(Frame(feed="account", text=text, at=wire.NOON, path=path))
    taken = view.snapshot(wire.NOON)
    return taken, {pool.id.name: pool for pool in taken.pools}


def wallets(pools):
    return {name: pool.collateral[0].balance for name, pool in pools.items()}


BEFORE = {"usdm/BTC": D("0.3"), "USDT": D(5), "BTC": D("0.05")}


@pytest.mark.parametrize(
    ("body", "path", "moved"),
    [
        # A position's symbol says whose it is.
        (event("BTC", "0.04", leg(PERP, "90")), None, "BTC"),
        (event("BTC", "0.2", leg("ETHBTC", "9", "0.05")), None, "usdm/BTC"),
        # So does the account alias that COIN-M's events carry, and the symbol of a funding.
        (event("BTC", "0.04", i="SfsR"), None, "BTC"),
        (event("BTC", "0.04") | {"a": event("BTC", "0.04")["a"] | {"S": PERP}}, None, "BTC"),
        # And the socket it came on.
        (event("BTC", "0.04"), "/ws/listenkey", "BTC"),
        (event("BTC", "0.2"), "/private/ws?listenKey=x", "usdm/BTC"),
        (event("BTC", "0.2"), "/pm/ws/x", "usdm/BTC"),
        (event("BTC", "0.04", fs="CM"), "/pm/ws/x", "BTC"),
        # With none of these: USDⓈ-M, unless COIN-M alone has the coin.
        (event("BTC", "0.2"), None, "usdm/BTC"),
        (event("ADA", "7"), None, "ADA"),
    ],
)
def test_an_event_changes_the_wallet_that_it_is_of(body, path, moved):
    _, pools = after(body, path)

    changed = {name for name, held in wallets(pools).items() if held != BEFORE.get(name)}
    assert changed == {moved}


def test_a_part_that_is_closed_leaves_the_rest_with_what_a_contract_is_worth():
    told = both()
    del told["GET /dapi/v1/exchangeInfo"]
    view = wire.read(told).updated(wire.frame(event("BTC", "0.06", leg(PERP, "40"))))

    taken = view.snapshot(wire.NOON)
    pool = next(pool for pool in taken.pools if pool.id.name == "BTC")

    (position,) = pool.positions
    assert (position.contracts, position.instrument.contract_size) == (40, 100)
    assert position.leverage == 20
    figures = evaluate(pool, taken.marks, wire.NOON).requirement
    assert figures.maintenance_margin == D("0.16") * D(".004")
    assert pool.id not in taken.reported


def test_an_event_of_one_wallet_leaves_the_report_of_the_other():
    taken, pools = after(event("BTC", "0.04", leg(PERP, "90")))

    assert pools["BTC"].id not in taken.reported
    assert pools["usdm/BTC"].id in taken.reported


def test_events_of_two_wallets_are_in_order_each_by_itself():
    older = event("BTC", "0.2", leg("ETHBTC", "9", "0.05"))
    older |= {"T": LATER - 5, "E": LATER - 5}
    view = wire.read(both())
    for body in (event("BTC", "0.04", leg(PERP, "90")), older):
        view = view.updated(wire.frame(body))

    taken = view.snapshot(wire.NOON)
    held = {pool.id.name: pool.collateral[0].balance for pool in taken.pools}
    assert held == BEFORE | {"BTC": D("0.04"), "usdm/BTC": D("0.2")}


@pytest.mark.parametrize(("product", "pool"), [("coinm", "BTC"), ("usdm", "BTC")])
def test_where_one_wallet_is_watched_an_event_that_says_nothing_is_of_that_one(product, pool):
    view = watching((product,)).read_account("main", wire.replies(both()))

    taken = view.updated(wire.frame(event("BTC", "0.123"))).snapshot(wire.NOON)

    held = {p.id.name: p.collateral[0].balance for p in taken.pools}
    assert held[pool] == D("0.123")


def test_an_event_of_a_wallet_that_is_not_watched_changes_nothing():
    told = wire.bodies([], {"USDT": "5"})
    del told["GET /dapi/v1/account"]
    view = wire.read(told)

    after = view.updated(wire.frame(event("BTC", "7", fs="CM")))

    assert after.snapshot(wire.NOON) == view.snapshot(wire.NOON)
