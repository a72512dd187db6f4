"""
Changes the code a little, hundreds of times, and sees whether a unit test notices.

    python bench/mutants.py risk --sample 500 --seed 1 --state mutants.jsonl
    python bench/mutants.py okx

Each mutant is one operator, comparison, constant, condition, choice or pair of arguments
changed in one place, in a copy of the tree. Only the unit tests of its room are run, examples
before properties, these with few cases and without shrinking. What is decided is kept in the
state file: a second run goes on where the first ended and asks survivors again. Prints the
survivors, and how many of each file were noticed.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What is changed and which tests must notice: files or folders, from the tree's root."""

    sources: tuple[str, ...]
    tests: tuple[str, ...]


def _exchange(name: str, sources: str, tests: str) -> Room:
    """The files of an exchange that hold margin rules, and the tests that show pools."""
    return Room(
        sources=tuple(f"monitor/exchanges/{name}/{s}.py" for s in sources.split()),
        tests=tuple(f"tests/exchanges/{name}/test_{t}.py" for t in tests.split()),
    )


ROOMS = {
    "risk": Room(sources=("monitor/risk",), tests=("tests/risk",)),
    "binance": _exchange(
        "binance",
        "pools coin multi_assets portfolio portfolio_pool reported indexes",
        "pools coin multi_assets portfolio portfolio_pro recorded worked_examples modes samples "
        "credits stops marks tiers applying updates broken_events account",
    ),
    "bybit": _exchange(
        "bybit",
        "pools legs collateral isolated remainders reported",
        "pools collateral option_debts isolated remainders reported recordings modes orders fees "
        "index tiers stops marks account updates every_field needs",
    ),
    "okx": _exchange(
        "okx",
        "pools coin_pools unified isolated legs trades collateral remainders reported",
        "pools carried remainders collateral debts futures modes recordings reported tiers trades "
        "worked_advice account book stops frames_of_kinds marks updates broken_replies",
    ),
}
LIMIT_SECONDS = 120.0
CASES = 40
# Hypothesis is imported before pytest could rewrite it, which pytest warns of.
QUIET = ("--no-header", "-W", "ignore::pytest.PytestAssertRewriteWarning")

