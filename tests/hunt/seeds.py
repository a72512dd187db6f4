"""
What a seed plays: most the common plan; some a crowd that falls, charges, or mute channels.

Those are drawn with dice of their own, so that the common plan of a seed is what it was.
"""

import random
from collections.abc import Callable
from dataclasses import replace

from tests.hunt import plan as common
from tests.hunt.plan import (
    KINDS,
    PING_FAULTS,
    QUIET_END_SECONDS,
    SETTLING_SECONDS,
    AccountPlan,
    Act,
    FaultPlan,
    Move,
    Plan,
)

SHARES = {"crowd": 0.06, "charges": 0.12, "mute": 0.06}
# Of a crowd each minute costs ten times that of a few accounts.
LENGTHS = {"crowd": (4.0, 6.0), "charges": (6.0, 8.0, 10.0), "mute": (8.0, 10.0)}
MOST_MINUTES = 10.0
_EXPENSIVE = ("options", "portfolio", "pm pro")


def draw(seed: int, *, minutes: float | None = None, workload: str | None = None) -> Plan:
    """
    The plan of a seed; `minutes` overrides how long it plays.

    `workload` has it play one of `WORKLOADS` in any case, or the common plan for `common`.
    """
    dice = random.Random(f"hunt/{seed}/special")  # noqa: S311 - repeatable on purpose
    chosen = _chosen(dice) if workload is None else workload
    if chosen == "common":
        plan = common.draw(seed, minutes=minutes)
    else:
        length = dice.choice(LENGTHS[chosen]) if minutes is None else minutes
        plan = WORKLOADS[chosen](dice, seed, 60 * min(length, MOST_MINUTES))
    return _with_pings(plan, random.Random(f"hunt/{seed}/pings"))  # noqa: S311 - likewise


def _chosen(dice: random.Random) -> str:
    thrown = dice.random()
    for workload, share in SHARES.items():
        if thrown < share:
            return workload
        thrown -= share
    return "common"


def _with_pings(plan: Plan, dice: random.Random) -> Plan:
    """A fault of the service that is pinged, in some."""
    last = plan.seconds - QUIET_END_SECONDS
    fault = FaultPlan(
        at=round(SETTLING_SECONDS + dice.uniform(0, last), 2),
        kind=dice.choice(PING_FAULTS),
        where="ping",
        seconds=dice.choice((6.0, 30.0, 75.0)),
    )
    if dice.random() > 0.2 or fault.ends > last:
        return plan
    return replace(plan, faults=tuple(sorted((*plan.faults, fault), key=lambda each: each.at)))


def _plan(dice: random.Random, seed: int, seconds: float, workload: str) -> Plan:
    """Without accounts still."""
    return Plan(
        seed=seed,
        seconds=seconds,
        accounts=(),
        channels=("phone", "mail", "pager")[: dice.choice((1, 2, 2, 3))],
        poll_seconds=dice.choice((15.0, 15.0, 30.0)),
        notes=(workload,),
    )


def _with_faults(plan: Plan, dice: random.Random, share: float) -> Plan:
    """The usual faults, in a share of the seeds."""
    if dice.random() >= share:
        return plan
    faults = common._faults(dice, plan.accounts, plan.channels, plan.moves, plan.seconds)
    return replace(plan, faults=tuple(sorted(faults, key=lambda fault: fault.at)))


# --- a crowd: many pools that fall at once


