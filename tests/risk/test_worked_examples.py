"""
Every worked example, computed by the core and held against its source.

A figure may differ by one unit of the last digit that the source prints: some sources round,
others cut. Anything in an example's `expected` that this file does not know is an error, so
nothing stands there unchecked.
"""

from __future__ import annotations

import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from monitor.risk import (
    Basis,
    Instrument,
    MarginMode,
    MarginPool,
    Mark,
    Payoff,
    PoolRisk,
    Position,
    Side,
    Target,
    TierMeasure,
    TierTable,
    advise,
    evaluate,
    liquidation_prices,
    moved,
    uniform_move,
)
from tests.build import NOON, a_pool, coins, fee, mark, position, tiers

FOLDER = Path(__file__).parent / "worked_examples"
EXAMPLES = sorted(FOLDER.glob("*.toml"))
STEP = Decimal("1e-8")


def agrees(found: Decimal | None, printed: str, coarser: Decimal = Decimal(0)) -> bool:
    if printed == "none" or found is None:
        return found is None and printed == "none"
    expected = Decimal(printed)
    exponent = expected.as_tuple().exponent
    assert isinstance(exponent, int)
    return abs(found - expected) <= max(Decimal(1).scaleb(exponent), coarser)


def table(row: dict[str, Any]) -> TierTable:
    rows = [(cap or None, rate, deduction) for cap, rate, deduction in row["rows"]]
    return tiers(*rows, measured_in=TierMeasure(row.get("measured_in", "notional")))


def held(row: dict[str, Any], tables: dict[str, TierTable]) -> Position:
    base, rest = row["symbol"].split("/")
    quote, settle = rest.split(":")
    instrument = Instrument(
        symbol=row["symbol"],
        exchange_symbol=base + quote,
        base=base,
        quote=quote,
        settle=settle,
        payoff=Payoff(row.get("payoff", "linear")),
        contract_size=Decimal(row.get("contract_size", "1")),
        lot=Decimal(row.get("lot", "0.001")),
    )
    rate = row.get("initial_rate")
    return position(
        Side(row["side"]),
        instrument,
        row["contracts"],
        row["entry"],
        tiers=tables[row["tiers"]],
        initial_rate=None if rate is None else Decimal(rate),
        close_fee=fee(row.get("fee_fixed", 0), row.get("fee_rate", 0)),
        taker_fee_rate=Decimal(row.get("taker_fee_rate", 0)),
    )


def read(example: dict[str, Any]) -> tuple[MarginPool, dict[str, Mark]]:
    tables = {name: table(row) for name, row in example.get("tiers", {}).items()}
    rows = example.get("positions", [])
    pool = a_pool(
        *(held(row, tables) for row in rows),
        unit=example["unit"],
        margin_mode=MarginMode(example.get("margin_mode", "cross")),
        basis=Basis(example.get("basis", "modelled")),
        collateral=tuple(
            coins(
                row["asset"],
                row["balance"],
                row.get("price", 1),
                rates=tuple(row.get("rates", (1, 1))),
                haircuts=tuple((up_to or None, cut) for up_to, cut in row.get("haircuts", ())),
            )
            for row in example["collateral"]
        ),
        top_up_asset=example["collateral"][0]["asset"],
        **{
            name: Decimal(example[name])
            for name in ("other_balance", "other_maintenance", "other_initial")
            if name in example
        },
    )
    return pool, {row["symbol"]: mark(row["mark"]) for row in rows}


def check_whole(risk: PoolRisk, expected: dict[str, Any]) -> None:
    for name in ("margin_balance", "initial_margin", "maintenance_margin"):
        if name in expected:
            assert agrees(getattr(risk.requirement, name), expected.pop(name)), name
    if "margin_ratio" in expected:
        assert agrees(risk.requirement.ratio, expected.pop("margin_ratio"))
    for value, printed in zip(risk.collateral, expected.pop("collateral", ()), strict=False):
        assert agrees(value.value, printed), value.asset


def check_positions(risk: PoolRisk, rows: list[dict[str, str]]) -> None:
    assert len(rows) in {0, len(risk.positions)}
    for leg, row in zip(risk.positions, rows, strict=False):
        for name, printed in row.items():
            assert agrees(getattr(leg, name), printed), (leg.position.instrument.symbol, name)


def check_liquidation(risk: PoolRisk, row: dict[str, str]) -> None:
    ratio = Decimal(row.pop("at_ratio", "1"))
    found = liquidation_prices(risk.pool, risk.marks, row.pop("symbol"), ratio)
    for name, printed in row.items():
        assert agrees(getattr(found, name), printed), (found, name, printed)


def check_moved(risk: PoolRisk, row: dict[str, str]) -> None:
    after = moved(risk.pool, risk.marks, row.pop("symbol"), Decimal(row.pop("price")))
    check_whole(evaluate(*after, NOON), row)
    assert not row


def check_advice(risk: PoolRisk, row: dict[str, Any]) -> None:
    target = Target(ratio=Decimal(row.pop("target_ratio")), distance=Decimal(0))
    advice = advise(risk, target)
    assert advice.top_up is not None
    assert agrees(advice.top_up.amount, row.pop("top_up"), STEP)
    closed = {r.position.instrument.symbol: r for r in advice.reductions}
    for symbol, printed in row.pop("reductions", ()):
        lot = closed[symbol].position.instrument.lot
        assert agrees(closed[symbol].contracts, printed, lot), symbol
    assert not row


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_core_gives_what_the_source_says(path: Path):
    example = tomllib.loads(path.read_text(encoding="utf-8"))
    assert example["source"]
    pool, known = read(example)
    expected = example["expected"]

    risk = evaluate(pool, known, NOON)

    check_whole(risk, expected)
    check_positions(risk, expected.pop("positions", []))
    for row in expected.pop("liquidation", ()):
        check_liquidation(risk, row)
    for row in expected.pop("moved", ()):
        check_moved(risk, row)
    for row in expected.pop("advice", ()):
        check_advice(risk, row)
    if "uniform_move" in expected:
        assert agrees(uniform_move(pool, known), expected.pop("uniform_move"))
    assert not expected, "the example expects what nothing checks"


def test_the_examples_of_all_three_exchanges_are_there():
    names = {path.stem.split("_")[0] for path in EXAMPLES}
    assert names == {"binance", "bybit", "okx"}
    assert len(EXAMPLES) >= 29
