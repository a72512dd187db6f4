"""Money around an account: the next funding, free balances, bookings."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from monitor.exchanges.bybit import EXCHANGE
from monitor.risk.cash import Booking, BookingKind, FreeBalance, Funding
from tests.exchanges.bybit import examples
from tests.exchanges.bybit.wire import NOW, envelope, replies, ticker

if TYPE_CHECKING:
    from monitor.risk.model import AccountSnapshot
    from tests.exchanges.bybit.wire import Json

D = Decimal
LOG = "/v5/account/transaction-log?accountType=UNIFIED&limit=50"
FUND = "/v5/asset/transfer/query-account-coins-balance?accountType=FUND"
BTC = "/v5/market/tickers?category=linear&symbol=BTCUSDT"


def snapshot(**results: Json) -> AccountSnapshot:
    requests = {"log": LOG, "fund": FUND, "btc": BTC}
    bodies = examples.two_positions()
    bodies |= {requests[name]: envelope(result) for name, result in results.items()}
    return EXCHANGE.read_account("main", replies(bodies)).snapshot(NOW)


def line(kind: str, change: str, ms: int = 1672121182216, **other: str) -> Json:
    """A row of the log as the documentation shows it."""
    return {
        "id": f"592324_{kind}",
        "symbol": "",
        "side": "None",
        "funding": "",
        "orderLinkId": "",
        "orderId": "",
        "fee": "0",
        "change": change,
        "cashFlow": "0",
        "transactionTime": str(ms),
        "type": kind,
        "feeRate": "0",
        "bonusChange": "0",
        "size": "0",
        "qty": "0",
        "cashBalance": "5086.55825002",
        "currency": "USDT",
        "category": "linear",
        "tradePrice": "",
        "tradeId": "",
        "extraFees": "",
    } | other


def test_the_next_funding_of_what_is_held() -> None:
    read = snapshot(btc={"category": "linear", "list": [ticker("BTCUSDT", "95000")]})
    assert read.funding == {
        "BTC/USDT:USDT": Funding(
            symbol="BTC/USDT:USDT",
            rate=D("0.0001"),
            at=datetime(2026, 11, 22, 16, 0, tzinfo=UTC),
        )
    }
    assert snapshot().funding == {}


def test_a_contract_that_expires_has_no_funding_and_a_bad_one_harms_nothing() -> None:
    for change in ({"fundingRate": ""}, {"nextFundingTime": "0"}, {"fundingRate": "much"}):
        row = ticker("BTCUSDT", "95000") | change
        assert snapshot(btc={"category": "linear", "list": [row]}).funding == {}


def test_bookings_come_oldest_first_with_fees_of_their_own() -> None:
    read = snapshot(
        log={
            "nextPageCursor": "21963%3A1%2C14954%3A1",
            "list": [
                line("TRADE", "8.7", 3000, fee="1.3", symbol="BTCUSDT", side="Sell"),
                line("SETTLEMENT", "-0.5", 2000, funding="-0.5", symbol="ETHUSDT"),
                line("TRANSFER_IN", "100", 1000, category="", currency="USDC"),
                line("INTEREST", "-0.01", 500),
                line("AIRDROP", "3", 400),
                line("LIQUIDATION", "-40", 300, symbol="SOLUSDT"),
                line("BONUS", "0", 200),
            ],
        }
    )
    told = [(b.kind, b.asset, b.amount, b.symbol) for b in read.bookings]
    assert told == [
        (BookingKind.LIQUIDATION, "USDT", -40, "SOLUSDT"),
        (BookingKind.OTHER, "USDT", 3, None),
        (BookingKind.INTEREST, "USDT", D("-0.01"), None),
        (BookingKind.TRANSFER, "USDC", 100, None),
        (BookingKind.FUNDING, "USDT", D("-0.5"), "ETHUSDT"),
        (BookingKind.REALISED, "USDT", 10, "BTCUSDT"),
        (BookingKind.FEE, "USDT", D("-1.3"), "BTCUSDT"),
    ]
    assert len({b.id for b in read.bookings}) == len(told)
    assert read.bookings[-1] == Booking(
        id="592324_TRADE/fee",
        at=datetime(1970, 1, 1, 0, 0, 3, tzinfo=UTC),
        kind=BookingKind.FEE,
        asset="USDT",
        amount=D("-1.3"),
        symbol="BTCUSDT",
    )


def test_the_funding_account_is_free() -> None:
    rows = [
        {"coin": "USDT", "transferBalance": "250.5", "walletBalance": "300", "bonus": ""},
        {"coin": "BTC", "transferBalance": "0", "walletBalance": "1", "bonus": ""},
    ]
    read = snapshot(fund={"memberId": "1", "accountType": "FUND", "balance": rows})
    assert read.free == (FreeBalance(asset="USDT", amount=D("250.5"), wallet="Funding Account"),)


def test_what_can_not_be_read_is_as_good_as_not_told() -> None:
    read = snapshot(log={"list": [{"id": "1"}]}, fund={"balance": None})
    assert (read.bookings, read.free) == ((), ())
    assert (snapshot().bookings, snapshot().free) == ((), ())
