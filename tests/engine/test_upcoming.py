"""The next funding of a pool, and how it stands after it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from monitor.engine.upcoming import next_funding
from monitor.risk.cash import Funding
from monitor.risk.evaluate import evaluate
from tests.build import NOON, a_pool, flat, inverse, long, mark, marks, short
from tests.engine.scene import the_pool

IN_AN_HOUR = NOON + timedelta(hours=1)


def of(symbol: str, rate: str, at: object = IN_AN_HOUR) -> dict[str, Funding]:
    return {symbol: Funding(symbol=symbol, rate=Decimal(rate), at=at)}  # type: ignore[arg-type]


def test_a_long_pays_a_positive_rate_and_the_pool_stands_nearer_its_end() -> None:
    # 0.1 % of 1,000: 1 of a balance of 500
    risk = evaluate(the_pool(), marks(SOL=100), NOON)
    found = next_funding(risk, of("SOL/USDT:USDT", "0.001"), NOON)
    assert found is not None
    assert (found.at, found.amounts) == (IN_AN_HOUR, (("USDT", Decimal(-1)),))
    assert found.margin_ratio == Decimal(400) / 499
    # 10 × mark − 501 = 4 × mark at 83.5
    assert found.adverse_move is not None
    assert abs(found.adverse_move - Decimal("-0.165")) < Decimal("1e-9")


def test_a_short_gets_it_and_a_negative_rate_turns_it_round() -> None:
    risk = evaluate(the_pool(short("SOL", 10, 100)), marks(SOL=100), NOON)
    won = next_funding(risk, of("SOL/USDT:USDT", "0.001"), NOON)
    assert won is not None
    assert won.amounts == (("USDT", Decimal(1)),)
    lost = next_funding(risk, of("SOL/USDT:USDT", "-0.001"), NOON)
    assert lost is not None
    assert lost.amounts == (("USDT", Decimal(-1)),)


def test_those_of_the_earliest_time_are_summed() -> None:
    risk = evaluate(
        the_pool(long("SOL", 10, 100), short("ETH", 10, 50), long("BTC", 1, 90)),
        marks(SOL=100, ETH=50, BTC=90),
        NOON,
    )
    later = NOON + timedelta(hours=8)
    funding = (
        of("SOL/USDT:USDT", "0.001")
        | of("ETH/USDT:USDT", "0.0004")
        | of("BTC/USDT:USDT", "1", later)
    )
    found = next_funding(risk, funding, NOON)
    assert found is not None
    # −1 + 0.2
    assert found.amounts == (("USDT", Decimal("-0.8")),)


def test_a_coin_settled_contract_pays_in_its_coin() -> None:
    leg = long(inverse("BTC"), contracts=100, entry=100000, tiers=flat("0.05"))
    risk = evaluate(a_pool(leg, unit="BTC", cash="0.02"), {"BTC/USD:BTC": mark(100000)}, NOON)
    found = next_funding(risk, of("BTC/USD:BTC", "0.001"), NOON)
    assert found is not None
    # 100 × 100 ÷ 100,000 = 0.1 BTC; 0.005 of maintenance
    assert found.amounts == (("BTC", Decimal("-0.0001")),)
    assert found.margin_ratio == Decimal("0.005") / Decimal("0.0199")


def test_what_is_past_unknown_or_nothing_is_none() -> None:
    risk = evaluate(the_pool(), marks(SOL=100), NOON)
    assert next_funding(risk, {}, NOON) is None
    assert next_funding(risk, of("SOL/USDT:USDT", "0.001", NOON), NOON) is None
    assert next_funding(risk, of("ETH/USDT:USDT", "0.001"), NOON) is None
    assert next_funding(risk, of("SOL/USDT:USDT", "0"), NOON) is None