def _crowd(dice: random.Random, seed: int, seconds: float) -> Plan:
    """
    Six to fourteen accounts in one to three herds, each moved by the price of its leader's coin.

    Those of a herd are of one kind: all alike, or each with a book of its own.
    """
    size, herds = dice.randint(6, 14), dice.choice((1, 2, 2, 3))
    accounts: list[AccountPlan] = []
    leaders: list[str] = []
    for number in range(herds):
        exchange = dice.choice(tuple(KINDS))
        kinds = [kind for kind in KINDS[exchange] if not any(word in kind for word in _EXPENSIVE)]
        kind, first, alike = dice.choice(kinds), 2 * dice.randrange(500) + 1, dice.random() < 0.6
        leaders.append(f"{exchange}-{len(accounts)}")
        for each in range(size // herds + (number < size % herds)):
            accounts.append(
                AccountPlan(
                    name=f"{exchange}-{len(accounts)}",
                    exchange=exchange,
                    kind=kind,
                    seed=first if alike else first + 2 * each,
                    stays=dice.random() < 0.8,
                )
            )
    moves: list[Move] = []
    for at in common._calls(dice, seconds, (170, 240)):
        deep, slow = dice.choice((0.84, 0.93, 0.97, 1.05)), dice.choice((0.0, 2.0, 8.0, 25.0))
        apart = dice.choice((0.0, 1.0, 15.0))
        for name in leaders:
            start = round(at + dice.uniform(0, apart), 1)
            moves.append(Move(at=start, account=name, ratio=deep, seconds=slow))
            moves.append(Move(at=start + 80, account=name, ratio=0.5, seconds=15.0))
    moves.sort(key=lambda move: move.at)
    plan = replace(
        _plan(dice, seed, seconds, "crowd"), accounts=tuple(accounts), moves=tuple(moves)
    )
    return _with_faults(plan, dice, 0.5)


# --- charges: what the exchange takes by itself


def _charges(dice: random.Random, seed: int, seconds: float) -> Plan:
    """A pool is led near a rung, and funding or a fee takes it over, or back."""
    accounts = tuple(
        AccountPlan(
            name=f"{exchange}-{number}",
            exchange=exchange,
            kind=dice.choice(KINDS[exchange]),
            seed=2 * dice.randrange(500) + 1,
            stays=True,
        )
        for number, exchange in enumerate(dice.choices(tuple(KINDS), k=dice.choice((1, 2, 3))))
    )
    moves, acts = [], []
    for at in common._calls(dice, seconds, (85, 130)):
        name, kind = dice.choice(accounts).name, dice.choice(("funding", "funding", "fee"))
        near, over = dice.choice(
            ((0.7, 0.83), (0.78, 0.82), (0.78, 0.93), (0.88, 0.96), (0.5, 0.95))
        )
        moves.append(Move(at=at, account=name, ratio=near, seconds=4.0))
        # Beside prices at rest, or in the midst of their fall.
        charged = round(at + dice.choice((12.0, 12.0, 2.5)), 1)
        acts.append(Act(at=charged, account=name, kind=kind, share=over))
        if dice.random() < 0.5:
            acts.append(Act(at=round(at + 60, 1), account=name, kind=kind, share=0.6))
        else:
            moves.append(Move(at=at + 60, account=name, ratio=0.6, seconds=5.0))
    plan = replace(
        _plan(dice, seed, seconds, "charges"),
        accounts=accounts,
        moves=tuple(sorted(moves, key=lambda move: move.at)),
        acts=tuple(sorted(acts, key=lambda act: act.at)),
    )
    return _with_faults(plan, dice, 0.5)


# --- mute: nobody hears anything, for longer than the dead man's switch bears


def _mute(dice: random.Random, seed: int, seconds: float) -> Plan:
    """Every channel refuses for minutes, while an exchange is out of reach or a pool falls."""
    exchange = dice.choice(tuple(KINDS))
    kinds = [kind for kind in KINDS[exchange] if not any(word in kind for word in _EXPENSIVE)]
    account = AccountPlan(
        name=f"{exchange}-0",
        exchange=exchange,
        kind=dice.choice(kinds),
        seed=2 * dice.randrange(500) + 1,
        stays=True,
    )
    plan = replace(_plan(dice, seed, seconds, "mute"), accounts=(account,))
    start = SETTLING_SECONDS + dice.uniform(5, 25)
    last = seconds - QUIET_END_SECONDS - start
    faults = [
        FaultPlan(at=start, kind=dice.choice(("refuses", "hangs")), where=channel, seconds=last)
        for channel in plan.channels
    ]
    falls = dice.random() < 0.5
    if falls:
        moves = [Move(at=start + 10, account=account.name, ratio=0.86, seconds=3.0)]
    else:
        moves = []
        faults.append(
            FaultPlan(
                at=start + dice.uniform(-15, 20),
                kind=dice.choice(("net_refused", "net_held", "no_name")),
                where=exchange,
                seconds=last * dice.choice((0.3, 0.7, 0.9)),
            )
        )
    return replace(plan, moves=tuple(moves), faults=tuple(sorted(faults, key=lambda each: each.at)))


WORKLOADS: dict[str, Callable[[random.Random, int, float], Plan]] = {
    "crowd": _crowd,
    "charges": _charges,
    "mute": _mute,
}
