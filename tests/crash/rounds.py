"""
All the ways to die, one after the other: points are listed by a run in one piece, then tried.

A trial is: a life that ends at its point, the state that this leaves, and a second life on it.
Second lives that would begin at the same second with the same state and the same things received
are lived once: the script and the product on it are deterministic, as `reference` is checked to
be. Everything runs in children; this process holds no database open.
"""

from __future__ import annotations

import errno
import hashlib
import os
import pickle
import shutil
import signal
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.crash import disk, script, verdict
from tests.crash.life import Tape, from_file, in_a_child, live, on_disk, to_file, warm

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from tests.crash.verdict import Entry, Found
    from tests.crash.vfs import Op

KINDS = ("kill", "power loss", "torn write", "no space", "I/O error")
ERRNO = {"no space": errno.ENOSPC, "I/O error": errno.EIO}
# A disk that fails once, and one that fails for a while and is well again.
OPENED_AT_ONCE = 50
FAILS_FOR = {"once": 0.0, "for 20 s": 20.0}


@dataclass
class Tally:
    """What was tried, and what was found wrong."""

    points: Counter[str] = field(default_factory=Counter)
    trials: Counter[str] = field(default_factory=Counter)
    second_lives: Counter[str] = field(default_factory=Counter)
    duplicates: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        self.points += other.points
        self.trials += other.trials
        self.second_lives += other.second_lives
        self.duplicates += other.duplicates
        self.wrong += other.wrong


