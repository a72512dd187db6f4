"""
What one seed plays: accounts, moves of prices and books, faults, the life of the process.

A plan is drawn from its seed alone and is a value: the same seed gives the same plan. It knows
nothing of the product; its accounts are those of the end-to-end tests.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

from tests.end_to_end import random_binance, random_bybit, random_okx

KINDS = {
    "binance": random_binance.KINDS,
    "bybit": random_bybit.KINDS,
    "okx": random_okx.KINDS,
}
_ACCOUNT_OF = {
    "binance": random_binance.account,
    "bybit": random_bybit.account,
    "okx": random_okx.account,
}
MARKS = random_bybit.MARKS | random_binance.MARKS
SETTLING_SECONDS = 45.0
QUIET_END_SECONDS = 20.0
# Of these the exchange does not publish the whole rule: between two readings the figure is a
# prediction, and the thousandths can't be asked of it.
INEXACT = ("options", "portfolio", "pm pro", "credits", "borrow", "collateral", "spot")


class Reach(Enum):
    """What a fault may do to what is known: late, lost or twice; or untrue."""

    DELAYS = "only delays, drops or doubles"
    LIES = "tells what is not so"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountPlan:
    """One account, by the maker of its kind; `stays` is never taken over."""

    name: str
    exchange: str
    kind: str
    seed: int
    stays: bool

    @property
    def is_exact(self) -> bool:
        return not any(word in self.kind for word in INEXACT)

    def text(self) -> str:
        """Its lines in a scenario, but for name and exchange."""
        return _ACCOUNT_OF[self.exchange](self.kind, self.seed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """From `at` on the worst pool of an account is brought to a ratio, by one coin's price."""

    at: float
    account: str
    ratio: float
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """
    What an owner does at `at`: opens more, closes, puts in or takes out; by `share`.

    Or what the exchange takes or gives by itself, of the kinds in `CHARGES`: `share` is then the
    ratio to which that brings the worst pool.
    """

    at: float
    account: str
    kind: str
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultPlan:
    """
    One fault, from `at` for so many seconds.

    `where` is an exchange, a channel or empty for all of the process; `value` belongs to the kind.
    """

    at: float
    kind: str
    where: str
    seconds: float
    value: str | None = None
    path: str = ""

    @property
    def ends(self) -> float:
        return self.at + self.seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    seed: int
    seconds: float
    accounts: tuple[AccountPlan, ...]
    channels: tuple[str, ...]
    poll_seconds: float
    moves: tuple[Move, ...] = ()
    acts: tuple[Act, ...] = ()
    faults: tuple[FaultPlan, ...] = ()
    notes: tuple[str, ...] = field(default=())

    @property
    def exchanges(self) -> tuple[str, ...]:
        return tuple(sorted({account.exchange for account in self.accounts}))


# --- the kinds of faults, by what they strike

REST_FAULTS: dict[str, tuple[str | None, ...]] = {
    "html": (None,),
    "empty": (None,),
    "truncated": (None,),
    "null": (None,),
    "429": ("5", "30"),
    "418": ("20", "60"),
    "5xx": ("500", "503", "504"),
    "403_html": (None,),
    "timeout": (None,),
    "slow_answer": ("2", "6"),
    "reset": (None,),
}
KEY_FAULTS = ("bad_key", "no_permission", "ip")
SOCKET_FAULTS: dict[str, tuple[str | None, ...]] = {
    "stall": (None,),
    "drop": (None,),
    "refuse": (None,),
    "garbage": (None,),
    "silent_symbol": (None,),
    "lost": (None,),
    "doubled": (None,),
    "swapped": (None,),
    "late": ("2", "9"),
    "cut": ("1", "40"),
    "login": (None,),
}
FRAME_FAULTS: dict[str, tuple[str | None, ...]] = {
    "frames_dropped": ("0.3", "0.9"),
    "frames_doubled": ("0.5",),
    "frames_out_of_order": ("0.5",),
    "bad_marks": ("0", "-1", "NaN", "Infinity", "", "null"),
}
NETWORK_FAULTS: dict[str, tuple[str | None, ...]] = {
    "net_cut": (None,),
    "net_refused": (None,),
    "net_held": (None,),
    "net_half_open": (None,),
    "net_slow": ("2",),
    "no_name": (None,),
}
HOST_FAULTS: dict[str, tuple[str | None, ...]] = {
    "no_dns": (None,),
    "kill": ("1", "15", "90"),
    "stop": ("1",),
    "suspend": ("30", "600"),
    "wall_step": ("3600", "-3600"),
    "blocked": ("3",),
    "disk_full": (None,),
    "disk_locked": (None,),
}
CHANNEL_FAULTS: dict[str, tuple[str | None, ...]] = {
    "refuses": (None,),
    "hangs": (None,),
    "ambiguous": (None,),
    "asks_to_wait": ("7", "40"),
    "permanent": (None,),
    "slow": ("3",),
}
PING_FAULTS = ("ping_refuses", "ping_hangs", "ping_no_name")
CHARGES = ("funding", "fee")
CLOCK_FAULT = "clock"
SLOW_ANSWER = "slow_answer"
LYING_FAULTS = ("wrong_numbers", "empty_list", "clock")

