"""One run: a plan played to its end on the virtual clock, and looked at all the way."""

import asyncio
import logging
import random
import shutil
import tempfile
import time
from collections import deque
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from tests.end_to_end.stage import write_config
from tests.hunt.director import Director
from tests.hunt.invariant import Invariant, Run
from tests.hunt.life import Host, Life
from tests.hunt.network import Network
from tests.hunt.plan import Act, FaultPlan, Move, Plan
from tests.hunt.receivers import Pings, Receiver
from tests.hunt.record import Record
from tests.hunt.virtual_loop import VirtualLoop, run
from tests.hunt.world import Stage, canary

LONGEST_TAIL_SECONDS = 1500.0
CALM_SECONDS = 150.0
LAST_LINES = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a run came to. `trace` is empty where nothing was violated."""

    seed: int
    virtual_seconds: float
    wall_seconds: float
    digest: str
    violations: tuple[str, ...]
    pairs: frozenset[tuple[str, str]]
    counts: dict[str, int]
    trace: tuple[str, ...] = ()
    log: tuple[str, ...] = ()


@dataclass(slots=True)
class Log:
    """The daemon's log: the last lines are kept, and all of it is searched for secrets."""

    secrets: Sequence[str]
    level: int = logging.INFO
    lines: deque[str] = field(default_factory=lambda: deque(maxlen=LAST_LINES))
    bugs: list[str] = field(default_factory=list)
    leaks: list[str] = field(default_factory=list)

    def write(self, text: str) -> int:
        if text.strip():
            self.lines.append(text.rstrip())
            if "part.died" in text or "daemon.died" in text or "Error handling" in text:
                self.bugs.append(text.rstrip())
            if any(secret in text for secret in self.secrets):
                self.leaks.append(text.rstrip())
        return len(text)

    def flush(self) -> None:
        """Nothing waits."""

    def isatty(self) -> bool:
        return False


def play(plan: Plan, invariants: Sequence[Invariant]) -> Outcome:
    """Play a plan from its first second to the last."""
    began = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="hunt-", dir=_fast()))
    handlers = logging.getLogger().handlers[:]
    level = logging.getLogger().level
    state = random.getstate()
    random.seed(plan.seed)
    record = Record()
    try:
        found = _played(plan, invariants, record, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        logging.getLogger().handlers[:] = handlers
        logging.getLogger().setLevel(level)
        structlog.reset_defaults()
        random.setstate(state)
    violations = tuple(v for invariant in invariants for v in invariant.violations)
    return Outcome(
        seed=plan.seed,
        virtual_seconds=found.host.now(),
        wall_seconds=time.monotonic() - began,
        digest=record.digest(),
        violations=violations,
        pairs=frozenset(record.pairs),
        counts=dict(record.counts),
        trace=tuple(record.trace),
        log=tuple(found.log.lines),
    )


def _fast() -> str | None:
    """A folder in memory where there is one: a commit there costs no disk."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - a new folder in it


def _played(plan: Plan, invariants: Sequence[Invariant], record: Record, folder: Path) -> Run:
    loop = VirtualLoop(Network())
    host = Host(loop)
    stage = Stage(plan, record, host.now)
    network = loop.network
    for exchange in plan.exchanges:
        network.add(f"{exchange}.test")
    receivers = {name: Receiver(name=name, now=host.now) for name in plan.channels}
    secrets = [canary(a.name, kind) for a in plan.accounts for kind in ("key", "secret")]
    secrets += [canary(a.name, "passphrase") for a in plan.accounts]
    secrets += [canary(name, "channel") for name in plan.channels]
    pings = Pings(host.now, canary("switch", "ping"))
    pings.on_ping.append(lambda ping: record.note(ping.at, "fail" if ping.failed else "ping"))
    secrets.append(pings.secret)
    network.add(pings.HOST)
    log = Log(secrets=secrets, level=logging.DEBUG if plan.seed % 4 == 0 else logging.INFO)
    config = _config(plan, stage, folder, pings)
    life = Life(host, record, config, receivers, log)
    life.advises_each_time = plan.seed % 16 == 0
    director = Director(plan, record, stage, host, life, receivers, pings)
    found = Run(
        plan=plan, record=record, stage=stage, host=host, life=life, receivers=receivers,
        pings=pings, log=log, folder=folder,
    )  # fmt: skip
    with ExitStack() as stack:
        stack.enter_context(life.instead())
        stack.enter_context(director.among_frames())
        run(loop, _through(found, director, invariants))
    return found


def _config(plan: Plan, stage: Stage, folder: Path, pings: Pings) -> Path:
    first, *others = plan.channels
    more = "".join(
        f'[[channels]]\nname = "{name}"\nurl = "json://{canary(name, "channel")}@{name}.test/"\n'
        f'min_severity = "info"\n'
        for name in others
    )
    more += f'[heartbeat]\nurl = "{pings.url}"\nseconds = {pings.SECONDS}\n'
    path = write_config(
        folder,
        stage.access(),
        f"json://{canary(first, 'channel')}@{first}.test/",
        poll_seconds=plan.poll_seconds,
        more=more,
    )
    path.write_text(path.read_text().replace('name = "phone"', f'name = "{first}"', 1))
    return path


async def _through(found: Run, director: Director, invariants: Sequence[Invariant]) -> None:
    stage, host = found.stage, found.host
    await stage.open()
    await found.pings.open()
    tasks = [asyncio.create_task(stage.run(each)) for each in stage.exchanges.values()]
    found.life.start()
    for invariant in invariants:
        invariant.begin(found)
    tasks.append(asyncio.create_task(_watched(found, invariants)))
    script = sorted(
        (*found.plan.moves, *found.plan.acts, *found.plan.faults),
        key=lambda each: (each.at, type(each).__name__),
    )
    for step in script:
        # By the clock that stands still in a suspend: what was to come comes after it.
        await asyncio.sleep(max(0.0, step.at - host.loop.time()))
        _as_planned(tasks)
        tasks += _carried_out(step, stage, director)
    await asyncio.sleep(max(0.0, found.plan.seconds - host.loop.time()))
    await _calmed(found)
    _as_planned(tasks)
    for invariant in invariants:
        invariant.finish(found)
    await found.life.stop()
    _as_planned(tasks)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await stage.close()
    await found.pings.close()


def _as_planned(tasks: list[asyncio.Task[None]]) -> None:
    """A fault that could not be made is an error of the hunt, not a quiet seed."""
    for task in tasks:
        if task.done() and not task.cancelled():
            task.result()


def _carried_out(
    step: Move | Act | FaultPlan, stage: Stage, director: Director
) -> list[asyncio.Task[None]]:
    match step:
        case Move():
            stage.move(step)
        case Act():
            stage.act(step)
        case FaultPlan():
            return [asyncio.create_task(director.play(step))]
    return []


async def _calmed(found: Run) -> None:
    """On until every fault and wait is long over."""
    last = found.host.now() + LONGEST_TAIL_SECONDS
    while found.host.now() < last:
        if found.host.now() > found.trouble_until() + CALM_SECONDS:
            return
        await asyncio.sleep(5)


async def _watched(found: Run, invariants: Sequence[Invariant]) -> None:
    while True:
        await asyncio.sleep(1)
        for invariant in invariants:
            invariant.look(found)
