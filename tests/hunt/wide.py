"""
Plans whose prices wander all the way: from far beyond every rung on distance to the very end.

What `plan.draw` moves begins at a ratio of 55 %, where most books are within all rungs on
distance for good. Here accounts come and go through them, and all are of kinds whose whole rule
is published. Everything else, faults and owners among it, is as it was drawn.
"""

import random
from dataclasses import replace

from tests.hunt.plan import INEXACT, KINDS, QUIET_END_SECONDS, SETTLING_SECONDS, Move, Plan

RATIOS = (0.02, 0.05, 0.08, 0.12, 0.2, 0.3, 0.45, 0.6, 0.85, 0.97)
PAUSE_SECONDS = (10.0, 45.0)
_EXACT = {
    exchange: [kind for kind in kinds if not any(word in kind for word in INEXACT)]
    for exchange, kinds in KINDS.items()
}


def widened(plan: Plan) -> Plan:
    """The plan with moves across all rungs, and accounts that are held to all promises."""
    dice = random.Random(f"wide/{plan.seed}")  # noqa: S311 - repeatable on purpose
    accounts = tuple(
        account
        if account.is_exact
        else replace(account, kind=dice.choice(_EXACT[account.exchange]))
        for account in plan.accounts
    )
    moves, at = [], SETTLING_SECONDS + dice.uniform(0, 30)
    while at < plan.seconds - QUIET_END_SECONDS:
        moves.append(
            Move(
                at=round(at, 1),
                account=dice.choice(accounts).name,
                ratio=dice.choice(RATIOS),
                seconds=dice.choice((0.0, 1.0, 5.0, 20.0)),
            )
        )
        at += dice.uniform(*PAUSE_SECONDS)
    return replace(plan, accounts=accounts, moves=tuple(moves), notes=("wide",))