ALL_FAULTS = (
    *(kind for kind in REST_FAULTS if kind != SLOW_ANSWER), *KEY_FAULTS, *SOCKET_FAULTS,
    *FRAME_FAULTS, *NETWORK_FAULTS, *HOST_FAULTS, *CHANNEL_FAULTS, *LYING_FAULTS,
)  # fmt: skip


def draw(seed: int, *, minutes: float | None = None) -> Plan:
    """The plan of a seed; `minutes` overrides how long it plays."""
    dice = random.Random(f"hunt/{seed}")  # noqa: S311 - repeatable on purpose
    seconds = 60.0 * (minutes if minutes is not None else dice.choice((6, 10, 10, 16, 40)))
    accounts = _accounts(dice)
    channels = ("phone", "mail", "pager")[: dice.choice((1, 2, 2, 3))]
    workload = dice.choice(("walk", "crash", "oscillation", "owner", "flood", "spike"))
    moves, acts = _WORKLOADS[workload](dice, accounts, seconds)
    faults = _faults(dice, accounts, channels, moves, seconds)
    faults += _slow_answers(seed, accounts, moves, seconds)
    return Plan(
        seed=seed,
        seconds=seconds,
        accounts=accounts,
        channels=channels,
        poll_seconds=dice.choice((5.0, 15.0, 15.0, 30.0)),
        moves=tuple(sorted(moves, key=lambda move: move.at)),
        acts=tuple(sorted(acts, key=lambda act: act.at)),
        faults=tuple(sorted(faults, key=lambda fault: fault.at)),
        notes=(workload,),
    )


def _accounts(dice: random.Random) -> tuple[AccountPlan, ...]:
    found = []
    for number in range(dice.choice((1, 1, 2, 2, 3, 4))):
        exchange = dice.choice(tuple(KINDS))
        found.append(
            AccountPlan(
                name=f"{exchange}-{number}",
                exchange=exchange,
                kind=dice.choice(KINDS[exchange]),
                seed=2 * dice.randrange(500) + 1,
                stays=dice.random() < 0.7,
            )
        )
    return tuple(found)


# --- workloads: what prices and owners do

_Played = tuple[list[Move], list[Act]]
_LEVELS = (0.55, 0.7, 0.78, 0.82, 0.86, 0.92, 0.96)


def _calls(dice: random.Random, seconds: float, pause: tuple[float, float]) -> list[float]:
    """Times between settling and the quiet end, so far apart."""
    times, at = [], SETTLING_SECONDS + dice.uniform(0, 30)
    while at < seconds - QUIET_END_SECONDS:
        times.append(round(at, 1))
        at += dice.uniform(*pause)
    return times


def _walk(dice: random.Random, accounts: Sequence[AccountPlan], seconds: float) -> _Played:
    return [
        Move(at=at, account=dice.choice(accounts).name, ratio=dice.choice(_LEVELS),
             seconds=dice.choice((1.0, 10.0, 40.0)))
        for at in _calls(dice, seconds, (20, 90))
    ], []  # fmt: skip


def _crash(dice: random.Random, accounts: Sequence[AccountPlan], seconds: float) -> _Played:
    moves = []
    for at in _calls(dice, seconds, (120, 400)):
        account = dice.choice(accounts).name
        deep = dice.choice((0.88, 0.93, 0.97, 1.05))
        moves.append(Move(at=at, account=account, ratio=deep, seconds=dice.choice((2.0, 20.0))))
        back = at + dice.uniform(30, 100)
        moves.append(Move(at=round(back, 1), account=account, ratio=0.6, seconds=15.0))
    return moves, []


def _oscillation(dice: random.Random, accounts: Sequence[AccountPlan], seconds: float) -> _Played:
    account, rung = dice.choice(accounts).name, dice.choice((0.8, 0.9))
    width = dice.choice((0.004, 0.05))
    moves = []
    for number, at in enumerate(_calls(dice, seconds, (8, 40))):
        ratio = rung + (width if number % 2 == 0 else -width)
        moves.append(Move(at=at, account=account, ratio=ratio, seconds=3.0))
    return moves, []