COMPARED: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
COMPUTED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
NAMES = {"ONE": "ZERO", "ZERO": "ONE", "min": "max", "max": "min", "any": "all", "all": "any"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One change: the `number`-th that is possible in a file of this digest."""

    file: str
    digest: str
    number: int
    line: int
    what: str

    @property
    def key(self) -> str:
        return f"{self.file}:{self.digest}:{self.number}"


def changes(tree: ast.Module) -> Iterator[tuple[int, str, Callable[[], None]]]:
    """Every change that is possible in the tree: its line, its words, and what makes it."""
    for node in _code(tree):
        placed = node.iter if isinstance(node, ast.comprehension) else node
        yield from ((getattr(placed, "lineno", 0), what, make) for what, make in _of_node(node))


def _code(node: ast.AST) -> Iterator[ast.AST]:
    """All nodes in order, but for what only people or type checkers read."""
    for name, value in ast.iter_fields(node):
        if name in {"annotation", "returns", "decorator_list", "type_params"}:
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not _is_talk(child):
                yield child
                yield from _code(child)


def _is_talk(node: ast.AST) -> bool:
    if isinstance(node, ast.Import | ast.ImportFrom | ast.JoinedStr | ast.Raise):
        return True
    if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
        return True
    if isinstance(node, ast.Assign) and "__all__" in ast.dump(node.targets[0]):
        return True
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _of_node(  # noqa: C901, PLR0912 - one line a kind of change
    node: ast.AST,
) -> Iterator[tuple[str, Callable[[], None]]]:
    match node:
        case ast.Compare():
            for n, operator in enumerate(node.ops):
                for other in COMPARED.get(type(operator), ()):
                    yield f"{_name(operator)} → {other.__name__}", _set_item(node.ops, n, other())
        case ast.BinOp() if type(node.op) in COMPUTED:
            other_op = COMPUTED[type(node.op)]
            yield f"{_name(node.op)} → {other_op.__name__}", _set(node, "op", other_op())
        case ast.BoolOp():
            both = ast.Or() if isinstance(node.op, ast.And) else ast.And()
            yield f"{_name(node.op)} → {_name(both)}", _set(node, "op", both)
        case ast.UnaryOp(op=ast.USub()):
            yield "−x → x", _set(node, "op", ast.UAdd())
        case ast.UnaryOp(op=ast.Not()):
            yield "not x → x", _set_class(node, node.operand)
        case ast.IfExp():
            yield "a if c else b → b if c else a", _swap(node, "body", "orelse")
        case ast.If() | ast.While():
            yield "c → not c", _set(node, "test", ast.UnaryOp(op=ast.Not(), operand=node.test))
        case ast.comprehension() if node.ifs:
            for n, test in enumerate(node.ifs):
                negated = ast.UnaryOp(op=ast.Not(), operand=test)
                yield "if c → if not c", _set_item(node.ifs, n, negated)
        case ast.Return() if node.value is not None and not _is_none(node.value):
            yield "return x → return None", _set(node, "value", ast.Constant(value=None))
        case ast.Name() if node.id in NAMES and isinstance(node.ctx, ast.Load):
            yield f"{node.id} → {NAMES[node.id]}", _set(node, "id", NAMES[node.id])
        case ast.Constant(value=bool(value)):
            yield f"{value} → {not value}", _set(node, "value", not value)
        case ast.Constant(value=int(value)):
            yield f"{value} → {value + 1}", _set(node, "value", value + 1)
        case ast.Call(func=ast.Name(id="Decimal"), args=[ast.Constant(value=str(text)) as given]):
            yield f"Decimal({text}) → 2 × it", _set(given, "value", _twice(text))
        case ast.Call(args=[first, second, *_]) if ast.dump(first) != ast.dump(second):
            of_a_set = isinstance(node.func, ast.Name) and node.func.id in NAMES
            if not of_a_set and not any(isinstance(a, ast.Starred) for a in (first, second)):
                yield "f(a, b) → f(b, a)", _set_slice(node.args, second, first)
        case _:
            return


def _name(node: ast.AST) -> str:
    return type(node).__name__


def _is_none(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _twice(text: str) -> str:
    from decimal import Decimal  # noqa: PLC0415 - only here

    return str(Decimal(text) * 2 or Decimal(1))


def _set(node: ast.AST, field: str, value: object) -> Callable[[], None]:
    return lambda: setattr(node, field, value)


def _set_item(items: list[Any], at: int, value: ast.AST) -> Callable[[], None]:
    return lambda: items.__setitem__(at, value)


def _set_slice(items: list[ast.expr], *values: ast.expr) -> Callable[[], None]:
    return lambda: items.__setitem__(slice(0, len(values)), list(values))


def _set_class(node: ast.UnaryOp, operand: ast.expr) -> Callable[[], None]:
    """`not x` becomes `not not x`, which is as true as x."""
    return lambda: setattr(node, "operand", ast.UnaryOp(op=ast.Not(), operand=operand))


def _swap(node: ast.AST, one: str, other: str) -> Callable[[], None]:
    def swap() -> None:
        was = getattr(node, one)
        setattr(node, one, getattr(node, other))
        setattr(node, other, was)

    return swap


def possible(path: Path) -> list[Mutant]:
    """All mutants of a file."""
    text = path.read_text(encoding="utf-8")
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    name = str(path.relative_to(ROOT))
    return [
        Mutant(file=name, digest=digest, number=n, line=line, what=what)
        for n, (line, what, _) in enumerate(changes(ast.parse(text)))
    ]


def mutated(text: str, number: int) -> str:
    """The source with its `number`-th change made."""
    tree = ast.parse(text)
    for n, (_, _, make) in enumerate(changes(tree)):
        if n == number:
            make()
            break
    return ast.unparse(ast.fix_missing_locations(tree))


# --- running


class Workshop:
    """A copy of the tree in which one mutant at a time is tried."""

    def __init__(self, folder: Path, tests: tuple[str, ...], limit: float) -> None:
        self.folder, self.limit = folder, limit
        for name in ("monitor", "tests", "config"):
            shutil.copytree(
                ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__")
            )
        shutil.copy(ROOT / "pyproject.toml", folder)
        files = [file for name in tests for file in _files(folder / name, "test_*.py")]
        self.tests = sorted(files, key=lambda path: "@given" in path.read_text(encoding="utf-8"))

    def outcome(self, mutant: Mutant | None) -> str:
        """«killed», «survived» or «timeout»; with None of the tree as it is."""
        if mutant is None:
            return self._run(self.tests, keep=True)
        source = self.folder / mutant.file
        text = source.read_text(encoding="utf-8")
        try:
            source.write_text(mutated(text, mutant.number), encoding="utf-8")
            own = f"test_{source.name}"
            return self._run(sorted(self.tests, key=lambda path: path.name != own))
        finally:
            source.write_text(text, encoding="utf-8")

    def _run(self, tests: list[Path], *, keep: bool = False) -> str:
        child = os.fork()
        if child == 0:
            os.setsid()
            os._exit(_in_child(self.folder, tests, keep=keep))
        ends_at = time.monotonic() + self.limit
        while time.monotonic() < ends_at:
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                return "survived" if os.waitstatus_to_exitcode(status) == 0 else "killed"
            time.sleep(0.02)
        os.killpg(child, signal.SIGKILL)
        os.waitpid(child, 0)
        return "timeout"


def _files(path: Path, pattern: str) -> list[Path]:
    """The file itself, or all files of a folder."""
    return sorted(path.rglob(pattern)) if path.is_dir() else [path]


def _in_child(folder: Path, tests: list[Path], *, keep: bool) -> int:
    """Pytest's exit code; what was compiled is kept of the tree as it is, never of a mutant."""
    import pytest  # noqa: PLC0415 - loaded before forking, free here

    sys.dont_write_bytecode = not keep
    os.chdir(folder)
    sys.path.insert(0, str(folder))
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    options = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *QUIET]
    return int(pytest.main([*options, *map(str, tests)]))


