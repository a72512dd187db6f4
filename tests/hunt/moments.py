"""
When the prices of a pool are of moments apart, since one of its symbols is silent.

A hedge then shows what neither moment had. It is told all the same: the figure drives the rungs
(what is stale does), and a ratio of 95 % by our own marks is told even for one tick. So what is
told by it is no false alarm, though the truth may have been far from it.
"""

from tests.hunt.invariant import Run
from tests.hunt.record import Recorded

APART_SECONDS = 1.5


def are_apart(found: Run, step: Recorded) -> bool:
    """Whether a symbol is silent, and the pool that this step tells of has a mark so far behind."""
    account = step.incident.account
    faults = found.faults_on(account, step.at, step.at)
    if not any(fault.kind == "silent_symbol" for fault in faults) or step.incident.pool is None:
        return False
    name, heard = step.incident.pool.name, found.record.heard
    _, assessment = found.record.board[account]
    for pool in assessment.pools:
        if pool.risk.pool.id.name == name and len(pool.risk.pool.symbols()) > 1:
            legs = {p.instrument.exchange_symbol for p in pool.risk.pool.positions}
            indexes = {s.replace("/", "") for s in pool.risk.pool.symbols() if ":" not in s}
            came = [heard.get((account, symbol), 0.0) for symbol in legs | indexes]
            return max(came) - min(came) > APART_SECONDS
    return False
