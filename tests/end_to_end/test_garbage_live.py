"""
The same in a running daemon: eighteen accounts, each with one call that answers garbage.

Half of them from the start, half after good readings; all are told in time, each for itself,
and none is shown without its positions.
"""

from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from monitor.delivery.pacing import GATHER_CRITICAL
from monitor.simulator.server import Simulation, running
from tests.end_to_end import kinds
from tests.end_to_end.garbage import Body, bodies, strike
from tests.end_to_end.stage import ONLY_RATIO, Watching, receiving, watching, write_config

BUDGETS = {"account": 3, "marks": 15}
# Budget, grace of five seconds, the beat of the clock, and a machine with other things to do; what
# so many accounts have to say at once is gathered.
TOLD = timedelta(seconds=3 + 5 + 1 + 1) + GATHER_CRITICAL
KINDS = {
    "binance": "binance one-way cross",
    "bybit": "bybit one-way usdt",
    "okx": "okx futures inverse cross net",
}
CALLS = {
    "binance": ("/fapi/v1/accountConfig", "/fapi/v3/account", "/fapi/v3/positionRisk"),
    "bybit": ("/v5/account/info", "/v5/account/wallet-balance", "/v5/position/list"),
    "okx": ("/api/v5/account/config", "/api/v5/account/balance", "/api/v5/account/positions"),
}


def struck_accounts(phase: int) -> dict[str, tuple[str, str, Body]]:
    """Exchange, path and body by account: each call gets another of the bodies."""
    found = {}
    for exchange, paths in CALLS.items():
        for number, path in enumerate(paths):
            body = bodies(exchange)[2 * number + phase]
            word = path.rpartition("/")[2].lower()
            found[f"{exchange}-{word}-{phase}"] = (exchange, path, body)
    return found


def shown(daemon: Watching, account: str) -> tuple[str, int]:
    """State and number of positions, as the daemon shows them now."""
    board = daemon.daemon.board.assessments()
    found = next(a for a in board if a.account == account)
    return found.state.value, sum(len(pool.risk.positions) for pool in found.pools)


async def test_each_account_is_told_to_be_blind_in_time(tmp_path: Path) -> None:
    first, later = struck_accounts(0), struck_accounts(1)
    async with AsyncExitStack() as stack:
        simulations: dict[str, Simulation] = {}
        accesses = []
        for name, (exchange, path, body) in {**first, **later}.items():
            scenario = kinds.scenario(KINDS[exchange])
            simulation = await stack.enter_async_context(running(scenario))
            kinds.pin(simulation)
            simulations[name] = simulation
            accesses.append(replace(simulation.access()[0], account=name))
            if name in first:
                strike(simulation, body, path)
        receiver = await stack.enter_async_context(receiving())
        config = write_config(
            tmp_path, accesses, receiver.url, poll_seconds=1, budgets=BUDGETS, more=ONLY_RATIO
        )
        began = datetime.now(UTC)
        daemon = await stack.enter_async_context(watching(config))
        await daemon.fresh(*later)
        held = {name: shown(daemon, name)[1] for name in later}
        assert all(held.values())
        struck_at = datetime.now(UTC)
        for name, (_, path, body) in later.items():
            strike(simulations[name], body, path)
        seen: set[tuple[str, str, int]] = set()

        def all_told() -> bool:
            seen.update((name, *shown(daemon, name)) for name in (*first, *later))
            return all(receiver.of(name, "BLIND") for name in (*first, *later))

        await daemon.until(all_told, "all eighteen told", seconds=25)
    for name in first:
        (message,) = receiver.of(name)
        assert message.at - began < TOLD, name
        assert {row[1:] for row in seen if row[0] == name} == {("blind", 0)}, name
    for name in later:
        (message,) = receiver.of(name)
        assert message.at - struck_at < TOLD, name
        states = {row[1] for row in seen if row[0] == name}
        assert "blind" in states
        # The last known positions stay in sight; nothing is ever shown as gone.
        assert {row[2] for row in seen if row[0] == name} == {held[name]}, name
