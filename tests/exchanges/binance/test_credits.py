"""Which of the two readings of a wallet in credits mode holds."""

from __future__ import annotations

from decimal import Decimal

import pytest

from monitor.exchanges.binance.account import AssetRow, Book, Product, Totals
from monitor.exchanges.binance.indexes import Rates
from monitor.exchanges.binance.multi_assets import is_aggregated
from monitor.exchanges.call import Replies
from tests.exchanges.binance import wire

D = Decimal
RATES = Rates(Replies([wire.reply("GET /fapi/v1/assetIndex", [wire.index("USDT", "1", "1", "1")])]))


def row(asset, amount, pnl="0"):
    return AssetRow(
        asset=asset,
        cross_wallet=D(amount),
        order_initial=D(0),
        cross_pnl=None if pnl is None else D(pnl),
        maintenance=None,
        initial=None,
        updated_at=None,
    )


def book(total, *rows):
    zero = D(0)
    return Book(
        product=Product.USDM,
        assets={each.asset: each for each in rows},
        positions={},
        sketches={},
        told_at=wire.NOON,
        marked_at=wire.NOON,
        totals=None
        if total is None
        else Totals(balance=D(total), maintenance=zero, initial=zero, order_initial=zero),
    )


@pytest.mark.parametrize(
    ("total", "holds"),
    [("100", True), ("104.9", True), ("105", False), ("110", False)],  # where both fit, all count
)
def test_the_reading_that_is_nearer_to_the_total_holds(total, holds):
    wallet = book(total, row("BNFCR", "90", "10"), row("USDT", "10"))

    assert is_aggregated(wallet, RATES) is holds


def test_without_credits_or_their_figures_all_assets_count():
    assert is_aggregated(book("100", row("USDT", "100")), RATES) is False
    assert is_aggregated(book("100", row("BNFCR", "100", None), row("USDT", "9")), RATES) is False
    assert is_aggregated(book(None, row("BNFCR", "100"), row("USDT", "9")), RATES) is False
