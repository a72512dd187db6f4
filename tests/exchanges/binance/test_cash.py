"""The next funding, what lies free in the spot wallet, and what was booked."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from monitor.risk.cash import Booking, BookingKind, FreeBalance, Funding
from tests.exchanges.binance import coins, wire
from tests.exchanges.binance.held import told

D = Decimal
SOON = wire.CHANGED + 3_600_000


def test_nothing_is_known_where_nothing_was_told():
    answers = told()
    for request in ("GET /fapi/v1/income?limit=1000", "GET /api/v3/account?omitZeroBalances=true"):
        del answers[request]

    taken = wire.snapshot(answers)

    assert (dict(taken.funding), taken.free, taken.bookings) == ({}, (), ())


def test_the_next_funding_is_by_symbol():
    answers = told() | {
        "GET /fapi/v1/premiumIndex": [
            wire.premium("BTCUSDT", "61000", lastFundingRate="-0.00025000"),
            wire.premium("ETHUSDT", "2455.10"),
        ]
    }

    funding = wire.snapshot(answers).funding

    at = wire.NOON + timedelta(seconds=-120 + 3600)
    assert funding == {
        "BTC/USDT:USDT": Funding(symbol="BTC/USDT:USDT", rate=D("-0.00025"), at=at),
        "ETH/USDT:USDT": Funding(symbol="ETH/USDT:USDT", rate=D("0.0001"), at=at),
    }


def test_a_dated_contract_has_no_funding():
    row = coins.position("BTCUSD_261225", "100", "26000", "25000")
    answers = coins.beside(told(), [row], {"BTC": "0.05"}, {"BTCUSD_261225": "0.0016"})
    answers["GET /dapi/v1/premiumIndex"] = [
        wire.premium("BTCUSD_261225", "25000", lastFundingRate="", nextFundingTime=0)
    ]

    assert dict(wire.snapshot(answers).funding) == {}


def test_what_lies_free_in_the_spot_wallet_is_told_for_assets_that_would_help():
    answers = told()
    answers["GET /api/v3/account?omitZeroBalances=true"] = {
        "balances": [
            {"asset": "USDT", "free": "512.25000000", "locked": "3.00000000"},
            {"asset": "USDC", "free": "0.00000000", "locked": "9.00000000"},
            {"asset": "DOGE", "free": "77.00000000", "locked": "0.00000000"},
        ]
    }

    free = wire.snapshot(answers).free

    assert free == (FreeBalance(asset="USDT", amount=D("512.25"), wallet="Spot wallet"),)


def income(kind, amount, number, **changes):
    return {
        "symbol": "BTCUSDT",
        "incomeType": kind,
        "income": amount,
        "asset": "USDT",
        "info": kind,
        "time": wire.CHANGED + number,
        "tranId": 9689322392 + number,
        "tradeId": "",
    } | changes


@pytest.mark.parametrize(
    ("kind", "meaning"),
    [
        ("FUNDING_FEE", BookingKind.FUNDING),
        ("COMMISSION", BookingKind.FEE),
        ("TRANSFER", BookingKind.TRANSFER),
        ("REALIZED_PNL", BookingKind.REALISED),
        ("INSURANCE_CLEAR", BookingKind.LIQUIDATION),
        ("AUTO_EXCHANGE", BookingKind.OTHER),
        ("SOMETHING_NEW", BookingKind.OTHER),
    ],
)
def test_each_kind_of_booking_has_its_meaning(kind, meaning):
    answers = told() | {"GET /fapi/v1/income?limit=1000": [income(kind, "-0.375", 0)]}

    (booking,) = wire.snapshot(answers).bookings

    assert booking == Booking(
        id=f"/fapi/v1 {kind} 9689322392",
        at=wire.NOON - timedelta(seconds=120),
        kind=meaning,
        asset="USDT",
        amount=D("-0.375"),
        symbol="BTCUSDT",
    )


def test_bookings_of_all_wallets_come_oldest_first():
    answers = told() | {
        "GET /fapi/v1/income?limit=1000": [
            income("TRANSFER", "5", 3, symbol=""),
            income("COMMISSION", "-1", 1),
        ],
        "GET /dapi/v1/income?limit=1000": [income("COMMISSION", "-0.001", 2, asset="BTC")],
    }

    bookings = wire.snapshot(answers).bookings

    assert [(b.asset, b.amount) for b in bookings] == [
        ("USDT", D(-1)),
        ("BTC", D("-0.001")),
        ("USDT", D(5)),
    ]
    assert bookings[-1].symbol is None


@pytest.mark.parametrize("body", [{}, None, "<html>", [{}], [income("COMMISSION", "", 0)]])
@pytest.mark.parametrize(
    "request_line",
    [
        "GET /fapi/v1/income?limit=1000",
        "GET /api/v3/account?omitZeroBalances=true",
        "GET /fapi/v1/premiumIndex",
    ],
)
def test_what_can_t_be_read_is_left_out_and_costs_no_figure(request_line, body):
    whole = wire.snapshot(told())

    taken = wire.snapshot(told() | {request_line: body})

    assert taken.pools == whole.pools
    assert (dict(taken.funding), taken.free, taken.bookings) == ({}, (), ())
