"""Notional and PnL, linear and inverse, both sides."""

from __future__ import annotations

from decimal import Decimal

import pytest

from monitor.risk import Position, notional, unrealized_pnl
from tests.build import inverse, linear, long, short


@pytest.mark.parametrize(
    ("position", "mark_price", "value", "won"),
    [
        pytest.param(
            long("BTC", 2, 100), 110, 2 * 110, 2 * 10, id="a long gains when the mark rises"
        ),
        pytest.param(
            long("BTC", 2, 100), 90, 2 * 90, -2 * 10, id="a long loses when the mark falls"
        ),
        pytest.param(
            short("BTC", 2, 100), 90, 2 * 90, 2 * 10, id="a short gains when the mark falls"
        ),
        pytest.param(
            short("BTC", 2, 100), 110, 2 * 110, -2 * 10, id="a short loses when the mark rises"
        ),
        pytest.param(
            long(linear("BTC", size="0.01"), 20, 100000),
            96000,
            20 * Decimal("0.01") * 96000,
            20 * Decimal("0.01") * -4000,
            id="contracts count by their size in coins",
        ),
        pytest.param(
            long(inverse("BTC", size=100), 40, 50),
            100,
            4000 / Decimal(100),
            4000 * (1 / Decimal(50) - 1 / Decimal(100)),
            id="an inverse long gains in coins when the mark rises",
        ),
        pytest.param(
            short(inverse("BTC", size=100), 40, 50),
            100,
            4000 / Decimal(100),
            -4000 * (1 / Decimal(50) - 1 / Decimal(100)),
            id="an inverse short loses in coins when the mark rises",
        ),
    ],
)
def test_a_position_at_a_mark(position: Position, mark_price: int, value: Decimal, won: Decimal):
    assert notional(position, Decimal(mark_price)) == value
    assert unrealized_pnl(position, Decimal(mark_price)) == won


@pytest.mark.parametrize("instrument", [linear("BTC"), inverse("BTC")])
def test_at_its_entry_nothing_is_won(instrument):
    assert unrealized_pnl(long(instrument, 3, 70), Decimal(70)) == 0
    assert unrealized_pnl(short(instrument, 3, 70), Decimal(70)) == 0
