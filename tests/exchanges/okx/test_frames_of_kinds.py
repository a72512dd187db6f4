"""Private frames of the kinds beyond plain swaps: debts, margin trades, options, stops."""

from __future__ import annotations

from decimal import Decimal

import pytest

from monitor.risk.model import Basis
from monitor.risk.result import Verdict
from tests.exchanges.okx import examples, loans, wire
from tests.exchanges.okx.figures import close, figured, pool_of, verdict

LATER = str(wire.NOON_MS + 500)
BALANCE = "GET /api/v5/account/balance"


def moved(told, *frames):
    view = wire.view(told)
    for frame in frames:
        view = view.updated(frame)
    return view.snapshot(wire.NOON)


def test_a_debt_that_is_repaid_needs_no_margin_any_more():
    data = {"pTime": LATER, "eventType": "transferred", "posData": [], "trades": []}
    data["balData"] = [{"ccy": "BTC", "cashBal": "0", "uTime": LATER}]
    read = moved(examples.w3(), wire.push("balance_and_position", data, event=None))
    btc = next(v for v in figured(read, "unified").collateral if v.asset == "BTC")

    assert figured(read, "unified").requirement.maintenance_margin == btc.maintenance_margin
    assert btc.debt == Decimal("0.0000297244184858"), "the interest is still owed"
    assert not read.reported, "OKX's own totals are of before"


def test_an_account_frame_that_tells_of_a_debt_brings_okxs_word_again():
    row = examples.w3()[BALANCE]["data"][0]
    details = [{**detail, "uTime": LATER} for detail in row["details"]]
    read = moved(examples.w3(), wire.push("account", {**row, "uTime": LATER, "details": details}))

    assert close(1 / figured(read, "unified").requirement.ratio, "39.9556239578938079", 14)
    assert verdict(read, "unified").verdict is Verdict.AGREES


def test_a_frame_of_a_margin_trade_tells_what_it_owes_now():
    row = {**loans.w1_row(), "liab": "-50", "pos": "0.00110933573", "uTime": LATER}
    read = moved(
        loans.trading(loans.w1_row(), rate="0.02"), wire.push("positions", row, instType="ANY")
    )
    leg = figured(read, "isolated/BTC-USDT").positions[0]

    assert leg.position.contracts == Decimal("0.00110933573")
    assert close(leg.notional, 50 / Decimal("62891.9"), 20)


def test_a_margin_trade_that_is_closed_leaves_nothing():
    row = {"instType": "MARGIN", "instId": "BTC-USDT", "posId": "1752810569801498626", "pos": "0"}
    told = loans.trading(loans.w1_row(), wire.coin("USDT", "5"))
    read = moved(told, wire.push("positions", {**row, "uTime": LATER}, instType="ANY"))

    assert [pool.id.name for pool in read.pools] == ["USDT"]


def test_an_option_that_a_frame_brings_makes_the_pool_partly_okxs():
    option = wire.position(
        "BTC-USD-261225-100000-C", "-1", "0.05", "0.05", instType="OPTION", optVal="-20", mmr="5"
    )
    read = moved(examples.w7(), wire.push("positions", option, instType="ANY"))
    pool = pool_of(read, "USDT")

    assert pool.basis is Basis.PARTLY
    assert pool.collateral[0].balance == 1280, "1300 of cash less what the option would cost"
    assert "USDT" not in {p.name for p in read.reported}, "OKX has not told its word on it yet"


@pytest.mark.parametrize(
    ("kind", "inst_id"), [("FUTURES", "BTC-USDT-261225"), ("MARGIN", "BTC-USDT")]
)
def test_stops_of_every_kind_protect(kind, inst_id):
    if kind == "MARGIN":
        row = loans.trade_row(
            ccy="BTC", posCcy="BTC", pos="1.25", liabCcy="USDT", liab="-96000", margin="0.25",
            mmr="0.03",
        )  # fmt: skip
        told, mode = loans.trading(row), "isolated"
    else:
        row = wire.position(inst_id, "1", "96000", "96000", instType="FUTURES")
        cash = wire.balance(wire.coin("USDT", "5000"))
        told = wire.bodies(wire.config(), wire.envelope(row), cash) | examples.FUTURES_TABLES
        mode = "cross"
    stop = wire.stop(inst_id, "sell", instType=kind, tdMode=mode)
    (before,) = [p for pool in moved(told).pools for p in pool.positions]
    read = moved(told, wire.push("orders-algo", stop, event=None, instType="ANY"))
    (after,) = [p for pool in read.pools for p in pool.positions]

    assert (before.has_stop_loss, after.has_stop_loss) == (False, True)


def test_lists_of_perpetuals_stops_alone_say_nothing_of_other_kinds():
    row = wire.position("BTC-USDT-261225", "1", "96000", "96000", instType="FUTURES")
    swap = wire.position("BTC-USDT-SWAP", "1", "96000", "96000")
    cash = wire.balance(wire.coin("USDT", "5000"))
    told = wire.bodies(wire.config(), wire.envelope(row, swap), cash, stops=None)
    told |= examples.FUTURES_TABLES
    path = "GET /api/v5/trade/orders-algo-pending?ordType={}&instType=SWAP"
    told |= {path.format(kind): wire.envelope() for kind in wire.STOP_KINDS}
    (pool,) = moved(told).pools

    known = {p.instrument.exchange_symbol: p.has_stop_loss for p in pool.positions}
    assert known == {"BTC-USDT-261225": None, "BTC-USDT-SWAP": False}
