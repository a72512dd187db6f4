"""Money around the pools: built from the API guide's field lists, no recording was at hand."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from monitor.exchanges.call import Replies
from monitor.exchanges.okx.cash import read_bookings, read_free
from monitor.risk.cash import BookingKind, FreeBalance
from tests.exchanges.okx import examples, wire

FREE = "GET /api/v5/asset/balances"
BILLS = "GET /api/v5/account/bills"
FUNDING = "GET /api/v5/public/funding-rate?instId=BTC-USDT-SWAP"


def bill(number, kind, changed, **changes):
    return {
        "billId": str(number),
        "ts": str(wire.NOON_MS - 1000 * number),
        "type": kind,
        "subType": "",
        "ccy": "USDT",
        "balChg": changed,
        "pnl": "0",
        "fee": "0",
        "instId": "",
        "instType": "",
        **changes,
    }


def booked(*bills):
    return read_bookings(wire.replies({BILLS: wire.envelope(*bills)}))


def test_the_next_funding_of_every_perpetual_held():
    read = wire.snapshot(examples.w7())

    assert set(read.funding) == {"BTC/USDT:USDT", "ETH/USDT:USDT", "SOL/USDT:USDT"}
    funding = read.funding["BTC/USDT:USDT"]
    assert (funding.rate, funding.at) == (Decimal("0.0001"), wire.NOON + timedelta(hours=4))


def test_one_reply_for_all_perpetuals_tells_each_of_them():
    told = {k: v for k, v in examples.w7().items() if "funding-rate?instId=B" not in k}

    assert "BTC/USDT:USDT" in wire.snapshot(told).funding


@pytest.mark.parametrize("body", [wire.envelope(), "<html>", wire.envelope({"instId": "BTC"})])
def test_a_reply_on_funding_that_tells_nothing_takes_no_figure_away(body):
    told = {k: v for k, v in examples.w7().items() if "funding-rate" not in k}
    read = wire.snapshot(told | {FUNDING: body})

    assert read.funding == {}
    assert len(read.pools) == 2


def test_coins_that_lie_free_in_the_funding_account():
    rows = [
        {"ccy": "USDT", "bal": "120", "availBal": "100", "frozenBal": "20"},
        {"ccy": "BTC", "bal": "1", "availBal": "0", "frozenBal": "1"},
        {"ccy": "ETH"},
    ]
    found = read_free(wire.replies({FREE: wire.envelope(*rows)}))

    assert found == (FreeBalance(asset="USDT", amount=Decimal(100), wallet="Funding account"),)
    assert read_free(Replies()) == ()
    assert read_free(wire.replies({FREE: {"code": "50120", "msg": "no permission"}})) == ()


@pytest.mark.parametrize(
    ("kind", "meaning"),
    [
        ("1", BookingKind.TRANSFER),
        ("2", BookingKind.REALISED),
        ("5", BookingKind.LIQUIDATION),
        ("7", BookingKind.INTEREST),
        ("8", BookingKind.FUNDING),
        ("9", BookingKind.LIQUIDATION),
        ("10", BookingKind.LIQUIDATION),
        ("13", BookingKind.REALISED),
        ("14", BookingKind.REALISED),
        ("34", BookingKind.REALISED),
        ("24", BookingKind.OTHER),
    ],
)
def test_what_a_bill_is(kind, meaning):
    (booking,) = booked(bill(7, kind, "-1.25", instId="BTC-USDT-SWAP"))

    assert booking.kind is meaning
    assert (booking.asset, booking.amount) == ("USDT", Decimal("-1.25"))
    assert (booking.id, booking.symbol) == ("7", "BTC-USDT-SWAP")
    assert booking.at == wire.NOON - timedelta(seconds=7)


def test_a_trades_fee_is_a_booking_of_its_own():
    found = booked(bill(7, "2", "9.5", pnl="10", fee="-0.5"))

    assert [(b.id, b.kind, b.amount) for b in found] == [
        ("7", BookingKind.REALISED, Decimal(10)),
        ("7/fee", BookingKind.FEE, Decimal("-0.5")),
    ]
    (opening,) = booked(bill(8, "2", "-0.5", fee="-0.5"))
    assert (opening.kind, opening.amount) == (BookingKind.FEE, Decimal("-0.5"))


def test_bookings_come_oldest_first_and_a_bad_row_takes_no_other_away():
    found = booked(bill(1, "8", "-1"), {"billId": "x"}, bill(2, "1", "100"))

    assert [b.id for b in found] == ["2", "1"]
    assert found[0].symbol is None