def _owner(dice: random.Random, accounts: Sequence[AccountPlan], seconds: float) -> _Played:
    kinds = ("open", "close", "deposit", "withdraw")
    acts = [
        Act(at=at, account=dice.choice(accounts).name, kind=dice.choice(kinds),
            share=dice.choice((0.1, 0.3, 0.6, 1.0)))
        for at in _calls(dice, seconds, (40, 120))
    ]  # fmt: skip
    moves, _ = _walk(dice, accounts, seconds)
    return moves[::2], acts


def _flood(dice: random.Random, accounts: Sequence[AccountPlan], seconds: float) -> _Played:
    moves = []
    for at in _calls(dice, seconds, (300, 500)):
        deep = dice.choice((0.85, 0.93))
        moves += [Move(at=at, account=a.name, ratio=deep, seconds=4.0) for a in accounts]
        moves += [Move(at=at + 120, account=a.name, ratio=0.6, seconds=20.0) for a in accounts]
    return moves, []


def _spike(dice: random.Random, accounts: Sequence[AccountPlan], seconds: float) -> _Played:
    moves = []
    for at in _calls(dice, seconds, (60, 200)):
        account = dice.choice(accounts).name
        high = dice.choice((0.83, 0.97, 0.99))
        moves.append(Move(at=at, account=account, ratio=high, seconds=0.0))
        moves.append(Move(at=at + 1.0, account=account, ratio=0.6, seconds=0.0))
    return moves, []


_WORKLOADS = {
    "walk": _walk,
    "crash": _crash,
    "oscillation": _oscillation,
    "owner": _owner,
    "flood": _flood,
    "spike": _spike,
}


# --- faults


def _faults(
    dice: random.Random,
    accounts: Sequence[AccountPlan],
    channels: Sequence[str],
    moves: Sequence[Move],
    seconds: float,
) -> list[FaultPlan]:
    """None, single ones, and pairs: a few seconds apart, or right at a crossing."""
    if dice.random() < 0.1:
        return []
    found: list[FaultPlan] = []
    last = seconds - QUIET_END_SECONDS
    at = SETTLING_SECONDS + dice.uniform(0, 120)
    while at < last:
        start = _at_a_move(dice, at, moves) if dice.random() < 0.5 else at
        found.append(_fault(dice, accounts, channels, start))
        if dice.random() < 0.5:
            found.append(_fault(dice, accounts, channels, start + dice.uniform(-2, 12)))
        at = max(each.ends for each in found) + dice.uniform(20, 150)
    return [fault for fault in found if fault.at > SETTLING_SECONDS and fault.ends < last]


def _slow_answers(
    seed: int, accounts: Sequence[AccountPlan], moves: Sequence[Move], seconds: float
) -> list[FaultPlan]:
    """Beside what else strikes, answers that come late; by dice of their own, on top of it."""
    dice = random.Random(f"hunt/{seed}/slow answers")  # noqa: S311 - repeatable on purpose
    if dice.random() < 0.5:
        return []
    start = _at_a_move(dice, SETTLING_SECONDS + dice.uniform(1, seconds / 2), moves)
    lasts = dice.choice((18.0, 30.0, 75.0))
    fault = FaultPlan(
        at=round(max(start - dice.uniform(0, 15), SETTLING_SECONDS + 1), 2),
        kind=SLOW_ANSWER,
        where=dice.choice(accounts).exchange,
        seconds=lasts,
        value=dice.choice(REST_FAULTS[SLOW_ANSWER]),
    )
    return [fault] if fault.ends < seconds - QUIET_END_SECONDS else []


def _at_a_move(dice: random.Random, at: float, moves: Sequence[Move]) -> float:
    later = [move for move in moves if move.at >= at]
    if not later:
        return at
    return later[0].at + dice.uniform(-5, later[0].seconds + 2)


def _fault(
    dice: random.Random, accounts: Sequence[AccountPlan], channels: Sequence[str], at: float
) -> FaultPlan:
    kind = dice.choice(ALL_FAULTS)
    where, value = "", None
    if kind in CHANNEL_FAULTS:
        where, value = dice.choice(channels), dice.choice(CHANNEL_FAULTS[kind])
    elif kind in HOST_FAULTS:
        value = dice.choice(HOST_FAULTS[kind])
    else:
        where = dice.choice(accounts).exchange
        table = REST_FAULTS | SOCKET_FAULTS | FRAME_FAULTS | NETWORK_FAULTS
        value = dice.choice(table.get(kind, (None,)))
    if kind == "clock":
        value = dice.choice(("30", "-30", "3", "-3"))
    if kind == "wrong_numbers":
        value = dice.choice(("0.5", "1.3"))
    seconds = dice.choice((1.0, 6.0, 18.0, 30.0, 75.0))
    if kind in {"kill", "suspend", "stop", "wall_step", "blocked"}:
        seconds = float(value or 1) if kind in {"kill", "stop"} else 1.0
    return FaultPlan(at=round(at, 2), kind=kind, where=where, seconds=seconds, value=value)
