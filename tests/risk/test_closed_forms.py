"""
Published liquidation price formulas as oracles for the solver.

They hold for one tier and with all else frozen; the solver knows neither of them.
"""

from __future__ import annotations

from decimal import Decimal

from hypothesis import assume, given
from hypothesis import strategies as st

from monitor.risk import (
    LiquidationPrices,
    MarginPool,
    Mark,
    Position,
    Side,
    liquidation_prices,
    requirement,
    unrealized_pnl,
)
from monitor.risk import notional as value_of
from tests.build import a_pool, fee, inverse, long, mark, marks, position, short, tiers
from tests.risk.strategies import decimals

BTC, ETH, COIN = "BTC/USDT:USDT", "ETH/USDT:USDT", "BTC/USD:BTC"
PRICES = decimals("50", "200")
SIZES = decimals("0.1", "50", 1)
RATES = decimals("0.004", "0.1", 3)
SIDES = st.sampled_from(Side)
CLOSE = Decimal("1e-15")


def tells(found: LiquidationPrices, price: Decimal, now: Decimal) -> bool:
    """Whether the solved prices hold the published one; a price at or below 0 means none."""
    if price <= 0:
        return found.nearest is None
    assert found.nearest is not None
    wanted = found.nearest if (found.nearest > now) == (price > now) else found.other
    return wanted is not None and abs(wanted / price - 1) < CLOSE


def standing_below(pool: MarginPool, known: dict[str, Mark]) -> bool:
    return not requirement(pool, known).reaches(Decimal(1))


@given(
    cash=decimals("0", "5000"),
    legs=st.tuples(SIZES, PRICES, RATES, SIZES, PRICES, RATES),
    other=st.tuples(SIDES, SIZES, PRICES, RATES),
    now=PRICES,
    one_way=st.sampled_from([None, Side.LONG, Side.SHORT]),
)
def test_usd_margined(
    cash: Decimal,
    legs: tuple[Decimal, ...],
    other: tuple[Side, Decimal, Decimal, Decimal],
    now: Decimal,
    one_way: Side | None,
):
    """
    LP = (WB − TMM₁ + UPNL₁ + Σcum − qL·epL + qS·epS) ÷ (qL·mmrL + qS·mmrS − qL + qS).

    Source: Binance FAQ, «How to calculate liquidation price of USDⓈ-M futures contracts».
    """
    ql, epl, mmrl, qs, eps, mmrs = legs
    cum_long, cum_short = Decimal("0.03"), Decimal("0.02")
    ql, cum_long = (Decimal(0), Decimal(0)) if one_way is Side.SHORT else (ql, cum_long)
    qs, cum_short = (Decimal(0), Decimal(0)) if one_way is Side.LONG else (qs, cum_short)
    held: list[Position] = []
    if ql:
        held.append(long("BTC", ql, epl, tiers=tiers((None, mmrl, cum_long))))
    if qs:
        held.append(short("BTC", qs, eps, tiers=tiers((None, mmrs, cum_short))))
    side, size, entry, rate = other
    beside = position(side, "ETH", size, entry, tiers=tiers((None, rate, 0)))
    pool, known = a_pool(*held, beside, cash=cash), marks(BTC=now, ETH=100)
    assume(standing_below(pool, known))
    divisor = ql * mmrl + qs * mmrs - ql + qs
    assume(abs(divisor) > Decimal("0.001"))
    frozen = cash - value_of(beside, Decimal(100)) * rate + unrealized_pnl(beside, Decimal(100))

    price = (frozen + cum_long + cum_short - ql * epl + qs * eps) / divisor

    # a leg whose deduction is more than its rate brings stands in no such tier
    least = min(now, price) if price > 0 else now
    assume(least * ql * mmrl >= cum_long and least * qs * mmrs >= cum_short)
    assert tells(liquidation_prices(pool, known, BTC), price, now)


@given(cash=decimals("0.01", "20", 3), side=SIDES, legs=st.tuples(SIZES, PRICES, RATES), now=PRICES)
def test_coin_margined(
    cash: Decimal, side: Side, legs: tuple[Decimal, Decimal, Decimal], now: Decimal
):
    """
    LP = (q·mmr + s·q) ÷ ((WB + cum) ÷ CM + s·q ÷ ep); no price where that is not above 0.

    Source: Binance FAQ, «How to calculate liquidation price of COIN-M futures contracts».
    """
    size, entry, rate = legs
    cum, per = Decimal("0.00001"), Decimal(10)
    held = position(side, inverse("BTC", size=per), size, entry, tiers=tiers((None, rate, cum)))
    pool, known = a_pool(held, unit="BTC", cash=cash), {COIN: mark(now)}
    assume(standing_below(pool, known))
    divisor = (cash + cum) / per + side.sign * size / entry
    assume(divisor != 0)

    price = (size * rate + side.sign * size) / divisor

    assume(size * per / max(now, price) * rate >= cum)
    assert tells(liquidation_prices(pool, known, COIN), price, now)


@given(cash=decimals("1", "5000"), side=SIDES, legs=st.tuples(SIZES, PRICES, RATES), now=PRICES)
def test_linear_with_liquidation_fee(
    cash: Decimal, side: Side, legs: tuple[Decimal, Decimal, Decimal], now: Decimal
):
    """
    Long (A·Q − margin) ÷ (Q·(1 − m − f)), short (A·Q + margin) ÷ (Q·(1 + m + f)).

    Also P − H ÷ (s·Q − Q·(m + f)) with H the headroom at P. Source: OKX position rows, on
    which both were checked to 12 digits and more.
    """
    size, entry, rate = legs
    taker = Decimal("0.0005")
    held = position(side, "BTC", size, entry, tiers=tiers((None, rate, 0)), close_fee=fee(0, taker))
    pool, known = a_pool(held, cash=cash), marks(BTC=now)
    assume(standing_below(pool, known))
    sign = side.sign

    price = (entry * size - sign * cash) / (size * (1 - sign * (rate + taker)))

    from_here = now - requirement(pool, known).headroom / (sign * size - size * (rate + taker))
    assume(not 0 < price < Decimal("1e-6"))
    assert abs(price - from_here) < Decimal("1e-20")
    assert tells(liquidation_prices(pool, known, BTC), price, now)


@given(cash=decimals("0.01", "20", 3), side=SIDES, legs=st.tuples(SIZES, PRICES, RATES), now=PRICES)
def test_inverse_with_liquidation_fee(
    cash: Decimal, side: Side, legs: tuple[Decimal, Decimal, Decimal], now: Decimal
):
    """
    Long F·(1 + m + f) ÷ (margin + F ÷ A), short F·(1 − m − f) ÷ (F ÷ A − margin), if above 0.

    Source: OKX position rows, on which both were checked to the tick.
    """
    size, entry, rate = legs
    taker, face = Decimal("0.0005"), size * 10
    held = position(
        side,
        inverse("BTC", size=10),
        size,
        entry,
        tiers=tiers((None, rate, 0)),
        close_fee=fee(0, taker),
    )
    pool, known = a_pool(held, unit="BTC", cash=cash), {COIN: mark(now)}
    assume(standing_below(pool, known))
    sign = side.sign
    divisor = face / entry + sign * cash
    assume(divisor != 0)

    price = face * (1 + sign * (rate + taker)) / divisor

    assert tells(liquidation_prices(pool, known, COIN), price, now)