def _hurry_hypothesis(cases: int) -> None:
    """Fewer cases than the tests ask for, and no shrinking of what fails."""
    from hypothesis import Phase, settings  # noqa: PLC0415 - only where tests are run

    real = settings.__init__

    def init(self: settings, parent: settings | None = None, **given: Any) -> None:  # noqa: ANN401
        if parent is None or "max_examples" in given:
            given["max_examples"] = min(given.get("max_examples", cases), cases)
        real(self, parent, **given | {"phases": (Phase.explicit, Phase.generate)})

    settings.__init__ = init  # type: ignore[method-assign]  # nothing else reaches every test


def run(  # noqa: PLR0913 - as the command line has it
    room: str, *, sample: int, seed: int, state: Path, workers: int, cases: int, limit: float
) -> int:
    files = [file for name in ROOMS[room].sources for file in _files(ROOT / name, "*.py")]
    every = [m for file in files if file.name != "__init__.py" for m in possible(file)]
    picked = sorted(every, key=lambda m: _drawn(seed, m))[:sample]
    known = _known(state)
    wanted = [m for m in picked if known.get(m.key, "survived") == "survived"]
    print(f"{room}: {len(every)} possible, {len(picked)} picked, {len(wanted)} to try")
    _hurry_hypothesis(cases)
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(workers) as pool:
        benches: SimpleQueue[Workshop] = SimpleQueue()
        for n in range(workers):
            benches.put(Workshop(Path(folder) / str(n), ROOMS[room].tests, limit))

        def attempt(mutant: Mutant | None) -> str:
            bench = benches.get()
            try:
                return bench.outcome(mutant)
            finally:
                benches.put(bench)

        if wanted and attempt(None) != "survived":
            print("the tests fail without any mutant")
            return 1
        with state.open("a", encoding="utf-8") as out:
            for mutant, outcome in zip(wanted, pool.map(attempt, wanted), strict=True):
                known[mutant.key] = outcome
                out.write(json.dumps({**asdict(mutant), "outcome": outcome}) + "\n")
                out.flush()
    return _tell(picked, known)


def _drawn(seed: int, mutant: Mutant) -> bytes:
    """A lot for each mutant that only its own file's text changes."""
    return hashlib.sha256(f"{seed} {mutant.key}".encode()).digest()


def _known(state: Path) -> dict[str, str]:
    """What earlier runs found, by mutant."""
    if not state.exists():
        return {}
    found = {}
    for line in state.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        found[f"{row['file']}:{row['digest']}:{row['number']}"] = row["outcome"]
    return found


def _tell(picked: list[Mutant], known: dict[str, str]) -> int:
    survivors = [m for m in picked if known[m.key] == "survived"]
    for mutant in sorted(survivors, key=lambda m: (m.file, m.line)):
        line = (ROOT / mutant.file).read_text(encoding="utf-8").splitlines()[mutant.line - 1]
        print(f"{mutant.file}:{mutant.line}: {mutant.what}    {line.strip()}")
    for file in sorted({m.file for m in picked}):
        own = [m for m in picked if m.file == file]
        left = sum(known[m.key] == "survived" for m in own)
        print(f"{file}: {len(own)} mutants, {left} survived")
    share = 100 * len(survivors) / max(len(picked), 1)
    print(f"{len(picked)} mutants, {len(survivors)} survived ({share:.1f} %)")
    return 0


def main() -> int:
    """Read the command line and try the mutants of one room."""
    words = argparse.ArgumentParser(description=__doc__.splitlines()[1] if __doc__ else "")
    words.add_argument("room", choices=ROOMS)
    words.add_argument("--sample", type=int, default=500)
    words.add_argument("--seed", type=int, default=1)
    words.add_argument("--workers", type=int, default=2)
    words.add_argument("--cases", type=int, default=CASES, help="of each property")
    words.add_argument("--limit", type=float, default=LIMIT_SECONDS, help="seconds for a mutant")
    words.add_argument("--state", type=Path, default=Path("mutants.jsonl"))
    given = words.parse_args()
    return run(
        given.room,
        sample=given.sample,
        seed=given.seed,
        state=given.state,
        workers=given.workers,
        cases=given.cases,
        limit=given.limit,
    )


if __name__ == "__main__":
    import hypothesis  # noqa: F401 - before forking
    import pytest  # noqa: F401 - before forking

    sys.exit(main())
