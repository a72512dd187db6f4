"""
One account of every kind: `capture`, then `evaluate --json`, held against the exchange's truth.

Two surveyors: the simulator keeps its books by its own arithmetic and tells of them in its
exchange's wire; the product sees the wire only. Prices stand still, so that both are of one
moment. How near they must come depends on what the wire carries:

- Binance: 1e-9. Wallets, sizes, entries and marks come whole; nothing is cut that counts.
- Bybit: amounts are cut at eight decimals, a pool is the sum of at most five that are, and the
  smallest figure compared is some 200 USD: 5 x 1e-8 / 200 = 2.5e-10. A liquidation price moves
  by that error over the size: 5e-8 USD / 0.3 BTC, on 90,000 USD, is less still.
- OKX: doubles of seventeen digits, 1e-16 of each figure; what is left of them is at worst a
  hundredth of the largest: 1e-14.
"""

import asyncio
import json
from decimal import Decimal
from pathlib import Path

import pytest
import pytest_asyncio
from typer.testing import CliRunner

from monitor.cli import capture
from monitor.cli.main import app
from monitor.simulator.server import running
from tests.end_to_end import kinds, kinds_binance
from tests.end_to_end.stage import run, write_config

D = Decimal
TOLERANCE = {"binance": D("1e-9"), "bybit": 5 * D("1e-8") / 200, "okx": D("1e-14")}
LITTLE = D("1e-6")
FIGURES = {
    "margin_balance": "margin_balance",
    "maintenance_margin": "maintenance_margin",
    "margin_ratio": "ratio",
}

Table = dict[str, object]


async def captured(kind: str, folder: Path) -> tuple[Path, list[Table]]:
    """The capture file of an account of this kind, and the exchange's own pools."""
    async with running(kinds.scenario(kind)) as simulation:
        kinds.pin(simulation)
        config = write_config(folder, simulation.access())
        file = folder / "capture.json"
        file.write_bytes(await capture._capture(kinds.NAME, config))
        exchange = simulation.world.exchanges[0]
        return file, [pool.row() for pool in exchange.pools(kinds.NAME)]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def captures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """All kinds, a few side by side."""
    folder = tmp_path_factory.mktemp("captures")
    folders = [folder / kind.replace(" ", "-") for kind in kinds.ACCOUNTS]
    for each in folders:
        each.mkdir()
    few = asyncio.Semaphore(8)

    async def in_turn(kind: str, folder: Path) -> object:
        async with few:
            return await captured(kind, folder)

    found = await asyncio.gather(*map(in_turn, kinds.ACCOUNTS, folders))
    return dict(zip(kinds.ACCOUNTS, found, strict=True))


def evaluated(file: Path) -> dict[str, object]:
    """What `evaluate FILE --json` says of the one account."""
    ended = CliRunner().invoke(app, ["evaluate", str(file), "--json"])
    assert ended.exit_code == 0, ended.output
    (account,) = json.loads(ended.stdout)["accounts"]
    return account


def difference(ours: object, theirs: object) -> Decimal:
    """Relative; absolute where theirs is 0. One that is absent on one side only is an error."""
    assert (ours is None) == (theirs is None), (ours, theirs)
    if ours is None or ours == theirs:
        return D(0)
    gap = abs(D(str(ours)) - D(str(theirs)))
    return gap / abs(D(str(theirs))) if D(str(theirs)) else gap


def by_side(positions: list[Table]) -> dict[tuple[str, str], Table]:
    found = {(str(p["exchange_symbol"]), str(p["side"])): p for p in positions}
    assert len(found) == len(positions)
    return found


def compared(
    account: Table, truth: list[Table], *, priced: bool = True
) -> tuple[dict[str, Decimal], dict[str, Decimal]]:
    """The differences of all figures, and of all liquidation prices, by their names."""
    pools = {str(p["id"]).partition("/")[2]: p for p in account["pools"]}
    figures: dict[str, Decimal] = {}
    prices: dict[str, Decimal] = {}
    for theirs in truth:
        name = str(theirs["pool"])
        ours = pools.pop(name)
        assert ours["unit"] == theirs["unit"], name
        for mine, its in FIGURES.items():
            figures[f"{name} {mine}"] = difference(ours[mine], theirs[its])
        held, there = by_side(ours["positions"]), by_side(theirs["positions"])
        assert held.keys() == there.keys(), name
        for leg, position in there.items():
            mine = held[leg]
            assert D(mine["contracts"]) == D(position["contracts"])
            assert D(mine["mark_price"]) == D(position["mark"])
            for price in ("liquidation_price", "other_liquidation_price") if priced else ():
                prices[f"{name} {leg} {price}"] = difference(mine[price], position[price])
    # What we show beyond the exchange's pools holds nothing that could be liquidated.
    assert [p["id"] for p in pools.values() if p["positions"]] == []
    return figures, prices


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("kind", kinds.ACCOUNTS)
async def test_what_is_captured_evaluates_to_the_exchange_s_own_figures(
    kind: str, captures: dict[str, object]
) -> None:
    file, truth = captures[kind]
    account = evaluated(file)
    priced = kind not in kinds_binance.REQUIREMENT_MOVES
    figures, prices = compared(account, truth, priced=priced)
    most = max(figures.values(), default=D(0)), max(prices.values(), default=D(0))
    print(f"largest: {kind}: figures {most[0]:.1e}, prices {most[1]:.1e}")  # noqa: T201 - for -rP
    allowed = LITTLE if kind in kinds.LITTLE_COINS else TOLERANCE[kind.split(maxsplit=1)[0]]
    assert {name: gap for name, gap in (figures | prices).items() if gap > allowed} == {}
    # A pool of debts alone has something to compare too.
    risky = [p for p in account["pools"] if p["positions"] or D(p["maintenance_margin"])]
    assert {p["basis"] for p in risky} == ({kinds.basis(kind)} if truth else set())
    for pool in account["pools"]:
        assert pool["reconciliation"] == ("agrees" if pool in risky else "unknown")


@pytest.mark.asyncio(loop_scope="module")
async def test_a_kind_that_holds_only_its_own_figures_would_be_noticed(
    captures: dict[str, object],
) -> None:
    """The comparison itself: a truth that is a ten-millionth off is told from ours."""
    file, truth = captures["binance one-way cross"]
    (pool,) = truth
    wrong = {**pool, "margin_balance": str(D(pool["margin_balance"]) * D("1.0000001"))}
    figures, _ = compared(evaluated(file), [wrong])
    assert figures["USDT margin_balance"] > TOLERANCE["binance"]


@pytest.mark.processes
async def test_the_two_commands_as_a_person_types_them(tmp_path: Path) -> None:
    async with running(kinds.scenario("okx futures inverse cross net")) as simulation:
        kinds.pin(simulation)
        config = write_config(tmp_path, simulation.access())
        file = tmp_path / "main.json"
        ended = await run("capture", kinds.NAME, "-o", str(file), "--config", str(config))
        assert (ended.code, ended.out) == (0, ""), ended.err
        truth = [pool.row() for pool in simulation.world.exchanges[0].pools(kinds.NAME)]
    for access in simulation.access():
        for secret in (access.api_key, access.api_secret, access.passphrase or access.api_key):
            assert secret not in file.read_text(encoding="utf-8")
    evaluation = await run("evaluate", str(file), "--json")
    assert evaluation.code == 0, evaluation.err
    figures, prices = compared(evaluation.json["accounts"][0], truth)
    assert max(*figures.values(), *prices.values()) <= TOLERANCE["okx"]
