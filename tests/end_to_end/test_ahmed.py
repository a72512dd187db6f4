"""Ahmed's wallet loses a quarter in a dip: no message comes, and none is missing."""

from decimal import Decimal
from pathlib import Path

from monitor.simulator.scenario import load
from monitor.simulator.server import running
from tests.end_to_end.stage import receiving, skip_to, watching, write_config

D = Decimal
SPEED = 3
FALL_SECONDS = 12
BACK_SECONDS = 24  # of the path: the low is over


async def test_a_dip_far_from_liquidation_is_watched_and_not_told(tmp_path: Path) -> None:
    async with running(load("ahmed"), speed=SPEED) as simulation, receiving() as receiver:
        config = write_config(tmp_path, simulation.access(), receiver.url)
        async with watching(config) as daemon:
            await daemon.fresh("ahmed")
            skip_to(simulation, FALL_SECONDS)
            seen: list[tuple[Decimal, Decimal]] = []

            def is_back() -> bool:
                (account,) = daemon.daemon.board.assessments()
                seen.extend(
                    (position.mark.price, pool.requirement.ratio)
                    for pool in account.pools
                    for position in pool.risk.positions
                )
                return simulation.world.elapsed() > BACK_SECONDS

            await daemon.until(is_back, "the way back up")
            (pool,) = (a for a in daemon.daemon.board.assessments()[0].pools)
            assert len(pool.risk.positions) == 1
    # The daemon saw the dip: wallet 1,000, long 0.1 BTC from 45,000, 0.4 % maintenance.
    lowest, ratio = min(seen)
    assert lowest < 42510
    assert abs(ratio - lowest * D("0.1") * D("0.004") / (1000 - (45000 - lowest) / 10)) < D("1e-9")
    assert max(ratio for _, ratio in seen) < D("0.03")
    assert receiver.messages == []
    assert simulation.world.events == []