class Rounds:
    """Trials in one folder, all of one product: the real one, or one broken by `breaks`."""

    def __init__(self, folder: Path, breaks: Callable[[], None] | None = None) -> None:
        self._folder = folder
        self._breaks = breaks
        self._number = 0
        self._to_open: list[tuple[str, Path, float]] = []
        self._lived: dict[str, tuple[list[str], Counter[str]]] = {}
        self.tally = Tally()
        warm()
        self._kept, entries, self.reference = self._reference()
        self._entries = entries
        self.ticks = [what for kind, what in self._kept if kind == "tick"]
        self.ops = [what for kind, what in self._kept if kind == "op"]

    def _reference(self) -> tuple[list[tuple[str, Any]], list[Entry], Found]:
        """The whole script in one piece, twice: every tick must come again in its place."""
        runs = []
        for name in ("reference", "again") if self._breaks is None else ("reference",):
            place = self._folder / name
            place.mkdir(parents=True)
            status = in_a_child(lambda p=place: self._keep(p), place / "errors")
            if status:
                raise AssertionError((place / "errors").read_text(encoding="utf-8"))
            kept = pickle.loads((place / "kept").read_bytes())  # noqa: S301 - our own child's
            runs.append((kept, from_file(place / "log"), place))
        labels = [[what[0] for kind, what in run[0] if kind == "tick"] for run in runs]
        if labels[0] != labels[-1]:
            raise AssertionError("two runs of one script differ")
        kept, entries, place = runs[0]
        found = verdict.look(place / "disk" / "state", self._folder / "aside")
        return kept, entries, found

    def _keep(self, place: Path) -> None:
        tape = Tape(log=to_file(place / "log"), keeps=True)
        live(place, 0.0, tape, breaks=self._breaks)
        (place / "kept").write_bytes(pickle.dumps(tape.kept))

    # -- the five kinds -------------------------------------------------------------------

    def kill(self, points: Sequence[int]) -> None:
        """SIGKILL at each of these ticks."""
        for point in points:
            place = self._place()
            tape = Tape(log=to_file(place / "log"), dies_at=point)
            status = in_a_child(
                lambda p=place, t=tape: live(p, 0.0, t, breaks=self._breaks), place / "errors"
            )
            before = from_file(place / "log")
            label = self.ticks[point][0]
            if not os.WIFSIGNALED(status) or os.WTERMSIG(status) != signal.SIGKILL:
                said = (place / "errors").read_text(encoding="utf-8")[-500:]
                self._note("kill", point, label, [f"Goes on: it did not come to {label}: {said}"])
                continue
            if before.pop()["label"] != label:
                self._note("kill", point, label, ["Determinism: another point came instead"])
            self.tally.points["kill"] += 1
            self._second("kill", f"{point} ({label})", place, before, self.ticks[point][1])
        self._open_all()

    def power(self, points: Sequence[int]) -> None:
        """The power goes before each of these operations on the disk."""
        self._states("power loss", points, lambda lost, _op, number: lost.states(seed=number))

    def torn(self, points: Sequence[int]) -> None:
        """The power goes in the midst of each of these writes and syncs."""

        def states(lost: disk.Disk, op: Op, _: int) -> Iterator[disk.Files]:
            yield from lost.torn(op)
            yield from lost.torn_before(op)

        self._states("torn write", points, states)

    def _states(
        self,
        kind: str,
        points: Sequence[int],
        states: Callable[[disk.Disk, Op, int], Iterator[disk.Files]],
    ) -> None:
        wanted, lost, before = set(points), disk.Disk(), []
        number, seen = 0, set()
        for what, held in self._kept:
            if what == "note":
                before.append(held)
            if what != "op":
                continue
            if number in wanted:
                self._states_at(kind, number, states(lost, held, number), seen, held, before)
            lost.do(held)
            number += 1
        self._open_all()

    def _states_at(  # noqa: PLR0917 - the parts of one point
        self, kind: str, number: int, states: Iterator[disk.Files], seen: set[str],
        op: Op, before: list[Entry],
    ) -> None:  # fmt: skip
        self.tally.points[kind] += 1
        at = self._time_of_op(number)
        for files in states:
            told = len([each for each in before if each["what"] == "taken"])
            digest = hashlib.sha256(repr((sorted(files.items()), told, len(before))).encode())
            if digest.hexdigest() in seen:
                continue
            seen.add(digest.hexdigest())
            place = self._place()
            disk.write(files, place, self._folder / "reference")
            (place / "disk").mkdir(exist_ok=True)
            self._second(kind, f"{number} ({op})", place, list(before), at)

    def _time_of_op(self, number: int) -> float:
        if not hasattr(self, "_times"):
            times, last = [], 0.0
            for what, held in self._kept:
                if what == "tick":
                    last = held[1]
                if what == "op":
                    times.append(last)
            self._times = times
        return self._times[number]

    def _second(self, kind: str, point: str, place: Path, before: list[Entry], at: float) -> None:
        """The state is looked at, and lived on where that was not done yet."""
        self.tally.trials[kind] += 1
        cut = verdict.look(place / "disk" / "state", place / "aside")
        wrong = verdict.of_the_cut(before, cut)
        taken = [(e["channel"], e["id"], e["title"]) for e in before if e["what"] == "taken"]
        key = repr((round(at, 3), cut.key(), taken))
        began = at + script.RESTART_SECONDS
        if key in self._lived:
            self._to_open.append((f"{kind} at {point}", place, began))
        else:
            self.tally.second_lives[kind] += 1
            self._lived[key] = self._lived_on(place, began, before)
        more, repeated = self._lived[key]
        self.tally.duplicates[kind] += sum(repeated.values())
        self._note(kind, point, "", wrong + more)
        if not self._to_open or self._to_open[-1][1] != place:
            shutil.rmtree(place)
        if len(self._to_open) >= OPENED_AT_ONCE:
            self._open_all()

    def _open_all(self) -> None:
        """The product opens each of these files, and has nothing to say about them."""
        waiting, self._to_open = self._to_open, []
        if not waiting:
            return
        said = waiting[0][1] / "notices"

        def open_them() -> None:
            from datetime import timedelta  # noqa: PLC0415

            from monitor.storage.store import open_store  # noqa: PLC0415

            with said.open("w", encoding="utf-8") as out:
                for where, place, began in waiting:
                    at = script.NOON + timedelta(seconds=began)
                    store = open_store(place / "disk" / "state", at)
                    out.writelines(f"{where}: Soundness: {each}\n" for each in store.notices)
                    store.close()

        if in_a_child(open_them, self._folder / "errors"):
            words = (self._folder / "errors").read_text(encoding="utf-8")[-500:]
            self.tally.wrong.append(f"{waiting[0][0]} or after: Goes on: {words}")
        self.tally.wrong += said.read_text(encoding="utf-8").splitlines()
        for _, place, _ in waiting:
            shutil.rmtree(place)

    def _lived_on(
        self, place: Path, began: float, before: list[Entry]
    ) -> tuple[list[str], Counter[str]]:
        tape = Tape(log=to_file(place / "second"))
        status = in_a_child(lambda: live(place, began, tape, breaks=self._breaks), place / "errors")
        after = from_file(place / "second")
        end = verdict.look(place / "disk" / "state", place / "aside")
        wrong = verdict.of_the_whole(before, after, end, self.reference)
        if status:
            wrong.append(f"Goes on: {(place / 'errors').read_text(encoding='utf-8')[-500:]}")
        return wrong, verdict.duplicates(before, after)

    def fail(self, kind: str, points: Sequence[int], seconds: float) -> None:
        """From each of these operations on the disk fails, for so long; the process goes on."""
        for point in points:
            place = self._place()
            began: list[float] = []
            tape = Tape(log=to_file(place / "log"), keeps=True)

            def fails(
                number: int,
                _op: Op,
                *,
                first: int = point,
                since: list[float] = began,
                on: Tape = tape,
            ) -> int | None:
                if number == first:
                    since.append(on.clock())
                if not since or (number != first and on.clock() >= since[0] + seconds):
                    return None
                return ERRNO[kind]

            tape.fails = fails
            tape.on_disk = on_disk(place, tape)

            def go(place: Path = place, tape: Tape = tape) -> None:
                live(place, 0.0, tape, breaks=self._breaks)
                (place / "kept").write_bytes(pickle.dumps(tape.kept))

            status = in_a_child(go, place / "errors")
            self.tally.points[kind] += 1
            self.tally.trials[kind] += 1
            label = f"{point} ({self.ops[point]}) for {seconds:g} s"
            if status:
                said = (place / "errors").read_text(encoding="utf-8")[-900:]
                self._note(kind, point, label, [f"Goes on: it ended: {said}"])
                continue
            self._note(kind, point, label, self._failed(kind, place, seconds))
            shutil.rmtree(place)

    def _failed(self, kind: str, place: Path, seconds: float) -> list[str]:
        """What must hold after a life on a disk that failed, and was well again."""
        entries = from_file(place / "log")
        end = verdict.look(place / "disk" / "state", place / "aside")
        wrong = verdict.of_failing(entries, end, self._entries, self.reference, seconds)
        lost = disk.Disk()
        for what, held in pickle.loads((place / "kept").read_bytes()):  # noqa: S301 - our own child's
            if what == "op":
                lost.do(held)
            if what == "failed":
                lost.fail(*held)
        certain = place / "certain"
        disk.write(lost.certain(), certain, place)
        kept = verdict.look(certain / "disk" / "state", place / "aside")
        # A disk that fails to the end may keep, or not keep, that this process ended in order.
        ended = entries[-1]["t"]
        failed_at = next((e["t"] for e in entries if e["what"] == "disk failed"), ended)
        without = "starts" if failed_at + seconds >= ended else ""
        if kept.key(without=without) != end.key(without=without):
            wrong.append("Durable: what the disk gave up in a failed sync was never written again")
        began = entries[-1]["t"] + script.RESTART_SECONDS
        more, repeated = self._lived_on(place, began, entries)
        self.tally.second_lives[kind] += 1
        self.tally.duplicates[kind] += sum(repeated.values())
        return wrong + [each for each in more if "state-" not in each]

    # -- keeping count --------------------------------------------------------------------

    def _place(self) -> Path:
        self._number += 1
        place = self._folder / f"{self._number:06}"
        place.mkdir()
        return place

    def _note(self, kind: str, point: object, label: str, wrong: Sequence[str]) -> None:
        self.tally.wrong += [f"{kind} at {point} {label}: {each}" for each in wrong]


def spread(count: int, most: int) -> range:
    """At most so many of the numbers below `count`, evenly."""
    return range(0, count, max(1, -(-count // most)))
